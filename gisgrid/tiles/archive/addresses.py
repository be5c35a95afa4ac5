"""Where is a tile along the Hilbert curve that orders an archive? PMTiles counts all zooms in one row of numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gisgrid.compiled import compiled
from gisgrid.tiles.warm import warms_up

Numbers = NDArray[np.int64]


@compiled
def tile_number(z: int, x: int, y: int) -> int:
    """Give the number of a tile: those of lower zooms come first, then along the curve."""
    number = 0
    for i in range(z - 1, -1, -1):
        half = 1 << i
        right, low = (x >> i) & 1, (y >> i) & 1
        number += ((3 * right) ^ low) << (2 * i)
        x, y = x & (half - 1), y & (half - 1)
        if low == 0:
            if right == 1:
                x, y = half - 1 - x, half - 1 - y
            x, y = y, x
    return number + ((1 << (2 * z)) - 1) // 3


@compiled
def tile_numbers(z: int, x: Numbers, y: Numbers) -> Numbers:
    """Give the numbers of tiles of one zoom."""
    numbers = np.empty(len(x), np.int64)
    for i in range(len(x)):
        numbers[i] = tile_number(z, x[i], y[i])
    return numbers


@compiled
def tile_places(z: int, numbers: Numbers) -> tuple[Numbers, Numbers]:
    """Give column and row of tiles of one zoom from their numbers."""
    first = ((1 << (2 * z)) - 1) // 3
    columns, rows = np.empty(len(numbers), np.int64), np.empty(len(numbers), np.int64)
    for k in range(len(numbers)):
        along = numbers[k] - first
        x, y = 0, 0
        for i in range(z):
            half = 1 << i
            part = (along >> (2 * i)) & 3
            right = part >> 1
            low = (part & 1) ^ right
            if low == 0:
                if right == 1:
                    x, y = half - 1 - x, half - 1 - y
                x, y = y, x
            x, y = x + right * half, y + low * half
        columns[k], rows[k] = x, y
    return columns, rows


@warms_up
def _warm_up() -> None:
    numbers = tile_numbers(2, np.array([3], dtype=np.int64), np.array([1], dtype=np.int64))
    tile_places(2, numbers)
    tile_number(2, 3, 1)
