"""Service areas: the reached metres of street, by hand and by asking for every metre."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gisgrid.access import nearest_facilities, service_areas, walking_network
from gisgrid.errors import InputError, NullResultWarning


def lines(*xy, **columns):
    shapes = [shapely.LineString(each) for each in xy]
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=4547)


def points(xy):
    return gpd.GeoDataFrame(geometry=gpd.points_from_xy(*np.transpose(xy)), crs=4547)


CROSS = lines([(0, 0), (1000, 0)], [(500, -500), (500, 500)])


def test_reach_ends_in_the_middle_of_a_street():
    found = service_areas(points([(450, 0)]), walking_network(CROSS), [300, 100], beside_m=10)
    assert found["limit_m"].tolist() == [100, 300]
    assert found["street_m"].tolist() == pytest.approx([100 + 100 + 50 + 50, 300 + 300 + 250 + 250])
    assert found.geometry[1].contains(shapely.Point(749, 0))
    assert not found.geometry[1].contains(shapely.Point(765, 0))
    assert found["facility"].isna().all()


def test_each_facility_has_what_is_nearest_to_it():
    found = service_areas(
        points([(100, 0), (400, 0), (400, 5)]), walking_network(CROSS), [200], each=True, beside_m=5
    )
    street = found.set_index("facility")["street_m"]
    assert street.loc[0] == pytest.approx(100 + 150)
    assert street.loc[1] == pytest.approx(
        150 + 200 + 200
    )  # east of the crossing 100, and 100 up and down
    assert 2 not in street.index
    assert street.iloc[0] == pytest.approx(street.iloc[1:].sum())


def test_one_way_streets_are_walked_towards_the_facility():
    ring = lines([(0, 0), (1000, 0)], one=[True])
    found = service_areas(
        points([(600, 0)]), walking_network(ring, oneway="one"), [300], beside_m=1
    )
    assert found["street_m"][0] == 300
    assert found.geometry[0].bounds[2] == pytest.approx(601, abs=0.5)


@settings(derandomize=True, max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_every_metre_inside_is_within_reach_and_no_other(seed):
    rng = np.random.default_rng(seed)
    corner = np.stack(np.meshgrid(np.arange(6), np.arange(6), indexing="ij"), -1) * 100.0
    corner = corner + rng.uniform(-30, 30, corner.shape)
    pairs = [((i, j), (i + 1, j)) for i in range(5) for j in range(6)]
    pairs += [((i, j), (i, j + 1)) for i in range(6) for j in range(5)]
    kept = [pair for pair in pairs if rng.random() < 0.85]
    streets = lines(*[[corner[a], corner[b]] for a, b in kept])
    network = walking_network(streets)
    facilities = points(rng.uniform(0, 500, (4, 2)))
    found = service_areas(facilities, network, [220], each=True, off_street_m=90)
    parts = network.segments.geometry.to_numpy()
    middles = [
        shapely.line_interpolate_point(part, at)
        for part in parts
        for at in np.arange(0.5, part.length, 1.0)
    ]
    asked = gpd.GeoDataFrame(geometry=middles, crs=4547)
    reached = nearest_facilities(asked, facilities, network, limit_m=220, off_street_m=90)
    whole = found.loc[found["facility"].isna(), "street_m"].sum()
    assert whole == pytest.approx(len(reached), abs=0.02 * len(asked) + 8)
    by_owner = found.dropna(subset="facility").set_index("facility")["street_m"]
    counted = reached["facility"].value_counts()
    for one, metres in by_owner.items():
        assert metres == pytest.approx(counted.get(one, 0), abs=0.02 * len(asked) + 8)


def test_nobody_is_served_from_off_the_streets():
    with pytest.warns(NullResultWarning, match="nobody is served"):
        found = service_areas(points([(0, 5000)]), walking_network(CROSS), [300])
    assert found.empty
    assert found.crs.to_epsg() == 4547
    with pytest.raises(InputError, match="longer than 0"):
        service_areas(points([(0, 0)]), walking_network(CROSS), [])
