"""Which rows stand in a relation to a shape? Points by squares of the Z-curve, all others by their boxes first."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.errors import GEOSException

from gisgrid.features.filters.limits import FilterError
from gisgrid.features.filters.relations import SPATIAL_FUNCTIONS
from gisgrid.features.places import Places
from gisgrid.features.zorder import box_rows, square_rows, steps_lonlat, world_steps

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
Span = slice | Ints
"""Rows to be tested: a run with both ends, or positions."""

_FEW: Final = 2048
"""Rows of a square that are asked one by one rather than dividing it further."""

_MANY: Final = 4096
"""Squares at which dividing ends."""

_asking: Final = Lock()
"""A prepared shape of GEOS makes its index when it is first asked, and must not be asked twice at once then."""


def n_rows(rows: Span) -> int:
    """Say how many rows there are.

    Parameters
    ----------
    rows
        The rows.

    Returns
    -------
    int
        Their number.
    """
    return int(rows.stop - rows.start) if isinstance(rows, slice) else len(rows)


def spatial_test(
    places: Places, relation: str, shape: shapely.Geometry, *, holds: bool
) -> Callable[[Span], Bools]:
    """Prepare a condition on places.

    Parameters
    ----------
    places
        The geometry of a table.
    relation
        Shapely's word, the feature first.
    shape
        What to compare with, longitude, latitude.
    holds
        Whether it must be true, or must be false.

    Returns
    -------
    callable
        Of rows; says where it is so. A row without a place is never chosen.
    """
    shapely.prepare(shape)
    if places.lon is not None:
        return _PointTest(places, relation, shape, holds=holds)
    if places.boxes is not None:
        return _shape_test(places, places.boxes, relation, shape, holds=holds)
    return lambda rows: np.zeros(n_rows(rows), bool)


class _PointTest:
    """Points and a shape: runs of the Z-curve that are wholly in it are not looked at point by point."""

    def __init__(
        self, places: Places, relation: str, shape: shapely.Geometry, *, holds: bool
    ) -> None:
        self.places, self.relation, self.shape, self.holds = places, relation, shape, holds
        self.bounds = tuple(map(float, shape.bounds))
        self.is_box = relation == "intersects" and _is_box(shape)
        self._runs: Ints | None = None

    def __call__(self, rows: Span) -> Bools:
        places = self.places
        assert places.lon is not None and places.lat is not None and places.u is not None  # noqa: PT018, S101 - a promise to the type checker
        if isinstance(rows, slice) and n_rows(rows) > _FEW:
            found = self._by_runs(rows, len(places.u))
        else:
            found = self._one_by_one(rows)
        return found if self.holds else ~found & ~np.isnan(places.lon[rows])

    def _one_by_one(self, rows: Span) -> Bools:
        assert self.places.lon is not None and self.places.lat is not None  # noqa: PT018, S101 - a promise to the type checker
        x, y = self.places.lon[rows], self.places.lat[rows]
        west, south, east, north = self.bounds
        found = (x >= west) & (x <= east) & (y >= south) & (y <= north)
        if not self.is_box and found.any():
            inside = np.flatnonzero(found)
            found[inside] = self._asked(x[inside], y[inside])
        return np.asarray(found)

    def _by_runs(self, rows: slice, n_placed: int) -> Bools:
        if self._runs is None:
            self._runs = self._made_runs()
        start, stop = int(rows.start), int(rows.stop)
        found = np.zeros(stop - start, bool)
        asked = [np.arange(max(start, n_placed), stop)]
        first = int(np.searchsorted(self._runs[:, 1], start, side="right"))
        past = int(np.searchsorted(self._runs[:, 0], stop))
        for low, high, whole in self._runs[first:past].tolist():
            begin, end = max(low, start), min(high, stop)
            if whole:
                found[begin - start : end - start] = True
            else:
                asked.append(np.arange(begin, end))
        at = np.concatenate(asked)
        found[at - start] = self._one_by_one(at)
        return found

    def _asked(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> Bools:
        try:
            with _asking:
                if self.relation == "intersects":
                    return np.asarray(shapely.intersects_xy(self.shape, x, y))
                return np.asarray(
                    SPATIAL_FUNCTIONS[self.relation](shapely.points(x, y), self.shape)
                )
        except GEOSException as error:
            raise FilterError(f"the shape cannot be compared with ({error}); correct it") from error

    def _made_runs(self) -> Ints:
        """Give the runs of rows that may pass, and of each whether all of it does."""
        u, v = self.places.u, self.places.v
        assert u is not None and v is not None  # noqa: PT018, S101 - a promise to the type checker
        if (
            shapely.get_dimensions(self.shape) == 2
            and self.relation in {"intersects", "within"}
            and not self.is_box
        ):
            return self._square_runs(u, v)
        west, south, east, north = self.bounds
        (left, right), (bottom, top) = world_steps(np.array([west, east]), np.array([south, north]))
        # A step more on each side: rows on the edge are asked by their own coordinates.
        end = 2**32 - 1
        runs = box_rows(
            u, v, (max(left - 1, 0), max(top - 1, 0), min(right + 1, end), min(bottom + 1, end))
        )
        runs[:, 2] = 0
        if self.is_box and right - left > 4 and bottom - top > 4:
            inner = box_rows(u, v, (left + 2, top + 2, right - 2, bottom - 2))
            return _split(runs, inner[inner[:, 2] == 1])
        return runs

    def _square_runs(self, u: NDArray[np.uint32], v: NDArray[np.uint32]) -> Ints:
        """Divide squares until they are outside, inside, or hold few rows."""
        squares, level, done = np.zeros((1, 2), np.int64), 32, []
        while len(squares):
            ends = square_rows(u, v, squares, level)
            side = 1 << level
            (west, north), (east, south) = (
                steps_lonlat(squares[:, 0] - 1, squares[:, 1] - 1),
                steps_lonlat(squares[:, 0] + side + 1, squares[:, 1] + side + 1),
            )
            boxes = shapely.box(west, south, east, north)
            with _asking:
                touched = shapely.intersects(self.shape, boxes) & (ends[:, 1] > ends[:, 0])
                inside = touched & shapely.contains_properly(self.shape, boxes)
            few = touched & ~inside & (ends[:, 1] - ends[:, 0] <= _FEW)
            divided = touched & ~inside & ~few
            if int(divided.sum()) * 4 > _MANY or level == 0:
                few, divided = few | divided, np.zeros_like(divided)
            done += [np.column_stack([ends[inside], np.ones(inside.sum(), np.int64)])]
            done += [np.column_stack([ends[few], np.zeros(few.sum(), np.int64)])]
            level -= 1
            corner = np.array([[0, 0], [1, 0], [0, 1], [1, 1]]) << max(level, 0)
            squares = (squares[divided][:, None, :] + corner).reshape(-1, 2)
        runs = np.concatenate(done)
        return runs[np.argsort(runs[:, 0])]


def _split(runs: Ints, inner: Ints) -> Ints:
    """Cut runs that lie wholly inside out of those that need a closer look."""
    starts, ends = runs[:, 0], runs[:, 1]
    cuts = np.unique(np.concatenate([starts, ends, inner[:, 0], inner[:, 1]]))
    pieces = np.column_stack([cuts[:-1], cuts[1:]])
    of = np.searchsorted(starts, pieces[:, 0], side="right") - 1
    kept = (of >= 0) & (pieces[:, 0] < ends[np.maximum(of, 0)])
    whole = np.zeros(len(pieces), np.int64)
    if len(inner):
        within = np.searchsorted(inner[:, 0], pieces[:, 0], side="right") - 1
        whole = ((within >= 0) & (pieces[:, 0] < inner[np.maximum(within, 0), 1])).astype(np.int64)
    return np.column_stack([pieces, whole])[kept]


def _is_box(shape: shapely.Geometry) -> bool:
    return bool(shape.geom_type == "Polygon" and shapely.equals(shape, shapely.box(*shape.bounds)))


def _shape_test(
    places: Places,
    boxes: NDArray[np.float64],
    relation: str,
    shape: shapely.Geometry,
    *,
    holds: bool,
) -> Callable[[Span], Bools]:
    west, south, east, north = shape.bounds
    is_box = relation == "intersects" and _is_box(shape)

    def test(rows: Span) -> Bools:
        part = boxes[rows]
        found = (
            (part[:, 0] <= east)
            & (part[:, 2] >= west)
            & (part[:, 1] <= north)
            & (part[:, 3] >= south)
        )
        asked = found
        if is_box:  # what lies within the box needs no further question
            asked = found & ~(
                (part[:, 0] >= west)
                & (part[:, 2] <= east)
                & (part[:, 1] >= south)
                & (part[:, 3] <= north)
            )
        at = np.flatnonzero(asked)
        shapes = places.geometries(at + rows.start if isinstance(rows, slice) else rows[at])
        try:
            with _asking:
                found[at] = SPATIAL_FUNCTIONS[_TURNED[relation]](shape, shapes)
        except GEOSException as error:
            raise FilterError(f"the shape cannot be compared with ({error}); correct it") from error
        return np.asarray(found if holds else ~found & ~np.isnan(part[:, 0]))

    return test


_TURNED: Final = {
    "intersects": "intersects", "equals": "equals", "touches": "touches", "overlaps": "overlaps", "crosses": "crosses",
    "within": "contains", "contains": "within",
}  # fmt: skip
"""Shapely's word with the shape first, which is the one that is prepared."""
