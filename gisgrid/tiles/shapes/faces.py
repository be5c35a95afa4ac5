"""Which polygons do these edges enclose? The rings of all that is wound around at least once, valid by construction.

Around every point the edges are in the order of their angle; going from sector to sector tells how often each is wound
around (shells count one up, holes one down), and the edges between inside and outside are followed into rings. A ring
that comes back to one of its points is parted there. Source: de Berg et al., Computational Geometry, chapter 2.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gisgrid.compiled import compiled
from gisgrid.tiles.shapes.noding import Edges, Ints, turn

Bools = NDArray[np.bool_]


class Rings(NamedTuple):
    """Polygons as rings: each shell with its holes after it.

    Attributes
    ----------
    x, y
        The points; rings do not repeat their first.
    start
        Shape (n rings + 1,), where each ring begins.
    is_shell
        Shape (n rings,). With y downwards shells go clockwise, holes the other way.
    """

    x: Ints
    y: Ints
    start: Ints
    is_shell: Bools


class _Fan(NamedTuple):
    """Edges both ways (edge e is 2e from a to b, 2e + 1 back), point by point in the order of their angle."""

    x: Ints  # (n points,)
    y: Ints
    start: Ints  # (n points + 1,), where each point begins in `out`
    out: Ints  # (n half-edges,)
    slot: Ints  # (n half-edges,), where it is in `out`
    origin: Ints  # (n half-edges,), the point it leaves


@compiled
def filled_rings(edges: Edges) -> Rings:
    """Follow the edges between inside and outside.

    Parameters
    ----------
    edges
        Meeting at their ends only.

    Returns
    -------
    Rings
        Valid polygons; none where nothing is enclosed.
    """
    fan = _fan(edges)
    left = _windings(edges, fan)
    is_border = np.zeros(2 * len(edges.ax), np.bool_)
    for half in range(len(is_border)):
        is_border[half] = left[half] > 0 and left[half ^ 1] <= 0
    return _nested(_traced(fan, is_border))


@compiled
def twice_area(x: Ints, y: Ints, start: int, stop: int) -> int:
    """Measure a ring (surveyor's formula).

    Parameters
    ----------
    x, y
        Points.
    start, stop
        Which of them are the ring.

    Returns
    -------
    int
        Twice the signed area; positive for a shell of a tile.
    """
    area = 0
    for i in range(start + 1, stop - 1):
        area += turn(x[start], y[start], x[i], y[i], x[i + 1], y[i + 1])
    return area


@compiled
def side_of_ring(x: Ints, y: Ints, start: int, stop: int, px: int, py: int) -> int:  # noqa: PLR0917 - numba has no keywords
    """Say whether a point is inside a ring.

    Parameters
    ----------
    x, y
        Points.
    start, stop
        Which of them are the ring.
    px, py
        The point.

    Returns
    -------
    int
        1 inside, 0 on it, -1 outside.
    """
    inside = False
    j = stop - 1
    for i in range(start, stop):
        if min(y[i], y[j]) <= py <= max(y[i], y[j]):
            side = turn(x[j], y[j], x[i], y[i], px, py)
            if side == 0 and min(x[i], x[j]) <= px <= max(x[i], x[j]):
                return 0
            if (y[i] > py) != (y[j] > py) and (side > 0) == (y[i] > y[j]):
                inside = not inside
        j = i
    return 1 if inside else -1


@compiled
def _fan(edges: Edges) -> _Fan:
    n = len(edges.ax)
    px, py = np.empty(2 * n, np.int64), np.empty(2 * n, np.int64)
    for e in range(n):
        px[2 * e], py[2 * e], px[2 * e + 1], py[2 * e + 1] = edges.ax[e], edges.ay[e], edges.bx[e], edges.by[e]  # fmt: skip
    out = np.argsort(px * (1 << 31) + py, kind="mergesort")
    origin, start = np.empty(2 * n, np.int64), np.empty(2 * n + 1, np.int64)
    x, y = np.empty(2 * n, np.int64), np.empty(2 * n, np.int64)
    points = 0
    for k in range(2 * n):
        half = out[k]
        if k == 0 or px[half] != x[points - 1] or py[half] != y[points - 1]:
            x[points], y[points], start[points] = px[half], py[half], k
            points += 1
        origin[half] = points - 1
    start[points] = 2 * n
    slot = np.empty(2 * n, np.int64)
    for point in range(points):
        _sort_by_angle(out, start[point], start[point + 1], px, py)
    for k in range(2 * n):
        slot[out[k]] = k
    return _Fan(x[:points], y[:points], start[: points + 1], out, slot, origin)


@compiled
def _sort_by_angle(out: Ints, first: int, stop: int, px: Ints, py: Ints) -> None:
    """Sort the half-edges that leave one point: from straight down (not included) leftwards around."""
    for k in range(first + 1, stop):
        half, at = out[k], k
        while at > first and _comes_before(half, out[at - 1], px, py):
            out[at] = out[at - 1]
            at -= 1
        out[at] = half


@compiled
def _comes_before(a: int, b: int, px: Ints, py: Ints) -> bool:
    ax, ay = px[a ^ 1] - px[a], py[a ^ 1] - py[a]
    bx, by = px[b ^ 1] - px[b], py[b ^ 1] - py[b]
    a_first, b_first = ax > 0 or (ax == 0 and ay > 0), bx > 0 or (bx == 0 and by > 0)
    if a_first != b_first:
        return bool(a_first)
    return bool(ax * by - ay * bx > 0)


@compiled
def _windings(edges: Edges, fan: _Fan) -> Ints:
    """Say for each half-edge how often what is left of it is wound around."""
    left = np.zeros(len(fan.out), np.int64)
    seen = np.zeros(len(fan.x), np.bool_)
    queue = np.empty(len(fan.x), np.int64)
    for seed in range(len(fan.x)):
        if seen[seed]:
            continue
        # The least point of its component: what lies before its first edge is outside of the component.
        seen[seed] = True
        first = fan.out[fan.start[seed]]
        left[first ^ 1] = _winding_west(edges, fan.x[seed], fan.y[seed])
        queue[0], n, at = seed, 1, 0
        _go_round(edges, fan, left, seed, fan.start[seed])
        while at < n:
            point, at = queue[at], at + 1
            for k in range(fan.start[point], fan.start[point + 1]):
                twin = fan.out[k] ^ 1
                there = fan.origin[twin]
                if not seen[there]:
                    seen[there] = True
                    # Both sides of the edge are known: go round the other end from it.
                    _go_round(edges, fan, left, there, fan.slot[twin])
                    queue[n] = there
                    n += 1
    return left


@compiled
def _net(edges: Edges, half: int) -> int:
    net = int(edges.net[half >> 1])
    return net if half & 1 == 0 else -net


@compiled
def _go_round(edges: Edges, fan: _Fan, left: Ints, point: int, first: int) -> None:
    """Set both sides of all edges that leave a point, given what is right of the one in slot `first`."""
    n = fan.start[point + 1] - fan.start[point]
    k = first
    right = left[fan.out[k] ^ 1]
    for _ in range(n):
        half = fan.out[k]
        left[half ^ 1] = right
        right += _net(edges, half)
        left[half] = right
        k = k + 1 if k + 1 < fan.start[point + 1] else fan.start[point]


@compiled
def _winding_west(edges: Edges, x: int, y: int) -> int:
    """Count the edges west of a point."""
    winding = 0
    for e in range(len(edges.ax)):
        if edges.ax[e] >= x:
            break  # in the order of their left ends
        if (edges.ay[e] > y) == (edges.by[e] > y):
            continue
        upwards = edges.by[e] > y
        side = turn(edges.ax[e], edges.ay[e], edges.bx[e], edges.by[e], x, y)
        if upwards and side < 0:
            winding -= edges.net[e]
        elif not upwards and side > 0:
            winding += edges.net[e]
    return winding


@compiled
def _traced(fan: _Fan, is_border: Bools) -> tuple[Rings, Ints]:
    """Follow borders with the inside on their left; gives rings and the cycle that each came from."""
    n = 0
    for half in is_border:
        n += half
    x, y = np.empty(n, np.int64), np.empty(n, np.int64)
    start, is_shell = np.zeros(n + 1, np.int64), np.empty(n, np.bool_)
    cycle = np.empty(n, np.int64)
    path, place = np.empty(n + 1, np.int64), np.full(len(fan.x), -1, np.int64)
    done = np.zeros(len(is_border), np.bool_)
    rings, at, n_cycles = 0, 0, 0
    for seed in range(len(is_border)):
        if not is_border[seed] or done[seed]:
            continue
        half, length = seed, 0
        while not done[half]:
            done[half] = True
            point = fan.origin[half]
            if place[point] >= 0:
                at, rings, length = _cut_loop(
                    fan, path, place, point, length, (x, y, start, is_shell), at, rings
                )
                cycle[rings - 1] = n_cycles
            path[length], place[point] = point, length
            length += 1
            half = _next(fan, is_border, half)
        at, rings, length = _cut_loop(
            fan, path, place, path[0], length, (x, y, start, is_shell), at, rings
        )
        cycle[rings - 1] = n_cycles
        n_cycles += 1
    return Rings(x[:at], y[:at], start[: rings + 1], is_shell[:rings]), cycle[:rings]


@compiled
def _cut_loop(  # noqa: PLR0917 - numba has no keywords
    fan: _Fan,
    path: Ints,
    place: Ints,
    point: int,
    length: int,
    out: tuple[Ints, Ints, Ints, Bools],
    at: int,
    rings: int,
) -> tuple[int, int, int]:
    """Take the end of the path, from a point that it came back to, as a ring of its own."""
    x, y, start, is_shell = out
    first = place[point]
    for k in range(first, length):
        x[at], y[at] = fan.x[path[k]], fan.y[path[k]]
        place[path[k]] = -1
        at += 1
    is_shell[rings] = twice_area(x, y, start[rings], at) > 0
    start[rings + 1] = at
    return at, rings + 1, first


@compiled
def _next(fan: _Fan, is_border: Bools, half: int) -> int:
    """Turn from where it came from to the first border on the right: the same sector lies between them."""
    twin = half ^ 1
    point = fan.origin[twin]
    k = fan.slot[twin]
    for _ in range(fan.start[point + 1] - fan.start[point]):
        k = k - 1 if k > fan.start[point] else fan.start[point + 1] - 1
        if is_border[fan.out[k]]:
            return int(fan.out[k])
    return half


@compiled
def _nested(traced: tuple[Rings, Ints]) -> Rings:
    """Put each hole after the shell around it."""
    rings, cycle = traced
    n = len(rings.is_shell)
    shell_of = np.full(n, -1, np.int64)
    shell_of_cycle = np.full(n, -1, np.int64)
    area = np.empty(n, np.int64)
    for ring in range(n):
        area[ring] = twice_area(rings.x, rings.y, rings.start[ring], rings.start[ring + 1])
        if rings.is_shell[ring]:
            shell_of_cycle[cycle[ring]] = ring
    for ring in range(n):
        if rings.is_shell[ring]:
            shell_of[ring] = ring
        elif shell_of_cycle[cycle[ring]] >= 0:
            shell_of[ring] = shell_of_cycle[cycle[ring]]
        else:
            shell_of[ring] = _shell_around(rings, area, ring)
    return _ordered(rings, shell_of)


@compiled
def _shell_around(rings: Rings, area: Ints, hole: int) -> int:
    best = -1
    for shell in range(len(area)):
        if not rings.is_shell[shell] or area[shell] <= -area[hole]:
            continue
        if best >= 0 and area[shell] >= area[best]:
            continue
        for i in range(rings.start[hole], rings.start[hole + 1]):
            side = side_of_ring(rings.x, rings.y, rings.start[shell], rings.start[shell + 1], rings.x[i], rings.y[i])  # fmt: skip
            if side != 0:
                best = shell if side > 0 else best
                break
    return best


@compiled
def _ordered(rings: Rings, shell_of: Ints) -> Rings:
    n = len(shell_of)
    x, y = np.empty(len(rings.x), np.int64), np.empty(len(rings.x), np.int64)
    start, is_shell = np.zeros(n + 1, np.int64), np.empty(n, np.bool_)
    at, done = 0, 0
    # Shells first among equals: 2 * shell for the shell itself, one more for its holes.
    order = np.argsort(shell_of * 2 + (shell_of != np.arange(n)), kind="mergesort")
    for ring in order:
        if shell_of[ring] < 0:
            continue
        for i in range(rings.start[ring], rings.start[ring + 1]):
            x[at], y[at] = rings.x[i], rings.y[i]
            at += 1
        is_shell[done] = rings.is_shell[ring]
        start[done + 1] = at
        done += 1
    return Rings(x[:at], y[:at], start[: done + 1], is_shell[:done])
