"""What moments does a column hold, before its rule decides: text through the reader of times, typed values as they are?"""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gisgrid.errors import InputError
from gisgrid.intake.times.signs import NOTHING
from gisgrid.intake.times.text import Readings, read_texts

BLANKS: Final = (
    "", "-", "--", "/", "\\n", "null", "none", "nan", "nat", "n/a", "na", "#n/a", "无", "空", "暂无",
    "0000-00-00", "0000-00-00 00:00:00",
)  # fmt: skip
"""What exports write where there is no time, in lower case: missing, not unreadable."""


def plain_values(values: pa.Array) -> pa.Array:
    """Give a column as one array without dictionaries; numbers as text, which the reader of texts understands.

    Parameters
    ----------
    values
        An array or chunked array.

    Returns
    -------
    Array
        Text, timestamps, dates, or whatever else it was.
    """
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
        if isinstance(
            values, pa.ChunkedArray
        ):  # arrow keeps what is too long for one array in several
            values = pa.concat_arrays(
                [pc.cast(chunk, pa.large_string()) for chunk in values.chunks]
            )
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    kind = values.type
    if pa.types.is_floating(kind):
        whole = pc.fill_null(pc.equal(pc.floor(values), values), fill_value=True)
        finite = pc.is_finite(values)
        values = pc.if_else(finite, values, None)
        if pc.all(whole).as_py() and pc.all(pc.less(pc.abs(values), 1e18)).as_py() is not False:
            return pc.cast(pc.cast(values, pa.int64()), pa.large_string())
        in_reach = pc.if_else(pc.less(pc.abs(values), 1e19), values, None)
        return pc.cast(pc.cast(in_reach, pa.decimal128(38, 12), safe=False), pa.large_string())
    if pa.types.is_integer(kind):
        return pc.cast(values, pa.large_string())
    return values


def texts_of(values: pa.Array) -> pa.Array | None:
    """Give the texts of a column.

    Parameters
    ----------
    values
        Of `plain_values`.

    Returns
    -------
    Array or None
        Text; None where the column is of timestamps or dates.

    Raises
    ------
    InputError
        The column is of a type that holds no times.
    """
    kind = values.type
    if pa.types.is_null(kind):
        return pa.nulls(len(values), pa.large_string())
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return None
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pc.cast(values, pa.large_string())
    raise InputError(
        f"a column of type {kind} holds no times; name a column of text, dates, timestamps or numbers"
    )


def typed_moments(values: pa.Array) -> NDArray[np.int64]:
    """Give timestamps and dates as microseconds since 1970.

    Parameters
    ----------
    values
        Of `plain_values`.

    Returns
    -------
    ndarray of int64
        As they stand (UTC where they have a zone); `NOTHING` where missing.
    """
    kind = values.type
    target = pa.timestamp("us", tz=getattr(kind, "tz", None))
    if pa.types.is_date(kind):
        values = pc.cast(values, pa.timestamp("ms"))
    moments = pc.cast(pc.cast(values, target, safe=False), pa.int64())
    return np.asarray(pc.fill_null(moments, NOTHING).to_numpy(zero_copy_only=False))


def read_column(texts: pa.Array) -> Readings:
    """Read all texts; what the first pass cannot read is cleaned (full-width signs, quotes) and tried again.

    Parameters
    ----------
    texts
        Of `texts_of`.

    Returns
    -------
    Readings
        One entry for each.
    """
    readings = _lexed(texts)
    filled = pc.greater(pc.fill_null(pc.binary_length(texts), 0), 0).to_numpy(zero_copy_only=False)
    rest = np.flatnonzero((readings.mark == 0) & filled)
    if len(rest) == 0:
        return readings
    left = texts.take(pa.array(rest))
    clean = pc.utf8_trim(
        pc.utf8_normalize(left, form="NFKC"), characters=" \t\r\n\"'’‘\ufeff\u200b\u202f"
    )
    changed = np.flatnonzero(
        pc.fill_null(pc.not_equal(clean, left), fill_value=False).to_numpy(zero_copy_only=False)
    )
    again = _lexed(clean.take(pa.array(changed)))
    where = rest[changed]
    readings.month_first[where], readings.day_first[where] = again.month_first, again.day_first
    readings.mark[where], readings.unit[where] = again.mark, again.unit
    return readings


def _lexed(texts: pa.Array) -> Readings:
    texts = pc.fill_null(texts, "")
    _, offsets, data = texts.buffers()
    at = (
        np.frombuffer(offsets, np.int64)[texts.offset : texts.offset + len(texts) + 1]
        if offsets
        else np.zeros(1, np.int64)
    )
    read: Readings = read_texts(np.frombuffer(data or b"", np.uint8), at)
    return read


def is_blank(texts: pa.Array, mark: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Tell which texts say that there is no time.

    Parameters
    ----------
    texts
        Of `texts_of`.
    mark
        Of their readings: only texts that are no times are looked at.

    Returns
    -------
    ndarray of bool
        True for missing values and `BLANKS`.
    """
    rest = np.flatnonzero(mark == 0)
    blank = np.zeros(len(texts), bool)
    words = pc.utf8_lower(pc.utf8_trim_whitespace(pc.fill_null(texts.take(pa.array(rest)), "")))
    known = pc.is_in(words, value_set=pa.array(BLANKS, pa.large_string()))
    blank[rest] = known.to_numpy(zero_copy_only=False)
    return blank
