"""Reports too many for memory: GeoParquet in parts, counted by units here or on a Dask cluster."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import geopandas as gpd
import pandas as pd
import pyarrow.parquet as pq

from gisgrid import derived
from gisgrid.cli.hotspots.request import Request
from gisgrid.errors import InputError
from gisgrid.intake import Units
from gisgrid.join import PartitionCounts, count_partitions
from gisgrid.progress import Progress, silent
from gisgrid.schema import Text

_DUPLICATE, _FALLBACK = "duplicate_of", "fallback"
_NO_SUFFIX: Final = ".parquet"


@dataclass(frozen=True)
class Counted:
    """What was counted, as `run` tells it.

    Attributes
    ----------
    counts
        Shape (n,), incidents by unit.
    n_read
        Rows of all files.
    excluded
        What does not count, by reason.
    notes
        What was decided.
    n_files
        How many files there are.
    """

    counts: pd.Series
    n_read: int
    excluded: dict[str, int]
    notes: tuple[str, ...]
    n_files: int


def counted_in_parts(request: Request, units: Units, *, progress: Progress = silent) -> Counted:
    """Count the incidents of each unit in files that are together too large for memory.

    Parameters
    ----------
    request
        What the user asked for, with `engine`.
    units
        The units.
    progress
        Told how many parts are done.

    Returns
    -------
    Counted
        Incidents by unit, without those on fallback points.

    Raises
    ------
    InputError
        There is no such file, or it is no GeoParquet.
    """
    files = files_of(request.issues)
    columns = set(pq.read_schema(files[0]).names)
    by = [_FALLBACK] if _FALLBACK in columns else []
    key = units.key
    frame = units.frame.assign(**{key: units.frame[key].astype("str")})
    made = count_partitions(
        [str(path) for path in files], {key: frame}, by=by,
        duplicates=_DUPLICATE if _DUPLICATE in columns else None,
        engine=request.engine or "local", scheduler=request.scheduler, progress=progress,
    )  # fmt: skip
    numbers = made.counts[key]
    placed, on_none = _on_places(numbers) if by else (numbers, 0)
    index = pd.Index(units.frame[key], name=key)
    counts = placed["n_incidents"].reindex(frame[key]).fillna(0).astype("int64").set_axis(index)
    repeats = int((placed["n_reports"] - placed["n_incidents"]).sum())
    excluded = {
        derived.NO_PLACE: on_none,
        derived.REPEATED: repeats,
        derived.IN_NO_AREA: int(made.unassigned["n_reports"].to_numpy().sum()),
    }
    return Counted(
        counts, made.n_read, {why: n for why, n in excluded.items() if n}, _notes(request, made, columns), len(files),
    )  # fmt: skip


def files_of(issues: Path) -> list[Path]:
    """Give the files that ISSUES names: one, those of a folder, or those of a pattern.

    Parameters
    ----------
    issues
        What the user named.

    Returns
    -------
    list of Path
        Sorted.

    Raises
    ------
    InputError
        There is none.
    """
    if issues.is_dir():
        found = sorted(issues.rglob("*.parquet"))
    elif issues.is_file():
        found = [issues]
    else:
        found = sorted(issues.parent.glob(issues.name))
    if not found:
        raise InputError(
            f"there is no GeoParquet file {str(issues)!r} for --engine to count; name a file, a folder, or a pattern in quotes"
        )
    odd = next((path for path in found if path.suffix != _NO_SUFFIX), None)
    if odd is not None:
        raise InputError(
            f"--engine counts GeoParquet files and {odd.name!r} is none; let gisgrid ingest write it as .parquet first"
        )
    return found


def _on_places(numbers: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Keep the reports that are on no fallback point."""
    there = pd.Series(numbers.index.get_level_values(_FALLBACK)).isna().to_numpy()
    return numbers[there].droplevel(_FALLBACK), int(numbers["n_reports"][~there].sum())


def _notes(request: Request, made: PartitionCounts, columns: set[str]) -> tuple[str, ...]:
    engine = request.engine or "local"
    text = Text(
        zh=f"由 {engine} 引擎分块统计 {made.n_read:,} 行",
        en=f"{made.n_read:,} rows were counted in parts by the engine {engine}",
    )
    notes = [derived.Note.of(text)]
    if _DUPLICATE not in columns:
        text = Text(
            zh="文件没有 duplicate_of 列：每条上报都计入",
            en="the files have no column duplicate_of: every report counts",
        )
        notes.append(derived.Note.of(text))
    return tuple(notes)


def no_reports(units: Units) -> gpd.GeoDataFrame:
    """Give reports without a row, for what asks for reports where only counts are.

    Parameters
    ----------
    units
        The units, for the CRS.

    Returns
    -------
    GeoDataFrame
        No row.
    """
    return gpd.GeoDataFrame(
        {_DUPLICATE: pd.Series(dtype="object")}, geometry=[], crs=units.frame.crs
    )
