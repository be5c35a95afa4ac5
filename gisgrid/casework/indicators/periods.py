"""Which days does a month, a week, a year mean, which came before, and which were the same a year ago?"""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from dataclasses import dataclass, replace
from typing import Final, Literal

import pandas as pd

from gisgrid.errors import InputError

Kind = Literal["day", "week", "month", "quarter", "year"]

_WRITTEN: Final = re.compile(
    r"(?P<year>\d{4})(?:-(?:W(?P<week>\d{2})|Q(?P<quarter>[1-4])|(?P<month>\d{2})(?:-(?P<day>\d{2}))?))?"
)
_MONTHS: Final = {"month": 1, "quarter": 3, "year": 12}


@dataclass(frozen=True)
class Period:
    """Some days of the city, from the first to before the end.

    Attributes
    ----------
    kind
        ``day``, ``week`` (ISO), ``month``, ``quarter`` or ``year``.
    first
        The first day.
    after
        The day after the last.
    timezone
        Where a day begins.
    until
        Where what is known ends inside the period (UTC); None for a whole period.
    """

    kind: Kind
    first: dt.date
    after: dt.date
    timezone: str
    until: pd.Timestamp | None = None

    @property
    def start(self) -> pd.Timestamp:
        """When it begins (UTC)."""
        return _midnight(self.first, self.timezone)

    @property
    def end(self) -> pd.Timestamp:
        """When it ends, or what is known of it (UTC)."""
        return self.until if self.until is not None else _midnight(self.after, self.timezone)

    def known_until(self, moment: pd.Timestamp) -> Period:
        """Give the part that lies before a moment.

        Parameters
        ----------
        moment
            With a time zone; one after the end changes nothing.

        Returns
        -------
        Period
            The same days, cut.

        Raises
        ------
        InputError
            The moment lies before the period, or has no zone.
        """
        if moment.tzinfo is None:
            raise InputError(
                f"{moment} has no time zone; give it one, for example with tz_localize"
            )
        if moment <= self.start:
            raise InputError(
                f"nothing of the period from {self.first} is known at {moment}; choose an earlier period"
            )
        return self if moment >= self.end else replace(self, until=moment.tz_convert("UTC"))

    def before(self) -> Period:
        """Give the period before (环比), cut as far into it where this one is cut.

        Returns
        -------
        Period
            Of the same kind.
        """
        if self.kind == "day":
            first = self.first - dt.timedelta(days=1)
        elif self.kind == "week":
            first = self.first - dt.timedelta(days=7)
        else:
            first = (pd.Timestamp(self.first) - pd.DateOffset(months=_MONTHS[self.kind])).date()
        return self._alike(first, self.first)

    def year_ago(self) -> Period | None:
        """Give the same period of the year before (同比), cut as far into it where this one is cut.

        Returns
        -------
        Period or None
            None where that year had none: 29 February, week 53.
        """
        if self.kind == "week":
            year, week, _ = self.first.isocalendar()
            try:
                first = dt.date.fromisocalendar(year - 1, week, 1)
            except ValueError:
                return None
            return self._alike(first, first + dt.timedelta(days=7))
        try:
            first = self.first.replace(year=self.first.year - 1)
        except ValueError:
            return None
        if self.kind == "day":
            return self._alike(first, first + dt.timedelta(days=1))
        after = (pd.Timestamp(first) + pd.DateOffset(months=_MONTHS[self.kind])).date()
        return self._alike(first, after)

    def _alike(self, first: dt.date, after: dt.date) -> Period:
        other = Period(self.kind, first, after, self.timezone)
        if self.until is None:
            return other
        reach = other.start + (self.until - self.start)
        return other if reach >= other.end else replace(other, until=reach)


def period_of(written: str, *, timezone: str) -> Period:
    """Read a period.

    Parameters
    ----------
    written
        As ``2026``, ``2026-Q4``, ``2026-11``, ``2026-W46`` or ``2026-11-22``.
    timezone
        Where a day begins, for example ``Asia/Shanghai``.

    Returns
    -------
    Period
        Its days.

    Raises
    ------
    InputError
        It is written otherwise, there is no such day or week, or no such time zone.

    Examples
    --------
    >>> week = period_of("2026-W46", timezone="Asia/Shanghai")
    >>> str(week.first), str(week.end)
    ('2026-11-09', '2026-11-15 16:00:00+00:00')
    """
    try:
        zoneinfo.ZoneInfo(timezone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError) as error:
        raise InputError(
            f"there is no time zone {timezone!r}; write for example Asia/Shanghai"
        ) from error
    found = _WRITTEN.fullmatch(written)
    try:
        kind, first = _first_day(found.groupdict() if found else {})
    except (ValueError, KeyError):
        raise InputError(
            f"{written!r} is no period; write a year, quarter, month, week or day as 2026, 2026-Q4, 2026-11, 2026-W46, 2026-11-22"
        ) from None
    if kind in _MONTHS:
        after = (pd.Timestamp(first) + pd.DateOffset(months=_MONTHS[kind])).date()
    else:
        after = first + dt.timedelta(days=7 if kind == "week" else 1)
    return Period(kind, first, after, timezone)


_YEARS: Final = (1971, 2198)
"""So that the year before and the first day after are kept, too."""


def _first_day(written: dict[str, str | None]) -> tuple[Kind, dt.date]:
    part = {name: int(text) for name, text in written.items() if text is not None}
    year = part["year"]
    if not _YEARS[0] <= year <= _YEARS[1]:
        raise InputError(
            f"the year {year} is none that a ledger keeps; write one from {_YEARS[0]} to {_YEARS[1]}"
        )
    if "week" in part:
        return "week", dt.date.fromisocalendar(year, part["week"], 1)
    if "quarter" in part:
        return "quarter", dt.date(year, 3 * part["quarter"] - 2, 1)
    if "day" in part:
        return "day", dt.date(year, part["month"], part["day"])
    if "month" in part:
        return "month", dt.date(year, part["month"], 1)
    return "year", dt.date(year, 1, 1)


def _midnight(day: dt.date, timezone: str) -> pd.Timestamp:
    return pd.Timestamp(day).tz_localize(timezone).tz_convert("UTC")
