"""Which cells are urban centre, town, suburb, village or empty land? The Degree of Urbanisation of a population grid."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.windows import Window
from scipy import ndimage

from gisgrid.crs import crs_label
from gisgrid.errors import CrsError, InputError, SmallSampleWarning
from gisgrid.files import whole_file
from gisgrid.progress import Progress, silent
from gisgrid.schema import Text
from gisgrid.surface import Surface
from gisgrid.zones.degurba.centres import mark_centres
from gisgrid.zones.degurba.patches import Patches
from gisgrid.zones.degurba.rules import R2023, Rules
from gisgrid.zones.nodata import suspect_nodata
from gisgrid.zones.rasters import Raster, Stack

CELL_CLASSES: Final[dict[int, Text]] = {
    30: Text(zh="城市中心", en="urban centre"),
    23: Text(zh="密集城镇群", en="dense urban cluster"),
    22: Text(zh="半密集城镇群", en="semi-dense urban cluster"),
    21: Text(zh="郊区或城市边缘", en="suburban or peri-urban"),
    13: Text(zh="乡村聚落", en="rural cluster"),
    12: Text(zh="低密度乡村", en="low-density rural"),
    11: Text(zh="极低密度乡村", en="very low-density rural"),
    10: Text(zh="水域", en="water"),
}
"""The classes of level 2."""

_DENSE, _SEMI, _SUBURB, _LOW, _WATER, _IGNORED, _CORE = (1 << bit for bit in range(7))
_TOWN: Final = 23
_ONE_CELL: Final = 1e-9
_ROWS_AT_ONCE: Final = 256
_CACHE_MB: Final = 128
_AREA_OFF: Final = 0.01

Level = Literal[1, 2]


def classify_cells(
    population: Surface,
    *,
    land: Surface | None = None,
    built: Surface | None = None,
    rules: Rules = R2023,
    level: Level = 2,
    progress: Progress = silent,
) -> Surface:
    """Classify the cells of a population grid by the Degree of Urbanisation.

    Parameters
    ----------
    population
        Residents per cell; NaN counts as nobody. Cells of 1 km² on an equal-area projection.
    land, built
        On the same cells: the share of permanent land and of built-up ground, 0 to 1. Without `land` all is land;
        without `built` only residents make a centre.
    rules
        The thresholds; those of 2023 unless told otherwise.
    level
        2: the classes of `CELL_CLASSES`; 1: 3 urban centre, 2 urban cluster (density and residents of suburbs, whatever
        is inside), 1 rural, 0 water.
    progress
        Told ``"reading"`` and ``"patches"``.

    Returns
    -------
    Surface
        Shape as `population`, float32, the classes; its unit is ``DEGURBA level 2``, or ``DEGURBA-like level 2`` where the
        cells are not 1 km², and a warning says so: the thresholds were not made for such cells.

    Raises
    ------
    InputError
        Rasters on different cells, negative residents, or shares outside 0 to 1.
    CrsError
        A raster without CRS, or on a projection on which areas are wrong by more than 1 %: densities would be, too.

    Notes
    -----
    Source: GHSL Data Package 2023, section 2.7; Applying the Degree of Urbanisation (2021). Density is residents per km²
    of land. Checked against: published grids of Belgium (flexurba), every cell alike but a handful that lie on a threshold to
    the last digit. Memory: 2 bytes a cell and 16 bytes a stretch of populated cells; see `classify_raster` for files.

    Examples
    --------
    >>> from affine import Affine
    >>> from pyproj import CRS
    >>> residents = np.zeros((9, 9), np.float32)
    >>> residents[2:7, 2:7] = 2500
    >>> city = Surface(residents, Affine(1000, 0, 0, 0, -1000, 9000), CRS("ESRI:54009"), "residents")
    >>> classify_cells(city).values[4].astype(int).tolist()
    [11, 11, 30, 30, 30, 30, 30, 11, 11]
    """
    stack = _stack(population, land, built)
    values = _classified(stack, rules, level, progress)
    return Surface(values.astype(np.float32), stack.transform, stack.crs, _unit(stack, level))


def classify_raster(
    population: Raster,
    output: Path,
    *,
    land: Raster | None = None,
    built: Raster | None = None,
    rules: Rules = R2023,
    level: Level = 2,
    progress: Progress = silent,
) -> None:
    """Classify the cells of rasters that are larger than memory, from file to file.

    Parameters
    ----------
    population, land, built
        As for `classify_cells`; files are read a block of rows at a time.
    output
        A cloud-optimised GeoTIFF of bytes, which appears when it is whole.
    rules
        The thresholds.
    level
        1 or 2.
    progress
        Told ``"reading"``, ``"patches"`` and ``"writing"``.

    Raises
    ------
    InputError, CrsError
        As for `classify_cells`.

    Notes
    -----
    400 million cells take less than 2 GB. Source and checks as for `classify_cells`.
    """
    stack = _stack(population, land, built)
    with rasterio.Env(GDAL_CACHEMAX=_CACHE_MB):
        values = _classified(stack, rules, level, progress)
    progress("writing", 0.0)
    height, width = stack.shape
    laid = {
        "height": height,
        "width": width,
        "count": 1,
        "dtype": "uint8",
        "transform": stack.transform,
        "crs": stack.crs.to_wkt(),
    }
    with (
        rasterio.Env(GDAL_CACHEMAX=_CACHE_MB),
        whole_file(Path(output)) as draft,
        rasterio.open(
            draft, "w", driver="COG", compress="DEFLATE", overviews="NONE", **laid
        ) as file,
    ):
        for rows in _rows(height):
            part = values[rows]
            file.write(part, 1, window=Window(0, rows.start, width, len(part)))
        file.set_band_description(1, _unit(stack, level))
    progress("writing", 1.0)


def _stack(population: Raster, land: Raster | None, built: Raster | None) -> Stack:
    stack = Stack.of(population=population, land=land, built=built)
    for each in stack.rasters.values():
        suspect_nodata(each, remedy="declare it (gdal_edit.py -a_nodata {value:g})")
    least, most = stack.areal_scale
    if max(most - 1, 1 - least) > _AREA_OFF:
        raise CrsError(
            f"cells of population in {crs_label(stack.crs)} are {least:.2f} to {most:.2f} times as large on the grid as on the ground, so that densities "
            "would be wrong; bring the residents to an equal-area projection (gdalwarp -t_srs ESRI:54009 -tr 1000 1000 -r sum)"
        )
    return stack


def _unit(stack: Stack, level: Level) -> str:
    if stack.is_square_km:
        return f"DEGURBA level {level}"
    warnings.warn(
        f"the cells are {abs(stack.transform.a):g} × {abs(stack.transform.e):g} {stack.crs.axis_info[0].unit_name}s and the Degree of "
        "Urbanisation was made for 1 km² on an equal-area projection, so the classes are only DEGURBA-like; aggregate to 1 km² "
        "(gdalwarp -t_srs ESRI:54009 -tr 1000 1000 -r sum) to compare them with others",
        SmallSampleWarning,
        stacklevel=3,
    )
    return f"DEGURBA-like level {level}"


@dataclass(frozen=True)
class _Sums:
    """Patches and how many residents each has."""

    patches: Patches
    residents: NDArray[np.float64]

    def of_at_least(self, n: float) -> Patches:
        return self.patches.kept(self.residents >= n)


def _classified(stack: Stack, rules: Rules, level: Level, progress: Progress) -> NDArray[np.uint8]:
    codes = _codes(stack, rules, progress)
    progress("patches", 0.0)
    (centre,) = _counted(stack, [Patches.of(codes, _DENSE, contiguity=4)], window=rules.window)
    mark_centres(
        codes, centre.of_at_least(rules.centre_population), core=_CORE, ignored=_IGNORED, water=_WATER,
        smoothing=rules.centre_smoothing, n_gap=_gap_cells(stack, rules),
    )  # fmt: skip
    suburb, semi, dense = _counted(stack, [
        Patches.of(codes, _SUBURB, contiguity=8), Patches.of(codes, _SEMI, contiguity=rules.semi_contiguity),
        Patches.of(codes, _DENSE, without=_CORE, contiguity=4),
    ])  # fmt: skip
    progress("patches", 0.5)
    if level == 1:
        values = np.ones(stack.shape, np.uint8)
        suburb.of_at_least(rules.suburb_population).paint(values, 2)
        for rows in _rows(len(codes)):
            values[rows][codes[rows] & _CORE != 0] = 3
            values[rows][(values[rows] == 1) & (codes[rows] & _WATER != 0)] = 0
    else:
        values = _level2(codes, suburb, semi, dense, rules)
    progress("patches", 1.0)
    return values


def _level2(
    codes: NDArray[np.uint8], suburb: _Sums, semi: _Sums, dense: _Sums, rules: Rules
) -> NDArray[np.uint8]:
    """Paint the classes one over the other, the densest last."""
    towns = dense.of_at_least(rules.dense_population)
    values = np.full(codes.shape, 11, np.uint8)
    for rows in _rows(len(codes)):
        values[rows][codes[rows] & _LOW != 0] = 12
    suburb.of_at_least(rules.rural_population).paint(values, 13)
    suburb.of_at_least(rules.suburb_population).paint(values, 21)
    towns.paint(values, 23)
    for rows in _rows(len(codes)):
        values[rows][codes[rows] & _CORE != 0] = 30
    apart = semi.of_at_least(rules.semi_population)
    apart = apart.kept(~apart.near(values, _TOWN, distance=rules.semi_distance))
    apart.paint(values, 22)
    for rows in _rows(len(codes)):
        values[rows][(values[rows] < 20) & (codes[rows] & _WATER != 0)] = 10
    return values


def _codes(stack: Stack, rules: Rules, progress: Progress) -> NDArray[np.uint8]:
    """Read the rasters once and keep of each cell which thresholds it passes."""
    codes = np.zeros(stack.shape, np.uint8)
    half = rules.window // 2
    for first, last, read in stack.blocks("population", "land", "built", beyond=half):
        progress("reading", first / stack.shape[0])
        top = first - max(0, first - half)
        rows = slice(top, top + last - first)
        residents = _residents(read["population"])
        land = _share(read.get("land"), "land", residents.shape)
        km2 = stack.cell_km2(first - top, first - top + len(residents)) * land
        density = np.divide(residents, km2, out=np.zeros_like(residents), where=km2 > 0)
        known = np.isfinite(read["population"]) & (km2 > 0)
        mean = _averaged(density, known, rules.window)[rows]
        density, residents, land = density[rows], residents[rows], land[rows]
        dense = mean >= rules.centre_density
        empty = (land < rules.water_land) & (residents == 0)
        water = empty
        if "built" in read:
            built = _share(read["built"], "built", read["built"].shape)[rows]
            water = empty & (built == 0)
            if rules.centre_built is not None:
                on_land = np.divide(built, land, out=np.zeros_like(built), where=land > 0)
                dense |= on_land >= rules.centre_built - _ONE_CELL
        for bit, there in (
            (_DENSE, dense), (_SEMI, density >= rules.semi_density), (_SUBURB, density >= rules.suburb_density),
            (_LOW, density >= rules.low_density), (_WATER, water), (_IGNORED, empty),
        ):  # fmt: skip
            codes[first:last][there] |= np.uint8(bit)
    progress("reading", 1.0)
    return codes


def _counted(stack: Stack, patches: list[Patches], *, window: int = 1) -> list[_Sums]:
    """Add up the residents of patches, reading the population once for all of them."""
    sums = [np.zeros(each.n) for each in patches]
    half = window // 2
    for first, last, read in stack.blocks("population", beyond=half):
        top = first - max(0, first - half)
        residents = _averaged(
            _residents(read["population"]), np.isfinite(read["population"]), window
        )
        block = np.ascontiguousarray(residents[top : top + last - first])
        for each, total in zip(patches, sums, strict=True):
            each.add_up(block, first, total)
    return [_Sums(each, total) for each, total in zip(patches, sums, strict=True)]


def _gap_cells(stack: Stack, rules: Rules) -> int:
    """Say of how many cells the largest hole is that gets filled."""
    middle = stack.shape[0] // 2
    cell = float(stack.cell_km2(middle, middle + 1)[0, 0])
    return max(0, math.ceil(rules.centre_gap_km2 / cell - _ONE_CELL) - 1)


def _rows(height: int) -> list[slice]:
    return [slice(first, first + _ROWS_AT_ONCE) for first in range(0, height, _ROWS_AT_ONCE)]


def _residents(read: NDArray[np.float64]) -> NDArray[np.float64]:
    residents = np.nan_to_num(read, nan=0.0)
    if residents.size and residents.min() < 0:
        raise InputError(
            f"population holds {residents.min():g} in a cell and nobody is fewer than none; where that means 'no data', declare it "
            f"(gdal_edit.py -a_nodata {residents.min():g})"
        )
    return np.asarray(residents)


def _share(
    read: NDArray[np.float64] | None, name: str, shape: tuple[int, ...]
) -> NDArray[np.float64]:
    if read is None:
        return np.ones(shape)
    share = np.nan_to_num(read, nan=0.0)
    if share.size and (share.min() < 0 or share.max() > 1 + 1e-6):
        raise InputError(
            f"{name} holds values from {share.min():g} to {share.max():g} and a share is 0 to 1; divide by the area of a cell first"
        )
    return np.asarray(share)


def _averaged(
    values: NDArray[np.float64], known: NDArray[np.bool_], window: int
) -> NDArray[np.float64]:
    """Average over a square window, of the cells that are known."""
    if window == 1:
        return values
    total = ndimage.uniform_filter(np.where(known, values, 0.0), window, mode="constant")
    there = ndimage.uniform_filter(known.astype(float), window, mode="constant")
    return np.divide(total, there, out=np.zeros_like(values), where=there > 0.5 / window**2)
