"""Every method, on the synthetic city: what was planted is found, and nothing is lost on the way."""

import numpy as np
import pandas as pd
import pytest
import shapely

from gisgrid import derived
from gisgrid.analysis.significance import false_discovery
from gisgrid.errors import ColumnError, InputError
from gisgrid.palette import LABELS
from gisgrid.testing import synthetic_city

ZONE, KEY = "Asia/Shanghai", "community_code"


@pytest.fixture(scope="module")
def city():
    return synthetic_city(seed=7, n_issues=30_000, years=2)


@pytest.fixture(scope="module")
def issues(city):
    return city.layers["reported_issues"]


@pytest.fixture(scope="module")
def units(city):
    frame = city.layers["communities"]
    every = np.arange(len(frame))
    return frame.assign(
        patrol_km=np.where(every % 9 == 0, 0.0, 10.0 + frame["population"] / 1000),
        campaign=np.where(every % 8 == 0, "是", "否"),
        same=frame["population"] * 1.0,
    )


@pytest.fixture(scope="module")
def planted(city, units):
    """Which communities lie in the planted areas, by kind."""
    middles = units.set_index(KEY).representative_point()
    truth = city.truth[city.truth["category"].isna()]
    return {
        kind: middles.within(truth.geometry[truth["kind"] == kind].union_all())
        for kind in ("hot", "cold", "emerging", "fading")
    }


def by_unit(made):
    return pd.DataFrame(made.value).set_index(KEY)


def hot(label):
    return label.str.startswith("hot").fillna(False).astype(bool)


def test_neighbours_of_the_planted_areas_are_hot_without_themselves(issues, units, planted):
    made = derived.unit_surroundings(issues, units, key=KEY)
    found = by_unit(made)
    assert set(found["label"].dropna()) <= set(LABELS)
    assert hot(found["label"])[planted["hot"]].mean() >= 0.6
    assert hot(found["label"])[planted["cold"]].sum() == 0
    assert made.value["n_incidents"].sum() + sum(made.excluded.values()) == len(issues)


def test_a_thing_next_door_is_found_by_another_column_and_is_not_by_chance(issues, units, planted):
    rates = by_unit(derived.unit_rates(issues, units, key=KEY))["excess"]
    other = units.assign(other=rates.to_numpy())
    found = by_unit(derived.unit_pairs(issues, other, key=KEY, against="other", permutations=999))
    same = by_unit(derived.unit_outliers(issues, units, key=KEY, permutations=999))
    np.testing.assert_allclose(found["i"], same["i"])
    high = found["cluster"] == "high_high"
    assert high[planted["hot"]].mean() >= 0.3  # six seeds: 0.33 to 0.78
    assert not high[~planted["hot"]].any()
    shuffled = other.assign(other=np.random.default_rng(3).permutation(other["other"]))
    none = by_unit(derived.unit_pairs(issues, shuffled, key=KEY, against="other", permutations=999))
    assert (none["cluster"] != "not_significant").mean() < 0.1


def test_units_that_have_it_among_others_that_have_it(issues, units, planted):
    many = by_unit(derived.unit_joins(issues, units, key=KEY, flag=300))
    assert (many["has_it"] == (many["n_incidents"] >= 300)).all()
    bad = units.assign(bad=planted["hot"].to_numpy())
    found = by_unit(derived.unit_joins(issues, bad, key=KEY, flag="bad"))
    assert found["company"].isin(derived.COMPANY).all()
    together = found["company"] == "in_company"
    assert together.sum() >= 5
    assert planted["hot"][together].all()
    q = false_discovery(found["p"])
    pd.testing.assert_series_equal(found["q"], q, check_names=False)
    by_column = derived.unit_joins(issues, units, key=KEY, flag="campaign")
    assert by_unit(by_column)["has_it"].sum() == (units["campaign"] == "是").sum()
    with pytest.raises(InputError, match="say neither yes nor no"):
        derived.unit_joins(issues, units, key=KEY, flag="kind")


def test_ellipses_and_controls_have_their_part_in_a_scan(city, issues, units, planted):
    circles = by_unit(derived.unit_clusters(issues, units, key=KEY, permutations=99))
    ellipses = by_unit(
        derived.unit_clusters(
            issues, units, key=KEY, permutations=99, shape="ellipse", max_share=0.1
        )
    )
    assert ellipses["llr"].max() > 0
    assert (ellipses["cases"].dropna() <= 0.5 * len(issues)).all()
    assert hot(circles["label"])[planted["hot"]].mean() >= 0.75  # six seeds: 0.78 to 1
    assert hot(circles["label"])[~planted["hot"]].mean() <= 0.2
    assert hot(ellipses["label"])[planted["hot"]].mean() >= 0.8
    stalls = issues["category"] == "street_vending"
    market = city.truth[city.truth["category"] == "street_vending"].geometry.union_all()
    made = derived.unit_clusters(
        issues[stalls], units, key=KEY, permutations=99, controls=issues[~stalls], max_share=0.1
    )
    found = by_unit(made)
    here = units.set_index(KEY).intersects(market.buffer(-50))
    assert hot(found["label"])[here].any()
    assert "population" not in found
    np.testing.assert_allclose(
        found["share"], found["n_incidents"] / (found["n_incidents"] + found["n_controls"])
    )
    with pytest.raises(InputError, match="choose circle or ellipse"):
        derived.unit_clusters(issues, units, key=KEY, shape="square")


def test_what_rises_is_an_alarm_and_what_is_always_bad_is_none(issues, units, planted):
    made = derived.space_time_clusters(
        issues, units, key=KEY, timezone=ZONE, prospective=True, permutations=199, max_share=0.1
    )
    found = by_unit(made)
    assert hot(found["label"])[planted["emerging"]].mean() >= 0.75
    assert hot(found["label"])[planted["hot"] | planted["fading"]].sum() <= 2
    alarm = found[found["cluster_rank"] == 1].iloc[0]
    assert alarm["from_day"] >= "2024-11"
    assert alarm["to_day"] == "2025-09-30"
    assert made.value["n_incidents"].sum() + sum(made.excluded.values()) == len(issues)
    both = derived.space_time_clusters(
        issues, units, key=KEY, timezone=ZONE, model="poisson", permutations=99, max_share=0.1
    )
    label = by_unit(both)["label"]
    assert hot(label)[planted["hot"]].mean() >= 0.8
    with pytest.raises(InputError, match="choose one of poisson, permutation"):
        derived.space_time_clusters(issues, units, key=KEY, timezone=ZONE, model="bernoulli")


def test_a_bad_month_of_the_whole_city_is_found(issues, units):
    times = issues["reported_at"]
    month = (times >= "2025-03-01") & (times < "2025-03-29")
    more = pd.concat([issues, issues[month]])
    made = derived.time_clusters(more, units, timezone=ZONE, step="week")
    (row,) = made.value.to_dict("records")
    assert "2025-02-24" <= row["from_day"] <= "2025-03-03"
    assert "2025-03-23" <= row["to_day"] <= "2025-03-30"
    assert row["label"] == "hot_99"


def test_change_tells_what_rose_from_what_fell(issues, units, planted):
    made = derived.unit_changes(
        issues, units, key=KEY, timezone=ZONE, before="2023-11..2024-09", after="2024-11..2025-09"
    )
    found = by_unit(made)
    assert (found.loc[planted["emerging"], "change"] == "rose").mean() >= 0.75
    assert (found.loc[planted["emerging"], "ratio"] > 1).all()
    assert (found.loc[planted["fading"], "change"] == "fell").mean() >= 0.75
    assert (found.loc[planted["fading"], "ratio"] < 0.7).all()
    assert (found.loc[planted["hot"], "change"] == "no_change").mean() >= 0.6
    assert (found["n_before"] + found["n_after"] == found["n_incidents"]).all()
    assert made.value["n_incidents"].sum() + sum(made.excluded.values()) == len(issues)
    assert any("fuzzy kappa" in note for note in made.notes)
    by_itself = derived.unit_changes(issues, units, key=KEY, timezone=ZONE)
    assert any("last days included" in note for note in by_itself.notes)
    assert (by_unit(by_itself).loc[planted["emerging"], "ratio"] > 1.5).all()


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ("2024", "2024-05", "does not lie after"),
        ("1999", "2025", "no incident in the areas is dated 1999"),
        ("last year", "2025", "is no period"),
        ("2024-13", "2025", "is no period"),
        ("2024-05..2024-01", "2025", "ends before it begins"),
    ],
)
def test_periods_that_are_none_get_a_sentence(issues, units, before, after, sentence):
    with pytest.raises(InputError, match=sentence):
        derived.unit_changes(issues, units, key=KEY, timezone=ZONE, before=before, after=after)


def test_a_campaign_is_told_from_chance(issues, units):
    """Four in ten reports are taken out of the treated units from the day on."""
    treated = set(units[KEY][units["campaign"] == "是"])
    areas = derived.unit_areas(issues, units, key=KEY)
    codes = areas.codes.reindex(issues.index)
    after = issues["reported_at"] >= pd.Timestamp("2024-12-01", tz=ZONE)
    gone = np.random.default_rng(5).random(len(issues)) < 0.4
    left = issues[~(codes.isin(treated) & after & gone)]

    def effect(reports):
        areas = derived.unit_areas(reports, units, key=KEY)
        flags = derived.flags_of(units, "campaign", key=KEY)
        return derived.campaign(areas, flags, since="2024-12-01", timezone=ZONE)

    made, found = effect(left)
    assert found.low < 0.6 < found.high < 1
    _, nothing = effect(issues)
    assert nothing.low < 1 < nothing.high
    frame = by_unit(made)
    assert frame["group"].value_counts()["treated"] == len(treated)
    assert (frame["n_matched"] > 0).eq(frame["group"] == "control").all()
    assert any("times as many as without" in note for note in made.notes)
    with pytest.raises(InputError, match="begins no month"):
        derived.unit_campaign(
            issues,
            units,
            key=KEY,
            treated="campaign",
            since="2024-12-05",
            timezone=ZONE,
            step="month",
        )
    with pytest.raises(InputError, match="leaves 0 whole steps before it"):
        derived.unit_campaign(
            issues, units, key=KEY, treated="campaign", since="2020-01-01", timezone=ZONE
        )


def test_what_comes_back_at_once_comes_back_in_its_unit_and_class(issues, units):
    code = units[KEY].iloc[20]
    first = derived.unit_areas(issues, units, key=KEY)
    here = first.codes.index[first.codes == code]
    settled = issues.loc[here].dropna(subset=["closed_at"])
    again = settled.assign(
        reported_at=settled["closed_at"] + pd.Timedelta(days=3), closed_at=pd.NaT
    )
    last = issues["reported_at"].max()
    again = again[again["reported_at"] < last]
    both = pd.concat([issues, again], ignore_index=True)
    made = derived.unit_rebound(both, units, key=KEY)
    found = by_unit(made)
    assert found["share_back_7d"].idxmax() == code
    assert found.loc[code, "share_back_7d"] > 0.8
    assert found["share_back_7d"].drop(code).max() < 0.2
    classes = derived.class_rebound(both, units, key=KEY).value
    assert classes.loc[classes[KEY].isna(), "category"].is_unique
    assert classes.loc[classes[KEY].notna(), "n"].sum() == found["n"].sum()
    assert classes.loc[classes[KEY].isna(), "n"].sum() == found["n"].sum()
    with pytest.raises(InputError, match="give a side above 0"):
        derived.unit_rebound(issues, units, key=KEY, place_m=0)


def test_rates_shrink_and_zones_are_compared(issues, units, planted):
    found = by_unit(derived.unit_rates(issues, units, key=KEY))
    crude, drawn = found["incidents_per_1000"], found["eb_rate"]
    assert drawn.std() <= crude.std()
    assert (found.loc[planted["hot"], "eb_rate"] > 2 * drawn.median()).all()
    assert (found.loc[planted["hot"], "excess"] > 3).all()
    zoned = units.assign(zone=np.where(planted["hot"], "hot", "rest"))
    table = derived.zone_rates(issues, zoned, key=KEY, zone="zone", reference="rest").value
    assert table["zone"].to_list() == ["rest", "hot"]
    assert table["ratio"].iloc[1] > 2.5
    assert table["n_incidents"].sum() == found["n_incidents"].sum()
    by_area = derived.zone_rates(issues, zoned, key=KEY, zone="zone", population=None).value
    assert "area_km2" in by_area
    with pytest.raises(ColumnError, match=r"no zone 'rset' among 2.*did you mean 'rest'"):
        derived.zone_rates(issues, zoned, key=KEY, zone="zone", reference="rset")
    with pytest.raises(InputError, match="a rate divides by something"):
        derived.rated(derived.unit_areas(issues, units, key=KEY, population=None))


def test_where_nobody_looked_is_unknown_and_not_cold(issues, units, planted):
    made = derived.unit_effort(issues, units, key=KEY, effort="patrol_km")
    found = by_unit(made)
    nobody = units.set_index(KEY)["patrol_km"] == 0
    assert (found.loc[nobody, "label"] == "unknown").all()
    assert found.loc[nobody, "incidents_per_effort"].isna().all()
    assert (found.loc[~nobody, "label"] != "unknown").all()
    assert hot(found["label"])[planted["hot"] & ~nobody].mean() >= 0.6
    assert made.excluded[derived.UNPATROLLED] == nobody.sum()
    with pytest.raises(InputError, match="no unit has any effort"):
        derived.unit_effort(issues, units.assign(patrol_km=0), key=KEY, effort="patrol_km")


def test_who_reports_again_reports_readily(issues, units):
    areas = derived.unit_areas(issues, units, key=KEY)
    codes = areas.codes.reindex(issues.index)
    repeated = issues["duplicate_of"].dropna()
    of = issues.set_index("issue_id").index.get_indexer(repeated)
    silent = set(units[KEY].iloc[::2])
    keep = ~issues.index.isin(repeated.index[codes.iloc[of].isin(silent).to_numpy()])
    found = by_unit(derived.unit_reporting(issues[keep], units, key=KEY))
    quiet = found.index.isin(silent)
    assert (found.loc[quiet, "n_repeats"] == 0).all()
    assert found.loc[quiet, "share_reported"].max() < found.loc[~quiet, "share_reported"].median()
    in_a_unit = codes.iloc[of].notna().to_numpy() & keep[issues.index.get_indexer(repeated.index)]
    assert found["n_repeats"].sum() == in_a_unit.sum()


def test_clusters_say_in_which_units_they_lie(issues, units):
    made = derived.issue_knots(issues, units, min_reports=25, key=KEY)
    found = made.value
    first = found[found["order"] == 1]
    assert len(first) >= 3  # six seeds: 3 to 10
    assert set(found["parent_id"].dropna()) <= set(found["cluster_id"])
    assert found["cluster_id"].is_unique
    shares = first["unit_shares"].map(lambda each: sum(map(float, each.split(","))))
    assert shares.between(0.97, 1.03).all()
    codes = {code for each in found["unit_codes"] for code in each.split(",")}
    assert codes <= set(units[KEY])
    held = sum(made.excluded.values()) + first["n_incidents"].sum()
    assert held == len(issues)
    dense = derived.issue_clusters(issues, units, min_reports=25, radius_m=60, key=KEY).value
    largest = dense.iloc[0]
    here = units[units.intersects(largest.geometry)][KEY]
    assert largest["unit_codes"].split(",")[0] in set(here)
    plain = derived.issue_clusters(issues, units, min_reports=25, radius_m=60).value
    pd.testing.assert_frame_equal(
        pd.DataFrame(plain), pd.DataFrame(dense.drop(columns=["unit_codes", "unit_shares"]))
    )


def test_repeats_are_near_and_incidents_are_not(issues, units):
    made, knox = derived.near_repeats(issues, units, permutations=99)
    assert knox.ratio < 1.3
    every = issues.assign(duplicate_of=None)
    _, again = derived.near_repeats(every, units, permutations=99)
    assert again.ratio > 1.5
    assert again.p == 0.01
    assert made.value["n_pairs"].sum() > 0
    assert len(made.value) == 16
    with pytest.raises(InputError, match="no rising numbers"):
        derived.issue_near_repeats(issues, units, bands_m="200,100")


def test_surfaces_show_the_planted_areas(city, issues, units):
    hot_ground = city.truth[(city.truth["kind"] == "hot") & city.truth["category"].isna()]

    def means(surface):
        rows, columns = np.indices(surface.values.shape)
        x, y = surface.transform @ (columns.ravel() + 0.5, rows.ravel() + 0.5)

        inside = shapely.contains_xy(hot_ground.geometry.union_all().buffer(-200), x, y)
        values = surface.values.ravel()
        return np.nanmean(values[inside]), np.nanmedian(values[~inside])

    hot_risk, risk = means(
        derived.resident_risk(issues, units, key=KEY, cell_m=100, bandwidth_m=500).value
    )
    assert hot_risk > 2 * risk
    both = derived.earlier_risk(
        issues, units, since="2025-01-01", timezone=ZONE, cell_m=100, bandwidth_m=800
    )
    hot_risk, risk = means(both.value)
    assert 0.7 < hot_risk < 1.3  # as bad as before
    whole = derived.issue_density(issues, units, cell_m=100, bandwidth_m=500, edge_correction=True)
    n = derived.unit_issues(issues, units, key=KEY).value["n_incidents"].sum()
    total = np.nansum(whole.value.values, dtype=float) * whole.value.cell_area / 1e6
    assert total == pytest.approx(n, rel=1e-4)
    sharp = derived.adaptive_density(issues, units, cell_m=100, bandwidth_m=500)
    total = np.nansum(sharp.value.values, dtype=float) * sharp.value.cell_area / 1e6
    assert total == pytest.approx(n, rel=1e-3)
    assert np.nanmax(sharp.value.values) > np.nanmax(whole.value.values)
    log = derived.report_risk(
        issues, issues, units, cell_m=100, bandwidth_m=800, comparison="log2_ratio"
    )
    np.testing.assert_allclose(log.value.values[np.isfinite(log.value.values)], 0, atol=1e-5)
    with pytest.raises(InputError, match="choose a day inside the period"):
        derived.earlier_risk(
            issues, units, since="2030-01-01", timezone=ZONE, cell_m=100, bandwidth_m=800
        )


def test_streets_in_the_planted_areas_are_hot(city, issues):
    streets = city.layers["streets"]
    made = derived.street_hotspots(issues, streets, neighbours="distance:300")
    found = made.value
    bad = city.truth[city.truth["kind"] != "cold"].geometry.union_all().buffer(100)
    label = found["label"].fillna("")
    assert label.str.startswith("hot").sum() > 30
    assert found[label.str.startswith("hot")].intersects(bad).mean() >= 0.8
    assert found["n_incidents"].sum() + sum(made.excluded.values()) == len(issues)
    smooth = derived.street_density(issues, streets, bandwidth_m=200).value
    assert (smooth["density_per_km"] * smooth["length_km"]).sum() == pytest.approx(
        smooth["n_incidents"].sum(), rel=1e-6
    )
    with pytest.raises(InputError, match="write distance:METRES"):
        derived.street_hotspots(issues, streets, neighbours="nearest:8")


def test_one_stray_date_makes_no_century_of_empty_steps(issues, units):
    whole = derived.unit_patterns(issues, units, key=KEY, timezone=ZONE)
    strays = issues.iloc[[100, 200]].assign(
        reported_at=pd.to_datetime(["1970-01-01", "2099-05-05"], utc=True)
    )
    made = derived.unit_patterns(pd.concat([issues, strays]), units, key=KEY, timezone=ZONE)
    pd.testing.assert_series_equal(made.value["pattern"], whole.value["pattern"])
    assert made.excluded[derived.FAR_IN_TIME] == 2
    assert any("first: 1970-01-01" in note for note in made.notes)
    assert any("1970-01-01" in note.zh for note in made.notes if isinstance(note, derived.Note))


@pytest.mark.parametrize("n", [0, 1, 3])
def test_hardly_any_report_is_no_mistake(issues, units, n):
    few = issues[issues["duplicate_of"].isna()].iloc[:n]
    for function, options in (
        (derived.unit_surroundings, {}),
        (derived.unit_rates, {}),
        (derived.unit_rebound, {}),
        (derived.unit_clusters, {"permutations": 19}),
        (derived.space_time_clusters, {"timezone": ZONE, "permutations": 19}),
    ):
        made = function(few, units, key=KEY, **options)
        assert len(made.value) == len(units)
        assert made.notes or n or function is derived.unit_rates
