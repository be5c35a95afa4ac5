"""How many reports of which kind are in which unit: counts of a part, and how the counts of parts add up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyproj import CRS, Transformer

from gisgrid.join.assign import LevelIndex
from gisgrid.join.geoparquet import Part
from gisgrid.join.questions import NUMBERS, Question

UNIT: Final = "#unit"
"""The column of a tally's positions in `LevelIndex.codes`, -1 for no unit."""

_PLACES_PER_ROW: Final = 8
"""Keys are counted in a table of all that could be where it has at most so many places per row; else they are sorted."""
_TOGETHER: Final = 16
"""Tallies of batches that are added up at a time."""


@dataclass(frozen=True)
class Tally:
    """The counts of some parts.

    Attributes
    ----------
    levels
        Per level a table of `UNIT`, the columns counted by, `n_reports` and `n_incidents`; no combination twice, none
        with no report.
    n_counted
        Rows that met the conditions.
    """

    levels: tuple[pa.Table, ...]
    n_counted: int

    @classmethod
    def together(cls, tallies: Sequence[Tally]) -> Tally:
        """Add up tallies of the same question.

        Parameters
        ----------
        tallies
            At least one.

        Returns
        -------
        Tally
            Of all their parts.
        """
        if len(tallies) == 1:
            return tallies[0]
        levels = tuple(
            _sums(pa.concat_tables(tables).combine_chunks())
            for tables in zip(*(tally.levels for tally in tallies), strict=True)
        )
        return cls(levels, sum(tally.n_counted for tally in tallies))


@dataclass(frozen=True)
class Counter:
    """All that is needed to count any part: it is made once and goes to every worker.

    Attributes
    ----------
    question
        What is counted.
    indexes
        The units of every level.
    crs
        The CRS of the points.
    schema
        The columns to read beside the points.
    """

    question: Question
    indexes: tuple[LevelIndex, ...]
    crs: CRS
    schema: pa.Schema

    def __call__(self, parts: Sequence[Part]) -> Tally:
        """Count the reports of some parts."""
        transformers = [_transformer(self.crs, index.crs) for index in self.indexes]
        tallies = [self._tally(np.empty((0, 2)), self.schema.empty_table(), transformers)]
        for part in parts:
            for xy, table in part.batches(self.schema):
                tallies.append(self._tally(xy, table, transformers))
                if len(tallies) == _TOGETHER:
                    tallies = [Tally.together(tallies)]
        # Arrow keeps what it freed for later; a worker's memory would seem to grow with every part.
        pa.default_memory_pool().release_unused()
        return Tally.together(tallies)

    def _tally(
        self, xy: NDArray[np.float64], table: pa.Table, transformers: Sequence[Transformer | None]
    ) -> Tally:
        """Count the reports of a batch."""
        if self.question.where:
            met = self.question.met(table)
            xy, table = xy[met], table.filter(pa.array(met))
        is_first = self.question.first(table)
        group, kinds = _grouped(self.question.values(table), len(xy))
        levels = []
        for index, transformer in zip(self.indexes, transformers, strict=True):
            there = xy if transformer is None else np.column_stack(transformer.transform(*xy.T))
            n_places = len(index.codes) + 1
            keys = group * n_places + (index.positions(there) + 1)
            found, numbers = _counted(keys, n_places * max(len(kinds), 1), is_first)
            columns = {
                UNIT: pa.array(found % n_places - 1),
                **dict(zip(self.question.names, kinds.take(pa.array(found // n_places)).columns, strict=True)),
                **dict(zip(NUMBERS, map(pa.array, numbers), strict=True)),
            }  # fmt: skip
            levels.append(pa.table(columns))
        return Tally(tuple(levels), len(xy))


def _transformer(source: CRS, target: CRS) -> Transformer | None:
    if source.equals(target, ignore_axis_order=True):
        return None
    return Transformer.from_crs(source, target, always_xy=True)


def _grouped(columns: Sequence[pa.Array], n: int) -> tuple[NDArray[np.int64], pa.Table]:
    """Give each row the number of its combination of values, and each number its values."""
    group, n_groups = np.zeros(n, np.int64), 1
    kinds: list[pa.Array] = []
    for column in columns:
        coded = pc.dictionary_encode(column, null_encoding="encode")
        values = coded.dictionary
        group = group * len(values) + coded.indices.to_numpy(zero_copy_only=False)
        found, group = _renumbered(group, n_groups * len(values))
        kinds = [kind.take(pa.array(found // max(len(values), 1))) for kind in kinds]
        kinds.append(values.take(pa.array(found % max(len(values), 1))))
        n_groups = len(found)
    return group, pa.table(kinds, names=[str(i) for i in range(len(kinds))])


def _renumbered(keys: NDArray[np.int64], size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give the keys that occur, in order, and the place of each row's key among them."""
    if size > _room(keys):
        found, place = np.unique(keys, return_inverse=True)
        return found, place
    occurs = np.bincount(keys, minlength=size) > 0
    return np.flatnonzero(occurs), (np.cumsum(occurs) - 1)[keys]


def _counted(
    keys: NDArray[np.int64], size: int, is_first: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], list[NDArray[np.int64]]]:
    """Give the keys that occur, in order, and how many rows and how many first reports have each."""
    if size > _room(keys):
        found, keys = _renumbered(keys, size)
        size = len(found)
    else:
        found = np.arange(size)
    numbers = [np.bincount(some, minlength=size) for some in (keys, keys[is_first])]
    there = numbers[0] > 0
    return found[there], [number[there] for number in numbers]


def _room(keys: NDArray[np.int64]) -> int:
    return _PLACES_PER_ROW * max(len(keys), 1024)


def _sums(table: pa.Table) -> pa.Table:
    """Add up what is counted by the same unit and values."""
    keys = [name for name in table.column_names if name not in NUMBERS]
    added = table.group_by(keys, use_threads=False).aggregate([(name, "sum") for name in NUMBERS])
    return added.select([*keys, *(f"{name}_sum" for name in NUMBERS)]).rename_columns(
        table.column_names
    )
