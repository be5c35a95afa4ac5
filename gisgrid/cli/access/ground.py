"""What do all questions of access read: places, facilities, and streets to walk along?"""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
from pyproj import CRS

from gisgrid.access import (
    WalkingNetwork,
    read_osm_facilities,
    read_osm_streets,
    walking_network,
)
from gisgrid.cli.inputs import Inputs, require_column
from gisgrid.errors import InputError
from gisgrid.progress import Progress


@dataclass(frozen=True)
class Ground:
    """What the user said of streets, facilities and walking; the same for every question.

    Attributes
    ----------
    facilities, streets, osm
        Layers; what is not given is taken from the extract of OpenStreetMap.
    kind
        The column of the facilities' kind.
    only
        ``COLUMN=VALUE``: only such facilities.
    barriers, oneway, level
        What nobody crosses; columns of one-way streets and of bridges and tunnels.
    snap_m, off_street_m
        How near ends meet; how far from a street a place may lie.
    speed_kmh
        How fast people walk.
    crs
        Of layers that do not say theirs.
    """

    facilities: str | None = None
    streets: str | None = None
    osm: str | None = None
    kind: str = "kind"
    only: tuple[str, ...] = ()
    barriers: str | None = None
    oneway: str | None = None
    level: str | None = None
    snap_m: float = 1.0
    off_street_m: float = 200.0
    speed_kmh: float = 4.5
    crs: str | None = None


@dataclass(frozen=True, eq=False)
class Walked:
    """Streets and facilities as read.

    Attributes
    ----------
    network
        The streets.
    facilities
        In the same CRS; None where they are not asked for.
    off_street_m
        How far from a street a place may lie.
    """

    network: WalkingNetwork
    facilities: gpd.GeoDataFrame | None
    off_street_m: float

    @property
    def crs(self) -> CRS:
        """Of everything."""
        return CRS(self.network.segments.crs)

    @property
    def there(self) -> gpd.GeoDataFrame:
        """The facilities, where they were asked for."""
        assert self.facilities is not None  # noqa: S101 - read_ground(facilities=True) has them
        return self.facilities


def read_ground(
    ground: Ground, inputs: Inputs, progress: Progress, *, facilities: bool = True
) -> Walked:
    """Read the streets and the facilities.

    Parameters
    ----------
    ground
        What the user said.
    inputs
        Reads, and keeps the decisions.
    progress
        Told how far the work is.
    facilities
        Whether facilities are asked for.

    Returns
    -------
    Walked
        All in the CRS of the streets, metres.

    Raises
    ------
    InputError, ColumnError, CrsError
        A layer, a column or a CRS that cannot be used.
    """
    progress("reading", 0.0)
    if ground.streets is None and ground.osm is None:
        raise InputError("nobody walks without streets; give STREETS, or an extract with --osm")
    if facilities and ground.facilities is None and ground.osm is None:
        raise InputError(
            "nothing can be reached without facilities; give FACILITIES, or an extract with --osm"
        )
    if ground.osm is not None:
        inputs.raster(ground.osm, "osm")
    streets, level = _streets(ground, inputs)
    crs = CRS(streets.crs)
    there = _facilities(ground, inputs, crs) if facilities else None
    barriers = (
        None if ground.barriers is None else inputs.frame(ground.barriers, "barriers", like=crs)
    )
    progress("reading", 1.0)
    progress("network", 0.0)
    network = walking_network(
        streets, barriers=barriers, oneway=ground.oneway, level=level, snap_m=ground.snap_m, speed_kmh=ground.speed_kmh
    )  # fmt: skip
    inputs.notes += network.notes
    walked = Walked(network, there, ground.off_street_m)
    if there is not None:
        say_off_streets(there, "facilities", "设施", walked, inputs)
    progress("network", 1.0)
    return walked


def read_places(
    place: str, role: str, zh: str, walked: Walked, inputs: Inputs, *, residents: str | None = None
) -> gpd.GeoDataFrame:  # fmt: skip
    """Read places in the CRS of the streets, and say how many are on no street.

    Parameters
    ----------
    place
        The layer.
    role, zh
        What they are called.
    walked, inputs
        The streets; reads, and keeps the decisions.
    residents
        The column of residents, which become numbers; those that are none are 0 and counted.

    Returns
    -------
    GeoDataFrame
        The places.

    Raises
    ------
    InputError, ColumnError, CrsError
        A layer, a column or a CRS that cannot be used.
    """
    frame = inputs.frame(place, role, like=walked.crs, shapes="points")
    if residents is not None:
        require_column(frame, residents, option="--residents", role=role)
        people = pd.to_numeric(frame[residents], errors="coerce")
        if unknown := int(people.isna().sum()):
            inputs.note(
                f"{unknown} 处没有人口数，按 0 人计",
                f"{unknown} {role} have no number of residents and count as 0",
            )
        if (people < 0).any():
            raise InputError(
                f"{int((people < 0).sum())} of {len(frame)} {role} have fewer than 0 residents (first: row {int(np.argmax(people < 0))}); mend the column {residents!r}"
            )
        frame = frame.assign(**{residents: people.fillna(0.0)})
    say_off_streets(frame, role, zh, walked, inputs)
    return frame


def say_off_streets(
    frame: gpd.GeoDataFrame, role: str, zh: str, walked: Walked, inputs: Inputs
) -> None:  # fmt: skip
    """Say how many places are far from any street, or on a part that is cut off.

    Parameters
    ----------
    frame
        Places in the CRS of the streets.
    role, zh
        What they are called.
    walked, inputs
        The streets; reads, and keeps the decisions.

    Raises
    ------
    InputError
        All of them are.
    """
    points = frame.set_geometry(frame.geometry.representative_point())
    segment = walked.network.at(points, within_m=walked.off_street_m)["segment"].to_numpy()
    off = int((segment < 0).sum())
    if off == len(frame):
        raise InputError(
            f"none of the {len(frame)} {role} is within {walked.off_street_m:g} m of a street, so nothing can be said of them; give the streets of the same "
            "city, check the CRS of both, or raise --off-street-m"
        )
    own = walked.network.segments["component"].to_numpy()
    apart = int((own[segment[segment >= 0]] > 0).sum())
    if off:
        inputs.note(
            f"{len(frame)} 处{zh}中有 {off} 处离任何街道超过 {walked.off_street_m:g} 米，不在路网上",
            f"{off} of {len(frame)} {role} are farther than {walked.off_street_m:g} m from any street and not on the network",
        )
    if apart:
        inputs.note(
            f"{apart} 处{zh}在与主路网不相通的部分上",
            f"{apart} {role} are on parts of the network that are cut off from the main one",
        )


def _streets(ground: Ground, inputs: Inputs) -> tuple[gpd.GeoDataFrame, str | None]:
    if ground.streets is None:
        assert ground.osm is not None  # noqa: S101 - one of both is given
        return read_osm_streets(ground.osm), ground.level or "level"
    streets = inputs.frame(ground.streets, "streets", metric=True, shapes="lines")
    for option, column in (("--oneway", ground.oneway), ("--level", ground.level)):
        if column is not None:
            require_column(streets, column, option=option, role="streets")
    return streets, ground.level


def _facilities(ground: Ground, inputs: Inputs, crs: CRS) -> gpd.GeoDataFrame:
    if ground.facilities is None:
        assert ground.osm is not None  # noqa: S101 - one of both is given
        found = read_osm_facilities(ground.osm, crs=crs)
        inputs.note(
            "设施取自 OpenStreetMap：图上没有的不等于实际没有",
            "facilities are those of OpenStreetMap: what is not mapped there may well be there",
        )
        if n_cut := found.attrs["n_cut"]:
            inputs.note(
                f"{n_cut} 个面状要素被提取范围切断，不成图形，未计入",
                f"{n_cut} areas are cut by the edge of the extract and no shapes any more; they are left out",
            )
        if found.empty:
            raise InputError(
                "the extract holds no facility that standards ask for; give FACILITIES"
            )
    else:
        found = inputs.frame(ground.facilities, "facilities", like=crs, shapes="points")
    for text in ground.only:
        column, sign, value = text.partition("=")
        if not sign:
            raise InputError(
                f"--only {text!r} says no value; write COLUMN=VALUE, for example status=open"
            )
        require_column(found, column, option="--only", role="facilities")
        kept = found[found[column].astype("str") == value].reset_index(drop=True)
        inputs.note(
            f"{len(found)} 个设施中 {len(kept)} 个 {text}，其余不计",
            f"{len(kept)} of {len(found)} facilities have {text}; the others are left out",
        )
        if kept.empty:
            raise InputError(
                f"none of the {len(found)} facilities has {text}; there are {', '.join(sorted(map(str, found[column].unique()))[:5])}"
            )
        found = kept
    return found
