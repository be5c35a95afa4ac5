"""The shifts of Chinese maps: published vectors, round trips, and what a datum's name says."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS, Transformer

from gisgrid.datum import (
    CHINA_BOX,
    DATUMS,
    Datum,
    bd09_from_gcj02,
    bd09_from_wgs84,
    gcj02_from_bd09,
    gcj02_from_wgs84,
    wgs84_from_bd09,
    wgs84_from_gcj02,
)
from gisgrid.errors import CrsError
from gisgrid.join import assign_units

M_PER_DEG = 111_195.0
CHINA_LON, CHINA_LAT = st.floats(73.5, 135.0), st.floats(4.0, 53.5)

# latitude, longitude in WGS84 and GCJ-02, as published with the formula's implementations
GCJ02_VECTORS = [
    ((31.1774276, 121.5272106), (31.17530398364597, 121.531541859215)),
    ((22.543847, 113.912316), (22.540796131694766, 113.9171764808363)),
    ((39.911954, 116.377817), (39.91334545536069, 116.38404722455657)),
    ((39.915, 116.404), (39.91640428150164, 116.41024449916938)),
]


def distance_m(lon, lat, other_lon, other_lat):
    east = (np.asarray(lon) - other_lon) * np.cos(np.radians(lat))
    return np.hypot(east, np.asarray(lat) - other_lat) * M_PER_DEG


@pytest.mark.parametrize(("wgs84", "gcj02"), GCJ02_VECTORS)
def test_gcj02_agrees_with_the_published_vectors(wgs84, gcj02):
    lon, lat = gcj02_from_wgs84([wgs84[1]], [wgs84[0]])
    assert lon[0] == pytest.approx(gcj02[1], abs=1e-7)
    assert lat[0] == pytest.approx(gcj02[0], abs=1e-7)


def test_bd09_agrees_with_the_published_vector():
    lon, lat = bd09_from_gcj02([116.404], [39.915])
    assert (lon[0], lat[0]) == pytest.approx((116.41036949371029, 39.92133699351021), abs=1e-9)


def test_the_inverse_of_bd09_is_nearer_than_the_published_one():
    lon, lat = gcj02_from_bd09([116.404], [39.915])
    assert distance_m(lon, lat, 116.39762729119315, 39.90865673957631)[0] < 0.2
    assert np.allclose(bd09_from_gcj02(lon, lat), [[116.404], [39.915]], rtol=0, atol=1e-9)


@given(CHINA_LON, CHINA_LAT)
@settings(max_examples=200, deadline=None)
def test_there_and_back_again_within_a_fifth_of_a_millimetre(lon, lat):
    for there, back in (
        (gcj02_from_wgs84, wgs84_from_gcj02),
        (bd09_from_gcj02, gcj02_from_bd09),
        (bd09_from_wgs84, wgs84_from_bd09),
        (wgs84_from_gcj02, gcj02_from_wgs84),
        (wgs84_from_bd09, bd09_from_wgs84),
    ):
        assert distance_m(*back(*there([lon], [lat])), lon, lat)[0] < 2e-4


def test_the_shift_over_china_is_as_long_as_known():
    lon, lat = map(np.ravel, np.meshgrid(np.arange(75, 134, 0.37), np.arange(18, 53, 0.29)))
    metres = distance_m(*gcj02_from_wgs84(lon, lat), lon, lat)
    assert 20 < metres.min() < 60
    assert 600 < metres.max() < 700


def test_converting_twice_is_off_by_a_kilometre_in_shanghai():
    lon, lat = [121.4737], [31.2304]
    once = gcj02_from_wgs84(lon, lat)
    assert distance_m(*gcj02_from_wgs84(*once), lon[0], lat[0])[0] == pytest.approx(957, abs=10)


def test_nothing_is_shifted_outside_the_box_and_neighbours_inside_it_are():
    west, south, east, north = CHINA_BOX
    lon = [west - 0.01, east + 0.01, 105.0, 105.0, -87.6]
    lat = [35.0, 35.0, south - 0.01, north + 0.01, 41.8]
    for shift in (gcj02_from_wgs84, wgs84_from_gcj02):
        assert np.array_equal(shift(lon, lat), [lon, lat])
    seoul = gcj02_from_wgs84([126.98], [37.57])
    assert distance_m(*seoul, 126.98, 37.57)[0] > 100


def test_many_points_are_worked_on_as_one():
    rng = np.random.default_rng(3)
    lon, lat = rng.uniform(74, 134, 40_000), rng.uniform(5, 53, 40_000)
    whole = bd09_from_wgs84(lon, lat)
    some = np.array([0, 16_383, 16_384, 39_999])
    assert np.array_equal(bd09_from_wgs84(lon[some], lat[some]), np.array(whole)[:, some])


def test_no_number_stays_none_and_nobodys_array_is_changed():
    lon, lat = np.array([np.nan, np.inf, 116.4]), np.array([39.9, 39.9, np.nan])
    before = lon.copy(), lat.copy()
    for shift in (gcj02_from_wgs84, wgs84_from_gcj02, bd09_from_gcj02, gcj02_from_bd09):
        moved_lon, moved_lat = shift(lon, lat)
        assert np.isnan(moved_lon[0])
        assert np.isnan(moved_lat[2])
    assert np.array_equal(lon, before[0], equal_nan=True)
    assert gcj02_from_wgs84([], [])[0].shape == (0,)


@pytest.mark.parametrize("name", DATUMS)
@pytest.mark.parametrize("tail", ["", ":swapped", ":e6", ":e6:swapped"])
def test_the_name_of_a_datum_reads_back(name, tail):
    datum = Datum.parse(name + tail)
    assert datum.id == name + tail
    assert Datum.parse(datum.id.upper()) == datum
    assert datum.swapped == ("swapped" in tail)


@pytest.mark.parametrize(
    "text", ["EPSG:4547", "EPSG:3435:swapped", "EPSG:3857:gcj02", "EPSG:4528:bd09:swapped"]
)
def test_the_name_of_a_plane_reads_back(text):
    assert Datum.parse(text).id == text


@pytest.mark.parametrize(
    ("crs", "name"),
    [
        (4326, "wgs84"),
        (4979, "wgs84"),
        ("OGC:CRS84", "wgs84"),
        (4490, "cgcs2000"),
        (4269, "EPSG:4269"),
    ],
)
def test_a_geographic_crs_is_known_by_its_name(crs, name):
    assert Datum.of(CRS(crs)).id == name


@pytest.mark.parametrize("code", [2436, 2361, 4214, 4610, 4555])
def test_old_local_datums_are_refused(code):
    with pytest.raises(CrsError, match="not public"):
        Datum.parse(f"EPSG:{code}")


def test_an_old_local_datum_with_the_citys_parameters_is_taken():
    local = "+proj=tmerc +lat_0=0 +lon_0=117 +k=1 +x_0=500000 +y_0=0 +ellps=krass +towgs84=15,-100,-80,0,0,0,0 +units=m"
    lon, lat = Datum.parse(local).to_lonlat([500_000.0], [4_000_000.0])
    assert (lon[0], lat[0]) == pytest.approx((117.0, 36.13), abs=0.01)


@pytest.mark.parametrize("text", ["gcj2", "EPSG:0", "", "EPSG:5773"])
def test_an_unknown_datum_says_what_there_is(text):
    with pytest.raises(CrsError):
        Datum.parse(text)


@pytest.mark.parametrize(
    ("name", "shift"),
    [
        ("wgs84", lambda lon, lat: (lon, lat)),
        ("cgcs2000", lambda lon, lat: (lon, lat)),
        ("gcj02", gcj02_from_wgs84),
        ("bd09", bd09_from_wgs84),
        ("gcj02-twice", lambda lon, lat: gcj02_from_wgs84(*gcj02_from_wgs84(lon, lat))),
        ("wgs84-twice", wgs84_from_gcj02),
    ],
)
def test_every_datum_comes_back_to_wgs84(name, shift):
    lon, lat = np.array([116.4, 121.5]), np.array([39.9, 31.2])
    x, y = shift(lon, lat)
    assert np.allclose(Datum.parse(name).to_lonlat(x, y), [lon, lat], rtol=0, atol=1e-8)
    assert np.allclose(
        Datum.parse(f"{name}:swapped").to_lonlat(y, x), [lon, lat], rtol=0, atol=1e-8
    )
    millionths = Datum.parse(f"{name}:e6").to_lonlat(np.rint(x * 1e6), np.rint(y * 1e6))
    assert np.allclose(millionths, [lon, lat], rtol=0, atol=1e-6)


def test_a_plane_drawn_from_shifted_degrees_comes_back():
    to_mercator = Transformer.from_crs(4326, 3857, always_xy=True)
    x, y = to_mercator.transform(*gcj02_from_wgs84([116.4], [39.9]))
    lon, lat = Datum.parse("EPSG:3857:gcj02").to_lonlat(x, y)
    assert (lon[0], lat[0]) == pytest.approx((116.4, 39.9), abs=1e-8)


def test_impossible_numbers_become_none_and_others_stay():
    lon, lat = Datum.parse("wgs84").to_lonlat([200.0, 116.4, 116.4], [10.0, 95.0, 39.9])
    assert np.isnan(lon[:2]).all()
    assert np.isnan(lat[:2]).all()
    assert lon[2] == 116.4


@pytest.mark.data
def test_shanghais_pois_agree_with_their_districts_only_unshifted(shared_data):
    pois = pd.read_parquet(shared_data / "shanghai" / "shanghai_poi.parquet")
    districts = gpd.read_file(
        f"zip://{shared_data / 'shanghai' / 'shanghai_districts_gbk.shp.zip'}", encoding="gbk"
    )
    renamed = {"闸北区": "静安区", "崇明县": "崇明区"}
    districts["NAME"] = districts["NAME"].replace(renamed)

    def n_agree(lon, lat):
        points = gpd.GeoDataFrame(geometry=gpd.points_from_xy(lon, lat), crs=districts.crs)
        return int((assign_units(points, {"NAME": districts})["NAME"] == pois["adname"]).sum())

    lon, lat = pois["lon"].to_numpy(), pois["lat"].to_numpy()
    assert n_agree(lon, lat) == 47_865
    assert n_agree(*gcj02_from_wgs84(lon, lat)) == 45_726
    assert n_agree(*wgs84_from_gcj02(lon, lat)) == 45_710
