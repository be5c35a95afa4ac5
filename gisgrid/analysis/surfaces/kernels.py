"""The loops of kernel density: each report's kernel laid on the cells, or its share of the sixteen cells around.

Coordinates are in cells, counted from the centre of the cell in the north-west corner; row 0 is in the north.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gisgrid.join.orientation import compiled

Floats = NDArray[np.float64]

GAUSSIAN_REACH: Final = 1.5
"""Where a Gaussian is cut off, in bandwidths: four and a half standard deviations."""


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
def spread_quartic(out: Floats, x: Floats, y: Floats, radius: Floats, weight: Floats) -> None:
    """Add each report's quartic kernel, which sums to its weight over all cells, those beyond `out` included.

    `radius` has one entry for all, or one each.
    """
    height, width = out.shape
    across = np.empty(int(2 * radius.max()) + 2)
    for i in range(len(x)):
        h = radius[i] if len(radius) > 1 else radius[0]
        mass = _quartic_mass(x[i], y[i], h)
        if mass <= 0.0:
            continue
        scale = weight[i] / mass
        left = max(0, int(np.ceil(x[i] - h)))
        right = min(width, int(np.floor(x[i] + h)) + 1)
        for j in range(left, right):
            apart = (j - x[i]) / h
            across[j - left] = 1.0 - apart * apart
        top = max(0, int(np.ceil(y[i] - h)))
        for row in range(top, min(height, int(np.floor(y[i] + h)) + 1)):
            apart = (row - y[i]) / h
            lost = apart * apart
            cells = out[row, left:right]
            for j in range(right - left):
                rest = across[j] - lost
                rest = rest if rest > 0.0 else 0.0  # noqa: FURB136 - max() would not be vectorised
                cells[j] += rest * rest * scale


@compiled
def spread_gaussian(out: Floats, x: Floats, y: Floats, radius: Floats, weight: Floats) -> None:
    """Add each report's Gaussian of a third of the radius, as `spread_quartic` does."""
    height, width = out.shape
    most = int(2 * GAUSSIAN_REACH * radius.max()) + 2
    across, down = np.empty(most), np.empty(most)
    for i in range(len(x)):
        h = radius[i] if len(radius) > 1 else radius[0]
        reach = GAUSSIAN_REACH * h
        left, right = int(np.ceil(x[i] - reach)), int(np.floor(x[i] + reach)) + 1
        top, bottom = int(np.ceil(y[i] - reach)), int(np.floor(y[i] + reach)) + 1
        along, upright = 0.0, 0.0
        for j in range(right - left):
            across[j] = np.exp(-4.5 * ((j + left - x[i]) / h) ** 2)
            along += across[j]
        for row in range(bottom - top):
            down[row] = np.exp(-4.5 * ((row + top - y[i]) / h) ** 2)
            upright += down[row]
        scale = weight[i] / (along * upright)
        first, last = max(0, left), min(width, right)
        if last <= first:
            continue
        for row in range(max(0, top), min(height, bottom)):
            factor = down[row - top] * scale
            cells = out[row, first:last]
            part = across[first - left : last - left]
            for j in range(last - first):
                cells[j] += part[j] * factor


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
