"""What every reader gives: batches of rows, each row with its number in the source, and the rows it refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyproj import CRS

from gisgrid.errors import InputError
from gisgrid.schema import Text

ROWS_AT_ONCE: Final = 65_536
"""How many rows a batch holds, about."""

LAYER_OPTION: Final = "layer= (--layer)"
"""How errors name the choice of a layer, sheet, list or table; a command whose option is called otherwise replaces it."""

_SHOWN: Final = 200
_TEXTS: Final = (pa.large_string(), pa.string_view(), pa.null())
_BYTES: Final = (pa.large_binary(), pa.binary_view())


class NoRowsError(InputError):
    """A source that is what it says it is, but holds no rows."""


@dataclass(frozen=True)
class Refused:
    """A record that could not become a row.

    Attributes
    ----------
    row
        Its number in the source.
    reason
        The code of the reason, for example ``too_few_fields``.
    text
        The record as it stands, its first 200 characters.
    """

    row: int
    reason: str
    text: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", self.text[:_SHOWN])


@dataclass(frozen=True)
class Batch:
    """Some rows of a source; every record of the source is in exactly one batch, as a row or as refused.

    Attributes
    ----------
    rows
        Shape (n,): the number of each row in the source. Delimited text: the record's number, blank lines counted, 1
        for the file's first; Excel: the sheet's row; all others: 1 for the first.
    table
        n rows, the columns of the source in their order. Delimited text, Excel, XML and JSON hold text only, as it
        stands; typed formats keep their types.
    wkb
        Shape (n,): the geometry as WKB, null where there is none; None for formats without geometry.
    refused
        The records that could not become rows.
    """

    rows: NDArray[np.int64]
    table: pa.Table
    wkb: pa.Array | None = None
    refused: tuple[Refused, ...] = ()

    @property
    def n_records(self) -> int:
        """How many records this is: the rows and the refused."""
        return len(self.rows) + len(self.refused)


@dataclass(frozen=True)
class Source:
    """A file, table or service of reports, opened: what it holds, and its rows batch by batch.

    Attributes
    ----------
    name
        What to call it in a sentence: the file's name, escaped where it is no text; never a password.
    format
        ``csv``, ``xlsx``, ``geojson``, ``open311``, …
    columns
        The columns, each name once.
    crs
        What the coordinates of `Batch.wkb` are, where the source says so.
    n_rows
        How many records there are, where that is known without reading them all again.
    notes
        What was found and decided: encoding, delimiter, sheet, header row, layer.
    stream, pick
        How the rows are read, and how a sample is; a reader's own.
    """

    name: str
    format: str
    columns: tuple[str, ...]
    crs: CRS | None
    n_rows: int | None
    notes: tuple[Text, ...]
    stream: Callable[[], Iterator[tuple[Batch, float]]] = field(repr=False, compare=False)
    pick: Callable[[int], Batch] | None = field(default=None, repr=False, compare=False)

    def batches(self) -> Iterator[tuple[Batch, float]]:
        """Give the rows batch by batch, from the start each time; memory stays bounded.

        Yields
        ------
        batch : Batch
            Some rows.
        share : float
            How much of the source is read so far, 0 to 1.
        """
        yield from self.stream()

    def sample(self, n: int = 20_000) -> Batch:
        """Give some rows to judge the whole by: of the head, and of the middle and the end where that is cheap.

        Parameters
        ----------
        n
            How many rows at most.

        Returns
        -------
        Batch
            The rows, in the order of the source; all of them where there are no more than `n`.
        """
        return (self.pick or self._head)(n)

    def _head(self, n: int) -> Batch:
        batches: list[Batch] = []
        for batch, _ in self.stream():
            batches.append(batch)
            if sum(len(one.rows) for one in batches) >= n:
                break
        return first_rows(joined(batches), n)


def joined(batches: Sequence[Batch]) -> Batch:
    """Join batches of one source into one.

    Parameters
    ----------
    batches
        At least one.

    Returns
    -------
    Batch
        All their rows and refusals, in their order.
    """
    wkb = [batch.wkb for batch in batches if batch.wkb is not None]
    return Batch(
        np.concatenate([batch.rows for batch in batches]),
        pa.concat_tables([batch.table for batch in batches], promote_options="permissive"),
        pa.concat_arrays(wkb) if wkb else None,
        tuple(one for batch in batches for one in batch.refused),
    )


def first_rows(batch: Batch, n: int) -> Batch:
    """Keep the first rows of a batch.

    Parameters
    ----------
    batch
        Any batch.
    n
        How many rows at most.

    Returns
    -------
    Batch
        `batch` itself where it has no more.
    """
    if len(batch.rows) <= n:
        return batch
    last = batch.rows[n - 1] if n else 0
    return Batch(
        batch.rows[:n],
        batch.table.slice(0, n),
        None if batch.wkb is None else batch.wkb.slice(0, n),
        tuple(one for one in batch.refused if one.row <= last),
    )


def no_text_columns(columns: Sequence[str], n: int = 0) -> pa.Table:
    """Give a table of text columns that hold nothing.

    Parameters
    ----------
    columns
        Their names.
    n
        How many rows.

    Returns
    -------
    Table
        Shape (n, columns), all null.
    """
    return pa.table({name: pa.nulls(n, pa.string()) for name in columns})


def plain_types(table: pa.Table) -> pa.Table:
    """Bring a typed table to types that everybody reads: no dictionaries, no large or nested types.

    Parameters
    ----------
    table
        Any table.

    Returns
    -------
    Table
        The same columns; lists and structures become JSON text.
    """
    return pa.table(
        [_plain(column) for column in table.columns],
        names=table.column_names,
    )


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        return _plain(
            pa.chunked_array([chunk.storage for chunk in column.chunks], kind.storage_type)
        )
    if pa.types.is_dictionary(kind):
        return _plain(column.cast(kind.value_type))
    if pa.types.is_nested(kind):
        return pa.chunked_array([_json_text(column)])
    whole = pa.types.is_decimal(kind) and kind.scale == 0
    if whole or kind in _TEXTS:
        return column.cast(pa.string())
    return column.cast(pa.binary()) if kind in _BYTES else column


def _json_text(column: pa.ChunkedArray) -> pa.Array:
    import json  # noqa: PLC0415 - few files have nested columns

    return pa.array(
        [
            None if value is None else json.dumps(value, ensure_ascii=False, default=str)
            for value in column.to_pylist()
        ],
        pa.string(),
    )


def column_names(header: Sequence[str]) -> tuple[str, ...]:
    """Name every column once: an empty name by its place, a second one of the same name with ``.2``.

    Parameters
    ----------
    header
        The names as they stand.

    Returns
    -------
    tuple of str
        As many names, each once.

    Examples
    --------
    >>> column_names(["a", "a", " ", "a.2"])
    ('a', 'a.2', 'column_3', 'a.2.2')
    """
    names: dict[str, None] = {}
    for at, text in enumerate(header, start=1):
        base = " ".join(text.split()) or f"column_{at}"
        name, n = base, 1
        while name in names:
            n += 1
            name = f"{base}.{n}"
        names[name] = None
    return tuple(names)


def shown_name(path: Path | str) -> str:
    r"""Give a file's name for a sentence: what is no text is escaped, so is what moves a terminal's cursor.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    str
        Its last part.

    Examples
    --------
    >>> shown_name("in/\udcb0a\n.csv"), shown_name("案件.csv")
    ('\\udcb0a\\n.csv', '案件.csv')
    """
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode("ascii")
        for one in Path(path).name
    )
