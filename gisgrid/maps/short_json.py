"""Areas and numbers as short as a map needs them, inside a page."""

from __future__ import annotations

import json
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gisgrid.crs import LONLAT, require_crs


def features(frame: gpd.GeoDataFrame, columns: list[str]) -> dict[str, Any]:
    """Give areas as GeoJSON with short numbers.

    Parameters
    ----------
    frame
        Areas in longitude, latitude.
    columns
        The properties to keep.

    Returns
    -------
    dict
        A FeatureCollection: coordinates to 6 decimals (0.1 m), numbers to 6 significant digits, None where missing.

    Examples
    --------
    >>> frame = gpd.GeoDataFrame({"z": [1 / 3]}, geometry=[shapely.Point(1 / 3, 2)], crs=4326)
    >>> features(frame, ["z"])["features"][0]["geometry"]["coordinates"]
    [0.333333, 2.0]
    """
    values = {
        column: [_plain(value) for value in frame[column].tolist()]
        for column in dict.fromkeys(columns)
    }
    geometries = _geometries(np.asarray(frame.geometry.array, dtype=object))
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "properties": dict(zip(values, row, strict=True)),
                "geometry": geometry,
            }
            for geometry, *row in zip(geometries, *values.values(), strict=True)
        ],
    }


def lines(outline: gpd.GeoDataFrame) -> list[dict[str, Any] | None]:
    """Give the boundaries of areas as GeoJSON geometries.

    Parameters
    ----------
    outline
        Areas in any CRS.

    Returns
    -------
    list of dict
        Lines in longitude, latitude; None where an area has no geometry.

    Raises
    ------
    CrsError
        `outline` has no CRS.
    """
    require_crs(outline, name="outline")
    return _geometries(
        shapely.boundary(np.asarray(outline.to_crs(LONLAT).geometry.array, dtype=object))
    )


def groups(frame: gpd.GeoDataFrame, column: str) -> list[dict[str, Any]]:
    """Give the outline of areas that belong together, and a place for their number.

    Parameters
    ----------
    frame
        Areas in longitude, latitude.
    column
        The number of the group that an area is in; missing where it is in none.

    Returns
    -------
    list of dict
        `number`, `at` (latitude, longitude, inside one of the areas) and `outline` as GeoJSON, in the order of numbers.
    """
    inside = frame[frame[column].notna()]
    found = []
    for number, own in inside.groupby(inside[column].astype(int)):
        whole = shapely.union_all(shapely.make_valid(own.geometry.to_numpy()))
        at = shapely.point_on_surface(whole)
        [outline] = _geometries(np.array([shapely.boundary(whole)], dtype=object))
        found.append({"number": number, "at": [round(at.y, 6), round(at.x, 6)], "outline": outline})
    return found


def _geometries(shapes: NDArray[np.object_]) -> list[dict[str, Any] | None]:
    rounded = shapely.transform(shapely.force_2d(shapes), lambda xy: np.round(xy, 6))
    return [None if text is None else json.loads(text) for text in shapely.to_geojson(rounded)]


def _plain(value: object) -> object:
    """Give a value as JSON has it; numbers to 6 significant digits."""
    if value is None or value is pd.NA or (isinstance(value, float) and not np.isfinite(value)):
        return None
    if isinstance(value, float):
        return float(f"{value:.6g}")
    return value if isinstance(value, int | str | bool) else str(value)


def script_json(data: object) -> str:
    """Write JSON that stays data inside a script element.

    Parameters
    ----------
    data
        What JSON can hold.

    Returns
    -------
    str
        JSON in which no markup can begin.

    Examples
    --------
    >>> script_json([1, "</script>"]).count("<")
    0
    """
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
