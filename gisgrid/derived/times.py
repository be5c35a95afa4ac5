"""Which days are compared, which steps of time are whole, and which dates are a slip of the pen?"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, replace
from typing import Final, cast, get_args

import numpy as np
import pandas as pd

from gisgrid.analysis import SpaceTimeCube, space_time_cube
from gisgrid.analysis.space_time.cube import Step
from gisgrid.derived.areas import Areas
from gisgrid.derived.incidents import demand
from gisgrid.derived.notes import FAR_IN_TIME, IN_PART_STEPS, NO_TIME, Note, heard, left_out
from gisgrid.errors import InputError
from gisgrid.schema import Text

STEP_TEXTS: Final = {
    "day": "天", "week": "周", "month": "个月", "quarter": "个季度", "year": "年",
}  # fmt: skip
"""What steps of time are called in Chinese, after a number."""

STRAY_SHARE: Final = 0.01
"""No more of the dates than this, at either end, are ever taken for strays."""

STRAY_GAP: Final = 0.25
"""Strays lie before (or after) a silence of at least this share of the time of all others."""

_YEAR: Final = 365
_LEAST: Final = 10  # with fewer dates none is taken for a stray


@dataclass(frozen=True)
class Days:
    """Some days of the city, the last one included.

    Attributes
    ----------
    first, end
        When they begin, and when the day after the last one begins.
    text
        How they were written.
    """

    first: pd.Timestamp
    end: pd.Timestamp
    text: str

    @property
    def years(self) -> float:
        """How long they are, in years of 365.25 days."""
        return (self.end - self.first) / pd.Timedelta(days=365.25)

    def holds(self, times: pd.Series) -> pd.Series:
        """Say which moments are in them.

        Parameters
        ----------
        times
            Shape (m,), with a zone; missing where unknown.

        Returns
        -------
        Series
            Shape (m,), bool.
        """
        return (times >= self.first) & (times < self.end)


def days_of(text: str, *, timezone: str) -> Days:
    """Read a period: ``2025``, ``2025-03``, ``2025-03-09`` or ``2025-03-01..2025-05-31``, last day included.

    Parameters
    ----------
    text
        The period.
    timezone
        Where a day begins.

    Returns
    -------
    Days
        From midnight to midnight there.

    Raises
    ------
    InputError
        It is no period, or ends before it begins.

    Examples
    --------
    >>> found = days_of("2024-02", timezone="UTC")
    >>> str(found.first.date()), str(found.end.date())
    ('2024-02-01', '2024-03-01')
    """
    first, dots, last = text.strip().partition("..")
    parts = [first, last if dots else first]
    if not all(re.fullmatch(r"\d{4}(-\d{2}){0,2}", part) for part in parts):
        raise InputError(
            f"{text!r} is no period; write a year, a month, a day, or two of them as 2025-03-01..2025-05-31"
        )
    try:
        begins, ends = (pd.Period(part) for part in parts)
        zone = [each.tz_localize(timezone) for each in (begins.start_time, (ends + 1).start_time)]
    except (ValueError, KeyError) as error:
        raise InputError(f"{text!r} is no period in {timezone}: {error}; write for example 2025-03") from error  # fmt: skip
    if zone[0] >= zone[1]:
        raise InputError(f"{text!r} ends before it begins; write the earlier day first")
    return Days(zone[0], zone[1], text.strip())


def day_of(text: str, *, timezone: str) -> pd.Timestamp:
    """Read a day.

    Parameters
    ----------
    text
        As ``2025-03-09``.
    timezone
        Where it begins.

    Returns
    -------
    Timestamp
        Its midnight there.

    Raises
    ------
    InputError
        It is no day.
    """
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        raise InputError(f"{text!r} is no day; write for example 2026-01-01")
    return days_of(text, timezone=timezone).first


def last_two(times: pd.Series, *, timezone: str) -> tuple[Days, Days]:
    """Give the last year that the data cover and the year before it, or their two halves where they cover less.

    Parameters
    ----------
    times
        Shape (m,), with a zone; missing where unknown. Stray dates are passed over.
    timezone
        Where a day begins.

    Returns
    -------
    tuple of Days
        The earlier period and the later one, equally long.

    Raises
    ------
    InputError
        They cover less than two days.

    Examples
    --------
    >>> times = pd.Series(pd.to_datetime(["2025-01-01", "2025-01-05"], utc=True))
    >>> [days.text for days in last_two(times, timezone="UTC")]
    ['2025-01-02..2025-01-03', '2025-01-04..2025-01-05']
    """
    known = times[bulk(times)].dropna()
    begins, ends = known.min(), known.max()
    n_days = 0
    if len(known):
        first, last = (each.tz_convert(timezone).normalize() for each in (begins, ends))
        n_days = int((last - first) / pd.Timedelta(days=1) + 1.5)
    if n_days < 2:
        raise InputError(
            f"the reports cover {n_days} days, which make no two periods; name the periods, or give more reports"
        )
    half = pd.DateOffset(days=min(n_days // 2, _YEAR))
    end = last + pd.DateOffset(days=1)
    middle, start = end - half, end - half - half
    return _named(start, middle), _named(middle, end)


def _named(first: pd.Timestamp, end: pd.Timestamp) -> Days:
    return Days(first, end, f"{first:%Y-%m-%d}..{end - pd.DateOffset(days=1):%Y-%m-%d}")


def bulk(times: pd.Series) -> pd.Series:
    """Tell dates that stand alone far from all others (a 1900 among reports of last year).

    Parameters
    ----------
    times
        Shape (m,), with a zone; missing where unknown.

    Returns
    -------
    Series
        Shape (m,), bool: False for a stray; missing dates are none.

    Notes
    -----
    A stray is one of the first (last) hundredth of the dates, and lies before (after) a silence of a quarter of the time
    from the 1st to the 99th hundredth or longer.

    Examples
    --------
    >>> times = pd.Series(pd.to_datetime(["1900-01-01", *["2025-03-01", "2025-04-01"] * 20], utc=True))
    >>> bulk(times).to_list().count(False)
    1
    """
    known = times.dropna().sort_values()
    if len(known) < _LEAST:
        return pd.Series(True, index=times.index)  # noqa: FBT003 - the value
    at = known.astype("int64").to_numpy()
    few = max(1, int(len(at) * STRAY_SHARE))
    gap = STRAY_GAP * (at[-1 - few] - at[few])
    silences = np.diff(at)
    wide = (silences >= gap) & (silences > 0)
    early, late = np.flatnonzero(wide[:few]), np.flatnonzero(wide[-few:])
    first = early[-1] + 1 if len(early) else 0
    last = len(wide) - few + late[0] if len(late) else len(at) - 1
    stray = (times < known.iloc[first]) | (times > known.iloc[last])
    return pd.Series(~stray)


def without_strays(areas: Areas) -> Areas:
    """Leave out incidents whose dates lie far from all others, so that they make no century of empty steps.

    Parameters
    ----------
    areas
        What was counted, with `reported_at` among the incidents' columns.

    Returns
    -------
    Areas
        The same, where there are no strays; else with their times missing, counted, and said.

    Raises
    ------
    ColumnError
        There are no times.
    """
    demand(areas.incidents, "issues", "reported_at")
    times = areas.incidents["reported_at"]
    kept = bulk(times)
    if kept.all():
        return areas
    strays = times[~kept]
    text = Text(
        zh=f"{len(strays)} 件的日期远离其余各件（第一个：{strays.min():%Y-%m-%d}），不计，以免生成大量空时段",
        en=f"{len(strays)} incidents are dated far from all others (first: {strays.min():%Y-%m-%d}) and left out, so that there are no empty steps",
    )
    there = int(areas.codes[~kept].notna().sum())
    incidents, codes = areas.incidents[kept], areas.codes[kept]
    changed = areas.without({FAR_IN_TIME: there}, (Note.of(text),))
    return replace(changed, incidents=incidents, codes=codes)


def checked_step(step: str) -> Step:
    """See that there is such a step of time.

    Parameters
    ----------
    step
        Its name.

    Returns
    -------
    str
        The same.

    Raises
    ------
    InputError
        There is none.
    """
    if step not in get_args(Step):
        raise InputError(
            f"there is no step {step!r} of time; choose one of {', '.join(get_args(Step))}"
        )
    return cast("Step", step)


def stepped(
    areas: Areas,
    *,
    timezone: str,
    step: str | dt.timedelta,
    since: dt.datetime | None = None,
    notes: list[str],
) -> tuple[Areas, SpaceTimeCube]:
    """Count the incidents of each area in each step of time, without stray dates and half steps.

    Parameters
    ----------
    areas
        What was counted, with `reported_at` among the incidents' columns.
    timezone
        Where a day begins.
    step
        ``day``, ``week``, ``month``, ``quarter``, ``year``, or a length.
    since
        Where steps of a length begin.
    notes
        Gets what was decided.

    Returns
    -------
    tuple of Areas and SpaceTimeCube
        The areas with the counts of whole steps, and with what was left out; take ``cube.complete``.

    Raises
    ------
    ColumnError
        There are no times.
    InputError
        No such step or zone, or times without a zone.
    """
    if isinstance(step, str):
        checked_step(step)
    areas = without_strays(areas)
    times = areas.incidents["reported_at"]
    with heard(notes):
        cube = space_time_cube(
            times, areas.codes, areas.counts.index,
            step=cast("Step", step), timezone=timezone, since=since,
        )  # fmt: skip
    whole = cube.steps["complete"]
    name = f"a {step}" if isinstance(step, str) else f"{step.days} days"
    called = STEP_TEXTS[step] if isinstance(step, str) else f"个 {step.days} 天"
    text = Text(
        zh=f"时段：{int(whole.sum())} {called}（{timezone}），首尾不完整的 {int((~whole).sum())} 个不计",
        en=f"{int(whole.sum())} whole steps of {name} in {timezone}; {int((~whole).sum())} that the data cover in part are left out",
    )
    notes.insert(0, Note.of(text))
    counts = cube.complete.sum(axis=1).astype("int64")
    there, timed = areas.codes.notna(), times.notna()
    excluded = {
        NO_TIME: int((there & ~timed).sum()),
        IN_PART_STEPS: int((there & timed).sum() - counts.sum()),
    }
    return areas.recounted(counts).without(left_out(excluded)), cube


def first_and_last_day(cube: SpaceTimeCube, steps: pd.Series, *, last: bool = False) -> pd.Series:
    """Give the first (or last) day of steps, as text.

    Parameters
    ----------
    cube
        Where the steps are from.
    steps
        The moments at which they begin; missing for none.
    last
        The last day instead of the first.

    Returns
    -------
    Series
        ``YYYY-MM-DD``, indexed like `steps`; None for none.
    """
    ends = cube.steps["ends_at"]
    zone = pd.DatetimeIndex(ends.index).tz
    moments = steps.map(ends) - pd.Timedelta(seconds=1) if last else steps
    days = pd.to_datetime(moments, utc=True).dt.tz_convert(zone).dt.strftime("%Y-%m-%d")
    return days.astype("object").where(steps.notna(), None)
