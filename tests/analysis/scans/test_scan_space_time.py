import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from scipy import special, stats

from gisgrid.analysis.scans.kernels import log_likelihood_ratio
from gisgrid.analysis.scans.space_time import _dealt, space_time_scan, temporal_scan
from gisgrid.analysis.scans.spatial import poisson
from gisgrid.analysis.scans.windows import Window
from gisgrid.errors import (
    CrsError,
    IndexMismatchError,
    InputError,
    NullResultWarning,
)

WEEKS = pd.period_range("2026-01-05", periods=10, freq="W")


def town(n=36, seed=1, *, mean=0.8):
    """Units west to east, with cases per week and a population."""
    rng = np.random.default_rng(seed)
    xy = rng.uniform(0, 4_000, (n, 2))
    xy = xy[np.lexsort((xy[:, 1], xy[:, 0]))] + [500_000, 3_900_000]
    names = pd.Index([f"u{i:03d}" for i in range(n)])
    centres = gpd.GeoDataFrame(geometry=gpd.points_from_xy(*xy.T), index=names, crs=4547)
    cases = pd.DataFrame(rng.poisson(mean, (n, len(WEEKS))), index=names, columns=WEEKS)
    people = pd.Series(rng.integers(200, 3_000, n), index=names)
    return cases, centres, people


def by_hand(cases, expected, weight, xy, *, prospective, longest, max_share=0.5, least=2):
    """The best cylinder: (llr, units, first, after last)."""
    total, t = cases.sum(), cases.shape[1]
    best = (0.0, [], 0, 0)
    for centre in range(len(xy)):
        order = np.argsort(np.hypot(*(xy - xy[centre]).T), kind="stable")
        fits = np.cumsum(weight[order]) <= max_share * weight.sum() + 1e-9
        for m in range(1, int(fits.argmin() if not fits.all() else len(fits)) + 1):
            inside = order[:m]
            by_step, chance = cases[inside].sum(axis=0), expected[inside].sum(axis=0)
            for end in range(1, t + 1):
                if prospective and end < t:
                    continue
                for begin in range(max(0, end - longest), end):
                    c, e = by_step[begin:end].sum(), chance[begin:end].sum()
                    if c >= least and c > e + 1e-9:
                        llr = special.xlogy(c, c / e) + special.xlogy(
                            total - c, (total - c) / (total - e)
                        )
                        if llr > best[0] * (1 + 1e-9):
                            best = (llr, inside.tolist(), begin, end)
    return best


def expected_of(cases, people):
    if people is None:
        return np.outer(cases.sum(axis=1), cases.sum(axis=0)) / cases.sum()
    return people * (cases.sum() / people.sum())


@pytest.mark.parametrize("prospective", [True, False])
@pytest.mark.parametrize("model", ["permutation", "steady", "changing"])
def test_the_best_cylinder_is_the_best_of_all(model, prospective):
    cases, centres, people = town()
    xy, counts = shapely.get_coordinates(centres.geometry), cases.to_numpy()
    longest = 4
    given = None
    if model == "steady":
        given, people = people, np.repeat(people.to_numpy()[:, None], len(WEEKS), axis=1)
    elif model == "changing":
        people = people.to_numpy()[:, None] * np.linspace(1, 2, len(WEEKS))
        given = pd.DataFrame(people, index=cases.index, columns=cases.columns)
    else:
        people = None
    found = space_time_scan(
        cases,
        centres,
        population=given,
        prospective=prospective,
        max_steps=longest,
        permutations=19,
    )
    weight = counts.sum(axis=1) if people is None else people.sum(axis=1)
    rule = {"prospective": prospective, "longest": longest}
    llr, inside, begin, end = by_hand(counts, expected_of(counts, people), weight, xy, **rule)
    first = found.clusters.loc[1]
    assert first["llr"] == pytest.approx(llr, rel=1e-9)
    assert set(found.members.loc[[1]]) == set(cases.index[inside])
    assert (first["first_step"], first["last_step"]) == (WEEKS[begin], WEEKS[end - 1])
    assert first["n_steps"] == end - begin
    assert ("recurrence_steps" in first.index) == prospective
    assert ("population" in first.index) == (model != "permutation")
    draw = _dealt(counts) if people is None else poisson(people, int(counts.sum()))
    for k in (0, 18):
        drawn = draw(np.random.default_rng([0, k]))
        best = by_hand(drawn, expected_of(counts, people), weight, xy, **rule)[0]
        assert found.maxima[k] == pytest.approx(best, rel=1e-9)


def test_the_test_statistics_of_satscan():
    # Prospective space-time permutation scans of 100 cases by SaTScan 9.4.4.
    for cases, expected, published in (
        (3, 0.42, 3.352053),
        (4, 0.96, 2.715606),
        (10, 5.46, 1.622161),
    ):
        assert round(log_likelihood_ratio(cases, expected, 100.0, 0.0), 6) == published


def test_times_are_dealt_anew_and_margins_stay():
    cases = np.random.default_rng(2).poisson(2.0, (12, 7))
    draw = _dealt(cases)
    total = np.zeros(cases.shape)
    for k in range(2_000):
        drawn = draw(np.random.default_rng(k))
        assert np.array_equal(drawn.sum(axis=0), cases.sum(axis=0))
        assert np.array_equal(drawn.sum(axis=1), cases.sum(axis=1))
        total += drawn
    assert total / 2_000 == pytest.approx(expected_of(cases, None), abs=0.2)


@pytest.mark.parametrize("total", [40, 4_000])
def test_cases_fall_on_the_population(total):
    people = np.array([[0.0, 1.0, 2.0], [3.0, 0.0, 4.0]])
    draw = poisson(np.tile(people, (10, 1)), total)
    drawn = sum(draw(np.random.default_rng(k)) for k in range(500)).reshape(10, 2, 3).sum(axis=0)
    assert drawn.sum() == 500 * total
    assert (drawn[people == 0] == 0).all()
    expected = people[people > 0] / 10 * 500 * total
    assert stats.chisquare(drawn[people > 0], expected).pvalue > 0.001


def test_an_outbreak_is_recovered_and_an_always_busy_place_is_not():
    cases, centres, _ = town(n=120, seed=5, mean=1.0)
    xy = shapely.get_coordinates(centres.geometry)
    hot = np.hypot(*(xy - xy[60]).T) < 600
    busy = np.hypot(*(xy - xy[5]).T) < 600
    busy &= ~hot
    cases.loc[busy] *= 4
    cases.loc[hot, WEEKS[-3:]] += 4
    found = space_time_scan(cases, centres, prospective=True, permutations=99)
    told = set(found.members.loc[[1]])
    assert len(told & set(cases.index[hot])) >= 0.8 * max(hot.sum(), len(told))
    assert found.clusters.loc[1, ["first_step", "n_steps"]].to_list() == [WEEKS[-3], 3]
    assert found.clusters.loc[1, "p"] == 0.01
    assert found.clusters.loc[1, "recurrence_steps"] == pytest.approx(100)
    significant = found.clusters.index[found.clusters["p"] <= 0.05]
    assert not set(found.members.loc[significant]) & set(cases.index[busy])
    people = pd.Series(1_000, index=cases.index)
    busiest = space_time_scan(cases, centres, population=people, permutations=99)
    assert set(busiest.membership().dropna().index) >= set(cases.index[busy])


def test_the_order_of_the_rows_does_not_matter():
    cases, centres, people = town(seed=3)
    one = space_time_scan(cases, centres, population=people, permutations=70)
    mixed = cases.sample(frac=1, random_state=1), centres.sample(frac=1, random_state=2)
    other = space_time_scan(*mixed, population=people[::-1], permutations=70)
    pd.testing.assert_frame_equal(one.clusters, other.clusters)
    assert np.array_equal(one.maxima, other.maxima)


def test_many_cases_are_counted_in_32_bits():
    cases, centres, _ = town(n=30, seed=4, mean=200.0)
    counts, xy = cases.to_numpy(), shapely.get_coordinates(centres.geometry)
    assert counts.sum() > np.iinfo(np.int16).max
    found = space_time_scan(cases, centres, prospective=True, permutations=19)
    rule = {"prospective": True, "longest": 5}
    drawn = _dealt(counts)(np.random.default_rng([0, 3]))
    weight, expected = counts.sum(axis=1), expected_of(counts, None)
    best = by_hand(drawn, expected, weight, xy, **rule)[0]
    assert found.maxima[3] == pytest.approx(best, rel=1e-9)


# Time alone.


def test_the_best_span_is_the_best_of_all():
    rng = np.random.default_rng(6)
    cases = pd.Series(rng.poisson(5, 24), index=pd.period_range("2024-01", periods=24, freq="M"))
    cases.iloc[8:11] += 25
    people = pd.Series(rng.uniform(1, 2, 24), index=cases.index)
    for given in (None, people):
        weight = np.ones(24) if given is None else given.to_numpy()
        expected = weight * cases.sum() / weight.sum()
        found = temporal_scan(cases, population=given, permutations=99)
        llr, _, begin, end = by_hand(
            cases.to_numpy()[None],
            expected[None],
            np.zeros(1),
            np.zeros((1, 2)),
            prospective=False,
            longest=12,
        )
        first = found.loc[1]
        assert first["llr"] == pytest.approx(llr)
        assert (first["first_step"], first["last_step"]) == (
            cases.index[begin],
            cases.index[end - 1],
        )
    assert temporal_scan(cases, permutations=99)["label"].to_list() == ["hot_99"]
    quiet = temporal_scan(60 - cases, rates="low", permutations=99)
    assert quiet["first_step"].to_list() == [cases.index[8]]
    assert quiet["label"].to_list() == ["cold_99"]


def test_a_step_without_a_value_counts_for_nothing():
    cases = pd.Series([2.0, 1.0, 9.0, np.nan, 8.0, 2.0, 1.0, 3.0])
    found = temporal_scan(cases, permutations=0)
    assert found[["first_step", "last_step", "cases"]].to_numpy().tolist() == [[2, 4, 17]]
    assert found["expected"].to_list() == pytest.approx([26 * 2 / 7])


def test_chance_in_time_raises_few_alarms():
    rng = np.random.default_rng(7)
    p = [
        temporal_scan(pd.Series(rng.poisson(6, 20)), permutations=19)["p"].iloc[0]
        for _ in range(100)
    ]
    assert np.mean(np.array(p) <= 0.05) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 100)


# Bad input.


def test_one_step_has_no_answer():
    cases, centres, people = town()
    with pytest.warns(NullResultWarning, match="over 1 steps of time"):
        found = space_time_scan(cases[WEEKS[:1]], centres, population=people)
    assert len(found.clusters) == 0
    with pytest.warns(NullResultWarning):
        assert len(temporal_scan(pd.Series([4]))) == 0


def test_no_cases_no_cluster():
    cases, centres, _ = town()
    with pytest.warns(NullResultWarning, match="with 0 cases"):
        space_time_scan(cases * 0, centres)
    with pytest.warns(NullResultWarning, match="with 0 cases"):
        temporal_scan(pd.Series([0, 0, 0]))


def test_bad_input_is_refused():
    cases, centres, people = town()
    with pytest.raises(IndexMismatchError, match="out of order"):
        space_time_scan(cases[WEEKS[::-1]], centres)
    with pytest.raises(IndexMismatchError, match="out of order"):
        temporal_scan(pd.Series([1, 2], index=[2, 1]))
    with pytest.raises(IndexMismatchError, match="not the 10 steps"):
        space_time_scan(cases, centres, population=people.to_frame())
    with pytest.raises(IndexMismatchError, match="not the same"):
        temporal_scan(pd.Series([1, 2, 3]), population=pd.Series([1, 2]))
    with pytest.raises(InputError, match="span of 6 of 10 steps"):
        space_time_scan(cases, centres, max_steps=6)
    with pytest.raises(InputError, match="not whole"):
        space_time_scan(cases + 0.5, centres)
    with pytest.raises(InputError, match="population of 0"):
        space_time_scan(cases, centres, population=people * 0)
    with pytest.raises(CrsError):
        space_time_scan(cases, centres.to_crs(4326))


def test_elongated_and_bounded_windows_work_with_time():
    cases, centres, _ = town(seed=8)
    window = Window(shape="ellipse", axis_ratios=(3.0,), directions=(4,), max_radius_m=1_200)
    found = space_time_scan(cases, centres, window=window, permutations=0)
    assert found.clusters["radius_m"].max() <= 1_200
