"""In which coordinate reference systems are features given and asked for? (OGC API – Features, Part 2.)

A CRS is named by its URI, and coordinates under a URI come in the order its authority states: EPSG:4490 is latitude,
longitude and EPSG:4547 northing, easting, while CRS84 is longitude, latitude.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import isfinite
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer

from gisgrid.catalogue import Layer
from gisgrid.crs import LONLAT
from gisgrid.tiles import BBox
from gisgrid_server.edge.problems import BadRequestError

CRS84: Final = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
_EPSG: Final = "http://www.opengis.net/def/crs/EPSG/0/"
_EVERYWHERE: Final = (CRS84, f"{_EPSG}4490", f"{_EPSG}4326", f"{_EPSG}3857")
_SHORT: Final = re.compile(r"^\[?(EPSG|OGC):(?:[0-9.]*:)?([A-Za-z0-9]{1,10})\]?$")
_URN: Final = re.compile(r"^urn:ogc:def:crs:(EPSG|OGC):[0-9.]*:([A-Za-z0-9]{1,10})$")
_ALONG_EDGE: Final = 32
"""Pieces an edge of a bbox is cut into before it is moved to another CRS."""


_AROUND: Final = 10.0
"""Degrees around the area of use of a projected CRS in which its formulas still tell places apart; farther off they fold."""


@dataclass(frozen=True)
class Coordinates:
    """A CRS by its URI.

    Attributes
    ----------
    uri
        Its URI.
    crs
        It, for PROJ.
    swapped
        Whether its first axis is latitude or northing.
    """

    uri: str
    crs: CRS
    swapped: bool

    @property
    def is_degrees(self) -> bool:
        """Whether a box in it is a box of longitude and latitude."""
        return self.crs.is_geographic or self.uri.endswith("/3857")

    def written(self, geometries: NDArray[Any]) -> NDArray[Any]:
        """Give geometries as this CRS writes them.

        Parameters
        ----------
        geometries
            Shape (n,), longitude and latitude (OGC:CRS84).

        Returns
        -------
        array
            Shape (n,), in this CRS and its order of axes.
        """
        if self.uri == CRS84:
            return geometries
        transformer = _transformer(self.uri)

        def moved(places: NDArray[np.float64]) -> NDArray[np.float64]:
            x, y = transformer.transform(places[:, 0], places[:, 1])
            return np.column_stack([y, x] if self.swapped else [x, y])

        return np.asarray(shapely.transform(geometries, moved))

    def ring(self, box: Sequence[float]) -> list[tuple[float, float]]:
        """Give the outline of a box as longitudes and latitudes.

        Parameters
        ----------
        box
            Four numbers in this projected CRS, *x* first.

        Returns
        -------
        list of (float, float)
            A closed ring, its edges cut into pieces, because a straight edge of this CRS is no parallel. What of the box
            lies farther off than the CRS tells places apart is left out; empty where all of it does.
        """
        lowest, highest = _domain(self.uri)
        west, south = np.maximum(box[:2], lowest)
        east, north = np.minimum(box[2:], highest)
        if west > east or south > north:
            return []
        share = np.arange(_ALONG_EDGE) / _ALONG_EDGE
        x = np.concatenate([west + (east - west) * share, np.full(_ALONG_EDGE, east),
                            east - (east - west) * share, np.full(_ALONG_EDGE, west), [west]])  # fmt: skip
        y = np.concatenate([np.full(_ALONG_EDGE, south), south + (north - south) * share,
                            np.full(_ALONG_EDGE, north), north - (north - south) * share, [south]])  # fmt: skip
        lon, lat = _transformer(self.uri).transform(x, y, direction="INVERSE")
        return list(zip(lon.tolist(), lat.tolist(), strict=True))


@cache
def coordinates(uri: str) -> Coordinates:
    """Read the URI of a CRS that the server knows.

    Parameters
    ----------
    uri
        One of `known`.

    Returns
    -------
    Coordinates
        The CRS.
    """
    code = uri.rsplit("/", 1)[1]
    crs = LONLAT if uri == CRS84 else CRS.from_epsg(int(code))
    return Coordinates(uri, crs, crs.axis_info[0].direction.lower() in {"north", "south"})


def known(layer: Layer) -> tuple[str, ...]:
    """List the CRS that a layer's features can be had in.

    Parameters
    ----------
    layer
        The layer.

    Returns
    -------
    tuple of str
        URIs: CRS84, which is the default, CGCS2000, WGS84, Web Mercator, and the layer's own.
    """
    own = stored(layer)
    return (*_EVERYWHERE, own) if own is not None and own not in _EVERYWHERE else _EVERYWHERE


def stored(layer: Layer) -> str | None:
    """Name the CRS that a layer's data are kept in.

    Parameters
    ----------
    layer
        The layer.

    Returns
    -------
    str or None
        Its URI; None for tables, and for a CRS without a code.
    """
    match = re.match(r"^EPSG:(\d{4,6})$", layer.crs or "")
    return f"{_EPSG}{match[1]}" if match else None


def asked(text: str | None, layer: Layer, *, name: str) -> Coordinates:
    """Read the CRS that a request names.

    Parameters
    ----------
    text
        A URI; also ``EPSG:4547`` and ``urn:ogc:def:crs:EPSG::4547``. None for CRS84.
    layer
        The layer that is asked for.
    name
        The parameter, for the error.

    Returns
    -------
    Coordinates
        The CRS.

    Raises
    ------
    BadRequestError
        The layer cannot be had in it.
    """
    if text is None:
        return coordinates(CRS84)
    match = _SHORT.match(text) or _URN.match(text)
    uri = text
    if match:
        uri = CRS84 if match[1] == "OGC" and match[2] == "CRS84" else f"{_EPSG}{match[2]}"
    if uri not in known(layer):
        raise BadRequestError(
            f"{name}={text[:80]!r} is no CRS of layer {layer.id!r}; there are: {', '.join(known(layer))}"
        )
    return coordinates(uri)


def read_bbox(text: str, crs: Coordinates) -> BBox:
    """Read a bbox.

    Parameters
    ----------
    text
        Four numbers with commas, in the order of the axes of `crs`; or six, with heights, which are not looked at.
    crs
        The CRS they are in.

    Returns
    -------
    tuple of float
        Least x, least y, greatest x, greatest y in `crs`, *x* first. In degrees the first may exceed the third: the
        box then crosses the antimeridian.

    Raises
    ------
    BadRequestError
        They are not four or six finite numbers, or a corner lies on the wrong side of the other.
    """
    parts = text.split(",", 7)
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        numbers = []
    if len(numbers) not in {4, 6} or not all(isfinite(value) for value in numbers):
        raise BadRequestError(
            f"bbox={text[:80]!r} is no box; write four numbers, west,south,east,north, for example "
            "bbox=113.4,34.6,113.9,34.9"
        )
    half = len(numbers) // 2
    low, high = numbers[:2], numbers[half : half + 2]
    if crs.swapped:
        low, high = low[::-1], high[::-1]
    if low[1] > high[1] or (low[0] > high[0] and not crs.crs.is_geographic):
        order = "south,west,north,east" if crs.swapped else "west,south,east,north"
        raise BadRequestError(
            f"bbox={text[:80]!r} has its upper corner below its lower one; write {order} as {crs.uri} orders its axes"
        )
    return low[0], low[1], high[0], high[1]


def mercator_box(box: BBox) -> BBox:
    """Give a box of Web Mercator metres as longitudes and latitudes, which it is a box of, too.

    Parameters
    ----------
    box
        In EPSG:3857.

    Returns
    -------
    tuple of float
        West, south, east, north in degrees.
    """
    transformer = _transformer(f"{_EPSG}3857")
    (west, east), (south, north) = transformer.transform(
        [box[0], box[2]], [box[1], box[3]], direction="INVERSE"
    )
    return float(west), float(south), float(east), float(north)


@cache
def _domain(uri: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the least and the greatest x and y of the places that a projected CRS tells apart."""
    area = coordinates(uri).crs.area_of_use
    west, south, east, north = area.bounds if area is not None else (-180.0, -80.0, 180.0, 80.0)
    lon = np.linspace(max(-180.0, west - _AROUND), min(180.0, east + _AROUND), _ALONG_EDGE)
    lat = np.linspace(max(-80.0, south - _AROUND), min(80.0, north + _AROUND), _ALONG_EDGE)
    places = np.column_stack([each.ravel() for each in np.meshgrid(lon, lat)])
    moved = np.column_stack(_transformer(uri).transform(places[:, 0], places[:, 1]))
    moved = moved[np.isfinite(moved).all(axis=1)]
    return moved.min(axis=0), moved.max(axis=0)


@cache
def _transformer(uri: str) -> Transformer:
    return Transformer.from_crs(LONLAT, coordinates(uri).crs, always_xy=True)
