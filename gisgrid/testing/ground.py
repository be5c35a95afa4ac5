"""Where does the synthetic city lie: its outline, its river, how far it is built up, how far streets bend?

Everything is in metres from the city's middle; `ORIGIN` moves it to EPSG:4547.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString, Polygon

Floats = NDArray[np.float64]

ORIGIN = (500_000.0, 3_896_780.0)
"""Easting and northing (EPSG:4547) of the city's middle: 114° E, 35.2° N."""

HALF_WIDTH_M, HALF_HEIGHT_M = 9_000.0, 8_000.0
BUILT_UP_M = 6_000.0
RIVER_HALF_WIDTH_M = 62.0


def settled(xy: Floats) -> Floats:
    """Put what was reckoned on the millimetre: sines and products differ by a rounding from processor to processor.

    Where three drawn lines meet, that rounding would decide whether a sliver of ground lies between them; so the same
    seed would give another city on another machine.

    Parameters
    ----------
    xy
        Shape (n, 2), metres.

    Returns
    -------
    ndarray
        Shape (n, 2), metres, to three decimals.

    Examples
    --------
    >>> settled(np.array([[1.00004, 2.0]]))
    array([[1., 2.]])
    """
    return np.round(xy, 3)


@dataclass(frozen=True)
class Bend:
    """A smooth displacement that makes drawn lines look grown.

    Attributes
    ----------
    waves
        Shape (k, 6): wave vector x, y, phase, shift x, shift y (metres), spare.
    """

    waves: Floats

    def __call__(self, xy: Floats) -> Floats:
        """Move points, shape (n, 2), by a few hundred metres at most."""
        phase = xy @ self.waves[:, :2].T + self.waves[:, 2]
        return settled(xy + np.sin(phase) @ self.waves[:, 3:5])


@dataclass(frozen=True)
class Ground:
    """What is there before anyone draws a border.

    Attributes
    ----------
    outline
        The city's border.
    built_up
        The area that is built as a city.
    river, river_area
        Its middle line, from outside the outline to outside, and its water.
    bend
        How straight drawings are bent.
    turn
        The angle (radians) of the main grid to the north.
    """

    outline: Polygon
    built_up: Polygon
    river: LineString
    river_area: Polygon
    bend: Bend
    turn: float


def lay_ground(rng: np.random.Generator) -> Ground:
    """Lay the outline, the river and the extent of the built-up area.

    Parameters
    ----------
    rng
        The source of chance.

    Returns
    -------
    Ground
        In metres from the city's middle.
    """
    bend = _bend(rng)
    turn = float(rng.uniform(-0.22, 0.22))
    outline = _ring(rng, (HALF_WIDTH_M, HALF_HEIGHT_M), roughness=0.06, waves=range(2, 60), n=480)
    built_up = _ring(
        rng, (BUILT_UP_M * 1.06, BUILT_UP_M * 0.96), roughness=0.10, waves=range(2, 9), n=240
    )
    river = _river(rng, bend, turn)
    return Ground(
        outline=outline,
        built_up=built_up,
        river=river,
        river_area=shapely.buffer(river, RIVER_HALF_WIDTH_M, cap_style="flat", join_style="round"),
        bend=bend,
        turn=turn,
    )


def rotate(xy: Floats, angle: float) -> Floats:
    """Turn points about the city's middle.

    Parameters
    ----------
    xy
        Shape (n, 2), metres from the middle.
    angle
        Radians, counter-clockwise.

    Returns
    -------
    ndarray
        Shape (n, 2), to the millimetre.

    Examples
    --------
    >>> rotate(np.array([[1.0, 0.0]]), np.pi / 2)
    array([[0., 1.]])
    """
    cos, sin = np.cos(angle), np.sin(angle)
    return settled(xy @ np.array([[cos, sin], [-sin, cos]]))


def _bend(rng: np.random.Generator) -> Bend:
    waves = []
    for length_m, shift_m, k in ((9_000, 130, 3), (4_500, 70, 4), (1_700, 22, 5), (800, 7, 4)):
        for _ in range(k):
            way, shift_way = rng.uniform(0, 2 * np.pi, 2)
            number = 2 * np.pi / (length_m * rng.uniform(0.8, 1.25))
            waves.append(
                (
                    number * np.cos(way),
                    number * np.sin(way),
                    rng.uniform(0, 2 * np.pi),
                    shift_m * np.cos(shift_way),
                    shift_m * np.sin(shift_way),
                    0.0,
                )
            )
    return Bend(np.array(waves))


def _ring(
    rng: np.random.Generator,
    half_size: tuple[float, float],
    *,
    roughness: float,
    waves: range,
    n: int,
) -> Polygon:
    """Draw a ring that is rough at every length and fills its rectangle to all four sides."""
    angle = np.linspace(0, 2 * np.pi, n, endpoint=False)
    radius = np.ones(n)
    for wave in waves:
        size = roughness * rng.uniform(0.4, 1.0) * (waves.start / wave) ** 1.35
        radius += size * np.sin(wave * angle + rng.uniform(0, 2 * np.pi))
    unit = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
    low, high = unit.min(axis=0), unit.max(axis=0)
    return Polygon(np.round((2 * (unit - low) / (high - low) - 1) * half_size, 2))


def _river(rng: np.random.Generator, bend: Bend, turn: float) -> LineString:
    x = np.linspace(-13_000, 13_000, 261)
    side = rng.choice([-1.0, 1.0])
    y = np.full_like(x, side * rng.uniform(1_500, 2_300))
    for length, size in ((15_000, 900), (6_500, 380), (2_900, 130)):
        y += (
            size
            * rng.uniform(0.7, 1.2)
            * np.sin(2 * np.pi * x / length + rng.uniform(0, 2 * np.pi))
        )
    return LineString(np.round(bend(rotate(np.column_stack([x, y]), turn + 0.12)), 2))
