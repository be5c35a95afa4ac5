"""A layer's geometry as flat arrays in world coordinates: projected once, read by every tile.

Whatever a frame holds is taken apart into points, lines and polygons; multi-part shapes and collections keep together
by their row. What cannot be drawn is counted, never passed over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from gisgrid.crs import LONLAT, require_crs
from gisgrid.tiles.index import BoxIndex
from gisgrid.tiles.scheme import MAX_LATITUDE, BBox, lonlat_world, world_lonlat

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_FINEST: Final = 32
"""Points are kept on a world grid of 2**32 steps, about 9 mm at the equator."""


@dataclass(frozen=True)
class Points:
    """Points in Z-order: those of one tile, at any zoom, are one run.

    Attributes
    ----------
    key
        Shape (n,), ascending; the bits of `x` and `y` interleaved.
    x, y
        Shape (n,), world coordinates in steps of 2**-32.
    row
        Shape (n,), the row of the frame.
    single
        Whether every row has one point.
    """

    key: NDArray[np.uint64]
    x: NDArray[np.uint32]
    y: NDArray[np.uint32]
    row: Ints
    single: bool


class Paths(NamedTuple):
    """Lines, or the rings of polygons, one after the other; a tuple, because compiled loops take those.

    Attributes
    ----------
    x, y
        Shape (n coordinates,), world coordinates. Rings are closed by their first point being the last.
    path_start
        Shape (n paths + 1,), where each line or ring begins in `x` and `y`.
    part_start
        Shape (n parts + 1,), where each part begins among the paths; a part is a line, or a shell and its holes.
    feature_start
        Shape (n features + 1,), where each feature begins among the parts.
    row
        Shape (n features,), the row of the frame, ascending.
    clearance
        Shape (n features,), how far a vertex may move, in world units, before a polygon breaks; infinite for lines.
    """

    x: Floats
    y: Floats
    path_start: Ints
    part_start: Ints
    feature_start: Ints
    row: Ints
    clearance: Floats


@dataclass(frozen=True)
class Shapes:
    """Everything a layer draws.

    Attributes
    ----------
    points
        None where the layer has none.
    lines, polygons
        With the index that finds those of a box; None where the layer has none.
    bbox
        West, south, east, north in degrees; None where nothing can be drawn.
    left_out
        How many rows are not drawn, or not wholly, by reason.
    """

    points: Points | None
    lines: tuple[Paths, BoxIndex] | None
    polygons: tuple[Paths, BoxIndex] | None
    bbox: BBox | None
    left_out: dict[str, int]


def frame_shapes(frame: gpd.GeoDataFrame, *, name: str) -> Shapes:
    """Project a frame once and lay its geometry out flat.

    Parameters
    ----------
    frame
        Any CRS, any mixture of geometry; Z and M are dropped, invalid polygons are mended (``shapely.make_valid``).
    name
        What the frame is called in an error's sentence.

    Returns
    -------
    Shapes
        The geometry in world coordinates.

    Raises
    ------
    CrsError
        The frame has no CRS.
    """
    require_crs(frame, name=name)
    geometry = shapely.force_2d(frame.geometry.to_crs(LONLAT).to_numpy())
    parts, row = _single_parts(geometry)
    finite = _is_finite(parts)
    inside = finite & _touches_world(parts)
    drawn, drawn_row = parts[inside], row[inside]
    left_out = _left_out(len(frame), row=row, finite=finite, inside=inside)
    world = shapely.transform(drawn, _to_world)
    dimension = shapely.get_dimensions(world)
    return Shapes(
        points=_points(world[dimension == 0], drawn_row[dimension == 0]),
        lines=_lines(world[dimension == 1], drawn_row[dimension == 1]),
        polygons=_polygons(world[dimension == 2], drawn_row[dimension == 2]),
        bbox=_lonlat_bbox(world),
        left_out=left_out,
    )


def tile_run(points: Points, z: int, x: int, y: int) -> slice:
    """Find the points of a tile: the run whose keys begin with the tile's.

    Parameters
    ----------
    points
        The points of a layer.
    z, x, y
        A tile of the scheme.

    Returns
    -------
    slice
        Positions in `points`.
    """
    if z == 0:
        return slice(0, len(points.key))
    shift = 2 * (_FINEST - z)
    tile = int(interleave(np.array([x], dtype=np.uint32), np.array([y], dtype=np.uint32))[0])
    ends = np.array([tile << shift, ((tile + 1) << shift) - 1], dtype=np.uint64)
    start = int(np.searchsorted(points.key, ends[0], side="left"))
    stop = int(np.searchsorted(points.key, ends[1], side="right"))
    return slice(start, stop)


def interleave(x: NDArray[np.uint32], y: NDArray[np.uint32]) -> NDArray[np.uint64]:
    """Order places along the Z-order curve, so that what is in one tile is in one run.

    Parameters
    ----------
    x, y
        Shape (n,), steps on the world grid.

    Returns
    -------
    array
        Shape (n,), the bits of `y` and `x` in turn. Source: Morton 1966.

    Examples
    --------
    >>> interleave(np.array([3, 0], dtype=np.uint32), np.array([0, 3], dtype=np.uint32)).tolist()
    [5, 10]
    """
    return _spread(x) | (_spread(y) << np.uint64(1))


def _spread(values: NDArray[np.uint32]) -> NDArray[np.uint64]:
    spread = values.astype(np.uint64)
    for shift, mask in (
        (16, 0x0000FFFF0000FFFF),
        (8, 0x00FF00FF00FF00FF),
        (4, 0x0F0F0F0F0F0F0F0F),
        (2, 0x3333333333333333),
        (1, 0x5555555555555555),
    ):
        spread = (spread | (spread << np.uint64(shift))) & np.uint64(mask)
    return spread


def _single_parts(geometry: NDArray[np.object_]) -> tuple[NDArray[np.object_], Ints]:
    """Take multi-part shapes and collections apart; mend polygons first. Gives the parts and their rows."""
    areal = (shapely.get_dimensions(geometry) == 2) & _is_finite(geometry)
    broken = areal & ~shapely.is_valid(geometry)
    if broken.any():
        geometry = geometry.copy()
        geometry[broken] = shapely.make_valid(
            geometry[broken], method="structure", keep_collapsed=False
        )
    row = np.arange(len(geometry))
    while True:
        parts, of = shapely.get_parts(geometry, return_index=True)
        geometry, row = parts, row[of]
        if not np.isin(shapely.get_type_id(geometry), (4, 5, 6, 7)).any():
            break
    filled = ~shapely.is_empty(geometry)
    return geometry[filled], row[filled]


def _is_finite(geometry: NDArray[np.object_]) -> Bools:
    coordinates, of = shapely.get_coordinates(geometry, return_index=True)
    finite = np.ones(len(geometry), dtype=bool)
    finite[of[~np.isfinite(coordinates).all(axis=1)]] = False
    return finite


def _touches_world(parts: NDArray[np.object_]) -> Bools:
    bounds = shapely.bounds(parts)
    inside = (bounds[:, 0] <= 180) & (bounds[:, 2] >= -180)
    return np.asarray(inside & (bounds[:, 1] <= MAX_LATITUDE) & (bounds[:, 3] >= -MAX_LATITUDE))


def _left_out(n: int, *, row: Ints, finite: Bools, inside: Bools) -> dict[str, int]:
    reasons = {
        "no geometry": n - len(np.unique(row)),
        "coordinates that are no place": len(np.unique(row[~finite])),
        "outside the world of web maps": len(np.unique(row[finite & ~inside])),
    }
    return {reason: count for reason, count in reasons.items() if count}


def _to_world(lonlat: Floats) -> Floats:
    return np.column_stack(lonlat_world(lonlat[:, 0], lonlat[:, 1]))


def _lonlat_bbox(world: NDArray[np.object_]) -> BBox | None:
    if len(world) == 0:
        return None
    left, top, right, bottom = np.clip(shapely.total_bounds(world), 0, 1)
    (west, east), (north, south) = world_lonlat([left, right], [top, bottom])
    return float(west), float(south), float(east), float(north)


def _points(parts: NDArray[np.object_], row: Ints) -> Points | None:
    if len(parts) == 0:
        return None
    steps = np.floor(shapely.get_coordinates(parts) * 2.0**_FINEST)
    x, y = np.clip(steps, 0, 2.0**_FINEST - 1).astype(np.uint32).T
    key = interleave(x, y)
    order = np.argsort(key, kind="stable")
    single = len(np.unique(row)) == len(row)
    return Points(key[order], x[order].copy(), y[order].copy(), row[order], single)


def _lines(parts: NDArray[np.object_], row: Ints) -> tuple[Paths, BoxIndex] | None:
    if len(parts) == 0:
        return None
    path_start = np.append(0, np.cumsum(shapely.get_num_coordinates(parts)))
    coordinates = shapely.get_coordinates(parts)
    part_start = np.arange(len(parts) + 1)
    return _paths(coordinates, path_start, part_start, row, np.full(len(parts), np.inf))


def _polygons(parts: NDArray[np.object_], row: Ints) -> tuple[Paths, BoxIndex] | None:
    if len(parts) == 0:
        return None
    _, coordinates, (path_start, part_start) = shapely.to_ragged_array(parts)
    return _paths(coordinates, path_start, part_start, row, shapely.minimum_clearance(parts))


def _paths(
    coordinates: Floats, path_start: Ints, part_start: Ints, row: Ints, clearance: Floats
) -> tuple[Paths, BoxIndex]:
    rows, first = np.unique(row, return_index=True)
    feature_start = np.append(first, len(row))
    smallest = np.minimum.reduceat(clearance, first)
    # Parts of one row may lie closer to each other than any is wide: no promise then.
    smallest[(np.diff(feature_start) > 1) & np.isfinite(smallest)] = 0.0
    x, y = coordinates[:, 0].copy(), coordinates[:, 1].copy()
    begin = path_start[part_start[first]]
    sides = ((np.minimum, x), (np.minimum, y), (np.maximum, x), (np.maximum, y))
    boxes = np.column_stack([extreme.reduceat(axis, begin) for extreme, axis in sides])
    path_start, part_start = path_start.astype(np.int64), part_start.astype(np.int64)
    feature_start = feature_start.astype(np.int64)
    paths = Paths(x, y, path_start, part_start, feature_start, rows, smallest)
    return paths, BoxIndex.from_boxes(boxes)
