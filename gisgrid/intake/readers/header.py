"""Which row names the columns: title rows above it are skipped, and a table without a header is told."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from gisgrid.schema import Text

_DATA = re.compile(r"[+-]?\d+\.\d+|\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}.*|\d{1,2}/\d{1,2}/\d{4}.*")
_WHOLE = re.compile(r"[+-]?\d+")


@dataclass(frozen=True)
class Header:
    """Where the header is among the first rows.

    Attributes
    ----------
    at
        Which of the rows names the columns; None where none does.
    data_at
        Which is the first row of data.
    names
        As they stand.
    """

    at: int | None
    data_at: int
    names: tuple[str, ...]

    @property
    def notes(self) -> tuple[Text, ...]:
        """What to say of it."""
        if self.at is None:
            return (
                Text(
                    zh="没有表头，列按位置命名", en="there is no header; columns are named by place"
                ),
            )
        if self.at:
            return (
                Text(
                    zh=f"跳过表头上方的 {self.at} 行标题",
                    en=f"{self.at} title rows above the header are skipped",
                ),
            )
        return ()


def find_header(rows: Sequence[Sequence[str]]) -> Header:
    """Find the row that names the columns among the first rows of a table.

    Parameters
    ----------
    rows
        The first rows, cells as text; a blank cell is ''.

    Returns
    -------
    Header
        The first row that fills its columns as the rows below do and holds no decimal number, no date, and not numbers
        alone. Rows above it that fill few columns, from the left, are titles.

    Examples
    --------
    >>> find_header([["2026年3月案件", "", ""], ["编号", "经度", "纬度"], ["A1", "113.2", "35.2"]]).at
    1
    >>> find_header([["1", "42.1", "-75.9"], ["2", "42.2", "-75.8"]]).at is None
    True
    """
    filled = [sum(1 for cell in row if cell.strip()) for row in rows]
    usual = median(n for n in filled if n) if any(filled) else 0
    for at, row in enumerate(rows):
        if not filled[at] or _is_title(row, filled[at], usual):
            continue
        names = tuple(cell.strip() for cell in row)
        if _is_data(names):
            return Header(None, at, ("",) * len(row))
        return Header(at, at + 1, names)
    return Header(0, 1, tuple(cell.strip() for cell in rows[0]) if rows else ())


def _is_title(row: Sequence[str], n_filled: int, usual: float) -> bool:
    if n_filled > 0.5 * usual:
        return False
    return bool(row[0].strip()) or n_filled <= 0.34 * usual


def _is_data(cells: Sequence[str]) -> bool:
    kept = [cell for cell in cells if cell]
    return any(_DATA.fullmatch(cell) for cell in kept) or all(
        _WHOLE.fullmatch(cell) for cell in kept
    )


def names_again(fields: Sequence[str], names: Sequence[str]) -> bool:
    """Tell whether a row says the columns' names again, some perhaps left empty or spelt with other spaces.

    Parameters
    ----------
    fields
        The row.
    names
        The header as it stands.

    Returns
    -------
    bool
        True where every field that is filled says its column's name, and at least two do.

    Examples
    --------
    >>> names_again(["CASE_ID", "", "STREET NAME"], ["Case ID", "n", "Street Name"])
    True
    """
    n_named = 0
    for field, name in zip(fields, names, strict=False):
        if field.strip():
            if _letters(field) != _letters(name) or not _letters(name):
                return False
            n_named += 1
    return n_named >= min(2, len(names))


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text)).casefold()
