"""Delimited text (CSV and its kin): every field as text, every record counted, in steps of bounded memory."""

from __future__ import annotations

import csv
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv as pacsv

from gisgrid.errors import InputError
from gisgrid.files import first_line
from gisgrid.intake.readers.batch import (
    Batch,
    Refused,
    Source,
    column_names,
    first_rows,
    joined,
    no_text_columns,
)
from gisgrid.intake.readers.encoding import Encoding, encoding_of, utf_8_blocks
from gisgrid.intake.readers.header import Header, find_header, names_again
from gisgrid.intake.readers.packed import Content
from gisgrid.intake.readers.records import (
    BAD_QUOTES,
    BLANK,
    DAMAGED,
    EMPTY,
    HEADER,
    WHOLE,
    Letters,
    Records,
    fields_of,
    find_records,
)
from gisgrid.schema import Text

DELIMITERS: Final = (",", "\t", ";", "|", "，", "\x01", "^", " ")
"""What may separate fields, in the order of trial."""

_SAMPLE: Final = 1 << 18
_ROWS_LOOKED_AT: Final = 200
_STAND_IN: Final = "\x1f"
"""Stands for a delimiter that is not one ASCII character."""

_REASONS: Final = {
    BAD_QUOTES: "bad_quotes",
    DAMAGED: "bad_record",
    EMPTY: "empty_row",
    HEADER: "repeated_header",
}


@dataclass(frozen=True)
class _Layout:
    """How the text is laid out.

    `data_at` counts the records above the first row of data; `names` is the header as it stands.
    """

    content: Content
    encoding: Encoding
    delimiter: str
    names: tuple[str, ...]
    columns: tuple[str, ...]
    data_at: int

    @property
    def byte(self) -> int:
        return ord(self.delimiter if _is_ascii_byte(self.delimiter) else _STAND_IN)


def open_delimited(
    content: Content, *, suffix: str, delimiter: str | None, encoding: str | None
) -> Source:
    """Open a delimited text.

    Parameters
    ----------
    content
        Its bytes.
    suffix
        What its name ends in; only ``.csv`` and ``.tsv`` may be of a single column.
    delimiter
        What separates fields; found in the first records where it is not given.
    encoding
        What the bytes mean; found over the whole text where it is not given.

    Returns
    -------
    Source
        Text columns; a blank line is no row but is counted.

    Raises
    ------
    InputError
        Empty, no text, no table, or a header without rows.
    """
    found = encoding_of(content, encoding)
    layout, header = _layout(content, found, delimiter, suffix=suffix)
    if not any(len(batch.rows) or batch.refused for batch, _ in _batches(layout)):
        raise InputError(
            f"{content.name!r} has a header ({len(layout.columns)} columns) but no rows; check that the export finished"
        )
    shown = {"\t": "Tab", " ": "space", "\x01": "0x01"}.get(layout.delimiter, layout.delimiter)
    return Source(
        name=content.name,
        format="csv",
        columns=layout.columns,
        crs=None,
        n_rows=None,
        notes=(
            *found.notes,
            Text(zh=f"字段以 {shown} 分隔", en=f"fields are separated by {shown}"),
            *header.notes,
        ),
        stream=lambda: _batches(layout),
        pick=lambda n: _sample(layout, n),
    )


def _layout(
    content: Content, encoding: Encoding, delimiter: str | None, *, suffix: str
) -> tuple[_Layout, Header]:
    sample, is_all = _head(content, encoding)
    if not sample.strip():
        raise InputError(
            f"{content.name!r} is empty, so there is nothing to read; check that the export finished"
        )
    delimiter = delimiter or _delimiter(sample, is_all=is_all)
    if delimiter is None:
        if suffix not in {".csv", ".tsv"}:
            raise InputError(
                f"{content.name!r} is text but no table: no delimiter gives its lines the same number of fields; state "
                "it with delimiter= (--delimiter) if it is one"
            )
        delimiter = ","
    bare = _Layout(content, encoding, delimiter, (), (), 0)
    text = sample if _is_ascii_byte(delimiter) else sample.replace(delimiter, _STAND_IN)
    data = text.encode()
    records = _records(bare, data, Letters.of(()), at_end=is_all, n_before=0)
    if not len(records):
        raise InputError(
            f"the first record of {content.name!r} is longer than {_SAMPLE >> 10} KB, as no header is; check that the file "
            "has line breaks and that its quotes pair"
        )
    rows = [
        fields_of(data[first:end].decode(errors="replace"), chr(bare.byte))
        for first, end in zip(records.first[:_ROWS_LOOKED_AT], records.end, strict=False)
    ]
    header = find_header(rows)
    names = _as_wide_as_rows(header.names, rows[header.data_at :])
    return (
        _Layout(content, encoding, delimiter, names, column_names(names), header.data_at),
        header,
    )


def _as_wide_as_rows(names: tuple[str, ...], rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Add a nameless column where every row ends in one delimiter more than the header."""
    kept = [row for row in rows if row]
    if kept and all(len(row) == len(names) + 1 and not row[-1] for row in kept):
        return (*names, "")
    return names


def _head(content: Content, encoding: Encoding) -> tuple[str, bool]:
    """Give the first characters, and whether they are all."""
    parts: list[bytes] = []
    for data, _ in utf_8_blocks(content, encoding, block=_SAMPLE):
        parts.append(data)
        if sum(map(len, parts)) > _SAMPLE:
            break
    else:
        return b"".join(parts).decode(errors="replace"), True
    return b"".join(parts).decode(errors="ignore"), False


def _delimiter(sample: str, *, is_all: bool) -> str | None:
    """Choose the delimiter that gives the first lines the same number of fields, and the most of them."""
    lines = sample.splitlines(keepends=True)
    if not is_all:  # the last line may be cut
        lines = lines[:-1] or lines
    best: tuple[tuple[bool, int], str] | None = None
    for delimiter in DELIMITERS:
        try:
            rows = [
                row
                for row in islice(csv.reader(lines, delimiter=delimiter), _ROWS_LOOKED_AT)
                if row
            ]
        except csv.Error:
            continue
        if not rows:
            continue
        commonest, n = Counter(map(len, rows)).most_common(1)[0]
        needed = 1.0 if delimiter == " " else 0.8
        if commonest == 1 or n < needed * len(rows) or (delimiter == " " and best is not None):
            continue
        score = (len(rows[0]) == commonest, commonest)
        if best is None or score > best[0]:
            best = (score, delimiter)
    return best[1] if best else None


def _is_ascii_byte(delimiter: str) -> bool:
    return len(delimiter) == 1 and delimiter.isascii()


def _blocks(layout: _Layout) -> Iterator[tuple[bytes, float]]:
    """Give the text block by block, a delimiter of several bytes replaced by one that pyarrow takes."""
    if _is_ascii_byte(layout.delimiter):
        yield from utf_8_blocks(layout.content, layout.encoding)
        return
    long, rest = layout.delimiter.encode(), b""
    for data, share in utf_8_blocks(layout.content, layout.encoding):
        block = (rest + data).replace(long, _STAND_IN.encode())
        keep = len(block) - len(long) + 1  # a delimiter may be cut between two blocks
        block, rest = block[: max(0, keep)], block[max(0, keep) :]
        yield block, share
    yield rest, 1.0


def _scanned(layout: _Layout) -> Iterator[tuple[bytes, Records, int, float]]:
    """Give bytes that begin with a record, their records, how many came before, and the share read."""
    letters = Letters.of(layout.names)
    rest, n_before = b"", 0
    for data, share in _blocks(layout):
        block = rest + data
        records = _records(layout, block, letters, at_end=False, n_before=n_before)
        if len(records):
            yield block, records, n_before, share
        n_before += len(records)
        rest = block[records.consumed :]
    if rest:
        records = _records(layout, rest, letters, at_end=True, n_before=n_before)
        yield rest, records, n_before, 1.0


def _records(
    layout: _Layout, data: bytes, letters: Letters, *, at_end: bool, n_before: int
) -> Records:
    return find_records(
        data,
        delimiter=layout.byte,
        header=letters,
        at_end=at_end,
        name=layout.content.name,
        n_before=n_before,
        damaged=layout.encoding.n_damaged > 0,
    )


def _batches(layout: _Layout) -> Iterator[tuple[Batch, float]]:
    for data, records, n_before, share in _scanned(layout):
        batch = _batch(layout, data, records, n_before)
        if batch.n_records:
            yield batch, share


def _batch(layout: _Layout, data: bytes, records: Records, n_before: int) -> Batch:
    """Make rows of the whole records, and list the others."""
    numbers = np.arange(n_before + 1, n_before + len(records) + 1, dtype=np.int64)
    open_ = (numbers > layout.data_at) & (records.state != BLANK)
    good = open_ & (records.state == WHOLE) & (records.n_fields == len(layout.columns))
    refused: list[Refused] = []
    for at in np.flatnonzero(open_ & ~good).tolist():
        text = data[records.first[at] : records.end[at]][:2000].decode(errors="replace")
        reason = _reason(layout, text, int(records.state[at]), int(records.n_fields[at]))
        if reason is None:
            good[at] = True
        else:
            refused.append(Refused(int(numbers[at]), reason, text))
    table = _table(layout, data, records, good)
    if table.num_rows != int(good.sum()):
        msg = f"{layout.content.name!r}: {int(good.sum())} records became {table.num_rows} rows"
        raise AssertionError(msg)
    return Batch(numbers[good], table, None, tuple(refused))


def _reason(layout: _Layout, text: str, state: int, n_fields: int) -> str | None:
    """Say why a record is no row; None where it only began like the header."""
    if state == HEADER and not names_again(fields_of(text, chr(layout.byte)), layout.names):
        state = WHOLE
    if state != WHOLE:
        return _REASONS[state]
    if n_fields == len(layout.columns):
        return None
    return "too_few_fields" if n_fields < len(layout.columns) else "too_many_fields"


def _table(layout: _Layout, data: bytes, records: Records, good: NDArray[np.bool_]) -> pa.Table:
    """Parse the good records, all columns as text."""
    if not good.any():
        return no_text_columns(layout.columns)
    text = _kept_bytes(data, records, good)
    longest = int((records.after - records.first)[good].max())
    try:
        return pacsv.read_csv(
            pa.BufferReader(text),
            read_options=pacsv.ReadOptions(
                column_names=layout.columns, block_size=max(1 << 20, 2 * longest)
            ),
            parse_options=pacsv.ParseOptions(
                delimiter=chr(layout.byte),
                newlines_in_values=records.spans_lines,
                ignore_empty_lines=False,
            ),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(layout.columns, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as error:
        raise InputError(
            f"{layout.content.name!r} cannot be read ({first_line(error)}); check that it does not change while it is read"
        ) from error


def _kept_bytes(data: bytes, records: Records, good: NDArray[np.bool_]) -> pa.Buffer:
    """Cut out the good records; runs of them are taken as one piece."""
    kept = np.flatnonzero(good)
    first, after = records.first[kept], records.after[kept]
    breaks = np.flatnonzero(first[1:] != after[:-1])
    begins = first[np.concatenate([[0], breaks + 1])].tolist()
    ends = after[np.concatenate([breaks, [len(kept) - 1]])].tolist()
    if len(begins) == 1:
        return pa.py_buffer(data).slice(begins[0], ends[0] - begins[0])
    return pa.py_buffer(b"".join([data[a:b] for a, b in zip(begins, ends, strict=True)]))


def _sample(layout: _Layout, n: int) -> Batch:
    """Take rows of the head, the middle and the end: all records are found, but only those few are parsed."""
    head: list[tuple[bytes, Records, int]] = []
    tail: deque[tuple[bytes, Records, int]] = deque(maxlen=2)
    middle: tuple[bytes, Records, int] | None = None
    n_records = 0
    for data, records, n_before, share in _scanned(layout):
        n_records = n_before + len(records)
        if n_before < n + layout.data_at:
            head.append((data, records, n_before))
        elif middle is None and share >= 0.5:
            middle = (data, records, n_before)
        else:
            tail.append((data, records, n_before))
    quarter = n // 4
    begin = n_records // 2
    if middle is not None and not middle[2] <= begin < middle[2] + len(middle[1]):
        begin = middle[2]
    first = layout.data_at + n - 2 * quarter
    wanted = [(0, first), (begin, begin + quarter), (n_records - quarter, n_records)]
    if n_records <= layout.data_at + n:
        wanted = [(0, n_records)]
    return first_rows(
        joined(list(_picked(layout, [*head, *filter(None, [middle]), *tail], wanted))), n
    )


def _picked(
    layout: _Layout, parts: Sequence[tuple[bytes, Records, int]], wanted: Sequence[tuple[int, int]]
) -> Iterator[Batch]:
    """Parse those records whose place in the file is wanted, each once and in order."""
    done = 0
    for begin, end in wanted:
        for data, records, n_before in parts:
            a, b = max(begin, done, n_before) - n_before, min(end - n_before, len(records))
            if a < b:
                yield _batch(layout, data, records.part(a, b), n_before + a)
        done = max(done, end)
