"""Is one kind of place really worse than another, and by how much?"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from gisgrid.analysis.alignment import Floats
from gisgrid.analysis.rates.crude import numbers_and_denominators
from gisgrid.errors import ColumnError, IndexMismatchError, InputError, warn_null


def compare_zones(
    counts: pd.Series,
    denominator: pd.Series,
    zone: pd.Series,
    *,
    reference: str,
    strata: pd.Series | None = None,
    per: float = 1.0,
    level: float = 0.95,
) -> pd.DataFrame:
    """Compare the rates of urban villages, fringe and the rest, with the uncertainty of each ratio.

    Units of one zone differ more than by chance; the interval widens by as much as they do (a sandwich variance), so
    that one terrible compound does not make its whole zone significantly worse.

    Parameters
    ----------
    counts
        Shape (n,), issues per unit; missing where unknown.
    denominator
        Shape (n,), indexed like `counts`: residents, km², patrol km; 0 or missing where there are none.
    zone
        Shape (n,), indexed like `counts`: which zone a unit is in; missing for none.
    reference
        The zone that the others are compared with.
    strata
        Shape (n,), indexed like `counts`: compare like with like (the class of a unit, the age of a compound). Rates are
        then standardised directly to the strata of all units together; strata that a zone lacks are left out for all.
    per
        The base of the rates.
    level
        Of the intervals, for example 0.95.

    Returns
    -------
    DataFrame
        One row per zone, `reference` first: `n_units`, `n`, `denominator`, `rate`, `ratio` (rate / rate of the
        reference), `low`, `high` (the interval of the ratio), `p` (two-sided, ratio = 1), `dispersion` (how many times
        the variance of the zone's rate exceeds that of chance, at least 1). Ratios without any count on one side are
        NaN.

    Raises
    ------
    IndexMismatchError
        The inputs are not indexed alike.
    ColumnError
        No unit is in the reference.
    InputError
        A negative denominator or count, a level outside 0 to 1, or no stratum that all zones have.

    Warns
    -----
    NullResultWarning
        A zone, or the reference, has no count: its ratio is missing.

    Notes
    -----
    log ratio ± t √(v₁ + v₀), v the relative variance of a rate: m / (m - 1) Σ (y - r n)² / (Σ y)² over its m units, but
    never less than chance, 1 / Σ y; by stratum, and added with the squares of their weights. t has Satterthwaite's
    degrees of freedom. A stratum of one unit in a zone tells nothing of its spread and gets that of chance. Units near
    each other are not independent, which no interval without a spatial model allows for. CRS: none needed here. Source:
    Breslow & Day 1987, section 2.3; White 1982. Checked against: statsmodels' Poisson GLM with ``cov_type="HC0"``.

    Examples
    --------
    >>> counts = pd.Series([30, 28, 35, 12, 9, 11])
    >>> zone = pd.Series(["urban_village"] * 3 + ["rest"] * 3)
    >>> compared = compare_zones(counts, pd.Series([1_000] * 6), zone, reference="rest", per=1_000)
    >>> compared[["rate", "ratio", "low", "high"]].round(2).loc["urban_village"].to_list()
    [31.0, 2.91, 1.55, 5.44]
    """
    y, n = numbers_and_denominators(counts, denominator)
    for other in (zone, *([] if strata is None else [strata])):
        if not other.index.equals(counts.index):
            raise IndexMismatchError(
                f"{len(counts)} counts and {len(other)} zones or strata are not indexed alike; "
                "align them first, for example zone.reindex(counts.index)"
            )
    if not 0 < level < 1:
        raise InputError(f"an interval of level {level:g} does not exist; give for example 0.95")
    stratum = pd.Series(0, counts.index) if strata is None else strata
    used = ~np.isnan(y + n) & zone.notna().to_numpy() & stratum.notna().to_numpy()
    table = pd.DataFrame(
        {"zone": zone.astype("str"), "stratum": stratum, "y": y, "n": n, "units": 1}
    )[used]
    if reference not in set(table["zone"]):
        raise ColumnError(
            f"no unit with a rate is in the reference {reference!r}; "
            f"there are: {', '.join(sorted(set(table['zone']))) or 'none'}"
        )
    sums = table.groupby(["zone", "stratum"])[["y", "n"]].transform("sum")
    table["off"] = (table["y"] - table["n"] * sums["y"] / sums["n"]) ** 2
    cells = pd.DataFrame(
        table.groupby(["zone", "stratum"])[["y", "n", "units", "off"]].sum().unstack(fill_value=0)
    )
    shared = np.asarray((cells["n"].to_numpy() > 0).all(axis=0))
    if not shared.any():
        raise InputError(
            "no stratum has units in every zone, so like cannot be compared with like; use coarser strata"
        )
    return _ratios(cells, shared, reference=reference, per=per, level=level)


def _ratios(
    cells: pd.DataFrame, shared: NDArray[np.bool_], *, reference: str, per: float, level: float
) -> pd.DataFrame:
    y, n, units, off = (
        cells[name].to_numpy(float)[:, shared] for name in ("y", "n", "units", "off")
    )
    weight = n.sum(axis=0) / n.sum()
    each = (weight / n) ** 2
    rate: Floats = (weight * y / n).sum(axis=1)
    chance = (each * y).sum(axis=1)
    spread = each * np.maximum(y, off * units / np.maximum(units - 1, 1))
    variance = spread.sum(axis=1)
    base = int(np.flatnonzero(cells.index == reference)[0])
    bad = (rate == 0) | (rate[base] == 0)
    if (rate == 0).any():
        warn_null(
            f"{(rate == 0).sum()} of {len(cells)} zones have no issue (first: "
            f"{cells.index[rate == 0][0]!r}), so their ratio is missing",
            depth=3,
        )
    with np.errstate(invalid="ignore", divide="ignore"):
        relative = variance / rate**2
        log_ratio = np.log(rate / rate[base])
        error = np.sqrt(relative + relative[base])
        own = (spread**2 / np.maximum(units - 1, 1)).sum(axis=1) / rate**4
        free = (relative + relative[base]) ** 2 / (own + own[base])
    log_ratio[bad] = error[bad] = np.nan
    error[base] = 0.0
    reach = stats.t.ppf((1 + level) / 2, free) * error
    found = pd.DataFrame(
        {
            "n_units": units.sum(axis=1).astype(np.int64),
            "n": y.sum(axis=1).astype(np.int64),
            "denominator": n.sum(axis=1),
            "rate": rate * per,
            "ratio": np.exp(log_ratio),
            "low": np.exp(log_ratio - reach),
            "high": np.exp(log_ratio + reach),
            "p": 2 * stats.t.sf(np.abs(log_ratio) / np.where(error > 0, error, np.nan), free),
            "dispersion": variance / np.where(chance > 0, chance, np.nan),
        },
        index=cells.index.rename("zone"),
    )
    return found.loc[[reference, *(name for name in found.index if name != reference)]]
