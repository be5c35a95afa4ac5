"""Which characters and which columns are in this text file (CSV and its kin)?

Encodings are tried in a strict order, never by likelihood: what a statistical detector says of a short GBK file is
often wrong. Every field stays text, so that codes keep their leading zeros.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Final, Protocol

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from gisgrid.errors import InputError
from gisgrid.files import first_line

DELIMITERS: Final = (",", "\t", ";", "|")
"""What separates fields, in the order of trial."""

_UTF_16_MARKS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_BLOCK: Final = 1 << 20
_SAMPLE: Final = 1 << 17
_ROWS_AT_ONCE: Final = 50_000


class _Reader(Protocol):
    """What the csv module gives, which has no public name."""

    line_num: int

    def __iter__(self) -> Iterator[list[str]]:
        """Give row after row."""


@dataclass(frozen=True)
class DelimitedText:
    """A text file as a table.

    Attributes
    ----------
    table
        Every column as text, indexed by the line (1 is the file's first line) on which the row begins; a missing
        value where a field is empty.
    refused
        Why a row is no row of the table, indexed like it: the header again, or another number of fields.
    encoding
        The encoding that the whole file obeys.
    delimiter
        The character between two fields.
    """

    table: pd.DataFrame
    refused: pd.Series
    encoding: str
    delimiter: str


def read_delimited(path: Path, *, delimiter: str | None = None) -> DelimitedText:
    """Read a text file of rows and fields, line numbers kept.

    Parameters
    ----------
    path
        A ``.csv``, ``.tsv`` or ``.txt`` file, or one such file in a ``.zip`` or ``.gz``.
    delimiter
        What separates fields; found in the first lines where it is not given.

    Returns
    -------
    DelimitedText
        The rows that are there, each line of the source accounted for. Blank lines are no rows.

    Raises
    ------
    InputError
        The file is empty, is no text in UTF-8, GB 18030 or UTF-16, or has a quote that nothing closes.
    """
    encoding = _encoding(path)
    with _open_bytes(path) as raw:
        stream = io.TextIOWrapper(raw, encoding=encoding, newline="")
        sample = stream.read(_SAMPLE)
    if not sample.strip():
        raise InputError(
            f"{path.name!r} is empty, so there is nothing to read; check that the export finished"
        )
    delimiter = delimiter or _delimiter(sample)
    with _open_bytes(path) as raw:
        stream = io.TextIOWrapper(raw, encoding=encoding, newline="")
        table, refused = _table(csv.reader(stream, delimiter=delimiter, strict=True), path.name)
    return DelimitedText(table, refused, encoding, delimiter)


@contextmanager
def _open_bytes(path: Path) -> Iterator[IO[bytes]]:
    """Open the file, or the one text file packed in it."""
    match path.suffix.lower():
        case ".zip":
            with zipfile.ZipFile(path) as archive, archive.open(_only_member(archive, path)) as raw:
                yield raw
        case ".gz":
            with gzip.open(path) as unpacked:
                yield io.BufferedReader(unpacked)
        case _:
            with path.open("rb") as raw:
                yield raw


def _only_member(archive: zipfile.ZipFile, path: Path) -> str:
    members = [name for name in archive.namelist() if not name.endswith("/")]
    if len(members) != 1:
        raise InputError(
            f"{path.name!r} holds {len(members)} files ({', '.join(members[:3])} …) but one table is read at a time; "
            "unpack it and name the file"
        )
    return members[0]


def _encoding(path: Path) -> str:
    """Find the first encoding that every byte of the file obeys."""
    with _open_bytes(path) as raw:
        if raw.read(2) in _UTF_16_MARKS:
            return "utf-16"
    for encoding in ("utf-8-sig", "gb18030"):
        if _obeys(path, encoding):
            return encoding
    raise InputError(
        f"{path.name!r} is text neither in UTF-8 nor in GB 18030 (GBK), so its characters cannot be trusted; "
        "save it again as UTF-8"
    )


def _obeys(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    try:
        with _open_bytes(path) as raw:
            while block := raw.read(_BLOCK):
                decoder.decode(block)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _delimiter(sample: str) -> str:
    """Choose the delimiter that gives the first lines the same number of fields, and the most of them."""
    lines = sample.splitlines(keepends=True)
    if len(sample) == _SAMPLE:  # the last line may be cut
        lines = lines[:-1] or lines
    scores: dict[str, tuple[bool, int]] = {}
    for delimiter in DELIMITERS:
        try:
            rows = [row for row in islice(csv.reader(lines, delimiter=delimiter), 200) if row]
        except csv.Error:
            continue
        if not rows:
            continue
        commonest, n = Counter(len(row) for row in rows).most_common(1)[0]
        scores[delimiter] = (commonest > 1 and n >= 0.8 * len(rows), commonest)
    return max(scores, key=lambda key: scores[key]) if scores else ","


def _table(reader: _Reader, name: str) -> tuple[pd.DataFrame, pd.Series]:
    """Read all rows in bounded steps into columns of text."""
    rows = _rows(reader, name)
    header = next(rows)[1]
    columns = _column_names(header)
    names = [_letters(name) for name in header]
    parts: list[pa.Table] = []
    lines: list[int] = []
    refused: dict[int, str] = {}
    while chunk := list(islice(rows, _ROWS_AT_ONCE)):
        for at, (line, fields) in enumerate(chunk):
            if len(fields) != len(columns):
                refused[line] = f"{len(fields)} fields where the header has {len(columns)}"
                chunk[at] = (line, (fields + [""] * len(columns))[: len(columns)])
            elif _names_again(fields, names):
                refused[line] = "the header row again"
        lines += [line for line, _ in chunk]
        parts.append(_text_columns([fields for _, fields in chunk], len(columns)))
    if not parts:
        raise InputError(
            f"{name!r} has a header ({len(columns)} columns) but no rows; check that the export finished"
        )
    table = pa.concat_tables(parts).to_pandas()
    table.columns = pd.Index(columns)
    table.index = pd.Index(lines, name="row")
    return table, pd.Series(refused, dtype="object", name="reason")


def _rows(reader: _Reader, name: str) -> Iterator[tuple[int, list[str]]]:
    """Give each row with the line on which it begins."""
    begins = 1
    try:
        for fields in reader:
            if fields:
                yield begins, fields
            begins = reader.line_num + 1
    except csv.Error as error:
        raise InputError(
            f"{name!r} cannot be read from line {begins} on ({first_line(error)}): its quotes do not pair; "
            "mend that line or export the table again"
        ) from error


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text)).casefold()


def _names_again(fields: list[str], names: list[str]) -> bool:
    """Tell whether a row says the columns' names again, some perhaps left empty or spelt with other spaces."""
    n_named = 0
    for field, name in zip(fields, names, strict=True):
        if field:
            if _letters(field) != name or not name:
                return False
            n_named += 1
    return n_named >= min(2, len(names))


def _text_columns(rows: list[list[str]], n: int) -> pa.Table:
    columns = [pa.array(values, pa.string()) for values in zip(*rows, strict=True)]
    empty = pa.scalar(None, pa.string())
    return pa.Table.from_arrays(
        [pc.if_else(pc.equal(column, ""), empty, column) for column in columns],
        names=[str(at) for at in range(n)],
    )


def _column_names(header: list[str]) -> list[str]:
    """Name every column once: an empty name by its place, a second one of the same name with ``.2``."""
    names: list[str] = []
    for at, text in enumerate(header, start=1):
        base = text.strip() or f"column_{at}"
        name, n = base, 1
        while name in names:
            n += 1
            name = f"{base}.{n}"
        names.append(name)
    return names
