"""At what scale do the reports themselves gather: how large a cell, how far a neighbour?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.spatial import KDTree

from gisgrid.analysis.alignment import Floats
from gisgrid.crs import require_metres
from gisgrid.errors import IndexMismatchError, InputError, warn_null
from gisgrid.schema import Text

_STEPS: Final = 30
_SPREAD: Final = 3.0
_PER_CELL: Final = 10
_MOST_PAIRS: Final = 50_000_000
_MOST_NEAR: Final = 0.1  # of all units, in a neighbourhood
_FEW_NEIGHBOURS: Final = 8
_MANY_NEIGHBOURS: Final = 250


@dataclass(frozen=True)
class Choice:
    """Something that was decided for the user, and why.

    Attributes
    ----------
    name
        What was decided: ``cell_m``, ``distance_m``, ``outliers``, ``permutations``.
    value
        What it came to.
    why
        The reason, with its figures.
    """

    name: str
    value: float
    why: Text


def locational_outliers(points: gpd.GeoDataFrame) -> tuple[pd.Series, Choice]:
    """Say which reports lie so far from any other that they would stretch the map for nothing.

    Parameters
    ----------
    points
        One point per report, in a projected CRS in metres; null points are none.

    Returns
    -------
    tuple of Series and Choice
        True for outliers, indexed like `points`; and how many there are, by which rule.

    Raises
    ------
    CrsError
        The coordinates are not metres.

    Notes
    -----
    A place is an outlier where its distance to the nearest other place exceeds the mean of those distances by three
    standard deviations; places with several reports never are. CRS: projected, metres. Source: the rule of optimised hot
    spot analysis, as others have described it.

    Examples
    --------
    >>> xy = np.r_[np.random.default_rng(1).uniform(0, 900, (99, 2)), [[9_000, 9_000]]]
    >>> points = gpd.GeoDataFrame(geometry=gpd.points_from_xy(*xy.T), crs=4547)
    >>> np.flatnonzero(locational_outliers(points)[0]).tolist()
    [99]
    """
    require_metres(points, what="locational_outliers", name="points")
    xy, there = _xy(points)
    places, at, many = np.unique(xy, axis=0, return_inverse=True, return_counts=True)
    outlier = np.zeros(len(points), bool)
    limit = math.inf
    if len(places) > 2:
        apart = _apart(KDTree(places), places, 1)
        limit = float(apart.mean() + _SPREAD * apart.std())
        outlier[there] = ((apart > limit) & (many == 1))[at.ravel()]
    n = int(outlier.sum())
    why = Text(
        zh=f"{n} 条上报与最近的另一处相距超过 {limit:.0f} 米（平均值加 {_SPREAD:g} 倍标准差），不参与分析",
        en=f"{n} reports lie over {limit:.0f} m (mean plus {_SPREAD:g} standard deviations) from the next place and are left out",
    )
    return pd.Series(outlier, index=points.index, name="outlier"), Choice("outliers", n, why)


def suggested_cell_m(points: gpd.GeoDataFrame, *, area_km2: float) -> Choice:
    """Choose how wide cells should be, so that they show as much as the reports can tell, and no more.

    Parameters
    ----------
    points
        One point per report, in a projected CRS in metres, without locational outliers.
    area_km2
        The area that the cells will cover, km².

    Returns
    -------
    Choice
        ``cell_m``, metres, rounded to two digits.

    Raises
    ------
    CrsError
        The coordinates are not metres.
    InputError
        Fewer than 30 reports, fewer than two places, or no area.

    Notes
    -----
    The larger of twice the mean or median distance between places (finer cells would be mostly empty) and the width at
    which cells hold ten reports on average (with fewer, the normal p promises too much: docs/decisions/0004). CRS:
    projected, metres.
    """
    require_metres(points, what="suggested_cell_m", name="points")
    xy, _ = _xy(points)
    places = np.unique(xy, axis=0)
    if len(xy) < _STEPS or len(places) < 2 or not area_km2 > 0:
        raise InputError(
            f"{len(xy)} reports at {len(places)} places on {area_km2:g} km² do not suggest a cell; "
            f"give at least {_STEPS} reports at two places, or choose cell_m yourself"
        )
    apart = _apart(KDTree(places), places, 1)
    by_distance = 2 * max(float(apart.mean()), float(np.median(apart)))
    by_number = 1_000 * math.sqrt(_PER_CELL * area_km2 / len(xy))
    cell_m = _two_digits(max(by_distance, by_number))
    why = Text(
        zh=f"网格宽 {cell_m:g} 米：上报地点相距约 {by_distance / 2:.0f} 米，每格平均 {_PER_CELL} 条需要 {by_number:.0f} 米",
        en=(
            f"cells of {cell_m:g} m: places lie about {by_distance / 2:.0f} m apart, "
            f"and {_PER_CELL} reports per cell need {by_number:.0f} m"
        ),
    )
    return Choice("cell_m", cell_m, why)


def incremental_autocorrelation(
    values: pd.Series,
    centres: gpd.GeoSeries,
    *,
    start_m: float | None = None,
    step_m: float | None = None,
    n_steps: int = _STEPS,
) -> pd.DataFrame:
    """Say how strongly values gather when neighbours are taken from ever further away.

    Parameters
    ----------
    values
        Shape (n,), a count or rate per unit; a missing one leaves its unit out.
    centres
        Shape (n,), indexed like `values`: the units, or their centres, in a projected CRS in metres.
    start_m
        The first distance; the mean distance to the nearest neighbour where it is missing.
    step_m
        How much each is more than the last; as much as `start_m` where it is missing.
    n_steps
        How many distances at most; fewer where the pairs would not fit in memory.

    Returns
    -------
    DataFrame
        One row per distance: `distance_m`, `n_pairs`, `i` (Moran's I, binary weights), `z`, `is_peak` (higher than the
        distances before and after it).

    Raises
    ------
    CrsError
        The coordinates are not metres.
    IndexMismatchError
        `values` and `centres` are not indexed alike.
    InputError
        A distance that is not above 0.

    Warns
    -----
    NullResultWarning
        Every value is the same, or fewer than four have one.

    Notes
    -----
    All distances share one list of pairs, sorted by length. CRS: projected, metres. Source: Cliff & Ord 1981.
    Checked against: `gisgrid.analysis.moran` at each distance.
    """
    require_metres(
        gpd.GeoDataFrame(geometry=centres), what="incremental_autocorrelation", name="centres"
    )
    if not values.index.equals(centres.index):
        raise IndexMismatchError(
            f"{len(values)} values and {len(centres)} centres are not indexed alike; align them first"
        )
    x = values.to_numpy(dtype=float, na_value=np.nan)
    middle = shapely.centroid(centres.to_numpy())
    xy = np.column_stack([shapely.get_x(middle), shapely.get_y(middle)])
    known = ~np.isnan(x) & ~np.isnan(xy).any(axis=1)
    x, xy = x[known], xy[known]
    if len(x) < 4 or x.min() == x.max():
        warn_null(
            f"the distance at which {len(x)} units gather has no answer because every value is the same, "
            "or fewer than four have one; there are no rows"
        )
        return pd.DataFrame(columns=["distance_m", "n_pairs", "i", "z", "is_peak"])
    tree = KDTree(xy)
    start = start_m or float(_apart(tree, xy, 1).mean())
    step = step_m or start
    if not (start > 0 and step > 0):
        raise InputError(
            f"distances from {start:g} m by {step:g} m do not grow; give both above 0 (many units share a place)"
        )
    distances = start + step * np.arange(n_steps, dtype=float)
    held = tree.count_neighbors(tree, distances) - len(x)
    distances = distances[: max(1, int((held <= 2 * _MOST_PAIRS).sum()))]
    return _autocorrelation(x, tree, xy, distances)


def _autocorrelation(x: Floats, tree: KDTree, xy: Floats, distances: Floats) -> pd.DataFrame:
    pairs = tree.query_pairs(float(distances[-1]), output_type="ndarray")
    length = np.linalg.norm(xy[pairs[:, 0]] - xy[pairs[:, 1]], axis=1)
    order = np.argsort(length)
    pairs, length = pairs[order], length[order]
    ends = np.searchsorted(length, distances * (1 + 1e-12), side="right")
    y = x - x.mean()
    n, square = len(x), float(y @ y)
    kurtosis = float((y**4).mean() / (y**2).mean() ** 2)
    degree, top, begin = np.zeros(n), 0.0, 0
    rows = []
    for distance, end in zip(distances, ends, strict=True):
        near = pairs[begin:end]
        top += 2 * float((y[near[:, 0]] * y[near[:, 1]]).sum())
        degree += np.bincount(near.ravel(), minlength=n)
        begin = end
        s0, s1, s2 = 2.0 * end, 4.0 * end, 4 * float(degree @ degree)
        if end == 0:
            rows.append((distance, 0, np.nan, np.nan))
            continue
        value, expected = n / s0 * top / square, -1 / (n - 1)
        above = n * ((n * n - 3 * n + 3) * s1 - n * s2 + 3 * s0 * s0)
        above -= kurtosis * ((n * n - n) * s1 - 2 * n * s2 + 6 * s0 * s0)
        variance = above / ((n - 1) * (n - 2) * (n - 3) * s0 * s0) - expected**2
        z = (value - expected) / math.sqrt(variance) if variance > 1e-15 else np.nan
        rows.append((distance, int(end), value, z))
    found = pd.DataFrame(rows, columns=["distance_m", "n_pairs", "i", "z"])
    z = found["z"].to_numpy()
    peak = np.zeros(len(z), bool)
    peak[1:-1] = (z[1:-1] > z[:-2]) & (z[1:-1] >= z[2:])
    return found.assign(is_peak=peak)


def suggested_distance_m(values: pd.Series, centres: gpd.GeoSeries) -> Choice:
    """Choose how far neighbours should reach: where the values gather most strongly for the first time.

    Parameters
    ----------
    values
        Shape (n,), a count or rate per unit.
    centres
        Shape (n,), indexed like `values`: the units, or their centres, in a projected CRS in metres.

    Returns
    -------
    Choice
        ``distance_m``, metres: the first peak of `incremental_autocorrelation` with z above 1.96 at which a unit has on
        average no more neighbours than a tenth of all, at least 8 and at most 250; where there is none, the mean distance to the K-th
        nearest unit, K a twentieth of the units, at least 3 and at most 30.

    Raises
    ------
    CrsError
        The coordinates are not metres.
    IndexMismatchError
        `values` and `centres` are not indexed alike.
    InputError
        Fewer than 30 units have a value.

    Notes
    -----
    A peak further out is the shape of the city, its centre against its edge: neighbourhoods that wide call half of the map
    hot and the other half cold. CRS: projected, metres.
    """
    known = values.notna() & centres.notna()
    if known.sum() < _STEPS:
        raise InputError(
            f"{int(known.sum())} units with a value do not suggest a distance; give at least {_STEPS}, "
            "or choose neighbours yourself, for example by contiguity"
        )
    middle = shapely.centroid(centres[known].to_numpy())
    xy = np.column_stack([shapely.get_x(middle), shapely.get_y(middle)])
    tree, n = KDTree(xy), int(known.sum())
    most = min(max(_FEW_NEIGHBOURS, _MOST_NEAR * n), _MANY_NEIGHBOURS)
    steps = float(_apart(tree, xy, 1).mean()) * np.arange(1.0, _STEPS + 1)
    reached = _mean_neighbours(tree, xy, steps) <= most
    # One step more than is taken, so that a peak at the last one shows.
    table = incremental_autocorrelation(
        values[known], centres[known], n_steps=min(int(reached.sum()) + 1, _STEPS)
    )
    near = 2 * table["n_pairs"] <= most * n
    peaks = table[table["is_peak"] & (table["z"] > 1.96) & near] if len(table) else table
    if len(peaks):
        distance, z = float(peaks["distance_m"].iloc[0]), float(peaks["z"].iloc[0])
        why = Text(
            zh=f"邻域半径 {distance:.0f} 米：聚集程度在此首次达到峰值（Moran z = {z:.1f}）",
            en=f"neighbours within {distance:.0f} m: clustering peaks there for the first time (Moran z = {z:.1f})",
        )
        return Choice("distance_m", distance, why)
    k = max(3, min(30, len(xy) // 20))
    distance = float(_apart(tree, xy, k).mean())
    why = Text(
        zh=f"邻域半径 {distance:.0f} 米：聚集程度在近处没有峰值，取到第 {k} 近单元的平均距离",
        en=f"neighbours within {distance:.0f} m: clustering has no peak near by, so the mean distance to the {k} nearest units is taken",
    )
    return Choice("distance_m", distance, why)


def _apart(tree: KDTree, xy: Floats, k: int) -> Floats:
    """Give the distance of each to its k-th nearest other."""
    return np.asarray(tree.query(xy, k=[k + 1])[0], dtype=float).ravel()


def _mean_neighbours(tree: KDTree, xy: Floats, distances: Floats) -> Floats:
    """Give how many others lie within each distance, on average; of a few hundred places, which is enough to choose."""
    some = xy[:: max(1, len(xy) // 500)]
    found = KDTree(some).count_neighbors(tree, distances)
    return np.asarray(found, dtype=float) / len(some) - 1


def _xy(points: gpd.GeoDataFrame) -> tuple[Floats, NDArray[np.bool_]]:
    geometry = points.geometry.to_numpy()
    xy = np.column_stack([shapely.get_x(geometry), shapely.get_y(geometry)])
    there = ~np.isnan(xy).any(axis=1)
    return xy[there], there


def _two_digits(value: float) -> float:
    step = 10.0 ** (math.floor(math.log10(value)) - 1)
    return math.ceil(value / step - 1e-9) * step
