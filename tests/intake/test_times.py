"""Times that can mean one thing only."""

import pandas as pd
import pytest

from gisgrid.intake.times import read_times


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-03-04", "2026-03-04 00:00:00"),
        ("2026-03-04T09:30:05", "2026-03-04 09:30:05"),
        ("2026/3/4 9:30", "2026-03-04 09:30:00"),
        ("2026年3月4日", "2026-03-04 00:00:00"),
        ("2026年03月04日 21:05:06", "2026-03-04 21:05:06"),
        (" 2026-3-4 ", "2026-03-04 00:00:00"),
        ("soon", "NaT"),
        ("03/04/2026", "NaT"),
    ],
)
def test_year_first_is_read_and_what_is_doubtful_is_not(text, time):
    assert str(read_times(pd.Series([text])).iloc[0]) == time


def test_a_column_shows_which_of_day_and_month_comes_first():
    american = read_times(pd.Series(["02/03/2026 01:00:00 PM", "02/28/2026 11:45:00 PM"]))
    european = read_times(pd.Series(["02/03/2026", "28/02/2026"]))
    assert american.dt.strftime("%m-%d %H").tolist() == ["02-03 13", "02-28 23"]
    assert european.dt.strftime("%m-%d").tolist() == ["03-02", "02-28"]


def test_a_column_that_contradicts_itself_is_not_read():
    assert read_times(pd.Series(["28/02/2026", "02/28/2026"])).isna().all()


def test_day_first_does_not_turn_year_first_around():
    times = read_times(pd.Series(["28-02-2026", "2026-3-4"]))
    assert times.dt.strftime("%m-%d").tolist() == ["02-28", "03-04"]


def test_zones_become_utc():
    times = read_times(pd.Series(["2026-03-04T08:00:00+08:00", None]))
    assert str(times.iloc[0]) == "2026-03-04 00:00:00+00:00"
    assert times.isna().tolist() == [False, True]


def test_datetimes_stay_as_they_are():
    times = pd.Series(pd.to_datetime(["2026-03-04"]))
    assert read_times(times) is times
