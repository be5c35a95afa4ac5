"""Points to polygons: 1 000 000 issues in 5 000 units, against geopandas and shapely."""

from collections.abc import Callable
from statistics import median
from time import perf_counter

import geopandas as gpd
import numpy as np
import shapely

from gisgrid.join import assign_units
from gisgrid.join.raster_index import RasterIndex

N_ISSUES, N_UNITS, SIDE_M, RUNS = 1_000_000, 5_000, 30_000.0, 5


def rows() -> list[dict]:
    issues, units = _city()
    _check(issues, units)
    work = f"unit of each of {N_ISSUES:,} points among {N_UNITS:,} Voronoi polygons"
    ours = _seconds(lambda: assign_units(issues, {"code": units}))
    peers = {
        "geopandas.sjoin, points prebuilt": lambda: gpd.sjoin(issues, units),
        "shapely STRtree, points prebuilt": lambda: _by_tree(issues, units),
    }
    found = [_row(work, ours, name, _seconds(peer)) for name, peer in peers.items()]
    index = _seconds(lambda: RasterIndex.of(units.geometry.to_numpy()))
    return [*found, _row("of which to build the index", index, None, None)]


def _row(work: str, ours: float, peer_name: str | None, peer: float | None) -> dict:
    return {
        "work": work,
        "ours": ours,
        "peer": peer,
        "peer_name": peer_name,
        "unit": "s",
        "ratio": None if peer is None else peer / ours,
    }


def _city() -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    rng = np.random.default_rng(1)
    frame = shapely.box(0, 0, SIDE_M, SIDE_M)
    centres = shapely.multipoints(rng.random((N_UNITS, 2)) * SIDE_M)
    cells = shapely.get_parts(shapely.voronoi_polygons(centres, extend_to=frame))
    xy = rng.random((N_ISSUES, 2)) * SIDE_M
    codes = [f"{i:05d}" for i in range(N_UNITS)]
    return (
        gpd.GeoDataFrame(geometry=gpd.points_from_xy(*xy.T), crs="EPSG:4547"),
        gpd.GeoDataFrame(
            {"code": codes}, geometry=shapely.intersection(cells, frame), crs="EPSG:4547"
        ),
    )


def _by_tree(issues: gpd.GeoDataFrame, units: gpd.GeoDataFrame) -> np.ndarray:
    points, areas = shapely.STRtree(units.geometry.to_numpy()).query(
        issues.geometry.to_numpy(), predicate="intersects"
    )
    found = np.full(len(issues), len(units))
    np.minimum.at(found, points, areas)
    return found


def _check(issues: gpd.GeoDataFrame, units: gpd.GeoDataFrame) -> None:
    ours = assign_units(issues, {"code": units})["code"].astype(int).to_numpy()
    if (wrong := ours != _by_tree(issues, units)).any():
        raise SystemExit(f"{wrong.sum()} of {len(issues)} points differ from shapely")


def _seconds(work: Callable[[], object]) -> float:
    work()
    times = []
    for _ in range(RUNS):
        start = perf_counter()
        work()
        times.append(perf_counter() - start)
    return median(times)
