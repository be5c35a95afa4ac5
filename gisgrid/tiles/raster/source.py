"""What does a web map draw of a surface? PNG or WebP tiles of a GeoTIFF, read by window and overview."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from math import ceil, floor, hypot, log10
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import rasterio
from numpy.typing import NDArray
from pyproj import CRS, Transformer

from gisgrid.crs import LONLAT
from gisgrid.errors import InputError
from gisgrid.files import first_line
from gisgrid.palette import RAMPS
from gisgrid.tiles.raster.colours import Colours
from gisgrid.tiles.raster.levels import SAMPLE, Level, levels_of
from gisgrid.tiles.raster.pictures import nothing_png, palette_png, webp
from gisgrid.tiles.raster.sampling import Floats, colour, sample
from gisgrid.tiles.scheme import (
    WEB_MERCATOR_QUAD,
    BBox,
    MatrixSet,
    check_zoom,
    check_zooms,
)
from gisgrid.tiles.source import Tile

if TYPE_CHECKING:
    from gisgrid.features.filters import Filter

PNG_MEDIA_TYPE: Final = "image/png"
WEBP_MEDIA_TYPE: Final = "image/webp"
SIDE: Final = 256
"""Pixels along the side of a raster tile."""

_COARSEST_STEP: Final = 16
"""Every how many pixels a place is projected where the tile is flat enough; in between places go evenly."""

_FLAT_DEPTH: Final = 8
"""How often the world is halved before a tile is so flat; a coarser one is projected closer."""

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class RasterSource:
    """A surface of quantities, ready to be drawn in the colours of a ramp of `gisgrid.palette.RAMPS`.

    Each pixel is the bilinear mean of the cells around its middle, in the resolution next finer than the zoom's, which
    is the same one for all tiles of a zoom: tiles beside each other meet. Missing cells are transparent.

    Attributes
    ----------
    path
        The file; a GeoTIFF with overviews, for speed.
    layer_id
        The layer's id.
    minzoom, maxzoom
        The zooms it draws, both included.
    unit
        The unit of the values, for example ``issues/km²``.
    crs
        The CRS of the file.
    colours
        Which colour has a value, where a request does not ask for another.
    matrix_set
        The tile matrix set whose tiles it draws.
    """

    path: Path
    layer_id: str
    minzoom: int
    maxzoom: int
    unit: str
    crs: CRS
    colours: Colours
    matrix_set: MatrixSet
    _levels: tuple[Level, ...] = field(repr=False)

    @classmethod
    def from_file(
        cls, path: Path, *, layer_id: str, minzoom: int = 0, maxzoom: int = 14, ramp: str = "density",
        rescale: tuple[float, float] | None = None, opacity: float = 0.9, matrix_set: MatrixSet = WEB_MERCATOR_QUAD,
    ) -> RasterSource:  # fmt: skip
        """Open a raster to be drawn.

        Parameters
        ----------
        path
            Any raster GDAL opens that has a place and a CRS; its first band is drawn.
        layer_id
            The layer's id.
        minzoom, maxzoom
            The zooms to draw, both included.
        ramp
            A name in `gisgrid.palette.RAMPS`.
        rescale
            The values of the ramp's ends; where it is not given, from 0 (or the lowest) to the highest in the file,
            rounded to two digits.
        opacity
            Of what is shown, 0 to 1.
        matrix_set
            The tile matrix set whose tiles to draw.

        Returns
        -------
        RasterSource
            The source.

        Raises
        ------
        InputError
            There is no such file, it is no raster, it has no CRS or no place, there is no such ramp, or the zooms are
            not in order.
        """
        check_zooms(minzoom, maxzoom, layer_id=layer_id)
        asked = Colours(ramp, *(rescale or (0.0, 1.0)), opacity)
        if not path.exists():
            raise InputError(f"there is no file {str(path)!r}; check the spelling and the folder")
        try:
            file = rasterio.open(path)
        except rasterio.errors.RasterioIOError as error:
            raise InputError(
                f"{path.name!r} cannot be read as a raster: {first_line(error)}"
            ) from error
        if file.crs is None or file.transform.is_identity or file.transform.is_degenerate:
            raise InputError(
                f"{path.name!r} has the CRS {file.crs} and the transform {tuple(file.transform)[:6]} but a raster "
                "to be drawn needs a CRS and a place; give it both with gdal_translate -a_srs -a_ullr first"
            )
        levels = levels_of(path, file)
        colours = asked if rescale is not None else asked.asked(rescale=_range(levels, ramp))
        unit = file.units[0] or ""
        crs = CRS(file.crs.to_wkt())
        return cls(path, layer_id, minzoom, maxzoom, unit, crs, colours, matrix_set, levels)

    @cached_property
    def bbox(self) -> BBox:
        """West, south, east, north in degrees of the raster."""
        full = self._levels[0]
        height, width = full.shape
        corners = [full.place(x, y) for x in (0, width) for y in (0, height)]
        x, y = zip(*corners, strict=True)
        box = self._from_lonlat.transform_bounds(
            min(x), min(y), max(x), max(y), direction="INVERSE"
        )
        return (float(box[0]), float(box[1]), float(box[2]), float(box[3]))

    @property
    def left_out(self) -> dict[str, int]:
        """Nothing: a raster has no rows."""
        return {}

    @property
    def media_type(self) -> str:
        """What `tile` returns where no other picture is asked for, as HTTP calls it."""
        return PNG_MEDIA_TYPE

    @property
    def stops(self) -> tuple[tuple[float, str], ...]:
        """The values of the ramp's colours, from low to high: between them colours are mixed."""
        return self.colours.stops

    def tile(
        self, z: int, x: int, y: int, *, where: Filter | None = None, image: Literal["png", "webp"] = "png",
        ramp: str | None = None, rescale: tuple[float, float] | None = None, opacity: float | None = None,
    ) -> Tile:  # fmt: skip
        """Draw a tile.

        Parameters
        ----------
        z, x, y
            The tile, in the source's tile matrix set.
        where
            Nothing: a raster has no rows to select.
        image
            PNG with a palette, or WebP without loss.
        ramp, rescale, opacity
            Other colours than the source's own, as for `from_file`.

        Returns
        -------
        Tile
            A picture of 256 by 256 pixels, wholly transparent where the raster has nothing; `n_features` is the
            number of pixels that are not.

        Raises
        ------
        TileNotFoundError
            The scheme has no such tile, or the zoom is outside `minzoom` to `maxzoom`.
        InputError
            A filter is given, the colours cannot be, or there is no such kind of picture.
        """
        check_zoom(self, z, x, y)
        if where is not None:
            raise InputError(
                f"{self.layer_id!r} is a raster and has no rows to select; ask for its tiles without a filter"
            )
        if image not in {"png", "webp"}:
            raise InputError(f"no picture {image!r} is made of a raster; ask for png or webp")
        colours = self.colours.asked(ramp=ramp, rescale=rescale, opacity=opacity)
        rows = np.zeros((SIDE, SIDE + 1), dtype=np.uint8)
        values = self.values(z, x, y)
        shown = int(colour(values, colours.low, colours.high, colours.rooted, rows))
        if image == "webp":
            return Tile(webp(rows, colours.palette), shown)
        if not shown:
            return Tile(nothing_png(SIDE), 0)
        return Tile(palette_png(rows, colours.palette), shown)

    def values(self, z: int, x: int, y: int) -> Floats:
        """Give the quantities under a tile.

        Parameters
        ----------
        z, x, y
            The tile, in the source's tile matrix set.

        Returns
        -------
        array
            Shape (256, 256), row 0 in the north; NaN where there is none.
        """
        out = np.full((SIDE, SIDE), np.nan, dtype=np.float32)
        depth = self.matrix_set.depth(z)
        step = max(1, min(_COARSEST_STEP, _COARSEST_STEP >> max(0, _FLAT_DEPTH - depth)))
        touched = self._touched(depth, x, y, step)
        if touched is None:
            return out
        top, bottom, left, right = touched
        side = 0.5**depth / SIDE  # of a pixel, on the unit square
        u = (x * SIDE + np.arange(left, right + 1, step)) * side
        v = (y * SIDE + np.arange(top, bottom + 1, step)) * side
        lon, lat = self.matrix_set.to_lonlat(*np.meshgrid(u, v))
        easting, northing = self._from_lonlat.transform(lon, lat)
        level = self._level(depth)
        to_cell = ~level.transform
        column = to_cell.a * easting + to_cell.b * northing + to_cell.c - 0.5
        row = to_cell.d * easting + to_cell.e * northing + to_cell.f - 0.5
        window = _around(row, column, level.shape)
        if window is not None:
            a, b, height, width = window
            cells = level.window(a, b, height, width)
            sample(cells, row - a, column - b, step, top, left, out)
        return out

    def _touched(self, depth: int, x: int, y: int, step: int) -> tuple[int, int, int, int] | None:
        """Say which pixels of a tile the raster may touch: first and last row and column, in whole steps."""
        west, north, east, south = self._unit_box
        tile = 2.0**depth
        edges = (
            max(0, floor((north * tile - y) * SIDE) - 2), min(SIDE, ceil((south * tile - y) * SIDE) + 2),
            max(0, floor((west * tile - x) * SIDE) - 2), min(SIDE, ceil((east * tile - x) * SIDE) + 2),
        )  # fmt: skip
        top, bottom, left, right = edges
        if top >= bottom or left >= right:
            return None
        return (
            top // step * step,
            -(-bottom // step) * step,
            left // step * step,
            -(-right // step) * step,
        )

    @cached_property
    def _unit_box(self) -> tuple[float, float, float, float]:
        """The raster's box on the unit square, a hundredth wider than its edges say; over the date line all around."""
        west, south, east, north = self.bbox
        (u0, u1), (v0, v1) = self.matrix_set.to_unit([west, east], [north, south])
        box = np.nan_to_num(np.array([u0, v0, u1, v1]), posinf=1.0, neginf=0.0)
        wide, tall = (box[2] - box[0]) / 100, (box[3] - box[1]) / 100
        if west > east:
            return 0.0, float(box[1] - tall), 1.0, float(box[3] + tall)
        return (
            float(box[0] - wide),
            float(box[1] - tall),
            float(box[2] + wide),
            float(box[3] + tall),
        )

    def _level(self, depth: int) -> Level:
        """Give the coarsest level whose cells are no larger than the zoom's pixels."""
        pixel = self._pixel * 0.5 ** (depth - _FLAT_DEPTH)
        fitting = [level for level in self._levels if level.cell <= pixel]
        return fitting[-1] if fitting else self._levels[0]

    @cached_property
    def _pixel(self) -> float:
        """Side of a pixel of a tile at `_FLAT_DEPTH` in the middle of the raster, in units of its CRS."""
        full = self._levels[0]
        height, width = full.shape
        x, y = full.place(width / 2, height / 2)
        lon, lat = self._from_lonlat.transform([x], [y], direction="INVERSE")
        u, v = self.matrix_set.to_unit(lon, lat)
        side = 0.5**_FLAT_DEPTH / SIDE
        around = self.matrix_set.to_lonlat(u[0] + np.array([0, side]), v[0] + np.array([0, 0]))
        eastings, northings = self._from_lonlat.transform(*around)
        length = hypot(float(np.diff(eastings)[0]), float(np.diff(northings)[0]))
        return length if np.isfinite(length) and length > 0 else full.cell

    @cached_property
    def _from_lonlat(self) -> Transformer:
        return Transformer.from_crs(LONLAT, self.crs, always_xy=True)


def _around(
    row: Doubles, column: Doubles, shape: tuple[int, int]
) -> tuple[int, int, int, int] | None:
    """Say which cells lie around some places: first row, first column, height, width."""
    there = np.isfinite(row) & np.isfinite(column)
    if not there.any():
        return None
    if not there.all():
        row, column = row[there], column[there]
    top, bottom = max(0, floor(row.min()) - 1), min(shape[0], ceil(row.max()) + 2)
    left, right = max(0, floor(column.min()) - 1), min(shape[1], ceil(column.max()) + 2)
    if top >= bottom or left >= right:
        return None
    return top, left, bottom - top, right - left


def _range(levels: tuple[Level, ...], ramp: str) -> tuple[float, float]:
    """Find the values of a ramp's ends, rounded to two digits; a large raster is asked through its overviews."""
    level = next(one for one in levels if one.shape[0] * one.shape[1] <= SAMPLE)
    values = level.whole()
    values = values[np.isfinite(values)]
    lowest, highest = (float(values.min()), float(values.max())) if len(values) else (0.0, 0.0)
    match RAMPS[ramp].kind:
        case "from_nothing":
            return 0.0, _rounded(highest) if highest > 0 else 1.0
        case "about_nothing":
            most = _rounded(max(abs(lowest), abs(highest)))
            return (-most, most) if most else (-1.0, 1.0)
        case _:
            return (lowest, highest) if lowest < highest else (lowest, lowest + 1.0)


def _rounded(value: float) -> float:
    if value <= 0:
        return 0.0
    step = 10.0 ** (floor(log10(value)) - 1)
    return float(ceil(value / step) * step)
