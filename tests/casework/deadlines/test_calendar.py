"""Holidays, make-up days, the city's own days and hours."""

import datetime as dt

import pytest

from gisgrid.casework.deadlines import read_calendar
from gisgrid.errors import InputError

PLAIN = """
title = { zh = "某市", en = "Some city" }
timezone = "Asia/Shanghai"
country = "CN"
[[hours]]
spans = ["08:00-12:00", "14:00-18:00"]
"""


def own(tmp_path, more, plain=PLAIN):
    path = tmp_path / "own.toml"
    path.write_text(plain + more, encoding="utf-8")
    return read_calendar(path)


def test_the_make_up_days_of_2026_are_those_published():
    days = read_calendar().days(dt.date(2026, 1, 1), dt.date(2026, 12, 31))
    made_up = days.index[days["kind"] == "make_up"].strftime("%m-%d").to_list()
    assert made_up == ["01-04", "02-14", "02-28", "05-09", "09-20", "10-10"]
    assert not days["provisional"].any()
    assert days.loc["2026-10-01":"2026-10-07", "works"].sum() == 0
    assert days["works"].sum() == 248


def test_leftovers_of_other_years_are_no_make_up_days():
    days = read_calendar().days(dt.date(2011, 1, 1), dt.date(2012, 12, 31))
    assert days.loc["2011-12-31", "kind"] == "make_up"  # by the notice for 2012
    later = read_calendar().days(dt.date(2025, 12, 29), dt.date(2025, 12, 31))
    assert set(later["kind"]) == {"working"}


def test_a_year_that_nobody_published_is_provisional():
    days = read_calendar().days(dt.date(2030, 1, 1), dt.date(2030, 12, 31))
    assert days["provisional"].all()
    assert (days["kind"] == "holiday").any()
    assert not (days["kind"] == "make_up").any()


def test_the_citys_own_days_override_and_complete_a_year(tmp_path):
    calendar = own(
        tmp_path,
        """
        [[day]]
        date = 2030-02-09
        works = true
        why = { zh = "通知", en = "notice" }
        [[day]]
        date = 2030-02-11
        works = false
        [[day]]
        date = 2026-10-10
        works = false
        [[day]]
        date = 2026-11-19
        works = true
        spans = ["09:00-11:00"]
        """,
        plain="published = [2030]\n" + PLAIN,
    )
    assert calendar.is_published(2030)
    assert not calendar.is_published(2031)
    found = calendar.days(dt.date(2030, 2, 9), dt.date(2030, 2, 11))
    assert found["kind"].to_list() == ["make_up", "weekend", "holiday"]
    assert found["own"].to_list() == [True, False, True]
    assert calendar.days(dt.date(2026, 10, 10), dt.date(2026, 10, 10))["kind"].to_list() == [
        "weekend"
    ]
    assert calendar.days(dt.date(2026, 11, 19), dt.date(2026, 11, 19))["hours"].to_list() == [
        "09:00-11:00"
    ]
    assert calendar.digest != read_calendar().digest


def test_summer_hours_hold_in_their_months_and_from_their_day(tmp_path):
    calendar = own(
        tmp_path,
        """
        [[hours]]
        months = [6, 7]
        since = 2026-06-15
        until = 2027-01-01
        spans = ["08:00-12:00", "15:00-18:30"]
        """,
    )
    hours = calendar.days(dt.date(2026, 6, 12), dt.date(2026, 6, 15))["hours"]
    assert hours.to_list() == ["08:00-12:00, 14:00-18:00", "", "", "08:00-12:00, 15:00-18:30"]
    assert calendar.days(dt.date(2027, 6, 15), dt.date(2027, 6, 15))["hours"].to_list() == [
        "08:00-12:00, 14:00-18:00"
    ]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('[[hours]]\nspans = ["12:00-08:00"]', "end before they begin"),
        ('[[hours]]\nspans = ["8-12"]', "not written as 08:00-12:00"),
        ('[[hours]]\nspans = ["08:00-12:00", "11:00-13:00"]', "overlap"),
        ("[[day]]\ndate = 2026-01-01\nworks = true\n[[day]]\ndate = 2026-01-01\nworks = false", "declared twice"),
        ("[[day]]\ndate = 2026-01-01", "works"),
        ('colour = "red"', "Extra inputs"),
    ],
)  # fmt: skip
def test_a_calendar_that_breaks_a_rule_is_refused_with_all_its_faults(tmp_path, more, said):
    with pytest.raises(InputError, match=said):
        own(tmp_path, more)


def test_a_calendar_without_holidays_or_with_unknown_ones(tmp_path):
    path = tmp_path / "x.toml"
    path.write_text(PLAIN.replace('country = "CN"\n', ""), encoding="utf-8")
    assert read_calendar(path).is_published(2050)
    path.write_text(PLAIN.replace('"CN"', '"XX"'), encoding="utf-8")
    with pytest.raises(InputError, match="'XX'"):
        read_calendar(path).is_published(2026)
    path.write_text(PLAIN.replace("Shanghai", "Nowhere"), encoding="utf-8")
    with pytest.raises(InputError, match="Asia/Nowhere"):
        read_calendar(path)
    with pytest.raises(InputError, match="cannot be read"):
        read_calendar(tmp_path / "none.toml")
