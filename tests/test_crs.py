"""Metres are demanded where metres matter, and no CRS is guessed."""

import geopandas as gpd
import pytest
from pyproj import CRS
from shapely import Point

from gisgrid.crs import is_metric, local_metric_crs, parse_crs, require_crs, require_metres
from gisgrid.errors import CrsError


def at(lon, lat, crs=4326):
    return gpd.GeoDataFrame(geometry=[Point(lon, lat)], crs=crs)


@pytest.mark.parametrize(
    ("lon", "meridian"), [(114.0, 114), (112.6, 114), (112.4, 111), (74.0, 75), (134.9, 135)]
)
def test_in_china_the_zone_is_that_of_the_nearest_third_meridian(lon, meridian):
    crs = local_metric_crs(at(lon, 35.0, crs=4490))
    assert f"CM {meridian}E" in crs.name
    assert "CGCS2000 / 3-degree" in crs.name
    assert is_metric(crs)


@pytest.mark.parametrize(("lon", "lat", "epsg"), [(-87.6, 41.8, 32616), (18.4, -33.9, 32734)])
def test_elsewhere_it_is_the_utm_zone(lon, lat, epsg):
    assert local_metric_crs(at(lon, lat)).to_epsg() == epsg


def test_a_hundred_metres_are_a_hundred_metres_there():
    ends = gpd.GeoSeries([Point(114, 35.2), Point(114, 35.2 + 100 / 110_950)], crs=4326)
    first, second = ends.to_crs(local_metric_crs(at(114, 35.2)))
    assert first.distance(second) == pytest.approx(100, abs=0.1)


@pytest.mark.parametrize(
    ("crs", "found"), [(4490, "degree"), (3435, "US survey foot"), (3857, "EPSG:3857")]
)
def test_degrees_feet_and_web_mercator_are_no_metres(crs, found):
    with pytest.raises(
        CrsError, match=rf"density needs metres but 'issues' is in .*{found}.*local_metric_crs"
    ):
        require_metres(at(0, 0, crs=crs), what="density", name="issues")
    assert require_metres(at(5e5, 3.9e6, crs=4547), what="density", name="issues").to_epsg() == 4547


def test_a_frame_without_a_crs_is_refused_with_the_way_to_state_it():
    with pytest.raises(CrsError, match=r"'units' has no coordinate reference system.*--units-crs"):
        require_crs(gpd.GeoDataFrame(geometry=[Point(1, 1)]), name="units")


@pytest.mark.parametrize("empty", [[], [None], [Point()]])
def test_a_place_without_coordinates_has_no_local_crs(empty):
    with pytest.raises(CrsError, match="at least one geometry with coordinates"):
        local_metric_crs(gpd.GeoDataFrame(geometry=empty, crs=4326))


def test_a_crs_is_read_as_users_write_it():
    assert parse_crs("4547") == parse_crs(4547) == parse_crs("EPSG:4547") == CRS(4547)
    with pytest.raises(CrsError, match=r"--units-crs 'EPSG:99' is not .*EPSG:4547"):
        parse_crs("EPSG:99", name="--units-crs")
