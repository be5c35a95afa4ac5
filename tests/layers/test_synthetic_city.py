"""The synthetic city keeps every contract of the standard catalogue, and its planted hotspots are found."""

import geopandas as gpd
import numpy as np
import pytest

from gisgrid.catalogue import Catalogue, FolderStore, build, check
from gisgrid.files import write_frame
from gisgrid.testing import score, synthetic_city


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
        write_frame(frame, folder / catalogue[name].source.path)
    store = FolderStore(folder)
    steps = build(catalogue, store)
    assert [step for step in steps if step.status != "built"] == []
    return store


def test_every_source_has_its_data(catalogue, city):
    assert set(city.layers) == {layer.id for layer in catalogue if not layer.is_derived}


def test_every_layer_keeps_its_contract(catalogue, store):
    faults = check(catalogue, store)
    assert {name: [fault.message for fault in each] for name, each in faults.items() if each} == {}


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
