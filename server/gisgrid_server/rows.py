"""What do a layer's rows say? Pages of rows, counts of values, months: the answers that need no map."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd

from gisgrid.errors import ColumnError, LayerNotFoundError, did_you_mean
from gisgrid_server.problems import BadRequestError
from gisgrid_server.published import Edition

MAX_DISTINCT: Final = 1000
"""A property with more values than this is not counted by value."""


def rows(
    edition: Edition, *, limit: int, offset: int, sort: str | None = None, descending: bool = False
) -> dict[str, Any]:
    """Give a page of a layer's rows.

    Parameters
    ----------
    edition
        The layer as it is now; not a raster.
    limit, offset
        How many rows, after how many.
    sort
        A shown property; rows without a value come last. The order of the file where it is not given.
    descending
        The greatest first.

    Returns
    -------
    dict
        `n` of all rows, and `rows`: the shown properties, `feature_id` as in tiles, and `bbox` in degrees or None.

    Raises
    ------
    ColumnError
        The layer does not show `sort`.
    NotReadyError
        The layer is a raster.
    """
    frame = _frame(edition)
    order = np.arange(len(frame))
    if sort is not None:
        _check_shown(edition, sort)
        values = frame[sort].reset_index(drop=True)
        order = values.sort_values(
            ascending=not descending, kind="stable", na_position="last"
        ).index.to_numpy()
    page = order[offset : offset + limit]
    names = [field.name for field in edition.shown]
    bounds = edition.bounds[page]
    columns = [[plain(value) for value in frame[name].iloc[page]] for name in names]
    return {
        "n": len(frame),
        "rows": [
            {
                **{name: column[i] for name, column in zip(names, columns, strict=True)},
                "feature_id": int(row) + 1,
                "bbox": bounds[i].tolist() if np.isfinite(bounds[i]).all() else None,
            }
            for i, row in enumerate(page)
        ],
    }


def counts(edition: Edition, *, by: str) -> dict[str, Any]:
    """Count a layer's rows by the values of a property.

    Parameters
    ----------
    edition
        The layer as it is now; not a raster.
    by
        A shown property.

    Returns
    -------
    dict
        `counts` by value, declared values first and in their order, with 0 where none has it; `n` of all rows;
        `n_missing` of those without a value.

    Raises
    ------
    ColumnError
        The layer does not show `by`.
    BadRequestError
        It has too many values.
    """
    frame = _frame(edition)
    _check_shown(edition, by)
    found = frame[by].value_counts(sort=False)
    if len(found) > MAX_DISTINCT:
        raise BadRequestError(
            f"{by!r} of {edition.layer.id!r} has {len(found)} values and at most {MAX_DISTINCT} are counted; "
            "count by a property with fewer"
        )
    declared = next(f.allowed_values for f in edition.shown if f.name == by) or ()
    numbers = {str(value): 0 for value in declared}
    numbers.update({str(plain(value)): int(n) for value, n in found.sort_index().items()})
    return {"counts": numbers, "n": len(frame), "n_missing": int(frame[by].isna().sum())}


def months(edition: Edition) -> dict[str, Any]:
    """Give the counts of each unit month by month.

    Parameters
    ----------
    edition
        A table with `month`, `n_incidents`, `complete` and a column of codes.

    Returns
    -------
    dict
        `months` in order, `complete` for each, the `key` column, and `counts` per code, one number per month.
    """
    table = edition.frame
    if table is None or edition.layer.kind != "table":
        raise LayerNotFoundError(f"layer {edition.layer.id!r} is no table of months")
    key = next(str(c) for c in table.columns if str(c).endswith("_code"))
    names = sorted(table["month"].dropna().unique())
    wide = table.pivot_table(
        index=key, columns="month", values="n_incidents", aggfunc="sum", fill_value=0, observed=True
    ).reindex(columns=names, fill_value=0)
    complete = table.groupby("month", observed=True)["complete"].all()
    return {
        "months": [str(name) for name in names],
        "complete": [bool(complete[name]) for name in names],
        "key": key,
        "counts": {
            str(code): [int(n) for n in line]
            for code, line in zip(wide.index, wide.to_numpy(), strict=True)
        },
    }


def plain(value: Any) -> Any:  # noqa: ANN401 - a cell of any column
    """Give a value as JSON has it: ISO 8601 for dates and times (UTC), None for missing.

    Parameters
    ----------
    value
        A cell of a frame.

    Returns
    -------
    str, int, float, bool or None
        The value.

    Examples
    --------
    >>> plain(pd.Timestamp("2026-11-22 08:00", tz="Asia/Shanghai")), plain(float("nan")), plain(np.int64(3))
    ('2026-11-22T00:00:00Z', None, 3)
    """
    if value is None or value is pd.NA or value is pd.NaT or value != value:  # noqa: PLR0124 - only NaN differs from itself
        return None
    if isinstance(value, pd.Timestamp):
        if value.tz is None:
            return value.isoformat()
        return value.tz_convert("UTC").strftime("%Y-%m-%dT%H:%M:%SZ")
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _frame(edition: Edition) -> pd.DataFrame:
    if edition.frame is None:
        raise BadRequestError(
            f"layer {edition.layer.id!r} is a raster and has no rows; ask for its tiles"
        )
    if not edition.shown:
        raise LayerNotFoundError(
            f"layer {edition.layer.id!r} shows none of its columns, so it has no rows to give"
        )
    return edition.frame


def _check_shown(edition: Edition, name: str) -> None:
    shown = [field.name for field in edition.shown]
    if name not in shown:
        raise ColumnError(
            f"{name!r} is no property that layer {edition.layer.id!r} shows{did_you_mean(name, shown)}"
        )
