"""How long to the town: roads whose minutes are known."""

import geopandas as gpd
import numpy as np
import pytest
from shapely import LineString, Point, Polygon, box

from gisgrid.access import minutes_to_areas, walking_network
from gisgrid.errors import CrsError, InputError


def frame(shapes, crs=4547):
    return gpd.GeoDataFrame(geometry=list(shapes), crs=crs)


TOWN = frame([box(3000, -500, 5000, 500)])
ROADS = walking_network(
    frame(
        [
            LineString([(0, 0), (4000, 0)]),
            LineString([(2000, 0), (2000, 6000)]),
            LineString([(9000, 9000), (9900, 9000)]),  # leads nowhere
        ]
    ),
    speed_kmh=6,
)


def test_minutes_are_those_of_the_way_to_the_outline():
    villages = frame(
        [Point(0, 0), Point(2000, 6000), Point(4000, 100), Point(9500, 9000), Point(0, 5000)]
    )
    found = minutes_to_areas(villages, TOWN, ROADS)
    assert found.iloc[:3].tolist() == [30.0, 70.0, 0.0]  # 3 km, 7 km, inside
    assert np.isnan(found.iloc[3:]).all()  # a road apart, and no road within 500 m
    assert found.index.equals(villages.index)
    near = minutes_to_areas(villages, TOWN, ROADS, off_street_m=5000)
    assert near.iloc[4] == (2000 + 5000 + 1000) / 100  # to the road 2 km off, down it, and along


def test_a_village_of_polygons_stands_where_a_point_inside_it_is():
    found = minutes_to_areas(frame([box(-100, -100, 100, 100)]), TOWN, ROADS)
    assert found.tolist() == [30.0]


def test_towns_that_cross_themselves_or_are_not_there():
    bow = frame([Polygon([(3000, -500), (5000, 500), (5000, -500), (3000, 500)])])
    assert minutes_to_areas(frame([Point(0, 0)]), bow, ROADS).notna().all()
    with pytest.raises(InputError, match="so nobody gets there"):
        minutes_to_areas(frame([Point(0, 0)]), frame([Polygon(), None]), ROADS)
    with pytest.raises(CrsError, match=r"areas\.to_crs"):
        minutes_to_areas(frame([Point(0, 0)]), TOWN.to_crs(4490), ROADS)
    apart = frame([box(50_000, 0, 51_000, 1000)])
    assert minutes_to_areas(frame([Point(0, 0)]), apart, ROADS).isna().all()
