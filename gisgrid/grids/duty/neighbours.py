"""Which unit grids are side by side, and how would one get from an island to the rest?"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gisgrid.grids.making.borders import Floats, Geometries, Ints, borders, share_vertices

_TOUCH_M: Final = 0.01
"""Metres within which borders touch: what is drawn once and reprojected differs by millimetres."""


class Neighbours(NamedTuple):
    """Who is beside each unit: `beside[first[i] : first[i + 1]]`, and along how many metres of border.

    Both directions are there, neighbours ascend. `bridges` has shape (b, 2): the pairs that do not touch but are taken
    for neighbours, along 0 m, because what they belong to would hang together in no other way.
    """

    first: Ints
    beside: Ints
    border_m: Floats
    bridges: Ints


def neighbours(units: Geometries) -> Neighbours:
    """Find who shares a border with whom, and join what lies apart by its shortest gaps.

    Parameters
    ----------
    units
        Shape (n,), polygons or multipolygons, metres.

    Returns
    -------
    Neighbours
        One connected whole.
    """
    parts, owner = noded(units)
    found = borders(parts)
    first, second, length = owner[found.first], owner[found.second], found.length_m
    other = first != second
    first, second, length = first[other], second[other], length[other]
    bridges = _bridges(units, first, second)
    first, second = np.append(first, bridges[:, 0]), np.append(second, bridges[:, 1])
    length = np.append(length, np.zeros(len(bridges)))
    n = len(units)
    pair, inverse = np.unique(
        np.minimum(first, second) * n + np.maximum(first, second), return_inverse=True
    )
    total = np.bincount(inverse, weights=length, minlength=len(pair)).astype(np.float64)
    low, high = pair // n, pair % n
    start, end = np.append(low, high), np.append(high, low)
    order = np.lexsort((end, start))
    begins = np.searchsorted(start[order], np.arange(n + 1))
    return Neighbours(begins, end[order], np.append(total, total)[order], bridges)


def noded(units: Geometries) -> tuple[Geometries, Ints]:
    """Take units apart into polygons that have the same vertices where they touch.

    Parameters
    ----------
    units
        Shape (n,), polygons or multipolygons, metres.

    Returns
    -------
    parts : array of Polygon
        Vertices within a centimetre of each other are one.
    owner : array of int
        The unit that each is part of.
    """
    parts, owner = shapely.get_parts(units, return_index=True)
    return share_vertices(parts, within_m=_TOUCH_M), owner


def components(label: Ints, graph: Neighbours) -> Ints:
    """Give the connected parts of a division a number each.

    Parameters
    ----------
    label
        Shape (n,), what each unit belongs to.
    graph
        n units.

    Returns
    -------
    array of int
        Shape (n,), equal for units of one label that hang together.
    """
    n = len(label)
    start = np.repeat(np.arange(n), np.diff(graph.first))
    same = label[start] == label[graph.beside]
    pairs = (start[same], graph.beside[same])
    within = coo_array((np.ones(int(same.sum())), pairs), shape=(n, n))
    return connected_components(within, directed=False)[1].astype(np.int64)


def _bridges(units: Geometries, first: Ints, second: Ints) -> Ints:
    """Join the smallest part to what is nearest, until all hang together."""
    n = len(units)
    joined = coo_array((np.ones(len(first)), (first, second)), shape=(n, n))
    part = connected_components(joined, directed=False)[1].astype(np.int64)
    bridges: list[tuple[int, int]] = []
    while part.max(initial=0) > 0:
        smallest = int(np.argmin(np.bincount(part)))
        here, there = np.flatnonzero(part == smallest), np.flatnonzero(part != smallest)
        tree = shapely.STRtree(units[there])
        (i, j), gap = tree.query_nearest(units[here], return_distance=True)
        best = np.lexsort((there[j], here[i], gap))[0]
        a, b = int(here[i[best]]), int(there[j[best]])
        bridges.append((min(a, b), max(a, b)))
        part[part == smallest] = part[b]
        part = np.unique(part, return_inverse=True)[1].astype(np.int64)
    return np.array(bridges, dtype=np.int64).reshape(-1, 2)
