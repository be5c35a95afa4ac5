"""Where the rows are: numbers and geometries as people write them."""

import numpy as np
import pyarrow as pa
import pytest
import shapely

from gisgrid.datum import Datum
from gisgrid.intake.pipeline.output import point_wkb
from gisgrid.intake.places.usable import PLACE_REASONS, numbers, read_places, to_lonlat


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("113.5", 113.5), (" 113.5 ", 113.5), ("1.135e2", 113.5), ("-87.6", -87.6), (".5", 0.5), ("１１３．５", 113.5),
        ("113,5", 113.5), ("113.5°", 113.5), ("113°30′", 113.5), ("113°30′00″E", 113.5), ("东 113度30分", 113.5),
        ("87°36'W", -87.6), ("S12°30'", -12.5), ("113:30:00", 113.5), ("31.25N", 31.25), ("", np.nan), ("不详", np.nan),
        ("113 30", np.nan), ("1,135,000", np.nan), ("inf", np.nan), ("nan", np.nan),
    ],
)  # fmt: skip
def test_numbers_are_read_as_people_write_them(text, number):
    values, missing = numbers(pa.array([text, "1"]))
    assert np.allclose(values, [number, 1.0], equal_nan=True)
    assert missing.tolist() == [text == "", False]


@pytest.mark.parametrize(
    ("column", "values", "missing"),
    [
        (pa.array([1, None]), [1.0, np.nan], [False, True]),
        (pa.array([1.5, float("nan")]), [1.5, np.nan], [False, True]),
        (pa.array([True, None]), [np.nan, np.nan], [False, True]),
        (pa.array([None, None], pa.null()), [np.nan, np.nan], [True, True]),
        (pa.array([], pa.string()), [], []),
    ],
)
def test_typed_columns_are_numbers_already(column, values, missing):
    found, gone = numbers(column)
    assert np.allclose(found, values, equal_nan=True)
    assert gone.tolist() == missing


def reasons(places):
    return [PLACE_REASONS[number] for number in places.reason]


def test_two_numbers_in_one_text_are_read():
    table = pa.table(
        {"坐标": ["113.5,35.2", "(41.9, -87.6)", "[113.5 35.2]", "113.5，35.2", "x", "", None]}
    )
    places = read_places(table, None, kind="lonlat", columns=("坐标",))
    assert places.x[:4].tolist() == [113.5, 41.9, 113.5, 113.5]
    assert places.y[:4].tolist() == [35.2, -87.6, 35.2, 35.2]
    assert reasons(places) == ["", "", "", "", "unreadable_place", "no_place", "no_place"]


def test_geometry_as_text_is_read_in_all_its_forms():
    table = pa.table({"geom": [
        "POINT (1 2)", shapely.Point(1, 2).wkb_hex, '{"type": "Point", "coordinates": [1, 2]}', "MULTIPOINT ((1 2))",
        "POINT Z (1 2 3)", "POLYGON ((0 0, 1 0, 1 1, 0 0))", "LINESTRING (0 0, 1 1)", "POINT EMPTY", "junk", "", None,
    ]})  # fmt: skip
    places = read_places(table, None, kind="shape_text", columns=("geom",))
    assert places.x[:5].tolist() == [1] * 5
    assert reasons(places) == [
        *[""] * 5, "not_a_point", "not_a_point", "no_place", "unreadable_place", "no_place", "no_place",
    ]  # fmt: skip


def test_plain_points_and_odd_ones_give_the_same():
    plain = point_wkb(np.array([1.0, 0.0, 3.0]), np.array([2.0, 0.0, 4.0]))
    odd = pa.array(
        [shapely.to_wkb(shapely.Point(xy), byte_order=0) for xy in ((1, 2), (0, 0), (3, 4))]
    )
    for wkb in (plain, odd, plain.cast(pa.large_binary())):
        places = read_places(pa.table({"a": [1, 2, 3]}), wkb, kind="geometry", columns=())
        assert places.x.tolist() == [1, 0, 3]
        assert reasons(places) == ["", "zero_place", ""]
    sliced = read_places(pa.table({"a": [1]}), plain[2:], kind="geometry", columns=())
    assert (sliced.x.tolist(), sliced.y.tolist()) == ([3], [4])


def test_shapely_s_gallery_survives_as_wkb():
    shapes = [
        None,
        shapely.Point(),
        shapely.Point(1, 2),
        shapely.box(0, 0, 1, 1),
        shapely.GeometryCollection(),
    ]
    wkb = pa.array(shapely.to_wkb(np.array(shapes)), pa.binary())
    places = read_places(pa.table({"a": range(5)}), wkb, kind="geometry", columns=())
    assert reasons(places) == ["no_place", "no_place", "", "not_a_point", "no_place"]


@pytest.mark.parametrize(
    ("datum", "x", "y", "reason"),
    [
        ("wgs84", 113.5, 95.0, "lat_range"),
        ("wgs84", 200.0, 35.0, "lon_range"),
        ("wgs84:swapped", 35.0, 113.5, ""),
        ("wgs84:swapped", 113.5, 35.0, "lat_range"),
        ("EPSG:4547", 500_000.0, 3_900_000.0, ""),
        ("EPSG:4547", 1e30, 1e30, "outside_crs"),
        ("wgs84:e6", 113_500_000.0, 35_200_000.0, ""),
    ],
)
def test_what_is_no_place_in_its_datum_is_refused(datum, x, y, reason):
    table = pa.table({"x": [x], "y": [y]})
    places = read_places(table, None, kind="pair", columns=("x", "y"))
    lon, lat, judged = to_lonlat(places, Datum.parse(datum))
    assert reasons(judged) == [reason]
    assert np.isfinite([lon[0], lat[0]]).all() == (reason == "")
