"""Is this a place on earth: pairs of numbers and geometries, judged row by row."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer

from gisgrid.crs import LONLAT, crs_label
from gisgrid.errors import CrsError


def pair_points(x: pd.Series, y: pd.Series, crs: CRS) -> tuple[gpd.GeoSeries, pd.Series]:
    """Make points of two columns of coordinates.

    Parameters
    ----------
    x
        Shape (n,), easting or longitude, as numbers or text.
    y
        Shape (n,), northing or latitude, indexed like `x`.
    crs
        What the numbers are.

    Returns
    -------
    points : GeoSeries
        Shape (n,); a row that is refused has any or no point.
    reasons : Series
        Why a row is refused, for those that are, indexed like them.

    Raises
    ------
    CrsError
        `crs` is projected but all numbers look like degrees.
    """
    reasons = pd.Series(None, index=x.index, dtype="object", name="reason")
    easting, northing = _numbers(x), _numbers(y)
    for numbers, source in ((easting, x), (northing, y)):
        bad = ~np.isfinite(numbers)
        missing = _missing(source)
        reasons[bad & ~missing & reasons.isna().to_numpy()] = f"{source.name!r} is not a number"
        reasons[missing] = f"{source.name!r} is empty"
    reasons[_missing(x) & _missing(y)] = f"{x.name!r} and {y.name!r} are empty"
    open_rows = reasons.isna().to_numpy()
    points = gpd.GeoSeries(shapely.points(easting, northing), index=x.index)
    _judge(easting, northing, open_rows, reasons, crs)
    return points, reasons.dropna()


def geometry_points(values: pd.Series, crs: CRS) -> tuple[gpd.GeoSeries, pd.Series]:
    """Take points out of a column of geometry.

    Parameters
    ----------
    values
        Shape (n,): geometries, or text (WKT, hexadecimal WKB) or bytes (WKB) of them.
    crs
        What their numbers are.

    Returns
    -------
    points : GeoSeries
        Shape (n,); a multipoint of one point counts as that point.
    reasons : Series
        Why a row is refused, for those that are, indexed like them.
    """
    reasons = pd.Series(None, index=values.index, dtype="object", name="reason")
    missing = values.isna().to_numpy()
    shapes = _shapes(values)
    single = (shapely.get_type_id(shapes) == shapely.GeometryType.MULTIPOINT) & (
        shapely.get_num_geometries(shapes) == 1
    )
    shapes[single] = shapely.get_geometry(shapes[single], 0)
    kinds = shapely.get_type_id(shapes)
    for kind in np.unique(kinds[kinds > 0]):
        name = shapely.GeometryType(kind).name.lower()
        reasons[kinds == kind] = f"the geometry is a {name}, not a point"
    reasons[kinds < 0] = "the geometry cannot be read"
    reasons[missing | shapely.is_empty(shapes)] = "no geometry"
    points = shapes.copy()
    points[(kinds != shapely.GeometryType.POINT) | shapely.is_empty(shapes)] = None
    open_rows = reasons.isna().to_numpy()
    _judge(shapely.get_x(points), shapely.get_y(points), open_rows, reasons, crs)
    return gpd.GeoSeries(points, index=values.index), reasons.dropna()


def _shapes(values: pd.Series) -> NDArray[np.object_]:
    if isinstance(values.dtype, gpd.array.GeometryDtype):
        return np.array(values.array, dtype=object)
    present = values.dropna()
    raw = values.astype(object).where(values.notna(), None).to_numpy()
    if len(present) and not isinstance(present.iloc[0], str):
        return np.array(shapely.from_wkb(raw, on_invalid="ignore"), dtype=object)
    with np.errstate(all="ignore"):  # GEOS tries hexadecimal text as numbers
        shapes = np.array(shapely.from_wkt(raw, on_invalid="ignore"), dtype=object)
    rest = shapely.is_missing(shapes)
    shapes[rest] = shapely.from_wkb(raw[rest], on_invalid="ignore")
    return shapes


def _numbers(values: pd.Series) -> NDArray[np.float64]:
    if pd.api.types.is_bool_dtype(values.dtype):
        return np.full(len(values), np.nan)
    if not pd.api.types.is_numeric_dtype(values.dtype):
        values = pd.to_numeric(values.astype("string").str.strip(), errors="coerce")
    return values.to_numpy(dtype=np.float64, na_value=np.nan)


def _missing(values: pd.Series) -> NDArray[np.bool_]:
    missing = values.isna().to_numpy(dtype=bool)
    if not pd.api.types.is_numeric_dtype(values.dtype):
        blank = values.astype("string").str.strip() == ""
        missing = missing | blank.fillna(value=True).to_numpy(dtype=bool)
    return missing


def _judge(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    open_rows: NDArray[np.bool_],
    reasons: pd.Series,
    crs: CRS,
) -> None:
    """Refuse, among the rows still open, what is no place in `crs`."""
    zero = open_rows & (x == 0) & (y == 0)
    reasons[zero] = "the coordinates are 0, 0, where exports put what has no place"
    rows = open_rows & ~zero
    if crs.is_geographic:
        reasons[rows & (np.abs(y) > 90)] = "the latitude is outside -90 to 90"
        reasons[rows & (np.abs(x) > 180)] = "the longitude is outside -180 to 180"
        return
    if rows.any() and (np.abs(x[rows]) <= 180).all() and (np.abs(y[rows]) <= 90).all():
        first = int(np.flatnonzero(rows)[0])
        raise CrsError(
            f"the coordinates look like degrees (first: {x[first]:g}, {y[first]:g}) but {crs_label(crs)} counts "
            "otherwise; state what they are, for example --issues-crs EPSG:4326"
        )
    lon, lat = Transformer.from_crs(crs, LONLAT, always_xy=True).transform(x, y, errcheck=False)
    outside = rows & ~(np.isfinite(lon) & np.isfinite(lat))
    reasons[outside] = f"the coordinates lie outside the reach of {crs_label(crs)}"
