"""How thick do the reports lie on the ground?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray

from gisgrid.crs import require_metres
from gisgrid.errors import InputError
from gisgrid.surface import Surface

_MAX_CELLS: Final = 100_000_000
_Floats = NDArray[np.float64]


def kernel_density(
    points: gpd.GeoDataFrame,
    *,
    cell_m: float,
    bandwidth_m: float,
    bbox: tuple[float, float, float, float] | None = None,
) -> Surface:
    """Show how many issues there are per km² around every place, as a smooth surface.

    A picture for the eye: it has no test, so thick is not yet significant (ask `hotspots` for that), and it shows
    where people report as much as where trouble is.

    Parameters
    ----------
    points
        One point per issue, in a projected CRS in metres. Null and empty points are left out.
    cell_m
        Side of a cell, metres. Cells are aligned to the origin of the CRS.
    bandwidth_m
        Radius of the kernel, metres, at least `cell_m`: an issue counts within it and nowhere else.
    bbox
        West, south, east, north in the CRS of `points`, widened to whole cells. Without it: wherever an issue counts.

    Returns
    -------
    Surface
        float32, issues/km², 0 where no issue is within reach. Without `bbox` the sum of the values times the area of
        a cell is the number of points. With it, points outside count inside up to the bandwidth, and points inside
        lose what lies outside: the edge is not corrected.

    Raises
    ------
    CrsError
        The coordinates are not metres.
    InputError
        Something other than points, no point and no `bbox`, a bandwidth below a cell, or over 100 million cells.

    Notes
    -----
    Quartic (biweight) kernel 3 / (π h²) (1 - d² / h²)² for d < h, divided by its sum over the cells so that nothing is
    lost; 0 beyond h, so a report never reaches across town. Each point is first shared among the four nearest cell
    centres (linear binning, Wand 1994), then convolved by FFT; against the sum over all points the error falls with
    (cell / bandwidth)², 1 % of the peak at a sixth. Cost: O(points + cells log bandwidth); memory about 45 bytes
    per cell and 115 per point. Source: Silverman 1986, equation 4.5.
    Checked against: the sum over all points, scikit-learn `KernelDensity`.

    Examples
    --------
    >>> reports = gpd.GeoDataFrame(geometry=gpd.points_from_xy([500_025.0], [3_900_025.0]), crs=4547)
    >>> surface = kernel_density(reports, cell_m=50, bandwidth_m=300)
    >>> round(float(surface.values.max()), 1), round(float(surface.values.sum()) * 0.05**2, 6)
    (10.6, 1.0)
    """
    crs = require_metres(points, what="kernel_density", name="points")
    if not 0.001 <= cell_m <= bandwidth_m < math.inf:
        raise InputError(
            f"a kernel of bandwidth {bandwidth_m:g} m on cells of {cell_m:g} m has no shape; "
            "give a cell of 0.001 or more and a bandwidth of at least one cell, better of six"
        )
    xy = _coordinates(points) / cell_m
    kernel = _quartic(bandwidth_m / cell_m) / (cell_m / 1000) ** 2
    margin = (
        kernel.shape[0] // 2 + 1
    )  # how far a point reaches: by its kernel, and by one cell of binning
    window = _window(xy, cell_m, bbox, margin)
    from scipy import signal  # noqa: PLC0415 - half of gisgrid's import time, and only a density needs it

    spread = signal.oaconvolve(_binned(xy, window.widened(margin)), kernel, mode="valid")
    values = spread[1:-1, 1:-1]
    values[values <= 1e-12 * values.max(initial=0)] = 0  # rounding of the FFT, not ground
    return Surface(
        values=values.astype(np.float32),
        transform=Affine(cell_m, 0, window.west * cell_m, 0, -cell_m, window.north * cell_m),
        crs=crs,
        unit="issues/km²",
    )


@dataclass(frozen=True)
class _Window:
    """A block of cells, in whole cells from the origin of the CRS."""

    west: int
    south: int
    east: int
    north: int

    def widened(self, margin: int) -> _Window:
        return _Window(
            self.west - margin, self.south - margin, self.east + margin, self.north + margin
        )

    @property
    def shape(self) -> tuple[int, int]:
        return self.north - self.south, self.east - self.west


def _coordinates(points: gpd.GeoDataFrame) -> _Floats:
    geometry = points.geometry.to_numpy()
    kinds = shapely.get_type_id(geometry)
    if (other := (kinds > 0)).any():
        raise InputError(
            f"kernel_density needs points but {other.sum()} of {len(geometry)} geometries are none "
            f"(first: row {int(np.argmax(other))}, {geometry[other][0].geom_type}); "
            "give one point each, for example units.representative_point()"
        )
    xy: _Floats = shapely.get_coordinates(geometry)  # null and empty points have none
    finite = np.isfinite(xy[:, 0] + xy[:, 1])
    return xy if finite.all() else xy[finite]


def _window(
    xy: _Floats, cell_m: float, bbox: tuple[float, float, float, float] | None, margin: int
) -> _Window:
    if bbox is None:
        if len(xy) == 0:
            raise InputError(
                "kernel_density has 0 points and no bbox, so it has no place; give one of the two"
            )
        x, y = xy.T
        west, south = math.floor(x.min()), math.floor(y.min())
        east, north = math.floor(x.max()) + 1, math.floor(y.max()) + 1
        window = _Window(west, south, east, north).widened(margin)
    else:
        if not (bbox[0] < bbox[2] and bbox[1] < bbox[3]):
            raise InputError(
                f"the bbox {bbox} holds no ground; give west, south, east, north with west < east and south < north"
            )
        window = _Window(
            math.floor(bbox[0] / cell_m),
            math.floor(bbox[1] / cell_m),
            math.ceil(bbox[2] / cell_m),
            math.ceil(bbox[3] / cell_m),
        )
    height, width = window.shape
    if height * width > _MAX_CELLS:
        raise InputError(
            f"cells of {cell_m:g} m make {height} × {width} = {height * width} of them, over {_MAX_CELLS}; "
            "give larger cells, a smaller bbox, or look for a point far away from all others"
        )
    return window


def _quartic(radius: float) -> _Floats:
    """Lay the kernel on cell centres, `radius` in cells; sums to 1."""
    reach = math.ceil(radius) - 1
    offset = np.arange(-reach, reach + 1) / radius
    height = np.maximum(0, 1 - offset[:, None] ** 2 - offset**2) ** 2
    kernel: _Floats = height / height.sum()
    return kernel


def _binned(xy: _Floats, window: _Window) -> _Floats:
    """Share each point among the four nearest cell centres; row 0 is in the north."""
    height, width = window.shape
    column = xy[:, 0] - window.west - 0.5
    row = window.north - xy[:, 1] - 0.5
    inside = (column >= 0) & (column < width - 1) & (row >= 0) & (row < height - 1)
    column, row = column[inside], row[inside]
    left, top = np.floor(column).astype(np.int64), np.floor(row).astype(np.int64)
    to_right, to_bottom = column - left, row - top
    cell = top * width + left
    counts = np.zeros(height * width)
    for step, weight in (
        (0, (1 - to_right) * (1 - to_bottom)),
        (1, to_right * (1 - to_bottom)),
        (width, (1 - to_right) * to_bottom),
        (width + 1, to_right * to_bottom),
    ):
        counts += np.bincount(cell + step, weights=weight, minlength=height * width)
    return counts.reshape(height, width)
