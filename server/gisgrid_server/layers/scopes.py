"""Which rows of a layer are whose? A layer that is scoped is cut before anything is asked of it.

What is cut off is not there: it is in no tile, page, count, extent or word list, and no error knows of it. What is left
is numbered anew and named by its own content, so that neither numbers nor versions tell how much there is besides, or
when it changes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from gisgrid.casework.ledger import CaseFilter
from gisgrid.catalogue import ScopedBy
from gisgrid.features import Column, FeatureTable, Snapshot
from gisgrid.features.column import text_column
from gisgrid.features.fresh import FreshTable

_LAST: Final = "\U0010ffff"
_ODD: Final = 0x9E3779B97F4A7C15
_NO_ROWS: Final = np.empty(0, np.int64)


@dataclass(frozen=True, eq=False)
class Cut:
    """What is left of a table for one scope.

    Attributes
    ----------
    table
        The rows, numbered from 0, with the words that occur in them only.
    original
        Shape (n,), the numbers that the rows have in the whole table.
    hashes
        Shape (n,), uint64, what each row holds.
    """

    table: FeatureTable
    original: NDArray[np.int64]
    hashes: NDArray[np.uint64]

    @classmethod
    def of(cls, whole: FeatureTable, by: ScopedBy, within: CaseFilter) -> Cut:
        """Cut a table.

        Parameters
        ----------
        whole
            All rows.
        by
            By which columns they are somebody's.
        within
            What the asker may see.

        Returns
        -------
        Cut
            What is left.
        """
        left = compact(whole.take(seen(whole, by, within)))
        table = _renumbered(left, np.searchsorted(np.sort(left.number), left.number))
        return cls(table, left.number, row_hashes(table))

    @property
    def version(self) -> str:
        """What is left has this name as long as it is the same."""
        return _named(len(self.table), self.hashes.sum())

    def live(self, whole: Snapshot, by: ScopedBy, within: CaseFilter) -> Snapshot:
        """Cut what came in since, too.

        Parameters
        ----------
        whole
            All rows as they are now, over the table that was cut.
        by
            By which columns they are somebody's.
        within
            What the asker may see.

        Returns
        -------
        Snapshot
            The asker's rows as they are now. The same rows have the same version, wherever they lie.
        """
        gone = np.flatnonzero(np.isin(self.original, whole.base.number[whole.hidden]))
        fresh = whole.base.take(_NO_ROWS)
        if len(whole.fresh):
            fresh = self._numbered(compact(whole.fresh.take(seen(whole.fresh, by, within))))
        with np.errstate(over="ignore"):
            total = self.hashes.sum() - self.hashes[gone].sum() + row_hashes(fresh).sum()
        version = _named(len(self.table) - len(gone) + len(fresh), total)
        return Snapshot(self.table, gone, FreshTable.of(fresh), version)

    def _numbered(self, fresh: FeatureTable) -> FeatureTable:
        """Give fresh rows numbers: changed ones as they were, others after all that are there."""
        known = np.isin(fresh.number, self.original)
        number = np.searchsorted(np.sort(self.original), fresh.number)
        new = fresh.number[~known]
        number[~known] = len(self.original) + np.searchsorted(np.sort(new), new)
        return _renumbered(fresh, number)


def seen(table: FeatureTable, by: ScopedBy, within: CaseFilter) -> NDArray[np.bool_]:
    """Say which rows somebody may see.

    Parameters
    ----------
    table
        The rows.
    by
        By which columns they are somebody's.
    within
        What the asker may see.

    Returns
    -------
    array
        Shape (n,). A row whose code is missing is nobody's, save for who sees all codes; and who may not see all codes of a
        kind that the layer does not name sees none.
    """
    found = np.full(len(table), within.case_ids != ())
    columns = table.columns
    if within.unit_prefixes is not None:
        found &= _begins([columns[name] for name in by.units], within.unit_prefixes, len(table))
    if within.category_prefixes is not None:
        found &= _begins(_named_columns(table, by.classes), within.category_prefixes, len(table))
    if within.owners is not None:
        found &= _is_one_of(_named_columns(table, by.owners), within.owners, len(table))
    return found


def compact(table: FeatureTable) -> FeatureTable:
    """Forget the words that no row of a table has.

    Parameters
    ----------
    table
        Any table.

    Returns
    -------
    FeatureTable
        The same rows in the same order.
    """
    columns = {name: _compact(column) for name, column in table.columns.items()}
    return FeatureTable.from_columns(
        columns, number=table.number, places=table.places, key=table.key
    )


def _compact(column: Column) -> Column:
    if column.kind != "text":
        return column
    there = ~column.missing()
    used, place = np.unique(column.stored[there], return_inverse=True)
    found = np.full(len(column), -1, np.int64)
    found[there] = place
    return text_column(column.name, column.words.arrow().take(pa.array(used)), found)


def row_hashes(table: FeatureTable) -> NDArray[np.uint64]:
    """Give each row a number that is another when one of its values is.

    Parameters
    ----------
    table
        The rows.

    Returns
    -------
    array
        Shape (n,). It does not depend on the other rows, nor on the row's place.
    """
    total = np.zeros(len(table), np.uint64)
    with np.errstate(over="ignore"):
        for i, part in enumerate(_parts(table)):
            total = (total ^ part) * np.uint64(_ODD) + np.uint64(i)
            total ^= total >> np.uint64(29)
    return total


def _parts(table: FeatureTable) -> Iterable[NDArray[np.uint64]]:
    for name in sorted(table.columns):
        column = table.columns[name]
        if column.kind == "text":
            texts = [*column.words.arrow().to_pylist(), ""]
            words = pd.util.hash_array(np.array(texts, dtype=object))
            yield words[np.minimum(column.stored, len(column.words))]
        else:
            yield pd.util.hash_array(column.stored.astype(np.float64 if column.kind == "number" else np.int64))  # fmt: skip
    if table.lon is not None and table.lat is not None:
        yield pd.util.hash_array(np.asarray(table.lon))
        yield pd.util.hash_array(np.asarray(table.lat))
    elif table.wkb is not None:
        ends, data = table.wkb.offsets, table.wkb.data.tobytes()
        yield np.array([hash_of(data[a:b]) for a, b in pairwise(ends)], np.uint64)  # fmt: skip


def hash_of(data: bytes) -> int:
    """Give some bytes a number.

    Parameters
    ----------
    data
        The bytes.

    Returns
    -------
    int
        64 bits.

    Examples
    --------
    >>> hash_of(b"") == hash_of(b"") != hash_of(b"a")
    True
    """
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little")


def _named_columns(table: FeatureTable, name: str | None) -> list[Column]:
    return [] if name is None else [table.columns[name]]


def _begins(columns: Iterable[Column], prefixes: Collection[str], n: int) -> NDArray[np.bool_]:
    found = np.zeros(n, bool)
    for column, prefix in product(columns, prefixes):
        first, last = column.words.rank(prefix), column.words.rank(prefix + _LAST, after=True)
        found |= (column.stored >= first) & (column.stored < last)
    return found


def _is_one_of(columns: Iterable[Column], texts: Collection[str], n: int) -> NDArray[np.bool_]:
    found = np.zeros(n, bool)
    for column in columns:
        codes = [code for text in texts if (code := column.words.code(text)) is not None]
        found |= np.isin(column.stored, np.array(codes, column.stored.dtype))
    return found


def _renumbered(table: FeatureTable, number: NDArray[np.int64]) -> FeatureTable:
    return FeatureTable.from_columns(
        table.columns, number=number.astype(np.int64), places=table.places, key=table.key
    )


def _named(n: int, total: np.uint64) -> str:
    return hashlib.sha256(f"{n}:{int(total)}".encode()).hexdigest()[:12]
