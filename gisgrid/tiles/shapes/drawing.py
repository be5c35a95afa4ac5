"""How are the shapes of a tile drawn? As the commands of the specification, from flat arrays to bytes in one pass.

What lies wholly in the tile is written as it is kept; only what crosses the edge of the buffered tile is cut, and only
what a cut made touch itself is mended.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gisgrid.compiled import compiled
from gisgrid.tiles.mvt.wire import Bytes, put_varint, zigzag
from gisgrid.tiles.mvt.writer import LINE, POINT, POLYGON
from gisgrid.tiles.scheme import EXTENT
from gisgrid.tiles.shapes.clipping import (
    HIGH,
    LOW,
    Line,
    View,
    cut_line,
    cut_ring,
    empty_line,
    tile_units,
)
from gisgrid.tiles.shapes.faces import Rings, twice_area
from gisgrid.tiles.shapes.paths import Ints, Paths, Steps
from gisgrid.tiles.shapes.rounding import meets_itself, whole_rings

_MOVE_TO = 1 | 1 << 3
_CLOSE_PATH = 7 | 1 << 3


class Sheet(NamedTuple):
    """What a tile is drawn from; a tuple, because compiled loops take those.

    Attributes
    ----------
    kind
        `POINT`, `LINE` or `POLYGON`.
    paths
        See `Prepared.paths`.
    level
        Shape (n items,), the entry that the zoom draws; -1 for none.
    boxes
        Shape (n items, 4), on the layer's grid.
    base, own
        How the layer's steps, and those of the zoom's own entries, become units of the tile.
    """

    kind: int
    paths: Paths
    level: Steps
    boxes: NDArray[np.int32]
    base: View
    own: View


@compiled
def draw_items(sheet: Sheet, items: Ints) -> tuple[Ints, Bytes, Ints]:
    """Draw shapes.

    Parameters
    ----------
    sheet
        What from.
    items
        Shape (n,), which shapes, in which order.

    Returns
    -------
    tuple of array
        Shape (m,), the places in `items` of those that show; their commands; shape (m + 1,), where each begins.
    """
    # Taken out of their tuples once: each look into them would count references.
    paths, level, boxes, base, own = sheet.paths, sheet.level, sheet.boxes, sheet.base, sheet.own
    px, py, path_start, path_of = paths.x, paths.y, paths.start, paths.entry
    is_ring, is_point = sheet.kind == POLYGON, sheet.kind == POINT
    shown, start = np.empty(len(items), np.int64), np.zeros(len(items) + 1, np.int64)
    out, at = np.empty(_room(paths, level, items), np.uint8), 0
    n, n_items = 0, len(level)
    for k in range(len(items)):
        entry = level[items[k]]
        if entry < 0:
            continue
        side = _side_of_tile(boxes, items[k], base)
        add_x, add_y, shift = base if entry < n_items else own
        first, last = path_of[entry], path_of[entry + 1]
        out = _with_room(out, at, path_start[last] - path_start[first], last - first)
        if is_point or side != 2:
            out, at = _draw_cut(sheet.kind, paths, entry, View(add_x, add_y, shift), out, at)
        else:
            here_x, here_y = 0, 0
            for path in range(first, last):
                begin, stop = path_start[path], path_start[path + 1]
                out[at] = _MOVE_TO
                at += 1
                for i in range(begin, stop):
                    x, y = tile_units(px[i], add_x, shift), tile_units(py[i], add_y, shift)
                    at = _put_step(zigzag(y - here_y), out, _put_step(zigzag(x - here_x), out, at))
                    if i == begin:
                        at = put_varint(2 | (stop - begin - 1) << 3, out, at)
                    here_x, here_y = x, y
                if is_ring:
                    out[at] = _CLOSE_PATH
                    at += 1
        if at > start[n]:
            shown[n] = k
            n += 1
            start[n] = at
    return shown[:n], out[:at], start[: n + 1]


@compiled
def sift_items(sheet: Sheet, items: Ints, by_tags: int) -> tuple[Ints, NDArray[np.float64], int]:
    """Say what each shape will weigh at least, before any is drawn.

    Parameters
    ----------
    sheet
        What from.
    items
        Shape (n,), which shapes.
    by_tags
        Bytes that the properties of each take at least.

    Returns
    -------
    tuple
        Shape (m,), the shapes that the zoom has; shape (m,), the bytes they take, if they lie wholly in the tile; and how
        many others lie in it, too small for the zoom.
    """
    paths, level, boxes, base = sheet.paths, sheet.level, sheet.boxes, sheet.base
    kept, weight = np.empty(len(items), np.int64), np.empty(len(items), np.float64)
    n, n_small = 0, 0
    for item in items:
        entry = level[item]
        side = _side_of_tile(boxes, item, base)
        if entry < 0:
            n_small += side >= 0
            continue
        first, last = paths.entry[entry], paths.entry[entry + 1]
        n_points = paths.start[last] - paths.start[first] if side == 2 else 4
        # Head, id and type of the feature; two bytes to a point, three to a path.
        kept[n], weight[n] = item, 9 + by_tags + 2 * n_points + 3 * (last - first)
        n += 1
    return kept[:n], weight[:n], n_small


@compiled
def _room(paths: Paths, level: Steps, items: Ints) -> int:
    """Say how many bytes the commands can take if nothing is cut; big shapes are given room when they come."""
    room = 64
    for item in items:
        entry = level[item]
        if entry >= 0:
            first, last = paths.entry[entry], paths.entry[entry + 1]
            # A big shape is mostly outside, if it is cut at all.
            room += 4 * min(paths.start[last] - paths.start[first], 4096) + 8 * (last - first) + 8
    return room


@compiled
def _side_of_tile(boxes: NDArray[np.int32], item: int, view: View) -> int:
    """2 where a shape lies wholly in the buffered tile, 0 where its box touches the tile, else -1."""
    left, top = tile_units(boxes[item, 0], view.add_x, view.shift), tile_units(boxes[item, 1], view.add_y, view.shift)  # fmt: skip
    right, bottom = tile_units(boxes[item, 2], view.add_x, view.shift), tile_units(boxes[item, 3], view.add_y, view.shift)  # fmt: skip
    if left >= LOW and top >= LOW and right <= HIGH and bottom <= HIGH:
        return 2
    return 0 if left <= EXTENT and top <= EXTENT and right >= 0 and bottom >= 0 else -1


@compiled
def _draw_cut(  # noqa: PLR0917 - numba has no keywords
    kind: int, paths: Paths, entry: int, view: View, out: Bytes, at: int
) -> tuple[Bytes, int]:
    """Draw what crosses the edge of the buffered tile, or may."""
    if kind == POINT:
        return _draw_points(paths, entry, view, out, at)
    if kind == POLYGON:
        rings, is_cut = _cut_rings(paths, entry, view)
        if is_cut and len(rings.is_shell) and meets_itself(rings):
            rings = whole_rings(rings)
        return _draw_pieces(POLYGON, Line(rings.x, rings.y), rings.start, out, at)
    first, last = paths.entry[entry], paths.entry[entry + 1]
    n_points = paths.start[last] - paths.start[first]
    pieces, start = empty_line(2 * n_points), np.zeros(n_points + 1, np.int64)
    n = 0
    for path in range(first, last):
        n = cut_line(paths, path, view, pieces, start, n)
    return _draw_pieces(LINE, pieces, start[: n + 1], out, at)


@compiled
def _put_step(number: int, out: Bytes, at: int) -> int:
    """Write a number below 2**14, as all are that stay in a buffered tile: one byte or two."""
    if number < 0x80:
        out[at] = number
        return at + 1
    out[at] = number & 0x7F | 0x80
    out[at + 1] = number >> 7
    return at + 2


@compiled
def _with_room(out: Bytes, at: int, n_points: int, n_paths: int) -> Bytes:
    """Make sure that there is room: four bytes to a point, seven to a path."""
    needed = at + 4 * n_points + 8 * n_paths + 8
    if needed <= len(out):
        return out
    longer = np.empty(2 * needed, np.uint8)
    longer[:at] = out[:at]
    return longer


@compiled
def _draw_points(paths: Paths, entry: int, view: View, out: Bytes, at: int) -> tuple[Bytes, int]:
    first, stop = paths.start[paths.entry[entry]], paths.start[paths.entry[entry + 1]]
    inside, n = empty_line(stop - first), 0
    for i in range(first, stop):
        x, y = tile_units(paths.x[i], view.add_x, view.shift), tile_units(paths.y[i], view.add_y, view.shift)  # fmt: skip
        if LOW <= x <= HIGH and LOW <= y <= HIGH:
            inside.x[n], inside.y[n] = x, y
            n += 1
    if n == 0:
        return out, at
    here_x, here_y = 0, 0
    at = put_varint(1 | n << 3, out, at)
    for i in range(n):
        at = _put_step(zigzag(inside.x[i] - here_x), out, at)
        at = _put_step(zigzag(inside.y[i] - here_y), out, at)
        here_x, here_y = inside.x[i], inside.y[i]
    return out, at


@compiled
def _cut_rings(paths: Paths, entry: int, view: View) -> tuple[Rings, bool]:
    first, last = paths.entry[entry], paths.entry[entry + 1]
    n_points, longest = paths.start[last] - paths.start[first], 0
    for path in range(first, last):
        longest = max(longest, paths.start[path + 1] - paths.start[path])
    # Cutting by a side adds at most half as many points again.
    ring, scratch = empty_line(6 * longest + 16), empty_line(6 * longest + 16)
    x, y = np.empty(n_points + 16, np.int64), np.empty(n_points + 16, np.int64)
    start, is_shell = np.zeros(last - first + 1, np.int64), np.empty(last - first, np.bool_)
    at, n, is_cut, shell_is_gone = 0, 0, False, False
    for path in range(first, last):
        if paths.is_shell[path]:
            shell_is_gone = False
        elif shell_is_gone:
            continue
        m, cut = cut_ring(paths, path, view, ring, scratch)
        is_cut = is_cut or cut
        area = twice_area(ring.x, ring.y, 0, m) if m >= 3 else 0
        if (area > 0) != paths.is_shell[path] or area == 0:
            shell_is_gone = paths.is_shell[path]
            continue
        if at + m > len(x):
            x, y = _longer(x, at + m), _longer(y, at + m)
        x[at : at + m], y[at : at + m] = ring.x[:m], ring.y[:m]
        at += m
        is_shell[n] = paths.is_shell[path]
        n += 1
        start[n] = at
    return Rings(x[:at], y[:at], start[: n + 1], is_shell[:n]), is_cut


@compiled
def _longer(array: Ints, n: int) -> Ints:
    out = np.empty(2 * n, np.int64)
    out[: len(array)] = array
    return out


@compiled
def _draw_pieces(
    kind: int,
    points: Line,
    start: Ints,
    out: Bytes,
    at: int,
) -> tuple[Bytes, int]:
    n = len(start) - 1
    out = _with_room(out, at, start[n], n)
    here_x, here_y = 0, 0
    for path in range(n):
        begin, stop = start[path], start[path + 1]
        out[at] = _MOVE_TO
        at += 1
        for i in range(begin, stop):
            at = _put_step(zigzag(points.x[i] - here_x), out, at)
            at = _put_step(zigzag(points.y[i] - here_y), out, at)
            if i == begin:
                at = put_varint(2 | (stop - begin - 1) << 3, out, at)
            here_x, here_y = points.x[i], points.y[i]
        if kind == POLYGON:
            out[at] = _CLOSE_PATH
            at += 1
    return out, at
