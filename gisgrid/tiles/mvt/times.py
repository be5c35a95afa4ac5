"""How does a tile say a time? As ISO 8601, written in compiled loops."""

from __future__ import annotations

from typing import Final

from gisgrid.compiled import compiled
from gisgrid.tiles.mvt.wire import Bytes

TIME_ROOM: Final = 40
"""The most bytes a time takes as a value of a layer."""

_DAY_US: Final = 86_400_000_000
_INSTANT: Final = 0
_DAY: Final = 2


@compiled
def put_time(microseconds: int, clock: int, out: Bytes, at: int) -> int:
    """Write a time as a text value of a layer.

    Parameters
    ----------
    microseconds
        Since the beginning of 1970.
    clock
        0 an instant in UTC, 1 a date and time of no zone, 2 a day.
    out
        Where to, with `TIME_ROOM` bytes left.
    at
        The first byte to write.

    Returns
    -------
    int
        The byte after it.

    Notes
    -----
    The calendar is the proleptic Gregorian one; source: Neri & Schneider 2022, days to date. Fractions of a second
    are written only where there are some.
    """
    days = microseconds // _DAY_US
    year, month, day = _date(days)
    end = _put_year(year, out, at + 4)
    end = _put_part(day, 0x2D, out, _put_part(month, 0x2D, out, end))
    if clock != _DAY:
        seconds, fraction = divmod(microseconds - days * _DAY_US, 1_000_000)
        end = _put_part(seconds // 3600, 0x54, out, end)
        end = _put_part(seconds // 60 % 60, 0x3A, out, end)
        end = _put_part(seconds % 60, 0x3A, out, end)
        if fraction:
            out[end] = 0x2E
            end = _put_digits(fraction, 6, out, end + 1)
        if clock == _INSTANT:
            out[end] = 0x5A
            end += 1
    length = end - at - 4
    out[at], out[at + 1], out[at + 2], out[at + 3] = 0x22, length + 2, 0x0A, length
    return end


@compiled
def _date(days: int) -> tuple[int, int, int]:
    """Turn days since 1970 into year, month, day, counting years from March so that leap days come last."""
    shifted = days + 719_468
    era = shifted // 146_097
    day_of_era = shifted - era * 146_097
    year_of_era = (
        day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096
    ) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    month = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * month + 2) // 5 + 1
    year = year_of_era + era * 400 + (1 if month >= 10 else 0)
    return year, month + 3 if month < 10 else month - 9, day


@compiled
def _put_year(year: int, out: Bytes, at: int) -> int:
    if year < 0:
        out[at] = 0x2D
        at, year = at + 1, -year
    n = 4
    while year >= 10**n:
        n += 1
    return _put_digits(year, n, out, at)


@compiled
def _put_part(number: int, sign: int, out: Bytes, at: int) -> int:
    out[at] = sign
    return _put_digits(number, 2, out, at + 1)


@compiled
def _put_digits(number: int, n: int, out: Bytes, at: int) -> int:
    for i in range(n):
        out[at + n - 1 - i] = 0x30 + number % 10
        number //= 10
    return at + n
