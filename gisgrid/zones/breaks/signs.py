"""What tells town from country, brought onto cells: places counted, and ground of which nothing is known left out."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import rasterio.features
import shapely

from gisgrid.crs import crs_label
from gisgrid.errors import CrsError, InputError
from gisgrid.surface import Surface


def place_density(places: gpd.GeoDataFrame, like: Surface) -> Surface:
    """Count places on the cells of a surface.

    Parameters
    ----------
    places
        In the CRS of `like`; of polygons a point inside counts.
    like
        The surface whose cells are taken, in metres.

    Returns
    -------
    Surface
        Places per km²; those outside count nowhere. NaN where `like` has no value.

    Raises
    ------
    CrsError
        Another CRS than that of `like`, or none.

    Examples
    --------
    >>> from affine import Affine
    >>> from pyproj import CRS
    >>> cells = Surface(np.zeros((1, 2), np.float32), Affine(500, 0, 0, 0, -500, 500), CRS("EPSG:4547"), "")
    >>> shops = gpd.GeoDataFrame(geometry=gpd.points_from_xy([10, 20, 700], [10, 20, 90]), crs="EPSG:4547")
    >>> place_density(shops, cells).values.tolist()
    [[8.0, 4.0]]
    """
    _same_crs(places, like, "places")
    t, (height, width) = like.transform, like.values.shape
    xy = shapely.get_coordinates(shapely.point_on_surface(places.geometry.to_numpy()))
    column = np.floor((xy[:, 0] - t.c) / t.a).astype(np.int64)
    row = np.floor((xy[:, 1] - t.f) / t.e).astype(np.int64)
    there = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    counted = np.bincount(row[there] * width + column[there], minlength=height * width)
    per_km2 = counted.reshape(height, width) / (like.cell_area / 1e6)
    per_km2 = np.where(np.isfinite(like.values), per_km2, np.nan)
    return Surface(per_km2.astype(np.float32), t, like.crs, "per km²")


def known_within(surface: Surface, areas: gpd.GeoDataFrame) -> Surface:
    """Leave out the cells whose middle lies in none of some areas.

    A city that keeps no data beyond its border is dark there on every map, and the border looks like the edge of the
    town: where nothing is known, nothing must be read.

    Parameters
    ----------
    surface
        Any.
    areas
        Polygons in the CRS of `surface`: the ground of which something is known.

    Returns
    -------
    Surface
        The same, NaN elsewhere.

    Raises
    ------
    CrsError
        Another CRS than that of `surface`, or none.
    InputError
        No cell lies in the areas.

    Examples
    --------
    >>> from affine import Affine
    >>> from pyproj import CRS
    >>> cells = Surface(np.ones((1, 3), np.float32), Affine(10, 0, 0, 0, -10, 10), CRS("EPSG:4547"), "")
    >>> city = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 20, 10)], crs="EPSG:4547")
    >>> known_within(cells, city).values.tolist()
    [[1.0, 1.0, nan]]
    """
    _same_crs(areas, surface, "areas")
    shapes = areas.geometry.to_numpy()
    shapes = shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
    inside = np.zeros(surface.values.shape, np.bool_)
    if len(shapes):
        inside = rasterio.features.geometry_mask(
            list(shapes), surface.values.shape, surface.transform, invert=True
        )
    if not inside.any():
        raise InputError(
            f"no cell of the raster lies in the {len(areas)} areas; check the CRS of both, or leave the areas out"
        )
    values = np.where(inside, surface.values, np.nan).astype(np.float32)
    return Surface(values, surface.transform, surface.crs, surface.unit)


def _same_crs(frame: gpd.GeoDataFrame, surface: Surface, name: str) -> None:
    if frame.crs is None or not frame.crs.equals(surface.crs, ignore_axis_order=True):
        raise CrsError(
            f"{name} are in {'no CRS' if frame.crs is None else crs_label(frame.crs)} and the raster in {crs_label(surface.crs)}; bring them "
            f"to the same: {name}.to_crs(raster.crs)"
        )
