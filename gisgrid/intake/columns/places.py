"""Which columns say where: longitude and latitude, both in one text, a geometry as text, or easting and northing?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pyarrow as pa

from gisgrid.intake.columns.roles import ROLES, header_fit
from gisgrid.intake.columns.values import Look
from gisgrid.schema import Text

Found = tuple[str, float, Text]
"""A column, its confidence and the reason."""

_ENOUGH = 0.45
_SAME = 0.02
_BY_VALUES = 0.6

_NORTHING_M: Final = (1.6e6, 6.1e6)
"""Gauss-Krüger northings of China, in metres."""
_EASTINGS_M: Final = ((1e5, 9.5e5), (1.3e7, 4.7e7))
"""Gauss-Krüger eastings, without and with the number of the zone before them."""


@dataclass(frozen=True)
class PlaceColumns:
    """The columns that say where.

    Attributes
    ----------
    found
        Role to column; empty where none was found.
    doubts
        What could be meant otherwise.
    """

    found: dict[str, Found] = field(default_factory=dict)
    doubts: tuple[Text, ...] = ()


@dataclass(frozen=True)
class _Pair:
    first: str
    second: str
    confidence: float
    named: bool


def place_of(
    sample: pa.Table, looks: Mapping[str, Look], *, fixed: Mapping[str, str], option: str
) -> PlaceColumns:
    """Find the columns that say where each row is.

    Parameters
    ----------
    sample
        Some rows.
    looks
        What the values of each column look like.
    fixed
        Role to column as the user names them; where it names any, no other way to say where is looked for.
    option
        The option that names a column, for the doubts.

    Returns
    -------
    PlaceColumns
        Longitude and latitude before one column of both, before a geometry as text, before easting and northing.
    """
    roles = [role for role in ("lon", "lat", "x", "y", "lonlat", "geometry") if fixed.get(role)]
    if roles:
        return _completed(looks, fixed, roles)
    free = {name: values for name, values in looks.items() if name not in fixed.values()}
    for first, second in (("lon", "lat"), ("x", "y")):
        if first in fixed or second in fixed:  # left out by the user
            continue
        pairs = _pairs(free, first, second)
        if first == "x" and not pairs:
            break
        if pairs:
            single = _single(free, fixed) if first == "x" else None
            return single or _decided(sample, free, pairs, (first, second), option)
    return (
        _single(free, fixed)
        or _by_values(free, fixed, option)
        or PlaceColumns({}, _nowhere(option))
    )


def _completed(
    looks: Mapping[str, Look], fixed: Mapping[str, str], roles: list[str]
) -> PlaceColumns:
    """Find the other half of a pair of which the user names one."""
    for first, second in (("lon", "lat"), ("x", "y")):
        if (first in roles) == (second in roles):
            continue
        known, wanted = (first, second) if first in roles else (second, first)
        free = {name: values for name, values in looks.items() if name not in fixed.values()}
        best = max(_named(free, wanted), key=lambda item: item[1], default=None)
        if best is not None:
            why = Text(zh=f"与“{fixed[known]}”成对", en=f"goes with {fixed[known]!r}")
            return PlaceColumns({wanted: (best[0], best[1], why)})
    return PlaceColumns()


def _named(looks: Mapping[str, Look], role: str) -> list[tuple[str, float, str]]:
    """List columns that a header names for one axis: column, confidence, what stands before the word."""
    named = []
    for column, values in looks.items():
        fit = header_fit(column, ROLES[role])
        if fit is None:
            continue
        share = max(values.shares.get("number", 0.0), values.shares.get("angle", 0.0))
        if values.n and share < 0.5:
            continue
        confidence = round(fit.strength * (0.6 + 0.4 * share if values.n else 0.6), 3)
        if confidence >= _ENOUGH:
            named.append((column, confidence, fit.rest))
    return named


def _pairs(looks: Mapping[str, Look], first: str, second: str) -> list[_Pair]:
    """List pairs of columns, the surest first: those whose headers begin alike, else any two."""
    a, b = _named(looks, first), _named(looks, second)
    alike = [
        _Pair(p[0], q[0], min(p[1], q[1]), named=True)
        for p in a
        for q in b
        if p[2] == q[2] and p[0] != q[0]
    ]
    other = [
        _Pair(p[0], q[0], round(0.8 * min(p[1], q[1]), 3), named=True)
        for p in a
        for q in b
        if p[0] != q[0]
    ]
    return sorted(alike or other, key=lambda pair: -pair.confidence)


def _decided(
    sample: pa.Table,
    looks: Mapping[str, Look],
    pairs: list[_Pair],
    roles: tuple[str, str],
    option: str,
) -> PlaceColumns:
    """Take the surest pair, unless another one says something else just as surely."""
    best = pairs[0]
    for other in pairs[1:]:
        if best.confidence - other.confidence > _SAME:
            break
        if not _says_the_same(sample, best, other):
            return PlaceColumns({}, (_undecided(best, other, roles, option),))
    return _axes(best, looks, roles, option)


def _says_the_same(sample: pa.Table, a: _Pair, b: _Pair) -> bool:
    return all(
        p == q or sample[p].equals(sample[q]) for p, q in ((a.first, b.first), (a.second, b.second))
    )


def _axes(
    pair: _Pair, looks: Mapping[str, Look], roles: tuple[str, str], option: str
) -> PlaceColumns:
    """Name the axes by what the numbers are: degrees or metres, easting or (X of Chinese surveyors) northing."""
    a, b = looks[pair.first], looks[pair.second]
    first, second, confidence = pair.first, pair.second, pair.confidence
    zh, en = (
        f"列名“{first}”“{second}”是一对坐标",
        f"the headers {first!r} and {second!r} are a pair",
    )
    doubts: tuple[Text, ...] = ()
    degrees = _are_degrees(a, b)
    if roles == ("x", "y") and degrees:
        roles = ("lon", "lat")
        zh, en = f"{zh}，数值是度", f"{en}; the values are degrees"
    elif roles == ("x", "y"):
        chinese = any("标" in name or "轴" in name for name in (first, second))
        if chinese and _is_northing(a) and _is_easting(b):
            first, second = second, first
            zh = f"{zh}，按测量习惯 X 为北（数值为 7 位）"
            en = f"{en}; X is the northing, as surveyors write it (its values have seven digits)"
        elif chinese and not (_is_northing(b) and _is_easting(a)):
            confidence = min(confidence, 0.5)
            doubts = (_which_axis(first, second, option),)
    elif not degrees and a.n and b.n:
        roles = ("x", "y")
        confidence = min(confidence, 0.7)
        zh, en = f"{zh}，但数值不是度", f"{en}, but the values are no degrees"
    elif a.n and b.n:
        zh, en = f"{zh}，数值是度", f"{en}; the values are degrees"
    why = Text(zh=zh, en=en)
    return PlaceColumns(
        {roles[0]: (first, confidence, why), roles[1]: (second, confidence, why)}, doubts
    )


def _are_degrees(a: Look, b: Look) -> bool:
    if not a.n or not b.n:
        return False
    angles = min(a.shares.get("angle", 0.0), b.shares.get("angle", 0.0)) > 0.5
    share = min(a.within(-180, 180), b.within(-180, 180))
    return angles or share > 0.5


def _is_northing(values: Look) -> bool:
    return values.within(*_NORTHING_M) > 0.8


def _is_easting(values: Look) -> bool:
    return sum(values.within(*limits) for limits in _EASTINGS_M) > 0.8


def _single(looks: Mapping[str, Look], fixed: Mapping[str, str]) -> PlaceColumns | None:
    """Find one column that says where all by itself."""
    best: dict[str, Found] = {}
    for role, share_of in (("lonlat", "pair"), ("geometry", "shape")):
        if role in fixed:
            continue
        for column, values in looks.items():
            share = values.shares.get(share_of, 0.0)
            fit = header_fit(column, ROLES[role])
            if (
                share < (0.5 if fit else 0.95)
                or not values.n
                or (fit is None and values.n < 0.3 * values.n_rows)
            ):
                continue
            strength = fit.strength if fit else _BY_VALUES
            confidence = round(strength * (0.6 + 0.4 * share), 3)
            held = next(iter(best.values()), None)
            if held is None or confidence > held[1]:
                words = ROLES[role].words
                why = Text(
                    zh=f"{share:.0%} 的值是{words.zh}",
                    en=f"{share:.0%} of the values are {words.en}",
                )
                best = {role: (column, confidence, why)}
    return PlaceColumns(best) if best else None


def _by_values(
    looks: Mapping[str, Look], fixed: Mapping[str, str], option: str
) -> PlaceColumns | None:
    """Find the only two columns that can be longitude and latitude, where no header says it."""
    if "lon" in fixed or "lat" in fixed:
        return None
    fine = {
        name: values
        for name, values in looks.items()
        if values.shares.get("decimals", 0.0) > 0.8 and values.n >= 0.3 * values.n_rows
    }
    lons = [name for name, values in fine.items() if _is_lon_only(values)]
    lats = [name for name, values in fine.items() if name not in lons and _is_lat(values)]
    if len(lons) != 1 or len(lats) != 1:
        return None
    lon, lat = lons[0], lats[0]
    why = Text(
        zh="数值像经纬度（列名未说明）",
        en="the values look like degrees (the header does not say so)",
    )
    doubt = Text(
        zh=f"没有列名说明坐标；“{lon}”“{lat}”的数值像经度和纬度；用 {option} lon=列名 {option} lat=列名 指定",
        en=f"no header says where; {lon!r} and {lat!r} look like longitude and latitude; "
        f"name them with {option} lon=COLUMN {option} lat=COLUMN",
    )
    return PlaceColumns({"lon": (lon, 0.5, why), "lat": (lat, 0.5, why)}, (doubt,))


def _is_lon_only(values: Look) -> bool:
    """Tell whether values can be longitudes and no latitudes: beyond 90, or in China, close together."""
    numbers = values.numbers[np.isfinite(values.numbers)]
    spread = float(np.subtract(*np.percentile(numbers, [95, 5]))) if len(numbers) else 0.0
    beyond = values.within(90.001, 180) + values.within(-180, -90.001)
    return spread < 15 and (beyond > 0.9 or values.within(73, 136) > 0.9)


def _is_lat(values: Look) -> bool:
    numbers = values.numbers[np.isfinite(values.numbers)]
    spread = float(np.subtract(*np.percentile(numbers, [95, 5]))) if len(numbers) else 0.0
    return spread < 15 and values.within(3, 72) + values.within(-60, -3) > 0.9


def _undecided(best: _Pair, other: _Pair, roles: tuple[str, str], option: str) -> Text:
    a, b = roles
    return Text(
        zh=f"“{best.first}”“{best.second}”和“{other.first}”“{other.second}”都可能是坐标，且数值不同；"
        f"用 {option} {a}=列名 {option} {b}=列名 指定",
        en=f"{best.first!r}, {best.second!r} and {other.first!r}, {other.second!r} could both say where, and say "
        f"different things; name the two that are meant with {option} {a}=COLUMN {option} {b}=COLUMN",
    )


def _which_axis(x: str, y: str, option: str) -> Text:
    return Text(
        zh=f"“{x}”“{y}”的数值看不出哪一个是东坐标（测量上 X 为北）；用 {option} x=东坐标列 {option} y=北坐标列 指定",
        en=f"the values of {x!r} and {y!r} do not show which is the easting (surveyors call the northing X); "
        f"name it with {option} x=EASTING {option} y=NORTHING",
    )


def _nowhere(option: str) -> tuple[Text, ...]:
    return (
        Text(
            zh=f"没有一列能确定是坐标；用 {option} lon=列名 {option} lat=列名 指定",
            en=f"no column says for certain where the reports are; name the columns with {option} lon=COLUMN "
            f"{option} lat=COLUMN",
        ),
    )
