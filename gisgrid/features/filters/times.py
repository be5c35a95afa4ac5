"""Times as filters write them: instants, days, and intervals that may be open."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Final

from gisgrid.features.filters.limits import FilterError

FOREVER: Final = 2**62
"""Microseconds: later than any time; its negative is earlier than any."""

DAY: Final = 86_400_000_000
"""Microseconds in a day."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIME: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)?", re.ASCII
)


def time_span(text: str) -> tuple[int, int]:
    """Read a day or an instant.

    Parameters
    ----------
    text
        RFC 3339: ``2026-10-01``, ``2026-10-01T08:30:00Z``, ``2026-10-01T08:30:00+08:00``. Without a zone it is UTC.

    Returns
    -------
    tuple of int
        Its first and its last microsecond since 1970: the same for an instant, a day apart for a day.

    Raises
    ------
    FilterError
        It is neither.

    Examples
    --------
    >>> time_span("1970-01-01"), time_span("1970-01-01T08:00:01+08:00")
    ((0, 86399999999), (1000000, 1000000))
    """
    try:
        if _DATE.fullmatch(text):
            day = (date.fromisoformat(text) - _EPOCH.date()).days
            return day * DAY, (day + 1) * DAY - 1
        if (found := _TIME.fullmatch(text)) is not None:
            day_text, clock, fraction, zone = found.groups()
            second = f"{day_text}T{clock.replace(':60', ':59') if clock.endswith(':60') else clock}"
            suffix = (zone or "Z").upper().replace("Z", "+00:00")
            time = datetime.fromisoformat(f"{second}{suffix}") - _EPOCH
            micro = time // timedelta(microseconds=1) + int((fraction or "0").ljust(6, "0")[:6])
            return micro, micro
    except ValueError as error:
        raise FilterError(
            f"{text[:40]!r} is no time ({error}); write 2026-10-01 or 2026-10-01T08:30:00Z"
        ) from error
    raise FilterError(f"{text[:40]!r} is no time; write 2026-10-01 or 2026-10-01T08:30:00Z")


def interval_span(text: str) -> tuple[int, int]:
    """Read what the parameter `datetime` of OGC API - Features holds.

    Parameters
    ----------
    text
        A day, an instant, or two of them with a slash between; ``..`` or nothing for an open end.

    Returns
    -------
    tuple of int
        The first and last microsecond, `FOREVER` for an open end.

    Raises
    ------
    FilterError
        It is none of these, or ends before it begins.

    Examples
    --------
    >>> interval_span("1970-01-01/..") == (0, FOREVER)
    True
    """
    start, slash, end = text.strip().partition("/")
    if not slash:
        return time_span(start)
    first = -FOREVER if start in {"", ".."} else time_span(start)[0]
    last = FOREVER if end in {"", ".."} else time_span(end)[1]
    if first > last:
        raise FilterError(
            f"the interval {text[:80]!r} ends before it begins; put the earlier time first"
        )
    return first, last


def time_text(micro: int) -> str:
    """Write an instant as a filter's text does.

    Parameters
    ----------
    micro
        Microseconds since 1970; `FOREVER` is an open end.

    Returns
    -------
    str
        RFC 3339 in UTC, or ``..``.

    Examples
    --------
    >>> time_text(0), time_text(FOREVER)
    ('1970-01-01T00:00:00Z', '..')
    """
    if abs(micro) == FOREVER:
        return ".."
    return f"{(_EPOCH + timedelta(microseconds=micro)).replace(tzinfo=None).isoformat()}Z"
