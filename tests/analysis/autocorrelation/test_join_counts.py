import numpy as np
import pandas as pd
import pytest

from gisgrid.analysis import local_join_counts
from gisgrid.errors import InputError, NullResultWarning


def test_p_is_what_permutations_approach(graph_of, lattice):
    rng = np.random.default_rng(2)
    has, w = rng.uniform(size=49) < 0.3, lattice(7)
    found = local_join_counts(pd.Series(has), graph_of(w), correction="none")
    for i in np.flatnonzero(has)[:6]:
        others, k = np.delete(has, i), int(w[i].sum())
        drawn = np.array([rng.permutation(others)[:k].sum() for _ in range(8_000)])
        joins = int(w[i] @ has)
        assert found["n_joins"][i] == joins
        assert found["p"][i] == pytest.approx((drawn >= joins).mean(), abs=0.025)
    assert found.loc[~has, ["p", "q"]].isna().all(axis=None)


def test_a_planted_group_is_found(graph_of, lattice):
    has = np.zeros((12, 12), bool)
    has[2:5, 2:5] = True
    has[[7, 9, 10], [1, 6, 10]] = True
    found = local_join_counts(pd.Series(has.ravel()), graph_of(lattice(12)))
    q = found["q"].to_numpy().reshape(12, 12)
    assert q[3, 3] < 0.001
    assert q[7, 1] == 1


@pytest.mark.parametrize("flags", [np.zeros(16, bool), np.ones(16, bool)])
def test_no_answer_is_said(graph_of, lattice, flags):
    with pytest.warns(NullResultWarning, match="has the property"):
        found = local_join_counts(pd.Series(flags), graph_of(lattice(4)))
    assert found["p"].isna().all()


def test_counts_are_no_flags(graph_of, lattice):
    with pytest.raises(InputError, match="holds 2; compare first"):
        local_join_counts(pd.Series(np.full(16, 2)), graph_of(lattice(4)))
