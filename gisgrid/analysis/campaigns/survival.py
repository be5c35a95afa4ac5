"""What share is back after so many days, when some are still being watched?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from gisgrid.analysis.alignment import Floats
from gisgrid.errors import IndexMismatchError, InputError, warn_null

_MOST_CELLS: Final = 200_000_000

_Ints = NDArray[np.int64]
_Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class LogRank:
    """Whether groups come back at different speeds.

    Attributes
    ----------
    statistic
        χ² of the log-rank test.
    n_degrees
        Its degrees of freedom: groups less one.
    p
        How often chance alone would make the groups differ as much; NaN where nothing came back.
    """

    statistic: float
    n_degrees: int
    p: float


def kaplan_meier(
    waits: pd.DataFrame, groups: pd.Series | None = None, *, level: float = 0.95
) -> pd.DataFrame:
    """Draw the curve of how many problems are back after so many days, with those still quiet allowed for.

    Parameters
    ----------
    waits
        Shape (m, 2): `days` and `is_back` as from `time_to_next`; rows without `days` are left out.
    groups
        Shape (m,), indexed like `waits`; missing for none. None: all together.
    level
        Of the intervals, 0 to 1.

    Returns
    -------
    DataFrame
        One row per group and moment at which something came back, sorted: `group`, `days`, `n_at_risk` (still quiet and
        watched just before), `n_back` (at that moment), `share_back` (by then, 0 to 1), `std_error` (Greenwood's),
        `low`, `high`.

    Raises
    ------
    IndexMismatchError
        `waits` and `groups` are not indexed alike.
    InputError
        Negative or infinite waits, or a level out of range.

    Warns
    -----
    NullResultWarning
        No report has a wait: there are no rows.

    Notes
    -----
    As in `gisgrid.analysis.rebound`.

    Examples
    --------
    >>> waits = pd.DataFrame({"days": [2, 5, 9, 20.0], "is_back": [True, False, True, False]})
    >>> kaplan_meier(waits)[["days", "n_at_risk", "share_back"]].to_numpy().tolist()
    [[2.0, 4.0, 0.25], [9.0, 2.0, 0.625]]
    """
    days, back, code, names = watched(waits, groups)
    curve = curve_of(days, back, code, level=level)
    return pd.DataFrame(
        {
            "group": names.take(curve.group), "days": curve.at, "n_at_risk": curve.n_at_risk, "n_back": curve.n_back,
            "share_back": curve.share, "std_error": curve.error, "low": curve.low, "high": curve.high,
        }
    )  # fmt: skip


def log_rank(waits: pd.DataFrame, groups: pd.Series) -> LogRank:
    """Say whether problems come back sooner in one kind of place than in another (log-rank test).

    Parameters
    ----------
    waits
        Shape (m, 2): `days` and `is_back` as from `time_to_next`; rows without `days` are left out.
    groups
        Shape (m,), indexed like `waits`: two groups or more; missing for none.

    Returns
    -------
    LogRank
        χ², degrees of freedom and p.

    Raises
    ------
    IndexMismatchError
        `waits` and `groups` are not indexed alike.
    InputError
        Negative or infinite waits, fewer than two groups, or more than memory holds.

    Warns
    -----
    NullResultWarning
        Nothing came back: there is nothing to compare.

    Notes
    -----
    Best against groups whose curves do not cross. CRS: none needed here. Cost: O(m · groups). Source: Mantel 1966; Peto &
    Peto 1972. Checked against: statsmodels `survdiff`.

    Examples
    --------
    >>> waits = pd.DataFrame({"days": [1, 2, 3, 4, 50, 60, 70, 80.0], "is_back": True})
    >>> found = log_rank(waits, pd.Series(list("aaaabbbb")))
    >>> round(found.statistic, 2), found.n_degrees, round(found.p, 3)
    (7.34, 1, 0.007)
    """
    days, back, code, names = watched(waits, groups)
    if len(names) < 2:
        raise InputError(
            f"a comparison needs two groups but there are {len(names)}; give groups that differ"
        )
    moments, deaths = np.unique(days[back], return_counts=True)
    if len(names) * len(moments) > _MOST_CELLS:
        raise InputError(
            f"{len(names)} groups at {len(moments)} moments do not fit into memory; take coarser groups"
        )
    if len(moments) == 0:
        warn_null("the speed of coming back has no answer because nothing came back; p is missing")
        return LogRank(np.nan, len(names) - 1, np.nan)
    risk = np.empty((len(names), len(moments)))
    observed = np.bincount(code[back], minlength=len(names)).astype(float)
    for group in range(len(names)):
        own = np.sort(days[code == group])
        risk[group] = len(own) - np.searchsorted(own, moments, side="left")
    at_risk = risk.sum(axis=0)
    share = risk / at_risk
    spread = deaths * (at_risk - deaths) / np.maximum(at_risk - 1, 1)
    off = (observed - share @ deaths)[:-1]
    variance = (np.diag(share @ spread) - (share * spread) @ share.T)[:-1, :-1]
    statistic = float(off @ np.linalg.pinv(variance, hermitian=True) @ off)
    return LogRank(statistic, len(names) - 1, float(special.chdtrc(len(names) - 1, statistic)))


@dataclass(frozen=True)
class Curve:
    """Kaplan-Meier of all groups one after the other, a row per group and moment at which something came back.

    Attributes
    ----------
    group
        Place of the row's group.
    at
        Days.
    n_at_risk, n_back
        Still quiet and watched just before; back at that moment.
    share, error, low, high
        Back by then, 0 to 1; Greenwood's standard error; the interval, NaN from the moment on at which all are back.
    """

    group: _Ints
    at: Floats
    n_at_risk: _Ints
    n_back: _Ints
    share: Floats
    error: Floats
    low: Floats
    high: Floats


def curve_of(days: Floats, back: _Bools, code: _Ints, *, level: float) -> Curve:
    """Work out Kaplan-Meier for all groups at once.

    Parameters
    ----------
    days
        Shape (m,), waits.
    back
        Shape (m,), whether they ended.
    code
        Shape (m,), place of each one's group.
    level
        Of the intervals.

    Returns
    -------
    Curve
        Sorted by group and time.

    Raises
    ------
    InputError
        A level outside 0 to 1.
    """
    if not 0 < level < 1:
        raise InputError(f"an interval of level {level:g} does not exist; give for example 0.95")
    order = np.lexsort((days, code))
    days, back, code = days[order], back[order], code[order]
    first = np.flatnonzero(np.r_[True, (np.diff(code) != 0) | (np.diff(days) != 0)][: len(days)])
    n_back = np.add.reduceat(back.astype(np.int64), first) if len(first) else np.empty(0, np.int64)
    ends = np.searchsorted(code, code[first], side="right")
    kept = n_back > 0
    first, n_back, n_at_risk = first[kept], n_back[kept], (ends - first)[kept]
    group, at = code[first], days[first]
    rest = n_at_risk - n_back
    last = rest == 0  # only ever the last moment of a group
    with np.errstate(divide="ignore", invalid="ignore"):
        survival = np.exp(_summed(np.where(last, 0.0, np.log(rest / n_at_risk)), group))
        greenwood = _summed(np.where(last, 0.0, n_back / (n_at_risk * rest)), group)
        survival[last], greenwood[last] = 0.0, np.nan
        reach = np.exp(special.ndtri((1 + level) / 2) * np.sqrt(greenwood) / abs(np.log(survival)))
        high, low = 1 - survival**reach, 1 - survival ** (1 / reach)
    high[last] = low[last] = np.nan
    error = survival * np.sqrt(greenwood)
    return Curve(group, at, n_at_risk, n_back, 1 - survival, error, low, high)


def _summed(values: Floats, group: _Ints) -> Floats:
    """Sum along each group, whose rows stand together."""
    total = np.cumsum(values)
    first = np.searchsorted(group, group, side="left")
    before: Floats = np.r_[0.0, total][first]
    return total - before


def watched(
    waits: pd.DataFrame, groups: pd.Series | None
) -> tuple[Floats, _Bools, _Ints, pd.Index]:
    """Read waits and their groups.

    Parameters
    ----------
    waits
        Shape (m, 2): `days` and `is_back`.
    groups
        Shape (m,), indexed like `waits`; None for one group, ``all``.

    Returns
    -------
    tuple
        Waits, whether they ended, the place of each one's group among the sorted groups (all without the rows that have
        no wait or no group), and the groups.

    Raises
    ------
    IndexMismatchError
        `waits` and `groups` are not indexed alike.
    InputError
        Negative or infinite waits.
    """
    if groups is not None and not groups.index.equals(waits.index):
        raise IndexMismatchError(
            f"{len(waits)} waits and {len(groups)} groups are not indexed alike; take both from one frame of reports"
        )
    days = waits["days"].to_numpy(dtype=float, na_value=np.nan)
    if ((days < 0) | np.isinf(days)).any():
        row = int(np.argmax((days < 0) | np.isinf(days)))
        raise InputError(
            f"a wait of {days[row]:g} days (at {waits.index[row]!r}) does not exist; give 0 and above, missing for none"
        )
    code, names = np.zeros(len(days), np.int64), pd.Index(["all"])
    if groups is not None:
        place, names = pd.factorize(groups, sort=True)
        code, names = place.astype(np.int64), pd.Index(names)
    there = ~np.isnan(days) & (code >= 0)
    if not there.any():
        warn_null(
            "nothing is known of when problems come back because no report has a wait; all is missing",
            depth=3,
        )
    back = waits["is_back"].to_numpy(dtype=bool)
    return days[there], back[there], code[there], names
