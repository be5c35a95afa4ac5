"""Which neighbourhoods stood out in which month? Gi* of every step of a cube at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
import pandas as pd
from libpysal.graph import Graph
from numpy.typing import NDArray
from scipy import sparse

from gisgrid.analysis.alignment import Floats, aligned, without_self
from gisgrid.analysis.significance import CORRECTIONS, Correction, corrected, normal_p
from gisgrid.analysis.space_time.trend import numbers_by_step
from gisgrid.errors import InputError, warn_null

Reference = Literal["step", "cube"]

_ROOM: Final = 1e-12  # Cauchy-Schwarz up to rounding: every unit is a neighbour with equal weight


@dataclass(frozen=True)
class StepScores:
    """Gi* of every unit at every step.

    Attributes
    ----------
    z
        Shape (n, T), standard deviations, indexed like the cube; NaN where there is no test.
    q
        Shape (n, T), two-sided p with the many units of a step allowed for, 0 to 1.
    """

    z: pd.DataFrame
    q: pd.DataFrame


def step_scores(
    cube: pd.DataFrame,
    graph: Graph,
    *,
    lag: int = 0,
    reference: Reference = "step",
    correction: Correction = "fdr",
) -> StepScores:
    """Score how unusual each unit and its neighbours are in each month (Getis-Ord Gi* of a space-time cube).

    Parameters
    ----------
    cube
        Shape (n, T), counts or rates, one row per unit and one column per time step in the order of time. A missing
        value leaves its unit out of that step.
    graph
        n nodes, the same names as ``cube.index``; self-weights as in `gi_star`.
    lag
        How many earlier steps belong to a neighbourhood: with 1 the unit and its neighbours last month count as this
        month does. The first steps have fewer before them.
    reference
        What a neighbourhood is compared with. ``step``: the whole map in the same steps (`lag` earlier ones included), so
        that a bad month for the whole city makes nothing hot. ``cube``: all units in all steps, so that it does.
    correction
        What is done about the many units of a step; see `corrected`.

    Returns
    -------
    StepScores
        `z` and `q`, indexed like `cube`. NaN for isolates, for a step where every value is the same, and where the unit
        has no value.

    Raises
    ------
    IndexMismatchError
        `cube` and `graph` do not name the same units.
    InputError
        Values that are no numbers or infinite, negative weights, or an option that does not exist.

    Warns
    -----
    NullResultWarning
        Every value of a step is the same (all 0, for example): nothing in it is tested.

    Notes
    -----
    Gi* of the graph that links a unit at a step with its neighbours at that step and the `lag` before it, all with the
    weight of the graph. CRS: none needed here. Cost: O(edges · T). Source: Ord & Getis 1995. Checked against: `gi_star`
    of each step, and of the whole space-time graph.

    Examples
    --------
    >>> graph = Graph.from_arrays(["a", "b", "b", "c"], ["b", "a", "c", "b"], [1, 1, 1, 1])
    >>> cube = pd.DataFrame([[9, 0], [7, 1], [0, 8]], index=["a", "b", "c"])
    >>> step_scores(cube, graph).z.round(2).to_numpy().tolist()
    [[1.38, -1.4], [nan, nan], [-0.95, 0.84]]
    """
    if isinstance(lag, bool) or not isinstance(lag, (int, np.integer)) or lag < 0:
        raise InputError(f"a lag of {lag!r} steps does not exist; give 0, 1, 2 or more")
    if reference not in get_args(Reference):
        raise InputError(f"there is no reference {reference!r}; choose 'step' or 'cube'")
    if correction not in CORRECTIONS:
        raise InputError(
            f"there is no correction {correction!r}; choose one of {', '.join(CORRECTIONS)}"
        )
    weights = aligned(pd.Series(0.0, index=cube.index), graph).weights
    x = numbers_by_step(cube)
    z = _scores(x, weights, lag=lag, whole=reference == "cube")
    same = np.isnan(z).all(axis=0)
    if len(z) and same.any():
        warn_null(
            f"{same.sum()} of {z.shape[1]} time steps have no score (first: {cube.columns[int(np.argmax(same))]}) "
            "because their values are all the same or no unit has a neighbour; they are missing"
        )
    q = np.empty_like(z)
    for step in range(z.shape[1]):
        q[:, step] = corrected(pd.Series(normal_p(z[:, step])), correction)
    return StepScores(
        pd.DataFrame(z, index=cube.index, columns=cube.columns),
        pd.DataFrame(q, index=cube.index, columns=cube.columns),
    )


def _scores(x: Floats, weights: sparse.csr_array, *, lag: int, whole: bool) -> Floats:
    """Sum values, weights and their squares over neighbourhoods, and compare with the reference."""
    there = ~np.isnan(x)
    if not there.any():
        return np.full(x.shape, np.nan)
    centre = x[there].mean()
    y = np.where(there, x - centre, 0.0)  # what is summed is small, so that nothing cancels
    others = without_self(weights)
    own = _own_weights(weights, others, there)
    above = others @ y + own * y
    total, squares, company = _weights_there(others, own, there)
    known = there.astype(float)
    n, sums, squared = known.sum(axis=0), y.sum(axis=0), (y * y).sum(axis=0)
    low = np.where(there, y, np.inf).min(axis=0)
    high = np.where(there, y, -np.inf).max(axis=0)
    if lag:
        above, total, squares = (_with_before(part, lag) for part in (above, total, squares))
    if whole:
        n, sums, squared = (np.full(len(n), part.sum()) for part in (n, sums, squared))
        low, high = np.full(len(n), low.min()), np.full(len(n), high.max())
    elif lag:
        n, sums, squared = (_with_before(part[None], lag)[0] for part in (n, sums, squared))
        low = np.minimum.reduce([_before(low, k, np.inf) for k in range(lag + 1)])
        high = np.maximum.reduce([_before(high, k, -np.inf) for k in range(lag + 1)])
    n = np.maximum(n, 1.0)
    mean = sums / n
    spread = np.sqrt(np.maximum(squared / n - mean**2, 0.0))
    spread[~(low < high)] = np.nan
    room = n * squares - total**2
    room[(room <= _ROOM * total**2) | ~there | (company == 0)] = np.nan
    room /= np.maximum(n - 1, 1)
    z: Floats = (above - total * mean) / (spread * np.sqrt(room))
    return z


def _own_weights(
    weights: sparse.csr_array, others: sparse.csr_array, there: NDArray[np.bool_]
) -> Floats:
    """Give each unit's weight of itself, shape (n, 1) or (n, T): its own, or the largest of a neighbour with a value."""
    diagonal = weights.diagonal()
    filled = np.flatnonzero(np.diff(others.indptr))
    starts = others.indptr[filled]
    largest = np.zeros((len(diagonal), 1))
    if len(filled):
        largest[filled, 0] = np.maximum.reduceat(others.data, starts)
        if others.data.min() < others.data.max() and not there.all():
            largest = np.repeat(largest, there.shape[1], axis=1)
            for step in np.flatnonzero(~there.all(axis=0)):
                known = others.data * there[others.indices, step]
                largest[filled, step] = np.maximum.reduceat(known, starts)
    return np.where(diagonal[:, None] > 0, diagonal[:, None], largest)


def _weights_there(
    others: sparse.csr_array, own: Floats, there: NDArray[np.bool_]
) -> tuple[Floats, Floats, NDArray[np.generic]]:
    """Sum weights, their squares, and count neighbours, of units that have a value at a step."""
    known = there.astype(float) if not there.all() else np.ones((there.shape[0], 1))
    squared = sparse.csr_array((others.data**2, others.indices, others.indptr), others.shape)
    ones = sparse.csr_array(
        (np.ones_like(others.data), others.indices, others.indptr), others.shape
    )
    shape = there.shape
    total = np.broadcast_to(others @ known + own * known, shape)
    squares = np.broadcast_to(squared @ known + own**2 * known, shape)
    return total, squares, np.broadcast_to(ones @ known, shape)


def _with_before(part: Floats, lag: int) -> Floats:
    """Add to each step (column) the `lag` before it, as far as there are any."""
    summed = np.array(part)
    for k in range(1, min(lag, part.shape[1] - 1) + 1):
        summed[:, k:] += part[:, :-k]
    return summed


def _before(part: Floats, k: int, none: float) -> Floats:
    """Shift steps by `k`; `none` where there is no step before."""
    return part if k == 0 else np.r_[np.full(min(k, len(part)), none), part[:-k]]
