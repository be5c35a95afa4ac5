"""Where is it? The maps and bars of a brief as SVG that needs no style sheet: a browser and a PDF draw the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from markupsafe import Markup
from numpy.typing import NDArray

from gisgrid.palette import BOUNDARY, GI_COLOURS, GROUND, INK, RATE_RAMP, Label
from gisgrid.report.brief import Brief
from gisgrid.report.page import Language

VERDICT_COLOURS: Final = {"rose": GI_COLOURS["hot_95"], "fell": GI_COLOURS["cold_95"]}
"""Changes beyond chance; what is within chance has no fill."""

_PAPER: Final = "#ffffff"
_QUIET: Final = "#8a929b"
_LAND: Final = "#eceae4"
_FONT: Final = "Noto Sans SC, Source Han Sans SC, PingFang SC, Microsoft YaHei, sans-serif"
_MARGIN: Final = 6.0


@dataclass(frozen=True)
class _View:
    """How metres become units of the drawing."""

    west: float
    north: float
    scale: float
    width: float
    height: float

    @classmethod
    def of(
        cls, bounds: NDArray[np.float64], *, width: float, tallest: float, below: float
    ) -> _View:
        west, south, east, north = (float(each) for each in bounds)
        across, down = max(east - west, 1.0), max(north - south, 1.0)
        scale = min((width - 2 * _MARGIN) / across, (tallest - 2 * _MARGIN) / down)
        spare = ((width - 2 * _MARGIN) / scale - across) / 2
        return cls(west - spare, north, scale, width, down * scale + 2 * _MARGIN + below)

    def pixels(self, xy: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(
            [
                _MARGIN + (xy[:, 0] - self.west) * self.scale,
                _MARGIN + (self.north - xy[:, 1]) * self.scale,
            ]
        )

    def path(self, shapes: NDArray[np.object_]) -> str:
        drawn = []
        for ring in shapely.get_rings(
            shapely.get_parts(shapely.simplify(shapes, 0.3 / self.scale))
        ):
            points = self.pixels(shapely.get_coordinates(ring)[:-1])
            if len(points) > 2:
                drawn.append("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points) + "Z")
        return "".join(drawn)


def hot_map(brief: Brief, language: Language) -> Markup:
    """Draw the unit's finest grid with its hot and cold places, numbered as in the list.

    Parameters
    ----------
    brief
        The brief.
    language
        The language of the names.

    Returns
    -------
    Markup
        SVG.
    """
    ground = brief.ground
    view = _View.of(ground.outline.total_bounds, width=430, tallest=440, below=20)
    fills = {label: colour for label, colour in GI_COLOURS.items() if colour is not None}
    parts = [
        _areas(ground.units.geometry.to_numpy(), view, _LAND, _PAPER, 0.5),
        *(
            _areas(
                ground.units.geometry.to_numpy()[(ground.units["label"] == label).to_numpy()],
                view,
                colour,
                _PAPER,
                0.5,
            )
            for label, colour in fills.items()
        ),
        _lines(ground.parts, view, BOUNDARY, 0.9),
        _lines(ground.outline, view, INK, 1.8),
        _names(ground.parts, view, language) if len(ground.parts) < len(ground.units) else "",
        _numbers(ground.units[ground.units["number"] > 0], view),
        _scale_bar(view),
    ]
    return _svg(parts, view, _title(brief, language, "热点", "hot places"))


def change_map(brief: Brief, language: Language) -> Markup:
    """Draw the parts of the unit by whether more was reported than in the period before, with their numbers.

    Parameters
    ----------
    brief
        The brief.
    language
        The language of the names.

    Returns
    -------
    Markup
        SVG.
    """
    ground = brief.ground
    view = _View.of(ground.outline.total_bounds, width=230, tallest=230, below=2)
    shapes = ground.parts.geometry.to_numpy()
    parts = [
        _areas(shapes, view, _LAND, _PAPER, 0.8),
        *(
            _areas(
                shapes[(ground.parts["verdict"] == verdict).to_numpy()],
                view,
                str(colour),
                _PAPER,
                0.8,
            )
            for verdict, colour in VERDICT_COLOURS.items()
        ),
        _lines(ground.outline, view, INK, 1.4),
        _counts(ground.parts, view) if len(ground.parts) < 60 else "",
    ]
    return _svg(parts, view, _title(brief, language, "各片变化", "change by part"))


def locator_map(brief: Brief, language: Language) -> Markup:
    """Draw where in the city the unit lies.

    Parameters
    ----------
    brief
        The brief.
    language
        The language of the description.

    Returns
    -------
    Markup
        SVG.
    """
    ground = brief.ground
    view = _View.of(ground.city.total_bounds, width=130, tallest=120, below=0)
    parts = [
        _areas(ground.city.geometry.to_numpy(), view, _LAND, _PAPER, 0.5),
        _areas(ground.outline.geometry.to_numpy(), view, INK, INK, 0.5),
    ]
    return _svg(parts, view, _title(brief, language, "在全市的位置", "its place in the city"))


def bars(brief: Brief, language: Language) -> Markup:
    """Draw how many cases were reported in each of the last periods; what is not known has no bar.

    Parameters
    ----------
    brief
        The brief.
    language
        The language of the description.

    Returns
    -------
    Markup
        SVG.
    """
    weeks = brief.weeks
    width, height, top = 230.0, 96.0, 16.0
    step = (width - 2) / max(len(weeks), 1)
    most = max(float(weeks.max(skipna=True)) if weeks.notna().any() else 0.0, 1.0)
    parts = [f'<path d="M0 {height - 18}H{width}" stroke="{_QUIET}" stroke-width="1"/>']
    for number, (day, n) in enumerate(weeks.items()):
        x = 1 + number * step
        last = number == len(weeks) - 1
        assert isinstance(day, pd.Timestamp)  # noqa: S101 - for the checker: made so
        parts.append(_text(x + step / 2, height - 5, f"{day.month}/{day.day}", 7.5, _QUIET))
        if pd.isna(n):
            continue
        tall = (height - 18 - top) * float(n) / most
        colour = GI_COLOURS["hot_95"] if last else RATE_RAMP[1]
        parts.append(
            f'<rect x="{x + 3:.1f}" y="{height - 18 - tall:.1f}" width="{step - 6:.1f}" height="{tall:.1f}" fill="{colour}"/>'
        )
        parts.append(_text(x + step / 2, height - 22 - tall, f"{int(n)}", 8.5, INK))
    view = _View(0, 0, 1, width, height)
    return _svg(parts, view, _title(brief, language, "各期上报数", "reports period by period"))


def _areas(shapes: NDArray[np.object_], view: _View, fill: str, edge: str, weight: float) -> str:
    if not len(shapes):
        return ""
    return f'<path fill="{fill}" fill-rule="evenodd" stroke="{edge}" stroke-width="{weight}" d="{view.path(shapes)}"/>'


def _lines(areas: gpd.GeoDataFrame, view: _View, colour: str, weight: float) -> str:
    d = view.path(areas.geometry.to_numpy())
    return f'<path fill="none" stroke="{colour}" stroke-width="{weight}" stroke-linejoin="round" d="{d}"/>'


def _names(areas: gpd.GeoDataFrame, view: _View, language: Language) -> str:
    column = next((name for name in (f"name_{language}", "name_zh", "name") if name in areas), None)
    if column is None:
        return ""
    middles = view.pixels(
        shapely.get_coordinates(shapely.point_on_surface(areas.geometry.to_numpy()))
    )
    return "".join(
        _halo(x, y, str(name), 9.5)
        for (x, y), name in zip(middles, areas[column].fillna(""), strict=True)
    )


def _numbers(areas: gpd.GeoDataFrame, view: _View) -> str:
    middles = view.pixels(
        shapely.get_coordinates(shapely.point_on_surface(areas.geometry.to_numpy()))
    )
    return "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="7.5" fill="{INK}" stroke="{_PAPER}" stroke-width="1.4"/>'
        + _text(x, y + 3.2, str(number), 9, _PAPER, bold=True)
        for (x, y), number in zip(middles, areas["number"], strict=True)
    )


def _counts(areas: gpd.GeoDataFrame, view: _View) -> str:
    middles = view.pixels(
        shapely.get_coordinates(shapely.point_on_surface(areas.geometry.to_numpy()))
    )
    return "".join(
        _halo(x, y + 3, str(n), 9.5) for (x, y), n in zip(middles, areas["n"], strict=True)
    )


def _halo(x: float, y: float, words: str, size: float) -> str:
    """Write words twice: a wide pale stroke under them, which every renderer knows."""
    said = Markup("{}").format(words)
    common = (
        f'x="{x:.1f}" y="{y:.1f}" font-size="{size}" font-family="{_FONT}" text-anchor="middle"'
    )
    return (
        f'<text {common} fill="{GROUND}" stroke="{GROUND}" stroke-width="3" stroke-linejoin="round">{said}</text>'
        f'<text {common} fill="{INK}">{said}</text>'
    )


def _text(  # one number per attribute
    x: float,
    y: float,
    words: str,
    size: float,
    colour: str,
    *,
    bold: bool = False,
    anchor: Literal["start", "middle"] = "middle",
) -> str:
    weight = ' font-weight="700"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" font-family="{_FONT}" text-anchor="{anchor}" fill="{colour}"{weight}>'
        f"{words}</text>"
    )


def _scale_bar(view: _View) -> str:
    longest = view.width / 5 / view.scale
    power = 10 ** np.floor(np.log10(longest))
    length = float(max(step * power for step in (1, 2, 5) if step * power <= longest))
    words = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"
    y = view.height - 6
    return (
        f'<path fill="none" stroke="{INK}" stroke-width="1.2" d="M{_MARGIN} {y - 4:.1f}V{y:.1f}H{_MARGIN + length * view.scale:.1f}V{y - 4:.1f}"/>'
        + _text(_MARGIN + length * view.scale + 5, y, words, 9.5, INK, anchor="start")
    )


def _title(brief: Brief, language: Language, zh: str, en: str) -> str:
    return f"{brief.unit.zh}：{zh}" if language == "zh" else f"{brief.unit.en}: {en}"


def _svg(parts: list[str], view: _View, label: str) -> Markup:
    head = Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {:.0f} {:.0f}" role="img" aria-label="{}">'
    ).format(view.width, view.height, label)
    return head + Markup("".join(parts)) + Markup("</svg>")  # noqa: S704 - numbers, and names escaped


LEGEND: Final[tuple[Label, ...]] = ("hot_99", "hot_95", "hot_90", "cold_90", "cold_95", "cold_99")
"""The classes that the map of hot places fills."""
