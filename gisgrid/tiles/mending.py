"""Is a polygon still whole after rounding and cutting, and if not, what is the whole one nearest to it?

Rounding can fold a narrow polygon over itself, and cutting a bent one leaves its pieces tied together along the edge
of the tile. Few polygons of a tile can be hit; those are tested segment by segment, and only what fails is mended.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray

from gisgrid.tiles.clip import Pieces
from gisgrid.tiles.compiled import compiled
from gisgrid.tiles.shapes import Bools, Ints


def mended(pieces: Pieces) -> Pieces:
    """Replace the polygons that rounding or cutting broke by valid ones on the same grid.

    Parameters
    ----------
    pieces
        Polygons in tile units.

    Returns
    -------
    Pieces
        Every polygon valid; what has no area left is gone.
    """
    several = np.diff(pieces.feature, axis=1)[:, 0] > 1
    # One ring that meets itself nowhere is valid; of several rings the nesting must hold as well.
    broken = pieces.doubtful & several
    one_ring = np.flatnonzero(pieces.doubtful & ~several)
    broken[one_ring] = _meets_itself(pieces, one_ring)
    suspects = np.flatnonzero(broken)
    if len(suspects) == 0:
        return pieces
    shapes = _shapes(pieces, suspects)
    bad = ~shapely.is_valid(shapes)
    if not bad.any():
        return pieces
    keep = np.ones(len(pieces.row), dtype=bool)
    keep[suspects[bad]] = False
    return _with_shapes(pieces, keep, _on_grid(shapes[bad]), pieces.row[suspects[bad]])


def _on_grid(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """Mend polygons: the fast way, and the thorough way where that leaves the grid or is not enough."""
    whole = shapely.make_valid(shapes, method="structure", keep_collapsed=False)
    coordinates, of = shapely.get_coordinates(whole, return_index=True)
    again = ~shapely.is_valid(whole)
    again[of[(coordinates != np.rint(coordinates)).any(axis=1)]] = True
    whole[again] = shapely.set_precision(shapely.make_valid(shapes[again]), 1.0)
    return np.asarray(whole)


def _shapes(pieces: Pieces, features: Ints) -> NDArray[np.object_]:
    shapes = []
    for first, last in pieces.feature[features]:
        rings = [
            shapely.linearrings(np.column_stack([pieces.x[a:b], pieces.y[a:b]]))
            for a, b in pieces.path[first:last]
        ]
        shells = np.append(np.flatnonzero(pieces.is_shell[first:last]), last - first)
        parts = [
            shapely.polygons(rings[start], holes=rings[start + 1 : stop] or None)
            for start, stop in pairwise(shells)
        ]
        shapes.append(shapely.multipolygons(parts) if len(parts) > 1 else parts[0])
    return np.array(shapes, dtype=object)


def _with_shapes(pieces: Pieces, keep: Bools, shapes: NDArray[np.object_], rows: Ints) -> Pieces:
    """Put mended polygons in the place of the broken ones, in the order of the rows."""
    parts, part_of = _polygon_parts(shapes)
    if len(parts) == 0:
        return _chosen(pieces, np.flatnonzero(keep))
    _, coordinates, (ring_start, part_start) = shapely.to_ragged_array(
        shapely.orient_polygons(parts)
    )
    whole = np.rint(coordinates).astype(np.int64)
    ring = np.column_stack(
        [ring_start[:-1], ring_start[1:] - 1]
    )  # rings do not repeat their first point
    shell = np.zeros(len(ring), dtype=bool)
    shell[part_start[:-1]] = True
    mended_rows, first = np.unique(part_of, return_index=True)
    ends = part_start[np.append(first, len(parts))]
    feature = np.column_stack([ends[:-1], ends[1:]]) + len(pieces.path)
    kept = _chosen(pieces, np.flatnonzero(keep))
    row = np.concatenate([kept.row, rows[mended_rows]])
    joined = Pieces(
        np.concatenate([pieces.x, whole[:, 0]]),
        np.concatenate([pieces.y, whole[:, 1]]),
        np.concatenate([pieces.path, ring + len(pieces.x)]),
        np.concatenate([pieces.is_shell, shell]),
        np.concatenate([kept.feature, feature]),
        row,
        np.zeros(len(row), dtype=bool),
    )
    return _chosen(joined, np.argsort(row, kind="stable"))


def _chosen(pieces: Pieces, features: Ints) -> Pieces:
    return Pieces(
        pieces.x, pieces.y, pieces.path, pieces.is_shell,
        pieces.feature[features], pieces.row[features], pieces.doubtful[features],
    )  # fmt: skip


def _polygon_parts(shapes: NDArray[np.object_]) -> tuple[NDArray[np.object_], Ints]:
    of = np.arange(len(shapes))
    while True:
        shapes, inner = shapely.get_parts(shapes, return_index=True)
        of = of[inner]
        if not np.isin(shapely.get_type_id(shapes), (4, 5, 6, 7)).any():
            break
    areal = (shapely.get_dimensions(shapes) == 2) & ~shapely.is_empty(shapes)
    return shapes[areal], of[areal]


@compiled
def _meets_itself(pieces: Pieces, chosen: Ints) -> Bools:
    """Tell for each feature of one ring whether the ring touches or crosses itself."""
    meets = np.zeros(len(chosen), np.bool_)
    for k in range(len(chosen)):
        ring = pieces.feature[chosen[k], 0]
        start, stop = pieces.path[ring, 0], pieces.path[ring, 1]
        meets[k] = _ring_meets_itself(pieces.x[start:stop], pieces.y[start:stop])
    return meets


@compiled
def _ring_meets_itself(x: Ints, y: Ints) -> bool:
    n = len(x)
    low, high = np.empty(n, np.int64), np.empty(n, np.int64)
    for i in range(n):
        j = i + 1 if i + 1 < n else 0
        low[i], high[i] = min(x[i], x[j]), max(x[i], x[j])
    order = np.argsort(low)
    for a in range(n):
        i = order[a]
        for b in range(a + 1, n):
            j = order[b]
            if low[j] > high[i]:
                break
            if _sides_meet(x, y, min(i, j), max(i, j)):
                return True
    return False


@compiled
def _sides_meet(x: Ints, y: Ints, i: int, j: int) -> bool:
    """Whether sides i < j of a ring share a point that they should not."""
    n = len(x)
    i2, j2 = i + 1, j + 1 if j + 1 < n else 0
    if i2 == j:
        return _folds_back(x, y, i, j, j2)
    if j2 == i:
        return _folds_back(x, y, j, i, i2)
    if min(y[i], y[i2]) > max(y[j], y[j2]) or max(y[i], y[i2]) < min(y[j], y[j2]):
        return False
    if min(x[i], x[i2]) > max(x[j], x[j2]) or max(x[i], x[i2]) < min(x[j], x[j2]):
        return False
    return (
        _turn(x, y, i, i2, j) * _turn(x, y, i, i2, j2) <= 0
        and _turn(x, y, j, j2, i) * _turn(x, y, j, j2, i2) <= 0
    )


@compiled
def _folds_back(x: Ints, y: Ints, a: int, b: int, c: int) -> bool:
    if _turn(x, y, a, b, c) != 0:
        return False
    return bool((x[b] - x[a]) * (x[c] - x[b]) + (y[b] - y[a]) * (y[c] - y[b]) < 0)


@compiled
def _turn(x: Ints, y: Ints, a: int, b: int, c: int) -> int:
    """Sign of the turn at point b on the way from a to c."""
    cross = (x[b] - x[a]) * (y[c] - y[a]) - (y[b] - y[a]) * (x[c] - x[a])
    return 1 if cross > 0 else (-1 if cross < 0 else 0)
