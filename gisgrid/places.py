"""Where exactly is each report, and which reports have no place?"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from gisgrid.crs import require_metres
from gisgrid.errors import InputError


@dataclass(frozen=True)
class PointPlaces:
    """The coordinates of the reports that have some.

    Attributes
    ----------
    xy
        Shape (m, 2), easting and northing in metres, finite.
    there
        Shape (n,), which of the reports these are.
    crs
        The projected CRS.
    """

    xy: NDArray[np.float64]
    there: NDArray[np.bool_]
    crs: CRS


def point_places(points: gpd.GeoDataFrame, *, what: str) -> PointPlaces:
    """Give the coordinates of points in metres, or say what is wrong with them.

    Parameters
    ----------
    points
        One point per report, in a projected CRS in metres. Null, empty and infinite points are left out.
    what
        The function that asks, for the error.

    Returns
    -------
    PointPlaces
        Coordinates, and which reports have them.

    Raises
    ------
    CrsError
        The coordinates are not metres.
    InputError
        Something other than points.
    """
    crs = require_metres(points, what=what, name="points")
    geometry = points.geometry.to_numpy()
    if (empty := shapely.is_empty(geometry)).any():
        geometry = np.where(empty, None, geometry)
    with ThreadPoolExecutor(2) as threads:  # NaN for no point
        x, y = threads.map(lambda read: read(geometry), (shapely.get_x, shapely.get_y))
    xy = np.column_stack([x, y])
    there = np.isfinite(x) & np.isfinite(y)
    if there.all():
        return PointPlaces(xy, there, crs)
    if (other := shapely.get_type_id(geometry) > 0).any():
        raise InputError(
            f"{what} needs points but {other.sum()} of {len(geometry)} geometries are none "
            f"(first: row {int(np.argmax(other))}, {geometry[other][0].geom_type}); "
            "give one point each, for example units.representative_point()"
        )
    return PointPlaces(xy[there], there, crs)
