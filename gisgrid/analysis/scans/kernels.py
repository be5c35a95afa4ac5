"""The loops of the scan statistics over flat arrays: one pass over all windows, many random maps at a time.

Random maps lie side by side (64 lanes), so that one addition per window serves all of them. A window's likelihood ratio
grows with its cases, so whether it beats the best of its map so far is a comparison of whole numbers with a table (the
ladder); logarithms are taken of the few that do.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gisgrid.compiled import compiled

LANES: Final = 64
"""How many random maps are scanned in one pass."""

_ROUNDING: Final = 1e-9  # a count above what was expected by less than this share is not above it

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@compiled
def _term(count: float, of: float) -> float:
    """Give count · ln(count / of), 0 for a count of 0."""
    return count * np.log(count / of) if count > 0.0 else 0.0


@compiled
def log_likelihood_ratio(cases: float, expected: float, total: float, population: float) -> float:
    """How much likelier the cases are if the window has a rate of its own?

    `population` is that of the whole map for the Bernoulli model, 0 for the Poisson model.
    """
    outside = total - cases
    if population <= 0.0:
        return _term(cases, expected) + _term(outside, total - expected)
    within = expected * population / total
    beyond = population - within
    healthy = max(0.0, within - cases)
    healthy_outside = max(0.0, beyond - outside)
    healthy_total = population - total
    return (
        _term(cases, within)
        + _term(healthy, within)
        + _term(outside, beyond)
        + _term(healthy_outside, beyond)
        - _term(total, population)
        - _term(healthy_total, population)
    )


@compiled
def fill_ladder(  # noqa: PLR0917 - a kernel is given flat arrays
    ladder: NDArray[np.integer],
    roots: Floats,
    step: float,
    sign: int,
    total: int,
    population: float,
    least: int,
) -> None:
    """Find, for each level and each bin of expected counts, the fewest cases (signed) that exceed the level.

    Bins are [roots[b]², roots[b + 1]²); the bound holds for all of a bin. High rates (sign 1): cases ≥ the entry. Low
    rates (sign -1): -cases ≥ the entry.
    """
    top, never = (total if sign > 0 else 0), total + 1
    for b in range(ladder.shape[1]):
        edge = roots[b] ** 2 if sign > 0 else min(roots[b + 1] ** 2, float(total))
        low = max(least, int(np.floor(edge)) + 1) if sign > 0 else 1 - int(np.ceil(edge))
        for level in range(ladder.shape[0]):
            over = level * step
            high, jump = low, 1
            while high < never and not _exceeds(sign * high, edge, total, population, over):
                low = high + 1
                high += jump
                jump *= 2
                if high > top:
                    high = top if low <= top else never
            high = min(high, never)
            while low < high:
                middle = (low + high) // 2
                if _exceeds(sign * middle, edge, total, population, over):
                    high = middle
                else:
                    low = middle + 1
            ladder[level, b] = low


@compiled
def _exceeds(cases: int, expected: float, total: int, population: float, over: float) -> bool:
    if cases < 0 or cases > total:
        return False
    if expected <= 0.0:
        return cases > 0
    if expected >= total:
        return cases < total
    if population > 0.0 and cases > expected * population / total:
        return True  # more than there are: the bin's edge is coarser than the windows in it
    return log_likelihood_ratio(float(cases), expected, float(total), population) > over


@compiled
def _raise_bars(  # noqa: PLR0917 - a kernel is given flat arrays
    own: NDArray[np.integer],
    rung: Ints,
    ladder: NDArray[np.integer],
    step: float,
    penalty: float,
    maxima: Floats,
) -> None:
    """Give each random map the row of the ladder that its best window so far has reached."""
    levels, bins = ladder.shape
    for s in range(LANES):
        level = min(levels - 1, int(maxima[s] / (penalty * step)))
        if level > rung[s]:
            rung[s] = level
            for b in range(bins):
                own[b, s] = ladder[level, b]


@compiled
def _value(cases: float, expected: float, sign: int, total: float, population: float) -> float:
    """Give the likelihood ratio of a window on the side that is looked for, 0 on the other."""
    if (cases - expected) * sign <= _ROUNDING * expected:
        return 0.0
    return log_likelihood_ratio(cases, expected, total, population)


@compiled
def area_maxima(  # noqa: PLR0917 - a kernel is given flat arrays
    order: NDArray[np.int32],
    start: Ints,
    expected: Floats,
    counts: NDArray[np.integer],
    ladder: NDArray[np.integer],
    scale: tuple[float, float],
    sign: int,
    totals: tuple[float, float],
    penalty: float,
    maxima: Floats,
) -> None:
    """Raise `maxima` (LANES,) to the best window of each random map; `counts` (n, LANES) are signed."""
    step, per_root = scale
    total, population = totals
    bins = ladder.shape[1]
    own = np.empty((bins, LANES), ladder.dtype)
    rung = np.full(LANES, -1, np.int64)
    held = np.zeros(LANES, ladder.dtype)
    for i in range(len(start) - 1):
        _raise_bars(own, rung, ladder, step, penalty, maxima)
        held[:] = 0
        e = 0.0
        for j in range(start[i], start[i + 1]):
            k = order[j]
            e += expected[k]
            b = min(int(np.sqrt(e) * per_root), bins - 1)
            hit = False
            for s in range(LANES):
                held[s] = held[s] + counts[k, s]
                hit |= held[s] >= own[b, s]
            if hit:
                for s in range(LANES):
                    if held[s] >= own[b, s]:
                        found = penalty * _value(float(abs(held[s])), e, sign, total, population)
                        maxima[s] = max(maxima[s], found)


@compiled
def cylinder_maxima(  # noqa: PLR0917 - a kernel is given flat arrays
    order: NDArray[np.int32],
    start: Ints,
    expected: Floats,
    counts: NDArray[np.integer],
    first: Ints,
    last: Ints,
    ladder: NDArray[np.integer],
    scale: tuple[float, float],
    sign: int,
    totals: tuple[float, float],
    penalty: float,
    maxima: Floats,
) -> None:
    """Raise `maxima` as `area_maxima` does, for areas (n) and intervals between running totals over time (slots).

    `expected` (n, slots) and `counts` (n, slots, LANES) are running totals; an interval is last minus first.
    """
    step, per_root = scale
    total, population = totals
    bins, slots = ladder.shape[1], expected.shape[1]
    own = np.empty((bins, LANES), ladder.dtype)
    rung = np.full(LANES, -1, np.int64)
    held = np.zeros((slots, LANES), ladder.dtype)
    inside = np.zeros(LANES, ladder.dtype)
    e = np.zeros(slots)
    for i in range(len(start) - 1):
        _raise_bars(own, rung, ladder, step, penalty, maxima)
        held[:] = 0
        e[:] = 0.0
        for j in range(start[i], start[i + 1]):
            k = order[j]
            for t in range(slots):
                e[t] += expected[k, t]
                for s in range(LANES):
                    held[t, s] = held[t, s] + counts[k, t, s]
            for w in range(len(first)):
                a, z = first[w], last[w]
                mean = max(0.0, e[z] - e[a])
                b = min(int(np.sqrt(mean) * per_root), bins - 1)
                hit = False
                for s in range(LANES):
                    inside[s] = held[z, s] - held[a, s]
                    hit |= inside[s] >= own[b, s]
                if hit:
                    for s in range(LANES):
                        if inside[s] >= own[b, s]:
                            found = penalty * _value(
                                float(abs(inside[s])), mean, sign, total, population
                            )
                            maxima[s] = max(maxima[s], found)


@compiled
def best_windows(  # noqa: PLR0917 - a kernel is given flat arrays
    order: NDArray[np.int32],
    start: Ints,
    expected: Floats,
    counts: Ints,
    first: Ints,
    last: Ints,
    ladder: NDArray[np.integer],
    scale: tuple[float, float],
    sign: int,
    totals: tuple[float, float],
    penalty: float,
    best: Floats,
    size: Ints,
    border: Ints,
    interval: Ints,
) -> None:
    """Find the best window of each centre: its value, how many units it holds, the last of them, which interval it spans.

    `best` (centres,) holds what earlier shapes reached; a window replaces it only if it is better, not if it is as good.
    """
    step, per_root = scale
    total, population = totals
    levels, bins = ladder.shape
    slots = expected.shape[1]
    e = np.zeros(slots)
    held = np.zeros(slots, np.int64)
    for i in range(len(start) - 1):
        e[:] = 0.0
        held[:] = 0
        level = min(levels - 1, int(best[i] / (penalty * step)))
        for j in range(start[i], start[i + 1]):
            k = order[j]
            for t in range(slots):
                e[t] += expected[k, t]
                held[t] += counts[k, t]
            for w in range(len(first)):
                inside = held[last[w]] - held[first[w]]
                mean = max(0.0, e[last[w]] - e[first[w]])
                b = min(int(np.sqrt(mean) * per_root), bins - 1)
                if inside >= ladder[level, b]:
                    found = penalty * _value(float(abs(inside)), mean, sign, total, population)
                    if found > best[i] * (1.0 + 1e-12):
                        best[i] = found
                        size[i] = j - start[i] + 1
                        border[i] = k
                        interval[i] = w
                        level = min(levels - 1, int(best[i] / (penalty * step)))
