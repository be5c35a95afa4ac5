"""Which cells round off a centre, and which holes in it are too small to count?"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gisgrid.compiled import compiled

_Numbers = NDArray[np.int32]
_DOWN: Final = (-1, 1, 0, 0, -1, -1, 1, 1)
_EAST: Final = (0, 0, -1, 1, -1, 1, -1, 1)
"""The steps to a cell's neighbours, those that share an edge first."""


def smoothed(
    centre: _Numbers,
    codes: NDArray[np.uint8],
    *,
    ignored: int,
    barred: int,
    land_only: bool,
) -> None:
    """Add the cells that lie mostly within one centre, until there are none.

    Parameters
    ----------
    centre
        Shape (height, width), the number of the centre of each cell, 0 where it has none; written to.
    codes
        Shape (height, width), a bit for each property of a cell.
    ignored
        The bit of cells that are neither populated nor land.
    barred
        The bit of cells that never join: permanent water.
    land_only
        Whether the majority is taken among the neighbours that are not ignored, and barred cells stay out (the rule of
        2023); otherwise it is five of the eight, whatever they are (2022).

    Notes
    -----
    All cells of a round are judged by the map before it, so that their order does not matter. Only neighbours of what
    was added are looked at again.
    """
    rows, columns = _rim(centre)
    mark = np.zeros(centre.shape, np.bool_)  # untouched pages of it take no memory
    while len(rows):
        joins = _joining(centre, codes, (rows, columns), (ignored, barred, int(land_only)))
        there = joins > 0
        rows, columns = rows[there], columns[there]
        centre[rows, columns] = joins[there]
        rows, columns = _beside(centre, rows, columns, mark)


def filled(centre: _Numbers, *, n_most: int) -> None:
    """Fill the small holes of each centre.

    Parameters
    ----------
    centre
        Shape (height, width), as for `smoothed`; written to. A hole is ground of no centre, hanging together by edges,
        that one centre alone surrounds; what touches the edge of the map is no hole.
    n_most
        Holes of at most so many cells are filled.
    """
    if n_most > 0:
        _fill(centre, *_rim(centre), n_most)


@compiled
def _rim(centre: _Numbers) -> tuple[_Numbers, _Numbers]:
    """Find the cells of no centre that have one among their eight neighbours."""
    height, width = centre.shape
    rows, columns = [np.int32(0) for _ in range(0)], [np.int32(0) for _ in range(0)]
    for r in range(height):
        for c in range(width):
            if centre[r, c] == 0:
                continue
            for y in range(max(0, r - 1), min(height, r + 2)):
                for x in range(max(0, c - 1), min(width, c + 2)):
                    if centre[y, x] == 0:
                        rows.append(np.int32(y))
                        columns.append(np.int32(x))
    return _distinct(np.array(rows, np.int32), np.array(columns, np.int32), width)


@compiled
def _distinct(rows: _Numbers, columns: _Numbers, width: int) -> tuple[_Numbers, _Numbers]:
    place = np.unique(rows.astype(np.int64) * width + columns)
    return (place // width).astype(np.int32), (place % width).astype(np.int32)


@compiled
def _joining(
    centre: _Numbers,
    codes: NDArray[np.uint8],
    at: tuple[_Numbers, _Numbers],
    rule: tuple[int, int, int],
) -> _Numbers:
    """Say which centre, if any, each of some cells joins."""
    ignored, barred, land_only = rule
    rows, columns = at
    height, width = centre.shape
    joins = np.zeros(len(rows), np.int32)
    around = np.zeros(8, np.int32)
    for i in range(len(rows)):
        if land_only and codes[rows[i], columns[i]] & barred:
            continue
        n_judges, n = 8, 0  # beyond the map nobody belongs to a centre, but counts
        for side in range(8):
            y, x = rows[i] + _DOWN[side], columns[i] + _EAST[side]
            if y < 0 or x < 0 or y >= height or x >= width:
                continue
            if land_only and codes[y, x] & ignored:
                n_judges -= 1
            elif centre[y, x] != 0:
                around[n] = centre[y, x]
                n += 1
        for k in range(n):
            n_alike = 0
            for other in range(n):
                n_alike += around[other] == around[k]
            if 2 * n_alike > n_judges:
                joins[i] = around[k]
    return joins


@compiled
def _beside(
    centre: _Numbers, rows: _Numbers, columns: _Numbers, mark: NDArray[np.bool_]
) -> tuple[_Numbers, _Numbers]:
    height, width = centre.shape
    found_rows, found_columns = [np.int32(0) for _ in range(0)], [np.int32(0) for _ in range(0)]
    for i in range(len(rows)):
        for y in range(max(0, rows[i] - 1), min(height, rows[i] + 2)):
            for x in range(max(0, columns[i] - 1), min(width, columns[i] + 2)):
                if centre[y, x] == 0 and not mark[y, x]:
                    mark[y, x] = True
                    found_rows.append(np.int32(y))
                    found_columns.append(np.int32(x))
    for i in range(len(found_rows)):
        mark[found_rows[i], found_columns[i]] = False
    return np.array(found_rows, np.int32), np.array(found_columns, np.int32)


@compiled
def _fill(centre: _Numbers, rows: _Numbers, columns: _Numbers, n_most: int) -> None:  # noqa: C901 - one pass
    height, width = centre.shape
    hole_r, hole_c = np.empty(n_most + 1, np.int32), np.empty(n_most + 1, np.int32)
    for i in range(len(rows)):
        if centre[rows[i], columns[i]] != 0:
            continue
        n, at, owner, closed = 1, 0, 0, True
        hole_r[0], hole_c[0] = rows[i], columns[i]
        while at < n and closed:
            r, c = hole_r[at], hole_c[at]
            at += 1
            if r == 0 or c == 0 or r == height - 1 or c == width - 1:
                closed = False
                break
            for side in range(4):
                y, x = r + _DOWN[side], c + _EAST[side]
                other = centre[y, x]
                if other != 0:
                    if owner == 0:
                        owner = other
                    closed = closed and owner == other
                    continue
                known = False
                for k in range(n):
                    known = known or (hole_r[k] == y and hole_c[k] == x)
                if known:
                    continue
                if n > n_most - 1:
                    closed = False
                    break
                hole_r[n], hole_c[n] = y, x
                n += 1
        if closed and owner != 0:
            for k in range(n):
                centre[hole_r[k], hole_c[k]] = owner
