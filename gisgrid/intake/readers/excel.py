"""Workbooks (.xlsx, .xls, .xlsb, .ods): title rows skipped, merged cells filled, every cell as the text it means."""

from __future__ import annotations

import datetime as dt
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

import numpy as np
import pyarrow as pa
from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetVisibleEnum,
)

from gisgrid.errors import InputError, did_you_mean
from gisgrid.files import first_line
from gisgrid.intake.readers.batch import (
    LAYER_OPTION,
    ROWS_AT_ONCE,
    Batch,
    Refused,
    Source,
    column_names,
)
from gisgrid.intake.readers.header import find_header, names_again
from gisgrid.intake.readers.packed import Content, check_size, members, unreadable_archive
from gisgrid.schema import Text

MAX_WORKBOOK: Final = 1 << 30
"""How many bytes a workbook may unpack to (1 GB): it is held whole."""

_ROWS_LOOKED_AT: Final = 200
_ROWS_TYPED: Final = 20_000
_PADDED: Final = re.compile(rb'formatCode="0{2,}"')
_SECOND: Final = dt.timedelta(seconds=1)


@dataclass(frozen=True)
class _Sheet:
    """A sheet, and where its table lies in it.

    `left` is the sheet's column of the first column, `first` the sheet's row (0 is the first) where data begin; `fill`
    has the merged ranges below it; `with_time` tells the columns of dates in which some cell has a time of day.
    """

    name: str
    sheet: CalamineSheet
    left: int
    first: int
    names: tuple[str, ...]
    columns: tuple[str, ...]
    fill: tuple[tuple[int, int, int, int], ...]
    with_time: frozenset[int]


def open_excel(content: Content, *, layer: str | None) -> Source:
    """Open a sheet of a workbook.

    Parameters
    ----------
    content
        The file.
    layer
        The sheet; needed where several visible ones hold something.

    Returns
    -------
    Source
        Text columns: whole numbers without ``.0``, dates in ISO 8601, what a formula gave when the workbook was saved.
        Rows bear the sheet's numbers; rows with nothing in them are no rows.

    Raises
    ------
    InputError
        Damaged, locked, no such sheet, several sheets and none chosen, or nothing in it.
    """
    padded = _check_package(content) if zipfile.is_zipfile(content.path) else False
    try:
        with content.path.open("rb") as raw:
            workbook = CalamineWorkbook.from_filelike(raw)
        name = _choose(workbook, content.name, layer)
        sheet = workbook.get_sheet_by_name(name)
        found, notes = _table(sheet, name, content.name)
    except PasswordError as error:
        raise InputError(
            f"{content.name!r} is locked with a password; save it without one"
        ) from error
    except (CalamineError, OSError) as error:
        raise InputError(
            f"{content.name!r} cannot be read as a workbook ({first_line(error)}); open it in a spreadsheet and save it "
            "as .xlsx"
        ) from error
    if padded:
        notes = (
            *notes,
            Text(
                zh="表中有数字用 0 补齐显示，补的 0 并不在数据里；若是编码请核对位数",
                en="some numbers are shown padded with zeros that are not in the data; if they are codes, check their length",
            ),
        )
    suffix = content.path.suffix.lower().lstrip(".")
    return Source(
        name=content.name,
        format=suffix if suffix in {"xlsx", "xls", "xlsb", "xlsm", "ods"} else "xlsx",
        columns=found.columns,
        crs=None,
        n_rows=None,
        notes=notes,
        stream=lambda: _batches(found),
    )


def _check_package(content: Content) -> bool:
    """Refuse what unpacks without end or is damaged; tell whether numbers are shown padded with zeros."""
    found = members(content.path)
    packed = content.path.stat().st_size
    check_size(content.name, sum(one.file_size for one in found), packed, most=MAX_WORKBOOK)
    padded = False
    try:
        with zipfile.ZipFile(content.path) as archive:
            for one in found:
                with archive.open(one) as part:
                    if one.filename.endswith("styles.xml"):
                        padded = _PADDED.search(part.read(1 << 24)) is not None
                    while part.read(1 << 20):  # the checksum of every part is tested at its end
                        pass
    except RuntimeError as error:
        raise InputError(
            f"{content.name!r} is locked with a password; save it without one"
        ) from error
    except (OSError, EOFError, zipfile.BadZipFile, NotImplementedError) as error:
        raise unreadable_archive(content.name, error) from error
    return padded


def _choose(workbook: CalamineWorkbook, name: str, layer: str | None) -> str:
    """Choose the sheet: the one asked for, or the only visible one with something in it."""
    if layer is not None:
        if layer not in workbook.sheet_names:
            raise InputError(
                f"no sheet {layer!r} in {name!r}{did_you_mean(layer, workbook.sheet_names)}"
            )
        return layer
    visible = [
        one.name for one in workbook.sheets_metadata if one.visible == SheetVisibleEnum.Visible
    ]
    filled = [one for one in visible if workbook.get_sheet_by_name(one).end is not None]
    if not filled:
        raise InputError(
            f"{name!r} has no sheet with anything in it; check that the export finished"
        )
    if len(filled) > 1:
        raise InputError(
            f"{name!r} has {len(filled)} sheets ({', '.join(filled)}); choose one with {LAYER_OPTION}"
        )
    return filled[0]


def _table(sheet: CalamineSheet, name: str, book: str) -> tuple[_Sheet, tuple[Text, ...]]:
    """Find the table in a sheet."""
    if sheet.start is None:
        raise InputError(f"sheet {name!r} of {book!r} is empty; choose another with {LAYER_OPTION}")
    left = int(sheet.start[1])
    merged = tuple((a, b - left, c, d - left) for (a, b), (c, d) in sheet.merged_cell_ranges or ())
    raw = [list(row) for row in islice(sheet.iter_rows(), _ROWS_TYPED)]
    top = raw[:_ROWS_LOOKED_AT]
    header = find_header([[_text(cell) for cell in row] for row in top])
    names, first = header.names, header.data_at
    if header.at is not None:
        deep = [c for a, _, c, _ in merged if a == header.at and c > a]
        first = max([header.at, *deep]) + 1
        names = _header_names(top, header.at, first, merged)
    columns = column_names(names)
    with_time = frozenset(
        at for row in raw[first:] for at, cell in enumerate(row) if type(cell) is dt.datetime
    )
    dates = with_time | {
        at for row in raw[first:] for at, cell in enumerate(row) if type(cell) is dt.date
    }
    fill = tuple(one for one in merged if one[2] >= first)
    found = _Sheet(name, sheet, left, first, names, columns, fill, with_time)
    if not any(len(batch.rows) for batch, _ in _batches(found)):
        raise InputError(
            f"sheet {name!r} of {book!r} has a header ({len(columns)} columns) but no rows; check that the export finished"
        )
    notes = [Text(zh=f"工作表 {name!r}", en=f"sheet {name!r}"), *header.notes]
    if fill:
        notes.append(
            Text(
                zh=f"{len(fill)} 处合并单元格按其首格填充",
                en=f"{len(fill)} merged ranges are filled with their first cell",
            )
        )
    if dates:
        listed = ", ".join(repr(columns[at]) for at in sorted(dates) if at < len(columns))
        notes.append(
            Text(
                zh=f"{listed} 的日期由序列值读出",
                en=f"dates in {listed} are read from serial numbers",
            )
        )
    return found, tuple(notes)


def _header_names(
    top: Sequence[Sequence[object]],
    at: int,
    first: int,
    merged: Sequence[tuple[int, int, int, int]],
) -> tuple[str, ...]:
    """Name the columns by a header of one or more rows: the lowest name, with the upper ones where that is not enough."""
    rows = [[_text(cell).strip() for cell in row] for row in top[at:first]]
    for a, b, c, d in merged:
        if at <= a < first:
            for row in range(a - at, min(c, first - 1) - at + 1):
                for column in range(b, d + 1):
                    rows[row][column] = rows[a - at][b]
    stacks = [
        list(dict.fromkeys(cell for cell in column if cell)) for column in zip(*rows, strict=True)
    ]
    lowest = [stack[-1] if stack else "" for stack in stacks]
    return tuple(
        name if lowest.count(name) == 1 else " ".join(stack)
        for name, stack in zip(lowest, stacks, strict=True)
    )


def _batches(found: _Sheet) -> Iterator[tuple[Batch, float]]:
    n_all = max(1, int(found.sheet.end[0]) + 1 if found.sheet.end else 1)
    rows = found.sheet.iter_rows()
    at = 0
    for _ in islice(rows, found.first):
        at += 1
    carried: dict[tuple[int, int, int, int], object] = {}
    while chunk := [list[object](row) for row in islice(rows, ROWS_AT_ONCE)]:
        _filled(chunk, at, found.fill, carried)
        batch = _batch(found, chunk, at)
        at += len(chunk)
        if batch.n_records:
            yield batch, min(1.0, at / n_all)


def _filled(
    chunk: list[list[object]],
    at: int,
    fill: Sequence[tuple[int, int, int, int]],
    carried: dict[tuple[int, int, int, int], object],
) -> None:
    """Write the first cell of every merged range into its others."""
    for one in fill:
        a, b, c, d = one
        if c < at or a >= at + len(chunk):
            continue
        if a >= at:
            carried[one] = chunk[a - at][b] if b < len(chunk[a - at]) else ""
        for row in chunk[max(a, at) - at : c - at + 1]:
            row[b : d + 1] = [carried.get(one, "")] * len(row[b : d + 1])


def _batch(found: _Sheet, chunk: list[list[object]], at: int) -> Batch:
    texts = [
        [
            cell if type(cell) is str else _text(cell, with_time=column in found.with_time)
            for cell in cells
        ]
        for column, cells in enumerate(zip(*chunk, strict=True))
    ]
    table = pa.table([pa.array(column, pa.string()) for column in texts], names=list(found.columns))
    filled = np.array([any(cell not in {"", None} for cell in row) for row in chunk], dtype=bool)
    refused: list[Refused] = []
    named = [(name, column) for name, column in zip(found.names, texts, strict=True) if name][:5]
    candidates = {n for name, column in named for n, cell in enumerate(column) if cell == name}
    for n in sorted(candidates):
        row = [column[n] for column in texts]
        if names_again(row, found.names):
            filled[n] = False
            refused.append(Refused(at + n + 1, "repeated_header", ", ".join(row)))
    rows = np.arange(at + 1, at + len(chunk) + 1, dtype=np.int64)
    return Batch(rows[filled], table.filter(pa.array(filled)), None, tuple(refused))


def _text(cell: object, *, with_time: bool = False) -> str:
    """Write a cell as the text it means."""
    write = _WRITERS.get(type(cell))
    if write is None:
        return str(cell) if cell is not None else ""
    text = write(cell)
    return f"{text} 00:00:00" if with_time and type(cell) is dt.date else text


def _number(value: float) -> str:
    """Write a number without losing or inventing digits."""
    return f"{value:.0f}" if value.is_integer() else repr(value)


def _moment(value: dt.datetime) -> str:
    """Write a time to the second where the rest is only what a serial number cannot hold."""
    rounded = (value + _SECOND / 2).replace(microsecond=0)
    if abs(rounded - value) < dt.timedelta(milliseconds=2):
        value = rounded
    return value.isoformat(sep=" ", timespec="auto")


def _clock(value: dt.timedelta) -> str:
    seconds = round(value.total_seconds())
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


_WRITERS: Final[dict[type, Callable[..., str]]] = {
    str: str,
    float: _number,
    int: str,
    bool: lambda value: str(value).upper(),
    dt.datetime: _moment,
    dt.date: dt.date.isoformat,
    dt.time: lambda value: value.isoformat(timespec="seconds"),
    dt.timedelta: _clock,
}
