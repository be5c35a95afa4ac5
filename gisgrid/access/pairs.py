"""Which facilities are within a walk of which places: all pairs, not only the nearest?"""

from __future__ import annotations

import heapq
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gisgrid.access.network import WalkingNetwork, check_labels, check_places, minutes_of
from gisgrid.compiled import compiled
from gisgrid.errors import InputError

_MOST: Final = 200_000_000
_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]


def within_reach(
    origins: gpd.GeoDataFrame,
    facilities: gpd.GeoDataFrame,
    network: WalkingNetwork,
    *,
    limit_m: float,
    off_street_m: float = 200.0,
) -> pd.DataFrame:
    """List every pair of a place and a facility that is within a walk.

    Parameters
    ----------
    origins
        Where people are: points, or polygons (then a point inside), in the CRS of the network.
    facilities
        Where they want to go, likewise.
    network
        As from `gisgrid.access.walking_network`.
    limit_m
        How far along the streets, metres, above 0.
    off_street_m
        A place farther than this from every street is not on the network.

    Returns
    -------
    DataFrame
        A row per pair, by facility and then origin, in the order of the two frames: `origin` and `facility` (labels of their
        indexes), `distance_m`, `minutes`.

    Raises
    ------
    CrsError
        Different CRS.
    InputError
        A limit that is not above 0 or not finite, labels that occur twice, or so many pairs that they do not fit into memory.

    Notes
    -----
    A search runs from every facility as far as the limit, against the direction of the streets. Checked against:
    `nearest_facilities` with all facilities.
    """
    if not 0 < limit_m < np.inf:
        raise InputError(f"limit_m is {limit_m:g}; give metres above 0, for example 1000")
    check_labels(origins=origins, facilities=facilities)
    start = network.at(check_places(origins, network, name="origins"), within_m=off_street_m)
    goal = network.at(check_places(facilities, network, name="facilities"), within_m=off_street_m)
    parts = network.segments
    ends = np.column_stack([parts["from_node"], parts["to_node"]]).astype(np.int64)
    segment = start["segment"].to_numpy()
    order = np.argsort(segment, kind="stable").astype(np.int64)
    first = np.searchsorted(segment[order], np.arange(len(parts) + 1)).astype(np.int64)
    places = (
        order,
        first,
        start["along_m"].to_numpy(dtype=float),
        start["off_m"].to_numpy(dtype=float),
    )
    goals = (
        goal["segment"].to_numpy(), goal["along_m"].to_numpy(dtype=float), goal["off_m"].to_numpy(dtype=float),
    )  # fmt: skip
    streets = (ends, parts["length_m"].to_numpy(dtype=float), parts["oneway"].to_numpy())
    graph = (
        network.back_first, network.back_head, network.back_length_m, *_segments_of(ends, network.n_nodes),
    )  # fmt: skip
    origin, facility, metres = _pairs(places, goals, streets, graph, (limit_m, _MOST))
    if len(origin) >= _MOST:
        raise InputError(
            f"more than {_MOST:,} pairs are within {limit_m:g} m; give a shorter limit, or fewer places at once"
        )
    sort = np.lexsort((origin, facility))
    metres = metres[sort]
    return pd.DataFrame({
        "origin": origins.index.take(origin[sort]), "facility": facilities.index.take(facility[sort]), "distance_m": metres,
        "minutes": minutes_of(metres, network),
    })  # fmt: skip


def _segments_of(ends: _Ints, n_nodes: int) -> tuple[_Ints, _Ints]:
    """List the segments at each node."""
    node = ends.ravel()
    order = np.argsort(node, kind="stable")
    first = np.concatenate([[0], np.cumsum(np.bincount(node, minlength=n_nodes))])
    return first.astype(np.int64), (order // 2).astype(np.int64)


@compiled
def _walk(
    queue: list[tuple[float, int]], ways: tuple[_Ints, _Ints, _Floats], best: _Floats, limit: float
) -> list[int]:
    """Settle the nodes within the limit; `best` is written to. Gives the nodes."""
    first, head, cost = ways
    touched = [queue[0][1] for _ in range(0)]
    while queue:
        far, node = heapq.heappop(queue)
        if far > limit or far >= best[node]:
            continue
        best[node] = far
        touched.append(node)
        for way in range(first[node], first[node + 1]):
            if far + cost[way] < best[head[way]]:
                heapq.heappush(queue, (far + cost[way], head[way]))
    return touched


@compiled
def _beside(
    touched: list[int], around: tuple[_Ints, _Ints], own: int, seen: _Ints, mark: int
) -> list[int]:
    """List the segments at some nodes once each, and the facility's own."""
    first, segment = around
    found = [own]
    seen[own] = mark
    for node in touched:
        for at in range(first[node], first[node + 1]):
            if seen[segment[at]] != mark:
                seen[segment[at]] = mark
                found.append(segment[at])
    return found


@compiled
def _pairs(
    places: tuple[_Ints, _Ints, _Floats, _Floats],
    goals: tuple[_Ints, _Floats, _Floats],
    streets: tuple[_Ints, _Floats, NDArray[np.bool_]],
    graph: tuple[_Ints, _Ints, _Floats, _Ints, _Ints],
    most: tuple[float, int],
) -> tuple[_Ints, _Ints, _Floats]:
    order, start_first, along, off = places
    goal_segment, goal_along, goal_off = goals
    ends, length, oneway = streets
    limit, n_most = most
    best, seen = np.full(len(graph[0]) - 1, np.inf), np.full(len(length), -1, np.int64)
    origins, facilities = [np.int64(0) for _ in range(0)], [np.int64(0) for _ in range(0)]
    metres = [0.0 for _ in range(0)]
    for f in range(len(goal_segment)):
        s = goal_segment[f]
        if s < 0 or len(origins) >= n_most:
            continue
        queue = [(goal_off[f] + goal_along[f], ends[s, 0])]
        if not oneway[s]:
            heapq.heappush(queue, (goal_off[f] + length[s] - goal_along[f], ends[s, 1]))
        touched = _walk(queue, graph[:3], best, limit)
        for one in _beside(touched, graph[3:], s, seen, f):
            back = np.inf if oneway[one] else best[ends[one, 0]]
            for at in range(start_first[one], start_first[one + 1]):
                i = order[at]
                far = min(best[ends[one, 1]] + length[one] - along[i], back + along[i])
                step = goal_along[f] - along[i]
                if one == s and (step >= 0 or not oneway[one]):
                    far = min(far, abs(step) + goal_off[f])
                if far + off[i] <= limit:
                    origins.append(i)
                    facilities.append(np.int64(f))
                    metres.append(far + off[i])
        for node in touched:
            best[node] = np.inf
    return np.array(origins), np.array(facilities), np.array(metres)
