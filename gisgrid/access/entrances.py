"""How long does it take to where the streets enter the town?"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gisgrid.access.network import WalkingNetwork, check_places
from gisgrid.access.reach import nearest_facilities
from gisgrid.errors import InputError


def minutes_to_areas(
    places: gpd.GeoDataFrame,
    areas: gpd.GeoDataFrame,
    network: WalkingNetwork,
    *,
    off_street_m: float = 500.0,
) -> pd.Series:
    """Say how long it takes from each place to the nearest of some areas, along the streets.

    Parameters
    ----------
    places
        Points, or polygons (then a point inside), n of them, in the CRS of the network.
    areas
        Polygons in the same CRS, for example the built-up area.
    network
        As from `gisgrid.access.walking_network`, with the speed that is meant.
    off_street_m
        A place farther than this from every street is not on the network.

    Returns
    -------
    Series
        Shape (n,), minutes, indexed like `places`: 0 inside; NaN where no street leads to an area.

    Raises
    ------
    CrsError
        Different CRS.
    InputError
        No area, or labels that occur twice.

    Notes
    -----
    One arrives where a street crosses the outline of the areas. A village without a street to the town is not far: nothing is
    known, so that a distance must decide.

    Examples
    --------
    >>> from gisgrid.access.network import walking_network
    >>> road = gpd.GeoDataFrame(geometry=[shapely.LineString([(0, 0), (900, 0)])], crs="EPSG:4547")
    >>> town = gpd.GeoDataFrame(geometry=[shapely.box(600, -100, 900, 100)], crs="EPSG:4547")
    >>> villages = gpd.GeoDataFrame(geometry=gpd.points_from_xy([0, 700, 0], [0, 0, 9000]), crs="EPSG:4547")
    >>> minutes_to_areas(villages, town, walking_network(road)).tolist()
    [8.0, 0.0, nan]
    """
    points = check_places(places, network, name="places")
    ground = shapely.union_all(shapely.make_valid(_areas(areas, network)))
    outline = shapely.boundary(ground)
    shapely.prepare(outline)
    streets = network.segments.geometry.to_numpy()
    crossing = streets[shapely.intersects(outline, streets)]
    doors = shapely.get_parts(
        shapely.extract_unique_points(shapely.intersection(crossing, outline))
    )
    minutes = pd.Series(np.nan, places.index, name="minutes")
    if len(doors):
        entrances = gpd.GeoDataFrame(geometry=doors, crs=network.segments.crs)
        found = nearest_facilities(points, entrances, network, off_street_m=off_street_m)
        minutes.update(found.set_index("origin")["minutes"])
    shapely.prepare(ground)
    return minutes.mask(shapely.intersects(ground, points.geometry.to_numpy()), 0.0)


def _areas(areas: gpd.GeoDataFrame, network: WalkingNetwork) -> NDArray[np.object_]:
    check_places(areas, network, name="areas")
    shapes = areas.geometry.to_numpy()
    shapes = shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
    if not len(shapes):
        raise InputError("areas holds no polygon, so nobody gets there; give the built-up area")
    return np.asarray(shapes)
