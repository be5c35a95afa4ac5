"""Which signs make up a time: digits, separators, names of months and weekdays, in UTF-8 bytes?"""

# ruff: noqa: PLR0911, PLR1714 - a compiled loop is fastest with plain comparisons and early returns

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gisgrid.compiled import compiled

NOTHING: Final = np.iinfo(np.int64).min
"""No such time; the bits of NaT."""

DAY_US: Final = 86_400_000_000

NONE, DASH, SLASH, DOT, YEAR, MONTH, DAY, HOUR, MINUTE, SECOND, COLON = range(11)
"""What may stand between two numbers: nothing of this, - / . 年 月 日 时 分 秒 :"""


def _packed(names: str) -> NDArray[np.int64]:
    return np.array([int.from_bytes(name[:3].encode()) for name in names.split()])


def _lengths(names: str) -> NDArray[np.int64]:
    return np.array([len(name) for name in names.split()])


_MONTH_NAMES: Final = (
    "january february march april may june july august september october november december"
)
_WEEKDAY_NAMES: Final = "monday tuesday wednesday thursday friday saturday sunday"
_MONTHS, _MONTH_LENGTHS = _packed(_MONTH_NAMES), _lengths(_MONTH_NAMES)
_WEEKDAYS, _WEEKDAY_LENGTHS = _packed(_WEEKDAY_NAMES), _lengths(_WEEKDAY_NAMES)


@compiled
def civil_us(year: int, month: int, day: int) -> int:
    """Give the start of a day of the Gregorian calendar.

    Parameters
    ----------
    year, month, day
        As written.

    Returns
    -------
    int
        Microseconds since 1970, or `NOTHING` where there is no such day.
    """
    if not (1 <= month <= 12 and 1 <= day <= 31 and 1 <= year <= 9999):
        return NOTHING
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if day > 28 and (
        (month == 2 and day > 28 + leap)
        or (day == 31 and (month == 4 or month == 6 or month == 9 or month == 11))
    ):
        return NOTHING
    shifted = year - (month <= 2)
    era = shifted // 400
    year_of_era = shifted - era * 400
    day_of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    day_of_era = year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year
    return (era * 146_097 + day_of_era - 719_468) * DAY_US


@compiled
def digits(data: NDArray[np.uint8], p: int, end: int) -> tuple[int, int]:
    """Read digits.

    Parameters
    ----------
    data
        The bytes of all texts, UTF-8.
    p, end
        From where on, and where the text ends.

    Returns
    -------
    tuple of int
        Where they end, and the number: 0 where there are none.
    """
    value = 0
    while p < end and 48 <= data[p] <= 57:
        value = value * 10 + (data[p] - 48)
        p += 1
    return p, value


@compiled
def cut(data: NDArray[np.uint8], p: int, width: int) -> int:
    """Read digits that are known to be there.

    Parameters
    ----------
    data
        The bytes of all texts.
    p, width
        Where they begin, and how many they are.

    Returns
    -------
    int
        The number.
    """
    return digits(data, p, p + width)[1]


@compiled
def three_bytes(data: NDArray[np.uint8], p: int) -> int:
    """Take three bytes, one Chinese sign, as a number.

    Parameters
    ----------
    data
        The bytes of all texts.
    p
        Where they begin.

    Returns
    -------
    int
        The number.
    """
    number: int = (int(data[p]) << 16) | (int(data[p + 1]) << 8) | int(data[p + 2])
    return number


@compiled
def skip_spaces(data: NDArray[np.uint8], p: int, end: int) -> int:
    """Pass over spaces, also the wide one and the one that does not break.

    Parameters
    ----------
    data
        The bytes of all texts, UTF-8.
    p, end
        From where on, and where the text ends.

    Returns
    -------
    int
        Where to go on.
    """
    while p < end:
        if data[p] <= 32:
            p += 1
        elif p + 1 < end and data[p] == 0xC2 and data[p + 1] == 0xA0:
            p += 2
        elif p + 2 < end and data[p] == 0xE3 and three_bytes(data, p) == 0xE38080:
            p += 3
        else:
            break
    return p


@compiled
def skip_signs(data: NDArray[np.uint8], p: int, end: int) -> int:
    """Pass over spaces, commas, dashes, dots and slashes.

    Parameters
    ----------
    data
        The bytes of all texts, UTF-8.
    p, end
        From where on, and where the text ends.

    Returns
    -------
    int
        Where to go on.
    """
    while p < end and (data[p] <= 32 or 44 <= data[p] <= 47):
        p += 1
    return p


@compiled
def separator_at(data: NDArray[np.uint8], p: int, end: int) -> tuple[int, int]:
    """Read one sign that stands between the numbers of a time.

    Parameters
    ----------
    data
        The bytes of all texts, UTF-8.
    p, end
        From where on, and where the text ends.

    Returns
    -------
    tuple of int
        Where to go on, and which it is: `NONE` for any other.
    """
    if p >= end:
        return p, NONE
    byte = data[p]
    if byte == 45:
        return p + 1, DASH
    if byte == 47:
        return p + 1, SLASH
    if byte == 46:
        return p + 1, DOT
    if byte == 58:
        return p + 1, COLON
    if byte < 0xE5 or p + 3 > end:
        return p, NONE
    return p + 3, _chinese_separator(three_bytes(data, p))


@compiled
def _chinese_separator(sign: int) -> int:
    if sign == 0xE5B9B4:  # 年
        return YEAR
    if sign == 0xE69C88:  # 月
        return MONTH
    if sign == 0xE697A5 or sign == 0xE58FB7:  # 日, 号
        return DAY
    if sign == 0xE697B6 or sign == 0xE69982 or sign == 0xE782B9:  # 时, 時, 点
        return HOUR
    if sign == 0xE58886:  # 分
        return MINUTE
    return SECOND if sign == 0xE7A792 else NONE  # 秒


@compiled
def skip_weekday(data: NDArray[np.uint8], p: int, end: int) -> int:
    """Pass over 星期三, 周三 and brackets around them.

    Parameters
    ----------
    data
        The bytes of all texts, UTF-8.
    p, end
        From where on, and where the text ends.

    Returns
    -------
    int
        Where to go on.
    """
    q = p
    if q < end and data[q] == 40:
        q += 1
    if end - q >= 9 and three_bytes(data, q) == 0xE6989F and three_bytes(data, q + 3) == 0xE69C9F:
        q += 9
    elif end - q >= 6 and three_bytes(data, q) == 0xE591A8:
        q += 6
    else:
        return p
    if q < end and data[q] == 41:
        q += 1
    return skip_spaces(data, q, end)


@compiled
def word_at(data: NDArray[np.uint8], p: int, end: int) -> tuple[int, int, int]:
    """Read letters.

    Parameters
    ----------
    data
        The bytes of all texts, UTF-8.
    p, end
        From where on, and where the text ends.

    Returns
    -------
    tuple of int
        Where they end, the first three of them in lower case as one number, and how many they are.
    """
    start, word = p, 0
    while p < end and 97 <= (data[p] | 32) <= 122:
        if p - start < 3:
            word = (word << 8) | int(data[p] | 32)
        p += 1
    return p, word, p - start


@compiled
def month_named(word: int, length: int) -> int:
    """Give the month of an English name, in full or cut to three letters.

    Parameters
    ----------
    word, length
        Of `word_at`.

    Returns
    -------
    int
        1 to 12; 0 for any other word.
    """
    for month in range(12):
        if word == _MONTHS[month] and (length == 3 or length == _MONTH_LENGTHS[month]):
            return month + 1
    return 9 if word == _MONTHS[8] and length == 4 else 0


@compiled
def is_weekday(word: int, length: int) -> bool:
    """Tell whether a word is an English weekday, in full or cut to three letters.

    Parameters
    ----------
    word, length
        Of `word_at`.

    Returns
    -------
    bool
        Whether it is.
    """
    for day in range(7):
        if word == _WEEKDAYS[day] and (length == 3 or length == _WEEKDAY_LENGTHS[day]):
            return True
    return False
