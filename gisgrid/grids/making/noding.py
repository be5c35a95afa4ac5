"""Into which faces do lines cut the ground, without faces that only rounding makes?

Lines that meet in one place in the city meet in a dozen places a nanometre apart once their crossings are computed, and
between these lie faces that are nothing but rounding. Here vertices that are nearly at one place become one.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from gisgrid.grids.making.borders import Floats, Geometries, Ints, vertices_on_edges

_SNAP_M: Final = 1e-5
"""Vertices and edges nearer than this meet: ten times what counts as touching where grids are put side by side."""
_ON_EDGE_M: Final = 1e-8


def faces(edge: shapely.Geometry, lines: Geometries) -> Geometries:
    """Cut the ground along lines.

    Parameters
    ----------
    edge
        Lines that do not move, metres: the ground's own border.
    lines
        Lines that may move by hundredths of a millimetre to meet others.

    Returns
    -------
    array of Polygon
        All that the lines enclose, with shared vertices.
    """
    noded = shapely.union_all([edge, *lines])
    ends = _segments(noded)
    distinct, vertex = np.unique(ends.view(np.complex128).ravel(), return_inverse=True)
    place = np.stack([distinct.real, distinct.imag], 1)
    place, rank = _on_edge(place, edge)
    snapped = _together(place, rank)
    a, b = snapped[vertex].reshape(-1, 2).T
    low, high = _distinct_edges(a, b, len(place))
    low, high = _through(place, low, high)
    segments = shapely.linestrings(np.stack([place[low], place[high]], 1))
    found: Geometries = shapely.get_parts(shapely.polygonize([shapely.union_all(segments)]))
    return found


def _segments(lines: shapely.Geometry) -> Floats:
    """Take lines apart: shape (n, 4), the two ends of each segment."""
    points, line = shapely.get_coordinates(shapely.get_parts(lines), return_index=True)
    within = line[1:] == line[:-1]
    return np.ascontiguousarray(np.hstack([points[:-1][within], points[1:][within]]))


def _on_edge(place: Floats, edge: shapely.Geometry) -> tuple[Floats, Ints]:
    """Put on the edge what is nearly there, and rank the places: the edge's own vertices, on the edge, elsewhere."""
    points = shapely.points(place)
    away = shapely.distance(points, edge)
    near = np.flatnonzero((away > _ON_EDGE_M) & (away < 2 * _SNAP_M))
    place = place.copy()
    for i in near.tolist():
        place[i] = shapely.get_coordinates(shapely.shortest_line(edge, points[i]))[0]
    own = shapely.get_coordinates(edge).copy().view(np.complex128).ravel()
    rank = np.where(away < 2 * _SNAP_M, 1, 2)
    rank[np.isin(np.ascontiguousarray(place).view(np.complex128).ravel(), own)] = 0
    return place, rank


def _together(place: Floats, rank: Ints) -> Ints:
    """Say for each place which one stands for it."""
    n = len(place)
    pairs = cKDTree(place).query_pairs(_SNAP_M, output_type="ndarray")
    pairs = pairs[(rank[pairs] > 0).any(axis=1)]  # the edge's own vertices never merge
    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    group = connected_components(graph, directed=False)[1]
    order = np.lexsort((np.arange(n), rank, group))
    first = order[np.append(True, np.diff(group[order]) > 0)]
    stands: Ints = np.where(rank == 0, np.arange(n), first[group])
    return stands


def _distinct_edges(a: Ints, b: Ints, n: int) -> tuple[Ints, Ints]:
    key = np.unique((np.minimum(a, b) * n + np.maximum(a, b))[a != b])
    return key // n, key % n


def _through(place: Floats, low: Ints, high: Ints) -> tuple[Ints, Ints]:
    """Lead each edge through the vertices that are nearly on it."""
    used = np.unique(np.append(low, high))
    edge, vertex = vertices_on_edges(
        place[used], np.searchsorted(used, low), np.searchsorted(used, high), _SNAP_M
    )
    vertex = used[vertex]
    away = np.hypot(*(place[vertex] - place[low[edge]]).T)
    chain = np.concatenate([low, vertex, high])
    which = np.concatenate([np.arange(len(low)), edge, np.arange(len(low))])
    along = np.concatenate([np.zeros(len(low)), away, np.full(len(low), np.inf)])
    order = np.lexsort((along, which))
    same = np.diff(which[order]) == 0
    chain = chain[order]
    return _distinct_edges(chain[:-1][same], chain[1:][same], len(place))
