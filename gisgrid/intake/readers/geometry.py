"""GeoJSON geometries and arrays of points as WKB: whole columns at a time."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

GEOMETRY_TYPES: Final = frozenset(
    {"Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon", "GeometryCollection"}
)  # fmt: skip


def is_geometry(value: object) -> bool:
    """Tell whether a JSON value is a GeoJSON geometry.

    Parameters
    ----------
    value
        Any value.

    Returns
    -------
    bool
        By its members only; its coordinates may still be unreadable.

    Examples
    --------
    >>> is_geometry({"type": "Point", "coordinates": [113.2, 35.2]}), is_geometry({"type": "toilet"})
    (True, False)
    """
    return (
        isinstance(value, dict)
        and value.get("type") in GEOMETRY_TYPES
        and ("coordinates" in value or "geometries" in value)
    )


def wkb_of_geojson(values: Sequence[object]) -> tuple[pa.Array, NDArray[np.bool_]]:
    """Read GeoJSON geometries.

    Parameters
    ----------
    values
        Shape (n,): parsed JSON; None where there is no geometry.

    Returns
    -------
    wkb : Array
        Shape (n,), binary, heights left out; null where there is none.
    unreadable : ndarray of bool
        Shape (n,): there is something, but it is no geometry. Areas whose rings are open are kept as they are drawn, as
        binary formats keep them; ``shapely.from_wkb(…, on_invalid="fix")`` closes them.

    Examples
    --------
    >>> wkb, unreadable = wkb_of_geojson([{"type": "Point", "coordinates": [113.2, 35.2]}, None, {"type": "Point"}])
    >>> wkb.null_count, unreadable.tolist()
    (2, [False, False, True])
    """
    n = len(values)
    xy = np.full((n, 2), np.nan)
    others: list[int] = []
    for at, value in enumerate(values):
        if value is None:
            continue
        point = _point(value)
        if point is None:
            others.append(at)
        else:
            xy[at] = point
    if not others:
        return _wkb_of_points(xy), np.zeros(n, dtype=bool)
    shapes = np.full(n, None, dtype=object)
    known = ~np.isnan(xy[:, 0])
    shapes[known] = shapely.points(xy[known])
    unreadable = np.zeros(n, dtype=bool)
    drawn: dict[int, bytes] = {}
    texts = np.array([_text(values[at]) for at in others], dtype=object)
    shapes[others] = shapely.from_geojson(texts, on_invalid="ignore")
    for at in np.array(others)[shapely.is_missing(shapes[others])].tolist():
        open_rings = _areas_as_drawn(values[at])
        unreadable[at] = open_rings is None
        if open_rings is not None:
            drawn[at] = open_rings
    if not drawn:
        return wkb_of_shapes(shapes), unreadable
    wkb = shapely.to_wkb(shapely.force_2d(shapes))
    for at, raw in drawn.items():
        wkb[at] = raw
    return pa.array(wkb, pa.binary()), unreadable


def wkb_of_shapes(shapes: NDArray[np.object_]) -> pa.Array:
    """Write geometries as WKB, without heights.

    Parameters
    ----------
    shapes
        Shape (n,); None where there is none.

    Returns
    -------
    Array
        Shape (n,), binary.
    """
    return pa.array(shapely.to_wkb(shapely.force_2d(shapes)), pa.binary())


def _wkb_of_points(xy: NDArray[np.float64]) -> pa.Array:
    """Write plain points, NaN meaning none, as well-known binary at once: 21 bytes each."""
    known = ~np.isnan(xy[:, 0])
    points = np.empty(int(known.sum()), [("order", "u1"), ("type", "<u4"), ("xy", "<f8", 2)])
    points["order"], points["type"], points["xy"] = 1, 1, xy[known]
    ends = np.concatenate([[0], np.cumsum(known * 21)]).astype(np.int32)
    valid = None if known.all() else pa.array(known).buffers()[1]
    data = pa.py_buffer(points.tobytes())
    return pa.Array.from_buffers(pa.binary(), len(xy), [valid, pa.py_buffer(ends), data])


def _point(value: object) -> tuple[float, float] | None:
    """Give the two numbers of a plain point."""
    if not isinstance(value, dict) or value.get("type") != "Point":
        return None
    coordinates = value.get("coordinates")
    if not isinstance(coordinates, list) or len(coordinates) < 2:
        return None
    x, y = coordinates[:2]
    if (
        type(x) in {int, float}
        and type(y) in {int, float}
        and math.isfinite(x)
        and math.isfinite(y)
    ):
        return x, y
    return None


def _text(value: object) -> str | None:
    if not is_geometry(value):
        return None
    try:
        return json.dumps(value, allow_nan=False)
    except ValueError:
        return None


def _areas_as_drawn(value: object) -> bytes | None:
    """Write areas whose rings are numbers but not closed; None where they are anything else."""
    if not isinstance(value, dict) or value.get("type") not in {"Polygon", "MultiPolygon"}:
        return None
    parts = value.get("coordinates")
    if not isinstance(parts, list):
        return None
    polygons = [parts] if value["type"] == "Polygon" else parts
    try:
        written = [_polygon(rings) for rings in polygons]
    except (TypeError, ValueError):
        return None
    if value["type"] == "Polygon":
        return written[0]
    return struct.pack("<BII", 1, shapely.GeometryType.MULTIPOLYGON, len(written)) + b"".join(
        written
    )


def _polygon(rings: Iterable[object]) -> bytes:
    """Write one polygon ring by ring; a ring is at least three positions of two or three numbers."""
    arrays = [np.asarray(ring, dtype=object) for ring in rings]
    parts = [struct.pack("<BII", 1, 3, len(arrays))]
    for array in arrays:
        if array.ndim != 2 or len(array) < 3 or array.shape[1] not in {2, 3}:
            raise ValueError(array.shape)
        if not all(type(number) in {int, float} for number in array.ravel()):
            raise TypeError(array)
        parts += [struct.pack("<I", len(array)), array[:, :2].astype("<f8").tobytes()]
    return b"".join(parts)
