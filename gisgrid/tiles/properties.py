"""A layer's properties, ready to be written into any tile: each distinct value is encoded once, when the layer is read."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gisgrid.errors import ColumnError, did_you_mean
from gisgrid.tiles.shapes import Ints

_TEXT_HEADS: Final = tuple(bytes([0x22, n + 2, 0x0A, n]) for n in range(126))
"""What goes before a text of n bytes, while both lengths fit one byte: most of the values of a city."""


@dataclass(frozen=True)
class Properties:
    """The exposed columns of a frame as codes into one list of encoded values.

    Attributes
    ----------
    names
        The columns, in order.
    codes
        Shape (n rows, n columns), which value; -1 where it is missing.
    values
        Shape (n bytes,), the values one after the other, each as field 4 of an MVT layer.
    value_start
        Shape (n values + 1,), where each begins in `values`.
    """

    names: tuple[str, ...]
    codes: NDArray[np.int32]
    values: NDArray[np.uint8]
    value_start: Ints


def frame_properties(frame: pd.DataFrame, names: Sequence[str], *, name: str) -> Properties:
    """Encode the columns that tiles shall show.

    Strings, whole numbers, numbers and booleans keep their type; dates and times become ISO 8601 strings (times in
    UTC); what is missing is left out of the feature.

    Parameters
    ----------
    frame
        Any frame.
    names
        Its columns to show.
    name
        What the frame is called in an error's sentence.

    Returns
    -------
    Properties
        The encoded columns.

    Raises
    ------
    ColumnError
        A column is not there, or holds what a tile cannot carry.
    """
    known: dict[bytes, int] = {}
    codes = np.full((len(frame), len(names)), -1, dtype=np.int32)
    for column, label in enumerate(names):
        if label not in frame.columns:
            raise ColumnError(
                f"property {label!r} is no column of {name!r}{did_you_mean(label, map(str, frame.columns))}"
            )
        encode = _encoder(frame[label], label=label, name=name)
        local, distinct = pd.factorize(frame[label], use_na_sentinel=True)
        glob = np.array(
            [known.setdefault(encode(value), len(known)) for value in _plain(distinct)] + [-1],
            dtype=np.int32,
        )
        codes[:, column] = glob[local]  # -1 picks the last, which is -1
    lengths = np.fromiter(map(len, known), dtype=np.int64, count=len(known))
    start = np.append(0, np.cumsum(lengths))
    return Properties(tuple(names), codes, np.frombuffer(b"".join(known), dtype=np.uint8), start)


def varint(number: int) -> bytes:
    """Write a whole number as protocol buffers do, seven bits to the byte.

    Parameters
    ----------
    number
        Not negative.

    Returns
    -------
    bytes
        One to ten bytes.

    Examples
    --------
    >>> varint(300).hex()
    'ac02'
    """
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def field(number: int, content: bytes) -> bytes:
    """Write a field of bytes: its number, its length, its content.

    Parameters
    ----------
    number
        The field's number.
    content
        Its bytes.

    Returns
    -------
    bytes
        The field.
    """
    return varint(number << 3 | 2) + varint(len(content)) + content


def _plain(distinct: pd.Index) -> list[Any]:
    if isinstance(distinct, pd.DatetimeIndex):
        times = distinct.tz_convert("UTC") if distinct.tz is not None else distinct
        zone = "Z" if distinct.tz is not None else ""
        texts = np.datetime_as_string(times.tz_localize(None).to_numpy(), unit="s")
        return [f"{text}{zone}" for text in texts]
    return list(distinct.tolist())


def _encoder(values: pd.Series, *, label: str, name: str) -> Callable[[Any], bytes]:
    kind = pd.api.types.infer_dtype(values, skipna=True)
    match kind:
        case "string" | "datetime64" | "empty" | "categorical":
            return _text
        case "boolean":
            return _boolean
        case "integer":
            return _whole
        case "floating" | "mixed-integer-float" | "decimal":
            return _number
        case "date" | "datetime":
            return _moment
    raise ColumnError(
        f"property {label!r} of {name!r} holds {kind} values and a tile carries text, numbers, booleans and dates; "
        "convert the column, or do not expose it"
    )


def _text(value: object) -> bytes:
    text = str(value).encode()
    n = len(text)
    return _TEXT_HEADS[n] + text if n < len(_TEXT_HEADS) else field(4, field(1, text))


def _boolean(value: object) -> bytes:
    return field(4, b"\x38\x01" if value else b"\x38\x00")


def _whole(value: object) -> bytes:
    number = int(cast("int", value))
    # int_value for what is not negative, zigzag sint_value below: a negative int_value takes ten bytes.
    return field(4, b"\x20" + varint(number) if number >= 0 else b"\x30" + varint(-2 * number - 1))


def _number(value: object) -> bytes:
    return field(4, b"\x19" + struct.pack("<d", float(cast("float", value))))


def _moment(value: date | datetime) -> bytes:
    return _text(value.isoformat())
