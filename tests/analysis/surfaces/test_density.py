import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gisgrid.analysis import kernel_density
from gisgrid.errors import CrsError, IndexMismatchError, InputError

EAST, NORTH = 500_000.0, 3_900_000.0
ORIGIN = np.array([EAST, NORTH])


def points(xy, crs=4547):
    xy = np.asarray(xy, dtype=float).reshape(-1, 2)
    return gpd.GeoDataFrame(geometry=gpd.points_from_xy(*xy.T), crs=crs)


def centres(surface):
    height, width = surface.values.shape
    t = surface.transform
    return np.meshgrid(t.c + (np.arange(width) + 0.5) * t.a, t.f + (np.arange(height) + 0.5) * t.e)


def by_hand(xy, surface, bandwidth_m):
    """Every point's quartic kernel at every cell's centre, issues/km²."""
    x, y = centres(surface)
    total = np.zeros(x.shape)
    for east, north in xy:
        share = ((x - east) ** 2 + (y - north) ** 2) / bandwidth_m**2
        total += 3 / (np.pi * (bandwidth_m / 1000) ** 2) * np.where(share < 1, (1 - share) ** 2, 0)
    return total


def cloud(seed, n=300, spread=500.0):
    return np.random.default_rng(seed).normal((EAST, NORTH), spread, (n, 2))


@pytest.mark.parametrize(("cell_m", "share_of_peak"), [(25, 0.005), (50, 0.015), (100, 0.06)])
def test_agrees_with_the_sum_over_all_points(cell_m, share_of_peak):
    xy = cloud(1)
    surface = kernel_density(points(xy), cell_m=cell_m, bandwidth_m=300)
    truth = by_hand(xy, surface, 300)
    assert abs(surface.values - truth).max() < share_of_peak * truth.max()


def test_agrees_with_scikit_learn_in_shape():
    neighbours = pytest.importorskip("sklearn.neighbors")
    xy = cloud(2)
    surface = kernel_density(points(xy), cell_m=20, bandwidth_m=400)
    x, y = centres(surface)
    # sklearn has no quartic kernel; the Epanechnikov surface of the same variance is close to it everywhere.
    same_variance = 400 * np.sqrt(6 / 8)
    tree = neighbours.KernelDensity(kernel="epanechnikov", bandwidth=same_variance).fit(xy)
    theirs = (
        np.exp(tree.score_samples(np.c_[x.ravel(), y.ravel()])).reshape(x.shape) * len(xy) * 1e6
    )
    assert np.corrcoef(theirs.ravel(), surface.values.ravel())[0, 1] > 0.995
    assert abs(theirs.sum() / surface.values.sum() - 1) < 0.01


def test_a_point_on_a_centre_is_the_kernel_itself():
    xy = [(EAST + 25, NORTH + 25)]
    surface = kernel_density(points(xy), cell_m=50, bandwidth_m=600)
    truth = by_hand(xy, surface, 600)
    nothing_lost = truth.sum() * 0.05**2  # what the sum over cells makes of the integral
    np.testing.assert_allclose(surface.values, truth / nothing_lost, rtol=1e-6, atol=1e-9)
    assert (surface.values[truth == 0] == 0).all()


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    st.lists(st.tuples(st.floats(-900, 900), st.floats(-900, 900)), min_size=1, max_size=40),
    st.floats(10, 120),
    st.floats(1, 8),
)
def test_no_report_is_lost_and_none_is_less_than_nothing(offsets, cell_m, cells_per_bandwidth):
    xy = np.array(offsets) + np.array([EAST, NORTH])
    surface = kernel_density(points(xy), cell_m=cell_m, bandwidth_m=cell_m * cells_per_bandwidth)
    reports = surface.values.sum(dtype=float) * surface.cell_area / 1e6
    assert abs(reports / len(xy) - 1) < 1e-5
    assert (surface.values >= 0).all()
    assert surface.values.dtype == np.float32


def test_twice_the_reports_is_twice_the_density():
    xy = cloud(3, 50)
    once = kernel_density(points(xy), cell_m=50, bandwidth_m=200)
    twice = kernel_density(points(np.r_[xy, xy[::-1]]), cell_m=50, bandwidth_m=200)
    assert once.transform == twice.transform
    np.testing.assert_allclose(twice.values, 2 * once.values, rtol=1e-5)


def test_a_window_shows_the_same_and_points_outside_count_inside():
    xy = cloud(4)
    whole = kernel_density(points(xy), cell_m=50, bandwidth_m=300)
    bbox = (EAST - 300, NORTH - 200, EAST + 210, NORTH + 333)
    window = kernel_density(points(xy), cell_m=50, bandwidth_m=300, bbox=bbox)
    assert window.bbox == (EAST - 300, NORTH - 200, EAST + 250, NORTH + 350)
    left = round((window.transform.c - whole.transform.c) / 50)
    top = round((whole.transform.f - window.transform.f) / 50)
    height, width = window.values.shape
    np.testing.assert_allclose(
        window.values, whole.values[top : top + height, left : left + width], rtol=1e-5
    )


def test_it_lies_where_the_reports_are():
    surface = kernel_density(
        points([(EAST + 725, NORTH + 25)]), cell_m=50, bandwidth_m=150,
        bbox=(EAST, NORTH, EAST + 1000, NORTH + 500),
    )  # fmt: skip
    row, column = np.unravel_index(surface.values.argmax(), surface.values.shape)
    assert (row, column) == (9, 14)  # row 0 is in the north
    assert surface.unit == "issues/km²"
    assert surface.crs.to_epsg() == 4547
    assert surface.transform.c % 50 == 0


def test_null_and_empty_points_are_left_out_and_no_point_is_a_flat_surface():
    frame = points(cloud(5, 4))
    frame.loc[1, "geometry"] = None
    frame.loc[2, "geometry"] = shapely.Point()
    surface = kernel_density(frame, cell_m=50, bandwidth_m=200)
    np.testing.assert_allclose(surface.values.sum(dtype=float) * 0.05**2, 2, rtol=1e-5)
    empty = kernel_density(points([]), cell_m=50, bandwidth_m=200, bbox=(0, 0, 100, 200))
    assert empty.values.shape == (4, 2)
    assert (empty.values == 0).all()


ONE = points([(EAST, NORTH)])


@pytest.mark.parametrize(
    ("frame", "options", "error", "says"),
    [
        (points([(114, 35)], 4490), {}, CrsError, "kernel_density needs metres but 'points' is in EPSG:4490 (degree)"),
        (points([(114, 35)], None), {}, CrsError, "no coordinate reference system"),
        (points([]), {}, InputError, "0 points and no bbox"),
        (ONE, {"bandwidth_m": 20}, InputError, "a kernel of bandwidth 20 m on cells of 50 m has no shape"),
        (ONE, {"cell_m": 0}, InputError, "cells of 0 m has no shape"),
        (ONE, {"bandwidth_m": float("inf")}, InputError, "bandwidth inf m"),
        (ONE, {"bbox": (10, 0, 0, 10)}, InputError, "holds no ground"),
        (points([(EAST, NORTH), (0, 0)]), {"cell_m": 10}, InputError, "over 100000000; give larger cells"),
        (gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 1, 1)], crs=4547), {}, InputError, "1 of 1 geometries are none (first: row 0, Polygon)"),
    ],
)  # fmt: skip
def test_refuses_in_one_sentence(frame, options, error, says):
    with pytest.raises(error) as caught:
        kernel_density(frame, **{"cell_m": 50, "bandwidth_m": 300, **options})
    assert says in str(caught.value)


def gaussian_by_hand(xy, surface, bandwidth_m):
    x, y = centres(surface)
    total, sd = np.zeros(x.shape), bandwidth_m / 3
    for east, north in xy:
        square = ((x - east) ** 2 + (y - north) ** 2) / sd**2
        total += np.exp(-square / 2) / (2 * np.pi * (sd / 1000) ** 2)
    return total


@pytest.mark.parametrize("kernel", ["quartic", "gaussian"])
@pytest.mark.parametrize("cells", [5.0, 7.3, 12.0, 19.9, 20.0, 20.5, 27.0, 40.0])
def test_errs_by_a_thousandth_of_the_peak_at_most(kernel, cells):
    truth_of = by_hand if kernel == "quartic" else gaussian_by_hand
    lone = np.random.default_rng(9).uniform(0, 10, (25, 2)) + ORIGIN
    for xy in (*lone[:, None], cloud(9, 200, 30 * cells)):  # a single report is the worst case
        surface = kernel_density(points(xy), cell_m=10, bandwidth_m=10 * cells, kernel=kernel)
        truth = truth_of(xy, surface, 10 * cells)
        assert abs(surface.values - truth).max() <= 0.001 * truth.max()
        assert surface.values.sum(dtype=float) * 0.01**2 == pytest.approx(len(xy), rel=1e-5)
        assert surface.values.min() >= 0


@pytest.mark.parametrize("kernel", ["quartic", "gaussian"])
@pytest.mark.parametrize("cells", [6, 20])
def test_no_report_in_the_city_leaks_over_its_border(kernel, cells):
    city = shapely.Polygon(np.array([(0, 0), (1503, 107), (911, 709), (1300, 1500), (100, 1200)]) + ORIGIN)  # fmt: skip
    frame = gpd.GeoDataFrame(geometry=[city], crs=4547)
    xy = np.random.default_rng(3).uniform(-200, 1700, (500, 2)) + ORIGIN
    held = shapely.contains_xy(city, xy)
    surface = kernel_density(
        points(xy), cell_m=20, bandwidth_m=20 * cells, kernel=kernel, within=frame
    )
    x, y = centres(surface)
    assert (np.isnan(surface.values) == ~shapely.contains_xy(city, x, y)).all()
    total = np.nansum(surface.values, dtype=float) * 0.02**2
    assert total == pytest.approx(held.sum(), rel=1e-5)
    alone = kernel_density(
        points(xy[held]), cell_m=20, bandwidth_m=20 * cells, kernel=kernel, within=frame
    )
    np.testing.assert_array_equal(surface.values, alone.values)
    bbox = (EAST + 300, NORTH - 100, EAST + 700, NORTH + 500)
    part = kernel_density(
        points(xy), cell_m=20, bandwidth_m=20 * cells, kernel=kernel, within=frame, bbox=bbox
    )
    assert part.bbox == bbox
    assert np.isnan(part.values[-5:]).all()  # south of the city
    top = round((surface.transform.f - part.transform.f) / 20)
    left = round((part.transform.c - surface.transform.c) / 20)
    np.testing.assert_array_equal(
        part.values[:-5], surface.values[top : top + 25, left : left + 20]
    )


def test_edge_correction_makes_an_even_city_even():
    side = np.arange(5.0, 1000, 10)
    xy = np.c_[np.repeat(side, 100), np.tile(side, 100)] + ORIGIN
    city = gpd.GeoDataFrame(
        geometry=[shapely.box(EAST, NORTH, EAST + 1000, NORTH + 1000)], crs=4547
    )
    bbox = tuple(city.total_bounds)
    plain = kernel_density(points(xy), cell_m=20, bandwidth_m=160, bbox=bbox)
    mended = kernel_density(points(xy), cell_m=20, bandwidth_m=160, within=city)
    assert plain.values.min() < 0.35 * 10_000
    assert mended.values.min() > 0.55 * 10_000
    assert np.quantile(mended.values, 0.1) > 0.8 * 10_000 > 1.1 * np.quantile(plain.values, 0.1)
    assert mended.values.mean() == pytest.approx(10_000, rel=1e-6)


def test_bandwidths_of_their_own_are_sums_of_kernels():
    xy = cloud(6, 60)
    width = pd.Series(np.random.default_rng(6).uniform(150, 900, 60))
    surface = kernel_density(points(xy), cell_m=25, bandwidth_m=width)
    truth = sum(by_hand(xy[[i]], surface, h) for i, h in enumerate(width))
    assert abs(surface.values - truth).max() < 0.001 * truth.max()


CITY = gpd.GeoDataFrame(geometry=[shapely.box(EAST, NORTH, EAST + 100, NORTH + 100)], crs=4547)


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"kernel": "box"}, InputError, "no kernel 'box'"),
        ({"bandwidth_m": pd.Series([300.0], index=[7])}, IndexMismatchError, "1 bandwidths are not indexed"),
        ({"bandwidth_m": pd.Series([np.nan])}, InputError, "bandwidth nan m"),
        ({"weights": pd.Series([-1.0])}, InputError, "1 of 1 weights are no count"),
        ({"weights": pd.Series([1.0], index=[7])}, IndexMismatchError, "1 weights are not indexed"),
        ({"within": CITY.to_crs(4548)}, CrsError, "'within' is in EPSG:4548"),
        ({"within": CITY.to_crs(4490)}, CrsError, "needs metres but 'within'"),
        ({"within": CITY.assign(geometry=CITY.boundary)}, InputError, "none with an area"),
        ({"within": CITY.buffer(-49).to_frame("geometry")}, InputError, "no cell of 50 m has its centre"),
    ],
)  # fmt: skip
def test_refuses_what_shapes_the_kernel(options, error, says):
    with pytest.raises(error, match=says):
        kernel_density(ONE, **{"cell_m": 50, "bandwidth_m": 300, **options})
