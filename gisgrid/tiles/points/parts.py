"""Points that a tile is drawn from: those that stay, without the hidden, and fresh ones."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from gisgrid.features import FeatureTable
from gisgrid.tiles.mvt.wire import Bytes, Ints
from gisgrid.tiles.points.base import PointBase, selected
from gisgrid.tiles.points.cells import COUNT, Cells, Measures, run_sums
from gisgrid.tiles.points.encoding import ALL, NO_ROWS
from gisgrid.tiles.points.features import TileFrame
from gisgrid.tiles.points.hexagons import (
    FINER,
    RING,
    hexagons_of_points,
    hexagons_of_tally,
    mean_places,
)
from gisgrid.tiles.points.index import PointIndex
from gisgrid.tiles.points.search import rows_around, square_run, tile_cells
from gisgrid.tiles.points.tallies import cells_of_tally
from gisgrid.tiles.source import Shape

if TYPE_CHECKING:
    from gisgrid.features.filters import Filter

_MANY: Final = 200_000
"""For so many points a filter is asked about the whole layer, once; for fewer, about them."""


class CellGrid(NamedTuple):
    """The cells of a tile: their shape, and the power of two of how many go along its side."""

    shape: Shape
    power: int


@dataclass(frozen=True, eq=False)
class Part:
    """Some points of a layer.

    Attributes
    ----------
    table
        Their features.
    index
        The points.
    base
        What is remembered of them; None for fresh ones.
    hidden
        Shape (m,), the points that are not there any more, ascending.
    """

    table: FeatureTable
    index: PointIndex
    base: PointBase | None = None
    hidden: Ints = field(default_factory=lambda: NO_ROWS)

    def run(self, frame: TileFrame) -> tuple[int, int]:
        """Find the points of a tile.

        Parameters
        ----------
        frame
            The tile.

        Returns
        -------
        tuple of int
            The first, and past the last.
        """
        return square_run(self.index.u, self.index.v, frame.depth, frame.x, frame.y)

    def around(self, frame: TileFrame, n_rows: int) -> Ints:
        """Find the points just past the edge of a tile.

        Parameters
        ----------
        frame
            The tile.
        n_rows
            How many rows of tiles its zoom has.

        Returns
        -------
        array
            Shape (m,).
        """
        return rows_around(
            self.index.u, self.index.v, frame.depth, frame.x, frame.y, frame.n_columns, n_rows
        )

    def keep(self, where: Filter | None, run: tuple[int, int], more: Ints = NO_ROWS) -> Bytes:
        """Say which points of a run, and which others, are to be drawn.

        Parameters
        ----------
        where
            The filter; None for all.
        run
            The first point, and past the last.
        more
            Shape (m,), others, after the run.

        Returns
        -------
        array
            Shape (n of the run + m,), uint8; empty for all.
        """
        start, stop = run
        n = stop - start
        first, last = np.searchsorted(self.hidden, [start, stop]) if len(self.hidden) else (0, 0)
        hides = last > first or (len(self.hidden) > 0 and len(more) > 0)
        if where is None:
            if not hides:
                return ALL
            keep = np.ones(n + len(more), np.uint8)
        else:
            keep = self._selected(where, run, more)
        if hides:
            keep = keep.copy()
            keep[self.hidden[first:last] - start] = 0
            keep[n:][np.isin(more, self.hidden)] = 0
        return keep

    def count(self, frame: TileFrame, where: Filter | None) -> int:
        """Say how many points a tile has, hidden ones among them.

        Parameters
        ----------
        frame
            The tile.
        where
            Only those that it selects; None for all.

        Returns
        -------
        int
            How many; from sums where there are some, which costs next to nothing.
        """
        start, stop = self.run(frame)
        if where is None or start == stop:
            return stop - start
        whole = self.base.tally if self.base is not None else None
        if whole is not None and frame.depth <= whole.depth and stop - start >= _MANY:
            assert self.base is not None  # noqa: S101 - it has the tally
            sums = self.base.tally_of(where) or whole
            first, last = square_run(sums.u, sums.v, frame.depth, frame.x, frame.y)
            return int(sums.sums[last, COUNT] - sums.sums[first, COUNT])
        return int(np.count_nonzero(self._selected(where, (start, stop), NO_ROWS)))

    def _selected(self, where: Filter, run: tuple[int, int], more: Ints) -> Bytes:
        start, stop = run
        if self.base is not None and stop - start + len(more) >= _MANY:
            whole = self.base.mask(where)
            return (
                np.concatenate([whole[start:stop], whole[more]]) if len(more) else whole[start:stop]
            )
        if not len(more):
            return selected(self.table, self.index, where, slice(start, stop))
        points = np.concatenate([np.arange(start, stop), more])
        return selected(self.table, self.index, where, points)

    def cells(
        self,
        frame: TileFrame,
        n_rows: int,
        grid: CellGrid,
        measures: Measures,
        where: Filter | None,
    ) -> list[tuple[int, Cells]]:
        """Count the points of the cells of a tile, and of those around it.

        Parameters
        ----------
        frame
            The tile.
        n_rows
            How many rows of tiles its zoom has.
        grid
            The cells.
        measures
            What to sum.
        where
            The filter; None for all.

        Returns
        -------
        list of tuple
            For `merged`: 1 and the cells of all points, -1 and those of the hidden ones.
        """
        base, sums, finest = self.base, None, frame.depth + grid.power
        if grid.shape == "hexagon":
            finest += FINER
        if base is not None and base.tally is not None and finest <= base.tally.depth:
            sums = base.tally_of(where)
        if sums is None:
            parts = [(1, self._counted(frame, n_rows, grid, measures, where))]
        elif grid.shape == "hexagon":
            parts = [(1, hexagons_of_tally(sums, frame, n_rows, grid.power))]
        else:
            parts = [(1, cells_of_tally(sums, frame, n_rows, grid.power))]
        if len(self.hidden):
            gone = self.index.taken(self.hidden)
            if sums is not None and grid.shape == "hexagon":  # as they were counted
                u, v = mean_places(sums, self.hidden)
                gone = replace(gone, u=u, v=v)
            hidden = Part(self.table, gone)
            parts.append((-1, hidden._counted(frame, n_rows, grid, measures, where)))
        return parts

    def _counted(
        self,
        frame: TileFrame,
        n_rows: int,
        grid: CellGrid,
        measures: Measures,
        where: Filter | None,
    ) -> Cells:
        index, tile, power = self.index, (frame.depth, frame.x, frame.y), grid.power
        ring = RING if grid.shape == "hexagon" else 1
        found = tile_cells(index.u, index.v, tile, (frame.n_columns, n_rows), power, ring)
        keep = ALL
        if where is not None:
            start, stop = self.run(frame)
            inside = int(
                np.searchsorted(np.cumsum(found[:, 3] - found[:, 2]), stop - start, "right")
            )
            around = found[inside:] if stop > start else found
            keep = self._selected(where, (start, stop), _joined_runs(around[:, 2:]))
        if grid.shape == "hexagon":
            return hexagons_of_points(index, found, frame, power, measures, keep=keep)
        return Cells(found[:, 0], found[:, 1], run_sums(index, found[:, 2:], measures, keep))


def _joined_runs(runs: Ints) -> Ints:
    """List the members of runs, run after run."""
    lengths = runs[:, 1] - runs[:, 0]
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    return np.asarray(np.arange(total) + np.repeat(runs[:, 0] - (ends - lengths), lengths))
