"""How is a column of times to be read: which of day and month comes first, what do its numbers count, what is a midnight?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gisgrid.intake.times import text as timetext
from gisgrid.intake.times.column import is_blank, plain_values, read_column, texts_of, typed_moments
from gisgrid.intake.times.signs import DAY_US, NOTHING
from gisgrid.intake.times.text import Readings
from gisgrid.intake.times.zones import parse_zone
from gisgrid.schema import Text

_UNITS: Final = {
    timetext.SERIAL: Text(zh="表格序列日（1900 系统）", en="spreadsheet day numbers (1900 system)"),
    timetext.SECONDS: Text(zh="1970 年起的秒数", en="seconds since 1970"),
    timetext.MILLIS: Text(zh="1970 年起的毫秒数", en="milliseconds since 1970"),
    timetext.MICROS: Text(zh="1970 年起的微秒数", en="microseconds since 1970"),
    timetext.NANOS: Text(zh="1970 年起的纳秒数", en="nanoseconds since 1970"),
}
_MARGIN_US: Final = 366 * DAY_US
_MIDNIGHT: Final = Text(
    zh="所有时间都是 00:00，按只精确到日处理",
    en="every time is 00:00, so the column is taken to know days only",
)


@dataclass(frozen=True)
class TimeRule:
    """How the times of one column are read.

    Attributes
    ----------
    timezone
        The zone of times that carry none: an IANA name, or an offset such as ``+08:00``.
    day_first
        Whether 02/03/2026 is 2 March; None where nothing decides, and such times are then refused.
    units
        What bare numbers may count (`SERIAL`, `SECONDS`, … of `gisgrid.intake.times.text`); other numbers are refused.
    midnight_is_day
        Every clock in the sample says 00:00, so the column knows days only.
    years
        The first and the last year that is believed.
    notes
        What was decided and why, a sentence each.
    """

    timezone: str
    day_first: bool | None = None
    units: frozenset[int] = frozenset()
    midnight_is_day: bool = False
    years: tuple[int, int] = (1980, 2099)
    notes: tuple[Text, ...] = ()


def time_rule(
    sample: pa.Array,
    *,
    timezone: str,
    day_first: bool | None = None,
    years: tuple[int, int] = (1980, 2099),
) -> TimeRule:
    """Settle how a column of times is to be read, from a sample of it.

    Parameters
    ----------
    sample
        Shape (n,), of the type that `read_times` will see; rows from all parts of the file.
    timezone
        The city's: ``Asia/Shanghai``, or an offset such as ``+08:00``. Times with a zone of their own do not need it.
    day_first
        The user's word, where 02/03/2026 could be either; it wins over the evidence, and the notes say so.
    years
        The first and the last year that is believed; a time outside is left missing and flagged.

    Returns
    -------
    TimeRule
        With a note for every decision.

    Raises
    ------
    InputError
        No such time zone, or the column is of a type that holds no times.

    Notes
    -----
    *Day or month first.* A number above 12 decides. Where both orders occur, the rarer must be at most 1 in 200 of the
    decisive rows (slips of the pen), otherwise each row is read for itself: 28/02/2026 and 02/28/2026 have one meaning
    each, 02/03/2026 is refused. 05.01.2024 has the day first wherever it is written.

    *Numbers.* Five digits count days, 9 or 10 seconds, 12 or 13 milliseconds, 15 or 16 micro- and 18 or 19 nanoseconds.
    A unit is believed where its numbers lie among the dates that the column writes out (a year either side), or, where it
    writes none, where nine in ten values are such numbers and 99 % of them fall in `years`.

    Examples
    --------
    >>> rule = time_rule(pa.array(["02/03/2026", "02/28/2026"]), timezone="Asia/Shanghai")
    >>> rule.day_first, rule.notes[0].en
    (False, 'month first, as in 02/28/2026 (1 of 2 dates can be read no other way)')
    """
    parse_zone(timezone)
    sample = plain_values(sample)
    texts = texts_of(sample)
    if texts is None:
        midnights = _all_midnight(typed_moments(sample)) and not pa.types.is_date(sample.type)
        notes = (_MIDNIGHT,) if midnights else ()
        return TimeRule(timezone, day_first, frozenset(), midnights, years, notes)
    readings = read_column(texts)
    found, order_notes = _order(readings, texts, stated=day_first)
    units, unit_notes = _units(readings, texts, years=years)
    is_text = (readings.mark & timetext.NUMBER) == 0
    clocks = readings.month_first[is_text & (readings.mark & timetext.CLOCK > 0)]
    midnight = _all_midnight(clocks) and len(clocks) == int((is_text & (readings.mark > 0)).sum())
    notes = (*order_notes, *unit_notes, *((_MIDNIGHT,) if midnight else ()))
    return TimeRule(timezone, found, units, midnight, years, notes)


def year_bounds(years: tuple[int, int]) -> tuple[int, int]:
    """Give the moments at which years begin and end.

    Parameters
    ----------
    years
        The first and the last.

    Returns
    -------
    tuple of int
        Microseconds since 1970, the second of the moment after the last year.
    """
    edges = np.array([f"{years[0]:04d}-01-01", f"{years[1] + 1:04d}-01-01"], "datetime64[us]")
    first, last = edges.astype(np.int64).tolist()
    return first, last


def _order(
    readings: Readings, texts: pa.Array, *, stated: bool | None
) -> tuple[bool | None, tuple[Text, ...]]:
    """Decide which of day and month comes first."""
    last = (readings.mark & (timetext.YEAR_LAST | timetext.DOTTED)) == timetext.YEAR_LAST
    day = last & (readings.month_first == NOTHING)
    month = last & (readings.day_first == NOTHING)
    n, n_day, n_month = int(last.sum()), int(day.sum()), int(month.sum())
    if n == 0:
        return stated, ()
    if stated is not None:
        against = n_month if stated else n_day
        return stated, (_stated_note(stated, against, n),)
    if n_day == n_month == 0:
        return None, (_undecided_note(texts[int(np.argmax(last))].as_py(), n),)
    found, n_found, n_other = n_day > n_month, max(n_day, n_month), min(n_day, n_month)
    if n_other * 200 > n_found:
        zh = f"日在前的有 {n_day} 个，月在前的有 {n_month} 个，互相矛盾：只读没有歧义的日期；如确知，请给出 day_first"
        en = f"{n_day} dates have the day first and {n_month} the month: only those with one meaning are read; state day_first if you know it"
        return None, (Text(zh=zh, en=en),)
    example = texts[int(np.argmax(day if found else month))].as_py().strip()
    zh = f"{'日' if found else '月'}在前，例如 {example}（{n} 个日期中有 {n_found} 个只能这样读）"
    en = f"{'day' if found else 'month'} first, as in {example} ({n_found} of {n} dates can be read no other way)"
    return found, (Text(zh=zh, en=en),)


def _stated_note(day_first: bool, against: int, n: int) -> Text:  # noqa: FBT001 - a value, not an option
    en = f"{'day' if day_first else 'month'} first, as stated"
    zh = f"按给定的{'日' if day_first else '月'}在前"
    if against:
        zh, en = (
            f"{zh}；{n} 个日期中有 {against} 个不能这样读",
            f"{en}; {against} of {n} dates cannot be read so",
        )
    return Text(zh=zh, en=en)


def _undecided_note(example: str, n: int) -> Text:
    zh = f"无法判断日在前还是月在前（{n} 个日期都不超过 12，例如 {example}），这些时间不读；请给出 day_first"
    en = f"day or month first? nothing in {n} dates decides (for example {example}), so they are not read; state day_first"
    return Text(zh=zh, en=en)


def _units(
    readings: Readings, texts: pa.Array, *, years: tuple[int, int]
) -> tuple[frozenset[int], tuple[Text, ...]]:
    """Decide which bare numbers are believed to be times."""
    mark = readings.mark
    number = (mark & timetext.NUMBER) > 0
    written = readings.month_first[(mark > 0) & ~number]
    written = written[written != NOTHING]
    low, high = (
        (written.min() - _MARGIN_US, written.max() + _MARGIN_US)
        if len(written)
        else (NOTHING, NOTHING)
    )
    first, last = year_bounds(years)
    n_filled = int((mark > 0).sum() + (~is_blank(texts, mark) & (mark == 0)).sum())
    units, notes = [], []
    for unit in np.unique(readings.unit[number]).tolist():
        moments = readings.month_first[number & (readings.unit == unit)]
        if len(written):
            believed = float(np.mean((moments >= low) & (moments <= high))) >= 0.95
        else:
            in_years = float(np.mean((moments >= first) & (moments < last)))
            believed = in_years >= 0.99 and len(moments) >= 0.9 * n_filled
        words, n = _UNITS[unit], len(moments)
        if believed:
            units.append(unit)
            notes.append(
                Text(zh=f"{n} 个数字按{words.zh}读", en=f"{n} numbers are read as {words.en}")
            )
        else:
            zh = f"{n} 个数字若是{words.zh}，则与其余的值不符，不读"
            en = f"{n} numbers are not read: as {words.en} they would not fit the other values"
            notes.append(Text(zh=zh, en=en))
    return frozenset(units), tuple(notes)


def _all_midnight(moments: NDArray[np.int64]) -> bool:
    known = moments[moments != NOTHING]
    return len(known) >= 20 and bool((known % DAY_US == 0).all())
