"""Which units were there on a day?"""

from __future__ import annotations

from datetime import date
from typing import Final

import pandas as pd

from gisgrid.errors import ColumnError, did_you_mean
from gisgrid.schema import Fault

_EVER: Final = pd.Timestamp("0001-01-01").as_unit("us")
_FOREVER: Final = pd.Timestamp("9999-12-31").as_unit("us")


def units_at(
    units: pd.DataFrame,
    day: date | str,
    *,
    valid_from: str = "valid_from",
    valid_to: str = "valid_to",
) -> pd.DataFrame:
    """Give the units that were there on a day.

    Parameters
    ----------
    units
        Any frame with a day of division and a day of end for each unit.
    day
        The day, as a date or as ``2026-10-01``.
    valid_from
        The column of the first day on which a unit is there; null: since ever.
    valid_to
        The column of the first day on which it is there no more; null: to this day.

    Returns
    -------
    DataFrame
        The rows of `units` that were there, in their order.

    Raises
    ------
    ColumnError
        A column is not there.

    Examples
    --------
    >>> units = pd.DataFrame({"code": ["A", "B"], "valid_from": [None, "2025-07-01"], "valid_to": ["2025-07-01", None]})
    >>> units_at(units, "2025-06-30")["code"].to_list(), units_at(units, date(2025, 7, 1))["code"].to_list()
    (['A'], ['B'])
    """
    first, end = _day(units, valid_from), _day(units, valid_to)
    when = pd.Timestamp(day)
    return units[((first.isna() | (first <= when)) & (end.isna() | (end > when))).to_numpy()]


def validity_faults(
    units: pd.DataFrame, *, key: str, valid_from: str = "valid_from", valid_to: str = "valid_to"
) -> list[Fault]:
    """List units whose days contradict each other.

    Parameters
    ----------
    units
        Any frame with a day of division and a day of end for each unit.
    key
        The column of codes.
    valid_from, valid_to
        The columns of the first day on which a unit is there, and of the first on which it is there no more.

    Returns
    -------
    list of Fault
        Rules ``ends_before_it_begins`` and ``twice_at_once`` (a code that two units have on one day).

    Raises
    ------
    ColumnError
        A column is not there.

    Examples
    --------
    >>> units = pd.DataFrame({"code": ["A", "A"], "valid_from": [None, "2025-06-01"], "valid_to": ["2025-07-01", None]})
    >>> print(validity_faults(units, key="code")[0].message)
    1 code is that of two units on one day (first: 'A', on 2025-06-01)
    """
    if key not in units:
        raise ColumnError(
            f"'units' has no column {key!r}{did_you_mean(key, map(str, units.columns))}"
        )
    table = pd.DataFrame(
        {"code": units[key], "first": _day(units, valid_from), "end": _day(units, valid_to)}
    )
    table = table.reset_index(drop=True)
    faults = []
    backwards = table[table["end"] <= table["first"]]
    if len(backwards):
        one = backwards.iloc[0]
        faults.append(
            Fault(
                "ends_before_it_begins", len(backwards), str(one["code"]),
                f"{len(backwards)} of {len(table)} units end before they begin (first: {one['code']!r}, from "
                f"{one['first'].date()} to {one['end'].date()})",
            )
        )  # fmt: skip
    table["first"] = table["first"].fillna(_EVER)
    table["end"] = table["end"].fillna(_FOREVER)
    table = table.sort_values(["code", "first", "end"], kind="stable")
    latest = table.groupby("code")["end"].cummax().groupby(table["code"]).shift()
    twice = table[(table["first"] < latest).to_numpy()]
    if len(twice):
        one, n = twice.iloc[0], twice["code"].nunique()
        faults.append(
            Fault(
                "twice_at_once", n, str(one["code"]),
                f"{n} code{'s are those' if n > 1 else ' is that'} of two units on one day (first: {one['code']!r}, on "
                f"{one['first'].date()})",
            )
        )  # fmt: skip
    return faults


def _day(units: pd.DataFrame, column: str) -> pd.Series:
    if column not in units:
        raise ColumnError(
            f"'units' has no column {column!r}{did_you_mean(column, map(str, units.columns))}"
        )
    days = pd.to_datetime(units[column])
    plain = days.dt.tz_localize(None) if days.dt.tz is not None else days
    return plain.astype("datetime64[us]")
