"""By when must it be settled? Clocks that run in hours, working hours, working days and calendar days."""

from gisgrid.casework.deadlines.calendar import WorkCalendar, read_calendar
from gisgrid.casework.deadlines.clock import Reckoning, due_times, time_spent
from gisgrid.casework.deadlines.measure import TimeUnit
from gisgrid.casework.deadlines.pauses import pauses_of
from gisgrid.casework.deadlines.tables import DeadlineTable, deadlines, read_deadlines

__all__ = [
    "DeadlineTable",
    "Reckoning",
    "TimeUnit",
    "WorkCalendar",
    "deadlines",
    "due_times",
    "pauses_of",
    "read_calendar",
    "read_deadlines",
    "time_spent",
]
