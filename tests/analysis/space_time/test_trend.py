import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats

from gisgrid.analysis.space_time.trend import mann_kendall, theil_sen
from gisgrid.errors import InputError, NullResultWarning, SmallSampleWarning

TIED = pd.DataFrame([[1, 2, 2, 3, 3, 3, 4, 2, 5, 5]])


def test_published_figures_with_ties():
    found = mann_kendall(TIED).iloc[0]
    assert found["s"] == 30
    assert found["variance"] == pytest.approx(116.6666667, abs=1e-7)
    assert found["z"] == pytest.approx(2.684878, abs=1e-6)
    assert found["p"] == pytest.approx(0.007256, abs=1e-6)


@pytest.mark.parametrize("steps", [10, 36])
def test_tau_and_slopes_are_those_of_scipy(steps):
    table = pd.DataFrame(np.random.default_rng(1).poisson(3, (300, steps)))
    trends, slopes = mann_kendall(table), theil_sen(table, level=0.9)
    for row in range(0, 300, 7):
        values = table.loc[row].to_numpy()
        assert trends.loc[row, "tau"] == pytest.approx(
            stats.kendalltau(np.arange(steps), values).statistic, abs=1e-12
        )
        expected = stats.theilslopes(values, alpha=0.9)
        assert slopes.loc[row].to_list() == pytest.approx(
            [expected.slope, expected.low_slope, expected.high_slope, expected.intercept]
        )


def test_a_missing_step_is_left_out():
    gaps = TIED.astype(float)
    gaps.insert(4, "gap", np.nan)
    columns = ["s", "variance", "z", "p", "tau", "n_steps"]
    pd.testing.assert_frame_equal(mann_kendall(gaps)[columns], mann_kendall(TIED)[columns])
    assert theil_sen(gaps).notna().all(axis=None)


def test_a_season_is_the_sum_of_its_parts_and_takes_the_season_out():
    rng = np.random.default_rng(2)
    table = pd.DataFrame(rng.poisson(4, (40, 40)))
    parts = [mann_kendall(table.iloc[:, k::4]) for k in range(4)]
    found = mann_kendall(table, season=4)
    np.testing.assert_array_equal(found["s"], sum(part["s"] for part in parts))
    np.testing.assert_allclose(found["variance"], sum(part["variance"] for part in parts))
    swing = 30 * np.sin(np.arange(40) * np.pi / 2)
    rising = pd.DataFrame([swing + 0.2 * np.arange(40)])
    assert mann_kendall(rising)["z"].item() < 3
    assert mann_kendall(rising, season=4)["z"].item() > 8
    assert theil_sen(rising, season=4)["slope"].item() == pytest.approx(0.2)


def test_without_a_trend_five_in_a_hundred_are_called_one():
    table = pd.DataFrame(np.random.default_rng(3).poisson(2, (4000, 24)))
    assert 0.035 < (mann_kendall(table)["p"] < 0.05).mean() < 0.055


@given(
    arrays.arrays(
        np.int64, st.tuples(st.integers(1, 4), st.integers(10, 14)), elements=st.integers(-4, 4)
    )
)
def test_mirrored_values_have_the_mirrored_trend(values):
    values[:, 0] = 9  # never all the same
    found, mirrored = mann_kendall(pd.DataFrame(values)), mann_kendall(pd.DataFrame(-values))
    backwards = mann_kendall(pd.DataFrame(values[:, ::-1]))
    np.testing.assert_array_equal(found["z"], -mirrored["z"])
    np.testing.assert_array_equal(found["s"], -backwards["s"])
    pd.testing.assert_frame_equal(found, mann_kendall(pd.DataFrame(values * 3 + 7)))


def test_nothing_to_tell_is_said():
    with pytest.warns(NullResultWarning, match="1 time steps"):
        found = mann_kendall(pd.DataFrame([[1.0], [2.0]]))
    assert found["z"].isna().all()
    with pytest.warns(NullResultWarning, match="none of 2 units"):
        found = mann_kendall(pd.DataFrame(np.zeros((2, 12))))
    assert found["p"].isna().all()
    with pytest.warns(SmallSampleWarning):
        mann_kendall(pd.DataFrame([[1, 2, 3, 4]]))
    assert mann_kendall(pd.DataFrame(np.empty((0, 12)))).empty
    with pytest.warns(NullResultWarning):
        assert theil_sen(pd.DataFrame([[3.0]])).isna().all(axis=None)
    assert theil_sen(pd.DataFrame([[np.nan] * 12])).isna().all(axis=None)


def test_what_is_no_number_is_refused():
    with pytest.raises(InputError, match="infinite"):
        mann_kendall(pd.DataFrame([[1, np.inf, 2]]))
    with pytest.raises(InputError, match="no number"):
        mann_kendall(pd.DataFrame([["a", "b"]]))
    with pytest.raises(InputError, match="season"):
        mann_kendall(TIED, season=0)
    with pytest.raises(InputError, match="level"):
        theil_sen(TIED, level=1.0)
