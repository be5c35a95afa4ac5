"""Where is a report that has only an address: at which named place of the city's own lists?

Nothing leaves the machine: the names are those of the city's grids, compounds and points of interest.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, TypeAlias

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from rapidfuzz import fuzz, process

from gisgrid.crs import LONLAT, require_crs
from gisgrid.errors import ColumnError, InputError, did_you_mean

Ints: TypeAlias = NDArray[np.int64]

SIMILAR: Final = 0.85
"""Share of characters that an address and a place's name must have in common, in order, to be taken for it."""

_SAME_PLACE_DEG: Final = 0.0005
"""Places of one name within about 50 m are one place."""
_LEAST_LETTERS: Final = 2
_CHUNK: Final = 50_000
_PAIRS_AT_ONCE: Final = 20_000_000
_LISTED: Final = 5
_ODD: Final = 0x9E3779B97F4A7C15
_BASE, _INVERSE = np.uint64(_ODD), np.uint64(pow(_ODD, -1, 1 << 64))
_VARIANTS: Final = str.maketrans(
    "臺檯區縣鎮鄉號樓棟裏裡衞衛邨峯廣門東車園灣龍華國學醫場橋莊溝嶺寶興陽長馬開環濱島閘幹線總術業電廠",
    "台台区县镇乡号楼栋里里卫卫村峰广门东车园湾龙华国学医场桥庄沟岭宝兴阳长马开环滨岛闸干线总术业电厂",
)
_VARIED: Final = "[" + "".join(map(chr, _VARIANTS)) + "]"
_NOISE: Final = r"[\s,.;:，。；：、·\-—_/\\()（）\[\]【】“”\"'#]+"
_NO_WORD_GAP: Final = r"(?<![\da-z]) | (?![\da-z])"
"""A blank that does not part two Latin words or numbers."""
_ABOVE: Final = re.compile(
    r"(?:中国)?(?:[^省]{2,7}?(?:省|自治区|特别行政区))?(?:[^市]{2,8}?(?:(?<![超门夜早])市|自治州|地区|盟))?"
    r"(?:[^区县]{1,8}?(?:(?<![小社园校景院厂片])区|县|旗|(?<![超门夜早])市))?"
    r"(?:[^街镇乡]{1,8}?(?:街道(?:办事处)?|镇|乡))?"
)
_NUMBER: Final = re.compile(r"\d+")
_INDOORS: Final = re.compile(
    r"[\da-z一二三四五六七八九十]+(?:号楼|栋|幢|座|单元|室|户|层|楼|号).*$"
)


def plain_names(names: pd.Series) -> pd.Series:
    """Write names in one way, so that equal names are equal texts.

    Parameters
    ----------
    names
        Shape (n,), text or numbers; missing values become ''.

    Returns
    -------
    Series
        Shape (n,), text indexed like `names`: full-width forms narrowed, 臺 as 台 (and such), lower case, without
        blanks and punctuation; a whole number without ``.0``.

    Examples
    --------
    >>> plain_names(pd.Series(["臺北市 大安區", "ＬＯＯＰ", None])).tolist()
    ['台北市大安区', 'loop', '']
    >>> plain_names(pd.Series([25.0])).tolist()
    ['25']
    """
    codes, distinct = pd.factorize(names)
    if pd.api.types.is_float_dtype(names.dtype) and (distinct == np.floor(distinct)).all():
        distinct = distinct.astype("int64")
    texts = pd.Series(distinct).astype("str").str.normalize("NFKC").str.lower()
    varied = texts.str.contains(_VARIED)
    texts = texts.where(~varied, texts[varied].str.translate(_VARIANTS))
    texts = texts.str.replace(_NOISE, " ", regex=True)
    texts = texts.str.replace(_NO_WORD_GAP, "", regex=True)
    whole = np.append(texts.to_numpy(dtype=object), "")
    return pd.Series(whole[codes], index=names.index, dtype="str")


def locate(
    addresses: pa.Array,
    places: gpd.GeoDataFrame,
    *,
    names: Sequence[str],
    similar: float | None = SIMILAR,
) -> pd.DataFrame:
    """Find the named place of each address: the same text, the longest name in it, or the most similar one.

    An address that fits two places equally well gets none of them; both are listed.

    Parameters
    ----------
    addresses
        Shape (n,), text; null where there is none.
    places
        Shape (m,), any geometry in any CRS: grids, compounds, points of interest. An area stands for a point in it.
    names
        Columns of `places` that hold its names: its own, other names, and the names of what it lies in. Where several
        places bear the name found, the one with most of its other names in the address is meant.
    similar
        Least share of characters in common, in order, for a name that is neither the address nor in it; None takes no
        such name.

    Returns
    -------
    DataFrame
        Shape (n, 7), RangeIndex: `lon`, `lat` (WGS84 degrees, NaN where not found), `place` (its first name), `score`
        (1 for the same text; 0.9 to 1 for a name in the address, more the more of it the name makes up; else the
        share of characters in common; 0 where nothing was found), `how` (``exact``, ``contained``, ``similar`` or
        missing), `ambiguous`, and `candidates` (all names that fit equally well, joined with ``; ``, where ambiguous).

    Raises
    ------
    CrsError
        `places` has no CRS.
    ColumnError
        `places` has no such column.
    InputError
        No name column is given, or `similar` is not above 0.5 and at most 1.

    Notes
    -----
    CRS: any; the result is WGS84 longitude, latitude. Cost: by distinct address; a similar name costs addresses times
    names. Latin words and numbers are found whole only: ``Lake View`` is in ``9 Lake View Road`` but not in
    ``Lake Viewer``, and a similar name must have the same numbers. The administrative names that an address begins
    with (省, 市, 区, 街道) are looked at last.

    Examples
    --------
    >>> from shapely import Point
    >>> places = gpd.GeoDataFrame(
    ...     {"name": ["阳光小区", "人民公园"]}, geometry=[Point(113.2, 35.2), Point(113.3, 35.1)], crs=4326
    ... )
    >>> found = locate(pa.array(["解放区阳光小區3号楼", "人民公圆", None]), places, names=["name"], similar=0.7)
    >>> found[["lon", "place", "score", "how"]].round(2).values.tolist()
    [[113.2, '阳光小区', 0.96, 'contained'], [113.3, '人民公园', 0.75, 'similar'], [nan, nan, 0.0, nan]]
    """
    if not names or not (similar is None or 0.5 < similar <= 1):
        raise InputError(
            f"locate got names={list(names)!r} and similar={similar!r} but needs a column of names and a share above 0.5 "
            "and at most 1; pass for example names=['name_zh'], similar=0.85"
        )
    require_crs(places, name="places")
    for name in names:
        if name not in places.columns:
            known = map(str, places.columns.drop(places.geometry.name))
            raise ColumnError(f"places have no column {name!r}{did_you_mean(name, known)}")
    codes, distinct = pd.factorize(plain_names(addresses.to_pandas()))
    texts = np.asarray(distinct, dtype=object)
    book = _Book.of(places, names)
    answers = _Answers.none(len(texts))
    if len(book.keys):
        for start in range(0, len(texts), _CHUNK):
            _read_names(book, texts[start : start + _CHUNK], answers, start)
        if similar is not None:
            _read_similar(book, texts, answers, similar)
    return _table(book, texts, answers, codes)


@dataclass(frozen=True)
class _Answers:
    """What is known of the distinct addresses so far; the arrays are filled in place.

    Attributes
    ----------
    key
        Shape (n,), the name found, -1 where none.
    score, how
        Shape (n,), as in the result.
    others
        Per address, all names where several are equally similar.
    """

    key: Ints
    score: NDArray[np.float64]
    how: NDArray[np.object_]
    others: dict[int, tuple[int, ...]]

    @classmethod
    def none(cls, n: int) -> _Answers:
        return cls(np.full(n, -1), np.zeros(n), np.full(n, None, dtype=object), {})


@dataclass(frozen=True)
class _Book:
    """The places by their names.

    Attributes
    ----------
    keys
        Shape (k,), the distinct plain names.
    owners
        Per key, the places that bear it.
    shown
        Shape (m,), what each place is called in the result.
    lon, lat
        Shape (m,), WGS84 degrees.
    own_names
        Per place, all its plain names.
    """

    keys: NDArray[np.object_]
    owners: tuple[tuple[int, ...], ...]
    shown: NDArray[np.object_]
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    own_names: tuple[frozenset[str], ...]

    @classmethod
    def of(cls, places: gpd.GeoDataFrame, names: Sequence[str]) -> _Book:
        points = places.geometry.representative_point().to_crs(LONLAT)
        lon, lat = points.x.to_numpy(), points.y.to_numpy()
        there = np.flatnonzero(np.isfinite(lon) & np.isfinite(lat))
        columns = [plain_names(places[name]).to_numpy(dtype=object) for name in names]
        owners: dict[str, list[int]] = {}
        own_names: list[frozenset[str]] = [frozenset()] * len(places)
        for place in there:
            own = {str(column[place]) for column in columns} - {""}
            own_names[place] = frozenset(own)
            own_key = str(columns[0][place])
            for key in {own_key, own_key[_above(own_key) :], *own}:
                if len(key) >= _LEAST_LETTERS:
                    owners.setdefault(key, []).append(int(place))
        keys = sorted(owners)
        shown = places[names[0]].astype("str").to_numpy(dtype=object)
        return cls(
            np.array(keys, dtype=object),
            tuple(tuple(owners[key]) for key in keys),
            shown,
            lon,
            lat,
            tuple(own_names),
        )

    def places_of(self, keys: Sequence[int], text: str) -> list[int]:
        """Give the places that these names may mean in this address, one for all at the same spot."""
        found = sorted({place for key in keys for place in self.owners[key]})
        told = [sum(name in text for name in self.own_names[place]) for place in found]
        found = [place for place, n in zip(found, told, strict=True) if n == max(told)]
        lon, lat = self.lon[found], self.lat[found]
        return found[:1] if max(np.ptp(lon), np.ptp(lat)) < _SAME_PLACE_DEG else found


def _above(text: str) -> int:
    """How many letters at the start only say in which province, city, district and street office it is."""
    matched = _ABOVE.match(text)
    end = matched.end() if matched else 0
    return end if len(text) - end >= _LEAST_LETTERS else 0


def _read_names(book: _Book, texts: NDArray[np.object_], answers: _Answers, begin: int) -> None:
    """Fill in the answers, from `begin` on, for addresses that are a name or hold one."""
    above = np.array([_above(text) for text in texts], dtype=np.int64)
    sizes = np.array([len(text) for text in texts], dtype=np.int64)
    address, start, length, key = _occurrences(book.keys, texts)
    low = start >= above[address]
    # Names below the administrative ones first, then the longest, then the last: addresses go from large to small.
    order = np.lexsort([-start, -length, ~low, address])
    best = order[np.flatnonzero(np.diff(address[order], prepend=-1))]
    address, length, low = address[best], length[best], low[best]
    rest = np.where(low, sizes[address] - above[address], sizes[address])
    rows = begin + address
    answers.key[rows] = key[best]
    answers.how[rows] = np.where(length == rest, "exact", "contained")
    answers.score[rows] = 0.9 + 0.1 * length / rest


def _occurrences(
    keys: NDArray[np.object_], texts: NDArray[np.object_]
) -> tuple[Ints, Ints, Ints, Ints]:
    """Find where each key stands in each text: text, start in it, length, key. All keys of a length at once."""
    joined = np.frombuffer(("\n" + "\n".join(texts) + "\n").encode("utf-32-le"), dtype=np.uint32)
    sizes = np.array([len(text) for text in texts], dtype=np.int64)
    begins = 1 + np.concatenate([[0], np.cumsum(sizes + 1)[:-1]])
    powers = np.cumprod(np.full(len(joined), _BASE, dtype=np.uint64))
    inverse = np.cumprod(np.full(len(joined), _INVERSE, dtype=np.uint64)) * _BASE
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(_mixed(joined) * powers)])
    lengths = np.array([len(key) for key in keys], dtype=np.int64)
    found = [(np.zeros(0, np.int64),) * 4]
    for length in map(int, np.unique(lengths[lengths < len(joined)])):
        numbers = np.flatnonzero(lengths == length)
        letters = np.frombuffer("".join(keys[numbers]).encode("utf-32-le"), dtype=np.uint32)
        letters = letters.reshape(-1, length)
        at = np.flatnonzero(np.isin(joined[: len(joined) - length + 1], np.unique(letters[:, 0])))
        windows = (sums[at + length] - sums[at]) * inverse[at]
        wanted = (_mixed(letters) * powers[:length]).sum(axis=1)
        order = np.argsort(wanted)
        which = order[np.minimum(np.searchsorted(wanted[order], windows), len(order) - 1)]
        hit = wanted[which] == windows
        at, which = at[hit], which[hit]
        same = (joined[at[:, None] + np.arange(length)] == letters[which]).all(axis=1)
        fits = same & _stands_alone(joined, at, length)
        at, which = at[fits], which[fits]
        text = np.searchsorted(begins, at, side="right") - 1
        found.append((text, at - begins[text], np.full(len(at), length), numbers[which]))
    text, start, long, number = (np.concatenate(part) for part in zip(*found, strict=True))
    return text, start, long, number


def _mixed(letters: NDArray[np.uint32]) -> NDArray[np.uint64]:
    """Scatter letters over 64 bits, so that sums of them times powers of an odd base tell words apart."""
    mixed = (letters.astype(np.uint64) + np.uint64(1)) * np.uint64(0xD6E8FEB86659FD93)
    return np.asarray(mixed ^ (mixed >> np.uint64(32)))


def _stands_alone(joined: NDArray[np.uint32], at: Ints, length: int) -> NDArray[np.bool_]:
    """Tell whether a find cuts no Latin word or number in two."""
    word = np.zeros(128, dtype=bool)
    word[[ord(letter) for letter in "0123456789abcdefghijklmnopqrstuvwxyz"]] = True
    is_word = word[np.minimum(joined, 127)] & (joined < 127)
    head = is_word[at - 1] & is_word[at]
    tail = is_word[at + length - 1] & is_word[at + length]
    return np.asarray(~(head | tail))


def _read_similar(book: _Book, texts: NDArray[np.object_], answers: _Answers, least: float) -> None:
    """Fill in the answers that are still open by the most similar name."""
    asked = [int(i) for i in np.flatnonzero(answers.key < 0) if len(texts[i]) >= _LEAST_LETTERS]
    shorn = [_INDOORS.sub("", texts[i][_above(texts[i]) :]) for i in asked]
    # Two names that differ in a number are two places, however alike the rest is.
    numbers = [" ".join(_NUMBER.findall(text)) for text in [*shorn, *book.keys]]
    number_codes, _ = pd.factorize(np.array(numbers, dtype=object))
    asked_codes, key_codes = number_codes[: len(shorn)], number_codes[len(shorn) :]
    step = max(1, _PAIRS_AT_ONCE // len(book.keys))
    for start in range(0, len(asked), step):
        likeness = process.cdist(
            shorn[start : start + step], book.keys, scorer=fuzz.ratio, score_cutoff=100 * least
        )
        likeness[asked_codes[start : start + step, None] != key_codes] = 0
        best = likeness.max(axis=1)
        for row in np.flatnonzero(best > 0):
            at, keys = asked[start + row], np.flatnonzero(likeness[row] == best[row])
            answers.key[at], answers.score[at], answers.how[at] = (
                keys[0],
                best[row] / 100,
                "similar",
            )
            if len(keys) > 1:
                answers.others[at] = tuple(map(int, keys))


def _table(book: _Book, texts: NDArray[np.object_], answers: _Answers, codes: Ints) -> pd.DataFrame:
    """Lay the answers of the distinct addresses out again for all."""
    only = np.array([own[0] if len(own) == 1 else -1 for own in book.owners] + [-1], dtype=np.int64)
    found = only[answers.key]
    found[list(answers.others)] = -1
    open_rows = np.flatnonzero((answers.key >= 0) & (found < 0))
    candidates = np.full(len(texts), None, dtype=object)
    for row in open_rows:
        keys = answers.others.get(int(row), (int(answers.key[row]),))
        places = book.places_of(keys, str(texts[row]))
        if len(places) == 1:
            found[row] = places[0]
        else:
            listed = (f"{book.shown[p]} ({book.lon[p]:.6f}, {book.lat[p]:.6f})" for p in places)
            candidates[row] = "; ".join(islice(listed, _LISTED))
    text = pd.StringDtype(na_value=np.nan)
    distinct = pd.DataFrame(
        {
            "lon": np.append(book.lon, np.nan)[found],
            "lat": np.append(book.lat, np.nan)[found],
            "place": pd.array(np.array([*book.shown, None], dtype=object)[found], dtype=text),
            "score": answers.score,
            "how": pd.array(answers.how, dtype=text),
            "ambiguous": (answers.key >= 0) & (found < 0),
            "candidates": pd.array(candidates, dtype=text),
        }
    )
    return distinct.take(codes).reset_index(drop=True)
