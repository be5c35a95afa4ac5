"""Write a vector tile (Mapbox Vector Tile 2.1): one layer, its features in the order given.

The same features give the same bytes. Keys stand in the order of the properties, values in the order of their first
use. Compiled loops write varints into one buffer; nothing is done per feature in Python.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gisgrid.tiles.clip import Pieces
from gisgrid.tiles.compiled import compiled
from gisgrid.tiles.properties import Properties, field, varint
from gisgrid.tiles.scheme import EXTENT
from gisgrid.tiles.shapes import Ints

POINT: Final = 1
LINE: Final = 2
POLYGON: Final = 3

Bytes = NDArray[np.uint8]


class _Dictionary(NamedTuple):
    """Which values the tile uses: codes per row and column, each value's number in the tile + 1, and the way back."""

    codes: NDArray[np.int32]
    number: NDArray[np.int32]
    used: NDArray[np.int32]


class _Content(NamedTuple):
    tags: Bytes
    n_tags: int
    geometry: Bytes
    n_geometry: int


def encode_layer(name: str, kinds: list[tuple[int, Pieces]], properties: Properties) -> bytes:
    """Write the features of a layer as a tile.

    Parameters
    ----------
    name
        The layer's name.
    kinds
        Pairs of geometry type (`POINT`, `LINE`, `POLYGON`) and the pieces of that type.
    properties
        Indexed by the rows that the pieces name. A feature's id is its row + 1.

    Returns
    -------
    bytes
        The tile; empty where there is no feature.
    """
    n_values = len(properties.value_start)
    dictionary = _Dictionary(
        properties.codes, np.zeros(n_values, dtype=np.int32), np.empty(n_values, dtype=np.int32)
    )
    n_used = 0
    chunks = []
    for kind, pieces in kinds:
        if len(pieces.row):
            chunk, n_used = _write_features(kind, pieces, dictionary, n_used)
            chunks.append(chunk.tobytes())
    if not chunks:
        return b""
    values = _gather(properties.values, properties.value_start, dictionary.used[:n_used])
    keys = b"".join(field(3, key.encode()) for key in properties.names)
    layer = b"".join(
        [
            b"\x78\x02", field(1, name.encode()), *chunks, keys, values.tobytes(), b"\x28" + varint(EXTENT),
        ]
    )  # fmt: skip
    return field(3, layer)


@compiled
def _write_features(
    kind: int, pieces: Pieces, dictionary: _Dictionary, n_used: int
) -> tuple[Bytes, int]:
    n_columns = dictionary.codes.shape[1]
    n_features = len(pieces.row)
    largest, total = 0, 0
    for f in range(n_features):
        room = _geometry_room(pieces, f)
        largest, total = max(largest, room), total + room
    geometry, tags = np.empty(largest, np.uint8), np.empty(10 * n_columns, np.uint8)
    out = np.empty(total + n_features * (10 * n_columns + 40), np.uint8)
    at = 0
    for f in range(n_features):
        row = pieces.row[f]
        n_geometry = _write_geometry(kind, pieces, f, geometry)
        n_tags, n_used = _write_tags(dictionary, n_used, row, tags)
        at = _write_feature(kind, row + 1, _Content(tags, n_tags, geometry, n_geometry), out, at)
    return out[:at], n_used


@compiled
def _geometry_room(pieces: Pieces, f: int) -> int:
    """How many bytes the commands can take: five to a number, two numbers to a point, three commands to a path."""
    room = 5
    for p in range(pieces.feature[f, 0], pieces.feature[f, 1]):
        room += 10 * (pieces.path[p, 1] - pieces.path[p, 0]) + 15
    return room


@compiled
def _write_feature(kind: int, number: int, content: _Content, out: Bytes, at: int) -> int:
    n_tags, n_geometry = content.n_tags, content.n_geometry
    length = 4 + _varint_size(number) + _varint_size(n_geometry) + n_geometry
    if n_tags:
        length += 1 + _varint_size(n_tags) + n_tags
    at = _varint(length, out, _varint(0x12, out, at))
    at = _varint(number, out, _varint(0x08, out, at))
    if n_tags:
        at = _copy(content.tags, n_tags, out, _varint(n_tags, out, _varint(0x12, out, at)))
    at = _varint(kind, out, _varint(0x18, out, at))
    at = _varint(n_geometry, out, _varint(0x22, out, at))
    return _copy(content.geometry, n_geometry, out, at)


@compiled
def _write_tags(dictionary: _Dictionary, n_used: int, row: int, out: Bytes) -> tuple[int, int]:
    at = 0
    for column in range(dictionary.codes.shape[1]):
        code = dictionary.codes[row, column]
        if code < 0:
            continue
        if dictionary.number[code] == 0:
            dictionary.used[n_used] = code
            n_used += 1
            dictionary.number[code] = n_used
        at = _varint(dictionary.number[code] - 1, out, _varint(column, out, at))
    return at, n_used


@compiled
def _write_geometry(kind: int, pieces: Pieces, f: int, out: Bytes) -> int:
    """Write the commands: 1 MoveTo, 2 LineTo, 7 ClosePath, each with its count in the higher bits."""
    at, here_x, here_y = 0, 0, 0
    if kind == POINT:
        at = _varint(1 | (pieces.feature[f, 1] - pieces.feature[f, 0]) << 3, out, at)
    for p in range(pieces.feature[f, 0], pieces.feature[f, 1]):
        start, stop = pieces.path[p, 0], pieces.path[p, 1]
        if kind != POINT:
            at = _varint(1 | 1 << 3, out, at)
        for i in range(start, stop):
            if kind != POINT and i == start + 1:
                at = _varint(2 | (stop - start - 1) << 3, out, at)
            at = _varint(_zigzag(pieces.x[i] - here_x), out, at)
            at = _varint(_zigzag(pieces.y[i] - here_y), out, at)
            here_x, here_y = pieces.x[i], pieces.y[i]
        if kind == POLYGON:
            at = _varint(7 | 1 << 3, out, at)
    return at


@compiled
def _gather(values: Bytes, start: Ints, chosen: NDArray[np.int32]) -> Bytes:
    total = 0
    for i in chosen:
        total += start[i + 1] - start[i]
    out, at = np.empty(total, np.uint8), 0
    for i in chosen:
        for k in range(start[i], start[i + 1]):
            out[at] = values[k]
            at += 1
    return out


@compiled
def _zigzag(number: int) -> int:
    return number << 1 ^ number >> 63


@compiled
def _varint_size(number: int) -> int:
    size = 1
    while number > 0x7F:
        number >>= 7
        size += 1
    return size


@compiled
def _varint(number: int, out: Bytes, at: int) -> int:
    while number > 0x7F:
        out[at] = number & 0x7F | 0x80
        number >>= 7
        at += 1
    out[at] = number
    return at + 1


@compiled
def _copy(source: Bytes, n: int, out: Bytes, at: int) -> int:
    for i in range(n):
        out[at + i] = source[i]
    return at + n
