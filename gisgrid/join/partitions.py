"""How many reports has each unit, when there are more reports than one machine can hold?

The units are few, so they go to every worker; the reports are many, so they stay where they are: each part of the files
is read bit by bit, looked up and counted, and only counts travel. Nothing is sorted by place, nothing held as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
from pyproj import CRS

from gisgrid.errors import ColumnError, InputError
from gisgrid.join.assign import LevelIndex
from gisgrid.join.engines import Engine, summed
from gisgrid.join.geoparquet import Partitions, Paths
from gisgrid.join.questions import NUMBERS, Condition, Question, TimeStep
from gisgrid.join.tallies import UNIT, Counter, Tally
from gisgrid.progress import Progress, silent

_SHARE: Final = 1 << 20
"""Rows that are worth a task of their own: half a second of work, some milliseconds to hand out."""


@dataclass(frozen=True)
class PartitionCounts:
    """Reports per unit of each level, and those that are in none.

    Attributes
    ----------
    counts
        Per level `n_reports` and `n_incidents` (reports that repeat no other). Without `by` indexed by the code of every
        unit, in the order of the frame. With `by` indexed by the code and the values counted by, sorted, for all
        combinations that occur; a missing value is one of its own, and a time step is named by the local moment at which it
        begins. ``counts[level]["n_incidents"].unstack(
        fill_value=0).reindex(codes, fill_value=0)`` has every unit.
    unassigned
        The same two numbers per level of the reports that are in none of its units, or have no point.
    n_read
        Rows of all files.
    n_counted
        Rows that met the conditions: per level, those counted and those in no unit.
    crs
        The CRS of the files' points.
    """

    counts: Mapping[str, pd.DataFrame]
    unassigned: pd.DataFrame
    n_read: int
    n_counted: int
    crs: CRS

    def __repr__(self) -> str:
        return (
            f"<PartitionCounts of {', '.join(self.counts)}: {self.n_counted:,} of {self.n_read:,} reports, "
            f"at most {int(self.unassigned['n_reports'].max()):,} of them in no unit>"
        )


def count_partitions(
    paths: Paths,
    units: Mapping[str, gpd.GeoDataFrame],
    *,
    by: Sequence[str | TimeStep] = (),
    where: Sequence[Condition] = (),
    duplicates: str | None = "duplicate_of",
    engine: Engine = "local",
    scheduler: str | None = None,
    progress: Progress = silent,
) -> PartitionCounts:
    """Count the reports of each unit in files that are together too large for memory, here or on a cluster.

    The same rule as `assign_units` and the same counts to the last report, whatever the engine: exact on borders, in one
    unit of a level, lowest code first. What comes back fits one machine, and so do the statistics that follow.

    Parameters
    ----------
    paths
        GeoParquet files of points, a folder of them, a pattern such as ``2026-*.parquet``, or several of these. Text in
        the names of folders (``month=2026-01``) is a column. For a cluster the paths must be those of every worker.
    units
        As for `assign_units`: per level, under the name of its code column, the frame of its units.
    by
        Columns, or `TimeStep` of a column of times, by which the counts are told apart.
    where
        Conditions that a report must meet, all of them: column, comparison (``==`` ``!=`` ``<`` ``<=`` ``>`` ``>=``
        ``in`` ``not in``), value. A missing value meets none.
    duplicates
        The column that is filled where a report repeats another; None where there is none and every report counts as
        an incident.
    engine
        ``local``: one thread per core in this process. ``dask``: the workers of a cluster.
    scheduler
        The address of a running Dask scheduler. Without it the engine ``dask`` starts a process per core and ends them.
    progress
        Told how many parts are done.

    Returns
    -------
    PartitionCounts
        The counts, and what is in no unit: together every row that met the conditions.

    Raises
    ------
    InputError
        There is no file, one is no GeoParquet, cannot be read or changes meanwhile; a shape is no point; a code is missing
        or a polygon invalid; a condition or an engine that does not exist, or no scheduler answers.
    CrsError
        Units or files have no CRS, or two files have different ones.
    ColumnError
        A file or a level lacks a column, or two files have it in different types.

    Notes
    -----
    CRS: any; points are brought into the CRS of the units where it is another, as ``to_crs`` does. Cost: O(n) per level;
    memory 40 MB per thread, the index of the units and the counts, however large the files. Of the files only the points
    and the columns named are read. A worker that dies is replaced, and its parts are counted again.
    Checked against: `assign_units` of the whole.

    Examples
    --------
    >>> import tempfile
    >>> from shapely import Point, box
    >>> units = gpd.GeoDataFrame({"code": ["a", "b"]}, geometry=[box(0, 0, 1, 1), box(1, 0, 2, 1)], crs=4547)
    >>> reports = gpd.GeoDataFrame(
    ...     {"duplicate_of": [None, "1", None]}, geometry=[Point(0.5, 0.5), Point(0.5, 0.5), Point(7, 7)], crs=4547
    ... )
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     reports.to_parquet(f"{folder}/2026-01.parquet")
    ...     found = count_partitions(folder, {"code": units})
    >>> found.counts["code"].reset_index()
      code  n_reports  n_incidents
    0    a          2            1
    1    b          0            0
    >>> found
    <PartitionCounts of code: 3 of 3 reports, at most 1 of them in no unit>
    """
    if not units:
        raise InputError("no level of units was given to count in; give at least one, for example {'community_code': frame}")  # fmt: skip
    question = Question(tuple(by), tuple(where), duplicates)
    indexes = {level: LevelIndex.of(frame, level) for level, frame in units.items()}
    if taken := sorted(indexes.keys() & {*question.names, *NUMBERS}):
        raise ColumnError(
            f"{taken[0]!r} names a level of units and a column of the counts, but each needs a name of its own; "
            "rename the level's column"
        )
    files = Partitions.open(paths, question.columns)
    counter = Counter(question.checked(files.schema), tuple(indexes.values()), files.crs, files.schema)  # fmt: skip
    tally = summed(
        files.shares(_SHARE), counter, Tally.together, engine=engine, scheduler=scheduler, progress=progress
    )  # fmt: skip
    levels = dict(zip(units, tally.levels, strict=True))
    return PartitionCounts(
        {
            level: _counts(table, indexes[level], units[level][level], question.by)
            for level, table in levels.items()
        },
        pd.DataFrame.from_dict(
            {level: _unassigned(table) for level, table in levels.items()},
            orient="index",
            columns=list(NUMBERS),
        ).rename_axis("level"),
        files.n_rows,
        tally.n_counted,
        files.crs,
    )


def _unassigned(table: pa.Table) -> list[int]:
    nowhere = table.filter(pa.array(table[UNIT].to_numpy() < 0))
    return [int(nowhere[name].to_numpy().sum()) for name in NUMBERS]


def _counts(
    table: pa.Table, index: LevelIndex, codes: pd.Series, by: Sequence[str | TimeStep]
) -> pd.DataFrame:
    """Name the units by their codes: a code that stands in several rows is one unit."""
    table = table.filter(pa.array(table[UNIT].to_numpy() >= 0))
    numbers = pd.DataFrame({name: table[name].to_numpy() for name in NUMBERS})
    of_unit = pd.Index(index.codes[table[UNIT].to_numpy()], dtype="str", name=codes.name)
    if not by:
        all_units = pd.Index(codes.drop_duplicates(), dtype="str", name=codes.name)
        return numbers.groupby(of_unit).sum().reindex(all_units, fill_value=np.int64(0))
    keys = [_begins(table[each.step], each) if isinstance(each, TimeStep) else pd.Index(table[each].to_pandas(), name=each) for each in by]  # fmt: skip
    return numbers.groupby([of_unit, *keys], dropna=False).sum()


def _begins(days: pa.ChunkedArray, each: TimeStep) -> pd.DatetimeIndex:
    """Give the moment at which each local day begins, the earlier one where a clock put back shows it twice."""
    days_there = pd.DatetimeIndex(days.cast(pa.timestamp("us")).to_pandas(), name=each.step)
    twice = np.ones(len(days_there), np.bool_)
    return days_there.tz_localize(each.timezone, ambiguous=twice, nonexistent="shift_forward")
