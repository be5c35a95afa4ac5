"""Which rows were refused, and why: a table that a spreadsheet opens safely, written as the rows come."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from gisgrid.errors import OutputError
from gisgrid.files import without_formulas
from gisgrid.intake.pipeline.draft import OwnColumns
from gisgrid.intake.readers.source import Refused
from gisgrid.intake.reasons import words

SUFFIXES: Final = (".csv", ".parquet")
"""What a table of refused rows may end in."""

_LEADING: Final = ("source_file", "row", "reason", "reason_zh", "reason_en", "record")


def require_table(path: Path) -> None:
    """See that a table of refused rows can be written by that name.

    Parameters
    ----------
    path
        Where it shall go.

    Raises
    ------
    OutputError
        Another suffix than those of tables.
    """
    if path.suffix not in SUFFIXES:
        raise OutputError(f"--rejects {path.name!r} is a table; let it end in .csv or .parquet")


class Rejects:
    """The table of refused rows: file, row, reason, and the row's columns as text; written when the first row comes.

    Parameters
    ----------
    path
        The file to write.
    own
        The columns of the files.
    always
        Whether it is written even where no row is refused.
    """

    def __init__(self, path: Path, own: OwnColumns, *, always: bool = False) -> None:
        names = [name if name not in _LEADING else f"{name}.source" for name in own.names]
        self.schema = pa.schema(
            [(name, pa.int64() if name == "row" else pa.string()) for name in _LEADING]
            + [(name, pa.string()) for name in names]
        )
        self.path, self.n_rows, self.is_written = path, 0, False
        self._always = always
        self._own = own
        self._sink: pa.NativeFile | None = None
        self._writer: pacsv.CSVWriter | pq.ParquetWriter | None = None

    def __enter__(self) -> Self:
        """Give the table itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file, whatever happened."""
        self.close()

    def add_rows(
        self, file: str, rows: NDArray[np.int64], reasons: Sequence[str], own: Sequence[pa.Array]
    ) -> None:
        """Add rows.

        Parameters
        ----------
        file
            The file they are in.
        rows
            Their numbers in it.
        reasons
            Per row, the code of its reason.
        own
            Their columns, arranged.
        """
        columns = [_as_text(column) for column in own]
        self._write(
            self._leading(file, pa.array(rows), reasons, pa.nulls(len(rows), pa.string())) + columns
        )

    def add_records(self, file: str, refused: Sequence[Refused]) -> None:
        """Add records that could not become rows.

        Parameters
        ----------
        file
            The file they are in.
        refused
            The records.
        """
        n = len(refused)
        rows = pa.array([one.row for one in refused], pa.int64())
        text = pa.array([one.text for one in refused], pa.string())
        leading = self._leading(file, rows, [one.reason for one in refused], text)
        self._write(leading + [pa.nulls(n, pa.string()) for _ in self._own.names])

    def close(self) -> None:
        """End the table."""
        if self._always and not self.is_written:
            self._open()
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        if self._sink is not None:
            self._sink.close()
            self._sink = None

    def _leading(
        self, file: str, rows: pa.Array, reasons: Sequence[str], text: pa.Array
    ) -> list[pa.Array]:
        said = {code: words(code) for code in set(reasons)}
        return [
            pa.array([file] * len(reasons), pa.string()),
            rows,
            pa.array(reasons, pa.string()),
            pa.array([said[code].zh for code in reasons], pa.string()),
            pa.array([said[code].en for code in reasons], pa.string()),
            text,
        ]

    def _write(self, columns: list[pa.Array]) -> None:
        if self._writer is None:
            self._open()
        assert self._writer is not None  # noqa: S101 - opened above
        if self.path.suffix == ".csv":
            columns = [
                without_formulas(column) if pa.types.is_string(column.type) else column
                for column in columns
            ]
        batch = pa.RecordBatch.from_arrays(columns, schema=self._written)
        self._writer.write_batch(batch)
        self.n_rows += batch.num_rows

    def _open(self) -> None:
        self.is_written = True
        if self.path.suffix == ".parquet":
            self._written = self.schema
            self._writer = pq.ParquetWriter(self.path, self.schema, compression="zstd")
            return
        safe = without_formulas(pa.array(self.schema.names)).to_pylist()
        self._written = pa.schema(
            [(name, one.type) for name, one in zip(safe, self.schema, strict=True)]
        )
        self._sink = pa.OSFile(str(self.path), "wb")
        self._sink.write(codecs.BOM_UTF8)
        self._writer = pacsv.CSVWriter(
            self._sink, self._written, write_options=pacsv.WriteOptions(quoting_style="needed")
        )


def _as_text(column: pa.Array) -> pa.Array:
    if pa.types.is_string(column.type):
        return column
    if pa.types.is_binary(column.type):
        return pa.array(
            [None if one is None else one.hex() for one in column.to_pylist()], pa.string()
        )
    return column.cast(pa.string())
