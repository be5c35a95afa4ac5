"""Which piece of each line and polygon does a tile show, in whole tile units?

Vertices are rounded on the grid of the whole zoom before anything is cut: a vertex that two shapes share, or that two
tiles share, is the same number in both. Cuts are computed from the ends in a fixed order, so that neighbours of a
coverage keep their common edge. Sources: Sutherland & Hodgman 1974 (rings), Liang & Barsky 1984 (lines).
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from gisgrid.tiles.compiled import compiled
from gisgrid.tiles.index import BoxIndex
from gisgrid.tiles.scheme import EXTENT
from gisgrid.tiles.shapes import Bools, Ints, Paths

BUFFER: Final = 64
"""Units past the edge that lines and polygons are drawn to, so that outlines and seams do not show."""

_LOW: Final = -BUFFER
_HIGH: Final = EXTENT + BUFFER

_SAFE_MOVE: Final = 1.5
"""Rounding moves two vertices towards each other by at most the diagonal of a unit, 1.42."""


class Pieces(NamedTuple):
    """What a tile shows of some features, in tile units; a tuple, because compiled loops take those.

    Attributes
    ----------
    x, y
        Shape (n coordinates,), whole tile units, y to the south. Rings do not repeat their first point.
    path
        Shape (n paths, 2), first coordinate and the one past the last, of a line or ring.
    is_shell
        Shape (n paths,), whether a ring begins a new polygon.
    feature
        Shape (n features, 2), first path and the one past the last.
    row
        Shape (n features,), the row of the frame.
    doubtful
        Shape (n features,), whether rounding or cutting may have broken the polygon.
    """

    x: Ints
    y: Ints
    path: Ints
    is_shell: Bools
    feature: Ints
    row: Ints
    doubtful: Bools


class _Tile(NamedTuple):
    scale: float  # world units to tile units
    x0: int  # the tile's corner on the grid of the zoom
    y0: int


class _Line(NamedTuple):
    x: Ints
    y: Ints


def clip_paths(paths: Paths, index: BoxIndex, z: int, x: int, y: int, *, closed: bool) -> Pieces:
    """Cut lines or polygons to a tile and its buffer.

    Parameters
    ----------
    paths
        The lines or polygons of a layer.
    index
        The boxes of its features.
    z, x, y
        The tile.
    closed
        Whether the paths are rings.

    Returns
    -------
    Pieces
        Features that come to nothing (shorter or thinner than a tile unit) are not in it.
    """
    n = 1 << z
    margin = (BUFFER + 1) / EXTENT
    near = ((x - margin) / n, (y - margin) / n, (x + 1 + margin) / n, (y + 1 + margin) / n)
    chosen = index.touching(near)
    tile = _Tile(float(n * EXTENT), x * EXTENT, y * EXTENT)
    return _cut_rings(paths, chosen, tile) if closed else _cut_lines(paths, chosen, tile)


@compiled
def _cut_rings(paths: Paths, chosen: Ints, tile: _Tile) -> Pieces:
    n_coordinates, n_paths, longest = _sizes(paths, chosen)
    # Cutting by four sides adds at most half as many vertices again for each side.
    ring, scratch = _empty_line(6 * longest + 16), _empty_line(6 * longest + 16)
    out = _empty_line(6 * n_coordinates + 16 * n_paths)
    path, is_shell = np.empty((n_paths, 2), np.int64), np.empty(n_paths, np.bool_)
    feature, row = np.empty((len(chosen), 2), np.int64), np.empty(len(chosen), np.int64)
    doubtful = np.empty(len(chosen), np.bool_)
    at, n_rings, n_features = 0, 0, 0
    for f in chosen:
        first, was_cut = n_rings, False
        for part in range(paths.feature_start[f], paths.feature_start[f + 1]):
            shell = paths.part_start[part]
            for p in range(shell, paths.part_start[part + 1]):
                n, cut = _clip_ring(ring, scratch, _round_path(paths, p, tile, ring))
                was_cut = was_cut or cut
                area = _twice_area(ring, n)
                if area == 0 and p == shell:
                    break  # no shell, no holes
                if area != 0:
                    _append_ring(ring, n, 1 if (area > 0) == (p == shell) else -1, out, at)
                    path[n_rings, 0], path[n_rings, 1], is_shell[n_rings] = at, at + n, p == shell
                    at, n_rings = at + n, n_rings + 1
        if n_rings > first:
            feature[n_features, 0], feature[n_features, 1] = first, n_rings
            row[n_features] = paths.row[f]
            doubtful[n_features] = was_cut or paths.clearance[f] * tile.scale < _SAFE_MOVE
            n_features += 1
    return Pieces(
        out.x[:at], out.y[:at], path[:n_rings], is_shell[:n_rings],
        feature[:n_features], row[:n_features], doubtful[:n_features],
    )  # fmt: skip


@compiled
def _cut_lines(paths: Paths, chosen: Ints, tile: _Tile) -> Pieces:
    n_coordinates, _, longest = _sizes(paths, chosen)
    line, out = _empty_line(longest), _empty_line(2 * n_coordinates)
    path = np.empty((n_coordinates, 2), np.int64)
    feature, row = np.empty((len(chosen), 2), np.int64), np.empty(len(chosen), np.int64)
    n_lines, n_features = 0, 0
    for f in chosen:
        first = n_lines
        for part in range(paths.feature_start[f], paths.feature_start[f + 1]):
            n = _round_path(paths, paths.part_start[part], tile, line)
            n_lines = _clip_line(line, n, out, path, n_lines)
        if n_lines > first:
            feature[n_features, 0], feature[n_features, 1] = first, n_lines
            row[n_features] = paths.row[f]
            n_features += 1
    at = path[n_lines - 1, 1] if n_lines else 0
    return Pieces(
        out.x[:at], out.y[:at], path[:n_lines], np.zeros(n_lines, np.bool_),
        feature[:n_features], row[:n_features], np.zeros(n_features, np.bool_),
    )  # fmt: skip


@compiled
def _sizes(paths: Paths, chosen: Ints) -> tuple[int, int, int]:
    n_coordinates, n_paths, longest = 0, 0, 0
    for f in chosen:
        first = paths.part_start[paths.feature_start[f]]
        last = paths.part_start[paths.feature_start[f + 1]]
        n_paths += last - first
        n_coordinates += paths.path_start[last] - paths.path_start[first]
        for p in range(first, last):
            longest = max(longest, paths.path_start[p + 1] - paths.path_start[p])
    return n_coordinates, n_paths, longest


@compiled
def _empty_line(n: int) -> _Line:
    return _Line(np.empty(n, np.int64), np.empty(n, np.int64))


@compiled
def _push(line: _Line, n: int, x: int, y: int) -> int:
    """Go on to a point; the same point twice in a row is one."""
    if n > 0 and line.x[n - 1] == x and line.y[n - 1] == y:
        return n
    line.x[n], line.y[n] = x, y
    return n + 1


@compiled
def _round_path(paths: Paths, p: int, tile: _Tile, out: _Line) -> int:
    """Round to the grid of the zoom, seen from the tile's corner."""
    n = 0
    for i in range(paths.path_start[p], paths.path_start[p + 1]):
        x = int(np.floor(paths.x[i] * tile.scale + 0.5)) - tile.x0
        y = int(np.floor(paths.y[i] * tile.scale + 0.5)) - tile.y0
        n = _push(out, n, x, y)
    return n


@compiled
def _clip_ring(ring: _Line, scratch: _Line, n: int) -> tuple[int, bool]:
    """Cut a ring in place by the four sides of the buffered tile."""
    n = _open(ring, n)
    left, right, top, bottom = ring.x[0], ring.x[0], ring.y[0], ring.y[0]
    for i in range(1, n):
        left, right = min(left, ring.x[i]), max(right, ring.x[i])
        top, bottom = min(top, ring.y[i]), max(bottom, ring.y[i])
    if left >= _LOW and right <= _HIGH and top >= _LOW and bottom <= _HIGH:
        return n, False
    if left > _HIGH or right < _LOW or top > _HIGH or bottom < _LOW:
        return 0, True
    n = _clip_side(ring, n, _LOW, 1, scratch)
    n = _clip_side(scratch, n, _HIGH, -1, ring)
    turned, turned_scratch = _Line(ring.y, ring.x), _Line(scratch.y, scratch.x)
    n = _clip_side(turned, n, _LOW, 1, turned_scratch)
    return _clip_side(turned_scratch, n, _HIGH, -1, turned), True


@compiled
def _clip_side(ring: _Line, n: int, bound: int, sign: int, out: _Line) -> int:
    """Keep the side of a ring where ``sign * x >= sign * bound``."""
    m = 0
    for i in range(n):
        j = i + 1 if i + 1 < n else 0
        here, there = sign * (ring.x[i] - bound) >= 0, sign * (ring.x[j] - bound) >= 0
        if here:
            m = _push(out, m, ring.x[i], ring.y[i])
        if here != there:
            m = _push(out, m, bound, _crossing(ring, i, j, bound))
    return _open(out, m)


@compiled
def _open(ring: _Line, n: int) -> int:
    """Drop last points that repeat the first."""
    while n > 1 and ring.x[0] == ring.x[n - 1] and ring.y[0] == ring.y[n - 1]:
        n -= 1
    return n


@compiled
def _crossing(ring: _Line, i: int, j: int, bound: int) -> int:
    """Where a segment meets ``x = bound``; the same for both directions of the segment."""
    if ring.x[i] > ring.x[j]:
        i, j = j, i
    share = (bound - ring.x[i]) / (ring.x[j] - ring.x[i])
    return int(np.floor(ring.y[i] + (ring.y[j] - ring.y[i]) * share + 0.5))


@compiled
def _twice_area(ring: _Line, n: int) -> int:
    """Twice the signed area (surveyor's formula); positive for a shell in tile units."""
    area = 0
    for i in range(1, n - 1):
        ax, ay = ring.x[i] - ring.x[0], ring.y[i] - ring.y[0]
        bx, by = ring.x[i + 1] - ring.x[0], ring.y[i + 1] - ring.y[0]
        area += ax * by - bx * ay
    return area


@compiled
def _append_ring(ring: _Line, n: int, step: int, out: _Line, at: int) -> None:
    """Write a ring from its first point on (step 1) or from its last point back (step -1)."""
    j = 0 if step > 0 else n - 1
    for i in range(n):
        out.x[at + i], out.y[at + i] = ring.x[j], ring.y[j]
        j += step


@compiled
def _clip_line(line: _Line, n: int, out: _Line, path: Ints, n_lines: int) -> int:
    """Write the pieces of a line that lie in the buffered tile; each piece is a path."""
    start = path[n_lines - 1, 1] if n_lines else 0
    at = start
    for i in range(n - 1):
        hit, x1, y1, x2, y2 = _clip_segment(line, i)
        goes_on = hit and at > start and out.x[at - 1] == x1 and out.y[at - 1] == y1
        if at > start and not goes_on:
            path[n_lines, 0], path[n_lines, 1] = start, at
            start, n_lines = at, n_lines + 1
        if not hit or (x1 == x2 and y1 == y2):
            continue
        if not goes_on:
            out.x[at], out.y[at] = x1, y1
            at += 1
        out.x[at], out.y[at] = x2, y2
        at += 1
    if at > start:
        path[n_lines, 0], path[n_lines, 1] = start, at
        n_lines += 1
    return n_lines


@compiled
def _clip_segment(line: _Line, i: int) -> tuple[bool, int, int, int, int]:
    x1, y1, x2, y2 = line.x[i], line.y[i], line.x[i + 1], line.y[i + 1]
    dx, dy = x2 - x1, y2 - y1
    enter, leave = 0.0, 1.0
    for towards, room in ((-dx, x1 - _LOW), (dx, _HIGH - x1), (-dy, y1 - _LOW), (dy, _HIGH - y1)):
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
