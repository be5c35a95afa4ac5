"""What does a web map draw of very many points? Hexagons that count them: no neighbour is farther than another.

The hexagons of a zoom are a net over the whole world, so that tiles beside each other draw the same ones. A point belongs
to the one whose middle is nearest. Where a layer keeps sums over cells of less than an eighth of a hexagon's width, such a
cell belongs, whole, to the hexagon of its points' mean: nothing is counted twice or lost, a point near a border may be
counted beyond it.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from gisgrid.compiled import compiled
from gisgrid.tiles.mvt import POLYGON, Drawn, Tags, write_layer
from gisgrid.tiles.mvt.wire import Bytes, Ints, put_varint, zigzag
from gisgrid.tiles.points.cells import (
    COUNT,
    FIRST_CLASS,
    SUM_U,
    SUM_V,
    Cells,
    Measures,
    cell_columns,
    cell_ids,
    shown_cells,
)
from gisgrid.tiles.points.features import TileFrame
from gisgrid.tiles.points.index import BITS_BYTE, CLASS_BYTE, PointIndex
from gisgrid.tiles.points.search import Steps, signed, tile_cells
from gisgrid.tiles.points.tallies import Tally
from gisgrid.tiles.scheme import EXTENT, STEP_BITS

RING: Final = 2
"""Square cells around a tile in which a hexagon that touches the tile may have points."""

FINER: Final = 3
"""The power of two by which cells of a tally are smaller than the hexagons that they are counted to."""

_APART: Final = 3**0.5 / 2
"""From row to row of hexagons, in their width."""

_MARGIN: Final = 4
"""Columns and rows of hexagons beside the tile's, for which sums are kept."""


def hexagons_of_tally(whole: Tally, frame: TileFrame, n_rows: int, power: int) -> Cells:
    """Give the hexagons of a tile, and those that reach into it, from sums.

    Parameters
    ----------
    whole
        A tally whose cells are finer than the hexagons by `FINER` halvings.
    frame
        The tile.
    n_rows
        How many rows of tiles its zoom has.
    power
        The power of two of how many hexagons go along the tile's side.

    Returns
    -------
    Cells
        Column from the tile's corner, row from the north of the world.
    """
    world, tile = (frame.n_columns, n_rows), (frame.depth, frame.x, frame.y)
    found = tile_cells(whole.u, whole.v, tile, world, power, RING)
    first, shape = _net(frame, power)
    sums = _tally_sums(found, whole.sums, (STEP_BITS - frame.depth - power, first, frame.y << power), shape)  # fmt: skip
    return _there(sums, first)


def hexagons_of_points(
    index: PointIndex, found: Ints, frame: TileFrame, power: int, measures: Measures, *, keep: Bytes
) -> Cells:
    """Count points in hexagons.

    Parameters
    ----------
    index
        The points.
    found
        The square cells of the tile and `RING` around it, as `tile_cells` gives them.
    frame
        The tile.
    power
        The power of two of how many hexagons go along the tile's side.
    measures
        What to sum.
    keep
        Shape (n points of all cells,), uint8, which of them, cell after cell; empty for all.

    Returns
    -------
    Cells
        Column from the tile's corner, row from the north of the world.
    """
    first, (n_rows, n_columns) = _net(frame, power)
    place = STEP_BITS - frame.depth - power, first, frame.y << power
    shape = n_rows, n_columns, len(measures.classes), len(measures.shares)
    sums = _point_sums(index.u, index.v, index.record, found, keep, place, shape)
    return _there(sums, first)


def mean_places(whole: Tally, points: Ints) -> tuple[Steps, Steps]:
    """Say where points were counted from: the mean of their cell.

    Parameters
    ----------
    whole
        The sums.
    points
        Shape (m,), points of the layer, ascending.

    Returns
    -------
    tuple of array
        Shape (m,) each, steps; the cell's corner where none of its points was counted.
    """
    cell = np.searchsorted(whole.start, points, "right") - 1
    sums = whole.sums[cell + 1] - whole.sums[cell]
    n = np.maximum(sums[:, COUNT], 1)
    counted = sums[:, COUNT] > 0
    u = np.where(counted, sums[:, SUM_U] // n, whole.u[cell])
    v = np.where(counted, sums[:, SUM_V] // n, whole.v[cell])
    return u.astype(np.uint32), v.astype(np.uint32)


def write_hexagons(
    frame: TileFrame, cells: Cells, power: int, measures: Measures, *, name: str
) -> tuple[bytes, int]:
    """Write hexagons as a tile of one layer.

    Parameters
    ----------
    frame
        The tile.
    cells
        Its hexagons; those without points, and those that do not reach into the tile, are left out.
    power
        The power of two of how many go along the tile's side.
    measures
        What was summed.
    name
        The layer's name.

    Returns
    -------
    tuple of (bytes, int)
        The tile; how many features it has.

    Notes
    -----
    Properties and ids: as those of `write_cells`. A hexagon is drawn whole in every tile that it reaches into.
    """
    x, y = hexagon_middles(frame, cells, power)
    side = EXTENT >> power
    reaches = (abs(x - EXTENT // 2) < (EXTENT + side) // 2) & (abs(y - EXTENT // 2) < EXTENT // 2 + 0.58 * side)  # fmt: skip
    cells = shown_cells(Cells(*(part[reaches] for part in cells)))
    numbers = cell_ids(frame, cells.column, cells.row, power)
    commands, start = _commands(cells.column, cells.row, frame.y * EXTENT, side)
    tags = Tags(tuple(cell_columns(cells.sums, measures)))
    drawn = Drawn(POLYGON, numbers, commands, start)
    return write_layer(name, [(drawn, tags.rows(slice(None)), tags)]), len(cells.row)


def hexagon_middles(frame: TileFrame, cells: Cells, power: int) -> tuple[Ints, Ints]:
    """Say where the middles of hexagons are.

    Parameters
    ----------
    frame
        The tile.
    cells
        Hexagons.
    power
        The power of two of how many go along the tile's side.

    Returns
    -------
    tuple of array
        Shape (m,) each, units of the tile.
    """
    side = EXTENT >> power
    x = (2 * cells.column + (cells.row & 1)) * side // 2
    y = np.floor(cells.row * (_APART * side) + 0.5).astype(np.int64) - frame.y * EXTENT
    return x, y


def _net(frame: TileFrame, power: int) -> tuple[int, tuple[int, int]]:
    """Give the first row of hexagons that sums are kept for, and how many rows and columns."""
    across = 1 << power
    first = int((frame.y * across - RING) // _APART) - 1
    return first, (int((across + 2 * RING) / _APART) + 4, across + 2 * _MARGIN)


def _there(sums: Ints, first: int) -> Cells:
    row, column = np.nonzero(sums[:, :, COUNT])
    return Cells(column - _MARGIN, row + first, sums[row, column])


@compiled
def _hexagon(x: float, y: float) -> tuple[int, int]:
    """Find the hexagon whose middle is nearest; all in widths of a hexagon. On a border it is the northern one."""
    best, best_column, best_row = np.inf, 0, 0
    above = int(np.floor(y / _APART))
    for row in (above, above + 1):
        shift = 0.5 * (row & 1)
        column = int(np.floor(x - shift + 0.5))
        dx, dy = x - shift - column, y - row * _APART
        apart = dx * dx + dy * dy
        if apart < best:
            best, best_column, best_row = apart, column, row
    return best_column, best_row


@compiled
def _point_sums(  # noqa: PLR0917 - numba has no keywords
    u: Steps,
    v: Steps,
    record: Bytes,
    found: Ints,
    keep: Bytes,
    place: tuple[int, int, int],
    shape: tuple[int, int, int, int],
) -> Ints:
    bits, first, south = place
    n_rows, n_columns, n_classes, n_shares = shape
    sums = np.zeros((n_rows, n_columns, FIRST_CLASS + n_classes + n_shares), np.int64)
    side, k = 1 << bits, 0
    for f in range(len(found)):
        for i in range(found[f, 2], found[f, 3]):
            kept = len(keep) == 0 or keep[k] != 0
            k += 1
            if not kept:
                continue
            x = found[f, 0] + (signed(u[i]) & (side - 1)) / side
            y = south + found[f, 1] + (signed(v[i]) & (side - 1)) / side
            column, row = _hexagon(x, y)
            cell = sums[row - first, column + _MARGIN]
            cell[COUNT] += 1
            cell[SUM_U] += signed(u[i])
            cell[SUM_V] += signed(v[i])
            if n_classes > 0 and record[i, CLASS_BYTE] < n_classes:
                cell[FIRST_CLASS + record[i, CLASS_BYTE]] += 1
            for share in range(n_shares):
                cell[FIRST_CLASS + n_classes + share] += record[i, BITS_BYTE] >> share & 1
    return sums


@compiled
def _tally_sums(
    found: Ints, before: Ints, place: tuple[int, int, int], shape: tuple[int, int]
) -> Ints:
    bits, first, south = place
    n_measures = before.shape[1]
    sums = np.zeros((shape[0], shape[1], n_measures), np.int64)
    side = 1 << bits
    for f in range(len(found)):
        for i in range(found[f, 2], found[f, 3]):
            n = before[i + 1, COUNT] - before[i, COUNT]
            if n == 0:
                continue
            mean_u = (before[i + 1, SUM_U] - before[i, SUM_U]) // n
            mean_v = (before[i + 1, SUM_V] - before[i, SUM_V]) // n
            x = found[f, 0] + (mean_u & (side - 1)) / side
            y = south + found[f, 1] + (mean_v & (side - 1)) / side
            column, row = _hexagon(x, y)
            for measure in range(n_measures):
                sums[row - first, column + _MARGIN, measure] += (
                    before[i + 1, measure] - before[i, measure]
                )
    return sums


@compiled
def _commands(column: Ints, row: Ints, top: int, side: int) -> tuple[Bytes, Ints]:
    n, at = len(column), 0
    out, start = np.empty(70 * n, np.uint8), np.empty(n + 1, np.int64)
    # Corners lie on levels a third of the way from row to row apart, and on halves of a width.
    level = side * _APART / 3
    for i in range(n):
        start[i] = at
        here_x, here_y = 0, 0
        for corner in range(6):
            right = (0, 1, 1, 0, -1, -1)[corner]
            down = (-2, -1, 1, 2, 1, -1)[corner]
            x = (2 * column[i] + (row[i] & 1) + right) * side // 2
            y = int(np.floor((3 * row[i] + down) * level + 0.5)) - top
            if corner == 0:
                out[at] = 1 | 1 << 3
                at += 1
            at = put_varint(zigzag(y - here_y), out, put_varint(zigzag(x - here_x), out, at))
            if corner == 0:
                out[at] = 2 | 5 << 3
                at += 1
            here_x, here_y = x, y
        out[at] = 7 | 1 << 3
        at += 1
    start[n] = at
    return out[:at], start
