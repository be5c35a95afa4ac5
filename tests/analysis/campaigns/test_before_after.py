import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from gisgrid.analysis.campaigns.before_after import campaign_effect
from gisgrid.analysis.campaigns.controls import matched_controls
from gisgrid.errors import (
    ColumnError,
    IndexMismatchError,
    InputError,
    NullResultWarning,
    SmallSampleWarning,
)


def city(seed, *, effect=1.0, spread=0.0, n=80, steps=12, treated=None, drift=0.0):
    """Units of unequal levels; the city moves by 1.3 after step 6; units also move by themselves."""
    rng = np.random.default_rng(seed)
    mean = np.repeat(rng.gamma(3, 3, n)[:, None], steps, axis=1)
    if spread:
        own = rng.gamma(1 / spread, spread, (n, 2))
        mean[:, :6] *= own[:, :1]
        mean[:, 6:] *= own[:, 1:]
    mean[:, 6:] *= 1.3
    campaign = np.arange(n) < (n // 2 if treated is None else treated)
    mean[campaign, 6:] *= effect
    mean[campaign] *= np.exp(drift * np.arange(steps))
    return pd.DataFrame(rng.poisson(mean)), pd.Series(campaign)


def designed(cube, treated):
    y = np.r_[cube.iloc[:, :6].sum(axis=1), cube.iloc[:, 6:].sum(axis=1)]
    who, after = np.tile(treated.astype(float), 2), np.repeat([0.0, 1.0], len(cube))
    groups = {"groups": np.tile(np.arange(len(cube)), 2), "use_correction": False}
    return y, np.c_[np.ones(len(y)), who, after, who * after], groups


def test_ratio_and_error_are_those_of_a_clustered_poisson_model():
    cube, treated = city(1, effect=0.7, spread=0.3)
    y, x, groups = designed(cube, treated)
    model = sm.GLM(y, x, family=sm.families.Poisson()).fit(cov_type="cluster", cov_kwds=groups)
    found = campaign_effect(cube, treated, first_after=6, placebos=0)
    assert np.log(found.ratio) == pytest.approx(model.params[3], abs=1e-8)
    half = np.log(found.high / found.ratio)
    assert half / model.bse[3] == pytest.approx(1.99 * np.sqrt(40 / 39), abs=0.02)  # t, few units


def test_difference_and_error_are_those_of_a_clustered_linear_model():
    cube, treated = city(2, spread=0.3)
    y, x, groups = designed(cube, treated)
    model = sm.OLS(y / 6, x).fit(cov_type="cluster", cov_kwds=groups)
    found = campaign_effect(cube, treated, first_after=6, placebos=0)
    assert found.difference == pytest.approx(model.params[3])
    half = (found.difference_high - found.difference_low) / 2
    assert half / model.bse[3] == pytest.approx(1.99 * np.sqrt(40 / 39), abs=0.02)


@pytest.mark.parametrize("spread", [0.0, 0.3])
def test_intervals_hold_what_they_promise(spread):
    held = difference = rejected = placebo = pretrend = 0
    for seed in range(200):
        cube, treated = city(seed, effect=0.7, spread=spread, n=60)
        found = campaign_effect(cube, treated, first_after=6, placebos=0)
        held += found.low <= 0.7 <= found.high
        cube, treated = city(seed + 1_000, spread=spread, n=60)
        found = campaign_effect(cube, treated, first_after=6, placebos=0)
        rejected += found.p < 0.05
        difference += found.difference_low <= 0 <= found.difference_high
        placebo += found.placebo_p < 0.05
        pretrend += found.pretrend_p < 0.05
    assert 181 <= held <= 200
    assert difference >= 181
    assert max(rejected, placebo, pretrend) <= 19


def test_chance_alone_gives_even_p_and_a_real_effect_a_small_one():
    p = []
    for seed in range(60):
        cube, treated = city(seed, treated=15, spread=0.2)
        p.append(campaign_effect(cube, treated, first_after=6, placebos=99, seed=seed).chance_p)
    assert 0.3 < np.mean(p) < 0.7
    cube, treated = city(3, treated=15, effect=0.5)
    found = campaign_effect(cube, treated, first_after=6, placebos=199)
    assert found.chance_p == 0.005
    again = campaign_effect(cube, treated, first_after=6, placebos=199, seed=1)
    assert again.ratio == found.ratio
    assert found.n_averted == pytest.approx(
        cube.iloc[:15, :6].to_numpy().sum() * 1.3 * 0.5, rel=0.2
    )


def test_groups_that_drifted_apart_before_are_noticed():
    cube, treated = city(4, drift=-0.08)
    found = campaign_effect(cube, treated, first_after=6, placebos=0)
    assert found.pretrend_p < 0.001
    assert found.pretrend == pytest.approx(np.exp(-0.08), abs=0.02)
    assert found.placebo < 1
    assert found.placebo_p < 0.01


def test_matched_controls_undo_a_choice_by_size():
    rng = np.random.default_rng(5)
    level = np.r_[np.full(20, 40.0), rng.gamma(2, 10, 180)]
    seasonal = np.where(level > 25, 0.6, 1.2)  # large places calm down by themselves
    counts = rng.poisson(
        level[:, None] * np.r_[np.ones(6), np.zeros(6)]
        + (level * seasonal)[:, None] * np.r_[np.zeros(6), np.ones(6)]
    )
    cube, treated = pd.DataFrame(counts), pd.Series(np.arange(200) < 20)
    matches = matched_controls(cube.iloc[:, :6], treated)
    raw = campaign_effect(cube, treated, first_after=6, placebos=0)
    fair = campaign_effect(cube, treated, first_after=6, matches=matches, placebos=0)
    assert raw.high < 0.9
    assert fair.low < 1 < fair.high
    assert fair.n_controls == matches["control"].nunique()
    weighted = matches.groupby("control").size() / 3
    expected = weighted @ cube.loc[weighted.index] / weighted.sum()
    np.testing.assert_allclose(fair.course["controls"], expected)


def test_order_does_not_matter_and_a_gap_leaves_its_unit_out():
    cube, treated = city(6)
    mixed = np.random.default_rng(0).permutation(len(cube))
    found = campaign_effect(cube, treated, first_after=6, placebos=0)
    again = campaign_effect(cube.iloc[mixed], treated.iloc[mixed], first_after=6, placebos=0)
    assert again.ratio == pytest.approx(found.ratio)
    assert again.low == pytest.approx(found.low)
    gaps = cube.astype(float)
    gaps.iloc[3, 2] = np.nan
    less = campaign_effect(gaps, treated, first_after=6, placebos=0)
    without = campaign_effect(cube.drop(index=3), treated.drop(index=3), first_after=6, placebos=0)
    assert less.ratio == pytest.approx(without.ratio)
    assert less.n_treated == 39


def test_too_little_is_said():
    cube, treated = city(7, treated=1)
    with pytest.warns(SmallSampleWarning, match="1 treated"):
        found = campaign_effect(cube, treated, first_after=6, placebos=19)
    assert found.low < found.ratio < found.high
    cube, treated = city(8)
    with pytest.warns(NullResultWarning, match="no report in a period"):
        found = campaign_effect(cube * 0, treated, first_after=6)
    assert np.isnan([found.ratio, found.p, found.pretrend_p, found.n_averted]).all()
    short = campaign_effect(cube.iloc[:, 5:7], treated, first_after=1, placebos=0)
    assert np.isnan([short.pretrend, short.placebo]).all()


def test_what_cannot_be_meant_is_refused():
    cube, treated = city(9)
    for first_after in (0, 12):
        with pytest.raises(InputError, match="no time before or after"):
            campaign_effect(cube, treated, first_after=first_after)
    with pytest.raises(InputError, match="no treated"):
        campaign_effect(cube, treated & False, first_after=6)
    with pytest.raises(InputError, match="negative"):
        campaign_effect(-cube, treated, first_after=6)
    with pytest.raises(IndexMismatchError):
        campaign_effect(cube, treated.iloc[1:], first_after=6)
    with pytest.raises(InputError, match="placebos"):
        campaign_effect(cube, treated, first_after=6, placebos=-1)
    with pytest.raises(InputError, match="level"):
        campaign_effect(cube, treated, first_after=6, level=0)
    matches = matched_controls(cube.iloc[:, :6], treated)
    with pytest.raises(ColumnError, match="no column 'control'"):
        campaign_effect(cube, treated, first_after=6, matches=matches[["treated"]])
    with pytest.raises(ColumnError, match="no counts"):
        campaign_effect(cube, treated, first_after=6, matches=matches.assign(control="x"))
    with pytest.raises(InputError, match="match anew"):
        campaign_effect(cube, ~treated, first_after=6, matches=matches)
