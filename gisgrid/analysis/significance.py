"""Which findings are more than chance, when so many units are tested at once?"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from gisgrid.errors import IndexMismatchError, InputError
from gisgrid.palette import Label

_LEVELS: Final[tuple[tuple[float, Label, Label], ...]] = (
    (0.10, "hot_90", "cold_90"),
    (0.05, "hot_95", "cold_95"),
    (0.01, "hot_99", "cold_99"),
)


def false_discovery(p: pd.Series) -> pd.Series:
    """Say how large a share of the findings would be false if the line were drawn here (q values).

    Of 100 units without any hotspot, five have p ≤ 0.05 by chance alone. Calling hot only what has q ≤ 0.05 keeps the
    expected share of false ones among all that are called hot at 5 %.

    Parameters
    ----------
    p
        Shape (n,), two-sided p values, 0 to 1; NaN where there was no test.

    Returns
    -------
    Series
        Shape (n,), indexed like `p`: q, 0 to 1, never under p; NaN where `p` is. Only tests count: units without one
        do not make the others less certain.

    Raises
    ------
    InputError
        A p value lies outside 0 to 1.

    Notes
    -----
    q of the k-th smallest of m p values is the least ``p_(j) m / j`` over j ≥ k. Neighbouring units share data, so
    their tests are positively dependent; the procedure holds under such dependence (Benjamini & Yekutieli 2001).
    CRS: none needed here. Cost: O(n log n). Source: Benjamini & Hochberg 1995; for local statistics on maps Caldas de
    Castro & Singer 2006. Checked against: R `p.adjust`, scipy `false_discovery_control`.

    Examples
    --------
    >>> p = pd.Series([0.001, 0.008, 0.039, np.nan, 0.041])
    >>> false_discovery(p).round(3).to_list()
    [0.004, 0.016, 0.041, nan, 0.041]
    """
    tested = p.to_numpy(dtype=float, na_value=np.nan)
    if (outside := (tested < 0) | (tested > 1)).any():
        raise InputError(
            f"{outside.sum()} of {len(tested)} p values lie outside 0 to 1 "
            f"(first: {p.index[outside][0]!r}, {tested[outside][0]:g}); give probabilities, not z scores or percentages"
        )
    q = np.full(len(tested), np.nan)
    there = np.flatnonzero(~np.isnan(tested))
    order = there[np.argsort(tested[there], kind="stable")[::-1]]
    m = len(order)
    q[order] = np.minimum.accumulate(tested[order] * (m / np.arange(m, 0, -1.0)))
    return pd.Series(q, index=p.index, name="q")


def significance_labels(z: pd.Series, q: pd.Series) -> pd.Series:
    """Put each unit into one of the seven classes of a hotspot map, from hot at 99 % to cold at 99 %.

    Parameters
    ----------
    z
        Shape (n,), standard deviations above (hot) or below (cold) what is expected.
    q
        Shape (n,), indexed like `z`: what `false_discovery` says, 0 to 1.

    Returns
    -------
    Series
        Shape (n,), strings of `gisgrid.palette.LABELS`, indexed like `z`: ``hot_99`` where q ≤ 0.01 and z > 0,
        ``hot_95`` where q ≤ 0.05, ``hot_90`` where q ≤ 0.10, ``cold_…`` likewise where z < 0, else
        ``not_significant``; missing where there was no test (z or q missing).

    Raises
    ------
    IndexMismatchError
        `z` and `q` are not indexed alike.

    Notes
    -----
    CRS: none needed here.

    Examples
    --------
    >>> z, q = pd.Series([4.1, -2.6, 1.0, np.nan]), pd.Series([0.001, 0.04, 0.5, np.nan])
    >>> significance_labels(z, q).to_list()
    ['hot_99', 'cold_95', 'not_significant', nan]
    """
    if not z.index.equals(q.index):
        raise IndexMismatchError(
            f"the {len(z)} z scores and {len(q)} q values to label are not indexed alike; "
            "take both from one result, for example q = false_discovery(result['p'])"
        )
    score = z.to_numpy(dtype=float, na_value=np.nan)
    chance = q.to_numpy(dtype=float, na_value=np.nan)
    labels = np.full(len(score), "not_significant", dtype=object)
    for level, hot, cold in _LEVELS:
        labels[(chance <= level) & (score > 0)] = hot
        labels[(chance <= level) & (score < 0)] = cold
    labels[np.isnan(score) | np.isnan(chance)] = np.nan
    # The default strings of pandas 3, which pandas 2.3 has under this name.
    return pd.Series(labels, index=z.index, name="label", dtype=pd.StringDtype(na_value=np.nan))
