"""What does a command say, write and record when it is done?"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import geopandas as gpd
import pandas as pd
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gisgrid.catalogue.provenance import versions
from gisgrid.cli import bars, endings
from gisgrid.cli.inputs import Inputs
from gisgrid.errors import OutputError
from gisgrid.files import FRAME_SUFFIXES, require_folder, whole_file, write_frame, write_table
from gisgrid.schema import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gisgrid.progress import Progress

Language = Literal["zh", "en"]

TABLE_SUFFIXES: Final = (".csv", ".parquet")
_N_FIRST: Final = 10
_NAMES: Final = frozenset({"zh", "en"})
"""Columns of names: people see the one in their language."""
_STEPS: Final[dict[Language, dict[str, str]]] = {
    "zh": {"reading": "读取", "patches": "连片", "working": "计算", "network": "路网", "writing": "写入"},
    "en": {"reading": "reading", "patches": "joining cells", "working": "calculating", "network": "laying out the streets",
           "writing": "writing"},
}  # fmt: skip


@dataclass(frozen=True)
class Number:
    """A number of the summary: its name for programs, its words, its value and how it is printed."""

    name: str
    words: Text
    value: float | str | None
    form: str = ",.0f"


@dataclass(frozen=True)
class Column:
    """A column of a listing: its name in the table, its words, how it is printed (text where empty)."""

    name: str
    words: Text
    form: str = ""


@dataclass(frozen=True, eq=False)
class Listing:
    """A table of the summary; people see its first rows, programs all of them."""

    name: str
    title: Text
    rows: pd.DataFrame
    columns: tuple[Column, ...]


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came of a command.

    Attributes
    ----------
    command
        For example ``zones degurba``.
    title
        What was made.
    numbers, listings
        The summary.
    notes
        What was decided on the way.
    files
        What was written, the record last.
    """

    command: str
    title: Text
    numbers: tuple[Number, ...]
    listings: tuple[Listing, ...]
    notes: tuple[Text, ...]
    files: tuple[Path, ...]


def require_output(path: Path, suffixes: Sequence[str] = (*FRAME_SUFFIXES, ".csv")) -> None:
    """Refuse what could not be written before anything is read.

    Parameters
    ----------
    path
        Where the result goes.
    suffixes
        What can be written.

    Raises
    ------
    OutputError
        Another suffix, or no such folder.
    """
    require_folder(path)
    if path.suffix not in suffixes:
        raise OutputError(
            f"{path.name!r} ends in {path.suffix!r}, which is not written; choose one of {', '.join(suffixes)}"
        )


def working(command: str, language: Language) -> AbstractContextManager[Progress]:
    """Show how far a command is, in the user's language.

    Parameters
    ----------
    command
        Its name.
    language
        The language.

    Returns
    -------
    context manager
        Gives the progress to tell.
    """

    @contextmanager
    def shown() -> Iterator[Progress]:
        with bars.shares(command) as progress:
            yield bars.named(progress, _STEPS[language])

    return shown()


def write(
    made: Mapping[Path, pd.DataFrame],
    *,
    command: str,
    title: Text,
    inputs: Inputs,
    options: Mapping[str, Any],
    numbers: Sequence[Number] = (),
    listings: Sequence[Listing] = (),
    written: Sequence[Path] = (),
) -> Outcome:
    """Write what a command made, and beside the first file how it was made.

    Parameters
    ----------
    made
        Tables and layers by their path; in CSV a layer has no shapes.
    command, title
        What made it, and what it is.
    inputs
        What was read.
    options
        What was asked for.
    numbers, listings
        The summary.
    written
        Files that are written already; the record stands beside the first of all.

    Returns
    -------
    Outcome
        To be shown.

    Raises
    ------
    OutputError
        The folder cannot be written.
    """
    for path, value in made.items():
        if isinstance(value, gpd.GeoDataFrame) and path.suffix != ".csv":
            write_frame(value, path)
        else:
            write_table(pd.DataFrame(value.drop(columns="geometry", errors="ignore")), path)
    files = [*written, *made]
    record = files[0].with_name(f"{files[0].name}.provenance.json")
    outcome = Outcome(
        command, title, tuple(numbers), tuple(listings), tuple(inputs.notes), (*files, record)
    )
    said = {
        "made_by": f"gisgrid {command}",
        "options": {name: _said(value) for name, value in options.items() if value not in (None, (), False)},
        "inputs": inputs.files,
        **{name: value for name, value in plain(outcome).items() if name != "files"},
        "files": [path.name for path in files],
        "versions": versions(),
    }  # fmt: skip
    with whole_file(record) as draft:
        draft.write_text(json.dumps(said, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return outcome


def with_columns(frame: gpd.GeoDataFrame, found: pd.DataFrame) -> gpd.GeoDataFrame:
    """Put what was found behind a layer's columns; columns of the same name give way.

    Parameters
    ----------
    frame
        The layer.
    found
        Indexed like it.

    Returns
    -------
    GeoDataFrame
        The columns of both, the shapes last.
    """
    names = [
        str(name)
        for name in frame.columns
        if name != frame.geometry.name and str(name) not in map(str, found.columns)
    ]
    joined = pd.DataFrame(frame[names]).join(found)
    joined.columns = [str(name) for name in joined.columns]
    return gpd.GeoDataFrame(joined, geometry=frame.geometry.array, crs=frame.crs)


def plain(outcome: Outcome) -> dict[str, Any]:
    """Give what came of a command for a program.

    Parameters
    ----------
    outcome
        What came of it.

    Returns
    -------
    dict
        Numbers by name, listings as lists of rows, notes and files.
    """
    return {
        **{number.name: _known(number.value) for number in outcome.numbers},
        **{
            listing.name: [
                {column.name: _known(row[column.name]) for column in listing.columns}
                for row in listing.rows.to_dict("records")
            ]
            for listing in outcome.listings
        },
        **endings.plain(outcome.notes, outcome.files),
    }


def finish(outcome: Outcome, *, language: Language, as_json: bool) -> None:
    """Print what came of a command.

    Parameters
    ----------
    outcome
        What came of it.
    language
        The language to say it in.
    as_json
        For a program.
    """
    if as_json:
        typer.echo(json.dumps(plain(outcome), ensure_ascii=False, indent=1))
        return
    console = Console()
    console.print(getattr(outcome.title, language), style="bold")
    table = Table(show_header=False, box=None)
    table.add_column()
    table.add_column(justify="right")
    for number in outcome.numbers:
        table.add_row(getattr(number.words, language), _printed(number.value, number.form))
    console.print(table)
    for listing in outcome.listings:
        console.print(_heading(listing, language), style="italic")
        console.print(_listed(listing, language))
    endings.show(
        console,
        notes=[getattr(note, language) for note in outcome.notes],
        files=[path.name for path in outcome.files],
        language=language,
    )


def _heading(listing: Listing, language: Language) -> str:
    title: str = getattr(listing.title, language)
    if len(listing.rows) > _N_FIRST:
        more = {"zh": "（前 {} 行，共 {} 行）", "en": " (the first {} of {})"}[language]
        title += more.format(_N_FIRST, len(listing.rows))
    return escape(title)


def _listed(listing: Listing, language: Language) -> Table:
    table = Table(box=None)
    columns = [each for each in listing.columns if each.name == language or each.name not in _NAMES]
    for column in columns:
        table.add_column(
            getattr(column.words, language), justify="right" if column.form else "left"
        )
    for row in listing.rows.head(_N_FIRST).to_dict("records"):
        table.add_row(*(escape(_printed(row[column.name], column.form)) for column in columns))
    return table


def _printed(value: object, form: str) -> str:
    known = _known(value)
    if known is None:
        return "–"
    return format(known, form) if form and not isinstance(known, str) else str(known)


def _known(value: object) -> Any:  # noqa: ANN401 - whatever JSON has
    if hasattr(value, "item"):
        value = value.item()
    if value is None or value is pd.NA or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return value


def _said(value: object) -> object:
    if isinstance(value, Path):
        return value.name
    if isinstance(value, tuple | list):
        return [_said(each) for each in value]
    if isinstance(value, Mapping):
        return {str(name): _said(each) for name, each in value.items()}
    return value if isinstance(value, bool | int | float | str) else str(value)
