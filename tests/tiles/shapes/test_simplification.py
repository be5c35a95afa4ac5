"""Neighbours simplify their common border alike, and no drawn line is farther from a vertex than agreed."""

import numpy as np
import pytest
import shapely

from gisgrid.tiles.shapes.paths import Paths
from gisgrid.tiles.shapes.simplification import TOLERANCE, vertex_depths

DEEPEST = 12


def paths_of(*lines):
    x, y = np.concatenate([np.asarray(line) for line in lines]).T.astype(np.int32)
    start = np.append(0, np.cumsum([len(line) for line in lines])).astype(np.int64)
    n = len(lines)
    return Paths(x.copy(), y.copy(), start, np.ones(n, bool), np.arange(n + 1, dtype=np.int64))


def wiggle(n, seed):
    rng = np.random.default_rng(seed)
    return [(10 * i, int(y)) for i, y in enumerate(np.cumsum(rng.integers(-9, 10, n)))]


@pytest.mark.parametrize("seed", range(12))
def test_a_drawn_line_keeps_near_every_vertex(seed):
    line = wiggle(200, seed)
    depths = vertex_depths(paths_of(line), DEEPEST, closed=False)
    assert depths[[0, -1]].tolist() == [0, 0]
    places = shapely.points(np.asarray(line, float))
    n_drawn = []
    for depth in range(DEEPEST + 1):
        drawn = shapely.LineString(np.asarray(line)[depths <= depth])
        missed = shapely.distance(drawn, places).max()
        assert missed < TOLERANCE * 2 ** (DEEPEST - depth)
        n_drawn.append(len(drawn.coords))
    assert n_drawn == sorted(n_drawn)
    assert n_drawn[0] < 20 < n_drawn[-1] == 200


@pytest.mark.parametrize("seed", range(12))
def test_two_areas_answer_alike_for_their_common_border(seed):
    border = wiggle(150, seed)
    low, high = min(y for _, y in border) - 400, max(y for _, y in border) + 400
    above = [*border, (border[-1][0], high), (0, high)]
    below = [*border[::-1], (0, low), (border[-1][0], low)]
    rng = np.random.default_rng(seed)
    # Wherever a ring begins.
    turns = rng.integers(0, 100, 2)
    rings = [ring[turn:] + ring[:turn] for ring, turn in zip((above, below), turns, strict=True)]
    paths = paths_of(*rings)
    depths = vertex_depths(paths, DEEPEST, closed=True)
    found = [
        dict(zip(ring, depths[paths.start[i] : paths.start[i + 1]].tolist(), strict=True))
        for i, ring in enumerate(rings)
    ]
    assert {place: found[0][place] for place in border} == {
        place: found[1][place] for place in border
    }
    assert found[0][border[0]] == found[0][border[-1]] == 0  # three ways meet there


@pytest.mark.parametrize("seed", range(8))
def test_an_island_and_the_hole_it_fills_answer_alike(seed):
    rng = np.random.default_rng(seed)
    angle = np.sort(rng.uniform(0, 2 * np.pi, 60))
    radius = rng.uniform(800, 1000, 60)
    island = list(zip((radius * np.cos(angle)).astype(int).tolist(), (radius * np.sin(angle)).astype(int).tolist(), strict=True))  # fmt: skip
    turn = int(rng.integers(0, 60))
    hole = (island[turn:] + island[:turn])[::-1]
    depths = vertex_depths(paths_of(island, hole), DEEPEST, closed=True)
    n = len(island)
    assert dict(zip(island, depths[:n].tolist(), strict=True)) == dict(
        zip(hole, depths[n:].tolist(), strict=True)
    )
    assert len(set(depths.tolist())) > 2
