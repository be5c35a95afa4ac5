"""Which points stay where a tile cannot carry all of them?"""

from __future__ import annotations

import numpy as np

from gisgrid.compiled import compiled
from gisgrid.tiles.mvt.wire import Bytes, Ints
from gisgrid.tiles.points.search import Steps, first_from, first_past, signed


@compiled
def one_per_cell(  # noqa: PLR0917 - numba has no keywords
    u: Steps, v: Steps, run: tuple[int, int], keep: Bytes, bits: int, most: int
) -> Ints:
    """Keep the first point of each cell.

    Parameters
    ----------
    u, v
        The points.
    run
        The first point, and past the last.
    keep
        Shape (n of the run,), uint8, which of them count; empty for all.
    bits
        A cell's side in steps, as a power of two.
    most
        Give up beyond so many.

    Returns
    -------
    array
        Shape (m,), points, ascending; `most` + 1 of them where there would be more.
    """
    start, stop = run
    found, n = np.empty(min(most, stop - start) + 1, np.int64), 0
    last = (1 << bits) - 1
    i = start
    while i < stop and n <= most:
        west, north = signed(u[i]) >> bits << bits, signed(v[i]) >> bits << bits
        past = first_past(u, v, west + last, north + last, i, stop)
        while i < past and len(keep) > 0 and keep[i - start] == 0:
            i += 1
        if i < past:
            found[n] = i
            n += 1
        i = past
    return found[:n]


@compiled
def spaced(u: Steps, v: Steps, run: tuple[int, int], keep: Bytes, bits: int, most: int) -> Ints:  # noqa: PLR0917 - numba has no keywords
    """Keep points that lie some way apart along the Z-curve, so that the densest places lose most.

    Parameters
    ----------
    u, v
        The points.
    run
        The first point, and past the last.
    keep
        Shape (n of the run,), uint8, which of them count; empty for all.
    bits
        The way, as the side of a square that the curve fills on it, in steps, as a power of two.
    most
        Give up beyond so many.

    Returns
    -------
    array
        Shape (m,), points, ascending; `most` + 1 of them where there would be more.
    """
    start, stop = run
    found, n = np.empty(min(most, stop - start) + 1, np.int64), 0
    i = start
    while i < stop and n <= most:
        if len(keep) > 0 and keep[i - start] == 0:
            i += 1
            continue
        found[n] = i
        n += 1
        # The curve fills a square of this side between a place and the same place one square on.
        column, row = signed(u[i]) >> bits, signed(v[i]) >> bits
        low = (1 << bits) - 1
        next_column, next_row = _one_on(column, row, 32 - bits)
        if next_column < 0:
            break
        i = first_from(
            u,
            v,
            next_column << bits | signed(u[i]) & low,
            next_row << bits | signed(v[i]) & low,
            i + 1,
            stop,
        )
    return found[:n]


@compiled
def _one_on(column: int, row: int, depth: int) -> tuple[int, int]:
    """Find the square that comes next on the Z-curve; -1, -1 after the last."""
    for bit in range(depth):
        if column >> bit & 1 == 0:
            return (column >> bit | 1) << bit, row >> bit << bit
        if row >> bit & 1 == 0:
            return column >> (bit + 1) << (bit + 1), (row >> bit | 1) << bit
    return -1, -1
