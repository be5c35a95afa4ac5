import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from gisgrid.analysis import compare_zones
from gisgrid.errors import ColumnError, IndexMismatchError, InputError, NullResultWarning

ZONES = np.array(["rest", "fringe", "urban_village"])


def city(seed, *, ratio, spread=0.0, units=120):
    """Units of three zones with a known rate ratio and, beyond chance, spread among themselves."""
    rng = np.random.default_rng(seed)
    zone = rng.integers(0, 3, units)
    residents = rng.lognormal(7, 0.6, units).round()
    rate = 0.01 * np.asarray(ratio)[zone]
    if spread:
        rate = rate * rng.gamma(1 / spread, spread, units)
    counts = rng.poisson(residents * rate)
    return pd.Series(counts), pd.Series(residents), pd.Series(ZONES[zone])


def test_ratio_and_error_are_those_of_a_poisson_model_with_a_sandwich():
    y, n, zone = city(1, ratio=[1, 1.5, 3], spread=0.2)
    found = compare_zones(y, n, zone, reference="rest", per=1_000)
    x = sm.add_constant(pd.get_dummies(zone)[["fringe", "urban_village"]].astype(float))
    model = sm.GLM(y, x, family=sm.families.Poisson(), offset=np.log(n)).fit(cov_type="HC0")
    m = zone.value_counts()
    for name in ("fringe", "urban_village"):
        assert np.log(found.loc[name, "ratio"]) == pytest.approx(model.params[name], abs=1e-8)
        half = np.log(found.loc[name, "high"] / found.loc[name, "ratio"])
        small = m.min() / (m.min() - 1)  # the sandwich of few units, and t rather than normal
        assert 1.96 <= half / model.bse[name] <= 2.06 * small


@pytest.mark.parametrize("spread", [0.0, 0.3])
def test_intervals_hold_what_they_promise(spread):
    held = rejected = 0
    for seed in range(100):
        y, n, zone = city(seed, ratio=[1, 1, 2], spread=spread, units=90)
        found = compare_zones(y, n, zone, reference="rest")
        held += found.loc["urban_village", "low"] <= 2 <= found.loc["urban_village", "high"]
        rejected += found.loc["fringe", "p"] < 0.05
    assert held >= 90
    assert rejected <= 11


def test_like_is_compared_with_like():
    rng = np.random.default_rng(3)
    old = pd.Series(rng.uniform(size=600) < np.repeat([0.2, 0.8], 300))
    zone = pd.Series(np.repeat(["rest", "urban_village"], 300))
    residents = pd.Series(np.full(600, 500.0))
    counts = pd.Series(rng.poisson(residents * np.where(old, 0.04, 0.01)))
    raw = compare_zones(counts, residents, zone, reference="rest")
    alike = compare_zones(counts, residents, zone, reference="rest", strata=old)
    assert raw.loc["urban_village", "low"] > 1.5
    assert alike.loc["urban_village", "low"] < 1 < alike.loc["urban_village", "high"]


def test_counts_and_residents_add_up():
    y, n, zone = city(5, ratio=[1, 2, 3])
    found = compare_zones(y, n, zone, reference="rest", per=1_000)
    assert found["n"].sum() == y.sum()
    assert found["denominator"].sum() == n.sum()
    assert list(found.index) == ["rest", "fringe", "urban_village"]
    assert found.loc["rest", ["ratio", "low", "high"]].to_list() == [1, 1, 1]


def test_a_zone_without_a_report_has_no_ratio():
    y, n, zone = pd.Series([5, 3, 0, 0]), pd.Series([9.0] * 4), pd.Series(list("aabb"))
    with pytest.warns(NullResultWarning, match=r"1 of 2 zones have no issue \(first: 'b'\)"):
        found = compare_zones(y, n, zone, reference="a")
    assert found.loc["b", "rate"] == 0
    assert found.loc["b", ["ratio", "low", "high", "p"]].isna().all()


def test_what_cannot_be_compared_is_refused():
    y, n, zone = city(5, ratio=[1, 2, 3])
    with pytest.raises(ColumnError, match="reference 'centre'; there are: fringe, rest"):
        compare_zones(y, n, zone, reference="centre")
    with pytest.raises(IndexMismatchError):
        compare_zones(y, n, zone.iloc[1:], reference="rest")
    with pytest.raises(InputError, match="level 95"):
        compare_zones(y, n, zone, reference="rest", level=95)
    with pytest.raises(InputError, match="coarser strata"):
        compare_zones(y, n, zone, reference="rest", strata=zone)
