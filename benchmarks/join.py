"""Points to polygons: one million and ten million reports in 5 000 units, and from files, on threads and on Dask.

SedonaDB is measured where it can be imported.
"""

import json
import resource
import subprocess
import sys
import tempfile
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter

import geopandas as gpd
import numpy as np
import shapely
from timing import row, seconds

from gisgrid.join import LevelIndex, assign_units, count_partitions
from gisgrid.join.raster_index import RasterIndex

N_ISSUES, N_MANY, N_UNITS, SIDE_M = 1_000_000, 10_000_000, 5_000, 30_000.0
N_VERTICES = 60
"""What a polygon has on average, as the units of real cities do; a Voronoi cell alone has six."""
SECONDS, MEGABYTES = 2.0, 1_200.0
"""What is promised for ten million points."""
N_FILES = 5


def rows() -> list[dict]:
    return [*_a_million(), *_ten_million(), *_from_files()]


def _a_million() -> list[dict]:
    issues, units = _points(N_ISSUES), _units()
    _check(issues, units)
    work = f"unit of each of {N_ISSUES:,} points among {N_UNITS:,} Voronoi polygons"
    ours = seconds(lambda: assign_units(issues, {"code": units}))
    peers = {
        "geopandas.sjoin, points prebuilt": lambda: gpd.sjoin(issues, units),
        "shapely STRtree, points prebuilt": lambda: _by_tree(issues, units),
    }
    if find_spec("sedonadb"):
        peers["SedonaDB, tables in memory"] = _by_sedona(issues, units)
    found = [row(work, ours, seconds(peer, times=3), name) for name, peer in peers.items()]
    index = seconds(lambda: RasterIndex.of(units.geometry.to_numpy()))
    return [*found, row("of which to build the index", index)]


def _ten_million() -> list[dict]:
    """Each in a process of its own, so that the memory at most is that of the work."""
    units = _units(N_VERTICES)
    _check(_points(N_ISSUES), units)
    ours, peer = _measured("ours"), _measured("sjoin")
    work = f"unit of each of {N_MANY:,} points among {N_UNITS:,} polygons of {N_VERTICES} vertices"
    print(f"promised: {ours['seconds']:.2f} of {SECONDS:g} s, {ours['megabytes']:,.0f} of {MEGABYTES:,.0f} MB")  # fmt: skip
    name = "geopandas.sjoin, points prebuilt"
    return [
        row(f"{work}, coordinates to positions", ours["seconds"], peer["seconds"], name),
        row("memory at most, all in all", ours["megabytes"], peer["megabytes"], name, unit="MB"),
    ]


def _from_files() -> list[dict]:
    """Ten million points in files: read, looked up, counted."""
    units = {"code": _units(N_VERTICES)}
    with tempfile.TemporaryDirectory() as folder:
        for i in range(N_FILES):
            frame = _points(N_MANY // N_FILES, seed=i)
            frame.assign(duplicate_of=None).to_parquet(
                f"{folder}/{i}.parquet", row_group_size=500_000
            )
        del frame
        count = partial(count_partitions, folder, units)
        here = _rate(count)
        from distributed import LocalCluster

        with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster:
            there = _rate(partial(count, engine="dask", scheduler=cluster.scheduler_address))
        assert count().n_counted == N_MANY
    work = f"{N_MANY:,} points of {N_FILES} files read and counted per unit"
    return [
        row(f"{work}, threads of one process", here, unit="rows/s"),
        row(f"{work}, Dask with two worker processes", there, unit="rows/s"),
    ]


def _rate(count) -> float:
    return N_MANY / seconds(count, times=3)


def _units(n_vertices: int = 0) -> gpd.GeoDataFrame:
    rng = np.random.default_rng(1)
    frame = shapely.box(0, 0, SIDE_M, SIDE_M)
    centres = shapely.multipoints(rng.random((N_UNITS, 2)) * SIDE_M)
    cells = shapely.get_parts(shapely.voronoi_polygons(centres, extend_to=frame))
    cells = shapely.intersection(cells, frame)
    if n_vertices:
        border_m = shapely.length(cells).mean()
        cells = shapely.segmentize(cells, border_m / (n_vertices - 3))
    codes = [f"{i:05d}" for i in range(N_UNITS)]
    return gpd.GeoDataFrame({"code": codes}, geometry=cells, crs="EPSG:4547")


def _points(n: int, seed: int = 1) -> gpd.GeoDataFrame:
    xy = np.random.default_rng(seed).random((n, 2)) * SIDE_M
    return gpd.GeoDataFrame(geometry=gpd.points_from_xy(*xy.T), crs="EPSG:4547")


def _by_tree(issues: gpd.GeoDataFrame, units: gpd.GeoDataFrame) -> np.ndarray:
    points, areas = shapely.STRtree(units.geometry.to_numpy()).query(
        issues.geometry.to_numpy(), predicate="intersects"
    )
    found = np.full(len(issues), len(units))
    np.minimum.at(found, points, areas)
    return found


def _by_sedona(issues: gpd.GeoDataFrame, units: gpd.GeoDataFrame):
    import sedonadb

    engine = sedonadb.connect()
    for name, frame in (("issues", issues), ("units", units)):
        engine.create_data_frame(frame).to_memtable().to_view(name, overwrite=True)
    join = "SELECT u.code FROM issues i JOIN units u ON ST_Intersects(u.geometry, i.geometry)"

    def act():
        found = engine.sql(join).to_pandas()
        assert len(found) >= 0.999 * len(issues)
        return found

    return act


def _check(issues: gpd.GeoDataFrame, units: gpd.GeoDataFrame) -> None:
    ours = assign_units(issues, {"code": units})["code"].astype(int).to_numpy()
    if (wrong := ours != _by_tree(issues, units)).any():
        raise SystemExit(f"{wrong.sum()} of {len(issues)} points differ from shapely")


def _measured(what: str) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, __file__, what], capture_output=True, text=True, check=True, cwd=Path(__file__).parent
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def _measure(what: str) -> dict[str, float]:
    units = _units(N_VERTICES)
    if what == "ours":
        xy = np.random.default_rng(1).random((N_MANY, 2)) * SIDE_M
        taken = seconds(lambda: LevelIndex.of(units, "code").positions(xy), times=3)
    else:
        issues = _points(N_MANY)
        start = perf_counter()
        assert len(gpd.sjoin(issues, units)) >= 0.999 * N_MANY
        taken = perf_counter() - start  # once: it is long
    return {"seconds": taken, "megabytes": peak_megabytes()}


def peak_megabytes() -> float:
    """Memory at most of this process; where Linux says so, without that of the process that started it."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(each for each in status.read_text("utf8").splitlines() if "VmHWM" in each)
        return int(line.split()[1]) * 1024 / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


if __name__ == "__main__":
    print(json.dumps(_measure(sys.argv[1])))
