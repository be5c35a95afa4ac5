"""What time of day and what zone does a text say? 9:30, 下午1:20, 093005, 24:00; Z, +08:00."""

# ruff: noqa: PLR0911, PLR1714 - a compiled loop is fastest with plain comparisons and early returns

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gisgrid.compiled import compiled
from gisgrid.intake.times.signs import (
    COLON,
    HOUR,
    MINUTE,
    SECOND,
    cut,
    digits,
    separator_at,
    skip_spaces,
    three_bytes,
    word_at,
)

HOUR_US: Final = 3_600_000_000
MINUTE_US: Final = 60_000_000
SECOND_US: Final = 1_000_000

AM, PM, MIDDAY = 1, 2, 3
"""Parts of the day; 0 where none is written."""


@compiled
def clock(data: NDArray[np.uint8], p: int, end: int) -> tuple[int, int]:
    """Read a time of day.

    Parameters
    ----------
    data
        The bytes of all texts, UTF-8.
    p, end
        From where on, and where the text ends.

    Returns
    -------
    tuple of int
        Where it ends (-1: it is none), and its microseconds.
    """
    p, part = _part_of_day(data, p, end)
    start = p = skip_spaces(data, p, end)
    p, hour = digits(data, p, end)
    width, minute, second, fraction = p - start, 0, 0, 0
    if width == 4 or width == 6 or width == 9:  # 0930, 093005, 093005123
        hour, minute = cut(data, start, 2), cut(data, start + 2, 2)
        second = cut(data, start + 4, 2) if width > 4 else 0
        fraction = cut(data, start + 6, 3) * 1_000 if width == 9 else 0
    elif 1 <= width <= 2:
        p, minute, second, bare = _minutes(data, p, end)
        if p < 0:
            return -1, 0
        q, spelled = _part_of_day(data, skip_spaces(data, p, end), end)
        if (
            bare
            and not part
            and spelled != AM
            and spelled != PM
            and not (start and data[start - 1] == 84)
        ):
            return -1, 0  # a lone number after a date is no hour, except after T
    else:
        return -1, 0
    if p < end and (data[p] == 46 or data[p] == 44) and width != 9:  # a fraction of a second
        p, fraction = _fraction_us(data, p + 1, end)
    q, spelled = _part_of_day(data, skip_spaces(data, p, end), end)
    if spelled:
        if part:
            return -1, 0
        p, part = q, spelled
    hour = hour_of_day(hour, part)
    whole = minute == 0 and second == 0 and fraction == 0
    if hour < 0 or hour > 24 or (hour == 24 and not whole) or minute > 59 or second > 60:
        return -1, 0
    return p, hour * HOUR_US + minute * MINUTE_US + second * SECOND_US + fraction


@compiled
def _minutes(data: NDArray[np.uint8], p: int, end: int) -> tuple[int, int, int, bool]:
    """Read what follows the hour: where it ends (-1: wrong), minutes, seconds, and whether there was nothing."""
    after, separator = separator_at(data, p, end)
    if separator != COLON and separator != HOUR:
        return p, 0, 0, True
    start = skip_spaces(data, after, end) if separator == HOUR else after
    p, minute = digits(data, start, end)
    if p == start:
        return (p, 0, 0, False) if separator == HOUR else (-1, 0, 0, False)
    if p - start > 2:
        return -1, 0, 0, False
    after, separator = separator_at(data, p, end)
    if separator != COLON and separator != MINUTE:
        return p, minute, 0, False
    start = after
    p, second = digits(data, start, end)
    if p == start:
        return (p, minute, 0, False) if separator == MINUTE else (-1, 0, 0, False)
    if p - start > 2:
        return -1, 0, 0, False
    after, separator = separator_at(data, p, end)
    return (after if separator == SECOND else p), minute, second, False


@compiled
def hour_of_day(hour: int, part: int) -> int:
    """Turn an hour and a part of the day into the hour of the day.

    Parameters
    ----------
    hour
        As written.
    part
        `AM`, `PM`, `MIDDAY`, or 0 where none is written.

    Returns
    -------
    int
        0 to 24 (or more, as written, without a part), -1 where the two contradict each other.
    """
    if part == 0:
        return hour
    if part == AM:
        return hour % 12 if hour <= 12 else -1
    if part == MIDDAY:
        return hour if 10 <= hour <= 14 else (hour + 12 if 1 <= hour <= 2 else -1)
    return hour if 12 <= hour <= 23 else (hour + 12 if 1 <= hour < 12 else -1)


@compiled
def _part_of_day(data: NDArray[np.uint8], p: int, end: int) -> tuple[int, int]:
    """Read AM, PM, 上午, 下午, 中午, 凌晨, 早上 or 晚上: where it ends and which it is (0: none)."""
    if end - p >= 6 and data[p] >= 0xE4:
        a, b = three_bytes(data, p), three_bytes(data, p + 3)
        if (a, b) == (0xE4B88A, 0xE58D88) or (a, b) == (0xE5878C, 0xE699A8):  # 上午, 凌晨
            return p + 6, AM
        if a == 0xE697A9 and (b == 0xE4B88A or b == 0xE699A8):  # 早上, 早晨
            return p + 6, AM
        if (a, b) == (0xE4B88B, 0xE58D88) or (a, b) == (0xE6999A, 0xE4B88A):  # 下午, 晚上
            return p + 6, PM
        if (a, b) == (0xE4B8AD, 0xE58D88):  # 中午
            return p + 6, MIDDAY
    if end - p >= 2:
        letter = data[p] | 32
        if letter == 97 or letter == 112:
            q = p + 2 if data[p + 1] == 46 else p + 1
            if q < end and data[q] | 32 == 109:
                q += 1
                if q < end and data[q] == 46:
                    q += 1
                return q, AM if letter == 97 else PM
    return p, 0


@compiled
def zone(data: NDArray[np.uint8], p: int, end: int) -> tuple[int, int]:
    """Read Z, UTC, GMT, +08, +0800 or +08:00.

    Parameters
    ----------
    data
        The bytes of all texts, UTF-8.
    p, end
        From where on, and where the text ends.

    Returns
    -------
    tuple of int
        Where it ends (-1: it is none), and the minutes ahead of UTC.
    """
    if data[p] | 32 == 122 and p + 1 == end:
        return end, 0
    if end - p >= 3 and data[p] >= 65:
        q, word, length = word_at(data, p, end)
        if length != 3 or (word != 0x757463 and word != 0x676D74):
            return -1, 0
        if q == end:
            return end, 0
        p = q
    if data[p] != 43 and data[p] != 45:
        return -1, 0
    ahead = 1 if data[p] == 43 else -1
    start = p + 1
    p, hours = digits(data, start, end)
    width, minutes = p - start, 0
    if width == 4:
        hours, minutes = hours // 100, hours % 100
    elif width > 2 or width == 0:
        return -1, 0
    elif p < end and data[p] == 58:
        start = p + 1
        p, minutes = digits(data, start, end)
        if p - start != 2:
            return -1, 0
    return (p, ahead * (hours * 60 + minutes)) if hours <= 15 and minutes < 60 else (-1, 0)


@compiled
def _fraction_us(data: NDArray[np.uint8], p: int, end: int) -> tuple[int, int]:
    value, power = 0, 100_000
    while p < end and 48 <= data[p] <= 57:
        value += power * (data[p] - 48)
        power //= 10
        p += 1
    return p, value
