import esda
import numpy as np
import pandas as pd
import pytest

from gisgrid.analysis import gi, local_moran, local_moran_bivariate, moran
from gisgrid.errors import IndexMismatchError, NullResultWarning


@pytest.fixture(scope="module")
def city(graph_of, lattice):
    x = np.random.default_rng(3).gamma(0.7, 5, 225)
    return pd.Series(x), graph_of(lattice(15))


def test_agrees_with_esda(city):
    x, graph = city
    rows = graph.transform("R")
    theirs = esda.Moran_Local(x.to_numpy(), rows, transformation="R", permutations=0)
    ours = local_moran(x, rows, permutations=4_999, correction="none")
    np.testing.assert_allclose(ours["i"] * 224 / 225, theirs.Is, atol=1e-12)
    names = np.array(["", "high_high", "low_high", "low_low", "high_low"])[theirs.q]
    sure = ours["p"] <= 0.05
    assert (ours["cluster"][sure] == names[sure]).all()
    assert sure.sum() > 5


def test_p_is_gi_s_because_both_permute_the_neighbours(city):
    x, graph = city
    ours = local_moran(x, graph, permutations=999, seed=4)["p"]
    pd.testing.assert_series_equal(ours, gi(x, graph, permutations=999, seed=4)["p"])


@pytest.mark.filterwarnings("ignore::DeprecationWarning:esda")
def test_bivariate_agrees_with_esda(city):
    x, graph = city
    y = pd.Series(np.random.default_rng(4).gamma(1, 2, 225) + x)
    rows = graph.transform("R")
    theirs = esda.Moran_Local_BV(
        x.to_numpy(), y.to_numpy(), rows, transformation="R", permutations=0
    )
    ours = local_moran_bivariate(x, y, rows, permutations=4_999)
    np.testing.assert_allclose(ours["i"] * 224 / 225, theirs.Is, atol=1e-12)


def test_local_values_sum_to_the_global_one(city):
    x, graph = city
    total = local_moran(x, graph, permutations=0)["i"].sum()
    assert total / graph.sparse.sum() == pytest.approx(moran(x, graph).value, abs=1e-12)


def test_z_is_gi_s_with_the_sign_of_the_unit(city):
    x, graph = city
    z = local_moran(x, graph, permutations=0)["z"]
    np.testing.assert_allclose(z, gi(x, graph)["z"] * np.sign(x - x.mean()), atol=1e-9)


def test_an_outlier_is_told_from_a_cluster(graph_of, lattice):
    x = np.random.default_rng(1).normal(10, 1, (20, 20))
    x[3:7, 3:7] = 30  # a bad quarter …
    x[5, 5] = 2  # … with one good unit in it
    x[15, 15] = 40  # and one bad unit in a good one
    found = local_moran(pd.Series(x.ravel()), graph_of(lattice(20)), permutations=9_999)
    cluster = found["cluster"].to_numpy().reshape(20, 20)
    assert cluster[5, 5] == "low_high"
    assert cluster[4, 4] == "high_high"
    assert cluster[10, 3] == "not_significant"


def test_missing_values_and_isolates_are_left_out(graph_of, lattice):
    w = lattice(6)
    w[7, :] = w[:, 7] = 0
    x = pd.Series(np.random.default_rng(2).normal(size=36))
    x[20] = np.nan
    found = local_moran(x, graph_of(w))
    assert found.loc[[7, 20], ["i", "z", "p", "q", "cluster"]].isna().all(axis=None)
    assert found["n_neighbours"][20] == 0
    kept = [i for i in range(36) if i != 20]
    alone = local_moran(x[kept], graph_of(w[np.ix_(kept, kept)], kept))
    pd.testing.assert_frame_equal(found.loc[kept], alone)


def test_no_answer_is_said(graph_of, lattice):
    with pytest.warns(NullResultWarning, match="every value is the same"):
        found = local_moran(pd.Series(np.ones(16)), graph_of(lattice(4)))
    assert found[["i", "z", "p", "q"]].isna().all(axis=None)
    with pytest.warns(NullResultWarning, match="no unit has neighbours"):
        local_moran(pd.Series([1.0, 2, 3]), graph_of(np.zeros((3, 3))))


def test_bivariate_values_must_name_the_same_units(city):
    x, graph = city
    with pytest.raises(IndexMismatchError, match="225 values and 224 values of the neighbours"):
        local_moran_bivariate(x, x.iloc[1:], graph)
