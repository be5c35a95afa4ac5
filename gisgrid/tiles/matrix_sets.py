"""In which ways is the world cut into tiles?

Three tile matrix sets: WebMercatorQuad of OGC 17-083r4 (the XYZ scheme of web maps), WorldCRS84Quad of the same, and
CGCS2000Quad, which is its twin on the datum of China (the degrees scheme of Tianditu). The unit square holds the whole
of a set, ``u`` to the east and ``v`` to the south, 0 to 1; in it every tile is a square whose side is a power of two, so
that on a grid of ``2**32`` steps a tile is a shift. Where a set begins with two tiles side by side they fill the northern
half of the square.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gisgrid.errors import TileNotFoundError, did_you_mean

STEP_BITS: Final = 32
"""Places are kept on a grid of 2**32 steps along the unit square, about 9 mm at the equator."""


@dataclass(frozen=True)
class MatrixSet:
    """One way to cut the world into tiles.

    Attributes
    ----------
    id
        Its name in addresses, as OGC registers it.
    title
        What it is, in a line.
    crs
        The URI of its coordinate reference system.
    uri
        The URI of the set; None where nobody registered it.
    epsg
        The EPSG code of the plane its tiles are in; None for OGC:CRS84.
    projection
        How degrees become places on the unit square.
    n_columns
        Tiles side by side at zoom 0: 1, or 2 with one row.
    """

    id: str
    title: str
    crs: str
    uri: str | None
    epsg: int | None
    projection: Literal["mercator", "degrees"]
    n_columns: Literal[1, 2]

    def depth(self, z: int) -> int:
        """Say how often the unit square is halved for the tiles of a zoom; a tile's side is ``2**-depth``.

        Parameters
        ----------
        z
            The zoom.

        Returns
        -------
        int
            `z`, or `z` + 1 where two tiles stand side by side at zoom 0.
        """
        return z + self.n_columns - 1

    def tiles_at(self, z: int) -> tuple[int, int]:
        """Say how many columns and rows a zoom has.

        Parameters
        ----------
        z
            The zoom.

        Returns
        -------
        tuple of int
            Columns, rows.

        Examples
        --------
        >>> WEB_MERCATOR_QUAD.tiles_at(1), WORLD_CRS84_QUAD.tiles_at(1)
        ((2, 2), (4, 2))
        """
        return self.n_columns << z, 1 << z

    def to_unit(
        self, lon: ArrayLike, lat: ArrayLike
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Place longitudes and latitudes on the unit square.

        Parameters
        ----------
        lon, lat
            Shape (n,), degrees (OGC:CRS84; CGCS2000 is taken as the same, which it is to a few centimetres).

        Returns
        -------
        tuple of array
            Shape (n,) each: u and v, 0 to 1 inside the square, v to the south. What is beyond the set's edge is
            beyond the square's; what is not finite stays so.
        """
        if self.projection == "mercator":
            return lonlat_world(lon, lat)
        u = np.asarray(lon, dtype=np.float64) / 360 + 0.5
        return u, 0.25 - np.asarray(lat, dtype=np.float64) / 360

    def to_lonlat(
        self, u: ArrayLike, v: ArrayLike
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Give the longitudes and latitudes of places on the unit square.

        Parameters
        ----------
        u, v
            Shape (n,), on the unit square.

        Returns
        -------
        tuple of array
            Shape (n,) each: longitude and latitude in degrees.

        Examples
        --------
        >>> lon, lat = CGCS2000_QUAD.to_lonlat([0.75], [0.125])
        >>> lon.tolist(), lat.tolist()
        ([90.0], [45.0])
        """
        if self.projection == "mercator":
            return world_lonlat(u, v)
        lon = (np.asarray(u, dtype=np.float64) - 0.5) * 360
        return lon, (0.25 - np.asarray(v, dtype=np.float64)) * 360

    def to_steps(
        self, lon: ArrayLike, lat: ArrayLike
    ) -> tuple[NDArray[np.uint32], NDArray[np.uint32], NDArray[np.bool_]]:
        """Place longitudes and latitudes on the grid of 2**32 steps, on which a tile is a shift.

        Parameters
        ----------
        lon, lat
            Shape (n,), degrees.

        Returns
        -------
        tuple of array
            Shape (n,) each: u and v in steps, and whether the set has that place. The east and the south edge belong
            to the last tile; where there is no such place the steps are 0.
        """
        u, v = self.to_unit(lon, lat)
        tallest = 1.0 / self.n_columns
        # A hair beyond the edge is the rounding of the edge itself.
        hair = 1e-12
        there = (u >= -hair) & (u <= 1 + hair) & (v >= -hair) & (v <= tallest + hair)
        side = 2.0**STEP_BITS
        return _steps(u, there, side), _steps(v, there, side * tallest), there


def _steps(unit: NDArray[np.float64], there: NDArray[np.bool_], end: float) -> NDArray[np.uint32]:
    steps = np.floor(np.where(there, unit, 0.0) * 2.0**STEP_BITS)
    return np.asarray(np.clip(steps, 0, end - 1).astype(np.uint32))


WEB_MERCATOR_QUAD: Final = MatrixSet(
    "WebMercatorQuad",
    "Google Maps Compatible for the World",
    "http://www.opengis.net/def/crs/EPSG/0/3857",
    "http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad",
    3857,
    "mercator",
    1,
)
WORLD_CRS84_QUAD: Final = MatrixSet(
    "WorldCRS84Quad",
    "CRS84 for the World",
    "http://www.opengis.net/def/crs/OGC/1.3/CRS84",
    "http://www.opengis.net/def/tilematrixset/OGC/1.0/WorldCRS84Quad",
    None,
    "degrees",
    2,
)
CGCS2000_QUAD: Final = MatrixSet(
    "CGCS2000Quad",
    "CGCS2000 for the World, the degrees scheme of Tianditu",
    "http://www.opengis.net/def/crs/EPSG/0/4490",
    None,
    4490,
    "degrees",
    2,
)
MATRIX_SETS: Final = {
    matrix_set.id: matrix_set for matrix_set in (WEB_MERCATOR_QUAD, WORLD_CRS84_QUAD, CGCS2000_QUAD)
}
"""The tile matrix sets, by id."""


def matrix_set(name: str) -> MatrixSet:
    """Find a tile matrix set by its id.

    Parameters
    ----------
    name
        For example ``WebMercatorQuad``.

    Returns
    -------
    MatrixSet
        The set.

    Raises
    ------
    TileNotFoundError
        There is none of that id.

    Examples
    --------
    >>> matrix_set("CGCS2000Quad").tiles_at(0)
    (2, 1)
    """
    try:
        return MATRIX_SETS[name]
    except KeyError:
        raise TileNotFoundError(
            f"no tile matrix set {name!r}{did_you_mean(name, MATRIX_SETS)}"
        ) from None


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
