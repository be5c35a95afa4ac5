"""What does a raster hold in each area? Cells counted by the exact share of them that lies inside, or by their centres."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any, Literal, get_args

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import rasterio.features
import rasterio.windows
import shapely
from affine import Affine
from exactextract import exact_extract
from exactextract.raster import NumPyRasterSource, RasterioRasterSource
from numpy.typing import NDArray
from rasterio.vrt import WarpedVRT

from gisgrid.crs import require_crs
from gisgrid.errors import InputError
from gisgrid.surface import Surface
from gisgrid.zones.nodata import suspect_nodata
from gisgrid.zones.rasters import Raster, Stack

Statistic = Literal["mean", "sum", "min", "max", "stdev", "median", "variety", "majority"]
Rule = Literal["share", "centre"]


def zonal_statistics(
    areas: gpd.GeoDataFrame,
    raster: Raster,
    *,
    statistics: Sequence[Statistic] = ("mean",),
    rule: Rule = "share",
    nodata: float | None = None,
) -> pd.DataFrame:
    """Summarise the cells of a raster in each of some areas.

    Parameters
    ----------
    areas
        Polygons, n of them, in any CRS; they may overlap.
    raster
        A surface, or a file (also a COG at an address) that rasterio opens; its first band.
    statistics
        Which.
    rule
        ``share``: each cell counts by the share of it that lies in the area, exactly. ``centre``: each cell counts whole
        in the areas that hold its centre, as rasterstats and many published tables have it.
    nodata
        The value that means 'no data', where the file does not declare it.

    Returns
    -------
    DataFrame
        Shape (n, len(statistics) + 2), indexed like `areas`: the statistics, NaN where an area holds no cell with a value;
        `n_cells`, how many cells (or shares of them) with a value it holds; `share_known`, which share of its ground in
        cells has a value.

    Raises
    ------
    InputError
        No such statistic or rule, areas that are no polygons or cross themselves, or a raster that cannot be read.
    CrsError
        Areas or raster without CRS.

    Warns
    -----
    SuspectNodataWarning
        No value is declared to mean 'no data', and one stands far from all others.

    Notes
    -----
    The areas are brought to the CRS of the raster, not the raster to theirs, so that no value is made up. Shares are of
    cells: on a raster in degrees a northern cell counts as much as a southern one. Source: exactextract (Baston), the
    coverage fractions of a cell by a polygon. Checked against: published means of 2 325 census tracts (centre rule).

    Examples
    --------
    >>> from affine import Affine
    >>> from pyproj import CRS
    >>> from shapely import box
    >>> grid = Surface(np.array([[1, 3]], np.float32), Affine(10, 0, 0, 0, -10, 10), CRS("EPSG:4547"), "m")
    >>> areas = gpd.GeoDataFrame(geometry=[box(0, 0, 15, 10)], crs="EPSG:4547")
    >>> zonal_statistics(areas, grid)["mean"].round(3).tolist()
    [1.667]
    >>> zonal_statistics(areas, grid, rule="centre")["mean"].tolist()
    [2.0]
    """
    _check(areas, statistics, rule)
    stack = Stack.of(raster=raster)
    shapes = areas.geometry.to_crs(stack.crs)
    with ExitStack() as files:
        source, opened = _source(raster, stack, nodata, files)
        if nodata is None:
            suspect_nodata(raster, remedy="say so: nodata={value:g}")
        if rule == "centre":
            return _by_centres(shapes, opened, list(statistics))
        return _by_shares(shapes, source, list(statistics))


def class_shares(
    areas: gpd.GeoDataFrame, classes: Surface, *, weights: Surface | None = None
) -> pd.DataFrame:
    """Say which share of each area every class has.

    Parameters
    ----------
    areas
        Polygons, n of them.
    classes
        A class per cell; NaN where there is none.
    weights
        On the same cells: what is shared out, residents for example, spread evenly over a cell; without them the ground.

    Returns
    -------
    DataFrame
        Indexed like `areas`, a column per class in ascending order, 0 to 1, and `total`: the weight (or the cells) in the
        area. Shares are NaN where the total is 0.

    Raises
    ------
    InputError
        Areas that are no polygons or cross themselves, or weights on other cells.
    CrsError
        Areas without CRS.

    Examples
    --------
    >>> from affine import Affine
    >>> from pyproj import CRS
    >>> from shapely import box
    >>> there = Affine(10, 0, 0, 0, -10, 10)
    >>> classes = Surface(np.array([[30, 11]], np.float32), there, CRS("EPSG:4547"), "class")
    >>> people = Surface(np.array([[80, 40]], np.float32), there, CRS("EPSG:4547"), "residents")
    >>> areas = gpd.GeoDataFrame(geometry=[box(0, 0, 20, 10)], crs="EPSG:4547")
    >>> class_shares(areas, classes, weights=people).round(3).to_dict("records")
    [{11: 0.333, 30: 0.667, 'total': 120.0}]
    """
    _check(areas, (), "share")
    stack = Stack.of(classes=classes, weights=weights)
    shapes = _without_repeats(areas.geometry.to_crs(stack.crs))
    known = classes.values
    names = np.unique(known[np.isfinite(known)]).astype(int)
    weight = np.ones_like(known) if weights is None else np.nan_to_num(weights.values, nan=0.0)
    bands = [np.where(known == name, weight, 0.0) for name in names]
    found = np.zeros((len(areas), len(names)))
    for column, band in enumerate(bands):
        source = _in_memory(band.astype(np.float64), stack)
        summed = exact_extract(source, shapes, ["sum"], output="pandas")
        found[:, column] = summed["sum"].to_numpy(dtype=float)
    total = found.sum(axis=1)
    shares = np.divide(
        found, total[:, None], out=np.full_like(found, np.nan), where=total[:, None] > 0
    )
    table = pd.DataFrame(shares, index=areas.index, columns=[int(name) for name in names])
    return table.assign(total=total)


def _check(areas: gpd.GeoDataFrame, statistics: Sequence[str], rule: str) -> None:
    require_crs(areas, name="areas")
    kinds = set(areas.geometry.geom_type.dropna()) - {"Polygon", "MultiPolygon"}
    if kinds:
        raise InputError(
            f"areas holds {min(kinds)}s and only polygons hold cells; leave the others out"
        )
    shapes = areas.geometry.to_numpy()
    broken = ~shapely.is_valid(shapes) & ~shapely.is_missing(shapes)
    if broken.any():
        raise InputError(
            f"{int(broken.sum())} of {len(areas)} areas cross themselves (first: {areas.index[broken][0]!r}), and what is inside them is anybody's guess; mend "
            "them first: areas.make_valid(method='structure', keep_collapsed=False)"
        )
    unknown = [name for name in statistics if name not in get_args(Statistic)]
    if unknown:
        raise InputError(f"no statistic {unknown[0]!r}; there are {', '.join(get_args(Statistic))}")
    if rule not in get_args(Rule):
        raise InputError(f"no rule {rule!r}; there are {', '.join(get_args(Rule))}")


def _in_memory(values: NDArray[Any], stack: Stack) -> NumPyRasterSource:
    t, (height, width) = stack.transform, stack.shape
    return NumPyRasterSource(
        values, xmin=t.c, ymin=t.f + height * t.e, xmax=t.c + width * t.a, ymax=t.f, nodata=np.nan
    )


def _source(
    raster: Raster, stack: Stack, nodata: float | None, files: ExitStack
) -> tuple[Any, Any]:
    """Open a raster for exactextract and for rasterio."""
    if isinstance(raster, Surface):
        values = raster.values.astype(np.float64)
        if nodata is not None:
            values[values == nodata] = np.nan
        memory = files.enter_context(rasterio.MemoryFile())
        height, width = stack.shape
        with memory.open(
            driver="GTiff", height=height, width=width, count=1, dtype="float64", nodata=np.nan,
            transform=stack.transform, crs=stack.crs.to_wkt(),
        ) as file:  # fmt: skip
            file.write(values, 1)
        return _in_memory(values, stack), files.enter_context(memory.open())
    opened = files.enter_context(rasterio.open(raster))
    if nodata is not None:
        opened = files.enter_context(WarpedVRT(opened, nodata=nodata, src_nodata=nodata))
    return RasterioRasterSource(opened), opened


def _without_repeats(shapes: gpd.GeoSeries) -> gpd.GeoDataFrame:
    """Leave out corners that stand twice in a row: exactextract 0.3 crashes the process on some of them."""
    return gpd.GeoDataFrame(geometry=shapes.remove_repeated_points(0.0).reset_index(drop=True))


def _by_shares(shapes: gpd.GeoSeries, source: Any, statistics: list[str]) -> pd.DataFrame:  # noqa: ANN401
    frame = _without_repeats(shapes)
    operations = [*statistics, "count", "coverage"]
    found = exact_extract(source, frame, operations, output="pandas")
    touched = np.array([float(np.sum(each)) for each in found["coverage"]])
    table: pd.DataFrame = found[statistics].astype(float).set_axis(shapes.index)
    count = found["count"].to_numpy(dtype=float)
    table["n_cells"] = count
    table["share_known"] = _known_share(shapes, count, touched, source)
    table.loc[count == 0, statistics] = np.nan
    return table


def _known_share(
    shapes: gpd.GeoSeries,
    count: NDArray[np.float64],
    touched: NDArray[np.float64],
    source: Any,  # noqa: ANN401
) -> NDArray[np.float64]:
    width, height = source.res()
    area = shapely.area(shapes.to_numpy()) / (width * height)  # in cells, whatever the CRS
    whole = np.maximum(area, touched)
    share = np.divide(count, whole, out=np.full(len(count), np.nan), where=whole > 0)
    return np.asarray(share.clip(0, 1))


def _by_centres(shapes: gpd.GeoSeries, opened: Any, statistics: list[str]) -> pd.DataFrame:  # noqa: ANN401
    rows = []
    for shape in shapes.to_numpy():
        values = _cells_with_centre(shape, opened)
        known = values[np.isfinite(values)]
        row = [_summary(known, name) for name in statistics]
        rows.append([*row, float(len(known)), len(known) / len(values) if len(values) else np.nan])
    return pd.DataFrame(
        rows, index=shapes.index, columns=[*statistics, "n_cells", "share_known"], dtype=float
    )


def _cells_with_centre(shape: shapely.Geometry | None, opened: Any) -> NDArray[np.float64]:  # noqa: ANN401
    if shape is None or shape.is_empty:
        return np.empty(0)
    west, south, east, north = shape.bounds
    t = opened.transform
    columns = np.clip(np.floor(((west - t.c) / t.a, (east - t.c) / t.a + 1)), 0, opened.width)
    rows = np.clip(np.floor(((north - t.f) / t.e, (south - t.f) / t.e + 1)), 0, opened.height)
    if columns[0] >= columns[1] or rows[0] >= rows[1]:
        return np.empty(0)
    window = rasterio.windows.Window.from_slices(
        tuple(rows.astype(int).tolist()), tuple(columns.astype(int).tolist())
    )
    values = opened.read(1, window=window, masked=True).astype(float).filled(np.nan)
    inside = rasterio.features.geometry_mask(
        [shape],
        values.shape,
        Affine(t.a, 0, t.c + columns[0] * t.a, 0, t.e, t.f + rows[0] * t.e),
        invert=True,
    )
    return np.asarray(values[inside])


def _summary(values: NDArray[np.float64], name: str) -> float:
    if not len(values):
        return np.nan
    match name:
        case "variety":
            return float(len(np.unique(values)))
        case "majority":
            distinct, counts = np.unique(values, return_counts=True)
            return float(distinct[counts.argmax()])
        case "stdev":
            return float(values.std())
        case _:
            return float(getattr(np, name)(values))
