"""Indicators against a published bulletin, against pandas, and as laws."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gisgrid.casework.indicators import (
    compared,
    coverage,
    indicators,
    period_of,
    read_indicators,
)
from gisgrid.errors import ColumnError, InputError

ZONE = "Asia/Shanghai"
NOVEMBER = period_of("2026-11", timezone=ZONE)
TIMES = [
    "reported_at",
    "uploaded_at",
    "filed_at",
    "dispatched_at",
    "handled_at",
    "closed_at",
    "due_at",
]


def cases(n, **columns):
    empty = pd.Series(pd.to_datetime([None] * n, utc=True))
    plain = dict.fromkeys(TIMES, empty)
    plain |= {
        "state": "filed",
        "duplicate_of": pd.Series([None] * n, dtype=object),
        "n_returns": 0,
        "n_reworks": 0,
        "n_hand_overs": 0,
        "n_reopenings": 0,
    }
    return pd.DataFrame({**plain, **columns}, index=range(n))


def tianmen():
    """1 054 taken, 996 filed, 972 due, 911 of them closed, 737 in time: December 2016."""
    n = 1054
    row = np.arange(n)
    reported = pd.Series(pd.Timestamp("2016-12-02", tz="UTC") + pd.to_timedelta(row, unit="min"))
    filed = (reported + pd.Timedelta(minutes=9)).where(row < 996)
    due = (reported + pd.Timedelta(days=3)).where(row < 972)
    closed = (
        (reported + pd.Timedelta(days=2))
        .where(row < 737, reported + pd.Timedelta(days=5))
        .where(row < 911)
    )
    return cases(
        n, reported_at=reported, uploaded_at=reported + pd.Timedelta(seconds=30), filed_at=filed, due_at=due,
        dispatched_at=filed, handled_at=closed, closed_at=closed, state=np.where(row < 911, "closed", "filed"),
    )  # fmt: skip


def test_the_published_bulletin_comes_out_and_so_do_the_other_readings():
    row = indicators(tianmen(), period_of("2016-12", timezone=ZONE)).loc["all"]
    assert (row["n_reported"], row["n_filed"], row["n_due_to_close"]) == (1054, 996, 972)
    assert (row["closing_rate_numerator"], row["closing_on_time_rate_numerator"]) == (911, 737)
    assert round(100 * row["closing_rate"], 2) == 93.72
    assert round(100 * row["closing_on_time_rate"], 2) == 75.82
    assert round(100 * row["closing_on_time_rate_of_closed"], 1) == 80.9
    assert row["closing_on_time_rate_of_open"] == pytest.approx(737 / (737 + 996 - 911))
    assert round(100 * row["filing_rate"], 2) == 94.5
    assert row["upload_lag_minutes_median"] == 0.5
    assert row["time_to_close_hours_p90"] == pytest.approx(120)


def test_an_empty_denominator_is_missing_and_never_zero():
    row = indicators(tianmen(), period_of("2016-11", timezone=ZONE)).loc["all"]
    assert row["n_due_to_close"] == 0
    assert np.isnan(row["closing_rate"])
    assert row["closing_rate_denominator"] == 0
    assert np.isnan(row["time_to_close_hours_median"])


def random_cases(seed, n=3000):
    rng = np.random.default_rng(seed)
    steps = np.cumsum(rng.exponential(20, (n, 6)), axis=1) + rng.uniform(0, 24 * 90, (n, 1))
    reached = rng.integers(1, 7, n)
    start = pd.Timestamp("2026-09-15", tz="UTC")
    times = {
        name: pd.Series(start + pd.to_timedelta(steps[:, i], unit="h"))
        .dt.floor("ms")
        .where(i < reached)
        for i, name in enumerate(TIMES[:-1])
    }
    due = times["dispatched_at"] + pd.Timedelta(hours=45)
    return cases(
        n, **times, due_at=due, state=rng.choice(["filed", "closed", "void"], n, p=[0.3, 0.6, 0.1]),
        unit_code=rng.choice([f"u{i:02d}" for i in range(15)], n), source=rng.choice(["collector", "hotline"], n),
        n_reworks=rng.integers(0, 2, n), n_returns=rng.integers(0, 2, n), n_hand_overs=rng.integers(0, 3, n),
        duplicate_of=pd.Series(np.where(rng.random(n) < 0.1, "x", None), dtype=object),
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
def test_counts_and_percentiles_are_those_of_pandas(seed):
    table = random_cases(seed)
    found = indicators(table, NOVEMBER, by=["unit_code"])
    start, end = NOVEMBER.start, NOVEMBER.end
    alive = table["state"] != "void"

    def within(column):
        return (table[column] >= start) & (table[column] < end)

    expected = {
        "n_reported": within("reported_at"),
        "n_closed_on_time_of_due": within("due_at")
        & alive
        & (table["closed_at"] <= table["due_at"])
        & (table["closed_at"] < end),
        "n_pending": (table["filed_at"] < end) & alive & ~(table["closed_at"] < end),
        "n_overdue": (table["filed_at"] < end)
        & alive
        & ~(table["closed_at"] < end)
        & (table["due_at"] < end),
        "n_reworked": within("handled_at") & (table["n_reworks"] > 0),
        "n_duplicates": within("reported_at") & table["duplicate_of"].notna(),
        "n_void": within("reported_at") & ~alive,
    }
    for name, mask in expected.items():
        assert (
            found[name].to_dict()
            == table[mask].groupby("unit_code").size().reindex(found.index, fill_value=0).to_dict()
        ), name
    hours = (table["closed_at"] - table["reported_at"])[
        within("closed_at") & alive
    ].dt.total_seconds() / 3600
    for share, name in ((0.5, "median"), (0.9, "p90")):
        other = hours.groupby(table["unit_code"]).quantile(share)
        assert found[f"time_to_close_hours_{name}"].dropna().to_dict() == pytest.approx(
            other.to_dict(), abs=1e-5
        )


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 1000))
def test_parts_add_up_and_the_order_of_rows_does_not_matter(seed):
    table = random_cases(seed, n=400)
    city = indicators(table, NOVEMBER).loc["all"]
    pairs = indicators(table, NOVEMBER, by=["source", "unit_code"])
    shuffled = indicators(
        table.sample(frac=1, random_state=seed), NOVEMBER, by=["source", "unit_code"]
    )
    pd.testing.assert_frame_equal(pairs, shuffled)
    for name in pairs.columns[
        pairs.columns.str.startswith("n_") | pairs.columns.str.endswith("ator")
    ]:
        assert pairs[name].sum() == city[name]
    shares = pairs[[rate.id for rate in read_indicators().rate if rate.id != "filing_rate"]]
    assert ((shares.isna()) | ((shares >= 0) & (shares <= 1))).all(axis=None)


def test_groups_that_are_asked_for_are_there_and_missing_ones_are_counted_apart():
    table = random_cases(1, n=300)
    table.loc[table["unit_code"] == "u03", "unit_code"] = None
    found = indicators(table, NOVEMBER, by=["unit_code"])
    assert found.index.isna().sum() == 1
    asked = indicators(table, NOVEMBER, by=["unit_code"], groups=pd.Index(["u01", "u99"]))
    assert asked.index.to_list() == ["u01", "u99"]
    assert asked.loc["u01", "n_reported"] == found.loc["u01", "n_reported"]
    assert asked.loc["u99", "n_reported"] == 0


def test_change_against_the_month_before_and_the_year_before():
    at = pd.to_datetime(
        pd.Series(
            [
                "2025-11-05",
                "2026-10-05",
                "2026-10-25",
                "2026-11-02",
                "2026-11-03",
                "2026-11-04",
                "2026-11-25",
            ]
        ),
        utc=True,
    )
    table = cases(
        7,
        reported_at=at,
        filed_at=at.where(np.arange(7) != 3),
        due_at=at,
        closed_at=at.where(np.arange(7) < 5),
    )
    row = compared(table, NOVEMBER).loc["all"]
    assert [row[f"n_reported{end}"] for end in ("", "_before", "_year_ago")] == [4, 2, 1]
    assert row["n_reported_change_before"] == 1.0
    assert row["n_reported_change_year_ago"] == 3.0
    assert row["closing_rate_change_before"] == pytest.approx(0.5 - 1.0)
    early = compared(table, NOVEMBER.known_until(pd.Timestamp("2026-11-10", tz="UTC"))).loc["all"]
    assert [early[f"n_reported{end}"] for end in ("", "_before", "_year_ago")] == [3, 1, 1]
    week = compared(table, period_of("2026-W53", timezone=ZONE)).loc["all"]
    assert np.isnan(week["n_reported_year_ago"])
    first = compared(table, period_of("2025-11", timezone=ZONE)).loc["all"]
    assert np.isnan(first["n_reported_before"])  # nothing is known of it
    stray = table.iloc[:1].assign(reported_at=pd.Timestamp("1971-01-01", tz="UTC"))
    with_stray = compared(
        pd.concat([stray, table], ignore_index=True), period_of("2025-11", timezone=ZONE)
    ).loc["all"]
    assert np.isnan(with_stray["n_reported_before"])  # a wrong clock's report begins no ledger


def test_coverage_counts_units_in_which_anything_was_found():
    table = cases(
        3,
        reported_at=pd.to_datetime(["2026-11-05", "2026-11-06", "2026-12-05"], utc=True),
        unit_code=["a", "a", "b"],
    )
    units = pd.DataFrame(
        {"unit_code": ["a", "b", "c", "d"], "subdistrict_code": ["1", "1", "2", "2"]}
    )
    found = coverage(table, units, NOVEMBER, by=["subdistrict_code"])
    assert found["coverage"].to_dict() == {"1": 0.5, "2": 0.0}
    assert coverage(table, units, NOVEMBER)["n_covered"].to_list() == [1]
    with pytest.raises(ColumnError, match="did you mean 'subdistrict_code'"):
        coverage(table, units, NOVEMBER, by=["subdistrict"])


def test_what_cannot_be_counted_is_said():
    with pytest.raises(ColumnError, match="closed_at"):
        indicators(tianmen().drop(columns="closed_at"), NOVEMBER)
    naive = tianmen()
    naive["closed_at"] = naive["closed_at"].dt.tz_localize(None)
    with pytest.raises(InputError, match="no time zone"):
        indicators(naive, NOVEMBER)
    with pytest.raises(ColumnError, match="'zone'"):
        indicators(tianmen(), NOVEMBER, by=["zone"])


def test_nothing_of_the_cases_is_changed_and_none_is_fine():
    table = random_cases(2, n=50)
    before = table.copy()
    indicators(table, NOVEMBER, by=["unit_code"])
    pd.testing.assert_frame_equal(table, before)
    assert len(indicators(table[:0], NOVEMBER, by=["unit_code"])) == 0
    assert indicators(table[:0], NOVEMBER).loc["all", "n_reported"] == 0
