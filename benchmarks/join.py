"""Points to polygons: 1 000 000 issues in 5 000 units, against geopandas and shapely."""

import geopandas as gpd
import numpy as np
import shapely
from timing import row, seconds

from gisgrid.join import assign_units
from gisgrid.join.raster_index import RasterIndex

N_ISSUES, N_UNITS, SIDE_M = 1_000_000, 5_000, 30_000.0


def rows() -> list[dict]:
    issues, units = _city()
    _check(issues, units)
    work = f"unit of each of {N_ISSUES:,} points among {N_UNITS:,} Voronoi polygons"
    ours = seconds(lambda: assign_units(issues, {"code": units}))
    peers = {
        "geopandas.sjoin, points prebuilt": lambda: gpd.sjoin(issues, units),
        "shapely STRtree, points prebuilt": lambda: _by_tree(issues, units),
    }
    found = [row(work, ours, seconds(peer), name) for name, peer in peers.items()]
    index = seconds(lambda: RasterIndex.of(units.geometry.to_numpy()))
    return [*found, row("of which to build the index", index)]


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
