"""How thick do the incidents lie on the ground, and thicker than what would lead one to expect?"""

from __future__ import annotations

import math
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gisgrid.analysis import adaptive_bandwidth, kernel_density
from gisgrid.analysis import relative_risk as compared
from gisgrid.analysis.surfaces.relative import Comparison
from gisgrid.catalogue import Derivation
from gisgrid.crs import require_metres
from gisgrid.derived.flags import numbers_of
from gisgrid.derived.incidents import reported
from gisgrid.derived.notes import IN_NO_AREA, NO_TIME, Note, heard, left_out
from gisgrid.derived.times import day_of
from gisgrid.errors import InputError
from gisgrid.join import assign_units
from gisgrid.schema import Text
from gisgrid.surface import Surface

LEAST_EXPECTED: Final = 5.0
"""A relative risk is told where so many incidents or more are expected within a bandwidth."""

_POINTS_ACROSS: Final = 3  # a unit's residents are spread over points this many to a bandwidth
_WIDEST: Final = 3.0  # times the pilot bandwidth
_NARROWEST: Final = 1 / 3


def issue_density(
    issues: gpd.GeoDataFrame,
    area: gpd.GeoDataFrame,
    *,
    cell_m: float,
    bandwidth_m: float,
    edge_correction: bool = False,
) -> Derivation:
    """Show how thick the incidents lie on the ground, as a surface in issues/km².

    Parameters
    ----------
    issues
        Points in any CRS, with `duplicate_of`; brought into the CRS of `area` where it differs.
    area
        The city, as areas in a projected CRS in metres. The surface covers its bounding box and a bandwidth around.
    cell_m
        Side of a cell, metres.
    bandwidth_m
        How far one incident spreads, metres.
    edge_correction
        Give what spreads beyond the border back to the ground inside: the border does not look empty, and there is no
        value outside.

    Returns
    -------
    Derivation
        A `Surface`; its sum times the area of a cell is the number of incidents inside the city.

    Raises
    ------
    CrsError
        A frame has no CRS, or `area` is not in metres.
    ColumnError
        A column is missing.
    """
    incidents, excluded, notes = _inside(issues, area)
    surface = kernel_density(
        incidents, cell_m=cell_m, bandwidth_m=bandwidth_m,
        bbox=None if edge_correction else _around(area, bandwidth_m + 2 * cell_m),
        within=_ground(area) if edge_correction else None,
    )  # fmt: skip
    return Derivation(surface, excluded, notes)


def adaptive_density(
    issues: gpd.GeoDataFrame,
    area: gpd.GeoDataFrame,
    *,
    cell_m: float,
    bandwidth_m: float,
    edge_correction: bool = False,
) -> Derivation:
    """Show how thick the incidents lie, sharply where they are many and smoothly where they are few.

    Parameters
    ----------
    issues
        Points in any CRS, with `duplicate_of`; brought into the CRS of `area` where it differs.
    area
        The city, as areas in a projected CRS in metres.
    cell_m
        Side of a cell, metres.
    bandwidth_m
        How far an incident spreads where they are as thick as usual, metres; a third of it at least, or a cell, and three
        times at most.
    edge_correction
        As for `issue_density`.

    Returns
    -------
    Derivation
        A `Surface` in issues/km².

    Raises
    ------
    CrsError
        A frame has no CRS, or `area` is not in metres.
    ColumnError
        A column is missing.
    InputError
        A bandwidth below a cell.

    Notes
    -----
    Abramson's rule: see `gisgrid.analysis.adaptive_bandwidth`.
    """
    incidents, excluded, notes = _inside(issues, area)
    said: list[str] = []
    with heard(said):
        bandwidth = adaptive_bandwidth(
            incidents, pilot_m=bandwidth_m,
            least_m=max(cell_m, bandwidth_m * _NARROWEST), most_m=bandwidth_m * _WIDEST,
        )  # fmt: skip
    widest = bandwidth_m * _WIDEST
    surface = kernel_density(
        incidents, cell_m=cell_m, bandwidth_m=bandwidth,
        bbox=None if edge_correction else _around(area, widest + 2 * cell_m),
        within=_ground(area) if edge_correction else None,
    )  # fmt: skip
    if len(bandwidth):
        text = Text(
            zh=f"带宽随密度变化：{bandwidth.min():.0f}–{bandwidth.max():.0f} 米，中位数 {bandwidth.median():.0f} 米",
            en=f"bandwidths from {bandwidth.min():.0f} to {bandwidth.max():.0f} m, {bandwidth.median():.0f} m in the middle",
        )
        said.append(Note.of(text))
    return Derivation(surface, excluded, (*notes, *said))


def resident_risk(
    issues: gpd.GeoDataFrame,
    units: gpd.GeoDataFrame,
    *,
    key: str,
    cell_m: float,
    bandwidth_m: float,
    population: str = "population",
    comparison: Comparison = "ratio",
) -> Derivation:
    """Show where there are more incidents than the residents would lead one to expect, as a surface.

    Parameters
    ----------
    issues
        Points in any CRS, with `duplicate_of`; brought into the CRS of `units` where it differs.
    units
        Areas in a projected CRS in metres, with `key` and `population`, whose residents are spread evenly over each.
    key
        The column that names a unit.
    cell_m
        Side of a cell, metres.
    bandwidth_m
        How far incidents and residents spread, metres.
    population
        The column of residents.
    comparison
        ``ratio`` (1 is as everywhere), ``log2_ratio``, ``rate`` or ``difference``.

    Returns
    -------
    Derivation
        A `Surface`, missing where fewer than 5 incidents are expected within a bandwidth, and outside.

    Raises
    ------
    CrsError
        A frame has no CRS, or `units` are not in metres.
    ColumnError
        A column is missing.
    InputError
        Nobody lives in the units, or no such comparison.

    Notes
    -----
    See `gisgrid.analysis.relative_risk`. It is no test.
    """
    incidents, excluded, notes = _inside(issues, units)
    people, weights = _spread(
        units, numbers_of(units, population, key=key), key=key, apart_m=max(cell_m, bandwidth_m / _POINTS_ACROSS)
    )  # fmt: skip
    surface, said = _risk(
        incidents,
        people,
        weights,
        units,
        cell_m=cell_m,
        bandwidth_m=bandwidth_m,
        comparison=comparison,
    )
    return Derivation(surface, excluded, (*notes, *said))


def earlier_risk(
    issues: gpd.GeoDataFrame,
    area: gpd.GeoDataFrame,
    *,
    since: str,
    timezone: str,
    cell_m: float,
    bandwidth_m: float,
    comparison: Comparison = "ratio",
) -> Derivation:
    """Show where a larger share of the incidents lies than lay there before a day, as a surface.

    Parameters
    ----------
    issues
        Points in any CRS, with `duplicate_of` and `reported_at`; brought into the CRS of `area` where it differs.
    area
        The city, as areas in a projected CRS in metres.
    since
        The first day of what is asked about, as ``2025-03-09``; incidents before it are what it is held against.
    timezone
        Where a day begins.
    cell_m
        Side of a cell, metres.
    bandwidth_m
        How far an incident spreads, metres.
    comparison
        ``ratio`` (1 is as everywhere), ``log2_ratio``, ``rate`` or ``difference``.

    Returns
    -------
    Derivation
        A `Surface`, missing where fewer than 5 incidents are expected within a bandwidth, and outside.

    Raises
    ------
    CrsError
        A frame has no CRS, or `area` is not in metres.
    ColumnError
        A column is missing.
    InputError
        There are no incidents on one side of the day, or no such comparison.
    """
    incidents, excluded, notes = _inside(issues, area, "reported_at")
    day = day_of(since, timezone=timezone)
    times = incidents["reported_at"]
    later, earlier = incidents[times >= day], incidents[times < day]
    if later.empty or earlier.empty:
        raise InputError(
            f"{since} leaves {len(earlier)} incidents before it and {len(later)} from it on, but both are needed; "
            "choose a day inside the period"
        )
    surface, said = _risk(
        later, earlier, None, area, cell_m=cell_m, bandwidth_m=bandwidth_m, comparison=comparison
    )
    excluded = left_out({**excluded, NO_TIME: int(times.isna().sum())})
    text = Text(
        zh=f"{since} 起的 {len(later)} 件与此前的 {len(earlier)} 件相比",
        en=f"{len(later)} incidents from {since} on are held against the {len(earlier)} before it",
    )
    return Derivation(surface, excluded, (*notes, Note.of(text), *said))


def report_risk(
    issues: gpd.GeoDataFrame,
    others: gpd.GeoDataFrame,
    area: gpd.GeoDataFrame,
    *,
    cell_m: float,
    bandwidth_m: float,
    comparison: Comparison = "ratio",
) -> Derivation:
    """Show where reports of one kind are thicker than others would lead one to expect, as a surface.

    Parameters
    ----------
    issues
        Points in any CRS, with `duplicate_of`; brought into the CRS of `area` where it differs.
    others
        What they are held against, likewise: all reports, those of last year, those of another class.
    area
        The city, as areas in a projected CRS in metres.
    cell_m
        Side of a cell, metres.
    bandwidth_m
        How far an incident spreads, metres.
    comparison
        ``ratio`` (1 is as everywhere), ``log2_ratio``, ``rate`` or ``difference``.

    Returns
    -------
    Derivation
        A `Surface`, missing where fewer than 5 incidents are expected within a bandwidth, and outside.

    Raises
    ------
    CrsError
        A frame has no CRS, or `area` is not in metres.
    ColumnError
        A column is missing.
    InputError
        There are no others in the area, or no such comparison.
    """
    incidents, excluded, notes = _inside(issues, area)
    against, _, _ = _inside(others, area)
    surface, said = _risk(
        incidents,
        against,
        None,
        area,
        cell_m=cell_m,
        bandwidth_m=bandwidth_m,
        comparison=comparison,
    )
    return Derivation(surface, excluded, (*notes, *said))


def _inside(
    issues: gpd.GeoDataFrame, area: gpd.GeoDataFrame, *columns: str
) -> tuple[gpd.GeoDataFrame, dict[str, int], tuple[str, ...]]:
    require_metres(area, what="a surface", name="area")
    counted = reported(issues, area, *columns)
    incidents = counted.incidents
    inside = assign_units(incidents, {}, zones={"inside": area})["inside"]
    excluded = {**counted.excluded, IN_NO_AREA: int((~inside).sum())}
    return incidents[inside], left_out(excluded), counted.notes


def _around(area: gpd.GeoDataFrame, margin: float) -> tuple[float, float, float, float]:
    west, south, east, north = area.total_bounds
    return west - margin, south - margin, east + margin, north + margin


def _ground(area: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(geometry=area.geometry.dropna().to_numpy(), crs=area.crs)


def _risk(
    cases: gpd.GeoDataFrame,
    against: gpd.GeoDataFrame,
    weights: pd.Series | None,
    area: gpd.GeoDataFrame,
    *,
    cell_m: float,
    bandwidth_m: float,
    comparison: Comparison,
) -> tuple[Surface, tuple[str, ...]]:
    """Divide one surface by the other where the other is thick enough."""
    whole = float(len(against) if weights is None else weights.sum())
    if not len(cases) or not whole > 0:
        raise InputError(
            f"{len(cases)} incidents against {whole:g} of what they are held against say nothing; give both in the area"
        )
    ground = _ground(area)
    surfaces = [
        kernel_density(points, cell_m=cell_m, bandwidth_m=bandwidth_m, within=ground, weights=each)
        for points, each in ((cases, None), (against, weights))
    ]
    reach_km2 = math.pi * (bandwidth_m / 1000) ** 2
    floor = LEAST_EXPECTED / reach_km2 * whole / len(cases)
    notes: list[str] = []
    with heard(notes):
        made = compared(*surfaces, floor=floor, comparison=comparison)
    told = float(np.isfinite(made.values).sum() / max(1, np.isfinite(surfaces[0].values).sum()))
    text = Text(
        zh=f"带宽内期望不足 {LEAST_EXPECTED:g} 件的地方不给出数值；有数值的占范围的 {told:.0%}",
        en=f"there is no value where fewer than {LEAST_EXPECTED:g} incidents are expected within a bandwidth; {told:.0%} of the area has one",
    )
    return made, (Note.of(text), *notes)


def _spread(
    units: gpd.GeoDataFrame, residents: pd.Series, *, key: str, apart_m: float
) -> tuple[gpd.GeoDataFrame, pd.Series]:
    """Spread residents evenly over points within their units; a unit too small for one has one all the same."""
    west, south, east, north = units.total_bounds
    x, y = np.meshgrid(
        np.arange(west + apart_m / 2, east, apart_m), np.arange(south + apart_m / 2, north, apart_m)
    )
    points = gpd.GeoDataFrame(geometry=gpd.points_from_xy(x.ravel(), y.ravel()), crs=units.crs)
    codes = assign_units(points, {key: units})[key]
    points, codes = points[codes.notna()], codes.dropna()
    empty = ~units[key].isin(codes) & units.geometry.notna()
    lone = gpd.GeoDataFrame(
        geometry=shapely.point_on_surface(units.geometry[empty].to_numpy()), crs=units.crs
    )
    points = pd.concat([points, lone], ignore_index=True)
    codes = pd.concat([codes, units[key][empty]], ignore_index=True)
    share = residents.fillna(0) / codes.value_counts().reindex(residents.index)
    return gpd.GeoDataFrame(points), codes.map(share).fillna(0).astype(float)
