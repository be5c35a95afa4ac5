"""Which columns say where: certain, or asked for."""

import pytest
from pyproj import CRS

from gisgrid.errors import ColumnError, CrsError
from gisgrid.intake.columns import place_columns


def place(columns, *, x=None, y=None, crs=None):
    found = place_columns(columns, x=x, y=y, crs=crs and CRS(crs), source="a.csv")
    return found.kind, found.columns


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        (["编号", "经度", "纬度"], ("经度", "纬度")),
        (["lat", "lng"], ("lng", "lat")),
        (["Latitude", "LONGITUDE"], ("LONGITUDE", "Latitude")),
        (["lon", "lat", "X_Coordinate", "Y_Coordinate"], ("lon", "lat")),
        ([" 经度（°）", "纬度（°）"], (" 经度（°）", "纬度（°）")),
    ],
)
def test_longitude_and_latitude_are_known_by_name(columns, found):
    assert place(columns) == ("lonlat", found)


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        (["x", "y"], ("x", "y")),
        (["Northing", "Easting"], ("Easting", "Northing")),
        (["Latitude", "Longitude", "X Coordinate (State Plane)", "Y Coordinate (State Plane)"],
         ("X Coordinate (State Plane)", "Y Coordinate (State Plane)")),
    ],
)  # fmt: skip
def test_easting_and_northing_are_taken_where_a_projected_crs_is_stated(columns, found):
    assert place(columns, crs=2263) == ("xy", found)


def test_x_and_y_without_a_crs_are_refused():
    with pytest.raises(CrsError, match=r"'x', 'y' of 'a.csv' do not say.*--issues-crs EPSG:4547"):
        place(["x", "y"])


def test_chinese_surveyors_axes_are_not_guessed():
    with pytest.raises(
        ColumnError, match=r"no columns of 'a.csv' are easting and northing for certain"
    ):
        place(["X坐标", "Y坐标"], crs=4547)


def test_geometry_as_text_is_taken_with_a_crs():
    assert place(["id", "WKT"], crs=4490) == ("geometry", ("WKT",))


def test_several_candidates_are_listed_with_the_option():
    with pytest.raises(
        ColumnError, match=r"2 columns.*could be the longitude \('lng', 'longitude'\).*--x"
    ):
        place(["lng", "longitude", "lat"])
    with pytest.raises(ColumnError, match=r"2 choices.*'x', 'y'; 'easting', 'northing'.*--x, --y"):
        place(["x", "y", "easting", "northing"], crs=4547)


def test_named_columns_are_taken_as_they_are_named():
    assert place(["东", "北", "lon", "lat"], x="东", y="北", crs=4547) == ("xy", ("东", "北"))
    assert place(["lon", "lat", "经度", "纬度"], x="经度", y="纬度") == ("lonlat", ("经度", "纬度"))


def test_an_unknown_column_names_the_likeliest():
    with pytest.raises(
        ColumnError,
        match=r"no column 'longitud' \(--x\) among 2 columns of 'a.csv'; did you mean 'longitude'",
    ):
        place(["longitude", "latitude"], x="longitud", y="latitude")


def test_half_a_pair_is_refused():
    with pytest.raises(ColumnError, match=r"--x names a column of 'a.csv' but --y does not"):
        place(["a", "b"], x="a")


def test_named_columns_that_say_nothing_of_their_crs_are_refused():
    with pytest.raises(CrsError, match=r"'a', 'b' of 'a.csv' do not say"):
        place(["a", "b"], x="a", y="b")


@pytest.mark.parametrize("header", ["经度(GCJ-02)", "lng（百度）"])
def test_a_header_that_says_it_is_shifted_is_refused(header):
    with pytest.raises(CrsError, match="a shifted datum"):
        place([header, "纬度"])


def test_nothing_to_find_lists_what_there_is():
    with pytest.raises(
        ColumnError, match=r"longitude and latitude for certain \(there are: 编号, 地址\).*--x, --y"
    ):
        place(["编号", "地址"])
