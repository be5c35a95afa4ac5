"""How many cases are there of each owner, state or class?"""

from __future__ import annotations

from typing import Final, Literal, get_args

from sqlalchemy import Connection, func, select

from gisgrid.casework.ledger.filters import CaseFilter, conditions
from gisgrid.casework.ledger.tables import CASES
from gisgrid.errors import ColumnError, did_you_mean

By = Literal["state", "owner", "category_code", "subdistrict_code", "community_code", "source"]
"""What cases can be counted by."""

_COLUMNS: Final[tuple[By, ...]] = get_args(By)


def counted(connection: Connection, wanted: CaseFilter, by: By) -> dict[str | None, int]:
    """Count cases by a column.

    Parameters
    ----------
    connection
        In a transaction.
    wanted
        The filter.
    by
        The column.

    Returns
    -------
    dict
        How many cases have each value, None for those without; the most frequent first, then by value.

    Raises
    ------
    ColumnError
        Cases are not counted by such a column.
    """
    if by not in _COLUMNS:
        raise ColumnError(f"cases are not counted by {by!r}{did_you_mean(by, _COLUMNS)}")
    column = CASES.c[by]
    rows = connection.execute(select(column, func.count()).where(*conditions(wanted)).group_by(column)).all()  # fmt: skip
    ordered = sorted(rows, key=lambda row: (-row[1], row[0] or ""))
    return {value: int(n) for value, n in ordered}
