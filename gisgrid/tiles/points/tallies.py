"""How are the points of a cell counted without looking at each? From sums over ever more cells of a fine grid.

What a larger cell holds is the difference of two such sums, however many points it has. Layers of millions keep them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from gisgrid.compiled import compiled
from gisgrid.features.column import read_only
from gisgrid.tiles.mvt.wire import Bytes, Ints
from gisgrid.tiles.points.cells import Cells, Measures, run_sums
from gisgrid.tiles.points.encoding import ALL
from gisgrid.tiles.points.features import TileFrame
from gisgrid.tiles.points.index import PointIndex
from gisgrid.tiles.points.search import Steps, signed, tile_cells
from gisgrid.tiles.scheme import STEP_BITS

_MOST_CELLS: Final = 1 << 18
_FEWEST_POINTS: Final = 16
"""A tally is as fine as leaves so many points to a cell, on the average, and has so many cells at most."""


@dataclass(frozen=True, eq=False)
class Tally:
    """Sums along the Z-curve over the cells of one depth that have points.

    Attributes
    ----------
    depth
        A cell's side is ``2**-depth``.
    u, v
        Shape (m,), the first step of each cell.
    start
        Shape (m + 1,), the first point of each cell.
    sums
        Shape (m + 1, n measures): row i sums over the points before cell i.
    """

    depth: int
    u: Steps
    v: Steps
    start: Ints
    sums: Ints


def tally(index: PointIndex, measures: Measures) -> Tally | None:
    """Sum all points of a layer up.

    Parameters
    ----------
    index
        The points.
    measures
        What to sum.

    Returns
    -------
    Tally or None
        None where there are so few points that every tile may as well count them.
    """
    if len(index) < 64 * _FEWEST_POINTS:
        return None
    most = min(_MOST_CELLS, len(index) // _FEWEST_POINTS)
    depth = int(_depth_of(index.u, index.v, most))
    start = _cell_starts(index.u, index.v, STEP_BITS - depth)
    mask = np.uint32((0xFFFFFFFF << (STEP_BITS - depth)) & 0xFFFFFFFF)
    u, v = index.u[start[:-1]] & mask, index.v[start[:-1]] & mask
    blank = Tally(depth, read_only(u), read_only(v), read_only(start), np.zeros((0, 0), np.int64))
    return chosen_tally(index, blank, measures, ALL)


def chosen_tally(index: PointIndex, whole: Tally, measures: Measures, keep: Bytes) -> Tally:
    """Sum some points up, over the same cells.

    Parameters
    ----------
    index
        The points.
    whole
        The tally of all.
    measures
        What to sum.
    keep
        Shape (n,), uint8, which points; empty for all.

    Returns
    -------
    Tally
        Of those.
    """
    runs = np.column_stack([whole.start[:-1], whole.start[1:]])
    sums = np.zeros((len(runs) + 1, measures.n), np.int64)
    sums[1:] = run_sums(index, runs, measures, keep)
    np.cumsum(sums, axis=0, out=sums)
    return Tally(whole.depth, whole.u, whole.v, whole.start, read_only(sums))


def cells_of_tally(whole: Tally, frame: TileFrame, n_rows: int, cells: int) -> Cells:
    """Give the cells of a tile from sums.

    Parameters
    ----------
    whole
        A tally as fine as the cells, or finer.
    frame
        The tile.
    n_rows
        How many rows of tiles its zoom has.
    cells
        The power of two of how many cells go along the tile's side.

    Returns
    -------
    Cells
        Those that have points, one ring around the tile included.
    """
    world, tile = (frame.n_columns, n_rows), (frame.depth, frame.x, frame.y)
    found = tile_cells(whole.u, whole.v, tile, world, cells, 1)
    return Cells(found[:, 0], found[:, 1], whole.sums[found[:, 3]] - whole.sums[found[:, 2]])


@compiled
def _depth_of(u: Steps, v: Steps, most: int) -> int:
    """Find the finest depth at which the points are in at most so many cells."""
    at_depth = np.zeros(34, np.int64)  # how many cells begin where two neighbours first differ
    for i in range(1, len(u)):
        apart = signed(u[i] ^ u[i - 1]) | signed(v[i] ^ v[i - 1])
        bits = 0
        while apart >> bits != 0:
            bits += 1
        at_depth[33 - bits] += 1
    n, depth = 1, 0
    while depth < 31 and n + at_depth[depth + 1] <= most:
        depth += 1
        n += at_depth[depth]
    return depth


@compiled
def _cell_starts(u: Steps, v: Steps, bits: int) -> Ints:
    start, n = np.empty(1024, np.int64), 0
    for i in range(len(u)):
        if i == 0 or u[i] >> bits != u[i - 1] >> bits or v[i] >> bits != v[i - 1] >> bits:
            if n + 1 == len(start):
                more = np.empty(2 * len(start), np.int64)
                more[:n] = start[:n]
                start = more
            start[n] = i
            n += 1
    start[n] = len(u)
    return start[: n + 1].copy()
