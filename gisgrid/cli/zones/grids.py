"""How do rasters of different making come to lie on the same cells?"""

from __future__ import annotations

from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

import geopandas as gpd
import numpy as np
import rasterio
import shapely
from affine import Affine
from numpy.typing import NDArray
from pyproj import CRS
from rasterio.errors import RasterioError
from rasterio.features import shapes as outlines
from rasterio.vrt import WarpedVRT
from rasterio.warp import Resampling, calculate_default_transform

from gisgrid.cli.inputs import Inputs
from gisgrid.crs import crs_label, is_metric, local_metric_crs
from gisgrid.errors import CrsError, InputError
from gisgrid.files import first_line
from gisgrid.surface import Surface
from gisgrid.zones import suspect_nodata

RASTERS: Final = (".tif", ".tiff")
"""How the names of rasters end."""

_LOOKED_AT: Final = 2048
_A_SHARE: Final = 1.5
_NO_DATA: Final = -9999.0


def as_share(raster: str, name: str, inputs: Inputs, folder: Path) -> str:
    """Give a raster of shares where it holds square metres, without reading it: a virtual raster that divides.

    Parameters
    ----------
    raster
        A file whose cells hold a share (0 to 1) or, as in GHSL products, square metres.
    name
        What it is called.
    inputs
        Told of the decision.
    folder
        Where the virtual raster goes.

    Returns
    -------
    str
        The file, or the virtual one.

    Raises
    ------
    InputError
        It cannot be read as a raster.
    """
    try:
        with rasterio.open(raster) as file:
            shape = tuple(min(_LOOKED_AT, side) for side in file.shape)
            seen = file.read(1, out_shape=shape, masked=True)
            most = float(seen.max()) if seen.count() else 0.0
            t, width, height, nodata = file.transform, file.width, file.height, file.nodata
            crs, full = file.crs, str(Path(raster).resolve()) if "://" not in raster else raster
    except (RasterioError, OSError) as error:
        raise InputError(
            f"{raster!r} ({name}) cannot be read as a raster: {first_line(error)}"
        ) from error
    if most <= _A_SHARE or crs is None or not crs.is_projected:
        return raster
    cell = abs(t.a * t.e)
    inputs.note(
        f"{Path(raster).name} 的最大值是 {most:g}，按平方米理解，已除以像元面积 {cell:g} 平方米",
        f"{Path(raster).name} holds up to {most:g}, which is taken for square metres and divided by the {cell:g} m² of a cell",
    )
    missing = "" if nodata is None else f"<NODATA>{nodata!r}</NODATA>"
    draft = folder / f"{name}.vrt"
    draft.write_text(
        f'<VRTDataset rasterXSize="{width}" rasterYSize="{height}"><SRS>{escape(crs.to_wkt())}</SRS>'
        f"<GeoTransform>{t.c!r}, {t.a!r}, {t.b!r}, {t.f!r}, {t.d!r}, {t.e!r}</GeoTransform>"
        f'<VRTRasterBand dataType="Float64" band="1"><NoDataValue>{_NO_DATA}</NoDataValue><ComplexSource>'
        f'<SourceFilename relativeToVRT="0">{escape(full)}</SourceFilename><SourceBand>1</SourceBand>'
        f"<ScaleOffset>0</ScaleOffset><ScaleRatio>{1 / cell!r}</ScaleRatio>{missing}</ComplexSource></VRTRasterBand></VRTDataset>",
        encoding="utf-8",
    )
    return str(draft)


def on_one_grid(
    rasters: dict[str, str], inputs: Inputs, *, cell_m: float | None
) -> dict[str, Surface]:
    """Read rasters on the cells of the first, in metres.

    Parameters
    ----------
    rasters
        Files by name.
    inputs
        Told of what is resampled.
    cell_m
        The width of the cells; that of the first raster without it.

    Returns
    -------
    dict of Surface
        All on the same cells.

    Raises
    ------
    InputError
        A file that cannot be read as a raster.
    CrsError
        A raster without CRS.
    """
    first = next(iter(rasters))
    target: tuple[CRS, Affine, int, int] | None = None
    found = {}
    for name, place in rasters.items():
        try:
            with rasterio.open(place) as file:
                if file.crs is None:
                    raise CrsError(
                        f"{place!r} ({name}) has no coordinate reference system, so its cells lie nowhere; give it one, for example with "
                        "gdal_edit.py -a_srs EPSG:4326"
                    )
                if target is None:
                    target = _target(file, cell_m)
                with inputs.heard():
                    suspect_nodata(place, remedy="declare it (gdal_edit.py -a_nodata {value:g})")
                found[name] = _read(file, target, name, inputs, first)
        except (RasterioError, OSError) as error:
            if isinstance(error, CrsError):
                raise
            raise InputError(
                f"{place!r} ({name}) cannot be read as a raster: {first_line(error)}"
            ) from error
    return found


def polygons(types: dict[str, NDArray[np.bool_]], like: Surface) -> gpd.GeoDataFrame:
    """Draw the outlines of cells of each type.

    Parameters
    ----------
    types
        Shape (height, width) by type: which cells are of it.
    like
        The surface whose cells these are.

    Returns
    -------
    GeoDataFrame
        `zone_type` and polygons that hang together by edges.
    """
    names, drawn = [], []
    for name, cells in types.items():
        for outline, _ in outlines(cells.astype(np.uint8), mask=cells, transform=like.transform):
            names.append(name)
            drawn.append(shapely.geometry.shape(outline))
    return gpd.GeoDataFrame({"zone_type": names}, geometry=drawn, crs=like.crs)


def _target(file: rasterio.DatasetReader, cell_m: float | None) -> tuple[CRS, Affine, int, int]:
    crs = CRS.from_user_input(file.crs)
    if (
        is_metric(crs)
        and cell_m is None
        and file.transform.e < 0
        and abs(file.transform.a + file.transform.e) < 1e-6 * file.transform.a
    ):
        return crs, file.transform, file.width, file.height
    if not is_metric(crs):
        frame = gpd.GeoDataFrame(geometry=[shapely.box(*file.bounds)], crs=crs)
        crs = local_metric_crs(frame)
    transform, width, height = calculate_default_transform(
        file.crs, crs.to_wkt(), file.width, file.height, *file.bounds, resolution=cell_m
    )
    return crs, transform, int(width), int(height)


def _read(
    file: rasterio.DatasetReader, target: tuple[CRS, Affine, int, int], name: str, inputs: Inputs, first: str
) -> Surface:  # fmt: skip
    crs, transform, width, height = target
    same = (file.width, file.height) == (width, height) and file.transform.almost_equals(
        transform, 1e-6
    )
    if same and crs.equals(CRS.from_user_input(file.crs), ignore_axis_order=True):
        values = file.read(1, masked=True).astype(np.float32).filled(np.nan)
        return Surface(values, transform, crs, "")
    finer = abs(file.transform.a) * (111_000 if file.crs.is_geographic else 1) < transform.a
    how = Resampling.average if finer else Resampling.bilinear
    with WarpedVRT(
        file, crs=crs.to_wkt(), transform=transform, width=width, height=height, resampling=how,
        src_nodata=file.nodata, nodata=_NO_DATA if file.nodata is None else None, dtype="float32",
    ) as warped:  # fmt: skip
        values = warped.read(1, masked=True).astype(np.float32).filled(np.nan)
    inputs.note(
        f"{name} 重采样到{'自己的米制像元' if name == first else first + ' 的像元'}（{transform.a:g} 米，{crs_label(crs)}，{how.name}）",
        f"{name} is resampled to {'cells in metres' if name == first else 'the cells of ' + first} ({transform.a:g} m, {crs_label(crs)}, {how.name})",
    )
    return Surface(values, transform, crs, "")
