"""Where do the edges of a shape meet, on whole units? Every edge is split there, so that edges meet at their ends only.

Edges are split where others end on them or cross them; a crossing is put on the nearest grid point, which may bend an
edge into another one, so this is done again until nothing is left to split. Source: iterated snap rounding (Halperin &
Packer 2002).
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gisgrid.compiled import compiled

Ints = NDArray[np.int64]

_MOST_ROUNDS: Final = 64
"""Shapes of a city take two to four rounds."""


class Edges(NamedTuple):
    """Edges from `a` to `b`, `a` being the lesser point (by x, then y).

    Attributes
    ----------
    ax, ay, bx, by
        Shape (n,), the ends.
    net
        Shape (n,), how many more paths go from `a` to `b` than back; never 0.
    """

    ax: Ints
    ay: Ints
    bx: Ints
    by: Ints
    net: Ints


class _Splits(NamedTuple):
    edge: Ints
    x: Ints
    y: Ints


@compiled
def noded_edges(x: Ints, y: Ints, start: Ints) -> tuple[Edges, bool]:
    """Split the sides of rings where they meet.

    Parameters
    ----------
    x, y
        The rings' points, whole units less than 2**30 apart; rings do not repeat their first point.
    start
        Shape (n rings + 1,), where each ring begins.

    Returns
    -------
    tuple of (Edges, bool)
        Edges that meet at their ends only, each once, and whether that was reached.
    """
    edges = _merged(_sides(x, y, start))
    for _ in range(_MOST_ROUNDS):
        splits = _meetings(edges)
        if len(splits.edge) == 0:
            return edges, True
        edges = _merged(_split(edges, splits))
    return edges, False


@compiled
def turn(ax: int, ay: int, bx: int, by: int, cx: int, cy: int) -> int:  # noqa: PLR0917 - numba has no keywords
    """Say on which side of the way from a to b a point c is.

    Parameters
    ----------
    ax, ay, bx, by, cx, cy
        Whole units.

    Returns
    -------
    int
        Positive on the left (with y upwards), 0 on the line.
    """
    return (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)


@compiled
def _sides(x: Ints, y: Ints, start: Ints) -> Edges:
    n = start[-1] - start[0]
    ax, ay = np.empty(n, np.int64), np.empty(n, np.int64)
    bx, by = np.empty(n, np.int64), np.empty(n, np.int64)
    net, at = np.empty(n, np.int64), 0
    for ring in range(len(start) - 1):
        for i in range(start[ring], start[ring + 1]):
            j = i + 1 if i + 1 < start[ring + 1] else start[ring]
            at = _put_edge(Edges(ax, ay, bx, by, net), at, x[i], y[i], x[j], y[j], 1)
    return Edges(ax[:at], ay[:at], bx[:at], by[:at], net[:at])


@compiled
def _put_edge(edges: Edges, at: int, ax: int, ay: int, bx: int, by: int, net: int) -> int:  # noqa: PLR0917 - numba has no keywords
    if ax == bx and ay == by:
        return at
    if (bx, by) < (ax, ay):
        ax, ay, bx, by, net = bx, by, ax, ay, -net
    edges.ax[at], edges.ay[at], edges.bx[at], edges.by[at], edges.net[at] = ax, ay, bx, by, net
    return at + 1


@compiled
def _merged(edges: Edges) -> Edges:
    """Put edges in order and make those with the same ends one; what goes as often to as fro is gone."""
    ax, ay, bx, by, net = edges
    n = len(ax)
    order = np.argsort(bx * (1 << 31) + by, kind="mergesort")
    order = order[np.argsort((ax * (1 << 31) + ay)[order], kind="mergesort")]
    out = Edges(np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64))  # fmt: skip
    at = 0
    for i in order:
        last = at - 1
        if at > 0 and out.ax[last] == ax[i] and out.ay[last] == ay[i] and out.bx[last] == bx[i] and out.by[last] == by[i]:  # fmt: skip
            out.net[last] += net[i]
            continue
        if at > 0 and out.net[last] == 0:
            at = last
        out.ax[at], out.ay[at], out.bx[at], out.by[at], out.net[at] = (
            ax[i],
            ay[i],
            bx[i],
            by[i],
            net[i],
        )
        at += 1
    if at > 0 and out.net[at - 1] == 0:
        at -= 1
    return Edges(out.ax[:at], out.ay[:at], out.bx[:at], out.by[:at], out.net[:at])


@compiled
def _meetings(edges: Edges) -> _Splits:
    """Find where edges must be split; edges are in the order of their left ends."""
    ax, ay, bx, by, _ = edges
    splits = _Splits(np.empty(64, np.int64), np.empty(64, np.int64), np.empty(64, np.int64))
    n = 0
    for i in range(len(ax)):
        low, high = min(ay[i], by[i]), max(ay[i], by[i])
        for j in range(i + 1, len(ax)):
            if ax[j] > bx[i]:
                break
            if (ay[j] > high and by[j] > high) or (ay[j] < low and by[j] < low):
                continue
            if n + 8 > len(splits.edge):
                splits = _Splits(_longer(splits.edge), _longer(splits.x), _longer(splits.y))
            n = _meet(edges, i, j, splits, n)
    return _Splits(splits.edge[:n], splits.x[:n], splits.y[:n])


@compiled
def _longer(array: Ints) -> Ints:
    out = np.empty(2 * len(array), np.int64)
    out[: len(array)] = array
    return out


@compiled
def _meet(edges: Edges, i: int, j: int, splits: _Splits, n: int) -> int:
    ax, ay, bx, by = edges.ax[i], edges.ay[i], edges.bx[i], edges.by[i]
    cx, cy, dx, dy = edges.ax[j], edges.ay[j], edges.bx[j], edges.by[j]
    c, d = turn(ax, ay, bx, by, cx, cy), turn(ax, ay, bx, by, dx, dy)
    if (c > 0 and d > 0) or (c < 0 and d < 0):
        return n
    a, b = turn(cx, cy, dx, dy, ax, ay), turn(cx, cy, dx, dy, bx, by)
    if (a > 0 and b > 0) or (a < 0 and b < 0):
        return n
    if a != 0 and b != 0 and c != 0 and d != 0:
        share = a / (a - b)
        px = int(np.floor(ax + (bx - ax) * share + 0.5))
        py = int(np.floor(ay + (by - ay) * share + 0.5))
        return _split_at(edges, j, px, py, splits, _split_at(edges, i, px, py, splits, n))
    if c == 0 and _between(ax, ay, bx, by, cx, cy):
        n = _split_at(edges, i, cx, cy, splits, n)
    if d == 0 and _between(ax, ay, bx, by, dx, dy):
        n = _split_at(edges, i, dx, dy, splits, n)
    if a == 0 and _between(cx, cy, dx, dy, ax, ay):
        n = _split_at(edges, j, ax, ay, splits, n)
    if b == 0 and _between(cx, cy, dx, dy, bx, by):
        n = _split_at(edges, j, bx, by, splits, n)
    return n


@compiled
def _between(ax: int, ay: int, bx: int, by: int, x: int, y: int) -> bool:  # noqa: PLR0917 - numba has no keywords
    return bool(ax <= x <= bx and min(ay, by) <= y <= max(ay, by))


@compiled
def _split_at(edges: Edges, i: int, x: int, y: int, splits: _Splits, n: int) -> int:  # noqa: PLR0917 - numba has no keywords
    if (x == edges.ax[i] and y == edges.ay[i]) or (x == edges.bx[i] and y == edges.by[i]):
        return n
    splits.edge[n], splits.x[n], splits.y[n] = i, x, y
    return n + 1


@compiled
def _split(edges: Edges, splits: _Splits) -> Edges:
    n, m = len(edges.ax), len(splits.edge)
    along = np.empty(m, np.int64)
    for k in range(m):
        i = splits.edge[k]
        along[k] = (splits.x[k] - edges.ax[i]) * (edges.bx[i] - edges.ax[i]) + (
            splits.y[k] - edges.ay[i]
        ) * (edges.by[i] - edges.ay[i])
    order = np.argsort(along, kind="mergesort")
    order = order[np.argsort(splits.edge[order], kind="mergesort")]
    out = Edges(np.empty(n + m, np.int64), np.empty(n + m, np.int64), np.empty(n + m, np.int64), np.empty(n + m, np.int64), np.empty(n + m, np.int64))  # fmt: skip
    at, k = 0, 0
    for i in range(n):
        x, y, net = edges.ax[i], edges.ay[i], edges.net[i]
        while k < m and splits.edge[order[k]] == i:
            px, py = splits.x[order[k]], splits.y[order[k]]
            at = _put_edge(out, at, x, y, px, py, net)
            x, y, k = px, py, k + 1
        at = _put_edge(out, at, x, y, edges.bx[i], edges.by[i], net)
    return Edges(out.ax[:at], out.ay[:at], out.bx[:at], out.by[:at], out.net[:at])
