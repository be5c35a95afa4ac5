"""Which blocks do the streets make of a community?

Streets are taken as a city draws them: with dead ends, with ends that stop short of the street they lead to, and with
borders that run along a street a few metres beside it.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import shapely

from gisgrid.grids.making.borders import Floats, Geometries, lies_in
from gisgrid.grids.making.noding import faces

_OVERSHOOT_M: Final = 0.5
"""How far a lengthened street runs past what it meets, so that the two surely cross."""
_LOOK_BACK_M: Final = 10.0
"""Over which length the direction of a street's end is taken."""


def blocks(
    ground: shapely.Polygon,
    streets: Geometries,
    *,
    outlines: Geometries,
    reach_m: float,
    near_m: float,
) -> Geometries:
    """Cut a piece of ground along the streets inside it.

    Parameters
    ----------
    ground
        What is cut, metres.
    streets
        Lines that may reach beyond the ground. What runs within `near_m` of the ground's edge is left out: the edge
        itself is the cut there.
    outlines
        Lines that cut wherever they are.
    reach_m
        A dead end is lengthened straight on, up to this far, if it then meets a street or the edge; it does not cut
        otherwise.
    near_m
        A dead end this near to a street or the edge is joined to it in any direction. Dead ends shorter than
        this are left out.

    Returns
    -------
    array of Polygon
        They tile the ground, with shared vertices.
    """
    edge = shapely.boundary(ground)
    inner = shapely.buffer(ground, -near_m, quad_segs=2)
    lines = shapely.intersection(streets, inner)
    lines = _lines(shapely.union_all([*lines, *shapely.intersection(outlines, ground)]))
    lines = _without_stubs(lines, edge, near_m)
    longer = _lengthened(lines, edge, reach_m=reach_m, near_m=near_m)
    found = faces(edge, np.concatenate([lines, longer]))
    inside: Geometries = found[lies_in(found, ground)]
    return inside


def _lines(network: shapely.Geometry) -> Geometries:
    """Take noded lines apart into stretches from junction to junction."""
    if network.geom_type == "MultiLineString":
        network = shapely.line_merge(network)
    parts = shapely.get_parts(network)
    lines: Geometries = parts[(shapely.get_dimensions(parts) == 1) & ~shapely.is_empty(parts)]
    return lines


def _dead_ends(lines: Geometries, edge: shapely.Geometry) -> tuple[Geometries, Geometries]:
    """Give the lines that lead to an end where nothing else is, each turned so that it leads there, and the ends."""
    there = np.concatenate([lines, shapely.reverse(lines)])
    ends = shapely.get_point(there, -1)
    _, place, n = np.unique(
        shapely.get_coordinates(ends), axis=0, return_inverse=True, return_counts=True
    )
    dead = (n[place.ravel()] == 1) & (shapely.distance(ends, edge) > 1e-9)
    return there[dead], ends[dead]


def _without_stubs(lines: Geometries, edge: shapely.Geometry, least_m: float) -> Geometries:
    dead, _ = _dead_ends(lines, edge)
    short = shapely.normalize(dead[shapely.length(dead) < least_m])
    stub = np.isin(shapely.to_wkb(shapely.normalize(lines)), shapely.to_wkb(short))
    return _lines(shapely.union_all(lines[~stub])) if stub.any() else lines


def _lengthened(
    lines: Geometries, edge: shapely.Geometry, *, reach_m: float, near_m: float
) -> Geometries:
    """Draw what is missing between dead ends and what they lead to."""
    dead, ends = _dead_ends(lines, edge)
    if len(dead) == 0:
        return dead
    back = shapely.get_coordinates(shapely.line_interpolate_point(dead, -_LOOK_BACK_M))
    end = shapely.get_coordinates(ends)
    ahead = _unit(end - back)
    goals = np.append(lines, edge)
    tree = shapely.STRtree(goals)
    start = end + 0.01 * ahead  # so that a street does not meet itself
    rays = shapely.linestrings(np.stack([start, end + reach_m * ahead], 1))
    ray, goal = tree.query(rays, predicate="intersects")
    way = np.full(len(dead), np.inf)
    met = shapely.distance(ends[ray], shapely.intersection(rays[ray], goals[goal]))
    np.minimum.at(way, ray, met)
    direction = ahead.copy()
    for i in np.flatnonzero(np.isinf(way)):
        others = goals[shapely.distance(goals, ends[i]) > 1e-9]
        to = shapely.get_coordinates(shapely.shortest_line(ends[i], shapely.union_all(others)))
        gap = to[1] - to[0]
        if 0 < (length := float(np.hypot(*gap))) <= 1.5 * near_m:
            way[i], direction[i] = length, gap / length
    meets = np.isfinite(way)
    to = end[meets] + (way[meets] + _OVERSHOOT_M)[:, None] * direction[meets]
    longer: Geometries = shapely.linestrings(np.stack([end[meets], to], 1))
    return longer


def _unit(vectors: Floats) -> Floats:
    length = np.hypot(vectors[:, 0], vectors[:, 1])
    unit: Floats = vectors / np.where(length > 0, length, 1.0)[:, None]
    return unit
