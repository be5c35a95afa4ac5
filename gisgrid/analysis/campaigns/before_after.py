"""Did the campaign do anything, or would it have got better anyway?"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from gisgrid.analysis.alignment import Floats
from gisgrid.analysis.space_time.trend import numbers_by_step
from gisgrid.errors import (
    ColumnError,
    IndexMismatchError,
    InputError,
    SmallSampleWarning,
    warn_null,
)

_FEW: Final = 10  # treated units, below which an interval rests on few

_Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class CampaignEffect:
    """What happened in the treated units, over what happened in the controls.

    Attributes
    ----------
    ratio, low, high, p
        Reports after over before in treated units, divided by the same in controls: 0.8 is a fifth fewer than without
        the campaign; its interval, and two-sided p of no effect. NaN where a group has no report in a period.
    difference, difference_low, difference_high
        The same as a difference: reports more (above 0) per unit and step, with its interval.
    n_averted
        Reports in treated units that the controls' course would have led one to expect, less those that came.
    pretrend, pretrend_p
        How many times per step the treated already moved relative to the controls before the campaign (1 is alike), and p
        of alike. A small p says that the two were not comparable: do not trust the ratio.
    placebo, placebo_p
        The ratio, and its p, of a campaign that never was, at the middle of the time before. It should be near 1.
    chance_p
        How often a random group of controls of the same size has an effect at least as far from 1, two-sided; NaN where
        the controls are no more than the treated.
    n_treated, n_controls
        Units in each group.
    course
        One row per time step: `treated`, `controls` (reports per unit, controls weighted as they were matched), `after`.
    """

    ratio: float
    low: float
    high: float
    p: float
    difference: float
    difference_low: float
    difference_high: float
    n_averted: float
    pretrend: float
    pretrend_p: float
    placebo: float
    placebo_p: float
    chance_p: float
    n_treated: int
    n_controls: int
    course: pd.DataFrame


def campaign_effect(
    cube: pd.DataFrame,
    treated: pd.Series,
    *,
    first_after: int,
    matches: pd.DataFrame | None = None,
    level: float = 0.95,
    placebos: int = 999,
    seed: int = 0,
) -> CampaignEffect:
    """Say how many times more or fewer reports there were than without the campaign (difference in differences).

    A place chosen because it was bad gets better by itself, and so does the whole city in a dry month. The controls say
    how much; the placebo and the course before say whether they can be trusted.

    Parameters
    ----------
    cube
        Shape (n, T), reports per unit and time step, whole steps only. A unit with a missing value is left out.
    treated
        Shape (n,), indexed like `cube`: whether the campaign was there.
    first_after
        The column (0 to T - 1) of the first step with the campaign; 1 or more steps before it, 4 or more for the checks.
    matches
        As from `matched_controls`: controls are weighted by how often they were matched. None: all untreated units alike.
    level
        Of the intervals, 0 to 1.
    placebos
        How many random groups of controls; 0 for none.
    seed
        Seed of the random groups.

    Returns
    -------
    CampaignEffect
        The effect, the checks, and the course of both groups.

    Raises
    ------
    IndexMismatchError
        The inputs are not indexed alike.
    ColumnError
        `matches` has not the columns, or names a unit that is not there.
    InputError
        Negative or infinite counts, no unit in a group, or a step, level or number of placebos out of range.

    Warns
    -----
    NullResultWarning
        A group has no report in a period: the ratio is missing.
    SmallSampleWarning
        There are fewer than 10 treated or control units: the interval rests on few.

    Notes
    -----
    log ratio ± t √(v_T + v_C), v_G = m / (m - 1) Σ_u w_u² (y_u1 / Y_1 - y_u0 / Y_0)² over the m units of a group, so that
    a unit's own level drops out and reports that hang together within a unit widen the interval, but never less than
    chance, Σ w² y_1 / Y_1² + Σ w² y_0 / Y_0². t has Satterthwaite's degrees of freedom. It is the estimate of a Poisson
    model with effects of group and period and errors clustered by unit. That controls were matched is taken as given. CRS:
    none needed here. Source: Card & Krueger 1994; Bertrand, Duflo & Mullainathan 2004. Checked against: statsmodels'
    Poisson GLM and OLS with errors clustered by unit; coverage by simulation.

    Examples
    --------
    >>> rng = np.random.default_rng(2)
    >>> counts = rng.poisson(20, (60, 12))
    >>> counts[:30, 6:] = rng.poisson(14, (30, 6))
    >>> treated = pd.Series(np.arange(60) < 30)
    >>> found = campaign_effect(pd.DataFrame(counts), treated, first_after=6)
    >>> round(found.ratio, 2), found.low < 0.7 < found.high, found.p < 0.001, found.pretrend_p > 0.05
    (0.67, True, True, True)
    """
    if not 0 < level < 1:
        raise InputError(f"an interval of level {level:g} does not exist; give for example 0.95")
    if placebos < 0:
        raise InputError(f"{placebos} placebos do not exist; give 0 for none, or for example 999")
    if not 1 <= first_after < cube.shape[1]:
        raise InputError(
            f"a campaign from column {first_after} of {cube.shape[1]} has no time before or after it; "
            f"give 1 to {cube.shape[1] - 1}"
        )
    y, campaign, weight = _groups(cube, treated, matches)
    control = ~campaign & (weight > 0)
    for name, group in (("treated", campaign), ("control", control)):
        if not group.any():
            raise InputError(
                f"no {name} unit has a value at every step; a comparison needs both groups"
            )
    fewest = min(campaign.sum(), control.sum())
    if fewest < _FEW:
        warnings.warn(
            SmallSampleWarning(
                f"an effect on {campaign.sum()} treated units against {control.sum()} controls rests on few; "
                f"below {_FEW} its interval is rough"
            ),
            stacklevel=2,
        )
    before, after = y[:, :first_after].sum(axis=1), y[:, first_after:].sum(axis=1)
    main = _ratio(before, after, campaign, weight, level)
    if np.isnan(main[0]):
        warn_null(
            "a campaign's ratio has no answer because a group has no report in a period; it is missing"
        )
    per_step = after / (y.shape[1] - first_after) - before / first_after
    pretrend = _pretrend(y[:, :first_after], campaign, weight)
    half = first_after // 2
    placebo = (
        _ratio(y[:, :half].sum(axis=1), y[:, half:first_after].sum(axis=1), campaign, weight, level)
        if first_after >= 4
        else (np.nan,) * 4
    )
    return CampaignEffect(
        *main,
        *_difference(per_step, campaign, weight, level),
        n_averted=_averted(before, after, campaign, weight * control),
        pretrend=pretrend[0],
        pretrend_p=pretrend[1],
        placebo=placebo[0],
        placebo_p=placebo[3],
        chance_p=_chance(before, after, campaign, control, weight, placebos=placebos, seed=seed),
        n_treated=int(campaign.sum()),
        n_controls=int(control.sum()),
        course=_course(y, campaign, weight * control, cube.columns, first_after),
    )


def _averted(before: Floats, after: Floats, campaign: _Bools, weight: Floats) -> float:
    """Give what the controls' course would have led one to expect, less what came."""
    base = weight @ before
    if not base > 0:
        return np.nan
    return float(before[campaign].sum() * (weight @ after) / base - after[campaign].sum())


def _course(
    y: Floats, campaign: _Bools, weight: Floats, steps: pd.Index, first_after: int
) -> pd.DataFrame:
    columns = {
        "treated": y[campaign].mean(axis=0),
        "controls": weight @ y / weight.sum(),
        "after": np.arange(y.shape[1]) >= first_after,
    }
    return pd.DataFrame(columns, index=steps)


def _groups(
    cube: pd.DataFrame, treated: pd.Series, matches: pd.DataFrame | None
) -> tuple[Floats, _Bools, Floats]:
    """Give counts, who is treated, and weights (mean 1 in each group), without units that miss a value."""
    if not treated.index.equals(cube.index):
        raise IndexMismatchError(
            f"{len(cube)} rows of counts and {len(treated)} of 'treated' are not indexed alike; "
            "align them first, for example treated.reindex(cube.index)"
        )
    y = numbers_by_step(cube)
    if (y < 0).any():
        row, column = np.argwhere(y < 0)[0]
        raise InputError(
            f"{(y < 0).sum()} counts are negative (first: {cube.index[row]!r}, {y[row, column]:g}); correct them"
        )
    campaign = treated.to_numpy(dtype=bool)
    weight = np.ones(len(y))
    if matches is not None:
        weight = _match_weights(cube.index, campaign, matches)
    there = ~np.isnan(y).any(axis=1)
    return y[there], campaign[there] & (weight[there] > 0), weight[there]


def _match_weights(index: pd.Index, campaign: _Bools, matches: pd.DataFrame) -> Floats:
    """Weigh each control by the treated units it stands for; treated units without a control do not count."""
    for name in ("treated", "control"):
        if name not in matches.columns:
            raise ColumnError(
                f"no column {name!r} in the matches; give what matched_controls returns"
            )
    who, whom = (
        index.get_indexer(pd.Index(matches["treated"])),
        index.get_indexer(pd.Index(matches["control"])),
    )
    if (who < 0).any() or (whom < 0).any():
        raise ColumnError(
            "the matches name a unit that has no counts; take both from one set of units"
        )
    if not campaign[who].all() or campaign[whom].any():
        raise InputError(
            "the matches call a unit treated that is not, or take a treated one as control; match anew"
        )
    weight = np.zeros(len(index))
    weight[np.unique(who)] = 1.0
    share = 1.0 / np.bincount(who, minlength=len(index))[who]
    np.add.at(weight, whom, share)
    return weight


def _ratio(
    before: Floats, after: Floats, campaign: _Bools, weight: Floats, level: float
) -> tuple[float, float, float, float]:
    """Give the ratio of ratios, its interval and p."""
    log, variances, free = 0.0, [], []
    for sign, group in ((1.0, campaign), (-1.0, ~campaign & (weight > 0))):
        w, y0, y1 = weight[group], before[group], after[group]
        total0, total1 = float(w @ y0), float(w @ y1)
        if not (total0 > 0 and total1 > 0):
            return np.nan, np.nan, np.nan, np.nan
        log += sign * float(np.log(total1 / total0))
        m = len(w)
        spread = ((w * (y1 / total1 - y0 / total0)) ** 2).sum() * m / max(m - 1, 1)
        chance = w**2 @ y1 / total1**2 + w**2 @ y0 / total0**2
        variances.append(max(spread, chance))
        free.append(max(m - 1, 1))
    return _interval(log, variances, free, level, ratio=True)


def _difference(
    change: Floats, campaign: _Bools, weight: Floats, level: float
) -> tuple[float, float, float]:
    """Give the difference of mean changes per unit and step, with its interval."""
    mean, variances, free = 0.0, [], []
    for sign, group in ((1.0, campaign), (-1.0, ~campaign & (weight > 0))):
        w, d = weight[group] / weight[group].sum(), change[group]
        m, centre = len(w), float(w @ d)
        mean += sign * centre
        variances.append(((w * (d - centre)) ** 2).sum() * m / (m - 1) if m > 1 else np.nan)
        free.append(max(m - 1, 1))
    return _interval(mean, variances, free, level, ratio=False)[:3]


def _interval(
    centre: float, variances: list[float], free: list[int], level: float, *, ratio: bool
) -> tuple[float, float, float, float]:
    """Give estimate, ends and p by Student's t with Satterthwaite's degrees of freedom."""
    variance = float(np.sum(variances))
    if not variance > 0:
        value = float(np.exp(centre)) if ratio else float(centre)
        return value, np.nan, np.nan, np.nan
    degrees = variance**2 / sum(v**2 / f for v, f in zip(variances, free, strict=True))
    error = np.sqrt(variance)
    reach = float(special.stdtrit(degrees, (1 + level) / 2)) * error
    p = float(2 * special.stdtr(degrees, -abs(centre) / error))
    ends = np.array([centre, centre - reach, centre + reach])
    value, low, high = np.exp(ends) if ratio else ends
    return float(value), float(low), float(high), p


def _pretrend(y: Floats, campaign: _Bools, weight: Floats) -> tuple[float, float]:
    """Compare the groups' slopes before, each relative to its level: the factor per step, and p of the same."""
    steps = y.shape[1]
    if steps < 4:
        return np.nan, np.nan
    time = np.arange(steps) - (steps - 1) / 2
    slope, level = y @ time / (time @ time), y.mean(axis=1)
    gap, variances, free = 0.0, [], []
    for sign, group in ((1.0, campaign), (-1.0, ~campaign & (weight > 0))):
        w, s, of = weight[group], slope[group], level[group]
        total = w @ of
        if not total > 0:
            return np.nan, np.nan
        relative = w @ s / total
        gap += sign * relative
        m = len(w)
        spread = ((w * (s - relative * of) / total) ** 2).sum() * m / max(m - 1, 1)
        variances.append(max(spread, w**2 @ of / (time @ time) / total**2))
        free.append(max(m - 1, 1))
    return float(np.exp(gap)), _interval(gap, variances, free, 0.95, ratio=False)[3]


def _chance(
    before: Floats,
    after: Floats,
    campaign: _Bools,
    control: _Bools,
    weight: Floats,
    *,
    placebos: int,
    seed: int,
) -> float:
    """Say how often random controls, taken as treated, look as much treated against the other controls."""
    m, pool = int(campaign.sum()), np.flatnonzero(control)
    if placebos == 0 or len(pool) <= m:
        return np.nan
    observed = _log_ratio(before, after, campaign, weight * control)
    rng = np.random.default_rng(seed)
    reached = 0
    for _ in range(placebos):
        chosen = np.zeros(len(before), dtype=bool)
        chosen[rng.choice(pool, m, replace=False)] = True
        drawn = _log_ratio(before, after, chosen, weight * (control & ~chosen), of_chosen=weight)
        reached += not abs(drawn) < abs(observed)
    return (reached + 1) / (placebos + 1) if np.isfinite(observed) else np.nan


def _log_ratio(
    before: Floats,
    after: Floats,
    chosen: _Bools,
    others: Floats,
    *,
    of_chosen: Floats | None = None,
) -> float:
    own = chosen.astype(float) if of_chosen is None else chosen * of_chosen
    sums = np.array([own @ after, others @ before, own @ before, others @ after])
    if not (sums > 0).all():
        return np.nan
    return float(np.log(sums[0] * sums[1] / (sums[2] * sums[3])))
