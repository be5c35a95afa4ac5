"""What do the values of a column look like: numbers, times, places, codes, names?

Judged on a sample of rows; a column of text and a typed column are judged alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

_ROWS: Final = 2000
_MISSING: Final = pa.array(["", "null", "none", "nan", "n/a", "na", "-", "--", "/", "\\n", "无", "暂无", "空"])  # fmt: skip

_NUMBER: Final = r"^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$"
_DIGITS: Final = r"^\d{1,12}(?:\.0)?$"
_CODE: Final = r"^[A-Za-z0-9][\w.\-]{0,23}$"
_MONTH: Final = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_TIME: Final = (
    r"(?i)^(?:\d{4}\s*[-/.年]\s*\d{1,2}\s*[-/.月]\s*\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2})(?:\D|$)|"
    rf"\d{{1,2}}[- ]{_MONTH}[- ,]+\d{{2,4}}|{_MONTH}\.? \d{{1,2}},? \d{{4}}|"
    rf"(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? (?:\d|{_MONTH}))"
)
_COMPACT: Final = r"^(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[0-2]\d[0-5]\d(?:[0-5]\d)?)?$"  # fmt: skip
_NUM: Final = r"\s*[+-]?\d{1,9}(?:\.\d+)?\s*°?\s*"
_PAIR: Final = rf"^[\[({{]?{_NUM}(?:[,;、|]|\s){_NUM}[\])}}]?$"
_ANGLE: Final = r"(?i)^[nsew北南东西]?\s*\d{1,3}\s*[°度]\s*(?:\d|$)"
_KINDS: Final = r"(?:multi)?(?:point|linestring|polygon)|geometrycollection"
_WKT: Final = rf"(?i)^\s*(?:srid=\d+;)?\s*(?:{_KINDS})\s*(?:z|m|zm)?\s*(?:\(|empty)"
_GEOJSON: Final = r"(?is)^\s*\{.*['\"]coordinates['\"]\s*:"
_WKB: Final = r"^\s*(?:00|01)[0-9A-Fa-f]{40,}$"

_FIRST_DAY, _LAST_DAY = 25_569, 73_050  # spreadsheet days of 1970 and 2100
_EPOCHS_S = (300e6, 4.2e9)


@dataclass(frozen=True)
class Look:
    """What a sample of a column's values looks like.

    Attributes
    ----------
    n
        Values that are there (neither null nor a word for nothing), of those looked at.
    n_rows
        Rows looked at.
    n_distinct
        Different values among all rows of the sample.
    n_present
        Values that are there among all rows of the sample.
    numbers
        Shape (n,), NaN where the value is not a number.
    shares
        Of `n`, by what they look like: number, digits, decimals, angle, time, serial, pair,
        shape, code, cjk.
    """

    n: int
    n_rows: int
    n_distinct: int
    n_present: int
    numbers: NDArray[np.float64]
    shares: dict[str, float]

    @property
    def share_distinct(self) -> float:
        """Different values per value: 1 where every row has its own."""
        return self.n_distinct / self.n_present if self.n_present else 0.0

    def within(self, low: float, high: float) -> float:
        """Give the share of values that are numbers between two limits, both included.

        Parameters
        ----------
        low, high
            The limits.

        Returns
        -------
        float
            0 to 1, of all values that are there.
        """
        if not self.n:
            return 0.0
        return float(((self.numbers >= low) & (self.numbers <= high)).sum() / self.n)


def look(column: pa.ChunkedArray | pa.Array) -> Look:
    """Look at a column's values.

    Parameters
    ----------
    column
        Shape (n,), any type.

    Returns
    -------
    Look
        What they look like.

    Examples
    --------
    >>> round(look(pa.array(["116.4,39.9", "116.5,39.8", ""])).shares["pair"], 2)
    1.0
    """
    column = pa.chunked_array([column]) if isinstance(column, pa.Array) else column
    rows = np.unique(np.linspace(0, max(len(column) - 1, 0), min(len(column), _ROWS)).astype(int))
    thin = column.take(pa.array(rows)).combine_chunks()
    if isinstance(thin, pa.ChunkedArray):  # an empty column keeps no chunk
        thin = pa.concat_arrays(thin.chunks) if thin.num_chunks else pa.array([], column.type)
    kind = column.type
    if pa.types.is_nested(kind):
        n = len(thin) - thin.null_count
        present = len(column) - column.null_count
        return Look(n, len(thin), present, present, np.full(n, np.nan), {})
    if _is_binary(kind):
        return _look_binary(column, thin)
    text = _texts(thin)
    n_present, n_distinct = _distinct(column)
    numbers = _numbers(text)
    shares = _shares(text, numbers)
    if pa.types.is_temporal(kind):
        shares["time"] = float(pa.types.is_timestamp(kind) or pa.types.is_date(kind))
    return Look(len(text), len(thin), n_distinct, n_present, numbers, shares)


def _is_binary(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind)
    )


def _look_binary(column: pa.ChunkedArray, thin: pa.Array) -> Look:
    present = [value for value in thin.to_pylist() if value]
    n_present = len(column) - column.null_count
    shape = sum(value[0] in (0, 1) and len(value) >= 21 for value in present)
    shares = {"shape": shape / len(present)} if present else {}
    return Look(
        len(present), len(thin), n_present, n_present, np.full(len(present), np.nan), shares
    )


def _texts(values: pa.Array) -> pa.Array:
    """Give the values that are there, as trimmed text with ordinary letters."""
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    text = pc.utf8_trim_whitespace(pc.utf8_normalize(values.cast(pa.string()), form="NFKC"))
    text = text.drop_null()
    return text.filter(pc.invert(pc.is_in(pc.utf8_lower(text), value_set=_MISSING)))


def _distinct(column: pa.ChunkedArray) -> tuple[int, int]:
    counts = pc.value_counts(column.drop_null())
    if not len(counts):
        return 0, 0
    values, n = counts.field("values"), counts.field("counts").to_numpy(zero_copy_only=False)
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        there = pc.invert(
            pc.is_in(
                pc.utf8_lower(pc.utf8_trim_whitespace(values.cast(pa.string()))), value_set=_MISSING
            )
        ).to_numpy(zero_copy_only=False)
        return int(n[there].sum()), int(there.sum())
    return int(n.sum()), len(values)


def _numbers(text: pa.Array) -> NDArray[np.float64]:
    clean = pc.replace_substring(text, "°", "")
    number = pc.match_substring_regex(clean, _NUMBER)
    clean = pc.if_else(number, clean, pa.scalar(None, pa.string()))
    return np.asarray(clean.cast(pa.float64()).to_numpy(zero_copy_only=False))


def _share(text: pa.Array, pattern: str) -> float:
    if not len(text):
        return 0.0
    return float(pc.sum(pc.match_substring_regex(text, pattern)).as_py()) / len(text)


def _shares(text: pa.Array, numbers: NDArray[np.float64]) -> dict[str, float]:
    n = len(text)
    if not n:
        return {}
    with np.errstate(invalid="ignore"):
        serial = (numbers >= _FIRST_DAY) & (numbers <= _LAST_DAY)
        low, high = _EPOCHS_S
        serial |= (numbers >= low) & (numbers <= high)
        serial |= (numbers >= low * 1000) & (numbers <= high * 1000)
        decimals = np.isfinite(numbers) & (np.abs(numbers * 100 - np.round(numbers * 100)) > 1e-6)
    shape = max(_share(text, pattern) for pattern in (_WKT, _GEOJSON, _WKB))
    return {
        "number": float(np.isfinite(numbers).mean()),
        "digits": _share(text, _DIGITS),
        "decimals": float(decimals.mean()),
        "time": _share(text, _TIME),
        "serial": max(float(serial.mean()), _share(text, _COMPACT)),
        "angle": _share(text, _ANGLE),
        "pair": _share(text, _PAIR),
        "shape": shape,
        "code": _share(text, _CODE),
        "cjk": _share(text, r"\p{Han}"),
    }
