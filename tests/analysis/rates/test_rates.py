import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gisgrid.analysis import excess, rate
from gisgrid.errors import IndexMismatchError, InputError

COUNTS = pd.Series([6, 2, 0, 5], index=list("abcd"), dtype="Int64")
RESIDENTS = pd.Series([2000, 0, 500, None], index=list("abcd"), dtype="Int64")


def test_a_rate_is_missing_where_nobody_lives():
    result = rate(COUNTS, RESIDENTS, per=1000)
    assert result.index.equals(COUNTS.index)
    assert result.dtype == float
    np.testing.assert_array_equal(result, [3.0, np.nan, 0.0, np.nan])


def test_missing_counts_stay_missing():
    counts = COUNTS.copy()
    counts["a"] = pd.NA
    assert np.isnan(rate(counts, RESIDENTS)["a"])
    assert np.isnan(excess(counts, RESIDENTS)["a"])


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**7)), max_size=30))
def test_rates_are_finite_or_missing_and_give_the_counts_back(pairs):
    counts = pd.Series([a for a, _ in pairs], dtype=float)
    below = pd.Series([b for _, b in pairs], dtype=float)
    result = rate(counts, below, per=1000)
    assert not np.isinf(result).any()
    assert (result.isna() == (below == 0)).all()
    np.testing.assert_allclose((result * below / 1000)[below > 0], counts[below > 0])


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(1, 10**5)), min_size=1, max_size=30))
def test_the_excess_balances_and_does_not_know_the_unit_of_the_denominator(pairs):
    counts = pd.Series([a for a, _ in pairs])
    below = pd.Series([b for _, b in pairs])
    result = excess(counts, below)
    if counts.sum() == 0:
        assert result.isna().all()
        return
    np.testing.assert_allclose(result, excess(counts, below / 1000), rtol=1e-9, atol=1e-9)
    expected = below * counts.sum() / below.sum()
    assert abs((result * np.sqrt(expected)).sum()) < 1e-6 * counts.sum()


def test_the_excess_of_equal_rates_is_nothing():
    counts, below = pd.Series([2, 20, 200]), pd.Series([1, 10, 100])
    np.testing.assert_allclose(excess(counts, below), 0, atol=1e-12)


def test_the_excess_varies_alike_in_small_and_large_units():
    rng = np.random.default_rng(4)
    below = pd.Series(np.repeat([10.0, 1000.0], 5000))
    counts = pd.Series(rng.poisson(below))
    spread = excess(counts, below).groupby(below).std()
    np.testing.assert_allclose(spread, 1, atol=0.05)


def test_a_unit_without_residents_is_in_neither_sum():
    counts = pd.Series([3, 5, 900])
    below = pd.Series([10, 10, 0])
    np.testing.assert_allclose(excess(counts, below)[:2], [-0.5, 0.5])


@pytest.mark.parametrize(
    ("act", "error", "says"),
    [
        (lambda: rate(COUNTS, RESIDENTS, per=0), InputError, "a rate per 0 has no meaning"),
        (lambda: rate(COUNTS, RESIDENTS.iloc[:3]), IndexMismatchError, "4 counts and 3 denominators are not indexed alike"),
        (lambda: rate(COUNTS, RESIDENTS.iloc[::-1]), IndexMismatchError, "align them first"),
        (lambda: rate(COUNTS, -RESIDENTS), InputError, "2 of 4 denominators are negative (first: 'a', -2000)"),
        (lambda: excess(COUNTS, -RESIDENTS), InputError, "2 of 4 denominators are negative (first: 'a', -2000)"),
    ],
)  # fmt: skip
def test_refuses_in_one_sentence(act, error, says):
    with pytest.raises(error) as caught:
        act()
    assert says in str(caught.value)
