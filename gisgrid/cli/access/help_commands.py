"""`gisgrid access sites`, `renewal`, `density` and `runs`: what can be asked for."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from gisgrid.cli.access.options import (
    Barriers,
    Facilities,
    Kind,
    Level,
    OffStreetM,
    OfKind,
    Oneway,
    Only,
    Osm,
    Places,
    Residents,
    SnapM,
    SpeedKmh,
    Streets,
)  # fmt: skip
from gisgrid.cli.commands import AsJson, Language
from gisgrid.cli.options import Crs, LayerOutput, TableOutput, Words

# ruff: noqa: PLC0415 - a command's libraries load when it runs, so that --help does not wait for them

StandardsFile = Annotated[
    Path | None,
    typer.Option(
        "--standards",
        help="TOML of a city's own standards.",
        show_default="those of Chinese cities",
    ),
]


class Aim(StrEnum):
    """What a site is chosen for."""

    coverage = "coverage"
    p_median = "p-median"


def sites(  # one parameter per option
    *,
    places: Places,
    candidates: Annotated[
        str, typer.Argument(metavar="CANDIDATES[#LAYER]", help="Where a facility could be built.")
    ],
    streets: Streets = None,
    output: LayerOutput,
    existing: Annotated[
        str | None,
        typer.Option(metavar="FILE[#LAYER]", help="Facilities that are there already."),
    ] = None,
    residents: Residents = None,
    facility_kind: OfKind = None,
    n: Annotated[int, typer.Option("--n", help="How many are built.", min=1)] = 1,
    limit_m: Annotated[
        float, typer.Option(help="Who has one within this walk is served.", min=1)
    ] = 500.0,
    aim: Annotated[
        Aim, typer.Option(help="Most residents served, or the fewest metres walked by all.")
    ] = Aim.coverage,
    time_limit_s: Annotated[
        float, typer.Option(help="How long the exact solver may take.", min=0)
    ] = 20.0,
    osm: Osm = None,
    kind: Kind = "kind",
    only: Only = None,
    barriers: Barriers = None,
    oneway: Oneway = None,
    level: Level = None,
    snap_m: SnapM = 1.0,
    off_street_m: OffStreetM = 200.0,
    speed_kmh: SpeedKmh = 4.5,
    crs: Crs = None,
    language: Words = Language.zh,
    as_json: AsJson = False,
) -> None:
    """Find where one more facility, or several, would help most, and how sure that is.

    增设选址：在备选地点中找出最能帮助居民的一处或几处，并说明离最优还有多远。

    Exact by HiGHS; where that does not finish in time the gap is reported, or a greedy exchange is taken, and said.

    \b
    Examples:
      gisgrid access sites compounds.gpkg lots.gpkg streets.gpkg --existing toilets.gpkg --residents population --n 3 -o next.gpkg
      gisgrid access sites homes.csv lots.csv --osm city.osm.pbf --aim p-median --limit-m 2000 --n 5 -o next.gpkg
    """  # noqa: D301 - the backslash keeps the examples' lines
    from gisgrid.cli.access import helping
    from gisgrid.cli.access.ground import Ground
    from gisgrid.cli.outcomes import finish, working

    ground = Ground(
        facilities=existing, streets=streets, osm=osm, kind=kind, only=tuple(only or ()), barriers=barriers, oneway=oneway, level=level,
        snap_m=snap_m, off_street_m=off_street_m, speed_kmh=speed_kmh, crs=crs,
    )  # fmt: skip
    request = helping.SitesRequest(
        places=places, candidates=candidates, output=output, ground=ground, residents=residents, facility_kind=facility_kind, n=n,
        limit_m=limit_m, aim="coverage" if aim is Aim.coverage else "p_median", time_limit_s=time_limit_s,
    )  # fmt: skip
    with working("access sites", language.value) as progress:
        done = helping.sites(request, progress=progress)
    finish(done, language=language.value, as_json=as_json)


def renewal(  # one parameter per option
    *,
    compounds: Annotated[
        str,
        typer.Argument(
            metavar="COMPOUNDS[#LAYER]",
            help="Old compounds, with a yes/no column for what they have themselves.",
        ),
    ],
    facilities: Facilities = None,
    streets: Streets = None,
    output: LayerOutput,
    residents: Residents = None,
    built_year: Annotated[
        str | None,
        typer.Option(
            help="Column of the year of building; all compounds are taken for old without."
        ),
    ] = None,
    before: Annotated[int, typer.Option(help="Old is what was built before this year.")] = 2000,
    standards: StandardsFile = None,
    osm: Osm = None,
    kind: Kind = "kind",
    only: Only = None,
    barriers: Barriers = None,
    oneway: Oneway = None,
    level: Level = None,
    snap_m: SnapM = 1.0,
    off_street_m: OffStreetM = 200.0,
    speed_kmh: SpeedKmh = 4.5,
    crs: Crs = None,
    language: Words = Language.zh,
    as_json: AsJson = False,
) -> None:
    """List what old compounds lack of the basic, improved and upgraded lists, the greatest need first.

    老旧小区设施缺口：按基础类、完善类、提升类清单列出缺项，最需要的排在前。

    \b
    Examples:
      gisgrid access renewal compounds.gpkg facilities.gpkg streets.gpkg --residents population --built-year built_year -o gaps.gpkg
      gisgrid access renewal compounds.gpkg --osm city.osm.pbf -o gaps.csv
    """  # noqa: D301 - the backslash keeps the examples' lines
    from gisgrid.cli.access import helping
    from gisgrid.cli.access.ground import Ground
    from gisgrid.cli.outcomes import finish, working

    ground = Ground(
        facilities=facilities, streets=streets, osm=osm, kind=kind, only=tuple(only or ()), barriers=barriers, oneway=oneway, level=level,
        snap_m=snap_m, off_street_m=off_street_m, speed_kmh=speed_kmh, crs=crs,
    )  # fmt: skip
    request = helping.RenewalRequest(
        compounds=compounds, output=output, ground=ground, residents=residents, built_year=built_year, before=before, standards=standards,
    )  # fmt: skip
    with working("access renewal", language.value) as progress:
        done = helping.renewal(request, progress=progress)
    finish(done, language=language.value, as_json=as_json)


def density(
    *,
    land: Annotated[
        str, typer.Argument(metavar="LAND[#LAYER]", help="Polygons with their land use.")
    ],
    facilities: Annotated[
        str, typer.Argument(metavar="FACILITIES[#LAYER]", help="Points with their kind.")
    ],
    output: TableOutput,
    land_use: Annotated[str, typer.Option(help="Column of the land use.")] = "land_use",
    kind: Kind = "kind",
    standards: StandardsFile = None,
    crs: Crs = None,
    language: Words = Language.zh,
    as_json: AsJson = False,
) -> None:
    """Count facilities per km² of each land use against the density that is demanded.

    按用地类型统计每平方公里设施数，与标准比较。

    \b
    Example:
      gisgrid access density land.gpkg facilities.gpkg -o density.csv
    """  # noqa: D301 - the backslash keeps the examples' lines
    from gisgrid.cli.access import helping
    from gisgrid.cli.outcomes import finish, working

    request = helping.DensityRequest(
        land=land, facilities=facilities, output=output, land_use=land_use, kind=kind, standards=standards, crs=crs
    )  # fmt: skip
    with working("access density", language.value) as progress:
        done = helping.density(request, progress=progress)
    finish(done, language=language.value, as_json=as_json)


def runs(
    *,
    streets: Annotated[
        str, typer.Argument(metavar="STREETS[#LAYER]", help="Middle lines of the streets.")
    ],
    facilities: Annotated[
        str,
        typer.Argument(metavar="FACILITIES[#LAYER]", help="Toilets, and signs that show the way."),
    ],
    output: LayerOutput,
    facility_kind: OfKind = None,
    kind: Kind = "kind",
    name: Annotated[
        str | None,
        typer.Option(help="Column of the streets' name: lines of one name are one street."),
    ] = None,
    longest_m: Annotated[float, typer.Option(help="How far one may walk without.", min=1)] = 500.0,
    beside_m: Annotated[
        float, typer.Option(help="How near to the street a facility is seen from it.", min=0)
    ] = 50.0,
    crs: Crs = None,
    language: Words = Language.zh,
    as_json: AsJson = False,
) -> None:
    """Find stretches of street along which one walks too far without passing a facility, or a sign to one.

    找出沿街超过一定距离（默认 500 米）没有公厕或指示牌的路段。

    \b
    Example:
      gisgrid access runs streets.gpkg facilities.gpkg --facility public_toilet --name name_zh -o runs.gpkg
    """  # noqa: D301 - the backslash keeps the examples' lines
    from gisgrid.cli.access import helping
    from gisgrid.cli.outcomes import finish, working

    request = helping.RunsRequest(
        streets=streets, facilities=facilities, output=output, facility_kind=facility_kind, kind=kind, name=name, longest_m=longest_m,
        beside_m=beside_m, crs=crs,
    )  # fmt: skip
    with working("access runs", language.value) as progress:
        done = helping.runs(request, progress=progress)
    finish(done, language=language.value, as_json=as_json)
