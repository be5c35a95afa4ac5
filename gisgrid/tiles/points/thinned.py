"""What does a tile show where its points are too many? Some of them, or cells that count them; and it says which."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from gisgrid.features.privacy import Privacy
from gisgrid.tiles.mvt.wire import Bytes, Ints
from gisgrid.tiles.points.cells import COUNT, SUM_U, SUM_V, Cells, Measures, merged, write_cells
from gisgrid.tiles.points.encoding import Chosen, write_points
from gisgrid.tiles.points.features import TileFrame
from gisgrid.tiles.points.hexagons import hexagon_middles, write_hexagons
from gisgrid.tiles.points.parts import CellGrid, Part
from gisgrid.tiles.points.thinning import one_per_cell, spaced
from gisgrid.tiles.scheme import EXTENT, STEP_BITS
from gisgrid.tiles.source import EMPTY_TILE, HowThinned, LowZoom, Shape, Thinning, Tile

if TYPE_CHECKING:
    from gisgrid.features.filters import Filter

_PIXELS: Final = 9
"""A tile is shown at 2**9 pixels."""


class Sampling(NamedTuple):
    """Which points stay: what chooses them, and how that is called."""

    choose: Callable[..., Ints]
    name: HowThinned


SAMPLES: Final[Mapping[str, Sampling]] = MappingProxyType(
    {
        "one_per_pixel": Sampling(one_per_cell, "one-per-pixel"),
        "drop_densest": Sampling(spaced, "dropped-densest"),
    }
)
"""The strategies that keep some points, by their name in `LowZoom`."""


class TileRoom(NamedTuple):
    """How much a tile may hold: so many points, so many bytes."""

    most: int
    budget: int


def sampled_tile(
    parts: Sequence[Part],
    frame: TileFrame,
    n_rows: int,
    where: Filter | None,
    *,
    how: Sampling,
    room: TileRoom,
    text: tuple[bytes, bytes],
) -> Tile:
    """Draw some of a tile's points, as many as there is room for.

    Parameters
    ----------
    parts
        The points.
    frame
        The tile.
    n_rows
        How many rows of tiles its zoom has.
    where
        Only the features that it selects; None for all.
    how
        Which of them stay.
    room
        How much the tile may hold.
    text
        The beginning of the layer, and its keys.

    Returns
    -------
    Tile
        It says how many points it shows of how many.
    """
    there = []
    for part in parts:
        run, more = part.run(frame), part.around(frame, n_rows)
        keep = part.keep(where, (0, 0), more)
        there.append((part, run, part.keep(where, run), more[_kept(keep)]))
    of = sum(
        int(np.count_nonzero(keep)) if len(keep) else run[1] - run[0] for _, run, keep, _ in there
    )
    for bits in range(max(0, STEP_BITS - frame.depth - _PIXELS), STEP_BITS + 1):
        chosen, shown = [], 0
        for part, run, keep, more in there:
            found = how.choose(part.index.u, part.index.v, run, keep, bits, room.most)
            shown += len(found)
            around = _first_of_cells(part, more, bits)
            chosen.append(Chosen(part.index, 0, 0, np.concatenate([found, around])))
        if shown > room.most:
            continue
        body, n = write_points(frame, chosen, head=text[0], keys=text[1])
        if len(body) <= room.budget:
            break
    return Tile(body, n, Thinning(how.name, of, shown) if shown < of else None) if n else EMPTY_TILE


class CellDrawing(NamedTuple):
    """Cells instead of points.

    Attributes
    ----------
    parts
        The points.
    measures
        What cells say.
    low_zoom
        Their shape, their size, and how much a tile may weigh.
    privacy
        What is applied to every number that they say.
    name
        The layer's name.
    """

    parts: Sequence[Part]
    measures: Measures
    low_zoom: LowZoom
    privacy: Privacy
    name: str

    def tile(self, frame: TileFrame, n_rows: int, where: Filter | None) -> Tile:
        """Draw cells, larger ones where the tile would weigh too much.

        Parameters
        ----------
        frame
            The tile.
        n_rows
            How many rows of tiles its zoom has.
        where
            Only the features that it selects; None for all.

        Returns
        -------
        Tile
            It says how many points were counted.
        """
        power = min(_PIXELS - (self.low_zoom.cell_px.bit_length() - 1), STEP_BITS - frame.depth)
        is_cluster = self.low_zoom.strategy == "cluster"
        at_mean = is_cluster and self.privacy.shows_single
        shape: Shape = "square" if is_cluster else self.low_zoom.shape
        while True:
            grid = CellGrid(shape, power)
            found = [
                cells
                for part in self.parts
                for cells in part.cells(frame, n_rows, grid, self.measures, where)
            ]
            cells = self._shown(merged(found))
            body, n = self._written(frame, cells, grid, at_mean=at_mean)
            if len(body) <= self.low_zoom.budget_bytes or power == 0:
                break
            power -= 1
        shown = _inside(frame, cells, grid)
        if not self.privacy.shows_single:
            # How many are hidden would say that they are there.
            return Tile(body, n, Thinning("hidden-below-k", shown, shown))
        how: HowThinned = "clustered" if at_mean else "aggregated"
        return Tile(body, n, Thinning(how, shown, shown)) if n else EMPTY_TILE

    def _written(
        self, frame: TileFrame, cells: Cells, grid: CellGrid, *, at_mean: bool
    ) -> tuple[bytes, int]:
        if grid.shape == "hexagon":
            return write_hexagons(frame, cells, grid.power, self.measures, name=self.name)
        return write_cells(frame, cells, grid.power, self.measures, name=self.name, at_mean=at_mean)

    def _shown(self, cells: Cells) -> Cells:
        """Give cells with the numbers that may be shown; those without any say nothing of where their points are either."""
        if self.privacy.shows_single:
            return cells
        sums = self.privacy.shown_counts(cells.sums)
        sums[:, SUM_U] = sums[:, SUM_V] = 0
        return cells._replace(sums=sums)


def _kept(keep: Bytes) -> slice | Ints:
    return np.flatnonzero(keep) if len(keep) else slice(None)


def _first_of_cells(part: Part, points: Ints, bits: int) -> Ints:
    """Keep the first point of each cell among points that stand in the order of the Z-curve, neighbour by neighbour."""
    u = part.index.u[points].astype(np.int64) >> bits
    v = part.index.v[points].astype(np.int64) >> bits
    first = np.ones(len(points), bool)
    first[1:] = (u[1:] != u[:-1]) | (v[1:] != v[:-1])
    return points[first]


def _inside(frame: TileFrame, cells: Cells, grid: CellGrid) -> int:
    if grid.shape == "hexagon":
        x, y = hexagon_middles(frame, cells, grid.power)
        inside = (x >= 0) & (x < EXTENT) & (y >= 0) & (y < EXTENT)
    else:
        column, row, across = cells.column, cells.row, 1 << grid.power
        inside = (column >= 0) & (column < across) & (row >= 0) & (row < across)
    return int(cells.sums[inside, COUNT].sum())
