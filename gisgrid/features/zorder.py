"""Points in the order of the Z-curve: whatever tile of whatever zoom they are in, they are one run of rows."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gisgrid.compiled import compiled

_DIGIT: Final = 11
"""Bits sorted by in one pass; 2048 counters stay in the processor's nearest cache."""


class Order(NamedTuple):
    """Where points go on the Z-curve of Web Mercator.

    `rows` has shape (n,): the rows in their new order, those without a place on the square last, in the order they had.
    `u`, `v` have shape (n placed,): steps of 2**-32 of the world square from its west and north edge, in the new order.
    """

    rows: NDArray[np.int64]
    u: NDArray[np.uint32]
    v: NDArray[np.uint32]


def z_order(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> Order:
    """Put points into the order of the Z-curve.

    Parameters
    ----------
    lon, lat
        Shape (n,), degrees (OGC:CRS84), NaN where a row has no place.

    Returns
    -------
    Order
        Points at the same step keep their order. Points past 180° or past the edge of Web Mercator (85.05°) have no
        place on the square.

    Notes
    -----
    Source: Morton 1966. Cost: a radix sort, about 0.1 µs a point.

    Examples
    --------
    >>> order = z_order(np.array([100.0, np.nan, -100.0, 0.0]), np.array([50.0, 0.0, 50.0, 89.0]))
    >>> order.rows.tolist(), order.u.tolist()
    ([2, 0, 1, 3], [954437176, 3340530119])
    """
    u, v, placed = _steps(lon, lat)
    on, off = np.flatnonzero(placed), np.flatnonzero(~placed)
    codes = _interleaved(u[on], v[on])
    order = on[_radix_order(codes)]
    return Order(np.concatenate([order, off]), u[order], v[order])


def in_order(u: NDArray[np.uint32], v: NDArray[np.uint32]) -> bool:
    """Say whether points stand in the order of the Z-curve.

    Parameters
    ----------
    u, v
        Shape (n,), steps on the world square.

    Returns
    -------
    bool
        Whether none comes before one that it should follow.
    """
    codes = _interleaved(u, v)
    return bool(np.all(codes[1:] >= codes[:-1]))


def box_rows(
    u: NDArray[np.uint32], v: NDArray[np.uint32], box: tuple[int, int, int, int]
) -> NDArray[np.int64]:
    """Find the points in a box by walking down the Z-curve's squares.

    Parameters
    ----------
    u, v
        Shape (n,), steps on the world square, in the order of the Z-curve.
    box
        The first and last step of the box: left, top, right, bottom, all included.

    Returns
    -------
    array
        Shape (m, 3): runs of rows, first and past the last, and whether (1) all of the run is in the box, or (0) only
        some of it may be. Ascending.

    Notes
    -----
    Cost: some hundred binary searches, whatever n is. A square is no further divided where it holds under 1024 rows.
    """
    runs = np.empty((4096, 3), np.int64)
    n = _box_runs(u, v, np.array(box, np.int64), runs)
    return runs[:n].copy()


def square_rows(
    u: NDArray[np.uint32], v: NDArray[np.uint32], squares: NDArray[np.int64], level: int
) -> NDArray[np.int64]:
    """Find the rows of squares of the Z-curve.

    Parameters
    ----------
    u, v
        Shape (n,), steps on the world square, in the order of the Z-curve.
    squares
        Shape (k, 2), the first step of each square from the west and from the north.
    level
        Their side is 2**level steps.

    Returns
    -------
    array
        Shape (k, 2), first row and past the last.
    """
    return _square_rows(u, v, squares, level)


@compiled
def _square_rows(
    u: NDArray[np.uint32], v: NDArray[np.uint32], squares: NDArray[np.int64], level: int
) -> NDArray[np.int64]:
    found = np.empty((len(squares), 2), np.int64)
    for i in range(len(squares)):
        code = _spread(squares[i, 0]) | (_spread(squares[i, 1]) << np.uint64(1))
        found[i, 0] = _first_at(u, v, code, 0, len(u))
        past = code + (np.uint64(1) << np.uint64(2 * level)) if level < 32 else np.uint64(0)
        found[i, 1] = len(u) if past == 0 else _first_at(u, v, past, found[i, 0], len(u))
    return found


@compiled
def _steps(
    lon: NDArray[np.float64], lat: NDArray[np.float64]
) -> tuple[NDArray[np.uint32], NDArray[np.uint32], NDArray[np.bool_]]:
    n = len(lon)
    u = np.zeros(n, np.uint32)
    v = np.zeros(n, np.uint32)
    placed = np.zeros(n, np.bool_)
    for i in range(n):
        if not (abs(lon[i]) <= 180.0 and abs(lat[i]) <= 85.05112877980659):
            continue
        placed[i] = True
        y = 0.5 - np.arctanh(np.sin(np.radians(lat[i]))) / (2 * np.pi)
        u[i] = np.uint32(min(max((lon[i] / 360 + 0.5) * 4294967296.0, 0.0), 4294967295.0))
        v[i] = np.uint32(min(max(y * 4294967296.0, 0.0), 4294967295.0))
    return u, v, placed


@compiled
def _spread(step: Any) -> Any:  # noqa: ANN401 - a loop's number has no Python type
    bits = np.uint64(step)
    bits = (bits | (bits << np.uint64(16))) & np.uint64(0x0000FFFF0000FFFF)
    bits = (bits | (bits << np.uint64(8))) & np.uint64(0x00FF00FF00FF00FF)
    bits = (bits | (bits << np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    bits = (bits | (bits << np.uint64(2))) & np.uint64(0x3333333333333333)
    return (bits | (bits << np.uint64(1))) & np.uint64(0x5555555555555555)


@compiled
def _interleaved(u: NDArray[np.uint32], v: NDArray[np.uint32]) -> NDArray[np.uint64]:
    codes = np.empty(len(u), np.uint64)
    for i in range(len(u)):
        codes[i] = _spread(u[i]) | (_spread(v[i]) << np.uint64(1))
    return codes


@compiled
def _radix_order(codes: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Sort by eleven bits at a time from the lowest, keeping what is equal in order; skip what is the same in all."""
    n = len(codes)
    order = np.arange(n)
    spare = np.empty(n, np.int64)
    first = np.empty((1 << _DIGIT) + 1, np.int64)
    for low in range(0, 64, _DIGIT):
        shift, mask = np.uint64(low), np.uint64((1 << _DIGIT) - 1)
        first[:] = 0
        for i in range(n):
            first[np.int64((codes[i] >> shift) & mask) + 1] += 1
        if n == 0 or first.max() == n:
            continue
        for before in range(1 << _DIGIT):
            first[before + 1] += first[before]
        for i in range(n):
            row = order[i]
            digit = np.int64((codes[row] >> shift) & mask)
            spare[first[digit]] = row
            first[digit] += 1
        order, spare = spare, order
    return order


@compiled
def _first_at(u: NDArray[np.uint32], v: NDArray[np.uint32], code: Any, low: int, high: int) -> int:  # noqa: ANN401 - a loop's number has no Python type
    """Find the first row from `low` to `high` whose place on the curve is not before `code`."""
    while low < high:
        middle = (low + high) // 2
        here = _spread(u[middle]) | (_spread(v[middle]) << np.uint64(1))
        if here < np.uint64(code):
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def _box_runs(
    u: NDArray[np.uint32], v: NDArray[np.uint32], box: NDArray[np.int64], runs: NDArray[np.int64]
) -> int:
    left, top, right, bottom = box[0], box[1], box[2], box[3]
    # Squares still to be looked at: west, north, side as a power of two, first row, past the last row.
    stack = np.empty((130, 5), np.int64)
    stack[0, 0], stack[0, 1], stack[0, 2], stack[0, 3], stack[0, 4] = 0, 0, 32, 0, len(u)
    depth, n = 1, 0
    while depth > 0:
        depth -= 1
        x, y, level, start, stop = stack[depth]
        last_x, last_y = x + (1 << level) - 1, y + (1 << level) - 1
        if start == stop or last_x < left or x > right or last_y < top or y > bottom:
            continue
        whole = x >= left and last_x <= right and y >= top and last_y <= bottom
        if whole or stop - start <= 1024 or n + depth + 5 > len(runs):
            if n > 0 and runs[n - 1, 1] == start and runs[n - 1, 2] == whole:
                runs[n - 1, 1] = stop
            else:
                runs[n, 0], runs[n, 1], runs[n, 2] = start, stop, whole
                n += 1
            continue
        half = level - 1
        end = stop
        for quarter in range(
            3, -1, -1
        ):  # the last goes on the stack first, so that runs come out ascending
            qx, qy = x + ((quarter & 1) << half), y + ((quarter >> 1) << half)
            code = _spread(qx) | (_spread(qy) << np.uint64(1))
            begin = start if quarter == 0 else _first_at(u, v, code, start, end)
            stack[depth, 0], stack[depth, 1], stack[depth, 2] = qx, qy, half
            stack[depth, 3], stack[depth, 4] = begin, end
            depth += 1
            end = begin
    return n


def steps_lonlat(
    u: NDArray[np.int64], v: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the longitude and latitude where steps begin.

    Parameters
    ----------
    u, v
        Shape (n,), steps of 2**-32 from the west and from the north.

    Returns
    -------
    tuple of array
        Shape (n,) each, degrees.

    Examples
    --------
    >>> steps_lonlat(np.array([2**31]), np.array([2**31]))
    (array([0.]), array([0.]))
    """
    lon = u / 2.0**32 * 360 - 180
    return lon, np.degrees(np.arctan(np.sinh(np.pi * (1 - v / 2.0**31))))


def world_steps(
    lon: NDArray[np.float64], lat: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Place longitudes and latitudes on Web Mercator's square, holding at its edge what lies past it.

    Parameters
    ----------
    lon, lat
        Shape (n,), degrees, finite.

    Returns
    -------
    tuple of array
        Shape (n,) each, steps of 2**-32 from the west and from the north.

    Examples
    --------
    >>> u, v = world_steps(np.array([0.0, 200.0]), np.array([0.0, -90.0]))
    >>> u.tolist() == v.tolist() == [2**31, 2**32 - 1]
    True
    """
    held = np.clip(lat, -85.05112877980659, 85.05112877980659)
    u, v, _ = _steps(np.clip(lon, -180.0, 180.0), held)
    return u.astype(np.int64), v.astype(np.int64)
