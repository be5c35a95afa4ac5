"""Tiles that take long are drawn in threads: once for all who wait, and given up when they have all gone."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from starlette.types import Receive

from gisgrid_server.edge.problems import BusyError
from gisgrid_server.running.metrics import Metrics
from gisgrid_server.tiles.cache import ReadyTile


@dataclass(slots=True)
class _Flight:
    """A drawing under way, and how many wait for it."""

    work: Future[ReadyTile]
    done: asyncio.Future[ReadyTile]
    waiting: int = 0


class Flights:
    """The drawings under way. Used from one thread: the server's event loop.

    Parameters
    ----------
    metrics
        Where to count.
    land
        Given each key and its tile, when it is drawn.
    """

    def __init__(self, metrics: Metrics, *, land: Callable[[Hashable, ReadyTile], None]) -> None:
        self._metrics, self._land = metrics, land
        self._under_way: dict[Hashable, _Flight] = {}
        self._threads = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="tile")

    def __len__(self) -> int:
        return len(self._under_way)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._under_way

    async def wait(
        self,
        key: Hashable,
        draw: Callable[[], ReadyTile],
        receive: Receive,
        *,
        timeout_s: float,
        most: int,
    ) -> ReadyTile | None:
        """Wait for a tile that is drawn in a thread.

        Parameters
        ----------
        key
            The tile's key: who asks for one that is under way waits for that one.
        draw
            Draws it.
        receive
            The request; its client may go away.
        timeout_s
            So long it is waited for.
        most
            So many may be under way.

        Returns
        -------
        ReadyTile or None
            None where the client goes away before.

        Raises
        ------
        BusyError
            It took too long, or too many are under way.
        """
        flight = self._under_way.get(key)
        if flight is not None:
            self._metrics.count("tile_joined")
        else:
            flight = self._take_off(key, draw, most)
        flight.waiting += 1
        gone = asyncio.ensure_future(_until_gone(receive))
        waited: set[asyncio.Future[Any]] = {flight.done, gone}
        try:
            await asyncio.wait(waited, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
            if flight.done.done():
                return flight.done.result()
            if gone.done():
                return None
            raise BusyError(
                f"the tile was not drawn within {timeout_s:g} s and is given up; ask again later"
            )
        finally:
            gone.cancel()
            flight.waiting -= 1
            if flight.waiting == 0 and not flight.done.done() and flight.work.cancel():
                self._metrics.count("tile_cancelled")

    def close(self) -> None:
        """Let the threads end."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _take_off(self, key: Hashable, draw: Callable[[], ReadyTile], most: int) -> _Flight:
        if len(self._under_way) >= most:
            raise BusyError(
                f"{len(self._under_way)} tiles are being drawn and no more can wait; ask again in a moment"
            )
        work = self._threads.submit(draw)
        flight = _Flight(work, asyncio.wrap_future(work))
        self._under_way[key] = flight
        flight.done.add_done_callback(lambda done: self._landed(key, done))
        return flight

    def _landed(self, key: Hashable, done: asyncio.Future[ReadyTile]) -> None:
        del self._under_way[key]
        if not done.cancelled() and done.exception() is None:
            self._land(key, done.result())


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
