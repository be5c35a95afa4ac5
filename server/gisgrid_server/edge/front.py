"""The first to hear a request: which host, whose proxy, how long it took; then the tiles, or the rest.

Tiles are answered here without a framework around them, and so are the few requests that come as fast (`shortcuts`);
everything else goes on to FastAPI.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from time import perf_counter
from typing import Any, Final, Protocol, TypeAlias
from urllib.parse import quote

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gisgrid_server.edge.addresses import ORIGIN, Doorbell
from gisgrid_server.edge.answers import GONE, Answer, method_not_allowed, problem_answer
from gisgrid_server.edge.cors import Cors
from gisgrid_server.edge.packing import Outgoing
from gisgrid_server.edge.problems import problem_of
from gisgrid_server.running.logs import cleaned
from gisgrid_server.running.metrics import Metrics
from gisgrid_server.running.telemetry import Spans
from gisgrid_server.settings import Settings
from gisgrid_server.tiles.addresses import is_ogc_tile

log = logging.getLogger("gisgrid.server")

_REQUEST_ID: Final = re.compile(rb"^[A-Za-z0-9_.-]{1,64}$")
_ALWAYS_OPEN: Final = frozenset({"/healthz", "/readyz"})
"""Whoever looks after the server asks these by whatever name."""

_REDIRECTS: Final = frozenset({307, 308})
_READING: Final = frozenset({"GET", "HEAD"})


Shortcut: TypeAlias = Callable[[Scope, Receive], Awaitable[Answer]]
"""Answers a request; what it raises becomes a problem."""


class Tiles(Protocol):
    """What answers tiles."""

    def at_once(self, scope: Scope, path: str, headers: dict[bytes, bytes]) -> Answer | None:
        """Answer on the spot, or give None where something has to be waited for."""

    async def answer(
        self, scope: Scope, receive: Receive, path: str, headers: dict[bytes, bytes]
    ) -> Answer:
        """Answer, waiting for what has to be made."""
        ...


class Front:
    """The application as a whole.

    Parameters
    ----------
    app
        What answers all that is no tile.
    tiles
        What answers tiles.
    settings
        How the server is set up.
    metrics
        Where to count.
    spans
        Where to note how long requests took, besides.
    shortcuts
        By method and path: what answers such requests without FastAPI.
    """

    def __init__(
        self,
        app: ASGIApp,
        tiles: Tiles,
        settings: Settings,
        *,
        metrics: Metrics,
        spans: Spans | None = None,
        shortcuts: Mapping[tuple[str, str], Shortcut] | None = None,
    ) -> None:
        self._shortcuts = shortcuts or {}
        self._app, self._tiles, self._metrics, self._spans = app, tiles, metrics, spans
        self._doorbell, self._cors = Doorbell(settings), Cors(settings.cors_origins)
        self._checks_hosts = self._doorbell.looks_at_hosts
        self._root, self._logs = settings.root_path, settings.log_requests
        # Nothing but the tile itself has to be done for most requests.
        self._is_plain = not (self._checks_hosts or self._logs or spans or self._root)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; every mistake becomes a problem, none becomes a broken connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = perf_counter()
        self._metrics.begin()
        path: str = scope["path"]
        if path.startswith("/tiles/") and self._is_plain:
            status = await self._tile(scope, receive, send, path)
            self._metrics.end("tile", status, perf_counter() - started)
            return
        status = 500
        route = "page"
        try:
            status, route = await self._noted(scope, receive, send)
        finally:
            taken = perf_counter() - started
            self._metrics.end(route, status, taken)
            if self._logs:
                self._log(scope, status, taken)

    def at_once(self, scope: Scope, path: str, headers: dict[bytes, bytes]) -> Answer | None:
        """Answer a request for a tile on the spot, if nothing but the tile itself is asked for.

        Parameters
        ----------
        scope
            The request.
        path
            Its path, below ``/tiles/``.
        headers
            Its headers, each once.

        Returns
        -------
        Answer or None
            None for everything that has to go through `__call__`: what has to be waited for, and every mistake.
        """
        if not self._is_plain:
            return None
        started = perf_counter()
        try:
            answer = self._tiles.at_once(scope, path, headers)
        except Exception:  # noqa: BLE001 - it is raised again, and answered, on the usual way
            return None
        if answer is None:
            return None
        added = self._cors.for_all
        answer.headers.extend(
            added if added is not None else self._cors.headers(headers.get(b"origin"))
        )
        self._metrics.begin()
        self._metrics.end("tile", answer.status, perf_counter() - started)
        return answer

    async def _noted(self, scope: Scope, receive: Receive, send: Send) -> tuple[int, str]:
        """Answer with everything that may be switched on; give the status and the kind of route."""
        path = self._path(scope)
        if self._spans is None:
            return await self._routed(scope, receive, send, path)
        with self._spans.request(scope, path) as span:
            status, route = await self._routed(scope, receive, send, path)
            span["status"] = status
            return status, route

    async def _routed(
        self, scope: Scope, receive: Receive, send: Send, path: str
    ) -> tuple[int, str]:
        if path not in _ALWAYS_OPEN:
            try:
                scope[ORIGIN] = self._doorbell.origin(scope)
            except Exception as error:  # noqa: BLE001 - as every fault before the wire
                answer = self._problem(error, scope)
                return await self._send(answer, scope, send), "page"
        if scope["method"] == "OPTIONS":
            headers = [*self._cors.preflight(_header(scope, b"origin"))]
            return await self._send(Answer(204, headers, b""), scope, send, cors=False), "page"
        if path.startswith("/tiles/") or path == "/tiles" or is_ogc_tile(path):
            route = "tilejson" if path.endswith("/tilejson.json") else "tile"
            return await self._tile(scope, receive, send, path), route
        route = (
            "api"
            if path.startswith(("/api/", "/collections", "/ogc", "/open311", "/wmts"))
            else "page"
        )
        shortcut = self._shortcuts.get((scope["method"], path))
        if shortcut is not None:
            try:
                answer = await shortcut(scope, receive)
            except Exception as error:  # noqa: BLE001 - as for tiles
                answer = self._problem(error, scope)
            return await self._send(answer, scope, send), route
        return await self._rest(scope, receive, send, path), route

    async def _tile(self, scope: Scope, receive: Receive, send: Send, path: str) -> int:
        tiles = self._tiles
        try:
            method = scope["method"]
            if method not in _READING:
                answer = await self._no_reading(scope)
            else:
                given = scope["headers"]
                headers: dict[bytes, bytes] = dict(given)
                if len(headers) != len(given):
                    headers = _joined(given)
                found = tiles.at_once(scope, path, headers)
                answer = found or await tiles.answer(scope, receive, path, headers)
        except Exception as error:  # noqa: BLE001 - the last frame before the wire: a fault is logged and answered
            answer = self._problem(error, scope)
        return await self._send(answer, scope, send)

    async def _no_reading(self, scope: Scope) -> Answer:
        if scope["method"] == "OPTIONS":
            return Answer(204, [*self._cors.preflight(_header(scope, b"origin"))], b"")
        return method_not_allowed(scope["method"])

    async def _send(self, answer: Answer, scope: Scope, send: Send, *, cors: bool = True) -> int:
        status, headers, body = answer
        if answer is GONE:
            return status
        added = self._cors.for_all
        if cors and scope["method"] != "OPTIONS":
            headers.extend(
                added if added is not None else self._cors.headers(_header(scope, b"origin"))
            )
        if body and not any(name == b"content-length" for name, _ in headers):
            headers.append((b"content-length", b"%d" % len(body)))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send(
            {"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body}
        )
        return status

    async def _rest(self, scope: Scope, receive: Receive, send: Send, path: str) -> int:
        """Pass a request on to FastAPI, and mark its answer.

        What can be read can be asked for its headers alone (RFC 9110, 9.3.2): FastAPI hears a GET then, and its body is
        not sent on.
        """
        added = self._cors.headers(_header(scope, b"origin"))
        outgoing = Outgoing(scope, send)

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message.get("headers", ())
                if message["status"] in _REDIRECTS and path.endswith("/"):
                    headers = [_relative(name, value, path) for name, value in headers]
                message["headers"] = [*headers, *added]
            await outgoing(message)

        inner: dict[str, Any] = dict(scope)
        if scope["method"] == "HEAD":
            inner["method"] = "GET"
        if self._root:
            inner["root_path"], inner["path"] = self._root, self._root + path
        origin = scope.get(ORIGIN)
        if origin is not None:
            inner["scheme"] = origin.scheme
        await self._app(inner, receive, marked)
        return outgoing.status

    def _path(self, scope: Scope) -> str:
        path: str = scope["path"]
        if self._root and (path == self._root or path.startswith(f"{self._root}/")):
            path = path[len(self._root) :] or "/"
        return path

    def _problem(self, error: Exception, scope: Scope) -> Answer:
        problem = problem_of(error)
        if problem.status is HTTPStatus.INTERNAL_SERVER_ERROR:
            log.error("fault %s at %s", problem.request_id, cleaned(scope["path"]), exc_info=error)
        return problem_answer(problem)

    def _log(self, scope: Scope, status: int, taken_s: float) -> None:
        """Note a request, without what stands behind its question mark: that may be a key."""
        origin = scope.get(ORIGIN)
        given = _header(scope, b"x-request-id") or b""
        log.info(
            "%s %s %d", scope["method"], cleaned(scope["path"]), status,
            extra={
                "method": scope["method"], "path": cleaned(scope["path"]), "status": status,
                "ms": round(taken_s * 1000, 3), "client": origin.client if origin else None,
                "request_id": given.decode("ascii") if _REQUEST_ID.match(given) else None,
            },
        )  # fmt: skip


def _relative(name: bytes, value: bytes, path: str) -> tuple[bytes, bytes]:
    """Write where a path without its last slash lies so that it is found behind whatever proxy."""
    if name != b"location":
        return name, value
    _, mark, query = value.partition(b"?")
    last = path.rstrip("/").rpartition("/")[2]
    return name, b"../" + quote(last).encode() + mark + query


def _header(scope: Scope, wanted: bytes) -> bytes | None:
    return next((value for name, value in scope["headers"] if name == wanted), None)


def _joined(given: list[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Put headers that are given several times together, as RFC 9110 (5.3) has it."""
    headers: dict[bytes, bytes] = {}
    for name, value in given:
        headers[name] = headers[name] + b", " + value if name in headers else value
    return headers
