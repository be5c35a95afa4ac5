"""``/wmts``: the capabilities, and tiles by key-value pairs; their bytes are those of ``/tiles``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from gisgrid.errors import GisgridError, LayerNotFoundError
from gisgrid_server.edge.problems import BadRequestError, problem_of
from gisgrid_server.ogc.asking import Asking
from gisgrid_server.ogc.forwarding import forwarded
from gisgrid_server.ogc.tilesets import drawn_in
from gisgrid_server.ogc.wmts import XML, capabilities, exception
from gisgrid_server.tiles.routes import TileRoutes

_PLACE: Final = ("TILEMATRIX", "TILECOL", "TILEROW")
_NEEDED: Final = ("LAYER", "TILEMATRIXSET", *_PLACE)


def wmts_routes(ask: Asking, tiles: TileRoutes) -> list[Route]:
    """Make the routes of WMTS 1.0.0.

    Parameters
    ----------
    ask
        The layers, and who may see them.
    tiles
        What answers for all tiles.

    Returns
    -------
    list of Route
        For key-value pairs, and the capabilities by their own address.
    """
    wmts = _Wmts(ask, tiles)
    path = "/wmts/1.0.0/WMTSCapabilities.xml"
    return [
        Route("/wmts", wmts, methods=["GET"], include_in_schema=False),
        Route(path, wmts.capabilities, methods=["GET"], include_in_schema=False),
    ]


class _Wmts:
    """Answers ``/wmts?SERVICE=WMTS&REQUEST=…``; the names of the pairs have no case."""

    def __init__(self, ask: Asking, tiles: TileRoutes) -> None:
        self._ask, self._tiles = ask, tiles

    def capabilities(self, request: Request) -> Response:
        """Give the capabilities."""
        editions = self._ask.editions(request)
        body = capabilities(self._ask.published.catalogue, editions, self._ask.base(request))
        return Response(body, media_type=XML, headers={"Cache-Control": "no-cache"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer; a mistake becomes the report that clients of WMTS read."""
        request = Request(scope)
        said = {name.upper(): value for name, value in request.query_params.items()}
        try:
            answer = await self._answer(said, request, receive)
        except GisgridError as error:
            problem = problem_of(error)
            code = "InvalidParameterValue" if problem.status < 500 else "NoApplicableCode"
            body = exception(code, problem.detail)
            answer = Response(body, int(problem.status), problem.headers, XML)
        if answer is not None:
            await answer(scope, receive, send)

    async def _answer(
        self, said: Mapping[str, str], request: Request, receive: Receive
    ) -> Response | None:
        _check(said, "SERVICE", "WMTS")
        _check(said, "VERSION", "1.0.0")
        asked = said.get("REQUEST", "GetCapabilities").lower()
        if asked == "getcapabilities":
            return await run_in_threadpool(self.capabilities, request)
        if asked != "gettile":
            raise BadRequestError(
                f"REQUEST={said['REQUEST'][:40]!r} is not answered; write GetCapabilities or GetTile"
            )
        _check(said, "FORMAT", "image/png")
        _check(said, "STYLE", "default")
        missing = [name for name in _NEEDED if name not in said]
        if missing:
            raise BadRequestError(f"GetTile does not say {', '.join(missing)}; name them")
        return await self._tile(said, request.scope, receive)

    async def _tile(
        self, said: Mapping[str, str], scope: Scope, receive: Receive
    ) -> Response | None:
        layer = self._ask.published.catalogue[said["LAYER"]]
        if layer.kind != "raster":
            raise LayerNotFoundError(
                f"layer {layer.id!r} is no picture; its tiles are at /collections/{layer.id}/tiles"
            )
        drawn_in(layer, said["TILEMATRIXSET"])
        z, x, y = (said[name][:40] for name in _PLACE)
        if not all(part.isascii() and part.isdigit() for part in (z, x, y)):
            raise BadRequestError(
                f"{z!r}, {x!r}, {y!r} are no place of a tile; write whole numbers from 0"
            )
        path = f"/tiles/{layer.id}/{z}/{x}/{y}.png"
        key = [("key", said["KEY"])] if "KEY" in said else []
        return await forwarded(self._tiles, scope, receive, path=path, query=key)


def _check(said: Mapping[str, str], name: str, only: str) -> None:
    if said.get(name, "").lower() not in {"", only.lower()}:
        raise BadRequestError(f"{name}={said[name][:40]!r} is not served here; write {name}={only}")
