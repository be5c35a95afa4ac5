"""Tiles that are ready to be sent, within a budget of memory; the longest unused go first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Final, NamedTuple

_OVERHEAD: Final = 600
"""Bytes that an entry costs beside its body: its key, its headers and the links between them."""


class ReadyTile(NamedTuple):
    """A tile as it is sent.

    Attributes
    ----------
    body
        The bytes, compressed where `encoding` says so; empty for a tile without features.
    encoding
        ``gzip``, ``br``, ``zstd`` or empty.
    headers
        What is sent with it, whoever asks: type, encoding, what was thinned.
    is_thinned
        Whether it does not show all of its features.
    """

    body: bytes
    encoding: str
    headers: tuple[tuple[bytes, bytes], ...] = ()
    is_thinned: bool = False


class TileCache:
    """Keeps tiles by their key. Used from one thread: the server's event loop.

    Parameters
    ----------
    budget
        Bytes to keep at most.
    """

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._size = 0
        self._tiles: OrderedDict[Hashable, ReadyTile] = OrderedDict()

    def __len__(self) -> int:
        return len(self._tiles)

    @property
    def size(self) -> int:
        """Bytes kept now."""
        return self._size

    def find(self, key: Hashable) -> ReadyTile | None:
        """Give a tile, and keep it for longer.

        Parameters
        ----------
        key
            Its key.

        Returns
        -------
        ReadyTile or None
            None where it is not kept.
        """
        tile = self._tiles.get(key)
        if tile is not None:
            self._tiles.move_to_end(key)
        return tile

    def keep(self, key: Hashable, tile: ReadyTile) -> None:
        """Keep a tile, letting go of others where the budget asks for it.

        Parameters
        ----------
        key
            Its key.
        tile
            The tile; one greater than the whole budget is not kept.
        """
        cost = len(tile.body) + _OVERHEAD
        if cost > self._budget or key in self._tiles:
            return
        self._tiles[key] = tile
        self._size += cost
        while self._size > self._budget:
            _, gone = self._tiles.popitem(last=False)
            self._size -= len(gone.body) + _OVERHEAD
