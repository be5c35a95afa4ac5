"""Which value is at each pixel? Loops over the pixels of a tile, compiled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gisgrid.compiled import compiled
from gisgrid.tiles.warm import warms_up

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]


@compiled
def sample(  # noqa: PLR0917 - numba has no keywords
    cells: Floats, row: Doubles, column: Doubles, step: int, top: int, left: int, out: Floats
) -> None:
    """Mix the four cells around each pixel's middle; where the nearest cell is missing, so is the pixel.

    `row` and `column` say where the corners of squares of `step` pixels lie among the cells (cells' middles at whole
    numbers); the first corner is that of pixel (`top`, `left`) of `out`. Within a square places go evenly.
    """
    height, width = cells.shape
    one = np.uint32(
        1
    )  # unsigned, because a signed place could count from the end, which costs a test
    for a in range(row.shape[0] - 1):
        for i in range(step):
            down = (i + 0.5) / step
            line = out[top + a * step + i]
            for b in range(row.shape[1] - 1):
                r_west = row[a, b] + (row[a + 1, b] - row[a, b]) * down
                r_east = row[a, b + 1] + (row[a + 1, b + 1] - row[a, b + 1]) * down
                c_west = column[a, b] + (column[a + 1, b] - column[a, b]) * down
                c_east = column[a, b + 1] + (column[a + 1, b + 1] - column[a, b + 1]) * down
                inside = (
                    min(r_west, r_east) >= 0 and max(r_west, r_east) < height - 1
                    and min(c_west, c_east) >= 0 and max(c_west, c_east) < width - 1
                )  # fmt: skip
                r_step, c_step = (
                    np.float32((r_east - r_west) / step), np.float32((c_east - c_west) / step),
                )  # fmt: skip
                r_first, c_first = np.float32(r_west), np.float32(c_west)
                for j in range(step):
                    r = r_first + np.float32(j + 0.5) * r_step
                    c = c_first + np.float32(j + 0.5) * c_step
                    value = np.float32(np.nan)
                    if inside:
                        r0, c0 = np.uint32(r), np.uint32(c)
                        f = c - np.float32(c0)
                        upper = cells[r0, c0] + (cells[r0, c0 + one] - cells[r0, c0]) * f
                        lower = (
                            cells[r0 + one, c0]
                            + (cells[r0 + one, c0 + one] - cells[r0 + one, c0]) * f
                        )
                        value = upper + (lower - upper) * (r - np.float32(r0))
                    if not np.isfinite(value):
                        value = np.float32(mix_there(cells, float(r), float(c)))
                    line[left + b * step + j] = value


@compiled
def mix_there(cells: Floats, r: float, c: float) -> float:
    """Mix those of the four cells around a place that are there, if the nearest one is."""
    height, width = cells.shape
    if not (-0.5 <= r < height - 0.5 and -0.5 <= c < width - 0.5):
        return np.nan
    near_r, near_c = int(np.floor(r + 0.5)), int(np.floor(c + 0.5))
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


@compiled
def colour(values: Floats, low: float, high: float, rooted: bool, out: NDArray[np.uint8]) -> int:  # noqa: FBT001 - numba has no keywords
    """Give each pixel its place in a palette, 0 where there is nothing to show; return how many show something.

    `out` has one column more than `values`, to the left, and keeps what is in it: the first byte of a PNG's row.
    """
    shown = 0
    scale = 1 / (high - low)
    for i in range(values.shape[0]):
        for j in range(values.shape[1]):
            value = values[i, j]
            if not np.isfinite(value):
                out[i, j + 1] = 0
                continue
            share = min(max((value - low) * scale, 0.0), 1.0)
            index = int(np.ceil(np.sqrt(share) * 255)) if rooted else 1 + int(share * 254 + 0.5)
            out[i, j + 1] = index
            shown += index > 0
    return shown


@warms_up
def _warm_up() -> None:
    cells, corners = np.zeros((2, 2), np.float32), np.zeros((2, 2))
    values, rows = np.zeros((1, 1), np.float32), np.zeros((1, 2), np.uint8)
    for view in (cells, cells[:, :]):
        sample(view, corners, corners, 1, 0, 0, values)
    colour(values, 0.0, 1.0, True, rows)  # noqa: FBT003 - numba has no keywords
