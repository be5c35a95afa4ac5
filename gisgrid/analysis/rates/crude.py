"""How many per resident, per household, per km²?"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gisgrid.errors import IndexMismatchError, InputError


def rate(counts: pd.Series, denominator: pd.Series, *, per: float = 1.0) -> pd.Series:
    """Say how many issues there are for every thousand residents (or km², or households) of a unit.

    Where nobody lives there is no rate: the answer is missing, never infinity and never zero. A rate on few residents
    jumps with every single issue; show the residents beside it.

    Parameters
    ----------
    counts
        Shape (n,), issues per unit; missing where unknown.
    denominator
        Shape (n,), indexed like `counts`: residents, km², households; 0 or missing where there are none.
    per
        The base of the rate: 1000 for issues per 1000 residents.

    Returns
    -------
    Series
        Shape (n,), float, indexed like `counts`: ``counts / denominator * per``; NaN where the denominator is 0 or
        either is missing.

    Raises
    ------
    IndexMismatchError
        The two are not indexed alike.
    InputError
        A denominator or `per` is negative, or `per` is 0.

    Notes
    -----
    CRS: none needed here.

    Examples
    --------
    >>> counts = pd.Series([6, 2, 0], index=["a", "b", "c"])
    >>> residents = pd.Series([2_000, 0, 500], index=["a", "b", "c"])
    >>> rate(counts, residents, per=1_000).to_list()
    [3.0, nan, 0.0]
    """
    if not per > 0:
        raise InputError(
            f"a rate per {per:g} has no meaning; give a base above 0, for example 1000"
        )
    above, below = numbers_and_denominators(counts, denominator)
    return pd.Series(above / below * per, index=counts.index, name="rate")


def excess(counts: pd.Series, denominator: pd.Series) -> pd.Series:
    """Say how far each unit's issues are above what its residents (or km²) lead one to expect, in standard deviations.

    Rates of small units vary more than those of large ones, so the highest and the lowest rates are always found where
    few people live. The excess varies alike everywhere, so that units of unequal size can be tested together.

    Parameters
    ----------
    counts
        Shape (n,), issues per unit; missing where unknown.
    denominator
        Shape (n,), indexed like `counts`: residents, km², households; 0 or missing where there are none.

    Returns
    -------
    Series
        Shape (n,), float, indexed like `counts`: ``(counts - expected) / sqrt(expected)``, where expected is the
        unit's share of all counts by its denominator; above 0 for more than expected. NaN where the denominator is 0
        or either is missing, and everywhere where nothing was counted.

    Raises
    ------
    IndexMismatchError
        The two are not indexed alike.
    InputError
        A denominator is negative.

    Notes
    -----
    The Pearson residual of a Poisson model with one rate for the whole city. Where less than about one issue is
    expected a single one is a large excess; leave such units out. CRS: none needed here. Source: the Pearson residual
    in McCullagh & Nelder 1989, section 2.4.

    Examples
    --------
    >>> counts = pd.Series([30, 6, 4], index=["a", "b", "c"])
    >>> residents = pd.Series([2_000, 1_000, 1_000], index=["a", "b", "c"])
    >>> excess(counts, residents).round(2).to_list()
    [2.24, -1.26, -1.9]
    """
    above, below = numbers_and_denominators(counts, denominator)
    both = ~np.isnan(above + below)
    total = below[both].sum()
    expected = below * (above[both].sum() / total if total > 0 else np.nan)
    expected[~(expected > 0)] = np.nan
    return pd.Series((above - expected) / np.sqrt(expected), index=counts.index, name="excess")


def numbers_and_denominators(
    counts: pd.Series, denominator: pd.Series
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Read counts and denominators as numbers; a denominator of 0 is missing.

    Parameters
    ----------
    counts
        Shape (n,), issues per unit; missing where unknown.
    denominator
        Shape (n,), indexed like `counts`.

    Returns
    -------
    tuple of ndarray
        Both of shape (n,); NaN where missing.

    Raises
    ------
    IndexMismatchError
        The two are not indexed alike.
    InputError
        A denominator or a count is negative.
    """
    if not counts.index.equals(denominator.index):
        raise IndexMismatchError(
            f"{len(counts)} counts and {len(denominator)} denominators are not indexed alike; "
            "align them first, for example denominator.reindex(counts.index)"
        )
    above = counts.to_numpy(dtype=float, na_value=np.nan)
    below = denominator.to_numpy(dtype=float, na_value=np.nan)
    for what, values in (("denominators", below), ("counts", above)):
        if (negative := values < 0).any():
            raise InputError(
                f"{negative.sum()} of {len(values)} {what} are negative "
                f"(first: {counts.index[negative][0]!r}, {values[negative][0]:g}); correct them or set them missing"
            )
    return above, np.where(below == 0, np.nan, below)
