import dataclasses

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from scipy.spatial import KDTree

from gisgrid.analysis.surfaces.bandwidths import adaptive_bandwidth
from gisgrid.analysis.surfaces.density import kernel_density
from gisgrid.analysis.surfaces.relative import relative_risk
from gisgrid.errors import CrsError, InputError, NullResultWarning

EAST, NORTH = 500_000.0, 3_900_000.0
BOX = (EAST, NORTH, EAST + 6000, NORTH + 4000)


def points(xy, crs=4547):
    xy = np.asarray(xy, dtype=float).reshape(-1, 2)
    return gpd.GeoDataFrame(geometry=gpd.points_from_xy(*xy.T), crs=crs)


def surface(xy, **options):
    return kernel_density(points(xy), **{"cell_m": 50, "bandwidth_m": 400, "bbox": BOX, **options})


@pytest.fixture(scope="module")
def planted():
    """People everywhere, more in the south; one in twenty complains, three times as many in the east."""
    rng = np.random.default_rng(0)
    people = rng.uniform(0, 1, (120_000, 2)) ** (1, 2) * (6000, 4000) + (EAST, NORTH)
    rate = np.where(people[:, 0] > EAST + 3000, 0.15, 0.05)
    return people, people[rng.random(len(people)) < rate]


def test_the_ratio_of_the_whole_is_recovered(planted):
    people, complaints = planted
    cases, denominator = surface(complaints), surface(people, counted="people")
    ratio = relative_risk(cases, denominator, floor=200)
    east, west = ratio.values[10:-10, 70:-10], ratio.values[10:-10, 10:50]
    assert np.nanmean(east) / np.nanmean(west) == pytest.approx(3, rel=0.05)
    assert np.nanmean(west) == pytest.approx(0.5, rel=0.05)
    assert ratio.unit == "ratio"
    rate = relative_risk(cases, denominator, floor=200, comparison="rate")
    assert rate.unit == "(issues/km²)/(people/km²)"
    assert np.nanmean(rate.values[10:-10, 10:50]) == pytest.approx(0.05, rel=0.05)
    log = relative_risk(cases, denominator, floor=200, comparison="log2_ratio")
    np.testing.assert_allclose(2.0**log.values, ratio.values, rtol=1e-4)
    difference = relative_risk(cases, denominator, floor=200, comparison="difference")
    assert abs(np.nansum(difference.values)) < 1e-3 * cases.values.sum()
    assert difference.values[40, 80] > 0 > difference.values[40, 20]


def test_cells_under_the_floor_have_no_value(planted):
    people, complaints = planted
    cases, denominator = surface(complaints), surface(people)
    floor = float(np.quantile(denominator.values, 0.4))
    ratio = relative_risk(cases, denominator, floor=floor)
    assert (np.isnan(ratio.values) == (denominator.values < floor)).all()


def test_what_is_compared_with_itself_is_one():
    some = surface(np.random.default_rng(1).normal((EAST + 3000, NORTH + 2000), 500, (300, 2)))
    ratio = relative_risk(some, some, floor=1e-3)
    np.testing.assert_allclose(ratio.values[~np.isnan(ratio.values)], 1, rtol=1e-5)


def test_nothing_to_compare_is_said():
    none = surface([])
    some = surface([(EAST + 500, NORTH + 500)])
    with pytest.warns(NullResultWarning, match="0 of 9600 cells"):
        assert np.isnan(relative_risk(some, none, floor=1).values).all()
    with pytest.warns(NullResultWarning, match="0 cases in them"):
        assert np.isnan(relative_risk(none, some, floor=1).values).all()
    assert np.nanmax(relative_risk(none, some, floor=1, comparison="rate").values) == 0


def test_thicker_places_get_narrower_kernels():
    rng = np.random.default_rng(2)
    xy = np.r_[rng.normal(0, 50, (400, 2)), rng.uniform(-3000, 3000, (200, 2))] + (EAST, NORTH)
    frame = points(xy)
    pilot = 400.0
    width = adaptive_bandwidth(frame, least_m=20, most_m=5000, pilot_m=pilot)
    apart = np.hypot(*(xy[:, None] - xy[None]).T) / pilot
    thick = np.where(apart < 1, (1 - apart**2) ** 2, 0).sum(axis=0)
    by_hand = pilot / np.sqrt(thick / np.exp(np.log(thick).mean()))
    np.testing.assert_allclose(width, by_hand, rtol=0.03)
    nearest = adaptive_bandwidth(frame, least_m=60, most_m=500, nearest=7)
    by_hand = np.clip(KDTree(xy).query(xy, k=8)[0][:, 7], 60, 500)
    np.testing.assert_allclose(nearest, by_hand)
    assert nearest.name == "bandwidth_m"
    cells = kernel_density(frame, cell_m=50, bandwidth_m=nearest)
    assert cells.values.sum(dtype=float) * 0.05**2 == pytest.approx(600, rel=1e-5)
    fixed = kernel_density(frame, cell_m=50, bandwidth_m=500)
    assert cells.values.max() > 2 * fixed.values.max()


def test_a_report_without_a_place_gets_the_widest_kernel():
    frame = points([(0, 0), (10, 0), (20, 0)])
    frame.loc[1, "geometry"] = shapely.Point()
    assert adaptive_bandwidth(frame, least_m=5, most_m=90, nearest=1).to_list() == [20, 90, 20]
    with pytest.warns(NullResultWarning, match="the rule needs 6"):
        assert (adaptive_bandwidth(frame, least_m=5, most_m=90, nearest=5) == 90).all()


SOME = surface([(EAST + 500, NORTH + 500)])
ONE = points([(EAST, NORTH)])


@pytest.mark.parametrize(
    ("ask", "error", "says"),
    [
        (lambda: relative_risk(SOME, SOME, floor=0), InputError, "a floor of 0"),
        (lambda: relative_risk(SOME, SOME, floor=1, comparison="odds"), InputError, "no comparison 'odds'"),
        (lambda: relative_risk(SOME, surface([], cell_m=100), floor=1), InputError, "not on the same"),
        (lambda: relative_risk(dataclasses.replace(SOME, values=-SOME.values), SOME, floor=1), InputError, "a density is 0 or above"),
        (lambda: adaptive_bandwidth(ONE, least_m=1, most_m=2), InputError, "follows one rule"),
        (lambda: adaptive_bandwidth(ONE, least_m=3, most_m=2, nearest=1), InputError, "from 3 to 2 m"),
        (lambda: adaptive_bandwidth(points([(114, 35)], 4490), least_m=1, most_m=2, nearest=1), CrsError, "needs metres"),
    ],
)  # fmt: skip
def test_refuses_in_one_sentence(ask, error, says):
    with pytest.raises(error, match=says):
        ask()


def test_weights_are_counted():
    xy = [(EAST + 500, NORTH + 500), (EAST + 2500, NORTH + 900)]
    frame = points(xy)
    weighted = kernel_density(
        frame, cell_m=50, bandwidth_m=400, weights=pd.Series([3.0, 0.0]), counted="people"
    )
    thrice = kernel_density(points([xy[0]] * 3 + [xy[1]]), cell_m=50, bandwidth_m=400)
    assert weighted.unit == "people/km²"
    half = weighted.values.shape[1] // 2
    np.testing.assert_allclose(weighted.values[:, :half], thrice.values[:, :half], rtol=1e-6)
    assert weighted.values[:, half:].max() == 0
