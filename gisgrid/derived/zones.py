"""In which zone is each unit, and each report: urban village, suburban village, fringe or the rest?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from gisgrid.catalogue import Derivation
from gisgrid.crs import require_metres
from gisgrid.derived.incidents import demand, names_of
from gisgrid.derived.notes import Note, left_out
from gisgrid.errors import InputError
from gisgrid.zones import zone_shares

ZONES: Final = ("urban_village", "suburban_village", "fringe")
"""The types of zones that layers are given for."""

WITHOUT_PLACE: Final = "reports without a place, whose zone is not known"
EMPTY_ZONES: Final = "zones without any ground"
_CORNERS: Final = 8  # of a quarter of the circle: its area is right to 0.7 %, its shares to less


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
    crs = require_metres(units, what="shares of ground", name="units")
    zones, excluded, notes = _together(crs, urban_villages, suburban_villages, fringe_zones)
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
    frames = urban_villages, suburban_villages, fringe_zones
    shares, excluded, notes = _reported(issues, frames, error_m)
    points = issues.to_crs(fringe_zones.crs)
    return Derivation(gpd.GeoDataFrame(points.join(shares)), excluded, notes)


def issue_zones(
    issues: gpd.GeoDataFrame,
    urban_villages: gpd.GeoDataFrame,
    suburban_villages: gpd.GeoDataFrame,
    fringe_zones: gpd.GeoDataFrame,
    *,
    key: str,
    error_m: float = 20.0,
) -> Derivation:
    """Say in which zone each report is, as a table without their places.

    Parameters
    ----------
    issues, urban_villages, suburban_villages, fringe_zones, error_m
        As for `report_zones`.
    key
        The column that names a report.

    Returns
    -------
    Derivation
        One row per report: `key`, `share_urban_village` and so on, `zone_type`, `confidence`; missing where a report has no
        place.

    Raises
    ------
    CrsError, InputError
        As for `report_zones`.
    ColumnError
        No such key.
    """
    demand(issues, "issues", key)
    shares, excluded, notes = _reported(
        issues, (urban_villages, suburban_villages, fringe_zones), error_m
    )
    return Derivation(pd.DataFrame(issues[[key]]).join(shares), excluded, notes)


def _reported(
    issues: gpd.GeoDataFrame, frames: tuple[gpd.GeoDataFrame, ...], error_m: float
) -> tuple[pd.DataFrame, Mapping[str, int], tuple[str, ...]]:
    if not error_m > 0:
        raise InputError(
            f"error_m is {error_m:g} and no place is known exactly; give for example 20"
        )
    crs = require_metres(frames[-1], what="shares of ground", name="fringe_zones")
    points = issues.geometry.to_crs(crs)
    zones, excluded, notes = _together(crs, *frames)
    circles = _circles(points.to_numpy(), zones.geometry.to_numpy(), error_m)
    shares = _shares(gpd.GeoDataFrame(geometry=circles, index=points.index, crs=crs), zones)
    unknown = int(shares["zone_type"].isna().sum())
    return shares, {**excluded, **left_out({WITHOUT_PLACE: unknown})}, tuple(notes)


def _circles(
    points: NDArray[np.object_], zones: NDArray[np.object_], error_m: float
) -> NDArray[np.object_]:
    """Draw a circle around each point that has a border near; the others are where they are."""
    borders = shapely.STRtree(shapely.get_parts(shapely.boundary(shapely.make_valid(zones))))
    near = np.unique(borders.query(points, predicate="dwithin", distance=error_m)[0])
    circles = points.copy()
    circles[near] = shapely.buffer(points[near], error_m, quad_segs=_CORNERS)
    return circles


def _shares(units: gpd.GeoDataFrame, zones: gpd.GeoDataFrame) -> pd.DataFrame:
    found = zone_shares(units, zones)
    for name in ZONES:
        if f"share_{name}" not in found:
            found[f"share_{name}"] = 0.0
    shares = [f"share_{name}" for name in (*ZONES, "rest")]
    return found[[*shares, "zone_type", "confidence"]]


def _together(
    crs: CRS, *frames: gpd.GeoDataFrame
) -> tuple[gpd.GeoDataFrame, Mapping[str, int], list[str]]:
    """Put the zones into one frame; those without ground are counted and left out."""
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
