"""The best sites: against all there are, and with the exact solver out of time."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gisgrid.access import best_sites
from gisgrid.errors import IndexMismatchError, InputError


def problem(seed, n=25, m=8):
    rng = np.random.default_rng(seed)
    metres = rng.uniform(0, 1000, (n, m))
    near = np.argwhere(metres < 600)
    pairs = pd.DataFrame(
        {"origin": near[:, 0], "facility": near[:, 1], "distance_m": metres[tuple(near.T)]}
    )
    existing = pd.Series(np.where(rng.random(n) < 0.3, rng.uniform(0, 900, n), np.nan))
    return pairs, metres, pd.Series(rng.integers(1, 50, n)), pd.Index(range(m)), existing


def tried_all(metres, people, existing, n_sites, aim):
    limit = 500
    there = existing.fillna(np.inf).to_numpy()
    best = -np.inf
    for sites in combinations(range(metres.shape[1]), n_sites):
        far = np.minimum(np.where(metres < 600, metres, np.inf)[:, sites].min(axis=1), there)
        if aim == "coverage":
            best = max(best, people[far <= limit].sum())
        else:
            best = max(best, -(people * np.minimum(far, limit)).sum() / people.sum())
    return best if aim == "coverage" else -best


@settings(derandomize=True, max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    n_sites=st.integers(1, 3),
    aim=st.sampled_from(["coverage", "p_median"]),
)
def test_nothing_is_better_than_the_exact_sites(seed, n_sites, aim):
    pairs, metres, people, candidates, existing = problem(seed)
    found = best_sites(
        pairs, residents=people, candidates=candidates, n_sites=n_sites, limit_m=500, aim=aim, existing=existing
    )  # fmt: skip
    expected = tried_all(metres, people.to_numpy(), existing, n_sites, aim)
    assert found.value == pytest.approx(expected)
    assert found.method == "exact"
    assert found.gap == pytest.approx(0, abs=1e-6)
    assert len(found.chosen) == n_sites
    column = found.chosen.columns[0]
    assert (found.chosen[column].diff().dropna() <= 1e-6).all()  # the most helpful first
    assert found.chosen.iloc[-1, 1] == pytest.approx(
        found.value - found.before
        if aim == "coverage"
        else (found.before - found.value) * people.sum()
    )


@settings(derandomize=True, max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**31), aim=st.sampled_from(["coverage", "p_median"]))
def test_without_time_the_exchange_comes_close_and_says_so(seed, aim):
    pairs, metres, people, candidates, existing = problem(seed)
    found = best_sites(
        pairs, residents=people, candidates=candidates, n_sites=3, limit_m=500, aim=aim, existing=existing, time_limit_s=0
    )  # fmt: skip
    best = tried_all(metres, people.to_numpy(), existing, 3, aim)
    assert found.method == "exchange"
    assert np.isnan(found.gap)
    if aim == "coverage":
        assert 0.95 * best <= found.value <= best + 1e-9
    else:
        assert best - 1e-9 <= found.value <= best * 1.05


def test_where_nothing_helps_sites_bring_nothing():
    pairs = pd.DataFrame({"origin": [0], "facility": ["a"], "distance_m": [900.0]})
    found = best_sites(
        pairs, residents=pd.Series([5]), candidates=pd.Index(["a", "b"]), n_sites=2, limit_m=300
    )
    assert found.chosen["covers"].tolist() == [0, 0]
    assert found.value == found.before == 0


def test_what_cannot_be_sited_is_refused():
    pairs, _, people, candidates, _ = problem(1)
    asked = {"residents": people, "candidates": candidates, "limit_m": 500}
    with pytest.raises(InputError, match="9 sites are wanted of 8"):
        best_sites(pairs, n_sites=9, **asked)
    with pytest.raises(InputError, match="no aim 'mean'"):
        best_sites(pairs, n_sites=1, aim="mean", **asked)
    with pytest.raises(InputError, match="holds -1"):
        best_sites(pairs, n_sites=1, **(asked | {"residents": -people / people}))
    with pytest.raises(IndexMismatchError, match="give all"):
        best_sites(pairs, n_sites=1, **(asked | {"candidates": candidates[:4]}))
