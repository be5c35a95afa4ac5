"""What ground is within a walk? Service areas, drawn along the streets that are reached."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from shapely.ops import substring

from gisgrid.access.network import WalkingNetwork, check_places
from gisgrid.access.reach import node_distances
from gisgrid.compiled import compiled
from gisgrid.errors import InputError, warn_null

_QUARTER: Final = 4
_LEAST_M: Final = 1e-6
_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]


def service_areas(
    facilities: gpd.GeoDataFrame,
    network: WalkingNetwork,
    limits_m: Sequence[float],
    *,
    each: bool = False,
    beside_m: float = 40.0,
    off_street_m: float = 200.0,
) -> gpd.GeoDataFrame:
    """Draw the ground from which the nearest facility is within a walk.

    Parameters
    ----------
    facilities
        Points, or polygons (then a point inside), in the CRS of the network.
    network
        As from `gisgrid.access.walking_network`.
    limits_m
        How far one walks along the streets, metres; a polygon for each.
    each
        A polygon per facility, too: those from which this facility is the nearest. Without it one for all.
    beside_m
        How far off the streets the area goes: the depth of what stands along them, metres.
    off_street_m
        A facility farther than this from every street serves nobody.

    Returns
    -------
    GeoDataFrame
        `limit_m`, `facility` (its label; missing where all are meant), `street_m` (metres of street within reach), `area_km2`
        and the polygon; by limit, the shortest first. Facilities that serve nobody have no row.

    Raises
    ------
    CrsError
        Different CRS.
    InputError
        No limit, or one that is not above 0.

    Warns
    -----
    NullResultWarning
        No facility is on a street.

    Notes
    -----
    Reached are the parts of streets on which the walk to the nearest facility is within the limit, cut where it ends; around
    them the area goes `beside_m`. So blocks that nobody walks through are holes, and what lies across a river is outside,
    which circles and hulls get wrong. Walks count against the direction of one-way streets: people come to the facility.

    Examples
    --------
    >>> from gisgrid.access.network import walking_network
    >>> street = gpd.GeoDataFrame(geometry=[shapely.LineString([(0, 0), (1000, 0)])], crs=4547)
    >>> toilet = gpd.GeoDataFrame(geometry=gpd.points_from_xy([500], [0]), crs=4547)
    >>> service_areas(toilet, walking_network(street), [300])["street_m"].tolist()
    [600.0]
    """
    if not len(limits_m) or min(limits_m) <= 0:
        raise InputError(
            f"limits_m is {list(limits_m)} and a walk is longer than 0; give metres, for example [300, 500]"
        )
    places = check_places(facilities, network, name="facilities")
    goal = network.at(places, within_m=off_street_m)
    if not (goal["segment"] >= 0).any():
        warn_null(
            f"none of the {len(facilities)} facilities is within {off_street_m:g} m of a street, so nobody is served"
        )
    rows = []
    for limit in sorted(set(limits_m)):
        pieces, owner = _reached(network, goal, float(limit))
        if len(pieces) == 0:
            continue
        rows.append((limit, None, *_drawn(pieces, beside_m)))
        rows += [
            (limit, facilities.index[one], *_drawn(pieces[owner == one], beside_m))
            for one in (np.unique(owner) if each else ())
        ]
    table = pd.DataFrame(rows, columns=["limit_m", "facility", "street_m", "area_km2", "geometry"])
    return gpd.GeoDataFrame(table, geometry="geometry", crs=network.segments.crs)


def _drawn(pieces: NDArray[np.object_], beside_m: float) -> tuple[float, float, shapely.Geometry]:
    area = shapely.union_all(shapely.buffer(pieces, beside_m, quad_segs=_QUARTER))
    return float(shapely.length(pieces).sum()), float(shapely.area(area)) / 1e6, area


def _reached(
    network: WalkingNetwork, goal: pd.DataFrame, limit: float
) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """Cut out the pieces of street within reach, each with its nearest facility.

    Along a segment the nearest facility is reached over its begin, over its end, or stands on the segment itself: each of
    these sources is nearest on one stretch.
    """
    who, far = node_distances(network, goal, k=1, limit_m=limit)
    who, far = who[:, 0], far[:, 0]
    parts = network.segments
    begin, end = parts["from_node"].to_numpy(), parts["to_node"].to_numpy()
    length = parts["length_m"].to_numpy(dtype=float)
    both = ~parts["oneway"].to_numpy()
    on = goal[goal["segment"] >= 0]
    rows = np.flatnonzero(goal["segment"].to_numpy() >= 0)
    every = np.arange(len(parts))
    segment = np.concatenate([every[both], every, on["segment"].to_numpy()])
    at = np.concatenate([np.zeros(int(both.sum())), length, on["along_m"].to_numpy(dtype=float)])
    cost = np.concatenate([far[begin[both]], far[end], on["off_m"].to_numpy(dtype=float)])
    owner = np.concatenate([who[begin[both]], who[end], rows])
    known = (owner >= 0) & (cost <= limit)
    segment, at, cost, owner = segment[known], at[known], cost[known], owner[known]
    order = np.lexsort((owner, cost, at, segment))
    segment, at, cost, owner = segment[order], at[order], cost[order], owner[order]
    low, high = _nearest_stretches(segment, (at, cost), length, both, limit)
    there = high - low > _LEAST_M
    return _cut(parts.geometry.to_numpy(), segment[there], low[there], high[there], length), owner[
        there
    ]


@compiled
def _nearest_stretches(
    segment: _Ints,
    ways: tuple[_Floats, _Floats],
    length: _Floats,
    both: NDArray[np.bool_],
    limit: float,
) -> tuple[_Floats, _Floats]:
    """Give each source the stretch of its segment from which it is the nearest and within the limit."""
    at, cost = ways
    n = len(segment)
    low, high = np.zeros(n), np.zeros(n)
    begin = 0
    while begin < n:
        end = begin
        while end < n and segment[end] == segment[begin]:
            end += 1
        two_way = both[segment[begin]]
        best = np.inf  # what another source offers at this place; the first of equals wins
        kept = np.ones(end - begin, np.bool_)
        for i in range(begin, end):
            best += at[i] - at[i - 1] if i > begin else 0.0
            if two_way and best <= cost[i]:
                kept[i - begin] = False
            best = min(best, cost[i])
        best = np.inf
        for i in range(end - 1, begin - 1, -1):
            best += at[i + 1] - at[i] if i < end - 1 else 0.0
            if best < cost[i]:
                kept[i - begin] = False
            best = min(best, cost[i])
        before = -1
        for i in range(begin, end):
            if not kept[i - begin]:
                continue
            low[i] = max(0.0, at[i] - (limit - cost[i]))
            high[i] = min(length[segment[i]], at[i] + (limit - cost[i])) if two_way else at[i]
            if before >= 0:
                middle = (
                    (at[before] + at[i] + cost[i] - cost[before]) / 2 if two_way else at[before]
                )
                high[before], low[i] = min(high[before], middle), max(low[i], middle)
            before = i
        begin = end
    return low, high


def _cut(
    lines: NDArray[np.object_], segment: _Ints, low: _Floats, high: _Floats, length: _Floats
) -> NDArray[np.object_]:
    """Cut stretches out of lines; whole lines are taken as they are."""
    pieces = lines[segment]
    for i in np.flatnonzero((low > 0) | (high < length[segment])):
        pieces[i] = substring(pieces[i], low[i], high[i])
    return pieces
