"""What does the result look like: the canonical columns first, then the units' codes, then each file's own columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyproj import CRS

from gisgrid.intake.pipeline.canonical import (
    LEADING,
    REPEAT_COLUMN,
    STATUSES,
    TRAILING,
    flag_texts,
    is_blank,
    texts_of,
    utc_times,
)
from gisgrid.intake.pipeline.draft import Draft
from gisgrid.intake.pipeline.levels import in_crs
from gisgrid.intake.pipeline.linking import Links
from gisgrid.intake.pipeline.output import point_wkb
from gisgrid.intake.pipeline.plan import Plan
from gisgrid.intake.pipeline.rows import SEPARATOR, Gathering

GEOMETRY: Final = "geometry"
_ROWS_AT_ONCE, _BYTES_AT_ONCE = 100_000, 1 << 26


def taken_names(levels: Sequence[str]) -> tuple[str, ...]:
    """Name the columns that the result needs for itself.

    Parameters
    ----------
    levels
        The levels of units.

    Returns
    -------
    tuple of str
        Canonical columns, levels and the geometry.
    """
    return (*(name for name, _ in (*LEADING, *TRAILING)), *levels, GEOMETRY)


@dataclass(frozen=True)
class Result:
    """The accepted rows of all files, ready to be written.

    Attributes
    ----------
    gathering
        What was gathered of the rows.
    plans
        Per file, how it was read.
    links
        Which rows repeat which, and which lie on fallback points.
    crs
        The CRS of the points.
    """

    gathering: Gathering
    plans: Sequence[Plan]
    links: Links
    crs: CRS

    @property
    def draft(self) -> Draft:
        """Where the rows wait."""
        return self.gathering.draft

    @property
    def schema(self) -> pa.Schema:
        """The columns of the result."""
        own = zip(self.draft.own.names, self.draft.own.types, strict=True)
        return pa.schema(
            [
                *LEADING,
                *((level, pa.string()) for level in self.draft.levels),
                *TRAILING,
                *own,
                (GEOMETRY, pa.binary()),
            ]
        )

    def bbox(self) -> tuple[float, float, float, float] | None:
        """Give west, south, east, north of all points in the result's CRS; None where there are none."""
        lon, lat = self.draft.kept("lon"), self.draft.kept("lat")
        if not len(lon):
            return None
        xy = in_crs(lon, lat, self.crs)
        west, south = np.nanmin(xy, axis=0).tolist()
        east, north = np.nanmax(xy, axis=0).tolist()
        return west, south, east, north

    def tables(self) -> Iterator[pa.Table]:
        """Give the rows part by part.

        Yields
        ------
        Table
            Of `schema`; parts of about 100 000 rows, or 64 MB.
        """
        originals, ids = self._originals()
        classes = self._classes()
        waiting: list[pa.Table] = []
        start = 0
        for batch in self.draft.batches():
            waiting.append(self._table(batch, start, originals=originals, ids=ids, classes=classes))
            start += batch.num_rows
            if (
                sum(map(len, waiting)) >= _ROWS_AT_ONCE
                or sum(t.nbytes for t in waiting) >= _BYTES_AT_ONCE
            ):
                yield pa.concat_tables(waiting).combine_chunks()
                waiting = []
        if waiting or not start:
            yield pa.concat_tables(waiting) if waiting else self.schema.empty_table()

    def _table(
        self,
        batch: pa.RecordBatch,
        start: int,
        *,
        originals: NDArray[np.int64],
        ids: pa.Array,
        classes: list[pa.Array],
    ) -> pa.Table:
        rows = slice(start, start + batch.num_rows)
        own_ids = self.ids(batch)
        duplicate_of = self.links.duplicate_of[rows]
        at = (
            np.searchsorted(originals, duplicate_of)
            if len(originals)
            else np.zeros(len(duplicate_of), np.int64)
        )
        repeated = ids.take(pa.array(at, mask=duplicate_of < 0))
        if (stated := self._own(batch, REPEAT_COLUMN)) is not None:
            repeated = pc.coalesce(
                pc.if_else(is_blank(stated), pa.scalar(None, pa.string()), stated), repeated
            )
        numbers = {
            name: _numbers(batch, name) for name in ("uploaded", "closed", "flags", "status", "row")
        }
        flags = numbers["flags"] | self.links.flags[rows]
        category = self.draft.kept("category")[rows]
        xy = in_crs(self.draft.kept("lon")[rows], self.draft.kept("lat")[rows], self.crs)
        units = [
            texts_of(index.codes, _numbers(batch, f"unit{at}"))
            for at, index in enumerate(self.gathering.levels.indexes.values())
        ]
        file = self._file(batch)
        columns = [
            own_ids,
            *(column.take(pa.array(category, mask=category < 0)) for column in classes),
            utc_times(self.draft.kept("reported")[rows]),
            utc_times(numbers["uploaded"]),
            utc_times(numbers["closed"]),
            self.gathering.sources.texts(self.draft.kept("source")[rows]),
            texts_of(STATUSES, numbers["status"]),
            repeated,
            pc.coalesce(repeated, own_ids),
            self.links.fallback_texts(rows),
            flag_texts(flags),
            *units,
            pa.repeat(self.plans[file].source.name, batch.num_rows),
            pa.array(numbers["row"]),
            *(batch.column(at) for at in range(len(self.draft.own.names))),
            point_wkb(xy[:, 0], xy[:, 1]),
        ]
        return pa.Table.from_arrays(columns, schema=self.schema)

    def ids(self, batch: pa.RecordBatch) -> pa.Array:
        """Give the id of each row: the file's own, or file and row where it has none.

        Parameters
        ----------
        batch
            Rows of the draft, all of one file.

        Returns
        -------
        pyarrow.Array
            Shape (n,), text, none missing.
        """
        file = self._file(batch)
        plan = self.plans[file]
        column = plan.roles.get("issue_id")
        made = pc.binary_join_element_wise(
            PurePath(plan.source.name).stem, batch.column("row").cast(pa.string()), ":"
        )
        own = None if column is None else self._own(batch, column)
        if own is None:
            return made
        text = pc.utf8_trim_whitespace(own)
        return pc.if_else(is_blank(text), made, text)

    def _own(self, batch: pa.RecordBatch, name: str) -> pa.Array | None:
        """Give a column of the file as text, None where the file has not got it."""
        file = self._file(batch)
        names = self.plans[file].schema.names
        if name not in names:
            return None
        own = batch.column(self.draft.own.positions[file][names.index(name)])
        return own if pa.types.is_string(own.type) else own.cast(pa.string())

    def _file(self, batch: pa.RecordBatch) -> int:
        return int(batch.column("file")[0].as_py()) if batch.num_rows else 0

    def _originals(self) -> tuple[NDArray[np.int64], pa.Array]:
        """Give the rows that others repeat, and their ids."""
        duplicate_of = self.links.duplicate_of
        originals = np.unique(duplicate_of[duplicate_of >= 0])
        ids, start = [], 0
        for batch in self.draft.batches():
            first, last = np.searchsorted(originals, (start, start + batch.num_rows))
            if last > first:
                ids.append(self.ids(batch.take(pa.array(originals[first:last] - start))))
            start += batch.num_rows
        return originals, pa.concat_arrays(ids) if ids else pa.array([], pa.string())

    def _classes(self) -> list[pa.Array]:
        """Give scheme, code and key of each class by its number."""
        parts = [value.split(SEPARATOR, 3) for value in self.gathering.categories.values]
        # Words that are in no scheme keep their number, so that repeats are found by them, but are no class.
        known = [
            [part or None for part in (scheme, code, category)]
            if code or category
            else [None, None, None]
            for scheme, code, category, _ in parts
        ]
        return [pa.array([each[at] for each in known], pa.string()) for at in range(3)]


def _numbers(batch: pa.RecordBatch, name: str) -> NDArray[Any]:
    return np.asarray(batch.column(name))
