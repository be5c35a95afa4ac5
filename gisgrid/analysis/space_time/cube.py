"""How many reports in which unit in which month? The space-time cube."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gisgrid.errors import IndexMismatchError, InputError, warn_null

Step = Literal["day", "week", "month", "quarter", "year"]

_CALENDAR: Final = {"day": "D", "week": "W-SUN", "month": "M", "quarter": "Q", "year": "Y"}
_MOST_CELLS: Final = 400_000_000
_DAY: Final = dt.timedelta(days=1)


@dataclass(frozen=True)
class SpaceTimeCube:
    """Reports per unit and time step, and what the steps cover.

    Attributes
    ----------
    counts
        Shape (n, T), whole numbers: units in the order they were asked for, steps in the order of time, named by the
        local moment at which they begin.
    steps
        Shape (T, 3), indexed as the columns of `counts`: `ends_at` (the moment after the step), `complete` (the data
        reach from its beginning to its end), `n` (reports in it, those in no unit left out).
    n_outside
        Reports that are in none of the units.
    n_without_time
        Reports without a time.
    n_before_or_after
        Reports outside the period that was asked for.
    """

    counts: pd.DataFrame
    steps: pd.DataFrame
    n_outside: int
    n_without_time: int
    n_before_or_after: int

    @property
    def complete(self) -> pd.DataFrame:
        """The counts of the steps that the data cover as a whole: what trends and comparisons need."""
        return self.counts.loc[:, self.steps["complete"].to_numpy()]

    def __repr__(self) -> str:
        n, steps = self.counts.shape
        whole = int(self.steps["complete"].sum())
        return (
            f"<SpaceTimeCube of {n} units and {steps} steps, {whole} of them complete: "
            f"{int(self.counts.to_numpy().sum()):,} reports>"
        )


def space_time_cube(
    times: pd.Series,
    codes: pd.Series,
    units: pd.Index,
    *,
    step: Step | dt.timedelta = "month",
    timezone: str,
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
) -> SpaceTimeCube:
    """Count the reports of each unit in each month (week, day, or any length of time), and say which months are whole.

    An export rarely begins or ends with a month. The half months at the ends look like a fall in reports to every
    method that follows; they are marked, and ``cube.complete`` leaves them out.

    Parameters
    ----------
    times
        Shape (m,), when each report was made, with a time zone; missing where unknown.
    codes
        Shape (m,), indexed like `times`: the unit each report is in; missing for none.
    units
        Shape (n,), all units that are looked at, none twice; one without a report has zeros.
    step
        ``day``, ``week`` (from Monday), ``month``, ``quarter``, ``year``, or a length of time. Lengths are laid end to
        end from `since`, or from the first day's midnight; whole days are local days, whatever the clock did.
    timezone
        Where a day begins, for example ``Asia/Shanghai``.
    since, until
        From when up to before when the data are whole, with a time zone. Without: from the local day of the first report
        to that of the last, both whole. Give them where an export is known to reach further, or not to be trusted at its
        ends.

    Returns
    -------
    SpaceTimeCube
        Counts, what the steps cover, and how many reports were left out for which reason.

    Raises
    ------
    IndexMismatchError
        `times` and `codes` are not indexed alike.
    InputError
        Times without a zone, a zone or a step that does not exist, a unit twice, a period that ends before it begins, or
        more units and steps than memory holds.

    Warns
    -----
    NullResultWarning
        No report has both a time and a unit: the cube has no steps (or only zeros).

    Notes
    -----
    Count incidents rather than reports: leave out those with `duplicate_of`. CRS: none needed here. Cost: O(m), a million
    reports in a third of a second. Checked against: pandas `crosstab`.

    Examples
    --------
    >>> times = pd.Series(pd.to_datetime(["2025-01-31T16:30Z", "2025-02-27T01:00Z", "2025-03-05T00:00Z"]))
    >>> codes = pd.Series(["a", "b", "b"])
    >>> cube = space_time_cube(times, codes, pd.Index(["a", "b"]), timezone="Asia/Shanghai")
    >>> cube.counts.columns.strftime("%Y-%m").to_list(), cube.counts.to_numpy().tolist()
    (['2025-02', '2025-03'], [[1, 0], [1, 1]])
    >>> cube
    <SpaceTimeCube of 2 units and 2 steps, 1 of them complete: 3 reports>
    """
    _check(times, codes, units)
    zone = _zone(timezone)
    when = pd.DatetimeIndex(times).tz_convert(zone)
    there = np.asarray(when.notna())
    begin, end = _period(when[there], zone, since, until)
    if begin is None or end is None:
        warn_null("a cube has no steps because no report has a time; it is empty")
        empty = pd.DatetimeIndex([], tz=zone)
        edges, covered = empty, empty
    else:
        edges = _edges(begin, end, step, zone)
        covered = pd.DatetimeIndex([begin, end])
    n_steps = max(len(edges) - 1, 0)
    if len(units) * n_steps > _MOST_CELLS:
        raise InputError(
            f"{len(units)} units times {n_steps} steps do not fit into memory; take longer steps, or fewer units"
        )
    column = np.searchsorted(_utc(edges), _utc(when), side="right") - 1
    row = units.get_indexer(pd.Index(codes))
    timely = there & (column >= 0) & (column < n_steps)
    if len(covered):
        timely &= np.asarray((when >= covered[0]) & (when < covered[1]))
    kept = timely & (row >= 0)
    flat = np.bincount(row[kept] * n_steps + column[kept], minlength=len(units) * n_steps)
    counts = pd.DataFrame(flat.reshape(len(units), n_steps), index=units, columns=edges[:n_steps])
    if n_steps and not kept.any():
        warn_null(
            f"none of {len(times)} reports has both a time in the period and a unit; all counts are 0"
        )
    return SpaceTimeCube(
        counts,
        _steps(counts, edges, covered),
        n_outside=int((timely & (row < 0)).sum()),
        n_without_time=int((~there).sum()),
        n_before_or_after=int((there & ~timely).sum()),
    )


def _check(times: pd.Series, codes: pd.Series, units: pd.Index) -> None:
    if not times.index.equals(codes.index):
        raise IndexMismatchError(
            f"{len(times)} times and {len(codes)} unit codes are not indexed alike; "
            "take both from one frame of reports"
        )
    if not isinstance(times.dtype, pd.DatetimeTZDtype):
        raise InputError(
            f"a cube needs times with a zone but they are {times.dtype}; "
            "say whose clock they show, for example times.dt.tz_localize('Asia/Shanghai')"
        )
    if units.has_duplicates:
        twice = units[units.duplicated()]
        raise InputError(
            f"{len(twice)} of {len(units)} units occur again (first: {twice[0]!r}); name each unit once"
        )


def _zone(timezone: str) -> ZoneInfo:
    try:
        return ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InputError(
            f"there is no time zone {timezone!r}; write one of the IANA list, for example Asia/Shanghai"
        ) from error


def _period(
    when: pd.DatetimeIndex, zone: ZoneInfo, since: dt.datetime | None, until: dt.datetime | None
) -> tuple[pd.Timestamp | None, pd.Timestamp | None]:
    """Give the moments between which the data are whole; None where there is nothing to tell by."""
    for name, moment in (("since", since), ("until", until)):
        if moment is not None and moment.tzinfo is None:
            raise InputError(
                f"{name} {moment.isoformat()} has no time zone; give it one, for example "
                "datetime(2025, 1, 1, tzinfo=ZoneInfo('Asia/Shanghai'))"
            )
    if len(when) == 0 and (since is None or until is None):
        return None, None
    days = pd.DatetimeIndex(when.tz_localize(None).normalize())
    begin = (
        pd.Timestamp(since).tz_convert(zone)
        if since is not None
        else _local(pd.DatetimeIndex([days.min()]), zone)[0]
    )
    end = (
        pd.Timestamp(until).tz_convert(zone)
        if until is not None
        else _local(pd.DatetimeIndex([days.max() + _DAY]), zone)[0]
    )
    if not begin < end:
        raise InputError(
            f"the period from {begin.isoformat()} to {end.isoformat()} is empty; it must end after it begins"
        )
    return begin, end


def _edges(
    begin: pd.Timestamp, end: pd.Timestamp, step: Step | dt.timedelta, zone: ZoneInfo
) -> pd.DatetimeIndex:
    """Give the T + 1 moments that part the steps, from at or before `begin` to at or after `end`."""
    first, last = begin.tz_localize(None), end.tz_localize(None)
    if isinstance(step, dt.timedelta):
        if step <= dt.timedelta(0):
            raise InputError(f"a step of {step} does not exist; give a length of time above 0")
        if step % _DAY:  # not whole days: real time, whatever the clock does
            n = -((begin - end) // step)
            return pd.DatetimeIndex([begin + k * step for k in range(n + 1)])
        n = -((first - last) // step)
        return _local(pd.DatetimeIndex([first + k * step for k in range(n + 1)]), zone)
    if step not in get_args(Step):
        raise InputError(
            f"there is no step {step!r}; choose one of {', '.join(get_args(Step))}, or a length of time"
        )
    periods = pd.period_range(first, last - dt.timedelta(microseconds=1), freq=_CALENDAR[step])
    edges = [*periods.start_time, periods[-1].end_time.ceil("D")]
    return _local(pd.DatetimeIndex(edges), zone)


def _local(moments: pd.DatetimeIndex, zone: ZoneInfo) -> pd.DatetimeIndex:
    """Read what a clock on the wall shows: the first of two such moments, the next one where there is none."""
    return moments.tz_localize(
        zone, ambiguous=np.ones(len(moments), bool), nonexistent="shift_forward"
    )


def _utc(moments: pd.DatetimeIndex) -> NDArray[np.datetime64]:
    return moments.tz_convert("UTC").tz_localize(None).to_numpy(dtype="datetime64[us]")


def _steps(
    counts: pd.DataFrame, edges: pd.DatetimeIndex, covered: pd.DatetimeIndex
) -> pd.DataFrame:
    starts, ends = edges[:-1], edges[1:]
    whole = (
        (starts >= covered[0]) & (ends <= covered[1]) if len(covered) else np.empty(0, dtype=bool)
    )
    return pd.DataFrame(
        {"ends_at": ends, "complete": whole, "n": counts.to_numpy().sum(axis=0)},
        index=counts.columns,
    )
