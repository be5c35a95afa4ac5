import datetime as dt
import sys

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from pointpats import Knox as PeerKnox

from gisgrid.analysis.space_time.near_repeats import knox, near_repeat
from gisgrid.errors import CrsError, InputError, NullResultWarning

WEEK = dt.timedelta(days=7)


def frame(x, y, days, crs=4547):
    when = pd.Timestamp("2024-01-01", tz="UTC") + pd.to_timedelta(days, unit="D")
    return gpd.GeoDataFrame({"at": when}, geometry=gpd.points_from_xy(x, y), crs=crs)


def strewn(n=400, seed=1):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 2_000, n), rng.integers(0, 2_000, n), rng.integers(0, 200, n)


def with_repeats(n=150, seed=2):
    """Every report comes again within 80 m and three days."""
    rng = np.random.default_rng(seed)
    x, y, days = rng.uniform(0, 9_000, n), rng.uniform(0, 9_000, n), rng.uniform(0, 300, n)
    again = x + rng.uniform(-50, 50, n), y + rng.uniform(-50, 50, n), days + rng.uniform(0, 3, n)
    return tuple(np.r_[first, second] for first, second in zip((x, y, days), again, strict=True))


def test_the_table_is_that_of_pointpats():
    x, y, days = strewn()
    ours = knox(frame(x, y, days), time="at", radius_m=150, within=WEEK, permutations=199)
    peer = PeerKnox(np.c_[x, y].astype(float), days[:, None].astype(float), 150, 7, permutations=0)
    assert ours.n_both == peer.statistic_
    assert ours.n_near == peer.observed[0].sum()
    assert ours.n_soon == peer.observed[:, 0].sum()
    assert ours.expected == pytest.approx(peer.expected[0, 0])
    assert 0.05 < ours.p < 0.95


def test_bands_add_up_to_knox():
    report = frame(*strewn())
    bands = near_repeat(
        report, time="at", bands_m=(0, 100, 250), bands_days=(0, 7, 30), permutations=19
    )
    whole = knox(report, time="at", radius_m=250, within=dt.timedelta(days=30), permutations=19)
    assert bands["n_pairs"].sum() == whole.n_both
    assert bands["expected"].sum() == pytest.approx(whole.expected)
    week = bands[bands["to_m"].le(100) & bands["to_days"].le(7)]
    assert (
        week["n_pairs"].sum()
        == knox(report, time="at", radius_m=100, within=WEEK, permutations=19).n_both
    )


def test_planted_repeats_are_found_in_their_band_only():
    found = near_repeat(
        frame(*with_repeats()), time="at", bands_m=(100, 400), bands_days=(3, 14), permutations=199
    )
    assert found["p"].iloc[0] == 0.005
    assert found["ratio"].iloc[0] > 20
    assert (found["p"].iloc[1:] > 0.01).all()


def test_without_repeats_p_is_even():
    p = [
        knox(
            frame(*strewn(60, seed)),
            time="at",
            radius_m=200,
            within=WEEK,
            permutations=39,
            seed=seed,
        ).p
        for seed in range(120)
    ]
    assert 0.02 <= np.mean(np.array(p) <= 0.1) <= 0.2


def test_same_seed_same_answer_whatever_the_order_and_the_origin():
    x, y, days = with_repeats()
    report = frame(x, y, days)
    first = near_repeat(report, time="at", permutations=99, seed=4)
    mixed = report.iloc[np.random.default_rng(0).permutation(len(report))]
    pd.testing.assert_frame_equal(near_repeat(mixed, time="at", permutations=99, seed=4), first)
    other = near_repeat(report, time="at", permutations=99, seed=5)
    pd.testing.assert_frame_equal(other.drop(columns="p"), first.drop(columns="p"))


def test_reports_without_time_or_place_are_left_out():
    report = frame(*strewn(50))
    gaps = pd.concat(
        [report, report.iloc[:2].assign(at=pd.NaT), report.iloc[:1].set_geometry([None], crs=4547)]
    )
    kept = knox(
        gaps.astype({"at": report["at"].dtype}),
        time="at",
        radius_m=150,
        within=WEEK,
        permutations=19,
    )
    assert kept == knox(report, time="at", radius_m=150, within=WEEK, permutations=19)


@pytest.mark.parametrize("n", [0, 1, 5])
def test_nothing_near_is_said(n):
    report = frame(np.arange(n) * 9_000.0, np.zeros(n), np.arange(n))
    with pytest.warns(NullResultWarning, match="nothing can repeat"):
        found = knox(report, time="at", radius_m=100, within=WEEK)
    assert np.isnan(found.p)
    assert np.isnan(found.ratio)
    assert found.n_both == 0


def test_what_cannot_be_meant_is_refused():
    report = frame(*strewn(20))
    with pytest.raises(CrsError, match="metres"):
        knox(report.set_crs(4490, allow_override=True), time="at", radius_m=100, within=WEEK)
    with pytest.raises(InputError, match="no column of times"):
        knox(report, time="when", radius_m=100, within=WEEK)
    with pytest.raises(InputError, match="distance must rise"):
        near_repeat(report, time="at", bands_m=(200, 100))
    with pytest.raises(InputError, match="time must rise"):
        knox(report, time="at", radius_m=100, within=-WEEK)
    with pytest.raises(InputError, match="permutations"):
        knox(report, time="at", radius_m=100, within=WEEK, permutations=3)


def test_more_pairs_than_memory_holds_are_refused(monkeypatch):
    monkeypatch.setattr(sys.modules["gisgrid.analysis.space_time.near_repeats"], "_MOST_PAIRS", 10)
    with pytest.raises(InputError, match="too many to hold"):
        knox(frame(*strewn(200)), time="at", radius_m=500, within=WEEK)
