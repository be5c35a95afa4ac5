import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score, jaccard_score

from gisgrid.analysis import compare_maps, predictive_accuracy, stability
from gisgrid.errors import IndexMismatchError, InputError, NullResultWarning


@pytest.fixture(scope="module")
def city():
    rng = np.random.default_rng(1)
    rate = rng.gamma(0.5, 4, 400)
    return {
        "rate": pd.Series(rate),
        "earlier": pd.Series(rng.poisson(rate)),
        "later": pd.Series(rng.poisson(rate)),
        "area": pd.Series(np.full(400, 0.25)),
    }


def test_by_hand():
    scores = pd.Series([1.0, 8.0, 3.0, 2.0], list("abcd"))
    later = pd.Series([40, 10, 30, 20], list("abcd"))
    found = predictive_accuracy(
        scores, later, pd.Series([1.0, 1, 2, 4], list("abcd")), shares=[3 / 8], earlier=later * 2
    ).iloc[0]
    assert found[["n_units", "n", "hit_rate"]].to_list() == [2, 40, 0.4]
    assert found["pai"] == pytest.approx(0.4 / 0.375)
    assert found["pei"] == pytest.approx(0.4 / 0.7)  # a and c would have held 70
    assert found["rri"] == 1


def test_no_choice_of_as_many_cells_is_better_than_the_best(city):
    scores, later, area = city["rate"][:10], city["later"][:10], city["area"][:10]
    found = predictive_accuracy(scores, later, area, shares=[0.3]).iloc[0]
    most = max(later[list(chosen)].sum() for chosen in itertools.combinations(range(10), 3))
    assert found["pai_best"] == pytest.approx(most / later.sum() / 0.3)
    assert found["pei"] <= 1


def test_knowing_the_truth_beats_a_guess_and_chance_has_a_pai_of_one(city):
    maps = {
        "truth": city["rate"],
        "counts": city["earlier"].astype(float),
        "guess": pd.Series(np.random.default_rng(2).uniform(size=400)),
    }
    ranked = compare_maps(maps, city["later"], city["area"], share=0.1, earlier=city["earlier"])
    assert list(ranked.index) == ["truth", "counts", "guess"]
    guesses = [
        predictive_accuracy(
            pd.Series(np.random.default_rng(seed).uniform(size=400)), city["later"], city["area"]
        )["pai"][3]
        for seed in range(200)
    ]
    assert np.mean(guesses) == pytest.approx(1, abs=0.08)


def test_the_whole_city_holds_every_report(city):
    found = predictive_accuracy(city["rate"], city["later"], city["area"], shares=[1.0]).iloc[0]
    assert found[["hit_rate", "pai", "pei"]].to_list() == [1, 1, 1]


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.integers(0, 10_000), st.floats(0.01, 1))
def test_a_map_is_never_better_than_the_best_on_equal_cells(seed, share):
    rng = np.random.default_rng(seed)
    scores, later = pd.Series(rng.normal(size=50)), pd.Series(rng.poisson(2, 50) + 1)
    found = predictive_accuracy(scores, later, pd.Series(np.ones(50)), shares=[share]).iloc[0]
    assert 0 <= found["pei"] <= 1 + 1e-12


def test_stability_is_that_of_scikit_learn():
    rng = np.random.default_rng(4)
    a, b = pd.Series(rng.uniform(size=200) < 0.3), pd.Series(rng.uniform(size=200) < 0.4)
    found = stability({"a": a, "b": b}).iloc[0]
    assert found["share_of_both"] == pytest.approx(jaccard_score(a, b))
    assert found["kappa"] == pytest.approx(cohen_kappa_score(a, b))
    assert len(stability({"a": a, "b": b, "c": a})) == 3


def test_no_later_reports_give_no_answer(city):
    with pytest.warns(NullResultWarning, match="no later reports"):
        found = predictive_accuracy(city["rate"], city["later"] * 0, city["area"])
    assert found[["hit_rate", "pai", "pei"]].isna().all(axis=None)


def test_what_cannot_be_judged_is_refused(city):
    with pytest.raises(InputError, match="share of 5"):
        predictive_accuracy(city["rate"], city["later"], city["area"], shares=[5])
    with pytest.raises(InputError, match="not above 0 km²"):
        predictive_accuracy(city["rate"], city["later"], city["area"] * 0)
    with pytest.raises(InputError, match="negative or missing"):
        predictive_accuracy(city["rate"], city["later"] - 9, city["area"])
    with pytest.raises(IndexMismatchError):
        predictive_accuracy(city["rate"], city["later"].iloc[1:], city["area"])
    with pytest.raises(InputError, match="0 maps"):
        compare_maps({}, city["later"], city["area"])
