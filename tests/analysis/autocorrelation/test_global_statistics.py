import esda
import numpy as np
import pandas as pd
import pytest

from gisgrid.analysis import geary, general_g, moran
from gisgrid.errors import InputError, NullResultWarning


@pytest.fixture(scope="module")
def city(graph_of, lattice):
    w = lattice(12)
    w[60, :60] = 0  # not symmetric
    graph = graph_of(w)
    x = pd.Series(np.random.default_rng(3).gamma(0.7, 5, 144))
    return x.reindex(graph.unique_ids), graph  # esda goes by position


def test_all_three_agree_with_esda(city):
    x, graph = city
    theirs = esda.Moran(x.to_numpy(), graph, transformation="O", permutations=0)
    ours = moran(x, graph)
    assert (ours.value, ours.variance) == pytest.approx((theirs.I, theirs.VI_rand), rel=1e-10)
    assert ours.p == pytest.approx(theirs.p_rand, rel=1e-9)
    theirs = esda.Geary(x.to_numpy(), graph, transformation="O", permutations=0)
    ours = geary(x, graph)
    assert (ours.value, ours.variance) == pytest.approx((theirs.C, theirs.VC_rand), rel=1e-10)
    theirs = esda.G(x.to_numpy(), graph, permutations=0)
    ours = general_g(x, graph, permutations=0)
    assert (ours.value, ours.expected, ours.variance) == pytest.approx(
        (theirs.G, theirs.EG, theirs.VG), rel=1e-9
    )


@pytest.mark.parametrize("statistic", [moran, geary, general_g])
def test_permutations_have_the_mean_and_the_p_of_the_formula(city, statistic):
    x, graph = city
    found = statistic(np.sqrt(x), graph, permutations=9_999, seed=1)
    assert found.p_permutation == pytest.approx(found.p, abs=0.05)


@pytest.mark.parametrize("statistic", [moran, geary])
def test_unit_and_shift_do_not_matter(city, statistic):
    x, graph = city
    assert statistic(3 * x + 70, graph).z == pytest.approx(statistic(x, graph).z, rel=1e-9)


def test_clustered_values_are_called_so(graph_of, lattice):
    slope = pd.Series(np.add.outer(np.arange(10.0), np.arange(10.0)).ravel())
    graph = graph_of(lattice(10))
    assert moran(slope, graph, permutations=999).p_permutation == 0.002
    assert moran(slope, graph, permutations=999, alternative="greater").p_permutation == 0.001
    assert geary(slope, graph).z < -5


@pytest.mark.parametrize("statistic", [moran, geary, general_g])
def test_no_answer_is_said(graph_of, lattice, statistic):
    with pytest.warns(NullResultWarning, match="every value is the same"):
        found = statistic(pd.Series(np.ones(16)), graph_of(lattice(4)))
    assert np.isnan(found.value)
    with pytest.warns(NullResultWarning, match="fewer than four"):
        statistic(pd.Series([1.0, 2]), graph_of(np.array([[0, 1], [1, 0]])))


def test_general_g_refuses_what_it_is_not_made_for(graph_of, lattice):
    with pytest.raises(InputError, match="least is -1"):
        general_g(pd.Series([-1.0, 1, 2, 3]), graph_of(lattice(2)))
    with pytest.raises(InputError, match="weights of 0 or 1"):
        general_g(pd.Series([0.0, 1, 2, 3]), graph_of(lattice(2) * 2))
