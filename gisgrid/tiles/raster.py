"""What does a web map draw of a surface? PNG tiles from a cloud-optimised GeoTIFF, read by window and overview."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from math import ceil, floor, log10
from pathlib import Path
from threading import Lock
from typing import Final

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from rasterio.windows import Window

from gisgrid.crs import LONLAT
from gisgrid.errors import InputError
from gisgrid.files import first_line
from gisgrid.palette import DENSITY_RAMP
from gisgrid.tiles.compiled import compiled
from gisgrid.tiles.png import palette_png
from gisgrid.tiles.scheme import BBox, check_zoom, check_zooms, tile_bbox_mercator

PNG_MEDIA_TYPE: Final = "image/png"
SIDE: Final = 256
"""Pixels along the side of a raster tile."""

_FLAT_ZOOM: Final = 8
"""From this zoom on a tile is flat enough to project every 16th pixel's place and to halve in between."""

_SAMPLE: Final = 4_000_000
"""Cells that are read at most to find the highest value."""

Floats = NDArray[np.float32]


_Read = Callable[[int, int, int, int], Floats]


class _Level:
    """One resolution of a raster: the file's own, an overview, or a coarser one in memory."""

    def __init__(self, transform: Affine, shape: tuple[int, int], read: _Read) -> None:
        self.transform, self.shape, self._read = transform, shape, read

    @property
    def cell(self) -> float:
        return float(abs(self.transform.a))

    def window(self, row: int, column: int, height: int, width: int) -> Floats:
        return np.asarray(self._read(row, column, height, width), dtype=np.float32)


@dataclass(frozen=True)
class RasterSource:
    """A surface of quantities from nothing upwards, ready to be drawn in the colours of `gisgrid.palette.DENSITY_RAMP`.

    Zero and missing are transparent. Colours go with the square root of the value, so that both the many small and
    the few great ones can be told apart; `stops` says which value has which colour. Each pixel is the bilinear mean
    of the cells around its middle, in the resolution next finer than the tile's, so that neighbours meet.

    Attributes
    ----------
    path
        The file; a GeoTIFF with overviews, for speed.
    layer_id
        The layer's id.
    minzoom, maxzoom
        The zooms it draws, both included.
    unit
        The unit of the values, for example ``issues/km²``.
    crs
        The CRS of the file.
    top
        The value of the last colour; higher ones have it too.
    """

    path: Path
    layer_id: str
    minzoom: int
    maxzoom: int
    unit: str
    crs: CRS
    top: float
    _levels: tuple[_Level, ...]

    @classmethod
    def from_file(
        cls, path: Path, *, layer_id: str, minzoom: int = 0, maxzoom: int = 14, top: float | None = None
    ) -> RasterSource:  # fmt: skip
        """Open a raster to be drawn.

        Parameters
        ----------
        path
            Any raster GDAL opens, north up; its first band is drawn.
        layer_id
            The layer's id.
        minzoom, maxzoom
            The zooms to draw, both included.
        top
            The value of the last colour; the highest in the file, rounded up, where it is not given.

        Returns
        -------
        RasterSource
            The source.

        Raises
        ------
        InputError
            There is no such file, it is no raster, it has no CRS or is not north up, or the zooms are not in order.
        """
        check_zooms(minzoom, maxzoom, layer_id=layer_id)
        if not path.exists():
            raise InputError(f"there is no file {str(path)!r}; check the spelling and the folder")
        try:
            file = rasterio.open(path)
        except rasterio.errors.RasterioIOError as error:
            raise InputError(
                f"{path.name!r} cannot be read as a raster: {first_line(error)}"
            ) from error
        if file.crs is None or file.transform.b or file.transform.d or file.transform.e >= 0:
            raise InputError(
                f"{path.name!r} has the CRS {file.crs} and the transform {tuple(file.transform)[:6]} but a raster "
                "to be drawn needs a CRS and north at its top; warp it with gdalwarp first"
            )
        levels = _levels(path, file)
        highest = _highest(levels) if top is None else top
        unit = file.units[0] or ""
        return cls(path, layer_id, minzoom, maxzoom, unit, CRS(file.crs.to_wkt()), highest, levels)

    @property
    def bbox(self) -> BBox:
        """West, south, east, north in degrees of the raster."""
        full = self._levels[0]
        height, width = full.shape
        west, north = full.transform.c, full.transform.f
        east, south = west + width * full.transform.a, north + height * full.transform.e
        to_lonlat = Transformer.from_crs(self.crs, LONLAT, always_xy=True)
        box = to_lonlat.transform_bounds(west, south, east, north)
        return (float(box[0]), float(box[1]), float(box[2]), float(box[3]))

    @property
    def left_out(self) -> dict[str, int]:
        """Nothing: a raster has no rows."""
        return {}

    @property
    def media_type(self) -> str:
        """What `tile` returns, as HTTP calls it."""
        return PNG_MEDIA_TYPE

    @property
    def stops(self) -> tuple[tuple[float, str], ...]:
        """The values of the ramp's colours, from low to high: between them colours are mixed."""
        n = len(DENSITY_RAMP)
        return tuple(
            (self.top * ((i + 1) / n) ** 2, colour) for i, colour in enumerate(DENSITY_RAMP)
        )

    def tile(self, z: int, x: int, y: int) -> bytes:
        """Draw a tile.

        Parameters
        ----------
        z, x, y
            The tile, in WebMercatorQuad.

        Returns
        -------
        bytes
            A PNG of 256 by 256 pixels, wholly transparent where the raster has nothing.

        Raises
        ------
        TileNotFoundError
            The scheme has no such tile, or the zoom is outside `minzoom` to `maxzoom`.
        """
        check_zoom(self, z, x, y)
        return palette_png(self._indices(self.values(z, x, y)), _PALETTE)

    def values(self, z: int, x: int, y: int) -> Floats:
        """Give the quantities under a tile.

        Parameters
        ----------
        z, x, y
            The tile, in WebMercatorQuad.

        Returns
        -------
        array
            Shape (256, 256), row 0 in the north; NaN where there is none.
        """
        easting, northing = self._places(z, x, y)
        # The height of a tile varies little where the width does: a pixel's side, in the file's units.
        with np.errstate(invalid="ignore"):  # far from the file's CRS places are infinite
            spans = np.hypot(*(np.diff(axis, axis=0) for axis in (easting, northing)))
        spans = spans[np.isfinite(spans)]
        pixel = float(np.median(spans)) * len(easting[1:]) / SIDE if len(spans) else 0.0
        finer = [level for level in self._levels if level.cell <= max(pixel, self._levels[0].cell)]
        return _sampled(finer[-1], easting, northing)

    def _places(self, z: int, x: int, y: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Project a lattice over the tile, from corner to corner, into the raster's CRS."""
        west, south, east, north = tile_bbox_mercator(z, x, y)
        n = SIDE // (16 if z >= _FLAT_ZOOM else 1) + 1
        across, down = np.meshgrid(np.linspace(west, east, n), np.linspace(north, south, n))
        easting, northing = self._from_mercator.transform(across, down)
        return np.asarray(easting), np.asarray(northing)

    @cached_property
    def _from_mercator(self) -> Transformer:
        return Transformer.from_crs("EPSG:3857", self.crs, always_xy=True)

    def _indices(self, values: Floats) -> NDArray[np.uint8]:
        share = np.sqrt(np.clip(np.nan_to_num(values, nan=0.0) / self.top, 0, 1))
        return np.where(share > 0, np.ceil(share * 255), 0).astype(np.uint8)


def _levels(path: Path, file: rasterio.DatasetReader) -> tuple[_Level, ...]:
    overviews = range(len(file.overviews(1)))
    files = [file, *(rasterio.open(path, overview_level=level) for level in overviews)]
    levels = [_file_level(one) for one in files]
    # Below the last overview the means of four cells go on in memory, so that the lowest zooms skip none.
    height, width = levels[-1].shape
    transform = levels[-1].transform
    values = levels[-1].window(0, 0, height, width) if height * width <= _SAMPLE else None
    while values is not None and min(values.shape) > 1:
        values = _halved(values)
        transform = _coarser(transform)
        levels.append(_memory_level(transform, values))
    return tuple(levels)


def _coarser(transform: Affine) -> Affine:
    return Affine(2 * transform.a, 0.0, transform.c, 0.0, 2 * transform.e, transform.f)


def _file_level(file: rasterio.DatasetReader) -> _Level:
    lock = Lock()  # GDAL's datasets serve one thread at a time

    def read(row: int, column: int, height: int, width: int) -> Floats:
        with lock:
            cells = file.read(1, window=Window(column, row, width, height), masked=True)
        return np.ma.filled(cells.astype(np.float32), np.nan)

    return _Level(file.transform, (file.height, file.width), read)


def _memory_level(transform: Affine, values: Floats) -> _Level:
    def read(row: int, column: int, height: int, width: int) -> Floats:
        return values[row : row + height, column : column + width]

    return _Level(transform, (values.shape[0], values.shape[1]), read)


def _halved(values: Floats) -> Floats:
    height, width = values.shape
    even = np.pad(values, ((0, height % 2), (0, width % 2)), constant_values=np.nan)
    cells = np.stack([even[::2, ::2], even[1::2, ::2], even[::2, 1::2], even[1::2, 1::2]])
    there = np.isfinite(cells)
    n = there.sum(axis=0)
    total = np.where(there, cells, 0).sum(axis=0)
    return np.where(n > 0, total / np.maximum(n, 1), np.nan).astype(np.float32)


def _highest(levels: tuple[_Level, ...]) -> float:
    """Find the highest value, rounded up to two digits; a large raster is asked through its overviews."""
    level = next((one for one in levels if one.shape[0] * one.shape[1] <= _SAMPLE), levels[-1])
    values = level.window(0, 0, *level.shape)
    values = values[np.isfinite(values)]
    highest = float(values.max()) if len(values) else 0.0
    if highest <= 0:
        return 1.0
    step = 10.0 ** (floor(log10(highest)) - 1)
    return float(ceil(highest / step) * step)


def _sampled(level: _Level, easting: NDArray[np.float64], northing: NDArray[np.float64]) -> Floats:
    """Read the cells around a tile's pixels and mix them."""
    to_cell = ~level.transform
    column = to_cell.a * easting + to_cell.c - 0.5  # middles of cells at whole numbers
    row = to_cell.e * northing + to_cell.f - 0.5
    height, width = level.shape
    empty = np.full((SIDE, SIDE), np.nan, dtype=np.float32)
    there = np.isfinite(row) & np.isfinite(column)
    if not there.any():
        return empty
    top, bottom = max(0, floor(row[there].min())), min(height, ceil(row[there].max()) + 2)
    left, right = max(0, floor(column[there].min())), min(width, ceil(column[there].max()) + 2)
    if top >= bottom or left >= right:
        return empty
    cells = level.window(top, left, bottom - top, right - left)
    return _bilinear(cells, row - top, column - left)


@compiled
def _bilinear(cells: Floats, row: NDArray[np.float64], column: NDArray[np.float64]) -> Floats:
    """Mix the four cells around each pixel's middle; where the nearest cell is missing, so is the pixel."""
    out = np.empty((SIDE, SIDE), np.float32)
    for i in range(SIDE):
        for j in range(SIDE):
            r, c = _between(row, i, j), _between(column, i, j)
            out[i, j] = _mix(cells, r, c)
    return out


@compiled
def _between(lattice: NDArray[np.float64], i: int, j: int) -> float:
    step = SIDE // (len(lattice) - 1)
    a, b = i // step, j // step
    down, across = (i - a * step + 0.5) / step, (j - b * step + 0.5) / step
    upper = lattice[a, b] * (1 - across) + lattice[a, b + 1] * across
    lower = lattice[a + 1, b] * (1 - across) + lattice[a + 1, b + 1] * across
    return float(upper * (1 - down) + lower * down)


@compiled
def _mix(cells: Floats, r: float, c: float) -> float:
    height, width = cells.shape
    if not (np.isfinite(r) and np.isfinite(c)):
        return np.nan
    near_r, near_c = int(np.floor(r + 0.5)), int(np.floor(c + 0.5))
    if near_r < 0 or near_c < 0 or near_r >= height or near_c >= width:
        return np.nan
    if not np.isfinite(cells[near_r, near_c]):
        return np.nan
    r0, c0 = int(np.floor(r)), int(np.floor(c))
    total, weights = 0.0, 0.0
    for a in range(2):
        for b in range(2):
            y, x = r0 + a, c0 + b
            if y < 0 or x < 0 or y >= height or x >= width or not np.isfinite(cells[y, x]):
                continue
            weight = (r - r0 if a else 1 - (r - r0)) * (c - c0 if b else 1 - (c - c0))
            total += weight * cells[y, x]
            weights += weight
    return float(total / weights)


def _palette() -> NDArray[np.uint8]:
    """256 colours over the square root of the value; the first is transparent, the next ones fade in."""
    ramp = np.array([[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in DENSITY_RAMP])
    share = np.arange(256) / 255
    places = (np.arange(len(ramp)) + 1) / len(ramp)
    palette = np.zeros((256, 4))
    for channel in range(3):
        palette[:, channel] = np.interp(share, places, ramp[:, channel])
    palette[:, 3] = 230 * np.clip(share / places[0], 0, 1)
    return np.rint(palette).astype(np.uint8)


_PALETTE: Final = _palette()
