"""Do the units of a level cover the ground once: no gap, no overlap, no sliver between them?

Edges come first: units whose every edge is exactly a neighbour's edge need no further look, so the costly
intersections are taken only where edges disagree.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from gisgrid.grids.validation.faults import (
    GridFault,
    Shapes,
    gathered,
    measured,
    polygon_parts,
    quoted,
    wider_than,
)
from gisgrid.grids.validation.levels import Level
from gisgrid.grids.validation.rules import Limits
from gisgrid.schema import Text

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Topology:
    """How the units of a level lie together.

    Attributes
    ----------
    edges
        Shape (n,), the edges of each unit that no neighbour shares though they should; empty where all is well.
    union
        All ground of the level.
    holes
        Shape (k,), ground that the units enclose and that belongs to none of them.
    first, second
        Shape (pairs,), units that overlap by some area, first < second.
    common
        Shape (pairs,), the ground that they share: Polygon or MultiPolygon.
    """

    edges: Shapes
    union: shapely.Geometry
    holes: Shapes
    first: Ints
    second: Ints
    common: Shapes

    @property
    def matched(self) -> bool:
        """Whether every edge is exactly a neighbour's edge or on the outside."""
        return bool(shapely.is_empty(self.edges).all())


def topology(level: Level) -> Topology:
    """Find out how the units of a level lie together.

    Parameters
    ----------
    level
        The units; only their clean polygons are looked at.

    Returns
    -------
    Topology
        Edges that do not match, the union, the overlaps.

    Notes
    -----
    Checked against itself: where all edges match but the areas do not add up to the area of the union (several units
    drawn on exactly the same ground), every pair is intersected after all.
    """
    shapes = level.clean
    edges = np.asarray(shapely.coverage_invalid_edges(shapes), dtype=object)
    edges = np.where(shapely.is_missing(edges), shapely.LineString(), edges)
    odd = ~shapely.is_empty(edges)
    union = shapely.union_all(shapes) if odd.any() else shapely.coverage_union_all(shapes)
    excess = float(level.areas.sum()) - float(union.area)
    rounding = 1e-9 * float(level.areas.sum())
    if not odd.any() and abs(excess) > rounding:
        union = shapely.union_all(shapes)
        excess = float(level.areas.sum()) - float(union.area)
    asked = odd if odd.any() else np.full(len(shapes), abs(excess) > rounding)
    first, second, common = overlaps(shapes, np.flatnonzero(asked))
    return Topology(edges, union, holes_of(union), first, second, common)


def overlaps(shapes: Shapes, asked: Ints) -> tuple[Ints, Ints, Shapes]:
    """Find the ground that units share with any other.

    Parameters
    ----------
    shapes
        Shape (n,), valid polygons.
    asked
        The positions of those that may overlap something.

    Returns
    -------
    first, second : ndarray of int
        Shape (pairs,), first < second, sorted.
    common : ndarray
        Shape (pairs,), what each pair shares.
    """
    left, right = shapely.STRtree(shapes).query(shapes[asked], predicate="intersects")
    left = asked[left]
    pairs = np.unique(np.sort(np.stack([left, right], 1), axis=1), axis=0)
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    met = shapely.intersection(shapes[pairs[:, 0]], shapes[pairs[:, 1]])
    parts, owner = polygon_parts(met)
    common = gathered(parts, owner, len(pairs))
    there = shapely.area(common) > 0
    return pairs[there, 0], pairs[there, 1], common[there]


def holes_of(union: shapely.Geometry) -> Shapes:
    """Give the ground that a union encloses without being part of it.

    Parameters
    ----------
    union
        Polygons, or a collection of them and lines.

    Returns
    -------
    ndarray of Polygon
        Shape (n,), one per hole, without the land inside it.
    """
    parts, _ = polygon_parts(np.array([union], dtype=object))
    rings = [ring for part in parts for ring in part.interiors]
    if not rings:
        return np.empty(0, dtype=object)
    holes: Shapes = shapely.polygons(rings)
    island, hole = shapely.STRtree(holes).query(shapely.point_on_surface(parts), predicate="within")
    for at in np.unique(hole):
        holes[at] = shapely.difference(holes[at], shapely.union_all(parts[island[hole == at]]))
    return polygon_parts(holes)[0]


def coverage_faults(level: Level, found: Topology, *, limits: Limits) -> Iterator[GridFault]:
    """List gaps, overlaps and slivers between the units of a level.

    Parameters
    ----------
    level
        The units.
    found
        How they lie together.
    limits
        What is rounding and what a sliver.

    Yields
    ------
    GridFault
        A gap per hole; an overlap or sliver per pair; one note where edges do not match by less than the tolerance.
    """
    faults = [*_overlap_faults(level, found, limits), *_gap_faults(level, found, limits)]
    yield from faults
    concerned = {name for fault in faults for name in (fault.unit, *fault.others)}
    unmatched = ~shapely.is_empty(found.edges) & [name not in concerned for name in level.labels]
    odd = np.flatnonzero(unmatched)
    if len(odd):
        first, length = str(level.labels[odd[0]]), float(shapely.length(found.edges[odd]).sum())
        width = measured(limits.tolerance_m, squared=False)
        message = Text(
            zh=f"{len(odd)}个单元的边线与邻居的顶点不一致，但差异小于{width}（如“{first}”）",
            en=f"{len(odd)} units have edges with other vertices than their neighbours', though nothing wider than "
            f"{width} lies between (first: {first!r})",
        )
        place = shapely.multilinestrings(shapely.get_parts(found.edges[odd]))
        others = tuple(map(str, level.labels[odd[1:]]))
        yield GridFault(
            "unmatched_edges", level.name, first, message, place, others=others, size=length, size_unit="m", n=len(odd)
        )  # fmt: skip


def _overlap_faults(level: Level, found: Topology, limits: Limits) -> Iterator[GridFault]:
    """One fault per pair and rule: its wide pieces are an overlap, its narrow ones slivers."""
    parts, pair = polygon_parts(found.common)
    wide = wider_than(parts, limits.sliver_m)
    for rule, chosen in (
        ("overlap", wide),
        ("sliver", ~wide & wider_than(parts, limits.tolerance_m)),
    ):
        for at in np.unique(pair[chosen]):
            mine = parts[_where(pair, chosen, int(at))]
            first, second = sorted(
                (str(level.labels[found.first[at]]), str(level.labels[found.second[at]]))
            )
            area = float(shapely.area(mine).sum())
            smaller = float(min(level.areas[found.first[at]], level.areas[found.second[at]]))
            said = measured(area, squared=True)
            message = Text(
                zh=f"“{first}”与“{second}”重叠{said}",
                en=f"{first!r} and {second!r} overlap by {said}",
            )
            place = mine[0] if len(mine) == 1 else shapely.multipolygons(mine)
            yield GridFault(
                rule, level.name, first, message, place, others=(second,), size=area, size_unit="m²",
                n=len(mine), share=area / smaller,
            )  # fmt: skip


def _where(pair: Ints, chosen: NDArray[np.bool_], at: int) -> Ints:
    """Give the positions of one pair's chosen parts; `pair` is sorted."""
    begin, end = np.searchsorted(pair, [at, at + 1])
    return np.arange(begin, end)[chosen[begin:end]]


def _gap_faults(level: Level, found: Topology, limits: Limits) -> Iterator[GridFault]:
    holes = found.holes[wider_than(found.holes, limits.tolerance_m)]
    if not len(holes):
        return
    hole, unit = shapely.STRtree(level.clean).query(
        holes, predicate="dwithin", distance=limits.tolerance_m
    )
    for at, (shape, thin) in enumerate(
        zip(holes, ~wider_than(holes, limits.sliver_m), strict=True)
    ):
        beside = sorted(map(str, level.labels[unit[hole == at]]))
        said, names = measured(float(shape.area), squared=True), quoted(beside)
        message = Text(
            zh=f"{names.zh}之间有{said}空隙", en=f"a gap of {said} lies between {names.en}"
        )
        yield GridFault(
            "sliver" if thin else "gap", level.name, beside[0], message, shape,
            others=tuple(beside[1:]), size=float(shape.area), size_unit="m²",
        )  # fmt: skip
