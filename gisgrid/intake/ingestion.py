"""What came of taking in files of reports: the counts, what was found out about them, and the rows that show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gisgrid.errors import InputError
from gisgrid.intake.classes.taxonomy import TaxonomyFinding
from gisgrid.intake.columns.mapping import ColumnMapping
from gisgrid.intake.columns.recognition import Recognition
from gisgrid.intake.datums.detective import DatumFinding
from gisgrid.intake.times.reading import TimeRule
from gisgrid.schema import Text

ProblemKind = Literal["rejected", "flag", "duplicate", "fallback"]
PlaceKind = Literal["geometry", "pair", "lonlat", "shape_text", "address"]


@dataclass(frozen=True)
class FileFindings:
    """What a first look at one file found out, and what was decided by it.

    Attributes
    ----------
    name, format
        The file and what it is.
    columns
        Its columns in their order.
    notes
        What the reader found: encoding, delimiter, sheet, layer.
    recognition
        Which column means what, and how sure that is.
    place_kind, place_columns
        What says where: the file's own geometry, a pair of columns, one column of both numbers, a geometry as text, or
        an address.
    datum
        The datum, with the candidates.
    times
        Per role of time, how its texts are read.
    timezone
        The zone of times that do not say theirs.
    taxonomy
        The scheme of the classes; None where the file has none.
    mapping
        What to give the next time, so that nothing need be found out again.
    advice
        What the user could state, with the option to state it by.
    """

    name: str
    format: str
    columns: tuple[str, ...]
    notes: tuple[Text, ...]
    recognition: Recognition
    place_kind: PlaceKind
    place_columns: tuple[str, ...]
    datum: DatumFinding
    times: Mapping[str, TimeRule]
    timezone: str
    taxonomy: TaxonomyFinding | None
    mapping: ColumnMapping
    advice: tuple[Text, ...] = ()


@dataclass(frozen=True)
class FileCounts:
    """How many rows of one file were read, accepted, and rejected for which reason."""

    name: str
    n_read: int
    n_accepted: int
    rejected: Mapping[str, int]

    def __post_init__(self) -> None:
        if self.n_accepted + self.n_rejected != self.n_read:
            msg = (
                f"{self.n_accepted} accepted and {self.n_rejected} rejected rows of {self.name!r} are not the "
                f"{self.n_read} that were read"
            )
            raise AssertionError(msg)

    @property
    def n_rejected(self) -> int:
        """How many rows were rejected."""
        return sum(self.rejected.values())


@dataclass(frozen=True)
class Example:
    """One row that shows a problem; personal data are masked.

    Attributes
    ----------
    file, row
        Where it stands: the file and the row's number in it.
    values
        Its columns as text, those that matter first.
    """

    file: str
    row: int
    values: Mapping[str, str]


@dataclass(frozen=True)
class Problem:
    """One thing wrong with some of the rows.

    Attributes
    ----------
    code
        Its code.
    kind
        Whether the rows are rejected, or kept and marked.
    text
        Its words.
    n
        How many rows have it.
    examples
        The first of them, ten at most.
    """

    code: str
    kind: ProblemKind
    text: Text
    n: int
    examples: tuple[Example, ...]


@dataclass(frozen=True)
class Pile:
    """Many reports on one coordinate.

    Attributes
    ----------
    lon, lat
        Where.
    n
        How many.
    kind
        Of which kind of fallback point, or ``busy`` for a place where much happens.
    why
        What speaks for it.
    """

    lon: float
    lat: float
    n: int
    kind: str
    why: Text


@dataclass(frozen=True)
class MapSample:
    """Some of the points, to draw: all numbers are longitude and latitude.

    Attributes
    ----------
    inside, outside
        Shape (n, 2): points in some unit, and in none; evenly chosen where there are many.
    n_outside
        How many points lie in no unit of any level; None where no units were given.
    """

    inside: NDArray[np.float64]
    outside: NDArray[np.float64]
    n_outside: int | None


@dataclass(frozen=True)
class Ingestion:
    """Files of reports, taken in: every row of them is accepted or rejected.

    Attributes
    ----------
    counts
        Per file, the rows read, accepted and rejected; they add up, for each and for all.
    findings
        Per file, what was found out about it.
    n_assigned
        Per level of units, how many accepted rows lie in one of them.
    n_incidents
        How many accepted rows repeat no other: the incidents.
    duplicates
        Per kind of repetition, how many rows.
    fallback
        Per kind of fallback point, how many rows.
    problems
        What is wrong with which rows, the commonest of each kind first.
    piles
        The coordinates with the most reports on them, where that is suspicious.
    sample
        Points to draw.
    notes
        What was decided on the way.
    advice
        What the user could state, with the option to state it by.
    output
        The file of accepted rows.
    rejects
        The file of rejected rows, None where there are none.
    mappings
        The mapping files, to be used again.
    period
        The first and the last time of report, as ISO 8601 in UTC; None where there is none.
    """

    counts: tuple[FileCounts, ...]
    findings: tuple[FileFindings, ...]
    n_assigned: Mapping[str, int]
    n_incidents: int
    duplicates: Mapping[str, int]
    fallback: Mapping[str, int]
    problems: tuple[Problem, ...]
    piles: tuple[Pile, ...]
    sample: MapSample
    notes: tuple[Text, ...]
    advice: tuple[Text, ...]
    output: Path
    rejects: Path | None
    mappings: tuple[Path, ...]
    period: tuple[str, str] | None

    @property
    def n_read(self) -> int:
        """How many rows the files have."""
        return sum(each.n_read for each in self.counts)

    @property
    def n_accepted(self) -> int:
        """How many rows were accepted."""
        return sum(each.n_accepted for each in self.counts)

    @property
    def n_rejected(self) -> int:
        """How many rows were rejected."""
        return sum(each.n_rejected for each in self.counts)

    @property
    def rejected(self) -> dict[str, int]:
        """How many rows were rejected for which reason, over all files, the commonest first."""
        total: dict[str, int] = {}
        for each in self.counts:
            for reason, n in each.rejected.items():
                total[reason] = total.get(reason, 0) + n
        return dict(sorted(total.items(), key=lambda item: (-item[1], item[0])))

    def __repr__(self) -> str:
        """Say how many rows were read, accepted and rejected."""
        return (
            f"<Ingestion: {self.n_read} read, {self.n_accepted} accepted ({self.n_incidents} incidents), "
            f"{self.n_rejected} rejected>"
        )


class UnsureError(InputError):
    """What a file means cannot be told for certain, so nothing was taken in; the findings say what is needed.

    Attributes
    ----------
    findings
        Per file looked at, what was found out about it.
    """

    def __init__(self, message: str, findings: Sequence[FileFindings]) -> None:
        super().__init__(message)
        self.findings = tuple(findings)
