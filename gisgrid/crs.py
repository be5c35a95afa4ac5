"""Which coordinate reference system is this, and are its numbers metres?

Nothing here guesses and nothing reprojects silently: a function that needs metres demands them.
"""

from __future__ import annotations

import geopandas as gpd
from pyproj import CRS
from pyproj.exceptions import CRSError as ProjCrsError

from gisgrid.errors import CrsError

LONLAT = CRS.from_user_input("OGC:CRS84")
"""WGS84 longitude, latitude in degrees: what GeoJSON and web maps exchange."""

# CGCS2000 3-degree Gauss-Krueger without zone prefix: central meridians 75..135 are EPSG 4534..4554 (domain facts).
_CGCS2000_GK3_FIRST, _CGCS2000_GK3_CM = 4534, 75
_CHINA_WEST, _CHINA_SOUTH, _CHINA_EAST, _CHINA_NORTH = 73.5, 16.0, 135.1, 53.6


def parse_crs(text: str | int, *, name: str = "crs") -> CRS:
    """Read a CRS as a user writes it (``EPSG:4547``, ``4547``, WKT, PROJ string).

    Parameters
    ----------
    text
        What the user wrote.
    name
        The option or key it was written under, for the error.

    Returns
    -------
    CRS
        The CRS.

    Raises
    ------
    CrsError
        PROJ does not know it.

    Examples
    --------
    >>> parse_crs("EPSG:4547").name
    'CGCS2000 / 3-degree Gauss-Kruger CM 114E'
    """
    try:
        return CRS.from_user_input(int(text) if str(text).isdigit() else text)
    except ProjCrsError as error:
        msg = f"{name} {str(text)!r} is not a coordinate reference system that PROJ knows; write a code such as EPSG:4547"
        raise CrsError(msg) from error


def require_crs(frame: gpd.GeoDataFrame, *, name: str) -> CRS:
    """Give the frame's CRS, or say that it has none.

    Parameters
    ----------
    frame
        Any frame with geometry.
    name
        What the frame is called in the error's sentence.

    Returns
    -------
    CRS
        The CRS of `frame`.

    Raises
    ------
    CrsError
        The frame has no CRS.
    """
    if frame.crs is None:
        raise CrsError(
            f"{name!r} has no coordinate reference system, so its coordinates mean nothing; "
            f"state it, for example {name}.set_crs('EPSG:4547') or --{name}-crs EPSG:4547"
        )
    return CRS(frame.crs)


def is_metric(crs: CRS) -> bool:
    """Tell whether the coordinates are metres on a plane.

    Parameters
    ----------
    crs
        Any CRS.

    Returns
    -------
    bool
        True for a projected CRS whose axes are metres. Web Mercator is projected in metres that are no metres on
        the ground (an area at 35° N comes out 1.49 times too large), so it is not metric here.

    Examples
    --------
    >>> is_metric(CRS(4547)), is_metric(CRS(4326)), is_metric(CRS(3857)), is_metric(CRS(3435))
    (True, False, False, False)
    """
    if not crs.is_projected or crs.to_epsg() == 3857:
        return False
    return all(axis.unit_conversion_factor == 1.0 for axis in crs.axis_info[:2])


def require_metres(frame: gpd.GeoDataFrame, *, what: str, name: str) -> CRS:
    """Give the frame's CRS if its coordinates are metres on the ground, or say how to get there.

    Parameters
    ----------
    frame
        Any frame with geometry.
    what
        The measure that needs metres, for the error.
    name
        What the frame is called, for the error.

    Returns
    -------
    CRS
        The projected CRS of `frame`.

    Raises
    ------
    CrsError
        No CRS, degrees, feet or Web Mercator.
    """
    crs = require_crs(frame, name=name)
    if not is_metric(crs):
        raise CrsError(
            f"{what} needs metres but {name!r} is in {crs_label(crs)}; "
            f"reproject first, for example {name}.to_crs(local_metric_crs({name}))"
        )
    return crs


def crs_label(crs: CRS) -> str:
    """Name a CRS for a reader: its code where it has one, and its unit.

    Parameters
    ----------
    crs
        Any CRS.

    Returns
    -------
    str
        For example ``EPSG:4490 (degree)``.

    Examples
    --------
    >>> crs_label(CRS(4490)), crs_label(CRS(3435))
    ('EPSG:4490 (degree)', 'EPSG:3435 (US survey foot)')
    """
    authority = crs.to_authority()
    unit = crs.axis_info[0].unit_name if crs.axis_info else "unknown unit"
    return f"{':'.join(authority) if authority else crs.name} ({unit})"


def local_metric_crs(frame: gpd.GeoDataFrame) -> CRS:
    """Choose the projected CRS in metres that a surveyor of the place would use.

    In China the CGCS2000 3-degree Gauss-Krüger zone around the middle of the frame, elsewhere the UTM zone.

    Parameters
    ----------
    frame
        Any CRS; at least one geometry with coordinates.

    Returns
    -------
    CRS
        Projected, metres.

    Raises
    ------
    CrsError
        No CRS, or no coordinates to choose by.

    Notes
    -----
    CGCS2000 to WGS84 is a no-op in PROJ ("ballpark"), good to about a metre.

    Examples
    --------
    >>> from shapely import Point
    >>> local_metric_crs(gpd.GeoDataFrame(geometry=[Point(113.2, 35.2)], crs=4490)).to_epsg()
    4547
    >>> local_metric_crs(gpd.GeoDataFrame(geometry=[Point(-87.6, 41.8)], crs=4326)).to_epsg()
    32616
    """
    require_crs(frame, name="frame")
    west, south, east, north = frame.to_crs(LONLAT).total_bounds
    lon, lat = (west + east) / 2, (south + north) / 2
    if not (abs(lon) <= 180 and abs(lat) <= 90):
        raise CrsError(
            f"a metric CRS is chosen by the middle of the frame but that is at {lon}, {lat}; "
            "give at least one geometry with coordinates inside the world"
        )
    if _CHINA_WEST <= lon <= _CHINA_EAST and _CHINA_SOUTH <= lat <= _CHINA_NORTH:
        meridian = min(135, max(75, 3 * round(lon / 3)))
        return CRS.from_epsg(_CGCS2000_GK3_FIRST + (meridian - _CGCS2000_GK3_CM) // 3)
    return CRS(frame.estimate_utm_crs())
