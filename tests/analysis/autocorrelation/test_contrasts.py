import esda
import numpy as np
import pandas as pd
import pytest

from gisgrid.analysis import local_geary
from gisgrid.errors import InputError, NullResultWarning


@pytest.mark.filterwarnings("ignore")  # esda warns of its own use of libpysal
def test_agrees_with_esda(graph_of, lattice):
    x = np.random.default_rng(3).gamma(0.7, 5, 225)
    rows = graph_of(lattice(15)).transform("R")
    theirs = esda.Geary_Local(connectivity=rows.to_W(), permutations=None).fit(x)
    ours = local_geary(pd.Series(x), rows)
    np.testing.assert_allclose(ours["c"], theirs.localG, rtol=1e-12)


def test_a_sharp_edge_is_found(graph_of, lattice):
    x = np.random.default_rng(1).normal(0, 1, (16, 16))
    x[:, 8:] += 12
    found = local_geary(pd.Series(x.ravel()), graph_of(lattice(16)), permutations=1_999)
    c = found["c"].to_numpy().reshape(16, 16)
    assert c[2:-2, 7:9].min() > 3 * c[2:-2, 2:5].max()


def test_no_answer_is_said(graph_of, lattice):
    with pytest.warns(NullResultWarning, match="every value is the same"):
        found = local_geary(pd.Series(np.ones(16)), graph_of(lattice(4)))
    assert found[["c", "p", "q"]].isna().all(axis=None)
    with pytest.raises(InputError, match="no normal approximation"):
        local_geary(pd.Series(range(16)), graph_of(lattice(4)), permutations=0)
