"""Tests on one column against constants: what most filters are made of, on the smallest arrays there are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gisgrid.compiled import compiled
from gisgrid.errors import did_you_mean
from gisgrid.features.column import Column
from gisgrid.features.filters.limits import FilterError
from gisgrid.features.filters.nodes import Property, Relation
from gisgrid.features.filters.places import Span, n_rows
from gisgrid.features.table import FeatureTable

Bools = NDArray[np.bool_]

Test = Callable[[Span], Bools]
"""Says of rows whether they pass."""

RELATIONS: Final[dict[Relation, Callable[[Any, Any], Any]]] = {
    "=": np.equal, "<>": np.not_equal, "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal,
}  # fmt: skip


def constant_test(*, value: bool) -> Test:
    """Give all rows the same answer.

    Parameters
    ----------
    value
        The answer.

    Returns
    -------
    callable
        Of rows; says whether they pass.
    """
    return lambda rows: np.full(n_rows(rows), value)


def range_test(column: Column, relation: Relation, value: float) -> Test:
    """Compare a column of whole numbers, numbers, flags or times with a constant.

    Parameters
    ----------
    column
        The column.
    relation
        The relation.
    value
        The constant; NaN where it has no value.

    Returns
    -------
    callable
        Of rows; says whether they pass.
    """
    if isinstance(value, float) and np.isnan(value):
        return constant_test(value=False)
    stored = column.stored
    if column.kind == "number":
        number, compare = np.float64(value), RELATIONS[relation]
        if relation == "<>":
            return lambda rows: (stored[rows] != number) & ~np.isnan(stored[rows])
        return lambda rows: np.asarray(compare(stored[rows], number))
    if relation == "<>":
        return _outside_test(stored, column.gap, value)
    return _inside_test(stored, column.gap, _whole_range(relation, value))


def _inside_test(stored: NDArray[Any], gap: int | None, ends: tuple[int, int]) -> Test:
    """Choose whole numbers from one to another, with as few comparisons as will do."""
    info = np.iinfo(stored.dtype)
    low, high = max(ends[0], int(info.min)), min(ends[1], int(info.max))
    if low > high or low == high == gap:
        return constant_test(value=False)
    first, last = stored.dtype.type(low), stored.dtype.type(high)
    if low == high:
        return lambda rows: np.asarray(stored[rows] == first)
    if gap is not None and low <= gap <= high:
        return lambda rows: (stored[rows] >= first) & (stored[rows] <= last) & (stored[rows] != gap)
    if high == info.max:
        return lambda rows: np.asarray(stored[rows] >= first)
    return lambda rows: (stored[rows] >= first) & (stored[rows] <= last)


def _outside_test(stored: NDArray[Any], gap: int | None, value: float) -> Test:
    info = np.iinfo(stored.dtype)
    if value != int(value) or not info.min <= value <= info.max:
        return lambda rows: np.asarray(stored[rows] != gap)
    one = stored.dtype.type(int(value))
    return lambda rows: (stored[rows] != one) & (stored[rows] != gap)


def _whole_range(relation: Relation, value: float) -> tuple[int, int]:
    """Say which whole numbers stand in a relation to a number."""
    far = 2**64
    floor = int(np.floor(value)) if isinstance(value, float) else int(value)
    exact = value == floor
    match relation:
        case "=":
            return (floor, floor) if exact else (far, -far)
        case "<":
            return -far, floor - 1 if exact else floor
        case "<=":
            return -far, floor
        case ">":
            return floor + 1, far
    return (floor if exact else floor + 1), far


def listed_test(column: Column, sought: NDArray[np.int64], *, holds: bool) -> Test:
    """Choose rows whose whole number, flag or time is in a list.

    Parameters
    ----------
    column
        The column.
    sought
        Shape (k,), the list, ascending and distinct.
    holds
        Whether they must be in it, or must not.

    Returns
    -------
    callable
        Of rows; says whether they pass.
    """
    stored, gap = column.stored, column.gap
    info = np.iinfo(stored.dtype)
    sought = sought[(sought >= info.min) & (sought <= info.max) & (sought != gap)].astype(
        stored.dtype
    )
    if stored.dtype.itemsize <= 2:
        unsigned = np.dtype(f"u{stored.dtype.itemsize}")
        table = np.full(1 << (8 * stored.dtype.itemsize), not holds)
        table[sought.view(unsigned)] = holds
        table[np.array([gap], stored.dtype).view(unsigned)] = False
        return _table_test(stored.view(unsigned), table)
    return lambda rows: (is_in(stored[rows], sought) == holds) & (stored[rows] != gap)


def is_in(values: NDArray[Any], ordered: NDArray[Any]) -> Bools:
    """Say which values are in a list.

    Parameters
    ----------
    values
        Shape (n,).
    ordered
        Shape (k,), ascending.

    Returns
    -------
    array
        Shape (n,).
    """
    if not len(ordered):
        return np.zeros(len(values), bool)
    found = (values >= ordered[0]) & (values <= ordered[-1])
    at = np.flatnonzero(found)
    found[at] = ordered[np.searchsorted(ordered, values[at])] == values[at]
    return np.asarray(found)


def code_test(column: Column, chosen: Bools) -> Test:
    """Choose rows of a text column by the words they have.

    Parameters
    ----------
    column
        The column.
    chosen
        Shape (n words,), which words.

    Returns
    -------
    callable
        Of rows; says whether they pass.
    """
    codes, gap = column.stored, column.gap
    whole = _one_run(chosen)
    if whole is not None:
        return _inside_test(codes, gap, whole)
    rest = _one_run(~chosen)
    if rest is not None:  # all but words beside each other; `gap` is past all words
        low, high, n = codes.dtype.type(rest[0]), codes.dtype.type(rest[1]), len(chosen)
        return lambda rows: ((codes[rows] < low) | (codes[rows] > high)) & (codes[rows] < n)
    table = np.zeros(256 if codes.dtype == np.uint8 else len(chosen) + 1, bool)
    table[: len(chosen)] = chosen
    return _table_test(codes, table)


def _one_run(chosen: Bools) -> tuple[int, int] | None:
    """Give the first and last of words that stand beside each other; None where they do not."""
    n = int(np.count_nonzero(chosen))
    if n == 0:
        return 1, 0
    first = int(np.argmax(chosen))
    last = len(chosen) - 1 - int(np.argmax(chosen[::-1]))
    return (first, last) if n == last - first + 1 else None


def _table_test(codes: NDArray[Any], table: Bools) -> Test:
    """Choose rows by a table that has an entry per code; codes past it have its last."""

    def test(rows: Span) -> Bools:
        part = codes[rows]
        part.setflags(write=False)
        return _looked_up(part, table)

    return test


@compiled
def _looked_up(codes: NDArray[Any], table: Bools) -> Bools:
    found = np.empty(len(codes), np.bool_)
    last = len(table) - 1
    for i in range(len(codes)):
        found[i] = table[min(int(codes[i]), last)]
    return found


def column_of(table: FeatureTable, wanted: Property) -> Column:
    """Find the column that a filter names.

    Parameters
    ----------
    table
        The features.
    wanted
        The property.

    Returns
    -------
    Column
        Its column.

    Raises
    ------
    FilterError
        The table has none of that name.
    """
    if wanted.name not in table.columns:
        raise FilterError(
            f"the filter asks for {wanted.name!r}, which these features do not have"
            f"{did_you_mean(wanted.name, table.columns)}"
        )
    return table.columns[wanted.name]
