"""`gisgrid hotspots`: from a file of reports to hot and cold areas, on a map or in a file."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class CellShape(StrEnum):
    """The shapes of a tessellation's cells."""

    hexagon = "hexagon"
    square = "square"


class PageLanguage(StrEnum):
    """The languages of the summary and of the map."""

    zh = "zh"
    en = "en"


_FILES, _PLACE, _CELLS = "Files and columns", "Where the reports are", "Equal cells"


def hotspots(  # one parameter per option
    *,
    issues: Annotated[
        Path,
        typer.Argument(
            metavar="ISSUES",
            help="Reported issues: CSV, Parquet, GeoJSON, GeoPackage or Shapefile.",
        ),
    ],
    units: Annotated[
        Path | None,
        typer.Argument(
            metavar="UNITS",
            help="The areas to count by: GeoPackage, GeoParquet, GeoJSON or Shapefile. Not needed with --cells.",
        ),
    ] = None,
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            help="Where the result goes; the suffix says how: .gpkg .parquet .geojson .fgb .html",
        ),
    ],
    units_key: Annotated[
        str | None,
        typer.Option(
            help="Column of UNITS that names a unit; numbered where none does for certain.",
            rich_help_panel=_FILES,
        ),
    ] = None,
    units_name: Annotated[
        str | None,
        typer.Option(help="Column of UNITS with names for people.", rich_help_panel=_FILES),
    ] = None,
    units_layer: Annotated[
        str | None, typer.Option(help="Layer of UNITS.", rich_help_panel=_FILES)
    ] = None,
    units_crs: Annotated[
        str | None,
        typer.Option(help="CRS of UNITS, for example EPSG:4547.", rich_help_panel=_FILES),
    ] = None,
    population: Annotated[
        str | None,
        typer.Option(
            help="Column of UNITS with residents: hotspots of issues per 1 000 residents, not of counts.",
            rich_help_panel=_FILES,
        ),
    ] = None,
    x: Annotated[
        str | None,
        typer.Option(help="Column of longitude or easting.", rich_help_panel=_PLACE),
    ] = None,
    y: Annotated[
        str | None,
        typer.Option(help="Column of latitude or northing.", rich_help_panel=_PLACE),
    ] = None,
    issues_crs: Annotated[
        str | None,
        typer.Option(help="CRS of ISSUES, for example EPSG:4547.", rich_help_panel=_PLACE),
    ] = None,
    issues_layer: Annotated[
        str | None, typer.Option(help="Layer of ISSUES.", rich_help_panel=_PLACE)
    ] = None,
    time: Annotated[
        str | None,
        typer.Option(help="Column of times: states the period.", rich_help_panel=_PLACE),
    ] = None,
    cells: Annotated[
        CellShape | None,
        typer.Option(
            help="Count by equal cells over UNITS (or over the reports).", rich_help_panel=_CELLS
        ),
    ] = None,
    cell_m: Annotated[
        float | None,
        typer.Option(help="Width of a cell in metres.", rich_help_panel=_CELLS),
    ] = None,
    language: Annotated[
        PageLanguage, typer.Option(help="Language of the summary and of the map.")
    ] = PageLanguage.zh,
    title: Annotated[str | None, typer.Option(help="Title of the map.")] = None,
    rejects: Annotated[
        Path | None,
        typer.Option(help="Where refused rows go; default: beside the result, if there are any."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the summary as JSON, for programs.")
    ] = False,
) -> None:
    """Find the hot and cold areas in a file of reported issues.

    Counts the reports in each unit (or cell), asks with Getis-Ord Gi* which neighbourhoods are unusual, corrects for
    the many tests, and writes the areas with their label, z, p and q; OUT.provenance.json says how they were made.

    \b
    Examples:
      gisgrid hotspots reports.csv communities.gpkg -o hotspots.html
      gisgrid hotspots reports.csv communities.gpkg --population population -o rates.gpkg
      gisgrid hotspots reports.csv --cells hexagon --cell-m 300 -o cells.geojson
    """  # noqa: D301 - the backslash keeps the examples' lines
    # A command's libraries load when it runs, so that --help does not wait for them.
    from gisgrid.cli import bars, hotspot_request, hotspot_run, hotspot_summary  # noqa: PLC0415

    request = hotspot_request.Request(
        issues=issues, units=units, output=output, rejects=rejects,
        units_key=units_key, units_name=units_name, units_layer=units_layer, units_crs=units_crs,
        population=population, x=x, y=y, issues_crs=issues_crs, issues_layer=issues_layer, time=time,
        cells=cells.value if cells else None, cell_m=cell_m, language=language.value, title=title,
    )  # fmt: skip
    with bars.steps("hotspots", total=len(hotspot_summary.STEPS["en"])) as progress:
        result = hotspot_run.run(request, progress=hotspot_summary.spoken(progress, language.value))
    if as_json:
        typer.echo(json.dumps(result.summary, ensure_ascii=False, indent=1))
    else:
        hotspot_summary.show(result.summary, language=language.value)
