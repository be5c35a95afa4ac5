"""How does a command end: with its notes, and with what it wrote?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final, Literal

from rich.console import Console
from rich.markup import escape

from gisgrid.schema import Text

_NOTES: Final = Text(zh="说明", en="Notes")
_WRITTEN: Final = Text(zh="已写入", en="Written")


def show(
    console: Console,
    *,
    notes: Sequence[str],
    files: Sequence[str],
    language: Literal["zh", "en"],
) -> None:
    """Print the notes, a line each, and the names of the files.

    Parameters
    ----------
    console
        Where to print.
    notes
        In the language.
    files
        Their names.
    language
        The language of the headings.
    """
    if notes:
        console.print(f"[bold]{getattr(_NOTES, language)}[/]")
    for note in notes:
        console.print(f"· {escape(note)}", highlight=False)
    if files:
        names = escape(", ".join(files))
        console.print(f"[bold]{getattr(_WRITTEN, language)}[/] {names}", highlight=False)


def plain(notes: Iterable[Text], files: Iterable[Path]) -> dict[str, Any]:
    """Give the same for a program.

    Parameters
    ----------
    notes
        In both languages.
    files
        What was written.

    Returns
    -------
    dict
        ``{"notes": [{"zh", "en"}], "files": [...]}``.
    """
    return {
        "notes": [note.model_dump() for note in notes],
        "files": [str(path) for path in files],
    }
