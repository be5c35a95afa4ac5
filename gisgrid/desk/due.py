"""By when must this one case be settled? The city's table and calendar for a single case, in microseconds.

The rule is that of `gisgrid.casework.deadlines`, which reckons millions at once; what is laid out for it is kept, and a
single case costs two searches in it.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left, bisect_right
from functools import lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from gisgrid.casework.deadlines import DeadlineTable, TimeUnit, WorkCalendar
from gisgrid.casework.deadlines.calendar import day_table
from gisgrid.casework.deadlines.measure import SIZE, closing, measure
from gisgrid.casework.deadlines.moments import DAY_US, SECOND_US
from gisgrid.casework.deadlines.tables import Deadline

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_WALL_EPOCH: Final = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - what the clock on the wall shows
_MICROSECOND: Final = dt.timedelta(microseconds=1)
_DAY_CLOCKS: Final = ("working_days", "calendar_days")


class Due(NamedTuple):
    """When a case is due, and whether that is provisional."""

    at: dt.datetime
    provisional: bool


class Timetable:
    """A city's deadlines and calendar, for one case at a time.

    Parameters
    ----------
    table
        The deadlines.
    calendar
        When the administration works.
    """

    def __init__(self, table: DeadlineTable, calendar: WorkCalendar) -> None:
        self.table, self.calendar = table, calendar
        self._zone = ZoneInfo(calendar.timezone)
        self._rules = sorted(table.deadline, key=lambda rule: rule.precision)
        self._laid = lru_cache(maxsize=256)(self._lay_out)
        self._closest = lru_cache(maxsize=16_384)(self._find)

    def warm(self, now: dt.datetime) -> None:
        """Lay out what the deadlines that begin now need, before the first of them is asked for.

        Parameters
        ----------
        now
            The present time.
        """
        for rule in self._rules:
            self.due(rule, now)

    def rule(
        self,
        category_code: str | None,
        unit_code: str | None,
        *,
        grid_class: str | None = None,
        urgency: str | None = None,
        stage: str = "handle",
    ) -> Deadline | None:
        """Give the deadline that describes a case most closely.

        Parameters
        ----------
        category_code, unit_code, grid_class, urgency
            The case.
        stage
            What must be done in that time.

        Returns
        -------
        Deadline or None
            None where nothing is declared for it.
        """
        return self._closest(category_code or "", unit_code or "", grid_class, urgency, stage)

    def due(self, rule: Deadline, started: dt.datetime) -> Due:
        """Say when the time of a rule ends that began now and is not paused.

        Parameters
        ----------
        rule
            The deadline.
        started
            When the clock began.

        Returns
        -------
        Due
            In UTC, to the microsecond what `deadlines` says.

        Raises
        ------
        InputError
            The time runs out of the years whose holidays are known.
        """
        return self.after(rule.amount, rule.unit, started)

    def after(self, amount: float, unit: TimeUnit, started: dt.datetime) -> Due:
        """Say when an amount of time ends.

        Parameters
        ----------
        amount, unit
            How much.
        started
            When the clock began.

        Returns
        -------
        Due
            In UTC.

        Raises
        ------
        InputError
            The time runs out of the years whose holidays are known.
        """
        began = self._wall(started, unit)
        reckoning = self.table.reckoning
        ending = getattr(reckoning, unit) if unit in _DAY_CLOCKS else "same_time"
        rolls = unit == "calendar_days" and reckoning.on_day_off == "next_working_day"
        first = began if ending == "same_time" else (began // DAY_US + 1) * DAY_US
        end = self._reached(first, round(amount * SIZE[unit]), unit)
        if ending != "same_time" or rolls:
            end = self._ended(end, ending, rolls=rolls)
        guessed = unit in ("working_hours", "working_days") or rolls
        provisional = guessed and any(not self.calendar.is_published(year) for year in range(_year(began), _year(end) + 1))  # fmt: skip
        return Due(self._utc(end, unit), provisional)

    def _find(
        self, category: str, unit: str, grid_class: str | None, urgency: str | None, stage: str
    ) -> Deadline | None:
        found = None
        for rule in self._rules:
            if (
                rule.stage == stage
                and category.startswith(rule.category_code)
                and unit.startswith(rule.unit_code)
                and rule.grid_class in (None, grid_class)
                and rule.urgency in (None, urgency)
            ):
                found = rule
        return found

    def _lay_out(
        self, unit: TimeUnit, first: int, last: int
    ) -> tuple[list[int], list[int], list[int]]:
        laid = measure(self.calendar, unit, first, last)
        return laid.starts.tolist(), laid.ends.tolist(), laid.before.tolist()

    def _reached(self, began: int, amount: int, unit: TimeUnit) -> int:
        """Find the first moment at which the clock has run the amount on."""
        first = last = _year(began)
        while True:
            last += 1
            starts, ends, before = self._laid(unit, first, last)
            at = bisect_right(starts, began) - 1
            passed = 0 if at < 0 else before[at] + min(began, ends[at]) - starts[at]
            measured = passed + amount
            if measured < before[-1]:
                span = bisect_left(before, measured) - 1
                return starts[span] + measured - before[span]

    def _ended(self, due: int, ending: str, *, rolls: bool) -> int:
        """Bring a due time to the end of its day, and off a day on which nobody works."""
        first = _year(due)
        _, works, _ = day_table(self.calendar, first, first + 1)
        midnight = int(np.datetime64(f"{first}-01-01", "D").astype(np.int64))
        day = (due - 1) // DAY_US - midnight
        if day < 0:  # 24:00 of the last day of the year before
            first -= 1
            _, works, _ = day_table(self.calendar, first, first + 1)
            midnight = int(np.datetime64(f"{first}-01-01", "D").astype(np.int64))
            day = (due - 1) // DAY_US - midnight
        time = due - (day + midnight) * DAY_US
        if rolls and not works[day]:
            day += int(np.argmax(works[day:]))
        if ending != "same_time":
            time = DAY_US - SECOND_US
        if ending == "end_of_work" and works[day]:
            time = int(closing(self.calendar, first, first + 1)[day])
        return (day + midnight) * DAY_US + time

    def _wall(self, at: dt.datetime, unit: TimeUnit) -> int:
        if unit == "urgent_hours":
            return (at - _EPOCH) // _MICROSECOND
        return (at.astimezone(self._zone).replace(tzinfo=None) - _WALL_EPOCH) // _MICROSECOND

    def _utc(self, shown: int, unit: TimeUnit) -> dt.datetime:
        if unit == "urgent_hours":
            return _EPOCH + shown * _MICROSECOND
        local = (_WALL_EPOCH + shown * _MICROSECOND).replace(tzinfo=self._zone)
        found = local.astimezone(dt.UTC)
        if found.astimezone(self._zone).replace(tzinfo=None) != local.replace(tzinfo=None):
            return self._gap_end(local)
        return found

    def _gap_end(self, local: dt.datetime) -> dt.datetime:
        """Find the moment at which a clock that was put forward shows the first time after the gap."""
        before, after = (local.replace(fold=fold).utcoffset() for fold in (0, 1))
        assert before is not None  # noqa: S101 - the zone is known
        assert after is not None  # noqa: S101
        low, high = (local.replace(tzinfo=dt.UTC) - max(before, after), local.replace(tzinfo=dt.UTC) - min(before, after))  # fmt: skip
        start = low.astimezone(self._zone).utcoffset()
        while high - low > _MICROSECOND:
            middle = low + (high - low) // 2
            if middle.astimezone(self._zone).utcoffset() == start:
                low = middle
            else:
                high = middle
        return high


def _year(wall: int) -> int:
    return (_WALL_EPOCH + wall * _MICROSECOND).year
