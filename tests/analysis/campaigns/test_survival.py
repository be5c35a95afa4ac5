import numpy as np
import pandas as pd
import pytest
from statsmodels.duration.survfunc import SurvfuncRight, survdiff

from gisgrid.analysis.campaigns.survival import kaplan_meier, log_rank
from gisgrid.errors import IndexMismatchError, InputError, NullResultWarning


def watched(n=300, seed=1, groups=3, speed=0.5):
    """Waits in whole days, so that many are the same; later groups are slower."""
    rng = np.random.default_rng(seed)
    code = rng.integers(0, groups, n)
    back, end = np.ceil(rng.exponential(20 * (1 + speed * code))), np.ceil(rng.exponential(60, n))
    waits = pd.DataFrame({"days": np.minimum(back, end), "is_back": back <= end})
    return waits, pd.Series(np.array(["x", "y", "z"])[code])


def test_curves_and_errors_are_those_of_statsmodels():
    waits, groups = watched()
    found = kaplan_meier(waits, groups)
    for name, own in waits.groupby(groups):
        peer = SurvfuncRight(own["days"], own["is_back"].astype(int))
        curve = found[found["group"] == name]
        np.testing.assert_array_equal(curve["days"], peer.surv_times)
        np.testing.assert_array_equal(curve["n_at_risk"], peer.n_risk)
        np.testing.assert_allclose(curve["share_back"], 1 - peer.surv_prob, atol=1e-12)
        sure = curve["std_error"].notna().to_numpy()
        np.testing.assert_allclose(curve["std_error"][sure], peer.surv_prob_se[sure], atol=1e-12)
        inside = (curve["low"] < curve["share_back"]) & (curve["share_back"] < curve["high"])
        assert inside[sure].all()


def test_the_interval_is_that_of_the_log_log_scale():
    curve = kaplan_meier(watched()[0], level=0.9)
    s = 1 - curve["share_back"]
    reach = 1.6448536269514722 * curve["std_error"] / (s * abs(np.log(s)))
    np.testing.assert_allclose(curve["low"], 1 - np.exp(np.log(s) * np.exp(-reach)))
    np.testing.assert_allclose(curve["high"], 1 - np.exp(np.log(s) * np.exp(reach)))


@pytest.mark.parametrize("groups", [2, 3])
def test_log_rank_is_that_of_statsmodels(groups):
    waits, names = watched(groups=groups)
    found = log_rank(waits, names)
    statistic, p = survdiff(waits["days"], waits["is_back"].astype(int), names)
    assert found.statistic == pytest.approx(statistic)
    assert found.p == pytest.approx(p)
    assert found.n_degrees == groups - 1


def test_log_rank_of_equal_groups_is_even():
    p = [log_rank(*watched(120, seed, speed=0.0)).p for seed in range(300)]
    assert np.mean(np.array(p) < 0.05) < 0.09
    assert log_rank(*watched(600, 1, speed=1.0)).p < 1e-6


def test_nothing_back_is_said():
    waits, groups = watched()
    quiet = waits.assign(is_back=False)
    assert kaplan_meier(quiet, groups).empty
    with pytest.warns(NullResultWarning, match="nothing came back"):
        assert np.isnan(log_rank(quiet, groups).p)
    with pytest.warns(NullResultWarning, match="no report has a wait"):
        assert kaplan_meier(waits.assign(days=np.nan)).empty


def test_what_cannot_be_meant_is_refused():
    waits, groups = watched()
    with pytest.raises(IndexMismatchError):
        kaplan_meier(waits, groups.iloc[1:])
    with pytest.raises(InputError, match="does not exist"):
        kaplan_meier(waits.assign(days=-1.0))
    with pytest.raises(InputError, match="level"):
        kaplan_meier(waits, level=1)
    with pytest.raises(InputError, match="two groups"):
        log_rank(waits, groups.where(groups == "x"))
