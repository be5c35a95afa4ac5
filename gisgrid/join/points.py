"""Where is each point? Coordinates of a column of shapes as it stands in a file, without making an object of each."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

_POINT: Final = 0
_PLAIN: Final = np.dtype([("order", "u1"), ("type", "<u4"), ("x", "<f8"), ("y", "<f8")])
"""A WKB point in two dimensions; little-endian where its order is 1."""
_NOWHERE: Final = shapely.Point(np.nan, np.nan)


def shape_coordinates(shapes: NDArray[np.object_]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Give x, y of points, and say which shapes are none.

    Parameters
    ----------
    shapes
        Shape (n,), geometries or None.

    Returns
    -------
    tuple of ndarray
        Shape (n, 2), NaN where a shape is missing, empty or no point; shape (n,), True where it is there and no point.
    """
    kind = shapely.get_type_id(shapes)
    there = (kind >= 0) & ~shapely.is_empty(shapes)
    wrong = there & (kind != _POINT)
    usable = there & ~wrong
    points = shapes if usable.all() else np.where(usable, shapes, _NOWHERE)
    return np.column_stack([shapely.get_x(points), shapely.get_y(points)]), wrong


def column_coordinates(column: pa.Array) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Give x, y of points as they stand in GeoParquet, and say which shapes are none.

    Parameters
    ----------
    column
        Shape (n,), WKB (any dialect that GEOS reads) or GeoArrow points (a struct of x and y).

    Returns
    -------
    tuple of ndarray
        Shape (n, 2), NaN where a shape is missing, empty or no point; shape (n,), True where it is there and no point.

    Raises
    ------
    shapely.errors.GEOSException
        Bytes that are no WKB.

    Examples
    --------
    >>> column = pa.array([shapely.to_wkb(shapely.Point(1, 2)), None, shapely.to_wkb(shapely.Point(3, 4, 5))])
    >>> column_coordinates(column)[0].tolist()
    [[1.0, 2.0], [nan, nan], [3.0, 4.0]]
    """
    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    if pa.types.is_struct(column.type):
        return _separate(column), np.zeros(len(column), np.bool_)
    column = column.cast(pa.large_binary())
    ends = np.frombuffer(column.buffers()[1], np.int64)[column.offset :][: len(column) + 1]
    data = column.buffers()[2]
    content = np.frombuffer(b"" if data is None else data, np.uint8)
    plain = np.diff(ends) == _PLAIN.itemsize
    if plain.all():
        records = content[ends[0] : ends[-1]].view(_PLAIN)
    else:
        records = content[ends[:-1][plain][:, None] + np.arange(_PLAIN.itemsize)].view(_PLAIN)[:, 0]
    is_point = (records["order"] == 1) & (records["type"] == 1)
    if plain.all() and is_point.all():
        return _xy(records), np.zeros(len(column), np.bool_)
    plain[plain] = is_point
    return _mixed(column, plain, records[is_point])


def _mixed(
    column: pa.Array, plain: NDArray[np.bool_], records: NDArray[np.void]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Read the plain points from their bytes and let GEOS read the others."""
    xy = np.full((len(column), 2), np.nan)
    wrong = np.zeros(len(column), np.bool_)
    xy[plain] = _xy(records)
    others = ~plain & column.is_valid().to_numpy(zero_copy_only=False)
    shapes = shapely.from_wkb(column.filter(pa.array(others)).to_numpy(zero_copy_only=False))
    xy[others], wrong[others] = shape_coordinates(shapes)
    return xy, wrong


def _xy(records: NDArray[np.void]) -> NDArray[np.float64]:
    xy = np.empty((len(records), 2))
    xy[:, 0], xy[:, 1] = records["x"], records["y"]
    return xy


def _separate(column: pa.StructArray) -> NDArray[np.float64]:
    """Give x and y of GeoArrow points."""
    x, y = (pc.struct_field(column, name) for name in ("x", "y"))
    return np.column_stack([x.to_numpy(zero_copy_only=False), y.to_numpy(zero_copy_only=False)])
