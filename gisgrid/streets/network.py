"""How do segments of streets hang together? Half-edges, for loops that walk along them.

A segment has two half-edges: 2 s runs from its first node to its second, 2 s + 1 back.
"""

from __future__ import annotations

from typing import NamedTuple

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from gisgrid.errors import ColumnError, InputError, did_you_mean

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Network(NamedTuple):
    """Which half-edges leave each node.

    Attributes
    ----------
    length
        Shape (n,), of the segments, metres.
    head
        Shape (2 n,), the node at which each half-edge ends.
    first
        Shape (nodes + 1,), where the half-edges that leave a node begin in `leaving`.
    leaving
        Shape (2 n,), half-edges by the node at which they begin.
    """

    length: Floats
    head: Ints
    first: Ints
    leaving: Ints


def network_of(segments: gpd.GeoDataFrame) -> Network:
    """Lay out segments as a network.

    Parameters
    ----------
    segments
        As from `street_segments`.

    Returns
    -------
    Network
        For the loops.

    Raises
    ------
    ColumnError
        A column of `street_segments` is missing.
    InputError
        A segment occurs twice, or has no length.
    """
    for column in ("from_node", "to_node", "length_m"):
        if column not in segments.columns:
            raise ColumnError(
                f"no column {column!r} in the segments{did_you_mean(column, map(str, segments.columns))}; "
                "make them with street_segments"
            )
    if not segments.index.is_unique:
        twice = segments.index[segments.index.duplicated()]
        raise InputError(
            f"{len(twice)} of {len(segments)} segments have a name that another has (first: {twice[0]!r}); "
            "give each its own"
        )
    length = segments["length_m"].to_numpy(
        dtype=float, copy=True
    )  # one that loops may be compiled for
    if (wrong := ~((length > 0) & np.isfinite(length))).any():
        raise InputError(
            f"{wrong.sum()} of {len(length)} segments have no length (first: {segments.index[wrong][0]!r}); leave them out"
        )
    tail = np.empty(2 * len(segments), dtype=np.int64)
    tail[0::2], tail[1::2] = segments["from_node"], segments["to_node"]
    nodes, tail = np.unique(tail, return_inverse=True)
    head = np.empty_like(tail)
    head[0::2], head[1::2] = tail[1::2], tail[0::2]
    first = np.concatenate([[0], np.cumsum(np.bincount(tail, minlength=len(nodes)))])
    return Network(length, head, first, np.argsort(tail, kind="stable").astype(np.int64))
