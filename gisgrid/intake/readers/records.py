"""Where does each record of a delimited text begin and end, and is it whole: one pass over the bytes, compiled.

A quote opens a quoted field only at the field's start, and closes it only before a delimiter, a line end or spaces;
two quotes inside are one. A record that breaks this (a quote that nothing closes) ends at its own line, so that it
does not swallow the lines below it. Line ends are LF, CR LF or CR.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gisgrid.compiled import compiled
from gisgrid.errors import InputError

MAX_RECORD: Final = 16 << 20
"""How many bytes a record may have (16 MB): more is no record but a damaged file."""

WHOLE, BLANK, BAD_QUOTES, EMPTY, HEADER, DAMAGED = range(6)
"""What a record is: whole; a blank line; its quotes do not pair; fields with nothing in them; perhaps the header
again; with characters that could not be read."""

_QUOTE, _LF, _CR, _SPACE = 34, 10, 13, 32


@dataclass(frozen=True)
class Records:
    """The records of a block of text.

    Attributes
    ----------
    first, end
        Shape (n,): the bytes of each record, without its line end.
    after
        Shape (n,): where the next one begins.
    n_fields
        Shape (n,).
    state
        Shape (n,): `WHOLE` and so on.
    spans_lines
        Whether a quoted field holds a line end.
    """

    first: NDArray[np.int64]
    end: NDArray[np.int64]
    after: NDArray[np.int64]
    n_fields: NDArray[np.int32]
    state: NDArray[np.uint8]
    spans_lines: bool

    def __len__(self) -> int:
        """How many there are."""
        return len(self.first)

    def part(self, begin: int, end: int) -> Records:
        """Give some of the records.

        Parameters
        ----------
        begin, end
            The first, and the one after the last.

        Returns
        -------
        Records
            Views, not copies.
        """
        span = slice(begin, end)
        return Records(
            self.first[span], self.end[span], self.after[span], self.n_fields[span], self.state[span],
            self.spans_lines,
        )  # fmt: skip

    @property
    def consumed(self) -> int:
        """Where the bytes begin that belong to no record yet."""
        return int(self.after[-1]) if len(self) else 0


@dataclass(frozen=True)
class Letters:
    """The header's names by their letters and digits alone, to find it again among the rows.

    Attributes
    ----------
    data, first
        The letters of all names in a row (UTF-8, ASCII in lower case), and where each name's begin.
    """

    data: NDArray[np.uint8]
    first: NDArray[np.int64]

    @classmethod
    def of(cls, names: Sequence[str]) -> Letters:
        """Take the letters of a header.

        Parameters
        ----------
        names
            The header's fields.

        Returns
        -------
        Letters
            Ready for `find_records`.
        """
        parts = [
            bytes(byte for byte in name.encode().lower() if _is_letter_py(byte)) for name in names
        ]
        ends = np.cumsum([0, *map(len, parts)], dtype=np.int64)
        return cls(np.frombuffer(b"".join(parts), np.uint8), ends)


def find_records(
    data: bytes,
    *,
    delimiter: int,
    header: Letters,
    at_end: bool,
    name: str,
    n_before: int,
    damaged: bool = False,
) -> Records:
    """Find the records of a block that begins with a record.

    Parameters
    ----------
    data
        UTF-8.
    delimiter
        The byte between two fields.
    header
        The header's letters.
    at_end
        Whether the text ends here; otherwise the last record, if it may go on, is left for the next block.
    name
        What to call the file.
    n_before
        How many records there were before.
    damaged
        Whether to look for U+FFFD, which stands for what could not be read.

    Returns
    -------
    Records
        One after the other.

    Raises
    ------
    InputError
        A record is longer than `MAX_RECORD`.
    """
    view = np.frombuffer(data, np.uint8)
    most = data.count(b"\n") + data.count(b"\r") + 1
    numbers = np.empty((4, most), np.int64)
    state = np.empty(most, np.uint8)
    n, spans, too_long = _scan(
        view, delimiter, at_end, MAX_RECORD, header.data, header.first, damaged, numbers, state
    )
    if too_long:
        raise InputError(
            f"record {n_before + n + 1} of {name!r} is longer than {MAX_RECORD >> 20} MB, as no record is; check that the "
            "file has line breaks and that its quotes pair"
        )
    first, end, after, fields = (row[:n] for row in numbers)
    return Records(first, end, after, fields.astype(np.int32), state[:n], bool(spans))


def fields_of(record: str, delimiter: str) -> list[str]:
    """Split one record as the whole file is split.

    Parameters
    ----------
    record
        Its text.
    delimiter
        The character between two fields.

    Returns
    -------
    list of str
        Its fields; the raw pieces where its quotes do not pair.
    """
    try:
        for row in csv.reader([record], delimiter=delimiter, strict=False):
            return row
    except csv.Error:
        return record.split(delimiter)
    return [record] if record else []


@compiled
def _is_letter(byte: int) -> bool:
    return byte >= 128 or 48 <= byte <= 57 or 65 <= byte <= 90 or 97 <= byte <= 122


def _is_letter_py(byte: int) -> bool:
    return bool(_is_letter(byte))


@compiled
def _names_header(  # noqa: PLR0917 - compiled code takes plain arguments
    data: NDArray[np.uint8],
    begin: int,
    end: int,
    field: int,
    letters: NDArray[np.uint8],
    first: NDArray[np.int64],
) -> bool:
    """Tell whether a field says the name of its column."""
    if field + 1 >= len(first) or first[field] == first[field + 1]:
        return False
    at = first[field]
    for i in range(begin, end):
        byte = data[i]
        if not _is_letter(byte):
            continue
        if 65 <= byte <= 90:
            byte += 32
        if at >= first[field + 1] or letters[at] != byte:
            return False
        at += 1
    return bool(at == first[field + 1])


@compiled
def _quoted_end(data: NDArray[np.uint8], at: int, n: int) -> int:
    """Give the place after the quote that closes the field opened before `at`, or -1 where none does."""
    while at < n:
        if data[at] == _QUOTE:
            if at + 1 < n and data[at + 1] == _QUOTE:
                at += 2
                continue
            return at + 1
        at += 1
    return -1


@compiled
def _line_end(data: NDArray[np.uint8], at: int, n: int) -> int:
    while at < n and data[at] != _LF and data[at] != _CR:
        at += 1
    return at


@compiled
def _has_damage(data: NDArray[np.uint8], at: int, end: int) -> bool:
    for i in range(at, end - 2):
        if data[i] == 0xEF and data[i + 1] == 0xBF and data[i + 2] == 0xBD:
            return True
    return False


@compiled
def _scan(  # noqa: C901, PLR0912, PLR0915, PLR0917 - one loop over the bytes, compiled as a whole
    data: NDArray[np.uint8],
    delimiter: int,
    at_end: bool,  # noqa: FBT001
    longest: int,
    letters: NDArray[np.uint8],
    first: NDArray[np.int64],
    damaged: bool,  # noqa: FBT001
    numbers: NDArray[np.int64],
    state: NDArray[np.uint8],
) -> tuple[int, bool, bool]:
    """Fill (first, end, after, n_fields) and state; give the count, whether lines are spanned, whether one is too long."""
    n, count, at, spans = len(data), 0, 0, False
    while at < n:
        begin, fields, bad, filled, named, line_in = at, 1, False, False, False, False
        goes_on = False
        while True:
            start = at
            if at < n and data[at] == _QUOTE:
                close = _quoted_end(data, at + 1, n)
                if close < 0 or (close == n and not at_end):
                    bad, goes_on = True, not at_end and n - begin <= longest
                    break
                line_in = line_in or _line_end(data, at, close) < close
                inside = close - at > 2
                at = close
                while at < n and data[at] == _SPACE and delimiter != _SPACE:
                    at += 1
                if at < n and data[at] != delimiter and data[at] != _LF and data[at] != _CR:
                    bad = True
                    break
            else:
                inside = False
                while at < n and data[at] != delimiter and data[at] != _LF and data[at] != _CR:
                    inside = inside or data[at] != _SPACE
                    at += 1
            if inside and not filled:
                filled = True
                named = _names_header(data, start, at, fields - 1, letters, first)
            if at < n and data[at] == delimiter:
                fields += 1
                at += 1
                continue
            goes_on = not at_end and (at >= n or (data[at] == _CR and at + 1 >= n))
            break
        if goes_on:
            return count, spans, n - begin > longest
        if bad:
            at, fields = _line_end(data, begin, n), 0
        if at - begin > longest:
            return count, spans, True
        after = at + 1
        if at < n and data[at] == _CR and at + 1 < n and data[at + 1] == _LF:
            after = at + 2
        numbers[0, count], numbers[1, count] = begin, at
        numbers[2, count], numbers[3, count] = min(after, n), fields
        if bad:
            state[count] = BAD_QUOTES
        elif at == begin:
            state[count] = BLANK
        elif not filled:
            state[count] = EMPTY
        elif damaged and _has_damage(data, begin, at):
            state[count] = DAMAGED
        else:
            state[count] = HEADER if named else WHOLE
            spans = spans or line_in
        count, at = count + 1, min(after, n)
    return count, spans, False
