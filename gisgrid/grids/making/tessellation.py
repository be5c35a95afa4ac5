"""Equal cells over a city, for questions that no administrative border should answer."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, get_args

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from gisgrid.crs import require_metres
from gisgrid.errors import InputError

Shape = Literal["hexagon", "square"]

_MAX_CELLS: Final = 5_000_000
_PIECE_VERTICES: Final = 128
_MAX_DEPTH: Final = 40
_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]
_Geometries = NDArray[np.object_]


def tessellate(
    area: gpd.GeoDataFrame, *, cell_m: float, shape: Shape = "hexagon"
) -> gpd.GeoDataFrame:
    """Cover a city with equal cells, so that places can be compared by what happens and not by who administers them.

    Parameters
    ----------
    area
        Polygons of the city (all of them together), in a projected CRS in metres. Overlaps count once.
    cell_m
        Side of a square or width of a hexagon from flat to flat, metres.
    shape
        ``hexagon`` (flats to west and east, six neighbours, all at the distance `cell_m`) or ``square``.

    Returns
    -------
    GeoDataFrame
        One whole cell per row, from south to north and west to east, in the CRS of `area`: `cell_id`, `area_km2` (of
        the whole cell), `share_inside` (0 to 1, of the cell's area that is inside), geometry. Cells whose inside is
        thinner than rounding are no cells. Neighbours have the same vertices to the last bit.

    Raises
    ------
    CrsError
        The coordinates are not metres.
    InputError
        No area, a cell below a millimetre, or over 5 million cells in the bounding box.

    Notes
    -----
    Cells are aligned to the origin of the CRS, and `cell_id` says shape, width, column and row from there: the same
    place has the same cell whatever the area is. Along the edge a cell is only partly inside: divide counts by
    ``area_km2 * share_inside``. The sum of that is the area of `area`. Cost: 100 000 cells in 1 s. Checked against:
    the area of the union.

    Examples
    --------
    >>> city = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 1_000, 500)], crs=4547)
    >>> cells = tessellate(city, cell_m=500, shape="square")
    >>> cells["cell_id"].to_list(), cells["share_inside"].to_list()
    (['s500_0_0', 's500_1_0'], [1.0, 1.0])
    >>> round(float((tessellate(city, cell_m=300)["area_km2"]).iloc[0]), 6)
    0.077942
    """
    crs = require_metres(area, what="tessellate", name="area")
    if shape not in get_args(Shape):
        raise InputError(f"there is no cell shape {shape!r}; choose 'hexagon' or 'square'")
    if not 0.001 <= cell_m < math.inf:
        raise InputError(
            f"a cell of {cell_m:g} m covers nothing; give a width of 0.001 or more, for example 300"
        )
    ground = _ground(area)
    lattice = _hexagons(cell_m) if shape == "hexagon" else _squares(cell_m)
    column, row = _candidates(lattice, ground)
    cells = lattice.cells(column, row)
    inside_m2 = _areas_inside(cells, ground, lattice.area_m2)
    rounding_m2 = 8 * np.finfo(float).eps * float(np.abs(ground.bounds).max()) * cell_m
    there = inside_m2 > min(rounding_m2, ground.area / 2)
    ids = [
        f"{shape[0]}{cell_m:.12g}_{c}_{r}" for c, r in zip(column[there], row[there], strict=True)
    ]
    return gpd.GeoDataFrame(
        {
            "cell_id": ids,
            "area_km2": lattice.area_m2 / 1e6,
            "share_inside": np.minimum(inside_m2[there] / lattice.area_m2, 1.0),
        },
        geometry=cells[there],
        crs=crs,
    )


@dataclass(frozen=True)
class _Lattice:
    """Cells whose vertices are whole multiples of a step: what two cells share is then the same number.

    Attributes
    ----------
    step
        Metres between two lattice lines, east and north.
    pitch
        Lattice lines from one cell to the next, east and north.
    stagger
        Lattice lines that odd rows are moved to the east.
    vertices
        Shape (k, 2), lattice lines from the anchor of a cell to its vertices, counter-clockwise.
    """

    step: tuple[float, float]
    pitch: tuple[int, int]
    stagger: int
    vertices: _Ints

    @property
    def area_m2(self) -> float:
        x, y = self.vertices.T
        twice = int(np.abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)))
        return twice / 2 * self.step[0] * self.step[1]

    def range(self, axis: int, low: float, high: float) -> tuple[int, int]:
        """First column or row (axis 0 or 1) that can reach `low`, and the one after the last that can reach `high`."""
        reach = self.vertices[:, axis]
        stagger = self.stagger if axis == 0 else 0
        first = (low / self.step[axis] - int(reach.max()) - stagger) / self.pitch[axis]
        last = (high / self.step[axis] - int(reach.min())) / self.pitch[axis]
        return math.floor(first), math.ceil(last) + 1

    def cells(self, column: _Ints, row: _Ints) -> _Geometries:
        anchor = np.stack([column * self.pitch[0] + row % 2 * self.stagger, row * self.pitch[1]], 1)
        ring = anchor[:, None, :] + self.vertices
        polygons: _Geometries = shapely.polygons(ring * np.array(self.step))
        return polygons


def _squares(cell_m: float) -> _Lattice:
    corners = np.array([(0, 0), (1, 0), (1, 1), (0, 1)])
    return _Lattice(step=(cell_m, cell_m), pitch=(1, 1), stagger=0, vertices=corners)


def _hexagons(cell_m: float) -> _Lattice:
    corners = np.array([(0, -2), (1, -1), (1, 1), (0, 2), (-1, 1), (-1, -1)])
    step = cell_m / 2, cell_m / (2 * math.sqrt(3))
    return _Lattice(step=step, pitch=(2, 3), stagger=1, vertices=corners)


def _ground(area: gpd.GeoDataFrame) -> shapely.Geometry:
    geometry = area.geometry.to_numpy()
    parts = shapely.get_parts(shapely.make_valid(geometry[~shapely.is_missing(geometry)]))
    parts = shapely.get_parts(parts)  # make_valid can put a multipolygon into a collection
    ground = shapely.union_all(parts[shapely.area(parts) > 0])
    if not ground.area > 0:
        raise InputError(
            f"the {len(geometry)} geometries to tessellate have no area; give polygons, for example the sub-districts"
        )
    return ground


def _candidates(lattice: _Lattice, ground: shapely.Geometry) -> tuple[_Ints, _Ints]:
    west, south, east, north = ground.bounds
    columns, rows = lattice.range(0, west, east), lattice.range(1, south, north)
    n = (columns[1] - columns[0]) * (rows[1] - rows[0])
    if n > _MAX_CELLS:
        raise InputError(
            f"{n} cells would cover the {(east - west) / 1000:.1f} × {(north - south) / 1000:.1f} km of the area, "
            f"over {_MAX_CELLS}; give cells {math.sqrt(n / _MAX_CELLS):.2g} times as wide or more"
        )
    row, column = np.mgrid[rows[0] : rows[1], columns[0] : columns[1]]
    return column.ravel(), row.ravel()


def _areas_inside(cells: _Geometries, ground: shapely.Geometry, cell_m2: float) -> _Floats:
    """Measure how much of each cell is ground: all of it for most; the others are cut with small pieces of the ground."""
    shapely.prepare(ground)
    whole = shapely.covers(ground, cells)
    inside = np.where(whole, cell_m2, 0.0)
    edge = np.flatnonzero(~whole & shapely.intersects(ground, cells))
    pieces = np.array(list(_pieces(ground)))
    cell, piece = shapely.STRtree(pieces).query(cells[edge], predicate="intersects")
    common = shapely.area(shapely.intersection(cells[edge[cell]], pieces[piece]))
    inside[edge] = np.bincount(cell, weights=common, minlength=len(edge))
    return inside


def _pieces(ground: shapely.Geometry, depth: int = 0) -> Iterator[shapely.Geometry]:
    """Halve the ground until every piece has few vertices."""
    if shapely.get_num_coordinates(ground) <= _PIECE_VERTICES or depth >= _MAX_DEPTH:
        yield ground
        return
    west, south, east, north = ground.bounds
    if east - west > north - south:
        middle = (west + east) / 2
        halves = shapely.box(west, south, middle, north), shapely.box(middle, south, east, north)
    else:
        middle = (south + north) / 2
        halves = shapely.box(west, south, east, middle), shapely.box(west, middle, east, north)
    for half in halves:
        yield from _pieces(shapely.intersection(ground, half), depth + 1)
