"""How is a layer of a vector tile written (Mapbox Vector Tile 2.1)?

The same features give the same bytes: features in the order given, keys in the order of the columns, values of each
column in the order of their first use. Keys and values that no feature has are not written. Compiled loops write into
one buffer; nothing is done per feature in Python.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import compress
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gisgrid.compiled import compiled
from gisgrid.tiles.mvt.tags import TagRows, Tags, number_values
from gisgrid.tiles.mvt.wire import (
    Bytes,
    Ints,
    field,
    put_bytes,
    put_varint,
    varint,
    varint_size,
    zigzag,
)
from gisgrid.tiles.scheme import EXTENT

_TAIL: Final = b"\x28" + varint(EXTENT)

MVT_MEDIA_TYPE: Final = "application/vnd.mapbox-vector-tile"

POINT: Final = 1
LINE: Final = 2
POLYGON: Final = 3

NO_ID: Final = -1
"""The id of a feature that has none."""


class Drawn(NamedTuple):
    """Features of one kind of geometry, drawn; a tuple, because compiled loops take those.

    Attributes
    ----------
    kind
        `POINT`, `LINE` or `POLYGON`.
    number
        Shape (n,), the features' ids; `NO_ID` for none.
    commands
        The geometries' commands, one feature after the other.
    start
        Shape (n + 1,), where each feature begins in `commands`.
    """

    kind: int
    number: Ints
    commands: Bytes
    start: Ints


def write_layer(name: str, drawn: Sequence[tuple[Drawn, TagRows, Tags]]) -> bytes:
    """Write features as a tile of one layer; tiles of several layers are these bytes one after the other.

    Parameters
    ----------
    name
        The layer's name.
    drawn
        Features, their values, and the columns that these are of: all with the same names.

    Returns
    -------
    bytes
        The tile; empty where there is no feature.
    """
    parts = [part for part in drawn if len(part[0].number)]
    if not parts:
        return b""
    numbered = [(features, number_values(rows), tags) for features, rows, tags in parts]
    is_used = _any_used([used_start for _, (_, _, used_start), _ in numbered])
    key = np.cumsum(is_used) - 1
    chunks: list[Bytes] = []
    values: list[Bytes] = []
    n_values = 0
    for features, (number, used, used_start), tags in numbered:
        written, base = tags.values(used, used_start)
        chunks.append(_write_features(features, number, base + n_values, key))
        values += written
        n_values += len(used)
    keys = b"".join(compress(parts[0][2].keys, is_used.tolist()))
    body = b"".join([_layer_head(name), *map(_view, chunks), keys, *map(_view, values), _TAIL])
    return b"".join([b"\x1a", varint(len(body)), body])


@lru_cache(maxsize=256)
def _layer_head(name: str) -> bytes:
    return b"\x78\x02" + field(1, name.encode())


def _any_used(starts: Sequence[Ints]) -> NDArray[np.bool_]:
    """Say which columns have a value in any part."""
    is_used: NDArray[np.bool_] = starts[0][1:] > starts[0][:-1]
    for start in starts[1:]:
        is_used |= start[1:] > start[:-1]
    return is_used


def _view(array: Bytes) -> memoryview:
    return array.data


@compiled
def point_commands(x: Ints, y: Ints) -> tuple[Bytes, Ints]:
    """Draw features of one point each.

    Parameters
    ----------
    x, y
        Shape (n,), tile units, y to the south.

    Returns
    -------
    tuple of array
        The commands, and shape (n + 1,), where each feature begins among them.
    """
    n = len(x)
    out, start = np.empty(21 * n, np.uint8), np.empty(n + 1, np.int64)
    at = 0
    for i in range(n):
        start[i] = at
        out[at] = 1 | 1 << 3
        at = put_varint(zigzag(y[i]), out, put_varint(zigzag(x[i]), out, at + 1))
    start[n] = at
    return out[:at], start


@compiled
def _write_features(features: Drawn, number: NDArray[np.int32], base: Ints, key: Ints) -> Bytes:
    # Taken out of their tuple once: each look into it would count references.
    ids, commands, start = features.number, features.commands, features.start
    n_columns, n = len(base), len(ids)
    widest = 0
    for column in range(n_columns):
        widest += varint_size(max(key[column], 0)) + varint_size(base[column] + number.shape[1])
    largest = 1
    for i in range(n):
        largest = max(largest, ids[i])
    out = np.empty(len(commands) + n * (widest + varint_size(largest) + 40), np.uint8)
    at = 0
    for i in range(n):
        out[at] = 0x12
        body = at + 2
        end = body
        if ids[i] >= 0:
            out[end] = 0x08
            end = put_varint(ids[i], out, end + 1)
        tags = end + 2
        stop = tags
        for column in range(n_columns):
            value = number[column, i]
            if value >= 0:
                stop = put_varint(key[column], out, stop)
                stop = put_varint(base[column] + value, out, stop)
        if stop > tags:
            out[end] = 0x12
            end = _put_length(out, tags, stop)
        out[end], out[end + 1], out[end + 2] = 0x18, features.kind, 0x22
        end = put_varint(start[i + 1] - start[i], out, end + 3)
        end = put_bytes(commands, start[i], start[i + 1], out, end)
        at = _put_length(out, body, end)
    return out[:at]


@compiled
def _put_length(out: Bytes, start: int, stop: int) -> int:
    """Write the length of a field before it: one byte is kept for it, more are made room for."""
    length = stop - start
    if length < 0x80:
        out[start - 1] = length
        return stop
    wider = varint_size(length) - 1
    for i in range(stop - 1, start - 1, -1):
        out[i + wider] = out[i]
    put_varint(length, out, start - 1)
    return stop + wider
