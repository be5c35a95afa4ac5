"""When do people report, and how long does it take: seasons, weeks, hours, delays, in the city's local time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CATEGORIES: Mapping[str, str] = {
    "illegal_parking": "0410", "illegal_building": "0101", "exposed_garbage": "0110", "dirty_road": "0112",
    "damaged_road": "0113", "wet_market_disorder": "0498", "vector_breeding": "0121", "sewage": "0130",
    "illegal_adverts": "0201", "street_vending": "0406", "dry_toilet": "0199",
}  # fmt: skip
"""Category and its code."""

SOURCES = ("collector", "hotline", "app", "video")

WEEKEND: Mapping[str, float] = {"collector": 0.55, "hotline": 0.80, "app": 1.15, "video": 0.95}
"""Reports on a Saturday or Sunday for one on a working day, by source."""

SEASON: Mapping[str, tuple[float, int]] = {
    "illegal_parking": (0.08, 270), "illegal_building": (0.25, 100), "exposed_garbage": (0.30, 210),
    "dirty_road": (0.20, 330), "damaged_road": (0.30, 75), "wet_market_disorder": (0.15, 25),
    "vector_breeding": (0.75, 205), "sewage": (0.35, 200), "illegal_adverts": (0.15, 260),
    "street_vending": (0.35, 215), "dry_toilet": (0.50, 205),
}  # fmt: skip
"""Swing around the mean (0 to 1) and the day of the year of its peak, by category."""

SOURCE_SHARE: Mapping[str, tuple[float, float, float, float]] = {
    "illegal_parking": (0.40, 0.18, 0.12, 0.30), "illegal_building": (0.45, 0.40, 0.15, 0.0),
    "exposed_garbage": (0.62, 0.15, 0.15, 0.08), "dirty_road": (0.66, 0.12, 0.12, 0.10),
    "damaged_road": (0.58, 0.22, 0.20, 0.0), "wet_market_disorder": (0.60, 0.24, 0.10, 0.06),
    "vector_breeding": (0.48, 0.37, 0.15, 0.0), "sewage": (0.52, 0.33, 0.15, 0.0),
    "illegal_adverts": (0.80, 0.06, 0.14, 0.0), "street_vending": (0.46, 0.24, 0.12, 0.18),
    "dry_toilet": (0.62, 0.28, 0.10, 0.0),
}  # fmt: skip
"""Share of each of `SOURCES`, by category."""

HOURS: Mapping[str, tuple[float, ...]] = {
    "collector": (0, 0, 0, 0, 0, 0, 1, 6, 14, 17, 15, 9, 4, 5, 12, 15, 14, 9, 3, 1, 0.4, 0.2, 0, 0),
    "hotline": (
        0.3,
        0.2,
        0.1,
        0.1,
        0.2,
        0.5,
        2,
        5,
        9,
        11,
        10,
        8,
        6,
        6,
        8,
        9,
        8,
        7,
        6,
        6,
        5,
        3,
        1.5,
        0.6,
    ),
    "app": (0.8, 0.4, 0.2, 0.2, 0.3, 1, 3, 7, 7, 6, 6, 6, 7, 6, 5, 5, 6, 8, 9, 9, 8, 6, 3.5, 1.8),
    "video": (2, 2, 2, 2, 2, 3, 4, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 6, 6, 6, 5, 4, 3, 2),
}
"""Weight of each local hour from 0 to 23, by source."""

UPLOAD_MINUTES: Mapping[str, tuple[float, float]] = {
    "collector": (6.0, 1.0), "hotline": (35.0, 0.8), "app": (1.5, 0.9), "video": (0.3, 0.5),
}  # fmt: skip
"""Median minutes from report to upload, and the spread of its logarithm, by source."""

OFFLINE_SHARE, OFFLINE_HOURS = 0.03, 9.0
"""Share of collectors' reports made without network, and the median hours until they arrive."""

CLOSING_HOURS: Mapping[str, tuple[float, float]] = {
    "illegal_parking": (3.0, 0.8), "illegal_building": (720.0, 1.1), "exposed_garbage": (6.0, 0.9),
    "dirty_road": (5.0, 0.8), "damaged_road": (140.0, 0.9), "wet_market_disorder": (30.0, 0.9),
    "vector_breeding": (48.0, 0.9), "sewage": (22.0, 1.0), "illegal_adverts": (10.0, 0.9),
    "street_vending": (4.0, 0.9), "dry_toilet": (360.0, 1.0),
}  # fmt: skip
"""Median hours from upload to closing, and the spread of its logarithm, by category."""

UTC_OFFSET_S = 8 * 3600
"""Asia/Shanghai is eight hours ahead of UTC, without summer time since 1992."""
DAY_S = 86_400


@dataclass(frozen=True)
class Period:
    """The local days the reports cover, from the first to before the last.

    Attributes
    ----------
    first, last
        Days since 1970-01-01, local; `last` is the day after the newest report.
    """

    first: int
    last: int

    @property
    def days(self) -> Ints:
        """All days of the period."""
        return np.arange(self.first, self.last)

    def moment(self, share: float) -> int:
        """Give the local midnight at a share (0 to 1) of the period, in seconds of UTC."""
        return int(self.first + round(share * (self.last - self.first))) * DAY_S - UTC_OFFSET_S


def period(years: int) -> Period:
    """Give the days that the reports of a city cover.

    Parameters
    ----------
    years
        How many, 1 to 5.

    Returns
    -------
    Period
        From 1 November to 20 October, both included: the last month is cut off, as it is in any export.

    Examples
    --------
    >>> len(period(1).days)
    354
    """
    first = np.datetime64(f"{2025 - years}-11-01", "D").astype(int)
    return Period(int(first), int(np.datetime64("2025-10-21", "D").astype(int)))


def day_rates(days: Ints) -> Floats:
    """Give how busy each day is for each category and source.

    Parameters
    ----------
    days
        Shape (n_days,), local days since 1970-01-01.

    Returns
    -------
    ndarray
        Shape (n_categories, n_sources, n_days), mean 1 over the days.
    """
    dates = days.astype("datetime64[D]")
    of_year = (dates - dates.astype("datetime64[Y]")).astype(np.int64)
    weekend = (days + 3) % 7 >= 5  # 1970-01-01 was a Thursday
    season = np.array(
        [1 + a * np.cos(2 * np.pi * (of_year - peak) / 365.25) for a, peak in SEASON.values()]
    )
    week = np.array([np.where(weekend, WEEKEND[source], 1.0) for source in SOURCES])
    rates = season[:, None, :] * week[None, :, :]
    return np.asarray(rates / rates.mean(axis=2, keepdims=True))


def pick(weights: Floats, row: Ints, rng: np.random.Generator) -> Ints:
    """Draw a column from each issue's row of weights.

    Parameters
    ----------
    weights
        Shape (k, m), not negative.
    row
        Shape (n,), which row each draw is from.
    rng
        The source of chance.

    Returns
    -------
    ndarray
        Shape (n,), columns 0 to m - 1.
    """
    k, m = weights.shape
    steps = np.cumsum(weights, axis=1)
    steps = (steps / steps[:, -1:] + np.arange(k)[:, None]).ravel()
    found = np.searchsorted(steps, row + rng.random(len(row)), side="right")
    return np.asarray(np.minimum(found - row * m, m - 1))


def hours_weights() -> Floats:
    """Give how many reports come in each hour of the day.

    Returns
    -------
    ndarray
        Shape (n_sources, 24), weights, not normalised.
    """
    return np.array([HOURS[source] for source in SOURCES], dtype=np.float64)


def upload_seconds(source: Ints, rng: np.random.Generator) -> Ints:
    """Draw how long reports take to arrive.

    Parameters
    ----------
    source
        Shape (n,), positions in `SOURCES`.
    rng
        The source of chance.

    Returns
    -------
    ndarray
        Shape (n,), seconds, 0 or more.
    """
    median, spread = np.array([UPLOAD_MINUTES[name] for name in SOURCES]).T
    seconds = 60 * median[source] * np.exp(spread[source] * rng.standard_normal(len(source)))
    offline = (source == SOURCES.index("collector")) & (rng.random(len(source)) < OFFLINE_SHARE)
    seconds[offline] += 3600 * OFFLINE_HOURS * np.exp(0.7 * rng.standard_normal(int(offline.sum())))
    return np.asarray(seconds.astype(np.int64))


def closing_seconds(category: Ints, rng: np.random.Generator) -> Ints:
    """Draw how long cases take from upload to closing.

    Parameters
    ----------
    category
        Shape (n,), positions in `CATEGORIES`.
    rng
        The source of chance.

    Returns
    -------
    ndarray
        Shape (n,), seconds, 60 or more.
    """
    median, spread = np.array(list(CLOSING_HOURS.values())).T
    hours = median[category] * np.exp(spread[category] * rng.standard_normal(len(category)))
    return np.asarray((3600 * hours).astype(np.int64) + 60)
