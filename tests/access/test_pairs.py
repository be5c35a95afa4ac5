"""All pairs within a walk, and shares of what is offered: against the k nearest, and by hand."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gisgrid.access import nearest_facilities, two_step_catchment, walking_network, within_reach
from gisgrid.errors import ColumnError, IndexMismatchError, InputError


def street_grid(seed, n=7):
    rng = np.random.default_rng(seed)
    corner = np.stack(np.meshgrid(np.arange(n), np.arange(n), indexing="ij"), -1) * 100.0
    corner = corner + rng.uniform(-30, 30, corner.shape)
    pairs = [((i, j), (i + 1, j)) for i in range(n - 1) for j in range(n)]
    pairs += [((i, j), (i, j + 1)) for i in range(n) for j in range(n - 1)]
    lines = [shapely.LineString([corner[a], corner[b]]) for a, b in pairs if rng.random() < 0.85]
    one = rng.random(len(lines)) < 0.2
    return gpd.GeoDataFrame({"one": one}, geometry=lines, crs=4547), rng


def points(xy):
    return gpd.GeoDataFrame(geometry=gpd.points_from_xy(*np.transpose(xy)), crs=4547)


@settings(derandomize=True, max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**31), limit=st.floats(50, 700))
def test_pairs_are_all_of_the_nearest_within_the_limit(seed, limit):
    streets, rng = street_grid(seed)
    network = walking_network(streets, oneway="one")
    origins, facilities = points(rng.uniform(0, 600, (30, 2))), points(rng.uniform(0, 600, (9, 2)))
    found = within_reach(origins, facilities, network, limit_m=limit)
    expected = nearest_facilities(origins, facilities, network, k=9, limit_m=limit)
    key = ["origin", "facility", "distance_m"]
    a = found[key].sort_values(key[:2], ignore_index=True)
    b = expected[key].sort_values(key[:2], ignore_index=True)
    pd.testing.assert_frame_equal(a, b, check_dtype=False, atol=1e-6)


def test_pairs_bear_the_labels_of_both():
    streets = gpd.GeoDataFrame(geometry=[shapely.LineString([(0, 0), (900, 0)])], crs=4547)
    homes, goals = points([(0, 1), (500, 1)]).set_axis(["h", "g"]), points([(100, 1)]).set_axis([7])
    found = within_reach(homes, goals, walking_network(streets), limit_m=300)
    assert found[["origin", "facility"]].to_numpy().tolist() == [["h", 7]]
    shared = two_step_catchment(
        found, residents=pd.Series([4.0, 4.0], homes.index), supply=pd.Series([2.0], goals.index), limit_m=300
    )  # fmt: skip
    assert shared["accessibility"].to_dict() == {"h": 0.5, "g": 0.0}
    with pytest.raises(InputError, match="1 of 2 origins have a label"):
        within_reach(homes.set_axis(["h", "h"]), goals, walking_network(streets), limit_m=300)


def test_a_limit_is_wanted():
    streets, _ = street_grid(1)
    with pytest.raises(InputError, match="metres above 0"):
        within_reach(points([(0, 0)]), points([(0, 0)]), walking_network(streets), limit_m=np.inf)


PAIRS = pd.DataFrame(
    {"origin": list("aabbc"), "facility": list("xyyzz"), "distance_m": [100.0, 400, 100, 450, 900]}
)
PEOPLE = pd.Series({"a": 10.0, "b": 30.0, "c": 60.0, "d": 5.0})
SEATS = pd.Series({"x": 20.0, "y": 40.0, "z": 6.0})


def test_two_steps_by_hand():
    found = two_step_catchment(PAIRS, residents=PEOPLE, supply=SEATS, limit_m=500)
    # x serves a (10): 2 each. y serves a and b (40): 1 each. z serves b alone (c is too far): 0.2 each.
    assert found["accessibility"].tolist() == pytest.approx([3.0, 1.2, 0, 0])
    assert found["n_facilities"].tolist() == [2, 2, 0, 0]
    assert (found["accessibility"] * PEOPLE).sum() == pytest.approx(SEATS.sum())
    assert found["ratio_to_mean"].tolist() == pytest.approx(np.array([3.0, 1.2, 0, 0]) * 105 / 66)


@pytest.mark.parametrize("decay", ["steps", "gaussian"])
def test_what_is_far_counts_less_and_nothing_is_lost(decay):
    plain = two_step_catchment(PAIRS, residents=PEOPLE, supply=SEATS, limit_m=500)
    found = two_step_catchment(PAIRS, residents=PEOPLE, supply=SEATS, limit_m=500, decay=decay)
    assert (found["accessibility"] * PEOPLE).sum() == pytest.approx(SEATS.sum())
    assert found["accessibility"]["b"] > plain["accessibility"]["b"]  # y is near b and far from a


@settings(derandomize=True, max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**31), times=st.floats(0.1, 10))
def test_twice_the_people_have_half_each(seed, times):
    rng = np.random.default_rng(seed)
    pairs = pd.DataFrame(
        {
            "origin": rng.integers(0, 12, 60),
            "facility": rng.integers(0, 5, 60),
            "distance_m": rng.uniform(0, 900, 60),
        }
    ).drop_duplicates(["origin", "facility"])
    people, supply = pd.Series(rng.uniform(1, 9, 12)), pd.Series(rng.uniform(1, 9, 5))
    one = two_step_catchment(pairs, residents=people, supply=supply, limit_m=800, decay="gaussian")
    more = two_step_catchment(
        pairs.sample(frac=1, random_state=1),
        residents=people * times,
        supply=supply,
        limit_m=800,
        decay="gaussian",
    )
    np.testing.assert_allclose(more["accessibility"], one["accessibility"] / times, rtol=1e-9)


def test_what_cannot_be_shared_out_is_refused():
    with pytest.raises(ColumnError, match="no column 'distance_m'"):
        two_step_catchment(PAIRS[["origin", "facility"]], residents=PEOPLE, supply=SEATS, limit_m=1)
    with pytest.raises(IndexMismatchError, match="1 pairs name an origin"):
        two_step_catchment(PAIRS, residents=PEOPLE.drop("c"), supply=SEATS, limit_m=900)
    with pytest.raises(InputError, match="supply holds -1"):
        two_step_catchment(PAIRS, residents=PEOPLE, supply=-SEATS / SEATS, limit_m=500)
    with pytest.raises(InputError, match="no decay 'linear'"):
        two_step_catchment(PAIRS, residents=PEOPLE, supply=SEATS, limit_m=500, decay="linear")
