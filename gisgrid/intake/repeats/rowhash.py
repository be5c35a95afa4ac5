"""Which rows hold the same? One number for the content of a row."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gisgrid.compiled import compiled

_MIX_A, _MIX_B = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD6E8FEB86659FD93)
_NULL = np.uint64(0xA0761D6478BD642F)
_SHIFT, _EIGHT = np.uint64(32), np.uint64(8)


def row_hashes(table: pa.Table) -> NDArray[np.uint64]:
    """Give every row a number that only rows of the same content share.

    Parameters
    ----------
    table
        All columns count, in their order; bytes count as they stand (a space more is another content).

    Returns
    -------
    ndarray of uint64
        Shape (n,). Two different rows of ten million get the same number with a probability of about 3 in a million.

    Examples
    --------
    >>> hashes = row_hashes(pa.table({"id": ["1", "1", "1 "], "n": [5, 5, 5]}))
    >>> bool(hashes[0] == hashes[1]), bool(hashes[0] == hashes[2])
    (True, False)
    """
    hashes = np.zeros(table.num_rows, np.uint64)
    for column in table.columns:
        first = 0
        for chunk in column.chunks:
            _hash_column(chunk, hashes[first : first + len(chunk)])
            first += len(chunk)
    return hashes


def _hash_column(values: pa.Array, into: NDArray[np.uint64]) -> None:
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    known = values.is_valid().to_numpy(zero_copy_only=False)
    kind = values.type
    if pa.types.is_floating(kind):
        numbers = pc.fill_null(values, 0.0).to_numpy(zero_copy_only=False).astype(np.float64)
        numbers = np.where(np.isnan(numbers), np.nan, numbers + 0.0)
        _hash_words(numbers.view(np.uint64), known, into)
    elif pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        whole = pc.cast(values, pa.int8()) if pa.types.is_boolean(kind) else values
        numbers = pc.fill_null(whole, 0).to_numpy(zero_copy_only=False)
        _hash_words(numbers.astype(np.int64).view(np.uint64), known, into)
    elif pa.types.is_temporal(kind) and kind.bit_width == 64:
        numbers = pc.fill_null(pc.cast(values, pa.int64()), 0).to_numpy(zero_copy_only=False)
        _hash_words(np.ascontiguousarray(numbers).view(np.uint64), known, into)
    else:
        _, offsets, data = _as_bytes(values).buffers()[:3]
        at = np.frombuffer(offsets, np.int64)[: len(values) + 1]
        _hash_bytes(np.frombuffer(data or b"", np.uint8), at, known, into)


def _as_bytes(values: pa.Array) -> pa.Array:
    """Give any values as bytes, beginning at the start of their buffers."""
    if pa.types.is_nested(values.type):
        values = pa.array([repr(value) for value in values.to_pylist()], pa.large_string())
    elif not pa.types.is_large_binary(values.type):
        is_text = pa.types.is_string(values.type) or pa.types.is_large_string(values.type)
        values = pc.cast(values if is_text else pc.cast(values, pa.string()), pa.large_string())
    return pa.concat_arrays([values, values[:0]]) if values.offset else values


@compiled
def _mixed(state: np.uint64, word: np.uint64) -> np.uint64:
    state = (state ^ word) * _MIX_A
    state = (state ^ (state >> _SHIFT)) * _MIX_B
    return state ^ (state >> _SHIFT)


@compiled
def _hash_words(
    words: NDArray[np.uint64], known: NDArray[np.bool_], into: NDArray[np.uint64]
) -> None:
    for i in range(len(words)):
        into[i] = _mixed(into[i], words[i] if known[i] else _NULL) + _MIX_A


@compiled
def _hash_bytes(
    data: NDArray[np.uint8],
    at: NDArray[np.int64],
    known: NDArray[np.bool_],
    into: NDArray[np.uint64],
) -> None:
    for i in range(len(at) - 1):
        state = into[i] + _MIX_A
        if not known[i]:
            into[i] = _mixed(state, _NULL)
            continue
        word, filled = np.uint64(0), 0
        for p in range(at[i], at[i + 1]):
            word = (word << _EIGHT) | np.uint64(data[p])
            filled += 1
            if filled == 8:
                state, word, filled = _mixed(state, word), np.uint64(0), 0
        state = _mixed(state, word)
        into[i] = _mixed(state, np.uint64(at[i + 1] - at[i]))
