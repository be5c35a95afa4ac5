"""What do the file's own words say about its datum: names of columns, of the format, ids of a map provider?"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gisgrid.schema import Text

CONVERTED: Final = "gisgrid:converted"
"""The hint by which a reader says that the file carries gisgrid's own record of a conversion."""

LOG_CLAIM: Final = math.log(1000)
"""What a file says of itself in so many words: a datum in a column's name, a surveyor's CRS."""

_CLAIMS: Final = (
    ("gcj02", re.compile(r"gcj|火星坐标", re.IGNORECASE)),
    ("bd09", re.compile(r"bd[-_ ]?09", re.IGNORECASE)),
    ("wgs84", re.compile(r"wgs[-_ ]?(?:19)?84", re.IGNORECASE)),
    ("cgcs2000", re.compile(r"cgcs|国家\s*2000|大地\s*2000|2000\s*坐标", re.IGNORECASE)),
)
_MAP_NAMES: Final = (
    (
        "gcj02",
        re.compile(r"(?<![a-z])(?:amap|gaode|autonavi|tencent)(?![a-z])|高德|腾讯", re.IGNORECASE),
    ),
    ("bd09", re.compile(r"(?<![a-z])(?:baidu|bmap)(?![a-z])|百度", re.IGNORECASE)),
    ("wgs84", re.compile(r"(?<![a-z])(?:tianditu|gps)(?![a-z])|天地图", re.IGNORECASE)),
)
_AMAP_COLUMNS: Final = frozenset(
    {
        "adname",
        "pname",
        "cityname",
        "adcode",
        "pcode",
        "citycode",
        "typecode",
        "biz_ext",
        "biz_type",
    }
)
_BAIDU_COLUMNS: Final = frozenset({"detail_info", "navi_location", "street_id"})
_AMAP_ID: Final = re.compile(r"B0[0-9A-Z]{8}")
_ORDER: Final = re.compile(
    r"(?:^|[^a-z])(?:lon|lng|long|longitude)(?:[^a-z]|$)|经度", re.IGNORECASE
)


@dataclass(frozen=True)
class Marks:
    """What the file's own words say about its datum.

    Attributes
    ----------
    weights
        Per datum of degrees, the logarithm of how much more credible the words make it.
    claim
        The one datum that a name states outright, or None.
    ordered
        True where a name tells which column is the longitude.
    converted
        True where the file carries gisgrid's own record of a conversion.
    words
        A sentence for each thing that was noticed.
    """

    weights: Mapping[str, float]
    claim: str | None
    ordered: bool
    converted: bool
    words: tuple[Text, ...]


def read_marks(hints: Sequence[str]) -> Marks:
    """Look for words of a datum or of a map provider in the names that came with the file.

    Parameters
    ----------
    hints
        Names of columns, of the format and of the file, and a few values of the id column, as they stand.

    Returns
    -------
    Marks
        What they say. Two names that state different datums state none.

    Examples
    --------
    >>> read_marks(["lng_gcj02", "lat_gcj02"]).claim
    'gcj02'
    >>> read_marks(["name", "B0K64AMVY9"]).words[0].en
    "ids like 'B0K64AMVY9' are those of AMap, whose coordinates are GCJ-02"
    """
    weights: dict[str, float] = {}
    words: list[Text] = []
    claims = {name: hint for name, pattern in _CLAIMS for hint in hints if pattern.search(hint)}
    claim = next(iter(claims)) if len(claims) == 1 else None
    if claim is not None:
        weights[claim] = LOG_CLAIM
        words.append(
            Text(
                zh=f"{claims[claim]!r} 一名写明坐标为 {claim.upper()}",
                en=f"the name {claims[claim]!r} says that the coordinates are {claim.upper()}",
            )
        )
    for name, weight, text in _provider_marks(hints):
        if weight > weights.get(name, 0.0):
            weights[name] = weight
        words.append(text)
    return Marks(
        weights,
        claim,
        any(_ORDER.search(hint) for hint in hints),
        CONVERTED in hints,
        tuple(words),
    )


def _provider_marks(hints: Sequence[str]) -> Iterator[tuple[str, float, Text]]:
    for name, pattern in _MAP_NAMES:
        if found := next((hint for hint in hints if pattern.search(hint)), None):
            yield (
                name,
                math.log(20),
                Text(
                    zh=f"{found!r} 一名指向使用 {name.upper()} 的地图",
                    en=f"the name {found!r} points to a map that uses {name.upper()}",
                ),
            )
    for name, known, least, provider, maker in (
        ("gcj02", _AMAP_COLUMNS, 2, "AMap", "高德"),
        ("bd09", _BAIDU_COLUMNS, 1, "Baidu", "百度"),
    ):
        columns = sorted({hint.lower() for hint in hints} & known)
        if len(columns) >= least:
            yield (
                name,
                math.log(5),
                Text(
                    zh=f"列名 {', '.join(columns)} 来自{maker}地点检索，其坐标为 {name.upper()}",
                    en=f"the columns {', '.join(columns)} are those of {provider}'s place search, "
                    f"whose coordinates are {name.upper()}",
                ),
            )
    if found := next((hint for hint in hints if _AMAP_ID.fullmatch(hint)), None):
        yield (
            "gcj02",
            math.log(5),
            Text(
                zh=f"编号 {found!r} 是高德地点编号的样式，其坐标为 GCJ-02",
                en=f"ids like {found!r} are those of AMap, whose coordinates are GCJ-02",
            ),
        )
