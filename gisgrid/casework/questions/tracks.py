"""What do phones and trackers write about a patrol?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gisgrid.errors import InputError
from gisgrid.files import first_line, read_frame

_TIMES: Final = ("coordTimes", "times", "time", "timestamps")


def read_tracks(path: str | Path) -> gpd.GeoDataFrame:
    """Read the fixes of patrol tracks.

    Parameters
    ----------
    path
        ``.gpx`` (tracks), or ``.geojson``/``.json``: lines with their times in the property ``coordTimes`` or ``times``, or
        points with ``track_id`` and ``time``.

    Returns
    -------
    GeoDataFrame
        One row per fix, in the order of the tracks, WGS84: `track_id` (text), `at` (UTC; missing where the file has none),
        the point.

    Raises
    ------
    InputError
        The file cannot be read, is of another kind, or has as many times as it has not positions.

    Notes
    -----
    CRS: both formats are WGS84 by definition. A tracker that writes GCJ-02 shifts every fix by some 500 m: convert first
    (`gisgrid.datum`).
    """
    path = Path(path)
    kind = path.suffix.lower()
    if kind == ".gpx":
        found = _gpx(path)
    elif kind in {".geojson", ".json"}:
        found = _geojson(path)
    else:
        raise InputError(
            f"tracks {path.name!r} are neither .gpx nor .geojson; export them as one of these"
        )
    lon, lat = found.geometry.x.to_numpy(), found.geometry.y.to_numpy()
    wrong = ~((np.abs(lon) <= 180) & (np.abs(lat) <= 90))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InputError(
            f"{wrong.sum()} of {len(found)} fixes in {path.name!r} are nowhere on earth (first: track "
            f"{found['track_id'].iloc[row]!r}, {lon[row]:g}, {lat[row]:g}); write longitude before latitude, in degrees"
        )
    return found


def _gpx(path: Path) -> gpd.GeoDataFrame:
    fixes = read_frame(path, layer="track_points")
    order = fixes.sort_values(["track_fid", "track_seg_id", "track_seg_point_id"], kind="stable")
    name = order["track_fid"].astype(str) + "." + order["track_seg_id"].astype(str)
    at = (
        pd.to_datetime(order["time"], utc=True).to_numpy(dtype="datetime64[us]")
        if "time" in order
        else None
    )
    return _fixes(name.to_numpy(dtype=object), at, shapely.force_2d(order.geometry.to_numpy()))


def _geojson(path: Path) -> gpd.GeoDataFrame:
    try:
        raw = json.loads(path.read_text(encoding="utf-8-sig"))
        features = raw["features"] if raw["type"] == "FeatureCollection" else [raw]
        rows = [row for number, each in enumerate(features) for row in _feature(each, number)]
    except OSError as error:
        raise InputError(f"tracks {path.name!r} cannot be read: {first_line(error)}") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(
            f"tracks {path.name!r} are no GeoJSON of lines or points: {first_line(error)}"
        ) from error
    if not rows:
        raise InputError(
            f"tracks {path.name!r} hold no position; export lines, or points with track_id and time"
        )
    names, times, x, y = (list(column) for column in zip(*rows, strict=True))
    try:
        at = pd.to_datetime(pd.Series(times, dtype=object), utc=True, format="ISO8601").to_numpy(
            dtype="datetime64[us]"
        )
    except (ValueError, TypeError) as error:
        raise InputError(
            f"tracks {path.name!r} have times that are not ISO 8601: {first_line(error)}"
        ) from error
    return _fixes(
        np.array(names, dtype=object), at, shapely.points(np.array(x, float), np.array(y, float))
    )


def _feature(feature: dict[str, Any], number: int) -> list[tuple[str, Any, float, float]]:
    shape, said = feature["geometry"], feature.get("properties") or {}
    if shape is None:
        return []
    name = str(said.get("track_id") or feature.get("id") or number)
    times = next((said[each] for each in _TIMES if each in said), None)
    if shape["type"] == "Point":
        return [(name, times, *shape["coordinates"][:2])]
    if shape["type"] not in {"LineString", "MultiLineString"}:
        raise ValueError(f"feature {number} is a {shape['type']}")
    lines = [shape["coordinates"]] if shape["type"] == "LineString" else shape["coordinates"]
    if times is None:
        times = [[None] * len(line) for line in lines]
    elif shape["type"] == "LineString":
        times = [times]
    rows = []
    for part, (line, moments) in enumerate(zip(lines, times, strict=True)):
        if len(line) != len(moments):
            raise ValueError(f"feature {number} has {len(line)} positions and {len(moments)} times")
        own = name if len(lines) == 1 else f"{name}.{part}"
        rows += [(own, at, *position[:2]) for position, at in zip(line, moments, strict=True)]
    return rows


def _fixes(
    track: NDArray[np.object_], at: NDArray[np.datetime64] | None, points: NDArray[np.object_]
) -> gpd.GeoDataFrame:
    moments = (
        np.full(len(track), np.datetime64("NaT"), dtype="datetime64[us]") if at is None else at
    )
    table = {"track_id": track, "at": pd.DatetimeIndex(moments).tz_localize("UTC")}
    return gpd.GeoDataFrame(pd.DataFrame(table), geometry=points, crs=4326)
