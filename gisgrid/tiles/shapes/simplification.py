"""At which zoom does a vertex begin to matter? One answer per vertex, the same for all shapes that share it.

Where more than two ways meet (or a line ends) a vertex is a node and never goes. The chain between two nodes is thinned
out by its farthest vertices (Douglas & Peucker 1973): how far a vertex is from the line between the two that were kept
before it says from which zoom on it is drawn. Distances are computed from the ends in a fixed order and ties are broken
by place, so that two shapes that share a border answer alike without knowing of each other: no gap and no overlap opens
between them, whatever the zoom.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gisgrid.compiled import compiled
from gisgrid.tiles.shapes.paths import Bools, Ints, Paths, Steps

TOLERANCE: Final = 2.0
"""Tile units by which a drawn line may miss a vertex: a quarter of a pixel of a tile shown at 512."""

Depths = NDArray[np.uint8]


def vertex_depths(paths: Paths, deepest: int, *, closed: bool) -> Depths:
    """Say from which depth on each vertex is drawn.

    Parameters
    ----------
    paths
        Lines or rings on the grid of the deepest zoom.
    deepest
        The depth of that zoom, where every vertex is drawn.
    closed
        Whether they are rings.

    Returns
    -------
    array
        Shape (n points,), 0 to `deepest`.
    """
    if len(paths.x) == 0:
        return np.zeros(0, np.uint8)
    vertex, n = _vertices(paths.x, paths.y)
    is_node = _nodes(paths.start, vertex, n, closed)
    return _depths(paths.x, paths.y, paths.start, is_node[vertex], deepest, closed)


@compiled
def _vertices(x: Steps, y: Steps) -> tuple[Steps, int]:
    """Give each distinct point a number, in the order of their first use, by hashing."""
    size = 16
    while size < 2 * len(x):
        size *= 2
    table, first = np.full(size, -1, np.int32), np.empty(len(x), np.int32)
    vertex, n = np.empty(len(x), np.int32), 0
    for i in range(len(x)):
        mixed = (np.uint64(x[i]) << np.uint64(32) | np.uint64(y[i])) * np.uint64(0x9E3779B97F4A7C15)
        place = np.int64(mixed >> np.uint64(24)) & (size - 1)
        while table[place] >= 0 and (
            x[first[table[place]]] != x[i] or y[first[table[place]]] != y[i]
        ):
            place = (place + 1) & (size - 1)
        if table[place] < 0:
            table[place], first[n] = n, i
            n += 1
        vertex[i] = table[place]
    return vertex, n


@compiled
def _nodes(start: Ints, vertex: Steps, n: int, closed: bool) -> Bools:  # noqa: FBT001 - numba has no keywords
    """Say which vertices have other than two neighbours."""
    one, other = np.full(n, -1, np.int64), np.full(n, -1, np.int64)
    is_node = np.zeros(n, np.bool_)
    for path in range(len(start) - 1):
        first, stop = start[path], start[path + 1]
        if not closed:
            is_node[vertex[first]] = is_node[vertex[stop - 1]] = True
        for i in range(first if closed else first + 1, stop):
            a, b = vertex[i], vertex[i - 1 if i > first else stop - 1]
            _be_neighbours(a, b, one, other, is_node)
            _be_neighbours(b, a, one, other, is_node)
    return is_node


@compiled
def _be_neighbours(a: int, b: int, one: Ints, other: Ints, is_node: Bools) -> None:
    if one[a] == -1 or one[a] == b:
        one[a] = b
    elif other[a] == -1 or other[a] == b:
        other[a] = b
    else:
        is_node[a] = True


@compiled
def _depths(  # noqa: PLR0917 - numba has no keywords
    x: Steps,
    y: Steps,
    start: Ints,
    is_node: Bools,
    deepest: int,
    closed: bool,  # noqa: FBT001 - numba has no keywords
) -> Depths:
    depth = np.zeros(len(x), np.uint8)
    for path in range(len(start) - 1):
        first, n = start[path], start[path + 1] - start[path]
        px, py = np.empty(n + 1, np.int64), np.empty(n + 1, np.int64)
        fixed = np.zeros(n + 1, np.bool_)
        turned = _first_fixed(x, y, is_node, first, n) if closed else 0
        for i in range(n + 1 if closed else n):
            k = first + (turned + i) % n
            px[i], py[i], fixed[i] = x[k], y[k], is_node[k]
        last = n if closed else n - 1
        fixed[0] = fixed[last] = True
        squared = _squared_distances(px[: last + 1], py[: last + 1], fixed)
        for i in range(n):
            depth[first + (turned + i) % n] = _depth(squared[i], deepest)
    return depth


@compiled
def _first_fixed(x: Steps, y: Steps, is_node: Bools, first: int, n: int) -> int:
    """Find where to begin a ring: at a node, or where it has none at its least vertex."""
    least = 0
    for i in range(n):
        k, m = first + i, first + least
        if is_node[k]:
            return i
        if (x[k], y[k]) < (x[m], y[m]):
            least = i
    return least


@compiled
def _squared_distances(x: Ints, y: Ints, fixed: Bools) -> NDArray[np.float64]:
    """Say how far each vertex is from the line without it; infinite where it never goes."""
    n = len(x)
    squared = np.full(n, np.inf)
    stack = np.empty((n + 1, 2), np.int64)
    begin = 0
    for end in range(1, n):
        if not fixed[end]:
            continue
        stack[0, 0], stack[0, 1], depth = begin, end, 1
        begin = end
        while depth:
            depth -= 1
            a, b = stack[depth, 0], stack[depth, 1]
            if b - a < 2:
                continue
            far, distance = _farthest(x, y, a, b)
            # Never longer than what was kept before it, so that no vertex outlives its ends.
            squared[far] = min(distance, squared[a], squared[b])
            stack[depth, 0], stack[depth, 1] = a, far
            stack[depth + 1, 0], stack[depth + 1, 1] = far, b
            depth += 2
    return squared


@compiled
def _farthest(x: Ints, y: Ints, a: int, b: int) -> tuple[int, float]:
    far, most = a + 1, -1.0
    # In a fixed order of the ends, so that both directions compute the same.
    low, high = (a, b) if (x[a], y[a]) <= (x[b], y[b]) else (b, a)
    dx, dy = float(x[high] - x[low]), float(y[high] - y[low])
    length = dx * dx + dy * dy
    for i in range(a + 1, b):
        ex, ey = float(x[i] - x[low]), float(y[i] - y[low])
        along = ex * dx + ey * dy
        if along <= 0.0 or length == 0.0:
            distance = ex * ex + ey * ey
        elif along >= length:
            distance = (ex - dx) ** 2 + (ey - dy) ** 2
        else:
            cross = dx * ey - dy * ex
            distance = cross * cross / length
        if distance > most or (distance == most and (x[i], y[i]) < (x[far], y[far])):
            far, most = i, distance
    return far, most


@compiled
def _depth(squared: float, deepest: int) -> int:
    reach = TOLERANCE * TOLERANCE
    for depth in range(deepest, 0, -1):
        # One zoom out every unit is twice as wide.
        if squared < reach * 4.0:
            return depth
        reach *= 4.0
    return 0
