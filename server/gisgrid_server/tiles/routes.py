"""``/tiles/{layer,layer}/{z}/{x}/{y}.mvt|.pbf|.png|.webp`` and ``/tiles/{layer,layer}/tilejson.json``.

A small ASGI application without a framework, because most requests of a map come here. What an address means is worked
out once and kept (`wanted.Plan`); cached tiles, 304s and tiles that are drawn in a moment are answered on the spot;
what takes longer is drawn in a thread, once for all who wait for it, and given up when they have all gone.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from time import perf_counter, thread_time
from typing import Final, TypeVar

from starlette.types import Receive, Scope

from gisgrid.tiles.scheme import Zooms, check_zoom, matrix_set
from gisgrid_server.edge.access import Doorkeeper
from gisgrid_server.edge.addresses import base_url_of
from gisgrid_server.edge.answers import (
    GONE,
    NOSNIFF,
    YEAR_S,
    Answer,
    Headers,
    kept_answer,
    matches,
)
from gisgrid_server.edge.encodings import Encoding, chosen_encoding
from gisgrid_server.edge.problems import BusyError
from gisgrid_server.edge.rights import PUBLIC, Rights
from gisgrid_server.layers.editions import Edition
from gisgrid_server.layers.published import Published
from gisgrid_server.layers.snapshot import Snapshot
from gisgrid_server.running.metrics import Metrics
from gisgrid_server.settings import Settings
from gisgrid_server.tiles.addresses import (
    TILE,
    TILEJSON,
    XYZ,
    TileAddress,
    ogc_address,
    tile_address,
)
from gisgrid_server.tiles.cache import ReadyTile, TileCache
from gisgrid_server.tiles.drawing import drawn_tile
from gisgrid_server.tiles.flights import Flights
from gisgrid_server.tiles.tilejson import tilejson
from gisgrid_server.tiles.wanted import Plan, joined_version, layer_names, make_plan, parameters

_T = TypeVar("_T")

_FAST_S: Final = 0.012
"""A tile that is likely to be drawn in less is drawn on the spot. Whoever waits behind it waits no longer than he would beside
a thread that draws on the same core: with all cores busy the 99th percentile of all requests is half as long."""

_FORGET: Final = 0.97
_MAX_PLANS: Final = 4096
_MAX_AGE_LIVE_S: Final = 1
_VARY_ENCODING: Final = (b"vary", b"Accept-Encoding")
_VARY_KEY: Final = (b"vary", b"Accept-Encoding, Authorization, X-API-Key")


@dataclass(slots=True)
class _Known:
    """What addresses mean, as long as a snapshot is served."""

    snapshot: Snapshot
    plans: dict[tuple[str, str, str, bytes, str], Plan] = field(default_factory=dict)


class TileRoutes:
    """Answers whatever is asked below ``/tiles``.

    Parameters
    ----------
    published
        The layers.
    settings
        How long tiles may be kept, how much memory for them, and how long to wait.
    doorkeeper
        Who knows the keys.
    metrics
        Where to count.
    """

    def __init__(
        self, published: Published, settings: Settings, *, doorkeeper: Doorkeeper, metrics: Metrics
    ) -> None:
        self._published, self._settings = published, settings
        self._doorkeeper, self._metrics = doorkeeper, metrics
        self._cache = TileCache(settings.cache_bytes)
        self._flights = Flights(metrics, land=self._keep)
        self._known = _Known(published.now)

    def at_once(self, scope: Scope, path: str, headers: dict[bytes, bytes]) -> Answer | None:
        """Answer a request for a tile on the spot, if that can be done.

        Parameters
        ----------
        scope
            The request.
        path
            Its path.
        headers
            Its headers.

        Returns
        -------
        Answer or None
            None where something has to be waited for; `answer` does that.

        Raises
        ------
        GisgridError
            There is no such tile.
        """
        match = TILE(path)
        if match is not None:
            names, z, x, y, suffix = match.groups()
            return self._at_once(scope, headers, TileAddress(names, XYZ, z, x, y, suffix))
        address = ogc_address(path, scope["query_string"], headers.get(b"accept", b""))
        return None if address is None else self._at_once(scope, headers, address)

    def _at_once(
        self, scope: Scope, headers: dict[bytes, bytes], address: TileAddress
    ) -> Answer | None:
        plan = self._plan(self._published.now, address, scope)
        if plan is None:
            return None
        shared = not plan.needs_key or self._opened(plan, scope)
        z, x, y = _place(plan, address)
        encoding = "" if plan.is_raster else chosen_encoding(headers.get(b"accept-encoding", b""))
        tag = _tag(plan, z, x, y, encoding)
        known = headers.get(b"if-none-match")
        if known is not None and matches(known, tag):
            return Answer(304, self._headers(plan, tag, shared=shared), b"")
        key = (plan.key, z, x, y, encoding)
        tile = self._cache.find(key)
        if tile is not None:
            self._metrics.count("tile_cache_hits")
        elif key in self._flights or plan.slowest_s.get(z, 1.0) > _FAST_S:
            return None
        else:
            tile = self._draw(plan, z, x, y, encoding)
            self._keep(key, tile)
        return self._tile_answer(plan, tag, tile, shared=shared)

    async def answer(
        self, scope: Scope, receive: Receive, path: str, headers: dict[bytes, bytes]
    ) -> Answer:
        """Answer a request, waiting for what has to be read or drawn.

        Parameters
        ----------
        scope, receive
            The request; it is given up when its client goes away.
        path
            Its path.
        headers
            The request's headers.

        Returns
        -------
        Answer
            `GONE` where the client is no longer there.

        Raises
        ------
        GisgridError
            There is no such thing, or it took too long.
        """
        if match := TILEJSON(path):
            document = await self._within_time(self._tilejson(match[1], scope))
            return kept_answer(document, headers.get(b"if-none-match"))
        address = tile_address(path, scope["query_string"])
        await self._within_time(self._editions(address.names))
        found = self._at_once(scope, headers, address)
        if found is not None:
            return found
        plan = self._plan(self._published.now, address, scope)
        if plan is None:
            raise BusyError("the layer was taken away or read anew at this moment; ask again")
        place = _place(plan, address)
        encoding = "" if plan.is_raster else chosen_encoding(headers.get(b"accept-encoding", b""))
        tile = await self._flights.wait(
            (plan.key, *place, encoding),
            lambda: self._draw(plan, *place, encoding),
            receive,
            timeout_s=self._settings.timeout_s,
            most=self._settings.max_waiting,
        )
        if tile is None:
            return GONE
        shared = not plan.needs_key or self._opened(plan, scope)
        return self._tile_answer(plan, _tag(plan, *place, encoding), tile, shared=shared)

    def note(self) -> None:
        """Say how full the memory is; asked now and then."""
        self._metrics.set("tile_cache_bytes", self._cache.size)
        self._metrics.set("tile_cache_tiles", len(self._cache))
        self._metrics.set("tiles_waiting", len(self._flights))

    def close(self) -> None:
        """Let the threads end."""
        self._flights.close()

    def _plan(self, snapshot: Snapshot, address: TileAddress, scope: Scope) -> Plan | None:
        """Work out what an address means to who asks; None where one of its layers was not read yet."""
        plan = self._plan_within(snapshot, address, scope, PUBLIC)
        if plan is None or not plan.is_scoped:
            return plan
        self._opened(plan, scope)
        rights = self._doorkeeper.rights(scope)
        return self._plan_within(snapshot, address, scope, rights)

    def _plan_within(
        self, snapshot: Snapshot, address: TileAddress, scope: Scope, rights: Rights
    ) -> Plan | None:
        if self._known.snapshot is not snapshot:
            self._known = _Known(snapshot)
        query: bytes = scope["query_string"]
        plans, key = self._known.plans, (address.names, address.set_id, address.suffix, query, rights.mark)  # fmt: skip
        found = plans.get(key)
        if found is not None:
            return found
        wanted = layer_names(address.names, at_most=self._settings.max_layers)
        layers = [snapshot.catalogue[name] for name in wanted]
        for layer in (
            layers
        ):  # what is asked of a closed layer is not even read: the answer would tell its properties
            self._doorkeeper.check(layer, scope)
        editions = [snapshot.editions.get(layer.id) for layer in layers]
        if any(one is None for one in editions):
            return None
        there = [one.within(rights) for one in editions if one is not None]
        plan = make_plan(there, address.suffix, query, matrix_set=matrix_set(address.set_id))
        if len(plans) >= _MAX_PLANS:
            plans.clear()
        plans[key] = plan
        return plan

    async def _editions(self, names: str) -> list[Edition]:
        """Give the layers of an address, reading those that nobody has read."""
        wanted = layer_names(names, at_most=self._settings.max_layers)
        known = [self._published.ready(name) for name in wanted]
        if all(one is not None for one in known):
            return [one for one in known if one is not None]
        return await self._in_thread(lambda: [_made(self._published, name) for name in wanted])

    def _opened(self, plan: Plan, scope: Scope) -> bool:
        """Make sure that the client may see the layers; who may is told what not everybody may keep."""
        for part in plan.parts:
            self._doorkeeper.check(part.edition.layer, scope)
        return False

    def _headers(self, plan: Plan, tag: bytes, *, shared: bool) -> Headers:
        return [
            NOSNIFF,
            (b"etag", tag),
            (b"cache-control", self._cache_control(plan, shared=shared)),
            _VARY_ENCODING if shared else _VARY_KEY,
        ]

    def _cache_control(self, plan: Plan, *, shared: bool) -> bytes:
        who = b"public" if shared else b"private"
        if plan.is_versioned:
            return b"%b, max-age=%d, immutable" % (who, YEAR_S)
        age = self._settings.cache_max_age
        return b"%b, max-age=%d" % (who, min(age, _MAX_AGE_LIVE_S) if plan.is_live else age)

    def _tile_answer(self, plan: Plan, tag: bytes, tile: ReadyTile, *, shared: bool) -> Answer:
        headers = self._headers(plan, tag, shared=shared)
        headers.extend(tile.headers)
        if not tile.body:
            return Answer(204, headers, b"")
        self._metrics.sent(tile.encoding, len(tile.body))
        return Answer(200, headers, tile.body)

    def _draw(self, plan: Plan, z: int, x: int, y: int, encoding: Encoding) -> ReadyTile:
        """Draw and pack a tile, and remember how long that took."""
        started, worked = perf_counter(), thread_time()
        self._metrics.count("tile_cache_misses")
        tile = drawn_tile(plan, z, x, y, encoding)
        taken, worked = perf_counter() - started, thread_time() - worked
        plan.slowest_s[z] = max(worked, plan.slowest_s.get(z, 0.0) * _FORGET)
        self._metrics.drew(taken)
        return tile

    def _keep(self, key: Hashable, tile: ReadyTile) -> None:
        self._cache.keep(key, tile)
        if tile.is_thinned:
            self._metrics.count("tile_thinned")

    async def _tilejson(self, names: str, scope: Scope) -> Answer:
        editions = await self._editions(names)
        shown = [self._doorkeeper.check(one.layer, scope) for one in editions]
        editions = [one.within(each.rights) for one, each in zip(editions, shown, strict=True)]
        suffix = "png" if editions[0].layer.kind == "raster" else "mvt"
        plan = make_plan(editions, suffix, scope["query_string"])
        keep_key = any(one.in_address for one in shown)
        passed = [
            (name, value)
            for name, value in parameters(scope["query_string"])
            if name != "v" and (name != "key" or keep_key)
        ]
        base = base_url_of(scope, self._settings)
        document = await self._in_thread(
            lambda: tilejson(
                editions,
                base=base,
                version=None if plan.is_live else joined_version(editions),
                passed=passed,
            )
        )
        body = json.dumps(document, ensure_ascii=False).encode()
        cached = b"private, no-cache" if plan.needs_key else b"no-cache"
        headers = [NOSNIFF, (b"content-type", b"application/json"), (b"cache-control", cached)]
        return Answer(200, headers, body)

    async def _within_time(self, work: Awaitable[_T]) -> _T:
        try:
            return await asyncio.wait_for(work, self._settings.timeout_s)
        except TimeoutError as error:
            raise BusyError(
                f"the layer was not read within {self._settings.timeout_s:g} s; ask again in a moment"
            ) from error

    async def _in_thread(self, work: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(None, work)


def _made(published: Published, name: str) -> Edition:
    """Read a layer, and make what draws it."""
    edition = published.edition(name)
    if edition.layer.tiles is not None and edition.layer.kind != "table":
        _ = edition.source
    return edition


def _place(plan: Plan, address: TileAddress) -> tuple[int, int, int]:
    """Read the place of a tile, and make sure that there is one."""
    z, x, y = int(address.z), int(address.x), int(address.y)
    if plan.minzoom <= z <= plan.maxzoom:
        n_columns, n_rows = plan.matrix_set.tiles_at(z)
        if 0 <= x < n_columns and 0 <= y < n_rows:
            return z, x, y
    name = ",".join(part.edition.layer.id for part in plan.parts)
    check_zoom(Zooms(name, plan.minzoom, plan.maxzoom), z, x, y, matrix_set=plan.matrix_set)
    return z, x, y


def _tag(plan: Plan, z: int, x: int, y: int, encoding: Encoding) -> bytes:
    """Name the state of a tile, from its version and what was asked: no tile has to be drawn for it."""
    packing = f"-{encoding}" if encoding else ""
    return f'"{plan.version}-{z}-{x}-{y}{plan.mark}{packing}"'.encode()
