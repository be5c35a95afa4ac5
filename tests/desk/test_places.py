"""A place is in the unit that every other count puts it in."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from gisgrid.catalogue import Catalogue
from gisgrid.desk import Ground
from gisgrid.desk.places import grid_layers, metres_between
from gisgrid.errors import InputError
from gisgrid.join import assign_units


@pytest.fixture
def ground(catalogue, store):
    return Ground.of(catalogue, store)


def test_the_levels_are_the_areas_that_lie_in_one_another(catalogue):
    assert [layer.id for layer in grid_layers(catalogue)] == [
        "compounds",
        "communities",
        "subdistricts",
    ]


def test_a_place_has_its_units_and_their_names(ground, lonlat):
    place = ground.locate(*lonlat(50, 250))
    assert place.unit_code == "419801001001002"
    assert (place.community_code, place.subdistrict_code) == ("419801001001", "419801001")
    assert place.names == {
        "unit": "小区419801001001002",
        "community": "社区419801001001",
        "subdistrict": "街道419801001",
    }
    assert place.names_en["subdistrict"] == "Unit 419801001"
    assert not place.outside
    assert ground.about(place)["population"] == 100


def test_outside_there_is_no_unit(ground, lonlat):
    for lon, lat in (lonlat(-1, 10), (0.0, 0.0), (180.0, -90.0)):
        place = ground.locate(lon, lat)
        assert place.outside
        assert place.unit_code is place.community_code is place.subdistrict_code is None
        assert ground.about(place) == {}


def test_it_agrees_with_the_join_everywhere(ground, store, catalogue, lonlat):
    rng = np.random.default_rng(3)
    spots = np.array([lonlat(*rng.uniform(-50, 850, 2)) for _ in range(300)])
    frame = gpd.GeoDataFrame(geometry=shapely.points(spots), crs=4326)
    units = store.read(catalogue["compounds"])
    expected = assign_units(frame.to_crs(units.crs), {"compound_code": units})["compound_code"]
    found = [ground.locate(*spot).unit_code for spot in spots.tolist()]
    assert found == [None if code is None or pd.isna(code) else code for code in expected]
    assert found.count(None) > 10


def test_a_catalogue_without_areas_has_no_grid(catalogue, store):
    bare = Catalogue(catalogue.about, (catalogue["cases"],), None)
    with pytest.raises(InputError, match="cases need a grid"):
        Ground.of(bare, store)


def test_metres_are_metres(lonlat):
    lon, lat = lonlat(0, 0)
    lons, lats = np.array([lonlat(300, 400), lonlat(0, 0)]).T
    assert metres_between(lon, lat, lons, lats) == pytest.approx([500, 0], rel=0.005)
