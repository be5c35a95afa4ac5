"""Gaps, overlaps and slivers between units, asked of awkward shapes."""

import struct

import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely import LineString, MultiPolygon, Point, Polygon, box

from gisgrid.grids.validation.faults import (
    clean_polygons,
    measured,
    polygon_parts,
    quoted,
    wider_than,
)
from gisgrid.grids.validation.levels import code_text, made_levels
from gisgrid.grids.validation.rings import open_rings
from gisgrid.grids.validation.rules import Limits
from gisgrid.grids.validation.topology import coverage_faults, holes_of, topology

AWKWARD = {
    "nothing": None,
    "empty": Polygon(),
    "point": Point(1, 1),
    "line": LineString([(0, 0), (1, 1)]),
    "collection": shapely.GeometryCollection([box(20, 0, 30, 10), LineString([(20, 0), (40, 0)])]),
    "bow tie": Polygon([(40, 0), (50, 10), (50, 0), (40, 10)]),
    "collapsed": Polygon([(60, 0), (70, 0), (60, 0)]),
    "z": shapely.force_3d(box(80, 0, 90, 10), 3.0),
    "two parts": MultiPolygon([box(100, 0, 110, 10), box(120, 0, 130, 10)]),
    "hole": box(140, 0, 150, 10).difference(box(142, 2, 148, 8)),
}


def faults(shapes, **limits):
    frame = gpd.GeoDataFrame(
        {"code": [str(n) for n in range(len(shapes))]}, geometry=list(shapes), crs=4547
    )
    (level,), _ = made_levels({"units": frame}, {"units": "code"})
    found = coverage_faults(level, topology(level), limits=Limits(**limits))
    return [(fault.rule, fault.unit, *fault.others, round(fault.size, 6)) for fault in found]


def test_awkward_shapes_have_their_area_and_no_other():
    shapes = np.array(list(AWKWARD.values()), dtype=object)
    clean = dict(zip(AWKWARD, clean_polygons(shapes), strict=True))
    assert {name: shape.area for name, shape in clean.items()} == {
        "nothing": 0, "empty": 0, "point": 0, "line": 0, "collection": 100, "bow tie": 50, "collapsed": 0, "z": 100,
        "two parts": 200, "hole": 64,
    }  # fmt: skip
    assert all(shapely.is_valid(list(clean.values())))
    assert not any(shapely.has_z(list(clean.values())))
    _, owner = polygon_parts(shapes)
    assert owner.tolist() == [4, 5, 6, 7, 8, 8, 9]
    assert faults(AWKWARD.values()) == [("gap", "9", 36.0)]


def test_a_coverage_has_no_faults():
    assert faults([box(0, 0, 10, 10), box(10, 0, 20, 10)]) == []
    assert faults([box(0, 0, 10, 10)]) == []


def test_a_unit_on_top_of_another_overlaps_it_even_where_no_edges_meet():
    assert faults([box(0, 0, 100, 100), box(40, 40, 50, 50)]) == [("overlap", "0", "1", 100.0)]


def test_units_drawn_twice_or_thrice_overlap_though_all_their_edges_match():
    same = [box(0, 0, 10, 10)] * 3
    assert faults(same) == [
        ("overlap", "0", "1", 100.0),
        ("overlap", "0", "2", 100.0),
        ("overlap", "1", "2", 100.0),
    ]


def test_width_tells_a_sliver_from_a_gap_and_rounding_from_both():
    for width, expected in ((2.0, "gap"), (0.5, "sliver"), (0.005, None)):
        ring = box(-50, -50, 150, 150).difference(box(0, 0, 100, 100))
        found = [rule for rule, *_ in faults([ring, box(0, 0, 100, 100 - width)])]
        assert found == ([expected] if expected else ["unmatched_edges"])


def test_an_overlap_that_is_wide_and_narrow_is_told_once_of_each():
    zigzag = Polygon(
        [(10, 0), (20, 0), (20, 100), (10, 100), (9.5, 90), (10, 80), (10, 40), (2, 30), (10, 20)]
    )
    assert faults([box(0, 0, 10, 100), zigzag]) == [
        ("overlap", "0", "1", 80.0),
        ("sliver", "0", "1", 5.0),
    ]


def test_the_land_in_a_gap_is_no_gap():
    ring = box(0, 0, 100, 100).difference(box(20, 20, 80, 80))
    island = box(40, 40, 60, 60)
    (gap,) = holes_of(shapely.union_all([ring, island]))
    assert gap.area == 3600 - 400
    assert faults([ring, island]) == [("gap", "0", "1", 3200.0)]


def test_a_hair_of_rounding_does_not_make_a_wide_place_narrow():
    hairy = Polygon([(0, 0), (10, 0), (10, 10), (10 + 1e-9, 5_000), (10, 10 + 1e-9), (0, 10)])
    assert wider_than(np.array([hairy]), 5.0).all()
    assert not wider_than(np.array([Polygon()], dtype=object), 0.1).any()


def test_open_rings_are_seen_in_the_bytes_of_every_dialect():
    square = np.array([(0, 0, 5), (10, 0, 5), (10, 10, 5), (0, 7, 5)], dtype=float)
    little = struct.pack("<BIII", 1, 3, 1, 4) + square[:, :2].astype("<f8").tobytes()
    big = struct.pack(">BIII", 0, 3, 1, 4) + square[:, :2].astype(">f8").tobytes()
    iso_z = struct.pack("<BIII", 1, 1003, 1, 4) + square.astype("<f8").tobytes()
    extended = struct.pack("<BIIII", 1, 0xA0000003, 4547, 1, 4) + square.astype("<f8").tobytes()
    multi = struct.pack("<BII", 1, 6, 2) + shapely.to_wkb(box(0, 0, 1, 1)) + little
    blobs = [
        little,
        big,
        iso_z,
        extended,
        multi,
        shapely.to_wkb(Point(0, 0)),
        None,
        shapely.to_wkb(box(0, 0, 1, 1)),
    ]
    rings = open_rings(blobs)
    assert rings["row"].to_list() == [0, 1, 2, 3, 4]
    assert rings["ring"].to_list() == [0, 0, 0, 0, 1]
    assert (rings["gap"] == 7).all()


@pytest.mark.parametrize(
    ("metres", "squared", "words"),
    [
        (0.00123, True, "0.0012 m²"),
        (99.96, False, "100 m"),
        (1e8, True, "100 km²"),
        (5_000, False, "5,000 m"),
    ],
)
def test_sizes_have_the_digits_that_mean_something(metres, squared, words):
    assert measured(metres, squared=squared) == words


def test_names_in_sentences():
    assert quoted(["a", "b", "c", "d"]).en == "'a', 'b', 'c' and 1 other"
    assert quoted(["a", "b", "c", "d"]).zh == "“a”、“b”、“c”等4个单元"
    assert code_text(gpd.pd.Series([1, 2])).tolist() == ["1", "2"]
