"""What changed between two periods, and how alike are two hotspot maps?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
import pandas as pd
from libpysal.graph import Graph
from numpy.typing import NDArray
from scipy import special

from gisgrid.analysis.alignment import Floats, aligned
from gisgrid.analysis.rates.crude import numbers_and_denominators
from gisgrid.analysis.significance import Correction, corrected, words
from gisgrid.errors import IndexMismatchError, InputError, warn_null
from gisgrid.palette import LABELS

Against = Literal["itself", "city"]

_CHANGES: Final = ("fell", "no_change", "rose")


@dataclass(frozen=True)
class HotspotSimilarity:
    """How alike two hotspot maps are, and how alike chance would make them.

    Attributes
    ----------
    similarity
        Mean of `local`, 0 (nothing in common) to 1 (the same).
    expected
        What the similarity would be if the maps had nothing to do with each other, each as patchy as it is.
    kappa
        (similarity - expected) / (1 - expected): 0 no better than chance, 1 the same; NaN where chance alone gives 1.
    n
        Units that have a label on both maps.
    local
        Shape (n,), similarity of each unit, indexed like the maps; NaN where a label is missing.
    table
        Units by label on the first map (rows) and on the second (columns).
    """

    similarity: float
    expected: float
    kappa: float
    n: int
    local: pd.Series
    table: pd.DataFrame


def hotspot_similarity(
    first: pd.Series,
    second: pd.Series,
    graph: Graph | None = None,
    *,
    tolerance: int = 2,
    nearby: float = 0.5,
) -> HotspotSimilarity:
    """Say how much two hotspot maps agree, beyond what two maps of few hotspots agree anyway (fuzzy kappa).

    Two maps that are not significant nearly everywhere agree nearly everywhere; that is no sign that the same places are
    hot. Read `kappa`, not `similarity`.

    Parameters
    ----------
    first, second
        Shape (n,), labels as from `significance_labels`, indexed alike; missing where there was no test.
    graph
        n nodes, the same names: a match next door counts as part of a match. None: only the unit itself counts.
    tolerance
        How far apart labels still have something in common, on the scale from cold at 99 % to hot at 99 % in seven
        steps: labels d steps apart are alike by 1 - d / (tolerance + 1), at least 0. 0: only the same label counts; 5:
        alike evenly over the whole scale.
    nearby
        How much a match next door counts, 0 to 1.

    Returns
    -------
    HotspotSimilarity
        Global figures, the local similarity, and the table of labels.

    Raises
    ------
    IndexMismatchError
        The maps, or the graph, do not name the same units.
    InputError
        A label that is none, or a tolerance or a share out of range.

    Warns
    -----
    NullResultWarning
        No unit has a label on both maps, or both maps are the same label everywhere: kappa is missing.

    Notes
    -----
    For each unit, how well its label on one map is met within its neighbourhood on the other, and the other way round;
    the smaller of the two. Expected is exact: the mean over all pairings of a unit's neighbourhood on the first map with
    any unit's on the second, so that it allows for how clustered each map is. CRS: none needed here. Cost: O(edges +
    n log n). Source: Hagen 2003; Hagen-Zanker 2009. Checked against: scikit-learn's weighted kappa (without graph), all
    n² pairings.

    Examples
    --------
    >>> first = pd.Series(["hot_99", "hot_95", "not_significant", "not_significant"])
    >>> second = pd.Series(["hot_95", "hot_95", "not_significant", "cold_90"])
    >>> found = hotspot_similarity(first, second)
    >>> round(found.similarity, 3), round(found.expected, 3), round(found.kappa, 3)
    (0.833, 0.521, 0.652)
    """
    if not first.index.equals(second.index):
        raise IndexMismatchError(
            f"{len(first)} and {len(second)} labels of two maps are not indexed alike; "
            "align them first, for example second.reindex(first.index)"
        )
    if not 0 <= tolerance <= 5 or not 0 <= nearby <= 1:
        raise InputError(
            f"a tolerance of {tolerance!r} steps with {nearby!r} for neighbours is out of range; give 0 to 5 and 0 to 1"
        )
    a, b = _label_codes(first), _label_codes(second)
    there = (a >= 0) & (b >= 0)
    steps = abs(np.arange(len(LABELS))[:, None] - np.arange(len(LABELS)))
    alike = np.maximum(0.0, 1.0 - steps / (tolerance + 1))
    of_first, of_second = alike[a], alike[b]  # how well each label is met there: (n, 7)
    if graph is not None:
        of_first, of_second = _with_neighbours(
            first.index, graph, there, of_first, of_second, nearby
        )
    each = np.arange(len(a))
    local = np.where(there, np.minimum(of_second[each, a], of_first[each, b]), np.nan)
    if not there.any():
        warn_null("no unit has a label on both maps, so they cannot be compared; all is missing")
        similarity = expected = np.nan
    else:
        similarity = float(local[there].mean())
        expected = _expected(a[there], b[there], of_first[there], of_second[there])
        if 1 - expected < 1e-12:
            warn_null(
                "both maps have one label everywhere, so they agree by chance too; kappa is missing"
            )
    room = 1 - expected
    return HotspotSimilarity(
        similarity,
        expected,
        (similarity - expected) / room if room >= 1e-12 else np.nan,
        int(there.sum()),
        pd.Series(local, index=first.index, name="similarity"),
        _crosstab(a[there], b[there]),
    )


def rate_change(
    before: pd.Series,
    after: pd.Series,
    *,
    exposure_before: pd.Series | float = 1.0,
    exposure_after: pd.Series | float = 1.0,
    against: Against = "itself",
    level: float = 0.95,
    correction: Correction = "fdr",
) -> pd.DataFrame:
    """Say which units have more or fewer reports than in the period before, how many times, and how sure that is.

    Parameters
    ----------
    before, after
        Shape (n,), reports per unit in each period, indexed alike; missing where unknown.
    exposure_before, exposure_after
        What the counts are measured by: the days of each period, patrol km, residents; a number, or shape (n,). Above 0;
        a unit with 0 has no rate.
    against
        ``itself``: the unit's own rate before. ``city``: the same, over what happened to the city as a whole.
    level
        Of the intervals, 0 to 1.
    correction
        What is done about the many units; see `corrected`.

    Returns
    -------
    DataFrame
        Shape (n, 10), indexed like `before`: `n_before`, `n_after`, `rate_before`, `rate_after`, `ratio` (after / before;
        NaN where one has no report in the first), `low`, `high` (its interval; `high` is NaN, that is without bound,
        where there was no report before), `p` (two-sided), `q`, `change` (``rose`` or ``fell`` where q ≤ 1 - `level`, else
        ``no_change``). Missing where neither period has a report, or no exposure.

    Raises
    ------
    IndexMismatchError
        The inputs are not indexed alike.
    InputError
        Negative counts or exposures, counts that are not whole, or a level or option that does not exist.

    Warns
    -----
    NullResultWarning
        There is no report in either period.

    Notes
    -----
    Given the sum of both periods the reports after are binomial; the interval is Clopper & Pearson's and p twice the
    smaller tail, both exact for reports that come independently. Reports that come in bursts vary more, and the interval
    is then too narrow: count incidents, and choose periods that are long against the bursts. Compare like seasons. CRS:
    none needed here. Cost: O(n log n). Source: Przyborowski & Wilenski 1940. Checked against: scipy `binomtest`.

    Examples
    --------
    >>> before, after = pd.Series([40, 10, 0], index=list("abc")), pd.Series([12, 11, 3], index=list("abc"))
    >>> rate_change(before, after)[["ratio", "low", "high", "change"]].round(2).loc[["a", "c"]].to_numpy().tolist()
    [[0.3, 0.14, 0.58, 'fell'], [nan, 0.41, nan, 'no_change']]
    """
    if against not in get_args(Against):
        raise InputError(f"there is no comparison against {against!r}; choose 'itself' or 'city'")
    if not 0 < level < 1:
        raise InputError(f"an interval of level {level:g} does not exist; give for example 0.95")
    if not before.index.equals(after.index):
        raise IndexMismatchError(
            f"{len(before)} counts before and {len(after)} after are not indexed alike; "
            "align them first, for example after.reindex(before.index)"
        )
    y0, e0 = _counted(before, exposure_before)
    y1, e1 = _counted(after, exposure_after)
    there = ~np.isnan(y0 + y1 + e0 + e1)
    total = np.where(there, y0 + y1, np.nan)
    odds = e1 / e0
    if not np.nansum(total) > 0:
        warn_null(
            "a change has no answer because there is no report in either period; it is missing"
        )
    elif against == "city":
        n0, n1, m0, m1 = (float(part[there].sum()) for part in (y0, y1, e0, e1))
        odds = odds * (n1 / m1) / (n0 / m0) if n0 and n1 else np.full(len(y0), np.nan)
    total[total == 0] = np.nan
    low, high, p = _binomial(y1, total, odds / (1 + odds), level)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = y1 / y0 / odds
        low, high = low / (1 - low) / odds, high / (1 - high) / odds
    for column in (ratio, low, high):
        column[~np.isfinite(column)] = np.nan
    p_of = pd.Series(p, index=before.index, name="p")
    q = corrected(p_of, correction)
    side = np.where(y1 > total * odds / (1 + odds), 2, 0)
    code = np.where(q.to_numpy() <= 1 - level, side, 1)
    return pd.DataFrame(
        {
            "n_before": y0, "n_after": y1, "rate_before": y0 / e0, "rate_after": y1 / e1,
            "ratio": ratio, "low": low, "high": high, "p": p_of, "q": q,
            "change": words(np.where(np.isnan(p), -1, code).astype(np.int8), _CHANGES),
        },
        index=before.index,
    )  # fmt: skip


def _binomial(k: Floats, n: Floats, share: Floats, level: float) -> tuple[Floats, Floats, Floats]:
    """Give the exact interval of a share, and p of `share` by twice the smaller tail."""
    rest = n - k
    tail = (1 - level) / 2
    low = np.where(k > 0, special.betaincinv(np.maximum(k, 0.5), rest + 1, tail), 0.0)
    high = np.where(rest > 0, special.betaincinv(k + 1, np.maximum(rest, 0.5), 1 - tail), 1.0)
    at_most = np.where(rest > 0, special.betainc(np.maximum(rest, 0.5), k + 1, 1 - share), 1.0)
    at_least = np.where(k > 0, special.betainc(np.maximum(k, 0.5), rest + 1, share), 1.0)
    unknown = np.isnan(n) | np.isnan(share)
    p = np.where(unknown, np.nan, np.minimum(1.0, 2 * np.minimum(at_most, at_least)))
    return np.where(unknown, np.nan, low), np.where(unknown, np.nan, high), p


def _counted(counts: pd.Series, exposure: pd.Series | float) -> tuple[Floats, Floats]:
    measure = (
        exposure
        if isinstance(exposure, pd.Series)
        else pd.Series(float(exposure), index=counts.index)
    )
    y, e = numbers_and_denominators(counts, measure)
    odd = (y != np.round(y)) & ~np.isnan(y)
    if odd.any():
        raise InputError(
            f"{odd.sum()} of {len(y)} counts are not whole (first: {counts.index[odd][0]!r}, {y[odd][0]:g}); "
            "give numbers of reports, and what they are measured by as exposure"
        )
    return y, e


def _label_codes(labels: pd.Series) -> NDArray[np.intp]:
    code = pd.Index(LABELS).get_indexer(pd.Index(labels))
    wrong = (code < 0) & labels.notna().to_numpy()
    if wrong.any():
        raise InputError(
            f"{wrong.sum()} of {len(labels)} labels are none of a hotspot map (first: {labels[wrong].iloc[0]!r}); "
            f"there are: {', '.join(LABELS)}"
        )
    return code


def _with_neighbours(  # noqa: PLR0917 - both maps' memberships, and how far a neighbour's counts
    index: pd.Index,
    graph: Graph,
    there: NDArray[np.bool_],
    of_first: Floats,
    of_second: Floats,
    nearby: float,
) -> tuple[Floats, Floats]:
    """Let each label also be met by a neighbour's, as far as that counts."""
    weights = aligned(pd.Series(0.0, index=index), graph).weights
    focal = np.repeat(np.arange(len(index)), np.diff(weights.indptr))
    kept = there[weights.indices] & (focal != weights.indices)
    focal, neighbour = focal[kept], weights.indices[kept]
    found = []
    for own in (of_first, of_second):
        wider = own.copy()
        if len(focal):
            starts = np.flatnonzero(np.r_[True, focal[1:] != focal[:-1]])
            best = np.maximum.reduceat(own[neighbour], starts, axis=0)
            wider[focal[starts]] = np.maximum(own[focal[starts]], nearby * best)
        found.append(wider)
    return found[0], found[1]


def _expected(
    a: NDArray[np.intp], b: NDArray[np.intp], of_first: Floats, of_second: Floats
) -> float:
    """Take the mean over all pairs of a unit of the first and a unit of the second map of the smaller membership."""
    total = 0.0
    for label in np.unique(a):
        for other in np.unique(b):
            total += _sum_of_smaller(of_first[a == label, other], of_second[b == other, label])
    return total / len(a) ** 2


def _sum_of_smaller(one: Floats, two: Floats) -> float:
    """Sum min(x, y) over all pairs of x and y."""
    ranked = np.sort(two)
    below = np.searchsorted(ranked, one, side="left")
    sums = np.r_[0.0, np.cumsum(ranked)]
    return float((sums[below] + one * (len(two) - below)).sum())


def _crosstab(a: NDArray[np.intp], b: NDArray[np.intp]) -> pd.DataFrame:
    n = len(LABELS)
    counts = np.bincount(a * n + b, minlength=n * n).reshape(n, n)
    return pd.DataFrame(
        counts, index=pd.Index(LABELS, name="first"), columns=pd.Index(LABELS, name="second")
    )
