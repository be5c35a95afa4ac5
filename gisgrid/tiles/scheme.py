"""Which tile is a place in, and which place is a tile of?

One tile matrix set: WebMercatorQuad of OGC 17-083r4 (the XYZ scheme of web maps). Tile ``z, x, y``: at zoom `z` the
world is a square of ``2**z`` by ``2**z`` tiles, x counted from the west, y from the north. World coordinates are that
square as 0 to 1 in both directions, y to the south; they are Web Mercator (EPSG:3857) moved and divided by a constant.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import atan, ceil, degrees, floor, pi, sinh
from typing import Final, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gisgrid.errors import InputError, TileNotFoundError

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


def check_tile(z: int, x: int, y: int) -> None:
    """Make sure that the scheme has such a tile.

    Parameters
    ----------
    z, x, y
        Zoom, column from the west, row from the north.

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
    last = (1 << z) - 1
    if not (0 <= x <= last and 0 <= y <= last):
        raise TileNotFoundError(
            f"there is no tile {z}/{x}/{y}: at zoom {z} columns and rows run from 0 to {last}"
        )


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


def check_zoom(source: HasZooms, z: int, x: int, y: int) -> None:
    """Make sure that a source draws a tile.

    Parameters
    ----------
    source
        Something with a `layer_id`, a `minzoom` and a `maxzoom`.
    z, x, y
        The tile.

    Raises
    ------
    TileNotFoundError
        The scheme has no such tile, or the zoom is outside the source's.
    """
    check_tile(z, x, y)
    if not source.minzoom <= z <= source.maxzoom:
        raise TileNotFoundError(
            f"{source.layer_id!r} has no tile {z}/{x}/{y}: it is drawn at zooms {source.minzoom} to {source.maxzoom}"
        )


def tile_bbox(z: int, x: int, y: int) -> BBox:
    """Say which part of the world a tile shows.

    Parameters
    ----------
    z, x, y
        The tile.

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
    check_tile(z, x, y)
    n = 1 << z
    return x / n * 360 - 180, _latitude((y + 1) / n), (x + 1) / n * 360 - 180, _latitude(y / n)


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


def bbox_tiles(bbox: BBox, z: int) -> Iterator[tuple[int, int, int]]:
    """List the tiles of one zoom that show a part of the world, row by row from the north-west.

    Parameters
    ----------
    bbox
        West, south, east, north in degrees; what lies beyond the world square is left out. A tile that only shares
        an edge with it is not listed.
    z
        The zoom.

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
    check_tile(z, 0, 0)
    west, south, east, north = bbox
    (left, right), (top, bottom) = lonlat_world(np.array([west, east]), np.array([north, south]))
    columns, rows = _span(left, right, 1 << z), _span(top, bottom, 1 << z)
    for y in rows:
        for x in columns:
            yield z, x, y


def lonlat_world(lon: ArrayLike, lat: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Place longitudes and latitudes on the world square.

    Parameters
    ----------
    lon, lat
        Shape (n,), degrees (OGC:CRS84).

    Returns
    -------
    tuple of array
        Shape (n,) each: x and y, 0 to 1 inside the square, y to the south. Latitudes past 89.99° are held there (far
        outside the square), so that a ring that touches a pole stays a ring; what is not finite stays so.

    Notes
    -----
    Source: EPSG guidance note 7-2, Popular Visualisation Pseudo Mercator. Checked against: pyproj.

    Examples
    --------
    >>> x, y = lonlat_world([0.0, 180.0], [0.0, 90.0])
    >>> x.tolist(), y[0], bool(y[1] < 0)
    ([0.5, 1.0], np.float64(0.5), True)
    """
    held = np.clip(np.asarray(lat, dtype=np.float64), -89.99, 89.99)
    x = np.asarray(lon, dtype=np.float64) / 360 + 0.5
    return x, 0.5 - np.arctanh(np.sin(np.radians(held))) / (2 * pi)


def world_lonlat(x: ArrayLike, y: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the longitudes and latitudes of places on the world square.

    Parameters
    ----------
    x, y
        Shape (n,), world coordinates.

    Returns
    -------
    tuple of array
        Shape (n,) each: longitude and latitude in degrees (OGC:CRS84).

    Examples
    --------
    >>> lon, lat = world_lonlat([0.5], [0.0])
    >>> lon.tolist(), round(float(lat[0]), 4)
    ([0.0], 85.0511)
    """
    lon = (np.asarray(x, dtype=np.float64) - 0.5) * 360
    return lon, np.degrees(np.arctan(np.sinh(pi * (1 - 2 * np.asarray(y, dtype=np.float64)))))


def _latitude(y: float) -> float:
    return degrees(atan(sinh(pi * (1 - 2 * y))))


def _span(low: float, high: float, n: int) -> range:
    # A hair's breadth inside, so that the bbox of a tile gives back that one tile.
    hair = 1e-6
    first = max(0, floor(low * n + hair))
    last = min(n - 1, max(first, ceil(high * n - hair) - 1))
    return range(first, last + 1)
