import datetime as dt

import numpy as np
import pandas as pd
import pytest
from statsmodels.duration.survfunc import SurvfuncRight

from gisgrid.analysis.campaigns.returns import rebound, time_to_next
from gisgrid.errors import IndexMismatchError, InputError, NullResultWarning

START, END = pd.Timestamp("2025-01-01", tz="UTC"), pd.Timestamp("2025-12-31", tz="UTC")


def at(*days):
    return pd.Series(START + pd.to_timedelta(np.array(days, dtype=float), unit="D"))


def by_hand(made, place, category, start, end):
    days, back = [], []
    for i in range(len(made)):
        later = [
            made[j] for j in range(len(made))
            if place[j] == place[i] and category[j] == category[i] and made[j] > start[i]
        ]  # fmt: skip
        first = min([*later, end])
        back.append(bool(later) and min(later) <= end)
        days.append(first - start[i])
    return days, back


def test_waits_are_those_found_one_by_one():
    rng = np.random.default_rng(1)
    n = 300
    made, lasts = rng.integers(0, 300, n), rng.integers(0, 20, n)
    place, category = rng.integers(0, 12, n), rng.integers(0, 2, n)
    found = time_to_next(
        at(*made), pd.Series(place).map("p{}".format), until=END,
        settled_at=at(*(made + lasts)), category=pd.Series(category),
    )  # fmt: skip
    days, back = by_hand(made, place, category, made + lasts, 364)
    np.testing.assert_allclose(found["days"], days)
    np.testing.assert_array_equal(found["is_back"], back)


def test_what_is_unknown_is_left_out():
    made = at(0, 5, 9, 500, 20)
    made.iloc[4] = pd.NaT
    place = pd.Series(["a", "a", None, "a", "a"], dtype="str")
    settled = at(1, 6, 9, 501, 21)
    settled.iloc[1] = pd.NaT  # still open
    found = time_to_next(made, place, until=END, settled_at=settled)
    assert found["days"].isna().to_list() == [False, True, True, True, True]
    assert found["days"].iloc[0] == 4.0
    assert found["is_back"].to_list() == [True, False, False, False, False]
    empty = time_to_next(made[:0], place[:0], until=END)
    assert empty.shape == (0, 2)


def test_a_known_hazard_is_recovered_per_group():
    rng = np.random.default_rng(2)
    n = 6_000
    group = pd.Series(np.array(["often", "rarely"])[np.arange(n) % 2])
    back = rng.exponential(np.where(np.arange(n) % 2, 60.0, 10.0))
    end = rng.uniform(20, 200, n)
    waits = pd.DataFrame({"days": np.minimum(back, end), "is_back": back <= end})
    found = rebound(waits, group, within_days=(7, 30))
    for name, mean in (("often", 10.0), ("rarely", 60.0)):
        row = found.loc[name]
        assert row["median_low"] <= mean * np.log(2) * 1.02
        assert row["median_high"] >= mean * np.log(2) * 0.98
        for days in (7, 30):
            assert row[f"share_back_{days}d"] == pytest.approx(1 - np.exp(-days / mean), abs=0.03)
            assert (
                row[f"share_back_{days}d_low"]
                < row[f"share_back_{days}d"]
                < row[f"share_back_{days}d_high"]
            )


def test_medians_are_those_of_statsmodels():
    rng = np.random.default_rng(3)
    back, end = rng.exponential(20, 201), rng.exponential(60, 201)
    waits = pd.DataFrame({"days": np.minimum(back, end), "is_back": back <= end})
    found = rebound(waits).loc["all"]
    peer = SurvfuncRight(waits["days"], waits["is_back"].astype(int))
    with np.errstate(divide="ignore", invalid="ignore"):
        low = peer.quantile_ci(0.5, method="cloglog")[0]
    assert found["median_days"] == peer.quantile(0.5)
    assert found["median_low"] == low


def test_intervals_hold_what_they_promise():
    held = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        back, end = rng.exponential(20, 60), rng.uniform(0, 60, 60)
        waits = pd.DataFrame({"days": np.minimum(back, end), "is_back": back <= end})
        row = rebound(waits, within_days=[15]).loc["all"]
        held += row["share_back_15d_low"] <= 1 - np.exp(-0.75) <= row["share_back_15d_high"]
    assert 180 <= held <= 199


def test_what_nobody_watched_is_missing():
    waits = pd.DataFrame({"days": [3.0, 10.0, 5.0], "is_back": [True, False, True]})
    found = rebound(waits, pd.Series(["a", "a", "b"]), within_days=(1, 10, 30))
    assert found["share_back_1d"].to_list() == [0, 0]
    assert found["share_back_10d"].to_list() == [0.5, 1]
    assert found["share_back_30d"].isna().to_list() == [True, False]  # b: all are back
    assert found["n"].to_list() == [2, 1]
    assert found["median_days"].to_list() == [3, 5]
    with pytest.warns(NullResultWarning, match="no report has a wait"):
        nothing = rebound(waits.assign(days=np.nan))
    assert nothing.loc["all", "n"] == 0
    assert nothing.loc["all"].drop(["n", "n_back"]).isna().all()


def test_order_does_not_matter():
    rng = np.random.default_rng(4)
    made, place = at(*rng.integers(0, 300, 200)), pd.Series(rng.integers(0, 9, 200))
    mixed = rng.permutation(200)
    found = time_to_next(made, place, until=END)
    again = time_to_next(made.iloc[mixed], place.iloc[mixed], until=END)
    pd.testing.assert_frame_equal(again, found.iloc[mixed])
    pd.testing.assert_frame_equal(rebound(again, place.iloc[mixed]), rebound(found, place))


def test_what_cannot_be_meant_is_refused():
    made, place = at(0, 1), pd.Series(["a", "a"])
    with pytest.raises(InputError, match="with a zone"):
        time_to_next(made.dt.tz_localize(None), place, until=END)
    with pytest.raises(InputError, match="no time zone"):
        time_to_next(made, place, until=dt.datetime(2025, 12, 31))  # noqa: DTZ001
    with pytest.raises(IndexMismatchError):
        time_to_next(made, place.iloc[:1], until=END)
    with pytest.raises(InputError, match="above 0"):
        rebound(time_to_next(made, place, until=END), within_days=[0])
