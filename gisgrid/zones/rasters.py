"""How are rasters of one grid read together, a block of rows at a time?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from pyproj import CRS, Proj, Transformer
from rasterio.errors import RasterioError
from rasterio.windows import Window

from gisgrid.crs import crs_label
from gisgrid.errors import CrsError, InputError
from gisgrid.files import first_line
from gisgrid.surface import Surface

_CELLS_AT_ONCE: Final = 2_000_000
_EQUAL_AREA: Final = (
    "Equal Area",
    "Mollweide",
    "Equal-Area",
    "Sinusoidal",
    "Eckert IV",
    "Eckert VI",
    "Goode",
)
_A_KM: Final = 1000.0
_WITHIN_M: Final = 1.0

Raster = Surface | Path | str


@dataclass(frozen=True)
class Stack:
    """Rasters of one grid.

    Attributes
    ----------
    rasters
        Each under its name.
    shape
        Height and width in cells.
    transform, crs
        Where the cells are.
    """

    rasters: Mapping[str, Raster]
    shape: tuple[int, int]
    transform: Affine
    crs: CRS

    @classmethod
    def of(cls, **rasters: Raster | None) -> Stack:
        """Put rasters together that lie on the same cells.

        Parameters
        ----------
        rasters
            Surfaces, or files that rasterio opens, by name; None where there is none. The first is there.

        Returns
        -------
        Stack
            Those that are there.

        Raises
        ------
        InputError
            A file that cannot be read, or other cells than the first.
        CrsError
            A raster without CRS.
        """
        there = {name: raster for name, raster in rasters.items() if raster is not None}
        laid = {name: _laid(name, raster) for name, raster in there.items()}
        first, (shape, transform, crs) = next(iter(laid.items()))
        for name, (other_shape, other_transform, other_crs) in laid.items():
            same = other_shape == shape and other_transform.almost_equals(
                transform, precision=abs(transform.a) * 1e-4
            )
            if not (same and other_crs.equals(crs, ignore_axis_order=True)):
                raise InputError(
                    f"{name} has {other_shape[1]} × {other_shape[0]} cells of {abs(other_transform.a):g} in {crs_label(other_crs)} "
                    f"and {first} has {shape[1]} × {shape[0]} of {abs(transform.a):g} in {crs_label(crs)}, but both must lie on the "
                    "same cells; resample one to the other, for example with gdalwarp -te … -ts …"
                )
        return cls(there, shape, transform, crs)

    @property
    def is_square_km(self) -> bool:
        """Whether the cells are of 1 km² on an equal-area projection."""
        t = self.transform
        return (
            self.crs.is_projected
            and any(word in self.crs.to_wkt() for word in _EQUAL_AREA)
            and abs(abs(t.a) - _A_KM) <= _WITHIN_M
            and abs(abs(t.e) - _A_KM) <= _WITHIN_M
        )

    @property
    def areal_scale(self) -> tuple[float, float]:
        """By how much too large areas on the grid are at least and at most: 1 and 1 on an equal-area projection.

        Taken at the corners, the middles of the sides and the middle; 1 in degrees, where `cell_km2` reckons by the ellipsoid.
        """
        if not self.crs.is_projected:
            return 1.0, 1.0
        t, (height, width) = self.transform, self.shape
        down, right = (
            each.ravel() for each in np.meshgrid((0, height / 2, height), (0, width / 2, width))
        )
        to_degrees = Transformer.from_crs(self.crs, self.crs.geodetic_crs, always_xy=True)
        lon, lat = to_degrees.transform(t.c + right * t.a, t.f + down * t.e)
        there = np.isfinite(lon) & np.isfinite(lat)
        scale = np.asarray(Proj(self.crs).get_factors(lon[there], lat[there]).areal_scale)
        scale = scale[np.isfinite(scale)]
        return (float(scale.min()), float(scale.max())) if len(scale) else (1.0, 1.0)

    def cell_km2(self, first: int, last: int) -> NDArray[np.float64]:
        """Give the ground area of the cells of some rows.

        Parameters
        ----------
        first, last
            Rows ``first`` to ``last - 1``.

        Returns
        -------
        array
            Shape (last - first, 1), km². On a projection what the grid says, in degrees by the ellipsoid.
        """
        t = self.transform
        if self.crs.is_projected:
            unit = self.crs.axis_info[0].unit_conversion_factor
            return np.full((last - first, 1), abs(t.a * t.e) * unit**2 / 1e6)
        edges = np.radians(t.f + t.e * np.arange(first, last + 1))
        ellipsoid = self.crs.ellipsoid
        a = 6_378_137.0 if ellipsoid is None else ellipsoid.semi_major_metre
        f = 1 / 298.257223563 if ellipsoid is None else 1 / ellipsoid.inverse_flattening
        e = np.sqrt(f * (2 - f))
        sine = np.sin(edges)
        # The area of a zone of the ellipsoid from the equator, per radian of longitude.
        zone = a**2 * (1 - e**2) / 2 * (sine / (1 - (e * sine) ** 2) + np.arctanh(e * sine) / e)
        return np.asarray((np.abs(np.diff(zone)) * np.radians(abs(t.a)) / 1e6)[:, None])

    def blocks(
        self, *names: str, beyond: int = 0
    ) -> Iterator[tuple[int, int, dict[str, NDArray[np.float64]]]]:
        """Read some of the rasters from north to south.

        Parameters
        ----------
        names
            Which; those that are not there are passed over.
        beyond
            How many rows on either side of a block are read, too, where there are any.

        Yields
        ------
        tuple of (first, last, values)
            The block's rows, ``first`` to ``last - 1``, and the values of ``first - beyond`` to ``last + beyond`` as
            far as the raster goes; NaN where there is none.
        """
        height, width = self.shape
        step = max(1, _CELLS_AT_ONCE // width)
        with ExitStack() as open_files:
            readers = {
                name: _Reader(self.rasters[name], width, open_files)
                for name in names
                if name in self.rasters
            }
            for first in range(0, height, step):
                last = min(height, first + step)
                top, bottom = max(0, first - beyond), min(height, last + beyond)
                yield first, last, {name: each.rows(top, bottom) for name, each in readers.items()}


class _Reader:
    """Rows of a surface or of the first band of a file."""

    def __init__(self, raster: Raster, width: int, open_files: ExitStack) -> None:
        self._surface = raster if isinstance(raster, Surface) else None
        self._width = width
        self._file = (
            None if isinstance(raster, Surface) else open_files.enter_context(rasterio.open(raster))
        )

    def rows(self, first: int, last: int) -> NDArray[np.float64]:
        if self._file is None:
            assert self._surface is not None  # noqa: S101 - a reader has one or the other
            return np.asarray(self._surface.values[first:last], dtype=np.float64)
        try:
            read = self._file.read(
                1, window=Window(0, first, self._width, last - first), masked=True
            )
        except RasterioError as error:
            raise InputError(
                f"rows {first} to {last} of {self._file.name!r} cannot be read: {first_line(error)}"
            ) from error
        return np.ma.filled(read.astype(np.float64), np.nan)


def _laid(name: str, raster: Raster) -> tuple[tuple[int, int], Affine, CRS]:
    if isinstance(raster, Surface):
        height, width = raster.values.shape
        return (height, width), raster.transform, raster.crs
    try:
        with rasterio.open(raster) as file:
            shape, transform, crs = file.shape, file.transform, file.crs
    except (RasterioError, OSError) as error:
        raise InputError(
            f"{str(raster)!r} ({name}) cannot be read as a raster: {first_line(error)}"
        ) from error
    if crs is None:
        raise CrsError(
            f"{str(raster)!r} ({name}) has no coordinate reference system, so its cells lie nowhere; give it one, for example "
            "with gdal_edit.py -a_srs ESRI:54009"
        )
    if transform.b or transform.d or transform.e >= 0:
        raise InputError(
            f"{str(raster)!r} ({name}) is turned or upside down, and rows must run from north to south; warp it first, for "
            "example with gdalwarp"
        )
    return shape, transform, CRS.from_user_input(crs)
