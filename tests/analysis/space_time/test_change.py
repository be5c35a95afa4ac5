import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest
from sklearn.metrics import cohen_kappa_score

from gisgrid.analysis.space_time.change import hotspot_similarity, rate_change
from gisgrid.errors import IndexMismatchError, InputError, NullResultWarning
from gisgrid.palette import LABELS

NAMES = np.array(LABELS)
SIDE = 12


def maps(seed, n=SIDE * SIDE, same=0.5):
    rng = np.random.default_rng(seed)
    first, other = NAMES[rng.integers(0, 7, n)], NAMES[rng.integers(0, 7, n)]
    return pd.Series(first), pd.Series(np.where(rng.random(n) < same, first, other))


@pytest.mark.parametrize(("tolerance", "weights"), [(0, None), (5, "linear")])
def test_without_neighbours_it_is_cohens_kappa(tolerance, weights):
    first, second = maps(1)
    code = [[LABELS.index(label) for label in labels] for labels in (first, second)]
    found = hotspot_similarity(first, second, tolerance=tolerance)
    assert found.kappa == pytest.approx(cohen_kappa_score(*code, weights=weights))
    assert found.table.to_numpy().sum() == found.n == SIDE * SIDE
    if tolerance == 0:
        assert found.similarity == pytest.approx((first == second).mean())


def test_expected_is_the_mean_over_all_pairings(graph_of, lattice):
    first, second = maps(2, 49)
    weights = lattice(7)
    found = hotspot_similarity(first, second, graph_of(weights), tolerance=2, nearby=0.4)
    a, b = ([LABELS.index(label) for label in labels] for labels in (first, second))
    alike = np.maximum(0, 1 - abs(np.subtract.outer(range(7), range(7))) / 3)
    reach = np.where(np.eye(49, dtype=bool), 1.0, 0.4 * weights)

    def met(label, labels, place):
        return max(reach[place, j] * alike[label, labels[j]] for j in range(49))

    pairs = np.array(
        [[min(met(a[i], b, k), met(b[k], a, i)) for k in range(49)] for i in range(49)]
    )
    assert found.expected == pytest.approx(pairs.mean())
    np.testing.assert_allclose(found.local, np.diag(pairs))


def test_laws_of_similarity(graph_of, lattice):
    first, second = maps(3)
    graph = graph_of(lattice(SIDE))
    found, turned = (
        hotspot_similarity(first, second, graph),
        hotspot_similarity(second, first, graph),
    )
    assert found.kappa == pytest.approx(turned.kappa)
    assert hotspot_similarity(first, first, graph).kappa == pytest.approx(1)
    assert found.similarity >= hotspot_similarity(first, second).similarity
    mixed = np.random.default_rng(0).permutation(SIDE * SIDE)
    again = hotspot_similarity(first.iloc[mixed], second.iloc[mixed], graph)
    pd.testing.assert_series_equal(again.local, found.local.iloc[mixed])
    unrelated = [hotspot_similarity(*maps(seed, same=0), graph).kappa for seed in range(30)]
    assert abs(np.mean(unrelated)) < 0.02


def test_units_without_a_label_are_left_out(graph_of, lattice):
    first, second = maps(4)
    second = second.mask(second.index < 20)
    found = hotspot_similarity(first, second, graph_of(lattice(SIDE)))
    assert found.local.isna().sum() == 20
    assert found.n == SIDE * SIDE - 20


def test_maps_that_say_nothing():
    same = pd.Series(["not_significant"] * 9)
    with pytest.warns(NullResultWarning, match="one label everywhere"):
        found = hotspot_similarity(same, same)
    assert found.similarity == 1
    assert np.isnan(found.kappa)
    with pytest.warns(NullResultWarning, match="no unit has a label"):
        assert np.isnan(hotspot_similarity(same.mask(same.notna()), same).similarity)


def test_intervals_are_exact():
    rng = np.random.default_rng(5)
    before, after = pd.Series(rng.poisson(6, 60)), pd.Series(rng.poisson(9, 60))
    found = rate_change(before, after, exposure_before=3.0, exposure_after=2.0, correction="none")
    for row in found.index:
        k, n = int(after[row]), int(before[row] + after[row])
        ends = binomtest(k, n, 0.4).proportion_ci(method="exact")
        assert found.loc[row, "low"] == pytest.approx(ends.low / (1 - ends.low) * 1.5)
        assert found.loc[row, "high"] == pytest.approx(ends.high / (1 - ends.high) * 1.5)
        tails = [binomtest(k, n, 0.4, side).pvalue for side in ("less", "greater")]
        assert found.loc[row, "p"] == pytest.approx(min(1, 2 * min(tails)))
        assert (found.loc[row, "p"] <= 0.05) == (found.loc[row, "change"] != "no_change")


def test_turning_time_round_turns_the_ratio_round():
    before, after = pd.Series([4, 30, 7]), pd.Series([9, 12, 7])
    found, turned = rate_change(before, after), rate_change(after, before)
    np.testing.assert_allclose(found["ratio"], 1 / turned["ratio"])
    np.testing.assert_allclose(found["low"], 1 / turned["high"])
    np.testing.assert_allclose(found["p"], turned["p"])


def test_against_the_city_a_common_rise_is_no_change():
    before = pd.Series([100, 200, 300, 50])
    after = pd.Series([200, 400, 600, 10])
    alone, shared = rate_change(before, after), rate_change(before, after, against="city")
    assert alone["change"].to_list() == ["rose", "rose", "rose", "fell"]
    assert shared["change"].iloc[3] == "fell"
    assert (shared["ratio"].iloc[:3] < 1.1).all()


def test_with_nothing_changed_few_units_are_said_to_have():
    rng = np.random.default_rng(6)
    found = rate_change(
        pd.Series(rng.poisson(20, 4_000)), pd.Series(rng.poisson(30, 4_000)),
        exposure_after=1.5, correction="none",
    )  # fmt: skip
    assert 0.02 < (found["p"] <= 0.05).mean() <= 0.05


def test_what_has_no_answer_is_missing_never_infinite():
    found = rate_change(
        pd.Series([0, 0, 5, 3, np.nan]), pd.Series([0, 4, 0, 3, 2]),
        exposure_after=pd.Series([1.0, 1, 1, 0, 1]),
    )  # fmt: skip
    assert found["ratio"].isna().to_list() == [True, True, False, True, True]
    assert found["p"].isna().to_list() == [True, False, False, True, True]
    assert found.loc[1, "low"] > 0
    assert not np.isinf(found.select_dtypes("number")).any(axis=None)
    for against in ("itself", "city"):
        with pytest.warns(NullResultWarning, match="no report in either"):
            nothing = rate_change(pd.Series([0, 0]), pd.Series([0, 0]), against=against)
        assert nothing["change"].isna().all()


def test_what_cannot_be_meant_is_refused():
    first, second = maps(7)
    with pytest.raises(IndexMismatchError):
        hotspot_similarity(first, second.iloc[1:])
    with pytest.raises(InputError, match="none of a hotspot map"):
        hotspot_similarity(first.replace("hot_99", "very hot"), second)
    with pytest.raises(InputError, match="tolerance"):
        hotspot_similarity(first, second, tolerance=9)
    counts = pd.Series([1, 2])
    with pytest.raises(IndexMismatchError):
        rate_change(counts, counts.iloc[:1])
    with pytest.raises(InputError, match="negative"):
        rate_change(counts, -counts)
    with pytest.raises(InputError, match="not whole"):
        rate_change(counts, counts / 2)
    with pytest.raises(InputError, match="against"):
        rate_change(counts, counts, against="me")
    with pytest.raises(InputError, match="level"):
        rate_change(counts, counts, level=95)
