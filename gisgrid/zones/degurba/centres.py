"""Which cells belong to urban centres in the end: smoothed and filled, one neighbourhood of the map at a time?"""

from __future__ import annotations

from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

from gisgrid.zones.degurba.patches import Patches
from gisgrid.zones.degurba.rules import Smoothing
from gisgrid.zones.degurba.smoothing import filled, smoothed

_MARGIN: Final = 12
_Boxes = NDArray[np.int64]


def mark_centres(
    codes: NDArray[np.uint8],
    centres: Patches,
    *,
    core: int,
    ignored: int,
    water: int,
    smoothing: Smoothing,
    n_gap: int,
) -> None:
    """Smooth and fill the centres, and mark their cells.

    Parameters
    ----------
    codes
        Shape (height, width), a bit for each property of a cell; written to.
    centres
        The patches that are large enough.
    core
        The bit of what belongs to a centre in the end.
    ignored, water
        The bits of cells that are neither populated nor land, and of permanent water.
    smoothing
        The rule of the edges.
    n_gap
        Holes of at most so many cells are filled.

    Notes
    -----
    Centres whose surroundings overlap are treated together, in a window of the map around them; where smoothing reaches the
    edge of a window, the window grows and the work is done again. So memory goes with the largest conurbation.
    """
    boxes, group = _groups(_boxes(centres), codes.shape)
    by_group = np.argsort(group[centres.patch], kind="stable")
    ends = np.searchsorted(group[centres.patch][by_group], np.arange(len(boxes) + 1))
    for at, box in enumerate(boxes):
        runs = by_group[ends[at] : ends[at + 1]]
        margin = _MARGIN
        while True:
            window = _grown(box, margin, codes.shape)
            local = _numbers(centres, runs, window)
            part = codes[window[0] : window[1], window[2] : window[3]]
            if smoothing != "none":
                smoothed(local, part, ignored=ignored, barred=water, land_only=smoothing == "R2023")
            if not _at_edge(local, window, codes.shape):
                break
            margin *= 2
        if n_gap > 0:
            filled(local, n_most=n_gap)
        part[local > 0] |= np.uint8(core)


def _boxes(centres: Patches) -> _Boxes:
    """Give top, bottom, left and right of each patch; bottom and right are beyond it."""
    boxes = np.empty((centres.n, 4), np.int64)
    boxes[:, [0, 2]], boxes[:, [1, 3]] = np.iinfo(np.int64).max, -1
    np.minimum.at(boxes[:, 0], centres.patch, centres.row)
    np.maximum.at(boxes[:, 1], centres.patch, centres.row + 1)
    np.minimum.at(boxes[:, 2], centres.patch, centres.start)
    np.maximum.at(boxes[:, 3], centres.patch, centres.stop)
    return boxes


def _groups(boxes: _Boxes, shape: tuple[int, ...]) -> tuple[_Boxes, NDArray[np.int64]]:
    """Join boxes whose surroundings overlap until none do; says of each box which it became part of."""
    group: NDArray[np.int64] = np.arange(len(boxes), dtype=np.int64)
    while len(boxes):
        around = np.array([_grown(box, _MARGIN, shape) for box in boxes])
        drawn = shapely.box(around[:, 2], around[:, 0], around[:, 3], around[:, 1])
        pairs = shapely.STRtree(drawn).query(drawn, predicate="intersects")
        links = sparse.coo_array((np.ones(pairs.shape[1]), tuple(pairs)), shape=(len(boxes),) * 2)
        n, part = csgraph.connected_components(links, directed=False)
        if n == len(boxes):
            break
        joined = np.empty((n, 4), np.int64)
        joined[:, [0, 2]], joined[:, [1, 3]] = np.iinfo(np.int64).max, -1
        for side, join in ((0, np.minimum), (1, np.maximum), (2, np.minimum), (3, np.maximum)):
            join.at(joined[:, side], part, boxes[:, side])
        boxes, group = joined, part[group].astype(np.int64)
    return boxes, group


def _grown(box: _Boxes, margin: int, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    height, width = shape
    top, bottom, left, right = (int(side) for side in box)
    return (
        max(0, top - margin), min(height, bottom + margin), max(0, left - margin), min(width, right + margin),
    )  # fmt: skip


def _numbers(
    centres: Patches, runs: NDArray[np.int64], window: tuple[int, int, int, int]
) -> NDArray[np.int32]:
    top, bottom, left, right = window
    local = np.zeros((bottom - top, right - left), np.int32)
    for run in runs:
        row = local[centres.row[run] - top]
        row[centres.start[run] - left : centres.stop[run] - left] = centres.patch[run] + 1
    return local


def _at_edge(
    local: NDArray[np.int32], window: tuple[int, int, int, int], shape: tuple[int, ...]
) -> bool:
    """Tell whether a centre has come to an edge of its window that is none of the map."""
    top, bottom, left, right = window
    sides = (
        (top > 0, local[0]), (bottom < shape[0], local[-1]), (left > 0, local[:, 0]), (right < shape[1], local[:, -1]),
    )  # fmt: skip
    return any(inner and bool((cells > 0).any()) for inner, cells in sides)
