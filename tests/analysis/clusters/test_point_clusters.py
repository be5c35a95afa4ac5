import warnings

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import DBSCAN, HDBSCAN

from gisgrid.analysis.clusters.by_density import dbscan, hdbscan
from gisgrid.analysis.clusters.kernels import count_near, nearest_core
from gisgrid.analysis.clusters.nearest_neighbour import nearest_neighbour_clusters
from gisgrid.analysis.clusters.outlines import cluster_outlines, cluster_units
from gisgrid.analysis.compiled import warm_up
from gisgrid.analysis.streets.walks import walk_kernels
from gisgrid.analysis.surfaces.density import kernel_density
from gisgrid.analysis.surfaces.kernels import spread_alike, spread_each, spread_inside
from gisgrid.errors import CrsError, IndexMismatchError, InputError, NullResultWarning

EAST, NORTH = 500_000.0, 3_900_000.0


def points(xy, crs=4547):
    xy = np.asarray(xy, dtype=float).reshape(-1, 2)
    return gpd.GeoDataFrame(geometry=gpd.points_from_xy(*xy.T), crs=crs)


def town(seed, n=4000):
    rng = np.random.default_rng(seed)
    middles = rng.uniform(0, 10_000, (12, 2))
    thick = middles[rng.integers(0, 12, n // 2)] + rng.normal(0, 120, (n // 2, 2))
    return np.r_[thick, rng.uniform(0, 10_000, (n - n // 2, 2))] + (EAST, NORTH)


def by_definition(xy, radius, least):
    """Cores, and for every report the cores it may follow: those nearest within the radius."""
    apart = np.hypot(*(xy[:, None] - xy[None]).T).T
    core = (apart <= radius).sum(axis=1) >= least
    near = np.where((apart <= radius) & core, apart, np.inf)
    return core, near


@pytest.mark.parametrize(("radius", "least", "grid"), [(150, 10, 0), (300, 25, 0), (80, 4, 0), (100, 8, 50), (100, 1, 0)])  # fmt: skip
def test_dbscan_finds_what_scikit_learn_finds(radius, least, grid):
    xy = town(radius)
    if grid:  # many reports exactly at the radius, and on one spot
        xy = np.round(xy / grid) * grid
    found = dbscan(points(xy), radius_m=radius, min_reports=least)
    theirs = DBSCAN(eps=radius, min_samples=least).fit(xy)
    core = np.zeros(len(xy), dtype=bool)
    core[theirs.core_sample_indices_] = True
    assert (found["is_core"] == core).all()
    assert (found["cluster"].isna() == (theirs.labels_ < 0)).all()
    ours = found.loc[core, "cluster"].to_numpy(dtype=int)
    pairs = np.unique(np.c_[ours, theirs.labels_[core]], axis=0)
    assert len(pairs) == len(np.unique(ours)) == len(np.unique(theirs.labels_[core])) > 1


def test_a_border_report_follows_its_nearest_core_and_the_southern_one_of_two():
    thick = 2 * ([(0.0, y) for y in range(5)] + [(0.0, 20.0 + y) for y in range(5)])
    found = dbscan(points([*thick, (0, 11), (0, 12), (0, 13)]), radius_m=8, min_reports=8)
    assert not found["is_core"].iloc[-3:].any()
    cluster = found["cluster"].to_list()
    assert cluster[0] != cluster[5]
    assert cluster[-3:] == [cluster[0], cluster[0], cluster[5]]


def test_borders_follow_the_nearest_core():
    xy = town(5, 1500)
    found = dbscan(points(xy), radius_m=150, min_reports=8)
    core, near = by_definition(xy, 150, 8)
    border = ~core & np.isfinite(near).any(axis=1)
    assert border.sum() > 50
    cluster = found["cluster"].to_numpy(dtype=float, na_value=np.nan)
    assert (cluster[border] == cluster[near[border].argmin(axis=1)]).all()


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=2, max_size=60),
    st.integers(1, 6),
    st.randoms(use_true_random=False),
)
def test_the_order_of_reports_does_not_matter(spots, least, chance):
    xy = np.array(spots, dtype=float)
    order = list(range(len(xy)))
    chance.shuffle(order)
    found = dbscan(points(xy), radius_m=2, min_reports=least)
    again = dbscan(points(xy[order]), radius_m=2, min_reports=least)
    pd.testing.assert_frame_equal(found.iloc[order].reset_index(drop=True), again)
    theirs = DBSCAN(eps=2, min_samples=least).fit(xy)
    assert (found["cluster"].isna() == (theirs.labels_ < 0)).all()
    knots = nearest_neighbour_clusters(points(xy), min_reports=2, area_km2=1e-4)
    shuffled = nearest_neighbour_clusters(points(xy[order]), min_reports=2, area_km2=1e-4)
    pd.testing.assert_frame_equal(knots.iloc[order].reset_index(drop=True), shuffled)


def test_clusters_are_numbered_from_the_largest():
    found = dbscan(points(town(3)), radius_m=150, min_reports=10)["cluster"]
    size = found.value_counts().sort_index()
    assert list(size.index) == list(range(1, len(size) + 1))
    assert size.is_monotonic_decreasing


def test_far_places_take_no_memory():
    xy = np.r_[town(4, 200), [(EAST - 4e6, NORTH + 5e6)]]
    assert len(dbscan(points(xy), radius_m=1, min_reports=2)) == 201


def test_a_report_without_a_place_is_in_no_cluster():
    frame = points([(0, 0), (1, 0), (2, 0), (3, 0)])
    frame.loc[1, "geometry"] = None
    frame.loc[2, "geometry"] = shapely.Point()
    assert dbscan(frame, radius_m=5, min_reports=2)["cluster"].isna().to_list() == [False, True, True, False]  # fmt: skip
    assert list(hdbscan(frame, min_reports=2)["cluster"].isna())[1:3] == [True, True]


def test_hdbscan_is_scikit_learns():
    xy = town(8, 800)
    found = hdbscan(points(xy), min_reports=20)
    theirs = HDBSCAN(min_cluster_size=20, min_samples=20, copy=True).fit(xy)
    assert (found["cluster"].isna() == (theirs.labels_ < 0)).mean() > 0.995  # equal distances
    assert found["cluster"].max() == theirs.labels_.max() + 1
    assert found["strength"].between(0, 1).all()
    shuffled = np.random.default_rng(1).permutation(len(xy))
    again = hdbscan(points(xy[shuffled]), min_reports=20)
    pd.testing.assert_frame_equal(found.iloc[shuffled].reset_index(drop=True), again)


def knots_by_definition(xy, reach, least):
    label = np.full(len(xy), -1)
    rank = np.empty(len(xy), dtype=int)
    rank[np.lexsort((xy[:, 0], xy[:, 1]))] = np.arange(len(xy))
    near = reach >= np.hypot(*(xy[:, None] - xy[None]).T).T
    clusters = 0
    while True:
        free = label < 0
        count = np.where(free, (near & free).sum(axis=1), 0)
        if count.max() < least:
            return label
        seed = min(np.flatnonzero(count == count.max()), key=lambda i: rank[i])
        label[near[seed] & free] = clusters
        clusters += 1


@pytest.mark.parametrize("seed", [1, 2])
def test_knots_are_those_of_the_definition(seed):
    xy = town(seed, 600)
    n, area = len(xy), 100e6
    found = nearest_neighbour_clusters(points(xy), min_reports=5, area_km2=100, confidence=0.95)
    reach = 0.5 * np.sqrt(area / n) - 1.6448536269514722 * 0.26136 / np.sqrt(n**2 / area)
    truth = knots_by_definition(xy, reach, 5)
    ours = found["order_1"].to_numpy(dtype=float, na_value=0).astype(int) - 1
    assert ((ours < 0) == (truth < 0)).all()
    assert len(np.unique(np.c_[ours, truth], axis=0)) == len(np.unique(truth)) > 5
    # A cluster of the second order holds whole clusters of the first.
    both = found.dropna()
    assert (both.groupby("order_1")["order_2"].nunique() == 1).all()
    assert both.groupby("order_2")["order_1"].nunique().min() >= 2


def test_a_fixed_threshold_serves_the_first_order():
    found = nearest_neighbour_clusters(points([(0, 0), (0, 9), (0, 500)]), min_reports=2, threshold_m=9)  # fmt: skip
    assert found["order_1"].isna().to_list() == [False, False, True]


def test_ellipses_recover_the_spread_they_were_drawn_from():
    rng = np.random.default_rng(0)
    turn = np.radians(30)  # of the major axis, counter-clockwise from the east: bearing 60
    xy = rng.normal(0, 1, (40_000, 2)) * (300, 100)
    xy = xy @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]) + (
        EAST,
        NORTH,
    )
    frame = points(xy)
    found = cluster_outlines(frame, pd.Series(1, frame.index), outline="ellipse").loc[1]
    assert found["major_m"] == pytest.approx(300 * np.sqrt(2), rel=0.02)
    assert found["minor_m"] == pytest.approx(100 * np.sqrt(2), rel=0.02)
    assert found["bearing_deg"] == pytest.approx(60, abs=1)
    assert shapely.contains_xy(found["geometry"], xy).mean() == pytest.approx(
        1 - np.exp(-1), abs=0.01
    )
    assert found["area_km2"] == pytest.approx(np.pi * found["major_m"] * found["minor_m"] / 1e6, rel=0.01)  # fmt: skip


def test_hulls_hold_their_reports_and_odd_clusters_have_an_area():
    xy = town(7, 1000)
    frame = points(np.r_[xy, np.tile([(EAST, NORTH - 900)], (9, 1)), [(EAST + 30 * i, NORTH - 5000) for i in range(9)]])  # fmt: skip
    clusters = dbscan(frame, radius_m=150, min_reports=8)["cluster"]
    found = cluster_outlines(frame, clusters)
    assert list(found.index) == list(range(1, clusters.max() + 1))
    for name, row in found.iterrows():
        members = frame.geometry[clusters == name]
        assert row["geometry"].covers(shapely.MultiPoint(members.to_list()))
        assert row["geometry"].geom_type == "Polygon"
        assert row["n_reports"] == len(members)
    assert found["area_km2"].min() == pytest.approx(np.pi * 10**2 / 1e6, rel=0.02)  # one spot
    np.testing.assert_allclose(found["reports_per_km2"] * found["area_km2"], found["n_reports"])
    assert found.crs.to_epsg() == 4547


def test_units_share_a_cluster():
    frame = points([(0, 0), (1, 0), (2, 0), (900, 0), (901, 0), (5000, 0)])
    clusters = dbscan(frame, radius_m=5, min_reports=2)["cluster"]
    codes = pd.DataFrame({"cell": ["a", "b", "b", "a", None, "a"], "street": ["s"] * 6})
    outlines = cluster_outlines(frame, clusters, codes=codes)
    assert outlines["cell"].to_list() == ["b, a", "a"]
    assert outlines["street"].to_list() == ["s", "s"]
    units = cluster_units(clusters, codes["cell"])
    assert units["share"].to_list() == pytest.approx([2 / 3, 1 / 3, 1 / 2])
    assert units["n_reports"].sum() == 4  # one of five has no cell


def test_nothing_is_said_to_be_nothing():
    empty = points([])
    with pytest.warns(NullResultWarning, match="dbscan has 0 reports"):
        assert dbscan(empty, radius_m=5, min_reports=2).columns.to_list() == ["cluster", "is_core"]
    with pytest.warns(NullResultWarning, match="fewer than the 3"):
        assert hdbscan(points([(0, 0)]), min_reports=3)["cluster"].isna().all()
    with pytest.warns(NullResultWarning, match="needs 2 and an area"):
        found = nearest_neighbour_clusters(points([(0, 0), (1, 0)]), min_reports=2)
    assert found["order_1"].isna().all()
    with pytest.warns(NullResultWarning, match="none of 1 reports is in a cluster"):
        assert len(cluster_outlines(points([(0, 0)]), pd.Series([pd.NA], dtype="Int64"))) == 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert dbscan(points([(0, 0), (9, 9)]), radius_m=1, min_reports=2)["cluster"].isna().all()


TWO = points([(0, 0), (1, 1)])
DEGREES = points([(114, 35)], 4490)


@pytest.mark.parametrize(
    ("ask", "error", "says"),
    [
        (lambda: dbscan(DEGREES, radius_m=1, min_reports=1), CrsError, "dbscan needs metres"),
        (lambda: hdbscan(DEGREES, min_reports=2), CrsError, "hdbscan needs metres"),
        (lambda: nearest_neighbour_clusters(DEGREES), CrsError, "needs metres"),
        (lambda: dbscan(TWO, radius_m=0, min_reports=1), InputError, "within 0 m"),
        (lambda: dbscan(TWO, radius_m=1, min_reports=0), InputError, "has 0 reports"),
        (lambda: dbscan(points([(0, 0), (4e7, 4e7)]), radius_m=1e-3, min_reports=2), InputError, "cells between the farthest reports"),
        (lambda: dbscan(gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 1, 1)], crs=4547), radius_m=1, min_reports=1), InputError, "1 of 1 geometries are none"),
        (lambda: hdbscan(TWO, min_reports=1), InputError, "has 1 reports"),
        (lambda: nearest_neighbour_clusters(TWO, min_reports=1), InputError, "has 1 reports"),
        (lambda: nearest_neighbour_clusters(TWO, confidence=1), InputError, "confidence of 1"),
        (lambda: nearest_neighbour_clusters(TWO, threshold_m=-1), InputError, "threshold_m is -1"),
        (lambda: cluster_outlines(TWO, pd.Series([1, 1], index=[5, 6])), IndexMismatchError, "'clusters' has 2 rows"),
        (lambda: cluster_outlines(TWO, pd.Series([1, 1]), outline="box"), InputError, "no outline 'box'"),
        (lambda: cluster_outlines(TWO, pd.Series([1, 1]), margin_m=0), InputError, "margin of 0 m"),
        (lambda: cluster_units(pd.Series([1]), pd.Series([1], index=[3])), IndexMismatchError, "not indexed alike"),
    ],
)  # fmt: skip
def test_refuses_in_one_sentence(ask, error, says):
    with pytest.raises(error, match=says):
        ask()


def test_loops_are_compiled_once_for_all():
    warm_up()
    loops = [count_near, nearest_core, spread_alike, spread_each, spread_inside, walk_kernels]
    known = [len(loop.signatures) for loop in loops]
    assert min(known) >= 1
    frame = points(town(1, 100))
    frame.loc[3, "geometry"] = None
    dbscan(frame.iloc[::2], radius_m=100, min_reports=3)
    width = pd.Series(300.0, frame.index)
    kernel_density(frame, cell_m=100, bandwidth_m=300, bbox=(EAST, NORTH, EAST + 900, NORTH + 900))
    kernel_density(frame, cell_m=100, bandwidth_m=width, weights=width)
    assert [len(loop.signatures) for loop in loops] == known
