"""Official classes by code, and villages at the edge by distance or time."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import box

from gisgrid.errors import ColumnError, CrsError, IndexMismatchError, InputError
from gisgrid.zones import FRINGE_CLASSES, official_classes, suburban_villages

CODES = pd.DataFrame(
    {
        "code": ["110105001001", "110105001002", "110105001002", "110105002201"],
        "class": ["111", "112", "112", "122"],
        "name": ["东里", "西里", "西里", "南村"],
    }
)


def units(**columns):
    return gpd.GeoDataFrame(columns)


def test_communities_get_the_class_of_their_code():
    keys = ["110105001001", " 110105001002 ", "110105002201003", "110105009009", "110105001"]
    found = official_classes(units(k=keys), CODES, key="k")
    assert found["urban_rural_class"].tolist()[:3] == ["111", "112", "122"]
    assert found["urban_rural_class"].isna().tolist() == [False, False, False, True, True]
    assert found["is_fringe"].tolist() == [False, True, True, False, False]
    assert set(FRINGE_CLASSES) == {"112", "122"}


def test_names_are_compared_where_both_have_them():
    keys = ["110105001001", "110105001002", "110105009009"]
    found = official_classes(units(k=keys, name=["东里", "西里社区", "北里"]), CODES, key="k")
    assert found["name_differs"].tolist()[:2] == [False, True]
    assert pd.isna(found["name_differs"].iloc[2])


def test_a_list_that_contradicts_itself_is_refused():
    with pytest.raises(InputError, match="with more than one class"):
        official_classes(
            units(k=["1"]), pd.concat([CODES, CODES.assign(**{"class": "220"})]), key="k"
        )
    with pytest.raises(InputError, match="holds the class '999'"):
        official_classes(units(k=["1"]), CODES.assign(**{"class": "999"}), key="k")
    with pytest.raises(ColumnError, match="no column 'kk' in units"):
        official_classes(units(k=["1"]), CODES, key="kk")
    with pytest.raises(ColumnError, match="no column 'type' in codes"):
        official_classes(units(k=["1"]), CODES, key="k", urban_rural="type")


TOWN = gpd.GeoDataFrame(geometry=[box(0, 0, 1000, 1000)], crs="EPSG:4547")
VILLAGES = gpd.GeoDataFrame(
    index=list("abcd"),
    geometry=[
        box(1000, 0, 1100, 100),
        box(2500, 0, 2600, 100),
        box(5000, 0, 5100, 100),
        box(100, 100, 200, 200),
    ],
    crs="EPSG:4547",
)


def test_villages_near_the_town_are_suburban():
    found = suburban_villages(VILLAGES, TOWN, within_m=1500)
    assert found["distance_m"].tolist() == [0, 1500, 4000, 0]
    assert found["is_suburban"].tolist() == [True, True, False, False]
    assert found["by"].tolist() == ["distance", "distance", "distance", "inside"]
    by_centre = suburban_villages(VILLAGES, TOWN, within_m=1500, measured="centre")
    assert by_centre["distance_m"].tolist() == [50, 1550, 4050, 0]


def test_time_decides_where_it_is_known():
    minutes = pd.Series([40.0, 20.0, np.nan, 0.0], index=VILLAGES.index)
    found = suburban_villages(
        VILLAGES, TOWN, within_m=1500, travel_minutes=minutes, within_minutes=30
    )
    assert found["is_suburban"].tolist() == [False, True, False, False]
    assert found["by"].tolist() == ["time", "time", "distance", "inside"]


def test_villages_without_a_town_or_metres_are_refused():
    with pytest.raises(InputError, match="holds no polygon"):
        suburban_villages(VILLAGES, TOWN.iloc[:0], within_m=100)
    with pytest.raises(InputError, match="above 0"):
        suburban_villages(VILLAGES, TOWN, within_m=0)
    with pytest.raises(CrsError, match="villages"):
        suburban_villages(VILLAGES.to_crs(4490), TOWN, within_m=100)
    with pytest.raises(IndexMismatchError, match="reindex"):
        suburban_villages(
            VILLAGES, TOWN, within_m=9, travel_minutes=pd.Series([1.0]), within_minutes=3
        )
