"""How can units change hands so that the grids carry the same load and stay in one piece?

A tabu search: the best allowed hand-over is made again and again, even one that makes things worse for the moment, and
a unit that was handed over rests for a while. The best division met is kept. No chance is involved.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gisgrid.compiled import compiled
from gisgrid.grids.duty.neighbours import Neighbours
from gisgrid.grids.making.borders import Floats, Ints

_STEEP: Final = 50.0
_FLAT: Final = 0.1
"""The price of a grid's load beyond the tolerance, as a share e of the mean: 50·(e² + 0.1·e). A percent too much costs
as much as a twentieth of all inner borders: load comes first, short borders second."""
_LEAST_REST: Final = 3
"""For how many turns at least a unit that was handed over stays where it is."""
_ROUNDING: Final = 1e-9


class Wishes(NamedTuple):
    """What makes a division good.

    `tolerance` is the share by which a load may differ from the mean for nothing; `border` the price of having all
    inner borders between grids; `home` has shape (n,): where each unit is now; `moving` the price of one that moves.
    """

    tolerance: float
    border: float
    home: NDArray[np.int64]
    moving: float


def exchange(label: Ints, load: Floats, graph: Neighbours, wishes: Wishes, *, n_grids: int) -> Ints:
    """Improve a division by handing units over between neighbouring grids.

    Parameters
    ----------
    label
        Shape (n,), the grid of each unit, 0 to n_grids - 1; none without units.
    load
        Shape (n,), not negative.
    graph
        n units.
    wishes
        What makes a division good.
    n_grids
        How many grids.

    Returns
    -------
    array of int
        Shape (n,): the best division met. A grid that was in one piece still is.
    """
    return _tabu(label.copy(), load, graph, wishes, n_grids)


def cost(label: Ints, load: Floats, graph: Neighbours, wishes: Wishes, *, n_grids: int) -> float:
    """Say how far a division is from what is wished: 0 were perfect.

    Parameters
    ----------
    label, load, graph, wishes, n_grids
        As in `exchange`.

    Returns
    -------
    float
        The sum of the prices.
    """
    return float(_cost(label, load, graph, wishes, n_grids))


@compiled
def _price(load: float, mean: float, tolerance: float) -> float:
    over = max(0.0, abs(load / mean - 1.0) - tolerance)
    return _STEEP * (over * over + _FLAT * over)


@compiled
def _cost(label: Ints, load: Floats, graph: Neighbours, wishes: Wishes, n_grids: int) -> float:
    total, inner = 0.0, 0.0
    loads = np.zeros(n_grids)
    between, moved = 0.0, 0
    for unit in range(len(label)):
        loads[label[unit]] += load[unit]
        total += load[unit]
        moved += wishes.home[unit] != label[unit]
        for e in range(graph.first[unit], graph.first[unit + 1]):
            inner += graph.border_m[e]
            if label[graph.beside[e]] != label[unit]:
                between += graph.border_m[e]
    price = wishes.moving * moved + wishes.border * between / max(inner, 1e-9)
    for grid in range(n_grids):
        price += _price(loads[grid], total / n_grids, wishes.tolerance)
    return price


class _State(NamedTuple):
    """A division while it is searched.

    `label` has shape (n,), the grid of each unit; `loads` and `size` have shape (grids,); `rests` has shape (n,), until
    which turn a unit rests; `seen` and `queue` have shape (n,), room to walk through a grid.
    """

    label: NDArray[np.int64]
    loads: NDArray[np.float64]
    size: NDArray[np.int64]
    rests: NDArray[np.int64]
    seen: NDArray[np.int64]
    queue: NDArray[np.int64]
    mean: float


@compiled
def _around(unit: int, state: _State, graph: Neighbours, stamp: int) -> int:
    """Mark the neighbours of a unit in its own grid as wanted; count them and put the first into the queue."""
    wanted = 0
    for e in range(graph.first[unit], graph.first[unit + 1]):
        other = graph.beside[e]
        if state.label[other] == state.label[unit]:
            state.seen[other] = -stamp
            if wanted == 0:
                state.queue[0] = other
            wanted += 1
    return wanted


@compiled
def _holds_together(unit: int, state: _State, graph: Neighbours, stamp: int) -> bool:
    """Tell whether a grid's units around one of them still reach each other without it."""
    wanted = _around(unit, state, graph, stamp)
    if wanted < 2:
        return True
    state.seen[state.queue[0]] = state.seen[unit] = stamp
    head, tail, reached = 0, 1, 1
    while head < tail and reached < wanted:
        at = state.queue[head]
        head += 1
        for e in range(graph.first[at], graph.first[at + 1]):
            other = graph.beside[e]
            if state.label[other] == state.label[unit] and state.seen[other] != stamp:
                reached += state.seen[other] == -stamp
                state.seen[other] = stamp
                state.queue[tail] = other
                tail += 1
    return reached == wanted


@compiled
def _shorter(unit: int, there: int, state: _State, graph: Neighbours) -> float:
    """Measure by how many metres the borders between grids shrink if a unit goes over."""
    metres = 0.0
    for e in range(graph.first[unit], graph.first[unit + 1]):
        other = state.label[graph.beside[e]]
        if other == there:
            metres += graph.border_m[e]
        elif other == state.label[unit]:
            metres -= graph.border_m[e]
    return metres


@compiled
def _dearer(unit: int, there: int, load: float, state: _State, wishes: Wishes) -> float:
    """Say by how much a hand-over raises the price of loads and of leaving home; below 0 where it helps."""
    here = state.label[unit]
    price = wishes.moving * (int(wishes.home[unit] != there) - int(wishes.home[unit] != here))
    price += _price(state.loads[here] - load, state.mean, wishes.tolerance)
    price += _price(state.loads[there] + load, state.mean, wishes.tolerance)
    price -= _price(state.loads[here], state.mean, wishes.tolerance)
    return price - _price(state.loads[there], state.mean, wishes.tolerance)


@compiled
def _hand_over(unit: int, there: int, load: float, state: _State, until: int) -> None:
    here = state.label[unit]
    state.loads[here] -= load
    state.loads[there] += load
    state.size[here] -= 1
    state.size[there] += 1
    state.label[unit] = there
    state.rests[unit] = until


@compiled
def _start(label: Ints, load: Floats, n_grids: int) -> _State:
    n = len(label)
    loads, size = np.zeros(n_grids), np.zeros(n_grids, np.int64)
    for unit in range(n):
        loads[label[unit]] += load[unit]
        size[label[unit]] += 1
    rests, seen, queue = np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n, np.int64)
    return _State(label, loads, size, rests, seen, queue, load.sum() / n_grids)


@compiled
def _tabu(label: Ints, load: Floats, graph: Neighbours, wishes: Wishes, n_grids: int) -> Ints:
    state = _start(label, load, n_grids)
    inner = max(graph.border_m.sum() / 2.0, 1e-9)
    rest, patience = _LEAST_REST + len(label) // 20 + n_grids, 200 + 8 * len(label)
    now = least = 0.0  # the cost, less that of the start
    best = label.copy()
    turn, since, stamp = 0, 0, 0
    while since < patience:
        turn, since = turn + 1, since + 1
        gain, mover, goal = np.inf, -1, -1
        for unit in range(len(label)):
            if state.size[label[unit]] == 1:
                continue
            for e in range(graph.first[unit], graph.first[unit + 1]):
                there = label[graph.beside[e]]
                if there == label[unit]:
                    continue
                delta = _dearer(unit, there, load[unit], state, wishes)
                delta -= wishes.border * _shorter(unit, there, state, graph) / inner
                kept = state.rests[unit] > turn and now + delta >= least - _ROUNDING
                if kept or delta >= gain - _ROUNDING:
                    continue
                stamp += 1
                if _holds_together(unit, state, graph, stamp):
                    gain, mover, goal = delta, unit, there
        if mover < 0:
            continue  # all that could move rests
        _hand_over(mover, goal, load[mover], state, turn + rest)
        now += gain
        if now < least - _ROUNDING:
            least, since = now, 0
            best[:] = label
    return best
