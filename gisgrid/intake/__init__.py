"""What did the reports say, and where: files as they come, read right or refused row by row with the reason.

`readers` open the files, `columns` says which column is what, `times`, `datums`, `places` and `classes` read the values,
`repeats` links what tells of the same, and `pipeline` takes every row through all of them.
"""

from gisgrid.intake.columns.mapping import ColumnMapping
from gisgrid.intake.columns.roles import ROLES
from gisgrid.intake.datums.detective import Candidate, DatumFinding, Reference, detect_datum
from gisgrid.intake.ingestion import FileFindings, Ingestion, Problem, UnsureError
from gisgrid.intake.pipeline.ingest import NO_REFERENCE, ingest
from gisgrid.intake.pipeline.plan import Gazetteer, Stated
from gisgrid.intake.readers.source import open_source
from gisgrid.intake.reasons import FALLBACK_TEXTS, FLAGS, REASONS, REPEAT_TEXTS
from gisgrid.intake.reports import Reports, read_reports
from gisgrid.intake.units import Drawn, Units, read_drawn, read_units

__all__ = [
    "FALLBACK_TEXTS", "FLAGS", "NO_REFERENCE", "REASONS", "REPEAT_TEXTS", "ROLES", "Candidate", "ColumnMapping",
    "DatumFinding", "Drawn", "FileFindings", "Gazetteer", "Ingestion", "Problem", "Reference", "Reports", "Stated", "Units", "UnsureError",
    "detect_datum", "ingest", "open_source", "read_drawn", "read_reports", "read_units",
]  # fmt: skip
