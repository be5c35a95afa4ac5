"""The loops of kernel density: each report's kernel laid on the cells, or its share of the sixteen cells around.

Coordinates are in cells, counted from the centre of the cell in the north-west corner; row 0 is in the north.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gisgrid.compiled import compiled

Floats = NDArray[np.float64]

GAUSSIAN_REACH: Final = 1.5
"""Where a Gaussian is cut off, in bandwidths: four and a half standard deviations."""

BLOCK: Final = 32
"""Cells a side of a block of reports that are laid together."""

_STEPS: Final = 32  # of a cell, in tables of what a kernel sums to
_SMOOTH_FROM: Final = 5.0  # cells of bandwidth: there a table is right to a millionth


@compiled
def _quartic_mass(x: float, y: float, radius: float) -> float:
    """Sum (1 - d²/h²)² over all cell centres within the radius: row by row, each by the sums of powers."""
    total = 0.0
    for row in range(int(np.ceil(y - radius)), int(np.floor(y + radius)) + 1):
        c = radius * radius - (row - y) * (row - y)
        if c <= 0.0:
            continue
        half = np.sqrt(c)
        first, last = np.ceil(x - half), np.floor(x + half)
        n = last - first + 1.0
        if n <= 0.0:
            continue
        middle = (first + last) / 2.0 - x
        m2 = middle * middle
        t = n * (n * n - 1.0) / 12.0  # Σ k² of n places around 0
        second = n * m2 + t
        fourth = n * m2 * m2 + 6.0 * m2 * t + t * (3.0 * n * n - 7.0) / 20.0
        total += n * c * c - 2.0 * c * second + fourth
    return total / radius**4


@compiled
def _quartic_masses(radius: float) -> Floats:
    """Sum the kernel of one radius for reports at every 32nd of a cell, both ways."""
    masses = np.empty((_STEPS + 1, _STEPS + 1))
    for row in range(_STEPS + 1):
        for column in range(_STEPS + 1):
            masses[row, column] = _quartic_mass(column / _STEPS, row / _STEPS, radius)
    return masses


@compiled
def _between(table: Floats, right: float, down: float) -> float:
    """Read a table of 32nds of a cell at a place between its entries."""
    column, row = int(right * _STEPS), int(down * _STEPS)
    u, v = right * _STEPS - column, down * _STEPS - row
    above = (1.0 - u) * table[row, column] + u * table[row, column + 1]
    below = (1.0 - u) * table[row + 1, column] + u * table[row + 1, column + 1]
    between: float = (1.0 - v) * above + v * below
    return between


@compiled
def _add_quartic(  # noqa: PLR0917 - a loop over flat arrays
    cells: Floats, across: Floats, x: float, y: float, radius: float, scale: float
) -> None:
    """Add a kernel to a square of cells; `x` and `y` count from its first cell."""
    wide = len(across)
    for j in range(wide):
        apart = (j - x) / radius
        across[j] = 1.0 - apart * apart
    for row in range(wide):
        apart = (row - y) / radius
        lost = apart * apart
        if lost >= 1.0:
            continue
        line = cells[row]
        for j in range(wide):
            rest = across[j] - lost
            rest = rest if rest > 0.0 else 0.0  # noqa: FURB136 - max() would not be vectorised
            line[j] += rest * rest * scale


@compiled
def _bell(values: Floats, x: float, radius: float, reach: float) -> float:
    """Fill in a Gaussian of a third of the radius around `x`, cell by cell from the one before; give its sum."""
    step = 9.0 / (radius * radius)
    value, ratio = np.exp(-0.5 * step * x * x), np.exp(step * (x - 0.5))
    fall, total = np.exp(-step), 0.0
    for j in range(len(values)):
        values[j] = value if abs(j - x) < reach else 0.0
        total += values[j]
        value *= ratio
        ratio *= fall
    return total


@compiled
def _add_gaussian(  # noqa: PLR0917 - a loop over flat arrays
    cells: Floats, across: Floats, down: Floats, x: float, y: float, radius: float, weight: float
) -> None:
    """Add a kernel that sums to its weight to a square of cells; `x` and `y` count from its first cell."""
    reach = GAUSSIAN_REACH * radius
    scale = weight / (_bell(across, x, radius, reach) * _bell(down, y, radius, reach))
    for row in range(len(down)):
        if down[row] == 0.0:
            continue
        line, factor = cells[row], down[row] * scale
        for j in range(len(across)):
            line[j] += across[j] * factor


@compiled
def spread_alike(  # noqa: PLR0917 - a loop over flat arrays
    out: Floats,
    x: Floats,
    y: Floats,
    radius: float,
    weight: Floats,
    gaussian: bool,  # noqa: FBT001 - numba knows no keywords here
) -> None:
    """Add each report's kernel, all of one radius, which sums to its weight over all cells, those beyond `out` included.

    Reports that follow each other in one block of `BLOCK` cells a side are laid on a small square that stays in the
    processor's cache, and all together on `out`: sort them by block.
    """
    height, width = out.shape
    reach = int(np.ceil(GAUSSIAN_REACH * radius if gaussian else radius)) + 1
    masses = _quartic_masses(radius)
    square = np.zeros((BLOCK + 2 * reach, BLOCK + 2 * reach))
    across, down = np.empty(2 * reach), np.empty(2 * reach)
    i = 0
    while i < len(x):
        west, north = int(np.floor(x[i])) // BLOCK * BLOCK, int(np.floor(y[i])) // BLOCK * BLOCK
        while i < len(x) and west <= x[i] < west + BLOCK and north <= y[i] < north + BLOCK:
            left, top = int(np.floor(x[i])) - west + 1, int(np.floor(y[i])) - north + 1
            cells = square[top : top + 2 * reach, left : left + 2 * reach]
            right, under = x[i] - np.floor(x[i]), y[i] - np.floor(y[i])
            at_x, at_y = right + reach - 1, under + reach - 1
            if gaussian:
                _add_gaussian(cells, across, down, at_x, at_y, radius, weight[i])
            else:
                mass = (
                    _between(masses, right, under)
                    if radius >= _SMOOTH_FROM
                    else _quartic_mass(right, under, radius)
                )
                _add_quartic(
                    cells, across, at_x, at_y, radius, weight[i] / mass if mass > 0.0 else 0.0
                )
            i += 1
        first, last = max(0, reach - west), min(len(square), width - west + reach)
        for row in range(max(0, reach - north), min(len(square), height - north + reach)):
            line, part = out[north + row - reach], square[row]
            for j in range(first, last):
                line[west + j - reach] += part[j]
        square[:] = 0.0


@compiled
def spread_each(  # noqa: PLR0917 - a loop over flat arrays
    out: Floats,
    x: Floats,
    y: Floats,
    radius: Floats,
    weight: Floats,
    gaussian: bool,  # noqa: FBT001 - numba knows no keywords here
) -> None:
    """Add each report's kernel of its own radius, as `spread_alike` does."""
    height, width = out.shape
    for i in range(len(x)):
        h = radius[i]
        reach = int(np.ceil(GAUSSIAN_REACH * h if gaussian else h)) + 1
        left, top = int(np.floor(x[i])) - reach + 1, int(np.floor(y[i])) - reach + 1
        square = np.zeros((2 * reach, 2 * reach))
        across, down = np.empty(2 * reach), np.empty(2 * reach)
        if gaussian:
            _add_gaussian(square, across, down, x[i] - left, y[i] - top, h, weight[i])
        else:
            mass = _quartic_mass(x[i], y[i], h)
            _add_quartic(
                square, across, x[i] - left, y[i] - top, h, weight[i] / mass if mass > 0.0 else 0.0
            )
        for row in range(max(0, -top), min(len(square), height - top)):
            for j in range(max(0, -left), min(len(square), width - left)):
                out[top + row, left + j] += square[row, j]


@compiled
def spread_inside(  # noqa: PLR0917 - a loop over flat arrays
    out: Floats,
    inside: Floats,
    x: Floats,
    y: Floats,
    radius: Floats,
    weight: Floats,
    gaussian: bool,  # noqa: FBT001 - numba knows no keywords here
) -> None:
    """Add each report's kernel to the cells where `inside` is 1, so that it sums to its weight over them."""
    height, width = out.shape
    for i in range(len(x)):
        h = radius[i] if len(radius) > 1 else radius[0]
        reach = GAUSSIAN_REACH * h if gaussian else h
        left, right = (
            max(0, int(np.ceil(x[i] - reach))),
            min(width, int(np.floor(x[i] + reach)) + 1),
        )
        top, bottom = (
            max(0, int(np.ceil(y[i] - reach))),
            min(height, int(np.floor(y[i] + reach)) + 1),
        )
        if right <= left or bottom <= top:
            continue
        shape = np.empty((bottom - top, right - left))
        mass = 0.0
        for row in range(top, bottom):
            for j in range(left, right):
                square = ((j - x[i]) ** 2 + (row - y[i]) ** 2) / (h * h)
                value = np.exp(-4.5 * square) if gaussian else max(0.0, 1.0 - square) ** 2
                value *= inside[row, j]
                shape[row - top, j - left] = value
                mass += value
        if mass > 0.0:
            shape *= weight[i] / mass
            out[top:bottom, left:right] += shape


@compiled
def _cubic(t: float) -> tuple[float, float, float, float]:
    """Give the Lagrange weights of the places -1, 0, 1, 2 at t in 0 to 1; they sum to 1."""
    return (
        -t * (t - 1.0) * (t - 2.0) / 6.0,
        (t + 1.0) * (t - 1.0) * (t - 2.0) / 2.0,
        -(t + 1.0) * t * (t - 2.0) / 2.0,
        (t + 1.0) * t * (t - 1.0) / 6.0,
    )


@compiled
def shared_among_cells(out: Floats, x: Floats, y: Floats, weight: Floats) -> None:
    """Share each report among the sixteen cells around; those too near the edge of `out` for that are left out."""
    height, width = out.shape
    for i in range(len(x)):
        left, top = int(np.floor(x[i])), int(np.floor(y[i]))
        if left < 1 or top < 1 or left > width - 3 or top > height - 3:
            continue
        across, down = _cubic(x[i] - left), _cubic(y[i] - top)
        for row in range(4):
            for j in range(4):
                out[top - 1 + row, left - 1 + j] += weight[i] * down[row] * across[j]


@compiled
def gathered_from_cells(values: Floats, x: Floats, y: Floats) -> Floats:
    """Give the value at each report by the weights of `shared_among_cells`; 0 for one too near the edge."""
    height, width = values.shape
    found = np.zeros(len(x))
    for i in range(len(x)):
        left, top = int(np.floor(x[i])), int(np.floor(y[i]))
        if left < 1 or top < 1 or left > width - 3 or top > height - 3:
            continue
        across, down = _cubic(x[i] - left), _cubic(y[i] - top)
        for row in range(4):
            for j in range(4):
                found[i] += values[top - 1 + row, left - 1 + j] * down[row] * across[j]
    return found
