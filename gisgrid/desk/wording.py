"""How is a deadline told? How much time there is, by whose calendar, and which years nobody has published yet."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Final
from zoneinfo import ZoneInfo

from gisgrid.casework.deadlines import TimeUnit, WorkCalendar
from gisgrid.casework.deadlines.tables import Deadline
from gisgrid.desk.due import Due
from gisgrid.schema import Text

_UNITS: Final[Mapping[TimeUnit, tuple[str, str]]] = {
    "urgent_hours": ("紧急小时", "hour"),
    "working_hours": ("工作小时", "working hour"),
    "working_days": ("个工作日", "working day"),
    "calendar_days": ("个自然日", "calendar day"),
}
_NO_DEADLINE: Final = Text(
    zh="这类问题没有规定时限。", en="No deadline is declared for this class."
)


def deadline_words(
    rule: Deadline | None, due: Due | None, *, started: dt.datetime, calendar: WorkCalendar
) -> Text:
    """Say in words how much time there is and how it is reckoned.

    Parameters
    ----------
    rule
        The deadline; None where nothing is declared.
    due
        When it ends; None where nothing is declared.
    started
        When it began.
    calendar
        When the administration works.

    Returns
    -------
    Text
        A sentence or two in both languages.

    Examples
    --------
    >>> from gisgrid.casework.deadlines import read_calendar
    >>> from gisgrid.casework.deadlines.calendar import CHINA
    >>> begun, end = (dt.datetime(2026, 11, day, 2, tzinfo=dt.UTC) for day in (23, 25))
    >>> rule, calendar = Deadline(amount=2, unit="working_days"), read_calendar(CHINA)
    >>> deadline_words(rule, Due(end, provisional=False), started=begun, calendar=calendar).en
    '2 working days (Working time of the administration).'
    """
    if rule is None or due is None:
        return _NO_DEADLINE
    zh, en = _UNITS[rule.unit]
    title = calendar.title
    told_zh, told_en = f"{rule.amount:g} {zh}", f"{rule.amount:g} {en}{'s' * (rule.amount != 1)}"
    if rule.unit.startswith("working"):
        told_zh, told_en = f"{told_zh}，按《{title.zh}》计算", f"{told_en} ({title.en})"
    if not due.provisional:
        return Text(zh=f"{told_zh}。", en=f"{told_en}.")
    zone = ZoneInfo(calendar.timezone)
    first, last = (moment.astimezone(zone).year for moment in (started, due.at))
    years = [str(year) for year in range(first, last + 1) if not calendar.is_published(year)]
    return Text(
        zh=f"{told_zh}；{'、'.join(years)} 年的放假安排尚未公布，暂定。",
        en=f"{told_en}; the calendar for {' and '.join(years)} is not published yet, so this is provisional.",
    )
