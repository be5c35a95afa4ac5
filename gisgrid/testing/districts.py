"""Which communities form a sub-district, and where does a town's government sit?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gisgrid.testing.ground import Floats

N_STREETS, N_TOWNS, N_TOWNSHIPS = 7, 4, 2


def group_communities(
    middles: Floats, urban: NDArray[np.bool_], pairs: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Group communities into sub-districts that hang together, the built-up ones apart from the others.

    Parameters
    ----------
    middles
        Shape (n, 2), metres.
    urban
        Shape (n,), whether a community is part of the built-up city.
    pairs
        Shape (k, 2), communities that share a border.
    rng
        The source of chance.

    Returns
    -------
    ndarray
        Shape (n,): 0 to `N_STREETS` - 1 for streets, then towns and townships.
    """
    district = np.empty(len(middles), dtype=np.int64)
    for mask, n, first in ((urban, N_STREETS, 0), (~urban, N_TOWNS + N_TOWNSHIPS, N_STREETS)):
        district[mask] = first + _nearest_means(middles[mask], n, rng)
    for _ in range(40):
        stray = _strays(district, pairs)
        if not len(stray):
            break
        for unit in stray:
            near = np.concatenate([pairs[pairs[:, 0] == unit, 1], pairs[pairs[:, 1] == unit, 0]])
            other = district[near][district[near] != district[unit]]
            same = other[(other < N_STREETS) == urban[unit]]
            choice = same if len(same) else other
            district[unit] = np.bincount(choice).argmax()
    return district


def _nearest_means(xy: Floats, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    means = xy[[int(rng.integers(len(xy)))]]
    while len(means) < n:
        away = np.linalg.norm(xy[:, None] - means, axis=2).min(axis=1)
        means = np.vstack([means, xy[away.argmax()]])
    nearest = np.zeros(len(xy), dtype=np.int64)
    for _ in range(25):
        nearest = np.linalg.norm(xy[:, None] - means, axis=2).argmin(axis=1)
        means = np.array(
            [xy[nearest == k].mean(axis=0) if (nearest == k).any() else means[k] for k in range(n)]
        )
    return nearest


def _strays(district: NDArray[np.int64], pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Units cut off from the largest part of their district."""
    part = np.arange(len(district))
    inner = pairs[district[pairs[:, 0]] == district[pairs[:, 1]]]
    while True:
        low = np.minimum(part[inner[:, 0]], part[inner[:, 1]])
        before = part.copy()
        np.minimum.at(part, inner[:, 0], low)
        np.minimum.at(part, inner[:, 1], low)
        if np.array_equal(before, part):
            break
    size = np.bincount(part, minlength=len(part))
    largest = {
        k: part[district == k][size[part[district == k]].argmax()] for k in np.unique(district)
    }
    return np.flatnonzero([part[i] != largest[k] for i, k in enumerate(district)])


def town_seats(
    district: NDArray[np.int64], urban: NDArray[np.bool_], middles: Floats
) -> NDArray[np.bool_]:
    """Choose where each town's or township's government sits: in the most central of its villages.

    Parameters
    ----------
    district
        Shape (n,), the district of each community.
    urban
        Shape (n,), whether it is part of the built-up city.
    middles
        Shape (n, 2), metres.

    Returns
    -------
    ndarray
        Shape (n,), whether it is a seat.
    """
    seat = np.zeros(len(district), dtype=bool)
    for k in np.unique(district[~urban]):
        rows = np.flatnonzero((district == k) & ~urban)
        away = np.linalg.norm(middles[rows] - middles[rows].mean(axis=0), axis=1)
        if k >= N_STREETS:
            seat[rows[away.argmin()]] = True
    return seat
