"""Which properties do the features of a tile have, and how is each distinct value written once?

A layer's columns stay as they are stored; a tile reads its rows as one table of 64-bit patterns. Per column the distinct
patterns are numbered in the order of their first use: in a table where they lie close together (codes of words, small
numbers), by hashing where they do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gisgrid.compiled import compiled
from gisgrid.features.column import Column, read_only
from gisgrid.tiles.mvt.times import TIME_ROOM, put_time
from gisgrid.tiles.mvt.wire import Bytes, Ints, field, put_bytes, put_varint, varint_size, zigzag

if TYPE_CHECKING:
    from gisgrid.features.column import Rows

_TEXT, _INTEGER, _NUMBER, _BOOLEAN, _INSTANT, _LOCAL, _DAY = range(7)
_KINDS: Final = {"text": _TEXT, "integer": _INTEGER, "number": _NUMBER, "boolean": _BOOLEAN}
_CLOCKS: Final = {"instant": _INSTANT, "local": _LOCAL, "day": _DAY}

_SMALL: Final = 1 << 16
"""Dictionaries of up to this many bytes are joined, so that one call writes the values of all of them."""


class TagRows(NamedTuple):
    """The values of some rows, ready to be numbered; a tuple, because compiled loops take those.

    Attributes
    ----------
    bits
        Shape (n columns, n rows), what the columns store: codes, whole numbers, microseconds, the bits of a double.
    gap
        Shape (n columns,), what stands for a missing value.
    kind
        Shape (n columns,), how a value is written.
    """

    bits: Ints
    gap: Ints
    kind: NDArray[np.uint8]


class _Blob(NamedTuple):
    """Texts one after the other, of one column or several."""

    data: Bytes
    offsets: Ints


@dataclass(frozen=True, eq=False)
class Tags:
    """The properties that a layer shows.

    Attributes
    ----------
    columns
        In the order in which features show them.
    """

    columns: tuple[Column, ...]

    @cached_property
    def keys(self) -> tuple[bytes, ...]:
        """The columns' names as fields of a layer."""
        return tuple(field(3, column.name.encode()) for column in self.columns)

    @cached_property
    def _gap(self) -> Ints:
        # A number's gap is found by its bits; what stands here never occurs.
        gaps = [-1 if column.gap is None else column.gap for column in self.columns]
        return np.array(gaps, dtype=np.int64)

    @cached_property
    def _kind(self) -> NDArray[np.uint8]:
        kinds = [
            _CLOCKS[column.clock] if column.kind == "time" else _KINDS[column.kind]
            for column in self.columns
        ]
        return np.array(kinds, dtype=np.uint8)

    @cached_property
    def _stored(self) -> tuple[NDArray[Any], ...]:
        # Plain views: slicing a memory map itself is slow.
        return tuple(
            np.asarray(column.stored).view(
                np.int64 if column.kind == "number" else column.stored.dtype
            )
            for column in self.columns
        )

    @cached_property
    def _texts(self) -> tuple[tuple[Ints, _Blob, Ints], ...]:
        """Groups of columns whose values one call writes: which, their texts, where each column's begin."""
        small = [i for i, column in enumerate(self.columns) if len(column.words.data) <= _SMALL]
        large = [i for i in range(len(self.columns)) if i not in small]
        groups = (
            [(np.array(small, np.int64), *_joined([self.columns[i] for i in small]))]
            if small
            else []
        )
        for i in large:
            words = self.columns[i].words
            blob = _Blob(read_only(words.data), read_only(words.offsets))
            groups.append((np.array([i], np.int64), blob, np.zeros(1, np.int64)))
        return tuple(groups)

    def rows(self, rows: Rows) -> TagRows:
        """Read the values of some rows.

        Parameters
        ----------
        rows
            A run or positions.

        Returns
        -------
        TagRows
            In the order of `rows`.
        """
        parts = [stored[rows] for stored in self._stored]
        bits = np.empty((len(parts), len(parts[0]) if parts else 0), np.int64)
        for i, part in enumerate(parts):
            bits[i] = part
        return TagRows(bits, self._gap, self._kind)

    def values(self, used: Ints, used_start: Ints) -> tuple[list[Bytes], Ints]:
        """Write the values that a tile uses.

        Parameters
        ----------
        used
            The patterns of all columns, one column after the other.
        used_start
            Shape (n columns + 1,), where each column begins in `used`.

        Returns
        -------
        tuple of (list of array, array)
            The fields, in the order in which they stand in the layer; shape (n columns,), the number of each column's
            first value in that order.
        """
        chunks, base, n = [], np.zeros(len(self.columns), np.int64), 0
        for columns, blob, first_word in self._texts:
            for column in columns.tolist():
                base[column] = n
                n += int(used_start[column + 1] - used_start[column])
            chunks.append(_write_values(columns, self._kind, used, used_start, blob, first_word))
        return chunks, base


def _joined(columns: Sequence[Column]) -> tuple[_Blob, Ints]:
    n_words = np.array([0] + [len(column.words) for column in columns], np.int64)
    n_bytes = np.cumsum([0] + [len(column.words.data) for column in columns])
    offsets = [column.words.offsets[:-1] + at for column, at in zip(columns, n_bytes, strict=False)]
    data = np.concatenate([column.words.data for column in columns]).astype(np.uint8)
    ends = np.append(np.concatenate(offsets), n_bytes[-1]).astype(np.int64)
    return _Blob(read_only(data), read_only(ends)), np.cumsum(n_words)[:-1].astype(np.int64)


@compiled
def number_values(tags: TagRows) -> tuple[NDArray[np.int32], Ints, Ints]:
    """Give each distinct value of a column a number, in the order of their first use.

    Parameters
    ----------
    tags
        The values of a tile's features.

    Returns
    -------
    tuple of array
        Shape (n columns, n rows), each value's number within its column, -1 where it is missing; the distinct patterns
        of all columns, one column after the other; shape (n columns + 1,), where each column begins among them.
    """
    n_columns, n = tags.bits.shape
    number = np.empty((n_columns, n), np.int32)
    used, used_start = np.empty(n_columns * n, np.int64), np.zeros(n_columns + 1, np.int64)
    at = 0
    for column in range(n_columns):
        bits, gap, numbers = tags.bits[column], tags.gap[column], number[column]
        if tags.kind[column] == _NUMBER:
            _blank_numbers(bits, gap)
        low, high = _ends(bits, gap)
        if low > high:
            numbers[:] = -1
        elif (high >> 1) - (
            low >> 1
        ) <= 2 * n + 512:  # halves, as the difference of far ends overflows
            at = _number_near(bits, gap, low, high, numbers, used, at)
        else:
            at = _number_far(bits, gap, numbers, used, at)
        used_start[column + 1] = at
    return number, used[:at], used_start


@compiled
def _blank_numbers(bits: Ints, gap: int) -> None:
    """Put the gap where a double is no finite number: its exponent has all bits set."""
    for i in range(len(bits)):
        if bits[i] >> 52 & 0x7FF == 0x7FF:
            bits[i] = gap


@compiled
def _ends(bits: Ints, gap: int) -> tuple[int, int]:
    low, high = np.iinfo(np.int64).max, np.iinfo(np.int64).min
    for value in bits:
        if value != gap:
            low, high = min(low, value), max(high, value)
    return low, high


@compiled
def _number_near(  # noqa: PLR0917 - numba has no keywords
    bits: Ints, gap: int, low: int, high: int, number: NDArray[np.int32], used: Ints, at: int
) -> int:
    table = np.zeros(high - low + 1, np.int32)
    n_used = 0
    for i in range(len(bits)):
        if bits[i] == gap:
            number[i] = -1
            continue
        place = bits[i] - low
        if table[place] == 0:
            used[at + n_used] = bits[i]
            n_used += 1
            table[place] = n_used
        number[i] = table[place] - 1
    return at + n_used


@compiled
def _number_far(bits: Ints, gap: int, number: NDArray[np.int32], used: Ints, at: int) -> int:
    size = 16
    while size < 2 * len(bits):
        size *= 2
    table, n_used = np.zeros(size, np.int32), 0
    for i in range(len(bits)):
        if bits[i] == gap:
            number[i] = -1
            continue
        mixed = np.uint64(bits[i]) * np.uint64(0x9E3779B97F4A7C15)
        place = np.int64(mixed >> np.uint64(20)) & (size - 1)
        while table[place] != 0 and used[at + table[place] - 1] != bits[i]:
            place = (place + 1) & (size - 1)
        if table[place] == 0:
            used[at + n_used] = bits[i]
            n_used += 1
            table[place] = n_used
        number[i] = table[place] - 1
    return at + n_used


@compiled
def _write_values(  # noqa: PLR0917 - numba has no keywords
    columns: Ints,
    kind: NDArray[np.uint8],
    used: Ints,
    used_start: Ints,
    blob: _Blob,
    first_word: Ints,
) -> Bytes:
    room = 0
    for k in range(len(columns)):
        start, stop = used_start[columns[k]], used_start[columns[k] + 1]
        room += (stop - start) * (TIME_ROOM + 16)
        if kind[columns[k]] == _TEXT:
            for i in range(start, stop):
                word = first_word[k] + used[i]
                room += blob.offsets[word + 1] - blob.offsets[word]
    out, at = np.empty(room, np.uint8), 0
    for k in range(len(columns)):
        column = columns[k]
        for i in range(used_start[column], used_start[column + 1]):
            if kind[column] == _TEXT:
                at = _put_text(blob, first_word[k] + used[i], out, at)
            elif kind[column] >= _INSTANT:
                at = put_time(used[i], kind[column] - _INSTANT, out, at)
            else:
                at = _put_plain(kind[column], used[i], out, at)
    return out[:at]


@compiled
def _put_text(blob: _Blob, word: int, out: Bytes, at: int) -> int:
    start, stop = blob.offsets[word], blob.offsets[word + 1]
    length = stop - start
    at = put_varint(1 + varint_size(length) + length, out, put_varint(0x22, out, at))
    at = put_varint(length, out, put_varint(0x0A, out, at))
    return put_bytes(blob.data, start, stop, out, at)


@compiled
def _put_plain(kind: int, bits: int, out: Bytes, at: int) -> int:
    at = put_varint(0x22, out, at)
    if kind == _BOOLEAN:
        out[at], out[at + 1], out[at + 2] = 2, 0x38, 1 if bits else 0
        return at + 3
    if kind == _INTEGER:
        # int_value for what is not negative, sint_value below: a negative int_value takes ten bytes.
        number = bits if bits >= 0 else zigzag(bits)
        if number < 0:  # only the zigzag of the far half of 64 bits
            return _put_far(bits, out, at)
        at = put_varint(1 + varint_size(number), out, at)
        return put_varint(number, out, put_varint(0x20 if bits >= 0 else 0x30, out, at))
    out[at], out[at + 1] = 9, 0x19
    for i in range(8):
        out[at + 2 + i] = bits >> 8 * i & 0xFF
    return at + 10


@compiled
def _put_far(bits: int, out: Bytes, at: int) -> int:
    """Write a number below -2**62 as int_value: its 64 bits as they are, in ten bytes."""
    out[at], out[at + 1] = 11, 0x20
    left = np.uint64(bits)
    for i in range(9):
        out[at + 2 + i] = np.uint8(left & np.uint64(0x7F)) | np.uint8(0x80)
        left >>= np.uint64(7)
    out[at + 11] = np.uint8(left)
    return at + 12
