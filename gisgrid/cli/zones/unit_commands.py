"""`gisgrid zones official`, `villages`, `screen`, `shares` and `agree`: what can be asked for."""

from __future__ import annotations

from typing import Annotated

import typer

from gisgrid.cli.commands import AsJson, Language
from gisgrid.cli.options import Crs, LayerOutput, Words

# ruff: noqa: PLC0415 - a command's libraries load when it runs, so that --help does not wait for them

Column = Annotated[str, typer.Option(help="Column of the zones with their type.")]


def official(
    *,
    units: Annotated[
        str, typer.Argument(metavar="UNITS[#LAYER]", help="Communities with their division code.")
    ],
    codes: Annotated[
        str,
        typer.Argument(
            metavar="CODES",
            help="The list of statistical division codes with their class: .csv, .xlsx or .parquet",
        ),
    ],
    output: LayerOutput,
    key: Annotated[
        str, typer.Option(help="Column of UNITS with the 12-digit code.")
    ] = "community_code",
    code: Annotated[
        str, typer.Option("--code", help="Column of CODES with the 12-digit code.")
    ] = "code",
    urban_rural: Annotated[
        str, typer.Option("--class", help="Column of CODES with the class.")
    ] = "class",
    crs: Crs = None,
    language: Words = Language.zh,
    as_json: AsJson = False,
) -> None:
    """Give each community the official urban-rural class of its committee.

    把统计用城乡分类代码（111、112、121、122、123、210、220）匹配到社区（村）。

    112 and 122 are the fringe of the official list. Codes that the list does not hold stay without a class and are counted.

    \b
    Examples:
      gisgrid zones official communities.gpkg codes-2023.csv -o classes.gpkg
      gisgrid zones official villages.shp codes.xlsx --key 区划代码 --code 代码 --class 城乡分类 -o classes.gpkg
    """  # noqa: D301 - the backslash keeps the examples' lines
    from gisgrid.cli.outcomes import finish, working
    from gisgrid.cli.zones import units as work

    request = work.OfficialRequest(
        units=units, codes=codes, output=output, key=key, code=code, urban_rural=urban_rural, crs=crs
    )  # fmt: skip
    with working("zones official", language.value) as progress:
        done = work.official(request, progress=progress)
    finish(done, language=language.value, as_json=as_json)


def villages(
    *,
    drawn: Annotated[
        str, typer.Argument(metavar="VILLAGES[#LAYER]", help="Villages: polygons or points.")
    ],
    built_up: Annotated[
        str, typer.Argument(metavar="BUILT_UP[#LAYER]", help="The built-up area: polygons.")
    ],
    output: LayerOutput,
    within_m: Annotated[
        float, typer.Option(help="A village is suburban up to this distance.", min=0)
    ] = 2000.0,
    within_minutes: Annotated[
        float | None,
        typer.Option(
            help="… or up to this time to where the streets enter it, which decides where it is known."
        ),
    ] = None,
    streets: Annotated[
        str | None,
        typer.Option(metavar="FILE[#LAYER]", help="Streets to go along, for the time."),
    ] = None,
    speed_kmh: Annotated[
        float, typer.Option(help="How fast people go: 4.5 on foot, 12 by bicycle.", min=0.1)
    ] = 4.5,
    minutes: Annotated[
        str | None,
        typer.Option(help="Column of VILLAGES with the minutes, where they are known already."),
    ] = None,
    from_centre: Annotated[
        bool,
        typer.Option("--from-centre", help="Measure from the village's centre, not from its edge."),
    ] = False,
    crs: Crs = None,
    language: Words = Language.zh,
    as_json: AsJson = False,
) -> None:
    """Say which villages lie at the edge of the town, by distance or by the time it takes to get there.

    识别城郊村：距建成区边缘一定距离或时间以内的村。

    Villages of which most is built over already are no villages at the edge any more (by = inside).

    \b
    Examples:
      gisgrid zones villages villages.gpkg built-up.gpkg --within-m 3000 -o suburban.gpkg
      gisgrid zones villages villages.gpkg built-up.gpkg --streets streets.gpkg --within-minutes 15 -o suburban.gpkg
    """  # noqa: D301 - the backslash keeps the examples' lines
    from gisgrid.cli.outcomes import finish, working
    from gisgrid.cli.zones import units as work

    request = work.VillagesRequest(
        villages=drawn, built_up=built_up, output=output, within_m=within_m, minutes=minutes, within_minutes=within_minutes,
        streets=streets, speed_kmh=speed_kmh, measured="centre" if from_centre else "edge", crs=crs,
    )  # fmt: skip
    with working("zones villages", language.value) as progress:
        done = work.villages(request, progress=progress)
    finish(done, language=language.value, as_json=as_json)


def screen(
    *,
    buildings: Annotated[
        str, typer.Argument(metavar="BUILDINGS[#LAYER]", help="Footprints of buildings.")
    ],
    blocks: Annotated[
        str, typer.Argument(metavar="BLOCKS[#LAYER]", help="Blocks, communities or cells to rank.")
    ],
    output: LayerOutput,
    height: Annotated[
        str | None, typer.Option(help="Column of BUILDINGS with heights in metres.")
    ] = None,
    high_rise_m: Annotated[
        float, typer.Option(help="From this height on a building speaks against.")
    ] = 24.0,
    known: Annotated[
        str | None,
        typer.Option(
            metavar="FILE[#LAYER]",
            help="Polygons known to be urban villages, to score the ranking on.",
        ),
    ] = None,
    crs: Crs = None,
    language: Words = Language.zh,
    as_json: AsJson = False,
) -> None:
    """Rank blocks by how much their buildings stand like those of an urban village: candidates, never a finding.

    按建筑密度、体量、间距、高度和朝向杂乱程度给城中村候选地块排序；只是候选，不是结论。

    \b
    Examples:
      gisgrid zones screen buildings.gpkg blocks.gpkg --height height -o candidates.gpkg
      gisgrid zones screen buildings.gpkg blocks.gpkg --known urban-villages.gpkg -o candidates.gpkg
    """  # noqa: D301 - the backslash keeps the examples' lines
    from gisgrid.cli.outcomes import finish, working
    from gisgrid.cli.zones import units as work

    request = work.ScreenRequest(
        buildings=buildings, blocks=blocks, output=output, height=height, high_rise_m=high_rise_m, known=known, crs=crs
    )  # fmt: skip
    with working("zones screen", language.value) as progress:
        done = work.screen(request, progress=progress)
    finish(done, language=language.value, as_json=as_json)


def shares(
    *,
    units: Annotated[
        str,
        typer.Argument(metavar="UNITS[#LAYER]", help="Communities, cells, or points of reports."),
    ],
    zones: Annotated[
        list[str],
        typer.Argument(
            metavar="[TYPE=]ZONES[#LAYER]...",
            help="Polygons with a column of types, or all of one TYPE.",
        ),
    ],
    output: LayerOutput,
    column: Column = "zone_type",
    error_m: Annotated[
        float, typer.Option(help="How far off a point may lie: it counts as a circle of this.")
    ] = 20.0,
    crs: Crs = None,
    language: Words = Language.zh,
    as_json: AsJson = False,
) -> None:
    """Give each unit, or report, its zone: by the share of its ground, with the confidence of that.

    按面积比例确定每个单元（或上报）属于哪一类区域，并给出把握程度。

    \b
    Examples:
      gisgrid zones shares communities.gpkg urban_village=villages.gpkg fringe=fringe.gpkg -o zoned.gpkg
      gisgrid zones shares reports.parquet fringe.gpkg --error-m 50 -o reports-zoned.parquet
    """  # noqa: D301 - the backslash keeps the examples' lines
    from gisgrid.cli.outcomes import finish, working
    from gisgrid.cli.zones import agreeing as work

    request = work.SharesRequest(
        units=units, zones=tuple(zones), output=output, column=column, error_m=error_m, crs=crs
    )  # fmt: skip
    with working("zones shares", language.value) as progress:
        done = work.shares(request, progress=progress)
    finish(done, language=language.value, as_json=as_json)


def agree(
    *,
    ways: Annotated[
        list[str],
        typer.Argument(
            metavar="[NAME=]ZONES[#LAYER]...",
            help="Two or more ways of drawing zones; NAME=TYPE=FILE where all of a file are one type.",
        ),
    ],
    output: LayerOutput,
    units: Annotated[
        str | None,
        typer.Option(metavar="FILE[#LAYER]", help="Compare on these units; on squares without."),
    ] = None,
    cell_m: Annotated[float, typer.Option(help="Width of the squares.", min=10)] = 500.0,
    weights: Annotated[
        str | None, typer.Option(help="Column of the units that they count by; area without.")
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only", metavar="TYPE", help="Compare this type alone, all else is rest; repeat."
        ),
    ] = None,
    column: Column = "zone_type",
    crs: Crs = None,
    language: Words = Language.zh,
    as_json: AsJson = False,
) -> None:
    """Say where ways of drawing zones agree: share, kappa and overlap of every pair, and what most ways say of each unit.

    比较多种划分方法：一致率、卡帕系数、重叠度，并给出每个单元的多数结论和把握。

    \b
    Examples:
      gisgrid zones agree cells=degurba.gpkg lights=fringe.gpkg --only fringe -o agreement.gpkg
      gisgrid zones agree cells=degurba.gpkg codes=classes.gpkg --units communities.gpkg --weights population -o agreement.gpkg
    """  # noqa: D301 - the backslash keeps the examples' lines
    from gisgrid.cli.outcomes import finish, working
    from gisgrid.cli.zones import agreeing as work

    request = work.AgreeRequest(
        ways=tuple(ways), output=output, units=units, cell_m=cell_m, weights=weights, types=tuple(only or ()), column=column, crs=crs
    )  # fmt: skip
    with working("zones agree", language.value) as progress:
        done = work.agree(request, progress=progress)
    finish(done, language=language.value, as_json=as_json)
