"""Walking: the nearest of 5 000 facilities for 100 000 people on a city's streets, against scipy; areas and sites."""

from functools import cache

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy import sparse
from scipy.sparse import csgraph
from timing import row, seconds

from gisgrid.access import (
    WalkingNetwork,
    best_sites,
    nearest_facilities,
    service_areas,
    two_step_catchment,
    walking_network,
    within_reach,
)

SIDE = 250
"""Junctions along a side of the city: 100 m apart, an eighth of the streets missing."""
N_PEOPLE, N_FACILITIES = 100_000, 5_000
TIMES = 3


@cache
def city() -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Streets, people, facilities."""
    rng = np.random.default_rng(1)
    corner = np.stack(np.meshgrid(np.arange(SIDE), np.arange(SIDE), indexing="ij"), -1) * 100.0
    corner += rng.uniform(-30, 30, corner.shape)
    ends = np.concatenate(
        [
            np.stack([corner[:-1], corner[1:]], 2).reshape(-1, 2, 2),
            np.stack([corner[:, :-1], corner[:, 1:]], 2).reshape(-1, 2, 2),
        ]
    )
    lines = shapely.linestrings(ends[rng.random(len(ends)) < 0.875])
    whole = SIDE * 100.0

    def points(n: int) -> gpd.GeoDataFrame:
        return gpd.GeoDataFrame(
            geometry=shapely.points(rng.uniform(0, whole - 100, (n, 2))), crs=4547
        )

    return gpd.GeoDataFrame(geometry=lines, crs=4547), points(N_PEOPLE), points(N_FACILITIES)


def rows() -> list[dict]:
    streets, people, facilities = city()
    network = walking_network(streets)
    made = seconds(lambda: walking_network(streets), times=TIMES)
    found = nearest_facilities(people, facilities, network)
    assert np.abs(found.set_index("origin")["distance_m"] - _by_scipy(network)).max() < 1e-6
    one = seconds(lambda: nearest_facilities(people, facilities, network), times=TIMES)
    peer = seconds(lambda: _by_scipy(network), times=TIMES)
    five = seconds(lambda: nearest_facilities(people, facilities, network, k=5), times=TIMES)
    few = facilities[:500]
    areas = seconds(lambda: service_areas(few, network, [300.0, 500.0]), times=TIMES)
    residents = pd.Series(1.0, people.index)
    pairs = within_reach(people, facilities, network, limit_m=1000)
    reach = seconds(lambda: within_reach(people, facilities, network, limit_m=1000), times=TIMES)
    supply = pd.Series(1.0, facilities.index)
    shared = seconds(
        lambda: two_step_catchment(
            pairs, residents=residents, supply=supply, limit_m=1000, decay="gaussian"
        ),
        times=TIMES,
    )
    some, lots = people[:5000], facilities[:400]
    near = within_reach(some, lots, network, limit_m=800)
    sited = seconds(
        lambda: best_sites(
            near, residents=residents[:5000], candidates=lots.index, n_sites=20, limit_m=800
        ),
        times=TIMES,
    )
    n = f"{N_PEOPLE:,} people, {N_FACILITIES:,} facilities, {len(network.segments):,} streets"
    scipy_name = "scipy dijkstra from all facilities, the same answers"
    return [
        row(f"a network of {len(streets):,} street lines", made),
        row(f"the nearest: {n}", one, peer, scipy_name),
        row("the 5 nearest of the same (at most 10 s)", five),
        row(f"all {len(pairs):,} pairs within 1 km of the same", reach),
        row("two-step catchments of these pairs", shared),
        row("areas within 300 and 500 m of 500 facilities", areas),
        row("20 sites of 400 for 5,000 places within 800 m, proven the best", sited),
    ]


def _by_scipy(network: WalkingNetwork) -> pd.Series:
    """The nearest by scipy: facilities become nodes on their street, people look from both ends of theirs."""
    _, people, facilities = city()
    ends, length = (
        network.segments[["from_node", "to_node"]].to_numpy(),
        network.segments["length_m"].to_numpy(),
    )
    goal = network.at(facilities, within_m=200.0)
    on = np.flatnonzero(goal["segment"].to_numpy() >= 0)
    segment = goal["segment"].to_numpy()[on]
    along, off = (goal[name].to_numpy(dtype=float)[on] for name in ("along_m", "off_m"))
    n = network.n_nodes
    own = n + np.arange(len(on))
    tail = np.concatenate([ends[:, 0], ends[segment, 0], ends[segment, 1]])
    head = np.concatenate([ends[:, 1], own, own])
    cost = np.concatenate([length, along + off, length[segment] - along + off])
    order = np.argsort(cost, kind="stable")  # of parallel streets the shortest
    pairs = pd.DataFrame({"a": tail[order], "b": head[order], "c": cost[order]})
    low, high = pairs[["a", "b"]].min(axis=1), pairs[["a", "b"]].max(axis=1)
    pairs = pairs.assign(a=low, b=high).drop_duplicates(["a", "b"])
    graph = sparse.coo_array((pairs["c"], (pairs["a"], pairs["b"])), shape=(n + len(on),) * 2)
    distance = csgraph.dijkstra(graph.tocsr(), directed=False, indices=own, min_only=True)
    start = network.at(people, within_m=200.0)
    at = start["segment"].to_numpy()
    begin, beside = start["along_m"].to_numpy(dtype=float), start["off_m"].to_numpy(dtype=float)
    best = beside + np.minimum(
        distance[ends[at, 0]] + begin, distance[ends[at, 1]] + length[at] - begin
    )
    return pd.Series(best, people.index).combine(_beside(start, goal), np.fmin)


def _beside(start: pd.DataFrame, goal: pd.DataFrame) -> pd.Series:
    """The nearest on the same street, which needs no junction."""
    both = start.reset_index().merge(goal, on="segment", suffixes=("", "_goal"))
    metres = (both["along_m"] - both["along_m_goal"]).abs() + both["off_m"] + both["off_m_goal"]
    return metres.groupby(both["index"]).min().reindex(start.index)
