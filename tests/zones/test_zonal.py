"""Statistics of areas: a published table, exact shares by hand, and values that mean nothing."""

import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import rasterio
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Point, Polygon, box
from shapely.affinity import rotate

from gisgrid.errors import CrsError, InputError
from gisgrid.files import write_surface
from gisgrid.surface import Surface
from gisgrid.zones import SuspectNodataWarning, class_shares, zonal_statistics

CRS = "EPSG:4547"


def surface(values, cell=10.0):
    values = np.asarray(values, np.float32)
    return Surface(values, Affine(cell, 0, 0, 0, -cell, cell * len(values)), pyproj.CRS(CRS), "m")


def areas(*shapes, crs=CRS):
    return gpd.GeoDataFrame(geometry=list(shapes), crs=crs)


@pytest.mark.data
def test_the_published_means_of_new_york_are_met(shared_data):
    folder = shared_data / "nyc-raster"
    tracts = gpd.read_parquet(folder / "nyc_tracts_2020_zonal.parquet")
    with pytest.warns(SuspectNodataWarning, match=r"250 stands alone \(4\.7% .*nodata=250"):
        found = zonal_statistics(tracts, folder / "nyc_impervious_2024.tif", rule="centre")
    assert np.abs(found["mean"] - tracts["PCT_IMPERVIOUS"]).max() == 0
    assert found["mean"].mean() == pytest.approx(73.1269, abs=5e-5)
    honoured = zonal_statistics(tracts, folder / "nyc_impervious_2024.tif", nodata=250)
    assert honoured["mean"].max() <= 100
    assert np.abs(honoured["mean"] - found["mean"]).median() < 1


def test_shares_are_exact():
    grid = surface([[1, 2], [3, np.nan]])
    found = zonal_statistics(
        areas(box(5, 5, 15, 15), box(0, 0, 20, 20), box(100, 100, 110, 110)),
        grid,
        statistics=("mean", "sum", "min", "max", "variety"),
    )
    assert found.loc[0].tolist() == pytest.approx([2, 1.5, 1, 3, 3, 0.75, 0.75])
    assert found.loc[1, ["mean", "sum", "n_cells", "share_known"]].tolist() == [2, 6, 3, 0.75]
    assert found.loc[2, ["mean", "sum", "min"]].isna().all()
    assert found.loc[2, "n_cells"] == 0


def test_centres_count_whole():
    grid = surface([[1, 2], [3, np.nan]])
    found = zonal_statistics(
        areas(box(0, 0, 14, 20), box(4, 4, 6, 6), box(100, 100, 110, 110)),
        grid,
        rule="centre",
        statistics=("mean", "median", "majority", "stdev"),
    )
    assert found.loc[0, ["mean", "n_cells"]].tolist() == [2, 2]
    assert found.loc[1, ["mean", "median", "majority", "stdev"]].tolist() == [3, 3, 3, 0]
    assert found.loc[2, "n_cells"] == 0


@settings(derandomize=True, max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**31), angle=st.floats(0, 90), width=st.floats(3, 150))
def test_the_sum_of_ones_is_the_area(seed, angle, width):
    x, y = np.random.default_rng(seed).uniform(150, 250, 2)
    shape = rotate(box(x - width / 2, y - 20, x + width / 2, y + 20), angle)
    ones = surface(np.ones((40, 40)))
    found = zonal_statistics(areas(shape), ones, statistics=("sum", "mean"))
    assert found["sum"][0] * 100 == pytest.approx(shape.area, rel=1e-5)
    assert found["mean"][0] == pytest.approx(1)
    assert found["share_known"][0] == pytest.approx(1, abs=1e-5)


def test_corners_that_stand_twice_do_no_harm():
    # exactextract 0.3 ends the process on some of them; what is handed to it must have none
    twice = Polygon([(5, 5), (5, 5), (15, 5), (15, 15), (15, 15), (5, 15), (5, 5), (5, 5)])
    found = zonal_statistics(areas(twice), surface([[1, 2], [3, 4]]), statistics=("sum",))
    assert found["sum"].tolist() == [2.5]
    assert class_shares(areas(twice), surface([[1, 1], [1, 1]]))["total"].tolist() == [1]


def test_parts_add_up_to_the_whole():
    rng = np.random.default_rng(2)
    grid = surface(rng.random((20, 20)))
    left, right = box(13, 7, 77.7, 155), box(77.7, 7, 180, 155)
    found = zonal_statistics(areas(left, right, left | right), grid, statistics=("sum",))["sum"]
    assert found[0] + found[1] == pytest.approx(found[2], rel=1e-6)


def test_classes_are_shared_out_by_people_or_ground():
    classes, people = surface([[30, 11], [30, np.nan]]), surface([[10, 30], [0, 5]])
    shapes = areas(box(0, 0, 20, 20), box(200, 200, 210, 210))
    by_people = class_shares(shapes, classes, weights=people)
    assert by_people.loc[0].tolist() == [0.75, 0.25, 40]
    assert by_people.loc[1, [11, 30]].isna().all()
    assert class_shares(shapes, classes).loc[0].round(4).tolist() == [0.3333, 0.6667, 3]


def test_what_is_no_area_no_statistic_and_no_raster_is_refused(tmp_path):
    grid = surface([[1]])
    with pytest.raises(InputError, match="holds Points and only polygons"):
        zonal_statistics(areas(Point(0, 0)), grid)
    bow = Polygon([(0, 0), (9, 9), (9, 0), (0, 9)])
    for ask in (zonal_statistics, class_shares):
        with pytest.raises(
            InputError, match=r"1 of 2 areas cross themselves \(first: 1\).*make_valid"
        ):
            ask(areas(box(0, 0, 1, 1), bow), grid)
    with pytest.raises(InputError, match="no statistic 'average'; there are mean"):
        zonal_statistics(areas(box(0, 0, 1, 1)), grid, statistics=("average",))
    with pytest.raises(InputError, match="no rule 'touch'"):
        zonal_statistics(areas(box(0, 0, 1, 1)), grid, rule="touch")
    with pytest.raises(CrsError, match="areas"):
        zonal_statistics(areas(box(0, 0, 1, 1), crs=None), grid)
    with pytest.raises(InputError, match="cannot be read as a raster"):
        zonal_statistics(areas(box(0, 0, 1, 1)), tmp_path / "nowhere.tif")


def test_a_value_that_is_declared_is_not_suspected(tmp_path):
    values = np.tile(np.arange(100, dtype=np.uint8), (50, 1))
    values[:, :5] = 255
    path = tmp_path / "a.tif"
    with rasterio.open(
        path, "w", driver="GTiff", height=50, width=100, count=1, dtype="uint8", crs=CRS, nodata=255,
        transform=Affine(10, 0, 0, 0, -10, 500),
    ) as file:  # fmt: skip
        file.write(values, 1)
    found = zonal_statistics(areas(box(0, 0, 1000, 500)), path, statistics=("max",))
    assert found["max"][0] == 99
    assert found["share_known"][0] == pytest.approx(0.95)


# --- at an address ------------------------------------------------------------------------------------------------


@pytest.fixture
def address(tmp_path, monkeypatch):
    monkeypatch.setenv("GDAL_HTTP_TIMEOUT", "20")
    script = Path(__file__).with_name("serving.py")
    with subprocess.Popen(
        [sys.executable, script, tmp_path], stdout=subprocess.PIPE, text=True
    ) as server:
        yield f"http://127.0.0.1:{server.stdout.readline().strip()}"
        server.terminate()


def test_a_raster_at_an_address_is_read_in_parts(tmp_path, address):
    rng = np.random.default_rng(3)
    write_surface(surface(rng.random((2000, 2000))), tmp_path / "cog.tif")
    there = areas(box(13, 7, 777, 1555), box(3000, 3000, 3300, 3100))
    ask = {"statistics": ("sum", "mean", "max")}
    found = zonal_statistics(there, f"{address}/cog.tif", **ask)
    pd.testing.assert_frame_equal(found, zonal_statistics(there, tmp_path / "cog.tif", **ask))
    read = sum(map(int, (tmp_path / "asked.txt").read_text().split()))
    assert 0 < read < (tmp_path / "cog.tif").stat().st_size / 2
    with pytest.raises(InputError, match="cannot be read as a raster"):
        zonal_statistics(there, f"{address}/nowhere.tif")
