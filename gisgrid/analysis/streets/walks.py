"""The loops along a street network: how far is it from segment to segment, and where does a kernel run?

A segment has two half-edges: 2 s runs from its first node to its second, 2 s + 1 back.
"""

from __future__ import annotations

import heapq
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gisgrid.compiled import compiled
from gisgrid.streets.network import Network

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_LEAST_PART: Final = 1e-4  # of a report: what is left of a walk that ends early


@compiled
def near_along(net: Network, limit: float) -> tuple[Ints, Ints]:
    """List the pairs of segments whose middles are within a distance along the network, each both ways."""
    n = len(net.length)
    nodes = len(net.first) - 1
    best = np.full(nodes, np.inf)
    focal, other = [0], [0]
    focal.pop()
    other.pop()
    seen = np.full(n, -1)
    for s in range(n):
        queue = [(net.length[s] / 2, net.head[2 * s]), (net.length[s] / 2, net.head[2 * s + 1])]
        heapq.heapify(queue)
        touched = [0]
        touched.pop()
        seen[s] = s
        while queue:
            far, node = heapq.heappop(queue)
            if far > limit or far >= best[node]:
                continue
            best[node] = far
            touched.append(node)
            for at in range(net.first[node], net.first[node + 1]):
                edge = net.leaving[at]
                to = edge // 2
                # A node is settled once, from its nearest: so a middle is first met from its nearer end.
                if far + net.length[to] / 2 <= limit and seen[to] != s:
                    seen[to] = s
                    focal.append(s)
                    other.append(to)
                if far + net.length[to] < best[net.head[edge]]:
                    heapq.heappush(queue, (far + net.length[to], net.head[edge]))
        for node in touched:
            best[node] = np.inf
    return np.array(focal, dtype=np.int64), np.array(other, dtype=np.int64)


@compiled
def _kernel_upto(u: float) -> float:
    """Give the share of a quartic kernel between its middle and u bandwidths; half of it lies on each side."""
    u = min(u, 1.0)
    return 0.9375 * (u - 2.0 * u**3 / 3.0 + u**5 / 5.0)


@compiled
def walk_kernels(
    net: Network,
    segment: Ints,
    along: Floats,
    bandwidth: float,
    continuous: bool,  # noqa: FBT001 - numba knows no keywords here
) -> Floats:
    """Let each report's kernel run along the network, and sum what every segment receives."""
    mass = np.zeros(len(net.length))
    for i in range(len(segment)):
        s = segment[i]
        before, after = along[i], net.length[s] - along[i]
        # Where a kernel reaches an end: half-edge it came by, how far it is, how much of it is left.
        stack = [(2 * s, after, 1.0), (2 * s + 1, before, 1.0)]
        mass[s] += _kernel_upto(after / bandwidth) + _kernel_upto(before / bandwidth)
        while stack:
            edge, far, part = stack.pop()
            if far >= bandwidth:
                continue
            if abs(part) < _LEAST_PART:
                mass[edge // 2] += part * (0.5 - _kernel_upto(far / bandwidth))
                continue
            node = net.head[edge]
            degree = net.first[node + 1] - net.first[node]
            for at in range(net.first[node], net.first[node + 1]):
                onward = net.leaving[at]
                back = onward == edge ^ 1
                if degree == 1:  # a dead end turns it round
                    share = part
                elif continuous:
                    share = part * (2.0 / degree - 1.0) if back else part * 2.0 / degree
                else:
                    share = 0.0 if back else part / (degree - 1)
                if share == 0.0:
                    continue
                to = onward // 2
                end = far + net.length[to]
                mass[to] += share * (_kernel_upto(end / bandwidth) - _kernel_upto(far / bandwidth))
                stack.append((onward, end, share))
    return mass
