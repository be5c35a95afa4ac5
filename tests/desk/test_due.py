"""One due time is, to the microsecond, what millions reckoned at once are."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from gisgrid.casework.deadlines import (
    DeadlineTable,
    Reckoning,
    WorkCalendar,
    deadlines,
    due_times,
    read_calendar,
    read_deadlines,
)
from gisgrid.desk.due import Timetable
from gisgrid.errors import InputError

UNITS = ("urgent_hours", "working_hours", "working_days", "calendar_days")
RECKONINGS = [
    Reckoning(),
    Reckoning(working_days="end_of_work", calendar_days="end_of_day"),
    Reckoning(
        working_days="end_of_day", calendar_days="end_of_work", on_day_off="next_working_day"
    ),
    Reckoning(on_day_off="next_working_day"),
]


def table(reckoning):
    said = read_deadlines()
    return DeadlineTable(
        title=said.title, taxonomy=said.taxonomy, reckoning=reckoning, deadline=said.deadline
    )


def compare(calendar, reckoning, seed):
    rng = np.random.default_rng(seed)
    n = 120
    start = np.datetime64("2025-12-20T00:00:00.000000") + rng.integers(
        0, 400 * 86_400 * 10**6, n
    ).astype("timedelta64[us]")
    start[:40] = start[:40].astype("datetime64[h]")  # on the hour: ends and beginnings of work
    started = pd.Series(start).dt.tz_localize("UTC")
    amount = pd.Series(
        np.where(rng.random(n) < 0.5, rng.integers(1, 30, n), rng.uniform(0.1, 40, n))
    )
    timetable = Timetable(table(reckoning), calendar)
    for unit in UNITS:
        expected = due_times(started, amount, unit, calendar=calendar, reckoning=reckoning)
        found = [
            timetable.after(much, unit, at.to_pydatetime())
            for much, at in zip(amount, started, strict=True)
        ]
        assert (
            pd.Series([due.at for due in found]).dt.as_unit("us").tolist()
            == expected["due_at"].tolist()
        )
        assert [due.provisional for due in found] == expected["provisional"].tolist()


@pytest.mark.parametrize("reckoning", RECKONINGS)
def test_it_is_what_the_many_are(reckoning):
    compare(read_calendar(), reckoning, 1)


def test_with_summer_time_too():
    said = read_calendar().model_dump() | {
        "timezone": "Europe/Berlin",
        "country": "DE",
        "announced_yearly": False,
    }
    night = {"spans": ("00:30-03:30", "14:00-23:59"), "months": None}
    for hours in (said["hours"], [night]):
        compare(WorkCalendar.model_validate(said | {"hours": hours}), Reckoning(), 2)


def test_the_closest_rule_is_that_of_the_table():
    codes = ["0110", "0113", "0401", "0498", "0501", "9", ""]
    at = dt.datetime(2026, 11, 20, 2, tzinfo=dt.UTC)
    cases = pd.DataFrame(
        {
            "case_id": codes,
            "category_code": codes,
            "unit_code": "419801001001001",
            "dispatched_at": pd.Timestamp(at),
        }
    )
    timetable = Timetable(read_deadlines(), read_calendar())
    expected = deadlines(cases, read_deadlines(), calendar=read_calendar(), taxonomy="gbt30428-new")
    for code, due in zip(codes, expected["due_at"], strict=True):
        assert timetable.due(timetable.rule(code, "419801001001001"), at).at == due


def test_place_kind_and_urgency_make_a_rule_closer():
    said = {"title": {"zh": "表", "en": "Table"}, "taxonomy": "gbt30428-new"}
    rules = [
        {"amount": 1, "unit": "working_days"},
        {"amount": 2, "unit": "working_days", "unit_code": "4198"},
        {"amount": 3, "unit": "working_days", "unit_code": "4198", "grid_class": "A"},
        {"amount": 4, "unit": "working_days", "category_code": "01"},
        {"amount": 5, "unit": "working_days", "urgency": "high"},
    ]
    timetable = Timetable(DeadlineTable.model_validate(said | {"deadline": rules}), read_calendar())

    def amount(*case, **more):
        return timetable.rule(*case, **more).amount

    assert amount("02", None) == 1
    assert amount("02", "4198") == 2
    assert amount("02", "4198", grid_class="A") == 3
    assert amount("0101", "4198", grid_class="A") == 4
    assert amount("02", None, urgency="high") == 5
    assert timetable.rule("02", None, stage="verify") is None


def test_beyond_the_known_years_it_says_so():
    timetable = Timetable(read_deadlines(), read_calendar())
    with pytest.raises(InputError, match="leaves the years"):
        timetable.after(1, "working_days", dt.datetime(2150, 1, 1, tzinfo=dt.UTC))
