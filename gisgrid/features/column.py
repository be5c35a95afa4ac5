"""One property of a layer as flat arrays: small, typed, and read in place from a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gisgrid.features.words import Words

Kind = Literal["text", "integer", "number", "boolean", "time"]
"""What a property holds."""

Clock = Literal["instant", "local", "day"]
"""What a time is: an instant (UTC), a date and time of no stated zone, or a day."""

Plain = str | int | float | bool | None
"""A value as JSON has it."""

Rows = NDArray[np.integer[Any]] | NDArray[np.bool_] | slice
"""Which rows: their positions, a mask, or a run."""

NO_TIME: Final = int(np.iinfo(np.int64).min)
"""The time of a row that has none."""

NO_FLAG: Final = 255
"""The boolean of a row that has none."""

NO_WORDS: Final = Words(np.zeros(1, np.int64), np.zeros(0, np.uint8))
"""The dictionary of what is no text."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, eq=False)
class Column:
    """A property of n rows. Its arrays are read-only.

    Attributes
    ----------
    name
        What it is called.
    kind
        What it holds.
    codes
        Text only. Shape (n,), uint8, uint16 or uint32, the place among `words`; the largest value of the type where it
        is missing.
    words
        Text only: the distinct texts in order, so that codes compare as texts do.
    values
        All others. Shape (n,): integer int8 to int64 (the smallest value of the type where it is missing), number
        float64 (NaN), boolean uint8 (255), time int64, microseconds since 1970 (`NO_TIME`).
    clock
        How a time is said.
    """

    name: str
    kind: Kind
    codes: NDArray[np.unsignedinteger[Any]] | None = None
    words: Words = NO_WORDS
    values: NDArray[Any] | None = None
    clock: Clock = "instant"

    @classmethod
    def from_values(
        cls, values: Sequence[Plain], *, name: str, kind: Kind, clock: Clock = "instant"
    ) -> Column:
        """Make a column of single values, as `at` gives them; times as microseconds.

        Parameters
        ----------
        values
            Of the kind that is said, or None.
        name
            What the column is called.
        kind
            What it holds.
        clock
            How a time is said.

        Returns
        -------
        Column
            The column.
        """
        match kind:
            case "text":
                words = Words.from_texts(str(value) for value in values if value is not None)
                places = {word: i for i, word in enumerate(words)}
                found = np.array(
                    [-1 if value is None else places[str(value)] for value in values], np.int64
                )
                return text_column(name, words.arrow(), found)
            case "boolean":
                flags = np.array(
                    [NO_FLAG if value is None else bool(value) for value in values], np.uint8
                )
                return cls(name, kind, values=read_only(flags))
            case "number":
                numbers = np.array(
                    [np.nan if value is None else float(value) for value in values], float
                )
                return cls(name, kind, values=read_only(numbers))
            case "time":
                times = np.array(
                    [NO_TIME if value is None else int(value) for value in values], np.int64
                )
                return cls(name, kind, values=read_only(times), clock=clock)
        numbers = np.array([0 if value is None else int(value) for value in values], np.int64)
        missing = np.array([value is None for value in values], bool)
        return whole_column(name, numbers, missing)

    def __len__(self) -> int:
        return len(self.stored)

    @property
    def stored(self) -> NDArray[Any]:
        """The array that has an entry per row: the codes of a text, the values of all others."""
        array = self.codes if self.codes is not None else self.values
        assert array is not None  # noqa: S101 - a promise to the type checker
        return array

    @property
    def gap(self) -> int | None:
        """What stands in `stored` where the value is missing; None for numbers, where it is NaN."""
        match self.kind:
            case "text":
                return int(np.iinfo(self.stored.dtype).max)
            case "boolean":
                return NO_FLAG
            case "number":
                return None
        return int(np.iinfo(self.stored.dtype).min)

    def missing(self, rows: Rows = slice(None)) -> NDArray[np.bool_]:
        """Say where there is no value.

        Parameters
        ----------
        rows
            Which rows; all by default.

        Returns
        -------
        array
            Shape (n of `rows`,).
        """
        stored = self.stored[rows]
        return np.isnan(stored) if self.gap is None else np.asarray(stored == self.gap)

    def take(self, rows: Rows) -> Column:
        """Keep some rows.

        Parameters
        ----------
        rows
            Which, in which order.

        Returns
        -------
        Column
            With the same words.
        """
        part = read_only(self.stored[rows])
        return replace(self, codes=part) if self.kind == "text" else replace(self, values=part)

    def at(self, rows: Rows) -> list[Plain]:
        """Give values as JSON has them.

        Parameters
        ----------
        rows
            Which rows.

        Returns
        -------
        list
            Text, int, float, bool or None. Instants are ISO 8601 in UTC with a Z, times of no zone have none, days are
            dates. Numbers that are not finite are None.

        Examples
        --------
        >>> Column.from_values([1_790_814_600_000_000, None], name="reported_at", kind="time").at(slice(None))
        ['2026-10-01T00:30:00Z', None]
        """
        stored = self.stored[rows]
        match self.kind:
            case "text":
                return self._texts(stored)
            case "number":
                return [value if finite else None for value, finite in zip(
                    stored.tolist(), np.isfinite(stored).tolist(), strict=True)]  # fmt: skip
            case "time":
                return [
                    None if value == NO_TIME else moment(value, self.clock)
                    for value in stored.tolist()
                ]
            case "boolean":
                return [None if value == NO_FLAG else value == 1 for value in stored.tolist()]
        return [None if value == self.gap else value for value in stored.tolist()]

    def _texts(self, codes: NDArray[Any]) -> list[Plain]:
        distinct, place = np.unique(codes, return_inverse=True)
        gap, words = self.gap, self.words
        texts = [None if code == gap else words[code] for code in distinct.tolist()]
        return [texts[i] for i in place.tolist()]


def as_rows(rows: Rows | Sequence[int], n: int) -> NDArray[np.int64]:
    """Turn any way to name rows into their positions.

    Parameters
    ----------
    rows
        Positions, a mask, or a run.
    n
        How many rows there are.

    Returns
    -------
    array
        Shape (m,).
    """
    if isinstance(rows, slice):
        return np.arange(n)[rows]
    array = np.asarray(rows)
    if array.dtype == bool:
        return np.flatnonzero(array)
    return array.astype(np.int64)


def moment(microseconds: int, clock: Clock) -> str:
    """Say a time as ISO 8601 does.

    Parameters
    ----------
    microseconds
        Since the beginning of 1970.
    clock
        What kind of time it is.

    Returns
    -------
    str
        With fractions of a second only where there are some.

    Examples
    --------
    >>> moment(0, "instant"), moment(1_500_000, "local"), moment(0, "day")
    ('1970-01-01T00:00:00Z', '1970-01-01T00:00:01.500000', '1970-01-01')
    """
    try:
        time = (_EPOCH + timedelta(microseconds=microseconds)).replace(tzinfo=None)
    except OverflowError:  # years that Python's calendar does not have
        return f"{np.datetime64(microseconds, 'us')}{'Z' if clock == 'instant' else ''}"
    match clock:
        case "instant":
            return f"{time.isoformat()}Z"
        case "local":
            return time.isoformat()
    return time.date().isoformat()


def read_only(array: NDArray[Any]) -> NDArray[Any]:
    """Make sure that nobody writes into an array that many share.

    Parameters
    ----------
    array
        Any array.

    Returns
    -------
    array
        The same values, packed and read-only.
    """
    packed = np.ascontiguousarray(array)
    if packed.flags.writeable:
        packed = packed.view()
        packed.setflags(write=False)
    return packed


def whole_column(name: str, numbers: NDArray[Any], missing: NDArray[np.bool_]) -> Column:
    """Make a column of whole numbers, in the smallest type that has room for them and for the gap.

    Parameters
    ----------
    name
        What the column is called.
    numbers
        Shape (n,), whole; anything where there is none.
    missing
        Shape (n,), where there is none.

    Returns
    -------
    Column
        The column.
    """
    there = numbers[~missing] if missing.any() else numbers
    low, high = (int(there.min()), int(there.max())) if len(there) else (0, 0)
    fitting: Iterator[type[np.signedinteger[Any]]] = (
        dtype for dtype in (np.int8, np.int16, np.int32)
        if np.iinfo(dtype).min < low and high <= np.iinfo(dtype).max
    )  # fmt: skip
    dtype = next(fitting, np.int64)
    values = numbers.astype(dtype)
    values[missing] = np.iinfo(dtype).min
    return Column(name, "integer", values=read_only(values))


def text_column(name: str, found: pa.Array, places: NDArray[np.int64]) -> Column:
    """Make a text column of texts and places among them.

    Parameters
    ----------
    name
        What the column is called.
    found
        Shape (m,), texts in any order, possibly some that no row has and some twice.
    places
        Shape (n,), each row's place among them; -1 for none.

    Returns
    -------
    Column
        Its words are those that rows have, in order.
    """
    used = np.zeros(len(found), bool)
    used[places[places >= 0]] = True
    used &= found.is_valid().to_numpy(zero_copy_only=False)
    kept = found.filter(pa.array(used))
    order = _text_order(kept)
    ordered = kept.take(order)
    first = np.ones(len(ordered), bool)
    if len(ordered) > 1:
        first[1:] = pc.not_equal(ordered[1:], ordered[:-1]).to_numpy(zero_copy_only=False)
    words = Words.from_arrow(ordered.filter(pa.array(first)))
    gap = len(words)
    dtype = np.uint8 if gap <= 255 else np.uint16 if gap <= 65535 else np.uint32
    missing = np.iinfo(dtype).max
    code = np.full(len(found) + 1, missing, dtype)  # the last stands for -1
    code[np.flatnonzero(used)[order.to_numpy()]] = (np.cumsum(first) - 1).astype(dtype)
    return Column(name, "text", codes=read_only(code[places]), words=words)


def _text_order(texts: pa.Array) -> pa.Array:
    """Give the order of texts; numbered keys often stand in it already."""
    if len(texts) < 2 or pc.all(pc.less(texts[:-1], texts[1:])).as_py():
        return pa.array(np.arange(len(texts)))
    return pc.sort_indices(texts)
