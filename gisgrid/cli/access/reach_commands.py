"""`gisgrid access coverage`, `areas` and `catchments`: what can be asked for."""

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
from gisgrid.cli.options import Crs, LayerOutput, Words

# ruff: noqa: PLC0415 - a command's libraries load when it runs, so that --help does not wait for them


class Decay(StrEnum):
    """How much less a facility counts the farther it is."""

    none = "none"
    steps = "steps"
    gaussian = "gaussian"


def coverage(  # one parameter per option
    *,
    places: Places,
    facilities: Facilities = None,
    streets: Streets = None,
    output: LayerOutput,
    residents: Residents = None,
    standards: Annotated[
        Path | None,
        typer.Option(
            help="TOML of a city's own standards.", show_default="those of Chinese cities"
        ),
    ] = None,
    standard: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID", help="Only this standard, for example toilet_walk_300; repeat for more."
        ),
    ] = None,
    units: Annotated[
        str | None,
        typer.Option(
            metavar="FILE[#LAYER]",
            help="Add up who is left out in these units, too: written beside as OUT.units.SUFFIX.",
        ),
    ] = None,
    units_key: Annotated[str | None, typer.Option(help="Column of the units' codes.")] = None,
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
    """Ask of every place whether it reaches what the standards demand, and how many people are left out.

    按标准逐项判断每个居住点是否够得到设施、相距多远、多少人未覆盖。

    Standards are declared data: a radius, a walk along the streets, or minutes on foot. Facilities that the data hold none of
    leave nobody out: nothing is known about them.

    \b
    Examples:
      gisgrid access coverage compounds.gpkg facilities.gpkg streets.gpkg --residents population -o covered.gpkg
      gisgrid access coverage compounds.gpkg --osm city.osm.pbf --standard toilet_300 --units communities.gpkg -o covered.gpkg
      gisgrid access coverage homes.csv toilets.csv streets.gpkg --standards our-city.toml --speed-kmh 3.6 -o covered.csv
    """  # noqa: D301 - the backslash keeps the examples' lines
    from gisgrid.cli.access import reach
    from gisgrid.cli.access.ground import Ground
    from gisgrid.cli.outcomes import finish, working

    ground = Ground(
        facilities=facilities, streets=streets, osm=osm, kind=kind, only=tuple(only or ()), barriers=barriers, oneway=oneway, level=level,
        snap_m=snap_m, off_street_m=off_street_m, speed_kmh=speed_kmh, crs=crs,
    )  # fmt: skip
    request = reach.CoverageRequest(
        places=places, output=output, ground=ground, residents=residents, standards=standards, standard=tuple(standard or ()), units=units,
        units_key=units_key,
    )  # fmt: skip
    with working("access coverage", language.value) as progress:
        done = reach.coverage(request, progress=progress)
    finish(done, language=language.value, as_json=as_json)


def areas(  # one parameter per option
    *,
    facilities: Facilities = None,
    streets: Streets = None,
    output: LayerOutput,
    limit_m: Annotated[
        list[float] | None,
        typer.Option(help="Length of the walk, metres; repeat for more.", show_default="300"),
    ] = None,
    minutes: Annotated[
        list[float] | None, typer.Option(help="… or its minutes; repeat for more.")
    ] = None,
    facility_kind: OfKind = None,
    each: Annotated[
        bool,
        typer.Option("--each", help="An area for every facility, too: where it is the nearest."),
    ] = False,
    beside_m: Annotated[
        float, typer.Option(help="How far off the streets the area goes.", min=1)
    ] = 40.0,
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
    """Draw the ground from which a facility is within a walk.

    绘制服务范围：沿街步行一定距离或时间内能到达设施的范围。

    \b
    Examples:
      gisgrid access areas facilities.gpkg streets.gpkg --facility public_toilet --limit-m 300 --limit-m 500 -o areas.gpkg
      gisgrid access areas --osm city.osm.pbf --facility supermarket --minutes 15 --each -o areas.parquet
    """  # noqa: D301 - the backslash keeps the examples' lines
    from gisgrid.cli.access import reach
    from gisgrid.cli.access.ground import Ground
    from gisgrid.cli.outcomes import finish, working

    ground = Ground(
        facilities=facilities, streets=streets, osm=osm, kind=kind, only=tuple(only or ()), barriers=barriers, oneway=oneway, level=level,
        snap_m=snap_m, off_street_m=off_street_m, speed_kmh=speed_kmh, crs=crs,
    )  # fmt: skip
    request = reach.AreasRequest(
        output=output, ground=ground, limit_m=tuple(limit_m or ()), minutes=tuple(minutes or ()), facility_kind=facility_kind, each=each,
        beside_m=beside_m,
    )  # fmt: skip
    with working("access areas", language.value) as progress:
        done = reach.areas(request, progress=progress)
    finish(done, language=language.value, as_json=as_json)


def catchments(  # one parameter per option
    *,
    places: Places,
    facilities: Facilities = None,
    streets: Streets = None,
    output: LayerOutput,
    residents: Annotated[str, typer.Option(help="Column of the places' residents.")] = "population",
    supply: Annotated[
        str | None,
        typer.Option(
            help="Column of what a facility offers: seats, stalls; each offers 1 without."
        ),
    ] = None,
    facility_kind: OfKind = None,
    limit_m: Annotated[float, typer.Option(help="How far people walk.", min=1)] = 1000.0,
    decay: Annotated[
        Decay, typer.Option(help="How much less a facility counts the farther it is.")
    ] = Decay.none,
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
    """Share out what facilities offer among all who can reach them: two-step floating catchment areas.

    两步移动搜索法：把设施的供给分摊给够得到的居民，得到人均可达量（steps、gaussian 为增强型）。

    \b
    Examples:
      gisgrid access catchments compounds.gpkg facilities.gpkg streets.gpkg --facility elderly_day_care --supply beds -o beds.gpkg
      gisgrid access catchments homes.csv markets.csv streets.gpkg --decay gaussian --limit-m 1500 -o markets.csv
    """  # noqa: D301 - the backslash keeps the examples' lines
    from gisgrid.cli.access import reach
    from gisgrid.cli.access.ground import Ground
    from gisgrid.cli.outcomes import finish, working

    ground = Ground(
        facilities=facilities, streets=streets, osm=osm, kind=kind, only=tuple(only or ()), barriers=barriers, oneway=oneway, level=level,
        snap_m=snap_m, off_street_m=off_street_m, speed_kmh=speed_kmh, crs=crs,
    )  # fmt: skip
    request = reach.CatchmentsRequest(
        places=places, output=output, ground=ground, residents=residents, supply=supply, facility_kind=facility_kind, limit_m=limit_m,
        decay=decay.value,
    )  # fmt: skip
    with working("access catchments", language.value) as progress:
        done = reach.catchments(request, progress=progress)
    finish(done, language=language.value, as_json=as_json)
