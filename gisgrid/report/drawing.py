"""Where is it? A small map as SVG: areas, and points among them and outside."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np
import shapely
from markupsafe import Markup
from numpy.typing import NDArray

from gisgrid.crs import LONLAT

_WIDTH, _MARGIN = 900.0, 14.0
_TALLEST, _LOWEST = 760.0, 260.0
_BEYOND: Final = 0.6
"""Points farther from the areas than this share of their width are counted, not drawn: one typing error must not make
the city a dot."""
_METRES_PER_DEGREE: Final = 111_320.0


@dataclass(frozen=True)
class Drawing:
    """A map and what it leaves out.

    Attributes
    ----------
    svg
        The map.
    n_beyond
        How many of the marked points lie too far away to be drawn.
    """

    svg: Markup
    n_beyond: int


@dataclass(frozen=True)
class _View:
    """How longitude and latitude become pixels: x grows to the east, y to the south."""

    west: float
    north: float
    across: float
    down: float
    height: float

    def pixels(self, lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
        x = _MARGIN + (lonlat[:, 0] - self.west) * self.across
        y = _MARGIN + (self.north - lonlat[:, 1]) * self.down
        return np.column_stack([x, y])


def draw_points(
    areas: gpd.GeoDataFrame | None,
    *,
    inside: NDArray[np.float64],
    marked: NDArray[np.float64],
    rings: Sequence[tuple[float, float]] = (),
    label: str = "",
) -> Drawing | None:
    """Draw points among areas.

    Parameters
    ----------
    areas
        The areas, in any CRS; None draws points alone.
    inside
        Shape (n, 2), longitude and latitude of quiet points.
    marked
        Shape (m, 2), of points that stand out.
    rings
        Longitude and latitude of places to ring.
    label
        What the picture shows, for those who cannot see it.

    Returns
    -------
    Drawing or None
        None where there is nothing to draw.
    """
    shapes = None if areas is None else areas.geometry.to_crs(LONLAT).to_numpy()
    frame = _frame(shapes, inside, marked)
    if frame is None:
        return None
    view = _view(frame)
    west, south, east, north = frame
    near = (
        (marked[:, 0] >= west)
        & (marked[:, 0] <= east)
        & (marked[:, 1] >= south)
        & (marked[:, 1] <= north)
    )
    parts = [
        "" if shapes is None else _outlines(shapes, view),
        _dots(view.pixels(inside), "inside", 1.4),
        _dots(view.pixels(marked[near]), "mark", 2.6),
        "".join(
            f'<circle class="pile" cx="{x:.1f}" cy="{y:.1f}" r="8"/>'
            for x, y in (view.pixels(np.array([ring]))[0] for ring in rings)
        ),
        _scale_bar(view),
    ]
    svg = Markup('<svg class="map" viewBox="0 0 {:.0f} {:.0f}" role="img" aria-label="{}">').format(
        _WIDTH, view.height, label
    )
    return Drawing(svg + Markup("".join(parts)) + Markup("</svg>"), int((~near).sum()))  # noqa: S704 - numbers only


def _frame(
    shapes: NDArray[np.object_] | None, inside: NDArray[np.float64], marked: NDArray[np.float64]
) -> tuple[float, float, float, float] | None:
    """Choose what the map shows: the areas (or the quiet points), and what lies around them."""
    if shapes is not None and len(shapes):
        west, south, east, north = shapely.total_bounds(shapes)
    else:
        points = inside if len(inside) else marked
        if not len(points):
            return None
        west, south = np.percentile(points, 0.5, axis=0)
        east, north = np.percentile(points, 99.5, axis=0)
    if not math.isfinite(west + south + east + north):
        return None
    reach = _BEYOND * max(east - west, north - south, 1e-3)
    around = marked[
        (np.abs(marked[:, 0] - (west + east) / 2) <= (east - west) / 2 + reach)
        & (np.abs(marked[:, 1] - (south + north) / 2) <= (north - south) / 2 + reach)
    ]
    if len(around):
        west, south = min(west, around[:, 0].min()), min(south, around[:, 1].min())
        east, north = max(east, around[:, 0].max()), max(north, around[:, 1].max())
    least = 1e-3
    return (
        float(west) - least, float(south) - least, float(east) + least, float(north) + least
    )  # fmt: skip


def _view(frame: tuple[float, float, float, float]) -> _View:
    west, south, east, north = frame
    squeeze = max(math.cos(math.radians((south + north) / 2)), 0.05)
    width, height = (east - west) * squeeze, north - south
    scale = (_WIDTH - 2 * _MARGIN) / width
    if height * scale > _TALLEST:
        scale = _TALLEST / height
    drawn = max(height * scale + 2 * _MARGIN + 22, _LOWEST)
    spare = (_WIDTH - 2 * _MARGIN - width * scale) / 2
    return _View(west - spare / (scale * squeeze), north, scale * squeeze, scale, drawn)


def _outlines(shapes: NDArray[np.object_], view: _View) -> str:
    shapes = shapely.simplify(shapes, 0.6 / view.down, preserve_topology=False)
    paths = []
    for ring in shapely.get_rings(shapely.get_parts(shapes)):
        points = view.pixels(shapely.get_coordinates(ring)[:-1])
        if len(points) >= 3:
            paths.append("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points) + "Z")
    return f'<path class="unit" fill-rule="evenodd" d="{"".join(paths)}"/>'


def _dots(points: NDArray[np.float64], kind: str, radius: float) -> str:
    """Draw dots as one path of circles made of arcs, which is a third of the size of as many circles."""
    if not len(points):
        return ""
    spots = np.unique(points.round(1), axis=0)
    arc = f"a{radius} {radius} 0 1 0 {2 * radius:g} 0a{radius} {radius} 0 1 0 {-2 * radius:g} 0"
    d = "".join(f"M{x - radius:.1f} {y:.1f}{arc}" for x, y in spots)
    return f'<path class="{kind}" d="{d}"/>'


def _scale_bar(view: _View) -> str:
    """Draw a bar of a round length, a fifth of the width at most."""
    metres_per_pixel = _METRES_PER_DEGREE / view.down
    longest = metres_per_pixel * _WIDTH / 5
    power = 10 ** math.floor(math.log10(longest))
    length = max(step * power for step in (1, 2, 5) if step * power <= longest)
    pixels = length / metres_per_pixel
    words = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"
    y = view.height - 10
    return (
        f'<path class="scale" d="M{_MARGIN} {y - 5}V{y}H{_MARGIN + pixels:.1f}V{y - 5}"/>'
        f'<text x="{_MARGIN + pixels + 6:.1f}" y="{y}">{words}</text>'
    )
