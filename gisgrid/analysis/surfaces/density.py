"""How thick do the reports lie on the ground?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, get_args

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from affine import Affine
from numpy.typing import NDArray

from gisgrid.analysis.surfaces.spreading import Cloud, SurfaceKernel, reach_of, spread
from gisgrid.crs import crs_label, require_metres
from gisgrid.errors import CrsError, IndexMismatchError, InputError
from gisgrid.join.raster_index import RasterIndex
from gisgrid.places import PointPlaces, point_places
from gisgrid.surface import Surface

_MAX_CELLS: Final = 100_000_000
_MOST_WORK: Final = 1e12
_Floats = NDArray[np.float64]


def kernel_density(
    points: gpd.GeoDataFrame,
    *,
    cell_m: float,
    bandwidth_m: float | pd.Series,
    kernel: SurfaceKernel = "quartic",
    bbox: tuple[float, float, float, float] | None = None,
    within: gpd.GeoDataFrame | None = None,
    weights: pd.Series | None = None,
    counted: str = "issues",
) -> Surface:
    """Show how many issues there are per km² around every place, as a smooth surface.

    A picture for the eye: it has no test, so thick is not yet significant (ask `hotspots` for that), and it shows
    where people report as much as where trouble is (ask `relative_risk`).

    Parameters
    ----------
    points
        One point per issue, in a projected CRS in metres. Null and empty points are left out.
    cell_m
        Side of a cell, metres. Cells are aligned to the origin of the CRS.
    bandwidth_m
        Radius of the kernel, metres, at least `cell_m`: one for all, or one per issue, indexed like `points` (as from
        `adaptive_bandwidth`).
    kernel
        ``quartic``: an issue counts within the radius and nowhere else. ``gaussian``: its standard deviation is a third
        of the radius, about as wide as the quartic; it is cut off at one and a half radii.
    bbox
        West, south, east, north in the CRS of `points`, widened to whole cells. Without it: wherever an issue counts.
    within
        The city's polygons, in the same CRS: issues and cells (by their centre) outside are left out, and what an
        issue's kernel would lose beyond the border is given to its cells inside (edge correction).
    weights
        Shape (n,), indexed like `points`, 0 or above: what each point counts, for example residents. 1 where it is missing.
    counted
        What is counted, for the unit.

    Returns
    -------
    Surface
        float32, issues/km², 0 where no issue is within reach; NaN outside `within`. Without `bbox` the sum of the values
        times the area of a cell is the number of points (with `within`: of those inside). With `bbox`, points outside
        count inside up to the bandwidth, and points inside lose what lies outside.

    Raises
    ------
    CrsError
        The coordinates are not metres, or `within` is in another CRS.
    IndexMismatchError
        Bandwidths or weights are not indexed like `points`.
    InputError
        Something other than points, no point and no `bbox` or `within`, a bandwidth below a cell, a negative or missing
        weight, no such kernel, or too many cells.

    Notes
    -----
    Quartic (biweight) kernel 3 / (π h²) (1 - d² / h²)² for d < h (Silverman 1986, equation 4.5), divided for each issue
    by its sum over the cells so that nothing is lost. Up to 20 cells of bandwidth (Gaussian: 11), and wherever it differs
    from issue to issue, each kernel is laid on the cells as it is: at five cells or more that is within 0.1 % of the peak
    of the sum over all points (the difference is the division), to float32. Above, each point is shared among sixteen
    cells (cubic Lagrange) and convolved by FFT: within 0.1 % as well, measured at a single point, where it is worst. With
    `within`, kernels are divided by their sum over the cells inside (Jones 1993), which keeps every issue and mends
    most, not all, of the thinning at the border.
    Cost: O(points · (bandwidth / cell)²) up to 20 cells, O(points + cells log cells) above; two threads.
    Checked against: the sum over all points, scikit-learn `KernelDensity`.

    Examples
    --------
    >>> reports = gpd.GeoDataFrame(geometry=gpd.points_from_xy([500_025.0], [3_900_025.0]), crs=4547)
    >>> surface = kernel_density(reports, cell_m=50, bandwidth_m=300)
    >>> round(float(surface.values.max()), 1), round(float(surface.values.sum()) * 0.05**2, 6)
    (10.6, 1.0)
    """
    places = point_places(points, what="kernel_density")
    if kernel not in get_args(SurfaceKernel):
        raise InputError(f"there is no kernel {kernel!r}; choose 'quartic' or 'gaussian'")
    radius = _radius(bandwidth_m, points, places, cell_m)
    weight = _weight(weights, points, places)
    city = None if within is None else _city(within, places)
    xy = places.xy / cell_m
    if city is not None:
        held = city.first_covering(places.xy) >= 0
        xy, weight = xy[held], weight[held]
        radius = radius[held] if len(radius) > 1 else radius
    reach = math.ceil(reach_of(kernel, float(radius.max(initial=1.0))))
    if within is not None:
        window = _Window.of_bounds(within.total_bounds, cell_m)
    elif bbox is not None:
        window = _Window.of_bounds(_checked_bbox(bbox), cell_m)
    else:
        window = _window_of_points(xy, reach)
    _require_cells(window, cell_m, xy, radius)
    cloud = Cloud(xy[:, 0] - window.west - 0.5, window.north - xy[:, 1] - 0.5, radius, weight)
    inside = None if city is None else _inside(city, window, cell_m)
    values = spread(cloud, window.shape, kernel, inside) / (cell_m / 1000) ** 2
    if inside is not None:
        values[inside == 0] = np.nan
    if within is not None and bbox is not None:
        window, values = _cropped(window, values, _Window.of_bounds(_checked_bbox(bbox), cell_m))
    return Surface(
        values=values.astype(np.float32),
        transform=Affine(cell_m, 0, window.west * cell_m, 0, -cell_m, window.north * cell_m),
        crs=places.crs,
        unit=f"{counted}/km²",
    )


@dataclass(frozen=True)
class _Window:
    """A block of cells, in whole cells from the origin of the CRS."""

    west: int
    south: int
    east: int
    north: int

    @classmethod
    def of_bounds(cls, bbox: tuple[float, float, float, float] | _Floats, cell_m: float) -> _Window:
        west, south = (math.floor(side / cell_m) for side in bbox[:2])
        east, north = (math.ceil(side / cell_m) for side in bbox[2:])
        return cls(west, south, east, north)

    @property
    def shape(self) -> tuple[int, int]:
        return self.north - self.south, self.east - self.west


def _radius(
    bandwidth_m: float | pd.Series, points: gpd.GeoDataFrame, places: PointPlaces, cell_m: float
) -> _Floats:
    """Give the bandwidth in cells: one for all, or one for each point that has a place."""
    if isinstance(bandwidth_m, pd.Series):
        if not bandwidth_m.index.equals(points.index):
            raise IndexMismatchError(
                f"{len(bandwidth_m)} bandwidths are not indexed like the {len(points)} points; "
                "take them from the same frame"
            )
        radius = bandwidth_m.to_numpy(dtype=float, na_value=np.nan)[places.there]
    else:
        radius = np.array([float(bandwidth_m)])
    wrong = ~((radius >= cell_m) & (radius < math.inf))
    if wrong.any() or not cell_m >= 0.001:
        narrow = radius[wrong][0] if wrong.any() else radius[0]
        raise InputError(
            f"a kernel of bandwidth {narrow:g} m on cells of {cell_m:g} m has no shape; "
            "give a cell of 0.001 or more and a bandwidth of at least one cell, better of five"
        )
    return radius / cell_m


def _weight(weights: pd.Series | None, points: gpd.GeoDataFrame, places: PointPlaces) -> _Floats:
    if weights is None:
        return np.ones(len(places.xy))
    if not weights.index.equals(points.index):
        raise IndexMismatchError(
            f"{len(weights)} weights are not indexed like the {len(points)} points; take them from the same frame"
        )
    weight = weights.to_numpy(dtype=float, na_value=np.nan)[places.there]
    wrong = ~((weight >= 0) & (weight < math.inf))
    if wrong.any():
        raise InputError(
            f"{wrong.sum()} of {len(weight)} weights are no count (first: {weight[wrong][0]:g}); "
            "give 0 or above, or leave the points out"
        )
    return weight


def _city(within: gpd.GeoDataFrame, places: PointPlaces) -> RasterIndex:
    crs = require_metres(within, what="kernel_density", name="within")
    if crs != places.crs:
        raise CrsError(
            f"'within' is in {crs_label(crs)} but 'points' is in {crs_label(places.crs)}; "
            "reproject one, for example within.to_crs(points.crs)"
        )
    polygons = within.geometry.to_numpy()
    if not np.nansum(shapely.area(polygons)) > 0:
        raise InputError(
            f"'within' has {len(polygons)} geometries and none with an area; give the city's polygons"
        )
    return RasterIndex.of(shapely.make_valid(polygons, method="structure"))


def _checked_bbox(
    bbox: tuple[float, float, float, float],
) -> tuple[float, float, float, float]:
    if not (bbox[0] < bbox[2] and bbox[1] < bbox[3]):
        raise InputError(
            f"the bbox {bbox} holds no ground; give west, south, east, north with west < east and south < north"
        )
    return bbox


def _window_of_points(xy: _Floats, reach: int) -> _Window:
    if len(xy) == 0:
        raise InputError(
            "kernel_density has 0 points and no bbox, so it has no place; give one of the two"
        )
    x, y = xy[:, 0], xy[:, 1]
    return _Window(
        math.floor(x.min()) - reach,
        math.floor(y.min()) - reach,
        math.floor(x.max()) + 1 + reach,
        math.floor(y.max()) + 1 + reach,
    )


def _require_cells(window: _Window, cell_m: float, xy: _Floats, radius: _Floats) -> None:
    height, width = window.shape
    if height * width > _MAX_CELLS:
        raise InputError(
            f"cells of {cell_m:g} m make {height} × {width} = {height * width} of them, over {_MAX_CELLS}; "
            "give larger cells, a smaller bbox, or look for a point far away from all others"
        )
    if len(radius) > 1 and (work := float(4 * (radius**2).sum())) > _MOST_WORK:
        raise InputError(
            f"{len(xy)} kernels of up to {radius.max():g} cells touch {work:.1g} cells, over {_MOST_WORK:.0e}; "
            "give larger cells or a lower limit to adaptive_bandwidth"
        )


def _inside(city: RasterIndex, window: _Window, cell_m: float) -> _Floats:
    """Give 1 for a cell whose centre is in the city and 0 for others."""
    height, width = window.shape
    x = (np.arange(window.west, window.east) + 0.5) * cell_m
    inside = np.empty((height, width))
    for row in range(height):
        y = np.full(width, (window.north - row - 0.5) * cell_m)
        inside[row] = city.first_covering(np.column_stack([x, y])) >= 0
    if not inside.any():
        raise InputError(
            f"no cell of {cell_m:g} m has its centre within the city; give smaller cells"
        )
    return inside


def _cropped(window: _Window, values: _Floats, to: _Window) -> tuple[_Window, _Floats]:
    """Show another window; NaN where the first one does not reach."""
    height, width = to.shape
    shown = np.full((height, width), np.nan)
    left, right = max(window.west, to.west), min(window.east, to.east)
    top, bottom = min(window.north, to.north), max(window.south, to.south)
    if left < right and bottom < top:
        shown[to.north - top : to.north - bottom, left - to.west : right - to.west] = values[
            window.north - top : window.north - bottom, left - window.west : right - window.west
        ]
    return to, shown
