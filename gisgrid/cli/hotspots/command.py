"""`gisgrid hotspots`: from a file of reports to hot and cold areas, outliers, clusters or a surface."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from gisgrid.cli.hotspots import options


class CellShape(StrEnum):
    """The shapes of a tessellation's cells."""

    hexagon = "hexagon"
    square = "square"


class MethodName(StrEnum):
    """The ways of finding hotspots; `methods.METHODS` says what each asks."""

    gi_star = "gi-star"
    gi = "gi"
    local_moran = "local-moran"
    bivariate_moran = "bivariate-moran"
    local_geary = "local-geary"
    join_counts = "join-counts"
    optimised = "optimised"
    optimised_outliers = "optimised-outliers"
    scan = "scan"
    space_time_scan = "space-time-scan"
    space_time_permutation = "space-time-permutation"
    temporal_scan = "temporal-scan"
    emerging = "emerging"
    change = "change"
    campaign = "campaign"
    rebound = "rebound"
    rebound_by_class = "rebound-by-class"
    rates = "rates"
    zones = "zones"
    effort = "effort"
    reporting_rate = "reporting-rate"
    dbscan = "dbscan"
    hdbscan = "hdbscan"
    hierarchical = "hierarchical"
    near_repeats = "near-repeats"
    density = "density"
    adaptive_density = "adaptive-density"
    relative_risk = "relative-risk"
    street_segments = "street-segments"
    street_density = "street-density"


class PageLanguage(StrEnum):
    """The languages of the summary and of the map."""

    zh = "zh"
    en = "en"


_FILES, _PLACE, _CELLS = "Files and columns", "What ISSUES means", "Equal cells"
_SAYS = "What is said about it"


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
            help="Where the result goes; the suffix says how: .gpkg .parquet .geojson .fgb .html .pmtiles; surfaces .tif .pmtiles; tables .csv .parquet",
        ),
    ],
    method: Annotated[
        MethodName,
        typer.Option(
            help="What to ask: areas against their neighbours (gi-star, gi, local-moran, …), clusters in space and time "
            "(scan, space-time-scan, …), patterns, changes and campaigns (emerging, change, campaign, rebound), rates and "
            "effort, clusters of reports (dbscan, …), surfaces (density, relative-risk), streets (street-segments). "
            "The guide has one paragraph for each: docs/guides/hotspots.md."
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
    neighbours: options.Neighbours = None,
    permutations: options.Permutations = None,
    correction: options.Correction = None,
    seed: options.Seed = None,
    against: options.Against = None,
    flag: options.Flag = None,
    shape: options.Shape = None,
    max_share: options.MaxShare = None,
    controls: options.Controls = None,
    step: options.Step = None,
    prospective: options.Prospective = False,
    radius_m: options.RadiusM = None,
    min_reports: options.MinReports = None,
    bands_m: options.BandsM = None,
    bands_days: options.BandsDays = None,
    before: options.Before = None,
    after: options.After = None,
    treated: options.Treated = None,
    since: options.Since = None,
    place_m: options.PlaceM = None,
    zone: options.Zone = None,
    reference: options.ReferenceZone = None,
    strata: options.Strata = None,
    effort: options.Effort = None,
    least_effort: options.LeastEffort = None,
    lifetime_days: options.LifetimeDays = None,
    bandwidth_m: options.BandwidthM = None,
    edge_correction: options.EdgeCorrection = False,
    comparison: options.Comparison = None,
    streets: options.Streets = None,
    segment_m: options.SegmentM = None,
    within_m: options.WithinM = None,
    engine: options.Engine = None,
    scheduler: options.Scheduler = None,
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
      gisgrid hotspots reports.csv communities.gpkg --method change --before 2024 --after 2025 -o change.gpkg
      gisgrid hotspots reports.csv communities.gpkg --explain 419801001009 --compare 2026-01-01 -o hot.gpkg
    """  # noqa: D301 - the backslash keeps the examples' lines
    given = dict(locals())
    # A command's libraries load when it runs, so that --help does not wait for them.
    from gisgrid.cli import bars  # noqa: PLC0415
    from gisgrid.cli.hotspots import summary  # noqa: PLC0415
    from gisgrid.cli.hotspots.request import Request  # noqa: PLC0415
    from gisgrid.cli.hotspots.run import run  # noqa: PLC0415

    columns = tuple(given.pop("column") or ())
    del given["as_json"]
    plain: dict[str, Any] = {
        name: each.value if isinstance(each, StrEnum) else each for name, each in given.items()
    }
    request = Request(columns=columns, **plain)
    with bars.steps("hotspots", total=len(summary.STEPS["en"])) as progress:
        result = run(request, progress=bars.named(progress, summary.STEPS[language.value]))
    if as_json:
        typer.echo(json.dumps(result.summary, ensure_ascii=False, indent=1))
    else:
        summary.show(result.summary, language=language.value)
