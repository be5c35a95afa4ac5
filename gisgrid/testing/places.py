"""Where inside a compound does an issue lie: along its streets, or anywhere on its ground?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from gisgrid.testing.ground import Floats

Ints = NDArray[np.int64]

KIND_WEIGHT = {"main": 1.0, "secondary": 0.9, "alley": 0.7}
_PLAIN_WEIGHT = 0.12  # a border without a street
_TO_STREET_M = 0.6


@dataclass(frozen=True)
class Places:
    """All compounds cut into triangles, and their edges, each with the triangle behind it.

    Attributes
    ----------
    corners
        Shape (n_triangles, 3, 2), sorted by compound.
    triangle_steps
        Running sum of areas; compound i owns steps ``triangle_first[i]`` to ``triangle_first[i + 1]``.
    edges
        Shape (n_edges, 3, 2): start, end, and the corner of the triangle that lies inside.
    edge_steps, edge_first
        The same for edges, weighted by length and street.
    """

    corners: Floats
    triangle_steps: Floats
    triangle_first: Ints
    edges: Floats
    edge_steps: Floats
    edge_first: Ints

    def draw(
        self, compound: Ints, by_street: NDArray[np.bool_], rng: np.random.Generator
    ) -> Floats:
        """Draw a point in each issue's compound.

        Parameters
        ----------
        compound
            Shape (n,).
        by_street
            Shape (n,): beside a street (2 to 12 m from the border), else anywhere.
        rng
            The source of chance.

        Returns
        -------
        ndarray
            Shape (n, 2), always inside the compound.
        """
        xy = np.empty((len(compound), 2))
        free = np.flatnonzero(~by_street)
        corners = self.corners[
            _weighted(self.triangle_steps, self.triangle_first, compound[free], rng)
        ]
        u, v = rng.random((2, len(free)))
        over = u + v > 1
        u[over], v[over] = 1 - u[over], 1 - v[over]
        shares = 0.985 * np.column_stack([1 - u - v, u, v]) + 0.005
        xy[free] = np.einsum("nk,nkd->nd", shares, corners)
        beside = np.flatnonzero(by_street)
        edges = self.edges[_weighted(self.edge_steps, self.edge_first, compound[beside], rng)]
        along = rng.uniform(0.01, 0.99, len(beside))[:, None]
        at = edges[:, 0] * (1 - along) + edges[:, 1] * along
        inward = edges[:, 2] - at
        length = np.maximum(np.hypot(inward[:, 0], inward[:, 1]), 1e-9)
        depth = np.minimum(rng.uniform(2.0, 12.0, len(beside)) / length, 0.8)
        xy[beside] = at + inward * depth[:, None]
        return xy


def _weighted(steps: Floats, first: Ints, group: Ints, rng: np.random.Generator) -> Ints:
    low, high = steps[first[group]], steps[first[group + 1]]
    found = np.searchsorted(steps, low + (high - low) * rng.random(len(group)), side="right") - 1
    return np.asarray(np.clip(found, first[group], first[group + 1] - 1))


def places(
    compounds: NDArray[np.object_], streets: NDArray[np.object_], kinds: NDArray[np.str_]
) -> Places:
    """Prepare compounds for drawing points in them.

    Parameters
    ----------
    compounds
        Shape (n,) of Polygon.
    streets, kinds
        The streets and their kinds: issues gather along them.

    Returns
    -------
    Places
        Ready to draw.
    """
    triangles, owner = shapely.get_parts(
        shapely.constrained_delaunay_triangles(compounds), return_index=True
    )
    corners = shapely.get_coordinates(triangles).reshape(-1, 4, 2)[:, :3]
    steps = np.concatenate([[0.0], np.cumsum(shapely.area(triangles))])
    first = np.searchsorted(owner, np.arange(len(compounds) + 1))
    edges, edge_owner = _outer_edges(corners, owner)
    weight = _street_weight(edges, streets, kinds) * np.hypot(*(edges[:, 1] - edges[:, 0]).T)
    edge_steps = np.concatenate([[0.0], np.cumsum(weight)])
    edge_first = np.searchsorted(edge_owner, np.arange(len(compounds) + 1))
    return Places(corners, steps, first, edges, edge_steps, edge_first)


def _outer_edges(corners: Floats, owner: Ints) -> tuple[Floats, Ints]:
    """Edges that belong to one triangle of their compound only: its border."""
    sides = np.concatenate([corners[:, [a, b, c]] for a, b, c in ((0, 1, 2), (1, 2, 0), (2, 0, 1))])
    owners = np.tile(owner, 3)
    low = np.minimum(sides[:, 0], sides[:, 1]).sum(axis=1)
    whole = np.column_stack(
        [owners, sides[:, 0] + sides[:, 1], np.abs(sides[:, 0] - sides[:, 1]), low]
    )
    _, back, count = np.unique(whole, axis=0, return_inverse=True, return_counts=True)
    outer = count[back.ravel()] == 1
    order = np.argsort(owners[outer], kind="stable")
    return sides[outer][order], owners[outer][order]


def _street_weight(edges: Floats, streets: NDArray[np.object_], kinds: NDArray[np.str_]) -> Floats:
    xy, line = shapely.get_coordinates(streets, return_index=True)
    within = np.flatnonzero(line[1:] == line[:-1])
    pieces = shapely.linestrings(np.stack([xy[within], xy[within + 1]], axis=1))
    middle = shapely.points(edges[:, :2].mean(axis=1))
    edge, piece = shapely.STRtree(pieces).query(middle, predicate="dwithin", distance=_TO_STREET_M)
    weight = np.full(len(edges), _PLAIN_WEIGHT)
    np.maximum.at(
        weight, edge, np.array([KIND_WEIGHT[kind] for kind in kinds])[line[within[piece]]]
    )
    return weight
