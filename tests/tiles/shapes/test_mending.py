"""Polygons out of any tangle of rings: what is inside more shells than holes, and nothing else."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gisgrid.tiles.shapes.faces import Rings
from gisgrid.tiles.shapes.noding import noded_edges
from gisgrid.tiles.shapes.rounding import meets_itself, whole_rings


def rings_of(*paths):
    x, y = np.concatenate([np.asarray(path, np.int64) for path in paths]).T
    start = np.append(0, np.cumsum([len(path) for path in paths])).astype(np.int64)
    return Rings(x.copy(), y.copy(), start, np.ones(len(paths), bool))


def polygons(rings):
    parts = []
    for i, is_shell in enumerate(rings.is_shell):
        span = slice(rings.start[i], rings.start[i + 1])
        path = np.column_stack([rings.x[span], rings.y[span]])
        assert shapely.LinearRing(path).is_ccw == bool(is_shell)
        if is_shell:
            parts.append((path, []))
        else:
            parts[-1][1].append(path)
    return shapely.MultiPolygon([shapely.Polygon(shell, holes) for shell, holes in parts])


def windings(paths, places):
    total = np.zeros(len(places), int)
    for path in paths:
        a = np.asarray(path, float)
        for (ax, ay), (bx, by) in zip(a, np.roll(a, -1, axis=0), strict=True):
            left = (bx - ax) * (places[:, 1] - ay) - (by - ay) * (places[:, 0] - ax)
            total += (ay <= places[:, 1]) & (places[:, 1] < by) & (left > 0)
            total -= (by <= places[:, 1]) & (places[:, 1] < ay) & (left < 0)
    return total


def test_a_square_stays_a_square():
    whole = whole_rings(rings_of([(0, 0), (10, 0), (10, 10), (0, 10)]))
    assert polygons(whole).equals(shapely.box(0, 0, 10, 10))


@pytest.mark.parametrize(
    ("paths", "area", "n_parts", "n_holes"),
    [
        ([[(0, 0), (4, 0), (4, 4), (0, 4)], [(1, 1), (1, 3), (3, 3), (3, 1)]], 12, 1, 1),
        ([[(0, 0), (4, 0), (4, 4), (0, 4)], [(0, 0), (2, 4), (4, 2)]], 10, 3, 0),
        # A hole that touches its shell at one point stays a hole.
        ([[(0, 0), (8, 0), (8, 8), (0, 8)], [(0, 4), (4, 6), (4, 2)]], 56, 1, 1),
        # Two squares that share a corner, walked as one ring.
        ([[(0, 0), (2, 0), (2, 2), (4, 2), (4, 4), (2, 4), (2, 2), (0, 2)]], 8, 2, 0),
        # A bridge that is walked there and back.
        ([[(0, 0), (2, 0), (2, 1), (6, 1), (6, 0), (8, 0), (8, 2), (6, 2), (6, 1), (2, 1), (2, 2), (0, 2)]], 8, 2, 0),
        # A spike, a shell that comes twice, a hole outside, a hole as large as its shell.
        ([[(0, 0), (4, 0), (4, 2), (9, 2), (4, 2), (4, 4), (0, 4)]], 16, 1, 0),
        ([[(0, 0), (4, 0), (4, 4), (0, 4)]] * 2, 16, 1, 0),
        ([[(0, 0), (4, 0), (4, 4), (0, 4)], [(6, 6), (6, 8), (8, 8), (8, 6)]], 16, 1, 0),
        ([[(0, 0), (4, 0), (4, 4), (0, 4)], [(0, 0), (0, 4), (4, 4), (4, 0)]], 0, 0, 0),
        # An island in a hole, and a ring of squares that encloses one.
        ([[(0, 0), (9, 0), (9, 9), (0, 9)], [(1, 1), (1, 8), (8, 8), (8, 1)], [(3, 3), (5, 3), (5, 5), (3, 5)]], 36, 2, 1),
        ([[(x, y), (x + 2, y + 2), (x, y + 4), (x - 2, y + 2)] for x, y in [(2, 0), (6, 0), (2, 4), (6, 4)]], 32, 4, 0),
    ],
)  # fmt: skip
def test_tangles_become_what_they_enclose(paths, area, n_parts, n_holes):
    found = polygons(whole_rings(rings_of(*paths)))
    assert found.is_valid
    assert found.area == area
    assert len(found.geoms) == n_parts
    assert sum(len(part.interiors) for part in found.geoms) == n_holes


tangles = st.lists(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=3, max_size=12),
    min_size=1,
    max_size=3,
)


@settings(derandomize=True, max_examples=120, deadline=None)
@given(tangles, st.sampled_from([1, 7, 100_000]))
def test_any_tangle_becomes_valid_and_right(paths, scale):
    paths = [[(x * scale + x * y % 5, y * scale - x) for x, y in path] for path in paths]
    found = polygons(whole_rings(rings_of(*paths)))
    assert found.is_valid, shapely.is_valid_reason(found)
    low, high = -13, 13 * scale + 5
    places = np.random.default_rng(0).uniform(low, high, (60, 2))
    sides = shapely.MultiLineString([np.vstack([path, path[:1]]) for path in paths])
    places = places[shapely.distance(sides, shapely.points(places)) > 1.5]
    inside = windings(paths, places) > 0
    assert (shapely.contains_xy(found, places) == inside).all()


@settings(derandomize=True, max_examples=80, deadline=None)
@given(tangles)
def test_mending_twice_is_mending_once_and_edges_meet_at_ends_only(paths):
    rings = rings_of(*paths)
    edges, is_done = noded_edges(rings.x, rings.y, rings.start)
    assert is_done
    lines = shapely.linestrings(np.stack([np.column_stack([edges.ax, edges.ay]), np.column_stack([edges.bx, edges.by])], axis=1))  # fmt: skip
    for i, line in enumerate(lines):
        assert not (
            shapely.crosses(line, lines[i + 1 :]) | shapely.overlaps(line, lines[i + 1 :])
        ).any()
    once = whole_rings(rings)
    if len(once.x):
        assert polygons(whole_rings(once)).equals(polygons(once))


@settings(derandomize=True, max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=3, max_size=9))
def test_a_ring_that_does_not_meet_itself_is_simple(path):
    path = [p for p, q in zip(path, [*path[1:], path[0]], strict=True) if p != q]
    if len(path) < 3:
        return
    simple = shapely.LinearRing(path).is_simple and shapely.Polygon(path).is_valid
    assert meets_itself(rings_of(path)) == (not simple)
