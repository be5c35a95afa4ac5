"""Are the columns there that a question asks for?"""

from __future__ import annotations

import pandas as pd

from gisgrid.errors import ColumnError, InputError, did_you_mean


def demand(frame: pd.DataFrame, name: str, *columns: str) -> None:
    """See that columns are there.

    Parameters
    ----------
    frame
        Any frame.
    name
        What to call it.
    *columns
        The columns.

    Raises
    ------
    ColumnError
        One is missing.
    """
    for column in columns:
        if column not in frame.columns:
            raise ColumnError(
                f"no column {column!r} among {len(frame.columns)} columns of {name!r}{did_you_mean(column, map(str, frame.columns))}"
            )


def demand_zone(frame: pd.DataFrame, *columns: str) -> None:
    """See that times have a zone; a column of which everything is missing passes.

    Parameters
    ----------
    frame
        Any frame with the columns.
    *columns
        The columns.

    Raises
    ------
    InputError
        One has none.
    """
    for column in columns:
        if not (isinstance(frame[column].dtype, pd.DatetimeTZDtype) or frame[column].isna().all()):
            raise InputError(
                f"{column!r} has no time zone ({frame[column].dtype}); give it one, for example with dt.tz_localize"
            )
