"""The features of points and their values, byte by byte: one compiled pass over the rows of a tile.

A value goes into a tile where it is first used; an array that has an entry for each value of the layer remembers which
those are, and is blank again afterwards.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gisgrid.compiled import compiled
from gisgrid.tiles.mvt.wire import Bytes, Ints, put_bytes, put_varint, varint_size, zigzag
from gisgrid.tiles.points.search import Steps, signed

_FEW_VALUES: Final = 8
"""From so many on, copying a stretch of memory as a whole is the quicker way."""


class TileFrame(NamedTuple):
    """Where a tile is: its depth, column and row, and how many columns its zoom has."""

    depth: int
    x: int
    y: int
    n_columns: int


class TileRows(NamedTuple):
    """The arrays of an index that the loop reads."""

    u: Steps
    v: Steps
    record: Bytes
    layout: Ints
    number: Ints


class TileWork(NamedTuple):
    """Buffers that the loop writes into: where a value stands in the tile + 1, the values used, the features."""

    stamp: NDArray[np.int32]
    used: NDArray[np.int32]
    out: Bytes


@compiled
def write_features(  # noqa: PLR0917 - numba has no keywords
    rows: TileRows,
    frame: TileFrame,
    run: tuple[int, int, int],
    more: Ints,
    keep: Bytes,
    work: TileWork,
    at: int,
) -> tuple[int, int, int]:
    """Write the features of points.

    Parameters
    ----------
    rows
        The layer.
    frame
        The tile.
    run
        The first point, past the last, and how many values the tile has already.
    more
        Shape (m,), other points, after the run.
    keep
        Shape (n of the run + m,), which of them; empty for all.
    work
        Where to; its `stamp` is zero before and after.
    at
        The first byte to write.

    Returns
    -------
    tuple of int
        The byte after the last; the number of features, and of values used.
    """
    # Taken out of their tuples once: each look into one would count references.
    u, v, record, number, out = rows.u, rows.v, rows.record, rows.number, work.out
    layout, stamp, used = rows.layout, work.stamp, work.used
    start, stop, n_before = run
    n_columns, n_features, n_used, n_run = len(layout), 0, 0, stop - start
    flat, stride, masked = record.ravel(), record.shape[1], len(keep) > 0
    place, width, first = layout[:, 0].copy(), layout[:, 1].copy(), layout[:, 2].copy()
    once = layout[:, 3].copy()
    for k in range(n_run + len(more)):
        if masked and keep[k] == 0:
            continue
        i = start + k if k < n_run else more[k - n_run]
        px, py = _tile_place(signed(u[i]), signed(v[i]), frame)
        n_features += 1
        out[at], out[at + 2] = 0x12, 0x08
        body = at + 2
        end = put_varint(number[i] + 1, out, at + 3)
        tags = end + 2
        last = tags
        for column in range(n_columns):
            code = _code(flat, i * stride + place[column], width[column])
            if code < 0:
                continue
            value = first[column] + code
            local = stamp[value]
            if local == 0:
                used[n_used] = value
                n_used += 1
                local = n_used
                if once[column] != 0:
                    stamp[value] = local
            last = put_varint(n_before + local - 1, out, put_varint(column, out, last))
        if last > tags:
            out[end] = 0x12
            end = _put_length(out, tags, last)
        end = _put_point(px, py, out, end)
        if end - body < 0x80:
            out[body - 1], at = end - body, end
        else:
            at = _put_length(out, body, end)
    for k in range(n_used):
        stamp[used[k]] = 0
    return at, n_features, n_used


@compiled
def _tile_place(u: int, v: int, frame: TileFrame) -> tuple[int, int]:
    """Bring steps of the unit square to units of the tile."""
    finer = 32 - frame.depth - 12
    if finer >= 0:
        x, y = u >> finer, v >> finer
    else:
        x, y = u << -finer, v << -finer
    x, y = x - (frame.x << 12), y - (frame.y << 12)
    world = frame.n_columns << 12
    if x < 2048 - (world >> 1):  # past the date line
        x += world
    elif x >= 2048 + (world >> 1):
        x -= world
    return x, y


@compiled
def _code(flat: Bytes, at: int, width: int) -> int:
    """Read a code, its lowest byte first; -1 where all its bits are set, which says that the value is missing."""
    code = signed(flat[at])
    if width == 1:
        return -1 if code == 0xFF else code
    code |= signed(flat[at + 1]) << 8
    if width == 2:
        return -1 if code == 0xFFFF else code
    code |= signed(flat[at + 2]) << 16 | signed(flat[at + 3]) << 24
    return -1 if code == 0xFFFFFFFF else code


@compiled
def _put_point(x: int, y: int, out: Bytes, at: int) -> int:
    """Write the type and the geometry of a point."""
    out[at], out[at + 1], out[at + 2] = 0x18, 1, 0x22
    geometry = at + 4
    out[geometry] = 9  # MoveTo, once
    end = put_varint(zigzag(y), out, put_varint(zigzag(x), out, geometry + 1))
    out[geometry - 1] = end - geometry
    return end


@compiled
def _put_length(out: Bytes, start: int, stop: int) -> int:
    """Write the length of a field before it: one byte is kept for it, more are made room for."""
    length = stop - start
    if length < 0x80:
        out[start - 1] = length
        return stop
    wider = varint_size(length) - 1
    for i in range(stop - 1, start - 1, -1):
        out[i + wider] = out[i]
    put_varint(length, out, start - 1)
    return stop + wider


@compiled
def values_size(start: Ints, used: NDArray[np.int32], n_used: int) -> int:
    """Say how much room values take.

    Parameters
    ----------
    start
        Where each value of the layer begins, and past the last.
    used, n_used
        Those to be copied, and how many there are.

    Returns
    -------
    int
        Bytes, with those that `copy_values` may overwrite after them.
    """
    total = 16
    for k in range(n_used):
        total += start[used[k] + 1] - start[used[k]]
    return total


@compiled
def copy_values(  # noqa: PLR0917 - numba has no keywords
    data: Bytes, start: Ints, used: NDArray[np.int32], n_used: int, out: Bytes, at: int
) -> int:
    """Copy values; those that lie one after the other, as unique ones do, are copied in one go.

    Parameters
    ----------
    data, start
        The values of the layer, encoded, and where each begins.
    used, n_used
        Those to be copied, and how many there are.
    out, at
        Where to.

    Returns
    -------
    int
        The byte after them.
    """
    k = 0
    while k < n_used:
        last = k + 1
        while last < n_used and used[last] == used[last - 1] + 1:
            last += 1
        first, end = start[used[k]], start[used[last - 1] + 1]
        if last - k < _FEW_VALUES:
            at = put_bytes(data, first, end, out, at)
        else:
            out[at : at + end - first] = data[first:end]
            at += end - first
        k = last
    return at
