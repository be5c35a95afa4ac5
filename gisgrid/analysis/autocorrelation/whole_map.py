"""Is the whole map clustered at all (Moran's I, Geary's c, General G)?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from libpysal.graph import Graph
from scipy import sparse

from gisgrid.analysis.alignment import Floats, aligned, without_self
from gisgrid.analysis.permutations import Alternative, permuted, require_permutations
from gisgrid.analysis.significance import normal_p
from gisgrid.errors import InputError, warn_null


@dataclass(frozen=True)
class GlobalStatistic:
    """One number for the whole map, with what chance would give.

    Attributes
    ----------
    value, expected, variance
        The statistic, and its mean and variance over all orders of the values.
    z, p
        Standard deviations from what is expected, and how often chance is as far out (normal distribution).
    p_permutation
        The same from permutations; NaN where none were asked for.
    n, permutations
        Units scored and permutations drawn.
    """

    value: float
    expected: float
    variance: float
    z: float
    p: float
    p_permutation: float
    n: int
    permutations: int


def moran(
    values: pd.Series,
    graph: Graph,
    *,
    permutations: int = 0,
    alternative: Alternative = "two-sided",
    seed: int = 0,
) -> GlobalStatistic:
    """Say whether units resemble their neighbours across the whole city (Moran's I).

    Parameters
    ----------
    values
        Shape (n,), a rate or count per unit; a missing value leaves its unit out.
    graph
        n nodes, the same names. Self-weights are not used; isolates count in n, as in spdep's ``adjust.n=FALSE``.
    permutations
        0, or 19 to 999 999 permutations beside the normal p.
    alternative
        ``two-sided``, ``greater`` (clustered) or ``less`` (dispersed).
    seed
        Seed of the permutations.

    Returns
    -------
    GlobalStatistic
        I: about 1 alike, 0 chance (exactly -1 / (n - 1)), below 0 unlike. NaN where every value is the same.

    Raises
    ------
    IndexMismatchError
        `values` and `graph` do not name the same units.
    InputError
        Values that are no numbers or infinite, weights that are negative, or parameters out of range.

    Warns
    -----
    NullResultWarning
        Every value is the same, no unit has neighbours, or there are fewer than four.

    Notes
    -----
    Variance under randomisation. CRS: none needed here. Source: Cliff & Ord 1981. Checked against: R spdep
    `moran.test`, esda `Moran`.

    Examples
    --------
    >>> ring = Graph.from_arrays(list(range(6)) * 2, [1, 2, 3, 4, 5, 0, 5, 0, 1, 2, 3, 4], [1] * 12)
    >>> round(moran(pd.Series([1.0, 2, 3, 4, 3, 2]), ring).value, 4)
    0.4545
    """

    def statistic(x: Floats, weights: sparse.csr_array) -> Floats:
        y = x - x.mean(axis=0)
        top = (y * (weights @ y)).sum(axis=0)
        return np.asarray(len(x) / weights.sum() * top / (y * y).sum(axis=0))

    def moments(x: Floats, weights: sparse.csr_array) -> tuple[float, float]:
        n, (s0, s1, s2), b2 = len(x), _sums(weights), _kurtosis(x)
        expected = -1 / (n - 1)
        top = n * ((n * n - 3 * n + 3) * s1 - n * s2 + 3 * s0 * s0)
        top -= b2 * ((n * n - n) * s1 - 2 * n * s2 + 6 * s0 * s0)
        return expected, top / ((n - 1) * (n - 2) * (n - 3) * s0 * s0) - expected**2

    return _whole(
        values, graph, statistic, moments,
        permutations=permutations, alternative=alternative, seed=seed,
    )  # fmt: skip


def geary(
    values: pd.Series,
    graph: Graph,
    *,
    permutations: int = 0,
    alternative: Alternative = "two-sided",
    seed: int = 0,
) -> GlobalStatistic:
    """Say whether neighbours differ less than chance across the whole city (Geary's c).

    Parameters
    ----------
    values
        Shape (n,), a rate or count per unit; a missing value leaves its unit out.
    graph
        n nodes, the same names. Self-weights are not used.
    permutations
        0, or 19 to 999 999 permutations beside the normal p.
    alternative
        ``two-sided``, ``less`` (c below 1: neighbours alike) or ``greater``.
    seed
        Seed of the permutations.

    Returns
    -------
    GlobalStatistic
        c: 0 alike, 1 chance, above 1 unlike. z is negative where neighbours are alike. NaN where every value is the
        same.

    Raises
    ------
    IndexMismatchError
        `values` and `graph` do not name the same units.
    InputError
        Values that are no numbers or infinite, weights that are negative, or parameters out of range.

    Warns
    -----
    NullResultWarning
        Every value is the same, no unit has neighbours, or there are fewer than four.

    Notes
    -----
    Variance under randomisation. CRS: none needed here. Source: Cliff & Ord 1981. Checked against: R spdep
    `geary.test`, esda `Geary`.

    Examples
    --------
    >>> ring = Graph.from_arrays(list(range(6)) * 2, [1, 2, 3, 4, 5, 0, 5, 0, 1, 2, 3, 4], [1] * 12)
    >>> round(geary(pd.Series([1.0, 2, 3, 4, 3, 2]), ring).value, 4)
    0.4545
    """

    def statistic(x: Floats, weights: sparse.csr_array) -> Floats:
        y = x - x.mean(axis=0)
        row = np.asarray(weights.sum(axis=1)).ravel() + np.asarray(weights.sum(axis=0)).ravel()
        top = row @ (y * y) - 2 * (y * (weights @ y)).sum(axis=0)
        return np.asarray((len(x) - 1) / (2 * weights.sum()) * top / (y * y).sum(axis=0))

    def moments(x: Floats, weights: sparse.csr_array) -> tuple[float, float]:
        n, (s0, s1, s2), b2 = len(x), _sums(weights), _kurtosis(x)
        top = (n - 1) * s1 * (n * n - 3 * n + 3 - (n - 1) * b2)
        top -= (n - 1) * s2 * (n * n + 3 * n - 6 - (n * n - n + 2) * b2) / 4
        top += s0 * s0 * (n * n - 3 - (n - 1) ** 2 * b2)
        return 1.0, top / (n * (n - 2) * (n - 3) * s0 * s0)

    return _whole(
        values, graph, statistic, moments,
        permutations=permutations, alternative=alternative, seed=seed,
    )  # fmt: skip


def general_g(
    values: pd.Series,
    graph: Graph,
    *,
    permutations: int = 999,
    alternative: Alternative = "two-sided",
    seed: int = 0,
) -> GlobalStatistic:
    """Say whether high values, or low ones, gather across the whole city (Getis-Ord General G).

    Parameters
    ----------
    values
        Shape (n,), counts or rates of 0 and above; a missing value leaves its unit out.
    graph
        n nodes, the same names; weights of 0 or 1. Self-weights are not used.
    permutations
        0, or 19 to 999 999 permutations beside the normal p.
    alternative
        ``two-sided``, ``greater`` (high values gather) or ``less`` (low ones do).
    seed
        Seed of the permutations.

    Returns
    -------
    GlobalStatistic
        G = Σ w_ij x_i x_j / Σ x_i x_j (i ≠ j); expected Σ w / (n (n - 1)). NaN where every value is the same.

    Raises
    ------
    IndexMismatchError
        `values` and `graph` do not name the same units.
    InputError
        Negative values, weights other than 0 and 1, or parameters out of range.

    Warns
    -----
    NullResultWarning
        Every value is the same, no unit has neighbours, or there are fewer than four.

    Notes
    -----
    CRS: none needed here. Source: Getis & Ord 1992. Checked against: esda `G`.
    """
    if (values < 0).any():
        raise InputError(
            f"General G needs values of 0 and above but the least is {values.min():g}; give counts or rates"
        )

    def statistic(x: Floats, weights: sparse.csr_array) -> Floats:
        return np.asarray(
            (x * (weights @ x)).sum(axis=0) / (x.sum(axis=0) ** 2 - (x * x).sum(axis=0))
        )

    def moments(x: Floats, weights: sparse.csr_array) -> tuple[float, float]:
        if not (weights.data == 1).all():
            raise InputError(
                "General G needs weights of 0 or 1 but the graph has others; use a contiguity or distance-band graph"
            )
        return _general_g_moments(x, weights)

    return _whole(
        values, graph, statistic, moments,
        permutations=permutations, alternative=alternative, seed=seed,
    )  # fmt: skip


def _general_g_moments(x: Floats, weights: sparse.csr_array) -> tuple[float, float]:
    n, (s0, s1, s2) = len(x), _sums(weights)
    m1, m2, m3, m4 = ((x**power).sum() for power in (1, 2, 3, 4))
    b0 = (n * n - 3 * n + 3) * s1 - n * s2 + 3 * s0 * s0
    b1 = -((n * n - n) * s1 - 2 * n * s2 + 6 * s0 * s0)
    b2 = -(2 * n * s1 - (n + 3) * s2 + 6 * s0 * s0)
    b3 = 4 * (n - 1) * s1 - 2 * (n + 1) * s2 + 8 * s0 * s0
    b4 = s1 - s2 + s0 * s0
    expected = s0 / (n * (n - 1))
    top = b0 * m2**2 + b1 * m4 + b2 * m1**2 * m2 + b3 * m1 * m3 + b4 * m1**4
    bottom = (m1**2 - m2) ** 2 * n * (n - 1) * (n - 2) * (n - 3)
    return expected, top / bottom - expected**2


def _whole(
    values: pd.Series,
    graph: Graph,
    statistic: Callable[[Floats, sparse.csr_array], Floats],
    moments: Callable[[Floats, sparse.csr_array], tuple[float, float]],
    *,
    permutations: int,
    alternative: Alternative,
    seed: int,
) -> GlobalStatistic:
    require_permutations(permutations, alternative)
    given = aligned(values, graph)
    x, weights = given.x, without_self(given.weights)
    n = len(x)
    why = (
        "fewer than four units have a value" if n < 4
        else "every value is the same" if x.min() == x.max()
        else "no unit has neighbours" if weights.nnz == 0
        else None
    )  # fmt: skip
    if why is not None:
        warn_null(
            f"the statistic of a map of {n} units has no answer because {why}; it is missing",
            depth=3,
        )
        nan = float("nan")
        return GlobalStatistic(nan, nan, nan, nan, nan, nan, n, 0)
    value = float(statistic(x[:, None], weights)[0])
    expected, variance = moments(x, weights)
    z = (value - expected) / np.sqrt(variance) if variance > 0 else np.nan
    drawn = np.nan
    if permutations:
        chance = permuted(
            x, lambda rows: statistic(rows, weights), permutations=permutations, seed=seed
        )
        near = 1e-12 * max(abs(value), 1.0)
        up = (1 + int((chance >= value - near).sum())) / (permutations + 1)
        down = (1 + int((chance <= value + near).sum())) / (permutations + 1)
        sides = {"two-sided": min(1.0, 2 * min(up, down)), "greater": up, "less": down}
        drawn = sides[alternative]
    p = float(normal_p(np.array([z]), alternative)[0])
    return GlobalStatistic(value, expected, variance, float(z), p, drawn, n, permutations)


def _sums(weights: sparse.csr_array) -> tuple[float, float, float]:
    """Give S0 (the sum of weights), S1 and S2 of Cliff & Ord."""
    both = (weights + weights.T).tocsr()
    rows = np.asarray(both.sum(axis=1)).ravel()
    return float(weights.sum()), float((both.data**2).sum() / 2), float((rows**2).sum())


def _kurtosis(x: Floats) -> float:
    y = x - x.mean()
    return float((y**4).mean() / (y**2).mean() ** 2)
