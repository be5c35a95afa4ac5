"""Which units resemble their neighbours, and which stand out against them (Moran)?"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from libpysal.graph import Graph
from numpy.typing import NDArray
from scipy import sparse

from gisgrid.analysis.alignment import Floats, aligned, without_self
from gisgrid.analysis.permutations import (
    Alternative,
    lag_exceedances,
    require_permutations,
)
from gisgrid.analysis.significance import Correction, corrected, normal_p, words
from gisgrid.errors import IndexMismatchError, warn_null

CLUSTERS: Final = ("high_high", "low_low", "high_low", "low_high", "not_significant")
"""What a unit and its neighbours are: alike (the first two) or unlike, where the score is more than chance."""


def local_moran(
    values: pd.Series,
    graph: Graph,
    *,
    permutations: int = 999,
    alternative: Alternative = "two-sided",
    correction: Correction = "fdr",
    level: float = 0.05,
    seed: int = 0,
) -> pd.DataFrame:
    """Say which units lie among their like (high among high, low among low) and which are outliers.

    An outlier is what Gi* cannot show: the one clean compound in a bad quarter, the one bad market in a good one.

    Parameters
    ----------
    values
        Shape (n,), a rate or count per unit. A missing value leaves its unit out, as if the unit were not there.
    graph
        n nodes, the same names as ``values.index``. Self-weights are not used.
    permutations
        0: p from the normal distribution; otherwise from that many conditional permutations.
    alternative
        ``two-sided``; ``greater`` (more alike than chance) or ``less`` (less alike).
    correction
        What is done about the many tests: ``fdr``, ``bonferroni`` or ``none``.
    level
        Units with q at or below it get a cluster.
    seed
        Seed of the permutations.

    Returns
    -------
    DataFrame
        Shape (n, 7), indexed like `values`: `i` (the local Moran, Σ of all / Σ w = Moran's I), `lag` (weighted mean of
        the neighbours), `z` (standard deviations from what is expected with the unit's own value held), `p`, `q`,
        `cluster` (one of `CLUSTERS`; missing where there was no test), `n_neighbours`. Isolates are NaN.

    Raises
    ------
    IndexMismatchError
        `values` and `graph` do not name the same units.
    InputError
        Values that are no numbers or infinite, weights that are negative, or parameters out of range.

    Warns
    -----
    NullResultWarning
        Every value is the same, or no unit has neighbours: nothing can be scored.

    Notes
    -----
    I_i = (x_i - x̄) Σ_j w_ij (x_j - x̄) / m₂ with m₂ = Σ (x - x̄)² / n (GeoDa and esda divide by n - 1: another scale, the
    same p). Expectation and variance hold x_i (Sokal, Oden & Thomson 1998). CRS: none needed here. Source: Anselin
    1995. Checked against: R spdep `localmoran`, esda `Moran_Local`.

    Examples
    --------
    >>> graph = Graph.from_arrays([0, 1, 1, 2, 2, 3], [1, 0, 2, 1, 3, 2], [1, 1, 1, 1, 1, 1])
    >>> found = local_moran(pd.Series([9.0, 8.0, 1.0, 2.0]), graph, permutations=0)
    >>> found["i"].abs().round(2).to_list()
    [0.96, 0.0, 0.0, 0.96]
    """
    return _local(
        values, values, graph,
        permutations=permutations, alternative=alternative, correction=correction, level=level, seed=seed,
    )  # fmt: skip


def local_moran_bivariate(
    values: pd.Series,
    around: pd.Series,
    graph: Graph,
    *,
    permutations: int = 999,
    alternative: Alternative = "two-sided",
    correction: Correction = "fdr",
    level: float = 0.05,
    seed: int = 0,
) -> pd.DataFrame:
    """Say where one thing in a unit goes with another thing around it, for example garbage here and vendors next door.

    It says nothing of what the two have to do with each other within the same unit.

    Parameters
    ----------
    values
        Shape (n,), the value of the unit itself.
    around
        Shape (n,), indexed like `values`: the value that counts in its neighbours.
    graph
        n nodes, the same names. Self-weights are not used.
    permutations
        0: p from the normal distribution; otherwise from that many conditional permutations of `around`.
    alternative
        ``two-sided``, ``greater`` or ``less``.
    correction
        ``fdr``, ``bonferroni`` or ``none``.
    level
        Units with q at or below it get a cluster.
    seed
        Seed of the permutations.

    Returns
    -------
    DataFrame
        Shape (n, 7): as from `local_moran`; `cluster` names the unit's own value first, then its neighbours' `around`.
        A unit that lacks either value is left out.

    Raises
    ------
    IndexMismatchError
        The three do not name the same units.
    InputError
        Values that are no numbers or infinite, weights that are negative, or parameters out of range.

    Warns
    -----
    NullResultWarning
        Every value is the same, or no unit has neighbours.

    Notes
    -----
    CRS: none needed here. Source: Anselin, Syabri & Smirnov 2002. Checked against: esda `Moran_Local_BV`.
    """
    if not values.index.equals(around.index):
        raise IndexMismatchError(
            f"{len(values)} values and {len(around)} values of the neighbours are not indexed alike; "
            "align them first, for example around.reindex(values.index)"
        )
    return _local(
        values, around, graph,
        permutations=permutations, alternative=alternative, correction=correction, level=level, seed=seed,
    )  # fmt: skip


def _local(
    values: pd.Series,
    around: pd.Series,
    graph: Graph,
    *,
    permutations: int,
    alternative: Alternative,
    correction: Correction,
    level: float,
    seed: int,
) -> pd.DataFrame:
    require_permutations(permutations, alternative)
    both = values.notna() & around.notna()
    own = aligned(values.where(both), graph)
    other = own if around is values else aligned(around.where(both), graph)
    weights = without_self(own.weights)
    x, y = _centred(own.x), _centred(other.x)
    total = weights @ np.ones(len(x))
    lag = weights @ y
    scored = (total > 0) & (x != 0).any() & (y != 0).any()
    if not scored.any():
        warn_null(_nothing(len(x), total), depth=3)
    scale = np.sqrt((x * x).mean() * (y * y).mean()) if scored.any() else np.nan
    z = np.sign(x) * _lag_z(y, weights, total, lag)
    if permutations:
        drawn = lag_exceedances(other.x, weights, permutations=permutations, seed=seed)
        up, down = drawn.p("greater"), drawn.p("less")
        p = _sided(np.where(x < 0, down, up), np.where(x < 0, up, down), alternative)
    else:
        p = normal_p(z, alternative)
    p = np.where(scored & ~np.isnan(z), np.where(x == 0, 1.0, p), np.nan)
    q = corrected(pd.Series(p), correction).to_numpy()
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(total > 0, lag / total, np.nan) + other.x.mean() if len(x) else lag
    columns = {
        "i": np.where(scored, x * lag / scale, np.nan),
        "lag": mean,
        "z": np.where(scored, z, np.nan),
        "p": p,
        "q": q,
        "cluster": _clusters(x, lag, q, level),
        "n_neighbours": np.diff(weights.indptr).astype(np.int64),
    }
    found = own.frame(columns)
    cluster = found["cluster"].to_numpy(copy=True)
    cluster[~own.there] = -1
    found["cluster"] = words(cluster, CLUSTERS)
    return found


def _sided(up: Floats, down: Floats, alternative: Alternative) -> Floats:
    if alternative == "two-sided":
        both: Floats = np.minimum(1.0, 2 * np.minimum(up, down))
        return both
    return up if alternative == "greater" else down


def _lag_z(y: Floats, weights: sparse.csr_array, total: Floats, lag: Floats) -> Floats:
    """Standardise the sum over a unit's neighbours by its mean and variance when they are drawn from all others."""
    n = len(y)
    if n < 3:
        return np.full(n, np.nan)
    if len(weights.data) and weights.data.min() == weights.data.max():  # one weight throughout
        squares = total * float(weights.data[0])
    else:
        each = weights.data.astype(float) ** 2
        squares = sparse.csr_array(
            (each, weights.indices, weights.indptr), weights.shape
        ) @ np.ones(n)
    mean = -y / (n - 1)
    variance = ((y * y).sum() - y * y) / (n - 1) - mean**2
    room = ((n - 1) * squares - total**2) / (n - 2)
    room[room <= 1e-12 * np.maximum(total, 1e-300) ** 2] = np.nan
    variance[variance <= 1e-15 * (y * y).mean()] = np.nan
    z: Floats = (lag - total * mean) / np.sqrt(variance * room)
    return z


def _centred(x: Floats) -> Floats:
    """Subtract the mean; exactly 0 where all values are the same."""
    if len(x) == 0 or x.min() == x.max():
        return np.zeros(len(x))
    centred: Floats = x - x.mean()
    return centred


def _clusters(x: Floats, lag: Floats, q: Floats, level: float) -> NDArray[np.int8]:
    """Give each unit the place of its cluster in `CLUSTERS`, -1 where there was no test."""
    code = np.full(len(x), 4, np.int8)
    sure = q <= level
    code[sure & (x > 0) & (lag > 0)] = 0
    code[sure & (x < 0) & (lag < 0)] = 1
    code[sure & (x > 0) & (lag < 0)] = 2
    code[sure & (x < 0) & (lag > 0)] = 3
    code[np.isnan(q)] = -1
    return code


def _nothing(n: int, total: Floats) -> str:
    why = "no unit has neighbours" if n and not total.any() else "every value is the same"
    return f"a local Moran of {n} units has no answer because {why if n else 'there are none'}; its scores are missing"
