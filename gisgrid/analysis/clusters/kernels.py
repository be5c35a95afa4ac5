"""The loops of density clustering over points sorted into square cells.

A cell's diagonal is a hair under the radius, so all points of a cell are within the radius of each other: a cell with
enough of them needs no test at all, and its core points belong together. Whoever is within the radius lies in the five
rows of five cells around; five cells of one row are one run of the sorted points.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gisgrid.compiled import compiled

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

REACH: Final = 2
"""How many cells away a point within the radius may be."""

_DIGIT_BITS: Final = 11  # sorted at a time
_DIGIT: Final = 1 << _DIGIT_BITS
_BLOCK: Final = 64  # points that are measured before asking whether that was enough


class Cells(NamedTuple):
    """Points sorted into cells, row by row from the south, and within a row from the west.

    Attributes
    ----------
    x, y
        Shape (n,), the points in the order of their cells.
    first
        Shape (m + 1,), where each occupied cell begins among the points.
    run_first, run_last
        Shape (m, 5), from which occupied cell to which (excluded) each of the five rows around a cell goes.
    """

    x: Floats
    y: Floats
    first: Ints
    run_first: Ints
    run_last: Ints


@compiled
def cell_keys(xy: Floats, west: float, south: float, side: float, columns: int) -> Ints:
    """Give the number of each point's cell, row by row from the south."""
    keys = np.empty(len(xy), np.int64)
    for i in range(len(xy)):
        column = int((xy[i, 0] - west) / side)
        keys[i] = int((xy[i, 1] - south) / side) * columns + column
    return keys


@compiled
def order_of_keys(keys: Ints) -> Ints:
    """Sort by keys of 0 and above, equal ones in the order they stand in: radix sort."""
    n = len(keys)
    order, spare = np.arange(n), np.empty(n, np.int64)
    most = keys.max() if n else 0
    shift = 0
    while most >> shift:
        counts = np.zeros(_DIGIT + 1, np.int64)
        for i in range(n):
            counts[((keys[i] >> shift) & (_DIGIT - 1)) + 1] += 1
        for digit in range(_DIGIT):
            counts[digit + 1] += counts[digit]
        for place in range(n):
            i = order[place]
            digit = (keys[i] >> shift) & (_DIGIT - 1)
            spare[counts[digit]] = i
            counts[digit] += 1
        order, spare = spare, order
        shift += _DIGIT_BITS
    return order


@compiled
def in_order(xy: Floats, keys: Ints, order: Ints) -> tuple[Floats, Floats, Ints, Ints]:
    """Give x, y of the points cell by cell, the occupied cells' keys, and where each begins."""
    n = len(order)
    x, y = np.empty(n), np.empty(n)
    occupied, first = np.empty(n, np.int64), np.empty(n + 1, np.int64)
    m = 0
    for place in range(n):
        i = order[place]
        x[place], y[place] = xy[i, 0], xy[i, 1]
        if m == 0 or keys[i] != occupied[m - 1]:
            occupied[m], first[m] = keys[i], place
            m += 1
    first[m] = n
    return x, y, occupied[:m].copy(), first[: m + 1].copy()


@compiled
def runs_around(key: Ints, columns: int) -> tuple[Ints, Ints]:
    """Find the five runs of occupied cells around each, `key` being row · columns + column, ascending."""
    m = len(key)
    wide = 2 * REACH + 1
    first = np.empty((m, wide), np.int64)
    last = np.empty((m, wide), np.int64)
    for row in range(wide):
        low, high = 0, 0
        shift = (row - REACH) * columns
        for i in range(m):
            while low < m and key[low] < key[i] + shift - REACH:
                low += 1
            while high < m and key[high] <= key[i] + shift + REACH:
                high += 1
            first[i, row] = low
            last[i, row] = high
    return first, last


@compiled
def count_near(  # noqa: PLR0917 - a loop over flat arrays
    cells: Cells, radius: float, enough: int, begin: int, end: int, count: Ints
) -> None:
    """Count, for the points of the cells from `begin` to `end`, who is within the radius; up to `enough` or above."""
    square = radius * radius
    for cell in range(begin, end):
        here = cells.first[cell + 1] - cells.first[cell]
        for i in range(cells.first[cell], cells.first[cell + 1]):
            near = here
            x, y = cells.x[i], cells.y[i]
            for row in range(2 * REACH + 1):
                a = cells.first[cells.run_first[cell, row]]
                b = cells.first[cells.run_last[cell, row]]
                own = row == REACH
                while a < b and near < enough:
                    stop = min(a + _BLOCK, b)
                    within = 0
                    for j in range(a, stop):
                        dx, dy = cells.x[j] - x, cells.y[j] - y
                        within += 1 if dx * dx + dy * dy <= square else 0
                    near += within
                    if own:  # those of the point's own cell are counted already
                        near -= max(0, min(stop, cells.first[cell + 1]) - max(a, cells.first[cell]))
                    a = stop
            count[i] = near


@compiled
def _root(parent: Ints, i: int) -> int:
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@compiled
def _meet(core: Cells, a: int, b: int, square: float) -> bool:
    """Tell whether a core point of one cell is within the radius of one of another."""
    west, east, south, north = np.inf, -np.inf, np.inf, -np.inf
    for j in range(core.first[b], core.first[b + 1]):
        west, east = min(west, core.x[j]), max(east, core.x[j])
        south, north = min(south, core.y[j]), max(north, core.y[j])
    for i in range(core.first[a], core.first[a + 1]):
        x, y = core.x[i], core.y[i]
        ex, ey = max(0.0, west - x, x - east), max(0.0, south - y, y - north)
        if ex * ex + ey * ey > square:
            continue
        for j in range(core.first[b], core.first[b + 1]):
            dx, dy = core.x[j] - x, core.y[j] - y
            if dx * dx + dy * dy <= square:
                return True
    return False


@compiled
def joined_cells(core: Cells, radius: float) -> Ints:
    """Give each cell of core points the lowest cell that it hangs together with; cells without any stay alone."""
    m = len(core.first) - 1
    square = radius * radius
    parent = np.arange(m)
    for cell in range(m):
        if core.first[cell] == core.first[cell + 1]:
            continue
        for row in range(
            REACH + 1
        ):  # each pair once: the rows below, and what is west in the own row
            for other in range(core.run_first[cell, row], core.run_last[cell, row]):
                if other >= cell or core.first[other] == core.first[other + 1]:
                    continue
                a, b = _root(parent, cell), _root(parent, other)
                if a != b and _meet(core, cell, other, square):
                    parent[max(a, b)] = min(a, b)
    for cell in range(m):
        parent[cell] = _root(parent, cell)
    return parent


@compiled
def southmost(core: Cells, joined: Ints) -> tuple[Floats, Floats]:
    """Give y and x of the southernmost (then westernmost) core point of each cell's group, at the group's first cell."""
    m = len(joined)
    north, east = np.full(m, np.inf), np.full(m, np.inf)
    for cell in range(m):
        group = joined[cell]
        for i in range(core.first[cell], core.first[cell + 1]):
            x, y = core.x[i], core.y[i]
            if y < north[group] or (y == north[group] and x < east[group]):
                north[group], east[group] = y, x
    return north, east


@compiled
def nearest_core(  # noqa: PLR0917 - a loop over flat arrays
    cells: Cells, core: Cells, label: Ints, radius: float, begin: int, end: int, found: Ints
) -> None:
    """Give each point that has no label that of its nearest core point within the radius, the lowest where several are.

    `label` has shape (m,), that of the core points of each cell. `found` has shape (n,); -1 where there is none yet.
    """
    square = radius * radius
    for cell in range(begin, end):
        for i in range(cells.first[cell], cells.first[cell + 1]):
            if found[i] >= 0:
                continue
            best, least = -1, square
            x, y = cells.x[i], cells.y[i]
            for row in range(2 * REACH + 1):
                for other in range(cells.run_first[cell, row], cells.run_last[cell, row]):
                    for j in range(core.first[other], core.first[other + 1]):
                        dx, dy = core.x[j] - x, core.y[j] - y
                        apart = dx * dx + dy * dy
                        if apart < least or (apart == least and (best < 0 or label[other] < best)):
                            best, least = label[other], apart
            found[i] = best
