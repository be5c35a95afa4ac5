"""How much of what is there was looked at, and how much of it was reported?"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from scipy import stats

from gisgrid.analysis.rates.crude import numbers_and_denominators
from gisgrid.analysis.rates.smoothing import empirical_bayes
from gisgrid.errors import ColumnError, IndexMismatchError, InputError, did_you_mean, warn_null

UNKNOWN: Final = "unknown"
"""The label of a unit that nobody looked at: not cold, not normal, unknown."""


def rate_per_effort(
    counts: pd.Series, effort: pd.Series, *, least: float, per: float = 1.0
) -> pd.Series:
    """Say how many issues were found for every kilometre (or hour) of patrol; nothing where hardly anyone went.

    Where most reports come from paid collectors, a map of reports is a map of where they walk.

    Parameters
    ----------
    counts
        Shape (n,), issues per unit found by those whose effort is counted; missing where unknown.
    effort
        Shape (n,), indexed like `counts`: patrol km (or hours); 0 or missing where nobody went.
    least
        Units with less effort than this have no rate: too little was seen. In the unit of `effort`, above 0.
    per
        The base of the rate: 100 for issues per 100 patrol km.

    Returns
    -------
    Series
        Shape (n,), float, indexed like `counts`: NaN where the effort is below `least` or either is missing.

    Raises
    ------
    IndexMismatchError
        The two are not indexed alike.
    InputError
        An effort or a count is negative, or `least` is not above 0.

    Notes
    -----
    CRS: none needed here.

    Examples
    --------
    >>> rate_per_effort(pd.Series([6, 0, 1]), pd.Series([3.0, 0.0, 0.1]), least=1).to_list()
    [2.0, nan, nan]
    """
    if not least > 0:
        raise InputError(
            f"at least {least:g} of effort is no bound; give for example 1 (kilometre of patrol)"
        )
    above, below = numbers_and_denominators(counts, effort)
    below = np.where(below >= least, below, np.nan)
    return pd.Series(above / below * per, index=counts.index, name="rate")


def known_labels(labels: pd.Series, effort: pd.Series, *, least: float) -> pd.Series:
    """Call a unit unknown, rather than cold or normal, where hardly anyone looked.

    Parameters
    ----------
    labels
        Shape (n,), strings of `gisgrid.palette.LABELS`; missing where there was no test.
    effort
        Shape (n,), indexed like `labels`: patrol km (or hours).
    least
        Units with less effort than this, or none stated, are unknown unless they are hot: what was found is there.

    Returns
    -------
    Series
        Shape (n,), strings: `labels`, or ``unknown``.

    Raises
    ------
    IndexMismatchError
        The two are not indexed alike.
    InputError
        An effort is negative.

    Notes
    -----
    CRS: none needed here.

    Examples
    --------
    >>> labels = pd.Series(["cold_95", "cold_95", "hot_99", "not_significant"])
    >>> known_labels(labels, pd.Series([12.0, 0.0, 0.0, 0.2]), least=1).to_list()
    ['cold_95', 'unknown', 'hot_99', 'unknown']
    """
    if not labels.index.equals(effort.index):
        raise IndexMismatchError(
            f"{len(labels)} labels and {len(effort)} efforts are not indexed alike; "
            "align them first, for example effort.reindex(labels.index)"
        )
    walked = effort.to_numpy(dtype=float, na_value=np.nan)
    if (walked < 0).any():
        raise InputError(
            f"the least effort is {np.nanmin(walked):g}, but nobody walks back; correct it"
        )
    unseen = ~(walked >= least) & ~labels.str.startswith("hot").fillna(value=False).to_numpy(bool)
    return labels.mask(unseen, UNKNOWN)


def reporting_rate(
    incidents: pd.DataFrame, *, unit: str, lifetime_days: float, level: float = 0.95
) -> pd.DataFrame:
    """Say how readily people report in each unit, judged by how often they report the same thing again.

    Once an incident has been reported, every further report of it comes at the rate at which people there report;
    repeats over open days is that rate, and needs no truth about what was never reported.

    Parameters
    ----------
    incidents
        One row per incident: `unit`, `first_reported_at` and `closed_at` (datetimes of one kind; a missing end leaves
        the incident out: give the end of the data instead), `n_reports` (with the first).
    unit
        The column that names a unit.
    lifetime_days
        How long an incident lasts when nobody reports it, days: what `share_reported` is about. State it with the
        result.
    level
        Of the interval.

    Returns
    -------
    DataFrame
        Indexed by unit, sorted: `n_incidents`, `n_repeats`, `open_days`, `rate_per_day` (shrunk towards the city's where
        little was seen), `low`, `high` (of the unit's own rate), `share_reported` (of incidents that last
        `lifetime_days`, 0 to 1), `factor` (1 / share: times so many incidents there are).

    Raises
    ------
    ColumnError
        A column is missing.
    InputError
        Fewer than one report of an incident, an end before its beginning, or numbers out of range.

    Warns
    -----
    NullResultWarning
        No incident was reported twice: the rate is not known, and the factor is missing.

    Notes
    -----
    Repeats of an incident that stays open for t days are Poisson with mean λ t; λ by Marshall's empirical Bayes over
    units, the interval exact for the unit alone. It holds where repeats are people's, not one caller's. CRS: none needed
    here. Source: Liu, Bhandaram & Garg 2024. Checked against: simulated cities.

    Examples
    --------
    >>> incidents = pd.DataFrame({
    ...     "code": ["a", "a", "b"], "n_reports": [3, 2, 1],
    ...     "first_reported_at": pd.to_datetime(["2026-03-01"] * 3),
    ...     "closed_at": pd.to_datetime(["2026-03-04", "2026-03-03", "2026-03-06"]),
    ... })
    >>> found = reporting_rate(incidents, unit="code", lifetime_days=5)
    >>> found[["n_repeats", "open_days"]].values.tolist()
    [[3.0, 5.0], [0.0, 5.0]]
    """
    _check(incidents, unit, lifetime_days, level)
    table = incidents[incidents["closed_at"].notna() & incidents[unit].notna()]
    days = (table["closed_at"] - table["first_reported_at"]).dt.total_seconds() / 86_400
    if (days < 0).any():
        raise InputError(
            f"{(days < 0).sum()} of {len(days)} incidents end before they begin "
            f"(first: row {days.index[days < 0][0]!r}); correct them or leave them out"
        )
    found = pd.DataFrame(
        {
            "n_incidents": table.groupby(unit).size(),
            "n_repeats": (table["n_reports"] - 1).groupby(table[unit]).sum(),
            "open_days": days.groupby(table[unit]).sum(),
        }
    ).sort_index()
    repeats, exposure = found["n_repeats"], found["open_days"]
    if repeats.sum() == 0:
        warn_null(
            f"a reporting rate of {len(table)} incidents has no answer because none was reported twice; it is missing"
        )
        return found.assign(
            **dict.fromkeys(["rate_per_day", "low", "high", "share_reported", "factor"], np.nan)
        )
    rate = empirical_bayes(repeats, exposure)
    tail = (1 - level) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        low = stats.gamma.ppf(tail, repeats) / exposure
        high = stats.gamma.ppf(1 - tail, repeats + 1) / exposure
    share = -np.expm1(-rate * lifetime_days)
    return found.assign(
        rate_per_day=rate,
        low=low.where(repeats > 0, 0.0).where(exposure > 0),
        high=high.where(exposure > 0),
        share_reported=share,
        factor=1 / share.where(share > 0),
    )


def _check(incidents: pd.DataFrame, unit: str, lifetime_days: float, level: float) -> None:
    for column in (unit, "first_reported_at", "closed_at", "n_reports"):
        if column not in incidents.columns:
            raise ColumnError(
                f"no column {column!r} in the incidents{did_you_mean(column, map(str, incidents.columns))}"
            )
    if (incidents["n_reports"] < 1).any():
        raise InputError(
            f"{(incidents['n_reports'] < 1).sum()} of {len(incidents)} incidents have no report, "
            "but an incident is known by one; count the first too"
        )
    if not (lifetime_days > 0 and 0 < level < 1):
        raise InputError(
            f"a lifetime of {lifetime_days:g} days at level {level:g} has no meaning; "
            "give days above 0 and a level such as 0.95"
        )
