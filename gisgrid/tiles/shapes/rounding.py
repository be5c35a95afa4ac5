"""What is left of a shape on the grid of a zoom, and is it still whole?

Vertices that do not matter at the zoom go, the others are rounded; rings that come to nothing go; what rounding made
touch or cross itself is mended (`noding`, `faces`). All of it once per zoom when a layer is built, so that tiles that
adjoin show the same.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from gisgrid.compiled import compiled
from gisgrid.tiles.shapes.faces import Rings, filled_rings, side_of_ring, twice_area
from gisgrid.tiles.shapes.noding import noded_edges, turn
from gisgrid.tiles.shapes.paths import Ints, Paths, Steps
from gisgrid.tiles.shapes.simplification import Depths

_FEW: Final = 32
"""Up to this many rings are tried one against the other; of more the faces are made at once."""


class Grid(NamedTuple):
    """The grid of a zoom beside that of the layer.

    Attributes
    ----------
    depth
        How often the unit square is halved for the zoom's tiles.
    shift
        How often the layer's step is doubled for the zoom's unit.
    east, south
        The layer's corner in steps from the unit square's.
    """

    depth: int
    shift: int
    east: int
    south: int


@compiled
def round_paths(
    paths: Paths,
    depths: Depths,
    grid: Grid,
    closed: bool,  # noqa: FBT001 - numba has no keywords
    as_given: bool,  # noqa: FBT001 - numba has no keywords
) -> tuple[Ints, Paths]:
    """Bring a layer to the grid of a zoom.

    Parameters
    ----------
    paths
        On the layer's grid.
    depths
        Shape (n points,), from which depth on each vertex is drawn.
    grid
        The zoom's.
    closed
        Whether the paths are rings.
    as_given
        Whether the rings are wound in any way, and every entry shall be written.

    Returns
    -------
    tuple of (array, Paths)
        Shape (n entries,): -1 where an entry comes to nothing, 0 where rounding is all that is needed, else the place
        of its own paths + 1; and those.
    """
    n_entries = len(paths.entry) - 1
    own, n_own = np.empty(n_entries, np.int64), 0
    out = Paths(np.empty(1024, np.int32), np.empty(1024, np.int32), np.zeros(256, np.int64), np.empty(256, np.bool_), np.zeros(n_entries + 1, np.int64))  # fmt: skip
    at, n_rings = 0, 0
    for entry in range(n_entries):
        rings, changed = _collected(paths, entry, depths, grid, closed, as_given)
        if closed and len(rings.is_shell) and _is_doubtful(rings, changed):
            rings, changed = whole_rings(rings), True
        if len(rings.is_shell) == 0:
            own[entry] = -1
        elif not changed and not as_given:
            own[entry] = 0
        else:
            out = _with_room(out, at + len(rings.x), n_rings + len(rings.is_shell) + 1)
            for ring in range(len(rings.is_shell)):
                for i in range(rings.start[ring], rings.start[ring + 1]):
                    out.x[at], out.y[at] = rings.x[i], rings.y[i]
                    at += 1
                out.is_shell[n_rings] = rings.is_shell[ring]
                n_rings += 1
                out.start[n_rings] = at
            n_own += 1
            out.entry[n_own] = n_rings
            own[entry] = n_own
    done = Paths(out.x[:at].copy(), out.y[:at].copy(), out.start[: n_rings + 1].copy(), out.is_shell[:n_rings].copy(), out.entry[: n_own + 1].copy())  # fmt: skip
    return own, done


@compiled
def whole_rings(rings: Rings) -> Rings:
    """Mend polygons that touch or cross themselves.

    Parameters
    ----------
    rings
        Shells and holes on whole units.

    Returns
    -------
    Rings
        Valid polygons on the same units: what is inside more shells than holes. None where nothing is.
    """
    low_x, low_y = rings.x.min(), rings.y.min()
    if max(rings.x.max() - low_x, rings.y.max() - low_y) >= 1 << 30:
        return rings  # its products would overflow; what a tile shows of it is looked at again
    edges, is_done = noded_edges(rings.x, rings.y, rings.start)
    return filled_rings(edges) if is_done else rings


@compiled
def meets_itself(rings: Rings) -> bool:
    """Say whether the sides of some rings touch or cross, their common ends aside.

    Parameters
    ----------
    rings
        On whole units.

    Returns
    -------
    bool
        False for rings that do not need to be mended.
    """
    x, y, n = rings.x, rings.y, len(rings.x)
    after = np.arange(1, n + 1)
    for ring in range(len(rings.is_shell)):
        after[rings.start[ring + 1] - 1] = rings.start[ring]
    low, high = np.empty(n, np.int64), np.empty(n, np.int64)
    for i in range(n):
        low[i], high[i] = min(x[i], x[after[i]]), max(x[i], x[after[i]])
    order = np.argsort(low)
    for a in range(n):
        i = order[a]
        bottom, top = min(y[i], y[after[i]]), max(y[i], y[after[i]])
        for b in range(a + 1, n):
            j = order[b]
            if low[j] > high[i]:
                break
            if (y[j] > top and y[after[j]] > top) or (y[j] < bottom and y[after[j]] < bottom):
                continue
            if _sides_meet(x, y, i, after[i], j, after[j]):
                return True
    return False


@compiled
def _sides_meet(x: Ints, y: Ints, i: int, i2: int, j: int, j2: int) -> bool:  # noqa: PLR0917 - numba has no keywords
    if i2 == j:
        return _folds_back(x, y, i, j, j2)
    if j2 == i:
        return _folds_back(x, y, j, i, i2)
    c, d = turn(x[i], y[i], x[i2], y[i2], x[j], y[j]), turn(x[i], y[i], x[i2], y[i2], x[j2], y[j2])
    if (c > 0 and d > 0) or (c < 0 and d < 0):
        return False
    a, b = turn(x[j], y[j], x[j2], y[j2], x[i], y[i]), turn(x[j], y[j], x[j2], y[j2], x[i2], y[i2])
    if (a > 0 and b > 0) or (a < 0 and b < 0):
        return False
    if max(x[i], x[i2]) < min(x[j], x[j2]) or max(x[j], x[j2]) < min(x[i], x[i2]):
        return False
    return not (max(y[i], y[i2]) < min(y[j], y[j2]) or max(y[j], y[j2]) < min(y[i], y[i2]))


@compiled
def _folds_back(x: Ints, y: Ints, a: int, b: int, c: int) -> bool:
    if turn(x[a], y[a], x[b], y[b], x[c], y[c]) != 0:
        return False
    return bool((x[b] - x[a]) * (x[c] - x[b]) + (y[b] - y[a]) * (y[c] - y[b]) < 0)


@compiled
def _is_doubtful(rings: Rings, changed: bool) -> bool:  # noqa: FBT001 - numba has no keywords
    if meets_itself(rings):
        return True
    n = len(rings.is_shell)
    if not changed or n == 1:
        return False
    return n > _FEW or not _nests(rings)


@compiled
def _nests(rings: Rings) -> bool:
    """Say whether each hole is in one shell more than holes, and each shell in as many: rings do not touch here."""
    n = len(rings.is_shell)
    for ring in range(n):
        px, py = rings.x[rings.start[ring]], rings.y[rings.start[ring]]
        around = 0
        for other in range(n):
            if other == ring:
                continue
            if (
                side_of_ring(rings.x, rings.y, rings.start[other], rings.start[other + 1], px, py)
                > 0
            ):
                around += 1 if rings.is_shell[other] else -1
        if around != (0 if rings.is_shell[ring] else 1):
            return False
    return True


@compiled
def _collected(  # noqa: PLR0917 - numba has no keywords
    paths: Paths,
    entry: int,
    depths: Depths,
    grid: Grid,
    closed: bool,  # noqa: FBT001 - numba has no keywords
    as_given: bool,  # noqa: FBT001 - numba has no keywords
) -> tuple[Rings, bool]:
    """Round what matters of an entry; says whether anything but rounding happened to it."""
    first, last = paths.entry[entry], paths.entry[entry + 1]
    n_points = paths.start[last] - paths.start[first]
    x, y = np.empty(n_points, np.int64), np.empty(n_points, np.int64)
    start, is_shell = np.zeros(last - first + 1, np.int64), np.empty(last - first, np.bool_)
    half = (1 << grid.shift) >> 1
    east, south = grid.east >> grid.shift, grid.south >> grid.shift
    at, n, shell_is_gone = 0, 0, False
    for path in range(first, last):
        if paths.is_shell[path]:
            shell_is_gone = False
        elif shell_is_gone:
            continue
        begin = at
        for i in range(paths.start[path], paths.start[path + 1]):
            if depths[i] > grid.depth:
                continue
            px = ((paths.x[i] + grid.east + half) >> grid.shift) - east
            py = ((paths.y[i] + grid.south + half) >> grid.shift) - south
            if at == begin or px != x[at - 1] or py != y[at - 1]:
                x[at], y[at] = px, py
                at += 1
        if closed:
            at = _closed_ring(x, y, begin, at, paths.is_shell[path], as_given)
        elif at - begin < 2:
            at = begin
        if at == begin:
            shell_is_gone = paths.is_shell[path]
            continue
        is_shell[n] = paths.is_shell[path]
        n += 1
        start[n] = at
    changed = at != n_points or n != last - first
    return Rings(x[:at], y[:at], start[: n + 1], is_shell[:n]), changed


@compiled
def _closed_ring(x: Ints, y: Ints, begin: int, at: int, is_shell: bool, as_given: bool) -> int:  # noqa: FBT001, PLR0917 - numba has no keywords
    """Drop the last points of a ring that are its first again; drop it whole where it has no area or is turned over."""
    while at - begin > 1 and x[at - 1] == x[begin] and y[at - 1] == y[begin]:
        at -= 1
    if at - begin < 3:
        return begin
    area = twice_area(x, y, begin, at)
    if area == 0 or ((area > 0) != is_shell and not as_given):
        # A bow tie may have no area and still enclose some: it is looked at once, when the layer is built.
        return at if area == 0 and as_given else begin
    if (area > 0) != is_shell:
        x[begin:at] = x[begin:at][::-1].copy()
        y[begin:at] = y[begin:at][::-1].copy()
    return at


@compiled
def _with_room(out: Paths, n_points: int, n_rings: int) -> Paths:
    x, y, start, is_shell = out.x, out.y, out.start, out.is_shell
    if n_points > len(x):
        x, y = _longer(x, n_points), _longer(y, n_points)
    if n_rings >= len(start):
        longer, flags = np.zeros(2 * n_rings, np.int64), np.empty(2 * n_rings, np.bool_)
        longer[: len(start)] = start
        flags[: len(is_shell)] = is_shell
        start, is_shell = longer, flags
    return Paths(x, y, start, is_shell, out.entry)


@compiled
def _longer(array: Steps, n: int) -> Steps:
    out = np.empty(2 * n, np.int32)
    out[: len(array)] = array
    return out
