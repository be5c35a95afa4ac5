"""Where do units with a property lie together (local join counts)?"""

from __future__ import annotations

import numpy as np
import pandas as pd
from libpysal.graph import Graph
from scipy import stats

from gisgrid.analysis.alignment import aligned, without_self
from gisgrid.analysis.significance import Correction, corrected
from gisgrid.errors import InputError, warn_null


def local_join_counts(
    flags: pd.Series, graph: Graph, *, correction: Correction = "fdr"
) -> pd.DataFrame:
    """Say where units that have something (a dry toilet, a hot label, an open case) lie next to others that have it.

    Parameters
    ----------
    flags
        Shape (n,), True or False (or 1 and 0) per unit. A missing one leaves its unit out.
    graph
        n nodes, the same names as ``flags.index``; every neighbour counts 1, whatever its weight.
    correction
        What is done about the many tests: ``fdr``, ``bonferroni`` or ``none``.

    Returns
    -------
    DataFrame
        Shape (n, 4), indexed like `flags`: `n_joins` (neighbours that have it too; 0 where the unit has it not), `p`
        (one-sided: as many joins or more, by chance), `q`, `n_neighbours`. p and q are NaN for units that have it not
        and for isolates.

    Raises
    ------
    IndexMismatchError
        `flags` and `graph` do not name the same units.
    InputError
        Something other than True and False.

    Warns
    -----
    NullResultWarning
        No unit, or every unit, has it: there is nothing to find.

    Notes
    -----
    With the unit's own flag held, the number of joins is hypergeometric: p is exact, no permutation is drawn.
    CRS: none needed here. Source: Anselin & Li 2019. Checked against: esda `Join_Counts_Local` (whose permutations
    approach this p).

    Examples
    --------
    >>> graph = Graph.from_arrays([0, 1, 1, 2, 2, 3], [1, 0, 2, 1, 3, 2], [1, 1, 1, 1, 1, 1])
    >>> found = local_join_counts(pd.Series([True, True, False, False]), graph)
    >>> found["n_joins"].to_list(), found["p"].round(3).to_list()
    ([1, 1, 0, 0], [0.333, 0.667, nan, nan])
    """
    given = aligned(flags.astype(float) if flags.dtype == bool else flags, graph)
    has = given.x
    if not np.isin(has, (0.0, 1.0)).all():
        first = has[~np.isin(has, (0.0, 1.0))][0]
        raise InputError(
            f"join counts need True or False per unit but {flags.name or 'flags'!r} holds {first:g}; "
            "compare first, for example counts > 0"
        )
    weights = without_self(given.weights)
    near = weights.copy()
    near.data = np.ones(len(near.data))
    n, n_has, k = len(has), int(has.sum()), np.diff(weights.indptr).astype(np.int64)
    if n_has in {0, n}:
        who = "no unit" if n_has == 0 else "every unit"
        warn_null(f"join counts of {n} units have no answer because {who} has the property")
    joins = np.rint(has * (near @ has)).astype(np.int64)
    tested = (has == 1) & (k > 0) & (n_has < n)
    p = np.full(n, np.nan)
    p[tested] = stats.hypergeom.sf(joins[tested] - 1, n - 1, n_has - 1, k[tested])
    q = corrected(pd.Series(np.clip(p, 0, 1)), correction).to_numpy()
    return given.frame({"n_joins": joins, "p": np.clip(p, 0, 1), "q": q, "n_neighbours": k})
