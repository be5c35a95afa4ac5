"""Which tile is a place in, and which place is a tile of?

Tile ``z, x, y`` of a tile matrix set: x is counted from the west, y from the north. Where no set is named it is
WebMercatorQuad, the XYZ scheme of web maps. World coordinates are its square as 0 to 1 in both directions, y to the
south; they are Web Mercator (EPSG:3857) moved and divided by a constant.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import atan, ceil, degrees, floor, pi, sinh
from typing import Final, Protocol

import numpy as np

from gisgrid.errors import InputError, TileNotFoundError
from gisgrid.tiles.matrix_sets import (
    CGCS2000_QUAD,
    MATRIX_SETS,
    STEP_BITS,
    WEB_MERCATOR_QUAD,
    WORLD_CRS84_QUAD,
    MatrixSet,
    lonlat_world,
    matrix_set,
    world_lonlat,
)

__all__ = [
    "CGCS2000_QUAD",
    "CIRCUMFERENCE_M",
    "EXTENT",
    "MATRIX_SETS",
    "MAX_LATITUDE",
    "MAX_ZOOM",
    "STEP_BITS",
    "WEB_MERCATOR_QUAD",
    "WORLD_CRS84_QUAD",
    "BBox",
    "HasZooms",
    "MatrixSet",
    "Zooms",
    "bbox_tiles",
    "check_tile",
    "check_zoom",
    "check_zooms",
    "lonlat_world",
    "matrix_set",
    "tile_bbox",
    "tile_bbox_mercator",
    "world_lonlat",
]

BBox = tuple[float, float, float, float]
"""West, south, east, north."""

EXTENT: Final = 4096
"""Units along the side of a vector tile; a tile shown at 512 px has 8 units to the pixel."""

MAX_ZOOM: Final = 24
"""The deepest zoom: a tile of 2.4 m at the equator."""

CIRCUMFERENCE_M: Final = 2 * pi * 6378137.0
"""Side of the world square in Web Mercator metres."""

MAX_LATITUDE: Final = degrees(atan(sinh(pi)))
"""North edge of the world square, about 85.05°."""


def check_tile(z: int, x: int, y: int, *, matrix_set: MatrixSet = WEB_MERCATOR_QUAD) -> None:
    """Make sure that the scheme has such a tile.

    Parameters
    ----------
    z, x, y
        Zoom, column from the west, row from the north.
    matrix_set
        The set it is a tile of.

    Raises
    ------
    TileNotFoundError
        There is none.

    Examples
    --------
    >>> check_tile(1, 1, 0)
    >>> check_tile(1, 2, 0)
    Traceback (most recent call last):
      ...
    gisgrid.errors.TileNotFoundError: there is no tile 1/2/0: at zoom 1 columns and rows run from 0 to 1
    """
    if not 0 <= z <= MAX_ZOOM:
        raise TileNotFoundError(f"there is no tile {z}/{x}/{y}: zooms run from 0 to {MAX_ZOOM}")
    n_columns, n_rows = matrix_set.tiles_at(z)
    if 0 <= x < n_columns and 0 <= y < n_rows:
        return
    if n_columns == n_rows:
        ends = f"columns and rows run from 0 to {n_columns - 1}"
    else:
        ends = f"columns run from 0 to {n_columns - 1}, rows from 0 to {n_rows - 1}"
    raise TileNotFoundError(f"there is no tile {z}/{x}/{y}: at zoom {z} {ends}")


class HasZooms(Protocol):
    """What draws a layer at some zooms."""

    @property
    def layer_id(self) -> str: ...  # noqa: D102
    @property
    def minzoom(self) -> int: ...  # noqa: D102
    @property
    def maxzoom(self) -> int: ...  # noqa: D102


@dataclass(frozen=True)
class Zooms:
    """The zooms of a layer, without what draws it.

    Attributes
    ----------
    layer_id
        The layer.
    minzoom, maxzoom
        Both included.
    """

    layer_id: str
    minzoom: int
    maxzoom: int


def check_zooms(minzoom: int, maxzoom: int, *, layer_id: str) -> None:
    """Make sure that the zooms of a source are in order.

    Parameters
    ----------
    minzoom, maxzoom
        The zooms to draw, both included.
    layer_id
        The layer, for the error.

    Raises
    ------
    InputError
        They are not.

    Examples
    --------
    >>> check_zooms(9, 3, layer_id="streets")
    Traceback (most recent call last):
      ...
    gisgrid.errors.InputError: 'streets' asks for zooms 9 to 3 but they must rise within 0 to 24; change minzoom or maxzoom
    """
    if not 0 <= minzoom <= maxzoom <= MAX_ZOOM:
        raise InputError(
            f"{layer_id!r} asks for zooms {minzoom} to {maxzoom} but they must rise within 0 to {MAX_ZOOM}; "
            "change minzoom or maxzoom"
        )


def check_zoom(
    source: HasZooms, z: int, x: int, y: int, *, matrix_set: MatrixSet = WEB_MERCATOR_QUAD
) -> None:
    """Make sure that a source draws a tile.

    Parameters
    ----------
    source
        Something with a `layer_id`, a `minzoom` and a `maxzoom`.
    z, x, y
        The tile.
    matrix_set
        The set it is a tile of.

    Raises
    ------
    TileNotFoundError
        The scheme has no such tile, or the zoom is outside the source's.
    """
    check_tile(z, x, y, matrix_set=matrix_set)
    if not source.minzoom <= z <= source.maxzoom:
        raise TileNotFoundError(
            f"{source.layer_id!r} has no tile {z}/{x}/{y}: it is drawn at zooms {source.minzoom} to {source.maxzoom}"
        )


def tile_bbox(z: int, x: int, y: int, *, matrix_set: MatrixSet = WEB_MERCATOR_QUAD) -> BBox:
    """Say which part of the world a tile shows.

    Parameters
    ----------
    z, x, y
        The tile.
    matrix_set
        The set it is a tile of.

    Returns
    -------
    tuple of float
        West, south, east, north in degrees (OGC:CRS84).

    Raises
    ------
    TileNotFoundError
        There is no such tile.

    Examples
    --------
    >>> [round(edge, 4) for edge in tile_bbox(1, 1, 0)]
    [0.0, 0.0, 180.0, 85.0511]
    """
    check_tile(z, x, y, matrix_set=matrix_set)
    n = 1 << matrix_set.depth(z)
    if matrix_set.projection == "degrees":
        return x / n * 360 - 180, 90 - (y + 1) / n * 360, (x + 1) / n * 360 - 180, 90 - y / n * 360
    return x / n * 360 - 180, _latitude((y + 1) / n), (x + 1) / n * 360 - 180, _latitude(y / n)


def boxes_around(depth: int, x: int, y: int, *, margin: float, matrix_set: MatrixSet) -> list[BBox]:
    """Give the place of a tile and a margin around it, in two or three pieces where it goes over the date line.

    Parameters
    ----------
    depth, x, y
        How often the unit square is halved for the tile, and its column and row.
    margin
        In tiles.
    matrix_set
        The set it is a tile of.

    Returns
    -------
    list of tuple of float
        West, south, east, north in degrees (OGC:CRS84) each.

    Examples
    --------
    >>> boxes_around(1, 1, 0, margin=0.5, matrix_set=WORLD_CRS84_QUAD)
    [(-90.0, -180.0, 270.0, 180.0), (-180, -180.0, -90.0, 180.0)]
    """
    n = 1 << depth
    west, east = (x - margin) / n * 360 - 180, (x + 1 + margin) / n * 360 - 180
    rows = (y + 1 + margin) / n, (y - margin) / n
    if matrix_set.projection == "degrees":
        south, north = 90 - rows[0] * 360, 90 - rows[1] * 360
    else:
        south, north = _latitude(rows[0]), _latitude(rows[1])
    boxes: list[BBox] = [(west, south, east, north)]
    if west < -180:
        boxes.append((west + 360, south, 180, north))
    if east > 180:
        boxes.append((-180, south, east - 360, north))
    return boxes


def tile_bbox_mercator(z: int, x: int, y: int) -> BBox:
    """Say which part of the Web Mercator plane a tile shows.

    Parameters
    ----------
    z, x, y
        The tile.

    Returns
    -------
    tuple of float
        West, south, east, north in the metres of EPSG:3857.

    Raises
    ------
    TileNotFoundError
        There is no such tile.

    Examples
    --------
    >>> tile_bbox_mercator(1, 1, 1)
    (0.0, -20037508.342789244, 20037508.342789244, 0.0)
    """
    check_tile(z, x, y)
    side = CIRCUMFERENCE_M / (1 << z)
    west, north = x * side - CIRCUMFERENCE_M / 2, CIRCUMFERENCE_M / 2 - y * side
    return west, north - side, west + side, north


def bbox_tiles(
    bbox: BBox, z: int, *, matrix_set: MatrixSet = WEB_MERCATOR_QUAD
) -> Iterator[tuple[int, int, int]]:
    """List the tiles of one zoom that show a part of the world, row by row from the north-west.

    Parameters
    ----------
    bbox
        West, south, east, north in degrees; what lies beyond the world square is left out. A tile that only shares
        an edge with it is not listed.
    z
        The zoom.
    matrix_set
        The set to list tiles of.

    Yields
    ------
    tuple of int
        z, x, y.

    Examples
    --------
    >>> list(bbox_tiles((100.0, 10.0, 120.0, 10.0), 2))
    [(2, 3, 1)]
    >>> len(list(bbox_tiles((-180, -90, 180, 90), 3)))
    64
    """
    check_tile(z, 0, 0, matrix_set=matrix_set)
    west, south, east, north = bbox
    (left, right), (top, bottom) = matrix_set.to_unit(
        np.array([west, east]), np.array([north, south])
    )
    side, (n_columns, n_rows) = 1 << matrix_set.depth(z), matrix_set.tiles_at(z)
    columns, rows = _span(left, right, side, n_columns), _span(top, bottom, side, n_rows)
    for y in rows:
        for x in columns:
            yield z, x, y


def _latitude(y: float) -> float:
    return degrees(atan(sinh(pi * (1 - 2 * y))))


def _span(low: float, high: float, side: int, n: int) -> range:
    # A hair's breadth inside, so that the bbox of a tile gives back that one tile.
    hair = 1e-6
    first = max(0, floor(low * side + hair))
    if first == n and low * side <= n + hair:  # the east and the south edge belong to the last tile
        first = n - 1
    last = min(n - 1, max(first, ceil(high * side - hair) - 1))
    return range(first, last + 1)
