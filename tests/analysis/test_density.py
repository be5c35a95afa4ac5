import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gisgrid.analysis import kernel_density
from gisgrid.errors import CrsError, InputError

EAST, NORTH = 500_000.0, 3_900_000.0


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
