"""Places as filters write them: a shape in WKT or GeoJSON, or a box."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import shapely
from shapely.errors import GEOSException, ShapelyError

from gisgrid.features.filters.limits import FilterError


@dataclass(frozen=True, slots=True)
class Shape:
    """A shape in longitude, latitude (OGC:CRS84), as WKB, which compares and hashes as bytes do."""

    wkb: bytes

    @classmethod
    def of(cls, geometry: shapely.Geometry) -> Shape:
        """Take a geometry as a filter's shape, mended where it crosses itself.

        Parameters
        ----------
        geometry
            Any geometry.

        Returns
        -------
        Shape
            The shape, flat.

        Raises
        ------
        FilterError
            It is empty, or a coordinate is no number.
        """
        flat = shapely.force_2d(geometry)
        if shapely.is_empty(flat) or not np.isfinite(shapely.get_coordinates(flat)).all():
            raise FilterError("the filter names a shape without coordinates; write at least one")
        if not shapely.is_valid(flat):
            flat = shapely.make_valid(flat)
        return cls(cast("bytes", shapely.to_wkb(flat, byte_order=1)))

    @classmethod
    def box(cls, west: float, south: float, east: float, north: float) -> Shape:
        """Make a box; one that ends west of where it begins goes on past 180°.

        Parameters
        ----------
        west, south, east, north
            Degrees.

        Returns
        -------
        Shape
            One box, or two.

        Raises
        ------
        FilterError
            A number is not finite or outside the world, or south is north of north.

        Examples
        --------
        >>> Shape.box(170, -10, -170, 10).geometry.bounds
        (-180.0, -10.0, 180.0, 10.0)
        """
        sides = (west, south, east, north)
        if not (
            all(abs(side) <= limit for side, limit in zip(sides, (540, 90, 540, 90), strict=True))
            and south <= north
        ):
            raise FilterError(
                f"the box {west:g}, {south:g}, {east:g}, {north:g} is none: south must not exceed north, and degrees lie "
                "within 90 and 180; give west, south, east, north"
            )
        boxes = [(west, east)] if west <= east else [(west, 180.0), (-180.0, east)]
        parts = [_side(low, south, high, north) for low, high in boxes]
        return cls.of(parts[0] if len(parts) == 1 else shapely.geometrycollections(parts))

    @property
    def geometry(self) -> shapely.Geometry:
        """The shape as shapely knows it."""
        return shapely.from_wkb(self.wkb)

    @property
    def wkt(self) -> str:
        """The shape as a filter's text says it."""
        return cast("str", shapely.to_wkt(self.geometry, rounding_precision=-1))


def _side(west: float, south: float, east: float, north: float) -> shapely.Geometry:
    """Make a box, or the line or point it is where a side has no length."""
    if west == east and south == north:
        return shapely.Point(west, south)
    if west == east or south == north:
        return shapely.LineString([(west, south), (east, north)])
    return shapely.box(west, south, east, north)


def box_of(numbers: Sequence[Any]) -> Shape:
    """Make a box of four numbers, or of six with heights.

    Parameters
    ----------
    numbers
        West, south, [lowest,] east, north[, highest].

    Returns
    -------
    Shape
        The box.

    Raises
    ------
    FilterError
        They are not four or six numbers, or no box.
    """
    if len(numbers) not in {4, 6} or not all(
        isinstance(one, int | float) and not isinstance(one, bool) for one in numbers
    ):
        raise FilterError(
            f"a box has {len(numbers)} entries and needs 4 numbers, or 6 with heights; give west, south, east, north"
        )
    half = len(numbers) // 2
    try:
        west, south, east, north = map(float, (*numbers[:2], *numbers[half : half + 2]))
    except OverflowError as error:
        raise FilterError("a box has a number that is outside the world; give degrees") from error
    return Shape.box(west, south, east, north)


def wkt_shape(text: str) -> Shape:
    """Read WKT.

    Parameters
    ----------
    text
        For example ``POINT(114 35)``.

    Returns
    -------
    Shape
        The shape.

    Raises
    ------
    FilterError
        It is no WKT.
    """
    try:
        return Shape.of(shapely.from_wkt(text))
    except (GEOSException, ShapelyError, ValueError) as error:
        if isinstance(error, FilterError):
            raise
        raise FilterError(
            f"{text[:60]!r} is no shape ({_reason(error)}); write for example POINT(114 35)"
        ) from error


def geojson_shape(said: Mapping[str, Any]) -> Shape:
    """Read a GeoJSON geometry.

    Parameters
    ----------
    said
        With ``type`` and ``coordinates``.

    Returns
    -------
    Shape
        The shape.

    Raises
    ------
    FilterError
        It is no geometry.
    """
    try:
        return Shape.of(shapely.from_geojson(json.dumps(said)))
    except (GEOSException, ShapelyError, ValueError, TypeError) as error:
        if isinstance(error, FilterError):
            raise
        raise FilterError(
            f"a geometry of type {said.get('type')!r} cannot be read ({_reason(error)}); correct it"
        ) from error


def _reason(error: Exception) -> str:
    return str(error).partition("\n")[0][:80]
