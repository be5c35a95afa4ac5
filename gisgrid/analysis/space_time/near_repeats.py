"""After a report, is the next one nearby sooner than chance would have it?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.spatial import KDTree

from gisgrid.analysis.alignment import Floats
from gisgrid.analysis.permutations import MAX_PERMUTATIONS
from gisgrid.compiled import compiled
from gisgrid.crs import require_metres
from gisgrid.errors import InputError, warn_null

NEAR_M: Final = (100.0, 200.0, 300.0, 400.0)
"""Bands of distance that are looked at by default."""
SOON_DAYS: Final = (7.0, 14.0, 21.0, 28.0)
"""Bands of time that are looked at by default."""

_DAY_S: Final = 86_400.0
_US: Final = 1_000_000  # times are counted in whole microseconds, exactly
_LANES: Final = 8  # permutations that are counted side by side
_MOST_PAIRS: Final = 100_000_000

_Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Knox:
    """How many pairs of reports are close in both space and time, and how many chance would give.

    Attributes
    ----------
    n
        Reports.
    n_near, n_soon
        Pairs within the distance, and pairs within the time.
    n_both
        Pairs within both.
    expected
        Of those if times had nothing to do with places: n_near · n_soon / all pairs.
    ratio
        n_both / expected; NaN where nothing is expected.
    p
        One-sided: how often as many or more by chance.
    """

    n: int
    n_near: int
    n_soon: int
    n_both: int
    expected: float
    ratio: float
    p: float


def knox(
    reports: gpd.GeoDataFrame,
    *,
    time: str,
    radius_m: float,
    within: dt.timedelta,
    permutations: int = 999,
    seed: int = 0,
) -> Knox:
    """Say whether reports that are near each other also come soon after each other (Knox test).

    Parameters
    ----------
    reports
        m points, projected, in metres. Leave out duplicates: one incident reported twice is near and soon by itself.
    time
        The column of times, for example ``reported_at``. Rows without a time or a place are left out.
    radius_m
        Near: so far apart or less, 0 and above.
    within
        Soon: so long after each other or less.
    permutations
        19 to 999 999; times are dealt out anew among the places.
    seed
        Seed of the permutations.

    Returns
    -------
    Knox
        Pairs observed and expected, their ratio, and p.

    Raises
    ------
    CrsError
        The coordinates are not metres.
    InputError
        No such column of times, a radius, time or number of permutations out of range, or too many pairs for memory.

    Warns
    -----
    NullResultWarning
        There is no pair near each other, or fewer than two reports: p is missing.

    Notes
    -----
    A district that is reported more and more makes pairs of its own (population shift bias): keep the period to a year or
    two. p = (M + 1) / (R + 1). CRS: projected, metres. Cost: O(pairs near · permutations). Source: Knox 1964. Checked
    against: pointpats `Knox`.

    Examples
    --------
    >>> points = gpd.points_from_xy([0, 10, 5_000, 5_010, 9_000, 200], [0] * 6, crs=4547)
    >>> days = pd.to_datetime(["2025-01-01", "2025-01-03", "2025-05-01", "2025-05-02", "2025-09-01", "2025-12-01"])
    >>> found = knox(gpd.GeoDataFrame({"at": days}, geometry=points), time="at", radius_m=50, within=dt.timedelta(days=7))
    >>> found.n_near, found.n_soon, found.n_both, round(found.expected, 3)
    (2, 2, 2, 0.267)
    """
    table = _table(
        reports,
        time=time,
        bands_m=(radius_m,),
        bands_s=(within / dt.timedelta(seconds=1),),
        permutations=permutations,
        seed=seed,
    )
    return Knox(
        n=table.n,
        n_near=int(table.near[0]),
        n_soon=int(table.soon[0]),
        n_both=int(table.both[0, 0]),
        expected=float(table.expected[0, 0]),
        ratio=float(table.ratio[0, 0]),
        p=float(table.p[0, 0]),
    )


def near_repeat(
    reports: gpd.GeoDataFrame,
    *,
    time: str,
    bands_m: Sequence[float] = NEAR_M,
    bands_days: Sequence[float] = SOON_DAYS,
    permutations: int = 999,
    seed: int = 0,
) -> pd.DataFrame:
    """Say how much likelier another report is within 100 m and a week of one than it would be by chance.

    Parameters
    ----------
    reports
        m points, projected, in metres. Leave out duplicates: one incident reported twice is near and soon by itself.
    time
        The column of times, for example ``reported_at``. Rows without a time or a place are left out.
    bands_m
        Upper ends of the bands of distance, rising: (0, 100, 200) asks for the very same place, up to 100 m, up to 200.
    bands_days
        Upper ends of the bands of time, in days of 24 hours, rising.
    permutations
        19 to 999 999; times are dealt out anew among the places.
    seed
        Seed of the permutations.

    Returns
    -------
    DataFrame
        One row per band of distance and time: `over_m`, `to_m`, `over_days`, `to_days` (the lower end is not in the
        band, but 0 is in the first), `n_pairs`, `expected`, `ratio` (n_pairs / expected; NaN where nothing is expected),
        `p` (one-sided: as many or more by chance; each band by itself).

    Raises
    ------
    CrsError
        The coordinates are not metres.
    InputError
        No such column of times, bands that do not rise, permutations out of range, or too many pairs for memory.

    Warns
    -----
    NullResultWarning
        There is no pair near each other, or fewer than two reports: p is missing.

    Notes
    -----
    Expected is exact: pairs in the band of distance times pairs in the band of time over all pairs. Otherwise as `knox`.
    CRS: projected, metres. Source: Johnson & Bowers 2004; Ratcliffe & Rengert 2008. Checked against: pointpats `Knox`
    for nested bands.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> x = np.repeat(rng.uniform(0, 9_000, 60), 2)
    >>> days = np.repeat(rng.uniform(0, 300, 60), 2) + np.tile([0, 3], 60)
    >>> frame = gpd.GeoDataFrame({"at": pd.Timestamp("2025-01-01", tz="UTC") + pd.to_timedelta(days, unit="D")},
    ...                          geometry=gpd.points_from_xy(x, rng.uniform(0, 9_000, 60).repeat(2)), crs=4547)
    >>> found = near_repeat(frame, time="at", bands_m=(100, 500), bands_days=(7, 14), permutations=99)
    >>> found[["to_m", "to_days", "n_pairs", "p"]].iloc[0].to_list()
    [100.0, 7.0, 60.0, 0.01]
    """
    metres, days = np.asarray(bands_m, dtype=float), np.asarray(bands_days, dtype=float)
    table = _table(
        reports,
        time=time,
        bands_m=metres,
        bands_s=days * _DAY_S,
        permutations=permutations,
        seed=seed,
    )
    shape = table.both.shape
    return pd.DataFrame(
        {
            "over_m": np.repeat(np.r_[0.0, metres[:-1]], shape[1]),
            "to_m": np.repeat(metres, shape[1]),
            "over_days": np.tile(np.r_[0.0, days[:-1]], shape[0]),
            "to_days": np.tile(days, shape[0]),
            "n_pairs": table.both.ravel(),
            "expected": table.expected.ravel(),
            "ratio": table.ratio.ravel(),
            "p": table.p.ravel(),
        }
    )


@dataclass(frozen=True)
class _Table:
    n: int
    near: _Ints
    soon: _Ints
    both: _Ints
    p: Floats

    @property
    def expected(self) -> Floats:
        pairs = self.n * (self.n - 1) / 2
        found: Floats = np.outer(self.near, self.soon) / (pairs or np.nan)
        return found

    @property
    def ratio(self) -> Floats:
        found: Floats = self.both / np.where(self.expected > 0, self.expected, np.nan)
        return found


def _table(
    reports: gpd.GeoDataFrame,
    *,
    time: str,
    bands_m: Sequence[float] | Floats,
    bands_s: Sequence[float] | Floats,
    permutations: int,
    seed: int,
) -> _Table:
    require_metres(reports, what="a near repeat", name="reports")
    metres = _rising(bands_m, "distance")
    ends = np.round(_rising(bands_s, "time") * _US).astype(np.int64)
    if not 19 <= permutations <= MAX_PERMUTATIONS:
        raise InputError(
            f"{permutations} permutations cannot tell 5 % from chance, or take too long; "
            f"give 19 to {MAX_PERMUTATIONS}, for example 999"
        )
    xy, when = _places_and_times(reports, time)
    n = len(when)
    shape = len(metres), len(ends)
    first, second, band = _near_pairs(xy, metres)
    soon = np.diff(_pairs_within(when, ends), prepend=0)
    near = np.bincount(band, minlength=len(metres)).astype(np.int64)
    both = np.zeros((*shape, 1), np.int64)
    _deal(first, second, band, when[:, None], ends, both)
    observed = np.diff(both[:, :, 0], axis=1, prepend=0)
    if len(first) == 0:
        warn_null(
            f"no two of {n} reports are within {metres[-1]:g} m, so nothing can repeat nearby; p is missing",
            depth=3,
        )
        return _Table(n, near, soon, observed, np.full(shape, np.nan))
    reached = np.zeros(shape, np.int64)
    rng = np.random.default_rng(seed)
    for done in range(0, permutations, _LANES):
        lanes = min(_LANES, permutations - done)
        dealt = np.empty((n, lanes), np.int64)
        for lane in range(lanes):
            dealt[:, lane] = rng.permutation(when)
        counts = np.zeros((*shape, lanes), np.int64)
        _deal(first, second, band, dealt, ends, counts)
        reached += (np.diff(counts, axis=1, prepend=0) >= observed[:, :, None]).sum(axis=2)
    return _Table(n, near, soon, observed, (reached + 1) / (permutations + 1))


def _rising(bands: Sequence[float] | Floats, what: str) -> Floats:
    ends = np.asarray(bands, dtype=float)
    if len(ends) == 0 or not (
        np.isfinite(ends).all() and ends[0] >= 0 and (np.diff(ends) > 0).all()
    ):
        raise InputError(
            f"bands of {what} must rise from 0 or above but are {ends.tolist()}; give for example (100, 200, 300)"
        )
    return ends


def _places_and_times(reports: gpd.GeoDataFrame, time: str) -> tuple[Floats, _Ints]:
    """Give coordinates and microseconds of the reports that have both, in an order that does not depend on the rows'."""
    if time not in reports.columns or not pd.api.types.is_datetime64_any_dtype(reports[time]):
        raise InputError(f"no column of times {time!r} in the reports; name one that holds moments")
    xy = np.c_[
        shapely.get_x(reports.geometry.to_numpy()), shapely.get_y(reports.geometry.to_numpy())
    ]
    moments = pd.DatetimeIndex(reports[time])
    if moments.tz is not None:
        moments = moments.tz_convert("UTC").tz_localize(None)
    when = moments.to_numpy(dtype="datetime64[us]").astype(np.int64)
    there = ~np.isnan(xy).any(axis=1) & np.asarray(moments.notna())
    xy, when = xy[there], when[there]
    order = np.lexsort((when, xy[:, 1], xy[:, 0]))
    return xy[order], when[order]


def _near_pairs(xy: Floats, metres: Floats) -> tuple[NDArray[np.int32], NDArray[np.int32], _Ints]:
    """Find all pairs within the last band, each once, and the band each is in."""
    tree = KDTree(xy) if len(xy) else None
    if tree is None:
        nothing = np.empty(0, np.int32)
        return nothing, nothing, nothing.astype(np.int64)
    n_pairs = (int(tree.count_neighbors(tree, metres[-1])) - len(xy)) // 2
    if n_pairs > _MOST_PAIRS:
        raise InputError(
            f"{n_pairs:,} pairs of {len(xy):,} reports are within {metres[-1]:g} m, too many to hold; "
            "take a smaller distance, a shorter period, or one category"
        )
    pairs = tree.query_pairs(metres[-1], output_type="ndarray")
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    first, second = pairs[:, 0].astype(np.int32), pairs[:, 1].astype(np.int32)
    apart = np.sqrt(((xy[first] - xy[second]) ** 2).sum(axis=1))
    band = np.minimum(np.searchsorted(metres, apart, side="left"), len(metres) - 1)
    return first, second, band.astype(np.int64)


def _pairs_within(when: _Ints, ends: _Ints) -> _Ints:
    """Count the pairs of reports that are no further apart in time than each end of a band."""
    ranked = np.sort(when)
    later = np.arange(1, len(ranked) + 1)
    within = [(np.searchsorted(ranked, ranked + end, side="right") - later).sum() for end in ends]
    return np.array(within, dtype=np.int64)


@compiled
def _deal(  # noqa: PLR0917 - a kernel writes into its arrays
    first: NDArray[np.int32],
    second: NDArray[np.int32],
    band: _Ints,
    when: _Ints,
    ends: _Ints,
    counts: _Ints,
) -> None:
    """Count near pairs by band of distance that are at most so far apart in time, for several deals side by side."""
    for k in range(len(first)):
        i, j, near = first[k], second[k], band[k]
        for e in range(len(ends)):
            end = ends[e]
            for lane in range(when.shape[1]):
                apart = when[i, lane] - when[j, lane]
                counts[near, e, lane] += np.int64(apart <= end) & np.int64(apart >= -end)
