"""Due times against a table reckoned by hand, and against counting minute by minute."""

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gisgrid.casework.deadlines import Reckoning, due_times, pauses_of, read_calendar, time_spent
from gisgrid.casework.deadlines.calendar import day_table, minutes_of
from gisgrid.errors import ColumnError, InputError

ZONE = "Asia/Shanghai"
GOLDEN = pd.read_csv(Path(__file__).with_name("golden.csv"), dtype=str, keep_default_na=False)
CALENDAR = read_calendar()


def local(text):
    return pd.Timestamp(text).tz_localize(ZONE).tz_convert("UTC") if text else pd.NaT


@pytest.mark.parametrize(
    "row", GOLDEN.to_dict("records"), ids=lambda row: f"{row['case']}: {row['why']}"
)
def test_a_due_time_is_the_one_reckoned_by_hand(row):
    started = pd.Series([local(row["started"])], index=["x"])
    pauses = None
    if row["pauses"]:
        ends = [each.split("/") for each in row["pauses"].split(";")]
        pauses = pd.DataFrame(
            {
                "case_id": "x",
                "paused_at": [local(a) for a, _ in ends],
                "resumed_at": [local(b) for _, b in ends],
            }
        )
        pauses["resumed_at"] = pd.to_datetime(pauses["resumed_at"], utc=True)
    reckoning = Reckoning(
        **{name: row[name] for name in ("working_days", "calendar_days", "on_day_off")}
    )
    found = due_times(
        started,
        float(row["amount"]),
        row["unit"],
        calendar=CALENDAR,
        reckoning=reckoning,
        pauses=pauses,
    )
    if row["due"]:
        assert str(found["due_at"].iloc[0].tz_convert(ZONE).tz_localize(None)) == str(
            pd.Timestamp(row["due"])
        )
    assert found["paused"].iloc[0] == (row["due"] == "")
    assert found["due_at"].isna().iloc[0] == (row["due"] == "")
    assert not found["provisional"].iloc[0]


def test_the_whole_table_at_once_is_the_same_as_row_by_row():
    plain = GOLDEN[
        (GOLDEN["pauses"] == "")
        & (GOLDEN["working_days"] == "same_time")
        & (GOLDEN["calendar_days"] == "same_time")
    ]
    plain = plain[plain["on_day_off"] == "stay"]
    found = due_times(
        pd.Series([local(text) for text in plain["started"]]), plain["amount"].astype(float).reset_index(drop=True),
        plain["unit"].reset_index(drop=True), calendar=CALENDAR,
    )  # fmt: skip
    assert found["due_at"].to_list() == [local(text) for text in plain["due"]]


def working_minutes(first, last):
    """Every working minute of some days, one by one."""
    _, works, spans = day_table(CALENDAR, first.year, last.year)
    start = pd.Timestamp(first.year, 1, 1).to_pydatetime()
    for day in range((first - start).days, (last - start).days + 1):
        if works[day]:
            for span in spans[day]:
                a, b = minutes_of(span)
                for minute in range(a, b):
                    yield start + dt.timedelta(days=day, minutes=minute)


@settings(max_examples=40, deadline=None)
@given(
    minutes=st.integers(0, 300 * 24 * 60), amount=st.integers(1, 3000),
    pause=st.tuples(st.integers(-2000, 6000), st.integers(0, 6000)),
)  # fmt: skip
def test_working_hours_are_those_counted_minute_by_minute(minutes, amount, pause):
    started = pd.Timestamp(2026, 1, 1).to_pydatetime() + dt.timedelta(minutes=minutes)
    begin = started + dt.timedelta(minutes=pause[0])
    end = begin + dt.timedelta(minutes=pause[1])
    count, due = 0, None
    for minute in working_minutes(started, started + dt.timedelta(days=60)):
        if minute >= started and not begin <= minute < end:
            count += 1
            if count == amount:
                due = minute + dt.timedelta(minutes=1)
                break
    pauses = pd.DataFrame({"case_id": [0], "paused_at": [local(begin)], "resumed_at": [local(end)]})
    found = due_times(
        pd.Series([local(started)]), amount / 60, "working_hours", calendar=CALENDAR, pauses=pauses
    )
    assert found["due_at"].iloc[0] == local(due)
    spent = time_spent(
        pd.Series([local(started)]),
        found["due_at"],
        "working_hours",
        calendar=CALENDAR,
        pauses=pauses,
    )
    assert spent.iloc[0] == pytest.approx(amount / 60)


@settings(max_examples=60, deadline=None)
@given(
    minutes=st.integers(0, 600 * 24 * 60), more=st.integers(0, 5000), amount=st.floats(0.1, 60),
    unit=st.sampled_from(["urgent_hours", "working_hours", "working_days", "calendar_days"]),
)  # fmt: skip
def test_what_begins_later_or_has_more_time_is_never_due_earlier(minutes, more, amount, unit):
    start = pd.Timestamp("2025-01-01", tz="UTC")
    started = pd.Series(
        [start + pd.Timedelta(minutes=minutes), start + pd.Timedelta(minutes=minutes + more)]
    )
    for reckoning in (
        Reckoning(),
        Reckoning(
            working_days="end_of_work", calendar_days="end_of_day", on_day_off="next_working_day"
        ),
    ):
        due = due_times(started, amount, unit, calendar=CALENDAR, reckoning=reckoning)["due_at"]
        longer = due_times(started, amount * 1.5, unit, calendar=CALENDAR, reckoning=reckoning)[
            "due_at"
        ]
        assert due[0] <= due[1]
        assert (longer >= due).all()
        assert (due > started).all()


def test_a_year_that_is_not_published_makes_a_due_time_provisional():
    started = pd.Series([local("2026-12-31 10:00")] * 4)
    unit = pd.Series(["urgent_hours", "working_hours", "working_days", "calendar_days"])
    amount = pd.Series([48.0, 40.0, 10.0, 10.0])
    assert due_times(started, amount, unit, calendar=CALENDAR)["provisional"].to_list() == [
        False,
        True,
        True,
        False,
    ]
    rolls = due_times(
        started, amount, unit, calendar=CALENDAR, reckoning=Reckoning(on_day_off="next_working_day")
    )
    assert rolls["provisional"].to_list() == [False, True, True, True]


def test_missing_starts_and_deadlines_are_never_due():
    started = pd.Series([pd.NaT, local("2026-11-16 09:00")])
    found = due_times(started, pd.Series([4.0, np.nan]), "working_hours", calendar=CALENDAR)
    assert found["due_at"].isna().all()
    assert not found["paused"].any()
    nobody = due_times(started[:0], pd.Series(dtype=float), "working_hours", calendar=CALENDAR)
    assert len(nobody) == 0


def test_a_clock_in_a_zone_with_summer_time_shows_what_hangs_on_the_wall():
    calendar = CALENDAR.model_copy(update={"timezone": "Europe/Berlin", "country": None})
    started = pd.Series([pd.Timestamp("2026-03-27 17:00", tz="Europe/Berlin").tz_convert("UTC")])
    due = due_times(started, 2, "working_hours", calendar=calendar)["due_at"]
    assert str(due.dt.tz_convert("Europe/Berlin")[0]) == "2026-03-30 09:00:00+02:00"
    day = due_times(started, 3, "calendar_days", calendar=calendar)["due_at"]
    assert str(day.dt.tz_convert("Europe/Berlin")[0]) == "2026-03-30 17:00:00+02:00"
    urgent = due_times(started, 72, "urgent_hours", calendar=calendar)["due_at"]
    assert str(urgent.dt.tz_convert("Europe/Berlin")[0]) == "2026-03-30 18:00:00+02:00"


def test_time_spent_stops_while_a_pause_lasts():
    started = pd.Series([local("2026-11-16 09:00")], index=["x"])
    pauses = pd.DataFrame(
        {
            "case_id": ["x"],
            "paused_at": [local("2026-11-16 11:00")],
            "resumed_at": pd.to_datetime([None], utc=True),
        }
    )
    now = local("2026-11-18 11:00")
    assert time_spent(
        started, now, "working_hours", calendar=CALENDAR, pauses=pauses
    ).to_list() == [2.0]
    assert time_spent(started, now, "working_hours", calendar=CALENDAR).to_list() == [18.0]
    assert time_spent(
        started, local("2026-11-15 11:00"), "working_hours", calendar=CALENDAR
    ).to_list() == [0.0]


def test_what_cannot_be_reckoned_is_said():
    started = pd.Series([local("2026-11-16 09:00")])
    with pytest.raises(InputError, match="did you mean 'working_days'"):
        due_times(started, 1, "working_dayz", calendar=CALENDAR)
    with pytest.raises(InputError, match="not above 0"):
        due_times(started, 0, "working_days", calendar=CALENDAR)
    with pytest.raises(InputError, match="no time zone"):
        due_times(started.dt.tz_localize(None), 1, "working_days", calendar=CALENDAR)
    with pytest.raises(InputError, match="2001 to 2099"):
        due_times(started, 30_000, "working_days", calendar=CALENDAR)
    wrong = pd.DataFrame(
        {"case_id": [0], "paused_at": [local("2026-11-17")], "resumed_at": [local("2026-11-16")]}
    )
    with pytest.raises(InputError, match="end before it"):
        due_times(started, 1, "working_days", calendar=CALENDAR, pauses=wrong)
    with pytest.raises(ColumnError, match="resumed_at"):
        due_times(
            started, 1, "working_days", calendar=CALENDAR, pauses=wrong[["case_id", "paused_at"]]
        )


def test_pauses_are_read_from_events():
    at = pd.to_datetime(
        ["2026-11-05", "2026-11-02", "2026-11-03", "2026-11-04", "2026-11-01"], utc=True
    )
    events = pd.DataFrame(
        {
            "case_id": ["b", "a", "a", "a", "a"],
            "kind": ["suspended", "suspended", "noted", "resumed", "dispatched"],
            "at": at,
        }
    )
    found = pauses_of(events)
    assert found["case_id"].to_list() == ["a", "b"]
    assert found["resumed_at"].isna().to_list() == [False, True]
    started = pd.Series(at[[4, 4]], index=["a", "b"])
    due = due_times(started, 5, "calendar_days", calendar=CALENDAR, pauses=found)
    assert due["due_at"].iloc[0] == at[4] + pd.Timedelta(days=7)
    assert due["paused"].to_list() == [False, True]
    with pytest.raises(ColumnError, match="kind"):
        pauses_of(events.drop(columns="kind"))
