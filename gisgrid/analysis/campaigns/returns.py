"""How long does it take until the problem is back?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gisgrid.analysis.alignment import Floats
from gisgrid.analysis.campaigns.survival import Curve, curve_of, watched
from gisgrid.errors import IndexMismatchError, InputError

WITHIN_DAYS: Final = (7, 30, 90)
"""After how many days the share that is back is told by default."""

_DAY_US: Final = 86_400_000_000

_Ints = NDArray[np.int64]
_Bools = NDArray[np.bool_]


def time_to_next(
    reported_at: pd.Series,
    place: pd.Series,
    *,
    until: dt.datetime,
    settled_at: pd.Series | None = None,
    category: pd.Series | None = None,
) -> pd.DataFrame:
    """Say for each report how long it took until the next one at the same place, or how long there has been none.

    Parameters
    ----------
    reported_at
        Shape (m,), when each report was made, with a time zone; missing where unknown. Leave out duplicates: a second
        report of one incident is no rebound.
    place
        Shape (m,), indexed alike: what counts as the same place (a compound's code, a cell, an address); missing where
        unknown.
    until
        When the data end, with a time zone. Places without a further report are known to be quiet until then, no longer.
    settled_at
        Shape (m,), indexed alike: when the case was closed; the clock starts then, and reports made before it are the
        same problem. Missing where it is still open: then nothing can come back. None: the clock starts with the report.
    category
        Shape (m,), indexed alike: only a report of the same category is the problem come back. None: any.

    Returns
    -------
    DataFrame
        Shape (m, 2), indexed like `reported_at`: `days` (until the next report, or until the end of the data; NaN where
        the report has no time, place, category or settlement, or lies after `until`) and `is_back` (there was a next
        report; false where `days` is NaN).

    Raises
    ------
    IndexMismatchError
        The inputs are not indexed alike.
    InputError
        Times without a zone.

    Notes
    -----
    Reports at the same moment at the same place are one. CRS: none needed here. Cost: O(m log m).

    Examples
    --------
    >>> at = pd.Series(pd.to_datetime(["2025-01-01", "2025-01-05", "2025-01-03"], utc=True))
    >>> time_to_next(at, pd.Series(["a", "a", "b"]), until=pd.Timestamp("2025-02-01", tz="UTC")).to_numpy().tolist()
    [[4.0, True], [27.0, False], [29.0, False]]
    """
    for other in (place, settled_at, category):
        if other is not None and not other.index.equals(reported_at.index):
            raise IndexMismatchError(
                f"{len(reported_at)} times of reports and {len(other)} values beside them are not indexed alike; "
                "take all from one frame of reports"
            )
    if until.tzinfo is None:
        raise InputError(
            f"until {until.isoformat()} has no time zone; give it one, for example pd.Timestamp(..., tz='UTC')"
        )
    end = round(until.timestamp() * 1_000_000)
    made, known = _moments(reported_at, "reported_at")
    key = pd.factorize(place)[0].astype(np.int64)
    known = known & (key >= 0)
    if category is not None:
        of = pd.factorize(category)[0].astype(np.int64)
        known &= of >= 0
        key = key * (of.max(initial=0) + 1) + of
    start = made
    if settled_at is not None:
        start, settled = _moments(settled_at, "settled_at")
        start = np.maximum(start, made)
    else:
        settled = np.ones(len(made), dtype=bool)
    known &= made <= end
    nexts = _next_after(key, made, start, known)
    started = known & settled & (start <= end)
    back = started & (nexts <= end)
    days = np.where(started, (np.minimum(nexts, end) - start) / _DAY_US, np.nan)
    return pd.DataFrame({"days": days, "is_back": back}, index=reported_at.index)


def rebound(
    waits: pd.DataFrame,
    groups: pd.Series | None = None,
    *,
    within_days: Sequence[float] = WITHIN_DAYS,
    level: float = 0.95,
) -> pd.DataFrame:
    """Say for each grid unit, or class, what share of its problems is back within a week, a month, and the median time.

    Parameters
    ----------
    waits
        Shape (m, 2): `days` and `is_back` as from `time_to_next`; rows without `days` are left out.
    groups
        Shape (m,), indexed like `waits`: a unit's code, a class, or a zone; missing for none. None: all together.
    within_days
        After how many days to tell the share that is back, above 0.
    level
        Of the intervals, 0 to 1.

    Returns
    -------
    DataFrame
        One row per group, sorted: `n` (reports whose clock started), `n_back`, `median_days`, `median_low`, `median_high`
        (NaN where fewer than half are back, or the bound is not reached), and for each of `within_days`
        `share_back_7d`, `share_back_7d_low`, `share_back_7d_high` (0 to 1; NaN where nobody has been watched that long).

    Raises
    ------
    IndexMismatchError
        `waits` and `groups` are not indexed alike.
    InputError
        Negative or infinite waits, no days to tell about, or a level out of range.

    Warns
    -----
    NullResultWarning
        No report has a wait: nothing is told.

    Notes
    -----
    Kaplan-Meier with Greenwood's variance on the scale of log(-log S), so that intervals stay within 0 and 1; where
    nothing, or everything, is back there is no interval. Reports of one place are taken as independent. CRS: none needed
    here. Cost: O(m log m), for any number of groups. Source: Kaplan & Meier 1958; Kalbfleisch & Prentice 1980; Brookmeyer
    & Crowley 1982 (median). Checked against: statsmodels `SurvfuncRight`.

    Examples
    --------
    >>> waits = pd.DataFrame({"days": [2, 5, 9, 20, 40.0], "is_back": [True, True, True, False, False]})
    >>> rebound(waits, within_days=[7]).round(3)[["n", "n_back", "median_days", "share_back_7d"]].iloc[0].to_list()
    [5.0, 3.0, 9.0, 0.4]
    """
    ends = np.asarray(within_days, dtype=float)
    if not (np.isfinite(ends).all() and (ends > 0).all()):
        raise InputError(
            f"days to tell about must be above 0 but are {ends.tolist()}; give for example (7, 30, 90)"
        )
    days, back, code, names = watched(waits, groups)
    curve = curve_of(days, back, code, level=level)
    longest = np.full(len(names), -np.inf)
    np.maximum.at(longest, code, days)
    everyone = np.zeros(len(names), dtype=bool)
    everyone[curve.group[curve.share == 1]] = True
    found: dict[str, NDArray[np.generic]] = {
        "n": np.bincount(code, minlength=len(names)),
        "n_back": np.bincount(code[back], minlength=len(names)),
        "median_days": _first_half(curve, curve.share, len(names)),
        "median_low": _first_half(curve, curve.high, len(names)),
        "median_high": _first_half(curve, curve.low, len(names)),
    }
    for end in ends:
        known = everyone | (longest >= end)
        place = _last_until(curve, end, len(names))
        for suffix, values, start in (
            ("", curve.share, 0.0), ("_low", curve.low, np.nan), ("_high", curve.high, np.nan),
        ):  # fmt: skip
            value = np.append(values, start)[place]
            found[f"share_back_{end:g}d{suffix}"] = np.where(known, value, np.nan)
    return pd.DataFrame(found, index=pd.Index(names, name="group"))


def _first_half(curve: Curve, values: Floats, n_groups: int) -> Floats:
    """Find when each group's values first reach a half."""
    found = np.full(n_groups, np.nan)
    over = np.flatnonzero(values >= 0.5 - 1e-12)[::-1]
    found[curve.group[over]] = curve.at[over]
    return found


def _last_until(curve: Curve, end: float, n_groups: int) -> NDArray[np.intp]:
    """Find each group's last row up to a moment; -1 where there is none yet."""
    found = np.full(n_groups, -1, np.intp)
    until = np.flatnonzero(curve.at <= end)
    found[curve.group[until]] = until
    return found


def _moments(times: pd.Series, name: str) -> tuple[_Ints, _Bools]:
    """Give microseconds, and which are there."""
    if not isinstance(times.dtype, pd.DatetimeTZDtype):
        raise InputError(
            f"{name!r} needs times with a zone but holds {times.dtype}; "
            "say whose clock they show, for example times.dt.tz_localize('Asia/Shanghai')"
        )
    known = times.notna().to_numpy()
    moments = times.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy(dtype="datetime64[us]")
    return np.where(known, moments.astype(np.int64), 0), known


def _next_after(key: _Ints, made: _Ints, start: _Ints, known: _Bools) -> _Ints:
    """Find when the first report of the same key was made after each start; the largest number where none was."""
    reports = np.flatnonzero(known)
    never = np.iinfo(np.int64).max
    # Reports and starts in one line, by key and time; at the same moment the report first, being no later one.
    moment = np.concatenate([made[reports], start[reports]])
    of = np.concatenate([key[reports], key[reports]])
    asks = np.repeat([False, True], len(reports))
    line = np.lexsort((asks, moment, of))
    of, moment, asks = of[line], moment[line], asks[line]
    # The place of the next report at or after each place in line, from the back.
    place = np.where(asks, len(line), np.arange(len(line)))
    following = np.minimum.accumulate(place[::-1])[::-1]
    inside = np.minimum(following, len(line) - 1)
    there = (following < len(line)) & (of[inside] == of)
    found = np.full(len(made), never)
    found[reports[line[asks] - len(reports)]] = np.where(there, moment[inside], never)[asks]
    return found
