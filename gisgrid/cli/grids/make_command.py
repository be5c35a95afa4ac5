"""`gisgrid make-grids` and `gisgrid balance-grids`: unit grids where there are none, duty grids with the same work."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from gisgrid.cli.commands import AsJson, Language

_COLUMNS, _SHAPE, _WORK, _NUMBER = (
    "Columns and codes", "What the grids are like", "How much there is to do", "How many duty grids",
)  # fmt: skip

Output = Annotated[
    Path,
    typer.Option(
        "--output",
        "-o",
        help="Where the grids go; the suffix says how: .gpkg .parquet .geojson .fgb",
    ),
]
Crs = Annotated[
    str | None,
    typer.Option(
        help="CRS of files that do not say theirs, for example EPSG:4547.", rich_help_panel=_COLUMNS
    ),
]
Words = Annotated[Language, typer.Option(help="Language of the summary.")]


def make_grids(  # one parameter per option
    *,
    communities: Annotated[
        str,
        typer.Argument(
            metavar="COMMUNITIES[#LAYER]",
            help="The communities and villages: GeoPackage, GeoParquet, GeoJSON, FlatGeobuf or Shapefile.",
        ),
    ],
    streets: Annotated[
        str | None,
        typer.Argument(
            metavar="STREETS[#LAYER]",
            help="The middle lines of streets, alleys, rivers; without, blocks are cut by area alone.",
        ),
    ] = None,
    output: Output,
    key: Annotated[
        str | None,
        typer.Option(
            help="Column of COMMUNITIES with their codes; found by itself where one column is that for certain.",
            rich_help_panel=_COLUMNS,
        ),
    ] = None,
    scheme: Annotated[
        str,
        typer.Option(
            help="Scheme of the grids' codes, by id or file; 'none' to number them behind the community's code.",
            rich_help_panel=_COLUMNS,
        ),
    ] = "beijing-15",
    crs: Crs = None,
    area_m2: Annotated[
        float, typer.Option(help="The area to aim at, m².", rich_help_panel=_SHAPE)
    ] = 10_000.0,
    keep_whole: Annotated[
        str | None,
        typer.Option(
            metavar="FILE[#LAYER]",
            help="Buildings or compounds that no grid may cut.",
            rich_help_panel=_SHAPE,
        ),
    ] = None,
    open_land: Annotated[
        str | None,
        typer.Option(
            metavar="FILE[#LAYER]",
            help="Hills, water and fields, where grids may be larger.",
            rich_help_panel=_SHAPE,
        ),
    ] = None,
    open_area_m2: Annotated[
        float, typer.Option(help="The area to aim at on open land, m².", rich_help_panel=_SHAPE)
    ] = 250_000.0,
    language: Words = Language.zh,
    as_json: AsJson = False,
) -> None:
    """Draw unit grids for a city that has none: along its streets, inside its communities, numbered by the rule.

    为没有单元网格的城市划分单元网格：沿街巷、不跨社区、约一万平方米、按规则编号。

    A draft to be held against the ground. Grids cover their community exactly and cut no building that is given.

    \b
    Examples:
      gisgrid make-grids communities.gpkg streets.gpkg -o unit_grids.gpkg
      gisgrid make-grids city.gpkg#communities city.gpkg#roads --keep-whole city.gpkg#buildings -o unit_grids.gpkg
      gisgrid make-grids villages.shp --crs EPSG:4547 --open-land hills.gpkg --scheme none -o unit_grids.parquet
    """  # noqa: D301 - the backslash keeps the examples' lines
    # A command's libraries load when it runs, so that --help does not wait for them.
    from gisgrid.cli import bars  # noqa: PLC0415
    from gisgrid.cli.grids import making, making_summary  # noqa: PLC0415

    request = making.MakeRequest(
        communities=communities, streets=streets, output=output, key=key, scheme=None if scheme == "none" else scheme,
        crs=crs, area_m2=area_m2, keep_whole=keep_whole, open_land=open_land, open_area_m2=open_area_m2,
    )  # fmt: skip
    with bars.shares("make-grids") as progress:
        made = making.make(
            request, progress=bars.named(progress, making_summary.STEPS[language.value])
        )
    if as_json:
        typer.echo(json.dumps(making_summary.made(made), ensure_ascii=False, indent=1))
    else:
        making_summary.show_made(made, language=language.value)


def balance_grids(  # one parameter per option
    *,
    units: Annotated[
        str,
        typer.Argument(
            metavar="UNITS[#LAYER]",
            help="Unit grids: GeoPackage, GeoParquet, GeoJSON, FlatGeobuf or Shapefile.",
        ),
    ],
    output: Output,
    within: Annotated[
        str,
        typer.Option(
            help="Column of UNITS with the community that a duty grid must not leave.",
            rich_help_panel=_COLUMNS,
        ),
    ] = "community_code",
    key: Annotated[
        str | None,
        typer.Option(
            help="Column of UNITS with their codes; found by itself where one column is that for certain.",
            rich_help_panel=_COLUMNS,
        ),
    ] = None,
    crs: Crs = None,
    load: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN[=WEIGHT]",
            help="Column of UNITS that is work, and what one of it counts; repeat to add up.",
            rich_help_panel=_WORK,
        ),
    ] = None,
    reports: Annotated[
        str | None,
        typer.Option(
            metavar="FILE[#LAYER]",
            rich_help_panel=_WORK,
            help="Points of reports (what ingest wrote): counted in each unit as column n_reports.",
        ),
    ] = None,
    n_grids: Annotated[
        int | None, typer.Option(help="Duty grids in each community.", rich_help_panel=_NUMBER)
    ] = None,
    load_per_grid: Annotated[
        float | None,
        typer.Option(
            help="The work of one duty grid, for example 400 households; communities get as many as that makes.",
            rich_help_panel=_NUMBER,
        ),
    ] = None,
    current: Annotated[
        str | None,
        typer.Option(
            help="Column of UNITS with the duty grids that there are.", rich_help_panel=_NUMBER
        ),
    ] = None,
    fewest_moves: Annotated[
        bool,
        typer.Option(
            "--fewest-moves",
            rich_help_panel=_NUMBER,
            help="Change --current by as few units as will do, instead of drawing anew.",
        ),
    ] = False,
    tolerance: Annotated[
        float,
        typer.Option(help="How far from the mean of its community a load may be, as a share."),
    ] = 0.1,
    table: Annotated[
        Path | None,
        typer.Option(
            help="Where the list goes of each unit's duty grid (with --fewest-moves: of the moves): .csv or .parquet"
        ),
    ] = None,
    language: Words = Language.zh,
    as_json: AsJson = False,
) -> None:
    """Join unit grids to duty grids with the same work, each in one piece and inside one community.

    把单元网格组合成工作量均衡的责任网格：连片、紧凑、不跨社区；或以最少的调整使现有划分重新均衡。

    Says the largest work over the mean before and after, and how far from the best that can be.

    \b
    Examples:
      gisgrid balance-grids unit_grids.gpkg --reports reports.parquet --load-per-grid 400 -o duty_grids.gpkg
      gisgrid balance-grids unit_grids.gpkg --load households --load n_reports=0.5 --n-grids 6 -o duty_grids.gpkg
      gisgrid balance-grids unit_grids.gpkg --load households --current duty_grid_id --fewest-moves --table moves.csv -o new.gpkg
    """  # noqa: D301 - the backslash keeps the examples' lines
    # A command's libraries load when it runs, so that --help does not wait for them.
    from gisgrid.cli import bars  # noqa: PLC0415
    from gisgrid.cli.grids import making, making_summary  # noqa: PLC0415

    request = making.BalanceRequest(
        units=units, output=output, within=within, key=key, crs=crs, load=tuple(load or ()), reports=reports,
        n_grids=n_grids, load_per_grid=load_per_grid, current=current, fewest_moves=fewest_moves, tolerance=tolerance,
        table=table,
    )  # fmt: skip
    with bars.shares("balance-grids") as progress:
        done = making.balance(
            request, progress=bars.named(progress, making_summary.STEPS[language.value])
        )
    if as_json:
        typer.echo(json.dumps(making_summary.balanced(done), ensure_ascii=False, indent=1))
    else:
        making_summary.show_balanced(done, language=language.value)
