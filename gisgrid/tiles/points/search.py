"""Where are the points of a tile? In the order of the Z-curve they are one run; those just past its edge are a few more.

Compiled loops over `u` and `v`, shape (n,), uint32: steps of 2**-32 of the unit square, in the order of the Z-curve.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gisgrid.compiled import compiled

Steps = NDArray[np.uint32]
Ints = NDArray[np.int64]

_LEAF: Final = 64
"""A square of so few points is looked through instead of being divided further."""


@compiled
def signed(step: int) -> int:
    """Make a step a signed number, so that differences may be negative.

    Parameters
    ----------
    step
        An entry of `u` or `v`.

    Returns
    -------
    int
        The same.
    """
    return np.int64(step)  # type: ignore[return-value]


@compiled
def _finer_bit(a: int, b: int) -> bool:
    """Say whether the highest bit of `a` is below that of `b`."""
    return a < b and a < (a ^ b)


@compiled
def before(u: int, v: int, other_u: int, other_v: int) -> bool:
    """Say whether a place comes before another along the Z-curve.

    Parameters
    ----------
    u, v, other_u, other_v
        Steps.

    Returns
    -------
    bool
        False also where both are the same.
    """
    if _finer_bit(v ^ other_v, u ^ other_u):
        return u < other_u
    return v < other_v


@compiled
def first_from(u: Steps, v: Steps, at_u: int, at_v: int, low: int, high: int) -> int:  # noqa: PLR0917 - numba has no keywords
    """Find the first of the rows `low` to `high` that does not come before a place.

    Parameters
    ----------
    u, v
        The points.
    at_u, at_v
        The place.
    low, high
        The first row, and past the last.

    Returns
    -------
    int
        `high` where all come before it.
    """
    while low < high:
        middle = (low + high) >> 1
        if before(signed(u[middle]), signed(v[middle]), at_u, at_v):
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def first_near(u: Steps, v: Steps, at_u: int, at_v: int, near: int) -> int:
    """Find the first of all rows that does not come before a place, leaping in growing steps from a row close by.

    Parameters
    ----------
    u, v
        The points.
    at_u, at_v
        The place.
    near
        A row that is likely not far; 0 to n.

    Returns
    -------
    int
        n where all come before it.
    """
    low, high, leap = near, near, 1
    while low > 0 and not before(signed(u[low - 1]), signed(v[low - 1]), at_u, at_v):
        high = low - 1
        low = max(0, high - leap)
        leap <<= 1
    if low == near:
        while high < len(u) and before(signed(u[high]), signed(v[high]), at_u, at_v):
            low = high + 1
            high = min(len(u), low + leap)
            leap <<= 1
    return first_from(u, v, at_u, at_v, low, high)


@compiled
def first_past(u: Steps, v: Steps, at_u: int, at_v: int, low: int, high: int) -> int:  # noqa: PLR0917 - numba has no keywords
    """Find the first of the rows `low` to `high` that comes after a place, leaping from the first in growing steps.

    Parameters
    ----------
    u, v
        The points.
    at_u, at_v
        The place.
    low, high
        The first row, and past the last.

    Returns
    -------
    int
        `high` where none does.
    """
    leap = 1
    while low + leap < high and not before(
        at_u, at_v, signed(u[low + leap]), signed(v[low + leap])
    ):
        low += leap
        leap <<= 1
    high = min(high, low + leap)
    while low < high:
        middle = (low + high) >> 1
        if before(at_u, at_v, signed(u[middle]), signed(v[middle])):
            high = middle
        else:
            low = middle + 1
    return low


@compiled
def square_run(u: Steps, v: Steps, depth: int, x: int, y: int) -> tuple[int, int]:
    """Find the points of a square of the unit square.

    Parameters
    ----------
    u, v
        The points.
    depth, x, y
        The square: its side is ``2**-depth``, its column from the west, its row from the north.

    Returns
    -------
    tuple of int
        The first row, and past the last.
    """
    bits = 32 - depth
    return _run_near(u, v, depth, x, y, first_from(u, v, x << bits, y << bits, 0, len(u)))


@compiled
def _run_near(u: Steps, v: Steps, depth: int, x: int, y: int, near: int) -> tuple[int, int]:  # noqa: PLR0917 - numba has no keywords
    bits = 32 - depth
    west, north, last = x << bits, y << bits, (1 << bits) - 1
    start = first_near(u, v, west, north, near)
    return start, first_past(u, v, west + last, north + last, start, len(u))


@compiled
def rows_around(  # noqa: PLR0917 - numba has no keywords
    u: Steps, v: Steps, depth: int, x: int, y: int, n_columns: int, n_rows: int
) -> Ints:
    """Find the points just past the edge of a tile, a 64th of its side away at most, each once.

    Parameters
    ----------
    u, v
        The points.
    depth, x, y
        The tile.
    n_columns, n_rows
        How many tiles the zoom has; the first column lies beside the last.

    Returns
    -------
    array
        Shape (m,), rows, neighbour by neighbour, ascending in each.
    """
    side = 1 << (32 - depth)
    margin = side >> 6
    near = first_from(
        u, v, x * side, y * side, 0, len(u)
    )  # neighbours are mostly close along the curve
    found, n = np.empty(64, np.int64), 0
    for dy in range(-1, 2):
        for dx in range(-1, 2):
            tile_x, tile_y = x + dx, y + dy
            if n_columns > 1:
                tile_x = (tile_x + n_columns) % n_columns
            if (dx == 0 and dy == 0) or not (0 <= tile_x < n_columns and 0 <= tile_y < n_rows):
                continue
            start, stop = _run_near(u, v, depth, tile_x, tile_y, near)
            west, north = tile_x * side, tile_y * side
            left = west + side - margin if dx < 0 else west
            right = west + margin - 1 if dx > 0 else west + side - 1
            top = north + side - margin if dy < 0 else north
            bottom = north + margin - 1 if dy > 0 else north + side - 1
            found, n = _rows_in_box(
                u, v, (start, stop, west, north, 32 - depth), (left, top, right, bottom), found, n
            )
    return found[:n]


@compiled
def _rows_in_box(  # noqa: PLR0917 - numba has no keywords
    u: Steps,
    v: Steps,
    square: tuple[int, int, int, int, int],
    box: tuple[int, int, int, int],
    found: Ints,
    n: int,
) -> tuple[Ints, int]:
    """Add the rows of a square (first row, past the last, west, north, side as a power of two) that are in a box."""
    left, top, right, bottom = box
    if n + square[1] - square[0] <= len(found) and square[1] - square[0] <= _LEAF:
        return found, _rows_among(u, v, (square[0], square[1]), box, found, n)
    stack = np.empty((100, 5), np.int64)
    for i in range(5):
        stack[0, i] = square[i]
    height = 1
    while height > 0:
        height -= 1
        start, stop, west, north, bits = stack[height]
        last = (1 << bits) - 1
        apart = west + last < left or west > right or north + last < top or north > bottom
        if start == stop or apart:
            continue
        if n + stop - start > len(found):
            more = np.empty(2 * (n + stop - start), np.int64)
            more[:n] = found[:n]
            found = more
        inside = west >= left and west + last <= right and north >= top and north + last <= bottom
        if inside or stop - start <= _LEAF or bits == 0:
            n = _rows_among(u, v, (start, stop), box, found, n)
            continue
        end, half = stop, bits - 1
        for quarter in range(
            3, -1, -1
        ):  # the last goes on the stack first: rows come out ascending
            q_west, q_north = west + ((quarter & 1) << half), north + ((quarter >> 1) << half)
            begin = start if quarter == 0 else first_from(u, v, q_west, q_north, start, end)
            stack[height, 0], stack[height, 1], stack[height, 2] = begin, end, q_west
            stack[height, 3], stack[height, 4] = q_north, half
            height += 1
            end = begin
    return found, n


@compiled
def _rows_among(  # noqa: PLR0917 - numba has no keywords
    u: Steps, v: Steps, run: tuple[int, int], box: tuple[int, int, int, int], found: Ints, n: int
) -> int:
    """Add those rows of a run that are in a box."""
    left, top, right, bottom = box
    for i in range(run[0], run[1]):
        if left <= u[i] <= right and top <= v[i] <= bottom:
            found[n] = i
            n += 1
    return n


@compiled
def tile_cells(  # noqa: PLR0917 - numba has no keywords
    u: Steps, v: Steps, tile: tuple[int, int, int], world: tuple[int, int], cells: int, ring: int
) -> Ints:
    """Find the cells of a tile that have points.

    Parameters
    ----------
    u, v
        The points.
    tile
        Depth, column, row.
    world
        How many columns and rows of tiles the zoom has.
    cells
        The power of two of how many cells go along the tile's side.
    ring
        How many more rings of cells around the tile.

    Returns
    -------
    array
        Shape (m, 4): column and row of the cell from the tile's corner, the first row of its points, and past the last.
        First those of the tile along the Z-curve, then those around it.
    """
    depth, x, y = tile
    bits, across = 32 - depth - cells, 1 << cells
    found, n = np.empty((256, 4), np.int64), 0
    start, stop = square_run(u, v, depth, x, y)
    while start < stop:
        if n == len(found):
            found = _doubled(found)
        column, row = signed(u[start]) >> bits, signed(v[start]) >> bits
        last = (1 << bits) - 1
        past = first_past(u, v, (column << bits) + last, (row << bits) + last, start, stop)
        found[n, 0], found[n, 1] = column - x * across, row - y * across
        found[n, 2], found[n, 3] = start, past
        n, start = n + 1, past
    if ring == 0:
        return found[:n]
    n_columns, n_rows = world[0] * across, world[1] * across
    while n + 4 * ring * (across + ring) > len(found):
        found = _doubled(found)
    for row in range(-ring, across + ring):
        beside = 0 <= row < across
        for k in range(2 * ring if beside else across + 2 * ring):
            column = k - ring if k < ring or not beside else across + k - ring
            cell_x, cell_y = x * across + column, y * across + row
            if world[0] > 1:
                cell_x = (cell_x + n_columns) % n_columns
            if not (0 <= cell_x < n_columns and 0 <= cell_y < n_rows):
                continue
            start, stop = square_run(u, v, depth + cells, cell_x, cell_y)
            if start < stop:
                found[n, 0], found[n, 1], found[n, 2], found[n, 3] = column, row, start, stop
                n += 1
    return found[:n]


@compiled
def _doubled(found: Ints) -> Ints:
    more = np.empty((2 * len(found), found.shape[1]), np.int64)
    more[: len(found)] = found
    return more


@compiled
def curve_place(u: int, v: int) -> int:
    """Say where on the Z-curve a place is: the bits of `v` and `u` in turn.

    Parameters
    ----------
    u, v
        Not negative, below 2**31.

    Returns
    -------
    int
        Not negative.
    """
    place = 0
    for bit in range(31):
        place |= ((u >> bit) & 1) << (2 * bit) | ((v >> bit) & 1) << (2 * bit + 1)
    return place


@compiled
def curve_keys(u: Steps, v: Steps) -> NDArray[np.uint64]:
    """Say where on the Z-curve points are.

    Parameters
    ----------
    u, v
        The points, in any order.

    Returns
    -------
    array
        Shape (n,). Source: Morton 1966.
    """
    keys = np.empty(len(u), np.uint64)
    for i in range(len(u)):
        high = curve_place(signed(u[i]) >> 16, signed(v[i]) >> 16)
        low = curve_place(signed(u[i]) & 0xFFFF, signed(v[i]) & 0xFFFF)
        keys[i] = np.uint64(high) << np.uint64(32) | np.uint64(low)
    return keys
