"""How far has a clock run that counts hours, working hours, working days or days?"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, Literal, NamedTuple

import numpy as np

from gisgrid.casework.deadlines.calendar import WorkCalendar, day_table, minutes_of
from gisgrid.casework.deadlines.moments import DAY_US, HOUR_US, MINUTE_US, Ints

TimeUnit = Literal["urgent_hours", "working_hours", "working_days", "calendar_days"]
"""紧急工作时 (day and night), 工作时, 工作日, 自然日."""

SIZE: Final = {
    "urgent_hours": HOUR_US, "working_hours": HOUR_US, "working_days": DAY_US, "calendar_days": DAY_US,
}  # fmt: skip
"""What one of each unit measures, microseconds."""


class Measure(NamedTuple):
    """Spans of wall-clock time during which the clock runs, and how far it has run before each (microseconds)."""

    starts: Ints
    ends: Ints
    before: Ints

    def passed(self, at: Ints) -> Ints:
        """Give how far the clock has run at some moments."""
        span = np.searchsorted(self.starts, at, side="right") - 1
        found = self.before[span] + np.minimum(at, self.ends[span]) - self.starts[span]
        return np.asarray(np.where(span < 0, 0, found))

    def moment(self, measured: Ints) -> Ints:
        """Give the first moment at which the measure, above 0, is reached: the end of a span, not the start of the next."""
        span = np.searchsorted(self.before, measured, side="left") - 1
        return np.asarray(self.starts[span] + measured - self.before[span])


@lru_cache(maxsize=32)
def measure(calendar: WorkCalendar, unit: TimeUnit, first_year: int, last_year: int) -> Measure:
    """Lay out the spans of some years during which a clock runs.

    Parameters
    ----------
    calendar
        When the administration works.
    unit
        What the clock counts.
    first_year, last_year
        The first and the last year.

    Returns
    -------
    Measure
        Of wall-clock time.
    """
    kinds, works, spans = day_table(calendar, first_year, last_year)
    first = np.datetime64(f"{first_year}-01-01", "D").astype(np.int64)
    midnights = (first + np.arange(len(kinds))) * DAY_US
    if unit == "working_hours":
        minutes = [
            (day, *minutes_of(span)) for day in np.flatnonzero(works) for span in spans[int(day)]
        ]
        day, begin, end = np.array(minutes, dtype=np.int64).T
        starts, ends = midnights[day] + begin * MINUTE_US, midnights[day] + end * MINUTE_US
    else:
        starts = midnights[works] if unit == "working_days" else midnights
        ends = starts + DAY_US
    return Measure(starts, ends, np.concatenate([[0], np.cumsum(ends - starts)[:-1]]))


@lru_cache(maxsize=32)
def closing(calendar: WorkCalendar, first_year: int, last_year: int) -> Ints:
    """Give when each day's working hours end.

    Parameters
    ----------
    calendar
        When the administration works.
    first_year, last_year
        The first and the last year.

    Returns
    -------
    ndarray
        Shape (n_days,), microseconds after midnight.
    """
    _, _, spans = day_table(calendar, first_year, last_year)
    return np.array([minutes_of(each[-1])[1] * MINUTE_US for each in spans], dtype=np.int64)
