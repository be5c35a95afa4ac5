"""How much time does this class of case have in this grid? A city's table of deadlines, as declared data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field, model_validator

from gisgrid.casework.deadlines.calendar import WorkCalendar
from gisgrid.casework.deadlines.clock import Reckoning, due_times
from gisgrid.casework.deadlines.measure import TimeUnit
from gisgrid.casework.declared import Declared, read_declared
from gisgrid.errors import ColumnError, InputError, did_you_mean, warn_null
from gisgrid.schema import Text

EXAMPLE: Final = Path(__file__).parent / "declared" / "deadlines-example.toml"
"""A short table in the manner of Chinese cities; every city has its own."""

_Above0 = Annotated[float, Field(gt=0)]


class Deadline(Declared):
    """The time that cases have which meet all that is said of them; what is left out holds for any.

    Attributes
    ----------
    stage
        What must be done in that time, for example ``dispatch``, ``handle``, ``verify``.
    category_code
        How the code of the class begins.
    unit_code
        How the code of the grid unit begins.
    grid_class
        The kind of grid (column `grid_class`), for example A, B, C of the assessment grids.
    urgency
        The urgency (column `urgency`).
    amount, unit
        How much time: ``urgent_hours``, ``working_hours``, ``working_days`` or ``calendar_days``.
    basis
        Which document says so.
    """

    stage: str = "handle"
    category_code: str = ""
    unit_code: str = ""
    grid_class: str | None = None
    urgency: str | None = None
    amount: _Above0
    unit: TimeUnit
    basis: Text | None = None

    @property
    def conditions(self) -> tuple[str, str, str, str | None, str | None]:
        """All that is said of the cases."""
        return self.stage, self.category_code, self.unit_code, self.grid_class, self.urgency

    @property
    def precision(self) -> tuple[int, int, bool, bool]:
        """How closely the cases are described: by class first, then by place, kind of grid, urgency."""
        return (
            len(self.category_code),
            len(self.unit_code),
            self.grid_class is not None,
            self.urgency is not None,
        )


class DeadlineTable(Declared):
    """All deadlines of a city. Of several that hold for a case the one that describes it most closely is taken.

    Attributes
    ----------
    title
        Its name.
    taxonomy
        The scheme of the class codes, for example ``gbt30428-new``: a code without its scheme says nothing.
    reckoning
        How days are counted.
    deadline
        The rules, in any order; no two describe the same cases.
    """

    title: Text
    taxonomy: str
    reckoning: Reckoning = Reckoning()
    deadline: Annotated[tuple[Deadline, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _one_each(self) -> DeadlineTable:
        seen: dict[object, int] = {}
        for number, each in enumerate(self.deadline, start=1):
            if (first := seen.setdefault(each.conditions, number)) != number:
                raise ValueError(
                    f"deadlines {first} and {number} describe the same cases; keep one"
                )
        return self


def read_deadlines(path: str | Path = EXAMPLE) -> DeadlineTable:
    """Read a city's table of deadlines.

    Parameters
    ----------
    path
        TOML: `title`, `taxonomy`, ``[reckoning]``, ``[[deadline]]``; a short example unless told otherwise.

    Returns
    -------
    DeadlineTable
        What it declares.

    Raises
    ------
    InputError
        No such file, no TOML, or entries that break a rule: all of them, a sentence per line.

    Examples
    --------
    >>> read_deadlines().taxonomy
    'gbt30428-new'
    """
    return read_declared(DeadlineTable, path, what="deadlines")


def deadlines(
    cases: pd.DataFrame,
    table: DeadlineTable,
    *,
    calendar: WorkCalendar,
    taxonomy: str,
    stage: str = "handle",
    started: str = "dispatched_at",
    pauses: pd.DataFrame | None = None,
    extensions: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Say of each case how much time it has by the city's table, and when that ends.

    Parameters
    ----------
    cases
        One row per case: `case_id`, `category_code`, `unit_code` (text), `started`; `grid_class` and `urgency` where the
        table asks for them.
    table
        The city's deadlines.
    calendar
        When the administration works.
    taxonomy
        The scheme of the cases' codes; it must be the table's.
    stage
        Which of the table's stages.
    started
        The column that says when the clock began.
    pauses
        As for `due_times`.
    extensions
        `case_id` and `amount`, in the unit of the case's own deadline; several of one case add up.

    Returns
    -------
    DataFrame
        Indexed like `cases`: `amount` (with extensions), `unit`, `rule` (number of the deadline in the table, from 0),
        `due_at` (UTC), `paused`, `provisional`. A case for which nothing is declared has no amount, unit, rule or due time.

    Raises
    ------
    InputError
        Another taxonomy, no such stage, an extension that is not above 0, or as for `due_times`.
    ColumnError
        A column is missing.

    Warns
    -----
    NullResultWarning
        Cases for which nothing is declared.

    Examples
    --------
    >>> from gisgrid.casework.deadlines import read_calendar
    >>> cases = pd.DataFrame({"case_id": ["1"], "category_code": ["0110"], "unit_code": ["419801001001001"],
    ...                       "dispatched_at": pd.to_datetime(["2026-11-20T15:00+08:00"])})
    >>> found = deadlines(cases, read_deadlines(), calendar=read_calendar(), taxonomy="gbt30428-new")
    >>> str(found["due_at"].dt.tz_convert("Asia/Shanghai")[0])
    '2026-11-23 09:00:00+08:00'
    """
    if taxonomy != table.taxonomy:
        raise InputError(
            f"the deadlines are for codes of {table.taxonomy!r} but the cases' are of {taxonomy!r}, where the same code is "
            "another class; bring the cases to one taxonomy first"
        )
    rules = [(number, each) for number, each in enumerate(table.deadline) if each.stage == stage]
    if not rules:
        raise InputError(
            f"no deadline for stage {stage!r}{did_you_mean(stage, {each.stage for each in table.deadline})}"
        )
    asked = [
        name
        for name in ("grid_class", "urgency")
        if any(getattr(each, name) is not None for _, each in rules)
    ]
    for column in ("case_id", "category_code", "unit_code", started, *asked):
        if column not in cases.columns:
            raise ColumnError(
                f"no column {column!r} in the cases{did_you_mean(column, map(str, cases.columns))}"
            )
    rule = _closest(cases, rules, asked)
    if none := int((rule < 0).sum()):
        warn_null(
            f"{none} of {len(cases)} cases have no declared deadline for {stage!r}: they are never due"
        )
    amounts = np.array([*(each.amount for each in table.deadline), np.nan])[rule]
    units = np.array([*(each.unit for each in table.deadline), None], dtype=object)[rule]
    amount = pd.Series(amounts, index=cases.index)
    if extensions is not None:
        amount += _extended(cases["case_id"], extensions)
    found = due_times(
        cases[started].set_axis(pd.Index(cases["case_id"])), amount.set_axis(pd.Index(cases["case_id"])),
        pd.Series(pd.Categorical(units)), calendar=calendar, reckoning=table.reckoning, pauses=pauses,
    )  # fmt: skip
    numbers = pd.array(rule, dtype="Int64")
    numbers[rule < 0] = pd.NA
    columns = pd.DataFrame(
        {"amount": amount, "unit": pd.Categorical(units), "rule": numbers}, index=cases.index
    )
    return (
        columns.join(found.set_axis(cases.index, axis=0))
        if cases.index.is_unique
        else pd.concat([columns, found.set_axis(cases.index, axis=0)], axis=1)
    )


def _closest(
    cases: pd.DataFrame, rules: list[tuple[int, Deadline]], asked: list[str]
) -> NDArray[np.int64]:
    """Find for each case the rule that describes it most closely, -1 for none, once per combination that occurs."""
    names = ["category_code", "unit_code", *asked]
    codes, values = [], []
    for name in names:
        code, distinct = pd.factorize(cases[name], use_na_sentinel=True)
        codes.append(code + 1)
        values.append(np.array(["", *map(str, distinct)], dtype=object))
    key = np.zeros(len(cases), dtype=np.int64)
    for code, value in zip(codes, values, strict=True):
        key = key * len(value) + code
    combinations, back = pd.factorize(key)
    rest, part = np.asarray(back, dtype=np.int64), {}
    for name, value in zip(reversed(names), reversed(values), strict=True):
        part[name] = (rest % len(value), value)
        rest = rest // len(value)
    found = np.full(len(back), -1, dtype=np.int64)
    for number, rule in sorted(rules, key=lambda pair: pair[1].precision):
        holds = np.ones(len(back), dtype=bool)
        for name, (at, value) in part.items():
            wanted = getattr(rule, name)
            if name in {"category_code", "unit_code"}:
                fits = np.array([text.startswith(wanted) for text in value]) if wanted else None
            else:
                fits = None if wanted is None else value == wanted
            if fits is not None:
                holds &= fits[at]
        found[holds] = number
    return found[combinations]


def _extended(case_id: pd.Series, extensions: pd.DataFrame) -> NDArray[np.float64]:
    """Add up the extensions of each case."""
    for column in ("case_id", "amount"):
        if column not in extensions.columns:
            raise ColumnError(
                f"no column {column!r} in the extensions{did_you_mean(column, map(str, extensions.columns))}"
            )
    if not (extensions["amount"] > 0).all():
        wrong = extensions[~(extensions["amount"] > 0)]
        raise InputError(
            f"{len(wrong)} of {len(extensions)} extensions are not above 0 (first: case {wrong['case_id'].iloc[0]!r}); correct them"
        )
    total = extensions.groupby("case_id")["amount"].sum()
    return np.asarray(case_id.map(total).fillna(0).to_numpy(dtype=float))
