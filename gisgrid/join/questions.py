"""What is counted: by which columns and time steps, and which reports."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gisgrid.errors import ColumnError, InputError, did_you_mean

Step = Literal["day", "week", "month", "quarter", "year"]
Condition = tuple[str, str, object]
"""Column, comparison, value: ``("reported_at", ">=", datetime(2026, 1, 1, tzinfo=UTC))``."""

NUMBERS: Final = ("n_reports", "n_incidents")
"""The columns of the counts."""


def _none_of(column: pa.ChunkedArray, values: pa.Array) -> pa.ChunkedArray:
    return pc.invert(pc.is_in(column, values))


_COMPARISONS: Final[Mapping[str, Callable[[pa.ChunkedArray, Any], pa.ChunkedArray]]] = {
    "==": pc.equal, "!=": pc.not_equal, "<": pc.less, "<=": pc.less_equal, ">": pc.greater, ">=": pc.greater_equal,
    "in": pc.is_in, "not in": _none_of,
}  # fmt: skip


@dataclass(frozen=True)
class TimeStep:
    """The day, week, month, quarter or year of a column of times, as the city's clock says.

    Attributes
    ----------
    column
        The times, with a time zone.
    step
        How long a step is; a week begins on Monday.
    timezone
        Where a day begins, for example ``Asia/Shanghai``.
    """

    column: str
    step: Step = "month"
    timezone: str = "Asia/Shanghai"

    def of(self, times: pa.Array) -> pa.Array:
        """Give the local day on which the step of each time begins.

        Parameters
        ----------
        times
            Shape (n,), with a time zone.

        Returns
        -------
        pyarrow.Array
            Shape (n,), dates; missing where the time is.
        """
        if pa.types.is_null(times.type):
            return times.cast(pa.date32())
        there = times.cast(pa.timestamp(times.type.unit, tz=self.timezone))
        return pc.floor_temporal(pc.local_timestamp(there), unit=self.step).cast(pa.date32())


@dataclass(frozen=True)
class Question:
    """What is counted.

    Attributes
    ----------
    by
        Columns and time steps by which counts are told apart.
    where
        Conditions that a report must meet, all of them; a missing value meets none.
    duplicates
        The column that is filled where a report repeats another.
    """

    by: tuple[str | TimeStep, ...]
    where: tuple[Condition, ...]
    duplicates: str | None

    @property
    def columns(self) -> list[str]:
        """What must be read of a file beside the points, each once."""
        by = [each.column if isinstance(each, TimeStep) else each for each in self.by]
        repeats = [] if self.duplicates is None else [self.duplicates]
        return list(dict.fromkeys([*by, *(column for column, _, _ in self.where), *repeats]))

    def values(self, table: pa.Table) -> list[pa.Array]:
        """Give what counts are told apart by.

        Parameters
        ----------
        table
            n rows of `columns`.

        Returns
        -------
        list of pyarrow.Array
            Shape (n,) each.
        """
        return [
            each.of(table[each.column].combine_chunks())
            if isinstance(each, TimeStep)
            else table[each].combine_chunks()
            for each in self.by
        ]

    def met(self, table: pa.Table) -> NDArray[np.bool_]:
        """Say which reports meet all conditions.

        Parameters
        ----------
        table
            n rows of `columns`, its conditions already `checked`.

        Returns
        -------
        ndarray
            Shape (n,).
        """
        met = np.ones(len(table), np.bool_)
        for column, how, value in self.where:
            if pa.types.is_null(table[column].type):
                return np.zeros(len(table), np.bool_)
            met &= _flags(
                pc.and_(_COMPARISONS[how](table[column], value), pc.is_valid(table[column]))
            )
        return met

    def first(self, table: pa.Table) -> NDArray[np.bool_]:
        """Say which reports repeat no other.

        Parameters
        ----------
        table
            n rows of `columns`.

        Returns
        -------
        ndarray
            Shape (n,).
        """
        if self.duplicates is None:
            return np.ones(len(table), np.bool_)
        return _flags(pc.is_null(table[self.duplicates]))

    @property
    def names(self) -> list[str]:
        """What the counts are told apart by: a column's name, or that of the time step."""
        return [each.step if isinstance(each, TimeStep) else each for each in self.by]

    def checked(self, schema: pa.Schema) -> Question:
        """See that it can be asked of columns of these types.

        Parameters
        ----------
        schema
            The columns.

        Returns
        -------
        Question
            The same, its values in the columns' types.

        Raises
        ------
        ColumnError
            A column twice, one that holds lists, or a time step of a column that holds no times with a zone.
        InputError
            A comparison, time step or zone that does not exist, or a value of another kind than its column.
        """
        _check_names(self)
        for each in self.by:
            if isinstance(each, TimeStep):
                _check_step(each, schema.field(each.column).type)
            elif pa.types.is_nested(kind := schema.field(each).type):
                raise ColumnError(
                    f"column {each!r} holds {kind}, by which nothing can be counted; name a column of text, numbers or dates"
                )
        where = tuple(
            (column, how, _as_stored(column, how, value, schema.field(column).type))
            for column, how, value in self.where
        )
        return Question(self.by, where, self.duplicates)


def _flags(column: pa.ChunkedArray) -> NDArray[np.bool_]:
    """Give flags as numpy has them; a missing one is False."""
    return np.asarray(pc.fill_null(column, fill_value=False).to_numpy(), dtype=np.bool_)


def _check_names(question: Question) -> None:
    for i, name in enumerate(names := question.names):
        if name in NUMBERS or name in names[:i]:
            raise ColumnError(
                f"two columns of the result would be called {name!r}, but counts are told apart by columns of different "
                f"names, none of them {NUMBERS[0]} or {NUMBERS[1]}; leave one out or rename it in the files"
            )


def _check_step(each: TimeStep, kind: pa.DataType) -> None:
    if each.step not in get_args(Step):
        raise InputError(
            f"there is no time step {each.step!r}{did_you_mean(each.step, get_args(Step))}"
        )
    try:
        ZoneInfo(each.timezone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise InputError(
            f"there is no time zone {each.timezone!r}; name it as in Asia/Shanghai"
        ) from error
    if not pa.types.is_null(kind) and not (pa.types.is_timestamp(kind) and kind.tz):
        raise ColumnError(
            f"a {each.step} begins at a local midnight, but column {each.column!r} holds {kind}, which says no time zone; "
            f"write it with one, for example frame[{each.column!r}].dt.tz_localize('Asia/Shanghai')"
        )


def _as_stored(column: str, how: str, value: object, kind: pa.DataType) -> pa.Scalar | pa.Array:
    """Give a condition's value in the type of its column."""
    if how not in _COMPARISONS:
        raise InputError(f"there is no comparison {how!r}; choose one of {', '.join(_COMPARISONS)}")
    if pa.types.is_null(kind):
        return pa.scalar(None)  # the column has no value at all, so nothing meets the condition
    try:
        if how in {"in", "not in"}:
            return pa.array(value, kind)
        stored = pa.scalar(value, kind)
    except (pa.ArrowException, TypeError) as error:
        raise InputError(
            f"column {column!r} holds {kind} and cannot be compared with {value!r}; give a value of its kind"
        ) from error
    if not stored.is_valid:
        raise InputError(
            f"column {column!r} cannot be compared with a missing value, which is equal to nothing; "
            "leave the condition out, or give a value"
        )
    return stored
