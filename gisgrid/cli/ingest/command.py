"""`gisgrid ingest`: from whatever the case system exports to rows that can be trusted, and a page that says why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from gisgrid.cli.commands import Data, Language, Layers

_UNITS, _MEANING, _OPENING, _OUTPUT = (
    "Units and streets", "What the file means", "How to open the file", "What is written",
)  # fmt: skip


def ingest(  # one parameter per option
    *,
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...",
            help="Reported issues: CSV, Excel, GeoJSON, GeoPackage, Shapefile, KML, (Geo)Parquet, FlatGeobuf, Open311, …",
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            help="Where the rows go; the suffix says how: .parquet .gpkg .geojson .fgb",
        ),
    ],
    units: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE[:KEY]",
            rich_help_panel=_UNITS,
            help="Areas whose code each row gets; once per level. Default: the grid of --layers and --data, if there.",
        ),
    ] = None,
    units_crs: Annotated[
        str | None,
        typer.Option(
            help="CRS of --units that do not say theirs, for example EPSG:4547.",
            rich_help_panel=_UNITS,
        ),
    ] = None,
    streets: Annotated[
        Path | None,
        typer.Option(help="Streets, which help to tell the datum.", rich_help_panel=_UNITS),
    ] = None,
    places: Annotated[
        str | None,
        typer.Option(
            metavar="FILE[:NAME]",
            rich_help_panel=_UNITS,
            help="Named places, in which rows without coordinates are looked up by their address.",
        ),
    ] = None,
    layers: Layers = None,
    data: Data = None,
    mapping: Annotated[
        Path | None,
        typer.Option(help="A mapping file that an earlier run wrote.", rich_help_panel=_MEANING),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ROLE=NAME",
            rich_help_panel=_MEANING,
            help="What a column is, for example lon=经度 or reported_at=上报时间.",
        ),
    ] = None,
    datum: Annotated[
        str | None,
        typer.Option(
            help="wgs84, cgcs2000, gcj02, bd09, EPSG:4547, wgs84:swapped, …",
            rich_help_panel=_MEANING,
        ),
    ] = None,
    timezone: Annotated[
        str | None,
        typer.Option(
            help="Zone of times without one, for example Asia/Shanghai.", rich_help_panel=_MEANING
        ),
    ] = None,
    day_first: Annotated[
        bool | None,
        typer.Option(
            "--day-first/--month-first",
            help="Whether 02/03/2026 is 2 March.",
            rich_help_panel=_MEANING,
        ),
    ] = None,
    taxonomy: Annotated[
        str | None,
        typer.Option(help="Scheme of the classes: its id, or a file.", rich_help_panel=_MEANING),
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option(
            help="When the file was exported (ISO 8601); what is later is marked.",
            show_default="now",
            rich_help_panel=_MEANING,
        ),
    ] = None,
    layer: Annotated[
        str | None, typer.Option(help="Layer or sheet of FILE.", rich_help_panel=_OPENING)
    ] = None,
    delimiter: Annotated[
        str | None, typer.Option(help="What separates fields.", rich_help_panel=_OPENING)
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(help="For example gb18030.", rich_help_panel=_OPENING)
    ] = None,
    output_crs: Annotated[
        str | None,
        typer.Option(
            help="CRS of the points written.", show_default="OGC:CRS84", rich_help_panel=_OUTPUT
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            help="Where the page goes: .html or .md.",
            show_default="OUT.intake.html",
            rich_help_panel=_OUTPUT,
        ),
    ] = None,
    rejects: Annotated[
        Path | None,
        typer.Option(
            help="Where refused rows go: .csv or .parquet.",
            show_default="OUT.rejects.csv",
            rich_help_panel=_OUTPUT,
        ),
    ] = None,
    language: Annotated[
        Language, typer.Option(help="Language of the summary and of the page.")
    ] = Language.zh,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the summary as JSON, for programs.")
    ] = False,
) -> None:
    """Read reported issues right, or refuse them row by row with the reason.

    把各种导出的上报数据读对：认列、判坐标基准、读时间、归类、查重、落到网格；读不对的逐行退回并说明原因。

    Finds out which column is what, which datum the coordinates are in, how times are written and which scheme the
    classes belong to; gives every row its units; marks repeats and fallback points. OUT.intake.html says what was
    found and how sure that is; OUT.mapping.toml keeps it for the next time.

    \b
    Examples:
      gisgrid ingest 案件.xlsx -o reports.parquet --units communities.gpkg:community_code
      gisgrid ingest 2026-*.csv -o reports.parquet --mapping reports.mapping.toml
    """  # noqa: D301 - the backslash keeps the examples' lines
    # A command's libraries load when it runs, so that --help does not wait for them.
    from gisgrid.cli import bars  # noqa: PLC0415
    from gisgrid.cli.ingest import summary  # noqa: PLC0415
    from gisgrid.cli.ingest.request import Request  # noqa: PLC0415
    from gisgrid.cli.ingest.run import run  # noqa: PLC0415

    request = Request(
        files=tuple(files), output=output, units=tuple(units or ()), units_crs=units_crs, streets=streets, places=places,
        layers=layers, data=data, mapping=mapping, columns=tuple(column or ()), datum=datum, timezone=timezone,
        day_first=day_first, taxonomy=taxonomy, as_of=as_of, layer=layer, delimiter=delimiter, encoding=encoding,
        output_crs=output_crs, report=report, rejects=rejects, language=language.value,
    )  # fmt: skip
    with bars.shares("ingest") as progress:
        done = run(request, progress=bars.named(progress, summary.STEPS[language.value]))
    if as_json:
        typer.echo(json.dumps(summary.summary(done), ensure_ascii=False, indent=1))
    else:
        summary.show(done, language=language.value)
