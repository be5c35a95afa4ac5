"""`gisgrid validate-grids`: can the city count by these units, and what can be mended?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from gisgrid.cli.commands import Language

_COLUMNS, _LIMITS, _OUTPUT = "Columns and codes", "What counts as a fault", "What is written"


def validate_grids(  # one parameter per option
    *,
    layers: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE[#LAYER]...",
            help="Units from coarse to fine: GeoPackage, GeoParquet, GeoJSON, FlatGeobuf or Shapefile. "
            "A level is called like its layer, or its file.",
        ),
    ],
    key: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[LEVEL=]COLUMN",
            rich_help_panel=_COLUMNS,
            help="Column of codes; found by itself where one column is that for certain.",
        ),
    ] = None,
    parent: Annotated[
        list[str] | None,
        typer.Option(
            metavar="LEVEL=COLUMN",
            rich_help_panel=_COLUMNS,
            help="Column with the code of the unit above; 'place' to go by place alone. Found by itself where certain.",
        ),
    ] = None,
    group: Annotated[
        list[str] | None,
        typer.Option(
            metavar="LEVEL=COLUMN",
            rich_help_panel=_COLUMNS,
            help="Column of sets that must be side by side, such as a management grid.",
        ),
    ] = None,
    scheme: Annotated[
        list[str] | None,
        typer.Option(
            metavar="LEVEL=SCHEME[:PART]",
            rich_help_panel=_COLUMNS,
            help="Scheme of the codes, by id or file; PART where the level is not the scheme's own unit.",
        ),
    ] = None,
    crs: Annotated[
        str | None,
        typer.Option(
            help="CRS of files that do not say theirs, for example EPSG:4547.",
            rich_help_panel=_COLUMNS,
        ),
    ] = None,
    metric_crs: Annotated[
        str | None,
        typer.Option(
            help="CRS in metres to measure in.",
            show_default="the finest file's, or its surveyor's zone",
            rich_help_panel=_LIMITS,
        ),
    ] = None,
    tolerance_m: Annotated[
        float,
        typer.Option(help="Narrower gaps and overlaps are rounding.", rich_help_panel=_LIMITS),
    ] = 0.01,
    sliver_m: Annotated[
        float, typer.Option(help="Narrower gaps and overlaps are slivers.", rich_help_panel=_LIMITS)
    ] = 1.0,
    nesting_m: Annotated[
        float,
        typer.Option(help="How far a unit may reach out of its parent.", rich_help_panel=_LIMITS),
    ] = 0.5,
    fill_m2: Annotated[
        float | None,
        typer.Option(
            help="With --repair: larger gaps are left, because a unit is missing there.",
            show_default="half the median unit",
            rich_help_panel=_LIMITS,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            rich_help_panel=_OUTPUT,
            help="Layer of faults; the suffix says how: .gpkg .parquet .geojson .fgb",
        ),
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="A page: .html or .md.", rich_help_panel=_OUTPUT)
    ] = None,
    repair: Annotated[
        Path | None,
        typer.Option(
            help="GeoPackage of the mended levels, with every change in a layer 'moved'.",
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
    """Examine the units of a city; exit code 1 if there are errors or warnings.

    检查网格：空隙、重叠、碎条、自相交、多部分、跨界、无上级、编码、编号、相邻、面积。

    Every fault has a kind, a size, a sentence and a place. --repair mends what needs no decision (gaps, overlaps,
    slivers, rings, heights), keeps the ground to a millionth and lists every change; codes are never changed.

    \b
    Examples:
      gisgrid validate-grids streets.gpkg communities.gpkg grids.shp -o faults.gpkg --report faults.html
      gisgrid validate-grids city.gpkg#communities city.gpkg#grids --scheme grids=beijing-15
      gisgrid validate-grids grids.geojson --key code --repair mended.gpkg
    """  # noqa: D301 - the backslash keeps the examples' lines
    # A command's libraries load when it runs, so that --help does not wait for them.
    from gisgrid.cli import bars  # noqa: PLC0415
    from gisgrid.cli.grids import summary  # noqa: PLC0415
    from gisgrid.cli.grids.run import Request, run  # noqa: PLC0415

    request = Request(
        layers=tuple(layers), keys=tuple(key or ()), parents=tuple(parent or ()), groups=tuple(group or ()),
        schemes=tuple(scheme or ()), crs=crs, metric_crs=metric_crs, tolerance_m=tolerance_m, sliver_m=sliver_m,
        nesting_m=nesting_m, fill_m2=fill_m2, output=output, report=report, repair=repair, language=language.value,
    )  # fmt: skip
    with bars.shares("validate-grids") as progress:
        done = run(request, progress=summary.spoken(progress, language.value))
    if as_json:
        typer.echo(json.dumps(summary.summary(done), ensure_ascii=False, indent=1))
    else:
        summary.show(done, language=language.value)
    if not done.report.clean:
        raise typer.Exit(1)
