from itertools import combinations, permutations

import esda
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse, stats

from gisgrid.analysis import gi, gi_star, hotspots
from gisgrid.analysis.permutations import _different, lag_exceedances, spread_exceedances
from gisgrid.errors import InputError


def share_reaching(x, w, i, *, ordered):
    """Every possible neighbourhood of unit i, weighed: the share that reaches what is observed, and the share below."""
    others, row = np.delete(x, i), w[i][w[i] > 0]
    draw = permutations if ordered else combinations
    sums = np.array([row @ np.array(drawn) for drawn in draw(others, len(row))])
    observed = w[i] @ x
    return (sums >= observed - 1e-9).mean(), (sums <= observed + 1e-9).mean()


@pytest.mark.parametrize("equal", [True, False])
@pytest.mark.parametrize("ties", [True, False])
def test_p_is_the_share_of_all_possible_neighbourhoods(equal, ties):
    rng = np.random.default_rng(4)
    n, r = 9, 40_000
    x = rng.integers(0, 4, n).astype(float) if ties else rng.gamma(1, 3, n)
    w = np.zeros((n, n))
    for i in range(n):
        near = rng.choice(np.delete(np.arange(n), i), 1 + i % 4, replace=False)
        w[i, near] = 1 if equal else rng.uniform(0.2, 2, len(near))
    drawn = lag_exceedances(x, sparse.csr_array(w), permutations=r, seed=1)
    for i in range(n):
        up, down = share_reaching(x, w, i, ordered=not equal)
        assert drawn.greater[i] / r == pytest.approx(up, abs=4 * np.sqrt(0.25 / r))
        assert drawn.less[i] / r == pytest.approx(down, abs=4 * np.sqrt(0.25 / r))


def test_geary_s_p_is_the_share_of_all_possible_neighbourhoods():
    rng = np.random.default_rng(5)
    n, r = 8, 40_000
    x, w = rng.gamma(1, 3, n), np.zeros((n, n))
    for i in range(n):
        w[i, rng.choice(np.delete(np.arange(n), i), 1 + i % 3, replace=False)] = 1
    drawn = spread_exceedances(x, sparse.csr_array(w), permutations=r, seed=1)
    for i in range(n):
        k = int(w[i].sum())
        apart = (np.delete(x, i) - x[i]) ** 2
        sums = np.array([sum(chosen) for chosen in combinations(apart, k)])
        observed = w[i] @ (x - x[i]) ** 2
        assert drawn.greater[i] / r == pytest.approx((sums >= observed - 1e-9).mean(), abs=0.01)


@pytest.mark.parametrize(("n", "wide"), [(50, 5), (1_000, 9), (12, 12), (300, 70)])
def test_draws_are_different_and_every_place_is_as_likely(n, wide):
    times = 6_000
    rows = _different(np.random.default_rng(2), n, wide, times)
    assert rows.shape == (times, wide)
    assert (np.diff(np.sort(rows, axis=1), axis=1) > 0).all()
    for column in (0, wide - 1):
        seen = np.bincount(rows[:, column], minlength=n)
        assert stats.chisquare(seen).pvalue > 1e-4


@pytest.mark.filterwarnings("ignore::DeprecationWarning:esda")
def test_agrees_with_esda(graph_of, lattice):
    x = np.random.default_rng(7).gamma(0.5, 5, 225)
    graph = graph_of(lattice(15))
    theirs = esda.G_Local(x, graph, transform="B", star=True, permutations=4_999, seed=3, n_jobs=1)
    ours = gi_star(pd.Series(x), graph, permutations=4_999, seed=3)
    np.testing.assert_allclose(ours["p"], np.minimum(1, 2 * theirs.p_sim), atol=0.05)
    assert np.abs(ours["p"] - np.minimum(1, 2 * theirs.p_sim)).mean() < 0.015


def test_gi_and_gi_star_have_the_same_p(graph_of, lattice):
    x = pd.Series(np.random.default_rng(8).poisson(3, 100))
    graph = graph_of(lattice(10))
    both = [score(x, graph, permutations=999)["p"] for score in (gi, gi_star)]
    pd.testing.assert_series_equal(*both)


def test_p_is_never_zero_and_the_sides_fit_together(graph_of, lattice):
    x = pd.Series(np.r_[np.full(9, 100.0), np.zeros(91)])
    graph = graph_of(lattice(10))
    two, up, down = (
        gi_star(x, graph, permutations=99, alternative=side)["p"]
        for side in ("two-sided", "greater", "less")
    )
    assert min(two.min(), up.min(), down.min()) >= 0.01
    np.testing.assert_allclose(two, np.minimum(1, 2 * np.minimum(up, down)))


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.integers(0, 10_000), st.floats(0.1, 100), st.floats(-50, 50))
def test_order_unit_and_shift_do_not_matter(graph_of, lattice, seed, unit, shift):
    rng = np.random.default_rng(seed)
    x, w = rng.poisson(2, 64).astype(float), lattice(8)
    names, order = np.arange(64), rng.permutation(64)
    once = gi_star(pd.Series(x, names), graph_of(w, names), permutations=199)["p"]
    moved = gi_star(
        pd.Series(x[order], names[order]),
        graph_of(w[np.ix_(order, order)], names[order]),
        permutations=199,
    )["p"]
    pd.testing.assert_series_equal(moved.reindex(names), once)
    scaled = gi_star(pd.Series(x * unit + shift, names), graph_of(w, names), permutations=199)
    pd.testing.assert_series_equal(scaled["p"], once)


def test_without_any_hotspot_permutations_keep_their_promise(graph_of, lattice):
    graph, found = graph_of(lattice(15)), []
    for seed in range(60):
        x = pd.Series(np.random.default_rng(seed).poisson(0.3, 225))
        found.append(gi_star(x, graph, permutations=999, seed=seed)["p"])
    p = pd.concat(found)
    assert (p <= 0.05).mean() <= 0.055  # sparse counts: ties make it less, never more
    assert (p <= 0.05).mean() > 0.005


def test_sparse_maps_without_hotspots_are_called_hot_less_often_than_by_the_normal_p(
    graph_of, lattice
):
    graph = graph_of(lattice(15))
    any_hot = {0: 0, 9_999: 0}
    for permutations_ in any_hot:
        for seed in range(40):
            x = pd.Series(np.random.default_rng(seed).poisson(0.3, 225).astype(float))
            label = hotspots(x, graph, permutations=permutations_, seed=seed)["label"]
            any_hot[permutations_] += bool(label.isin(["hot_99", "hot_95"]).any())
    assert any_hot[9_999] < any_hot[0]


@pytest.mark.parametrize("permutations_", [-1, 1, 18, 10_000_000])
def test_unusable_numbers_of_permutations_are_refused(graph_of, lattice, permutations_):
    with pytest.raises(InputError, match="give 0 for the normal distribution or 19 to 999999"):
        gi_star(pd.Series(range(16)), graph_of(lattice(4)), permutations=permutations_)


def test_many_permutations_in_parts_are_the_same_ones(monkeypatch, graph_of, lattice):
    x, graph = pd.Series(np.random.default_rng(1).gamma(1, 1, 100)), graph_of(lattice(10))
    whole = gi_star(x, graph, permutations=9_999)["p"]
    monkeypatch.setattr("gisgrid.analysis.permutations._CELLS", 20_000)
    parts = gi_star(x, graph, permutations=9_999)["p"]
    np.testing.assert_allclose(parts, whole, atol=0.03)
