"""The model of counts against statsmodels."""

import numpy as np
import pandas as pd
import pytest

from gisgrid.casework.questions import poisson_fit
from gisgrid.errors import IndexMismatchError, InputError


@pytest.mark.parametrize("seed", range(4))
def test_it_is_the_poisson_regression_of_statsmodels(seed):
    sm = pytest.importorskip("statsmodels.api")
    rng = np.random.default_rng(seed)
    n = 200
    design = pd.DataFrame(
        {"one": 1.0, "zone": rng.integers(0, 2, n).astype(float), "x": rng.normal(0, 1, n)}
    )
    people = pd.Series(rng.uniform(10, 1000, n))
    counts = pd.Series(
        rng.poisson(
            people * np.exp(-4 + 0.5 * design["zone"] - 0.8 * design["x"]) * rng.gamma(3, 1 / 3, n)
        )
    )
    found = poisson_fit(counts, design, exposure=people)
    other = sm.GLM(counts, design, family=sm.families.Poisson(), exposure=people).fit(scale="X2")
    assert found.coefficients.to_numpy() == pytest.approx(
        other.params.to_numpy(), rel=1e-6, abs=1e-8
    )
    assert found.errors.to_numpy() == pytest.approx(other.bse.to_numpy(), rel=1e-5)
    assert found.expected.to_numpy() == pytest.approx(
        other.mu if isinstance(other.mu, np.ndarray) else other.mu.to_numpy(), rel=1e-6
    )
    assert found.dispersion == pytest.approx(other.pearson_chi2 / other.df_resid, rel=1e-6)
    assert found.deviance == pytest.approx(other.deviance, rel=1e-6)


def test_row_order_does_not_matter_and_totals_agree():
    rng = np.random.default_rng(1)
    design = pd.DataFrame({"one": 1.0, "x": rng.normal(0, 1, 50)})
    counts = pd.Series(rng.poisson(4, 50))
    order = rng.permutation(50)
    found, other = poisson_fit(counts, design), poisson_fit(counts.iloc[order], design.iloc[order])
    assert found.coefficients.to_numpy() == pytest.approx(other.coefficients.to_numpy())
    assert found.expected.sum() == pytest.approx(counts.sum())


def test_what_cannot_be_modelled_is_said():
    design = pd.DataFrame({"one": 1.0, "x": [0.0, 1, 0, 1]})
    counts = pd.Series([1, 2, 3, 4])
    with pytest.raises(IndexMismatchError):
        poisson_fit(counts.set_axis(list("abcd")), design)
    with pytest.raises(InputError, match="say only 2 things"):
        poisson_fit(counts, design.assign(y=1 - design["x"]))
    with pytest.raises(InputError, match="first: 2"):
        poisson_fit(counts.astype(float).where(counts != 3), design)
    with pytest.raises(InputError, match="no exposure"):
        poisson_fit(counts, design, exposure=pd.Series([1.0, 0, 1, 1]))
    with pytest.raises(InputError, match="0 counts"):
        poisson_fit(counts * 0, design)
