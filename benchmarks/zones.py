"""Zones: residents' cells classified, rasters summed by area, reports by share, buildings screened."""

import resource
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from time import perf_counter

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import shapely
from affine import Affine
from pyproj import CRS
from rasterio.windows import Window
from timing import row, seconds

from gisgrid.derived import report_zones
from gisgrid.surface import Surface
from gisgrid.testing import synthetic_city
from gisgrid.zones import classify_raster, two_breaks, urban_village_screen, zonal_statistics

SIDE = 8_000
"""Cells along a side of the large raster."""
DATA = Path(__file__).parents[2] / "shared" / "data"
TIMES = 3


def rows() -> list[dict]:
    found = [*_large(), *_breaks(), *_reports(), *_screen()]
    return found + _tracts() if DATA.is_dir() else found


def _large() -> list[dict]:
    with tempfile.TemporaryDirectory() as folder:
        told = subprocess.run(
            [sys.executable, __file__, folder, str(SIDE)],
            check=True,
            capture_output=True,
            text=True,
        )
    taken, peak_mb = map(float, told.stdout.split())
    work = f"Degree of Urbanisation of {SIDE * SIDE / 1e6:.0f} million cells"
    return [row(f"{work}, file to file", taken), row(f"{work}: memory", peak_mb, unit="MB")]


def _breaks() -> list[dict]:
    n = 241
    y, x = (np.mgrid[:n, :n] - n // 2) * 250.0
    fall = np.clip((14_000 - np.hypot(x, y)) / 6000, 0, 1)
    index = Surface(fall.astype(np.float32), Affine(250, 0, 0, 0, -250, n * 250), CRS(4547), "")
    taken = seconds(lambda: two_breaks(index, n_bootstrap=199), times=TIMES)
    return [row("two breaks on 72 rays of 120 cells, 199 draws each", taken)]


def _reports() -> list[dict]:
    layers = synthetic_city(n_issues=60_000, years=1).layers
    names = ("urban_villages", "suburban_villages", "fringe_zones")
    issues, zones = layers["reported_issues"], [layers[name] for name in names]
    ours = seconds(lambda: report_zones(issues, *zones), times=TIMES)
    peer = seconds(lambda: _by_overlay(issues, zones), times=1)
    work = "the zone of 60,000 reports by share of a circle of 20 m"
    return [row(work, ours, peer, "geopandas.overlay of circles and zones")]


def _by_overlay(issues: gpd.GeoDataFrame, zones: list[gpd.GeoDataFrame]) -> list[pd.Series]:
    circles = gpd.GeoDataFrame(
        {"row": range(len(issues))}, geometry=issues.to_crs(4547).buffer(20, quad_segs=8).to_numpy(), crs=4547
    )  # fmt: skip
    cut = [gpd.overlay(circles, each[["geometry"]].to_crs(4547)) for each in zones]
    return [each.area.groupby(each["row"]).sum() for each in cut]


@cache
def quarter() -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """40 000 buildings in 400 blocks, half of them turned every way."""
    rng = np.random.default_rng(1)
    n, blocks = 100, 20
    corner = np.stack(np.meshgrid(np.arange(blocks), np.arange(blocks)), -1).reshape(-1, 2) * 300.0
    middle = np.repeat(corner, n, 0) + rng.uniform(20, 280, (len(corner) * n, 2))
    size = rng.uniform(6, 14, (len(middle), 2))
    turned = np.where(
        np.repeat(rng.random(len(corner)) < 0.5, n), rng.uniform(0, 90, len(middle)), 0
    )
    angle = np.radians(turned)[:, None]
    sides = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)])[None] * size[:, None] / 2
    x = sides[..., 0] * np.cos(angle) - sides[..., 1] * np.sin(angle)
    y = sides[..., 0] * np.sin(angle) + sides[..., 1] * np.cos(angle)
    rings = middle[:, None] + np.stack([x, y], -1)
    shapes = shapely.polygons(rings)
    squares = shapely.box(*corner.T, *(corner.T + 300))
    return gpd.GeoDataFrame(geometry=shapes, crs=4547), gpd.GeoDataFrame(geometry=squares, crs=4547)


def _screen() -> list[dict]:
    buildings, blocks = quarter()
    ours = seconds(lambda: urban_village_screen(buildings, blocks), times=TIMES)
    work = f"screen {len(blocks)} blocks of {len(buildings):,} buildings: all measures"
    return [row(work, ours)]


def _tracts() -> list[dict]:
    folder = DATA / "nyc-raster"
    tracts = gpd.read_parquet(folder / "nyc_tracts_2020_zonal.parquet")
    raster = folder / "nyc_impervious_2024.tif"
    found = []
    for rule, words in (("share", "exact shares"), ("centre", "centres")):
        taken = seconds(
            lambda rule=rule: zonal_statistics(tracts, raster, nodata=250, rule=rule), times=TIMES
        )
        found.append(row(f"a raster's mean in 2,325 tracts, cells by {words}", taken))
    return found


def _classify(folder: str, side: str) -> None:
    """Make and classify a large raster; print the seconds and the peak of memory."""
    n, rng = int(side), np.random.default_rng(1)
    people = Path(folder) / "people.tif"
    laid = {
        "driver": "GTiff",
        "height": n,
        "width": n,
        "count": 1,
        "dtype": "float32",
        "crs": "ESRI:54009",
    }
    where = Affine(1000, 0, -n * 500, 0, -1000, n * 500)
    with rasterio.open(
        people, "w", transform=where, compress="DEFLATE", tiled=True, **laid
    ) as file:
        town = rng.pareto(1.2, (n // 40 + 1, n // 40 + 1)) * 60
        for top in range(0, n, 400):
            height = min(400, n - top)
            part = np.kron(town[top // 40 : top // 40 + 10], np.ones((40, 40)))[:height, :n]
            part *= rng.uniform(0.2, 1.8, part.shape)
            file.write(part.astype(np.float32), 1, window=Window(0, top, n, height))
    start = perf_counter()
    classify_raster(people, Path(folder) / "classes.tif")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(perf_counter() - start, peak)


if __name__ == "__main__":
    _classify(*sys.argv[1:])
