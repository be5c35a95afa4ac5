"""At which distances does a falling profile bend twice? A plateau, a slope and a plateau, fitted by trying all."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from gisgrid.compiled import compiled

_Floats = NDArray[np.float64]


@compiled
def fit(y: _Floats, first: int) -> tuple[int, int, float, float, float]:
    """Fit high plateau, straight slope and low plateau to equally spaced values.

    Parameters
    ----------
    y
        Shape (n,), the values from the centre outwards, none of them missing.
    first
        The slope begins at this value or later.

    Returns
    -------
    tuple
        Where the slope begins and ends (positions in `y`), the high and the low level, and the sum of squares left.
        Positions are -1 where the values are too few or rise.

    Notes
    -----
    All pairs of positions are tried; sums that go on from one to the next make each trial cost the same, whatever n.
    """
    n = len(y)
    total, squares = 0.0, 0.0
    sums, weighted = np.zeros(n + 1), np.zeros(n + 1)  # of y, and of y times its position
    for i in range(n):
        total += y[i]
        squares += y[i] * y[i]
        sums[i + 1] = sums[i] + y[i]
        weighted[i + 1] = weighted[i] + y[i] * i
    best = (-1, -1, 0.0, 0.0, math.inf)
    for a in range(max(1, first), n - 2):
        for b in range(a + 1, n - 1):
            # g is 1 up to a, 0 from b on, (b - i) / (b - a) between; y is low + drop · g.
            m, width = b - a - 1, b - a
            g = a + 1 + m / 2
            gg = a + 1 + m * (2 * m + 1) / (6.0 * width)
            gy = (
                sums[a + 1]
                + (b * (sums[b] - sums[a + 1]) - (weighted[b] - weighted[a + 1])) / width
            )
            spread = gg - g * g / n
            drop = (gy - g * total / n) / spread
            if drop <= 0:
                continue
            low = (total - drop * g) / n
            left = squares - low * total - drop * gy
            if left < best[4]:
                best = (a, b, low + drop, low, left)
    return best


@compiled
def bootstrap(
    y: _Floats, fitted: _Floats, first: int, starts: NDArray[np.int64], block: int
) -> NDArray[np.int64]:
    """Fit the profile again and again with its residuals drawn anew, in blocks.

    Parameters
    ----------
    y, fitted
        Shape (n,), the values and the fit.
    first
        As for `fit`.
    starts
        Shape (n times, blocks), where each drawn block of residuals begins.
    block
        How many residuals go together, because neighbours are alike.

    Returns
    -------
    array
        Shape (n times, 2), begin and end of the slope; -1 where a draw cannot be fitted.
    """
    n = len(y)
    found = np.empty((len(starts), 2), np.int64)
    drawn = np.empty(n)
    for k in range(len(starts)):
        for i in range(n):
            at = (starts[k, i // block] + i % block) % n
            drawn[i] = fitted[i] + y[at] - fitted[at]
        a, b, _, _, _ = fit(drawn, first)
        found[k, 0], found[k, 1] = a, b
    return found


def shape(n: int, begin: int, end: int, high: float, low: float) -> _Floats:
    """Give the fitted profile.

    Parameters
    ----------
    n
        How many values.
    begin, end, high, low
        As from `fit`.

    Returns
    -------
    array
        Shape (n,).

    Examples
    --------
    >>> shape(5, 1, 3, 1.0, 0.0).tolist()
    [1.0, 1.0, 0.5, 0.0, 0.0]
    """
    g = np.clip((end - np.arange(n)) / (end - begin), 0, 1)
    return np.asarray(low + (high - low) * g)
