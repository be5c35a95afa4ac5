import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from gisgrid.analysis.scans import search as scan_search
from gisgrid.analysis.scans.kernels import log_likelihood_ratio
from gisgrid.analysis.scans.search import chance_p, gumbel_p
from gisgrid.analysis.scans.spatial import poisson, scan
from gisgrid.analysis.scans.windows import Window
from gisgrid.errors import (
    CrsError,
    IndexMismatchError,
    InputError,
    NullResultWarning,
    SmallSampleWarning,
)

EAST, NORTH = 500_000.0, 3_900_000.0


def town(n, seed, *, mean=4.0):
    """Units scattered at random, west to east, with a population and cases that follow it."""
    rng = np.random.default_rng(seed)
    xy = rng.uniform(0, 5_000, (n, 2))
    xy = xy[np.lexsort((xy[:, 1], xy[:, 0]))] + [EAST, NORTH]
    names = pd.Index([f"u{i:03d}" for i in range(n)])
    people = pd.Series(rng.integers(200, 3_000, n), index=names)
    cases = pd.Series(rng.poisson(mean * people / people.mean()), index=names)
    return (
        cases,
        people,
        gpd.GeoDataFrame(geometry=gpd.points_from_xy(*xy.T), index=names, crs=4547),
    )


def ratio_poisson(c, e, total):
    with np.errstate(divide="ignore", invalid="ignore"):
        return special.xlogy(c, c / e) + special.xlogy(total - c, (total - c) / (total - e))


def ratio_bernoulli(c, n, total, people):
    """From the likelihoods themselves."""

    def best(k, m):
        return special.xlogy(k, k / m) + special.xlogy(m - k, (m - k) / m)

    return best(c, n) + best(total - c, people - n) - best(total, people)


def all_windows(xy, weight, window):
    """Every window there is, by the book: (centre, units, axis ratio, degrees)."""
    for ratio, many in zip((1.0, *window.axis_ratios), (1, *window.directions), strict=True):
        if ratio > 1 and window.shape == "circle":
            continue
        for direction in range(many):
            turn = np.pi * direction / many
            for centre in range(len(xy)):
                d = xy - xy[centre]
                along = d @ [np.cos(turn), np.sin(turn)]
                across = d @ [-np.sin(turn), np.cos(turn)]
                far = np.hypot(along / ratio, across)
                order = np.argsort(far, kind="stable")
                limit = np.inf if window.max_radius_m is None else window.max_radius_m / ratio
                fits = (np.cumsum(weight[order]) <= window.max_share * weight.sum()) & (
                    far[order] <= limit
                )
                for m in range(1, int(fits.argmin() if not fits.all() else len(fits)) + 1):
                    yield centre, order[:m], ratio, direction


def by_hand(cases, people, xy, window, model="poisson"):
    """The best statistic of all windows."""
    total, everyone, best = cases.sum(), people.sum(), 0.0
    for _, inside, ratio, _ in all_windows(xy, people, window):
        c, e = cases[inside].sum(), people[inside].sum() * total / everyone
        high = window.rates != "low" and c > e + 1e-9 and c >= window.min_cases
        low = window.rates != "high" and c < e - 1e-9
        if high or low:
            value = (
                ratio_poisson(c, e, total)
                if model == "poisson"
                else ratio_bernoulli(c, people[inside].sum(), total, everyone)
            )
            best = max(best, value * (4 * ratio / (ratio + 1) ** 2) ** window.compactness)
    return best


# What SaTScan found on the leukaemia of upstate New York.


def new_york(folder, *, swap=False):
    folder = folder / "hotspot-ref" / "satscan_ny"

    def read(name):
        return pd.read_csv(folder / f"satscan_ny_{name}.txt", sep=r"\s+", header=None, index_col=0)

    xy = read("coords")
    x, y = (xy[2], xy[1]) if swap else (xy[1], xy[2])
    points = gpd.points_from_xy(x, y)
    crs = 4326 if swap else 32618  # Cartesian: taken as metres
    centres = gpd.GeoDataFrame(geometry=points, index=xy.index, crs=crs)
    return read("cases")[1], read("pop")[2], centres


@pytest.mark.data
def test_new_york_has_the_six_clusters_of_satscan(shared_data):
    found = scan(*new_york(shared_data), seed=1)
    six = found.clusters.head(6)
    llr = [14.083511, 9.019716, 6.114140, 4.651839, 3.363518, 3.209485]
    assert six["llr"].round(6).to_list() == llr
    assert six["statistic"].round(6).to_list() == llr
    assert six["n_units"].to_list() == [28, 8, 33, 4, 4, 3]
    assert six["cases"].to_list() == [100, 38, 64, 25, 12, 11]
    assert six["expected"].round(2).to_list() == [58.28, 17.79, 40.85, 12.82, 5.14, 4.61]
    assert six["relative_risk"].round(2).to_list() == [1.87, 2.22, 1.64, 1.99, 2.37, 2.41]
    assert six["population"].to_list() == [111674, 34083, 78280, 24571, 9840, 8839]
    assert six["centre"].drop(4).to_list() == [52, 89, 112, 266, 166]  # 4: two centres, one cluster
    first = "52 50 37 49 38 48 53 39 15 47 51 1 40 44 16 2 55 36 14 43 13 45 3 35 17 11 12 46"
    assert found.members.loc[1].to_list() == [int(name) for name in first.split()]
    assert six["radius_m"].iloc[:2].round(3).to_list() == [0.087, 0.135]
    published = np.array([0.00015, 0.016, 0.248, 0.645, 0.965, 0.982])
    assert np.abs(six["p"] - published).max() < 0.05
    assert np.abs(six["p_gumbel"] - published).max() < 0.05
    assert six["label"].to_list() == ["hot_99", "hot_95", *["not_significant"] * 4]


@pytest.mark.data
def test_new_york_on_the_ground(shared_data):
    cases, people, centres = new_york(shared_data, swap=True)
    six = scan(cases, people, centres.to_crs(32618), permutations=0).clusters.head(6)
    llr = [14.780276, 8.287056, 7.199672, 4.651839, 3.773422, 3.209485]
    assert six["llr"].round(6).to_list() == llr
    assert six["n_units"].to_list() == [31, 9, 16, 4, 6, 3]
    assert six["radius_m"].drop(4).to_numpy() == pytest.approx(
        [7_700, 13_010, 2_350, 1_160, 1_010], rel=0.006
    )


ELLIPSES = {  # compactness: (llr, statistic, units, degrees) of SaTScan 9.6 at 10 % of the population
    0.0: (
        [15.416469, 11.061167, 9.562963, 6.154083, 5.244377],
        [15.416469, 11.061167, 9.562963, 6.154083, 5.244377],
        [25, 16, 22, 4, 5],
        [90, 60, 75, -60, 30],
    ),
    0.5: (
        [14.772705, 9.860447, 9.347892, 6.154083, 4.651839, 5.369233, 3.820132],
        [14.474236, 9.296518, 8.095512, 4.923266, 4.651839, 4.295386, 3.742950],
        [25, 7, 25, 4, 4, 5, 3],
        [90, -60, 80, -60, 0, -45, 90],
    ),
    1.0: (
        [14.772705, 9.019716, 8.311580, 4.651839, 6.154083, 3.820132, 5.369233],
        [14.181797, 9.019716, 7.388071, 4.651839, 3.938613, 3.667327, 3.436309],
        [25, 8, 26, 4, 4, 3, 5],
        [90, 0, 60, 0, -60, 90, -45],
    ),
}


@pytest.mark.data
@pytest.mark.parametrize("compactness", ELLIPSES)
def test_new_york_has_the_ellipses_of_satscan(shared_data, compactness):
    window = Window(shape="ellipse", max_share=0.1, compactness=compactness)
    found = scan(*new_york(shared_data), window=window, permutations=0).clusters
    llr, statistic, n_units, degrees = ELLIPSES[compactness]
    found = found.head(len(llr))
    assert found["llr"].round(6).to_list() == llr
    assert found["statistic"].round(6).to_list() == statistic
    assert found["n_units"].to_list() == n_units
    if compactness > 0:  # without it several ellipses hold the same units
        assert found["angle_deg"].to_list() == degrees


# Every window by hand.


@pytest.mark.parametrize("model", ["poisson", "bernoulli"])
@pytest.mark.parametrize(
    "window",
    [
        Window(),
        Window(rates="low"),
        Window(rates="both", max_share=0.3),
        Window(max_radius_m=900, min_cases=5),
        Window(shape="ellipse", axis_ratios=(2.0, 3.0), directions=(3, 4), max_radius_m=2_000),
    ],
    ids=["high", "low", "both", "radius", "ellipse"],
)
@pytest.mark.parametrize("mean", [0.5, 6.0])
def test_the_best_window_is_the_best_of_all(model, window, mean):
    cases, people, centres = town(40, 3, mean=mean)
    people = people // 100 + cases if model == "bernoulli" else people
    found = scan(cases, people, centres, model=model, window=window, permutations=0).clusters
    xy = shapely.get_coordinates(centres.geometry)
    best = by_hand(cases.to_numpy(), people.to_numpy(), xy, window, model)
    assert found["statistic"].iloc[0] == pytest.approx(best, rel=1e-9)
    assert found["statistic"].is_monotonic_decreasing


@pytest.mark.parametrize("rates", ["high", "low", "both"])
@pytest.mark.parametrize("mean", [1.0, 2_000.0], ids=["16 bits", "32 bits"])
def test_the_best_window_of_a_random_map_is_the_best_of_all(rates, mean):
    cases, people, centres = town(32, 5, mean=mean)
    window = Window(rates=rates, max_share=0.4)
    found = scan(cases, people, centres, window=window, permutations=70, seed=9)
    draw = poisson(people.to_numpy(float)[:, None], int(cases.sum()))
    xy = shapely.get_coordinates(centres.geometry)
    for k in (0, 1, 63, 64, 69):
        drawn = draw(np.random.default_rng([9, k]))[:, 0]
        assert found.maxima[k] == pytest.approx(
            by_hand(drawn, people.to_numpy(), xy, window), rel=1e-9
        )


def test_random_maps_of_bernoulli_and_ellipses_are_searched_alike():
    cases, people, centres = town(30, 6)
    people = people // 100 + cases
    window = Window(shape="ellipse", axis_ratios=(2.0,), directions=(4,), rates="both")
    found = scan(cases, people, centres, model="bernoulli", window=window, permutations=19)
    xy = shapely.get_coordinates(centres.geometry)
    for k in (0, 18):
        rng = np.random.default_rng([0, k])
        drawn = rng.multivariate_hypergeometric(people, cases.sum(), method="marginals")
        assert found.maxima[k] == pytest.approx(
            by_hand(drawn, people.to_numpy(), xy, window, "bernoulli"), rel=1e-9
        )


@settings(max_examples=60, deadline=None)
@given(
    c=st.integers(0, 50),
    rest=st.integers(0, 200),
    share=st.floats(0.01, 0.99),
    many=st.integers(1, 20),
)
def test_the_likelihood_ratio_is_that_of_the_likelihoods(c, rest, share, many):
    total = c + rest
    if total == 0:
        return
    e = share * total
    rates = e * c / e, (total - e) * (rest / (total - e))  # what each side would have with its own
    own = stats.poisson.logpmf(c, rates[0]) + stats.poisson.logpmf(rest, rates[1])
    same = stats.poisson.logpmf(c, e) + stats.poisson.logpmf(rest, total - e)
    assert log_likelihood_ratio(c, e, total, 0.0) == pytest.approx(own - same, abs=1e-8)
    n, outside = c + many, rest + 2 * many
    own = stats.binom.logpmf(c, n, c / n) + stats.binom.logpmf(rest, outside, rest / outside)
    p = total / (n + outside)
    same = stats.binom.logpmf(c, n, p) + stats.binom.logpmf(rest, outside, p)
    e = total * n / (n + outside)
    assert log_likelihood_ratio(c, e, total, n + outside) == pytest.approx(own - same, abs=1e-8)


# What must not matter.


def same(one, other):
    pd.testing.assert_frame_equal(one.clusters, other.clusters)
    pd.testing.assert_series_equal(one.members, other.members)
    assert np.array_equal(one.maxima, other.maxima)


def test_the_order_of_the_rows_does_not_matter():
    cases, people, centres = town(60, 7)
    mixed = cases.sample(frac=1, random_state=1)
    other = people.sample(frac=1, random_state=2), centres.sample(frac=1, random_state=3)
    same(scan(cases, people, centres, permutations=99), scan(mixed, *other, permutations=99))


def test_neither_threads_nor_memory_matter(monkeypatch):
    cases, people, centres = town(60, 8)
    window = Window(shape="ellipse", axis_ratios=(2.0,), directions=(2,))
    whole = scan(cases, people, centres, window=window, permutations=199)
    monkeypatch.setattr(scan_search, "_THREADS", 1)
    monkeypatch.setattr(scan_search, "_HELD", 1)
    monkeypatch.setattr("gisgrid.analysis.scans.windows._TABLE", 500)
    monkeypatch.setattr(scan_search, "_KEPT", 600)
    monkeypatch.setattr("gisgrid.analysis.scans.windows._CHUNK", 300)
    same(whole, scan(cases, people, centres, window=window, permutations=199))


def test_the_unit_of_the_population_does_not_matter():
    cases, people, centres = town(50, 9)
    one, other = (scan(cases, people * by, centres, permutations=0).clusters for by in (1, 0.001))
    pd.testing.assert_frame_equal(one.drop(columns="population"), other.drop(columns="population"))


def test_more_random_maps_begin_with_the_same():
    cases, people, centres = town(40, 10)
    few, many = (scan(cases, people, centres, permutations=r).maxima for r in (50, 150))
    assert np.array_equal(few, many[:50])


def test_inputs_stay_as_they_were():
    inputs = town(40, 11)
    before = [value.copy() for value in inputs]
    scan(*inputs, permutations=19)
    for value, was in zip(inputs, before, strict=True):
        assert value.equals(was)


def test_units_at_tied_distances_join_one_at_a_time():
    # A centre with four neighbours at the same distance; all cases are in two of them.
    xy = np.array([[0, 0], [-100, 0], [0, -100], [0, 100], [100, 0]], float)
    far = [[10_000 + 500 * i, 0] for i in range(30)]
    xy = np.vstack([xy, far]) + np.array([EAST, NORTH])
    centres = gpd.GeoDataFrame(geometry=gpd.points_from_xy(*xy.T), crs=4547)
    cases = pd.Series([9, 9, *[0] * 3, *[1] * 30])
    found = scan(cases, pd.Series(100, index=cases.index), centres, permutations=0)
    assert found.members.loc[1].to_list() in ([0, 1], [1, 0])


# What is found.


def planted(seed=12, n=300, times=3.0):
    cases, people, centres = town(n, seed, mean=5)
    xy = shapely.get_coordinates(centres.geometry)
    hot = np.hypot(*(xy - xy[n // 2]).T) < 700
    rng = np.random.default_rng(seed)
    risk = np.where(hot, times, 1.0)
    cases = pd.Series(rng.poisson(5 * risk * people / people.mean()), index=cases.index)
    return cases, people, centres, hot


def test_a_planted_cluster_is_recovered():
    cases, people, centres, hot = planted()
    found = scan(cases, people, centres, permutations=199)
    truth, told = set(cases.index[hot]), set(found.members.loc[1])
    assert len(truth & told) >= 0.9 * len(truth)
    assert len(truth & told) >= 0.9 * len(told)
    first = found.clusters.loc[1]
    assert (first["p"], first["label"]) == (1 / 200, "hot_99")
    assert first["p_gumbel"] < 1e-4
    assert 2 < first["relative_risk"] < 4
    assert set(found.membership().dropna().index) >= told


def test_a_planted_cold_area_is_recovered():
    cases, people, centres, hot = planted(times=0.2)
    found = scan(cases, people, centres, window=Window(rates="both"), permutations=99)
    assert set(found.members.loc[1]) >= set(cases.index[hot][:5])
    assert found.clusters["label"].iloc[0] == "cold_99"
    assert found.clusters["ratio"].iloc[0] < 0.5


def test_where_nothing_is_there_few_alarms_are_raised():
    _, people, centres = town(40, 13)
    rng = np.random.default_rng(14)
    p = []
    for _ in range(120):
        cases = pd.Series(rng.multinomial(150, people / people.sum()), index=people.index)
        p.append(scan(cases, people, centres, permutations=39).clusters["p"].iloc[0])
    assert stats.kstest(np.array(p) - rng.uniform(0, 1 / 40, 120), "uniform").pvalue > 0.01
    assert np.mean(np.array(p) <= 0.05) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 120)


def test_less_likely_clusters_keep_the_rule_of_overlap():
    cases, people, centres, _ = planted()
    none, outside, every = (
        scan(cases, people, centres, overlap=rule, permutations=0)
        for rule in ("none", "centre_outside", "all")
    )
    assert not none.members.duplicated().any()
    earlier: set[str] = set()
    for rank, centre in outside.clusters["centre"].items():
        assert centre not in earlier
        earlier |= set(outside.members.loc[[rank]])
    assert outside.members.duplicated().any()
    assert every.clusters["centre"].is_unique
    assert len(none.clusters) < len(outside.clusters) < len(every.clusters)
    for found in (none, outside, every):
        assert found.clusters["n_units"].sum() == len(found.members)


def test_outlines_hold_their_units():
    cases, people, centres, _ = planted()
    window = Window(shape="ellipse", max_share=0.2)
    found = scan(cases, people, centres, window=window, permutations=0)
    drawn = found.windows(max_p=1)
    assert drawn.crs == centres.crs
    assert drawn.geometry.area.gt(0).all()
    for rank, outline in drawn.geometry.head(12).items():
        inside = centres.geometry.loc[found.members.loc[[rank]]]
        assert inside.within(outline.buffer(0.002 * found.clusters.loc[rank, "radius_m"] + 1)).all()
        shape = outline.minimum_rotated_rectangle
        sides = np.sort(np.hypot(*np.diff(shapely.get_coordinates(shape), axis=0).T))[[0, -1]]
        if found.clusters.loc[rank, "radius_m"] > 0:
            expected = found.clusters.loc[rank, ["radius_minor_m", "radius_m"]].to_numpy(float) * 2
            assert sides == pytest.approx(expected, rel=0.01)


def test_areas_are_the_units_together():
    side = 12
    x, y = np.divmod(np.arange(side * side), side)
    boxes = shapely.box(
        x * 100 + EAST, y * 100 + NORTH, x * 100 + EAST + 100, y * 100 + NORTH + 100
    )
    units = gpd.GeoDataFrame(geometry=boxes, crs=4547)
    cases = pd.Series(3, index=units.index)
    cases[[65, 66, 77, 54, 53, 64]] = 15
    found = scan(cases, pd.Series(1, index=units.index), units, permutations=99)
    areas = found.areas(units)
    assert areas.geometry.area.to_list() == [found.clusters.loc[1, "n_units"] * 10_000]
    membership = found.membership()
    assert membership.index.sort_values().equals(units.index)
    assert membership.eq(1).sum() == found.clusters.loc[1, "n_units"]
    with pytest.raises(IndexMismatchError, match="not among the 10 units"):
        found.areas(units.head(10))
    with pytest.raises(InputError, match="no probability"):
        found.membership(max_p=5)


# p.


def test_p_counts_the_maps_that_reach_and_stops_where_it_may():
    maxima = np.array([1.0, 5.0, 2.0, 7.0, 3.0, 9.0, 1.0, 4.0, 0.5])
    values = np.array([8.0, 4.0, 0.1])
    assert chance_p(values, maxima, None).tolist() == [2 / 10, 5 / 10, 1.0]
    # The third map that reaches 4 is the sixth drawn, that reaches 0.1 the third.
    assert chance_p(values, maxima, 3).tolist() == [2 / 10, 3 / 6, 3 / 3]
    assert np.isnan(chance_p(values, np.empty(0), None)).all()


def test_a_scan_that_stops_early_agrees_with_one_that_does_not():
    cases, people, centres = town(60, 20)
    whole = scan(cases, people, centres, permutations=999)
    early = scan(cases, people, centres, permutations=999, stop_after=20)
    n = len(early.maxima)
    assert n < 500
    assert np.array_equal(early.maxima, whole.maxima[:n])
    best = whole.clusters["statistic"].iloc[0]
    assert (early.maxima >= best * (1 - 1e-9)).sum() == 20
    assert early.maxima[-1] >= best * (1 - 1e-9)
    assert early.clusters["p"].iloc[0] == 20 / n
    sure = planted()[:3]
    assert len(scan(*sure, permutations=99, stop_after=20).maxima) == 99


def test_gumbel_s_tail():
    rng = np.random.default_rng(1)
    maxima = rng.gumbel(6.0, 1.3, 200_000)
    values = np.array([8.0, 12.0, 18.0])
    exact = stats.gumbel_r.sf(values, 6.0, 1.3)
    assert gumbel_p(values, maxima) == pytest.approx(exact, rel=0.15)
    assert np.isnan(gumbel_p(values, np.ones(9))).all()


# Bad input.


def test_without_random_maps_there_is_no_p():
    found = scan(*town(40, 2), permutations=0)
    assert found.clusters[["p", "p_gumbel", "label"]].isna().all(axis=None)
    assert found.membership().isna().all()
    assert found.membership(max_p=1).notna().any()


def test_no_cases_no_cluster():
    cases, people, centres = town(40, 1)
    with pytest.warns(NullResultWarning, match="40 units .* with 0 cases"):
        found = scan(cases * 0, people, centres)
    assert len(found.clusters) == 0
    assert list(found.clusters) == list(scan(cases, people, centres, permutations=0).clusters)
    assert found.membership().isna().all()
    assert len(found.windows()) == 0


def test_equal_rates_no_cluster():
    _, people, centres = town(40, 1)
    with pytest.warns(NullResultWarning, match="no window that departs"):
        found = scan(people * 0 + 3, people * 0 + 7, centres, permutations=19)
    assert len(found.clusters) == 0


def test_no_units_no_cluster():
    cases, people, centres = town(40, 1)
    with pytest.warns(NullResultWarning, match="0 units"):
        scan(cases[:0], people[:0], centres[:0])


def test_few_units_are_said_to_be_few():
    with pytest.warns(SmallSampleWarning, match="scan of 12 units"):
        scan(*town(12, 1, mean=9), permutations=19)


def test_a_unit_without_a_value_is_left_out():
    cases, people, centres = town(45, 4)
    missing = cases.astype(float)
    missing.iloc[[3, 17]] = np.nan
    kept = missing.notna()
    left, gone = (
        scan(missing, people, centres, permutations=19),
        scan(cases[kept], people[kept], centres[kept], permutations=19),
    )
    same(left, gone)


def bad(what):
    cases, people, centres = town(40, 1)
    nowhere = centres.copy()
    nowhere.loc["u007", "geometry"] = None
    nobody = people.where(people.index != "u004", 0)
    return {
        "twice": (pd.concat([cases, cases[:1]]), people, centres),
        "others": (cases, people, centres.rename(index={"u000": "other"})),
        "negative": (cases - 5, people, centres),
        "parts": (cases + 0.5, people, centres),
        "infinite": (cases, people / 0.0, centres),
        "nobody": (cases + 1, nobody, centres),
        "degrees": (cases, people, centres.to_crs(4326)),
        "nowhere": (cases, people, nowhere),
        "words": (cases.astype(str) + "x", people, centres),
    }[what]


@pytest.mark.parametrize(
    ("what", "error", "match"),
    [
        ("twice", IndexMismatchError, "1 of 41 rows of 'cases' name a unit again .first: 'u000'"),
        ("others", IndexMismatchError, "1 of 40 units with cases are not in 'centres'"),
        ("negative", InputError, "negative or infinite"),
        ("parts", InputError, "40 of 40 numbers of cases are not whole .first: unit 'u000'"),
        ("infinite", InputError, "40 of 40 values of a scan are negative or infinite"),
        ("nobody", InputError, "1 of 40 units have cases but a population of 0 .first: 'u004'"),
        ("degrees", CrsError, "a scan needs metres"),
        ("nowhere", InputError, "1 of 40 centres have no place .first: 'u007'"),
        ("words", InputError, "needs numbers"),
    ],
)
def test_bad_input_is_refused(what, error, match):
    inputs = bad(what)
    with pytest.raises(error, match=match):
        scan(*inputs)


@pytest.mark.parametrize(
    "option",
    [
        {"model": "normal"},
        {"overlap": "some"},
        {"permutations": 5},
        {"stop_after": 1},
    ],
)
def test_bad_options_are_refused(option):
    with pytest.raises(InputError):
        scan(*town(40, 1), **option)


@pytest.mark.parametrize(
    "option",
    [
        {"shape": "square"},
        {"rates": "medium"},
        {"max_share": 0.6},
        {"max_share": 0.0},
        {"max_radius_m": -1},
        {"min_cases": 0},
        {"axis_ratios": (2.0,)},
        {"axis_ratios": (0.5,), "directions": (4,)},
        {"compactness": -1},
    ],
)
def test_bad_windows_are_refused(option):
    with pytest.raises(InputError):
        Window(**option)


def test_bernoulli_needs_everyone_who_was_looked_at():
    cases, _, centres = town(40, 1)
    with pytest.raises(InputError, match="40 of 40 units have more cases than were looked at"):
        scan(cases + 2, cases + 1, centres, model="bernoulli")


def test_progress_ends_at_one():
    heard = []
    scan(*town(40, 1), permutations=199, progress=lambda _, share: heard.append(share))
    assert heard == sorted(heard)
    assert heard[-1] == 1.0
