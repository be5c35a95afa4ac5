"""Is it one incident, or two neighbours by chance? Odds, learnt from the reports themselves.

Source: Fellegi and Sunter 1969 (record linkage by likelihood); Kulldorff et al. 2005 (what chance brings, from the
reports' own places and times); the share of repeats and the fall with distance and lag by empirical Bayes.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gisgrid.intake.repeats.likeness import MOST_CANDIDATES, N_BINS, Near, Reports, text_likeness
from gisgrid.schema import Text

_EXPECTED_SHARE, _WORTH = 0.05, 50.0
"""The share of repeats that is expected before anything is seen, and the reports that this is worth."""
_WORTH_OF_FITS: Final = 25.0
"""The pairs that what is expected of distance, lag and words is worth."""
_WEIGHT_OF_AROUND: Final = 0.5
"""What the reports around a place say about it, against those of the place itself at all other times."""


def incident_scores(
    reports: Reports, near: Near, texts: pa.Array | None, neutral: float
) -> tuple[NDArray[np.float64], list[Text]]:
    """Give each candidate the probability that it is the same incident.

    Parameters
    ----------
    reports
        In the order of time.
    near
        Their candidates.
    texts
        Shape (n,), what they say; None where nothing.
    neutral
        0 to 1, the likeness of texts that speaks neither for nor against.

    Returns
    -------
    scores : ndarray
        Shape (n, `MOST_CANDIDATES`), 0 to 1.
    notes : list of Text
        How many repeats there seem to be.
    """
    n = len(reports.x)
    score = np.zeros((n, MOST_CANDIDATES))
    j, k = np.nonzero(near.candidate >= 0)
    if len(j) == 0:
        return score, []
    chance = _by_chance(reports, near)
    expected, n_pairs = float(chance.sum()), int(near.n_pairs.sum())
    excess = max(n_pairs - expected - 2.0 * np.sqrt(n_pairs), 0.0)  # more than chance may add
    share = min((_EXPECTED_SHARE * _WORTH + excess) / (_WORTH + n), 0.5)
    by_distance, by_lag = _fits(near, expected, excess)
    group = reports.group[j]
    distance = (near.distance_m[j, k] / reports.radius_m[group]) ** 2
    lag = near.lag_us[j, k] / reports.window_us[group]
    fit = by_distance[_bins(distance)] * by_lag[_bins(lag)]
    if texts is not None:
        by_chance = min(expected / n_pairs, 1.0)
        fit = fit * _text_fit(texts, (near.candidate[j, k], j), reports.group, neutral, by_chance)
    odds = share * fit / np.maximum(chance[j], 1e-9)
    score[j, k] = odds / (1.0 + odds)
    zh = f"同类、相近、先后不久的上报有 {n_pairs} 对，按偶然应有 {expected:.0f} 对：重复上报约占 {share:.1%}"
    en = f"{n_pairs} pairs of one class are near in place and time where chance would bring {expected:.0f}: about {share:.1%} of the reports repeat another"
    return score, [Text(zh=zh, en=en)]


def _by_chance(reports: Reports, near: Near) -> NDArray[np.float64]:
    """Expect, for each report, how many earlier ones are within radius and window by chance.

    From the reports of its class that came from within the radius at other times, and, as far as there are no other
    times (a file of one day), from those around the radius.
    """
    before, around_now = _window_shares(reports)
    from_around = (near.n_around + 0.1) * np.pi / (9.0 - np.pi)
    elsewhen = near.n_elsewhen + _WEIGHT_OF_AROUND * from_around
    return np.asarray(before * elsewhen / (1.0 - around_now + _WEIGHT_OF_AROUND))


def _window_shares(reports: Reports) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give, for each report, the share of its class that came in the window before it, and before or after it."""
    before, around = np.empty(len(reports.x)), np.empty(len(reports.x))
    in_class = np.bincount(reports.group, minlength=len(reports.radius_m))
    by_class = np.argsort(reports.group, kind="stable")
    for members in np.split(by_class, np.cumsum(in_class)[:-1]):
        if len(members):
            times, window = reports.time_us[members], reports.window_us[reports.group[members[0]]]
            first = np.searchsorted(times, times - window)
            after = np.searchsorted(times, times + window, side="right")
            here = np.arange(len(members))
            before[members] = (here - first + 0.5) / len(members)
            around[members] = (after - first) / len(members)
    return before, around


def _fits(
    near: Near, expected: float, excess: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Say by how much each distance and each lag speaks for a repeat: learnt from the pairs beyond chance.

    Where these are few, what is expected of phones and people holds.
    """
    edges = np.linspace(0.0, 1.0, N_BINS + 1)
    by_chance = (near.by_chance + 10.0) / (near.by_chance + 10.0).sum()
    fits = []
    for pairs, chance, steepness in (
        (near.by_distance, by_chance, 4.5),
        (near.by_lag, np.full(N_BINS, 1.0 / N_BINS), 3.0),
    ):
        believed = -np.diff(np.exp(-steepness * edges))
        fits.append(_learnt(pairs, expected * chance, excess, believed, chance))
    return fits[0], fits[1]


def _learnt(
    seen: NDArray[np.int64],
    expected: NDArray[np.float64],
    excess: float,
    believed: NDArray[np.float64],
    chance: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Give how much likelier each bin is for repeats than by chance, from what was seen beyond chance and its scatter."""
    repeats = np.maximum(seen - expected - np.sqrt(expected), 0.0)
    repeats *= excess / max(float(repeats.sum()), 1.0)
    weighed = repeats + _WORTH_OF_FITS * believed / believed.sum()
    return np.asarray(weighed / weighed.sum() / chance)


def _bins(share: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.minimum((share * N_BINS).astype(np.int64), N_BINS - 1)


def _text_fit(
    texts: pa.Array,
    pairs: tuple[NDArray[np.int64], NDArray[np.int64]],
    group: NDArray[np.int64],
    neutral: float,
    by_chance: float,
) -> NDArray[np.float64]:
    """Say how much better the likeness of words fits a repeat than two reports of the class that have no connection.

    Learnt like `_fits`; what is believed is 1 at the neutral likeness, 0.1 where nothing is alike, 20 where everything.
    """
    alike = text_likeness(*(texts.take(pa.array(rows)) for rows in pairs))
    known = np.isfinite(alike)
    by_class = np.argsort(group, kind="stable")
    some = by_class[np.linspace(0, len(by_class) - 1, min(len(by_class), 20_000)).astype(np.int64)]
    unrelated = text_likeness(texts.take(pa.array(some)), texts.take(pa.array(np.roll(some, 1))))
    unrelated = unrelated[np.isfinite(unrelated)]
    if len(unrelated) >= 100:
        neutral = min(max(neutral, float(np.quantile(unrelated, 0.8))), 0.95)
    middles = (np.arange(N_BINS) + 0.5) / N_BINS
    below = np.exp(np.log(0.1) * (neutral - middles) / neutral)
    above = np.exp(np.log(20.0) * (middles - neutral) / (1.0 - neutral))
    believed = np.where(middles < neutral, below, above)
    chance = np.bincount(_bins(unrelated), minlength=N_BINS) + 0.5
    chance = chance / chance.sum()
    seen = np.bincount(_bins(alike[known]), minlength=N_BINS)
    expected = by_chance * seen.sum() * chance
    learnt = _learnt(seen, expected, (1.0 - by_chance) * seen.sum(), believed * chance, chance)
    fit = np.ones(len(alike))
    fit[known] = learnt[_bins(alike[known])]
    return fit
