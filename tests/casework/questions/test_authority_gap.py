"""Who sees what they may not settle: hand-made logs."""

import numpy as np
import pandas as pd
import pytest

from gisgrid.casework.questions import authority_gap, seen_by_others
from gisgrid.errors import ColumnError, InputError, NullResultWarning

AT = pd.Timestamp("2026-11-02T08:00Z")
AUTHORITY = pd.DataFrame(
    {"category_code": ["01", "0110", "0110"], "level": ["bureau", "community", "subdistrict"]}
)


def cases(rows):
    table = pd.DataFrame(
        rows, columns=["unit_code", "category_code", "level_found", "hours", "n_hand_overs"]
    )
    hours = pd.to_timedelta(table.pop("hours"), unit="h")
    return table.assign(uploaded_at=AT, handled_at=AT + hours)


def test_the_longest_code_that_fits_and_the_place_decide():
    log = cases(
        [
            ("a", "0110", "community", 1, 0),
            ("a", "0101", "community", 1, 0),
            ("a", "0201", "bureau", 1, 0),
            ("a", "0101", None, 1, 0),
        ]
    )
    found = seen_by_others(log, AUTHORITY)
    assert found[:2].to_list() == [False, True]
    assert found[2:].isna().all()
    by_place = AUTHORITY.assign(unit_code=["", "b", "b"])
    assert seen_by_others(log[:1], by_place).to_list() == [True]
    assert seen_by_others(log[:1].assign(unit_code="b7"), by_place).to_list() == [False]


def test_shares_delays_and_hand_overs_are_those_of_the_log():
    log = cases([
        ("a", "0101", "community", 20, 2), ("a", "0101", "community", 30, 1), ("a", "0101", "bureau", 10, 0),
        ("b", "0101", "bureau", 8, 0), ("b", "0110", "community", 2, 0), ("b", "0110", "bureau", 6, 3),
        ("c", "0110", "community", None, 0),
    ])  # fmt: skip
    found = authority_gap(log, AUTHORITY, by=["unit_code"]).set_index("unit_code")
    assert found["n"].to_dict() == {"a": 3, "b": 3, "c": 1}
    assert found["n_gap"].to_dict() == {"a": 2, "b": 1, "c": 0}
    assert found["hours_lost"].to_dict() == {
        "a": 32.0,
        "b": 4.0,
        "c": 0.0,
    }  # 9 h are usual for 0101, 2 h for 0110
    assert found.loc["a", "hand_overs_per_case"] == 1.0
    assert found.loc["a", "hand_overs_per_gap_case"] == 1.5
    assert found.loc["a", "times_as_long"] == pytest.approx(np.sqrt(20 * 30) / np.sqrt(10 * 8))
    assert found.loc["a", "share_gap_low"] == pytest.approx(0.2077, abs=1e-4)
    assert np.isnan(found.loc["c", "times_as_long"])
    both = authority_gap(log, AUTHORITY)
    assert len(both) == 4
    assert both["n"].sum() == 7


def test_repeats_and_void_cases_do_not_count():
    log = cases([("a", "0101", "community", 20, 2)] * 3).assign(
        state=["closed", "void", "closed"], duplicate_of=[None, None, "x"]
    )
    assert authority_gap(log, AUTHORITY, by=["unit_code"])["n"].to_list() == [1]


def test_where_nobody_is_known_there_is_no_answer():
    log = cases([("a", "0201", "community", 20, 2)])
    with pytest.warns(NullResultWarning, match="authority gap"):
        assert len(authority_gap(log, AUTHORITY)) == 0
    with pytest.raises(ColumnError, match="level_found"):
        authority_gap(log.drop(columns="level_found"), AUTHORITY)
    with pytest.raises(InputError, match="level 2"):
        authority_gap(log, AUTHORITY, level=2)
    with pytest.raises(InputError, match="no time zone"):
        authority_gap(log.assign(handled_at=log["handled_at"].dt.tz_localize(None)), AUTHORITY)


def test_the_interval_covers_the_truth():
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(40):
        level = rng.choice(["community", "bureau"], 120)
        hours = 10 * np.where(level == "community", 1.5, 1) * np.exp(rng.normal(0, 0.6, 120))
        log = cases([("a", "0101", seer, wait, 0) for seer, wait in zip(level, hours, strict=True)])
        row = authority_gap(log, AUTHORITY, by=["unit_code"]).iloc[0]
        covered += row["times_as_long_low"] < 1.5 < row["times_as_long_high"]
    assert 34 <= covered <= 40
