"""Does the server live, is it ready, how is it doing? What those who look after it ask."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from gisgrid_server.layers.published import Published
from gisgrid_server.running.metrics import Metrics
from gisgrid_server.settings import Settings


@dataclass
class Readiness:
    """Whether the layers have been read that are read at the start.

    Attributes
    ----------
    is_warm
        Whether that is done.
    failed
        Layers that could not be read, and why.
    """

    is_warm: bool = False
    failed: dict[str, str] = field(default_factory=dict)


def health_router(
    published: Published,
    settings: Settings,
    *,
    metrics: Metrics,
    readiness: Readiness,
    note: Callable[[], None],
) -> APIRouter:
    """Make the routes that tell how the server is.

    Parameters
    ----------
    published
        The layers.
    settings
        Whether ``/metrics`` is there.
    metrics
        The numbers.
    readiness
        Whether the layers have been read.
    note
        Called before the numbers are written, to bring those up to date that are only known then.

    Returns
    -------
    APIRouter
        The routes.
    """
    router = APIRouter()
    headers = {"Cache-Control": "no-store"}

    @router.get("/healthz", tags=["server"], summary="Does the server answer?")
    def _health() -> JSONResponse:
        return JSONResponse({"status": "ok"}, headers=headers)

    @router.get("/readyz", tags=["server"], summary="Are the layers read?", responses={503: {"description": "not yet"}})  # fmt: skip
    def _ready() -> JSONResponse:
        now = published.now
        waiting = sorted(readiness.failed)
        document = {
            "status": "ready" if readiness.is_warm else "reading",
            "layers": len(now.catalogue),
            "layers_read": len(now.editions),
            "layers_without_data": waiting,
        }
        return JSONResponse(document, 200 if readiness.is_warm else 503, headers=headers)

    if settings.metrics:

        @router.get("/metrics", tags=["server"], summary="Numbers for Prometheus", response_class=Response)  # fmt: skip
        def _metrics(request: Request) -> Response:
            note()
            metrics.set("layers_ready", len(published.now.editions))
            body, media_type = metrics.page(request.headers.get("accept", ""))
            return Response(body, media_type=media_type, headers=headers)

    return router
