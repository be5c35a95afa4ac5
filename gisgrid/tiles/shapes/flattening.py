"""What geometry does a layer have? Taken apart once into points, lines and rings on the unit square.

Multi-part shapes and collections keep together by their row. What cannot be drawn is counted, never passed over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from gisgrid.tiles.mvt.writer import LINE, POINT, POLYGON
from gisgrid.tiles.scheme import MAX_LATITUDE, MatrixSet
from gisgrid.tiles.shapes.paths import Bools, Ints, RawPaths

if TYPE_CHECKING:
    from gisgrid.features import FeatureTable

Shapes = NDArray[np.object_]

_AT_ONCE: Final = 20_000
"""Rows whose geometry is in memory as objects at one time."""

_FAR: Final = (-200.0, -90.0, 200.0, 90.0)
"""Farther out than any tile with its buffer reaches; what goes beyond is cut off, so that no number grows too large."""

_ABSURD: Final = 1e6
"""No longitude or latitude; squares of such numbers may overflow."""

_KINDS: Final = (POINT, LINE, POLYGON)


def flat_shapes(
    table: FeatureTable, matrix_set: MatrixSet
) -> tuple[dict[int, RawPaths], dict[str, int]]:
    """Lay a layer's geometry out flat.

    Parameters
    ----------
    table
        Any mixture of geometry; invalid polygons are mended (``shapely.make_valid``).
    matrix_set
        The set whose unit square to place it on.

    Returns
    -------
    tuple of dict
        By kind (`POINT`, `LINE`, `POLYGON`) what there is of it; and how many rows are not drawn, or not wholly, by
        reason.
    """
    found: dict[int, list[RawPaths]] = {kind: [] for kind in _KINDS}
    left_out: dict[str, int] = {}
    for first in range(0, len(table), _AT_ONCE):
        rows = np.arange(first, min(first + _AT_ONCE, len(table)))
        parts, row, reasons = _drawable(table.geometries(rows), rows, matrix_set)
        for reason, count in reasons.items():
            left_out[reason] = left_out.get(reason, 0) + count
        for kind in _KINDS:
            chosen = shapely.get_dimensions(parts) == kind - 1
            if chosen.any():
                found[kind].append(_raw(parts[chosen], row[chosen], kind, matrix_set))
    return {kind: _joined(chunks) for kind, chunks in found.items() if chunks}, left_out


def _drawable(
    geometry: Shapes, rows: Ints, matrix_set: MatrixSet
) -> tuple[Shapes, Ints, dict[str, int]]:
    parts, of = _single_parts(shapely.force_2d(geometry))
    finite = _is_place(parts)
    inside = finite & _touches_world(parts, matrix_set)
    reasons = {
        "no geometry": len(rows) - len(np.unique(of)),
        "coordinates that are no place": len(np.unique(of[~finite])),
        "outside the world of web maps": len(np.unique(of[finite & ~inside])),
    }
    return (
        *_cut_off(parts[inside], rows[of[inside]]),
        {name: n for name, n in reasons.items() if n},
    )


def _single_parts(geometry: Shapes) -> tuple[Shapes, Ints]:
    """Take multi-part shapes and collections apart; mend polygons first. Gives the parts and their places."""
    areal = (shapely.get_dimensions(geometry) == 2) & _is_place(geometry)
    broken = areal & ~shapely.is_valid(geometry)
    if broken.any():
        geometry = geometry.copy()
        geometry[broken] = shapely.make_valid(
            geometry[broken], method="structure", keep_collapsed=False
        )
    return _parts(geometry, np.arange(len(geometry)))


def _parts(geometry: Shapes, of: Ints) -> tuple[Shapes, Ints]:
    while True:
        geometry, inner = shapely.get_parts(geometry, return_index=True)
        of = of[inner]
        if not np.isin(shapely.get_type_id(geometry), (4, 5, 6, 7)).any():
            break
    filled = ~shapely.is_empty(geometry)
    return geometry[filled], of[filled]


def _is_place(geometry: Shapes) -> Bools:
    coordinates, of = shapely.get_coordinates(geometry, return_index=True)
    finite = np.ones(len(geometry), dtype=bool)
    # A comparison with NaN is false.
    finite[of[~(np.abs(coordinates) < _ABSURD).all(axis=1)]] = False
    return finite


def _touches_world(parts: Shapes, matrix_set: MatrixSet) -> Bools:
    north = MAX_LATITUDE if matrix_set.projection == "mercator" else 90.0
    bounds = shapely.bounds(parts)
    inside = (bounds[:, 0] <= 180) & (bounds[:, 2] >= -180)
    return np.asarray(inside & (bounds[:, 1] <= north) & (bounds[:, 3] >= -north))


def _cut_off(parts: Shapes, row: Ints) -> tuple[Shapes, Ints]:
    bounds = shapely.bounds(parts)
    far = (np.abs(bounds[:, [0, 2]]) > 200).any(axis=1) | (np.abs(bounds[:, [1, 3]]) > 90).any(
        axis=1
    )
    if not far.any():
        return parts, row
    dimension = shapely.get_dimensions(parts)
    # Never fails, whatever the size; where the cut leaves a ring tied together, rounding parts it.
    cut, of = _parts(shapely.clip_by_rect(parts[far], *_FAR), np.flatnonzero(far))
    same = shapely.get_dimensions(cut) == dimension[of]
    place = np.concatenate([np.flatnonzero(~far), of[same]])
    order = np.argsort(place, kind="stable")
    return np.concatenate([parts[~far], cut[same]])[order], row[place[order]]


def _raw(parts: Shapes, row: Ints, kind: int, matrix_set: MatrixSet) -> RawPaths:
    if kind == POLYGON:
        _, lonlat, (start, part) = shapely.to_ragged_array(parts)
        is_last = np.zeros(len(lonlat), bool)
        is_last[start[1:] - 1] = True  # the first point again
        lonlat = lonlat[~is_last]
        start = start - np.arange(len(start))
        is_shell = np.zeros(len(start) - 1, bool)
        is_shell[part[:-1]] = True
    else:
        lonlat = shapely.get_coordinates(parts)
        start = np.append(0, np.cumsum(shapely.get_num_coordinates(parts)))
        part = np.arange(len(parts) + 1)
        is_shell = np.ones(len(parts), bool)
    rows, first = np.unique(row, return_index=True)
    entry = part[np.append(first, len(row))]
    u, v = matrix_set.to_unit(lonlat[:, 0], lonlat[:, 1])
    return RawPaths(u, v, start.astype(np.int64), is_shell, entry.astype(np.int64), rows)


def _joined(chunks: list[RawPaths]) -> RawPaths:
    return RawPaths(
        np.concatenate([chunk.u for chunk in chunks]),
        np.concatenate([chunk.v for chunk in chunks]),
        _starts([chunk.start for chunk in chunks]),
        np.concatenate([chunk.is_shell for chunk in chunks]),
        _starts([chunk.entry for chunk in chunks]),
        np.concatenate([chunk.row for chunk in chunks]),
    )


def _starts(chunks: list[Ints]) -> Ints:
    sizes = np.concatenate([np.diff(chunk) for chunk in chunks])
    return np.append(0, np.cumsum(sizes)).astype(np.int64)
