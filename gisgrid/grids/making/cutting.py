"""How is a block that is too big divided into compact pieces of the same size?

A block of n pieces is cut straight across into two, of n/2 pieces each (or as near as n allows), and so on. The cut
stands across the block's own axes where it can: of all cuts that part the area rightly, the shortest, with a handicap
for slanting ones and for those through a building.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from gisgrid.compiled import compiled
from gisgrid.grids.making.borders import Floats, Geometries, Ints, lies_in

_DIRECTIONS: Final = 12
_SLANT: Final = 1.3
"""How much shorter a cut that is not along the block's own axes must be."""
_SHIFTS: Final = tuple(0.04 * k for k in (0, -1, 1, -2, 2, -3, 3, -4, 4, -5, 5, -6, 6))
"""By which share of the smaller side a cut may stray from the right area to spare a building."""
_STRAY: Final = 0.5
"""What straying costs: a cut that strays by 0.1 must be 5 % shorter."""
_THROUGH: Final = 5.0
"""A metre through a building counts as so many metres."""
_HALVINGS: Final = 20
_MOST_ROUNDS: Final = 40


class _Edges(NamedTuple):
    """The edges of several areas: `ends` has shape (n, 4), the ground to their left; `first` where each area's begin."""

    ends: NDArray[np.float64]
    first: NDArray[np.int64]


def subdivide(
    blocks: Geometries, *, target_m2: Floats, obstacles: Geometries
) -> tuple[Geometries, Ints]:
    """Cut each block into the number of pieces that brings them nearest to the target.

    Parameters
    ----------
    blocks
        Shape (n,), polygons in metres.
    target_m2
        Shape (n,), the area aimed at; infinite for a block that stays whole.
    obstacles
        Polygons that cuts avoid where they can, for example buildings.

    Returns
    -------
    pieces : array of Polygon
        They tile the blocks; neighbours may lack each other's vertices (`share_vertices`).
    block : array of int
        The position of the block that each piece comes from, ascending.
    """
    tree = shapely.STRtree(obstacles)
    todo, source = blocks, np.arange(len(blocks))
    wanted = np.maximum(1, np.rint(shapely.area(blocks) / target_m2)).astype(np.int64)
    done: list[tuple[Geometries, Ints]] = []
    for _ in range(_MOST_ROUNDS):
        ready = wanted < 2
        done.append((todo[ready], source[ready]))
        todo, source, wanted = todo[~ready], source[~ready], wanted[~ready]
        if len(todo) == 0:
            break
        pieces, parent = _cut(todo, wanted, obstacles, tree)
        size = (shapely.area(todo) / wanted)[parent]
        alone = np.bincount(parent, minlength=len(todo))[parent] == 1
        wanted = np.where(alone, 1, np.maximum(1, np.rint(shapely.area(pieces) / size)))
        wanted = wanted.astype(np.int64)
        todo, source = pieces, source[parent]
    else:
        done.append((todo, source))
    pieces = np.concatenate([each for each, _ in done])
    block = np.concatenate([each for _, each in done])
    order = np.argsort(block, kind="stable")
    return pieces[order], block[order]


def _cut(
    blocks: Geometries, wanted: Ints, obstacles: Geometries, tree: shapely.STRtree
) -> tuple[Geometries, Ints]:
    """Cut each block once: the pieces, and the position of the block that each is part of."""
    middle = shapely.get_coordinates(shapely.centroid(blocks))
    edges = _edges(blocks, np.arange(len(blocks)), middle)
    block, obstacle = tree.query(blocks, predicate="intersects")
    order = np.lexsort((obstacle, block))
    around = _edges(obstacles[obstacle[order]], block[order], middle)
    axes = _axes(blocks)
    found = _best_cuts(edges, around, wanted, axes, np.array(_SHIFTS))
    angle, offset = found.T
    along = np.stack([-np.sin(angle), np.cos(angle)], 1)
    foot = middle + offset[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)
    west, south, east, north = shapely.bounds(blocks).T
    reach = (np.hypot(east - west, north - south) + 1.0)[:, None]
    cuts = shapely.linestrings(np.stack([foot - reach * along, foot + reach * along], 1))
    noded = shapely.union(shapely.boundary(blocks), cuts)
    faces, parent = shapely.get_parts(shapely.polygonize(noded[:, None]), return_index=True)
    inside = lies_in(faces, blocks[parent])
    return faces[inside], parent[inside]


def _axes(blocks: Geometries) -> Floats:
    """Give the direction of the longer side of the smallest rectangle around each block, radians."""
    corners = shapely.get_coordinates(shapely.oriented_envelope(blocks)).reshape(-1, 5, 2)
    sides = corners[:, 1:3] - corners[:, :2]
    longer = np.argmax(np.hypot(sides[..., 0], sides[..., 1]), axis=1)
    x, y = sides[np.arange(len(sides)), longer].T
    angle: Floats = np.arctan2(y, x)
    return angle


def _edges(areas: Geometries, owner: Ints, middle: Floats) -> _Edges:
    """List the edges of areas, those of one owner in a row, seen from the owner's middle; owners ascend."""
    shapes = shapely.orient_polygons(areas)
    rings, shape = shapely.get_parts(shapes), np.arange(len(shapes))
    rings, part = shapely.get_parts(shapes, return_index=True)
    shape = shape[part]
    rings, part = shapely.get_rings(rings, return_index=True)
    shape = shape[part]
    points, ring = shapely.get_coordinates(rings, return_index=True)
    points = points - middle[owner[shape[ring]]]
    within = ring[1:] == ring[:-1]
    ends = np.hstack([points[:-1][within], points[1:][within]])
    whose = owner[shape[ring[:-1][within]]]
    return _Edges(ends, np.searchsorted(whose, np.arange(len(middle) + 1)))


@compiled
def _best_cuts(
    edges: _Edges, obstacles: _Edges, wanted: Ints, axes: Floats, shifts: Floats
) -> Floats:
    """Find the best cut of each block: the direction across it (radians) and its distance from the block's middle."""
    best = np.zeros((len(wanted), 2))
    for block in range(len(wanted)):
        ends = edges.ends[edges.first[block] : edges.first[block + 1]]
        avoid = obstacles.ends[obstacles.first[block] : obstacles.first[block + 1]]
        n_shifts = len(shifts) if len(avoid) else 1
        least = np.inf
        own = (_dominant(ends), axes[block])
        for k in range(_DIRECTIONS + 2):
            if k < _DIRECTIONS:
                angle = own[0] + k * math.pi / _DIRECTIONS
                slant = 1.0 if k % (_DIRECTIONS // 2) == 0 else _SLANT
            else:
                angle, slant = own[1] + (k - _DIRECTIONS) * math.pi / 2, 1.0
            nx, ny = math.cos(angle), math.sin(angle)
            whole = _area_below(ends, nx, ny, np.inf)
            n = wanted[block]
            for pieces in (n // 2, n - n // 2):
                for shift in shifts[:n_shifts]:
                    share = (pieces + shift * (n // 2)) / n
                    offset = _offset(ends, nx, ny, share * whole)
                    score = _chord(ends, nx, ny, offset) * slant * (1.0 + _STRAY * abs(shift))
                    if len(avoid):
                        score += _THROUGH * _chord(avoid, nx, ny, offset)
                    if score < least * (1.0 - 1e-9):
                        least = score
                        best[block, 0], best[block, 1] = angle, offset
                if n % 2 == 0:
                    break
    return best


@compiled
def _dominant(ends: Floats) -> float:
    """Give the direction that most of the border keeps to, or stands square to."""
    real, imaginary = 0.0, 0.0
    for i in range(len(ends)):
        dx, dy = ends[i, 2] - ends[i, 0], ends[i, 3] - ends[i, 1]
        length, angle = math.hypot(dx, dy), 4.0 * math.atan2(dy, dx)
        real += length * math.cos(angle)
        imaginary += length * math.sin(angle)
    return math.atan2(imaginary, real) / 4.0


@compiled
def _reach(ends: Floats, nx: float, ny: float) -> tuple[float, float]:
    low, high = np.inf, -np.inf
    for i in range(len(ends)):
        s = ends[i, 0] * nx + ends[i, 1] * ny
        low, high = min(low, s), max(high, s)
    return low, high


@compiled
def _area_below(ends: Floats, nx: float, ny: float, offset: float) -> float:
    """Measure the part of an area on the near side of a line: the integral along its edges, each cut at the line."""
    total = 0.0
    for i in range(len(ends)):
        s0, t0 = ends[i, 0] * nx + ends[i, 1] * ny, ends[i, 1] * nx - ends[i, 0] * ny
        s1, t1 = ends[i, 2] * nx + ends[i, 3] * ny, ends[i, 3] * nx - ends[i, 2] * ny
        if s0 >= offset and s1 >= offset:
            continue
        if s0 > offset or s1 > offset:
            t = t0 + (t1 - t0) * (offset - s0) / (s1 - s0)
            if s0 > offset:
                s0, t0 = offset, t
            else:
                s1, t1 = offset, t
        total -= (s1 - s0) * (t0 + t1) / 2.0
    return total


@compiled
def _offset(ends: Floats, nx: float, ny: float, area: float) -> float:
    """Find the line that has `area` on its near side, by halving."""
    low, high = _reach(ends, nx, ny)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        if _area_below(ends, nx, ny, middle) < area:
            low = middle
        else:
            high = middle
    return (low + high) / 2.0


@compiled
def _chord(ends: Floats, nx: float, ny: float, offset: float) -> float:
    """Measure how long a line runs inside an area: the ground is left of an edge, so above one that leads on and below one that leads back."""
    length = 0.0
    for i in range(len(ends)):
        s0, s1 = ends[i, 0] * nx + ends[i, 1] * ny, ends[i, 2] * nx + ends[i, 3] * ny
        if (s0 < offset) == (s1 < offset):
            continue
        t0, t1 = ends[i, 1] * nx - ends[i, 0] * ny, ends[i, 3] * nx - ends[i, 2] * ny
        t = t0 + (t1 - t0) * (offset - s0) / (s1 - s0)
        length += t if s1 < s0 else -t
    return length
