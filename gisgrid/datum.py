"""Which coordinates are these: degrees or a plane, shifted or not, in which order, and how do they come to WGS84?

The shifts that maps of China carry have no EPSG code; here they have names that stand beside the codes, so that one
word says what a file's two columns are. The formulas, and how far to trust them, are in `gisgrid.shifts`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from pyproj import CRS, Transformer

from gisgrid.crs import LONLAT, parse_crs
from gisgrid.errors import CrsError, did_you_mean
from gisgrid.schema import Text
from gisgrid.shifts import (
    CHINA_BOX,
    Floats,
    LonLat,
    Shift,
    bd09_from_gcj02,
    bd09_from_wgs84,
    gcj02_from_bd09,
    gcj02_from_wgs84,
    wgs84_from_bd09,
    wgs84_from_gcj02,
)

__all__ = [
    "CHINA_BOX",
    "DATUMS",
    "Datum",
    "bd09_from_gcj02",
    "bd09_from_wgs84",
    "gcj02_from_bd09",
    "gcj02_from_wgs84",
    "wgs84_from_bd09",
    "wgs84_from_gcj02",
]


@dataclass(frozen=True)
class _Shifted:
    """One way in which degrees may be off WGS84, and how they are brought back."""

    words: Text
    back: Shift


_SHIFTS: Final[Mapping[str, _Shifted]] = {
    "wgs84": _Shifted(Text(zh="WGS84 经纬度", en="WGS84 degrees"), lambda x, y: (x, y)),
    "cgcs2000": _Shifted(
        Text(
            zh="CGCS2000 经纬度（与 WGS84 视为同一基准，约 1 米）",
            en="CGCS2000 degrees (taken as WGS84, about a metre)",
        ),
        lambda x, y: (x, y),
    ),
    "gcj02": _Shifted(
        Text(zh="GCJ-02 偏移坐标（高德、腾讯）", en="GCJ-02 shifted degrees (AMap, Tencent)"),
        wgs84_from_gcj02,
    ),
    "bd09": _Shifted(
        Text(zh="BD-09 偏移坐标（百度）", en="BD-09 shifted degrees (Baidu)"), wgs84_from_bd09
    ),
    "gcj02-twice": _Shifted(
        Text(zh="被重复偏移两次的 GCJ-02 坐标", en="degrees shifted to GCJ-02 twice"),
        lambda x, y: wgs84_from_gcj02(*wgs84_from_gcj02(x, y)),
    ),
    "wgs84-twice": _Shifted(
        Text(
            zh="被重复纠偏的坐标（对 WGS84 又做了一次 GCJ-02 纠偏）",
            en="degrees brought from GCJ-02 to WGS84 twice",
        ),
        gcj02_from_wgs84,
    ),
}

DATUMS: Final[tuple[str, ...]] = tuple(_SHIFTS)
"""What degrees may be, by the name that `Datum.parse` and ``--datum`` take."""

_SWAPPED, _MILLIONTHS = "swapped", "e6"
_LOCAL_DATUMS: Final = ("beijing", "xian", "xi'an")


@dataclass(frozen=True)
class Datum:
    """What a pair of coordinate columns is, down to its shift and its order.

    Attributes
    ----------
    id
        One of `DATUMS` for degrees, or a CRS (``EPSG:4547``) for a plane; behind it what else is the case, each
        after a colon: the shift that the plane was drawn with (``EPSG:3857:gcj02``), ``swapped`` where the first
        column is the latitude or northing, ``e6`` for whole millionths of a degree. `parse` reads it back.
    words
        The same for a reader.
    crs
        The plane; None for degrees.
    shift
        One of `DATUMS`: how the degrees are shifted, ``wgs84`` where they are not.
    swapped
        True where the first column is the latitude or northing.
    millionths
        True where the numbers are degrees times 1 000 000.
    """

    id: str
    words: Text
    crs: CRS | None
    shift: str
    swapped: bool = False
    millionths: bool = False

    @classmethod
    def of(
        cls,
        base: str | CRS,
        *,
        shift: str = "wgs84",
        swapped: bool = False,
        millionths: bool = False,
    ) -> Datum:
        """Make a datum of its parts.

        Parameters
        ----------
        base
            One of `DATUMS`, or a CRS. A geographic CRS on the WGS84 or CGCS2000 ellipsoid is that datum.
        shift
            With a projected CRS: how the degrees were shifted before they were projected.
        swapped
            The first column is the latitude or northing.
        millionths
            Degrees times 1 000 000.

        Returns
        -------
        Datum
            With its id and words.

        Raises
        ------
        CrsError
            The CRS rests on Beijing 1954 or Xi'an 1980 without parameters, whose way to WGS84 is not public; or it
            is no CRS of places on a plane or in degrees.
        """
        if isinstance(base, CRS):
            plane, name = _plane(base)
        else:
            plane, name = None, base
        if plane is None and name in _SHIFTS:
            shift = name
        words = _words(name, plane, shift)
        tail = ([shift] if plane is not None and shift != "wgs84" else []) + (
            [_MILLIONTHS] if millionths else []
        )
        if millionths:
            words = Text(
                zh=words.zh + "，单位百万分之一度", en=words.en + ", in millionths of a degree"
            )
        if swapped:
            tail.append(_SWAPPED)
            words = Text(
                zh=words.zh + "，两列对调（纬度或北坐标在前）",
                en=words.en + ", axes swapped (latitude or northing first)",
            )
        return cls(":".join([name, *tail]), words, plane, shift, swapped, millionths)

    @classmethod
    def parse(cls, text: str) -> Datum:
        """Read a datum as a user writes it.

        Parameters
        ----------
        text
            For example ``gcj02``, ``wgs84:swapped``, ``EPSG:4547``, ``EPSG:3857:gcj02``; upper or lower case.

        Returns
        -------
        Datum
            What it names.

        Raises
        ------
        CrsError
            No such datum or CRS, or one that cannot be brought to WGS84.

        Examples
        --------
        >>> Datum.parse("GCJ02:swapped").words.en
        'GCJ-02 shifted degrees (AMap, Tencent), axes swapped (latitude or northing first)'
        >>> Datum.parse("EPSG:4547").id
        'EPSG:4547'
        >>> Datum.parse("gcj2")
        Traceback (most recent call last):
        gisgrid.errors.CrsError: datum 'gcj2' is neither a CRS that PROJ knows nor a name of a datum; did you mean 'gcj02'?
        """
        base, parts = text.strip(), set[str]()
        while ":" in base and (tail := base.rsplit(":", 1)[1].strip().lower()) in {
            _SWAPPED,
            _MILLIONTHS,
            *_SHIFTS,
        }:
            parts.add(tail)
            base = base.rsplit(":", 1)[0]
        name = base.lower().replace("-", "").replace("_", "").replace(" ", "")
        names = {known.replace("-", ""): known for known in _SHIFTS}
        shifts = sorted(parts & _SHIFTS.keys())
        swapped, millionths = _SWAPPED in parts, _MILLIONTHS in parts
        if name in names:
            return cls.of(names[name], swapped=swapped, millionths=millionths)
        try:
            crs = parse_crs(base, name="datum")
        except CrsError as error:
            raise CrsError(
                f"datum {text!r} is neither a CRS that PROJ knows nor a name of a datum{did_you_mean(name, _SHIFTS)}"
            ) from error
        shift = shifts[0] if shifts else "wgs84"
        return cls.of(crs, shift=shift, swapped=swapped, millionths=millionths)

    def to_lonlat(self, x: ArrayLike, y: ArrayLike) -> LonLat:
        """Bring the two columns to WGS84 longitude and latitude.

        Parameters
        ----------
        x, y
            Shape (n,), the columns in the file's order: the first is the latitude or northing where `swapped`.

        Returns
        -------
        tuple of ndarray
            Longitude and latitude, shape (n,), WGS84 degrees; NaN where the numbers cannot be such a place.

        Notes
        -----
        CRS: what the datum says. CGCS2000 to WGS84 changes nothing in PROJ, right to about a metre.

        Examples
        --------
        >>> lon, lat = Datum.parse("EPSG:4547:swapped").to_lonlat([3_897_000.0], [500_000.0])
        >>> lon.round(3).tolist(), lat.round(3).tolist()
        ([114.0], [35.202])
        >>> Datum.parse("wgs84").to_lonlat([200.0], [10.0])[0].tolist()
        [nan]
        """
        first, second = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
        lon, lat = (second, first) if self.swapped else (first, second)
        if self.crs is not None:
            lon, lat = _unprojected(self.crs, lon, lat)
        elif self.millionths:
            lon, lat = lon / 1e6, lat / 1e6
        lost = ~((np.abs(lon) <= 180) & (np.abs(lat) <= 90))
        if lost.any():
            lon, lat = np.where(lost, np.nan, lon), np.where(lost, np.nan, lat)
        return _SHIFTS[self.shift].back(lon, lat)


def _plane(crs: CRS) -> tuple[CRS | None, str]:
    """Give the CRS that PROJ must undo, and its name; none for degrees that are WGS84 already."""
    if crs.is_compound:
        crs = crs.sub_crs_list[0]
    geodetic = crs.geodetic_crs
    if geodetic is None or not (crs.is_projected or crs.is_geographic):
        raise CrsError(
            f"datum {crs.name!r} is a {crs.type_name.lower()}, which no map coordinates are in; "
            "give a projected or geographic one, for example EPSG:4547"
        )
    label = f"{geodetic.name} {geodetic.datum.name if geodetic.datum else ''}".lower()
    if not crs.is_bound and any(local in label for local in _LOCAL_DATUMS):
        raise CrsError(
            f"datum {crs.name!r} rests on {geodetic.name}, whose way to WGS84 is kept by each city's survey office and "
            "not public, so that any conversion here would be off by up to 100 m unseen; have the data converted to "
            "CGCS2000, or give the CRS as a PROJ string with your city's +towgs84= parameters"
        )
    code = crs.to_epsg()
    if crs.is_geographic and not crs.is_bound:
        if code in {4490, 4480} or "cgcs" in label or "china geodetic" in label:
            return None, "cgcs2000"
        if code in {4326, 4979} or crs.equals(LONLAT, ignore_axis_order=True):
            return None, "wgs84"
    authority = crs.to_authority()
    return crs, ":".join(authority) if authority else crs.to_string()


def _words(name: str, crs: CRS | None, shift: str) -> Text:
    if crs is None:
        return _SHIFTS[shift].words
    label = name if crs.name == name or len(name) > 20 else f"{name}, {crs.name}"
    if len(name) > 20:
        label = crs.name
    if shift == "wgs84":
        return Text(zh=label, en=label)
    shown = shift.upper()
    return Text(
        zh=f"{label}，由 {shown} 偏移坐标投影而来",
        en=f"{label}, projected from {shown} shifted degrees",
    )


def _unprojected(crs: CRS, x: Floats, y: Floats) -> LonLat:
    lon, lat = _to_lonlat(crs.to_wkt()).transform(x, y, errcheck=False)
    return np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)


@lru_cache(maxsize=64)
def _to_lonlat(wkt: str) -> Transformer:
    """Undo a plane; where it rests on WGS84 or CGCS2000, without asking PROJ for shifts, which takes it long."""
    crs = CRS.from_wkt(wkt)
    geodetic = crs.geodetic_crs
    same = not crs.is_bound and geodetic is not None and geodetic.to_epsg() in {4326, 4490}
    return Transformer.from_crs(crs, geodetic if same else LONLAT, always_xy=True)
