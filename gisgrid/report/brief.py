"""What does a sub-district or community have to know of a week? The content of a brief, before it is a page."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final, Literal

import geopandas as gpd
import pandas as pd

from gisgrid.casework.indicators import Period
from gisgrid.schema import Text

Verdict = Literal["rose", "fell", "no_change", "unknown"]
"""What a change means: beyond chance, within chance, or not to be told."""

FEW: Final = 10
"""Rates of fewer cases are marked: one case more or less moves them by a tenth."""


@dataclass(frozen=True)
class Measure:
    """One number of the period, with what it was before.

    Attributes
    ----------
    title
        Its words.
    kind
        ``count``, ``share`` (0 to 1), ``hours`` or ``minutes``.
    value, before, year_ago
        In the period, the one before and the same a year ago; None where nothing is known.
    numerator, denominator
        Of shares; the number that a time rests on is the denominator.
    basis
        How it is reckoned.
    """

    title: Text
    kind: Literal["count", "share", "hours", "minutes"]
    value: float | None
    before: float | None = None
    year_ago: float | None = None
    numerator: int | None = None
    denominator: int | None = None
    basis: Text | None = None

    @property
    def is_few(self) -> bool:
        """Whether it rests on too few cases to be read by itself."""
        return self.kind != "count" and self.value is not None and (self.denominator or 0) < FEW


@dataclass(frozen=True)
class Change:
    """How many there were, and whether that is more than before beyond chance."""

    name: Text
    n: int
    before: int | None
    year_ago: int | None
    verdict: Verdict


@dataclass(frozen=True)
class HotUnit:
    """A unit that is hot: its number on the map, and its cases.

    Attributes
    ----------
    number
        On the map and in the list.
    name
        Its name, or its code.
    label
        One of `gisgrid.palette.LABELS`; empty where it only has the most cases.
    n, n_window
        Cases in the period, and in the days that the hotspots are found in.
    main_class
        The class with the most cases there.
    is_new
        Whether it was not hot in as many days before.
    """

    number: int
    name: Text
    label: str
    n: int
    n_window: int
    main_class: Text
    is_new: bool


@dataclass(frozen=True)
class Back:
    """A problem that came back in the period after its case was closed."""

    place: Text
    category: Text
    owner: Text
    closed_on: dt.date
    back_on: dt.date
    days: float
    times: int


@dataclass(frozen=True)
class OwnerShare:
    """What lies with one owner."""

    title: Text
    n_reported: int
    n_closed: int
    n_open: int
    n_overdue: int
    worst_days: float | None
    main_class: Text | None


@dataclass(frozen=True)
class Overdue:
    """One case that is past its deadline at the end of the period."""

    case_id: str
    category: Text
    place: Text
    owner: Text
    due_on: dt.date
    days: float


@dataclass(frozen=True)
class Ground:
    """What the maps show, in one projected CRS.

    Attributes
    ----------
    units
        The finest units inside, with `label` (hot or cold), `number` (of the list; 0 for none).
    parts
        The level between, with `name_zh`, `name_en`, `verdict`, `n`; the units themselves where there is none.
    outline
        The unit of the brief: one row.
    city
        All units of its level.
    """

    units: gpd.GeoDataFrame
    parts: gpd.GeoDataFrame
    outline: gpd.GeoDataFrame
    city: gpd.GeoDataFrame


@dataclass(frozen=True)
class Brief:
    """A brief, whole.

    Attributes
    ----------
    unit, level, code
        Whose it is.
    facts
        What is known of the unit: residents, area, units inside.
    period
        The days; cut where what is known ends inside them.
    headline
        The sentences of the first paragraph.
    figures
        The numbers at the top.
    weeks
        Cases reported per period before and in this one, with the first day of each; missing where nothing is known.
    hot, hot_days
        The hot units, and of how many days; without any the units with the most cases, whose label is empty.
    classes
        The classes with their change, the most first.
    backs, n_backs
        The problems that came back, the most often first; and how many there are in all.
    owners
        Whose it is.
    overdue, n_overdue
        The cases that are overdue longest; and how many there are in all.
    indicators
        With numerators and denominators.
    ground
        What the maps show.
    notes
        How to read it, and what is not known.
    sources
        Where the data come from: words and value.
    """

    unit: Text
    level: Text
    code: str
    facts: tuple[tuple[Text, str], ...]
    period: Period
    headline: tuple[Text, ...]
    figures: tuple[Measure, ...]
    weeks: pd.Series
    hot: tuple[HotUnit, ...]
    hot_days: int
    classes: tuple[Change, ...]
    backs: tuple[Back, ...]
    n_backs: int
    owners: tuple[OwnerShare, ...]
    overdue: tuple[Overdue, ...]
    n_overdue: int
    indicators: tuple[Measure, ...]
    ground: Ground
    notes: tuple[Text, ...]
    sources: tuple[tuple[Text, str], ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing was reported in the period."""
        return not self.figures[0].value
