"""The values of a column as the bytes that a tile carries: each distinct one is encoded once, when the layer is built."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gisgrid.compiled import compiled
from gisgrid.features import Column
from gisgrid.tiles.mvt import Tags
from gisgrid.tiles.mvt.wire import Bytes, Ints
from gisgrid.tiles.points.search import signed

_FEW: Final = 4096
"""So many words stay near at hand in whatever order they stand."""

_BATCH: Final = 1 << 20
"""Values written at once, so that the room they might need stays small."""


@dataclass(frozen=True, eq=False)
class Encoded:
    """A column as codes among encoded values.

    Attributes
    ----------
    codes
        Shape (n,), uint8, uint16 or uint32; the largest of the type where the value is missing.
    data
        Shape (n bytes,), the values one after the other, each as field 4 of an MVT layer.
    start
        Shape (m + 1,), where each begins in `data`.
    """

    codes: NDArray[np.unsignedinteger[Any]]
    data: Bytes
    start: Ints


def encoded(column: Column) -> Encoded:
    """Encode a column.

    Parameters
    ----------
    column
        Text, whole numbers, numbers and booleans keep their type; times become ISO 8601 text, as items say them.

    Returns
    -------
    Encoded
        The codes and the values. What is missing, and numbers that are not finite, have no value.
    """
    if column.codes is None:
        patterns, codes = _distinct(column)
    elif len(column.words) > _FEW:
        patterns, codes = _by_first_use(column.codes)
    else:
        patterns, codes = np.arange(len(column.words)), column.codes
    tags, chunks = Tags((column,)), [np.zeros(0, np.uint8)]
    for first in range(0, len(patterns), _BATCH):
        batch = patterns[first : first + _BATCH]
        chunks += tags.values(batch, np.array([0, len(batch)]))[0]
    data = np.concatenate(chunks)
    return Encoded(codes, data, _starts(data, len(patterns)))


def _distinct(column: Column) -> tuple[Ints, NDArray[np.unsignedinteger[Any]]]:
    """Give the values that a column has, in the order of the rows, as the patterns of 64 bits that `Tags` takes, and each row's place."""
    stored = column.stored
    present = ~column.missing()
    if column.kind == "number":
        present &= np.isfinite(stored)
    patterns, codes = _in_codes(np.asarray(stored[present]), present)
    return (
        patterns.view(np.int64) if column.kind == "number" else patterns.astype(np.int64)
    ), codes


def _by_first_use(
    codes: NDArray[np.unsignedinteger[Any]],
) -> tuple[Ints, NDArray[np.unsignedinteger[Any]]]:
    """Give many words new numbers in the order of the rows, so that what a tile holds lies together in memory."""
    present = codes != np.iinfo(codes.dtype).max
    patterns, numbered = _in_codes(codes[present], present)
    return patterns.astype(np.int64), numbered


def _in_codes(
    values: NDArray[Any], present: NDArray[np.bool_]
) -> tuple[NDArray[Any], NDArray[np.unsignedinteger[Any]]]:
    """Give the different values in the order of their first use, and each row's among them."""
    place, distinct = pd.factorize(values)
    n = len(distinct)
    dtype = np.uint8 if n <= 0xFF else np.uint16 if n <= 0xFFFF else np.uint32
    codes: NDArray[np.unsignedinteger[Any]] = np.full(len(present), np.iinfo(dtype).max, dtype)
    codes[present] = place
    return np.asarray(distinct), codes


@compiled
def _starts(data: Bytes, n: int) -> Ints:
    """Find where each field begins: after its number, of one byte, stands its length."""
    start, at = np.empty(n + 1, np.int64), 0
    for i in range(n):
        start[i] = at
        at += 1
        length, shift = 0, 0
        while data[at] > 0x7F:
            length |= signed(data[at] & 0x7F) << shift
            shift += 7
            at += 1
        at += 1 + (length | signed(data[at]) << shift)
    start[n] = at
    return start
