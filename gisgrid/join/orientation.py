"""On which side of a line is a point? Answered without rounding error.

A float64 determinant decides where its error bound allows; the rest is summed exactly as an expansion of
non-overlapping floats. Source: Shewchuk 1997, Adaptive Precision Floating-Point Arithmetic and Fast Robust Geometric
Predicates. Exact while no product of two coordinates over- or underflows.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gisgrid.compiled import compiled

_HALF_ULP: Final = 2.0**-53
_FILTER: Final = (3.0 + 16.0 * _HALF_ULP) * _HALF_ULP
_SPLITTER: Final = 2.0**27 + 1.0


@compiled
def orientation(  # noqa: PLR0917 - three points are six numbers
    ax: float, ay: float, bx: float, by: float, px: float, py: float
) -> float:
    """Tell on which side of the line from a to b the point p lies.

    Parameters
    ----------
    ax, ay, bx, by
        Two points of the line.
    px, py
        The point.

    Returns
    -------
    float
        Positive where p is left of the line, negative where it is right, zero exactly where it is on the line.

    Notes
    -----
    CRS: any, planar. Checked against: exact rational arithmetic.

    Examples
    --------
    >>> orientation(0.0, 0.0, 1.0, 1.0, 0.0, 1.0) > 0
    True
    >>> orientation(0.1, 0.1, 0.3, 0.3, 0.2, 0.2)
    0.0
    """
    left = (ax - px) * (by - py)
    right = (ay - py) * (bx - px)
    determinant = left - right
    if abs(determinant) > _FILTER * (abs(left) + abs(right)):
        return determinant
    return _exact_orientation(ax, ay, bx, by, px, py)


@compiled
def _exact_orientation(  # noqa: PLR0917 - three points are six numbers
    ax: float, ay: float, bx: float, by: float, px: float, py: float
) -> float:
    factors = ((ax, by), (-ay, bx), (bx, py), (-by, px), (px, ay), (-py, ax))
    expansion = np.zeros(12)
    for i in range(6):
        a, b = factors[i]
        product = a * b
        a_high, a_low = _split(a)
        b_high, b_low = _split(b)
        error = a_low * b_low - (product - a_high * b_high - a_low * b_high - a_high * b_low)
        _add(expansion, 2 * i, error)
        _add(expansion, 2 * i + 1, product)
    # The last component that is not zero is larger than all the others together.
    sign = 0.0
    for i in range(12):
        if expansion[i] != 0.0:
            sign = expansion[i]
    return sign


@compiled
def _split(a: float) -> tuple[float, float]:
    """Cut a float in two halves of 26 bits, whose products are exact."""
    shifted = _SPLITTER * a
    high = shifted - (shifted - a)
    return high, a - high


@compiled
def _add(expansion: NDArray[np.float64], n: int, term: float) -> None:
    """Add a float to the first n components of the expansion without losing a bit."""
    for i in range(n):
        total = term + expansion[i]
        virtual = total - term
        expansion[i] = (term - (total - virtual)) + (expansion[i] - virtual)
        term = total
    expansion[n] = term
