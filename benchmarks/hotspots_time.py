"""Space and time: cubes, emerging hot spots, trends, near repeats, rebound, against what people use for them."""

import datetime as dt

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pointpats import Knox as PeerKnox
from scipy import stats
from statsmodels.duration.survfunc import SurvfuncRight
from timing import row, seconds

from gisgrid.analysis import contiguity
from gisgrid.analysis.campaigns.returns import rebound, time_to_next
from gisgrid.analysis.campaigns.survival import kaplan_meier
from gisgrid.analysis.space_time.cube import space_time_cube
from gisgrid.analysis.space_time.emerging import emerging_hotspots
from gisgrid.analysis.space_time.near_repeats import knox, near_repeat
from gisgrid.analysis.space_time.trend import mann_kendall, theil_sen

STEPS = 36
START = pd.Timestamp("2022-11-01", tz="UTC")


def rows():
    return [*cube_rows(), *emerging_rows(), *trend_rows(), *near_rows(), *rebound_rows()]


def cube_rows():
    rng = np.random.default_rng(1)
    times = pd.Series(START + pd.to_timedelta(rng.integers(0, 1095 * 86_400, 1_000_000), unit="s"))
    units = pd.Index([f"{k:06d}" for k in range(5_000)])
    codes = pd.Series(units[rng.integers(0, 5_000, 1_000_000)])

    def ours():
        return space_time_cube(times, codes, units, timezone="Asia/Shanghai")

    def peer():
        month = times.dt.tz_convert("Asia/Shanghai").dt.strftime("%Y-%m")
        return pd.crosstab(codes, month).reindex(units, fill_value=0)

    assert np.array_equal(ours().counts, peer())
    yield row(
        "space-time cube, 1 000 000 reports, 5 000 units, months",
        seconds(ours, times=3),
        seconds(peer, times=1),
        "pandas crosstab",
    )


def emerging_rows():
    side = 316
    y, x = np.divmod(np.arange(side * side), side)
    cells = gpd.GeoDataFrame(
        {"cell": np.arange(side * side)}, geometry=shapely.box(x, y, x + 1, y + 1), crs=4547
    )
    graph = contiguity(cells, key="cell")
    graph.sparse  # noqa: B018  # built once and kept by the graph
    cube = pd.DataFrame(np.random.default_rng(2).poisson(5, (side * side, STEPS)))
    yield row(
        f"emerging hot spots, {side * side} cells, {STEPS} steps",
        seconds(lambda: emerging_hotspots(cube, graph), times=3),
    )


def trend_rows():
    table = pd.DataFrame(np.random.default_rng(3).normal(size=(100_000, STEPS)))
    share = 500
    part = table.iloc[:share].to_numpy()

    def kendall():
        return [stats.kendalltau(np.arange(STEPS), values).statistic for values in part]

    def slopes():
        return [stats.theilslopes(values).slope for values in part]

    assert np.allclose(kendall(), mann_kendall(table.iloc[:share])["tau"])
    assert np.allclose(slopes(), theil_sen(table.iloc[:share])["slope"])
    for name, ours, peer, peer_name in (
        ("Mann-Kendall", mann_kendall, kendall, "scipy kendalltau"),
        ("Theil-Sen with interval", theil_sen, slopes, "scipy theilslopes"),
    ):
        yield row(
            f"{name}, 100 000 units, {STEPS} steps",
            seconds(lambda ours=ours: ours(table), times=3),
            seconds(peer, times=1) * len(table) / share,
            f"{peer_name}, {share} units extrapolated",
        )


def near_rows():
    for n, side in ((2_000, 5_000), (100_000, 25_000)):
        rng = np.random.default_rng(4)
        xy, days = rng.uniform(0, side, (n, 2)), rng.uniform(0, 365, n)
        reports = gpd.GeoDataFrame(
            {"at": START + pd.to_timedelta(days, unit="D")},
            geometry=gpd.points_from_xy(*xy.T),
            crs=4547,
        )
        if n > 2_000:
            yield row(
                f"near repeats, {n} reports, 4 x 4 bands to 400 m and 28 days, 99 permutations",
                seconds(lambda r=reports: near_repeat(r, time="at", permutations=99), times=1),
            )
            continue
        week = dt.timedelta(days=7)

        def ours(r=reports, within=week):
            return knox(r, time="at", radius_m=150, within=within, permutations=99)

        def peer(xy=xy, days=days):
            return PeerKnox(xy, days[:, None], 150, 7, permutations=99)

        assert ours().n_both == peer().statistic_
        yield row(
            f"Knox, {n} reports, 99 permutations",
            seconds(ours),
            seconds(peer, times=1),
            "pointpats Knox",
        )


def rebound_rows():
    rng = np.random.default_rng(5)
    n = 1_000_000
    made = pd.Series(START + pd.to_timedelta(rng.integers(0, 1095 * 86_400, n), unit="s"))
    place = pd.Series(rng.integers(0, 5_000, n))
    until = START + dt.timedelta(days=1095)
    waits = time_to_next(made, place, until=until)
    yield row(
        "time until the next report, 1 000 000 reports, 5 000 places",
        seconds(lambda: time_to_next(made, place, until=until), times=3),
    )
    some = place < 100
    groups = place[some]

    def peer():
        return [
            SurvfuncRight(own["days"], own["is_back"].astype(int)).surv_prob
            for _, own in waits[some].groupby(groups)
        ]

    assert np.allclose(
        np.concatenate(peer()), 1 - kaplan_meier(waits[some], groups)["share_back"], atol=1e-9
    )
    yield row(
        "share back within 7, 30, 90 days with intervals, 5 000 units",
        seconds(lambda: rebound(waits, place), times=3),
        seconds(peer, times=1) * 50,
        "statsmodels SurvfuncRight (curves only), 100 units extrapolated",
    )
