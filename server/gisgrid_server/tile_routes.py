"""``/tiles/{layer}/{z}/{x}/{y}.mvt|.pbf|.png`` and ``/tiles/{layer}/tilejson.json``: a small ASGI application.

It stands under the main one without its routing, because most requests of a map come here. Cached tiles and 304s are
answered at once; a tile is drawn in a thread, once for all who wait for it.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, TypeVar
from urllib.parse import parse_qs

from isal import isal_zlib
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from gisgrid.catalogue import Layer
from gisgrid.errors import LayerNotFoundError, TileNotFoundError
from gisgrid.tiles.scheme import Zooms, check_zoom
from gisgrid_server.addresses import base_url
from gisgrid_server.problems import (
    PROBLEM_MEDIA_TYPE,
    BadRequestError,
    Problem,
    log,
    problem_of,
)
from gisgrid_server.published import Edition, Published
from gisgrid_server.settings import Settings
from gisgrid_server.tile_cache import Tile, TileCache
from gisgrid_server.tilejson import tilejson

_T = TypeVar("_T")

_TILE: Final = re.compile(r"^/([^/]+)/([^/]+)/([^/]+)/([^/]+)\.(mvt|pbf|png)$")
_TILEJSON: Final = re.compile(r"^/([^/]+)/tilejson\.json$")
_NUMBER: Final = re.compile(r"^-?[0-9]{1,10}$")
_YEAR_S: Final = 31_536_000
_ALWAYS: Final = ((b"x-content-type-options", b"nosniff"),)
_WORTH_PACKING: Final = 200
"""Bytes from which gzip is tried."""


@dataclass(frozen=True)
class _Wanted:
    layer_id: str
    z: int
    x: int
    y: int
    suffix: str


@dataclass(frozen=True)
class _Answer:
    status: HTTPStatus
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""


class TileRoutes:
    """The ASGI application that serves tiles.

    Parameters
    ----------
    published
        The layers.
    settings
        How long tiles may be kept, and how much memory for them.
    """

    def __init__(self, published: Published, settings: Settings) -> None:
        self._published, self._settings = published, settings
        self._cache = TileCache(settings.cache_bytes)
        self._drawing: dict[tuple[object, ...], asyncio.Future[Tile]] = {}
        self._threads = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="tile")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; every mistake becomes a problem, none becomes a broken connection."""
        del receive
        try:
            answer = await self._answer(Request(scope))
        except Exception as error:  # noqa: BLE001 - the last frame before the wire: a fault is logged and answered
            problem = problem_of(error)
            if problem.request_id:
                log.error("fault %s at %s", problem.request_id, scope["path"], exc_info=error)
            answer = _problem_answer(problem)
        await _send(answer, send, head=scope["method"] == "HEAD")

    async def _answer(self, request: Request) -> _Answer:
        if request.method not in {"GET", "HEAD"}:
            return _method_not_allowed(request.method)
        path = _path(request.scope)
        if match := _TILEJSON.match(path):
            return await self._tilejson(match[1], request)
        if match := _TILE.match(path):
            return await self._tile(_wanted(match), request)
        raise TileNotFoundError(
            f"there is nothing at '/tiles{path}'; a tile is at /tiles/LAYER/Z/X/Y.mvt or .png"
        )

    async def _tilejson(self, layer_id: str, request: Request) -> _Answer:
        edition = await self._edition(layer_id)
        base = base_url(request, self._settings)
        document = await self._in_thread(lambda: tilejson(edition, base=base))
        body = json.dumps(document, ensure_ascii=False).encode()
        headers = (
            (b"content-type", b"application/json"),
            (b"cache-control", b"no-cache"),
        )
        return _Answer(HTTPStatus.OK, headers, body)

    async def _tile(self, wanted: _Wanted, request: Request) -> _Answer:
        _check(wanted, self._published.catalogue[wanted.layer_id])
        edition = await self._edition(wanted.layer_id)
        packs = edition.layer.kind == "vector" and _accepts_gzip(request.headers)
        tag = f'"{edition.version}-{wanted.z}-{wanted.x}-{wanted.y}{"-gzip" if packs else ""}"'
        headers = [
            (b"etag", tag.encode()),
            (
                b"cache-control",
                self._cache_control(edition, request.scope["query_string"]).encode(),
            ),
        ]
        if edition.layer.kind == "vector":
            headers.append((b"vary", b"Accept-Encoding"))
        if _matches(request.headers.get("if-none-match"), tag):
            return _Answer(HTTPStatus.NOT_MODIFIED, tuple(headers))
        tile = await self._drawn(edition, wanted, packs=packs)
        if not tile.body:
            return _Answer(HTTPStatus.NO_CONTENT, tuple(headers))
        headers.append((b"content-type", edition.source.media_type.encode()))
        if tile.encoding:
            headers.append((b"content-encoding", tile.encoding.encode()))
        return _Answer(HTTPStatus.OK, tuple(headers), tile.body)

    async def _edition(self, layer_id: str) -> Edition:
        ready = self._published.ready(layer_id)
        if ready is not None:
            return ready
        return await self._in_thread(lambda: self._published.edition(layer_id))

    async def _drawn(self, edition: Edition, wanted: _Wanted, *, packs: bool) -> Tile:
        """Give a tile from the cache, from a drawing under way, or draw it."""
        key = (wanted.layer_id, edition.version, wanted.z, wanted.x, wanted.y, packs)
        tile = self._cache.find(key)
        if tile is not None:
            return tile
        drawing = self._drawing.get(key)
        if drawing is None:
            drawing = asyncio.ensure_future(
                self._in_thread(lambda: _draw(edition, wanted, packs=packs))
            )
            self._drawing[key] = drawing
            drawing.add_done_callback(lambda done: self._drawn_once(key, done))
        # Shielded: a client that goes away must not take the tile from the others.
        return await asyncio.shield(drawing)

    def _drawn_once(self, key: tuple[object, ...], drawing: asyncio.Future[Tile]) -> None:
        del self._drawing[key]
        if not drawing.cancelled() and drawing.exception() is None:
            self._cache.keep(key, drawing.result())

    async def _in_thread(self, work: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _cache_control(self, edition: Edition, query: bytes) -> str:
        asked = parse_qs(query.decode("latin-1")).get("v")
        if asked == [edition.version]:
            return f"public, max-age={_YEAR_S}, immutable"
        return f"public, max-age={self._settings.cache_max_age}"


def _draw(edition: Edition, wanted: _Wanted, *, packs: bool) -> Tile:
    body = edition.source.tile(wanted.z, wanted.x, wanted.y)
    if not packs or len(body) < _WORTH_PACKING:
        return Tile(body, "")
    return Tile(isal_zlib.compress(body, level=1, wbits=31), "gzip")


def _wanted(match: re.Match[str]) -> _Wanted:
    layer_id, *place, suffix = match.groups()
    for text in place:
        if not _NUMBER.match(text):
            raise BadRequestError(
                f"{text!r} in the address of a tile is no number; a tile is at /tiles/LAYER/Z/X/Y.{suffix}"
            )
    z, x, y = map(int, place)
    return _Wanted(layer_id, z, x, y, suffix)


def _check(wanted: _Wanted, layer: Layer) -> None:
    """Make sure that the layer has such a tile, before anything is read for it."""
    if layer.tiles is None or layer.kind == "table":
        raise LayerNotFoundError(
            f"layer {layer.id!r} is not drawn; its rows are at /api/layers/{layer.id}/rows"
        )
    suffixes = ("png",) if layer.kind == "raster" else ("mvt", "pbf")
    if wanted.suffix not in suffixes:
        raise TileNotFoundError(
            f"layer {layer.id!r} has no .{wanted.suffix} tiles; ask for .{' or .'.join(suffixes)}"
        )
    zooms = Zooms(layer.id, layer.tiles.minzoom, layer.tiles.maxzoom)
    check_zoom(zooms, wanted.z, wanted.x, wanted.y)


def _path(scope: Scope) -> str:
    path, root = str(scope["path"]), str(scope.get("root_path", ""))
    return path[len(root) :] if root and path.startswith(root) else path


def _accepts_gzip(headers: Headers) -> bool:
    """Tell whether gzip is among the accepted encodings with a weight above 0 (RFC 9110, 12.5.3)."""
    weights: dict[str, float] = {}
    for item in headers.get("accept-encoding", "").split(","):
        name, _, parameters = item.partition(";")
        weight = re.search(r"q=([0-9.]+)", parameters)
        try:
            weights[name.strip().lower()] = float(weight[1]) if weight else 1.0
        except ValueError:
            continue
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def _matches(if_none_match: str | None, tag: str) -> bool:
    """Tell whether a client has this very tile (RFC 9110, 13.1.2: weak comparison)."""
    if if_none_match is None:
        return False
    known = {part.strip().removeprefix("W/") for part in if_none_match.split(",")}
    return tag in known or "*" in known


def _method_not_allowed(method: str) -> _Answer:
    status = HTTPStatus.METHOD_NOT_ALLOWED
    detail = f"{method} is not answered here; use GET"
    answer = _problem_answer(Problem(status, "method-not-allowed", detail, "这里只接受 GET 请求。"))
    return _Answer(status, (*answer.headers, (b"allow", b"GET, HEAD, OPTIONS")), answer.body)


def _problem_answer(problem: Problem) -> _Answer:
    headers = [(b"content-type", PROBLEM_MEDIA_TYPE.encode())]
    headers += [(name.lower().encode(), value.encode()) for name, value in problem.headers.items()]
    return _Answer(problem.status, tuple(headers), problem.body())


async def _send(answer: _Answer, send: Send, *, head: bool) -> None:
    headers = [*_ALWAYS, *answer.headers]
    if answer.status not in {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}:
        headers.append((b"content-length", str(len(answer.body)).encode()))
    await send({"type": "http.response.start", "status": int(answer.status), "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else answer.body})
