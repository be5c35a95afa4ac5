"""What was planted is there: issues per resident are the factor times what they are elsewhere."""

import numpy as np
import pandas as pd
import pytest
import shapely

from gisgrid.testing.truth import MARKET_CATEGORY


@pytest.fixture(scope="module")
def compound_of(city, originals):
    """The row of the compound of each original issue, -1 outside."""
    hits = city.layers["compounds"].sindex.query(originals.geometry, predicate="intersects")
    found = np.full(len(originals), -1)
    found[hits[0]] = hits[1]
    return found


def inside(city, geometry):
    middles = shapely.point_on_surface(city.layers["compounds"].geometry.to_numpy())
    return shapely.contains(geometry, middles)


def planted(city):
    return shapely.union_all(city.truth.geometry.to_numpy())


def ratio_and_error(issues_in, people_in, issues_out, people_out):
    ratio = issues_in / people_in / (issues_out / people_out)
    return ratio, ratio * np.sqrt(1 / issues_in + 1 / issues_out)


def rates(city, compound_of, geometry, which):
    """Issues per resident inside over outside of everything planted, and its standard error."""
    people = city.layers["compounds"]["population"].to_numpy()
    hot, even = inside(city, geometry), ~inside(city, planted(city))
    mine = compound_of[which & (compound_of >= 0)]
    return ratio_and_error(hot[mine].sum(), people[hot].sum(), even[mine].sum(), people[even].sum())


def test_all_kinds_are_planted_and_apart(city):
    truth = city.truth
    assert truth["kind"].value_counts().to_dict() == {
        "hot": 3,
        "cold": 1,
        "emerging": 1,
        "fading": 1,
    }
    assert truth["truth_id"].is_unique
    assert list(truth["category"].dropna()) == [MARKET_CATEGORY]
    assert shapely.area(planted(city)) == pytest.approx(truth.area.sum(), rel=1e-9)
    wide = truth[truth["category"].isna()].geometry.to_numpy()
    apart = shapely.distance(wide[:, None], wide)[~np.eye(len(wide), dtype=bool)]
    assert apart.min() > 0
    city_area = city.layers["subdistricts"].union_all()
    assert city_area.covers(truth.geometry).all()


@pytest.mark.parametrize("kind", ["hot", "cold"])
def test_constant_factors_are_recovered(city, originals, compound_of, kind):
    for row in city.truth[(city.truth["kind"] == kind)].itertuples():
        wide = row.category is None or row.category != row.category
        which = (
            np.ones(len(originals), bool)
            if wide
            else (originals["category"] == row.category).to_numpy()
        )
        ratio, error = rates(city, compound_of, row.geometry, which)
        assert abs(ratio - row.factor) < 4 * error
        assert error < 0.12 * row.factor or not wide


def test_a_category_s_hotspot_is_none_of_the_others(city, originals, compound_of):
    row = city.truth[city.truth["category"].notna()].iloc[0]
    ratio, error = rates(
        city, compound_of, row.geometry, (originals["category"] != row["category"]).to_numpy()
    )
    assert abs(ratio - 1) < 4 * error


@pytest.mark.parametrize("kind", ["emerging", "fading"])
def test_trends_run_as_planted(city, originals, compound_of, kind):
    row = city.truth[city.truth["kind"] == kind].iloc[0]
    reported = originals["reported_at"]
    edges = pd.date_range(reported.min().floor("D"), reported.max().ceil("D"), periods=9)
    share = (edges - row["starts_at"]) / (row["ends_at"] - row["starts_at"])
    found, expected = [], []
    for begin, end, low, high in zip(edges, edges[1:], share, share[1:], strict=False):
        ratio, error = rates(
            city, compound_of, row.geometry, ((reported >= begin) & (reported < end)).to_numpy()
        )
        at = np.clip(np.linspace(low, high, 50), 0, 1).mean()
        factor = 1 + (row["factor"] - 1) * (at if kind == "emerging" else 1 - at)
        assert abs(ratio - factor) < 4 * error + 0.1  # the season shifts weight within an eighth
        found.append(ratio)
        expected.append(factor)
    assert np.corrcoef(found, expected)[0, 1] > 0.95


def test_trends_say_when_they_run(city):
    truth = city.truth.set_index("kind")
    hot = truth.loc["hot"].iloc[0]
    assert truth.loc["emerging", "ends_at"] == hot["ends_at"]
    assert truth.loc["emerging", "starts_at"] > hot["starts_at"]
    assert truth.loc["fading", "starts_at"] == hot["starts_at"]
    assert truth.loc["fading", "ends_at"] < hot["ends_at"]
    assert str(hot["starts_at"].tz) == "UTC"


def test_without_planting_issues_follow_residents_everywhere(even_city, city):
    assert len(even_city.truth) == 0
    assert [*even_city.truth.columns] == [*city.truth.columns]
    assert even_city.truth.dtypes.to_dict() == city.truth.dtypes.to_dict()
    issues = even_city.layers["reported_issues"]
    first = issues[issues["duplicate_of"].isna()]
    communities = even_city.layers["communities"]
    hits = communities.sindex.query(first.geometry, predicate="intersects")
    _, once = np.unique(hits[0], return_index=True)
    n = np.bincount(hits[1][once], minlength=len(communities))
    expected = n.sum() * communities["population"] / communities["population"].sum()
    chi2 = ((n - expected) ** 2 / expected).sum()
    assert abs(chi2 - (len(n) - 1)) < 4 * np.sqrt(2 * (len(n) - 1))
