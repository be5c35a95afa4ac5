"""The compiled loops of the raster index: mark the cells, fill them, look points up.

How a point is placed. A polygon's edges are listed in every cell they may touch. In a cell without edges of a polygon
the whole cell is in it or out of it. In a cell with edges, it is known on which side the cell's *centre* lies; a point
is on the same side when the path to the centre (first level, then straight up or down) crosses the edges an even number
of times. So a test costs the edges of one cell, however many vertices the polygon has.

Ties are broken by thought, not by luck: every point is taken to lie an infinitesimal step up, and an infinitely smaller
step to the right, of where it is. Thus no path meets a vertex, and the two ends of an edge never both count.
A point that is on an edge is found before, by its exact orientation, and belongs to the polygon.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gisgrid.compiled import compiled
from gisgrid.join.orientation import orientation

_PADDING: Final = 1e-6
"""Share of a cell by which an edge is thickened before its cells are marked: far above rounding, far below a cell."""


class Grid(NamedTuple):
    """The cells over a layer's bounding box. Which cell a point is in grows with its coordinates, without exception."""

    west: float
    south: float
    east: float
    north: float
    n_columns: int
    n_rows: int


class Edges(NamedTuple):
    """The edges of a layer's polygons, those of one polygon in a row, each from its lower to its upper end.

    `ends` has shape (n, 4): x, y of the lower and of the upper end. `polygon` has shape (n,): whose edge it is.
    `first` has shape (polygons + 1,): where each polygon's edges begin.
    """

    ends: NDArray[np.float64]
    polygon: NDArray[np.int32]
    first: NDArray[np.int64]


class Cells(NamedTuple):
    """What is known of each cell.

    `state` has shape (rows * columns,): the lowest polygon that covers the whole cell, -1 where none has anything to do
    with it, or -2 - r where borders may pass and `records[r:]` says more: the number of edges, the lowest polygon that
    covers the whole cell (or -1), and the edges, polygon by polygon: twice the edge's number, plus one at the last edge
    of a polygon that contains the cell's centre.
    """

    state: NDArray[np.int32]
    records: NDArray[np.int32]


@compiled
def _column(grid: Grid, east_of_west: float) -> int:
    column = int(east_of_west * (grid.n_columns / (grid.east - grid.west)))
    return min(column, grid.n_columns - 1)


@compiled
def _row(grid: Grid, north_of_south: float) -> int:
    row = int(north_of_south * (grid.n_rows / (grid.north - grid.south)))
    return min(row, grid.n_rows - 1)


@compiled
def _centre_x(grid: Grid, column: int) -> float:
    return grid.west + (column + 0.5) * ((grid.east - grid.west) / grid.n_columns)


@compiled
def _centre_y(grid: Grid, row: int) -> float:
    return grid.south + (row + 0.5) * ((grid.north - grid.south) / grid.n_rows)


@compiled
def _rows(grid: Grid, ends: NDArray[np.float64], edge: int) -> range:
    """Give the rows that an edge touches."""
    low, high = ends[edge, 1] - grid.south, ends[edge, 3] - grid.south
    return range(_row(grid, low), _row(grid, high) + 1)


@compiled
def _columns(grid: Grid, ends: NDArray[np.float64], edge: int, row: int) -> range:
    """Give the columns that an edge may touch in a row."""
    # All is measured from the grid's corner, where rounding is small against a cell even far from the origin.
    x1, x2 = ends[edge, 0] - grid.west, ends[edge, 2] - grid.west
    y1, rise = ends[edge, 1] - grid.south, ends[edge, 3] - ends[edge, 1]
    width = (grid.east - grid.west) / grid.n_columns
    height = (grid.north - grid.south) / grid.n_rows
    xa, xb = x1, x2
    if rise > 0.0:
        start = min(max(((row - _PADDING) * height - y1) / rise, 0.0), 1.0)
        end = min(max(((row + 1 + _PADDING) * height - y1) / rise, 0.0), 1.0)
        xa, xb = x1 + start * (x2 - x1), x1 + end * (x2 - x1)
    low, high = min(xa, xb) - _PADDING * width, max(xa, xb) + _PADDING * width
    return range(_column(grid, low), _column(grid, high) + 1)


@compiled
def _is_left(x: float, y: float, ends: NDArray[np.float64], edge: int) -> bool:
    """Tell whether the point, a step up and right of x, y, is left of an edge that passes its height."""
    x1, x2 = ends[edge, 0], ends[edge, 2]
    if x < x1 and x < x2:
        return True
    if x > x1 and x > x2:
        return False
    side = orientation(x1, ends[edge, 1], x2, ends[edge, 3], x, y)
    return side > 0.0 or (side == 0.0 and x2 > x1)


@compiled
def _is_above(x: float, y: float, ends: NDArray[np.float64], edge: int) -> bool:
    """Tell whether the point, a step up and right of x, y, is above an edge that passes over or under it."""
    if y >= ends[edge, 3]:
        return True
    if y < ends[edge, 1]:
        return False
    x1, x2 = ends[edge, 0], ends[edge, 2]
    side = orientation(x1, ends[edge, 1], x2, ends[edge, 3], x, y)
    return side >= 0.0 if x1 < x2 else side <= 0.0


@compiled
def _is_on(x: float, y: float, ends: NDArray[np.float64], edge: int) -> bool:
    """Tell whether the point is exactly on the edge or one of its ends."""
    x1, y1, x2, y2 = ends[edge, 0], ends[edge, 1], ends[edge, 2], ends[edge, 3]
    if y < y1 or y > y2 or x < min(x1, x2) or x > max(x1, x2):
        return False
    return orientation(x1, y1, x2, y2, x, y) == 0.0


@compiled
def _path_crosses(
    x: float, y: float, centre: tuple[float, float], ends: NDArray[np.float64], edge: int
) -> bool:
    """Tell whether the path, level to the centre's x and then to its y, crosses the edge an odd number of times."""
    centre_x, centre_y = centre
    crosses = False
    if ends[edge, 1] <= y < ends[edge, 3]:
        crosses = _is_left(x, y, ends, edge) != _is_left(centre_x, y, ends, edge)
    x1, x2 = ends[edge, 0], ends[edge, 2]
    if min(x1, x2) <= centre_x < max(x1, x2):
        above = _is_above(centre_x, y, ends, edge)
        crosses ^= above != _is_above(centre_x, centre_y, ends, edge)
    return crosses


@compiled
def fill_cells(grid: Grid, edges: Edges) -> Cells:
    """Find, for every cell, the polygon that covers it whole and the edges that may touch it.

    Parameters
    ----------
    grid
        The cells; every edge lies in its bounding box.
    edges
        Of the polygons, lowest code first.

    Returns
    -------
    Cells
        Filled.
    """
    cells = _empty_cells(grid, edges.ends)
    for polygon in range(len(edges.first) - 1):
        start = edges.first[polygon]
        ends = edges.ends[start : edges.first[polygon + 1]]
        if len(ends):
            _enter_edges(grid, ends, start, cells)
            _enter_inside(grid, ends, start, polygon, cells)
    return cells


@compiled
def _empty_cells(grid: Grid, ends: NDArray[np.float64]) -> Cells:
    """Make room for what is to be entered: cells without edges have no record."""
    state = np.zeros(grid.n_columns * grid.n_rows, np.int32)
    for edge in range(len(ends)):
        for row in _rows(grid, ends, edge):
            for column in _columns(grid, ends, edge, row):
                state[row * grid.n_columns + column] += 1
    size = 0
    for cell in range(len(state)):
        n_edges = state[cell]
        state[cell] = -2 - size if n_edges else -1
        size += n_edges + 2 if n_edges else 0
    records = np.zeros(size, np.int32)
    for cell in range(len(state)):
        if state[cell] < -1:
            records[-2 - state[cell] + 1] = -1
    return Cells(state, records)


@compiled
def _enter_edges(grid: Grid, ends: NDArray[np.float64], start: int, cells: Cells) -> None:
    state, records = cells
    for edge in range(len(ends)):
        for row in _rows(grid, ends, edge):
            for column in _columns(grid, ends, edge, row):
                record = -2 - state[row * grid.n_columns + column]
                records[record] += 1
                records[record + 1 + records[record]] = 2 * (start + edge)


@compiled
def _enter_inside(
    grid: Grid, ends: NDArray[np.float64], start: int, polygon: int, cells: Cells
) -> None:
    """Enter which cells' centres are inside the polygon: at its last edge there, or for the whole cell."""
    state, records = cells
    west, south, east, north = _box(grid, ends)
    turns = _turns(grid, ends, (west, south, east, north))
    for row in range(south, north + 1):
        inside = False
        for column in range(west, east + 1):
            inside ^= turns[row - south, column - west]
            cell = row * grid.n_columns + column
            if not inside:
                continue
            if state[cell] >= -1:
                state[cell] = polygon if state[cell] == -1 else state[cell]
                continue
            record = -2 - state[cell]
            last = record + 1 + records[record]
            if records[record] and records[last] >= 2 * start:
                records[last] += 1
            elif records[record + 1] == -1:
                records[record + 1] = polygon


@compiled
def _box(grid: Grid, ends: NDArray[np.float64]) -> tuple[int, int, int, int]:
    """Give the outermost columns and rows of a polygon: west, south, east, north."""
    west, south, east, north = grid.n_columns, grid.n_rows, 0, 0
    for edge in range(len(ends)):
        for x in (ends[edge, 0] - grid.west, ends[edge, 2] - grid.west):
            west, east = min(west, _column(grid, x)), max(east, _column(grid, x))
        for y in (ends[edge, 1] - grid.south, ends[edge, 3] - grid.south):
            south, north = min(south, _row(grid, y)), max(north, _row(grid, y))
    return west, south, east, north


@compiled
def _turns(
    grid: Grid, ends: NDArray[np.float64], box: tuple[int, int, int, int]
) -> NDArray[np.bool_]:
    """Mark, row by row, the columns from whose centre on the other side of an edge begins."""
    west, south, east, north = box
    turns = np.zeros((north - south + 1, east - west + 2), np.bool_)
    for edge in range(len(ends)):
        x1, y1, x2, y2 = ends[edge, 0], ends[edge, 1], ends[edge, 2], ends[edge, 3]
        for row in _rows(grid, ends, edge):
            y = _centre_y(grid, row)
            if y1 <= y < y2:
                column = _column(grid, x1 - grid.west + (y - y1) / (y2 - y1) * (x2 - x1))
                while column > west and not _is_left(_centre_x(grid, column - 1), y, ends, edge):
                    column -= 1
                while column <= east and _is_left(_centre_x(grid, column), y, ends, edge):
                    column += 1
                turns[row - south, column - west] ^= True
    return turns


@compiled
def lowest_covering(
    grid: Grid, edges: Edges, cells: Cells, xy: NDArray[np.float64], scale: float
) -> NDArray[np.int32]:
    """Find, for every point, the first polygon that covers it, border included.

    Parameters
    ----------
    grid, edges, cells
        The index of the layer.
    xy
        Shape (n, 2). NaN is in no polygon.
    scale
        What the coordinates are multiplied by before they are compared with the index.

    Returns
    -------
    ndarray
        Shape (n,), the polygon's number or -1.
    """
    found = np.full(len(xy), -1, np.int32)
    for i in range(len(xy)):
        x, y = xy[i, 0] * scale, xy[i, 1] * scale
        if grid.west <= x <= grid.east and grid.south <= y <= grid.north:
            row, column = _row(grid, y - grid.south), _column(grid, x - grid.west)
            state = cells.state[row * grid.n_columns + column]
            if state < -1:
                centre = _centre_x(grid, column), _centre_y(grid, row)
                state = _lowest_at(x, y, centre, edges, cells.records[-2 - state :])
            found[i] = state
    return found


@compiled
def _lowest_at(
    x: float, y: float, centre: tuple[float, float], edges: Edges, record: NDArray[np.int32]
) -> int:
    """Find the first polygon that covers a point of a cell with borders."""
    entry, end = 2, 2 + record[0]
    whole: int = record[1]
    while entry < end:
        polygon: int = edges.polygon[record[entry] >> 1]
        if 0 <= whole < polygon:
            break
        inside = False
        while entry < end and edges.polygon[record[entry] >> 1] == polygon:
            edge = record[entry] >> 1
            if _is_on(x, y, edges.ends, edge):
                return polygon
            inside ^= _path_crosses(x, y, centre, edges.ends, edge) ^ (record[entry] & 1 == 1)
            entry += 1
        if inside:
            return polygon
    return whole
