"""Features found by their keys."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def key_row(stored: NDArray[Any], by_key: NDArray[np.uint32], sought: float) -> int | None:
    """Find the row that holds a key.

    Parameters
    ----------
    stored
        Shape (n,), what the key's column holds.
    by_key
        Shape (n,), the rows in the order of that.
    sought
        What the row shall hold.

    Returns
    -------
    int or None
        The first such row; None where there is none.
    """
    low, high = 0, len(by_key)
    while low < high:
        middle = (low + high) // 2
        if stored[by_key[middle]] < sought:
            low = middle + 1
        else:
            high = middle
    if low < len(by_key) and stored[by_key[low]] == sought:
        return int(by_key[low])
    return None


def whole_number(name: str | float) -> int | None:
    """Read a whole number as an address spells it.

    Parameters
    ----------
    name
        The number, or text.

    Returns
    -------
    int or None
        None where it is none.

    Examples
    --------
    >>> whole_number("-12"), whole_number("1.5"), whole_number("１")
    (-12, None, None)
    """
    text = str(name)
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 20):
        return None
    return int(text)
