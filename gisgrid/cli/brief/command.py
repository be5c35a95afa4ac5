"""`gisgrid brief`: the page of the week for a sub-district or a community."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Languages(StrEnum):
    """The languages of a brief."""

    zh = "zh"
    en = "en"
    both = "both"


def brief(
    *,
    unit: Annotated[
        str, typer.Option(metavar="CODE", help="Code of the sub-district or community.")
    ],
    period: Annotated[
        str,
        typer.Option(metavar="PERIOD", help="2026-W46, or 2026-11-09, 2026-11, 2026-Q4, 2026."),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Where the page goes: .html or .pdf")
    ],
    language: Annotated[
        Languages,
        typer.Option(
            "--language", "--lang", help="Language of the page; both: one after the other."
        ),
    ] = Languages.zh,
    layers: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="The catalogue's folder.", show_default="./layers, or built in"
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder with the layers' data and the ledger of cases.",
            show_default="./data",
        ),
    ] = None,
    cases: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Address of the ledger of cases.",
            show_default="casework/cases.db in the data folder",
        ),
    ] = None,
    rules: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder of the city's rules: owners, deadlines, classes.",
            show_default="built in",
        ),
    ] = None,
) -> None:
    """Write the page of the week for a sub-district or community: hot, new, back, overdue, and whose it is.

    生成街道、社区周报：热点、变化、反弹、超期、责任与指标。

    The page is one file that needs no network and prints on A4; .pdf needs the extra `pdf` (WeasyPrint) and carries its
    Chinese font. It holds numbers of units and ids of cases, and nothing of persons.

    \b
    Examples:
      gisgrid brief --unit 419801102 --period 2026-W46 -o brief.html
      gisgrid brief --unit 419801102202 --period 2026-11 --lang both -o brief.pdf
    """  # noqa: D301 - the backslash keeps the examples' lines
    # A command's libraries load when it runs, so that --help does not wait for them.
    from gisgrid.cli.brief.run import Request, run  # noqa: PLC0415

    asked = Request(
        unit=unit, period=period, output=output, language=language.value,
        layers=layers, data=data, cases=cases, rules=rules,
    )  # fmt: skip
    made = run(asked)
    typer.echo(
        f"{output}: {made.unit.zh} ({made.unit.en}), {made.period.first} to {made.period.after}, "
        f"{made.figures[0].value:.0f} reported, {made.n_overdue} overdue"
    )
