"""Zones by share, and who is left out: small grounds whose answers are known, and the synthetic city."""

import geopandas as gpd
import numpy as np
import pytest
from shapely import LineString, Point, Polygon, box

from gisgrid.derived import (
    CLOSED,
    EMPTY_ZONES,
    FAR_FROM_STREETS,
    IN_NO_UNIT,
    NOT_OLD,
    facility_areas,
    old_compound_gaps,
    place_coverage,
    report_zones,
    unit_left_out,
    zone_units,
)
from gisgrid.errors import ColumnError, CrsError, InputError

CRS = "EPSG:4547"


def frame(shapes, crs=CRS, **columns):
    return gpd.GeoDataFrame(columns, geometry=list(shapes), crs=crs)


NOTHING = frame([])
UNITS = frame([box(0, 0, 100, 100), box(100, 0, 200, 100)], code=["a", "b"], population=[10, 20])


def test_a_unit_is_what_most_of_its_ground_is():
    villages, fringe = frame([box(0, 0, 70, 100)]), frame([box(60, 0, 110, 100)])
    made = zone_units(UNITS, villages, NOTHING, fringe, key="code")
    a, b = made.value.to_dict("records")
    assert a["share_urban_village"] == pytest.approx(0.7)
    assert (a["share_fringe"], a["share_rest"]) == (pytest.approx(0.4), pytest.approx(0))
    assert (a["zone_type"], a["confidence"]) == ("urban_village", pytest.approx(0.3))
    assert (b["zone_type"], b["share_suburban_village"]) == ("rest", 0)
    assert "0 of 2 units are split so evenly" in made.notes[0]


def test_a_centre_inside_is_not_most_of_the_ground():
    ring = frame([box(40, 40, 60, 60)])
    made = zone_units(UNITS, ring, NOTHING, NOTHING, key="code").value
    assert made["zone_type"].tolist() == ["rest", "rest"]


def test_zones_without_ground_and_zones_that_cross_themselves_are_counted():
    bow = Polygon([(0, 0), (100, 100), (100, 0), (0, 100)])
    made = zone_units(UNITS, frame([bow, Polygon()]), NOTHING, NOTHING, key="code")
    assert made.excluded == {EMPTY_ZONES: 1}
    assert made.value["share_urban_village"][0] == pytest.approx(0.5)
    assert any("1 zones crossed themselves" in note for note in made.notes)


def test_a_report_on_a_border_is_unsure():
    fringe = frame([box(0, 0, 100, 100)])
    reports = frame([Point(50, 50), Point(100, 50), Point(500, 500)], issue_id=["1", "2", "3"])
    made = report_zones(reports.to_crs(4490), NOTHING, NOTHING, fringe).value
    assert made["zone_type"].tolist()[::2] == ["fringe", "rest"]
    assert made["confidence"].tolist() == pytest.approx([1, 0, 1], abs=0.02)
    with pytest.raises(InputError, match="no place is known exactly"):
        report_zones(reports, NOTHING, NOTHING, fringe, error_m=0)


def test_zones_need_a_key_and_metres():
    with pytest.raises(ColumnError, match="no column 'cod'"):
        zone_units(UNITS, NOTHING, NOTHING, NOTHING, key="cod")
    with pytest.raises(CrsError, match="metres"):
        zone_units(UNITS.to_crs(4490), NOTHING, NOTHING, NOTHING, key="code")


STREETS = frame([LineString([(0, 0), (2000, 0)])])
HOMES = frame(
    [Point(100, 10), Point(900, 10), Point(1000, 900), Point(1500, 10)],
    code=["near", "far", "off", "nobody"], name_zh=["近", "远", "外", "空"], name_en=["n", "f", "o", "e"], population=[80, 20, 5, 0],
    community=["u", "u", "v", "v"], kind=["old_compound", "gated_compound", "old_compound", "old_compound"],
    built_year=np.array([1985, 2010, np.nan, 1990]), lift=[True, True, False, False],
)  # fmt: skip
TOILETS = frame(
    [Point(0, 0), Point(900, 0)], facility_id=["T1", "T2"], kind="public_toilet", status=["open", "closed"]
)  # fmt: skip


def test_a_place_reaches_what_is_open():
    made = place_coverage(HOMES, TOILETS, STREETS, key="code", standard="toilet_walk_300")
    found = made.value.set_index("code")
    assert found["access"].fillna("").to_dict() == {
        "near": "reached",
        "far": "left_out",
        "off": "left_out",
        "nobody": "",
    }
    assert found["distance_m"].round().tolist()[:2] == [110, 910]
    assert np.isnan(found.loc["off", "distance_m"])
    assert found["left_out"].tolist() == [0, 20, 5, 0]
    assert found["facility_id"].fillna("").tolist() == ["T1", "T1", "", "T1"]
    assert made.excluded == {CLOSED: 1, FAR_FROM_STREETS: 1}
    assert any("within a walk of 300 m" in note for note in made.notes)


def test_what_the_city_does_not_have_leaves_nobody_out():
    made = place_coverage(HOMES, TOILETS, STREETS, key="code", standard="market_8").value
    assert made["access"].isna().all()
    assert made["left_out"].sum() == 0


def test_units_add_up_their_places():
    units = frame(
        [box(-9, -9, 950, 99), box(950, -9, 2000, 990), box(5000, 0, 5001, 1)],
        community=["u", "v", "w"],
    )
    ask = {"key": "community", "standards": "toilet_walk_300,bus_500"}
    made = unit_left_out(units, HOMES, TOILETS, STREETS, **ask)
    u, v, w = made.value.to_dict("records")
    assert (u["n_places"], u["residents"], u["left_out_toilet_walk_300"]) == (2, 100, 20)
    assert (u["share_toilet_walk_300"], u["worst"]) == (pytest.approx(0.2), "toilet_walk_300")
    assert (v["left_out_toilet_walk_300"], v["left_out_bus_500"]) == (5, 0)
    assert np.isnan(u["share_bus_500"])
    assert (w["n_places"], w["residents"]) == (0, 0)
    assert np.isnan(w["share_toilet_walk_300"])
    by_place = unit_left_out(units, HOMES.drop(columns="community"), TOILETS, STREETS, **ask)
    assert by_place.value["left_out_toilet_walk_300"].tolist() == [20, 5, 0]
    strays = HOMES.assign(community=["u", "x", "x", "v"])
    assert unit_left_out(units, strays, TOILETS, STREETS, **ask).excluded[IN_NO_UNIT] == 2
    with pytest.raises(InputError, match="none of the 4 places lies in one of the 3 units"):
        unit_left_out(units, HOMES.assign(community="x"), TOILETS, STREETS, **ask)


def test_service_areas_have_the_longest_first():
    made = facility_areas(TOILETS, STREETS, kind="public_toilet", limits_m="300,500")
    assert made.value["limit_m"].tolist() == [500, 300]
    assert made.value["street_m"].round().tolist() == [500, 300]
    assert made.value["area_id"].is_unique
    with pytest.raises(InputError, match="give metres with a comma between"):
        facility_areas(TOILETS, STREETS, kind="public_toilet", limits_m="300 m")


def test_old_compounds_are_listed_by_need():
    made = old_compound_gaps(HOMES, TOILETS, STREETS, key="code")
    assert set(made.value["code"]) == {"near", "off", "nobody"}
    assert made.value["rank"].tolist() == [1, 2, 3]
    assert made.excluded[NOT_OLD] == 1
    assert made.value.set_index("code")["lift"].to_dict() == {
        "near": True,
        "off": False,
        "nobody": False,
    }
    assert made.value["pipes"].isna().all()
    with pytest.raises(InputError, match="was built before 1900"):
        old_compound_gaps(HOMES[:2], TOILETS, STREETS, key="code", before=1900)
