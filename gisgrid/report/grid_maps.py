"""Where are the faults of a grid? Small maps as SVG: a whole level with its faults, and one fault close by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np
import shapely
from markupsafe import Markup
from numpy.typing import NDArray

_WIDTH, _MARGIN = 640.0, 8.0
_TALLEST, _LOWEST = 520.0, 140.0
_N_OUTLINES: Final = 3_000
"""A level with more units is drawn by the outlines of the level above."""
_N_SHAPES: Final = 400
"""Of more faults than this the largest are drawn as areas; all are dots."""


@dataclass(frozen=True)
class _View:
    """How metres become pixels."""

    west: float
    north: float
    scale: float
    height: float

    @classmethod
    def of(cls, bounds: NDArray[np.float64]) -> _View:
        west, south, east, north = bounds
        width, height = max(east - west, 0.01), max(north - south, 0.01)
        scale = min((_WIDTH - 2 * _MARGIN) / width, (_TALLEST - 2 * _MARGIN) / height)
        drawn = max(height * scale + 2 * _MARGIN, _LOWEST)
        spare_x = ((_WIDTH - 2 * _MARGIN) / scale - width) / 2
        spare_y = ((drawn - 2 * _MARGIN) / scale - height) / 2
        return cls(float(west - spare_x), float(north + spare_y), float(scale), float(drawn))

    def path(self, shapes: NDArray[np.object_]) -> str:
        rings = shapely.get_rings(shapely.get_parts(shapely.simplify(shapes, 0.4 / self.scale)))
        drawn = []
        for ring in rings:
            points = self.pixels(shapely.get_coordinates(ring)[:-1])
            drawn.append("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points) + "Z")
        return "".join(drawn)

    def pixels(self, xy: NDArray[np.float64]) -> NDArray[np.float64]:
        x = _MARGIN + (xy[:, 0] - self.west) * self.scale
        y = _MARGIN + (self.north - xy[:, 1]) * self.scale
        return np.column_stack([x, y])


@dataclass(frozen=True)
class Ground:
    """A level as the background of many maps: drawn once, shown in each.

    Attributes
    ----------
    id
        What the maps call it.
    view
        How metres become pixels.
    outline
        The path that all maps of the level show.
    """

    id: str
    view: _View
    outline: Markup


def ground(levels: Sequence[gpd.GeoDataFrame], *, name: str) -> Ground | None:
    """Draw a level as a background: its own outlines, or those of a coarser level where it has very many.

    Parameters
    ----------
    levels
        The level and those above it, the finest first, in one CRS in metres.
    name
        An id that no other ground of the page has.

    Returns
    -------
    Ground or None
        None where nothing has a place.
    """
    shapes = [_drawable(frame.geometry.to_numpy()) for frame in levels]
    own = shapes[0]
    if not len(own):
        return None
    few = next((each for each in shapes if 0 < len(each) <= _N_OUTLINES), None)
    if few is None:
        few = np.array([shapely.union_all(shapely.make_valid(own))])
    view = _View.of(shapely.total_bounds(own))
    style = (
        "fill:var(--land);stroke:var(--edge);stroke-width:.6"  # a class is not seen through <use>
    )
    path = Markup('<path id="{}" style="{}" fill-rule="evenodd" d="{}"/>').format(
        name, style, view.path(few)
    )
    return Ground(name, view, path)


def fault_map(below: Ground, faults: gpd.GeoDataFrame, *, label: str) -> Markup | None:
    """Draw where the faults of one rule lie in a level.

    Parameters
    ----------
    below
        The level, whose outline must stand in the page (in ``<defs>``).
    faults
        Faults with or without geometry, in the CRS of the level, the largest first.
    label
        What the picture shows, for those who cannot see it.

    Returns
    -------
    Markup or None
        SVG; None where no fault has a place.
    """
    placed = _drawable(faults.geometry.to_numpy())
    if not len(placed):
        return None
    dots = below.view.pixels(shapely.get_coordinates(shapely.point_on_surface(placed)))
    arc = "a3 3 0 1 0 6 0a3 3 0 1 0 -6 0"
    spots = "".join(f"M{x - 3:.1f} {y:.1f}{arc}" for x, y in np.unique(dots.round(1), axis=0))
    areas = placed[:_N_SHAPES][shapely.get_dimensions(placed[:_N_SHAPES]) == 2]
    body = f'<use href="#{below.id}"/>{_areas(areas, below.view)}<path class="mark" d="{spots}"/>'
    return _svg(body, below.view, label)


def close_map(units: gpd.GeoDataFrame, fault: shapely.Geometry, *, label: str) -> Markup | None:
    """Draw one fault close by, with the units around it.

    Parameters
    ----------
    units
        The level.
    fault
        Its geometry, in the same CRS.
    label
        What the picture shows, for those who cannot see it.

    Returns
    -------
    Markup or None
        SVG; None where there is nothing to draw.
    """
    if fault is None or shapely.is_empty(fault):
        return None
    middle, bounds = shapely.point_on_surface(fault), np.array(fault.bounds)
    reach = max(2.5 * max(bounds[2] - bounds[0], bounds[3] - bounds[1]) / 2, 2.0)
    frame = shapely.box(
        middle.x - reach, middle.y - 0.6 * reach, middle.x + reach, middle.y + 0.6 * reach
    )
    near = units.geometry.to_numpy()[units.sindex.query(frame, predicate=None)]
    near = _drawable(near)
    view = _View.of(np.array(frame.bounds))
    around = shapely.intersection(shapely.make_valid(near), shapely.buffer(frame, 0.2 * reach))
    around = around[shapely.area(around) > 0] if len(around) else around
    body = f'<path class="unit" fill-rule="evenodd" d="{view.path(around)}"/>'
    match shapely.get_dimensions(fault):
        case 2:
            body += _areas(np.array([fault]), view)
        case _:
            for x, y in view.pixels(shapely.get_coordinates(fault)[:50]):
                body += f'<circle class="mark" cx="{x:.1f}" cy="{y:.1f}" r="5"/>'
    return _svg(body, view, label)


def _drawable(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    there = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    drawable: NDArray[np.object_] = shapes[there & np.isfinite(shapely.bounds(shapes)).all(axis=1)]
    return drawable


def _areas(shapes: NDArray[np.object_], view: _View) -> str:
    style = "fill:var(--mark);fill-opacity:.5;stroke:var(--mark);stroke-width:1"
    return (
        f'<path style="{style}" fill-rule="evenodd" d="{view.path(shapes)}"/>'
        if len(shapes)
        else ""
    )


def _svg(body: str, view: _View, label: str) -> Markup:
    head = Markup(
        '<svg class="map" viewBox="0 0 {:.0f} {:.0f}" role="img" aria-label="{}">'
    ).format(_WIDTH, view.height, label)
    return head + Markup(body) + Markup("</svg>")  # noqa: S704 - numbers only
