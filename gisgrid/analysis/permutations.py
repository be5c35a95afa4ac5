"""How often would chance alone do as much? Conditional permutations of the values around each unit.

A unit keeps its value; its k neighbours get k values drawn without replacement from all the others. One set of draws
serves all units, as in PySAL: each draw lists k + 1 different units, and where the unit itself is among the first k, the
last takes its place. So every unit alone sees exactly the conditional null distribution, for the price of one draw.
Tied values are told apart by none of it: a unit is the first of its value among the sorted values, so that the order of
the rows does not matter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from gisgrid.analysis.alignment import Floats
from gisgrid.errors import InputError

Alternative = Literal["two-sided", "greater", "less"]
ALTERNATIVES: Final = ("two-sided", "greater", "less")

MAX_PERMUTATIONS: Final = 999_999
_CELLS: Final = 20_000_000  # of a table of draws or of simulated values that is held at once
_TIE: Final = 1e-12  # sums that differ by less than this share of their size differ by rounding


@dataclass(frozen=True)
class Exceedances:
    """In how many permutations a unit's score was reached from below, and from above.

    Attributes
    ----------
    greater
        Shape (n,), permutations with a score at least as high as the one observed.
    less
        Shape (n,), permutations with a score at least as low.
    permutations
        How many there were.
    """

    greater: NDArray[np.int64]
    less: NDArray[np.int64]
    permutations: int

    def p(self, alternative: Alternative = "two-sided") -> Floats:
        """Give p = (M + 1) / (R + 1); two-sided is twice the smaller of the two sides, at most 1."""
        low: Floats = (self.less + 1) / (self.permutations + 1)
        high: Floats = (self.greater + 1) / (self.permutations + 1)
        if alternative == "two-sided":
            both: Floats = np.minimum(1.0, 2 * np.minimum(low, high))
            return both
        return high if alternative == "greater" else low


def require_permutations(permutations: int, alternative: str) -> None:
    """See that the number of permutations and the side are usable.

    Parameters
    ----------
    permutations
        How many; 0 for the normal distribution instead.
    alternative
        The side.

    Raises
    ------
    InputError
        Too few or too many, or no such side.
    """
    if permutations != 0 and not 19 <= permutations <= MAX_PERMUTATIONS:
        raise InputError(
            f"{permutations} permutations cannot tell 5 % from chance, or take too long; "
            f"give 0 for the normal distribution or 19 to {MAX_PERMUTATIONS}, for example 999"
        )
    if alternative not in ALTERNATIVES:
        raise InputError(
            f"there is no alternative {alternative!r}; choose one of {', '.join(ALTERNATIVES)}"
        )


def lag_exceedances(
    values: Floats, weights: sparse.csr_array, *, permutations: int, seed: int
) -> Exceedances:
    """Count how often the weighted sum of a unit's neighbours is reached when their values are drawn from the others.

    Parameters
    ----------
    values
        Shape (n,), the values that are drawn.
    weights
        Shape (n, n), nothing on the diagonal.
    permutations
        How many draws.
    seed
        Seed of the draws.

    Returns
    -------
    Exceedances
        Both sides, per unit.

    Notes
    -----
    Equal weights within a row need one sorted list of sums per number of neighbours, so 999 permutations of a million
    units take a third of a second; unequal weights need a product of matrices, O(n k permutations).
    """
    weight, equal = _equal_rows(weights)
    degree = np.diff(weights.indptr)
    even, uneven = degree * equal, np.where(equal, 0, degree)
    count = _Count(values, weights @ values, abs(weights) @ np.abs(values))
    for draws in _draws(len(values), int(degree.max(initial=0)), permutations, seed):
        sampled = count.ranked[draws]
        _count_even(count, even, weight, draws, sampled)
        _count_uneven(count, uneven, weights, draws, sampled)
    return Exceedances(count.greater, count.less, permutations)


def spread_exceedances(
    x: Floats, weights: sparse.csr_array, *, permutations: int, seed: int
) -> Exceedances:
    """Count how often a unit differs from its neighbours as much: sums of w (x_i - x_j)² under the same draws.

    Parameters
    ----------
    x
        Shape (n,), the values.
    weights
        Shape (n, n), nothing on the diagonal.
    permutations
        How many draws.
    seed
        Seed of the draws.

    Returns
    -------
    Exceedances
        Both sides, per unit.

    Notes
    -----
    Cost: O(n k permutations). Source: Anselin 2019, local Geary.
    """
    observed = squared_differences(x, weights)
    count = _Count(x, observed, observed)
    degree = np.diff(weights.indptr)
    for draws in _draws(len(x), int(degree.max(initial=0)), permutations, seed):
        sampled = count.ranked[draws]
        for k, units in _by_degree(degree):
            w = _dense_rows(weights, units, k)
            own, squares = w.sum(axis=1) * x[units] ** 2, sampled[:, :k] ** 2
            for part in _parts(len(units), len(sampled)):
                at = x[units[part]][:, None]
                simulated = w[part] @ squares.T - 2 * at * (w[part] @ sampled[:, :k].T)
                count.tally(simulated + own[part][:, None], units[part])
            for unit, row, column in _own_draws(units, count.rank, draws[:, :k]):
                at = x[units[unit]]
                was = (w[unit] * (at[:, None] - sampled[row, :k]) ** 2).sum(axis=1)
                now = was + w[unit, column] * (at - sampled[row, k]) ** 2
                count.correct(was, now, units[unit])
    return Exceedances(count.greater, count.less, permutations)


def squared_differences(x: Floats, weights: sparse.csr_array) -> Floats:
    """Sum w (x_i - x_j)² over the neighbours j of each unit i.

    Parameters
    ----------
    x
        Shape (n,).
    weights
        Shape (n, n), nothing on the diagonal.

    Returns
    -------
    ndarray
        Shape (n,), 0 for isolates.
    """
    rows = np.repeat(np.arange(len(x)), np.diff(weights.indptr))
    each = weights.data * (x[rows] - x[weights.indices]) ** 2
    return np.bincount(rows, weights=each, minlength=len(x)).astype(float)


class _Count:
    """What was observed, and how often chance reached it so far."""

    def __init__(self, values: Floats, observed: Floats, size: Floats) -> None:
        order = np.argsort(values)
        self.values, self.observed = values, observed
        self.ranked = values[order]
        new = np.ones(len(values), bool)
        new[1:] = self.ranked[1:] != self.ranked[:-1]
        self.rank = np.empty(len(values), np.intp)
        self.rank[order] = np.maximum.accumulate(np.where(new, np.arange(len(values)), 0))
        self.tie = _TIE * np.maximum(size, np.abs(values).max(initial=0.0))
        self.greater = np.zeros(len(values), np.int64)
        self.less = np.zeros(len(values), np.int64)

    def tally(self, simulated: Floats, units: NDArray[np.intp]) -> None:
        """Count simulated scores, shape (len(units), r)."""
        observed, tie = self.observed[units][:, None], self.tie[units][:, None]
        self.greater[units] += (simulated >= observed - tie).sum(axis=1)
        self.less[units] += (simulated <= observed + tie).sum(axis=1)

    def correct(self, was: Floats, now: Floats, units: NDArray[np.intp]) -> None:
        """Take back what was counted with a unit as its own neighbour; count what stands in its place."""
        low, high = self.observed[units] - self.tie[units], self.observed[units] + self.tie[units]
        for counts, by in (
            (self.greater, (now >= low).astype(np.int64) - (was >= low)),
            (self.less, (now <= high).astype(np.int64) - (was <= high)),
        ):
            some = np.flatnonzero(by)
            np.add.at(counts, units[some], by[some])


def _draws(n: int, k: int, permutations: int, seed: int) -> Iterator[NDArray[np.intp]]:
    """Draw k + 1 different ranks of n in random order (all n where k + 1 is more), `permutations` times, in parts."""
    if n < 2 or k == 0:
        return
    rng = np.random.default_rng(seed)
    wide = min(k + 1, n)
    step = max(1, _CELLS // (n if 4 * wide > n else 2 * wide + 8))
    for start in range(0, permutations, step):
        yield _different(rng, n, wide, min(step, permutations - start))


def _different(rng: np.random.Generator, n: int, wide: int, times: int) -> NDArray[np.intp]:
    """Draw rows of `wide` different numbers below n: the first different ones of a longer row of any numbers."""
    if 4 * wide > n:
        every = np.broadcast_to(np.arange(n), (times, n))
        return rng.permuted(every, axis=1)[:, :wide]
    longer = wide + 4 + 2 * wide * wide // n
    rows = rng.integers(0, n, (times, longer))
    while True:
        order = np.argsort(rows, axis=1, kind="stable")
        ranked = np.take_along_axis(rows, order, axis=1)
        again = np.zeros(rows.shape, bool)
        np.put_along_axis(again[:, :], order[:, 1:], ranked[:, 1:] == ranked[:, :-1], axis=1)
        short = (~again).sum(axis=1) < wide
        if not short.any():
            break
        rows[short] = rng.integers(0, n, (int(short.sum()), longer))
    if not again[:, :wide].any():
        return rows[:, :wide]
    first = np.argsort(again, axis=1, kind="stable")[:, :wide]
    return np.take_along_axis(rows, first, axis=1)


def _equal_rows(weights: sparse.csr_array) -> tuple[Floats, NDArray[np.bool_]]:
    """Tell which rows have one weight throughout, and which weight."""
    degree = np.diff(weights.indptr)
    if len(weights.data) and weights.data.min() == weights.data.max():  # one weight throughout
        return np.where(degree > 0, float(weights.data[0]), 1.0), np.ones(len(degree), bool)
    most, least = np.ones(len(degree)), np.ones(len(degree))
    filled = np.flatnonzero(degree)
    if len(filled):
        most[filled] = np.maximum.reduceat(weights.data, weights.indptr[filled])
        least[filled] = np.minimum.reduceat(weights.data, weights.indptr[filled])
    return most, most - least <= 1e-9 * most


def _count_even(
    count: _Count,
    degree: NDArray[np.intp],
    weight: Floats,
    draws: NDArray[np.intp],
    sampled: Floats,
) -> None:
    """Count, where all weights of a unit are the same, by one sorted list of sums per number of neighbours."""
    sums = np.zeros(len(sampled))
    done = 0
    for k, units in _by_degree(degree):
        for column in range(done, k):
            sums += sampled[:, column]
        done = k
        ordered = np.sort(sums)
        observed, tie = count.observed[units] / weight[units], count.tie[units] / weight[units]
        count.greater[units] += len(sums) - np.searchsorted(ordered, observed - tie, side="left")
        count.less[units] += np.searchsorted(ordered, observed + tie, side="right")
        for unit, row, _ in _own_draws(units, count.rank, draws[:, :k]):
            at = units[unit]
            was, now = sums[row], sums[row] - count.values[at] + sampled[row, k]
            count.correct(was * weight[at], now * weight[at], at)


def _count_uneven(
    count: _Count,
    degree: NDArray[np.intp],
    weights: sparse.csr_array,
    draws: NDArray[np.intp],
    sampled: Floats,
) -> None:
    """Count, where the weights of a unit differ, by simulating its own weighted sums."""
    for k, units in _by_degree(degree):
        w = _dense_rows(weights, units, k)
        for part in _parts(len(units), len(sampled)):
            count.tally(w[part] @ sampled[:, :k].T, units[part])
        for unit, row, column in _own_draws(units, count.rank, draws[:, :k]):
            at = units[unit]
            was = (w[unit] * sampled[row, :k]).sum(axis=1)
            now = was + w[unit, column] * (sampled[row, k] - count.values[at])
            count.correct(was, now, at)


def _by_degree(degree: NDArray[np.intp]) -> Iterator[tuple[int, NDArray[np.intp]]]:
    """Go through the units by their number of neighbours, the fewest first; isolates are left out."""
    if not degree.any():
        return
    short = degree.astype(np.uint16) if degree.max() < 1 << 16 else degree  # sorted in one pass
    order = np.argsort(short, kind="stable")
    many = np.bincount(degree)
    ends = np.cumsum(many)
    for k in np.flatnonzero(many).tolist():
        if k > 0:
            yield k, order[ends[k] - many[k] : ends[k]]


def _dense_rows(weights: sparse.csr_array, units: NDArray[np.intp], k: int) -> Floats:
    places = weights.indptr[units][:, None] + np.arange(k)
    return np.asarray(weights.data[places], dtype=float)


def _parts(n: int, wide: int) -> Iterator[slice]:
    step = max(1, _CELLS // max(wide, 1) // 4)
    for start in range(0, n, step):
        yield slice(start, start + step)


def _own_draws(
    units: NDArray[np.intp], rank: NDArray[np.intp], draws: NDArray[np.intp]
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]]:
    """Find the draws in which a unit would be its own neighbour: (position in units, row, column), in parts."""
    occurs = np.bincount(draws.ravel(), minlength=len(rank))
    hit = np.flatnonzero(occurs[rank[units]])
    if len(hit) == 0:
        return
    order = np.argsort(draws, axis=None)
    own = rank[units[hit]]
    first, many = np.searchsorted(draws.ravel()[order], own, side="left"), occurs[own]
    for run in _runs(np.cumsum(many), _CELLS // 8):
        times = many[run]
        within = np.arange(times.sum()) - np.repeat(np.cumsum(times) - times, times)
        row, column = np.divmod(order[np.repeat(first[run], times) + within], draws.shape[1])
        yield np.repeat(hit[run], times), row, column


def _runs(ends: NDArray[np.intp], most: int) -> Iterator[slice]:
    """Cut a list into runs that hold about `most` each, by the running total."""
    start = 0
    while start < len(ends):
        before = ends[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, before + most, side="right")))
        yield slice(start, stop)
        start = stop


Statistic = Callable[[Floats], Floats]


def permuted(x: Floats, statistic: Statistic, *, permutations: int, seed: int) -> Floats:
    """Compute a statistic of the whole map over random orders of its values.

    Parameters
    ----------
    x
        Shape (n,), the values.
    statistic
        From values of shape (n, r), a permutation per column, to the statistic of each, shape (r,).
    permutations
        How many.
    seed
        Seed of the orders.

    Returns
    -------
    ndarray
        Shape (permutations,).
    """
    rng = np.random.default_rng(seed)
    ranked = np.sort(x)
    step = max(1, _CELLS // max(len(x), 1) // 2)
    found = []
    for start in range(0, permutations, step):
        times = min(step, permutations - start)
        rows = rng.permuted(np.broadcast_to(ranked, (times, len(x))), axis=1)
        found.append(statistic(rows.T))
    return np.concatenate(found) if found else np.empty(0)
