"""Which piece of a line or ring lies in a tile and its buffer, in whole units?

Cuts are computed from the two ends of a side in a fixed order, so that neighbours keep their common edge. Sources:
Sutherland & Hodgman 1974 (rings), Liang & Barsky 1984 (lines).
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from gisgrid.compiled import compiled
from gisgrid.tiles.scheme import EXTENT
from gisgrid.tiles.shapes.paths import Ints, Paths

BUFFER: Final = 64
"""Units past the edge that a tile is drawn to, so that outlines and seams do not show."""

LOW: Final = -BUFFER
HIGH: Final = EXTENT + BUFFER


class View(NamedTuple):
    """How the steps of some paths become units of a tile: ``(step + add) >> shift``, and shifted up below 0.

    Attributes
    ----------
    add_x, add_y
        Added before the shift.
    shift
        How often a step is halved.
    """

    add_x: int
    add_y: int
    shift: int


class Line(NamedTuple):
    """Room for points."""

    x: Ints
    y: Ints


@compiled
def empty_line(n: int) -> Line:
    """Make room for points.

    Parameters
    ----------
    n
        How many.

    Returns
    -------
    Line
        Not set yet.
    """
    return Line(np.empty(n, np.int64), np.empty(n, np.int64))


@compiled
def tile_units(step: int, add: int, shift: int) -> int:
    """Say where a step is in a tile.

    Parameters
    ----------
    step
        A coordinate of a path.
    add, shift
        Of a `View`.

    Returns
    -------
    int
        Units from the tile's corner.
    """
    return (step + add) >> shift if shift >= 0 else (step + add) << -shift


@compiled
def cut_ring(paths: Paths, path: int, view: View, ring: Line, scratch: Line) -> tuple[int, bool]:
    """Cut a ring by the four sides of a buffered tile.

    Parameters
    ----------
    paths, path
        The ring.
    view
        Where it is in the tile.
    ring
        Room for the result: six times the ring's points and 16.
    scratch
        As much room.

    Returns
    -------
    tuple of (int, bool)
        How many points are left in `ring`, and whether any side was cut.
    """
    n = 0
    left, right, top, bottom = 1 << 40, -(1 << 40), 1 << 40, -(1 << 40)
    for i in range(paths.start[path], paths.start[path + 1]):
        x = tile_units(paths.x[i], view.add_x, view.shift)
        y = tile_units(paths.y[i], view.add_y, view.shift)
        ring.x[n], ring.y[n] = x, y
        n += 1
        left, right, top, bottom = min(left, x), max(right, x), min(top, y), max(bottom, y)
    if left > HIGH or right < LOW or top > HIGH or bottom < LOW:
        return 0, True
    if left >= LOW and right <= HIGH and top >= LOW and bottom <= HIGH:
        return n, False
    n = _clip_side(ring, n, LOW, 1, scratch)
    n = _clip_side(scratch, n, HIGH, -1, ring)
    turned, turned_scratch = Line(ring.y, ring.x), Line(scratch.y, scratch.x)
    n = _clip_side(turned, n, LOW, 1, turned_scratch)
    return _clip_side(turned_scratch, n, HIGH, -1, turned), True


@compiled
def cut_line(paths: Paths, path: int, view: View, out: Line, start: Ints, n_pieces: int) -> int:  # noqa: PLR0917 - numba has no keywords
    """Write the pieces of a line that lie in a buffered tile.

    Parameters
    ----------
    paths, path
        The line.
    view
        Where it is in the tile.
    out
        Where the points of the pieces go, after those that are there.
    start
        Where each piece begins in `out`; one more for each that is written.
    n_pieces
        How many there are.

    Returns
    -------
    int
        How many there are now.
    """
    begin = start[n_pieces]
    at = begin
    x2, y2 = 0, 0
    for i in range(paths.start[path], paths.start[path + 1]):
        x1, y1 = x2, y2
        x2 = tile_units(paths.x[i], view.add_x, view.shift)
        y2 = tile_units(paths.y[i], view.add_y, view.shift)
        if i == paths.start[path]:
            continue
        hit, u1, v1, u2, v2 = _clip_segment(x1, y1, x2, y2)
        goes_on = hit and at > begin and out.x[at - 1] == u1 and out.y[at - 1] == v1
        if at > begin and not goes_on:
            n_pieces += 1
            start[n_pieces] = begin = at
        if not hit or (u1 == u2 and v1 == v2):
            continue
        if not goes_on:
            out.x[at], out.y[at] = u1, v1
            at += 1
        out.x[at], out.y[at] = u2, v2
        at += 1
    if at > begin:
        n_pieces += 1
        start[n_pieces] = at
    return n_pieces


@compiled
def _clip_side(ring: Line, n: int, bound: int, sign: int, out: Line) -> int:
    """Keep the side of a ring where ``sign * x >= sign * bound``."""
    m = 0
    for i in range(n):
        j = i + 1 if i + 1 < n else 0
        here, there = sign * (ring.x[i] - bound) >= 0, sign * (ring.x[j] - bound) >= 0
        if here:
            m = _push(out, m, ring.x[i], ring.y[i])
        if here != there:
            m = _push(out, m, bound, _crossing(ring, i, j, bound))
    while m > 1 and out.x[0] == out.x[m - 1] and out.y[0] == out.y[m - 1]:
        m -= 1
    return m


@compiled
def _push(line: Line, n: int, x: int, y: int) -> int:
    """Go on to a point; the same point twice in a row is one."""
    if n > 0 and line.x[n - 1] == x and line.y[n - 1] == y:
        return n
    line.x[n], line.y[n] = x, y
    return n + 1


@compiled
def _crossing(ring: Line, i: int, j: int, bound: int) -> int:
    """Where a side meets ``x = bound``; the same for both directions of the side."""
    if ring.x[i] > ring.x[j]:
        i, j = j, i
    share = (bound - ring.x[i]) / (ring.x[j] - ring.x[i])
    return int(np.floor(ring.y[i] + (ring.y[j] - ring.y[i]) * share + 0.5))


@compiled
def _clip_segment(x1: int, y1: int, x2: int, y2: int) -> tuple[bool, int, int, int, int]:
    dx, dy = x2 - x1, y2 - y1
    enter, leave = 0.0, 1.0
    for towards, room in ((-dx, x1 - LOW), (dx, HIGH - x1), (-dy, y1 - LOW), (dy, HIGH - y1)):
        if towards == 0 and room < 0:
            return False, 0, 0, 0, 0
        if towards < 0:
            enter = max(enter, room / towards)
        elif towards > 0:
            leave = min(leave, room / towards)
    if enter > leave:
        return False, 0, 0, 0, 0
    u1, v1 = int(np.floor(x1 + enter * dx + 0.5)), int(np.floor(y1 + enter * dy + 0.5))
    u2, v2 = int(np.floor(x1 + leave * dx + 0.5)), int(np.floor(y1 + leave * dy + 0.5))
    return True, u1, v1, u2, v2
