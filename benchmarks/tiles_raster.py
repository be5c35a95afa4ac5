"""Tiles of a density, and a whole city as one file of tiles.

The peers: GDAL's own warping and PNG by rasterio, which is what most Python tile servers of rasters stand on; and
tippecanoe, where it is installed.
"""

import shutil
import subprocess
import tempfile
import warnings
from itertools import cycle
from pathlib import Path

import geopandas as gpd
import numpy as np
import rasterio
from affine import Affine
from pyproj import CRS
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT
from scipy.ndimage import gaussian_filter
from timing import row, seconds

from gisgrid.features import FeatureTable
from gisgrid.files import write_frame, write_surface
from gisgrid.surface import Surface
from gisgrid.tiles import LowZoom, PointSource, RasterSource, bbox_tiles, tile_bbox_mercator
from gisgrid.tiles.archive import PmtilesSource, write_archive

SHOWN = ["category", "status", "severity", "day"]


def rows():
    with tempfile.TemporaryDirectory() as folder:
        return [*density_rows(Path(folder)), *archive_rows(Path(folder))]


def density(folder, side=3000):
    """60 by 60 km in cells of 20 m."""
    rng = np.random.default_rng(1)
    spots = np.zeros((side, side), dtype=np.float32)
    np.add.at(spots, tuple(rng.integers(0, side, (2, 40_000))), 1)
    smooth = 2500 * gaussian_filter(spots, 15)
    smooth[smooth < 1] = 0
    path = folder / "density.tif"
    write_surface(
        Surface(smooth, Affine(20, 0, 485_000, 0, -20, 3_950_000), CRS(4547), "issues/km²"), path
    )
    return path


def density_rows(folder):
    path = density(folder)
    source = RasterSource.from_file(path, layer_id="density", maxzoom=16)
    tiles = [t for z in range(10, 17) for t in list(bbox_tiles(source.bbox, z))[::499]]
    once, others, webps = cycle(tiles), cycle(tiles), cycle(tiles)
    with rasterio.open(path) as file:
        return [
            row(
                "a tile of a density as PNG, zooms 10 to 16",
                each(lambda: source.tile(*next(once)), len(tiles)),
                each(lambda: by_gdal(file, *next(others), source.colours), len(tiles)),
                "rasterio (WarpedVRT, PNG)",
                unit="ms",
            ),
            row(
                "the same as WebP without loss",
                each(lambda: source.tile(*next(webps), image="webp"), len(tiles)),
                unit="ms",
            ),
        ]


def each(act, n):
    """Milliseconds of one of n in a row, the median of some rounds."""

    def round_of_all():
        for _ in range(n):
            act()

    return 1000 * seconds(round_of_all, times=5) / n


def by_gdal(file, z, x, y, colours):
    west, south, east, north = tile_bbox_mercator(z, x, y)
    grid = Affine((east - west) / 256, 0, west, 0, (south - north) / 256, north)
    with WarpedVRT(
        file, crs="EPSG:3857", transform=grid, width=256, height=256, resampling=Resampling.bilinear
    ) as warped:
        values = warped.read(1, masked=True)
    share = np.sqrt(np.clip(values.filled(0) / colours.high, 0, 1))
    picture = colours.palette[np.ceil(share * 255).astype(np.uint8)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        with rasterio.MemoryFile() as memory:
            with memory.open(
                driver="PNG", width=256, height=256, count=4, dtype="uint8", zlevel=1
            ) as image:
                image.write(np.moveaxis(picture, 2, 0))
            return memory.read()


def reports(n):
    rng = np.random.default_rng(0)
    middles = rng.uniform([113.6, 34.9], [114.4, 35.5], (120, 2))
    places = middles[rng.integers(0, 120, n)] + rng.normal(0, 0.02, (n, 2))
    return gpd.GeoDataFrame(
        {
            "category": rng.choice([f"category {i}" for i in range(12)], n),
            "status": rng.choice(["open", "closed"], n),
            "severity": rng.integers(1, 6, n),
            "day": rng.integers(0, 730, n),
        },
        geometry=gpd.points_from_xy(*places.T),
        crs=4326,
    )


def archive_rows(folder):
    many, path = reports(1_000_000), folder / "city.pmtiles"
    table = FeatureTable.from_frame(many, key=None, properties=SHOWN)
    source = PointSource(
        table, layer_id="reports", properties=SHOWN, minzoom=8, maxzoom=16, low_zoom=LowZoom("none")
    )
    whole = row(
        "1 000 000 points, every one at zooms 8 to 16, as PMTiles",
        seconds(lambda: write_archive([source], path), times=1),
        *tippecanoe(many, folder),
    )
    stored = PmtilesSource(path)
    tiles = [t for z in range(10, 17) for t in list(bbox_tiles(source.bbox, z))[::31]]
    turn = cycle(tiles)
    return [
        whole,
        row("a tile read from that", each(lambda: stored.tile(*next(turn)), len(tiles)), unit="ms"),
    ]


def tippecanoe(frame, folder):
    if shutil.which("tippecanoe") is None:
        return None, None
    write_frame(frame, folder / "points.fgb")
    command = [
        "tippecanoe",
        "-q",
        "-f",
        "-Z8",
        "-z16",
        "-r1",
        "--no-feature-limit",
        "--no-tile-size-limit",
    ]
    command += ["-o", str(folder / "theirs.pmtiles"), str(folder / "points.fgb")]
    return seconds(lambda: subprocess.run(command, check=True), times=1), "tippecanoe"
