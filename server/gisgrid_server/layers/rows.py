"""What do a layer's rows say? Pages of rows, counts of values, months: the answers that need no map."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gisgrid.errors import ColumnError, LayerNotFoundError, did_you_mean
from gisgrid.features import Column, FeatureTable, Privacy
from gisgrid_server.edge.problems import BadRequestError, HiddenError
from gisgrid_server.layers.editions import Edition

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
    table = _table(edition)
    if not edition.privacy.shows_single:
        raise HiddenError(
            f"layer {edition.layer.id!r} shows numbers of at least {edition.privacy.k_threshold} and no single rows; "
            f"ask for its tiles, or for /api/layers/{edition.layer.id}/counts"
        )
    order = edition.file_order
    if sort is not None:
        _check_shown(edition, sort)
        order = _sorted(order, table.columns[sort], descending=descending)
    page = order[offset : offset + limit].astype(np.int64)
    records = table.records(page, properties=[field.name for field in edition.shown])
    boxes = row_boxes(table, page)
    return {
        "n": len(table),
        "rows": [
            {
                **record,
                "feature_id": int(number) + 1,
                "bbox": box.tolist() if np.isfinite(box).all() else None,
            }
            for record, number, box in zip(records, table.number[page], boxes, strict=True)
        ],
    }


def row_boxes(table: FeatureTable, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Say where some rows are.

    Parameters
    ----------
    table
        The rows.
    rows
        Which of them.

    Returns
    -------
    array
        Shape (n, 4), west, south, east, north in degrees; NaN where a row has no place.
    """
    if table.lon is not None and table.lat is not None:
        lon, lat = table.lon[rows], table.lat[rows]
        return np.column_stack([lon, lat, lon, lat])
    return np.asarray(table.boxes[rows])


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
        `n_missing` of those without a value. Where groups under k are hidden, numbers are multiples of k, rounded down,
        and None stands for all that are less.

    Raises
    ------
    ColumnError
        The layer does not show `by`.
    BadRequestError
        It has too many values.
    HiddenError
        Groups under k are hidden, and its values are no declared classes.
    """
    table = _table(edition)
    _check_shown(edition, by)
    if not edition.privacy.shows_single and by not in edition.privacy.classes:
        raise HiddenError(
            f"layer {edition.layer.id!r} shows numbers of at least {edition.privacy.k_threshold}, of declared classes only, and {by!r} "
            "is none; count by a property that declares its values"
        )
    found = _counted(table.columns[by])
    if len(found) > MAX_DISTINCT:
        raise BadRequestError(
            f"{by!r} of {edition.layer.id!r} has {len(found)} values and at most {MAX_DISTINCT} are counted; "
            "count by a property with fewer"
        )
    declared = next(f.allowed_values for f in edition.shown if f.name == by) or ()
    numbers = {str(value): 0 for value in declared}
    numbers.update({str(value): n for value, n in found})
    n_missing = int(table.columns[by].missing().sum())
    document: dict[str, Any] = {"counts": numbers, "n": len(table), "n_missing": n_missing}
    return document if edition.privacy.shows_single else _hidden(document, edition.privacy)


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
    if edition.layer.kind != "table" or "month" not in {f.name for f in edition.layer.fields}:
        raise LayerNotFoundError(f"layer {edition.layer.id!r} is no table of months")
    table = edition.store.read(edition.layer)
    if not isinstance(table, pd.DataFrame):  # pragma: no cover - a table is a frame
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


def _table(edition: Edition) -> FeatureTable:
    if edition.table is None:
        raise BadRequestError(
            f"layer {edition.layer.id!r} is a raster and has no rows; ask for its tiles"
        )
    if not edition.shown:
        raise LayerNotFoundError(
            f"layer {edition.layer.id!r} shows none of its columns, so it has no rows to give"
        )
    return edition.table


def _sorted(order: NDArray[np.uint32], column: Column, *, descending: bool) -> NDArray[np.uint32]:
    """Put rows in the order of a column; equal ones stay as they were, missing ones come last."""
    stored, missing = column.stored[order], column.missing(order)
    known = order[~missing]
    if descending:
        by = len(known) - 1 - np.argsort(stored[~missing][::-1], kind="stable")[::-1]
    else:
        by = np.argsort(stored[~missing], kind="stable")
    return np.concatenate([known[by], order[missing]])


def _counted(column: Column) -> list[tuple[Any, int]]:
    """Count the values of a column, in their order; too many are not spelt out."""
    known = np.flatnonzero(~column.missing())
    _, first, n = np.unique(column.stored[known], return_index=True, return_counts=True)
    if len(n) > MAX_DISTINCT:
        return [(None, int(one)) for one in n]
    return list(zip(column.at(known[first]), map(int, n), strict=True))


def _hidden(document: dict[str, Any], privacy: Privacy) -> dict[str, Any]:
    """Give numbers as they may be shown: an empty class is not told from one that is hidden."""

    def shown(n: int) -> int | None:
        return int(privacy.shown_counts(np.array(n))) or None

    return {
        "counts": {name: shown(n) for name, n in document["counts"].items()},
        "n": shown(document["n"]),
        "n_missing": shown(document["n_missing"]),
        "hidden_below": privacy.k_threshold,
    }


def _check_shown(edition: Edition, name: str) -> None:
    shown = [field.name for field in edition.shown]
    if name not in shown:
        raise ColumnError(
            f"{name!r} is no property that layer {edition.layer.id!r} shows{did_you_mean(name, shown)}"
        )
