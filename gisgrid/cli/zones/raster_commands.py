"""`gisgrid zones degurba`, `breaks` and `statistics`: what can be asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gisgrid.cli.commands import AsJson, Language
from gisgrid.cli.options import Crs, LayerOutput, Words

# ruff: noqa: PLC0415 - a command's libraries load when it runs, so that --help does not wait for them


def degurba(  # one parameter per option
    *,
    population: Annotated[
        str,
        typer.Argument(
            metavar="POPULATION", help="Residents per cell: a raster of 1 km², file or address."
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            help="The cells (.tif), or with --units the units (.gpkg .parquet .geojson .fgb .csv).",
        ),
    ],
    land: Annotated[
        str | None,
        typer.Option(help="Permanent land per cell, as a share or (GHSL) in m²; all without."),
    ] = None,
    built: Annotated[
        str | None, typer.Option(help="Built-up ground per cell, as a share or in m².")
    ] = None,
    rules: Annotated[int, typer.Option(help="Whose thresholds: 2022 or 2023.")] = 2023,
    rule: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="Another threshold, for example centre_density=1000; repeat for more.",
        ),
    ] = None,
    level: Annotated[int, typer.Option(help="Level of the cells' classes.", min=1, max=2)] = 2,
    units: Annotated[
        str | None,
        typer.Option(
            metavar="FILE[#LAYER]", help="Classify these units by where their residents live."
        ),
    ] = None,
    unit_rules: Annotated[
        int, typer.Option(help="Rules of the units' level 2: 2021 or 2024.")
    ] = 2024,
    zones: Annotated[
        Path | None,
        typer.Option(help="Where polygons of core and fringe go, for gisgrid zones agree."),
    ] = None,
    crs: Crs = None,
    language: Words = Language.zh,
    as_json: AsJson = False,
) -> None:
    """Classify cells, or units, by the Degree of Urbanisation.

    按城市化程度（DEGURBA）对像元或单元分类：城市中心、城镇群、郊区、乡村。

    Cells that are not 1 km² on an equal-area projection give classes that are only DEGURBA-like, which is said. Rasters are
    read a block of rows at a time.

    \b
    Examples:
      gisgrid zones degurba POP.tif --land LAND.tif --built BUILT_S.tif -o classes.tif
      gisgrid zones degurba POP.tif --units communities.gpkg -o communities-degurba.gpkg
      gisgrid zones degurba POP.tif --rules 2022 --rule centre_population=40000 --level 1 -o classes.tif
    """  # noqa: D301 - the backslash keeps the examples' lines
    from gisgrid.cli.outcomes import finish, working
    from gisgrid.cli.zones import rasters

    request = rasters.DegurbaRequest(
        population=population, output=output, land=land, built=built, rules=rules, rule=tuple(rule or ()), level=1 if level == 1 else 2,
        units=units, unit_rules=2021 if unit_rules == 2021 else 2024, zones=zones, crs=crs,
    )  # fmt: skip
    with working("zones degurba", language.value) as progress:
        done = rasters.degurba(request, progress=progress)
    finish(done, language=language.value, as_json=as_json)


def breaks(  # one parameter per option
    *,
    output: LayerOutput,
    lights: Annotated[str | None, typer.Option(help="Night lights: a raster.")] = None,
    built: Annotated[str | None, typer.Option(help="Built-up ground: a raster.")] = None,
    poi: Annotated[
        str | None,
        typer.Option(
            metavar="FILE[#LAYER]", help="Shops and other places: points, or a raster (.tif)."
        ),
    ] = None,
    weight: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE", help="What lights, built or poi counts; all the same without."
        ),
    ] = None,
    centres: Annotated[
        str | None,
        typer.Option(
            metavar="FILE[#LAYER]", help="Centres of the city; the highest ground without."
        ),
    ] = None,
    within: Annotated[
        str | None,
        typer.Option(
            metavar="FILE[#LAYER]",
            help="The ground of which something is known, for example the city: nothing is read beyond it.",
        ),
    ] = None,
    cell_m: Annotated[
        float | None, typer.Option(help="Width of the cells.", show_default="the first raster's")
    ] = None,
    reach_m: Annotated[
        float | None,
        typer.Option(help="How far to look.", show_default="to the edge of the raster"),
    ] = None,
    rays: Annotated[int, typer.Option(help="Bearings around each centre.", min=8)] = 72,
    min_r2: Annotated[
        float, typer.Option(help="A ray has breaks from this fit on.", min=0, max=1)
    ] = 0.6,
    min_drop: Annotated[
        float, typer.Option(help="… and where the index falls by this much.", min=0, max=1)
    ] = 0.2,
    bootstrap: Annotated[int, typer.Option(help="Draws behind the intervals.", min=19)] = 199,
    seed: Annotated[int, typer.Option(help="Of the draws.")] = 0,
    rays_table: Annotated[
        Path | None,
        typer.Option(help="Where every ray's breaks and intervals go: .csv or .parquet"),
    ] = None,
    crs: Crs = None,
    language: Words = Language.zh,
    as_json: AsJson = False,
) -> None:
    """Find the fringe between where the town's lights, buildings and shops begin to fall off and where they have fallen.

    两断点法：由夜光、建成区和兴趣点密度识别城区、城乡结合部及其不确定带。

    Polygons of type core, fringe, and inner_band and outer_band, in which each border lies by its 95 % intervals. Rasters of
    different making are resampled to the cells of the first, which is said. Where places are only known inside the city, say so
    with --within, or the end of the data looks like the end of the town.

    \b
    Examples:
      gisgrid zones breaks --lights viirs.tif --built built.tif --poi poi.gpkg --within communities.gpkg -o fringe.gpkg
      gisgrid zones breaks --lights viirs.tif --centres towns.gpkg --rays-table rays.csv -o fringe.gpkg
    """  # noqa: D301 - the backslash keeps the examples' lines
    from gisgrid.cli.outcomes import finish, working
    from gisgrid.cli.zones import breaks as work

    request = work.BreaksRequest(
        output=output, lights=lights, built=built, poi=poi, weights=tuple(weight or ()), centres=centres, within=within, cell_m=cell_m, reach_m=reach_m,
        rays=rays, min_r2=min_r2, min_drop=min_drop, bootstrap=bootstrap, seed=seed, rays_table=rays_table, crs=crs,
    )  # fmt: skip
    with working("zones breaks", language.value) as progress:
        done = work.breaks(request, progress=progress)
    finish(done, language=language.value, as_json=as_json)


def statistics(
    *,
    areas: Annotated[
        str, typer.Argument(metavar="AREAS[#LAYER]", help="Polygons; they may overlap.")
    ],
    raster: Annotated[
        str, typer.Argument(metavar="RASTER", help="A raster: a file, or the address of a COG.")
    ],
    output: LayerOutput,
    statistic: Annotated[
        list[str] | None,
        typer.Option(
            help="mean, sum, min, max, stdev, median, variety or majority; repeat for more.",
            show_default="mean",
        ),
    ] = None,
    by_centre: Annotated[
        bool,
        typer.Option(
            "--by-centre", help="Count cells whole by their centre, not by their exact share."
        ),
    ] = False,
    nodata: Annotated[
        float | None,
        typer.Option(help="The value that means 'no data', where the raster does not declare it."),
    ] = None,
    crs: Crs = None,
    language: Words = Language.zh,
    as_json: AsJson = False,
) -> None:
    """Summarise the cells of a raster in each area, by the exact share of each cell.

    分区统计：按像元落在区域内的准确比例（或按像元中心）统计。

    Areas are brought to the raster's CRS, never the raster to theirs. A value that looks like an undeclared 'no data' is
    named; --nodata leaves it out.

    \b
    Examples:
      gisgrid zones statistics communities.gpkg population.tif --statistic sum -o population.csv
      gisgrid zones statistics tracts.gpkg impervious.tif --by-centre --nodata 250 -o tracts.gpkg
    """  # noqa: D301 - the backslash keeps the examples' lines
    from gisgrid.cli.outcomes import finish, working
    from gisgrid.cli.zones import rasters

    request = rasters.StatisticsRequest(
        areas=areas, raster=raster, output=output, statistics=tuple(statistic or ("mean",)), rule="centre" if by_centre else "share",
        nodata=nodata, crs=crs,
    )  # fmt: skip
    with working("zones statistics", language.value) as progress:
        done = rasters.statistics(request, progress=progress)
    finish(done, language=language.value, as_json=as_json)
