"""Which cells of a raster hang together? Runs of cells, joined row by row: memory goes with the patches, not the map.

A run is a stretch of cells of one row. Two runs of neighbouring rows belong together where they share an edge (4
neighbours) or at least a corner (8); what is joined in the end is a patch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gisgrid.compiled import compiled

_Codes = NDArray[np.uint8]
_Numbers = NDArray[np.int32]


@dataclass(frozen=True)
class Patches:
    """The patches of a raster.

    Attributes
    ----------
    row, start, stop
        Shape (m,), the runs in the order of the rows; a run's cells are ``start`` to ``stop - 1``.
    patch
        Shape (m,), the patch of each run, numbered in the order of their first cells.
    n
        How many patches there are.
    """

    row: NDArray[np.int32]
    start: NDArray[np.int32]
    stop: NDArray[np.int32]
    patch: NDArray[np.int32]
    n: int

    @classmethod
    def of(
        cls, codes: _Codes, bits: int, *, without: int = 0, contiguity: Literal[4, 8]
    ) -> Patches:
        """Find the patches of the cells that have any of some bits.

        Parameters
        ----------
        codes
            Shape (height, width), a bit for each property of a cell.
        bits
            What a cell of a patch must have one of.
        without
            What it must not have any of.
        contiguity
            Whether cells hang together by 4 or by 8 neighbours.

        Returns
        -------
        Patches
            All of them.
        """
        row, start, stop = _runs(codes, bits, without)
        patch, n = _joined(row, start, stop, 1 if contiguity == 8 else 0)
        return cls(row, start, stop, patch, int(n))

    def rows(self, first: int, last: int) -> slice:
        """Say which runs lie in some rows.

        Parameters
        ----------
        first, last
            Rows ``first`` to ``last - 1``.

        Returns
        -------
        slice
            Of the runs.
        """
        return slice(*map(int, np.searchsorted(self.row, [first, last])))

    def add_up(self, values: NDArray[np.float64], first: int, sums: NDArray[np.float64]) -> None:
        """Add the values of a block of rows to the sums of the patches.

        Parameters
        ----------
        values
            Shape (n rows, width).
        first
            The first row of the block.
        sums
            Shape (n patches,), added to.
        """
        there = self.rows(first, first + len(values))
        _add_up(
            values,
            first,
            (self.row[there], self.start[there], self.stop[there]),
            self.patch[there],
            sums,
        )

    def kept(self, keep: NDArray[np.bool_]) -> Patches:
        """Leave out patches.

        Parameters
        ----------
        keep
            Shape (n patches,).

        Returns
        -------
        Patches
            The others, numbered anew in the same order.
        """
        runs = keep[self.patch]
        number = np.cumsum(keep, dtype=np.int32) - 1
        return Patches(
            self.row[runs], self.start[runs], self.stop[runs], number[self.patch[runs]].astype(np.int32), int(keep.sum())
        )  # fmt: skip

    def paint(self, values: NDArray[np.uint8], value: int) -> None:
        """Write a value into all cells of the patches.

        Parameters
        ----------
        values
            Shape (height, width), written to.
        value
            The value.
        """
        _paint(values, self.row, self.start, self.stop, value)

    def near(self, values: _Codes, least: int, *, distance: int) -> NDArray[np.bool_]:
        """Say which patches have a cell near cells of some value or more.

        Parameters
        ----------
        values
            Shape (height, width).
        least
            The value.
        distance
            How many cells away it may be, diagonals counted as one; 0: the cell itself.

        Returns
        -------
        array
            Shape (n patches,).
        """
        found = np.zeros(self.n, np.bool_)
        _near(values, (least, distance), (self.row, self.start, self.stop), self.patch, found)
        return found


@compiled
def _runs(codes: _Codes, bits: int, without: int) -> tuple[_Numbers, _Numbers, _Numbers]:
    height, width = codes.shape
    n = 0
    for r in range(height):
        inside = False
        for c in range(width):
            here = codes[r, c] & bits != 0 and codes[r, c] & without == 0
            if here and not inside:
                n += 1
            inside = here
    row, start, stop = np.empty(n, np.int32), np.empty(n, np.int32), np.empty(n, np.int32)
    n = 0
    for r in range(height):
        inside = False
        for c in range(width):
            here = codes[r, c] & bits != 0 and codes[r, c] & without == 0
            if here and not inside:
                row[n], start[n] = r, c
            if inside and not here:
                stop[n] = c
                n += 1
            inside = here
        if inside:
            stop[n] = width
            n += 1
    return row, start, stop


@compiled
def _root(parent: _Numbers, i: int) -> int:
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@compiled
def _unite(parent: _Numbers, i: int, j: int) -> None:
    a, b = _root(parent, i), _root(parent, j)
    if a < b:
        parent[b] = a
    elif b < a:
        parent[a] = b


@compiled
def _joined(row: _Numbers, start: _Numbers, stop: _Numbers, corner: int) -> tuple[_Numbers, int]:
    """Join the runs of neighbouring rows; the smallest run of a patch is its root."""
    m = len(row)
    parent = np.arange(m).astype(np.int32)
    above, above_end = 0, 0  # the runs of the row before
    at = 0
    while at < m:
        end = at
        while end < m and row[end] == row[at]:
            end += 1
        if above_end > above and row[above] == row[at] - 1:
            i, j = above, at
            while i < above_end and j < end:
                if start[i] < stop[j] + corner and start[j] < stop[i] + corner:
                    _unite(parent, i, j)
                if stop[i] < stop[j]:
                    i += 1
                else:
                    j += 1
        above, above_end, at = at, end, end
    patch = np.empty(m, np.int32)
    n = 0
    for i in range(m):
        if parent[i] == i:
            patch[i] = n
            n += 1
        else:
            patch[i] = patch[_root(parent, i)]
    return patch, n


@compiled
def _add_up(
    values: NDArray[np.float64],
    first: int,
    runs: tuple[_Numbers, ...],
    patch: _Numbers,
    sums: NDArray[np.float64],
) -> None:
    row, start, stop = runs
    for i in range(len(row)):
        total = 0.0
        for c in range(start[i], stop[i]):
            total += values[row[i] - first, c]
        sums[patch[i]] += total


@compiled
def _paint(values: _Codes, row: _Numbers, start: _Numbers, stop: _Numbers, value: int) -> None:
    for i in range(len(row)):
        values[row[i], start[i] : stop[i]] = value


@compiled
def _near(
    values: _Codes,
    wanted: tuple[int, int],
    runs: tuple[_Numbers, ...],
    patch: _Numbers,
    found: NDArray[np.bool_],
) -> None:
    least, distance = wanted
    row, start, stop = runs
    height, width = values.shape
    for i in range(len(row)):
        if found[patch[i]]:
            continue
        left, right = max(0, start[i] - distance), min(width, stop[i] + distance)
        for r in range(max(0, row[i] - distance), min(height, row[i] + distance + 1)):
            for c in range(left, right):
                if values[r, c] >= least:
                    found[patch[i]] = True
                    break
            if found[patch[i]]:
                break
