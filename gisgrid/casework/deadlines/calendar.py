"""On which days and at which hours does the city's administration work?

Public holidays and make-up working days come from the `holidays` package for the years that are published there; the
city's own dated table overrides them day by day. A year that nobody has published yet has holidays by rule and no make-up
days: what is reckoned with it is provisional.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import zoneinfo
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Final, Literal

import numpy as np
import pandas as pd
from holidays import country_holidays
from numpy.typing import NDArray
from pydantic import AfterValidator, Field, model_validator

from gisgrid.casework.declared import Declared, read_declared
from gisgrid.errors import InputError
from gisgrid.schema import Text

CHINA: Final = Path(__file__).parent / "declared" / "calendar-cn.toml"
"""Working time of Chinese administrations: 08:00-12:00 and 14:00-18:00, with public holidays and make-up days."""

FIRST_YEAR: Final = 2001
"""Before this year no public holidays are known."""

LAST_YEAR: Final = 2099
"""After this year lunar holidays are not known."""

DayKind = Literal["working", "weekend", "holiday", "make_up"]

_SPAN: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|(24):(00))")
_Days = NDArray[np.datetime64]


def _known_zone(name: str) -> str:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(
            f"there is no time zone {name!r}; write for example Asia/Shanghai"
        ) from error
    return name


def _known_span(span: str) -> str:
    first, last = minutes_of(span)
    if not first < last:
        raise ValueError(
            f"working hours {span!r} end before they begin; write for example 08:00-12:00"
        )
    return span


def minutes_of(span: str) -> tuple[int, int]:
    """Read a span of working hours.

    Parameters
    ----------
    span
        As ``08:00-12:00``; the end may be ``24:00``.

    Returns
    -------
    tuple of int
        Minutes after midnight of the beginning and the end.

    Raises
    ------
    InputError
        It is written otherwise.

    Examples
    --------
    >>> minutes_of("14:00-18:00")
    (840, 1080)
    """
    found = _SPAN.fullmatch(span)
    if found is None:
        raise InputError(f"working hours {span!r} are not written as 08:00-12:00; write them so")
    hour, minute, last_hour, last_minute = (
        int(part) for part in found.groups() if part is not None
    )
    return 60 * hour + minute, 60 * last_hour + last_minute


_Span = Annotated[str, AfterValidator(_known_span)]


def _apart(spans: tuple[str, ...]) -> tuple[str, ...]:
    ends = [minutes_of(span) for span in spans]
    if any(second[0] < first[1] for first, second in pairwise(ends)):
        raise ValueError(
            f"working hours {', '.join(spans)} overlap or are out of order; write them in the day's order"
        )
    return spans


_Spans = Annotated[tuple[_Span, ...], Field(min_length=1), AfterValidator(_apart)]


class Hours(Declared):
    """Working hours, always or for a season. Of several that hold on a day the last is taken.

    Attributes
    ----------
    spans
        As ``["08:00-12:00", "14:00-18:00"]``; what lies between is the lunch break.
    months
        The months (1 to 12) in which they hold, every year; None for all.
    since, until
        The first day on which they hold, and the first on which they no longer do; None for always.
    """

    spans: _Spans
    months: tuple[Annotated[int, Field(ge=1, le=12)], ...] | None = None
    since: dt.date | None = None
    until: dt.date | None = None


class Day(Declared):
    """What the city itself says about a day, whatever the country's calendar says.

    Attributes
    ----------
    date
        The day.
    works
        Whether it is a working day.
    spans
        Hours of that day only.
    why
        Whence this is known, for example the number of the notice.
    """

    date: dt.date
    works: bool
    spans: _Spans | None = None
    why: Text | None = None


class WorkCalendar(Declared):
    """The working time of an administration.

    Attributes
    ----------
    title
        Its name.
    timezone
        Where its clocks hang.
    country
        Whose public holidays it keeps (ISO 3166 code); None for none.
    announced_yearly
        Whether holidays and make-up days are published year by year, as in China; else they follow from rules and every
        year is known.
    weekdays
        The working days of a plain week, 1 (Monday) to 7.
    hours
        Working hours; the first hold whenever no later ones do.
    day
        The city's own days.
    published
        Years which the city's own days complete: they are no longer provisional.
    """

    title: Text
    timezone: Annotated[str, AfterValidator(_known_zone)]
    country: str | None = None
    announced_yearly: bool = True
    weekdays: tuple[Annotated[int, Field(ge=1, le=7)], ...] = (1, 2, 3, 4, 5)
    hours: Annotated[tuple[Hours, ...], Field(min_length=1)]
    day: tuple[Day, ...] = ()
    published: tuple[int, ...] = ()

    @model_validator(mode="after")
    def _whole(self) -> WorkCalendar:
        dates = [each.date for each in self.day]
        if twice := sorted({str(date) for date in dates if dates.count(date) > 1}):
            raise ValueError(f"{twice[0]} is declared twice; say once whether it is a working day")
        first = self.hours[0]
        if first.months is not None or first.since is not None or first.until is not None:
            raise ValueError("the first hours must hold always; put those of a season after them")
        return self

    @property
    def digest(self) -> str:
        """Sixteen hexadecimal digits of what is declared: stored with a due time, they say whether it must be reckoned anew."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]

    def is_published(self, year: int) -> bool:
        """Say whether the holidays and make-up days of a year are known, rather than guessed from rules.

        Parameters
        ----------
        year
            The year.

        Returns
        -------
        bool
            False: what is reckoned with it is provisional.
        """
        if year in self.published or self.country is None or not self.announced_yearly:
            return True
        return bool(_country_year(self.country, year)[1])

    def days(self, first: dt.date, last: dt.date) -> pd.DataFrame:
        """List the days from one to another with what each is, for a reader who wants to check.

        Parameters
        ----------
        first, last
            The first and the last day.

        Returns
        -------
        DataFrame
            Indexed by date: `kind` (``working``, ``weekend``, ``holiday``, ``make_up``), `works`, `hours` (text, empty on a
            day off), `own` (the city's table says so), `provisional`.

        Examples
        --------
        >>> found = read_calendar().days(dt.date(2026, 9, 19), dt.date(2026, 9, 21))
        >>> found["kind"].to_list()
        ['weekend', 'make_up', 'working']
        """
        dates = np.arange(np.datetime64(first, "D"), np.datetime64(last, "D") + 1)
        kinds, works, spans = day_table(self, first.year, last.year)
        at = (dates - np.datetime64(f"{first.year}-01-01", "D")).astype(np.int64)
        years = dates.astype("datetime64[Y]").astype(int) + 1970
        known = {int(year): self.is_published(int(year)) for year in np.unique(years)}
        own = {each.date for each in self.day}
        table = {
            "kind": np.asarray(kinds, dtype=object)[at],
            "works": works[at],
            "hours": [", ".join(spans[i]) if works[i] else "" for i in at],
            "own": [date in own for date in dates.tolist()],
            "provisional": [not known[int(year)] for year in years],
        }
        return pd.DataFrame(table, index=pd.DatetimeIndex(dates, name="date"))


@lru_cache(maxsize=512)
def _country_year(country: str, year: int) -> tuple[frozenset[dt.date], frozenset[dt.date]]:
    """Give a year's public holidays and make-up working days; the package's set holds other years' leftovers too."""
    try:
        found = country_holidays(country, years=[year], expand=False)
    except NotImplementedError as error:
        raise InputError(
            f"no public holidays of country {country!r} are known; give another code or leave it out"
        ) from error
    holidays = frozenset(date for date in found if date.year == year)
    return holidays, frozenset(date for date in found.weekend_workdays if date.year == year)


@lru_cache(maxsize=64)
def day_table(
    calendar: WorkCalendar, first_year: int, last_year: int
) -> tuple[tuple[DayKind, ...], NDArray[np.bool_], tuple[tuple[str, ...], ...]]:
    """Say what every day of some years is.

    Parameters
    ----------
    calendar
        Whose days.
    first_year, last_year
        The first and the last year, 2001 to 2099.

    Returns
    -------
    tuple
        For every day from 1 January of the first year to 31 December of the last: its kind, whether it is a working day,
        and its hours if it is one.

    Raises
    ------
    InputError
        Years for which no holidays can be told.
    """
    if not FIRST_YEAR <= first_year <= last_year <= LAST_YEAR:
        raise InputError(
            f"a calendar from {first_year} to {last_year} leaves the years {FIRST_YEAR} to {LAST_YEAR} for which holidays "
            "are known; correct the times or the deadline"
        )
    start = np.datetime64(f"{first_year}-01-01", "D")
    days = np.arange(start, np.datetime64(f"{last_year + 1}-01-01", "D"))
    in_week = np.isin((days.astype(np.int64) + 3) % 7 + 1, calendar.weekdays)
    kind = np.where(in_week, "working", "weekend").astype(object)
    if calendar.country is not None:
        for year in range(first_year, last_year + 1):
            holidays, make_up = _country_year(calendar.country, year)
            kind[_positions(holidays, start)] = "holiday"
            kind[_positions(make_up, start)] = "make_up"
    here = [each for each in calendar.day if first_year <= each.date.year <= last_year]
    spans = _spans(calendar.hours, days)
    for each, at in zip(here, _positions([each.date for each in here], start), strict=True):
        kind[at] = (
            ("working" if in_week[at] else "make_up")
            if each.works
            else ("holiday" if in_week[at] else "weekend")
        )
        spans[at] = each.spans or spans[at]
    works = np.isin(kind.astype(str), ["working", "make_up"])
    works.flags.writeable = False
    return tuple(kind), works, tuple(spans)


def _positions(
    dates: frozenset[dt.date] | list[dt.date], start: np.datetime64
) -> NDArray[np.int64]:
    found = np.array(list(dates), dtype="datetime64[D]") - start
    return np.asarray(found.astype(np.int64))


def _spans(hours: tuple[Hours, ...], days: _Days) -> list[tuple[str, ...]]:
    """Give each day's hours: those of the last entry that holds."""
    chosen = np.zeros(len(days), dtype=np.int64)
    month = days.astype("datetime64[M]").astype(np.int64) % 12 + 1
    for number, each in enumerate(hours):
        holds = np.ones(len(days), dtype=bool)
        if each.months is not None:
            holds &= np.isin(month, each.months)
        if each.since is not None:
            holds &= days >= np.datetime64(each.since, "D")
        if each.until is not None:
            holds &= days < np.datetime64(each.until, "D")
        chosen[holds] = number
    return [hours[number].spans for number in chosen]


@lru_cache(maxsize=8)
def _china() -> WorkCalendar:
    return read_declared(WorkCalendar, CHINA, what="calendar")


def read_calendar(path: str | Path | None = None) -> WorkCalendar:
    """Read a city's working time.

    Parameters
    ----------
    path
        TOML: `title`, `timezone`, `country`, ``[[hours]]``, ``[[day]]``, `published`; that of Chinese administrations unless
        told otherwise.

    Returns
    -------
    WorkCalendar
        What it declares.

    Raises
    ------
    InputError
        No such file, no TOML, or entries that break a rule: all of them, a sentence per line.

    Examples
    --------
    >>> calendar = read_calendar()
    >>> calendar.is_published(2026), calendar.is_published(2031)
    (True, False)
    """
    return _china() if path is None else read_declared(WorkCalendar, path, what="calendar")
