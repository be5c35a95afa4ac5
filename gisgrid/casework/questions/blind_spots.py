"""Where is less found than there should be, and is it because nobody looks or because those who look do not see?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special, stats

from gisgrid.casework.questions.columns import demand
from gisgrid.casework.questions.poisson import PoissonFit, poisson_fit
from gisgrid.errors import InputError

LABELS: Final = ("blind", "unpatrolled", "ordinary", "unknown")
"""Found too little for the patrol there; hardly anyone looks; neither; cannot be told."""

_ROUNDS: Final = 5
_Floats = NDArray[np.float64]


def blind_spots(
    units: pd.DataFrame,
    *,
    key: str,
    found: str = "n_found",
    residents: str = "population",
    effort: str = "patrol_km",
    zone: str | None = "zone",
    traits: Sequence[str] = (),
    least_effort: float | None = None,
    q: float = 0.05,
) -> pd.DataFrame:
    """Find the units where less is found than their residents, kind of place and patrol would lead one to expect.

    Parameters
    ----------
    units
        One row per unit, with `key` and the columns named below.
    key
        The column that names a unit.
    found
        Cases found there by those whose effort is counted.
    residents
        Residents; units without any are ``unknown``.
    effort
        Kilometres (or hours) of patrol; 0 or missing where nobody went.
    zone
        The kind of place (text), each with its own level; None for one level.
    traits
        Further columns of numbers.
    least_effort
        With less effort a unit is ``unpatrolled``: nothing found there means nothing. None: a tenth of the median.
    q
        The share of false alarms among the ``blind`` (Benjamini-Hochberg).

    Returns
    -------
    DataFrame
        Indexed by key, in the order of `units`: `found`, `expected` (at the effort that was made), `ratio`, `p` (one-sided:
        so few, or fewer), `q`, `label` (of `LABELS`), `expected_usual` (at the median effort of the zone), `missed`
        (`expected_usual` less `found` where blind or unpatrolled: what a usual patrol would find more), `rank` (by `missed`).
        ``attrs["fit"]`` is the `PoissonFit`.

    Raises
    ------
    ColumnError
        A column is missing.
    InputError
        Numbers out of range, no effort at all, or too few units.

    Notes
    -----
    log mean = log residents + zone + b log(1 + effort / median effort) + traits. Fitted without the units that it calls
    blind, and without those that stand out above in the same way, repeatedly, so that neither moves what is expected of the
    others. p is that of a negative binomial whose spread over
    Poisson is fitted by moments (mid-p), so that units that differ more than by chance are not called blind. A unit where
    hardly anyone looks is never called cold, and takes no part in the fit. Source: Cameron & Trivedi 1998.
    """
    demand(
        units, "units", key, found, residents, effort, *traits, *([] if zone is None else [zone])
    )
    if not 0 < q < 1:
        raise InputError(f"a share of false alarms of {q:g} does not exist; give for example 0.05")
    table = units.set_index(key)
    effort_made = table[effort].fillna(0).astype(float)
    if (effort_made < 0).any() or not (effort_made > 0).any():
        raise InputError(
            f"{effort!r} has a negative value, or nothing above 0; give kilometres or hours of patrol"
        )
    usual = float(effort_made[effort_made > 0].median())
    least = 0.1 * usual if least_effort is None else least_effort
    people = table[residents].astype(float)
    known = (people > 0) & table[found].notna() & (table[zone].notna() if zone else True)
    known &= table[list(traits)].notna().all(axis=1)
    looked = known & (effort_made >= least)
    design = _design(table, effort_made / usual, zone, traits, looked)
    y = table[found].astype(float)
    fit, p = _fitted(y[looked], design[looked], people[looked], q)
    beta = fit.coefficients
    expected = _mean(design, beta, people).where(known)
    medians = effort_made.where(effort_made > 0)
    of_zone = (
        medians.groupby(table[zone]).transform("median")
        if zone
        else pd.Series(usual, index=table.index)
    )
    at_usual = design.assign(log_effort=np.log1p(of_zone.fillna(usual) / usual))
    expected_usual = _mean(at_usual, beta, people).where(known)
    p_all = p.reindex(table.index)
    q_all = _benjamini_hochberg(p).reindex(table.index)
    blind = looked & (q_all <= q) & (y < expected)
    label = pd.Series("ordinary", index=table.index, dtype=object).mask(blind, "blind")
    label = label.mask(known & ~looked, "unpatrolled").mask(~known, "unknown")
    missed = (expected_usual - y).clip(lower=0).where(blind | (known & ~looked), 0.0).where(known)
    result = pd.DataFrame({
        "found": table[found], "expected": expected, "ratio": y / expected.where(expected > 0), "p": p_all, "q": q_all,
        "label": label, "expected_usual": expected_usual, "missed": missed,
        "rank": missed.rank(ascending=False, method="first").astype("Int64"),
    })  # fmt: skip
    result.attrs["fit"] = fit
    return result


def _design(
    table: pd.DataFrame,
    relative: pd.Series,
    zone: str | None,
    traits: Sequence[str],
    looked: pd.Series,
) -> pd.DataFrame:
    columns = {"constant": pd.Series(1.0, index=table.index), "log_effort": np.log1p(relative)}
    if zone is not None:
        first, *others = sorted(table.loc[looked, zone].astype(str).unique())
        columns |= {
            f"{zone}: {name} over {first}": (table[zone].astype(str) == name).astype(float)
            for name in others
        }
    columns |= {name: table[name].astype(float) for name in traits}
    return pd.DataFrame(columns)


def _mean(design: pd.DataFrame, beta: pd.Series, people: pd.Series) -> pd.Series:
    return (
        pd.Series(np.exp(design.to_numpy(dtype=float) @ beta.to_numpy()), index=design.index)
        * people
    )


def _fitted(
    y: pd.Series, design: pd.DataFrame, people: pd.Series, q: float
) -> tuple[PoissonFit, pd.Series]:
    """Fit, leave out what is too low or too high for the fit, and fit again until nothing changes."""
    kept = pd.Series(data=True, index=y.index)
    for _ in range(_ROUNDS):
        fit = poisson_fit(y[kept], design[kept], exposure=people[kept])
        mean = _mean(design, fit.coefficients, people)
        p = _few(y, mean, _spread(y[kept], mean[kept], design.shape[1]))
        few, many = _benjamini_hochberg(p) <= q, _benjamini_hochberg(1 - p) <= q
        stays = ~((few & (y < mean)) | (many & (y > mean)))
        if (stays == kept).all():
            break
        kept = stays
    return fit, p


def _spread(y: pd.Series, mean: pd.Series, k: int) -> float:
    """Give the variance of the places' own factor, beyond chance (moments), 0 or more."""
    chi = float((((y - mean) ** 2 - mean) / mean).sum()) + k
    return max(0.0, chi / float(mean.sum()))


def _few(y: pd.Series, mean: pd.Series, spread: float) -> pd.Series:
    """Give the mid-p of so few or fewer."""
    counts, centre = y.to_numpy(dtype=float), mean.to_numpy(dtype=float)
    if spread < 1e-9:
        below, own = special.pdtr(counts - 1, centre), stats.poisson.pmf(counts, centre)
        below = np.where(counts < 1, 0.0, below)
    else:
        size = 1 / spread
        law = stats.nbinom(size, size / (size + centre))
        below, own = law.cdf(counts - 1), law.pmf(counts)
    return pd.Series(below + own / 2, index=y.index)


def _benjamini_hochberg(p: pd.Series) -> pd.Series:
    return pd.Series(stats.false_discovery_control(p.to_numpy().clip(0, 1)), index=p.index)
