"""The synthetic city keeps every contract of the standard catalogue, and its planted hotspots are found."""

import re

import geopandas as gpd
import numpy as np
import pytest

from gisgrid.catalogue import Catalogue, FolderStore, build, check
from gisgrid.files import write_frame, write_surface, write_table
from gisgrid.testing import raster_layers, score, synthetic_city


@pytest.fixture(scope="module")
def city():
    return synthetic_city(seed=7, n_issues=20_000, years=1)


@pytest.fixture(scope="module")
def catalogue(layers_dir):
    return Catalogue.read(layers_dir)


@pytest.fixture(scope="module")
def store(tmp_path_factory, catalogue, city):
    folder = tmp_path_factory.mktemp("city")
    for name, frame in city.layers.items():
        write = write_table if catalogue[name].kind == "table" else write_frame
        write(frame, folder / catalogue[name].source.path)
    for name, surface in raster_layers(city).items():
        write_surface(surface, folder / catalogue[name].source.path)
    store = FolderStore(folder)
    steps = build(catalogue, store)
    assert [step for step in steps if step.status != "built"] == []
    return store


LIVE = {"cases"}  # what a desk keeps, not what a city begins with


def test_every_source_has_its_data(catalogue, city):
    made = {*city.layers, *raster_layers(city)}
    assert made == {layer.id for layer in catalogue if not layer.is_derived} - LIVE


def test_every_layer_keeps_its_contract(catalogue, store):
    found = check(catalogue, store, only=[layer.id for layer in catalogue if layer.id not in LIVE])
    assert {name: [fault.message for fault in each] for name, each in found.items() if each} == {}


@pytest.mark.parametrize("level", ["subdistrict", "community", "compound"])
def test_no_report_is_lost_between_the_levels(catalogue, store, city, level):
    layer = catalogue[f"{level}_issues"]
    counts, record = store.read(layer), store.provenance(layer)
    reports = city.layers["reported_issues"]
    assert counts["n_reports"].sum() + sum(record.excluded.values()) == len(reports)
    assert (counts["n_open"] <= counts["n_incidents"]).all()
    assert (counts["n_incidents"] <= counts["n_reports"]).all()


def test_levels_add_up(catalogue, store):
    compounds = store.read(catalogue["compound_issues"])
    communities = store.read(catalogue["community_issues"]).set_index("community_code")
    parent = store.read(catalogue["compounds"]).set_index("compound_code")["community_code"]
    summed = compounds.groupby(compounds["compound_code"].map(parent))["n_reports"].sum()
    # Where compounds share a border that is also one of communities, a report on it may change sides: none here.
    np.testing.assert_array_equal(summed.reindex(communities.index), communities["n_reports"])


def test_months_add_up_to_the_communities(catalogue, store):
    months = store.read(catalogue["issue_months"]).groupby("community_code")["n_incidents"].sum()
    counts = store.read(catalogue["community_issues"]).set_index("community_code")["n_incidents"]
    np.testing.assert_array_equal(months.reindex(counts.index), counts)


def test_the_density_adds_up_to_the_incidents(catalogue, store):
    surface = store.read(catalogue["issue_density"])
    n = store.read(catalogue["subdistrict_issues"])["n_incidents"].sum()
    assert surface.values.sum(dtype=float) * surface.cell_area / 1e6 == pytest.approx(n, rel=1e-4)


def test_planted_hotspots_are_found(catalogue, store, city):
    found = store.read(catalogue["issue_hotspots"])
    assert isinstance(found, gpd.GeoDataFrame)
    assert score(found, city.truth).recall >= 0.9


def planted_communities(city, what):
    """Communities in which a compound has it, and how many of its compounds."""
    of = city.layers["compounds"].set_index("compound_code")["community_code"]
    return city.casework.truth[what].groupby(of).mean()


def test_planted_authority_gaps_lead_the_ranked_list(catalogue, store, city):
    found = store.read(catalogue["authority_gap"]).set_index("community_code")
    planted = planted_communities(city, "authority_gap") > 0
    share = found["share_gap"].groupby(planted.reindex(found.index, fill_value=False)).mean()
    assert share[True] > 2 * share[False]
    assert (found.loc[planted.index[planted], "times_as_long_high"] > 1.5).all()
    gaps = planted.sum()
    assert planted.reindex(found["share_gap"].nlargest(gaps).index).mean() == 1
    ranked = store.read(catalogue["authority_gap_classes"])
    assert ranked["rank"].is_monotonic_increasing
    assert (
        ranked.groupby("community_code")["n_gap"]
        .sum()
        .reindex(found.index, fill_value=0)
        .equals(found["n_gap"])
    )


def test_planted_blind_spots_and_unpatrolled_compounds_are_told_apart(catalogue, store, city):
    found = store.read(catalogue["blind_spots"]).set_index("compound_code")
    truth = city.casework.truth[["blind", "unpatrolled"]].reindex(found.index, fill_value=False)
    blind, nobody = truth["blind"], truth["unpatrolled"]
    assert blind[found["label"] == "blind"].mean() > 0.9
    assert (found.loc[blind, "label"] == "blind").mean() > 0.6
    assert (found.loc[nobody, "label"] == "unpatrolled").all()
    assert found["found"].sum() + sum(
        store.provenance(catalogue["blind_spots"]).excluded.values()
    ) == len(city.layers["case_history"])


def test_the_planted_show_window_is_measured(catalogue, store):
    found = store.read(catalogue["assessment_effect"])
    assert (
        found[found["assessed"]]["n_after"].sum()
        < 0.65 * found[found["assessed"]]["n_before"].sum()
    )
    notes = " ".join(store.provenance(catalogue["assessment_effect"]).notes)
    low, high = map(float, re.search(r"interval ([\d.]+) to ([\d.]+)", notes).groups())
    assert low - 0.1 < 0.5 < high + 0.1
    assert high < 1


def test_residents_are_inspected_or_not(catalogue, store, city):
    found = store.read(catalogue["never_inspected"])
    assert (found["residents_never"] <= found["population"]).all()
    assert found.loc[found["n_points"] > 0, "share_inspected"].gt(0).all()
    assert found["population"].sum() == city.layers["communities"]["population"].sum()


def test_planted_rebounds_are_false_closings(catalogue, store, city):
    found = store.read(catalogue["case_rebound"]).set_index("community_code")
    planted = planted_communities(city, "rebound").reindex(found.index, fill_value=0)
    many, none = planted > 0.15, planted == 0
    sums = [found.loc[rows, ["n_false", "n_closed"]].sum() for rows in (many, none)]
    planted_share, other_share = (each["n_false"] / each["n_closed"] for each in sums)
    assert planted_share > 2 * other_share
    assert (found["n_false"] <= found["n_closed"]).all()


def test_a_campaign_s_stock_is_what_came_less_what_went(catalogue, store, city):
    found = store.read(catalogue["campaign_progress"]).set_index("community_code")
    assert (found["n_ever"] - found["n_settled"] == found["n_open"]).all()
    cases = city.layers["case_history"]
    toilets = cases[(cases["category"] == "dry_toilet") & cases["filed_at"].notna()]
    assert found["n_ever"].sum() == len(toilets)
    assert found["n_open"].sum() == toilets["closed_at"].isna().sum()
    assert (found["at_zero_since"].notna() == (found["stage"] == "at_zero")).all()


def test_the_planted_edge_of_the_town_lies_between_the_breaks(catalogue, store, city):
    drawn = store.read(catalogue["fringe_breaks"]).set_index("zone_type").geometry
    compounds = city.layers["compounds"]
    town = compounds[compounds["kind"] != "village_group"].union_all().buffer(300).buffer(-300)
    edge = town.boundary.intersection(city.layers["communities"].union_all().buffer(-200))
    belt = drawn["fringe"].union(drawn["outer_band"])
    assert edge.intersection(belt).length > 0.7 * edge.length
    assert drawn["core"].intersection(town).area > 0.97 * drawn["core"].area
    official = city.layers["communities"]
    fringe = official[official["urban_rural_class"].isin(["112", "122"])]
    assert fringe.intersection(belt).area.sum() > 0.6 * fringe.area.sum()


def test_ways_of_drawing_the_fringe_are_compared(catalogue, store, city):
    pairs = store.read(catalogue["zone_pairs"]).set_index("pair_id")
    assert len(pairs) == 6
    assert pairs.loc["breaks-official", "kappa"] > 0.5  # both follow what is built
    assert (pairs["kappa"] < pairs.loc["breaks-official", "kappa"]).sum() == 5
    agreed = store.read(catalogue["zone_agreement"])
    assert (agreed["n_ways"] == 4).all()
    assert len(agreed) == len(city.layers["communities"])


def test_the_grid_of_residents_loses_nobody_and_says_what_it_is(catalogue, store, city):
    cells, units = store.read(catalogue["degurba_cells"]), store.read(catalogue["degurba_units"])
    people = city.layers["communities"]["population"].sum()
    assert cells["residents"].sum() == pytest.approx(people, rel=1e-3)
    within = units["residents"].sum() / people  # of cells at the border some are spread beyond it
    assert 0.97 < within <= 1
    notes = store.provenance(catalogue["degurba_cells"]).notes
    assert any("only DEGURBA-like" in note for note in notes)


def test_every_report_has_its_zone(catalogue, store, city):
    zones = store.read(catalogue["issue_zones"]).set_index("issue_id")
    reports = city.layers["reported_issues"]
    assert list(zones.index) == reports["issue_id"].tolist()
    inside = reports.set_index("issue_id").intersects(city.layers["urban_villages"].union_all())
    sure = zones["confidence"] == 1
    assert (zones["share_urban_village"] > 0)[inside].all()
    assert inside[sure & (zones["zone_type"] == "urban_village")].all()


def test_supply_is_conserved_and_sites_serve_who_was_left_out(catalogue, store, city):
    supply = store.read(catalogue["toilet_supply"])
    reached = (supply["per_1000"] * supply["population"]).sum() / 1000
    facilities = city.layers["facilities"]
    n_open = ((facilities["kind"] == "public_toilet") & (facilities["status"] == "open")).sum()
    assert 0.9 * n_open < reached <= n_open + 1e-6
    sites, before = store.read(catalogue["toilet_sites"]), store.read(catalogue["toilet_coverage"])
    assert sites["gains"].is_monotonic_decreasing
    left_out = before.set_index("compound_code")["access"] == "left_out"
    assert left_out[sites["compound_code"]].all()
    assert sites["gains_in_all"].iloc[-1] == sites["gains"].sum() <= before["left_out"].sum()
    assert any(
        "no other choice is better" in n for n in store.provenance(catalogue["toilet_sites"]).notes
    )
