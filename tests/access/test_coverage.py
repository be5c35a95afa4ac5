"""Who reaches what the standards demand: by hand, unit by unit, and where nothing is known."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from gisgrid.access import (
    coverage,
    facility_density,
    left_out,
    most_helped,
    read_standards,
    renewal_gaps,
    unserved_runs,
    walking_network,
)
from gisgrid.errors import ColumnError, InputError

STREET = gpd.GeoDataFrame(
    {"name": ["东街"]}, geometry=[shapely.LineString([(0, 0), (2000, 0)])], crs=4547
)
HOMES = gpd.GeoDataFrame(
    {"people": [100.0, 50, 30, 20]},
    index=list("abcd"),
    geometry=gpd.points_from_xy([100, 350, 900, 1000], [0, 0, 0, 900]),
    crs=4547,
)
FACILITIES = gpd.GeoDataFrame(
    {"kind": ["public_toilet", "wet_market", "public_toilet"]},
    geometry=gpd.points_from_xy([0, 1000, 350], [0, 0, 250]),
    crs=4547,
)
NETWORK = walking_network(STREET)
STANDARDS = read_standards()


def asked(*names):
    return coverage(
        HOMES, FACILITIES, [STANDARDS[name] for name in names], NETWORK, residents="people", off_street_m=300
    )  # fmt: skip


def test_a_radius_is_straight_and_a_walk_is_not():
    radius, walk = asked("toilet_300"), asked("toilet_walk_300")
    assert radius["reached"].tolist() == [True, True, False, False]
    assert walk["reached"].tolist() == [True, True, False, False]
    assert walk["distance_m"].tolist()[:3] == [100, 250, 800]
    assert np.isnan(walk["distance_m"].iloc[3])  # 900 m from every street
    assert radius["distance_m"].iloc[1] == 250
    assert walk["facility"].tolist()[:3] == [0, 2, 2]
    assert radius["left_out"].tolist() == [0, 0, 30, 20]


def test_minutes_are_walked_at_the_network_s_speed():
    found = asked("market_8")
    assert found["minutes"].tolist()[:3] == pytest.approx([900 / 75, 650 / 75, 100 / 75])
    assert found["reached"].tolist() == [False, False, True, False]


def test_a_kind_that_is_not_in_the_data_leaves_nobody_out():
    found = asked("culture_1000")
    assert found["reached"].isna().all()
    assert found["left_out"].sum() == 0
    assert most_helped(found, STANDARDS.standard).empty


def test_units_add_up_and_standards_are_ranked():
    found = asked("toilet_300", "market_8", "culture_1000")
    units = pd.Series({"a": "U1", "b": "U1", "c": "U2", "d": None})
    table = left_out(found, units)
    toilet = table.xs("toilet_300", level="standard")
    assert toilet["share_left_out"].tolist() == [0, 1]
    assert toilet["n_reached"].tolist() == [2, 0]
    assert toilet.loc["U1", "median_m"] == 100
    assert table.xs("culture_1000", level="standard")["share_left_out"].isna().all()
    order = most_helped(found, STANDARDS.standard)
    assert order.index.tolist() == ["market_8", "toilet_300"]
    assert order.loc["market_8", ["left_out", "near_miss"]].tolist() == [170, 150]
    with pytest.raises(InputError, match="1 places have no entry in unit_of"):
        left_out(found, units.drop("a"))


def test_toilets_per_km2_of_each_use():
    land = gpd.GeoDataFrame(
        {"land_use": ["residential", "residential", "green"]},
        geometry=[shapely.box(-500, -500, 500, 500), shapely.box(400, -500, 500, 500), shapely.box(0, 500, 100, 600)],
        crs=4547,
    )  # fmt: skip
    found = facility_density(land, FACILITIES, STANDARDS.density).set_index("land_use")
    assert found.loc["residential", ["area_km2", "n", "per_km2", "n_missing"]].tolist() == [
        1,
        2,
        2,
        1,
    ]
    assert found.loc["green", ["n", "n_missing"]].tolist() == [0, 1]
    assert not found.loc["residential", "meets"]
    assert np.isnan(found.loc["commercial", "per_km2"])


def test_runs_without_a_toilet_are_listed():
    found = unserved_runs(STREET, FACILITIES[FACILITIES["kind"] == "public_toilet"], name="name")
    assert found["length_m"].tolist() == [2000]  # one toilet stands at the end, one is 250 m away
    seen = unserved_runs(STREET, FACILITIES[FACILITIES["kind"] == "public_toilet"], beside_m=300)
    assert seen["length_m"].tolist() == [1650]
    assert seen["n_passed"].tolist() == [2]
    assert seen.geometry[0].bounds == (350, 0, 2000, 0)
    parts = gpd.GeoDataFrame(
        {"name": ["a", "a", "b"]},
        geometry=[shapely.LineString([(x, 0), (x + 400, 0)]) for x in (0, 400, 2000)],
        crs=4547,
    )
    assert unserved_runs(parts, FACILITIES.iloc[:0], name="name")["length_m"].tolist() == [800]


def test_compounds_are_taken_through_the_renewal_lists():
    compounds = HOMES.assign(
        lift=[True, False, None, False], pipes_renewed=[False, True, True, True]
    )
    found = renewal_gaps(
        compounds, FACILITIES, STANDARDS.renewal, NETWORK, residents="people", off_street_m=300
    )
    assert found["lift"].tolist()[:2] == [True, False]
    assert found["lift"].isna().tolist() == [False, False, True, False]
    assert found["parking"].isna().all()  # the compounds do not say
    assert found["culture"].isna().all()  # the facilities hold none
    assert found["market"].tolist() == [False, False, True, False]
    assert found["n_basic"].tolist() == [1, 0, 0, 0]
    assert found["need"].tolist() == [100 * (4 + 1), 50 * (2 + 1), 0, 20 * (2 + 1)]
    assert found["rank"].tolist() == [1, 2, 4, 3]


def test_what_cannot_be_asked_is_refused():
    with pytest.raises(ColumnError, match="no column 'sort' in the facilities"):
        coverage(HOMES, FACILITIES, STANDARDS.standard, NETWORK, kind="sort")
    with pytest.raises(InputError, match="no standard is given"):
        coverage(HOMES, FACILITIES, [], NETWORK)
    with pytest.raises(InputError, match="4 places have fewer than 0"):
        coverage(
            HOMES.assign(people=-1), FACILITIES, STANDARDS.standard, NETWORK, residents="people"
        )
    with pytest.raises(InputError, match="no standard 'toilet'"):
        STANDARDS["toilet"]


def test_a_city_declares_its_own_and_mistakes_are_all_said(tmp_path):
    own = tmp_path / "own.toml"
    own.write_text(
        '[[standard]]\nid = "t"\nfacility = "public_toilet"\nmeasure = "walk"\nlimit = 250\n'
        'title = { zh = "甲", en = "a" }\nbasis = { zh = "乙", en = "b" }\n',
        encoding="utf-8",
    )
    assert read_standards(own)["t"].limit == 250
    own.write_text(
        '[[standard]]\nid = "T"\nlimit = -1\n[[renewal]]\nlist = "basic"\n', encoding="utf-8"
    )
    with pytest.raises(InputError) as wrong:
        read_standards(own)
    assert str(wrong.value).count("\n") >= 4
    own.write_text("[[", encoding="utf-8")
    with pytest.raises(InputError, match="are no TOML"):
        read_standards(own)
    with pytest.raises(InputError, match="cannot be read"):
        read_standards(tmp_path / "nowhere.toml")
