"""Where do the main streets run: a bent grid in the middle, rings, radials, and roads between the villages."""

from __future__ import annotations

import numpy as np
import shapely
from shapely import LineString

from gisgrid.testing.ground import Floats, Ground, rotate, settled

INNER_RING_M, OUTER_RING_M, BYPASS_M = 2_900.0, 4_700.0, 6_600.0
_INNER_POWER, _OUTER_POWER, _BYPASS_POWER = 3.2, 2.7, 2.3
_FAR_M = 13_000.0
_LEAST_STREET_M = 250.0


def main_streets(ground: Ground, rng: np.random.Generator) -> list[LineString]:
    """Draw the main streets inside the city's outline.

    Parameters
    ----------
    ground
        The outline and the bend.
    rng
        The source of chance.

    Returns
    -------
    list of LineString
        Each is one street, metres from the city's middle.
    """
    drawn = [*_grid(rng), *_rings(rng), *_radials(rng), *_links(rng)]
    bent = [
        LineString(
            ground.bend(
                rotate(shapely.get_coordinates(shapely.segmentize(line, 90.0)), ground.turn)
            )
        )
        for line in drawn
    ]
    parts = shapely.get_parts(shapely.intersection(np.array(bent), ground.outline))
    return [part for part in parts if part.length > _LEAST_STREET_M]


def _grid(rng: np.random.Generator) -> list[LineString]:
    """Two sets of parallels; every second one goes on to the outer ring, some of the others end half-way."""
    lines = []
    places = [_places(rng, 0.86 * INNER_RING_M) for _ in range(2)]
    for axis in (0, 1):
        middle = min(places[1 - axis], key=abs)
        for rank, place in enumerate(places[axis]):
            long = rank % 2 == 1
            radius, power = (OUTER_RING_M, _OUTER_POWER) if long else (INNER_RING_M, _INNER_POWER)
            reach = _reach(place, radius, power) + 25.0
            low, high = -reach, reach
            if not long and rng.random() < 0.4:
                low, high = (low, middle + 8.0) if rng.random() < 0.5 else (middle - 8.0, high)
            along = np.array([low, high])
            across = np.array([place, place])
            lines.append(
                LineString(np.column_stack([along, across] if axis == 0 else [across, along]))
            )
    return lines


def _places(rng: np.random.Generator, reach: float) -> list[float]:
    places = [float(rng.uniform(-120, 120))]
    while places[-1] < reach:
        places.append(places[-1] + float(rng.uniform(620, 1_050)))
    while places[0] > -reach:
        places.insert(0, places[0] - float(rng.uniform(620, 1_050)))
    return [place for place in places if abs(place) < reach]


def _reach(place: float, radius: float, power: float) -> float:
    """How far a line beside the middle runs before it meets a ring."""
    return float(radius * (1 - min(abs(place) / radius, 0.999) ** power) ** (1 / power))


def _ring_radius(angle: Floats, radius: float, power: float) -> Floats:
    """Distance of a rounded square from the middle."""
    return np.asarray(
        radius / (np.abs(np.cos(angle)) ** power + np.abs(np.sin(angle)) ** power) ** (1 / power)
    )


def _rings(rng: np.random.Generator) -> list[LineString]:
    start = rng.uniform(0, 2 * np.pi)
    turn = np.linspace(0, 2 * np.pi, 160)
    part = start + np.linspace(0, 2 * np.pi - rng.uniform(1.0, 1.8), 160)
    return [
        _polar(_ring_radius(turn, INNER_RING_M, _INNER_POWER), turn),
        _polar(_ring_radius(turn, OUTER_RING_M, _OUTER_POWER), turn),
        _polar(_ring_radius(part, BYPASS_M, _BYPASS_POWER), part),
    ]


def _radials(rng: np.random.Generator) -> list[LineString]:
    lines = []
    n = 12
    for i in range(n):
        diagonal = i % 3 == 1
        angle = (
            2
            * np.pi
            * (i + 0.5 + (rng.uniform(-0.1, 0.1) if diagonal else rng.uniform(-0.25, 0.25)))
            / n
        )
        ring = (INNER_RING_M, _INNER_POWER) if diagonal else (OUTER_RING_M, _OUTER_POWER)
        begin = float(_ring_radius(np.array([angle]), *ring)[0]) - 20.0
        radius = np.linspace(begin, _FAR_M, 60)
        swing = rng.normal(0, 0.09) * (radius - begin) / 6_000
        lines.append(_polar(radius, angle + swing))
    return lines


def _links(rng: np.random.Generator) -> list[LineString]:
    """Country roads from radial to radial beyond the bypass."""
    lines = []
    first = rng.uniform(0, 2 * np.pi)
    for i in range(4):
        angle = (
            first
            + np.pi / 2 * (i + rng.uniform(-0.12, 0.12))
            + np.linspace(0, rng.uniform(0.6, 1.1), 30)
        )
        radius = _ring_radius(angle, BYPASS_M, _BYPASS_POWER) + rng.uniform(1_150, 1_700)
        lines.append(_polar(radius, angle))
    return lines


def _polar(radius: Floats, angle: Floats) -> LineString:
    return LineString(settled(np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])))
