"""What is the time by the clock on a city's wall in UTC?"""

from __future__ import annotations

import datetime as dt
import functools
import re
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gisgrid.errors import InputError, did_you_mean

_OFFSET: Final = re.compile(r"([+-])(\d{2}):(\d{2})")


def parse_zone(name: str) -> dt.tzinfo:
    """Read the name of a time zone.

    Parameters
    ----------
    name
        An IANA name, or an offset such as ``+08:00``.

    Returns
    -------
    tzinfo
        The zone.

    Raises
    ------
    InputError
        There is no such zone.

    Examples
    --------
    >>> parse_zone("+08:00")
    datetime.timezone(datetime.timedelta(seconds=28800))
    """
    if match := _OFFSET.fullmatch(name):
        sign = -1 if match[1] == "-" else 1
        ahead = dt.timedelta(hours=int(match[2]), minutes=int(match[3]))
        if ahead < dt.timedelta(hours=24):
            return dt.timezone(sign * ahead)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        hint = did_you_mean(name, available_timezones())
        hint = hint if "mean" in hint else "; give an IANA name, for example Asia/Shanghai"
        raise InputError(f"no time zone {name!r}{hint}") from None


def in_utc(
    wall_us: NDArray[np.int64], timezone: str, years: tuple[int, int]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Turn times by the clock on the wall into UTC.

    Parameters
    ----------
    wall_us
        Shape (n,), microseconds since 1970 as the wall shows them.
    timezone
        Of `parse_zone`.
    years
        The first and the last year whose clock changes are looked up.

    Returns
    -------
    utc_us : ndarray of int64
        Shape (n,). An hour that comes twice is taken the first time; an hour that the clocks skip becomes the first
        moment after it.
    doubtful : ndarray of bool
        Shape (n,), whether the time lies in such an hour.

    Raises
    ------
    InputError
        There is no such zone.

    Examples
    --------
    >>> wall = np.array(["2024-11-03T01:30", "2024-03-10T02:30"], "datetime64[us]").astype(np.int64)
    >>> utc, doubtful = in_utc(wall, "America/New_York", (2024, 2024))
    >>> utc.astype("datetime64[us]").astype("datetime64[m]").astype(str).tolist(), doubtful.tolist()
    (['2024-11-03T05:30', '2024-03-10T07:00'], [True, True])
    """
    changes = _clock_changes(timezone, *years)
    if len(wall_us) == 0:
        return wall_us.copy(), np.zeros(0, bool)
    edges = np.array([wall_us.min(), wall_us.max()])
    first, last = np.searchsorted(changes.wall, edges, side="right").tolist()
    last = min(last + 1, len(changes.at))
    ahead = changes.ahead[first : last + 1]
    if first == last:
        return wall_us - ahead[0], np.zeros(len(wall_us), bool)
    at, before, after = changes.at[first:last], ahead[:-1], ahead[1:]
    period = np.searchsorted(changes.wall[first:last], wall_us, side="right")
    utc_us = wall_us - ahead[period]
    doubtful_from = np.append(at + np.minimum(before, after), np.iinfo(np.int64).max)
    doubtful = wall_us >= doubtful_from[period]
    rows = np.flatnonzero(doubtful)
    skipped = rows[(after > before)[period[rows]]]
    utc_us[skipped] = at[period[skipped]]
    return utc_us, doubtful


class _Changes(NamedTuple):
    """When a zone's clocks change (UTC), from which time on the wall the new offset counts, and all offsets in turn."""

    at: NDArray[np.int64]
    wall: NDArray[np.int64]
    ahead: NDArray[np.int64]


@functools.cache
def _clock_changes(timezone: str, first_year: int, last_year: int) -> _Changes:
    zone = parse_zone(timezone)
    days = pd.date_range(
        f"{first_year - 1:04d}-12-31", f"{last_year + 1:04d}-01-02", tz="UTC", unit="us"
    )
    changed = np.flatnonzero(np.diff(_ahead(days, zone)))
    at: list[NDArray[np.int64]] = [np.zeros(0, np.int64)]
    for day in changed.tolist():  # a few hundred at most; to the minute
        minutes = pd.date_range(days[day], days[day + 1], freq="min")
        change = np.flatnonzero(np.diff(_ahead(minutes, zone))) + 1
        at.append(minutes[change].tz_localize(None).to_numpy().astype(np.int64))
    moments = np.concatenate(at)
    edges = pd.DatetimeIndex(moments.astype("datetime64[us]")).tz_localize("UTC")
    ahead = np.concatenate([_ahead(days[:1], zone), _ahead(edges, zone)])
    # An hour that comes twice is taken the first time: the old offset holds until it is over.
    return _Changes(moments, moments + np.maximum(ahead[:-1], ahead[1:]), ahead)


def _ahead(moments: pd.DatetimeIndex, zone: dt.tzinfo) -> NDArray[np.int64]:
    wall, utc = moments.tz_convert(zone).tz_localize(None), moments.tz_localize(None)
    return np.asarray((wall - utc).to_numpy().astype("timedelta64[us]").astype(np.int64))
