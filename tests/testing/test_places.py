"""An issue lies in its compound, whatever the compound's shape."""

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, Polygon, box

from gisgrid.testing.places import places

GALLERY = np.array(
    [
        box(0, 0, 120, 80),
        Polygon(
            [
                (200, 0),
                (300, 0),
                (300, 100),
                (260, 100),
                (260, 20),
                (240, 20),
                (240, 100),
                (200, 100),
            ]
        ),
        Polygon(box(400, 0, 500, 100).exterior, holes=[box(430, 30, 470, 70).exterior]),
        Polygon([(600, 0), (700, 1), (600, 2)]),
        Polygon([(800, 0), (900, 0), (850, 5), (900, 100), (800, 100), (845, 5)]),
    ]
)
STREETS = np.array([LineString([(0, 0), (120, 0)])])


@settings(derandomize=True, max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), by_street=st.booleans())
def test_points_lie_in_their_compound(seed, by_street):
    spots = places(GALLERY, STREETS, np.array(["main"]))
    owner = np.repeat(np.arange(len(GALLERY)), 200)
    xy = spots.draw(owner, np.full(len(owner), by_street), np.random.default_rng(seed))
    assert shapely.contains_xy(GALLERY[owner], xy[:, 0], xy[:, 1]).all()


def test_most_points_beside_a_street_are_beside_the_main_one():
    spots = places(GALLERY, STREETS, np.array(["main"]))
    n = 4_000
    xy = spots.draw(np.zeros(n, dtype=int), np.ones(n, dtype=bool), np.random.default_rng(1))
    assert (xy[:, 1] < 12.5).mean() > 0.7
