"""Fresh rows joined with the sorted base into a new base."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gisgrid.features.column import Column, read_only
from gisgrid.features.places import Packed, Places, point_places
from gisgrid.features.table import FeatureTable
from gisgrid.features.words import Words


def joined(base: FeatureTable, fresh: FeatureTable, *, without: NDArray[np.int64]) -> FeatureTable:
    """Join two tables of one layer.

    Parameters
    ----------
    base
        The features so far.
    fresh
        Features with the same columns.
    without
        The rows of `base` to leave out.

    Returns
    -------
    FeatureTable
        In memory, in the order of a layer of that kind. Texts that no row has any more are gone.
    """
    kept = np.ones(len(base), bool)
    kept[without] = False
    rows = np.flatnonzero(kept)
    number = np.concatenate([base.number[rows], fresh.number])
    places, order = _joined_places(base, fresh, rows, number)
    columns = {
        name: _joined_columns(column, fresh.columns[name], rows, order)
        for name, column in base.columns.items()
    }
    return FeatureTable.from_columns(columns, number=number[order], places=places, key=base.key)


def _joined_places(
    base: FeatureTable, fresh: FeatureTable, rows: NDArray[np.int64], number: NDArray[np.int64]
) -> tuple[Places, NDArray[np.int64]]:
    if (
        base.lon is not None
        and base.lat is not None
        and fresh.lon is not None
        and fresh.lat is not None
    ):
        lon = np.concatenate([base.lon[rows], fresh.lon])
        lat = np.concatenate([base.lat[rows], fresh.lat])
        return point_places(lon, lat)
    order = np.argsort(number, kind="stable")
    if base.wkb is None or fresh.wkb is None:
        return base.places, order
    kept = base.places.take(rows)
    assert kept.wkb is not None  # noqa: S101 - a promise to the type checker
    offsets = np.concatenate([kept.wkb.offsets, kept.wkb.offsets[-1] + fresh.wkb.offsets[1:]])
    wkb = Packed(read_only(offsets), read_only(np.concatenate([kept.wkb.data, fresh.wkb.data])))
    boxes = np.concatenate([kept.boxes_of(len(rows)), fresh.boxes])
    return Places(base.kind, wkb=wkb, boxes=read_only(boxes)).take(order), order


def _joined_columns(
    base: Column, fresh: Column, rows: NDArray[np.int64], order: NDArray[np.int64]
) -> Column:
    if base.kind == "text":
        return _joined_texts(base, fresh, rows, order)
    dtype = np.result_type(base.stored.dtype, fresh.stored.dtype)
    parts = [_widened(base, rows, dtype), _widened(fresh, slice(None), dtype)]
    return replace(base, values=read_only(np.concatenate(parts)[order]))


def _widened(column: Column, rows: NDArray[np.int64] | slice, dtype: np.dtype[Any]) -> NDArray[Any]:
    values = column.stored[rows].astype(dtype)
    if column.kind == "integer":
        values[column.missing(rows)] = np.iinfo(dtype).min
    return values


def _joined_texts(
    base: Column, fresh: Column, rows: NDArray[np.int64], order: NDArray[np.int64]
) -> Column:
    used = np.zeros(len(base.words) + 1, bool)
    codes = np.minimum(base.stored[rows], len(base.words))
    used[codes] = True
    old = np.flatnonzero(used[:-1])
    new = [
        word for word in fresh.words if (code := base.words.code(word)) is None or not used[code]
    ]
    words, old_codes = _with_words(base.words, old, new)
    code_of = np.full(len(base.words) + 1, -1, np.int64)
    code_of[old] = old_codes
    fresh_codes = np.array([words.code(word) for word in fresh.words] + [-1], np.int64)
    fresh_places = np.minimum(fresh.stored.astype(np.int64), len(fresh.words))
    places = np.concatenate([code_of[codes], fresh_codes[fresh_places]])[order]
    gap = len(words)
    dtype = np.uint8 if gap <= 255 else np.uint16 if gap <= 65535 else np.uint32
    places[places < 0] = np.iinfo(dtype).max
    return replace(base, codes=read_only(places.astype(dtype)), words=words)


def _with_words(
    words: Words, kept: NDArray[np.int64], new: list[str]
) -> tuple[Words, NDArray[np.int64]]:
    """Keep some words, and put new ones where they belong among them. Gives the words and the codes of those kept."""
    lengths = np.diff(words.offsets)
    before = np.searchsorted(
        kept, [words.rank(word) for word in new]
    )  # `new` is in order, and so is this
    sizes = np.insert(lengths[kept], before, [len(word.encode()) for word in new])
    offsets = np.append(0, np.cumsum(sizes)).astype(np.int64)
    is_new = np.zeros(len(sizes), bool)
    is_new[before + np.arange(len(new))] = True
    data = np.empty(int(offsets[-1]), np.uint8)
    from_new = np.repeat(is_new, sizes)
    used = np.zeros(len(words), bool)
    used[kept] = True
    data[~from_new] = words.data[np.repeat(used, lengths)]
    data[from_new] = np.frombuffer("".join(new).encode(), np.uint8)
    return Words(offsets, data), np.flatnonzero(~is_new)
