"""Which reports are nearer to each other than chance would have them, and which of those knots lie near each other?"""

from __future__ import annotations

import heapq
import math
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

from gisgrid.analysis.clusters.by_density import cells_of, numbered
from gisgrid.analysis.clusters.kernels import REACH, Cells, count_near
from gisgrid.compiled import compiled
from gisgrid.errors import InputError, warn_null
from gisgrid.places import point_places

_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]

_MOST_ORDERS: Final = 10
_LEAST_CLUSTERS: Final = 2  # that make a cluster of the next order
_ERROR_OF_MEAN: Final = 0.26136  # of the nearest distances of n random points: this · √(area) / n


def nearest_neighbour_clusters(
    points: gpd.GeoDataFrame,
    *,
    min_reports: int = 10,
    area_km2: float | None = None,
    confidence: float = 0.5,
    threshold_m: float | None = None,
) -> pd.DataFrame:
    """Find knots of reports, knots of knots, and so on, as long as there are any (nearest-neighbour hierarchy).

    First the small clusters that one patrol can walk, then the districts they form. It is no test: choose
    `min_reports` so that random points would rarely do it.

    Parameters
    ----------
    points
        One point per report, in a projected CRS in metres. A report without a point belongs to no cluster.
    min_reports
        How many reports a first-order cluster has at least, 2 or more; one of a higher order has 2 clusters or more.
    area_km2
        The ground on which reports could lie. That of their bounding rectangle where it is missing.
    confidence
        One-sided, above 0 and below 1: how surely the mean nearest distance of as many random points would be longer
        than the threshold; 0.5 takes the mean itself.
    threshold_m
        How near is near for the first order, metres, instead of the distance by chance.

    Returns
    -------
    DataFrame
        Shape (n, number of orders), indexed like `points`: `order_1`, `order_2` …, the cluster of that order in which a
        report is, from 1 for the one with most members, missing for a report in none. There is always an `order_1`.

    Raises
    ------
    CrsError
        The coordinates are not metres.
    InputError
        Something other than points, or a number that is out of range.

    Warns
    -----
    NullResultWarning
        There are fewer reports with a place than a cluster needs, or all lie on one line and no area is given.

    Notes
    -----
    Random points: mean nearest distance 0.5 √(A / n), its standard error 0.26136 √A / n, and the threshold the mean
    less z(confidence) standard errors (Clark & Evans 1954). Then, as in Levine's CrimeStat: the report with most others
    within the threshold is a seed; it and they are a cluster and are taken out; again, until no seed has enough. Of
    equal seeds the southernmost, then westernmost, is taken. The mean centres of the clusters are the points of the
    next order, with a threshold of their own number, up to 10 orders; one cluster alone makes no order.
    CRS: projected, metres. Cost: O(reports · reports within the threshold).
    Checked against: the definition, by brute force.

    Examples
    --------
    >>> x = [0, 1, 2, 300, 301, 302, 5_000, 10_000]
    >>> reports = gpd.GeoDataFrame(geometry=gpd.points_from_xy(x, [0] * 8), crs=4547)
    >>> nearest_neighbour_clusters(reports, min_reports=3, area_km2=1)
       order_1  order_2
    0        1        1
    1        1        1
    2        1        1
    3        2        1
    4        2        1
    5        2        1
    6     <NA>     <NA>
    7     <NA>     <NA>
    """
    places = point_places(points, what="nearest_neighbour_clusters")
    _require(min_reports, area_km2, confidence, threshold_m)
    xy = places.xy
    area = _bounding_area(xy) if area_km2 is None else area_km2 * 1e6
    label = np.full(len(xy), -1)
    if len(xy) < min_reports or (area == 0 and threshold_m is None):
        warn_null(
            f"nearest_neighbour_clusters has {len(xy)} of {len(points)} reports with a place on "
            f"{area / 1e6:g} km², and needs {min_reports} and an area: none is in a cluster"
        )
        return pd.DataFrame({"order_1": numbered(label, places.there)}, index=points.index)
    reach = threshold_m or _by_chance(len(xy), area, confidence)
    orders = _orders(xy, reach, min_reports, area, confidence)
    columns = {f"order_{i + 1}": numbered(found, places.there) for i, found in enumerate(orders)}
    return pd.DataFrame(columns, index=points.index)


def _require(
    min_reports: int, area_km2: float | None, confidence: float, threshold_m: float | None
) -> None:
    if min_reports < 2:
        raise InputError(f"no cluster has {min_reports} reports; give 2 or more")
    if not 0 < confidence < 1:
        raise InputError(
            f"a confidence of {confidence:g} has no threshold; give one above 0 and below 1, such as 0.95"
        )
    for name, number in (("area_km2", area_km2), ("threshold_m", threshold_m)):
        if number is not None and not 0 < number < math.inf:
            raise InputError(
                f"{name} is {number:g}, but it must be above 0; give it or leave it out"
            )


def _bounding_area(xy: _Floats) -> float:
    if len(xy) == 0:
        return 0.0
    return float(np.ptp(xy[:, 0]) * np.ptp(xy[:, 1]))


def _by_chance(n: int, area: float, confidence: float) -> float:
    """How far from its nearest is one of n random points, at the lower bound of the mean, metres?"""
    mean = 0.5 * math.sqrt(area / n)
    return max(0.0, mean - float(ndtri(confidence)) * _ERROR_OF_MEAN * math.sqrt(area) / n)


def _orders(xy: _Floats, reach: float, least: int, area: float, confidence: float) -> list[_Ints]:
    """Give the cluster of each point in each order."""
    found: list[_Ints] = []
    member, centres = np.arange(len(xy)), xy
    while len(found) < _MOST_ORDERS:
        label = _one_order(centres, reach, least)
        n = int(label.max(initial=-1)) + 1
        if n == 0 and found:
            break
        whole = np.full(len(xy), -1)
        inside = member >= 0
        whole[inside] = label[member[inside]]
        found.append(whole)
        if n < _LEAST_CLUSTERS or area == 0:
            break
        size = np.bincount(label[label >= 0], minlength=n)
        centres = np.column_stack(
            [np.bincount(label[label >= 0], axis[label >= 0], n) / size for axis in centres.T]
        )
        member, least = whole, _LEAST_CLUSTERS
        reach = _by_chance(n, area, confidence)
    return found


def _one_order(xy: _Floats, reach: float, least: int) -> _Ints:
    """Take clusters out from the largest; labels from 0, of equal size from the south."""
    label = np.full(len(xy), -1)
    if reach <= 0:
        return label
    cells, order = cells_of(xy, reach)
    count = np.empty(len(xy), dtype=np.int64)
    count_near(cells, reach, len(xy) + 1, 0, len(cells.first) - 1, count)
    by_place = np.lexsort((cells.x, cells.y))
    label[order] = _taken_out(cells, reach, least, count, by_place)
    return label


@compiled
def _taken_out(cells: Cells, radius: float, least: int, count: _Ints, by_place: _Ints) -> _Ints:
    """Label each point with its cluster, seeds in the order of who is within the radius, then of `by_place`."""
    n = len(count)
    label = np.full(n, -1)
    cell_of = np.empty(n, np.int64)
    for cell in range(len(cells.first) - 1):
        cell_of[cells.first[cell] : cells.first[cell + 1]] = cell
    seeds = [(0, -1)]  # a list whose type is known; no seed counts 0
    seeds.pop()
    for place in range(n):  # numba extends lists by lists only
        if count[by_place[place]] >= least:
            seeds.append((-count[by_place[place]], place))  # noqa: PERF401
    heapq.heapify(seeds)
    clusters = 0
    while seeds:
        minus, place = heapq.heappop(seeds)
        seed = by_place[place]
        if label[seed] >= 0 or count[seed] < least:
            continue
        if count[seed] != -minus:  # some around it are gone since
            heapq.heappush(seeds, (-count[seed], place))
            continue
        members = _around(cells, cell_of[seed], seed, radius, label)
        label[members] = clusters
        clusters += 1
        for i in members:
            for other in _around(cells, cell_of[i], i, radius, label):
                count[other] -= 1
    return label


@compiled
def _around(cells: Cells, cell: int, i: int, radius: float, label: _Ints) -> _Ints:
    """List the points without a label within the radius of one."""
    found = np.empty(64, np.int64)
    n = 0
    for row in range(2 * REACH + 1):
        a = cells.first[cells.run_first[cell, row]]
        b = cells.first[cells.run_last[cell, row]]
        for j in range(a, b):
            dx, dy = cells.x[j] - cells.x[i], cells.y[j] - cells.y[i]
            if label[j] < 0 and dx * dx + dy * dy <= radius * radius:
                if n == len(found):
                    found = np.concatenate((found, np.empty(n, np.int64)))
                found[n] = j
                n += 1
    return found[:n]
