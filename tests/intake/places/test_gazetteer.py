"""Addresses find their named place, or both when two fit, and never a guess."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Point, box

from gisgrid.errors import ColumnError, CrsError, InputError
from gisgrid.intake.places.gazetteer import locate, plain_names
from gisgrid.testing import synthetic_city


def gazetteer(rows, crs=4326):
    names, parents, points = zip(*rows, strict=True)
    return gpd.GeoDataFrame({"name": names, "within": parents}, geometry=list(points), crs=crs)


PLACES = gazetteer(
    [
        ("阳光小区", "和平社区", Point(113.20, 35.2)),
        ("人民公园", "公园社区", Point(113.21, 35.2)),
        ("解放路街道", None, Point(113.22, 35.2)),
        ("幸福里", "东社区", Point(113.23, 35.2)),
        ("幸福里", "西社区", Point(113.24, 35.2)),
        ("Lake View", None, Point(113.25, 35.2)),
        ("中山路1号", None, Point(113.26, 35.2)),
        ("阳光小区北门", None, Point(113.27, 35.2)),
    ]
)


def find(*addresses, places=PLACES, **options):
    return locate(pa.array(addresses, pa.string()), places, names=["name", "within"], **options)


@pytest.mark.parametrize(
    ("address", "place", "how"),
    [
        ("阳光小区", "阳光小区", "exact"),
        ("河南省焦作市解放区解放路街道阳光小區", "阳光小区", "exact"),
        ("焦作市解放区阳光小区3号楼2单元", "阳光小区", "contained"),
        ("阳光小区北门东侧", "阳光小区北门", "contained"),
        ("人民公園 南门", "人民公园", "contained"),
        ("和平社区门口", "阳光小区", "contained"),
        ("焦作市解放路街道", "解放路街道", "contained"),
        ("西社区幸福里2号", "幸福里", "contained"),
        ("9 ＬＡＫＥ　ＶＩＥＷ road", "Lake View", "contained"),
        ("人民路公园", "人民公园", "similar"),
    ],
)
def test_an_address_finds_its_place(address, place, how):
    row = find(address).iloc[0]
    assert (row["place"], row["how"], bool(row["ambiguous"])) == (place, how, False)
    assert row["lat"] == pytest.approx(35.2)


@pytest.mark.parametrize("address", ["中山路12号", "Lakes Viewer Hall", "无名巷", "", None, "号"])
def test_what_is_not_there_is_not_found(address):
    row = find(address).iloc[0]
    assert np.isnan(row["lon"])
    assert row["score"] == 0
    assert pd.isna(row["place"])
    assert not row["ambiguous"]


def test_a_similar_name_is_taken_only_above_the_score():
    assert find("人民公圆", similar=0.7)["place"].iloc[0] == "人民公园"
    assert pd.isna(find("人民公圆")["place"].iloc[0])
    assert pd.isna(find("人民路公园", similar=None)["place"].iloc[0])


def test_two_places_of_one_name_are_listed_and_not_guessed():
    row = find("幸福里12号").iloc[0]
    assert row["ambiguous"]
    assert np.isnan(row["lon"])
    assert pd.isna(row["place"])
    assert row["candidates"] == "幸福里 (113.230000, 35.200000); 幸福里 (113.240000, 35.200000)"


def test_the_name_of_what_it_lies_in_decides():
    assert find("西社区幸福里")["lon"].iloc[0] == pytest.approx(113.24)
    assert find("东社区幸福里")["lon"].iloc[0] == pytest.approx(113.23)


def test_two_names_at_one_spot_are_one_place():
    twins = gazetteer([("东苑", None, Point(113.2, 35.2)), ("东苑", None, Point(113.2001, 35.2))])
    row = find("东苑5号", places=twins).iloc[0]
    assert not row["ambiguous"]
    assert row["lon"] == pytest.approx(113.2)


def test_areas_stand_for_a_point_in_them_in_any_crs():
    areas = gazetteer([("东苑", None, box(500_000, 3_890_000, 500_100, 3_890_100))], crs=4547)
    row = find("东苑", places=areas).iloc[0]
    assert (row["lon"], row["lat"]) == pytest.approx((114.0005, 35.138), abs=0.01)


def test_rows_answer_in_their_order_and_alike():
    addresses = ["阳光小区1号楼", None, "人民公园", "阳光小区1号楼"]
    found = find(*addresses)
    assert list(found.index) == [0, 1, 2, 3]
    assert found.iloc[0].equals(found.iloc[3].rename(0))
    backwards = find(*addresses[::-1])
    pd.testing.assert_frame_equal(backwards[::-1].reset_index(drop=True), found)


def test_nothing_to_look_in_or_for():
    assert find().empty
    assert find("阳光小区", places=PLACES.iloc[:0])["score"].tolist() == [0.0]


def test_numbers_as_names():
    assert plain_names(pd.Series([25.0, np.nan])).tolist() == ["25", ""]
    assert plain_names(pd.Series([25, 3])).tolist() == ["25", "3"]
    assert plain_names(pd.Series(["025", "臺灣路"])).tolist() == ["025", "台湾路"]


@given(st.lists(st.text("阳光小区中山路1号ab ", max_size=8), min_size=1, max_size=8), st.data())
@settings(max_examples=60, deadline=None)
def test_the_fast_search_finds_what_a_plain_search_finds(texts, data):
    from gisgrid.intake.places.gazetteer import _occurrences

    plain = [text for text in plain_names(pd.Series(texts)) if text]
    keys = sorted({data.draw(st.text("阳光小区路", min_size=2, max_size=4)) for _ in range(4)})
    found = _occurrences(np.array(keys, dtype=object), np.array(plain, dtype=object))
    wanted = {
        (i, at, len(key), k)
        for i, text in enumerate(plain)
        for k, key in enumerate(keys)
        for at in range(len(text))
        if text.startswith(key, at)
    }
    assert set(zip(*map(np.ndarray.tolist, found), strict=True)) == wanted


def test_the_synthetic_citys_compounds_are_found_by_their_addresses():
    layers = synthetic_city(seed=1, n_issues=2_000, years=1).layers
    compounds = layers["compounds"].merge(
        layers["communities"][["community_code", "name_zh"]],
        on="community_code",
        suffixes=("", "_community"),
    )
    asked = compounds.iloc[::7]
    addresses = asked["name_zh_community"] + asked["name_zh"] + "3号楼"
    found = locate(
        pa.array(addresses.to_numpy(dtype=object), pa.string()),
        compounds,
        names=["name_zh", "name_zh_community"],
    )
    certain = found["place"].notna().to_numpy()
    assert certain.mean() > 0.9
    assert (found["place"].to_numpy() == asked["name_zh"].to_numpy())[certain].mean() > 0.99


def test_wrong_questions_are_refused():
    with pytest.raises(ColumnError, match="no column 'nam'; did you mean 'name'"):
        locate(pa.array(["x"]), PLACES, names=["nam"])
    with pytest.raises(InputError):
        locate(pa.array(["x"]), PLACES, names=[])
    with pytest.raises(InputError):
        locate(pa.array(["x"]), PLACES, names=["name"], similar=0.2)
    with pytest.raises(CrsError):
        locate(pa.array(["x"]), PLACES.set_crs(None, allow_override=True), names=["name"])
