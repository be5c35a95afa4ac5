"""Who is near whom, by distance rather than by borders?"""

from __future__ import annotations

from typing import Final, Literal, get_args

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from libpysal.graph import Graph
from numpy.typing import NDArray
from scipy.spatial import KDTree

from gisgrid.analysis.alignment import Floats
from gisgrid.analysis.weights.contiguity import graph_of_pairs, unit_keys
from gisgrid.crs import require_metres
from gisgrid.errors import ColumnError, InputError, did_you_mean

Kernel = Literal["triangular", "quartic", "gaussian"]

_Ints = NDArray[np.int64]
_MOST_PAIRS: Final = 200_000_000


def distance_band(units: gpd.GeoDataFrame, *, key: str, distance_m: float) -> Graph:
    """Say which units lie within a distance of each other, between their centres.

    Parameters
    ----------
    units
        Points or areas in a projected CRS in metres; an area counts by its centroid.
    key
        The column that names a unit; no value missing, none twice.
    distance_m
        How far apart neighbours may be, metres; that far exactly still counts.

    Returns
    -------
    Graph
        Binary, symmetric, n nodes named and ordered as ``units[key]``. Who has nobody within the distance stays as an
        isolate.

    Raises
    ------
    CrsError
        The coordinates are not metres.
    ColumnError
        There is no such column.
    InputError
        No units, a key missing or twice, a unit without a place, a distance that is not above 0, or so many pairs that
        memory would not hold them.

    Notes
    -----
    CRS: projected, metres. Cost: O(pairs). Checked against: libpysal `Graph.build_distance_band`.

    Examples
    --------
    >>> places = gpd.GeoDataFrame({"code": ["a", "b", "c"]}, geometry=gpd.points_from_xy([0, 300, 900], [0] * 3), crs=4547)
    >>> graph = distance_band(places, key="code", distance_m=500)
    >>> list(graph["a"].index), list(graph.isolates)
    (['b'], ['c'])
    """
    ids, xy = _places(units, key, "distance_band")
    focal, neighbour, _ = _within(xy, distance_m)
    return graph_of_pairs(ids, focal, neighbour, np.ones(len(focal), np.int64))


def nearest(units: gpd.GeoDataFrame, *, key: str, k: int) -> Graph:
    """Say which k units are nearest to each, so that everyone has as many neighbours.

    Parameters
    ----------
    units
        Points or areas in a projected CRS in metres; an area counts by its centroid.
    key
        The column that names a unit; no value missing, none twice.
    k
        How many neighbours, at least 1 and fewer than there are units.

    Returns
    -------
    Graph
        Binary, n nodes named and ordered as ``units[key]``; not symmetric: the far one's nearest may have nearer ones.

    Raises
    ------
    CrsError
        The coordinates are not metres.
    ColumnError
        There is no such column.
    InputError
        No units, a key missing or twice, a unit without a place, or no such k.

    Notes
    -----
    Where several are as far, those that come first in `units` are taken. CRS: projected, metres. Checked against:
    libpysal `Graph.build_knn`.

    Examples
    --------
    >>> places = gpd.GeoDataFrame({"code": ["a", "b", "c"]}, geometry=gpd.points_from_xy([0, 300, 900], [0] * 3), crs=4547)
    >>> list(nearest(places, key="code", k=1)["c"].index)
    ['b']
    """
    ids, xy = _places(units, key, "nearest")
    if not 1 <= k < len(ids):
        raise InputError(
            f"{k} nearest neighbours among {len(ids)} units do not exist; give k from 1 to {len(ids) - 1}"
        )
    focal, neighbour = _nearest(xy, k)
    return graph_of_pairs(ids, focal, neighbour, np.ones(len(focal), np.int64))


def kernel_weights(
    units: gpd.GeoDataFrame, *, key: str, bandwidth_m: float, kernel: Kernel = "triangular"
) -> Graph:
    """Say how near units are: 1 at the same place, falling to nothing at the bandwidth.

    Parameters
    ----------
    units
        Points or areas in a projected CRS in metres; an area counts by its centroid.
    key
        The column that names a unit; no value missing, none twice.
    bandwidth_m
        Where the weight ends, metres (the gaussian's standard deviation is a third of it).
    kernel
        ``triangular`` 1 - d/h, ``quartic`` (1 - d²/h²)², ``gaussian`` exp(-9 d² / 2 h²).

    Returns
    -------
    Graph
        Weights above 0 to 1, symmetric, n nodes named and ordered as ``units[key]``; none of a unit with itself.

    Raises
    ------
    CrsError
        The coordinates are not metres.
    ColumnError
        There is no such column.
    InputError
        No units, a key missing or twice, a unit without a place, no such kernel, a bandwidth that is not above 0, or
        so many pairs that memory would not hold them.

    Notes
    -----
    CRS: projected, metres. Cost: O(pairs).

    Examples
    --------
    >>> places = gpd.GeoDataFrame({"code": ["a", "b"]}, geometry=gpd.points_from_xy([0, 300], [0] * 2), crs=4547)
    >>> kernel_weights(places, key="code", bandwidth_m=400)["a"].to_dict()
    {'b': 0.25}
    """
    if kernel not in get_args(Kernel):
        raise InputError(
            f"there is no kernel {kernel!r}; choose one of {', '.join(get_args(Kernel))}"
        )
    ids, xy = _places(units, key, "kernel_weights")
    focal, neighbour, apart = _within(xy, bandwidth_m)
    u = apart / bandwidth_m
    weight = {
        "triangular": 1 - u,
        "quartic": (1 - u * u) ** 2,
        "gaussian": np.exp(-4.5 * u * u),
    }[kernel]
    kept = weight > 0
    return graph_of_pairs(ids, focal[kept], neighbour[kept], weight[kept])


def same_parent(units: pd.DataFrame, *, key: str, parent: str, graph: Graph | None = None) -> Graph:
    """Say which units belong together: the compounds of one community, the communities of one sub-district.

    Parameters
    ----------
    units
        Any frame with `key` and `parent`.
    key
        The column that names a unit; no value missing, none twice.
    parent
        The column that names what it belongs to; a unit without one has no neighbours.
    graph
        Keep only these neighbours, and their weights, among those of the same parent; all of them where it is missing.

    Returns
    -------
    Graph
        n nodes named and ordered as ``units[key]``; binary where no `graph` is given.

    Raises
    ------
    ColumnError
        There is no such column.
    InputError
        No units, a key missing or twice, or so many pairs that memory would not hold them.

    Notes
    -----
    CRS: none needed here.

    Examples
    --------
    >>> units = pd.DataFrame({"code": ["a", "b", "c"], "community": ["x", "x", "y"]})
    >>> list(same_parent(units, key="code", parent="community")["a"].index)
    ['b']
    """
    ids = unit_keys(units, key)
    if parent not in units.columns:
        raise ColumnError(
            f"no column {parent!r} in the units{did_you_mean(parent, map(str, units.columns))}"
        )
    group = pd.factorize(units[parent])[0]
    if graph is not None:
        pairs = graph.adjacency[graph.adjacency > 0]
        focal = ids.get_indexer(pairs.index.get_level_values(0))
        neighbour = ids.get_indexer(pairs.index.get_level_values(1))
        same = (focal >= 0) & (neighbour >= 0) & (group[focal] == group[neighbour])
        same &= (group[focal] >= 0) & (focal != neighbour)
        return graph_of_pairs(ids, focal[same], neighbour[same], pairs.to_numpy()[same])
    size = np.bincount(group[group >= 0], minlength=1)
    _bound(int((size * (size - 1)).sum()))
    order = np.argsort(group, kind="stable")
    order = order[group[order] >= 0]
    times = size[group[order]]
    first = np.repeat(np.cumsum(size) - size, size)
    focal = np.repeat(order, times)
    within = np.arange(times.sum()) - np.repeat(np.cumsum(times) - times, times)
    neighbour = order[np.repeat(first, times) + within]
    apart = focal != neighbour
    return graph_of_pairs(ids, focal[apart], neighbour[apart], np.ones(apart.sum(), np.int64))


def with_nearest_for_isolates(graph: Graph, units: gpd.GeoDataFrame, *, key: str) -> Graph:
    """Give every unit without neighbours its nearest one, in both directions, so that no unit goes untested.

    Parameters
    ----------
    graph
        n nodes, the units.
    units
        The same units, points or areas in a projected CRS in metres.
    key
        The column that names a unit.

    Returns
    -------
    Graph
        `graph` itself where it has no isolates; otherwise with a weight of 1 between each isolate and the unit nearest
        to it. Say so where results are shown: islands are compared with the mainland.

    Raises
    ------
    CrsError
        The coordinates are not metres.
    ColumnError
        There is no such column.
    InputError
        The units are not the graph's, or there is only one.

    Notes
    -----
    CRS: projected, metres.
    """
    alone = graph.isolates
    if len(alone) == 0:
        return graph
    ids, xy = _places(units, key, "with_nearest_for_isolates")
    if len(ids) < 2 or not ids.sort_values().equals(graph.unique_ids.sort_values()):
        raise InputError(
            f"the graph's {len(graph.unique_ids)} units and the {len(ids)} given are not the same two or more; "
            "pass the units that the graph was made from"
        )
    pairs = graph.adjacency[graph.adjacency > 0]
    focal = ids.get_indexer(pairs.index.get_level_values(0))
    neighbour = ids.get_indexer(pairs.index.get_level_values(1))
    lone = ids.get_indexer(alone)
    near = _nearest(xy, 1)[1][lone]
    both = np.unique(np.column_stack([np.r_[lone, near], np.r_[near, lone]]), axis=0)
    return graph_of_pairs(
        ids,
        np.r_[focal, both[:, 0]],
        np.r_[neighbour, both[:, 1]],
        np.r_[pairs.to_numpy(), np.ones(len(both), pairs.dtype)],
    )


def _places(units: gpd.GeoDataFrame, key: str, what: str) -> tuple[pd.Index, Floats]:
    require_metres(units, what=what, name="units")
    ids = unit_keys(units, key)
    centre = shapely.centroid(units.geometry.to_numpy())
    xy = np.column_stack([shapely.get_x(centre), shapely.get_y(centre)])
    if (nowhere := np.isnan(xy).any(axis=1)).any():
        raise InputError(
            f"{nowhere.sum()} of {len(ids)} units have no place (first: {ids[nowhere][0]!r}); "
            "a neighbour needs one, leave the others out"
        )
    return ids, xy


def _within(xy: Floats, distance_m: float) -> tuple[_Ints, _Ints, Floats]:
    if not 0 < distance_m < np.inf:
        raise InputError(f"a distance of {distance_m:g} m has no neighbours; give metres above 0")
    tree = KDTree(xy)
    _bound(int(tree.count_neighbors(tree, distance_m)) - len(xy))
    pairs = tree.query_pairs(distance_m, output_type="ndarray").astype(np.int64)
    focal, neighbour = np.r_[pairs[:, 0], pairs[:, 1]], np.r_[pairs[:, 1], pairs[:, 0]]
    return focal, neighbour, np.linalg.norm(xy[focal] - xy[neighbour], axis=1)


def _bound(n_pairs: int) -> None:
    if n_pairs > _MOST_PAIRS:
        raise InputError(
            f"these neighbourhoods have {n_pairs:,} pairs, more than the {_MOST_PAIRS:,} that memory shall hold; "
            "take a shorter distance, k nearest neighbours, or fewer units"
        )


def _nearest(xy: Floats, k: int) -> tuple[_Ints, _Ints]:
    """Find the k nearest; among those as far, the first in order."""
    n = len(xy)
    tree = KDTree(xy)
    found = tree.query(xy, k=np.arange(1, min(k + 2, n) + 1))
    apart, near = np.asarray(found[0]), np.asarray(found[1])
    own = near == np.arange(n)[:, None]
    unsure = ~own.any(axis=1)  # so many at one place that the unit itself is not among the nearest
    own[unsure, -1] = True
    others = near[~own].reshape(n, -1)
    far = apart[~own].reshape(n, -1)
    if far.shape[1] > k:
        unsure |= far[:, k - 1] >= far[:, k] * (1 - 1e-9)
    chosen = others[:, :k].astype(np.int64)
    for row in np.flatnonzero(unsure):
        reach = np.array(tree.query_ball_point(xy[row], far[row, k - 1] * (1 + 1e-9)))
        reach = reach[reach != row]
        length = np.linalg.norm(xy[reach] - xy[row], axis=1)
        chosen[row] = reach[np.lexsort((reach, np.round(length, 6)))[:k]]
    return np.repeat(np.arange(n), k), chosen.ravel()
