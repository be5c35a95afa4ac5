"""Which border do two polygons share, and who swallows a piece that is too small?

A division of the ground is kept as polygons whose common borders have the same vertices to the last bit. Then who is
next to whom, and along how many metres, is read off the vertices without any geometry.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from gisgrid.errors import InputError

Geometries = NDArray[np.object_]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

TOUCH_M: Final = 1e-6
"""Metres within which a vertex lies on a border: a thousand times the rounding of coordinates of a few million metres."""

_THIN: Final = 0.05
"""Compactness below which the inside of a face may be thinner than rounding."""


@dataclass(frozen=True)
class Borders:
    """Who shares a border with whom.

    Attributes
    ----------
    first, second
        Shape (pairs,): positions of two polygons that share a border, first < second, sorted.
    length_m
        Shape (pairs,): how much of it.
    perimeter_m
        Shape (n,): the whole border of each polygon.
    """

    first: Ints
    second: Ints
    length_m: Floats
    perimeter_m: Floats


def share_vertices(polygons: Geometries, *, within_m: float = TOUCH_M) -> Geometries:
    """Give polygons that touch the same vertices along their common border, moving none of them.

    Parameters
    ----------
    polygons
        Shape (n,), polygons without other kinds, metres. They must not overlap by more than rounding.
    within_m
        How near to an edge, or to another vertex, a vertex is on it.

    Returns
    -------
    array of Polygon
        Shape (n,). A vertex of one that lies on another's edge is put into that edge; vertices at one place become the
        same.

    Examples
    --------
    >>> wide, *narrow = shapely.box([0, 0, 1], [1, 0, 0], [2, 1, 2], [2, 1, 1])
    >>> bool(shapely.coverage_is_valid(np.array([wide, *narrow])))
    False
    >>> bool(shapely.coverage_is_valid(share_vertices(np.array([wide, *narrow]))))
    True
    """
    if len(polygons) == 0:
        return polygons
    coordinates, rings, parts = _ragged(polygons)
    vertex, place = _vertices(coordinates, within_m)
    start = _edge_starts(len(coordinates), rings)
    a, b = vertex[start], vertex[start + 1]
    edge, which = np.unique(np.minimum(a, b) * len(place) + np.maximum(a, b), return_inverse=True)
    low, high = edge // len(place), edge % len(place)
    on_edge, extra = vertices_on_edges(place, low, high, within_m)
    order = np.argsort(on_edge, kind="stable")
    on_edge, extra = on_edge[order], extra[order]
    n_extra = np.bincount(on_edge, minlength=len(edge))[which]
    begin = np.searchsorted(on_edge, np.arange(len(edge)))[which]
    where = np.repeat(start, n_extra)
    added = extra[
        np.repeat(begin, n_extra)
        + np.arange(n_extra.sum())
        - np.repeat(np.cumsum(n_extra) - n_extra, n_extra)
    ]
    away = np.hypot(*(place[added] - place[vertex[where]]).T)
    position = np.concatenate([np.arange(len(coordinates)), where])
    order = np.lexsort((np.concatenate([np.zeros(len(coordinates)), away]), position))
    points = place[np.concatenate([vertex, added])[order]]
    shift = np.concatenate([[0], np.cumsum(np.bincount(where, minlength=len(coordinates)))])
    shared: Geometries = shapely.from_ragged_array(
        shapely.GeometryType.POLYGON, points, (rings + shift[rings], parts)
    )
    return shared


def borders(polygons: Geometries) -> Borders:
    """Measure the borders that polygons of one division share.

    Parameters
    ----------
    polygons
        Shape (n,), polygons with shared vertices (`share_vertices`).

    Returns
    -------
    Borders
        A pair that meets in points only is none.
    """
    coordinates, rings, parts = _ragged(polygons)
    vertex, place = _vertices(coordinates, 0.0)
    start = _edge_starts(len(coordinates), rings)
    owner = np.repeat(np.arange(len(polygons)), np.diff(rings[parts]))[start]
    length = np.hypot(*(coordinates[start + 1] - coordinates[start]).T)
    perimeter = np.bincount(owner, weights=length, minlength=len(polygons)).astype(np.float64)
    a, b = vertex[start], vertex[start + 1]
    edge = np.minimum(a, b) * len(place) + np.maximum(a, b)
    order = np.lexsort((owner, edge))
    same = edge[order][1:] == edge[order][:-1]
    left, right = owner[order][:-1][same], owner[order][1:][same]
    other = left < right
    pair, inverse = np.unique(
        left[other] * len(polygons) + right[other],
        return_inverse=True,
    )
    along = length[order][:-1][same][other]
    shared = np.bincount(inverse, weights=along, minlength=len(pair)).astype(np.float64)
    return Borders(pair // len(polygons), pair % len(polygons), shared, perimeter)


def merge_small(polygons: Geometries, *, least_m2: Floats, least_width_m: float) -> Ints:
    """Give each piece that is too small or too thin to the neighbour with which it shares most border.

    Parameters
    ----------
    polygons
        Shape (n,), polygons with shared vertices.
    least_m2
        Shape (n,): the area that each should have at least.
    least_width_m
        A piece whose width (twice the area over half the perimeter, the width of a long strip) is less is too thin.

    Returns
    -------
    array of int
        Shape (n,): who goes together, numbered from 0 in the order of the first member. A piece without neighbours
        stays by itself.
    """
    found = borders(polygons)
    area, perimeter, least = shapely.area(polygons), found.perimeter_m.copy(), least_m2.copy()
    beside: list[dict[int, float]] = [{} for _ in polygons]
    for i, j, length in zip(
        found.first.tolist(), found.second.tolist(), found.length_m.tolist(), strict=True
    ):
        beside[i][j] = beside[j][i] = length

    def lacks(i: int) -> bool:
        return bool(area[i] < least[i] or 4 * area[i] < least_width_m * perimeter[i])

    into = np.arange(len(polygons))
    heap = [(float(area[i]), i) for i in range(len(polygons)) if lacks(i)]
    heapq.heapify(heap)
    while heap:
        size, i = heapq.heappop(heap)
        if into[i] != i or size != area[i] or not beside[i]:
            continue
        j = max(beside[i], key=lambda other: (beside[i][other], -other))
        common = beside[i].pop(j)
        del beside[j][i]
        for other, length in beside[i].items():
            del beside[other][i]
            beside[j][other] = beside[other][j] = beside[j].get(other, 0.0) + length
        into[i] = j
        least[j] = max(least[j], least[i]) if area[i] > area[j] else least[j]
        area[j] += area[i]
        perimeter[j] += perimeter[i] - 2 * common
        if lacks(j):
            heapq.heappush(heap, (float(area[j]), j))
    return _numbered(_roots(into))


def union_by(polygons: Geometries, label: Ints) -> Geometries:
    """Unite the pieces of one division that have the same label.

    Parameters
    ----------
    polygons
        Shape (n,), polygons with shared vertices.
    label
        Shape (n,), from 0 without gaps.

    Returns
    -------
    array of geometry
        Shape (labels,).
    """
    order = np.argsort(label, kind="stable")
    first = np.searchsorted(label[order], np.arange(label.max(initial=-1) + 2))
    united = np.empty(len(first) - 1, dtype=object)
    for i, (begin, end) in enumerate(pairwise(first.tolist())):
        members = polygons[order[begin:end]]
        united[i] = members[0] if len(members) == 1 else shapely.coverage_union_all(members)
    return united


def connected_parts(polygons: Geometries, label: Ints) -> Ints:
    """Give the connected parts of each label a number each, so that every part stands for itself.

    Parameters
    ----------
    polygons
        Shape (n,), polygons with shared vertices.
    label
        Shape (n,), any numbers.

    Returns
    -------
    array of int
        Shape (n,), from 0 in the order of the first member.
    """
    found = borders(polygons)
    same = label[found.first] == label[found.second]
    pairs = found.first[same], found.second[same]
    graph = coo_array((np.ones(int(same.sum())), pairs), shape=(len(polygons),) * 2)
    return _numbered(connected_components(graph, directed=False)[1].astype(np.int64))


def compactness(polygons: Geometries) -> Floats:
    """How compact is a shape (Polsby-Popper)?

    Parameters
    ----------
    polygons
        Shape (n,), metres.

    Returns
    -------
    array of float
        Shape (n,), 4π·area/perimeter²: 1 a circle, 0.785 a square, 0.59 a rectangle of 1 by 3, near 0 a thread.
    """
    perimeter = shapely.length(polygons)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio: Floats = 4 * np.pi * shapely.area(polygons) / perimeter**2
    return ratio


def lies_in(faces: Geometries, areas: Geometries) -> NDArray[np.bool_]:
    """Tell for each face whether it lies in the area beside it, where it can only lie in it or outside.

    Parameters
    ----------
    faces
        Shape (n,), polygons.
    areas
        Shape (n,), polygons, or one polygon.

    Returns
    -------
    array of bool
        Shape (n,). A face is known by a point inside it, or by what is common where it is too thin to hold a point
        that rounding leaves inside.
    """
    areas = np.broadcast_to(np.asarray(areas, dtype=object), len(faces))
    inside = shapely.intersects(areas, shapely.point_on_surface(faces))
    thin = np.flatnonzero(compactness(faces) < _THIN)
    common = shapely.area(shapely.intersection(faces[thin], areas[thin]))
    inside[thin] = common > shapely.area(faces[thin]) / 2
    known: NDArray[np.bool_] = inside
    return known


def owners(faces: Geometries, areas: Geometries) -> Ints:
    """Find the area that each face lies in, where it can only lie in one or in none.

    Parameters
    ----------
    faces
        Shape (n,), polygons.
    areas
        Shape (m,), polygons that touch at most.

    Returns
    -------
    array of int
        Shape (n,), the position of the area, -1 where the face lies in none.
    """
    owner = np.full(len(faces), -1)
    face, area = shapely.STRtree(areas).query(faces, predicate="intersects")
    within = lies_in(faces[face], areas[area])
    owner[face[within]] = area[within]
    return owner


def _ragged(polygons: Geometries) -> tuple[Floats, Ints, Ints]:
    if (wrong := shapely.get_type_id(polygons) != shapely.GeometryType.POLYGON).any():
        raise InputError(
            f"{wrong.sum()} of {len(polygons)} pieces of a division are no polygons (first: piece {int(np.argmax(wrong))}); "
            "take multipart areas apart first, for example with explode()"
        )
    _, coordinates, offsets = shapely.to_ragged_array(polygons, include_z=False)
    return coordinates, np.asarray(offsets[0], np.int64), np.asarray(offsets[1], np.int64)


def _edge_starts(n: int, rings: Ints) -> Ints:
    """Give the positions of coordinates at which an edge begins: all but the last of each ring."""
    begins = np.ones(n, dtype=bool)
    begins[rings[1:] - 1] = False
    return np.flatnonzero(begins)


def _vertices(coordinates: Floats, within_m: float) -> tuple[Ints, Floats]:
    """Give each distinct place a number; places within some metres of each other are one, the first of them."""
    flat = np.ascontiguousarray(coordinates).view(np.complex128).ravel()
    distinct, vertex = np.unique(flat, return_inverse=True)
    place = np.stack([distinct.real, distinct.imag], 1)
    pairs = (
        cKDTree(place).query_pairs(within_m, output_type="ndarray")
        if within_m
        else np.empty((0, 2), int)
    )
    if len(pairs):
        graph = coo_array((np.ones(len(pairs)), pairs.T), shape=(len(place),) * 2)
        _, group = connected_components(graph, directed=False)
        _, first = np.unique(group, return_index=True)
        return group[vertex].astype(np.int64), place[first]
    return vertex.astype(np.int64), place


def vertices_on_edges(place: Floats, low: Ints, high: Ints, within_m: float) -> tuple[Ints, Ints]:
    """Find the vertices that lie on edges without being their ends.

    Parameters
    ----------
    place
        Shape (n, 2), the vertices.
    low, high
        Shape (m,), the ends of each edge.
    within_m
        How near to an edge a vertex is on it.

    Returns
    -------
    edge, vertex : array of int
        A pair for each vertex on an edge.
    """
    edges = shapely.linestrings(np.stack([place[low], place[high]], 1))
    edge, vertex = shapely.STRtree(shapely.points(place)).query(
        edges, predicate="dwithin", distance=within_m
    )
    inner = (vertex != low[edge]) & (vertex != high[edge])
    return edge[inner], vertex[inner]


def _roots(into: Ints) -> Ints:
    while (further := into[into] != into).any():
        into = np.where(further, into[into], into)
    return into


def _numbered(label: Ints) -> Ints:
    """Give labels numbers from 0 in the order in which they first occur."""
    _, first, inverse = np.unique(label, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse]
