"""Which boxes touch this box? A packed index: sorted once, searched by a compiled loop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gisgrid.tiles.compiled import compiled

_NODE: Final = 64
"""Boxes to a node: a node is passed over when its own box does not touch."""


@dataclass(frozen=True)
class BoxIndex:
    """Boxes in nodes of neighbours.

    Attributes
    ----------
    boxes
        Shape (n, 4), left, top, right, bottom, in the order of the Hilbert-like sort.
    nodes
        Shape (ceil(n / 64), 4), what each run of 64 boxes covers.
    position
        Shape (n,), where each box stood when it was given.
    """

    boxes: NDArray[np.float64]
    nodes: NDArray[np.float64]
    position: NDArray[np.int64]

    @classmethod
    def from_boxes(cls, boxes: NDArray[np.float64]) -> BoxIndex:
        """Sort boxes so that neighbours stand together.

        Parameters
        ----------
        boxes
            Shape (n, 4), left, top, right, bottom; n at least 1.

        Returns
        -------
        BoxIndex
            The index.
        """
        middle = (boxes[:, :2] + boxes[:, 2:]) / 2
        low = middle.min(axis=0)
        span = np.maximum(middle.max(axis=0) - low, 1e-300)
        cell = np.minimum((middle - low) / span * 1024, 1023).astype(np.int64)
        # Strips from north to south, each walked west to east: neighbours share a node.
        n_strips = max(1, int(np.sqrt(len(boxes) / _NODE)))
        strip = cell[:, 1] * n_strips // 1024
        position = np.lexsort((cell[:, 0], strip)).astype(np.int64)
        packed = np.ascontiguousarray(boxes[position])
        starts = np.arange(0, len(boxes), _NODE)
        nodes = np.column_stack(
            [
                np.minimum.reduceat(packed[:, 0], starts),
                np.minimum.reduceat(packed[:, 1], starts),
                np.maximum.reduceat(packed[:, 2], starts),
                np.maximum.reduceat(packed[:, 3], starts),
            ]
        )
        return cls(packed, nodes, position)

    def touching(self, box: tuple[float, float, float, float]) -> NDArray[np.int64]:
        """Find the boxes that touch a box, edges included.

        Parameters
        ----------
        box
            Left, top, right, bottom.

        Returns
        -------
        array
            Shape (m,), positions as given to `from_boxes`, ascending.

        Examples
        --------
        >>> index = BoxIndex.from_boxes(np.array([[0.0, 0, 1, 1], [2, 2, 3, 3], [1, 1, 2, 2]]))
        >>> index.touching((0.5, 0.5, 1.0, 1.0)).tolist()
        [0, 2]
        """
        found = _touching(self.boxes, self.nodes, self.position, np.array(box))
        found.sort()
        return found


@compiled
def _touching(
    boxes: NDArray[np.float64],
    nodes: NDArray[np.float64],
    position: NDArray[np.int64],
    box: NDArray[np.float64],
) -> NDArray[np.int64]:
    found = np.empty(len(boxes), np.int64)
    n = 0
    for node in range(len(nodes)):
        if not _touch(nodes[node], box):
            continue
        for i in range(node * _NODE, min((node + 1) * _NODE, len(boxes))):
            if _touch(boxes[i], box):
                found[n] = position[i]
                n += 1
    return found[:n].copy()


@compiled
def _touch(a: NDArray[np.float64], b: NDArray[np.float64]) -> bool:
    return bool(a[0] <= b[2] and a[2] >= b[0] and a[1] <= b[3] and a[3] >= b[1])
