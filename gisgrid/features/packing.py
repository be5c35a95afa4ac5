"""Columns taken apart into arrays for a folder, and put together again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from numpy.typing import NDArray

from gisgrid.features.column import Column
from gisgrid.features.words import Words


def columns_apart(
    columns: Iterable[Column],
) -> tuple[list[dict[str, str]], dict[str, NDArray[Any]]]:
    """Take columns apart into what JSON can say and arrays.

    Parameters
    ----------
    columns
        The columns.

    Returns
    -------
    tuple
        What there is to say of each, and the arrays by name.
    """
    said, arrays = [], {}
    for i, column in enumerate(columns):
        arrays[f"column{i}"] = column.stored
        if column.kind == "text":
            arrays[f"column{i}_offsets"] = column.words.offsets
            arrays[f"column{i}_bytes"] = column.words.data
        said.append({"name": column.name, "kind": column.kind, "clock": column.clock})
    return said, arrays


def columns_together(
    said: Iterable[Mapping[str, Any]], arrays: Mapping[str, NDArray[Any]]
) -> dict[str, Column]:
    """Put back together what `columns_apart` took apart.

    Parameters
    ----------
    said
        What there was to say of each.
    arrays
        The arrays by name.

    Returns
    -------
    dict
        The columns by name.
    """
    columns = {}
    for i, one in enumerate(said):
        column = Column(one["name"], one["kind"], clock=one["clock"])
        stored = arrays[f"column{i}"]
        if column.kind == "text":
            words = Words(arrays[f"column{i}_offsets"], arrays[f"column{i}_bytes"])
            columns[column.name] = replace(column, codes=stored, words=words)
        else:
            columns[column.name] = replace(column, values=stored)
    return columns
