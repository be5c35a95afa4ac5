"""A layer of polygons laid out in cells, so that a point's polygon is looked up and not searched.

Exact tests are needed in the cells that a border passes, and there only against the border's pieces in that cell.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from gisgrid.join.kernels import Cells, Edges, Grid, fill_cells, lowest_covering

_MIN_CELLS, _MAX_CELLS = 1 << 10, 1 << 22
_CELLS_PER_EDGE: Final = 16
_SWEEP_BUDGET: Final = 1 << 26
"""Cells in all polygons' bounding boxes together: what filling the cells may cost where polygons overlap much."""
_ENTRY_BUDGET: Final = 1 << 24
"""Cells that all edges pass together: what many long edges may cost."""
_SAFE_EXPONENT, _MAX_EXPONENT = 250, 1000
_ULPS_PER_CELL: Final = 64
"""A cell is at least so many float steps wide, so that its centre is really in it."""


@dataclass(frozen=True)
class RasterIndex:
    """The cells of one layer. Holds copies of coordinates only; later changes of the layer do not reach it.

    Attributes
    ----------
    scale
        1 for any CRS; a power of two that brings absurdly large or small coordinates to about 1, where no product
        over- or underflows.
    grid, edges, cells
        The arrays that the compiled loops read. None of them where the layer has no polygon.
    """

    scale: float
    grid: Grid | None
    edges: Edges
    cells: Cells | None

    @classmethod
    def of(cls, polygons: NDArray[np.object_]) -> RasterIndex:
        """Lay out polygons in cells.

        Parameters
        ----------
        polygons
            Shape (n,), valid Polygons and MultiPolygons in any CRS; empty ones and None cover nothing. Where
            several cover a point, the first is found.

        Returns
        -------
        RasterIndex
            For `first_covering`.
        """
        ends, owner = _edges(polygons)
        scale = _scale(float(np.abs(ends).max(initial=0.0)))
        first = np.searchsorted(owner, np.arange(len(polygons) + 1))
        edges = Edges(ends * scale, owner, first)
        if not len(ends):
            return cls(scale, None, edges, None)
        grid = _grid(shapely.bounds(polygons) * scale, edges.ends)
        return cls(scale, grid, edges, fill_cells(grid, edges))

    def first_covering(self, xy: NDArray[np.float64]) -> NDArray[np.int32]:
        """Find the first polygon that covers each point, its border included.

        Parameters
        ----------
        xy
            Shape (n, 2), in the layer's CRS; NaN is in no polygon.

        Returns
        -------
        ndarray
            Shape (n,), the polygon's position in the layer, or -1.

        Notes
        -----
        Exact, without rounding. Cost: O(n), and per point the edges in its cell.
        """
        if self.grid is None or self.cells is None:
            return np.full(len(xy), -1, np.int32)
        return lowest_covering(self.grid, self.edges, self.cells, xy, self.scale)


def _scale(largest: float) -> float:
    _, exponent = math.frexp(largest)
    if abs(exponent) <= _SAFE_EXPONENT:
        return 1.0
    return math.ldexp(1.0, max(-_MAX_EXPONENT, min(-exponent, _MAX_EXPONENT)))


def _edges(polygons: NDArray[np.object_]) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Give the ends of all edges, the lower first, and whose they are."""
    parts, polygon = shapely.get_parts(polygons, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    coordinates, ring = shapely.get_coordinates(rings, return_index=True)
    follows = ring[1:] == ring[:-1]
    ends = np.hstack([coordinates[:-1], coordinates[1:]])[follows]
    falls = ends[:, 1] > ends[:, 3]
    ends[falls] = ends[falls][:, [2, 3, 0, 1]]
    return ends, polygon[part[ring[1:][follows]]].astype(np.int32)


def _grid(bounds: NDArray[np.float64], ends: NDArray[np.float64]) -> Grid:
    """Choose cells small enough for quick answers and few enough to fill."""
    west, south = np.nanmin(bounds[:, :2], axis=0)
    east, north = np.nanmax(bounds[:, 2:], axis=0)
    width, height = float(east - west), float(north - south)
    boxes = np.nansum((bounds[:, 2] - bounds[:, 0]) * (bounds[:, 3] - bounds[:, 1]))
    # Cells passed by an edge of length dx, dy: dx / cell width + dy / cell height + 1.
    passed = float(np.abs(ends[:, 2:] - ends[:, :2]).sum(axis=0) @ (1 / width, 1 / height)) / 2
    n_cells = min(
        max(_CELLS_PER_EDGE * len(ends), _MIN_CELLS),
        _MAX_CELLS,
        int(_SWEEP_BUDGET * width * height / boxes),
        int((_ENTRY_BUDGET / passed) ** 2),
    )
    step = _ULPS_PER_CELL * float(np.spacing(np.abs([west, south, east, north]).max()))
    n_columns = _between(1, round((n_cells * width / height) ** 0.5), min(n_cells, width // step))
    n_rows = _between(1, n_cells // n_columns, height // step)
    return Grid(float(west), float(south), float(east), float(north), n_columns, n_rows)


def _between(low: int, value: int, high: float) -> int:
    return max(low, min(value, int(high)))
