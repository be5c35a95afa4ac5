import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from gisgrid.analysis import false_discovery, significance_labels
from gisgrid.errors import IndexMismatchError, InputError
from gisgrid.palette import LABELS

PROBABILITIES = st.lists(
    st.one_of(st.floats(0, 1), st.sampled_from([0.0, 1.0, 0.05, float("nan")])), max_size=60
)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(PROBABILITIES)
def test_agrees_with_scipy_and_lets_missing_through(values):
    p = pd.Series(values, dtype=float)
    q = false_discovery(p)
    assert (q.isna() == p.isna()).all()
    there = p.dropna()
    if len(there):
        np.testing.assert_allclose(
            q.dropna(), stats.false_discovery_control(there), rtol=1e-12, atol=0
        )


@settings(max_examples=100, deadline=None, derandomize=True)
@given(PROBABILITIES, st.randoms(use_true_random=False))
def test_laws_of_q(values, random):
    p = pd.Series(values, dtype=float)
    q = false_discovery(p)
    assert ((q >= p) | p.isna()).all()
    assert ((q <= 1) | p.isna()).all()
    assert q.to_numpy()[np.argsort(p, kind="stable")][: p.notna().sum()].tolist() == sorted(
        q.dropna()
    )
    order = list(range(len(p)))
    random.shuffle(order)
    pd.testing.assert_series_equal(false_discovery(p.iloc[order]), q.iloc[order])


def test_rejecting_by_q_is_the_step_up_rule():
    p = pd.Series(np.random.default_rng(3).uniform(0, 1, 500) ** 3)
    ordered = np.sort(p)
    under = ordered <= 0.05 * np.arange(1, 501) / 500
    assert (false_discovery(p) <= 0.05).sum() == np.flatnonzero(under)[-1] + 1


def test_labels_at_their_edges():
    q = pd.Series([0.01, 0.010001, 0.05, 0.050001, 0.1, 0.100001, 1.0, 0.0, 0.0])
    z = pd.Series([3.0, 3.0, -2.0, -2.0, 2.0, 2.0, -1.0, np.nan, -9.0], name="z")
    labels = significance_labels(z, q)
    assert labels[labels.notna()].tolist() == [
        "hot_99", "hot_95", "cold_95", "cold_90", "hot_90", "not_significant", "not_significant", "cold_99",
    ]  # fmt: skip
    assert labels.isna().tolist() == [False] * 7 + [True, False]
    assert pd.api.types.infer_dtype(labels.dropna()) == "string"
    assert labels.name == "label"


def test_every_label_is_in_the_palette_and_all_are_used():
    z = pd.Series(np.repeat([1.0, -1.0, 1.0], 3))
    q = pd.Series([0.001, 0.03, 0.07] * 2 + [0.5] * 3)
    assert set(significance_labels(z, q)) == set(LABELS)


def test_labels_of_nullable_numbers():
    z = pd.Series([2.0, None], dtype="Float64")
    q = pd.Series([0.001, None], dtype="Float64")
    assert significance_labels(z, q).isna().tolist() == [False, True]


@pytest.mark.parametrize("value", [-0.1, 1.5, 5.0])
def test_refuses_what_is_no_probability(value):
    with pytest.raises(InputError) as caught:
        false_discovery(pd.Series([0.2, value], index=["a", "b"]))
    assert f"1 of 2 p values lie outside 0 to 1 (first: 'b', {value:g})" in str(caught.value)


def test_refuses_labels_of_two_maps():
    with pytest.raises(IndexMismatchError, match="2 z scores and 1 q values"):
        significance_labels(pd.Series([1.0, 2.0]), pd.Series([0.1]))
