"""When does a deadline end, and how much of it has been spent?

Every unit of time is a measure of how far the clock has run: hours of the day and night, hours at work, working days, days.
A due time is where that measure reaches what it was at the start plus the amount; a pause takes out what the measure grew
in it. All of it is done on whole arrays.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, Literal, NamedTuple, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gisgrid.casework.deadlines.calendar import WorkCalendar, day_table, minutes_of
from gisgrid.casework.declared import Declared
from gisgrid.errors import ColumnError, InputError, did_you_mean

TimeUnit = Literal["urgent_hours", "working_hours", "working_days", "calendar_days"]
"""紧急工作时 (day and night), 工作时, 工作日, 自然日."""

Ending = Literal["same_time", "end_of_work", "end_of_day"]

HOUR_US: Final = 3_600_000_000
DAY_US: Final = 24 * HOUR_US
_MINUTE_US: Final = 60_000_000
_SECOND_US: Final = 1_000_000
_NEVER: Final = np.iinfo(np.int64).min  # NaT
_SIZE: Final = {
    "urgent_hours": HOUR_US, "working_hours": HOUR_US, "working_days": DAY_US, "calendar_days": DAY_US,
}  # fmt: skip

_Ints = NDArray[np.int64]
_Bools = NDArray[np.bool_]


class Reckoning(Declared):
    """How days are counted.

    Attributes
    ----------
    working_days, calendar_days
        ``same_time``: a day is 24 hours of such days, so what began on Monday at 10:00 ends on Tuesday at 10:00, and what
        began on a day off ends with the last working day. ``end_of_work`` and ``end_of_day``: the day on which it began
        does not count, and the last one counts to the end of its working hours, or to 23:59:59.
    on_day_off
        What happens when calendar days end on a day off: ``stay``, or ``next_working_day``.
    """

    working_days: Ending = "same_time"
    calendar_days: Ending = "same_time"
    on_day_off: Literal["stay", "next_working_day"] = "stay"


SAME_TIME: Final = Reckoning()
"""Days of 24 hours, which end where they end."""


class _Measure(NamedTuple):
    """Spans of wall-clock time during which the clock runs, and how far it has run before each (microseconds)."""

    starts: _Ints
    ends: _Ints
    before: _Ints

    def passed(self, at: _Ints) -> _Ints:
        span = np.searchsorted(self.starts, at, side="right") - 1
        found = self.before[span] + np.minimum(at, self.ends[span]) - self.starts[span]
        return np.asarray(np.where(span < 0, 0, found))

    def moment(self, measured: _Ints) -> _Ints:
        """Give the first moment at which the measure, above 0, is reached: the end of a span, not the start of the next."""
        span = np.searchsorted(self.before, measured, side="left") - 1
        return np.asarray(self.starts[span] + measured - self.before[span])


@lru_cache(maxsize=32)
def _measure(calendar: WorkCalendar, unit: TimeUnit, first_year: int, last_year: int) -> _Measure:
    """Lay out the spans of some years."""
    kinds, works, spans = day_table(calendar, first_year, last_year)
    first = np.datetime64(f"{first_year}-01-01", "D").astype(np.int64)
    midnights = (first + np.arange(len(kinds))) * DAY_US
    if unit == "working_hours":
        minutes = [
            (day, *minutes_of(span)) for day in np.flatnonzero(works) for span in spans[int(day)]
        ]
        day, begin, end = np.array(minutes, dtype=np.int64).T
        starts, ends = midnights[day] + begin * _MINUTE_US, midnights[day] + end * _MINUTE_US
    else:
        starts = midnights[works] if unit == "working_days" else midnights
        ends = starts + DAY_US
    return _Measure(starts, ends, np.concatenate([[0], np.cumsum(ends - starts)[:-1]]))


def due_times(
    started_at: pd.Series,
    amount: pd.Series | float,
    unit: pd.Series | TimeUnit,
    *,
    calendar: WorkCalendar,
    reckoning: Reckoning = SAME_TIME,
    pauses: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Say by when each case must be settled.

    Parameters
    ----------
    started_at
        Shape (n,), when each clock began, with a time zone; missing where it has not. Indexed by case where there are pauses.
    amount
        How much time there is, in `unit`, above 0: one for all or indexed alike; missing for no deadline.
    unit
        ``urgent_hours``, ``working_hours``, ``working_days`` or ``calendar_days``: one for all or indexed alike.
    calendar
        When the administration works, and where its clocks hang.
    reckoning
        How days are counted.
    pauses
        `case_id` (as in the index of `started_at`), `paused_at`, `resumed_at` (missing while it lasts): the clock stands
        still then. Pauses of one case may overlap; what lies before the start or after the due time has no effect.

    Returns
    -------
    DataFrame
        Shape (n, 3), indexed like `started_at`: `due_at` (UTC; missing without a start or a deadline, and while a clock is
        paused), `paused`, `provisional` (the time runs through a year whose holidays are not published yet).

    Raises
    ------
    InputError
        Times without a zone, an amount that is not above 0, no such unit, a pause that ends before it begins, or times
        outside the years for which holidays are known.
    ColumnError
        The pauses lack a column.

    Notes
    -----
    A due time at the end of working hours is that end (12:00), not the next beginning (14:00). In zones with summer time
    the hours are those of the clock on the wall, but ``urgent_hours`` are elapsed ones. Cost: 1 000 000 due times in about
    a second. Checked against: a table reckoned by hand, and counting minute by minute.

    Examples
    --------
    >>> from gisgrid.casework.deadlines import read_calendar
    >>> started = pd.Series(pd.to_datetime(["2026-09-30T17:00+08:00"]))
    >>> found = due_times(started, 2, "working_hours", calendar=read_calendar())
    >>> str(found["due_at"].dt.tz_convert("Asia/Shanghai")[0])
    '2026-10-08 09:00:00+08:00'
    """
    n = len(started_at)
    kind = _units(unit, n)
    much = _amounts(amount, n)
    started = _moments(started_at, "started_at")
    going = (started != _NEVER) & np.isfinite(much)
    stops = None if pauses is None else _merged(pauses, started_at.index)
    due = np.full(n, _NEVER)
    paused = np.zeros(n, dtype=bool)
    provisional = np.zeros(n, dtype=bool)
    for number, name in enumerate(get_args(TimeUnit)):
        rows = np.flatnonzero(going & (kind == number))
        if len(rows) == 0:
            continue
        clock = _Clock(calendar, name, reckoning, started[rows], much[rows])
        due[rows], paused[rows] = clock.ends(stops, rows, n)
        provisional[rows] = clock.provisional(due[rows])
    return pd.DataFrame(
        {"due_at": _utc_series(due), "paused": paused, "provisional": provisional}
    ).set_axis(started_at.index, axis=0)


def time_spent(
    started_at: pd.Series,
    until: pd.Series | pd.Timestamp,
    unit: pd.Series | TimeUnit,
    *,
    calendar: WorkCalendar,
    pauses: pd.DataFrame | None = None,
) -> pd.Series:
    """Say how much of its time each case has used, in the unit of its deadline.

    Parameters
    ----------
    started_at
        As for `due_times`.
    until
        To when: now, or when each case was settled; with a time zone.
    unit
        As for `due_times`.
    calendar
        As for `due_times`.
    pauses
        As for `due_times`; one that lasts stops the clock until `until`.

    Returns
    -------
    Series
        Shape (n,), hours or days, indexed like `started_at`; 0 where `until` lies before the start, missing where either is
        missing.

    Raises
    ------
    InputError
        As for `due_times`.
    ColumnError
        The pauses lack a column.

    Examples
    --------
    >>> from gisgrid.casework.deadlines import read_calendar
    >>> at = pd.Series(pd.to_datetime(["2026-11-20T11:00+08:00"]))
    >>> time_spent(at, pd.Timestamp("2026-11-23T09:00+08:00"), "working_hours", calendar=read_calendar()).to_list()
    [6.0]
    """
    n = len(started_at)
    kind = _units(unit, n)
    started = _moments(started_at, "started_at")
    ends = until if isinstance(until, pd.Series) else pd.Series(until).repeat(n)
    ended = _moments(ends, "until")
    stops = None if pauses is None else _merged(pauses, started_at.index)
    found = np.full(n, np.nan)
    for number, name in enumerate(get_args(TimeUnit)):
        rows = np.flatnonzero((kind == number) & (started != _NEVER) & (ended != _NEVER))
        if len(rows) == 0:
            continue
        found[rows] = _spent(calendar, name, started[rows], ended[rows], stops, rows, n) / _SIZE[name]
    return pd.Series(found, index=started_at.index, name="time_spent")


class _Stops(NamedTuple):
    """Pauses of the cases, merged: whose (row), which in order, from when to when (`_NEVER` while it lasts)."""

    row: _Ints
    rank: _Ints
    paused: _Ints
    resumed: _Ints

    def of_rank(self, rank: int, rows: _Ints, n: int) -> tuple[_Ints, _Ints, _Ints]:
        """Give the positions in `rows` that have a pause of a rank, and that pause."""
        mine = np.flatnonzero(self.rank == rank)
        place = np.full(n, -1)
        place[rows] = np.arange(len(rows))
        position = place[self.row[mine]]
        here = position >= 0
        return position[here], self.paused[mine[here]], self.resumed[mine[here]]


class _Clock:
    """The clocks of some cases that run in one unit, on the wall where they hang."""

    def __init__(
        self, calendar: WorkCalendar, unit: TimeUnit, reckoning: Reckoning, started: _Ints, amount: NDArray[np.float64]
    ) -> None:
        self.zone = None if unit == "urgent_hours" else calendar.timezone
        self.calendar, self.unit = calendar, unit
        self.ending: Ending = "same_time"
        if unit == "working_days":
            self.ending = reckoning.working_days
        elif unit == "calendar_days":
            self.ending = reckoning.calendar_days
        self.rolls = unit == "calendar_days" and reckoning.on_day_off == "next_working_day"
        self.first = _wall(started, self.zone)
        self.started = self.first
        if self.ending != "same_time":  # the day on which it began does not count
            self.started = (self.first // DAY_US + 1) * DAY_US
        self.amount = np.rint(amount * _SIZE[unit]).astype(np.int64)

    def ends(self, stops: _Stops | None, rows: _Ints, n: int) -> tuple[_Ints, _Bools]:
        """Give the due times (UTC), and which clocks stand still."""
        measure = self._laid_out(stops)
        measured = measure.passed(self.started) + self.amount
        due = self._ended(measure.moment(measured))
        paused = np.zeros(len(rows), dtype=bool)
        for rank in range(0 if stops is None or len(stops.rank) == 0 else int(stops.rank.max()) + 1):
            assert stops is not None  # noqa: S101 - for the checker
            at, begins, ends = stops.of_rank(rank, rows, n)
            begins, ends, lasts = _wall(begins, self.zone), _wall(ends, self.zone), ends == _NEVER
            counts = ~paused[at] & (begins < due[at]) & (lasts | (ends > self.started[at]))
            paused[at[counts & lasts]] = True
            shift = counts & ~lasts
            moved, begins, ends = at[shift], begins[shift], ends[shift]
            measured[moved] += measure.passed(ends) - measure.passed(np.maximum(begins, self.started[moved]))
            due[moved] = self._ended(measure.moment(measured[moved]))
        return np.where(paused, _NEVER, _unwall(due, self.zone)), paused

    def provisional(self, due: _Ints) -> _Bools:
        """Say which due times run through a year that is not published; of a paused clock, the year it began in."""
        if self.unit in {"urgent_hours", "calendar_days"} and not self.rolls:
            return np.zeros(len(due), dtype=bool)
        first = _years(self.first)
        last = np.where(due == _NEVER, first, _years(_wall(np.where(due == _NEVER, 0, due), self.zone)))
        years = np.arange(first.min(), last.max() + 1)
        guessed = np.array([not self.calendar.is_published(int(year)) for year in years])
        steps = np.concatenate([[0], np.cumsum(guessed)])
        return np.asarray(steps[last - years[0] + 1] > steps[first - years[0]])

    def _laid_out(self, stops: _Stops | None) -> _Measure:
        """Lay out as many years as the longest of the deadlines, with its pauses, can need."""
        latest = self.started.max()
        if stops is not None and len(stops.row):
            latest = max(latest, stops.resumed.max() + DAY_US, stops.paused.max() + DAY_US)
        first, last = (int(year) for year in _years(np.array([self.started.min(), latest])))
        while True:
            last += 1
            found = _measure(self.calendar, self.unit, first, last)
            if found.passed(np.array([latest]))[0] + self.amount.max() < found.before[-1]:
                return found

    def _ended(self, due: _Ints) -> _Ints:
        """Bring a due time to the end of its day, and off a day on which nobody works."""
        if self.ending == "same_time" and not self.rolls:
            return due
        first, last = (int(year) for year in _years(np.array([due.min(), due.max()])))
        _, works, _ = day_table(self.calendar, first, last + 1)
        midnight = np.datetime64(f"{first}-01-01", "D").astype(np.int64)
        day = (due - 1) // DAY_US - midnight  # 24:00 belongs to the day that ends
        time = due - (day + midnight) * DAY_US
        if self.rolls:
            working = np.flatnonzero(works)
            day = np.where(works[day], day, working[np.searchsorted(working, day)])
        if self.ending != "same_time":
            time = np.full(len(day), DAY_US - _SECOND_US)
        if self.ending == "end_of_work":
            closes = _closing(self.calendar, first, last + 1)[day]
            time = np.where(works[day], closes, time)
        return np.asarray((day + midnight) * DAY_US + time)


@lru_cache(maxsize=32)
def _closing(calendar: WorkCalendar, first_year: int, last_year: int) -> _Ints:
    """Give when each day's working hours end, microseconds after midnight."""
    _, _, spans = day_table(calendar, first_year, last_year)
    return np.array([minutes_of(each[-1])[1] * _MINUTE_US for each in spans], dtype=np.int64)


def _spent(
    calendar: WorkCalendar, unit: TimeUnit, started: _Ints, ended: _Ints, stops: _Stops | None, rows: _Ints, n: int
) -> _Ints:
    """Give how far the clocks of one unit have run (microseconds of their measure)."""
    zone = None if unit == "urgent_hours" else calendar.timezone
    begins, ends = _wall(started, zone), _wall(ended, zone)
    ends = np.maximum(begins, ends)
    first, last = (int(year) for year in _years(np.array([begins.min(), ends.max()])))
    measure = _measure(calendar, unit, first, last)
    found = measure.passed(ends) - measure.passed(begins)
    for rank in range(0 if stops is None or len(stops.rank) == 0 else int(stops.rank.max()) + 1):
        assert stops is not None  # noqa: S101 - for the checker
        at, since, to = stops.of_rank(rank, rows, n)
        since, to = _wall(since, zone), np.where(to == _NEVER, ends[at], _wall(to, zone))
        since, to = (np.clip(each, begins[at], ends[at]) for each in (since, to))
        found[at] -= measure.passed(to) - measure.passed(since)
    return found


def _merged(pauses: pd.DataFrame, index: pd.Index) -> _Stops:
    """Merge the pauses of each case where they touch, in their order."""
    for column in ("case_id", "paused_at", "resumed_at"):
        if column not in pauses.columns:
            raise ColumnError(f"no column {column!r} in the pauses{did_you_mean(column, map(str, pauses.columns))}")
    if not index.is_unique:
        raise InputError("pauses need cases that are named once, but the index of the starts repeats; index them by case_id")
    row = index.get_indexer(pd.Index(pauses["case_id"])).astype(np.int64)
    paused, resumed = _moments(pauses["paused_at"], "paused_at"), _moments(pauses["resumed_at"], "resumed_at")
    wrong = (paused == _NEVER) | ((resumed != _NEVER) & (resumed < paused))
    if wrong.any():
        raise InputError(
            f"{wrong.sum()} of {len(pauses)} pauses have no beginning or end before it "
            f"(first: case {pauses['case_id'].iloc[int(np.argmax(wrong))]!r}); correct them"
        )
    kept = np.flatnonzero(row >= 0)
    endless = np.iinfo(np.int64).max
    kept = kept[np.lexsort((paused[kept], row[kept]))]
    row, paused, resumed = row[kept], paused[kept], np.where(resumed[kept] == _NEVER, endless, resumed[kept])
    reach = pd.Series(resumed).groupby(row).cummax().to_numpy(dtype=np.int64)
    opens = np.ones(len(row), dtype=bool)
    opens[1:] = (row[1:] != row[:-1]) | (paused[1:] > reach[:-1])
    block = np.cumsum(opens) - 1
    first = np.flatnonzero(opens)
    last = np.append(first[1:], len(row))[: len(first)] - 1
    ends = reach[last] if len(block) else reach
    own = row[first]
    rank = pd.Series(own).groupby(own).cumcount().to_numpy(dtype=np.int64)
    return _Stops(own, rank, paused[first], np.where(ends == endless, _NEVER, ends))


def _units(unit: pd.Series | TimeUnit, n: int) -> _Ints:
    """Number the units, -1 for none."""
    known = list(get_args(TimeUnit))
    said = pd.Series([unit]) if isinstance(unit, str) else unit
    codes, names = pd.factorize(said)
    for name in names:
        if name not in known:
            raise InputError(f"{name!r} is no unit of time{did_you_mean(str(name), known)}")
    numbers = np.array([*(known.index(name) for name in names), -1], dtype=np.int64)[codes]
    return np.repeat(numbers, n) if isinstance(unit, str) else numbers


def _amounts(amount: pd.Series | float, n: int) -> NDArray[np.float64]:
    much = amount.to_numpy(dtype=float, na_value=np.nan) if isinstance(amount, pd.Series) else np.full(n, float(amount))
    wrong = ~(much > 0) & ~np.isnan(much) | np.isinf(much)
    if wrong.any():
        raise InputError(
            f"{wrong.sum()} of {n} deadlines are not above 0 (first: {much[wrong][0]:g}); correct the table they come from"
        )
    return much


def _moments(times: pd.Series, name: str) -> _Ints:
    """Give moments as microseconds of UTC, `_NEVER` where missing."""
    if times.isna().all():
        return np.full(len(times), _NEVER)
    if not isinstance(times.dtype, pd.DatetimeTZDtype):
        raise InputError(f"{name!r} has no time zone ({times.dtype}); give it one, for example with dt.tz_localize")
    return np.asarray(pd.DatetimeIndex(times).tz_convert(None).as_unit("us").asi8)


def _wall(at: _Ints, zone: str | None) -> _Ints:
    """Give what the clock on the wall shows; missing stays missing."""
    if zone is None:
        return at
    shown = pd.DatetimeIndex(at.view("datetime64[us]")).tz_localize("UTC").tz_convert(zone)
    return np.asarray(shown.tz_localize(None).as_unit("us").asi8)


def _unwall(shown: _Ints, zone: str | None) -> _Ints:
    if zone is None:
        return shown
    local = pd.DatetimeIndex(shown.view("datetime64[us]"))
    local = local.tz_localize(zone, ambiguous=np.ones(len(local), dtype=bool), nonexistent="shift_forward")
    return np.asarray(local.tz_convert(None).as_unit("us").asi8)


def _utc_series(at: _Ints) -> pd.Series:
    return pd.Series(pd.DatetimeIndex(at.view("datetime64[us]")).tz_localize("UTC"))


def _years(shown: _Ints) -> _Ints:
    return np.asarray(shown.view("datetime64[us]").astype("datetime64[Y]").astype(np.int64) + 1970)
