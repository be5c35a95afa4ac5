"""A layer's points as tiles read them: in the order of the Z-curve, each row's properties side by side in a few bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gisgrid.features import FeatureTable
from gisgrid.features.column import read_only
from gisgrid.tiles.mvt.wire import Bytes, Ints
from gisgrid.tiles.points.search import Steps, curve_keys
from gisgrid.tiles.points.values import encoded
from gisgrid.tiles.scheme import WEB_MERCATOR_QUAD, MatrixSet

CLASS_BYTE: Final = 0
"""Where in a record the code of the word stands by which cells count."""

BITS_BYTE: Final = 1
"""Where in a record the bits stand that say which shares a row is part of."""

_HEAD: Final = 2

_FEW: Final = 1 << 20
"""Columns with more distinct values than this repeat a value in a tile rather than look for it."""


@dataclass(frozen=True, eq=False)
class PointIndex:
    """The points of a layer in one tile matrix set. Its arrays are read-only and may lie in files.

    Attributes
    ----------
    u, v
        Shape (n,), steps of 2**-32 of the unit square, in the order of the Z-curve.
    row
        Shape (n,), each point's row of the table; None where point i is row i.
    record
        Shape (n, width), the word's code that cells count by (255 none), the bits of the shares, then the code of each
        property, little-endian, all bits set where it is missing.
    layout
        Shape (n properties, 4): where in a record the code stands, on how many bytes, the number of the column's first
        value, and whether a tile writes each of its values once.
    data, start
        The values, encoded, and shape (n values + 1,), where each begins.
    number
        Shape (n,), the row's place in the file; a feature's id is that + 1.
    """

    u: Steps
    v: Steps
    row: NDArray[np.uint32] | None
    record: Bytes
    layout: Ints
    data: Bytes
    start: Ints
    number: Ints

    def __len__(self) -> int:
        return len(self.u)

    def rows(self, points: slice | Ints) -> slice | NDArray[np.integer[Any]]:
        """Say which rows of the table some points are.

        Parameters
        ----------
        points
            A run, or positions.

        Returns
        -------
        slice or array
            The rows.
        """
        return points if self.row is None else self.row[points]

    def positions(self, rows: Ints) -> Ints:
        """Find the points of some rows.

        Parameters
        ----------
        rows
            Shape (m,), rows of the table.

        Returns
        -------
        array
            Ascending; rows without a place have none.
        """
        if self.row is None:
            return np.sort(rows[rows < len(self)]).astype(np.int64)
        return np.flatnonzero(np.isin(self.row, rows))

    def taken(self, points: Ints) -> PointIndex:
        """Keep some points.

        Parameters
        ----------
        points
            Positions, ascending.

        Returns
        -------
        PointIndex
            In memory, with the same values.
        """
        row = points.astype(np.uint32) if self.row is None else self.row[points]
        return replace(
            self,
            u=read_only(self.u[points]),
            v=read_only(self.v[points]),
            row=read_only(row),
            record=read_only(self.record[points]),
            number=read_only(self.number[points]),
        )


def point_index(
    table: FeatureTable,
    *,
    properties: Sequence[str],
    matrix_set: MatrixSet = WEB_MERCATOR_QUAD,
    classes: NDArray[np.uint8] | None = None,
    bits: NDArray[np.uint8] | None = None,
) -> PointIndex:
    """Make a table of points ready to be drawn.

    Parameters
    ----------
    table
        A point layer.
    properties
        The columns that features show, in order.
    matrix_set
        The set whose tiles will be asked for.
    classes
        Shape (n,), the code by which cells count.
    bits
        Shape (n,), the shares that a row is part of.

    Returns
    -------
    PointIndex
        Rows without a place in the set are left out.
    """
    u, v, row = _sorted_places(table, matrix_set)
    parts = [encoded(table.columns[name]) for name in properties]
    widths = [part.codes.dtype.itemsize for part in parts]
    record = np.empty((len(u), _HEAD + sum(widths)), np.uint8)
    chosen: slice | NDArray[np.uint32] = slice(len(u)) if row is None else row
    record[:, CLASS_BYTE] = 255 if classes is None else classes[chosen]
    record[:, BITS_BYTE] = 0 if bits is None else bits[chosen]
    layout = np.zeros((len(parts), 4), np.int64)
    at, first = _HEAD, 0
    for i, (part, width) in enumerate(zip(parts, widths, strict=True)):
        codes = np.ascontiguousarray(part.codes[chosen]).astype(f"<u{width}", copy=False)
        record[:, at : at + width] = codes.view(np.uint8).reshape(-1, width)
        n_values = len(part.start) - 1
        layout[i] = at, width, first, n_values <= _FEW
        at, first = at + width, first + n_values
    data = np.concatenate([part.data for part in parts] or [np.zeros(0, np.uint8)])
    ends = np.cumsum([0] + [len(part.data) for part in parts])
    start = np.concatenate(
        [part.start[:-1] + end for part, end in zip(parts, ends, strict=False)] + [ends[-1:]]
    )
    return PointIndex(
        u, v, row, read_only(record), read_only(layout), read_only(data),
        read_only(start.astype(np.int64)), read_only(table.number[chosen]),
    )  # fmt: skip


def _sorted_places(
    table: FeatureTable, matrix_set: MatrixSet
) -> tuple[Steps, Steps, NDArray[np.uint32] | None]:
    if matrix_set == WEB_MERCATOR_QUAD:
        u, v = table.u, table.v
        assert u is not None  # noqa: S101 - a point layer has places
        assert v is not None  # noqa: S101 - the same
        return read_only(u), read_only(v), None
    lon, lat = table.lon, table.lat
    assert lon is not None  # noqa: S101 - a point layer has places
    assert lat is not None  # noqa: S101 - the same
    u, v, there = matrix_set.to_steps(lon, lat)
    on = np.flatnonzero(there)
    order = on[np.argsort(curve_keys(u[on], v[on]), kind="stable")]
    return read_only(u[order]), read_only(v[order]), read_only(order.astype(np.uint32))
