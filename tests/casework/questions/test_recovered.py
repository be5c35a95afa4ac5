"""What was planted in a synthetic month is found again."""

import numpy as np
import pandas as pd
import pytest

from gisgrid.casework.questions import (
    authority_gap,
    blind_spots,
    patrol_steps,
    unit_patrols,
)
from gisgrid.errors import ColumnError, InputError
from gisgrid.testing import synthetic_casework
from gisgrid.testing.settling import TIMES_AS_LONG


def test_the_communities_with_an_authority_gap_lead_the_list(month, units):
    found = authority_gap(month.cases, month.authority, by=["community_code"])
    of = units.set_index("compound_code")["community_code"]
    planted = set(of[month.truth.index[month.truth["authority_gap"]]])
    assert planted
    by_share = found.sort_values("share_gap", ascending=False)["community_code"]
    assert set(by_share.head(len(planted))) == planted
    lost = found.set_index("community_code")["hours_lost"] / found.set_index("community_code")["n"]
    assert set(lost.nlargest(len(planted)).index) == planted
    assert found["community_code"].iloc[0] in planted
    assert found["rank"].to_list() == list(range(1, len(found) + 1))
    gap = found.set_index("community_code").loc[sorted(planted)]
    assert (
        (gap["times_as_long_low"] < TIMES_AS_LONG) & (gap["times_as_long_high"] > TIMES_AS_LONG)
    ).mean() >= 0.8
    assert (gap["hand_overs_per_gap_case"] > 1).all()
    assert found["n"].sum() == len(month.cases)


def test_blind_spots_and_unpatrolled_units_are_told_apart(month, units):
    steps = patrol_steps(month.fixes, crs=units.crs)
    walked = unit_patrols(steps, units, key="compound_code")
    assert walked["patrol_km"].to_numpy() == pytest.approx(
        month.truth["patrol_km"].to_numpy(), abs=1e-6
    )
    assert walked["patrol_km"].sum() == pytest.approx(steps["length_m"].sum() / 1000)
    collected = month.cases[month.cases["source"] == "collector"].groupby("unit_code").size()
    table = units.drop(columns="geometry").assign(
        n_found=units["compound_code"].map(collected).fillna(0).astype(int),
        patrol_km=walked["patrol_km"].to_numpy(),
    )
    found = blind_spots(table, key="compound_code", zone="kind")
    truth = month.truth
    assert (found["label"][truth["unpatrolled"]] == "unpatrolled").all()
    blind = found.index[found["label"] == "blind"]
    assert truth["blind"][truth["blind"]].index.isin(blind).mean() >= 0.8
    assert truth["blind"].reindex(blind).mean() >= 0.9
    slope = found.attrs["fit"].coefficients["log_effort"]
    assert abs(slope - 1) < 4 * found.attrs["fit"].errors["log_effort"]
    assert found["missed"][found["label"] == "ordinary"].eq(0).all()
    top = found.sort_values("rank").head(int(truth["blind"].sum() + truth["unpatrolled"].sum()))
    assert (truth["blind"] | truth["unpatrolled"]).reindex(top.index).mean() > 0.8


def test_in_a_city_without_blind_spots_few_are_called_blind():
    rng = np.random.default_rng(3)
    false = 0
    for _ in range(20):
        table = pd.DataFrame({
            "unit": np.arange(300).astype(str), "population": rng.integers(300, 900, 300),
            "zone": rng.choice(["a", "b"], 300), "patrol_km": rng.gamma(4, 1, 300),
        })  # fmt: skip
        mean = (
            0.02
            * table["population"]
            * (1 + table["patrol_km"] / table["patrol_km"].median())
            * rng.gamma(8, 1 / 8, 300)
        )
        found = blind_spots(table.assign(n_found=rng.poisson(mean)), key="unit")
        false += (found["label"] == "blind").any()
    assert false <= 4


def test_units_that_cannot_be_judged_are_unknown_not_cold():
    table = pd.DataFrame({
        "unit": list("abcdefgh"), "population": [0, 500, 500, 500, 500, 500, 500, 500], "n_found": [3, 0, 9, 11, 10, 8, 12, 10],
        "patrol_km": [5, 0, 5, 5, 6, 4, 5, None],
    })  # fmt: skip
    found = blind_spots(table, key="unit", zone=None)
    assert found["label"].to_list() == ["unknown", "unpatrolled", *["ordinary"] * 5, "unpatrolled"]
    assert found["missed"].isna().to_list() == [True] + [False] * 7
    assert found.loc["b", "missed"] == pytest.approx(10, abs=1.5)
    with pytest.raises(InputError, match="nothing above 0"):
        blind_spots(table.assign(patrol_km=0), key="unit", zone=None)
    with pytest.raises(ColumnError, match="zone"):
        blind_spots(table, key="unit")


def test_a_month_is_the_same_for_the_same_seed_and_its_events_make_its_cases(units, month):
    again = synthetic_casework(units, n_cases=16_000, seed=2)
    pd.testing.assert_frame_equal(again.cases, month.cases)
    assert abs(len(month.cases) / 16_000 - 1) < 0.35
    cases = month.cases
    times = cases[
        ["reported_at", "uploaded_at", "filed_at", "dispatched_at", "handled_at", "closed_at"]
    ]
    for before, after in zip(times.columns, times.columns[1:], strict=False):
        assert not (times[before] > times[after]).any()
        assert not (times[before].isna() & times[after].notna()).any()
    assert (times.max() < month.until).all()
    events = month.events()
    assert events["at"].is_monotonic_increasing
    assert (events["kind"] == "closed").sum() == cases["closed_at"].notna().sum()
    one = cases[(cases["n_hand_overs"] == 2) & (cases["state"] == "closed")].iloc[0]
    mine = events[events["case_id"] == one["case_id"]]["kind"].to_list()
    assert mine == [
        "reported",
        "filed",
        "dispatched",
        "handed_over",
        "handed_over",
        "handled",
        "feedback",
        "verified",
        "closed",
    ]
    with pytest.raises(InputError, match="20 units"):
        synthetic_casework(units.head(5))
