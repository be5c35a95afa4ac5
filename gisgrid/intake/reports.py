"""Where was each issue reported: the rows of a file with a usable place, in memory, and the others with the reason."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import geopandas as gpd
import pandas as pd
from pyproj import CRS

from gisgrid.crs import LONLAT
from gisgrid.intake.datums.detective import Reference
from gisgrid.intake.ingestion import FileFindings, Ingestion
from gisgrid.intake.pipeline.ingest import NO_REFERENCE, ingest
from gisgrid.intake.pipeline.plan import Stated
from gisgrid.progress import Progress, silent

_NOT_OURS: Final = ("source_file",)


@dataclass(frozen=True)
class Reports:
    """A file of reports, read: every row is either accepted or rejected.

    Attributes
    ----------
    accepted
        The rows with a usable place, as points, with the columns that `gisgrid.intake.ingest` writes; indexed by the
        row's number in the source (``row``).
    rejected
        The other rows: ``row``, ``reason``, its words, then the columns as they stand in the source.
    ingestion
        The counts and what was found out.
    """

    accepted: gpd.GeoDataFrame
    rejected: pd.DataFrame
    ingestion: Ingestion

    @property
    def n_read(self) -> int:
        """How many rows the file has: the accepted and the rejected."""
        return self.ingestion.n_read

    @property
    def notes(self) -> tuple[str, ...]:
        """What was decided on the way, a sentence each."""
        found = self.ingestion
        said = [note for each in found.findings for note in _sentences(each)]
        if found.period is not None:
            first, last = (
                text.replace("T", " ").removesuffix(":00Z").removesuffix("Z")
                for text in found.period
            )
            said.append(f"times run from {first} to {last} (UTC)")
        return (*said, *(text.en for text in (*found.notes, *found.advice)))

    def __repr__(self) -> str:
        """Say how many rows were read, accepted and rejected."""
        return f"<Reports: {self.n_read} read, {len(self.accepted)} accepted, {len(self.rejected)} rejected>"


def read_reports(
    path: Path | str,
    *,
    reference: Reference = NO_REFERENCE,
    stated: Stated | None = None,
    crs: CRS = LONLAT,
    find_repeats: bool = False,
    progress: Progress = silent,
) -> Reports:
    """Read a file of reported issues into memory; refuse what has no usable place, row by row.

    The same as `gisgrid.intake.ingest`, for a file that fits into memory and a result that need not be kept.

    Parameters
    ----------
    path
        Anything that `gisgrid.intake.open_source` opens.
    reference
        The city's units and streets, by which the datum is decided.
    stated
        What the user says of the file; the rest is found out.
    crs
        The CRS that the points shall have.
    find_repeats
        Whether rows that repeat others are looked for; links that the file itself states are kept either way.
    progress
        Told how far the work is.

    Returns
    -------
    Reports
        Accepted and rejected rows; their numbers add up to the rows read.

    Raises
    ------
    UnsureError
        What the file means cannot be told for certain.
    InputError
        No such file, an empty one, or none of its rows has a usable place.
    ColumnError
        A named column is not there, or no column says where the rows are.

    Notes
    -----
    CRS: any is read; the accepted points are in `crs`.
    """
    with tempfile.TemporaryDirectory(prefix="gisgrid-") as folder:
        output = Path(folder) / "reports.parquet"
        done = ingest(
            path, output, reference=reference, stated=stated, output_crs=crs, find_repeats=find_repeats,
            rejects=output.with_name("rejects.parquet"), progress=progress,
        )  # fmt: skip
        accepted = gpd.read_parquet(output)
        rejected = (
            pd.DataFrame(columns=["row", "reason"])
            if done.rejects is None
            else pd.read_parquet(done.rejects)
        )
    accepted.index = pd.Index(accepted["source_row"].array, name="row")
    return Reports(accepted, rejected.drop(columns=[c for c in _NOT_OURS if c in rejected]), done)


def _sentences(found: FileFindings) -> list[str]:
    columns = ", ".join(map(repr, found.place_columns)) or "the file's own geometry"
    whence = (
        "as stated"
        if found.datum.datum is None or found.datum.datum.id != found.mapping.datum
        else "found"
    )
    place = f"the place is read from {columns} in {found.mapping.datum} ({whence})"
    return [
        *(note.en for note in found.notes),
        place,
        *(note.en for rule in found.times.values() for note in rule.notes),
    ]
