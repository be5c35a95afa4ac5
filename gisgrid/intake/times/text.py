"""What does this text say as a time? The compiled reader behind `gisgrid.intake.times.reading`, byte by byte.

A text is a date, a clock and a zone, in that order, with whatever a spreadsheet, a database or a form puts between them.
Year first, or day and month first (both readings are given; the column decides), or one number. Nothing is guessed: a
text that holds anything else is not a time.
"""

# ruff: noqa: PLR1714, SIM109 - a compiled loop is fastest with plain comparisons and early returns

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gisgrid.compiled import compiled
from gisgrid.intake.times.clock import (
    AM,
    HOUR_US,
    MINUTE_US,
    PM,
    SECOND_US,
    clock,
    hour_of_day,
    zone,
)
from gisgrid.intake.times.signs import (
    COLON,
    DASH,
    DAY,
    DAY_US,
    DOT,
    MONTH,
    NONE,
    NOTHING,
    YEAR,
    civil_us,
    cut,
    digits,
    is_weekday,
    month_named,
    separator_at,
    skip_signs,
    skip_spaces,
    skip_weekday,
    word_at,
)

READ, CLOCK, ZONE, YEAR_LAST, DOTTED, NUMBER = 1, 2, 4, 8, 16, 32
"""Bits of `Readings.mark`: it is a time; it has a clock; it has a zone; the year stands last; with dots; one number."""

SERIAL, SECONDS, MILLIS, MICROS, NANOS = 1, 2, 3, 4, 5
"""What a number counts (`Readings.unit`): days since 1899-12-30 as spreadsheets do, or time since 1970."""

_SERIAL_EPOCH_US: Final = -25_569 * DAY_US


class Readings(NamedTuple):
    """What the texts say, one entry each.

    Attributes
    ----------
    month_first, day_first
        Microseconds since 1970, both readings (equal unless the year stands last); UTC where there is a zone, otherwise
        by the clock on the wall. `NOTHING` where that reading is no date.
    mark
        The bits `READ`, `CLOCK`, `ZONE`, `YEAR_LAST`, `DOTTED`, `NUMBER`.
    unit
        Of a number: `SERIAL`, `SECONDS`, `MILLIS`, `MICROS` or `NANOS`.
    """

    month_first: NDArray[np.int64]
    day_first: NDArray[np.int64]
    mark: NDArray[np.uint8]
    unit: NDArray[np.uint8]


@compiled
def read_texts(data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> Readings:
    """Read texts as times.

    Parameters
    ----------
    data
        The bytes of all texts, UTF-8.
    offsets
        Shape (n + 1,), where each text begins; a missing one has no bytes.

    Returns
    -------
    Readings
        Shape (n,) each; `mark` is 0 where a text is no time.
    """
    n = len(offsets) - 1
    month_first, day_first = np.full(n, NOTHING), np.full(n, NOTHING)
    mark, unit = np.zeros(n, np.uint8), np.zeros(n, np.uint8)
    part = np.zeros(12, np.int64)
    for i in range(n):
        start, end = _trimmed(data, offsets[i], offsets[i + 1])
        if start == end:
            continue
        first, second, bits, counts = _plain(data, start, end, part)
        if not bits:
            first, second, bits, counts = _moment(data, start, end)
        if not bits:
            first, second, bits, counts = _number(data, start, end)
        month_first[i], day_first[i], mark[i], unit[i] = first, second, bits, counts
    return Readings(month_first, day_first, mark, unit)


@compiled
def _trimmed(data: NDArray[np.uint8], start: int, end: int) -> tuple[int, int]:
    while start < end and data[start] <= 32:
        start += 1
    while end > start and data[end - 1] <= 32:
        end -= 1
    return start, end


@compiled
def _plain(
    data: NDArray[np.uint8], p: int, end: int, part: NDArray[np.int64]
) -> tuple[int, int, int, int]:
    """Read the commonest layouts, numbers between single signs, four times as fast as `_moment` and to the same end."""
    nothing = (NOTHING, NOTHING, 0, 0)
    n, p, half = _numbers(data, p, end, part)
    if p != end or (n != 3 and n != 5 and n != 6):
        return nothing
    if part[6] == 4 and part[7] <= 2 and part[8] <= 2:
        year, a, b, bits = part[0], part[1], part[2], READ
    elif part[6] <= 2 and part[7] <= 2 and part[8] == 4:
        year, a, b, bits = part[2], part[0], part[1], READ | YEAR_LAST
    else:
        return nothing
    clock_us = 0
    if n > 3:
        hour, minute, second = hour_of_day(part[3], half), part[4], part[5] if n == 6 else 0
        fits = part[9] <= 2 and part[10] <= 2 and (n == 5 or part[11] <= 2)
        if not (fits and 0 <= hour <= 23 and minute <= 59 and second <= 59):
            return nothing
        clock_us, bits = hour * HOUR_US + minute * MINUTE_US + second * SECOND_US, bits | CLOCK
    elif half:
        return nothing
    month_first = civil_us(year, a, b)
    day_first = civil_us(year, b, a) if bits & YEAR_LAST else month_first
    if month_first == NOTHING and day_first == NOTHING:
        return nothing
    month_first += clock_us if month_first != NOTHING else 0
    day_first += clock_us if day_first != NOTHING else 0
    return month_first, day_first, bits, 0


@compiled
def _numbers(
    data: NDArray[np.uint8], p: int, end: int, part: NDArray[np.int64]
) -> tuple[int, int, int]:
    """Cut "2024-1-5 8:00:00 PM" into numbers (`part[:6]`) and their widths (`part[6:]`): how many, where it ends, the half."""
    n, value, width, dash = 0, 0, 0, 0
    while True:
        byte = int(data[p]) if p < end else 32
        if 48 <= byte <= 57:
            value, width = value * 10 + byte - 48, width + 1
            p += 1
            continue
        if width == 0 or width > 4:
            return 0, p, 0
        part[n], part[6 + n] = value, width
        n, value, width = n + 1, 0, 0
        if p == end or n == 6:
            break
        if n == 1:
            dash = byte
        if not (
            (n < 3 and byte == dash and (byte == 45 or byte == 47))
            or (n == 3 and (byte == 32 or byte == 84))
            or (n > 3 and byte == 58)
        ):
            break
        p += 1
    if end - p == 3 and n > 3 and data[p] == 32 and data[p + 2] | 32 == 109:
        letter = data[p + 1] | 32
        if letter == 97 or letter == 112:
            return n, end, AM if letter == 97 else PM
    return n, p, 0


@compiled
def _moment(data: NDArray[np.uint8], p: int, end: int) -> tuple[int, int, int, int]:
    """Read a date, perhaps with a clock and a zone: both readings in microseconds, the mark, and no unit."""
    nothing = (NOTHING, NOTHING, 0, 0)
    p, year, a, b, bits = _date(data, p, end)
    if not bits:
        return nothing
    p = skip_weekday(data, skip_spaces(data, p, end), end)
    clock_us, minutes = 0, 0
    if p < end:
        if data[p] == 84 or data[p] == 116 or data[p] == 44:  # T, t or a comma
            p += 1
        p, clock_us = clock(data, skip_spaces(data, p, end), end)
        if p < 0:
            return nothing
        bits |= CLOCK
        p = skip_spaces(data, p, end)
        if p < end:
            p, minutes = zone(data, p, end)
            bits |= ZONE
    if p != end:
        return nothing
    clock_us -= minutes * MINUTE_US
    month_first = civil_us(year, a, b)
    day_first = civil_us(year, b, a) if bits & YEAR_LAST else month_first
    if month_first == NOTHING and day_first == NOTHING:
        return nothing
    month_first += clock_us if month_first != NOTHING else 0
    day_first += clock_us if day_first != NOTHING else 0
    if bits & DOTTED and bits & YEAR_LAST:
        month_first = day_first  # 05.01.2024 has the day first wherever it is written
        if day_first == NOTHING:
            return nothing
    return month_first, day_first, bits, 0


@compiled
def _date(data: NDArray[np.uint8], p: int, end: int) -> tuple[int, int, int, int, int]:
    """Read a date: where it ends, the year, the month and the day (as they stand where the year is last), the mark."""
    if data[p] >= 65:
        return _worded_date(data, p, end)
    start = p
    p, first = digits(data, p, end)
    width = p - start
    if width == 8 or width == 12 or width == 14 or width == 17:
        year, month, day = cut(data, start, 4), cut(data, start + 4, 2), cut(data, start + 6, 2)
        fits = 1900 <= year <= 2100 and civil_us(year, month, day) != NOTHING
        return (start + 8, year, month, day, READ) if fits else (p, 0, 0, 0, 0)
    after, separator = separator_at(data, skip_spaces(data, p, end), end)
    if width == 4 and (DASH <= separator <= YEAR):
        p, month, separator2 = _part(data, after, end)
        fits = separator2 == (MONTH if separator == YEAR else separator)
        p, day, separator3 = _part(data, p, end) if fits else (p, 0, NONE)
        fits = fits and day > 0 and (separator3 == NONE or separator3 == DAY)
        return p, first, month, day, READ if fits else 0
    if 1 <= width <= 2:
        worded = skip_signs(data, after, end)
        if separator == NONE or (worded < end and data[worded] >= 65):
            return _day_worded(data, p, end, first)
        p, second, separator2 = _part(data, after, end)
        if DASH <= separator <= DOT and separator2 == separator:
            start = p
            p, year = digits(data, p, end)
            bits = READ | YEAR_LAST | (DOTTED if separator == DOT else 0)
            return p, year, first, second, bits if p - start == 4 else 0
    return p, 0, 0, 0, 0


@compiled
def _part(data: NDArray[np.uint8], p: int, end: int) -> tuple[int, int, int]:
    """Read one or two digits and what separates them from the rest: where to go on, the number (0: none), the separator."""
    start = skip_spaces(data, p, end)
    p, number = digits(data, start, end)
    if p == start or p - start > 2:
        return p, 0, NONE
    after, separator = separator_at(data, skip_spaces(data, p, end), end)
    if separator == NONE or separator == COLON:
        return p, number, NONE
    return after, number, separator


@compiled
def _worded_date(data: NDArray[np.uint8], p: int, end: int) -> tuple[int, int, int, int, int]:
    """Read "Mar 14, 2025" or "Fri, 14 Mar 2025"."""
    p, word, length = word_at(data, p, end)
    if is_weekday(word, length):
        p = skip_signs(data, p, end)
        if p == end:
            return p, 0, 0, 0, 0
        if data[p] < 65:
            start = p
            p, day = digits(data, p, end)
            return _day_worded(data, p, end, day) if 1 <= p - start <= 2 else (p, 0, 0, 0, 0)
        p, word, length = word_at(data, p, end)
    month = month_named(word, length)
    start = skip_signs(data, p, end)
    p, day = digits(data, start, end)
    if month == 0 or not 1 <= p - start <= 2:
        return p, 0, 0, 0, 0
    start = skip_signs(data, p, end)
    p, year = digits(data, start, end)
    return p, year, month, day, READ if p - start == 4 and start < p else 0


@compiled
def _day_worded(
    data: NDArray[np.uint8], p: int, end: int, day: int
) -> tuple[int, int, int, int, int]:
    """Read what follows the day in "14-Mar-2025" or "14 March 2025"."""
    p, word, length = word_at(data, skip_signs(data, p, end), end)
    month = month_named(word, length)
    start = skip_signs(data, p, end)
    p, year = digits(data, start, end)
    return p, year, month, day, READ if month and p - start == 4 else 0


@compiled
def _number(data: NDArray[np.uint8], p: int, end: int) -> tuple[int, int, int, int]:
    """Read a lone number as what its size says it counts: microseconds twice, the mark, the unit."""
    start = p
    p, whole = digits(data, p, end)
    width, share = p - start, 0.0
    if p < end and data[p] == 46:
        power = 0.1
        p += 1
        while p < end and 48 <= data[p] <= 57:
            share += power * (data[p] - 48)
            power *= 0.1
            p += 1
    if p != end or width > 19:
        return NOTHING, NOTHING, 0, 0
    if width == 5:  # to the millisecond: what a day's fraction in 64 bits can tell
        us = _SERIAL_EPOCH_US + whole * DAY_US + round(share * 86_400_000.0) * 1_000
        return us, us, READ | NUMBER | (CLOCK if share > 0.0 else 0), SERIAL
    us, unit = 0, 0
    if width == 9 or width == 10:
        us, unit = whole * SECOND_US + round(share * 1e6), SECONDS
    elif width == 12 or width == 13:
        us, unit = whole * 1_000 + round(share * 1e3), MILLIS
    elif width == 15 or width == 16:
        us, unit = whole, MICROS
    elif width >= 18:
        us, unit = whole // 1_000, NANOS
    else:
        return NOTHING, NOTHING, 0, 0
    return us, us, READ | NUMBER | CLOCK | ZONE, unit
