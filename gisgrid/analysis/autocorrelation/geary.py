"""Which units differ from their neighbours more, or less, than chance (Geary)?"""

from __future__ import annotations

import numpy as np
import pandas as pd
from libpysal.graph import Graph

from gisgrid.analysis.alignment import aligned, without_self
from gisgrid.analysis.permutations import (
    Alternative,
    require_permutations,
    spread_exceedances,
    squared_differences,
)
from gisgrid.analysis.significance import Correction, corrected
from gisgrid.errors import InputError, warn_null


def local_geary(
    values: pd.Series,
    graph: Graph,
    *,
    permutations: int = 999,
    alternative: Alternative = "two-sided",
    correction: Correction = "fdr",
    seed: int = 0,
) -> pd.DataFrame:
    """Say where a unit differs sharply from its neighbours, or resembles them closely, whatever the level is.

    Moran asks whether neighbours are on the same side of the city's mean; Geary asks how far apart they are.

    Parameters
    ----------
    values
        Shape (n,), a rate or count per unit. A missing value leaves its unit out, as if the unit were not there.
    graph
        n nodes, the same names as ``values.index``. Self-weights are not used.
    permutations
        19 to 999 999 conditional permutations; there is no useful normal approximation.
    alternative
        ``two-sided``; ``less`` (more alike than chance) or ``greater`` (more different).
    correction
        What is done about the many tests: ``fdr``, ``bonferroni`` or ``none``.
    seed
        Seed of the permutations.

    Returns
    -------
    DataFrame
        Shape (n, 4), indexed like `values`: `c` (Σ_j w_ij (x_i - x_j)² / m₂ with weights that sum to 1; 0 where all
        neighbours are the same, about 2 by chance), `p`, `q`, `n_neighbours`. Isolates are NaN.

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
    m₂ = Σ (x - x̄)² / n. CRS: none needed here. Source: Anselin 1995, 2019. Checked against: esda `Geary_Local`.

    Examples
    --------
    >>> graph = Graph.from_arrays([0, 1, 1, 2, 2, 3], [1, 0, 2, 1, 3, 2], [1, 1, 1, 1, 1, 1])
    >>> local_geary(pd.Series([9.0, 8.0, 1.0, 2.0]), graph)["c"].round(2).to_list()
    [0.08, 2.0, 2.0, 0.08]
    """
    require_permutations(permutations, alternative)
    if permutations == 0:
        raise InputError(
            "local Geary has no normal approximation worth using; give permutations, for example 999"
        )
    given = aligned(values, graph)
    weights = without_self(given.weights)
    x, n = given.x, len(given.x)
    total = np.asarray(weights.sum(axis=1)).ravel()
    varies = n > 0 and x.min() < x.max()
    scored = (total > 0) & varies
    if not scored.any():
        why = "every value is the same" if not varies else "no unit has neighbours"
        warn_null(f"a local Geary of {n} units has no answer because {why}; its scores are missing")
    drawn = spread_exceedances(x, weights, permutations=permutations, seed=seed)
    p = np.where(scored, drawn.p(alternative), np.nan)
    c = np.full(n, np.nan)
    np.divide(squared_differences(x, weights), total * (x.var() if n else 1.0), out=c, where=scored)
    columns = {
        "c": c,
        "p": p,
        "q": corrected(pd.Series(p), correction).to_numpy(),
        "n_neighbours": np.diff(weights.indptr).astype(np.int64),
    }
    return given.frame(columns)
