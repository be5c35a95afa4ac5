"""In which zone is each unit, and each report: urban village, suburban village, fringe or the rest?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import geopandas as gpd
import pandas as pd
import shapely

from gisgrid.catalogue import Derivation
from gisgrid.crs import require_metres
from gisgrid.derived.incidents import demand, names_of
from gisgrid.derived.notes import Note, left_out
from gisgrid.errors import InputError
from gisgrid.zones import zone_shares

ZONES: Final = ("urban_village", "suburban_village", "fringe")
"""The types of zones that layers are given for."""

EMPTY_ZONES: Final = "zones without any ground"
_CORNERS: Final = 16


def zone_units(
    units: gpd.GeoDataFrame,
    urban_villages: gpd.GeoDataFrame,
    suburban_villages: gpd.GeoDataFrame,
    fringe_zones: gpd.GeoDataFrame,
    *,
    key: str,
) -> Derivation:
    """Say which share of each unit lies in which zone, which zone it is, and how clear that is.

    Parameters
    ----------
    units
        Areas with `key`, in a projected CRS in metres.
    urban_villages, suburban_villages, fringe_zones
        The polygons that the city keeps, in any CRS.
    key
        The column that names a unit.

    Returns
    -------
    Derivation
        One row per unit, in their order: `key`, names, `population` where there is one, `share_urban_village`,
        `share_suburban_village`, `share_fringe`, `share_rest` (0 to 1; where zones overlap, ground counts for both),
        `zone_type` (what most of the unit is, else ``rest``), `confidence` (its lead over the next).

    Raises
    ------
    CrsError
        A frame has no CRS, or units are not in metres.
    ColumnError
        No such key.

    Notes
    -----
    By the exact share of the ground, never by a centroid; see `gisgrid.zones.zone_shares`.
    """
    demand(units, "units", key)
    zones, excluded, notes = _together(units, urban_villages, suburban_villages, fringe_zones)
    shares = _shares(units, zones)
    unclear = int((shares["confidence"] < 0.2).sum())
    notes.append(
        Note(
            f"{unclear} of {len(units)} units are split so evenly that their zone is a matter of a fifth of their ground",
            f"{len(units)} 个单元中有 {unclear} 个，其类别只差不到五分之一的面积",
        )
    )
    columns = [key, *names_of(map(str, units.columns))]
    if "population" in units.columns:
        columns.append("population")
    table = pd.DataFrame(units[columns]).join(shares)
    return Derivation(gpd.GeoDataFrame(table, geometry=units.geometry), excluded, tuple(notes))


def report_zones(
    issues: gpd.GeoDataFrame,
    urban_villages: gpd.GeoDataFrame,
    suburban_villages: gpd.GeoDataFrame,
    fringe_zones: gpd.GeoDataFrame,
    *,
    error_m: float = 20.0,
) -> Derivation:
    """Say in which zone each report is, as far as its place is known.

    Parameters
    ----------
    issues
        Points in any CRS; brought into that of the fringe, which is in metres.
    urban_villages, suburban_villages, fringe_zones
        The polygons that the city keeps.
    error_m
        How far off a report may lie: its zone is the one with most of the circle of this radius, above 0.

    Returns
    -------
    Derivation
        One row per report with its geometry, in their order, their columns and `share_urban_village` and so on,
        `zone_type` and `confidence`, as for `zone_units`.

    Raises
    ------
    CrsError
        A frame has no CRS, or the fringe is not in metres.
    InputError
        A radius that is not above 0.
    """
    if not error_m > 0:
        raise InputError(
            f"error_m is {error_m:g} and no place is known exactly; give for example 20"
        )
    crs = require_metres(fringe_zones, what="shares of ground", name="fringe_zones")
    points = issues.to_crs(crs)
    zones, excluded, notes = _together(points, urban_villages, suburban_villages, fringe_zones)
    circles = shapely.buffer(points.geometry.to_numpy(), error_m, quad_segs=_CORNERS)
    shares = _shares(points.set_geometry(gpd.GeoSeries(circles, points.index, crs=crs)), zones)
    return Derivation(gpd.GeoDataFrame(points.join(shares)), excluded, tuple(notes))


def _shares(units: gpd.GeoDataFrame, zones: gpd.GeoDataFrame) -> pd.DataFrame:
    found = zone_shares(units, zones)
    for name in ZONES:
        if f"share_{name}" not in found:
            found[f"share_{name}"] = 0.0
    shares = [f"share_{name}" for name in (*ZONES, "rest")]
    return found[[*shares, "zone_type", "confidence"]]


def _together(
    units: gpd.GeoDataFrame, *frames: gpd.GeoDataFrame
) -> tuple[gpd.GeoDataFrame, Mapping[str, int], list[str]]:
    """Put the zones into one frame in the CRS of the units; those without ground are counted and left out."""
    crs = require_metres(units, what="shares of ground", name="units")
    parts, notes, n_empty, n_mended = [], list[str](), 0, 0
    for name, frame in zip(ZONES, frames, strict=True):
        drawn = frame.geometry.to_crs(crs)
        shapes = drawn.to_numpy()
        n_mended += int((~shapely.is_valid(shapes) & ~shapely.is_missing(shapes)).sum())
        there = shapely.area(shapely.make_valid(shapes)) > 0
        n_empty += int((~there).sum())
        parts.append(
            gpd.GeoDataFrame(
                {"zone_type": [name] * int(there.sum())}, geometry=drawn[there].to_numpy(), crs=crs
            )
        )
    if n_mended:
        notes.append(
            Note(
                f"{n_mended} zones crossed themselves and were mended",
                f"{n_mended} 个区域自相交，已修复",
            )
        )
    zones = gpd.GeoDataFrame(pd.concat(parts, ignore_index=True), crs=crs)
    return zones, left_out({EMPTY_ZONES: n_empty}), notes
