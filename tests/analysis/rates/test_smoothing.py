import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from esda import smoothing

from gisgrid.analysis import empirical_bayes, smoothed_rate
from gisgrid.errors import InputError


@pytest.fixture(scope="module")
def counted():
    rng = np.random.default_rng(6)
    residents = rng.lognormal(6, 1.2, 100).round()
    return pd.Series(rng.poisson(residents * rng.gamma(5, 0.002, 100))), pd.Series(residents)


def marshall(y, n):
    """Marshall's estimator by loops."""
    r, m = y / n, y.sum() / n.sum()
    a = max(0.0, (n * (r - m) ** 2).sum() / n.sum() - m / n.mean())
    return m, a, m + (r - m) * (a / (a + m / n) if a else 0.0)


def test_all_units_are_drawn_to_the_city(counted):
    y, n = counted
    found = empirical_bayes(y, n, per=1_000)
    np.testing.assert_allclose(found, 1_000 * marshall(y, n)[2], rtol=1e-12)
    raw, mean = 1_000 * y / n, 1_000 * y.sum() / n.sum()
    assert ((found - mean).abs() <= (raw - mean).abs() + 1e-9).all()


def test_or_to_their_neighbours(counted, graph_of, lattice):
    y, n = counted
    w = lattice(10)
    found = empirical_bayes(y, n, graph=graph_of(w))
    for i in range(100):
        near = np.flatnonzero(w[i] + (np.arange(100) == i))
        m, a, _ = marshall(y[near], n[near])
        own = y[i] / n[i]
        assert found[i] == pytest.approx(m + (own - m) * (a / (a + m / n[i]) if a else 0.0))


@pytest.mark.data
def test_the_north_carolina_figures_of_spdep(shared_data):
    counties = gpd.read_file(shared_data / "hotspot-ref" / "sids2_nc.gpkg").set_index("FIPSNO")
    expected = pd.read_csv(shared_data / "hotspot-ref" / "sids74_EBest.csv").set_index("FIPSNO")
    found = empirical_bayes(counties["SID74"], counties["BIR74"])
    np.testing.assert_allclose(found[expected.index], expected["estmm"], rtol=1e-9)


def test_smoothed_rates_are_esda_s(counted, graph_of, lattice):
    y, n = counted
    w = lattice(10) + np.eye(100)
    theirs = (w @ y) / (w @ n)
    np.testing.assert_allclose(smoothed_rate(y, n, graph_of(lattice(10))), theirs, rtol=1e-12)
    weights = graph_of(lattice(10)).to_W()
    order = [weights.id_order.index(i) for i in range(100)]
    assert smoothing.Spatial_Rate(
        y.to_numpy()[weights.id_order], n.to_numpy()[weights.id_order], weights
    ).r.ravel()[order] == pytest.approx(theirs)


def test_nobody_there_has_no_rate_and_draws_nobody(counted, graph_of, lattice):
    y, n = counted
    n = n.copy()
    n[[3, 50]] = [0, np.nan]
    for found in (
        empirical_bayes(y, n),
        empirical_bayes(y, n, graph=graph_of(lattice(10))),
        smoothed_rate(y, n, graph_of(lattice(10))),
    ):
        assert list(found.index[found.isna()]) == [3, 50]
    kept = n.notna() & (n > 0)
    pd.testing.assert_series_equal(empirical_bayes(y, n)[kept], empirical_bayes(y[kept], n[kept]))


def test_equal_rates_stay(counted):
    n = counted[1]
    np.testing.assert_allclose(empirical_bayes(n * 0.02, n), 0.02)
    np.testing.assert_allclose(empirical_bayes(n * 0, n), 0)


def test_negative_counts_are_refused(counted):
    y, n = counted
    with pytest.raises(InputError, match="1 of 100 counts are negative"):
        empirical_bayes(y.where(y.index != 5, -1), n)
