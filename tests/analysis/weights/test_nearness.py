import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from libpysal.graph import Graph

from gisgrid.analysis import (
    contiguity,
    distance_band,
    kernel_weights,
    nearest,
    same_parent,
    with_nearest_for_isolates,
)
from gisgrid.errors import ColumnError, CrsError, InputError


@pytest.fixture(scope="module")
def places():
    xy = np.random.default_rng(1).uniform(0, 5_000, (300, 2))
    names = [f"p{i}" for i in range(300)]
    return gpd.GeoDataFrame({"code": names}, geometry=gpd.points_from_xy(*xy.T), crs=4547)


def dense(graph: Graph) -> pd.DataFrame:
    ids = graph.unique_ids
    return pd.DataFrame(graph.sparse.toarray(), ids, ids)


def test_a_distance_band_is_libpysal_s(places):
    ours = dense(distance_band(places, key="code", distance_m=400))
    theirs = dense(Graph.build_distance_band(places.set_index("code"), 400, binary=True))
    pd.testing.assert_frame_equal(
        ours, theirs.reindex(ours.index, columns=ours.columns), check_dtype=False, check_names=False
    )


@pytest.mark.parametrize("k", [1, 6, 299])
def test_nearest_are_libpysal_s(places, k):
    ours = dense(nearest(places, key="code", k=k))
    theirs = dense(Graph.build_knn(places.set_index("code"), k))
    pd.testing.assert_frame_equal(
        ours, theirs.reindex(ours.index, columns=ours.columns), check_dtype=False, check_names=False
    )


def test_nearest_among_equals_are_the_first_whatever_the_place():
    spots = gpd.points_from_xy([0, 0, 0, 0, 0, 100, -100, 0], [0, 0, 0, 0, 0, 0, 0, 100])
    places = gpd.GeoDataFrame({"code": list("abcdefgh")}, geometry=spots, crs=4547)
    graph = nearest(places, key="code", k=2)
    assert list(graph["e"].index) == ["a", "b"]
    assert list(graph["a"].index) == ["b", "c"]
    assert list(graph["f"].index) == ["a", "b"]


def test_kernels_fall_to_nothing_at_the_bandwidth(places):
    for kernel in ("triangular", "quartic", "gaussian"):
        graph = kernel_weights(places, key="code", bandwidth_m=600, kernel=kernel)
        focal, neighbour = (
            places.set_index("code").geometry[graph.adjacency.index.get_level_values(level)]
            for level in (0, 1)
        )
        apart = focal.distance(neighbour, align=False).to_numpy()
        weight = graph.adjacency.to_numpy()
        linked = weight > 0
        assert apart[linked].max() <= 600
        assert (np.diff(weight[linked][np.argsort(apart[linked])]) <= 1e-12).all()


def test_only_siblings_are_neighbours(places):
    parent = np.array(["x", "y", None], object)[np.arange(300) % 3]
    units = places.assign(parent=parent)
    every = dense(same_parent(units, key="code", parent="parent"))
    expected = (parent[:, None] == parent) & (parent[:, None] != np.array(None))
    np.fill_diagonal(expected, val=False)
    assert (every.to_numpy() == expected).all()
    band = distance_band(places, key="code", distance_m=400)
    near = dense(same_parent(units, key="code", parent="parent", graph=band))
    assert (near.to_numpy() == dense(band).to_numpy() * expected).all()


def test_slivers_between_neighbours_are_bridged_where_asked():
    squares = shapely.box([0, 100.4, 200], 0, [100, 200, 300], 100)
    units = gpd.GeoDataFrame({"code": list("abc")}, geometry=squares, crs=4547)
    assert list(contiguity(units, key="code").isolates) == ["a"]
    assert list(contiguity(units, key="code", gap_m=0.5)["a"].index) == ["b"]
    with pytest.raises(CrsError, match="needs metres"):
        contiguity(units.set_crs(4326, allow_override=True), key="code", gap_m=1)
    with pytest.raises(InputError, match="kind='queen'"):
        contiguity(units, key="code", kind="rook", gap_m=1)


def test_islands_get_their_nearest(places):
    band = distance_band(places, key="code", distance_m=120)
    assert len(band.isolates) > 50
    joined = with_nearest_for_isolates(band, places, key="code")
    assert len(joined.isolates) == 0
    before, after = dense(band), dense(joined)
    assert ((after - before) >= 0).all(axis=None)
    assert (after.to_numpy() == after.to_numpy().T).all()


def test_what_cannot_be_near_anything_is_refused(places):
    with pytest.raises(CrsError, match="distance_band needs metres"):
        distance_band(places.to_crs(4326), key="code", distance_m=1)
    with pytest.raises(ColumnError, match="no column 'cod'"):
        nearest(places, key="cod", k=1)
    with pytest.raises(InputError, match="give k from 1 to 299"):
        nearest(places, key="code", k=300)
    with pytest.raises(InputError, match="metres above 0"):
        distance_band(places, key="code", distance_m=0)
    hole = places.copy()
    hole.loc[3, "geometry"] = None
    with pytest.raises(InputError, match="1 of 300 units have no place"):
        nearest(hole, key="code", k=2)
