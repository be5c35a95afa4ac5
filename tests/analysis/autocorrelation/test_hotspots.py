import warnings

import esda
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from libpysal.graph import Graph
from scipy import stats

from gisgrid.analysis import gi, gi_star, hotspots
from gisgrid.errors import IndexMismatchError, InputError
from gisgrid.palette import LABELS

COLUMNS = ["z", "p", "n_neighbours", "observed", "expected"]


def by_hand(x, w, star):
    """The formulas of Ord & Getis 1995 with loops, from dense weights."""
    n = len(x)
    z = np.full(n, np.nan)
    for i in range(n):
        row, others = w[i].copy(), np.delete(np.arange(n), i)
        row[i] = row[others].max() if star else 0
        if row[others].sum() == 0:
            continue
        sample = x if star else x[others]
        m, total, squares = len(sample), row.sum(), (row**2).sum()
        spread = np.sqrt(((sample - sample.mean()) ** 2).mean())
        room = (m * squares - total**2) / (m - 1)
        z[i] = (row @ x - total * sample.mean()) / (spread * np.sqrt(room))
    return z


def graph_of(w, ids=None):
    ids = np.arange(len(w)) if ids is None else np.asarray(ids)
    focal, neighbour = np.nonzero(w)
    alone = np.flatnonzero(w.sum(axis=1) == 0)
    return Graph.from_arrays(
        ids[np.concatenate([focal, alone])],
        ids[np.concatenate([neighbour, alone])],
        np.concatenate([w[focal, neighbour], np.zeros(len(alone))]),
    )


def random_weights(rng, n, share=0.25, *, binary=True):
    w = (rng.uniform(size=(n, n)) < share).astype(float)
    w = np.maximum(w, w.T)
    np.fill_diagonal(w, 0)
    return w if binary else w * rng.uniform(0.2, 3, (n, n))


def lattice(side):
    y, x = np.divmod(np.arange(side * side), side)
    near = np.maximum(abs(x[:, None] - x), abs(y[:, None] - y)) == 1
    return near.astype(float)


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("seed", range(8))
def test_both_scores_are_the_published_formulas(seed, binary):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(5, 40))
    w = random_weights(rng, n, binary=binary)
    x = rng.gamma(2, 5, n)
    for score, star in ((gi_star, True), (gi, False)):
        found = score(pd.Series(x), graph_of(w))
        np.testing.assert_allclose(found["z"], by_hand(x, w, star), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("star", [True, False])
def test_agrees_with_esda(star):
    rng = np.random.default_rng(5)
    graph = graph_of(lattice(15))
    x = rng.poisson(4, 225).astype(float)
    theirs = esda.G_Local(x, graph, transform="B", permutations=0, star=star)
    found = (gi_star if star else gi)(pd.Series(x), graph)
    np.testing.assert_allclose(found["z"], theirs.Zs, rtol=0, atol=1e-12)
    np.testing.assert_allclose(found["p"], 2 * theirs.p_norm, rtol=1e-12)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    st.integers(0, 10**6),
    st.integers(4, 25),
    st.tuples(st.floats(-1e4, 1e4), st.floats(1e-3, 1e3)),
    st.booleans(),
    st.booleans(),
)
def test_z_knows_neither_unit_nor_origin_nor_order_nor_row_scale(seed, n, unit, star, binary):
    shift, scale = unit
    rng = np.random.default_rng(seed)
    w = random_weights(rng, n, binary=binary)
    ids = np.array([f"u{i:02d}" for i in rng.permutation(n)])
    values = pd.Series(rng.gamma(2, 5, n), index=ids)
    score = gi_star if star else gi
    base = score(values, graph_of(w, ids))["z"]
    np.testing.assert_allclose(
        score(values * scale + shift, graph_of(w, ids))["z"], base, rtol=1e-6, atol=1e-7
    )
    np.testing.assert_allclose(-score(-values, graph_of(w, ids))["z"], base, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(
        score(values, graph_of(w * rng.uniform(0.1, 9, (n, 1)), ids))["z"],
        base, rtol=1e-9, atol=1e-9,
    )  # fmt: skip
    order = rng.permutation(n)
    shuffled = score(values.iloc[order], graph_of(w, ids))
    assert list(shuffled.index) == list(values.index[order])
    np.testing.assert_allclose(shuffled["z"], base.iloc[order], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("score", [gi, gi_star])
def test_row_standardised_weights_give_the_binary_z(score):
    graph = graph_of(lattice(6))
    values = pd.Series(np.random.default_rng(1).poisson(3, 36))
    binary, standardised = score(values, graph), score(values, graph.transform("r"))
    np.testing.assert_allclose(standardised["z"], binary["z"], atol=1e-12)
    np.testing.assert_allclose(standardised["observed"], binary["observed"], atol=1e-12)


@pytest.mark.parametrize("score", [gi, gi_star])
def test_a_missing_value_leaves_its_unit_out(score):
    rng = np.random.default_rng(2)
    w = random_weights(rng, 30, binary=False)
    values = pd.Series(rng.gamma(2, 5, 30))
    values[[3, 17]] = np.nan
    kept = values.dropna().index
    whole = score(values, graph_of(w))
    without = score(values[kept], graph_of(w[np.ix_(kept, kept)], kept))
    pd.testing.assert_frame_equal(whole.loc[kept], without, rtol=1e-12)
    assert whole.loc[[3, 17]].drop(columns="n_neighbours").isna().all(axis=None)
    assert (whole.loc[[3, 17], "n_neighbours"] == 0).all()
    assert whole["n_neighbours"].dtype == "int64"


def test_nullable_integers_are_numbers():
    values = pd.Series([3, 5, None, 1, 2, 9], dtype="Int64")
    w = random_weights(np.random.default_rng(1), 6, 0.6)
    pd.testing.assert_frame_equal(
        gi_star(values, graph_of(w)), gi_star(values.astype(float), graph_of(w))
    )


def test_what_is_observed_and_expected():
    w = np.zeros((4, 4))
    w[0, 1] = w[1, 0] = w[1, 2] = w[2, 1] = 1
    values = pd.Series([9.0, 7.0, 0.0, 4.0])
    star, plain = gi_star(values, graph_of(w)), gi(values, graph_of(w))
    assert list(star.columns) == list(plain.columns) == COLUMNS
    np.testing.assert_allclose(star["observed"], [8, 16 / 3, 3.5, 4])
    np.testing.assert_allclose(star["expected"], 5)
    np.testing.assert_allclose(plain["observed"], [7, 4.5, 7, np.nan])
    np.testing.assert_allclose(plain["expected"], [11 / 3, 13 / 3, 20 / 3, 16 / 3])
    assert star["n_neighbours"].tolist() == plain["n_neighbours"].tolist() == [1, 2, 1, 0]


@pytest.mark.parametrize("score", [gi, gi_star])
def test_an_isolate_has_no_score_but_belongs_to_the_city(score):
    w = np.zeros((9, 9))
    w[:8, :8] = random_weights(np.random.default_rng(0), 8, 0.4)
    values = pd.Series([1.0, 5, 2, 8, 3, 9, 1, 4, 100])
    found = score(values, graph_of(w))
    assert found.loc[8, ["z", "p"]].isna().all()
    assert found.loc[8, "n_neighbours"] == 0
    np.testing.assert_allclose(
        found["z"], by_hand(values.to_numpy(), w, score is gi_star), rtol=1e-12
    )


@pytest.mark.parametrize("score", [gi, gi_star, hotspots])
@pytest.mark.parametrize("constant", [0.0, 0.1, 7.0, 1e9 / 3])
def test_a_city_where_all_is_the_same_has_no_scores_and_no_warning(score, constant):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = score(pd.Series(np.full(49, constant)), graph_of(lattice(7)))
    assert found["z"].isna().all()
    assert found["p"].isna().all()


def test_gi_of_the_only_different_unit_is_missing():
    values = pd.Series(np.full(25, 0.1))
    values[12] = 5.0
    found = gi(values, graph_of(lattice(5)))
    assert np.flatnonzero(found["z"].isna()).tolist() == [12]


def test_gi_beside_a_giant_keeps_its_digits():
    rng = np.random.default_rng(6)
    x = rng.uniform(0, 1, 36)
    x[10] = 1e9
    found = gi(pd.Series(x), graph_of(lattice(6)))
    np.testing.assert_allclose(found["z"][10], by_hand(x, lattice(6), star=False)[10], rtol=1e-6)


def test_everybodys_neighbour_cannot_be_compared():
    w = 1 - np.eye(6)
    for graph in (graph_of(w), graph_of(w).transform("r")):
        assert gi_star(pd.Series(np.arange(6.0)), graph)["z"].isna().all()
        assert gi(pd.Series(np.arange(6.0)), graph)["z"].isna().all()


@pytest.mark.parametrize("score", [gi, gi_star, hotspots])
@pytest.mark.parametrize("n", [1, 2])
def test_one_or_two_units_have_no_score(score, n):
    w = np.ones((n, n)) - np.eye(n)
    assert score(pd.Series(np.arange(n, dtype=float)), graph_of(w))["z"].isna().all()


@pytest.mark.parametrize("score", [gi, gi_star, hotspots])
def test_nothing_but_missing_values(score):
    found = score(pd.Series(np.full(4, np.nan)), graph_of(lattice(2)))
    assert len(found) == 4
    assert found["z"].isna().all()


def test_self_weights_of_the_graph_are_kept():
    graph = graph_of(lattice(5))
    values = pd.Series(np.random.default_rng(1).poisson(4, 25))
    ones = gi_star(values, graph.assign_self_weight(1.0))
    pd.testing.assert_frame_equal(ones, gi_star(values, graph))
    assert not np.allclose(gi_star(values, graph.assign_self_weight(5.0))["z"], ones["z"])
    np.testing.assert_allclose(
        gi(values, graph.assign_self_weight(5.0))["z"], gi(values, graph)["z"], atol=1e-12
    )


def test_small_p_keep_their_digits():
    values = pd.Series(np.r_[np.full(9, 1000.0), np.zeros(892)])
    w = np.zeros((901, 901))
    w[:9, :9] = 1 - np.eye(9)
    w[9:-1, 10:] += np.eye(891)
    found = gi_star(values, graph_of(w))
    assert 0 < found["p"][0] < 1e-100
    np.testing.assert_allclose(found["p"], 2 * stats.norm.sf(found["z"].abs()), rtol=1e-10)


def test_a_planted_hotspot_and_coldspot_are_found():
    side = 30
    y, x = np.divmod(np.arange(side * side), side)
    rng = np.random.default_rng(11)
    mean = np.full(side * side, 20.0)
    hot = (x >= 4) & (x < 9) & (y >= 4) & (y < 9)
    cold = (x >= 20) & (x < 25) & (y >= 20) & (y < 25)
    mean[hot], mean[cold] = 40, 6
    found = hotspots(pd.Series(rng.poisson(mean)), graph_of(lattice(side)))
    assert list(found.columns) == [
        "z", "p", "q", "label", "n_neighbours", "observed", "expected",
    ]  # fmt: skip
    assert set(found["label"]) <= set(LABELS)
    assert (found["label"][hot] == "hot_99").mean() >= 0.9
    assert found["label"][cold].isin(["cold_99", "cold_95"]).mean() >= 0.9
    far = ~((x >= 2) & (x < 11) & (y >= 2) & (y < 11) | (x >= 18) & (x < 27) & (y >= 18) & (y < 27))
    assert (found["label"][far] != "not_significant").mean() < 0.02


def test_inputs_are_not_changed():
    graph = graph_of(np.pad(lattice(4), (0, 1)))
    values = pd.Series(np.arange(17.0))
    values[3] = np.nan
    before, links = values.copy(), graph.adjacency.copy()
    hotspots(values, graph)
    gi(values, graph)
    pd.testing.assert_series_equal(values, before)
    pd.testing.assert_series_equal(graph.adjacency, links)
    assert graph.sparse.nnz == len(links)


SQUARE = graph_of(lattice(2), list("abcd"))


@pytest.mark.parametrize(
    ("values", "graph", "error", "says"),
    [
        (pd.Series([1.0, 2, 3], index=list("abc")), SQUARE, IndexMismatchError, "1 of its 4 units have no value (first: 'd')"),
        (pd.Series([1.0, 2, 3, 4, 5], index=list("abcde")), SQUARE, IndexMismatchError, "1 of 5 values are for units that the graph does not know"),
        (pd.Series([1.0, 2, 3, 4], index=list("aabc")), SQUARE, IndexMismatchError, "1 of 4 values are for a unit that already has one (first: 'a')"),
        (pd.Series([1.0, np.inf, 3, 4], index=list("abcd")), SQUARE, InputError, "1 of 4 values are infinite (first: 'b')"),
        (pd.Series(list("wxyz"), index=list("abcd")), SQUARE, InputError, "a hotspot score needs numbers"),
        (pd.Series([1.0, 2, 3, 4], index=list("abcd")), graph_of(-lattice(2), list("abcd")), InputError, "the least is -1"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("score", [gi, gi_star, hotspots])
def test_refuses_in_one_sentence(score, values, graph, error, says):
    with pytest.raises(error) as caught:
        score(values, graph)
    assert says in str(caught.value)
