"""A layer's lines or rings as flat arrays on a grid of whole units: what every other module here reads."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

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
