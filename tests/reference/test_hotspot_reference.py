"""Scores against numbers that others published or computed: R spdep, Getis & Ord 1996, esda's documentation."""

import geopandas as gpd
import libpysal
import numpy as np
import pandas as pd
import pytest
from libpysal.graph import Graph

from gisgrid.analysis import contiguity, false_discovery, gi, gi_star

NEAR = {"rtol": 0, "atol": 1e-10}
SETS = {
    "chicago77_sanitation": "chicago77_sanitation_queen",
    "ny8_rate_NYnb": "ny8_rate_NYnb",
    "sids74_ncCR85": "sids74_ncCR85",
}


def edge_graph(links, ids):
    alone = np.setdiff1d(ids, links["i"])
    return Graph.from_arrays(
        np.r_[links["i"], alone], np.r_[links["j"], alone], np.r_[np.ones(len(links)), 0 * alone]
    )


@pytest.fixture
def reference(shared_data):
    return shared_data / "hotspot-ref"


@pytest.mark.data
@pytest.mark.parametrize("edges", SETS)
def test_spdep(reference, edges):
    truth = pd.read_csv(reference / f"{SETS[edges]}_spdep_local.csv").set_index("i")
    graph = edge_graph(pd.read_csv(reference / f"{edges}_edges.csv"), truth.index)
    without, with_self = gi(truth["x"], graph), gi_star(truth["x"], graph)
    np.testing.assert_allclose(without["z"], truth["Gi_B"], **NEAR)
    np.testing.assert_allclose(with_self["z"], truth["GiStar_B"], **NEAR)
    assert (with_self["n_neighbours"] == truth["n_nb"]).all()
    standardised = gi_star(truth["x"], graph.transform("r"))
    np.testing.assert_allclose(standardised["z"], truth["GiStar_W"], **NEAR)


@pytest.mark.data
def test_getis_and_ord_1996(reference):
    lattice = pd.read_csv(reference / "getisord_1996.csv")
    places = gpd.GeoSeries.from_xy(lattice["x"], lattice["y"])
    near = Graph.build_distance_band(places, 30, binary=True)
    np.testing.assert_allclose(gi(lattice["val"], near)["z"], lattice["Gi_30m"], **NEAR)
    np.testing.assert_allclose(gi_star(lattice["val"], near)["z"], lattice["GiStar_30m"], **NEAR)


@pytest.mark.data
@pytest.mark.parametrize(
    ("distance", "published"),
    [(30, 1.221979163), (60, 1.748097543), (90, 1.986135427), (120, 1.893373824), (150, 1.237454253)],
)  # fmt: skip
def test_getis_and_ord_1996_by_distance(reference, distance, published):
    lattice = pd.read_csv(reference / "getisord_1996.csv")
    places = gpd.GeoSeries.from_xy(lattice["x"], lattice["y"])
    graph = Graph.build_distance_band(places, distance, binary=True)
    # The cell that the paper's table is about: the 120th.
    assert gi(lattice["val"], graph)["z"][119] == pytest.approx(published, abs=1e-8)
    if distance == 30:
        assert gi_star(lattice["val"], graph)["z"][119] == pytest.approx(1.450779807, abs=1e-9)


def test_six_points_of_the_esda_manual():
    places = gpd.GeoSeries.from_xy([10, 20, 40, 15, 30, 30], [10, 10, 10, 20, 20, 30])
    graph = Graph.build_distance_band(places, 15, binary=True)
    values = pd.Series([2, 3, 3.2, 5, 8, 7])
    assert gi(values, graph)["z"][0] == pytest.approx(-1.0136729, abs=1e-7)
    assert gi_star(values, graph)["z"].to_numpy() == pytest.approx(
        [-1.39727626, -0.28917762, 0.65064964, -0.28917762, 1.23452088, 2.02424331], abs=1e-8
    )


def test_columbus_crime():
    columbus = gpd.read_file(libpysal.examples.get_path("columbus.shp"))
    graph = contiguity(columbus, key="POLYID")
    found = gi_star(columbus.set_index("POLYID")["CRIME"], graph)
    np.testing.assert_allclose(
        found["z"].iloc[:5],
        [-1.432779654, -1.340008097, -0.771998681, -0.1317333645, 1.285362798],
        rtol=0, atol=1e-9,
    )  # fmt: skip


@pytest.mark.data
def test_the_borders_of_chicago_make_the_same_graph_as_spdep(shared_data):
    areas = gpd.read_file(shared_data / "chicago" / "Chicago77.shp")
    areas["AREANO"] = areas["AREANO"].astype(int)
    order = pd.read_csv(shared_data / "hotspot-ref" / "chicago77_order.csv").set_index("i")[
        "AREANO"
    ]
    links = pd.read_csv(shared_data / "hotspot-ref" / "chicago77_sanitation_edges.csv")
    graph = contiguity(areas, key="AREANO")
    ours = graph.adjacency[graph.adjacency > 0]
    theirs = set(zip(links["i"].map(order), links["j"].map(order), strict=True))
    assert len(ours) == len(links) == 398
    assert set(ours.index) == theirs


def test_benjamini_hochberg_example():
    p = pd.Series([0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.205, 0.212, 0.216])
    q = false_discovery(p)
    assert (q <= 0.05).sum() == 2
    np.testing.assert_allclose(
        q, [0.01, 0.04, 0.084, 0.084, 0.084, 0.1, 0.74 / 7, 0.216, 0.216, 0.216]
    )
