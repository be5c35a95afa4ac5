"""Compile every loop of gisgrid before somebody waits for it: after an installation, in an image, before the tests."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from affine import Affine
from pyproj import CRS

from gisgrid import access, analysis, grids, tiles, zones
from gisgrid.datum import gcj02_from_wgs84
from gisgrid.derived import Terms, cell_areas, hot, near_repeats, patterned, unit_areas
from gisgrid.intake import Reference, ingest
from gisgrid.progress import Progress, silent
from gisgrid.surface import Surface

_EAST, _NORTH, _SIDE = 500_000.0, 3_880_000.0, 4
_CELL_M: Final = 300.0


def village() -> gpd.GeoDataFrame:
    """Give a village of sixteen communities."""
    row, column = np.divmod(np.arange(_SIDE**2), _SIDE)
    west, south = _EAST + _CELL_M * column, _NORTH + _CELL_M * row
    shapes = shapely.box(west, south, west + _CELL_M, south + _CELL_M)
    codes = [f"41080100{k:04d}" for k in range(_SIDE**2)]
    return gpd.GeoDataFrame(
        {"community_code": codes, "population": 1_000}, geometry=shapes, crs=4547
    )


def village_reports(n: int = 600) -> gpd.GeoDataFrame:
    """Give reports on the village, some told twice."""
    rng = np.random.default_rng(0)
    xy = np.array([_EAST, _NORTH]) + rng.random((n, 2)) * _CELL_M * _SIDE
    times = pd.Timestamp("2024-01-01", tz="UTC") + pd.to_timedelta(np.arange(n), unit="D")
    frame = pd.DataFrame({"reported_at": times, "duplicate_of": pd.Series([None] * n, dtype="str")})
    return gpd.GeoDataFrame(frame, geometry=gpd.points_from_xy(*xy.T), crs=4547)


def exported(reports: gpd.GeoDataFrame) -> pd.DataFrame:
    """Write the reports as a city's platform exports them."""
    places = reports.geometry.to_crs(4326)
    lon, lat = gcj02_from_wgs84(places.x.to_numpy(), places.y.to_numpy())
    local = reports["reported_at"].dt.tz_convert("Asia/Shanghai")
    number = np.arange(len(reports))
    table = pd.DataFrame(
        {
            "案件编号": [f"4108{k:011d}" for k in number],
            "上报时间": local.dt.strftime("%Y-%m-%d %H:%M:%S"),
            "结案时间": (local + pd.Timedelta(hours=5)).dt.strftime("%Y/%m/%d %H:%M"),
            "类别代码": np.array(["0110", "0405"])[number % 2],
            "问题类别": np.array(["暴露生活垃圾", "店外经营"])[number % 2],
            "经度": lon.round(6),
            "纬度": lat.round(6),
            "问题描述": [f"第{k % 97}号路段有垃圾，请处理" for k in number],
        }
    )
    table.iloc[7] = table.iloc[6]
    return table


def _intake() -> None:
    """Take in the same table as CSV and as JSON, in two datums."""
    units, table = village(), exported(village_reports())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table.to_csv(folder / "a.csv", index=False, encoding="utf-8-sig")
        table.to_json(folder / "a.json", orient="records", force_ascii=False)
        for file in ("a.csv", "a.json"):
            reference = Reference({"community_code": units}, {})
            ingest(folder / file, folder / "a.parquet", reference=reference)


def _hotspots() -> None:
    """Count by units and by cells, and test."""
    units, reports = village(), village_reports()
    areas = unit_areas(reports, units, key="community_code")
    hot(areas, Terms())
    patterned(areas, Terms(), timezone="Asia/Shanghai")
    hot(cell_areas(reports, units, cell_m=100.0), Terms(permutations=99))
    near_repeats(reports, units, permutations=19)


def _grids() -> None:
    """Draw, examine and balance the grid of the village."""
    units = village()
    made = grids.unit_grids(units, key="community_code", area_m2=20_000.0, scheme=None)
    load = pd.Series(np.arange(len(made)) % 7 + 1.0, index=made.index)
    grids.balance(made, load, within="community_code", n_grids=2)
    grids.validate({"community": units}, keys={"community": "community_code"})


def _walks() -> None:
    """Walk from every community to a facility and back."""
    middles = village().set_geometry(village().centroid)
    west, south, east, north = village().total_bounds
    lines = [[(x, south), (x, north)] for x in middles.geometry.x[:_SIDE]]
    lines += [[(west, y), (east, y)] for y in middles.geometry.y[::_SIDE]]
    streets = gpd.GeoDataFrame(geometry=list(shapely.node(shapely.multilinestrings(lines)).geoms), crs=4547)  # fmt: skip
    network = access.walking_network(streets)
    there = middles.iloc[[0, 7]]
    access.nearest_facilities(middles, there, network)
    access.within_reach(middles, there, network, limit_m=500.0)
    access.service_areas(there, network, [300.0], each=True)


def _zones() -> None:
    """Classify a town of a few cells, and find where it ends."""
    row, column = np.mgrid[:41, :41]
    far = np.hypot(row - 20.0, column - 20.0)
    town = np.clip(1.5 - far / 10, 0.0, 1.0)
    place = Affine(1_000.0, 0.0, _EAST, 0.0, -1_000.0, _NORTH)
    residents = (5_000.0 * town).astype(np.float32)
    zones.classify_cells(Surface(residents, place, CRS("ESRI:54009"), unit="residents"))
    zones.two_breaks(Surface(town.astype(np.float32), place, CRS(4547), unit=""), n_rays=8, n_bootstrap=19)  # fmt: skip


PARTS: Final[dict[str, Callable[[], object]]] = {
    "tiles": tiles.warm_up,
    "analysis": analysis.warm_up,
    "intake": _intake,
    "grids": _grids,
    "hotspots": _hotspots,
    "walks": _walks,
    "zones": _zones,
}
"""What is compiled, the longest first."""


def warm_up(*, processes: int = 2, progress: Progress = silent) -> None:
    """Compile every loop of gisgrid, or load it where that was done before.

    Parameters
    ----------
    processes
        How many parts are compiled at once.
    progress
        Told which part is done.

    Notes
    -----
    What is compiled is kept on disk (``NUMBA_CACHE_DIR``, or beside the modules): one to two minutes after an
    installation (three to four minutes of one processor), some seconds later.
    """
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        running = {pool.submit(part): name for name, part in PARTS.items()}
        for name in PARTS:
            progress(name, 0.0)
        for done in as_completed(running):
            done.result()
            progress(running[done], 1.0)
