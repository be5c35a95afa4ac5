"""Streets that can be walked: junctions, barriers, parts and traps."""

import geopandas as gpd
import numpy as np
import pytest
import shapely

from gisgrid.access import nearest_facilities, walking_network
from gisgrid.errors import ColumnError, CrsError, InputError


def lines(*xy, **columns):
    shapes = [shapely.LineString(each) for each in xy]
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=4547)


def test_crossing_streets_meet_and_bridges_do_not():
    streets = lines([(0, 0), (100, 0)], [(50, -50), (50, 50)], storey=[0, 1])
    assert walking_network(streets).n_nodes == 5
    over = walking_network(streets, level="storey")
    assert over.n_nodes == 4
    assert over.component.max() == 1
    assert "2 parts" in over.notes[0].en


def test_gaps_of_drawing_close():
    streets = lines([(0, 0), (100, 0)], [(100.4, 0.3), (200, 0)])
    assert walking_network(streets).component.max() == 0
    assert walking_network(streets, snap_m=0.1).component.max() == 1


def test_a_wall_cuts_streets():
    streets = lines([(0, 0), (100, 0)], [(0, 0), (0, 50), (100, 50), (100, 0)])
    wall = gpd.GeoDataFrame(geometry=[shapely.LineString([(50, -10), (50, 10)])], crs=4547)
    homes = gpd.GeoDataFrame(geometry=gpd.points_from_xy([40], [0]), crs=4547)
    shops = gpd.GeoDataFrame(geometry=gpd.points_from_xy([60], [0]), crs=4547)
    network = walking_network(streets, barriers=wall)
    assert "cut 1 streets" in network.notes[0].en
    assert set(network.segments["street"]) == {0, 1}
    found = nearest_facilities(homes, shops, network)["distance_m"][0]
    assert found == pytest.approx(280, abs=1)
    assert nearest_facilities(homes, shops, walking_network(streets))["distance_m"][0] == 20


def test_one_way_traps_are_said():
    streets = lines([(0, 0), (100, 0)], [(100, 0), (200, 0)], one=[False, True])
    network = walking_network(streets, oneway="one")
    assert len(network.notes) == 2
    assert "traps of one-way streets" in network.notes[1].en
    assert network.segments["component"].tolist() == [0, 1]


def test_minutes_follow_the_speed():
    streets = lines([(0, 0), (100, 0)])
    assert walking_network(streets).metres_per_minute == 75
    assert walking_network(streets, speed_kmh=3).metres_per_minute == 50


def test_what_cannot_be_walked_is_refused():
    streets = lines([(0, 0), (100, 0)])
    with pytest.raises(CrsError, match="streets"):
        walking_network(streets.to_crs(4490))
    with pytest.raises(InputError, match="nobody walks 60 km/h"):
        walking_network(streets, speed_kmh=60)
    with pytest.raises(ColumnError, match="no column 'onway'"):
        walking_network(streets, oneway="onway")
    with pytest.raises(CrsError, match=r"barriers\.to_crs"):
        walking_network(streets, barriers=streets.to_crs(4490))
    with (
        pytest.warns(UserWarning, match="there is no segment"),
        pytest.raises(InputError, match="so nobody can walk"),
    ):
        walking_network(streets.iloc[:0])
    assert np.isfinite(walking_network(streets).length_m).all()
