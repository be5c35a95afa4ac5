"""A layer's lines or rings as flat arrays on a grid of whole units: what every other module here reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gisgrid.tiles.mvt.writer import LINE, POLYGON

Ints = NDArray[np.int64]
Steps = NDArray[np.int32]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


class Paths(NamedTuple):
    """Entries of lines, of rings or of points; a tuple, because compiled loops take those.

    Attributes
    ----------
    x, y
        Shape (n points,), grid steps from the layer's corner, y to the south. Rings do not repeat their first point;
        shells go clockwise (positive in the surveyor's formula), holes the other way.
    start
        Shape (n paths + 1,), where each line or ring begins among the points.
    is_shell
        Shape (n paths,), whether a path begins a new part: a shell, or a line.
    entry
        Shape (n entries + 1,), where each entry begins among the paths.
    """

    x: Steps
    y: Steps
    start: Ints
    is_shell: Bools
    entry: Ints


class RawPaths(NamedTuple):
    """Geometry on the unit square, not yet on a grid.

    Attributes
    ----------
    u, v
        Shape (n points,), see `gisgrid.tiles.scheme`.
    start, is_shell, entry
        As in `Paths`.
    row
        Shape (n entries,), the row of the table, ascending.
    """

    u: Floats
    v: Floats
    start: Ints
    is_shell: Bools
    entry: Ints
    row: Ints


def joined_paths(chunks: Sequence[Paths]) -> Paths:
    """Put the entries of several one after the other.

    Parameters
    ----------
    chunks
        At least one.

    Returns
    -------
    Paths
        The entries of the first, then those of the next.
    """

    def starts(name: str) -> Ints:
        sizes = np.concatenate([np.diff(getattr(chunk, name)) for chunk in chunks])
        return np.append(0, np.cumsum(sizes)).astype(np.int64)

    return Paths(
        np.concatenate([chunk.x for chunk in chunks]),
        np.concatenate([chunk.y for chunk in chunks]),
        starts("start"),
        np.concatenate([chunk.is_shell for chunk in chunks]),
        starts("entry"),
    )


def boxes_of(paths: Paths) -> Steps:
    """Give the box of each entry.

    Parameters
    ----------
    paths
        Every entry has a point.

    Returns
    -------
    array
        Shape (n entries, 4), int32: west, north, east, south in grid steps.
    """
    if len(paths.entry) == 1:
        return np.zeros((0, 4), np.int32)
    first = paths.start[paths.entry[:-1]]
    sides = (
        (np.minimum, paths.x), (np.minimum, paths.y), (np.maximum, paths.x), (np.maximum, paths.y),
    )  # fmt: skip
    return np.column_stack([extreme.reduceat(axis, first) for extreme, axis in sides])


def sizes_of(paths: Paths, kind: int, side: float) -> NDArray[np.float32]:
    """Say how large each entry is: what is large stays in a tile that cannot hold all.

    Parameters
    ----------
    paths
        Every entry has a point.
    kind
        `POINT`, `LINE` or `POLYGON`.
    side
        Grid steps along the side of the unit square.

    Returns
    -------
    array
        Shape (n entries,), on the unit square: the length of a line, the root of a polygon's area, 0 for points.
    """
    if len(paths.entry) == 1:
        return np.zeros(0, np.float32)
    x, y = paths.x.astype(np.float64), paths.y.astype(np.float64)
    following = np.arange(1, len(x) + 1)
    following[paths.start[1:] - 1] = paths.start[:-1] if kind == POLYGON else paths.start[1:] - 1
    if kind == POLYGON:
        measure = (x * y[following] - x[following] * y) / 2
    elif kind == LINE:
        measure = np.hypot(x[following] - x, y[following] - y)
    else:
        measure = np.zeros(len(x))
    size = np.add.reduceat(measure, paths.start[paths.entry[:-1]])
    return ((np.sqrt(np.abs(size)) if kind == POLYGON else size) / side).astype(np.float32)
