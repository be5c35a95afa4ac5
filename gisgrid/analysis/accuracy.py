"""Did the hotspots of yesterday hold the reports of today?"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from gisgrid.analysis.alignment import Floats
from gisgrid.errors import IndexMismatchError, InputError, warn_null

SHARES = (0.01, 0.02, 0.05, 0.10, 0.20)
"""Shares of the city's area at which a map is judged: what an inspection team can walk."""


def predictive_accuracy(
    scores: pd.Series,
    later: pd.Series,
    area_km2: pd.Series,
    *,
    shares: Sequence[float] = SHARES,
    earlier: pd.Series | None = None,
) -> pd.DataFrame:
    """Say how many of the later reports lay in the areas that a map would have sent people to.

    Parameters
    ----------
    scores
        Shape (n,), what the map ranks the areas by (z, density, a count); higher is hotter. A missing score comes last.
    later
        Shape (n,), indexed like `scores`: reports of a later period, 0 and above.
    area_km2
        Shape (n,), indexed like `scores`: above 0.
    shares
        Shares of the whole area to judge at, above 0 to 1. Areas are taken from the hottest on while they fit.
    earlier
        Shape (n,), indexed like `scores`: reports of the period the map was made from, for `rri`.

    Returns
    -------
    DataFrame
        One row per share: `share` (asked for), `n_units`, `area_share` (reached), `n` (later reports inside),
        `hit_rate` (n / all), `pai` (hit rate / area share: 1 is no better than chance), `pai_best` (of the map that
        knew the later reports, on as much area), `pei` (pai / pai_best, 0 to 1), `rri` (hit rate later / hit rate
        earlier: near 1 for a map that lasts; NaN without `earlier`).

    Raises
    ------
    IndexMismatchError
        The inputs are not indexed alike.
    InputError
        A share outside 0 to 1, an area that is not above 0, or a negative count.

    Warns
    -----
    NullResultWarning
        There are no later reports: nothing can be judged.

    Notes
    -----
    Ties in the scores are taken in the order of the rows. CRS: none needed here. Source: PAI Chainey, Tompson & Uhlig
    2008; PEI* White, Hunt & Green 2023 (n / n* on equal area); RRI Levine 2008.

    Examples
    --------
    >>> scores, later = pd.Series([9.0, 5.0, 1.0, 0.0]), pd.Series([6, 1, 3, 0])
    >>> predictive_accuracy(scores, later, pd.Series([1.0] * 4), shares=[0.5])[["hit_rate", "pai", "pei"]].round(3).values.tolist()
    [[0.7, 1.4, 0.778]]
    """
    columns = [later, area_km2, *([] if earlier is None else [earlier])]
    counts, area, *before = (_numbers(scores, column) for column in columns)
    if not (area > 0).all():
        raise InputError(
            f"{(~(area > 0)).sum()} of {len(area)} areas are not above 0 km² "
            f"(first: {scores.index[~(area > 0)][0]!r}); leave those units out"
        )
    for share in shares:
        if not 0 < share <= 1:
            raise InputError(f"a share of {share:g} of the area does not exist; give 0 to 1")
    total = counts.sum()
    if total == 0:
        warn_null("an accuracy has no answer because there are no later reports; it is missing")
    ranked = scores.to_numpy(dtype=float, na_value=-np.inf)
    order = np.argsort(-ranked, kind="stable")
    best = np.lexsort((np.arange(len(area)), -counts / area))
    rows = []
    for share in shares:
        taken = _fitting(area, order, share * area.sum())
        ideal = _fitting(area, best, area[taken].sum())
        n, reached = counts[taken].sum(), area[taken].sum() / area.sum()
        hit = n / total if total else np.nan
        pai = hit / reached if reached else np.nan
        most = (
            counts[ideal].sum() / total / (area[ideal].sum() / area.sum())
            if total and len(ideal)
            else np.nan
        )
        was = before[0][taken].sum() / before[0].sum() if before and before[0].sum() else np.nan
        rows.append(
            {
                "share": share, "n_units": len(taken), "area_share": reached, "n": n, "hit_rate": hit, "pai": pai,
                "pai_best": most, "pei": pai / most if most else np.nan, "rri": hit / was if was else np.nan,
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def compare_maps(
    maps: Mapping[str, pd.Series],
    later: pd.Series,
    area_km2: pd.Series,
    *,
    share: float = 0.05,
    earlier: pd.Series | None = None,
) -> pd.DataFrame:
    """Rank ways of finding hotspots by how well each would have foretold the city's own later reports.

    Parameters
    ----------
    maps
        Per name of a method, its scores, all indexed alike; higher is hotter.
    later
        Shape (n,), indexed like the maps: reports of a later period.
    area_km2
        Shape (n,), indexed like the maps: above 0.
    share
        The share of the area to judge at.
    earlier
        Shape (n,), reports of the period the maps were made from.

    Returns
    -------
    DataFrame
        Indexed by name, the best first: the columns of `predictive_accuracy` at `share`.

    Raises
    ------
    InputError
        There are no maps, or as in `predictive_accuracy`.
    IndexMismatchError
        The inputs are not indexed alike.

    Notes
    -----
    One later period is one draw: differences of a few hundredths in `pei` are chance. CRS: none needed here.
    """
    if not maps:
        raise InputError("there are 0 maps to compare; give at least one")
    rows = {
        name: predictive_accuracy(scores, later, area_km2, shares=[share], earlier=earlier).iloc[0]
        for name, scores in maps.items()
    }
    return (
        pd.DataFrame(rows)
        .T.rename_axis("method")
        .sort_values("pei", ascending=False, kind="stable")
    )


def stability(maps: Mapping[str, pd.Series], *, area_km2: pd.Series | None = None) -> pd.DataFrame:
    """Say how much of what is called hot stays hot when the bandwidth, the cell or the method changes.

    Parameters
    ----------
    maps
        Per name, a Series of True and False: which areas are hot; all indexed alike.
    area_km2
        Shape (n,), indexed like the maps: weigh areas by it; each counts the same without.

    Returns
    -------
    DataFrame
        One row per pair of maps: `a`, `b`, `share_of_both` (what is hot in both, of what is hot in either; NaN where
        nothing is hot in either), `kappa` (Cohen's: 1 the same, 0 chance).

    Raises
    ------
    IndexMismatchError
        The maps are not indexed alike.

    Notes
    -----
    CRS: none needed here. Source: Jaccard 1901; Cohen 1960. Checked against: scikit-learn.

    Examples
    --------
    >>> a, b = pd.Series([True, True, False, False]), pd.Series([True, False, False, False])
    >>> stability({"300 m": a, "500 m": b})[["share_of_both", "kappa"]].values.tolist()
    [[0.5, 0.5]]
    """
    rows = []
    for (a, first), (b, second) in itertools.combinations(maps.items(), 2):
        x, y = first.to_numpy(bool), _numbers(first, second) == 1
        w = np.ones(len(x)) if area_km2 is None else _numbers(first, area_km2)
        w = w / w.sum() if len(w) else w
        either, both = w[x | y].sum(), w[x & y].sum()
        agree = w[x == y].sum()
        chance = w[x].sum() * w[y].sum() + w[~x].sum() * w[~y].sum()
        rows.append(
            {
                "a": a, "b": b, "share_of_both": both / either if either else np.nan,
                "kappa": (agree - chance) / (1 - chance) if chance < 1 else np.nan,
            }
        )  # fmt: skip
    return pd.DataFrame(rows, columns=["a", "b", "share_of_both", "kappa"])


def _numbers(scores: pd.Series, column: pd.Series) -> Floats:
    if not column.index.equals(scores.index):
        raise IndexMismatchError(
            f"{len(scores)} scores and {len(column)} values of {column.name or 'another column'!r} are not indexed "
            "alike; align them first, for example later.reindex(scores.index, fill_value=0)"
        )
    values = column.to_numpy(dtype=float, na_value=np.nan)
    if (bad := ~(values >= 0)).any():
        raise InputError(
            f"{bad.sum()} of {len(values)} values of {column.name or 'a column'!r} are negative or missing "
            f"(first: {column.index[bad][0]!r}); counts and areas are 0 and above"
        )
    return values


def _fitting(area: Floats, order: np.ndarray, most: float) -> np.ndarray:
    """Take areas in their order while they fit; at least the first."""
    reach = np.cumsum(area[order])
    n = int(np.searchsorted(reach, most * (1 + 1e-9), side="right"))
    return order[: max(n, 1)]
