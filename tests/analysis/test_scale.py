import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from gisgrid.analysis import (
    distance_band,
    incremental_autocorrelation,
    locational_outliers,
    moran,
    suggested_cell_m,
    suggested_distance_m,
)
from gisgrid.errors import CrsError, InputError, NullResultWarning


def points(xy):
    return gpd.GeoDataFrame(geometry=gpd.points_from_xy(*np.asarray(xy, float).T), crs=4547)


def cells(side, width=200.0):
    y, x = np.divmod(np.arange(side * side), side)
    boxes = shapely.box(x * width, y * width, (x + 1) * width, (y + 1) * width)
    return gpd.GeoDataFrame({"cell": np.arange(side * side)}, geometry=boxes, crs=4547)


@pytest.fixture(scope="module")
def blobs():
    """Counts on 40 × 40 cells of 200 m that gather in blobs of about a kilometre."""
    rng = np.random.default_rng(2)
    units = cells(40)
    centre = shapely.get_coordinates(shapely.centroid(units.geometry.to_numpy()))
    rate = np.full(len(units), 4.0)
    for middle in rng.uniform(1_000, 7_000, (6, 2)):
        rate += 30 * np.exp(-((centre - middle) ** 2).sum(axis=1) / (2 * 500**2))
    return units, pd.Series(rng.poisson(rate).astype(float))


def test_each_distance_is_moran_s(blobs):
    units, values = blobs
    table = incremental_autocorrelation(values, units.geometry, n_steps=6)
    assert list(table["distance_m"]) == pytest.approx([200.0 * i for i in range(1, 7)])
    for row in table.itertuples():
        graph = distance_band(units, key="cell", distance_m=row.distance_m)
        whole = moran(values, graph)
        assert (row.i, row.z) == pytest.approx((whole.value, whole.z), rel=1e-9)
        assert row.n_pairs == graph.n_edges / 2


def test_the_scale_of_the_blobs_is_found(blobs):
    units, values = blobs
    choice = suggested_distance_m(values, units.geometry)
    assert 400 <= choice.value <= 2_000
    assert "Moran z" in choice.why.en


def test_without_a_peak_the_nearest_units_decide():
    units = cells(12)
    noise = pd.Series(np.random.default_rng(5).poisson(5, 144).astype(float))
    slope = pd.Series(units.geometry.centroid.x + noise)
    choice = suggested_distance_m(slope, units.geometry)
    assert choice.value > 0
    flat = incremental_autocorrelation(slope, units.geometry)
    assert len(flat) == 30


def test_a_lonely_report_is_left_out_and_a_lonely_pile_is_not():
    rng = np.random.default_rng(1)
    xy = np.r_[rng.uniform(0, 2_000, (300, 2)), [[9e4, 9e4]], [[5e4, 5e4]] * 4]
    found, choice = locational_outliers(points(xy))
    assert list(np.flatnonzero(found)) == [300]
    assert choice.value == 1
    assert choice.why.en.startswith("1 reports lie over")


def test_cells_hold_about_ten_reports():
    xy = np.random.default_rng(1).uniform(0, 10_000, (5_000, 2))
    choice = suggested_cell_m(points(xy), area_km2=100)
    per_cell = 5_000 * (choice.value / 10_000) ** 2
    assert 10 <= per_cell <= 11
    assert suggested_cell_m(points(xy * 2), area_km2=400).value == pytest.approx(
        2 * choice.value, rel=0.03
    )


def test_no_scale_is_said():
    units = cells(6)
    with pytest.warns(NullResultWarning, match="every value is the same"):
        table = incremental_autocorrelation(pd.Series(np.ones(36)), units.geometry)
    assert len(table) == 0
    with pytest.raises(InputError, match="4 units with a value"):
        suggested_distance_m(pd.Series([1.0, 2, 3, 4]), units.geometry[:4])
    with pytest.raises(InputError, match="do not suggest a cell"):
        suggested_cell_m(points(np.ones((50, 2))), area_km2=1)
    with pytest.raises(CrsError):
        locational_outliers(points(np.ones((5, 2))).set_crs(4326, allow_override=True))
