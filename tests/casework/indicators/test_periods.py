"""Months, weeks, years and what came before."""

import pandas as pd
import pytest

from gisgrid.casework.indicators import period_of
from gisgrid.errors import InputError

ZONE = "Asia/Shanghai"


@pytest.mark.parametrize(
    ("written", "first", "after", "before", "year_ago"),
    [
        ("2026", "2026-01-01", "2027-01-01", "2025-01-01", "2025-01-01"),
        ("2026-Q1", "2026-01-01", "2026-04-01", "2025-10-01", "2025-01-01"),
        ("2026-03", "2026-03-01", "2026-04-01", "2026-02-01", "2025-03-01"),
        ("2024-02", "2024-02-01", "2024-03-01", "2024-01-01", "2023-02-01"),
        ("2026-W01", "2025-12-29", "2026-01-05", "2025-12-22", "2024-12-30"),
        ("2026-W53", "2026-12-28", "2027-01-04", "2026-12-21", None),
        ("2026-03-01", "2026-03-01", "2026-03-02", "2026-02-28", "2025-03-01"),
        ("2024-02-29", "2024-02-29", "2024-03-01", "2024-02-28", None),
    ],
)  # fmt: skip
def test_periods_begin_and_end_where_they_should(written, first, after, before, year_ago):
    period = period_of(written, timezone=ZONE)
    assert (str(period.first), str(period.after)) == (first, after)
    assert period.start == pd.Timestamp(first).tz_localize(ZONE)
    assert str(period.before().first) == before
    assert period.before().after == period.first
    assert (None if period.year_ago() is None else str(period.year_ago().first)) == year_ago


def test_a_period_that_is_not_over_is_compared_as_far_as_it_goes():
    period = period_of("2026-03", timezone=ZONE).known_until(pd.Timestamp("2026-03-30T12:00+08:00"))
    assert period.before().end == pd.Timestamp("2026-03-01T00:00+08:00")  # February is over by then
    assert period.year_ago().end == pd.Timestamp("2025-03-30T12:00+08:00")
    assert (
        period_of("2026-02", timezone=ZONE).known_until(pd.Timestamp("2026-03-30", tz="UTC")).until
        is None
    )
    with pytest.raises(InputError, match="earlier period"):
        period_of("2026-04", timezone=ZONE).known_until(pd.Timestamp("2026-03-30", tz="UTC"))
    with pytest.raises(InputError, match="no time zone"):
        period.known_until(pd.Timestamp("2026-03-30"))


@pytest.mark.parametrize(
    "written",
    ["", "26-11", "2026-13", "2026-W54", "2025-W53", "2026-Q5", "2026-02-30", "last month"],
)
def test_what_is_no_period_is_refused(written):
    with pytest.raises(InputError, match="is no period"):
        period_of(written, timezone=ZONE)


def test_an_unknown_zone_is_refused():
    with pytest.raises(InputError, match="Asia/Nowhere"):
        period_of("2026", timezone="Asia/Nowhere")
