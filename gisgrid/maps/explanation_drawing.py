"""Which neighbours made this unit hot? A small map as SVG, for a report or a message."""

from __future__ import annotations

import math
from typing import Final

import geopandas as gpd
import numpy as np
import shapely
from markupsafe import Markup, escape
from numpy.typing import NDArray

from gisgrid.analysis.reasons import Explanation
from gisgrid.crs import is_metric, local_metric_crs, require_crs
from gisgrid.errors import ColumnError, did_you_mean
from gisgrid.maps.words import Language
from gisgrid.palette import BOUNDARY, GI_COLOURS, GROUND, INK

_WIDTH: Final = 560.0
_MARGIN: Final = 16.0
_TALLEST: Final = 560.0
_FOOT: Final = 58.0
_MOST_WORDS: Final = 24  # areas up to which each is named
_SHARES: Final = ((0.5, 99), (0.2, 95), (0.05, 90))
"""A neighbour with so large a share of z is drawn in this step of the ramp."""

_TEXTS: Final[dict[Language, dict[str, str]]] = {
    "zh": {"title": "{}：邻域内各单元对 z 的贡献", "foot": "数字是各单元占 z 的部分，合计 {:+.2f}", "none": "未参加检验"},
    "en": {"title": "{}: what each area brings to z", "foot": "Figures are each area’s part of z, {:+.2f} in all", "none": "Not tested"},
}  # fmt: skip


def explanation_map(
    said: Explanation, areas: gpd.GeoDataFrame, *, key: str, language: Language = "zh"
) -> str:
    """Draw a unit with its neighbours, each with its part in the score.

    Parameters
    ----------
    said
        As from `gisgrid.analysis.explanation`.
    areas
        All areas, in any CRS; those around are drawn as well.
    key
        The column that names an area.
    language
        The language of the words.

    Returns
    -------
    str
        An SVG that stands alone: red areas push the score up, blue ones down, the unit itself has the heavy outline.

    Raises
    ------
    ColumnError
        There is no such column, or the unit is not among the areas.
    CrsError
        The areas have no CRS.

    Notes
    -----
    North is up in the areas' own CRS, or in local metres where it is in degrees.
    """
    columns = [str(column) for column in areas.columns]
    if key not in columns:
        raise ColumnError(f"no column {key!r} in the areas{did_you_mean(key, columns)}")
    shapes = areas.set_index(key).geometry
    if said.unit not in shapes.index:
        raise ColumnError(
            f"unit {said.unit!r} is not among {len(areas)} areas; draw the areas that were scored"
        )
    own = require_crs(areas, name="areas")
    shapes = shapes if is_metric(own) else shapes.to_crs(local_metric_crs(areas))
    near = shapes.loc[said.parts.index if len(said.parts) else [said.unit]]
    west, south, east, north = near.total_bounds
    pad = 0.15 * max(east - west, north - south)
    frame = (west - pad, south - pad, east + pad, north + pad)
    scale = min((_WIDTH - 2 * _MARGIN) / (frame[2] - frame[0]), _TALLEST / (frame[3] - frame[1]))
    height = (frame[3] - frame[1]) * scale + 2 * _MARGIN + _FOOT
    texts = _TEXTS[language]
    around = shapes[shapes.intersects(shapely.box(*frame)) & ~shapes.index.isin(near.index)]
    pieces = [
        _area(shape, frame, scale, fill="none", width=0.6)
        for shape in shapely.clip_by_rect(around.to_numpy(), *frame)
    ]
    fills = _fills(said)
    pieces += [
        _area(near[name], frame, scale, fill=fills.get(name, "none"), width=1.0)
        for name in near.index
    ]
    pieces.append(_area(near[said.unit], frame, scale, fill="none", width=3.0, ink=INK))
    if len(near) <= _MOST_WORDS:
        pieces += _names(said, near, frame, scale)
    foot = texts["none"] if np.isnan(said.z) else texts["foot"].format(said.z)
    pieces += [_bar(frame, scale, height), _words(_MARGIN, height - 12, foot, size=13)]
    title = texts["title"].format(said.name)
    opening = Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {:.0f} {:.0f}" role="img" '
        'font-family="system-ui, Noto Sans SC, sans-serif"><title>{}</title><desc>{}</desc>'
        '<rect width="100%" height="100%" fill="{}"/>'
    ).format(_WIDTH, height, title, said.sentence(language), GROUND)
    return str(opening + Markup("").join(pieces) + Markup("</svg>\n"))


def _fills(said: Explanation) -> dict[object, str]:
    """Give each part its colour by how large it is beside the largest possible, the sum of all sizes."""
    parts = said.parts["contribution"]
    whole = float(parts.abs().sum()) or 1.0
    fills = {}
    for unit, part in parts.items():
        step = next((level for least, level in _SHARES if abs(part) / whole >= least), None)
        colour = None if step is None else GI_COLOURS[f"{'hot' if part > 0 else 'cold'}_{step}"]  # type: ignore[index]
        fills[unit] = colour or "none"
    return fills


def _pixels(
    xy: NDArray[np.float64], frame: tuple[float, float, float, float], scale: float
) -> NDArray[np.float64]:
    return np.column_stack(
        [_MARGIN + (xy[:, 0] - frame[0]) * scale, _MARGIN + (frame[3] - xy[:, 1]) * scale]
    )


def _area(
    shape: shapely.Geometry,
    frame: tuple[float, float, float, float],
    scale: float,
    *,
    fill: str,
    width: float,
    ink: str = BOUNDARY,
) -> Markup:
    simple = shapely.simplify(shape, 0.4 / scale)
    rings = shapely.get_rings(shapely.get_parts(simple))
    d = "".join(
        "M"
        + "L".join(
            f"{x:.1f} {y:.1f}" for x, y in _pixels(shapely.get_coordinates(ring)[:-1], frame, scale)
        )
        + "Z"
        for ring in rings
    )
    return Markup(
        '<path d="{}" fill="{}" fill-rule="evenodd" stroke="{}" stroke-width="{}"/>'
    ).format(d, fill, ink, width)


def _names(
    said: Explanation,
    near: gpd.GeoSeries,
    frame: tuple[float, float, float, float],
    scale: float,
) -> list[Markup]:
    middle = shapely.get_coordinates(shapely.point_on_surface(near.to_numpy()))
    pieces = []
    for unit, (x, y) in zip(near.index, _pixels(middle, frame, scale), strict=True):
        if unit not in said.parts.index:
            continue
        part = said.parts.loc[unit]
        pieces.append(_words(x, y - 2, str(part["name"]), size=11, middle=True))
        if not np.isnan(part["z"]):
            pieces.append(_words(x, y + 11, f"{part['z']:+.2f}", size=11, middle=True))
    return pieces


def _words(x: float, y: float, text: str, *, size: int, middle: bool = False) -> Markup:
    return Markup(
        '<text x="{:.1f}" y="{:.1f}" font-size="{}" fill="{}" stroke="{}" stroke-width="3" paint-order="stroke"{}>{}</text>'
    ).format(
        x, y, size, INK, GROUND, Markup(' text-anchor="middle"') if middle else "", escape(text)
    )


def _bar(frame: tuple[float, float, float, float], scale: float, height: float) -> Markup:
    """Draw a scale bar of a round length, about a quarter of the width."""
    wanted = (frame[2] - frame[0]) / 4
    power = 10.0 ** math.floor(math.log10(wanted))
    length = max(step * power for step in (1, 2, 5) if step * power <= wanted)
    name = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"
    y = height - _FOOT + 14
    line = Markup('<path d="M{:.1f} {:.1f}h{:.1f}" stroke="{}" stroke-width="2"/>').format(
        _MARGIN, y, length * scale, INK
    )
    return line + _words(_MARGIN + length * scale + 6, y + 4, name, size=11)
