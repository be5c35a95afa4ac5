"""How much ground, and how many points, have the units of two editions of a grid in common?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gisgrid.crs import crs_label, require_metres
from gisgrid.errors import ColumnError, CrsError, InputError, did_you_mean
from gisgrid.join import assign_units

_NARROW: Final = 0.1
"""A strip wider than this share of a unit's own width is no sliver of it, however narrow the unit is."""

_Floats = NDArray[np.float64]
_Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Overlaps:
    """Ground in common.

    Attributes
    ----------
    pairs
        Per old and new unit with ground in common `old_code`, `new_code`, `area_m2`, `share_of_old`, `share_of_new`,
        `sliver` and `weight`, the share of the old unit's value that goes over.
    old_covered, new_covered
        By code, whether all of the unit, slivers aside, is ground of the other edition too.
    """

    pairs: pd.DataFrame
    old_covered: pd.Series
    new_covered: pd.Series


def overlaps(
    old: gpd.GeoDataFrame, new: gpd.GeoDataFrame, *, key: str, sliver_m: float, sliver_share: float
) -> Overlaps:
    """Measure the ground that units of two editions have in common.

    Parameters
    ----------
    old, new
        Polygons of both editions, in one projected CRS in metres.
    key
        The column of codes in both.
    sliver_m, sliver_share
        Ground in common is a sliver where it is no wider than this on average (twice its area by its perimeter) nor
        than a tenth of the narrower unit, or no larger than this share of the smaller unit.

    Returns
    -------
    Overlaps
        Pairs in the order of old code, then new code.

    Raises
    ------
    CrsError
        The coordinates are not metres, or not the same in both.
    ColumnError
        A frame has no such column.
    InputError
        A code is missing or stands twice, or a unit is no valid polygon.
    """
    crs, other = (
        require_metres(old, what="crosswalk", name="old"),
        require_metres(new, what="crosswalk", name="new"),
    )
    if crs != other:
        raise CrsError(
            f"'old' is in {crs_label(crs)} but 'new' in {crs_label(other)}; bring both into one, for example "
            "new.to_crs(old.crs)"
        )
    codes = [unit_codes(frame, key, name) for frame, name in ((old, "old"), (new, "new"))]
    shapes = [
        _polygons(frame, code, name)
        for frame, code, name in zip((old, new), codes, ("old", "new"), strict=True)
    ]
    at_old, at_new = shapely.STRtree(shapes[1]).query(shapes[0], predicate="intersects")
    common = shapely.intersection(shapes[0][at_old], shapes[1][at_new])
    area = shapely.area(common)
    there = area > 0
    at_old, at_new, common, area = at_old[there], at_new[there], common[there], area[there]
    areas = [shapely.area(polygons) for polygons in shapes]
    smaller = np.minimum(areas[0][at_old], areas[1][at_new])
    widths = [_width(polygons, sizes) for polygons, sizes in zip(shapes, areas, strict=True)]
    narrow = _NARROW * np.minimum(widths[0][at_old], widths[1][at_new])
    thin = _width(common, area) <= np.minimum(sliver_m, narrow)
    sliver = thin | (area <= sliver_share * smaller)
    covered = [
        _covered(shape, size, at, area, sliver_m=sliver_m, sliver_share=sliver_share)
        for shape, size, at in zip(shapes, areas, (at_old, at_new), strict=True)
    ]
    pairs = pd.DataFrame(
        {
            "old_code": codes[0].to_numpy()[at_old],
            "new_code": codes[1].to_numpy()[at_new],
            "area_m2": area,
            "share_of_old": area / areas[0][at_old],
            "share_of_new": area / areas[1][at_new],
            "sliver": sliver,
            "weight": _weights(areas[0], at_old, area, sliver=sliver, covered=covered[0]),
        }
    ).astype({"old_code": "str", "new_code": "str"})
    return Overlaps(
        pairs.sort_values(["old_code", "new_code"], ignore_index=True),
        pd.Series(covered[0], index=pd.Index(codes[0])),
        pd.Series(covered[1], index=pd.Index(codes[1])),
    )


def _weights(
    areas: _Floats, at: NDArray[np.int64], area: _Floats, *, sliver: _Bools, covered: _Bools
) -> _Floats:
    """Divide each old unit among its new ones: slivers go with the others, ground left out stays out."""
    n = len(areas)
    kept = np.bincount(at, weights=np.where(sliver, 0.0, area), minlength=n)
    common = np.bincount(at, weights=area, minlength=n)
    goes = np.where(covered, 1.0, np.minimum(common / areas, 1.0))
    share = np.divide(area, kept[at], out=np.zeros_like(area), where=kept[at] > 0)
    return np.where(sliver, 0.0, share * goes[at])


def _covered(
    shapes: NDArray[np.object_], areas: _Floats, at: NDArray[np.int64], area: _Floats, *,
    sliver_m: float, sliver_share: float,
) -> _Bools:  # fmt: skip
    """Tell which units lie in the other edition but for a strip along half of their border, or a small share."""
    left = areas - np.bincount(at, weights=area, minlength=len(areas))
    strip = np.minimum(sliver_m, _NARROW * _width(shapes, areas)) * shapely.length(shapes) / 2
    return np.asarray(left <= np.maximum(strip, sliver_share * areas))


def _width(shapes: NDArray[np.object_], areas: _Floats) -> _Floats:
    """Give mean widths: twice the area by the perimeter."""
    return np.asarray(2 * areas / shapely.length(shapes))


def point_shares(
    points: gpd.GeoDataFrame,
    old: gpd.GeoDataFrame,
    new: gpd.GeoDataFrame,
    *,
    key: str,
    weight: str | None,
) -> pd.DataFrame:
    """Count the points that pairs of units have in common.

    Parameters
    ----------
    points
        Points, for example households, in the CRS of the units.
    old, new
        The units of both editions.
    key
        The column of codes in both.
    weight
        A column of `points` that says how much each counts, 0 or more; each counts 1 where nothing is said.

    Returns
    -------
    DataFrame
        `old_code`, `new_code` (null: in no new unit) and `count_weight`, the share of the old unit's points.

    Raises
    ------
    ColumnError
        There is no such column.
    InputError
        A weight is negative.
    """
    if weight is not None and weight not in points:
        raise ColumnError(
            f"'points' has no column {weight!r}{did_you_mean(weight, map(str, points.columns))}"
        )
    counts = pd.Series(1.0, index=points.index) if weight is None else points[weight].astype(float)
    if (counts < 0).any():
        raise InputError(
            f"{int((counts < 0).sum())} of {len(counts)} weights of 'points' are negative; give counts"
        )
    found = pd.DataFrame(
        {
            "old_code": assign_units(points, {key: old})[key],
            "new_code": assign_units(points, {key: new})[key],
            "n": counts,
        }
    )
    table = found.groupby(["old_code", "new_code"], dropna=False)["n"].sum().reset_index()
    table = table[table["old_code"].notna()]
    total = table.groupby("old_code")["n"].transform("sum")
    table["count_weight"] = table["n"] / total
    return table[total > 0].drop(columns="n").astype({"old_code": "str", "new_code": "str"})


def unit_codes(frame: pd.DataFrame, key: str, name: str) -> pd.Series:
    """Give the codes of units, each there and each once.

    Parameters
    ----------
    frame
        The units.
    key
        The column.
    name
        What the frame is called in the error's sentence.

    Returns
    -------
    Series
        Text.

    Raises
    ------
    ColumnError
        The frame has no such column.
    InputError
        A code is missing or stands twice.
    """
    if key not in frame:
        raise ColumnError(
            f"{name!r} has no column {key!r}{did_you_mean(key, map(str, frame.columns))}"
        )
    codes = frame[key].astype("str")
    for wrong, what in (
        (codes.isna(), "have no code"),
        (codes.duplicated(), "have the code of another"),
    ):
        if wrong.any():
            raise InputError(
                f"{int(wrong.sum())} of {len(codes)} units of {name!r} {what} (first: row {codes.index[wrong][0]}"
                f"{'' if pd.isna(codes[wrong].iloc[0]) else f', {codes[wrong].iloc[0]!r}'}); a crosswalk needs each unit "
                f"once: mend the codes, or dissolve parts, for example {name}.dissolve({key!r}).reset_index()"
            )
    return codes


def _polygons(frame: gpd.GeoDataFrame, codes: pd.Series, name: str) -> NDArray[np.object_]:
    shapes: NDArray[np.object_] = shapely.force_2d(frame.geometry.to_numpy())
    bad = ~(shapely.is_valid(shapes) & (shapely.area(shapes) > 0))
    if bad.any():
        raise InputError(
            f"{int(bad.sum())} of {len(shapes)} units of {name!r} are no valid polygons with an area (first: "
            f"{codes.iloc[int(np.argmax(bad))]!r}); repair them first, for example with {name}.make_valid()"
        )
    return shapes
