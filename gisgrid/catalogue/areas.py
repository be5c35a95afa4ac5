"""Do areas cover without gaps and overlaps, and do parts lie inside the whole their code names?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from gisgrid.catalogue.layer import Inside, Layer
from gisgrid.crs import is_metric, local_metric_crs
from gisgrid.schema import Fault

SLIVER_M2: Final = 0.01
"""Overlaps and gaps smaller than a hand's breadth squared are rounding, and are counted as unmatched edges only."""

_GAP_WIDTH_M: Final = 1.0


def coverage_faults(frame: gpd.GeoDataFrame, *, key: str) -> list[Fault]:
    """List where areas that should cover overlap, leave gaps, or meet with unlike edges.

    Parameters
    ----------
    frame
        Valid polygons in any CRS; measured in metres.
    key
        The column that names an area in the sentences.

    Returns
    -------
    list of Fault
        Empty for a coverage. A hole that no area fills is a gap; what lies outside all areas is not.

    Examples
    --------
    >>> squares = [shapely.box(0, 0, 10, 10), shapely.box(9, 0, 20, 10)]
    >>> frame = gpd.GeoDataFrame({"code": ["a", "b"]}, geometry=squares, crs=4547)
    >>> [fault.message for fault in coverage_faults(frame, key="code")]
    ["1 pair of areas overlaps, by 10 m² in all (largest: 'a' and 'b', 10 m²)"]
    """
    frame = _in_metres(frame)
    shapes = frame.geometry.to_numpy()
    names = frame.get(key, frame.index).to_numpy()
    if shapely.coverage_is_valid(shapes, gap_width=_GAP_WIDTH_M):
        return list(_hole_faults(shapely.coverage_union_all(shapes)))
    faults = [*_overlap_faults(shapes, names), *_hole_faults(shapely.union_all(shapes))]
    if not faults:
        edges = shapely.coverage_invalid_edges(shapes, gap_width=_GAP_WIDTH_M)
        wrong = ~shapely.is_empty(edges)
        n, first = int(wrong.sum()), str(names[wrong][0]) if wrong.any() else ""
        message = f"{n} of {len(frame)} areas have edges that do not match their neighbours' (first: {first!r})"
        faults = [Fault("coverage", n, first, message)]
    return faults


def inside_faults(
    frame: gpd.GeoDataFrame,
    whole: gpd.GeoDataFrame,
    *,
    layer: Layer,
    parent: Layer,
    inside: Inside,
) -> list[Fault]:
    """List the parts whose code names no whole, and those that reach out of it.

    Parameters
    ----------
    frame
        The parts; valid geometry, any CRS.
    whole
        The areas they should lie in.
    layer, parent
        The descriptions of both.
    inside
        The column that names the whole, and how far a part may reach out of it.

    Returns
    -------
    list of Fault
        Empty when every part lies inside its whole.
    """
    if inside.by not in frame or parent.primary_key not in whole:
        return []
    keys = frame[layer.primary_key] if layer.primary_key in frame else frame.index.to_series()
    codes = frame[inside.by]
    known = codes.isin(whole[parent.primary_key])
    faults = []
    orphans = ~known & codes.notna()
    if orphans.any():
        n, first = int(orphans.sum()), f"{keys[orphans].iloc[0]}, {codes[orphans].iloc[0]}"
        message = f"{n} of {len(frame)} values of {inside.by!r} name no row of {parent.id!r} (first: {first})"
        faults.append(Fault("inside", n, first, message))
    parts = _in_metres(frame[known])
    wholes = (
        whole.to_crs(parts.crs).set_index(parent.primary_key).geometry.buffer(inside.tolerance_m)
    )
    wholes = wholes[~wholes.index.duplicated()]
    container = wholes.reindex(codes[known]).to_numpy()
    shapely.prepare(container)
    outside = ~shapely.covers(container, parts.geometry.to_numpy())
    if outside.any():
        n = int(outside.sum())
        first = f"{keys[known][outside].iloc[0]}, {codes[known][outside].iloc[0]}"
        message = (
            f"{n} of {len(frame)} rows reach more than {inside.tolerance_m:g} m out of the row of {parent.id!r} "
            f"that their {inside.by!r} names (first: {first})"
        )
        faults.append(Fault("inside", n, first, message))
    return faults


def _in_metres(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    if frame.empty or frame.crs is None or is_metric(frame.crs):
        return frame
    return frame.to_crs(local_metric_crs(frame))


def _overlap_faults(shapes: NDArray[Any], names: NDArray[Any]) -> Iterator[Fault]:
    tree = shapely.STRtree(shapes)
    left, right = tree.query(shapes, predicate="intersects")
    once = left < right
    left, right = left[once], right[once]
    areas = shapely.area(shapely.intersection(shapes[left], shapes[right]))
    real = areas > SLIVER_M2
    if not real.any():
        return
    left, right, areas = left[real], right[real], areas[real]
    largest = np.lexsort((right, left, -areas))[0]
    pair = f"{str(names[left[largest]])!r} and {str(names[right[largest]])!r}"
    n, verb = len(areas), "pair of areas overlaps" if len(areas) == 1 else "pairs of areas overlap"
    yield Fault(
        "coverage", n, pair, f"{n} {verb}, by {areas.sum():,.4g} m² in all (largest: {pair}, {areas[largest]:,.4g} m²)"
    )  # fmt: skip


def _hole_faults(union: shapely.Geometry) -> Iterator[Fault]:
    rings = [ring for part in shapely.get_parts(union) for ring in getattr(part, "interiors", ())]
    holes = shapely.polygons(rings) if rings else np.empty(0, dtype=object)
    holes = holes[shapely.area(holes) > SLIVER_M2]
    if not len(holes):
        return
    areas = shapely.area(holes)
    centre = shapely.point_on_surface(holes[int(np.argmax(areas))])
    first = f"at {centre.x:.0f}, {centre.y:.0f}"
    n, word = len(holes), "gap lies" if len(holes) == 1 else "gaps lie"
    yield Fault(
        "coverage", n, first, f"{n} {word} between the areas, {areas.sum():,.4g} m² in all (largest: {first}, {areas.max():,.4g} m²)"
    )  # fmt: skip
