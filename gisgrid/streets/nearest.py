"""On which stretch of street is each place?"""

from __future__ import annotations

import math

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gisgrid.crs import crs_label, require_metres
from gisgrid.errors import CrsError, InputError
from gisgrid.places import point_places
from gisgrid.streets.network import network_of


def nearest_segment(
    points: gpd.GeoDataFrame, segments: gpd.GeoDataFrame, *, within_m: float
) -> pd.DataFrame:
    """Say on which segment of a street each report is.

    Parameters
    ----------
    points
        One point per report, in a projected CRS in metres.
    segments
        As from `street_segments`, in the same CRS.
    within_m
        A report farther from every street than this is on none, metres.

    Returns
    -------
    DataFrame
        Shape (n, 3), indexed like `points`: `segment_id`, `distance_m` from the street, `along_m` from the segment's
        beginning. Missing for a report on no street: `found[found["segment_id"].isna()]` lists them.

    Raises
    ------
    CrsError
        The coordinates are not metres, or the two have different CRSs.
    ColumnError
        A column of `street_segments` is missing.
    InputError
        Something other than points, or a distance that is negative.

    Notes
    -----
    Of segments that are equally near (at a junction) the first is taken. CRS: projected, metres. Cost: 100 000 reports a
    second. Checked against: the distances to all segments.

    Examples
    --------
    >>> from gisgrid.streets import street_segments
    >>> street = shapely.LineString([(0, 0), (200, 0)])
    >>> segments = street_segments(gpd.GeoDataFrame(geometry=[street], crs=4547), length_m=100)
    >>> reports = gpd.GeoDataFrame(geometry=gpd.points_from_xy([20, 130, 50], [3, -4, 90]), crs=4547)
    >>> nearest_segment(reports, segments, within_m=30)
       segment_id  distance_m  along_m
    0           0         3.0     20.0
    1           1         4.0     30.0
    2        <NA>         NaN      NaN
    """
    places = point_places(points, what="nearest_segment")
    network_of(segments)
    crs = require_metres(segments, what="nearest_segment", name="segments")
    if crs != places.crs:
        raise CrsError(
            f"'segments' are in {crs_label(crs)} but 'points' in {crs_label(places.crs)}; "
            "reproject one, for example points.to_crs(segments.crs)"
        )
    if not 0 <= within_m < math.inf:
        raise InputError(
            f"no report is within {within_m:g} m of a street; give 0 or more, such as 30"
        )
    lines = segments.geometry.to_numpy()
    spots = shapely.points(places.xy)
    report, line = shapely.STRtree(lines).query_nearest(spots, max_distance=within_m or 1e-9)
    order = np.lexsort((line, report))
    report, once = np.unique(report[order], return_index=True)
    line = line[order][once]
    row = np.flatnonzero(places.there)[report]
    number = np.full(len(points), -1)
    number[row] = line
    distance, along = np.full(len(points), np.nan), np.full(len(points), np.nan)
    distance[row] = shapely.distance(spots[report], lines[line])
    along[row] = shapely.line_locate_point(lines[line], spots[report])
    names = pd.Series(segments.index).convert_dtypes().array
    return pd.DataFrame(
        {
            "segment_id": names.take(number, allow_fill=True),
            "distance_m": distance,
            "along_m": along,
        },
        index=points.index,
    )
