"""A tile of one index from which nothing is left out, in one compiled pass: from the search to the last byte.

Most tiles are of this kind and have a few dozen points; calling one loop after the other would take longer than the
loops themselves. `encoding.write_points` writes the same bytes from points that were chosen otherwise.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gisgrid.compiled import compiled
from gisgrid.tiles.mvt.wire import Bytes, Ints, put_varint, varint_size
from gisgrid.tiles.points.encoding import ALL, HEAD_ROOM, scratch
from gisgrid.tiles.points.features import (
    TileFrame,
    TileRows,
    TileWork,
    copy_values,
    values_size,
    write_features,
)
from gisgrid.tiles.points.index import PointIndex
from gisgrid.tiles.points.search import rows_around, square_run
from gisgrid.tiles.scheme import EXTENT

_TOO_MANY: Final = -1


def write_whole(
    points: PointIndex, frame: TileFrame, n_rows: int, *, head: Bytes, keys: Bytes, most: int
) -> tuple[bytes, int] | None:
    """Write all points of a tile, and those just past its edge.

    Parameters
    ----------
    points
        The points of a layer.
    frame
        The tile.
    n_rows
        How many rows of tiles its zoom has.
    head, keys
        The beginning of the layer and the names of its properties, as uint8.
    most
        A tile of more points, those past its edge not counted, is not written.

    Returns
    -------
    tuple of (bytes, int) or None
        The tile, empty where it has no feature, and how many features it has; None where there are more than `most`.
    """
    if len(scratch.stamp) < len(points.start):
        scratch.stamp = np.zeros(len(points.start), np.int32)
    while True:
        out = scratch.out
        first, last, n = _whole(
            points.u, points.v, points.record, points.layout, points.number, points.data, points.start,
            frame.depth, frame.x, frame.y, frame.n_columns, n_rows, head, keys,
            scratch.stamp, scratch.used, out, most,
        )  # fmt: skip
        if first >= 0:
            body = out[first:last].tobytes()
            scratch.shrink()
            return body, n
        if first == _TOO_MANY:
            return None
        scratch.grow(last, n)


@compiled
def _whole(  # noqa: PLR0917 - numba has no keywords
    u: NDArray[np.uint32],
    v: NDArray[np.uint32],
    record: Bytes,
    layout: Ints,
    number: Ints,
    data: Bytes,
    start: Ints,
    depth: int,
    x: int,
    y: int,
    n_columns: int,
    n_rows: int,
    head: Bytes,
    keys: Bytes,
    stamp: NDArray[np.int32],
    used: NDArray[np.int32],
    out: Bytes,
    most: int,
) -> tuple[int, int, int]:
    """Give the first byte, past the last, and the number of features; or why not (-1 too many, -2 and the room needed)."""
    begin, end = square_run(u, v, depth, x, y)
    if end - begin > most:
        return -1, 0, 0
    more = rows_around(u, v, depth, x, y, n_columns, n_rows)
    n, n_properties = end - begin + len(more), len(layout)
    if n == 0:
        return 0, 0, 0
    body = HEAD_ROOM + len(head)
    room = body + n * (42 + 8 * n_properties) + 64 + len(keys)
    if room > len(out) or n * n_properties > len(used):
        return -2, room, n * n_properties
    rows = TileRows(u, v, record, layout, number)
    work = TileWork(stamp, used, out)
    frame = TileFrame(depth, x, y, n_columns)
    at, n_features, n_used = write_features(rows, frame, (begin, end, 0), more, ALL, work, body)
    weight = values_size(start, used, n_used)
    if at + weight + len(keys) + 32 > len(out):
        return -2, at + weight + len(keys) + 32, n * n_properties
    out[at : at + len(keys)] = keys
    at = copy_values(data, start, used, n_used, out, at + len(keys))
    out[at] = 0x28
    at = put_varint(EXTENT, out, at + 1)
    out[HEAD_ROOM:body] = head
    length = at - HEAD_ROOM
    first = HEAD_ROOM - 1 - varint_size(length)
    out[first] = 0x1A
    put_varint(length, out, first + 1)
    return first, at, n_features
