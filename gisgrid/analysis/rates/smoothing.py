"""What would a unit's rate be if chance played a smaller part in it?"""

from __future__ import annotations

import numpy as np
import pandas as pd
from libpysal.graph import Graph
from scipy import sparse

from gisgrid.analysis.alignment import Floats, aligned, without_self
from gisgrid.analysis.rates.crude import numbers_and_denominators


def empirical_bayes(
    counts: pd.Series, denominator: pd.Series, *, per: float = 1.0, graph: Graph | None = None
) -> pd.Series:
    """Draw the rates of small units towards the city's (or the neighbourhood's), as far as chance explains them.

    A unit of 50 residents with one report has no rate worth mapping; one of 50 000 residents speaks for itself.

    Parameters
    ----------
    counts
        Shape (n,), issues per unit; missing where unknown.
    denominator
        Shape (n,), indexed like `counts`: residents, km², km of street; 0 or missing where there are none.
    per
        The base of the rate: 1000 for issues per 1000 residents.
    graph
        n nodes, the same names: draw towards the unit with its neighbours rather than towards the city. Weights are not
        used.

    Returns
    -------
    Series
        Shape (n,), indexed like `counts`: a rate between the unit's own and the one it is drawn to; NaN where the
        denominator is 0 or either is missing.

    Raises
    ------
    IndexMismatchError
        The inputs do not name the same units.
    InputError
        A denominator is negative, or a count is.

    Notes
    -----
    With r = y / n, m = Σy / Σn, s² = Σ n (r - m)² / Σn and a = max(0, s² - m / n̄): m + (r - m) a / (a + m / n); locally
    all sums run over the unit and its neighbours. CRS: none needed here. Source: Marshall 1991. Checked against: R spdep
    `EBest` and `EBlocal`.

    Examples
    --------
    >>> counts, residents = pd.Series([1, 90, 200]), pd.Series([50, 8_000, 90_000])
    >>> empirical_bayes(counts, residents, per=1_000).round(2).to_list()
    [4.57, 10.78, 2.23]
    """
    y, n = numbers_and_denominators(counts, denominator)
    known = ~np.isnan(y + n)
    around = sparse.csr_array(np.ones((1, int(known.sum()))))
    if graph is not None:
        given = aligned(pd.Series(np.where(known, y, np.nan), counts.index), graph)
        around = _with_self(given.weights)
    y, n = y[known], n[known]
    total_y, total_n, units = around @ y, around @ n, around @ np.ones(len(y))
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = total_y / total_n
        raw = y / n
        spread = (around @ (n * raw**2)) / total_n - mean**2
        prior = np.maximum(0.0, spread - mean * units / total_n)
        own = mean / n
        share = np.where(prior + own > 0, prior / (prior + own), 0.0)
    found = np.full(len(counts), np.nan)
    found[known] = (mean + (raw - mean) * share) * per
    return pd.Series(found, index=counts.index, name="rate")


def smoothed_rate(
    counts: pd.Series, denominator: pd.Series, graph: Graph, *, per: float = 1.0
) -> pd.Series:
    """Give each unit the rate of itself and its neighbours together.

    Steadier than its own rate and easier to explain than a model; it also spreads a single bad unit over its neighbours.

    Parameters
    ----------
    counts
        Shape (n,), issues per unit; missing where unknown.
    denominator
        Shape (n,), indexed like `counts`; 0 or missing where there are none.
    graph
        n nodes, the same names; weights are not used.
    per
        The base of the rate.

    Returns
    -------
    Series
        Shape (n,), indexed like `counts`: Σ counts / Σ denominators of the unit and its neighbours; NaN where the unit
        itself has no rate.

    Raises
    ------
    IndexMismatchError
        The inputs do not name the same units.
    InputError
        A denominator is negative, or a count is.

    Notes
    -----
    CRS: none needed here. Source: Kafadar 1996. Checked against: esda `Spatial_Rate`.

    Examples
    --------
    >>> graph = Graph.from_arrays([0, 1, 1, 2], [1, 0, 2, 1], [1, 1, 1, 1])
    >>> smoothed_rate(pd.Series([2, 0, 4]), pd.Series([100, 100, 200]), graph, per=1_000).to_list()
    [10.0, 15.0, 13.333333333333334]
    """
    y, n = numbers_and_denominators(counts, denominator)
    known = ~np.isnan(y + n)
    given = aligned(pd.Series(np.where(known, y, np.nan), counts.index), graph)
    around = _with_self(given.weights)
    found: Floats = np.full(len(counts), np.nan)
    found[known] = (around @ y[known]) / (around @ n[known]) * per
    return pd.Series(found, index=counts.index, name="rate")


def _with_self(weights: sparse.csr_array) -> sparse.csr_array:
    near = without_self(weights).copy()
    near.data = np.ones(len(near.data))
    return (near + sparse.eye_array(near.shape[0])).tocsr()
