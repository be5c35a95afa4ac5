"""`gisgrid hotspots`: from a file of reports to hot and cold areas, outliers, clusters or a surface."""

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


class MethodName(StrEnum):
    """The ways of finding hotspots; `hotspot_methods.METHODS` says what each asks."""

    gi_star = "gi-star"
    local_moran = "local-moran"
    local_geary = "local-geary"
    optimised = "optimised"
    optimised_outliers = "optimised-outliers"
    scan = "scan"
    emerging = "emerging"
    dbscan = "dbscan"
    hdbscan = "hdbscan"
    density = "density"


class CorrectionName(StrEnum):
    """What is done about the many tests of one map."""

    fdr = "fdr"
    bonferroni = "bonferroni"
    none = "none"


class StepName(StrEnum):
    """Steps of time."""

    day = "day"
    week = "week"
    month = "month"
    quarter = "quarter"
    year = "year"


class PageLanguage(StrEnum):
    """The languages of the summary and of the map."""

    zh = "zh"
    en = "en"


_FILES, _PLACE, _CELLS = "Files and columns", "What ISSUES means", "Equal cells"
_TEST, _SAYS = "How it is tested", "What is said about it"


def hotspots(  # one parameter per option
    *,
    issues: Annotated[
        Path,
        typer.Argument(
            metavar="ISSUES",
            help="Reported issues, as gisgrid ingest reads them or wrote them.",
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
            help="Where the result goes; the suffix says how: .gpkg .parquet .geojson .fgb .html (.tif for density)",
        ),
    ],
    method: Annotated[
        MethodName,
        typer.Option(
            help="What to ask: hot and cold areas (gi-star), outliers (local-moran), contrasts (local-geary), Gi* or "
            "Moran on cells that the reports choose (optimised, optimised-outliers), clusters of areas (scan), patterns "
            "over time (emerging), clusters of reports (dbscan, hdbscan), a surface (density)."
        ),
    ] = MethodName.gi_star,
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
    column: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ROLE=NAME",
            help="What a column of ISSUES is, for example lon=经度 or reported_at=上报时间.",
            rich_help_panel=_PLACE,
        ),
    ] = None,
    datum: Annotated[
        str | None,
        typer.Option(
            help="What the coordinates are: wgs84, gcj02, bd09, EPSG:4547, …; found by fit where it can be.",
            rich_help_panel=_PLACE,
        ),
    ] = None,
    timezone: Annotated[
        str | None,
        typer.Option(help="Zone of times without one.", rich_help_panel=_PLACE),
    ] = None,
    mapping: Annotated[
        Path | None,
        typer.Option(help="A mapping file of gisgrid ingest.", rich_help_panel=_PLACE),
    ] = None,
    issues_layer: Annotated[
        str | None, typer.Option(help="Layer or sheet of ISSUES.", rich_help_panel=_PLACE)
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
    neighbours: Annotated[
        str | None,
        typer.Option(
            help="Who is whose neighbour: contiguity (default), rook, distance:METRES, nearest:NUMBER.",
            rich_help_panel=_TEST,
        ),
    ] = None,
    permutations: Annotated[
        int | None,
        typer.Option(
            help="p from so many random maps; 0: from the normal distribution.",
            rich_help_panel=_TEST,
        ),
    ] = None,
    correction: Annotated[
        CorrectionName | None,
        typer.Option(help="What is done about the many tests; fdr.", rich_help_panel=_TEST),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Seed of what is drawn; 0.", rich_help_panel=_TEST)
    ] = None,
    step: Annotated[
        StepName | None,
        typer.Option(help="Step of time of emerging; month.", rich_help_panel=_TEST),
    ] = None,
    radius_m: Annotated[
        float | None,
        typer.Option(help="How near is near for dbscan, metres.", rich_help_panel=_TEST),
    ] = None,
    min_reports: Annotated[
        int | None,
        typer.Option(help="How many reports make a cluster.", rich_help_panel=_TEST),
    ] = None,
    bandwidth_m: Annotated[
        float | None,
        typer.Option(
            help="How far one report spreads in a density, metres.", rich_help_panel=_TEST
        ),
    ] = None,
    explain: Annotated[
        str | None,
        typer.Option(
            metavar="CODE",
            help="Say what made this area hot, and draw it beside the result (.explanation.svg).",
            rich_help_panel=_SAYS,
        ),
    ] = None,
    compare: Annotated[
        str | None,
        typer.Option(
            metavar="DAY|FILE",
            help="Rank methods by the reports from DAY (YYYY-MM-DD) on, which the map then does not see, or in FILE.",
            rich_help_panel=_SAYS,
        ),
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

    Counts the reports in each unit (or cell), asks which neighbourhoods are unusual (Getis-Ord Gi*, or another
    --method), corrects for the many tests, and writes the areas with their label, z, p and q; OUT.provenance.json says
    how they were made.

    \b
    Examples:
      gisgrid hotspots reports.csv communities.gpkg -o hotspots.html
      gisgrid hotspots reports.csv communities.gpkg --population population -o rates.gpkg
      gisgrid hotspots reports.csv --cells hexagon --cell-m 300 -o cells.geojson
      gisgrid hotspots reports.csv communities.gpkg --method optimised -o hotspots.html
      gisgrid hotspots reports.csv communities.gpkg --explain 419801001009 --compare 2026-01-01 -o hot.gpkg
    """  # noqa: D301 - the backslash keeps the examples' lines
    # A command's libraries load when it runs, so that --help does not wait for them.
    from gisgrid.cli import bars  # noqa: PLC0415
    from gisgrid.cli.hotspots import summary  # noqa: PLC0415
    from gisgrid.cli.hotspots.request import Request  # noqa: PLC0415
    from gisgrid.cli.hotspots.run import run  # noqa: PLC0415

    request = Request(
        issues=issues, units=units, output=output, rejects=rejects,
        units_key=units_key, units_name=units_name, units_layer=units_layer, units_crs=units_crs,
        population=population, columns=tuple(column or ()), datum=datum, timezone=timezone, mapping=mapping,
        issues_layer=issues_layer,
        cells=cells.value if cells else None, cell_m=cell_m, language=language.value, title=title,
        method=method.value, neighbours=neighbours, permutations=permutations,
        correction=correction.value if correction else None, seed=seed, step=step.value if step else None,
        radius_m=radius_m, min_reports=min_reports, bandwidth_m=bandwidth_m, explain=explain, compare=compare,
    )  # fmt: skip
    with bars.steps("hotspots", total=len(summary.STEPS["en"])) as progress:
        result = run(request, progress=bars.named(progress, summary.STEPS[language.value]))
    if as_json:
        typer.echo(json.dumps(result.summary, ensure_ascii=False, indent=1))
    else:
        summary.show(result.summary, language=language.value)
