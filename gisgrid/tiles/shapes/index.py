"""Which shapes touch this box? A packed R-tree: sorted once along the Hilbert curve, searched by a compiled loop."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gisgrid.compiled import compiled
from gisgrid.tiles.shapes.paths import Ints, Steps

_NODE: Final = 16
"""Boxes to a node."""

_BITS: Final = 16
"""The curve visits the middles of the boxes on a grid of 2**16 by 2**16."""

Boxes = NDArray[np.int32]


class BoxTree(NamedTuple):
    """Boxes in nodes, nodes in larger nodes; a tuple, because compiled loops take those.

    Attributes
    ----------
    boxes
        Shape (n + n nodes, 4), left, top, right, bottom: first the boxes along the curve, then level upon level of
        nodes, the root last.
    level
        Shape (n levels + 1,), where each level begins in `boxes`.
    position
        Shape (n,), where each box stood when it was given.
    """

    boxes: Boxes
    level: Ints
    position: Steps


def box_tree(boxes: Boxes) -> BoxTree:
    """Sort boxes so that neighbours stand together.

    Parameters
    ----------
    boxes
        Shape (n, 4), left, top, right, bottom.

    Returns
    -------
    BoxTree
        The index. Source: Kamel & Faloutsos 1994, Hilbert-packed R-trees.
    """
    order = np.argsort(_along_curve(boxes), kind="stable")
    levels = [np.ascontiguousarray(boxes[order])]
    while len(levels[-1]) > 1:
        below = levels[-1]
        starts = np.arange(0, len(below), _NODE)
        lows = np.minimum.reduceat(below[:, :2], starts, axis=0)
        levels.append(np.column_stack([lows, np.maximum.reduceat(below[:, 2:], starts, axis=0)]))
    level = np.cumsum([0] + [len(one) for one in levels])
    return BoxTree(np.concatenate(levels), level.astype(np.int64), order.astype(np.int32))


@compiled
def boxes_touching(tree: BoxTree, left: int, top: int, right: int, bottom: int) -> Ints:
    """Find the boxes that touch a box, edges included.

    Parameters
    ----------
    tree
        The index.
    left, top, right, bottom
        The box.

    Returns
    -------
    array
        Shape (m,), positions as they were given, ascending.
    """
    boxes, level, position = tree.boxes, tree.level, tree.position
    found, n = np.empty(256, np.int64), 0
    n_levels = len(level) - 1
    stack, depth = np.empty((_NODE * (n_levels + 1) + 1, 2), np.int64), 0
    if level[n_levels]:
        stack[0, 0], stack[0, 1], depth = n_levels - 1, level[n_levels - 1], 1
    while depth:
        depth -= 1
        height, i = stack[depth, 0], stack[depth, 1]
        if boxes[i, 0] > right or boxes[i, 2] < left or boxes[i, 1] > bottom or boxes[i, 3] < top:
            continue
        if height == 0:
            if n == len(found):
                longer = np.empty(2 * n, np.int64)
                longer[:n] = found
                found = longer
            found[n] = position[i]
            n += 1
            continue
        first = level[height - 1] + (i - level[height]) * _NODE
        for k in range(first, min(first + _NODE, level[height])):
            stack[depth, 0], stack[depth, 1] = height - 1, k
            depth += 1
    found = found[:n]
    found.sort()
    return found


def _along_curve(boxes: Boxes) -> NDArray[np.int64]:
    """Give the place of each box's middle along the Hilbert curve."""
    if len(boxes) == 0:
        return np.zeros(0, np.int64)
    middle = boxes[:, :2].astype(np.float64) + boxes[:, 2:]
    low = middle.min(axis=0)
    span = np.maximum((middle.max(axis=0) - low).max(), 1.0)
    x, y = ((middle - low) / span * (2**_BITS - 1)).astype(np.int64).T
    return _hilbert(x, y)


def _hilbert(x: NDArray[np.int64], y: NDArray[np.int64]) -> NDArray[np.int64]:
    place = np.zeros(len(x), np.int64)
    for bit in range(_BITS - 1, -1, -1):
        right, below = x >> bit & 1, y >> bit & 1
        place += ((3 * right) ^ below) << 2 * bit
        # Turn the quarter so that the curve inside it begins and ends where its neighbours do.
        flip = (below == 0) & (right == 1)
        x, y = np.where(flip, 2**_BITS - 1 - x, x), np.where(flip, 2**_BITS - 1 - y, y)
        swap = below == 0
        x, y = np.where(swap, y, x), np.where(swap, x, y)
    return place
