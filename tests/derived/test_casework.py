"""Cases of the ledger held against the statistics of places: what was planted is found."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from gisgrid.derived import assessment_effect, case_campaign, case_issues, case_rebound
from gisgrid.errors import ColumnError, InputError
from gisgrid.testing import synthetic_casework

ZONE = "Asia/Shanghai"


@pytest.fixture(scope="module")
def units():
    x, y = (each.ravel() for each in np.meshgrid(np.arange(20), np.arange(18)))
    community = (y // 3) * 5 + x // 4
    return gpd.GeoDataFrame(
        {
            "compound_code": [f"4198010{c:05d}{i:05d}" for i, c in enumerate(community)],
            "community_code": [f"4198010{c:05d}" for c in community],
            "population": np.random.default_rng(1).integers(300, 900, len(x)),
            "kind": np.where(x < 8, "old", "new"),
        },
        geometry=shapely.box(5e5 + 300 * x, 39e5 + 300 * y, 5e5 + 300 * (x + 1), 39e5 + 300 * (y + 1)), crs=4547,
    )  # fmt: skip


@pytest.fixture(scope="module")
def month(units):
    return synthetic_casework(units, n_cases=14_000, seed=4)


def test_rebounds_and_false_closings_are_where_they_were_planted(units, month):
    found = case_rebound(month.cases, units, key="compound_code")
    table = found.value.set_index("compound_code").join(month.truth[["rebound"]])
    planted, others = (table[table["rebound"] == flag] for flag in (True, False))
    back = planted["n_back"].sum() / planted["n"].sum()
    assert back > 0.4
    assert others["n_back"].sum() / others["n"].sum() < 0.2
    assert planted["n_false"].sum() / planted["n_closed"].sum() > 0.25
    assert others["n_false"].sum() / others["n_closed"].sum() < 0.12
    top = table["share_false"].nlargest(len(planted)).index
    assert table.loc[top, "rebound"].mean() > 0.8
    assert any("3 days" in note for note in found.notes)
    by_class = case_rebound(month.cases, units, key="compound_code", by_class=True).value
    city = by_class[by_class["compound_code"].isna()]
    assert city["n_false"].sum() == table["n_false"].sum()
    assert by_class[by_class["compound_code"].notna()]["n_closed"].sum() == table["n_closed"].sum()
    with pytest.raises(InputError, match="above 0"):
        case_rebound(month.cases, units, key="compound_code", false_days=0)


def test_a_closing_that_was_undone_is_false_and_counted_once(units, month):
    before = case_rebound(month.cases, units, key="compound_code").value.set_index("compound_code")
    cases = month.cases.copy()
    closed = cases.index[cases["closed_at"].notna() & cases["unit_code"].notna()][:40]
    cases.loc[closed[:30], "n_reopenings"] = 1
    cases.loc[closed[30:], "n_reopenings"] = 2
    for by_class in (False, True):
        found = case_rebound(cases, units, key="compound_code", by_class=by_class).value
        found = found[found["compound_code"].notna()]
        assert found["n_false"].sum() == before["n_false"].sum() + 50
        assert found["n_closed"].sum() == before["n_closed"].sum() + 50
    # Opened anew and not closed since: what is left of it is that its closing was false.
    cases.loc[closed, ["closed_at", "n_reopenings"]] = [pd.NaT, 1]
    found = case_rebound(cases, units, key="compound_code").value
    assert found["n_closed"].sum() <= before["n_closed"].sum()
    assert found["n_false"].sum() >= len(closed)
    without = case_rebound(month.cases.drop(columns="n_reopenings"), units, key="compound_code")
    assert (without.value["n_false"].to_numpy() == before["n_false"].to_numpy()).all()


def test_a_show_window_is_found_and_none_is_invented(units):
    rng = np.random.default_rng(0)
    points = gpd.GeoDataFrame(
        geometry=gpd.points_from_xy(
            5e5 + rng.uniform(600, 5400, 12), 39e5 + rng.uniform(600, 4800, 12)
        ),
        crs=4547,
    )
    common = {"since": "2026-10-27", "timezone": ZONE, "step_days": 3, "radius_m": 300.0}
    shown = synthetic_casework(units, n_cases=25_000, seed=6, points=points, show_factor=0.5)
    made, effect = assessment_effect(shown.cases, points, units, until=shown.until, **common)
    assert effect.low < 0.575
    assert effect.high < 0.8
    assert made.value["assessed"].sum() == 12
    assert (made.value["assessed"] | (made.value["n_matched"] > 0)).all()
    covered = 0
    for seed in range(3):
        plain = synthetic_casework(units, n_cases=25_000, seed=10 + seed)
        _, none = assessment_effect(plain.cases, points, units, until=plain.until, **common)
        covered += none.low < 1 < none.high
    assert covered >= 2


def test_a_campaign_is_judged_on_its_own_classes(units):
    plain = synthetic_casework(units, n_cases=25_000, days=84, seed=8)
    rng = np.random.default_rng(2)
    treated = units.assign(campaign=rng.random(len(units)) < 0.15)
    chosen = set(treated.loc[treated["campaign"], "compound_code"])
    cases = plain.cases
    hit = (
        cases["unit_code"].isin(chosen)
        & (cases["category"] == "exposed_garbage")
        & (cases["reported_at"] >= "2026-11-22T16:00Z")
    )
    cases = cases[~(hit & (rng.random(len(cases)) < 0.6))]
    made, effect = case_campaign(
        cases,
        treated,
        key="compound_code",
        treated="campaign",
        since="2026-11-23",
        timezone=ZONE,
        categories=("0110",),
    )
    assert effect.low < 0.4 < effect.high
    assert effect.high < 1
    assert (made.value["group"] == "treated").sum() == len(chosen)
    with pytest.raises(InputError, match="begins with 99"):
        case_campaign(
            cases,
            treated,
            key="compound_code",
            treated="campaign",
            since="2026-11-23",
            timezone=ZONE,
            categories=("99",),
        )


def test_cases_become_issues_without_the_void_ones():
    cases = pd.DataFrame(
        {
            "case_id": ["1", "2", "3"],
            "lon": [114.0, None, 114.0],
            "lat": [35.0, None, 35.0],
            "state": ["filed", "filed", "void"],
        }
    )
    found = case_issues(cases)
    assert found["case_id"].to_list() == ["1", "2"]
    assert found.crs == 4326
    with pytest.raises(ColumnError, match="lat"):
        case_issues(cases.drop(columns="lat"))
