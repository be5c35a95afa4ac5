"""How thick do the incidents lie on the ground?"""

from __future__ import annotations

import geopandas as gpd

from gisgrid.analysis import kernel_density
from gisgrid.catalogue import Derivation
from gisgrid.derived.incidents import reported
from gisgrid.derived.notes import IN_NO_AREA, left_out
from gisgrid.join import assign_units


def issue_density(
    issues: gpd.GeoDataFrame, area: gpd.GeoDataFrame, *, cell_m: float, bandwidth_m: float
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
    counted = reported(issues, area)
    incidents = counted.incidents
    inside = assign_units(incidents, {}, zones={"inside": area})["inside"]
    west, south, east, north = area.total_bounds
    margin = bandwidth_m + 2 * cell_m
    surface = kernel_density(
        incidents[inside],
        cell_m=cell_m,
        bandwidth_m=bandwidth_m,
        bbox=(west - margin, south - margin, east + margin, north + margin),
    )
    excluded = {**counted.excluded, IN_NO_AREA: (~inside).sum()}
    return Derivation(surface, left_out(excluded), counted.notes)
