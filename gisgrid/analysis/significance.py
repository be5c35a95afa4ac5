"""Which findings are more than chance, when so many units are tested at once?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from scipy import special

from gisgrid.errors import IndexMismatchError, InputError
from gisgrid.palette import LABELS, Label

Correction = Literal["fdr", "bonferroni", "none"]
CORRECTIONS: Final = ("fdr", "bonferroni", "none")

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
    order = there[np.argsort(tested[there])[::-1]]
    m = len(order)
    q[order] = np.minimum.accumulate(tested[order] * (m / np.arange(m, 0, -1.0)))
    return pd.Series(q, index=p.index, name="q")


def corrected(p: pd.Series, correction: Correction = "fdr") -> pd.Series:
    """Allow for the many tests of one map: by false discoveries, by Bonferroni, or not at all.

    Parameters
    ----------
    p
        Shape (n,), p values, 0 to 1; NaN where there was no test.
    correction
        ``fdr``: `false_discovery`. ``bonferroni``: p times the number of tests, at most 1; that not one finding of the
        map be false. ``none``: p itself, which holds for one unit chosen beforehand only.

    Returns
    -------
    Series
        Shape (n,), indexed like `p`: q, 0 to 1.

    Raises
    ------
    InputError
        No such correction, or a p value outside 0 to 1.

    Examples
    --------
    >>> corrected(pd.Series([0.01, 0.3, np.nan]), "bonferroni").to_list()
    [0.02, 0.6, nan]
    """
    if correction not in CORRECTIONS:
        raise InputError(
            f"there is no correction {correction!r}; choose one of {', '.join(CORRECTIONS)}"
        )
    if correction == "fdr":
        return false_discovery(p)
    times = 1 if correction == "none" else int(p.notna().sum())
    return pd.Series(np.minimum(1.0, p.to_numpy(dtype=float) * times), index=p.index, name="q")


def normal_p(z: NDArray[np.float64], alternative: str = "two-sided") -> NDArray[np.float64]:
    """Say how often chance alone would give a score as far out, by the normal distribution.

    Parameters
    ----------
    z
        Shape (n,), standard deviations.
    alternative
        ``two-sided``, ``greater`` or ``less``.

    Returns
    -------
    ndarray
        Shape (n,), 0 to 1; taken from the tail itself, so that small p keep their digits.

    Examples
    --------
    >>> normal_p(np.array([1.96, -1.96])).round(3), normal_p(np.array([1.96]), "greater").round(3)
    (array([0.05, 0.05]), array([0.025]))
    """
    if alternative == "two-sided":
        return 2 * special.ndtr(-np.abs(z))
    return special.ndtr(-z) if alternative == "greater" else special.ndtr(z)


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
    code = np.full(len(score), LABELS.index("not_significant"), np.int8)
    for level, hot, cold in _LEVELS:
        code[(chance <= level) & (score > 0)] = LABELS.index(hot)
        code[(chance <= level) & (score < 0)] = LABELS.index(cold)
    code[np.isnan(score) | np.isnan(chance)] = -1
    return pd.Series(words(code, LABELS), index=z.index, name="label")


def words(code: NDArray[np.int8], names: Sequence[str]) -> pd.api.extensions.ExtensionArray:
    """Give places in a list of names as text, a million at a time.

    Parameters
    ----------
    code
        Shape (n,), places in `names`; -1 for none.
    names
        The names.

    Returns
    -------
    ExtensionArray
        Shape (n,), the default strings of pandas 3, which pandas 2.3 has under this name; missing for -1.
    """
    text = pa.DictionaryArray.from_arrays(pa.array(code, mask=code < 0), pa.array(names))
    found: pd.api.extensions.ExtensionArray = pd.array(
        text.cast(pa.large_string()), dtype=pd.StringDtype(na_value=np.nan)
    )
    return found
