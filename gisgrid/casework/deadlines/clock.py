"""When does a deadline end, and how much of it has been spent?

Every unit of time is a measure of how far the clock has run: hours of the day and night, hours at work, working days, days.
A due time is where that measure reaches what it was at the start plus the amount; a pause takes out what the measure grew
in it. All of it is done on whole arrays.
"""

from __future__ import annotations

from typing import Final, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gisgrid.casework.deadlines.calendar import WorkCalendar, day_table
from gisgrid.casework.deadlines.measure import SIZE, Measure, TimeUnit, closing, measure
from gisgrid.casework.deadlines.moments import (
    DAY_US,
    NEVER,
    SECOND_US,
    Ints,
    moments,
    off_wall,
    on_wall,
    utc_series,
    years_of,
)
from gisgrid.casework.deadlines.pauses import Stops, merged
from gisgrid.casework.declared import Declared
from gisgrid.errors import InputError, did_you_mean

Ending = Literal["same_time", "end_of_work", "end_of_day"]

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
    started = moments(started_at, "started_at")
    going = (started != NEVER) & np.isfinite(much)
    stops = None if pauses is None else merged(pauses, started_at.index)
    due = np.full(n, NEVER)
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
        {"due_at": utc_series(due), "paused": paused, "provisional": provisional}
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
    started = moments(started_at, "started_at")
    ends = until if isinstance(until, pd.Series) else pd.Series(until).repeat(n)
    ended = moments(ends, "until")
    stops = None if pauses is None else merged(pauses, started_at.index)
    found = np.full(n, np.nan)
    for number, name in enumerate(get_args(TimeUnit)):
        rows = np.flatnonzero((kind == number) & (started != NEVER) & (ended != NEVER))
        if len(rows) == 0:
            continue
        found[rows] = (
            _spent(calendar, name, started[rows], ended[rows], stops=stops, rows=rows, n=n)
            / SIZE[name]
        )
    return pd.Series(found, index=started_at.index, name="time_spent")


class _Clock:
    """The clocks of some cases that run in one unit, on the wall where they hang."""

    def __init__(
        self,
        calendar: WorkCalendar,
        unit: TimeUnit,
        reckoning: Reckoning,
        started: Ints,
        amount: NDArray[np.float64],
    ) -> None:
        self.zone = None if unit == "urgent_hours" else calendar.timezone
        self.calendar, self.unit = calendar, unit
        self.ending: Ending = "same_time"
        if unit == "working_days":
            self.ending = reckoning.working_days
        elif unit == "calendar_days":
            self.ending = reckoning.calendar_days
        self.rolls = unit == "calendar_days" and reckoning.on_day_off == "next_working_day"
        self.first = on_wall(started, self.zone)
        self.started = self.first
        if self.ending != "same_time":  # the day on which it began does not count
            self.started = (self.first // DAY_US + 1) * DAY_US
        self.amount = np.rint(amount * SIZE[unit]).astype(np.int64)

    def ends(self, stops: Stops | None, rows: Ints, n: int) -> tuple[Ints, _Bools]:
        """Give the due times (UTC), and which clocks stand still."""
        laid = self._laid_out(stops)
        measured = laid.passed(self.started) + self.amount
        due = self._ended(laid.moment(measured))
        paused = np.zeros(len(rows), dtype=bool)
        for rank in range(
            0 if stops is None or len(stops.rank) == 0 else int(stops.rank.max()) + 1
        ):
            assert stops is not None  # noqa: S101 - for the checker
            at, begins, ends = stops.of_rank(rank, rows, n)
            begins, ends, lasts = (
                on_wall(begins, self.zone),
                on_wall(ends, self.zone),
                ends == NEVER,
            )
            counts = ~paused[at] & (begins < due[at]) & (lasts | (ends > self.started[at]))
            paused[at[counts & lasts]] = True
            shift = counts & ~lasts
            moved, begins, ends = at[shift], begins[shift], ends[shift]
            measured[moved] += laid.passed(ends) - laid.passed(
                np.maximum(begins, self.started[moved])
            )
            due[moved] = self._ended(laid.moment(measured[moved]))
        return np.where(paused, NEVER, off_wall(due, self.zone)), paused

    def provisional(self, due: Ints) -> _Bools:
        """Say which due times run through a year that is not published; of a paused clock, the year it began in."""
        if self.unit in {"urgent_hours", "calendar_days"} and not self.rolls:
            return np.zeros(len(due), dtype=bool)
        first = years_of(self.first)
        last = np.where(
            due == NEVER, first, years_of(on_wall(np.where(due == NEVER, 0, due), self.zone))
        )
        years = np.arange(first.min(), last.max() + 1)
        guessed = np.array([not self.calendar.is_published(int(year)) for year in years])
        steps = np.concatenate([[0], np.cumsum(guessed)])
        return np.asarray(steps[last - years[0] + 1] > steps[first - years[0]])

    def _laid_out(self, stops: Stops | None) -> Measure:
        """Lay out as many years as the longest of the deadlines, with its pauses, can need."""
        latest = self.started.max()
        if stops is not None and len(stops.row):
            latest = max(latest, stops.resumed.max() + DAY_US, stops.paused.max() + DAY_US)
        first, last = (int(year) for year in years_of(np.array([self.started.min(), latest])))
        while True:
            last += 1
            found = measure(self.calendar, self.unit, first, last)
            if found.passed(np.array([latest]))[0] + self.amount.max() < found.before[-1]:
                return found

    def _ended(self, due: Ints) -> Ints:
        """Bring a due time to the end of its day, and off a day on which nobody works."""
        if len(due) == 0 or (self.ending == "same_time" and not self.rolls):
            return due
        first, last = (int(year) for year in years_of(np.array([due.min(), due.max()])))
        _, works, _ = day_table(self.calendar, first, last + 1)
        midnight = np.datetime64(f"{first}-01-01", "D").astype(np.int64)
        day = (due - 1) // DAY_US - midnight  # 24:00 belongs to the day that ends
        time = due - (day + midnight) * DAY_US
        if self.rolls:
            working = np.flatnonzero(works)
            day = np.where(works[day], day, working[np.searchsorted(working, day)])
        if self.ending != "same_time":
            time = np.full(len(day), DAY_US - SECOND_US)
        if self.ending == "end_of_work":
            closes = closing(self.calendar, first, last + 1)[day]
            time = np.where(works[day], closes, time)
        return np.asarray((day + midnight) * DAY_US + time)


def _spent(
    calendar: WorkCalendar,
    unit: TimeUnit,
    started: Ints,
    ended: Ints,
    *,
    stops: Stops | None,
    rows: Ints,
    n: int,
) -> Ints:
    """Give how far the clocks of one unit have run (microseconds of their measure)."""
    zone = None if unit == "urgent_hours" else calendar.timezone
    begins, ends = on_wall(started, zone), on_wall(ended, zone)
    ends = np.maximum(begins, ends)
    first, last = (int(year) for year in years_of(np.array([begins.min(), ends.max()])))
    laid = measure(calendar, unit, first, last)
    found = laid.passed(ends) - laid.passed(begins)
    for rank in range(0 if stops is None or len(stops.rank) == 0 else int(stops.rank.max()) + 1):
        assert stops is not None  # noqa: S101 - for the checker
        at, since, to = stops.of_rank(rank, rows, n)
        since, to = on_wall(since, zone), np.where(to == NEVER, ends[at], on_wall(to, zone))
        since, to = (np.clip(each, begins[at], ends[at]) for each in (since, to))
        found[at] -= laid.passed(to) - laid.passed(since)
    return found


def _units(unit: pd.Series | TimeUnit, n: int) -> Ints:
    """Give each unit of time its number, -1 for none."""
    known = list(get_args(TimeUnit))
    said = pd.Series([unit]) if isinstance(unit, str) else unit
    codes, names = pd.factorize(said)
    for name in names:
        if name not in known:
            raise InputError(f"{name!r} is no unit of time{did_you_mean(str(name), known)}")
    numbers = np.array([*(known.index(name) for name in names), -1], dtype=np.int64)[codes]
    return np.repeat(numbers, n) if isinstance(unit, str) else numbers


def _amounts(amount: pd.Series | float, n: int) -> NDArray[np.float64]:
    much = (
        amount.to_numpy(dtype=float, na_value=np.nan)
        if isinstance(amount, pd.Series)
        else np.full(n, float(amount))
    )
    wrong = ~(much > 0) & ~np.isnan(much) | np.isinf(much)
    if wrong.any():
        raise InputError(
            f"{wrong.sum()} of {n} deadlines are not above 0 (first: {much[wrong][0]:g}); correct the table they come from"
        )
    return much
