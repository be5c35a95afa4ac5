"""Which units have something (a campaign, a dry toilet, a late bin lorry), and how much of a thing is there?"""

from __future__ import annotations

from typing import Final

import geopandas as gpd
import pandas as pd

from gisgrid.derived.incidents import demand
from gisgrid.errors import InputError

_YES: Final = frozenset({"true", "yes", "y", "1", "1.0", "是", "有", "√"})
_NO: Final = frozenset({"false", "no", "n", "0", "0.0", "否", "无", ""})


def flags_of(units: gpd.GeoDataFrame, column: str, *, key: str) -> pd.Series:
    """Read a column that says yes or no.

    Parameters
    ----------
    units
        Areas with `key` and `column`.
    column
        True and False, 1 and 0, yes and no, 是 and 否; missing and empty are no.
    key
        The column that names a unit.

    Returns
    -------
    Series
        Shape (n,), bool, indexed by key.

    Raises
    ------
    ColumnError
        There is no such column.
    InputError
        A value says neither yes nor no.
    """
    demand(units, "units", key, column)
    said = units[column].astype("object").where(units[column].notna(), "")
    said = said.map(lambda value: str(value).strip().casefold())
    odd = ~said.isin(_YES | _NO)
    if odd.any():
        raise InputError(
            f"{int(odd.sum())} of {len(units)} values of {column!r} say neither yes nor no "
            f"(first: {units[column][odd].iloc[0]!r}); write 1 and 0, or 是 and 否"
        )
    return pd.Series(said.isin(_YES).to_numpy(), index=pd.Index(units[key]), name=column)


def numbers_of(
    units: gpd.GeoDataFrame, column: str, *, key: str, least: float | None = 0.0
) -> pd.Series:
    """Read a column of numbers.

    Parameters
    ----------
    units
        Areas with `key` and `column`.
    column
        Numbers, also as text; missing where unknown.
    key
        The column that names a unit.
    least
        No number is below it; None where any will do.

    Returns
    -------
    Series
        Shape (n,), float, indexed by key.

    Raises
    ------
    ColumnError
        There is no such column.
    InputError
        A value is no number, or below `least`.
    """
    demand(units, "units", key, column)
    numbers = pd.to_numeric(units[column], errors="coerce").astype(float)
    odd = (numbers.isna() & units[column].notna()) | numbers.isin([float("inf"), -float("inf")])
    rule = "are no numbers"
    if least is not None and not odd.any():
        odd, rule = numbers < least, f"are below {least:g}"
    if odd.any():
        raise InputError(
            f"{int(odd.sum())} of {len(units)} values of {column!r} {rule} (first: {units[column][odd].iloc[0]!r}); "
            "mend them, or leave them empty where nothing is known"
        )
    return pd.Series(numbers.to_numpy(), index=pd.Index(units[key]), name=column)
