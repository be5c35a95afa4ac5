"""What does a web map draw where points are too many to be told apart? Cells that count them.

A cell is a square of the unit square, so its points are one run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from gisgrid.compiled import compiled
from gisgrid.features import Column
from gisgrid.features.column import read_only
from gisgrid.tiles.mvt import POINT, Drawn, Tags, write_layer
from gisgrid.tiles.mvt.wire import Bytes, Ints
from gisgrid.tiles.mvt.writer import point_commands
from gisgrid.tiles.points.features import TileFrame
from gisgrid.tiles.points.index import BITS_BYTE, CLASS_BYTE, PointIndex
from gisgrid.tiles.points.search import Steps, curve_place, signed
from gisgrid.tiles.scheme import EXTENT, STEP_BITS

COUNT: Final = 0
SUM_U: Final = 1
SUM_V: Final = 2
FIRST_CLASS: Final = 3

MOST_CLASSES: Final = 32
"""Cells count at most so many words of a column."""

MOST_SHARES: Final = 8
"""Cells say at most so many shares."""


class Measures(NamedTuple):
    """What cells say besides their count: for each word how many, for each share how much."""

    classes: tuple[str, ...] = ()
    shares: tuple[str, ...] = ()

    @property
    def n(self) -> int:
        """How many sums a cell has."""
        return FIRST_CLASS + len(self.classes) + len(self.shares)


class Cells(NamedTuple):
    """Cells of a tile.

    Attributes
    ----------
    column, row
        Shape (m,), from the tile's corner; outside of 0 to n - 1 for those around the tile.
    sums
        Shape (m, n measures): the count, the sums of u and v, then one of each class and share.
    """

    column: Ints
    row: Ints
    sums: Ints


def run_sums(index: PointIndex, runs: Ints, measures: Measures, keep: Bytes) -> Ints:
    """Sum the points of runs up.

    Parameters
    ----------
    index
        The points.
    runs
        Shape (m, 2), first point and past the last.
    measures
        What to sum.
    keep
        Shape (n points of all runs,), uint8, which of them, run after run; empty for all.

    Returns
    -------
    array
        Shape (m, n measures).
    """
    n_classes, n_shares = len(measures.classes), len(measures.shares)
    return _run_sums(
        index.u, index.v, index.record, np.ascontiguousarray(runs), keep, n_classes, n_shares
    )


def merged(parts: Sequence[tuple[int, Cells]]) -> Cells:
    """Add cells up, or take them away.

    Parameters
    ----------
    parts
        1 or -1, and cells of the same tile and size.

    Returns
    -------
    Cells
        Each place once, in the order of their first coming.
    """
    if len(parts) == 1:
        return parts[0][1]
    column = np.concatenate([cells.column for _, cells in parts])
    row = np.concatenate([cells.row for _, cells in parts])
    sums = np.concatenate([sign * cells.sums for sign, cells in parts])
    _, first, place = np.unique((row << 32) + column, return_index=True, return_inverse=True)
    added = np.zeros((len(first), sums.shape[1]), np.int64)
    np.add.at(added, place, sums)
    order = np.argsort(first)
    return Cells(column[first][order], row[first][order], added[order])


def write_cells(
    frame: TileFrame,
    cells: Cells,
    power: int,
    measures: Measures,
    *,
    name: str,
    at_mean: bool,
) -> tuple[bytes, int]:
    """Write cells as a tile of one layer, a point each.

    Parameters
    ----------
    frame
        The tile.
    cells
        Its cells; those without points are left out.
    power
        The power of two of how many cells go along the tile's side.
    measures
        What was summed.
    name
        The layer's name.
    at_mean
        Whether a point stands where its cell's points are on the average, or in the middle of the cell.

    Returns
    -------
    tuple of (bytes, int)
        The tile; how many features it has.

    Notes
    -----
    Properties: ``count``, ``n_<word>`` for each word that the cell has, and the shares, 0 to 1 in thousandths. The id is
    the cell's place on the Z-curve + 1.
    """
    cells = shown_cells(cells)
    side = EXTENT >> power
    if at_mean:
        x, y = _mean_places(frame, cells.sums)
    else:
        x, y = cells.column * side + side // 2, cells.row * side + side // 2
    row = (frame.y << power) + cells.row
    drawn = Drawn(POINT, cell_ids(frame, cells.column, row, power), *point_commands(x, y))
    tags = Tags(tuple(cell_columns(cells.sums, measures)))
    return write_layer(name, [(drawn, tags.rows(slice(None)), tags)]), len(cells.row)


def shown_cells(cells: Cells) -> Cells:
    """Leave out the cells that have no points.

    Parameters
    ----------
    cells
        Cells of a tile.

    Returns
    -------
    Cells
        The others.
    """
    there = np.flatnonzero(cells.sums[:, COUNT] > 0)
    return Cells(cells.column[there], cells.row[there], cells.sums[there])


def cell_ids(frame: TileFrame, column: Ints, row: Ints, power: int) -> Ints:
    """Give cells their ids: their places on the Z-curve + 1.

    Parameters
    ----------
    frame
        The tile.
    column
        Shape (m,), from the tile's corner.
    row
        Shape (m,), from the north of the world.
    power
        The power of two of how many cells go along the tile's side.

    Returns
    -------
    array
        Shape (m,).
    """
    world = frame.n_columns << power
    return _cell_numbers(((frame.x << power) + column) % world, row)


def cell_columns(sums: Ints, measures: Measures) -> list[Column]:
    """Say what cells say.

    Parameters
    ----------
    sums
        Shape (m, n measures).
    measures
        What was summed.

    Returns
    -------
    list of Column
        With m rows each; a class that a cell does not have is not said of it.
    """
    count = sums[:, COUNT]
    columns = [Column("count", "integer", values=read_only(count))]
    for i, word in enumerate(measures.classes):
        number = sums[:, FIRST_CLASS + i]
        shown = np.where(number > 0, number, np.iinfo(np.int64).min)
        columns.append(Column(f"n_{word}", "integer", values=read_only(shown)))
    for i, name in enumerate(measures.shares):
        part = sums[:, FIRST_CLASS + len(measures.classes) + i]
        columns.append(Column(name, "number", values=read_only(np.round(part / count, 3))))
    return columns


def _mean_places(frame: TileFrame, sums: Ints) -> tuple[Ints, Ints]:
    scale = 2.0 ** (frame.depth + 12 - STEP_BITS)
    x = np.floor(sums[:, SUM_U] / sums[:, COUNT] * scale).astype(np.int64) - frame.x * EXTENT
    y = np.floor(sums[:, SUM_V] / sums[:, COUNT] * scale).astype(np.int64) - frame.y * EXTENT
    world = frame.n_columns * EXTENT
    middle = EXTENT // 2
    x = np.where(
        x < middle - world // 2, x + world, np.where(x >= middle + world // 2, x - world, x)
    )
    return x, y


@compiled
def _cell_numbers(column: Ints, row: Ints) -> Ints:
    numbers = np.empty(len(column), np.int64)
    for i in range(len(column)):
        numbers[i] = curve_place(column[i], row[i]) + 1
    return numbers


@compiled
def _run_sums(  # noqa: PLR0917 - numba has no keywords
    u: Steps, v: Steps, record: Bytes, runs: Ints, keep: Bytes, n_classes: int, n_shares: int
) -> Ints:
    sums = np.zeros((len(runs), FIRST_CLASS + n_classes + n_shares), np.int64)
    k = 0
    for r in range(len(runs)):
        count, sum_u, sum_v = 0, 0, 0
        for i in range(runs[r, 0], runs[r, 1]):
            kept = len(keep) == 0 or keep[k] != 0
            k += 1
            if not kept:
                continue
            count += 1
            sum_u += signed(u[i])
            sum_v += signed(v[i])
            if n_classes > 0 and record[i, CLASS_BYTE] < n_classes:
                sums[r, FIRST_CLASS + record[i, CLASS_BYTE]] += 1
            if n_shares > 0:
                for share in range(n_shares):
                    sums[r, FIRST_CLASS + n_classes + share] += record[i, BITS_BYTE] >> share & 1
        sums[r, COUNT], sums[r, SUM_U], sums[r, SUM_V] = count, sum_u, sum_v
    return sums
