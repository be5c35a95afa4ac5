"""How far should one report count: less where many lie, more where few do?"""

from __future__ import annotations

import math
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gisgrid.analysis.surfaces.density import kernel_density
from gisgrid.analysis.surfaces.kernels import gathered_from_cells
from gisgrid.errors import InputError, warn_null
from gisgrid.places import point_places

_PILOT_CELLS: Final = 10  # per bandwidth of the pilot


def adaptive_bandwidth(
    points: gpd.GeoDataFrame,
    *,
    least_m: float,
    most_m: float,
    pilot_m: float | None = None,
    nearest: int | None = None,
) -> pd.Series:
    """Choose a kernel for each report: narrow in the old town, where it shows streets, wide in the villages.

    Parameters
    ----------
    points
        One point per report, in a projected CRS in metres. A report without a point gets `most_m`.
    least_m, most_m
        No bandwidth is narrower or wider, metres; take a cell or more for the first.
    pilot_m
        Abramson's rule: the bandwidth of a first, fixed surface. A report where that is as thick as usual (the geometric
        mean over all reports) gets this bandwidth, one where it is four times as thick half of it.
    nearest
        The k-nearest rule, instead: a report gets the distance to its k-th nearest other.

    Returns
    -------
    Series
        Shape (n,), indexed like `points`: metres, for `kernel_density`.

    Raises
    ------
    CrsError
        The coordinates are not metres.
    InputError
        Something other than points, both rules or none, or limits out of order.

    Warns
    -----
    NullResultWarning
        There are not as many reports as the rule needs: all get `most_m`.

    Notes
    -----
    h_i = h (f(x_i) / g)^(-1/2), f the quartic surface of bandwidth h = `pilot_m`, g the geometric mean of f over the reports.
    CRS: projected, metres. Source: Abramson 1982; Loftsgaarden & Quesenberry 1965.
    Checked against: both rules by hand.

    Examples
    --------
    >>> reports = gpd.GeoDataFrame(geometry=gpd.points_from_xy([0, 100, 300], [0] * 3), crs=4547)
    >>> adaptive_bandwidth(reports, least_m=150, most_m=1_000, nearest=1).to_list()
    [150.0, 150.0, 200.0]
    """
    places = point_places(points, what="adaptive_bandwidth")
    if (pilot_m is None) == (nearest is None):
        raise InputError(
            f"adaptive_bandwidth has pilot_m={pilot_m} and nearest={nearest} but follows one rule; give one of the two"
        )
    if not 0 < least_m <= most_m < math.inf or (nearest is not None and nearest < 1):
        raise InputError(
            f"bandwidths from {least_m:g} to {most_m:g} m by the nearest {nearest} are none; "
            "give metres above 0 in order, and 1 or more reports"
        )
    width = np.full(len(points), float(most_m))
    xy = places.xy
    if len(xy) <= (nearest or 0):
        warn_null(
            f"adaptive_bandwidth has {len(xy)} of {len(points)} reports with a place, and the rule needs "
            f"{(nearest or 0) + 1}: all get {most_m:g} m"
        )
    elif nearest is not None:
        from scipy.spatial import KDTree  # noqa: PLC0415 - half a second of import time

        apart = KDTree(xy).query(xy, k=[nearest + 1])[0]
        width[places.there] = np.ravel(apart)
    elif pilot_m is not None:
        thick = _thickness(points[places.there], xy, pilot_m)
        usual = np.exp(np.log(thick).mean())
        width[places.there] = pilot_m / np.sqrt(thick / usual)
    return pd.Series(np.clip(width, least_m, most_m), points.index, name="bandwidth_m")


def _thickness(
    points: gpd.GeoDataFrame, xy: NDArray[np.float64], pilot_m: float
) -> NDArray[np.float64]:
    """Give the density at each report itself."""
    surface = kernel_density(points, cell_m=pilot_m / _PILOT_CELLS, bandwidth_m=pilot_m)
    at = surface.transform
    column, row = (xy[:, 0] - at.c) / at.a, (xy[:, 1] - at.f) / at.e
    thick = gathered_from_cells(surface.values.astype(float), column - 0.5, row - 0.5)
    floored: NDArray[np.float64] = np.maximum(thick, thick.max() * 1e-9)
    return floored
