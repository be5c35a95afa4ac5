"""Moments as whole numbers: microseconds of UTC, or of what the clock on the wall shows."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gisgrid.errors import InputError

Ints = NDArray[np.int64]

HOUR_US: Final = 3_600_000_000
DAY_US: Final = 24 * HOUR_US
MINUTE_US: Final = 60_000_000
SECOND_US: Final = 1_000_000
NEVER: Final = int(np.iinfo(np.int64).min)
"""A missing moment."""


def moments(times: pd.Series, name: str) -> Ints:
    """Give moments as whole numbers.

    Parameters
    ----------
    times
        With a time zone, or all missing.
    name
        What to call them.

    Returns
    -------
    ndarray
        Microseconds of UTC, `NEVER` where missing.

    Raises
    ------
    InputError
        They have no zone.
    """
    if times.isna().all():
        return np.full(len(times), NEVER)
    if not isinstance(times.dtype, pd.DatetimeTZDtype):
        raise InputError(
            f"{name!r} has no time zone ({times.dtype}); give it one, for example with dt.tz_localize"
        )
    return np.asarray(pd.DatetimeIndex(times).tz_convert(None).as_unit("us").asi8)


def on_wall(at: Ints, zone: str | None) -> Ints:
    """Give what the clock on the wall shows.

    Parameters
    ----------
    at
        Microseconds of UTC; `NEVER` stays.
    zone
        Where the clock hangs; None for UTC.

    Returns
    -------
    ndarray
        Microseconds as if what it shows were UTC.
    """
    if zone is None:
        return at
    shown = pd.DatetimeIndex(at.view("datetime64[us]")).tz_localize("UTC").tz_convert(zone)
    return np.asarray(shown.tz_localize(None).as_unit("us").asi8)


def off_wall(shown: Ints, zone: str | None) -> Ints:
    """Give the moments at which the clock on the wall shows something.

    Parameters
    ----------
    shown
        As from `on_wall`.
    zone
        Where the clock hangs; None for UTC.

    Returns
    -------
    ndarray
        Microseconds of UTC: of an hour that comes twice the first, of one that is left out the end.
    """
    if zone is None:
        return shown
    local = pd.DatetimeIndex(shown.view("datetime64[us]"))
    local = local.tz_localize(
        zone, ambiguous=np.ones(len(local), dtype=bool), nonexistent="shift_forward"
    )
    return np.asarray(local.tz_convert(None).as_unit("us").asi8)


def utc_series(at: Ints) -> pd.Series:
    """Give microseconds of UTC as times.

    Parameters
    ----------
    at
        `NEVER` is missing.

    Returns
    -------
    Series
        UTC.
    """
    return pd.Series(pd.DatetimeIndex(at.view("datetime64[us]")).tz_localize("UTC"))


def years_of(shown: Ints) -> Ints:
    """Give the years of moments.

    Parameters
    ----------
    shown
        As from `on_wall`.

    Returns
    -------
    ndarray
        Years.
    """
    return np.asarray(shown.view("datetime64[us]").astype("datetime64[Y]").astype(np.int64) + 1970)
