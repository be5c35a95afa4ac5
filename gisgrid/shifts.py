"""How far off does a map of China show a place: the formulas between WGS84, GCJ-02 and BD-09.

Maps published in China are shifted: AMap, Tencent and Google show GCJ-02, 27 to 678 m (409 m on average) off the
ground, Baidu shows BD-09, about as far again. Neither has an EPSG code, so PROJ cannot undo it; the formulas here can.

*How far to trust them.* There and back again agrees to 0.2 mm, but that is the formula agreeing with itself. Against
what the providers really show, expect 1 to 5 m: good enough for a grid of about 100 m, not for survey.

*Where.* GCJ-02 is applied inside the box that the published formula carries, 72.004 to 137.8347° E and 0.8293 to
55.8271° N, and nothing is changed outside. The box is no border: it holds Mongolia, Korea, Vietnam, Laos, Nepal,
Bangladesh, the Philippines and much of India, Kazakhstan, Siberia and Japan too, where maps are *not* shifted. Hong
Kong, Macau and Taiwan lie in it as well and providers differ there. BD-09 is defined by GCJ-02 alone and has no box.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats: TypeAlias = NDArray[np.float64]
LonLat: TypeAlias = tuple[Floats, Floats]
Shift: TypeAlias = Callable[[Floats, Floats], LonLat]

CHINA_BOX: Final = (72.004, 0.8293, 137.8347, 55.8271)
"""West, south, east, north of where GCJ-02 is applied: the published box, neighbours included."""

_A_M, _E2 = 6_378_245.0, 0.00669342162296594323
_BD_TURN: Final = np.pi * 3000 / 180
_BD_EAST, _BD_NORTH = 0.0065, 0.006
_ROUNDS: Final = 4
"""The fixed point starts with the shift at the wrong place, off by 4 m; each further round takes off a factor of 150."""
_BLOCK: Final = 1 << 14
"""Points worked on at a time: their arrays stay in the processor's cache, which is twice as fast as all at once."""


def gcj02_from_wgs84(lon: ArrayLike, lat: ArrayLike) -> LonLat:
    """Shift WGS84 to where AMap, Tencent and Google show it in China.

    Not for data that go to the public: whether and how these may be shown is a matter of law, not of formula.

    Parameters
    ----------
    lon, lat
        Shape (n,), WGS84 (or CGCS2000) degrees.

    Returns
    -------
    tuple of ndarray
        Longitude and latitude, shape (n,), GCJ-02 degrees; unchanged outside `CHINA_BOX`, NaN where NaN.

    Notes
    -----
    CRS: WGS84 longitude, latitude. Cost: a quarter of a second for a million points on one core. Source: the published formula on
    the Krasovsky ellipsoid (a = 6 378 245 m). Checked against: published test vectors, to 1e-7 degrees.

    Examples
    --------
    >>> lon, lat = gcj02_from_wgs84([116.404, -87.6], [39.915, 41.8])
    >>> lon.round(6).tolist(), lat.round(6).tolist()
    ([116.410244, -87.6], [39.916404, 41.8])
    """
    return _blockwise(_gcj02, lon, lat)


def wgs84_from_gcj02(lon: ArrayLike, lat: ArrayLike) -> LonLat:
    """Bring GCJ-02 back to WGS84.

    Never do it twice: a second time moves the points as far again to the other side.

    Parameters
    ----------
    lon, lat
        Shape (n,), GCJ-02 degrees.

    Returns
    -------
    tuple of ndarray
        Longitude and latitude, shape (n,), WGS84 degrees; unchanged outside `CHINA_BOX`, NaN where NaN.

    Notes
    -----
    CRS: WGS84 longitude, latitude. The formula has no inverse in closed form; the shift is subtracted where it was
    added, by fixed-point iteration, which gives `gcj02_from_wgs84` back to 0.2 mm (one subtraction errs up to 4 m).
    Within a shift's length of the edge of the box, which is abroad or at sea, a point may have been shifted or not;
    it is judged by where it is now. Cost: 0.9 s for a million points on one core.

    Examples
    --------
    >>> lon, lat = wgs84_from_gcj02(*gcj02_from_wgs84([121.5272106], [31.1774276]))
    >>> lon.round(9).tolist(), lat.round(9).tolist()
    ([121.5272106], [31.1774276])
    """
    return _blockwise(_gcj02_back, lon, lat)


def bd09_from_gcj02(lon: ArrayLike, lat: ArrayLike) -> LonLat:
    """Shift GCJ-02 to where Baidu shows it.

    Parameters
    ----------
    lon, lat
        Shape (n,), GCJ-02 degrees.

    Returns
    -------
    tuple of ndarray
        Longitude and latitude, shape (n,), BD-09 degrees, NaN where NaN.

    Notes
    -----
    CRS: GCJ-02 longitude, latitude. The ripple's wave number is π·3000/180; libraries that take π instead are off by
    29 m on average, 87 m at most.

    Examples
    --------
    >>> lon, lat = bd09_from_gcj02([116.404], [39.915])
    >>> lon.round(6).tolist(), lat.round(6).tolist()
    ([116.410369], [39.921337])
    """
    return _blockwise(_bd09, lon, lat)


def gcj02_from_bd09(lon: ArrayLike, lat: ArrayLike) -> LonLat:
    """Bring BD-09 back to GCJ-02.

    Parameters
    ----------
    lon, lat
        Shape (n,), BD-09 degrees.

    Returns
    -------
    tuple of ndarray
        Longitude and latitude, shape (n,), GCJ-02 degrees, NaN where NaN.

    Notes
    -----
    CRS: GCJ-02 longitude, latitude. By fixed-point iteration; the inverse in common use errs up to 0.2 m.

    Examples
    --------
    >>> lon, lat = gcj02_from_bd09(*bd09_from_gcj02([116.404], [39.915]))
    >>> lon.round(9).tolist(), lat.round(9).tolist()
    ([116.404], [39.915])
    """
    return _blockwise(_bd09_back, lon, lat)


def bd09_from_wgs84(lon: ArrayLike, lat: ArrayLike) -> LonLat:
    """Shift WGS84 to where Baidu shows it in China.

    Parameters
    ----------
    lon, lat
        Shape (n,), WGS84 degrees, in China.

    Returns
    -------
    tuple of ndarray
        Longitude and latitude, shape (n,), BD-09 degrees, NaN where NaN.

    Notes
    -----
    CRS: WGS84 longitude, latitude. Outside `CHINA_BOX` only Baidu's own shift is applied.

    Examples
    --------
    >>> lon, lat = bd09_from_wgs84([116.404], [39.915])
    >>> lon.round(6).tolist(), lat.round(6).tolist()
    ([116.416627], [39.9227])
    """
    return _blockwise(lambda x, y: _bd09(*_gcj02(x, y)), lon, lat)


def wgs84_from_bd09(lon: ArrayLike, lat: ArrayLike) -> LonLat:
    """Bring BD-09 back to WGS84.

    Parameters
    ----------
    lon, lat
        Shape (n,), BD-09 degrees, in China.

    Returns
    -------
    tuple of ndarray
        Longitude and latitude, shape (n,), WGS84 degrees, NaN where NaN.

    Notes
    -----
    CRS: WGS84 longitude, latitude. As exact as `wgs84_from_gcj02`.

    Examples
    --------
    >>> lon, lat = wgs84_from_bd09(*bd09_from_wgs84([116.404], [39.915]))
    >>> lon.round(9).tolist(), lat.round(9).tolist()
    ([116.404], [39.915])
    """
    return _blockwise(lambda x, y: _gcj02_back(*_bd09_back(x, y)), lon, lat)


def _blockwise(shift: Shift, lon: ArrayLike, lat: ArrayLike) -> LonLat:
    x, y = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
    moved_x, moved_y = np.empty_like(x), np.empty_like(y)
    with np.errstate(invalid="ignore"):  # an infinite coordinate becomes NaN
        for start in range(0, len(x), _BLOCK):
            block = slice(start, start + _BLOCK)
            moved_x[block], moved_y[block] = shift(x[block], y[block])
    return moved_x, moved_y


def _in_china_box(lon: Floats, lat: Floats) -> NDArray[np.bool_]:
    west, south, east, north = CHINA_BOX
    return np.asarray((lon >= west) & (lon <= east) & (lat >= south) & (lat <= north))


def _gcj02_shift(lon: Floats, lat: Floats) -> LonLat:
    """How far GCJ-02 moves a point in China, in degrees."""
    x, y = lon - 105.0, lat - 35.0
    sin, pi = np.sin, np.pi
    root = np.sqrt(np.abs(x))
    product = 0.1 * x * y
    third_x, third_y, wave = sin(pi / 3 * x), sin(pi / 3 * y), sin(2 * pi * x)
    ripple = 20 * _sine_of_triple(wave) + 20 * wave
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + product + 0.2 * root
    north += (ripple + 20 * _sine_of_triple(third_y) + 40 * third_y) * (2 / 3)
    north += (160 * sin(pi / 12 * y) + 320 * sin(pi / 30 * y)) * (2 / 3)
    east = 300 + x + 2 * y + 0.1 * x * x + product + 0.1 * root
    east += (ripple + 20 * _sine_of_triple(third_x) + 40 * third_x) * (2 / 3)
    east += (150 * sin(pi / 12 * x) + 300 * sin(pi / 30 * x)) * (2 / 3)
    sine = sin(np.radians(lat))
    bend = 1 - _E2 * sine * sine
    prime_m = _A_M / np.sqrt(bend)
    meridian_m = prime_m * (1 - _E2) / bend
    return np.degrees(east / (prime_m * np.sqrt(1 - sine * sine))), np.degrees(north / meridian_m)


def _sine_of_triple(sine: Floats) -> Floats:
    """Give sin 3a from sin a: the formula's sines come in such pairs, and a sine costs more than three products."""
    return sine * (3 - 4 * sine * sine)


def _gcj02(lon: Floats, lat: Floats) -> LonLat:
    inside = _in_china_box(lon, lat)
    east, north = _gcj02_shift(lon, lat)
    return np.where(inside, lon + east, lon), np.where(inside, lat + north, lat)


def _gcj02_back(lon: Floats, lat: Floats) -> LonLat:
    inside = _in_china_box(lon, lat)
    x, y = lon, lat
    for _ in range(_ROUNDS):
        east, north = _gcj02_shift(x, y)
        x, y = lon - east, lat - north
    return np.where(inside, x, lon), np.where(inside, y, lat)


def _bd09(lon: Floats, lat: Floats) -> LonLat:
    radius = np.hypot(lon, lat) + 2e-5 * np.sin(lat * _BD_TURN)
    angle = np.arctan2(lat, lon) + 3e-6 * np.cos(lon * _BD_TURN)
    return radius * np.cos(angle) + _BD_EAST, radius * np.sin(angle) + _BD_NORTH


def _bd09_back(lon: Floats, lat: Floats) -> LonLat:
    x, y = lon - _BD_EAST, lat - _BD_NORTH
    for _ in range(_ROUNDS):
        there_x, there_y = _bd09(x, y)
        x, y = x + (lon - there_x), y + (lat - there_y)
    return x, y
