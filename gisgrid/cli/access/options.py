"""Which options do the questions of access share?"""

from __future__ import annotations

from typing import Annotated

import typer

_WALK, _READ = "How people walk", "What is read"

Places = Annotated[
    str,
    typer.Argument(
        metavar="PLACES[#LAYER]",
        help="Where people live: compounds, or points (also a CSV with lon and lat).",
    ),
]
Facilities = Annotated[
    str | None,
    typer.Argument(
        metavar="[FACILITIES[#LAYER]]", help="Points with their kind; those of --osm without."
    ),
]
Streets = Annotated[
    str | None,
    typer.Argument(
        metavar="[STREETS[#LAYER]]",
        help="Middle lines of streets, alleys, paths; those of --osm without.",
    ),
]
Osm = Annotated[
    str | None,
    typer.Option(help="An extract of OpenStreetMap, .osm.pbf or .osm.", rich_help_panel=_READ),
]
Kind = Annotated[
    str, typer.Option("--kind", help="Column of the facilities' kind.", rich_help_panel=_READ)
]
OfKind = Annotated[
    str | None,
    typer.Option(
        "--facility",
        metavar="KIND",
        help="Only facilities of this kind, for example public_toilet.",
        rich_help_panel=_READ,
    ),
]
Only = Annotated[
    list[str] | None,
    typer.Option(
        metavar="COLUMN=VALUE",
        help="Only such facilities, for example status=open; repeat for more.",
        rich_help_panel=_READ,
    ),
]
Residents = Annotated[
    str | None,
    typer.Option(
        help="Column of the places' residents; each place counts one without.",
        rich_help_panel=_READ,
    ),
]
Barriers = Annotated[
    str | None,
    typer.Option(
        metavar="FILE[#LAYER]",
        help="Walls, railways, rivers that nobody crosses.",
        rich_help_panel=_WALK,
    ),
]
Oneway = Annotated[
    str | None,
    typer.Option(
        help="Column of STREETS: walked in the line's direction only.", rich_help_panel=_WALK
    ),
]
Level = Annotated[
    str | None,
    typer.Option(
        help="Column of STREETS that tells bridges and tunnels from the ground.",
        rich_help_panel=_WALK,
    ),
]
SnapM = Annotated[
    float, typer.Option(help="Ends of streets this near meet.", min=0, rich_help_panel=_WALK)
]
OffStreetM = Annotated[
    float,
    typer.Option(
        help="A place farther than this from every street is not on the network.",
        min=0,
        rich_help_panel=_WALK,
    ),
]
SpeedKmh = Annotated[float, typer.Option(help="How fast people walk.", rich_help_panel=_WALK)]
