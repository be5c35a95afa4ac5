"""What could these numbers be: which datums do their size, the city's place and the file's own words allow?"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS, Proj
from pyproj.aoi import AreaOfInterest
from pyproj.database import query_crs_info
from pyproj.enums import PJType
from pyproj.exceptions import CRSError as ProjCrsError

from gisgrid.datum import CHINA_BOX, Datum
from gisgrid.errors import CrsError
from gisgrid.intake.datums.marks import LOG_CLAIM, Marks

Floats: TypeAlias = NDArray[np.float64]
Bounds: TypeAlias = tuple[float, float, float, float]

SHIFTS: Final = ("gcj02", "bd09", "gcj02-twice", "wgs84-twice")

_COMMON: Final = 0.9
"""Share of the rows whose numbers must be of the kind; the rest may be empty, zero or broken."""
_FARTHEST_LAT: Final = 72.0
"""No city lies nearer to a pole."""
_NEAR_DEG: Final = 0.03
"""How far outside the references' bounding box a point still counts as there: a shifted point is."""
_LEAST_NEAR: Final = 0.05
_MERCATOR_M: Final = 20_037_508.4
_CHINA_N: Final = (1.7e6, 6.1e6)
_LOG_PRIOR: Final[Mapping[str, float]] = {
    "wgs84": 0.0,
    "cgcs2000": 0.0,
    "gcj02": 0.0,
    "bd09": math.log(0.5),
    "gcj02-twice": math.log(0.02),
    "wgs84-twice": math.log(0.02),
}
_LOG_SWAPPED, _LOG_MILLIONTHS, _LOG_REGISTRY = math.log(0.05), math.log(0.1), math.log(0.3)
_LOG_DEFAULT: Final = math.log(2)
"""What a format says of itself where nothing was said: GeoJSON is called WGS84 whatever it holds."""
_LOG_ORDERED: Final = math.log(0.1)


def log_prior(
    datum: Datum, *, stated: Datum | None, marks: Marks, reference: Sequence[CRS]
) -> float:
    """Say how credible a datum is before any point is looked at.

    Parameters
    ----------
    datum
        The candidate.
    stated
        What the file's metadata say.
    marks
        What its words say.
    reference
        The CRSs of the city's own layers.

    Returns
    -------
    float
        A logarithm; only differences count.
    """
    value = _LOG_PRIOR[datum.shift]
    if datum.crs is None or datum.shift != "wgs84":
        value += marks.weights.get(datum.shift, 0.0)
    elif "cgcs2000" in marks.weights and "CGCS2000" in datum.crs.name:
        value += marks.weights["cgcs2000"]
    if datum.swapped:
        value += _LOG_SWAPPED + (_LOG_ORDERED if marks.ordered else 0.0)
    if datum.millionths:
        value += _LOG_MILLIONTHS
    if stated is not None and datum.id == stated.id:
        value += LOG_CLAIM if is_claim(stated) else _LOG_DEFAULT
    elif datum.crs is not None and datum.shift == "wgs84":
        own = any(datum.crs.equals(crs, ignore_axis_order=True) for crs in reference)
        cgcs = "CGCS2000" in datum.crs.name
        value += 0.0 if own or cgcs or datum.crs.to_epsg() == 3857 else _LOG_REGISTRY
    return value


def is_claim(stated: Datum) -> bool:
    """Tell whether a file's CRS was said by somebody, or is what its format calls everything.

    Parameters
    ----------
    stated
        The CRS of the file's metadata.

    Returns
    -------
    bool
        False for WGS84 degrees and Web Mercator, under which shifted coordinates travel too.
    """
    if stated.crs is None:
        return stated.shift != "wgs84"
    return stated.crs.to_epsg() != 3857


def frames(
    x: Floats, y: Floats, *, stated: Datum | None, bounds: Bounds | None, reference: Sequence[CRS]
) -> list[Datum]:
    """List what the two columns could be, shifts aside: degrees or a plane, in this order or swapped.

    Parameters
    ----------
    x, y
        Shape (n,), finite.
    stated
        What the file's metadata say; it comes first.
    bounds
        West, south, east, north of the city's own layers in degrees, or None: then planes are only those that the
        numbers name themselves.
    reference
        The CRSs of the city's own layers.

    Returns
    -------
    list of Datum
        Without a shift, each once. With `bounds`, only those that bring a fair share of the points near them, if
        there are any.
    """
    degrees = _degrees(x, y)
    found = [*([] if stated is None else [stated]), *degrees]
    # Whole metres of a plane look like millionths of a degree.
    sure = any(not datum.millionths for datum in degrees)
    if not sure:
        found += _planes(x, y, stated=stated, bounds=bounds, reference=reference)
    found = _distinct([datum for datum in found if _possible(datum, x, y)], x, y)
    if bounds is None:
        in_degrees = [d for d in found if d.crs is None or d.crs.is_geographic]
        return in_degrees if sure else found
    near = [datum for datum in found if _share_near(datum, x, y, bounds) >= _LEAST_NEAR]
    if not near and not sure:
        there = _distinct(list(_registry(x, y, bounds)), x, y)
        near = [datum for datum in there if _share_near(datum, x, y, bounds) >= _LEAST_NEAR]
    return near or found


def shifted(datum: Datum, lon: Floats, lat: Floats) -> list[Datum]:
    """List the shifts under which degrees travel in China.

    Parameters
    ----------
    datum
        Unshifted.
    lon, lat
        Where it puts the points.

    Returns
    -------
    list of Datum
        `datum`, and its shifted variants where it puts most points into `CHINA_BOX`.
    """
    west, south, east, north = CHINA_BOX
    inside = (lon > west) & (lon < east) & (lat > south) & (lat < north)
    if not len(lon) or inside.mean() < 0.5 or datum.shift in SHIFTS:
        return [datum]
    base = datum.crs
    return [datum] + [
        Datum.of(base or shift, shift=shift, swapped=datum.swapped, millionths=datum.millionths)
        for shift in SHIFTS
    ]


def _share(mask: NDArray[np.bool_]) -> float:
    return float(mask.mean()) if len(mask) else 0.0


def _degrees(x: Floats, y: Floats) -> list[Datum]:
    found = []
    for first, second, swapped in ((x, y, False), (y, x, True)):
        for size, millionths in ((1.0, False), (1e6, True)):
            fits = (np.abs(first) <= 180 * size) & (np.abs(second) <= _FARTHEST_LAT * size)
            if _share(fits) < _COMMON or (millionths and not _whole(x, y)):
                continue
            found.append(Datum.of("wgs84", swapped=swapped, millionths=millionths))
    return found


def _whole(x: Floats, y: Floats) -> bool:
    large = max(np.median(np.abs(x)), np.median(np.abs(y))) > 1e6
    return bool(large and (x == np.rint(x)).all() and (y == np.rint(y)).all())


def _planes(
    x: Floats, y: Floats, *, stated: Datum | None, bounds: Bounds | None, reference: Sequence[CRS]
) -> Iterator[Datum]:
    if stated is not None and stated.crs is not None:
        yield from _both_orders(stated.crs)
        yield from _zone_siblings(stated.crs)
    for crs in reference:
        if crs.is_projected:
            yield from _both_orders(crs)
    for easting, northing, swapped in ((x, y, False), (y, x, True)):
        codes = list(_china_codes(easting, northing, bounds))
        if _share((np.abs(easting) <= _MERCATOR_M) & (np.abs(northing) <= _MERCATOR_M)) >= _COMMON:
            codes.append(3857)
        for code in codes:
            yield Datum.of(CRS.from_epsg(code), swapped=swapped)


def _both_orders(crs: CRS) -> Iterator[Datum]:
    try:
        yield Datum.of(crs)
        yield Datum.of(crs, swapped=True)
    except CrsError:
        return


def _zone_siblings(crs: CRS) -> Iterator[Datum]:
    """Give the other way to write a CGCS2000 zone: with its number before the easting, or without."""
    code = crs.to_epsg() or 0
    for low, high, other in (
        (4513, 4533, 21),
        (4534, 4554, -21),
        (4491, 4501, 11),
        (4502, 4512, -11),
    ):
        if low <= code <= high:
            yield from _both_orders(CRS.from_epsg(code + other))


def _china_codes(easting: Floats, northing: Floats, bounds: Bounds | None) -> Iterator[int]:
    if _share((northing > _CHINA_N[0]) & (northing < _CHINA_N[1])) < _COMMON:
        return
    zone = math.floor(float(np.median(easting)) / 1e6)
    within = easting - zone * 1e6
    if _share((within > 1e5) & (within < 9e5)) < _COMMON:
        return
    if 25 <= zone <= 45:
        yield 4488 + zone
    elif 13 <= zone <= 23:
        yield 4478 + zone
    elif zone == 0 and bounds is not None:
        # Six-degree zones without a number are the three-degree ones of the same meridian, to the last digit.
        lon = (bounds[0] + bounds[2]) / 2
        nearest = 3 * round(lon / 3)
        for meridian in (nearest, nearest - 3, nearest + 3):
            if 75 <= meridian <= 135:
                yield 4534 + (meridian - 75) // 3
        yield from sorted({32601 + math.floor((lon + side + 180) / 6) for side in (-1, 1)})


def _share_near(datum: Datum, x: Floats, y: Floats, bounds: Bounds) -> float:
    lon, lat = datum.to_lonlat(x, y)
    west, south, east, north = bounds
    return _share(
        (lon > west - _NEAR_DEG)
        & (lon < east + _NEAR_DEG)
        & (lat > south - _NEAR_DEG)
        & (lat < north + _NEAR_DEG)
    )


def _possible(datum: Datum, x: Floats, y: Floats) -> bool:
    """Tell whether a plane brings the points to where it is meant for; degrees are possible by their size."""
    if datum.crs is None:
        return bool(np.isfinite(datum.to_lonlat(x[:500], y[:500])[0]).mean() >= 0.5)
    use = datum.crs.area_of_use
    if use is None or use.east < use.west:
        return True
    lon, lat = datum.to_lonlat(x[:500], y[:500])
    there = np.abs(lon - (use.west + use.east) / 2) < (use.east - use.west) / 2 + 1.5
    return _share(there & (lat > use.south - 1.5) & (lat < use.north + 1.5)) >= 0.5


def _distinct(found: list[Datum], x: Floats, y: Floats) -> list[Datum]:
    """Drop what puts the points where an earlier one puts them: the same plane under another name."""
    kept: list[Datum] = []
    places: list[tuple[Floats, Floats]] = []
    for datum in found:
        lon, lat = datum.to_lonlat(x[:50], y[:50])
        if not any(
            np.allclose(lon, a, rtol=0, atol=2e-5, equal_nan=True)
            and np.allclose(lat, b, rtol=0, atol=2e-5, equal_nan=True)
            for a, b in places
        ):
            kept.append(datum)
            places.append((lon, lat))
    return kept


def _registry(x: Floats, y: Floats, bounds: Bounds) -> Iterator[Datum]:
    """Ask PROJ's registry for the planes of this place whose numbers are of this size."""
    west, south, east, north = bounds
    middle = np.median(x), np.median(y)
    reach = 2 * max(np.ptp(np.quantile(x, (0.02, 0.98))), np.ptp(np.quantile(y, (0.02, 0.98))))
    for code, corners_x, corners_y in _local_planes(
        round((west + east) / 2, 2), round((south + north) / 2, 2)
    ):
        for (first, second), swapped in ((middle, False), (middle[::-1], True)):
            if abs(first - corners_x) < reach and abs(second - corners_y) < reach:
                try:
                    yield Datum.of(CRS.from_epsg(code), swapped=swapped)
                except CrsError:
                    continue


@lru_cache(maxsize=16)
def _local_planes(lon: float, lat: float) -> tuple[tuple[int, float, float], ...]:
    """List the registry's planes around a place and where each puts it; later realisations of a datum left out."""
    area = AreaOfInterest(lon - 0.01, lat - 0.01, lon + 0.01, lat + 0.01)
    planes = []
    for info in query_crs_info(
        auth_name="EPSG", pj_types=[PJType.PROJECTED_CRS], area_of_interest=area, contains=True
    ):
        use = info.area_of_use
        wide = use is None or not 0 < use.east - use.west < 15
        if wide or re.search(r"HARN|NSRS|\(2011\)|CSRS|WGS 72|BLM|Beijing|Xian", info.name):
            continue
        try:
            easting, northing = Proj(f"EPSG:{info.code}")(lon, lat)
        except ProjCrsError:
            continue
        planes.append((int(info.code), float(easting), float(northing)))
    return tuple(planes)
