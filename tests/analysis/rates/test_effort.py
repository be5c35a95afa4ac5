import numpy as np
import pandas as pd
import pytest

from gisgrid.analysis import known_labels, rate_per_effort, reporting_rate
from gisgrid.errors import ColumnError, IndexMismatchError, InputError, NullResultWarning


def reported(seed, rates, *, truly=400, days=10.0):
    """Incidents that last `days`, each reported at its unit's rate; those never reported are not known."""
    rng = np.random.default_rng(seed)
    rows = []
    for unit, rate in rates.items():
        n = rng.poisson(rate * days, truly)
        first = np.array([rng.uniform(0, days, k).min() if k else np.nan for k in n])
        rows.append(pd.DataFrame({"unit": unit, "n_reports": n, "first": first})[n > 0])
    table = pd.concat(rows, ignore_index=True)
    start = pd.Timestamp("2026-01-01")
    return pd.DataFrame(
        {
            "unit": table["unit"],
            "n_reports": table["n_reports"],
            "first_reported_at": start + pd.to_timedelta(table["first"], unit="D"),
            "closed_at": start + pd.Timedelta(days=days),
        }
    )


def test_rates_and_true_numbers_are_recovered():
    rates = {"loud": 0.5, "middling": 0.15, "quiet": 0.05}
    found = reporting_rate(reported(2, rates), unit="unit", lifetime_days=10)
    for unit, rate in rates.items():
        assert found.loc[unit, "low"] <= rate <= found.loc[unit, "high"]
        estimate = found.loc[unit, "n_incidents"] * found.loc[unit, "factor"]
        assert estimate == pytest.approx(400, rel=0.15)
    raw = found["n_incidents"]
    assert raw["quiet"] < 0.5 * raw["loud"]  # what a map of reports would show


def test_intervals_hold_what_they_promise():
    held = 0
    for seed in range(150):
        found = reporting_rate(reported(seed, {"a": 0.1}, truly=60), unit="unit", lifetime_days=10)
        held += found.loc["a", "low"] <= 0.1 <= found.loc["a", "high"]
    assert held >= 135


def test_nobody_repeats_nothing_is_known():
    table = reported(1, {"a": 0.3}).assign(n_reports=1)
    with pytest.warns(NullResultWarning, match="none was reported twice"):
        found = reporting_rate(table, unit="unit", lifetime_days=10)
    assert found[["rate_per_day", "factor"]].isna().all(axis=None)


def test_a_cell_never_visited_is_unknown_and_never_cold():
    labels = pd.Series(["cold_99", "not_significant", "hot_95", None, "cold_90"], dtype="str")
    effort = pd.Series([0.0, np.nan, 0.0, 3.0, 4.0])
    found = known_labels(labels, effort, least=2)
    assert found.fillna("none").to_list() == ["unknown", "unknown", "hot_95", "none", "cold_90"]
    rate = rate_per_effort(pd.Series([0, 0, 4, 1, 8]), effort, least=2, per=10)
    assert rate.isna().to_list() == [True, True, True, False, False]
    assert rate.iloc[4] == 20


def test_what_cannot_be_is_refused():
    table = reported(1, {"a": 0.3})
    with pytest.raises(ColumnError, match="no column 'units'"):
        reporting_rate(table, unit="units", lifetime_days=10)
    with pytest.raises(InputError, match="end before they begin"):
        reporting_rate(
            table.assign(closed_at=pd.Timestamp("2025-01-01")), unit="unit", lifetime_days=10
        )
    with pytest.raises(InputError, match="have no report"):
        reporting_rate(table.assign(n_reports=0), unit="unit", lifetime_days=10)
    with pytest.raises(InputError, match="lifetime of 0 days"):
        reporting_rate(table, unit="unit", lifetime_days=0)
    with pytest.raises(InputError, match="no bound"):
        rate_per_effort(pd.Series([1]), pd.Series([1.0]), least=0)
    with pytest.raises(InputError, match="least effort is -1"):
        known_labels(pd.Series(["hot_99"]), pd.Series([-1.0]), least=1)
    with pytest.raises(IndexMismatchError):
        known_labels(pd.Series(["hot_99"]), pd.Series([1.0, 2.0]), least=1)
