"""How do points become a vector tile of one layer (Mapbox Vector Tile 2.1)? Features, keys, values, in this order.

Points that just left the tile by an edge are written too, so that what is drawn of them is whole in both tiles.
"""

from __future__ import annotations

import threading
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gisgrid.tiles.mvt.wire import Bytes, Ints, field, varint
from gisgrid.tiles.points.features import (
    TileFrame,
    TileRows,
    TileWork,
    copy_values,
    values_size,
    write_features,
)
from gisgrid.tiles.points.index import PointIndex
from gisgrid.tiles.scheme import EXTENT

ALL: Final = np.zeros(0, np.uint8)
"""Instead of a mask: every point."""

NO_ROWS: Final = np.zeros(0, np.int64)

HEAD_ROOM: Final = 32
"""Bytes kept for the number and the length of a layer, before its name."""

_KEPT_ROOM: Final = 1 << 26
"""A buffer beyond this, made for one tile without a budget, is given back."""


class Chosen(NamedTuple):
    """Points to write.

    Attributes
    ----------
    points
        Where they are.
    start, stop
        A run of them.
    more
        Shape (m,), others, after the run.
    keep
        Shape (n of the run + m,), uint8, which of them; empty for all.
    """

    points: PointIndex
    start: int
    stop: int
    more: Ints = NO_ROWS
    keep: Bytes = ALL


class _Scratch(threading.local):
    """Buffers of a thread, kept from tile to tile: bytes, the values used, and where each value stands in the tile + 1."""

    def __init__(self) -> None:
        self.out = np.empty(1 << 16, np.uint8)
        self.stamp = np.zeros(0, np.int32)
        self.used = np.empty(1 << 12, np.int32)

    def grow(self, room: int, n_values: int, *, keep: int = 0) -> None:
        """Make room for so many bytes and so many values; the first `keep` bytes stay."""
        if len(self.out) < room:
            grown = np.empty(room + room // 2, np.uint8)
            grown[:keep] = self.out[:keep]
            self.out = grown
        if len(self.used) < n_values:
            self.used = np.empty(2 * n_values, np.int32)

    def shrink(self) -> None:
        """Give back what a tile without a budget took."""
        if len(self.out) > _KEPT_ROOM:
            self.out = np.empty(1 << 16, np.uint8)


scratch = _Scratch()


def write_points(
    frame: TileFrame, chosen: list[Chosen], *, head: bytes, keys: bytes
) -> tuple[bytes, int]:
    """Write points as a tile of one layer.

    Parameters
    ----------
    frame
        The tile.
    chosen
        Which points, of one index or several; all have the same properties.
    head
        The beginning of the layer: its version and its name.
    keys
        The names of the properties as fields of the layer.

    Returns
    -------
    tuple of (bytes, int)
        The tile, empty where it has no feature; how many features it has.
    """
    begin = HEAD_ROOM + len(head)
    at, n_features = begin, 0
    values: list[NDArray[np.int32]] = []
    for part in chosen:
        at, n, used = _write_part(frame, part, at, sum(len(one) for one in values))
        n_features += n
        values.append(used)
    if n_features == 0:
        return b"", 0
    out = scratch.out
    chunks = [
        _gathered(part.points.data, part.points.start, used)
        for part, used in zip(chosen, values, strict=True)
    ]
    tail = b"\x28" + varint(EXTENT)
    length = len(head) + at - begin + len(keys) + sum(map(len, chunks)) + len(tail)
    pieces: list[bytes | memoryview] = [
        b"\x1a",
        varint(length),
        head,
        out[begin:at].data,
        keys,
        *(one.data for one in chunks),
        tail,
    ]
    body = b"".join(pieces)
    scratch.shrink()
    return body, n_features


def feature_bytes(points: PointIndex) -> float:
    """Say how many bytes of a tile a point takes on the average, its share of the values not counted.

    Parameters
    ----------
    points
        The points of a layer; some hundred of them are asked.

    Returns
    -------
    float
        0 where there are none.
    """
    some = np.arange(0, len(points), max(1, len(points) // 500))
    at, n, _ = _write_part(TileFrame(0, 0, 0, 1), Chosen(points, 0, 0, some), 0, 0)
    return at / n if n else 0.0


def layer_head(name: str) -> bytes:
    """Write the beginning of a layer.

    Parameters
    ----------
    name
        The layer's name.

    Returns
    -------
    bytes
        Its version, 2, and its name.
    """
    return b"\x78\x02" + field(1, name.encode())


def layer_keys(names: tuple[str, ...]) -> bytes:
    """Write the names of the properties as fields of a layer.

    Parameters
    ----------
    names
        In order.

    Returns
    -------
    bytes
        One field each.
    """
    return b"".join(field(3, name.encode()) for name in names)


def _write_part(
    frame: TileFrame, part: Chosen, at: int, n_used: int
) -> tuple[int, int, NDArray[np.int32]]:
    index = part.points
    n = part.stop - part.start + len(part.more)
    n_columns = len(index.layout)
    scratch.grow(at + n * (42 + 8 * n_columns) + 64, n * n_columns, keep=at)
    if len(scratch.stamp) < len(index.start):
        scratch.stamp = np.zeros(len(index.start), np.int32)
    rows = TileRows(index.u, index.v, index.record, index.layout, index.number)
    work = TileWork(scratch.stamp, scratch.used, scratch.out)
    run = part.start, part.stop, n_used
    at, n_features, n_new = write_features(rows, frame, run, part.more, part.keep, work, at)
    return at, n_features, scratch.used[:n_new].copy()


def _gathered(data: Bytes, start: Ints, used: NDArray[np.int32]) -> Bytes:
    """Copy the values used."""
    out = np.empty(values_size(start, used, len(used)), np.uint8)
    return out[: copy_values(data, start, used, len(used), out, 0)]
