"""At which resolution is a raster read? The file's own, its overviews, and coarser ones that it does not have."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from math import hypot
from pathlib import Path
from threading import Lock
from typing import Final

import numpy as np
import rasterio
from affine import Affine
from rasterio.enums import Resampling
from rasterio.windows import Window

from gisgrid.tiles.raster.sampling import Floats

SAMPLE: Final = 4_000_000
"""Cells that are read at once at most, where a raster is looked at as a whole."""

_BLOCK: Final = 512
_KEPT: Final = 64
"""Blocks that are kept in memory, 1 MB each."""

_Read = Callable[[int, int, int, int], Floats]
"""From the first row, the first column, the height and the width to cells, NaN where there is none."""


@dataclass(frozen=True)
class Level:
    """One resolution of a raster.

    Attributes
    ----------
    transform
        Corner of a cell (column, row) to a place in the raster's CRS.
    shape
        Height and width in cells.
    """

    transform: Affine
    shape: tuple[int, int]
    _read: _Read = field(repr=False)

    def place(self, column: float, row: float) -> tuple[float, float]:
        """Say where a corner of cells lies in the raster's CRS.

        Parameters
        ----------
        column, row
            The corner, counted from the first cell's outer one.

        Returns
        -------
        tuple of float
            Easting and northing, or longitude and latitude.
        """
        t = self.transform
        return t.a * column + t.b * row + t.c, t.d * column + t.e * row + t.f

    @property
    def cell(self) -> float:
        """The longer side of a cell, in units of the CRS."""
        t = self.transform
        return max(hypot(t.a, t.d), hypot(t.b, t.e))

    def window(self, row: int, column: int, height: int, width: int) -> Floats:
        """Read some cells.

        Parameters
        ----------
        row, column, height, width
            Which; all of them must be there.

        Returns
        -------
        array
            Shape (height, width); NaN where there is no value. Not to be written to.
        """
        return self._read(row, column, height, width)

    def whole(self) -> Floats:
        """Read all cells."""
        return self._read(0, 0, *self.shape)


def levels_of(path: Path, file: rasterio.DatasetReader) -> tuple[Level, ...]:
    """List the resolutions of a raster, from fine to coarse, down to one cell.

    Parameters
    ----------
    path
        The file.
    file
        The same, open.

    Returns
    -------
    tuple of Level
        Its own resolution, its overviews, and means of them. Nothing is read yet.
    """
    kept = _Blocks()
    overviews = range(len(file.overviews(1)))
    files = [file, *(rasterio.open(path, overview_level=level) for level in overviews)]
    levels = [_file_level(one, 1, kept) for one in files]
    factor = 2
    # A raster without overviews is read in means, which takes GDAL long and memory little.
    while levels[-1].shape[0] * levels[-1].shape[1] > SAMPLE:
        levels.append(_file_level(files[-1], factor, kept))
        factor *= 2
    while max(levels[-1].shape) > 1:
        levels.append(_halved_level(levels[-1]))
    return tuple(levels)


def _file_level(file: rasterio.DatasetReader, factor: int, kept: _Blocks) -> Level:
    shape = (-(-file.height // factor), -(-file.width // factor))
    lock = Lock()  # GDAL's datasets serve one thread at a time
    scale, offset = file.scales[0], file.offsets[0]

    def read_file(row: int, column: int, height: int, width: int) -> Floats:
        rows = min(height * factor, file.height - row * factor)
        columns = min(width * factor, file.width - column * factor)
        window = Window(column * factor, row * factor, columns, rows)
        with lock:
            cells = file.read(
                1, window=window, out_shape=(height, width), masked=True, resampling=Resampling.average
            )  # fmt: skip
        values = np.ma.filled(cells.astype(np.float32), np.nan)
        return values if (scale, offset) == (1, 0) else (values * scale + offset).astype(np.float32)

    return Level(_coarser(file.transform, factor), shape, kept.through(read_file, shape))


def _halved_level(finer: Level) -> Level:
    shape = (-(-finer.shape[0] // 2), -(-finer.shape[1] // 2))

    @cache
    def values() -> Floats:
        return _halved(finer.whole())

    def read(row: int, column: int, height: int, width: int) -> Floats:
        return values()[row : row + height, column : column + width]

    return Level(_coarser(finer.transform, 2), shape, read)


def _coarser(t: Affine, factor: int) -> Affine:
    return Affine(t.a * factor, t.b * factor, t.c, t.d * factor, t.e * factor, t.f)


def _halved(values: Floats) -> Floats:
    height, width = values.shape
    even = np.pad(values, ((0, height % 2), (0, width % 2)), constant_values=np.nan)
    cells = np.stack([even[::2, ::2], even[1::2, ::2], even[::2, 1::2], even[1::2, 1::2]])
    there = np.isfinite(cells)
    n = there.sum(axis=0)
    total = np.where(there, cells, 0).sum(axis=0)
    return np.where(n > 0, total / np.maximum(n, 1), np.nan).astype(np.float32)


class _Blocks:
    """Squares of cells as they were last read, the latest used ones of all levels."""

    def __init__(self) -> None:
        self._blocks: OrderedDict[tuple[int, int, int], Floats] = OrderedDict()
        self._lock = Lock()
        self._n_levels = 0

    def through(self, read: _Read, shape: tuple[int, int]) -> _Read:
        """Make a reader that asks `read` only for blocks that are not kept."""
        self._n_levels += 1
        level = self._n_levels

        def kept(row: int, column: int, height: int, width: int) -> Floats:
            if height > 4 * _BLOCK or width > 4 * _BLOCK:  # a whole level, once
                return read(row, column, height, width)
            down = range(row // _BLOCK, (row + height - 1) // _BLOCK + 1)
            across = range(column // _BLOCK, (column + width - 1) // _BLOCK + 1)
            out = np.empty((height, width), dtype=np.float32)
            for a in down:
                for b in across:
                    block = self._block(level, a, b, read, shape)
                    top, left = a * _BLOCK - row, b * _BLOCK - column
                    part = block[max(0, -top) : height - top, max(0, -left) : width - left]
                    top, left = max(0, top), max(0, left)
                    out[top : top + part.shape[0], left : left + part.shape[1]] = part
            return out

        return kept

    def _block(self, level: int, a: int, b: int, read: _Read, shape: tuple[int, int]) -> Floats:
        place = (level, a, b)
        with self._lock:
            found = self._blocks.get(place)
            if found is not None:
                self._blocks.move_to_end(place)
                return found
        row, column = a * _BLOCK, b * _BLOCK
        block = read(row, column, min(_BLOCK, shape[0] - row), min(_BLOCK, shape[1] - column))
        with self._lock:
            self._blocks[place] = block
            while len(self._blocks) > _KEPT:
                self._blocks.popitem(last=False)
        return block
