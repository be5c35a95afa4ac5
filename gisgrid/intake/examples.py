"""Which rows show a problem, without showing a person? The first few of each kind, with personal data masked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import pyarrow as pa

from gisgrid.intake.ingestion import Example

N_EXAMPLES: Final = 10
"""How many rows show a problem."""

_N_COLUMNS: Final = 10
_LONGEST: Final = 120
_PERSON: Final = re.compile(
    r"姓名|联系人|举报人|投诉人|反映人|来电人|报案人|电话|手机|身份证|证件|住址|邮箱|微信|车牌"
    r"|phone|mobile|e-?mail|contact|caller|complainant|first.?name|last.?name|full.?name|passport",
    re.IGNORECASE,
)
"""Headers of columns that are personal as a whole."""
_MASKED: Final = "***"
_MASKS: Final = (
    (re.compile(r"(?<!\d)(\d{3})\d{11}(\d{3}[\dXx])(?!\d)"), r"\1***********\2"),  # identity cards
    (re.compile(r"(?<!\d)((?:\+?86[- ]?)?1[3-9]\d)[- ]?\d{4}[- ]?(\d{4})(?!\d)"), r"\1****\2"),  # mobile phones
    (re.compile(r"(?<!\d)(0\d{2,3}[- ]?)\d{4,5}(\d{3})(?!\d)"), r"\1****\2"),  # telephones
    (re.compile(r"(?<!\d)(\(?\d{3}\)?[- .])\d{3}[- .](\d{4})(?!\d)"), r"\1***-\2"),  # telephones of North America
    (re.compile(r"[\w.+-]+@([\w-]+\.[\w.-]+)"), r"***@\1"),
)  # fmt: skip
_NOT_PERSONAL: Final = frozenset(
    {"issue_id", "lon", "lat", "x", "y", "lonlat", "geometry", "reported_at", "uploaded_at", "closed_at", "category_code", "grid_code"}
)  # fmt: skip
"""Roles whose values are what they are: a case's number may well look like a telephone's."""


def masked(text: str) -> str:
    """Mask telephone numbers, identity card numbers and mail addresses in free text.

    Parameters
    ----------
    text
        What somebody wrote.

    Returns
    -------
    str
        The same with digits starred out.

    Examples
    --------
    >>> masked("请回电 13812345678"), masked("140802199001011234")
    ('请回电 138****5678', '140***********1234')
    """
    for pattern, replacement in _MASKS:
        text = pattern.sub(replacement, text)
    return text


def is_personal(header: str) -> bool:
    """Tell whether a column is about a person as a whole.

    Parameters
    ----------
    header
        Its name.

    Returns
    -------
    bool
        True for names, telephones, identity cards and the like.

    Examples
    --------
    >>> is_personal("联系电话"), is_personal("问题描述")
    (True, False)
    """
    return _PERSON.search(header) is not None


class Examples:
    """The first rows of each problem, collected as the rows come by."""

    def __init__(self) -> None:
        self._found: dict[str, list[Example]] = {}

    def wanted(self, code: str) -> int:
        """Say how many more rows shall show a problem.

        Parameters
        ----------
        code
            The problem.

        Returns
        -------
        int
            0 when there are enough.
        """
        return N_EXAMPLES - len(self._found.get(code, ()))

    def add(
        self, code: str, file: str, rows: Iterable[int], table: pa.Table, roles: Mapping[str, str]
    ) -> None:
        """Add rows that show a problem.

        Parameters
        ----------
        code
            The problem.
        file
            The file they are in.
        rows
            Their numbers in the file.
        table
            The rows, as many as `rows`.
        roles
            What the file's columns mean: role to column.
        """
        shown = shown_columns(table.column_names, roles)
        free = {column for role, column in roles.items() if role in _NOT_PERSONAL}
        columns = {
            name: [_cell(value, name, is_free=name in free) for value in table[name].to_pylist()]
            for name in shown
        }
        into = self._found.setdefault(code, [])
        for at, row in enumerate(rows):
            into.append(
                Example(file, int(row), {name: cells[at] for name, cells in columns.items()})
            )

    def add_text(self, code: str, file: str, row: int, text: str) -> None:
        """Add a record that could not become a row.

        Parameters
        ----------
        code
            The problem.
        file
            The file it is in.
        row
            Its number in the file.
        text
            The record as it stands.
        """
        self._found.setdefault(code, []).append(Example(file, row, {"…": masked(text[:_LONGEST])}))

    def of(self, code: str) -> tuple[Example, ...]:
        """Give the rows that show a problem.

        Parameters
        ----------
        code
            The problem.

        Returns
        -------
        tuple of Example
            At most `N_EXAMPLES`.
        """
        return tuple(self._found.get(code, ())[:N_EXAMPLES])


def shown_columns(columns: Sequence[str], roles: Mapping[str, str]) -> list[str]:
    """Choose which columns of a row to show: those with a meaning first.

    Parameters
    ----------
    columns
        The file's columns.
    roles
        What they mean: role to column.

    Returns
    -------
    list of str
        Ten at most.
    """
    known = [column for column in dict.fromkeys(roles.values()) if column in columns]
    return [*known, *(column for column in columns if column not in known)][:_N_COLUMNS]


def _cell(value: object, column: str, *, is_free: bool) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    text = " ".join(str(value).split())[:_LONGEST]
    if is_free:
        return text
    return _MASKED if is_personal(column) else masked(text)
