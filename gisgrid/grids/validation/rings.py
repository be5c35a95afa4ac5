"""Are the rings of a file's polygons closed? Asked of the bytes, because readers close rings or give up on them."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_POLYGON, _MULTIPOLYGON, _COLLECTION = 3, 6, 7
_EWKB_Z, _EWKB_M, _EWKB_SRID = 0x80000000, 0x40000000, 0x20000000
_HEADER: Final = 5


def open_rings(wkb: Sequence[bytes | None]) -> pd.DataFrame:
    """List the rings whose last vertex is not their first, as a file has them.

    Parameters
    ----------
    wkb
        Shape (n,), geometry as well-known binary (ISO or extended), None where there is none. GeoPackage, Shapefile,
        GeoJSON and FlatGeobuf give up their rings as drawn through ``pyogrio.raw.read``; a GeoParquet column is
        WKB. A Shapely geometry can hold no open ring, so what came through Shapely cannot be asked any more.

    Returns
    -------
    DataFrame
        One row per open ring: `row` (position in `wkb`), `ring` (0 is the first of the geometry), `gap` (distance
        from its last to its first vertex, in the file's units), `x`, `y` (the last vertex).

    Examples
    --------
    >>> import shapely
    >>> square = [(0, 0), (10, 0), (10, 10), (0, 10)]
    >>> points = b"".join(struct.pack("<dd", *xy) for xy in square)
    >>> open_rings([struct.pack("<BIII", 1, 3, 1, 4) + points, None])
       row  ring   gap    x     y
    0    0     0  10.0  0.0  10.0
    >>> len(open_rings([shapely.to_wkb(shapely.Polygon(square))]))
    0
    """
    rows: list[tuple[int, int, float, float, float]] = []
    for row, blob in enumerate(wkb):
        if blob is None:
            continue
        for number, ring in enumerate(_rings(memoryview(blob), [0])):
            if len(ring) and not np.array_equal(ring[0], ring[-1], equal_nan=True):
                gap = float(np.hypot(*(ring[-1, :2] - ring[0, :2])))
                rows.append((row, number, gap, float(ring[-1, 0]), float(ring[-1, 1])))
    found = pd.DataFrame(rows, columns=["row", "ring", "gap", "x", "y"])
    return found.astype({"row": np.int64, "ring": np.int64, "gap": float, "x": float, "y": float})


def _rings(blob: memoryview, at: list[int]) -> Iterator[NDArray[np.float64]]:
    """Walk a geometry's rings; `at` holds the place of the next byte."""
    start = at[0]
    order = "<" if blob[start] == 1 else ">"
    (code,) = struct.unpack_from(f"{order}I", blob, start + 1)
    at[0] = start + _HEADER + (4 if code & _EWKB_SRID else 0)
    kind, has = (code & 0x0FFFFFFF) % 1000, (code & 0x0FFFFFFF) // 1000
    dimensions = 2 + bool(code & _EWKB_Z or has in {1, 3}) + bool(code & _EWKB_M or has in {2, 3})
    if kind not in {_POLYGON, _MULTIPOLYGON, _COLLECTION}:
        at[0] = len(
            blob
        )  # a point or a line has no ring; what follows it in a collection is not looked at
        return
    (count,) = struct.unpack_from(f"{order}I", blob, at[0])
    at[0] += 4
    for _ in range(count):
        if at[0] >= len(blob):
            return
        if kind != _POLYGON:
            yield from _rings(blob, at)
            continue
        (n,) = struct.unpack_from(f"{order}I", blob, at[0])
        values = np.frombuffer(blob, dtype=f"{order}f8", count=n * dimensions, offset=at[0] + 4)
        at[0] += 4 + 8 * n * dimensions
        yield values.reshape(n, dimensions)
