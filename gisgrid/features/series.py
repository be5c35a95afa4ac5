"""The columns of a frame made flat: whatever pandas keeps them as."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from gisgrid.errors import ColumnError
from gisgrid.features.column import (
    NO_FLAG,
    Clock,
    Column,
    Rows,
    read_only,
    text_column,
    whole_column,
)


def series_column(series: pd.Series, *, name: str, order: Rows | None = None) -> Column:
    """Make a column of a frame flat.

    Parameters
    ----------
    series
        Text, whole numbers, numbers, booleans, dates or times.
    name
        What the column is called.
    order
        Which rows to take, in which order; all of them as they are by default.

    Returns
    -------
    Column
        The column.

    Raises
    ------
    ColumnError
        It holds something else.

    Examples
    --------
    >>> column = series_column(pd.Series(["park", None, "道路"]), name="place")
    >>> column.kind, column.codes.tolist(), list(column.words)
    ('text', [0, 255, 1], ['park', '道路'])
    """
    content = _content(series)
    made = _MAKERS.get(content)
    if made is None:
        raise ColumnError(
            f"property {name!r} holds {content} values and a layer's properties are text, numbers, booleans, dates and "
            "times; convert the column, or do not expose it"
        )
    column = made(series, name)
    return column.take(order) if order is not None else column


def _flags(series: pd.Series, name: str) -> Column:
    flags = series.astype("boolean").to_numpy(dtype=np.uint8, na_value=NO_FLAG)
    return Column(name, "boolean", values=read_only(flags))


def _numbers(series: pd.Series, name: str) -> Column:
    numbers = pd.to_numeric(series, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    # What is not finite cannot be shown in JSON, so it is not there for filters either.
    return Column(name, "number", values=read_only(np.where(np.isfinite(numbers), numbers, np.nan)))


def _days(series: pd.Series, name: str) -> Column:
    return _time_column(pd.to_datetime(series), name=name, clock="day")


def _times(series: pd.Series, name: str) -> Column:
    zoned = isinstance(series.dtype, pd.DatetimeTZDtype) or _has_zone(series)
    times = pd.to_datetime(series, utc=True) if zoned else pd.to_datetime(series)
    return _time_column(times, name=name, clock="instant" if zoned else "local")


def _content(series: pd.Series) -> str:
    match series.dtype:
        case pd.CategoricalDtype(categories=categories):
            return _content(pd.Series(categories))
        case pd.ArrowDtype(pyarrow_dtype=kind):
            return _arrow_content(kind)
        case pd.StringDtype():
            return "string"
        case dtype if dtype.kind in _NUMPY:
            return _NUMPY[dtype.kind]
    return str(pd.api.types.infer_dtype(series, skipna=True))


_NUMPY: Final = {"i": "integer", "u": "integer", "f": "floating", "M": "datetime64"}


def _arrow_content(kind: pa.DataType) -> str:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return next((content for content, is_it in _ARROW if is_it(kind)), str(kind))


_ARROW: Final[tuple[tuple[str, Callable[[pa.DataType], bool]], ...]] = (
    ("string", pa.types.is_string), ("string", pa.types.is_large_string), ("boolean", pa.types.is_boolean),
    ("integer", pa.types.is_integer), ("floating", pa.types.is_floating), ("floating", pa.types.is_decimal),
    ("date", pa.types.is_date), ("datetime64", pa.types.is_timestamp),
)  # fmt: skip


def _has_zone(series: pd.Series) -> bool:
    present = series.dropna()
    first = present.iloc[0] if len(present) else None
    return isinstance(first, datetime) and first.tzinfo is not None


def _text(series: pd.Series, name: str) -> Column:
    array = pa.array(series, from_pandas=True)
    chunks = array if isinstance(array, pa.ChunkedArray) else pa.chunked_array([array])
    if pa.types.is_null(chunks.type):
        chunks = chunks.cast(pa.string())
    if not pa.types.is_dictionary(chunks.type):
        chunks = chunks.cast(pa.large_string()).dictionary_encode()
    encoded = chunks.unify_dictionaries()
    if not encoded.num_chunks:
        return Column(name, "text", codes=read_only(np.zeros(0, np.uint8)))
    found = encoded.chunk(0).dictionary.cast(pa.large_string())
    places = pc.fill_null(
        pa.chunked_array([chunk.indices for chunk in encoded.chunks]).cast(pa.int64()), -1
    )
    return text_column(name, found, places.to_numpy())


def _whole_numbers(series: pd.Series, name: str) -> Column:
    missing = series.isna().to_numpy()
    numbers = (series.fillna(0) if missing.any() else series).to_numpy()
    if numbers.dtype.kind == "O":
        numbers = np.array([int(value) for value in numbers.tolist()], object)
    if (
        numbers.dtype.kind != "i"
        and len(numbers)
        and not -(2**63) < min(numbers) <= max(numbers) < 2**63
    ):
        return Column(
            name, "number", values=read_only(np.where(missing, np.nan, numbers.astype(float)))
        )
    return whole_column(name, numbers, missing)


def _time_column(times: pd.Series, *, name: str, clock: Clock) -> Column:
    index = pd.DatetimeIndex(times)
    plain = index.tz_convert("UTC").tz_localize(None) if index.tz is not None else index
    values = plain.to_numpy().astype("datetime64[us]").astype(np.int64)  # NaT becomes NO_TIME
    return Column(name, "time", values=read_only(values), clock=clock)


_MAKERS: Final[Mapping[str, Callable[[pd.Series, str], Column]]] = {
    "string": _text, "empty": _text, "boolean": _flags, "integer": _whole_numbers, "floating": _numbers,
    "mixed-integer-float": _numbers, "decimal": _numbers, "date": _days, "datetime": _times, "datetime64": _times,
}  # fmt: skip
"""What makes a column of each content that pandas tells apart."""
