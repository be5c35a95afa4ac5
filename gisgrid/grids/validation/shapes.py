"""Is each unit one whole area by itself: closed, not crossing itself, in one part, flat and of usual size?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from gisgrid.grids.validation.faults import (
    GridFault,
    Shapes,
    digits,
    measured,
    polygon_parts,
    wider_than,
)
from gisgrid.grids.validation.levels import Level
from gisgrid.grids.validation.rings import open_rings
from gisgrid.grids.validation.rules import Limits
from gisgrid.schema import Text

_REASON: Final = re.compile(r"^(?P<why>[^\[]*)(\[(?P<x>\S+) (?P<y>[^\s\]]+)[^\]]*\])?")
_CROSSINGS: Final = ("Self-intersection", "Ring Self-intersection")
_REASONS_ZH: Final = {
    "Self-intersection": "边界自相交",
    "Ring Self-intersection": "边界在一点与自身相碰",
    "Hole lies outside shell": "孔在外环之外",
    "Holes are nested": "孔中有孔",
    "Nested shells": "外环互相包含",
    "Interior is disconnected": "内部不连通",
    "Duplicate Rings": "环重复",
    "Too few points in geometry component": "环的顶点太少",
    "Too few distinct points in geometry component": "环的顶点太少",
}
_LEAST_FOR_OUTLIERS = 8
_LEAST_RANGE = float(np.log(1.5))
_POLYGONS = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)


def shape_faults(
    level: Level, *, limits: Limits, raw: Sequence[bytes | None] | None
) -> Iterator[GridFault]:
    """List what is wrong with each unit's own shape.

    Parameters
    ----------
    level
        The units.
    limits
        What counts as a sliver and as an unusual area.
    raw
        Shape (n,), the geometry as the file has it (well-known binary), for rings that a reader closes. Without it
        open rings cannot be known: a Shapely polygon is always closed.

    Yields
    ------
    GridFault
        Missing, wrong kind, not finite, unclosed, self-crossing, invalid, several parts, holes, heights, sizes.
    """
    drawn = level.drawn
    missing = shapely.is_missing(drawn) | shapely.is_empty(drawn)
    for at in np.flatnonzero(missing).tolist():
        yield _fault(level, at, "missing_geometry", None, ("没有图形", "has no shape"))
    kinds = shapely.get_type_id(drawn)
    wrong = ~missing & ~np.isin(kinds, _POLYGONS)
    for at in np.flatnonzero(wrong).tolist():
        kind = drawn[at].geom_type
        words = (f"是 {kind}，不是面", f"is a {kind}, not an area")
        yield _fault(level, at, "wrong_kind", _place(drawn[at]), words)
    finite = np.isfinite(shapely.bounds(drawn)).all(axis=1)
    coordinates, owner = shapely.get_coordinates(drawn, return_index=True)
    finite[owner[~np.isfinite(coordinates).all(axis=1)]] = False
    for at in np.flatnonzero(~missing & ~finite).tolist():
        words = ("的坐标不是有限的数", "has coordinates that are no finite numbers")
        yield _fault(level, at, "not_finite", None, words)
    if raw is not None:
        yield from _unclosed(level, raw)
    sound = ~missing & ~wrong & finite
    yield from _invalid(level, sound)
    yield from _heights(level, ~missing)
    yield from _parts(level, sound)
    yield from _sizes(level, limits)


def _fault(
    level: Level,
    at: int,
    rule: str,
    geometry: shapely.Geometry | None,
    words: tuple[str, str],
    *,
    size: float = float("nan"),
    size_unit: str = "",
    n: int = 1,
) -> GridFault:
    label = level.labels[at]
    message = Text(zh=f"“{label}”{words[0]}", en=f"{label!r} {words[1]}")
    return GridFault(
        rule, level.name, str(label), message, geometry, size=size, size_unit=size_unit, n=n
    )


def _place(shape: shapely.Geometry) -> shapely.Geometry | None:
    """Give a shape if it can be drawn."""
    finite = bool(np.isfinite(shapely.get_coordinates(shape)).all())
    return shapely.force_2d(shape) if finite else None


def _unclosed(level: Level, raw: Sequence[bytes | None]) -> Iterator[GridFault]:
    for row, rings in open_rings(raw).groupby("row"):
        gap = float(rings["gap"].max())
        words = (
            f"有{len(rings)}个环未闭合，缺口{measured(gap, squared=False)}",
            f"has {len(rings)} unclosed ring{'s' * (len(rings) > 1)}, open by {measured(gap, squared=False)}",
        )
        points = shapely.points(rings[["x", "y"]].to_numpy())
        place = points[0] if len(points) == 1 else shapely.multipoints(points)
        yield _fault(
            level,
            int(str(row)),
            "unclosed_ring",
            place,
            words,
            size=gap,
            size_unit="m",
            n=len(rings),
        )


def _invalid(level: Level, sound: NDArray[np.bool_]) -> Iterator[GridFault]:
    bad = np.flatnonzero(sound & ~shapely.is_valid(level.drawn))
    reasons = shapely.is_valid_reason(level.drawn[bad])
    for at, reason in zip(bad.tolist(), reasons, strict=True):
        found = _REASON.match(str(reason))
        why = found["why"].strip() if found else str(reason)
        crossing = why in _CROSSINGS
        place = _place(level.drawn[at])
        where = ("", "")
        if found and found["x"]:
            place = shapely.Point(float(found["x"]), float(found["y"]))
            where = (f"（{place.x:.1f}, {place.y:.1f}）", f" at {place.x:.1f}, {place.y:.1f}")
        words = (
            f"图形无效：{_REASONS_ZH.get(why, why)}{where[0]}",
            f"is invalid: {why.lower()}{where[1]}",
        )
        yield _fault(level, at, "self_crossing" if crossing else "invalid_shape", place, words)


def _heights(level: Level, there: NDArray[np.bool_]) -> Iterator[GridFault]:
    """Say it once for the level: a file has heights or it has none."""
    high = np.flatnonzero(there & shapely.has_z(level.drawn))
    if len(high):
        n, first = len(high), str(level.labels[high[0]])
        message = Text(
            zh=f"{len(level)}个单元中{n}个的坐标带高程（如“{first}”）",
            en=f"{n} of {len(level)} units have heights in their coordinates (first: {first!r})",
        )
        others = tuple(str(level.labels[at]) for at in high[1:])
        yield GridFault(
            "z_values", level.name, first, message, _place(level.drawn[high[0]]), others=others, n=n
        )


def _parts(level: Level, sound: NDArray[np.bool_]) -> Iterator[GridFault]:
    parts, owner = polygon_parts(level.drawn[sound])
    owner = np.flatnonzero(sound)[owner]
    count = np.bincount(owner, minlength=len(level))
    for at in np.flatnonzero(count > 1).tolist():
        mine = parts[owner == at]
        second = float(np.sort(shapely.area(mine))[-2])
        words = (
            f"由{len(mine)}部分组成（第二大部分{measured(second, squared=True)}）",
            f"is made of {len(mine)} parts (the second largest has {measured(second, squared=True)})",
        )
        yield _fault(
            level,
            at,
            "multipart",
            _place(level.drawn[at]),
            words,
            size=second,
            size_unit="m²",
            n=len(mine),
        )
    holes = shapely.get_num_interior_rings(parts)
    for at in np.unique(owner[holes > 0]).tolist():
        rings = [ring for part in parts[(owner == at) & (holes > 0)] for ring in part.interiors]
        hollow = shapely.polygons(np.array(rings, dtype=object))
        area = float(shapely.area(hollow).sum())
        place = hollow[0] if len(hollow) == 1 else shapely.multipolygons(hollow)
        words = (
            f"有{len(rings)}个孔，共{measured(area, squared=True)}",
            f"has {len(rings)} hole{'s' * (len(rings) > 1)}, {measured(area, squared=True)} in all",
        )
        yield _fault(level, at, "hole", place, words, size=area, size_unit="m²", n=len(rings))


def _sizes(level: Level, limits: Limits) -> Iterator[GridFault]:
    areas, there = level.areas, level.areas > 0
    width = measured(limits.sliver_m, squared=False)
    for at in np.flatnonzero(there & ~wider_than(level.clean, limits.sliver_m)).tolist():
        words = (f"处处窄于{width}", f"is nowhere wider than {width}")
        yield _fault(
            level, at, "thin_unit", level.clean[at], words, size=float(areas[at]), size_unit="m²"
        )
    low, high = usual_areas(areas[there], spread=limits.outlier_spread)
    for at in np.flatnonzero(there & ((areas < low) | (areas > high))).tolist():
        times = areas[at] / float(np.median(areas[there]))
        words = (
            f"面积{measured(areas[at], squared=True)}，是同级中位数的{digits(times)}倍",
            f"has {measured(areas[at], squared=True)}, {digits(times)} times the median of its level",
        )
        yield _fault(
            level, at, "area_outlier", level.clean[at], words, size=float(areas[at]), size_unit="m²"
        )


def usual_areas(areas: Shapes | NDArray[np.float64], *, spread: float) -> tuple[float, float]:
    """Give the smallest and the largest area that is usual at a level (Tukey's outer fences of log area).

    Parameters
    ----------
    areas
        Shape (n,), m², above 0.
    spread
        Interquartile ranges beyond the quartiles.

    Returns
    -------
    low, high : float
        m². Everything is usual where there are fewer than 8 units.

    Notes
    -----
    Areas of administrative units are spread like a log-normal, so the rule works on logarithms; quartiles are not
    moved by the outliers they find. The interquartile range counts as log 1.5 at least.

    Examples
    --------
    >>> low, high = usual_areas(np.full(9, 10_000.0), spread=4)
    >>> round(low), round(high)
    (1975, 50625)
    >>> usual_areas(np.array([1.0, 1e9]), spread=4)
    (0.0, inf)
    """
    if len(areas) < _LEAST_FOR_OUTLIERS:
        return 0.0, float("inf")
    first, third = np.quantile(np.log(np.asarray(areas, dtype=np.float64)), [0.25, 0.75])
    reach = spread * max(third - first, _LEAST_RANGE)
    return float(np.exp(first - reach)), float(np.exp(third + reach))
