"""Where do reports lie so thick that they make a place of their own?

Clusters of points need no grid: the reports themselves draw the outline. `outlines` makes areas of them.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Final

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gisgrid.analysis.clusters.kernels import (
    REACH,
    Cells,
    cell_keys,
    count_near,
    in_order,
    joined_cells,
    nearest_core,
    order_of_keys,
    runs_around,
    southmost,
)
from gisgrid.errors import InputError, warn_null
from gisgrid.places import point_places

if TYPE_CHECKING:
    from collections.abc import Callable

_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]

_THREADS: Final = 2
_UNDER: Final = 1 - 1e-9  # a cell's diagonal stays under the radius whatever rounding does


def dbscan(points: gpd.GeoDataFrame, *, radius_m: float, min_reports: int) -> pd.DataFrame:
    """Find the places where reports lie thick, and tell them from the scattered rest (DBSCAN).

    A report with enough others around is a core of a cluster; cores within reach of each other are one cluster,
    whatever its shape. It is no test: with many reports in town, `min_reports` are near each other by chance alone.

    Parameters
    ----------
    points
        One point per report, in a projected CRS in metres. A report without a point belongs to no cluster.
    radius_m
        How near is near, metres; that far exactly still counts.
    min_reports
        How many reports, itself included, a report has within the radius to be a core.

    Returns
    -------
    DataFrame
        Shape (n, 2), indexed like `points`: `cluster`, from 1 for the one with the most reports (of equals the one that
        reaches farthest south, then west, first), missing for a report in none; `is_core`.

    Raises
    ------
    CrsError
        The coordinates are not metres.
    InputError
        Something other than points, a radius that is not above 0, fewer than 1 report, or a report so far away that
        cells of the radius have no number.

    Warns
    -----
    NullResultWarning
        There is no report with a place.

    Notes
    -----
    A report within the radius of cores of two clusters belongs to that of its nearest core; of equally near ones, to
    the cluster whose southernmost (then westernmost) core is first. So the order of the rows does not matter.
    CRS: projected, metres. Cost: a million reports in half a second; the result does not depend
    on the threads (2). Source: Ester, Kriegel, Sander & Xu 1996; cells: Gunawan 2013.
    Checked against: scikit-learn `DBSCAN` (same cores, same clusters of cores, same noise).

    Examples
    --------
    >>> reports = gpd.GeoDataFrame(geometry=gpd.points_from_xy([0, 40, 80, 900], [0] * 4), crs=4547)
    >>> dbscan(reports, radius_m=50, min_reports=3)["cluster"].to_list()
    [1, 1, 1, <NA>]
    >>> dbscan(reports, radius_m=50, min_reports=3)["is_core"].to_list()
    [False, True, False, False]
    """
    places = point_places(points, what="dbscan")
    if not (0 < radius_m < math.inf and min_reports >= 1):
        raise InputError(
            f"no cluster has {min_reports} reports within {radius_m:g} m; give a radius above 0 and 1 report or more"
        )
    _warn_without_places(places.xy, len(points), "dbscan")
    label, core = _clustered(places.xy, float(radius_m), int(min_reports))
    is_core = np.zeros(len(points), dtype=bool)
    is_core[places.there] = core
    return pd.DataFrame(
        {"cluster": numbered(label, places.there), "is_core": is_core}, index=points.index
    )


def hdbscan(
    points: gpd.GeoDataFrame, *, min_reports: int, core_reports: int | None = None
) -> pd.DataFrame:
    """Find clusters of different thickness without naming a radius (HDBSCAN).

    Where the old town is dense and the villages are not, one radius fits one of them only; this takes the clusters that
    last longest while the radius shrinks.

    Parameters
    ----------
    points
        One point per report, in a projected CRS in metres. A report without a point belongs to no cluster.
    min_reports
        The smallest cluster, 2 or more.
    core_reports
        How many reports, itself included, must be near for a report to count as dense: larger leaves more in none.
        `min_reports` where it is missing.

    Returns
    -------
    DataFrame
        Shape (n, 2), indexed like `points`: `cluster` as from `dbscan`; `strength`, 0 to 1, how firmly a report belongs to
        its cluster, 0 in none.

    Raises
    ------
    CrsError
        The coordinates are not metres.
    InputError
        Something other than points, or fewer than 2 reports for a cluster.

    Warns
    -----
    NullResultWarning
        There are fewer reports with a place than one cluster needs.

    Notes
    -----
    By scikit-learn, on the reports sorted by place, so that the order of the rows does not matter. CRS: projected,
    metres. Cost: grows with the square of the reports; 20 000 in two seconds, a million is for `dbscan`.
    Source: Campello, Moulavi & Sander 2013.

    Examples
    --------
    >>> x = [*range(0, 50, 10), *range(5_000, 5_500, 100), 99_000]
    >>> reports = gpd.GeoDataFrame(geometry=gpd.points_from_xy(x, [0] * 11), crs=4547)
    >>> hdbscan(reports, min_reports=3)["cluster"].isna().sum()
    np.int64(1)
    """
    places = point_places(points, what="hdbscan")
    dense = min_reports if core_reports is None else core_reports
    if min_reports < 2 or dense < 1:
        raise InputError(
            f"no cluster has {min_reports} reports and {dense} at its core; give 2 or more and 1 or more"
        )
    xy = places.xy
    label, strength = np.full(len(xy), -1), np.zeros(len(xy))
    if len(xy) < max(min_reports, dense):
        warn_null(
            f"hdbscan has {len(xy)} of {len(points)} reports with a place, fewer than the "
            f"{max(min_reports, dense)} of a cluster: none is in one"
        )
    else:
        from sklearn.cluster import HDBSCAN  # noqa: PLC0415 - a second of import time

        order = np.lexsort(xy.T)
        found = HDBSCAN(min_cluster_size=min_reports, min_samples=dense, copy=True).fit(xy[order])
        label[order], strength[order] = found.labels_, found.probabilities_
    whole = np.zeros(len(points))
    whole[places.there] = strength
    label = _south_first(label, xy)
    return pd.DataFrame(
        {"cluster": numbered(label, places.there), "strength": whole}, index=points.index
    )


def numbered(label: _Ints, there: NDArray[np.bool_]) -> pd.api.extensions.ExtensionArray:
    """Give clusters their numbers, from the largest.

    Parameters
    ----------
    label
        Shape (m,), from 0; -1 for a point in no cluster. Of clusters of the same size the lower label comes first.
    there
        Shape (n,), which of the n reports the m points are.

    Returns
    -------
    array
        Shape (n,), Int64 from 1, missing for a report in none.
    """
    inside = label >= 0
    size = np.bincount(label[inside])
    order = np.argsort(-size, kind="stable")
    rank = np.empty(len(size), dtype=np.int64)
    rank[order] = np.arange(1, len(size) + 1)
    number = np.zeros(len(there), dtype=np.int64)
    number[there] = np.where(inside, rank[label], 0) if len(rank) else 0
    return pd.arrays.IntegerArray(number, number == 0)


def cells_of(xy: _Floats, radius: float) -> tuple[Cells, _Ints]:
    """Sort points into cells whose diagonal is the radius.

    Parameters
    ----------
    xy
        Shape (n, 2), finite, metres.
    radius
        How near is near, metres.

    Returns
    -------
    Cells
        The points cell by cell.
    array
        Shape (n,), which point stands where in them.

    Raises
    ------
    InputError
        There are more cells between the farthest points than can be numbered.
    """
    side = radius / math.sqrt(2) * _UNDER
    x, y = xy[:, 0], xy[:, 1]  # a reduction along the columns is ten times slower
    west, south = float(x.min()), float(y.min())
    wide, high = (float(x.max()) - west) / side, (float(y.max()) - south) / side
    if (wide + 8) * (high + 8) > 2.0**62:
        raise InputError(
            f"a radius of {radius:g} m makes {wide:g} × {high:g} cells between the farthest reports; "
            "give a larger radius, or look for a report far away from all others"
        )
    columns = int(wide) + 2 * REACH + 2
    keys = cell_keys(xy, west, south, side, columns)
    order = order_of_keys(keys)
    x, y, occupied, first = in_order(xy, keys, order)
    run_first, run_last = runs_around(occupied, columns)
    return Cells(x, y, first, run_first, run_last), order


def _clustered(xy: _Floats, radius: float, min_reports: int) -> tuple[_Ints, NDArray[np.bool_]]:
    """Give each point's label, from 0 for the southernmost cluster, -1 in none, and whether it is a core."""
    n = len(xy)
    label, is_core = np.full(n, -1), np.zeros(n, dtype=bool)
    if n == 0:
        return label, is_core
    cells, order = cells_of(xy, radius)
    count = np.empty(n, dtype=np.int64)
    _by_halves(cells, partial(count_near, cells, radius, min_reports), count)
    dense = count >= min_reports
    first = np.concatenate([[0], np.cumsum(dense)])[cells.first]
    core = Cells(cells.x[dense], cells.y[dense], first, cells.run_first, cells.run_last)
    joined = joined_cells(core, radius)
    groups = np.unique(joined[np.diff(first) > 0])
    north, east = southmost(core, joined)
    rank = np.full(len(joined), -1)
    rank[groups[np.lexsort((east[groups], north[groups]))]] = np.arange(len(groups))
    of_cell = rank[joined]
    found = np.full(n, -1)
    found[dense] = np.repeat(of_cell, np.diff(first))
    if len(groups):
        _by_halves(cells, partial(nearest_core, cells, core, of_cell, radius), found)
    label[order], is_core[order] = found, dense
    return label, is_core


def _by_halves(cells: Cells, work: Callable[[int, int, _Ints], None], result: _Ints) -> None:
    """Run a loop over all cells in two threads, each with half of the points; each fills its own part."""
    m = len(cells.first) - 1
    middle = int(np.searchsorted(cells.first, len(cells.x) // 2))
    ends = [0, min(middle, m), m]
    with ThreadPoolExecutor(_THREADS) as threads:
        list(threads.map(lambda i: work(ends[i], ends[i + 1], result), range(_THREADS)))


def _south_first(label: _Ints, xy: _Floats) -> _Ints:
    """Relabel clusters from the one that reaches farthest south, then west."""
    inside = np.flatnonzero(label >= 0)
    order = inside[np.lexsort((xy[inside, 0], xy[inside, 1]))]
    found, at = np.unique(label[order], return_index=True)
    rank = np.full(len(found) + 1, -1)
    rank[found[np.argsort(at)]] = np.arange(len(found))
    relabelled: _Ints = rank[label]
    return relabelled


def _warn_without_places(xy: _Floats, n: int, what: str) -> None:
    if len(xy) == 0:
        warn_null(f"{what} has {n} reports and none with a place: none is in a cluster", depth=3)
