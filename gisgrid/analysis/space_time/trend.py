"""Is it getting better or worse, unit by unit, and how fast?"""

from __future__ import annotations

import warnings
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from gisgrid.analysis.alignment import Floats
from gisgrid.analysis.significance import normal_p
from gisgrid.compiled import compiled
from gisgrid.errors import InputError, SmallSampleWarning, warn_null

_FEW_STEPS: Final = 10  # below, the normal distribution of S is rough

_SLOPES_AT_ONCE: Final = 2_000_000

_Ints = NDArray[np.int64]


def mann_kendall(series: pd.DataFrame, *, season: int = 1) -> pd.DataFrame:
    """Say for each unit whether its numbers rise or fall over time (Mann-Kendall), whatever the shape of the rise.

    Only the order of the numbers counts, so one extraordinary month changes little. It asks whether there is a trend,
    not how steep it is: for that see `theil_sen`.

    Parameters
    ----------
    series
        Shape (n, T), one row per unit and one column per time step, in the order of time and evenly spaced. A missing
        value is left out.
    season
        After how many steps the season comes round again: 12 for months, so that July is compared with July only. 1 for
        none.

    Returns
    -------
    DataFrame
        Shape (n, 6), indexed like `series`: `n_steps` (with a value), `s` (pairs that rise less pairs that fall),
        `variance` (of s without a trend, ties allowed for), `z` (standard deviations, above 0 where it rises), `p`
        (two-sided, 0 to 1), `tau` (Kendall's tau-b, -1 to 1; by season if there is one). `z`, `p` and `tau` are NaN for
        a unit whose values are all the same, or that has fewer than two.

    Raises
    ------
    InputError
        Values that are no numbers or infinite, or a season that is no whole number above 0.

    Warns
    -----
    NullResultWarning
        There are fewer than two time steps, or no unit has values that differ.
    SmallSampleWarning
        There are fewer than 10 time steps: p is rough.

    Notes
    -----
    S = Σ_{a<b} sgn(x_b - x_a); Var S = (T (T - 1) (2T + 5) - Σ t (t - 1) (2t + 5)) / 18 over groups of t ties;
    z = (S ∓ 1) / √Var S, 0 where S = 0. With a season S and Var S are sums over the seasons (Hirsch, Slack & Smith
    1982). Steps that hang together (a bad month follows a bad month) make p too small: aggregate to longer steps.
    CRS: none needed here. Cost: O(n T²), 100 000 units of 36 steps in 0.05 s. Source: Mann 1945; Kendall 1975. Checked
    against: scipy `kendalltau`, published figures.

    Examples
    --------
    >>> table = pd.DataFrame([[1, 2, 2, 3, 3, 3, 4, 2, 5, 5], [7] * 10], index=["a", "b"])
    >>> mann_kendall(table).round(4).loc["a"].to_list()
    [10.0, 30.0, 116.6667, 2.6849, 0.0073, 0.7255]
    >>> mann_kendall(table)["p"].isna().to_list()
    [False, True]
    """
    x = numbers_by_step(series, season=season)
    if x.shape[1] < 2:
        warn_null(f"a trend has no answer over {x.shape[1]} time steps; it takes two, z is missing")
    elif x.shape[1] < _FEW_STEPS:
        warnings.warn(
            SmallSampleWarning(
                f"a trend over {x.shape[1]} time steps rests on few; below {_FEW_STEPS} its p is rough"
            ),
            stacklevel=2,
        )
    columns = trend_columns(x, season=season)
    if x.shape[1] >= 2 and len(x) and np.isnan(columns["z"]).all():
        warn_null(
            f"a trend has no answer because the values of none of {len(x)} units differ; z is missing"
        )
    return pd.DataFrame(columns, index=series.index)


def theil_sen(series: pd.DataFrame, *, season: int = 1, level: float = 0.95) -> pd.DataFrame:
    """Say for each unit by how much its numbers rise or fall in a time step (the median of all slopes, Theil-Sen).

    Parameters
    ----------
    series
        Shape (n, T), as for `mann_kendall`.
    season
        As for `mann_kendall`.
    level
        Of the interval, 0 to 1.

    Returns
    -------
    DataFrame
        Shape (n, 4), indexed like `series`: `slope` (units of `series` per time step), `low`, `high` (its interval),
        `intercept` (at the first step). NaN with fewer than two values.

    Raises
    ------
    InputError
        Values that are no numbers or infinite, a season that is no whole number above 0, or a level outside 0 to 1.

    Warns
    -----
    NullResultWarning
        There are fewer than two time steps.

    Notes
    -----
    The intercept is median(x) - slope · median(step). The interval is Sen's, from the ranks of the slopes. CRS: none
    needed here. Cost: O(n T²), 100 000 units of 36 steps in about a second. Source: Sen 1968. Checked against: scipy
    `theilslopes`.

    Examples
    --------
    >>> table = pd.DataFrame([[1, 3, 5, 7, 9, 11, 13, 15, 90, 19]], index=["a"])
    >>> theil_sen(table).round(2).loc["a"].to_list()
    [2.0, 2.0, 2.0, 1.0]
    """
    if not 0 < level < 1:
        raise InputError(f"an interval of level {level:g} does not exist; give for example 0.95")
    x = numbers_by_step(series, season=season)
    if x.shape[1] < 2:
        warn_null(f"a slope has no answer over {x.shape[1]} time steps; it takes two")
    reach = special.ndtri((1 + level) / 2) * np.sqrt(_sums(x, season)[1])
    found = _slopes(x, season, reach)
    return pd.DataFrame(found, index=series.index, columns=["slope", "low", "high", "intercept"])


def trend_columns(x: Floats, *, season: int = 1) -> dict[str, NDArray[np.generic]]:
    """Work out Mann-Kendall for rows of numbers, without questions.

    Parameters
    ----------
    x
        Shape (n, T), NaN where missing.
    season
        As for `mann_kendall`.

    Returns
    -------
    dict
        The columns of `mann_kendall`.
    """
    s, variance, pairs, untied, n_steps = _sums(x, season)
    sigma = np.sqrt(np.where(variance > 0, variance, np.nan))
    z = (s - np.sign(s)) / sigma
    tau = s / np.sqrt(np.where(untied > 0, pairs * untied, np.nan))
    return {
        "n_steps": n_steps,
        "s": s,
        "variance": variance,
        "z": z,
        "p": normal_p(z),
        "tau": tau,
    }


def numbers_by_step(table: pd.DataFrame, *, season: int = 1) -> Floats:
    """Read a table of units by time steps as numbers.

    Parameters
    ----------
    table
        Shape (n, T).
    season
        The season to look at the table with, for its own check.

    Returns
    -------
    ndarray
        Shape (n, T), row by row; NaN where missing.

    Raises
    ------
    InputError
        Values that are no numbers or infinite, or a season that is no whole number above 0.
    """
    if isinstance(season, bool) or not isinstance(season, (int, np.integer)) or season < 1:
        raise InputError(
            f"a season of {season!r} steps does not exist; give a whole number, 12 for months, 1 for none"
        )
    try:
        x = np.ascontiguousarray(table.to_numpy(dtype=float, na_value=np.nan))
    except (TypeError, ValueError) as error:
        raise InputError(
            f"a table of units by time steps holds what is no number ({error}); give counts or rates"
        ) from error
    infinite = np.isinf(x)
    if infinite.any():
        row, column = np.argwhere(infinite)[0]
        raise InputError(
            f"{infinite.sum()} of {x.size} values are infinite (first: {table.index[row]!r}, "
            f"{table.columns[column]}); a rate without a denominator is missing, gisgrid.analysis.rate makes it so"
        )
    return x


def _sums(x: Floats, season: int) -> tuple[_Ints, Floats, Floats, Floats, _Ints]:
    """Give S, its variance, the pairs, those of them that are no ties, and the steps with a value."""
    steps = x.shape[1]
    s, equal = np.zeros(len(x), np.int64), np.zeros(len(x), np.int64)
    taken = np.zeros(len(x))
    _count(x, season, s, equal, taken)
    there = ~np.isnan(x)
    variance, pairs = np.zeros(len(x)), np.zeros(len(x))
    for first in range(min(season, steps)):
        m = there[:, first::season].sum(axis=1)
        variance += m * (m - 1.0) * (2.0 * m + 5.0)
        pairs += m * (m - 1.0) / 2.0
    untied = pairs - equal
    variance = np.where(untied > 0, (variance - taken) / 18.0, 0.0)
    return s, variance, pairs, untied, there.sum(axis=1)


@compiled
def _count(x: Floats, season: int, s: _Ints, equal: _Ints, taken: Floats) -> None:
    """Count rising less falling pairs, ties, and what ties take from 18 times the variance; NaN is neither.

    Units lie side by side, many at a time, so that one comparison serves several.
    """
    n, steps = x.shape
    lanes = 256
    side = np.full((steps, lanes), np.nan)
    group = np.empty((steps, lanes), np.int64)  # how many values are the same, itself included
    score, same = np.empty(lanes, np.int64), np.empty(lanes, np.int64)
    for first in range(0, n, lanes):
        m = min(lanes, n - first)
        for k in range(m):
            for a in range(steps):
                side[a, k] = x[first + k, a]
        group[:] = 1
        score[:] = 0
        same[:] = 0
        for a in range(steps):
            for b in range(a + season, steps, season):
                for k in range(lanes):
                    tie = np.int64(side[b, k] == side[a, k])
                    score[k] += np.int64(side[b, k] > side[a, k]) - np.int64(
                        side[b, k] < side[a, k]
                    )
                    same[k] += tie
                    group[a, k] += tie
                    group[b, k] += tie
        for k in range(m):
            s[first + k], equal[first + k] = score[k], same[k]
            if same[k] > 0:
                for a in range(steps):
                    taken[first + k] += (group[a, k] - 1.0) * (2.0 * group[a, k] + 5.0)


def _slopes(x: Floats, season: int, reach: Floats) -> Floats:
    """Sort the slopes between all pairs of steps, take the middle one and those at the ends of the interval."""
    steps = x.shape[1]
    early, late = np.triu_indices(steps, 1)
    alike = (late - early) % season == 0
    early, late = early[alike], late[alike]
    found = np.full((len(x), 4), np.nan)
    if len(early) == 0:
        return found
    at_once = max(1, _SLOPES_AT_ONCE // len(early))
    place = np.arange(steps, dtype=float)
    for first in range(0, len(x), at_once):
        rows = x[first : first + at_once]
        slopes = (rows[:, late] - rows[:, early]) / (late - early)
        slopes.sort(axis=1)  # NaN last
        count = slopes.shape[1] - np.isnan(slopes).sum(axis=1)
        half = reach[first : first + at_once]
        low = np.maximum(np.round((count - half) / 2) - 1, 0).astype(np.int64)
        high = np.minimum(np.round((count + half) / 2), count - 1).astype(np.int64)
        each = np.arange(len(rows))
        middle = (slopes[each, (count - 1) // 2] + slopes[each, count // 2]) / 2
        there = np.where(np.isnan(rows), np.nan, place)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # a row without any value has no median
            start = np.nanmedian(rows, axis=1) - middle * np.nanmedian(there, axis=1)
        best = np.c_[middle, slopes[each, low], slopes[each, high], start]
        found[first : first + at_once] = np.where(count[:, None] > 0, best, np.nan)
    return found
