"""Read and write frames and surfaces by their suffix: a file is whole or it is not there."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import rasterio
import rasterio.shutil
from pyproj import CRS

from gisgrid.crs import LONLAT
from gisgrid.errors import InputError, OutputError
from gisgrid.surface import Surface

FRAME_SUFFIXES: Final = (".parquet", ".gpkg", ".geojson", ".fgb")
"""What `write_frame` writes: GeoParquet, GeoPackage, GeoJSON (RFC 7946), FlatGeobuf."""


_FORMULA: Final = r"^[=+\-@\t\r\n＝＋－＠]"
_NUMBER: Final = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"


def require_folder(path: Path) -> None:
    """See that a file could be put where it shall be, before any work is done for it.

    Parameters
    ----------
    path
        Where the file shall be.

    Raises
    ------
    OutputError
        The folder does not exist.
    """
    if not path.parent.is_dir():
        raise OutputError(
            f"{path.name!r} cannot be written because the folder {str(path.parent)!r} does not exist; make it first"
        )


def make_folder(folder: Path, *, purpose: str, advice: str, parents: bool = True) -> None:
    """Make a folder to write into, where it is not there yet.

    Parameters
    ----------
    folder
        The folder.
    purpose
        What is written there: ``the ledger of cases``.
    advice
        What to do where it cannot be made.
    parents
        Whether the folders above it are made, too.

    Raises
    ------
    OutputError
        It cannot be made.
    """
    try:
        folder.mkdir(parents=parents, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"the folder {str(folder)!r} for {purpose} cannot be made ({error.strerror}); {advice}"
        ) from error


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a path to write to that takes its place only when the writing went well.

    Parameters
    ----------
    path
        Where the file shall be. Its folder must exist.

    Yields
    ------
    Path
        A path in the same folder with the same suffix.

    Raises
    ------
    OutputError
        The folder does not exist or cannot be written.
    """
    require_folder(path)
    try:
        folder = tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.stem}-")
    except OSError as error:
        raise OutputError(
            f"{path.name!r} cannot be written to {str(path.parent)!r}: {error.strerror}"
        ) from error
    with folder:
        draft = Path(folder.name) / path.name
        yield draft
        with draft.open("rb") as written:
            os.fsync(written.fileno())
        draft.replace(path)


def read_frame(path: Path, *, layer: str | None = None, **options: str | bool) -> gpd.GeoDataFrame:
    """Read a vector file: GeoParquet, or whatever GDAL opens.

    Parameters
    ----------
    path
        The file.
    layer
        The layer, where the file has several.
    options
        Passed to the reader, for example ``encoding="gbk"`` for a Shapefile.

    Returns
    -------
    GeoDataFrame
        In the file's CRS, which may be missing.

    Raises
    ------
    InputError
        There is no such file, or it is no vector file.
    """
    if not path.exists():
        raise InputError(f"there is no file {str(path)!r}; check the spelling and the folder")
    try:
        if path.suffix == ".parquet":
            return gpd.read_parquet(path, **options)
        return gpd.read_file(path, layer=layer, **options)
    except Exception as error:
        raise InputError(
            f"{path.name!r} cannot be read as a vector file: {first_line(error)}"
        ) from error


def write_frame(frame: gpd.GeoDataFrame, path: Path) -> None:
    """Write a frame by the suffix of its name.

    Parameters
    ----------
    frame
        Any CRS. GeoJSON is written in longitude, latitude (RFC 7946), the others in the frame's CRS. FlatGeobuf orders
        the rows by place, for its index; the others keep their order.
    path
        The file; what stood there is replaced as a whole.

    Raises
    ------
    OutputError
        An unknown suffix, or a folder that does not exist.
    """
    with whole_file(path) as draft:
        match path.suffix:
            case ".parquet":
                frame.to_parquet(draft, index=False, compression="zstd", write_covering_bbox=True)
            case ".gpkg":
                frame.to_file(draft, driver="GPKG", layer=path.stem, index=False)
            case ".geojson":
                frame.to_crs(LONLAT).to_file(draft, driver="GeoJSON", index=False, RFC7946="YES")
            case ".fgb":
                frame.to_file(draft, driver="FlatGeobuf", index=False)
            case other:
                raise OutputError(
                    f"{path.name!r} ends in {other!r}, which is not written; choose one of {', '.join(FRAME_SUFFIXES)}"
                )


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a table without geometry: Parquet, or CSV that spreadsheets show right (UTF-8 with a byte-order mark).

    Parameters
    ----------
    table
        Any table without geometry.
    path
        The file, ending in ``.parquet`` or ``.csv``; what stood there is replaced as a whole. In CSV no text is a
        formula (see `without_formulas`), header included.
    """
    with whole_file(path) as draft:
        if path.suffix == ".parquet":
            table.to_parquet(draft, index=False, compression="zstd")
        else:
            safe = table.copy(deep=False)
            for position, dtype in enumerate(table.dtypes):
                if pd.api.types.is_string_dtype(dtype) or dtype.kind == "O":
                    cells = [
                        _safe_cell(cell) if isinstance(cell, str) else cell
                        for cell in table.iloc[:, position]
                    ]
                    safe.isetitem(position, pd.array(cells, dtype=object))
            safe.columns = [_safe_cell(str(name)) for name in table.columns]
            safe.to_csv(draft, index=False, encoding="utf-8-sig")


def without_formulas(text: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Make text that no spreadsheet takes for a formula: an apostrophe before what begins like one.

    Parameters
    ----------
    text
        Shape (n,), text.

    Returns
    -------
    pyarrow.Array
        Shape (n,): cells that begin with ``=``, ``+``, ``-``, ``@``, a tab or a line end get a leading apostrophe;
        numbers stay as they are.

    Examples
    --------
    >>> without_formulas(pa.array(["=1+1", "-3.5", "-rm", "ok", None])).to_pylist()
    ["'=1+1", '-3.5', "'-rm", 'ok', None]
    """
    formula = pc.and_not(
        pc.match_substring_regex(text, _FORMULA), pc.match_substring_regex(text, _NUMBER)
    )
    return pc.if_else(formula, pc.binary_join_element_wise("'", text, ""), text)


def _safe_cell(text: str) -> str:
    if not text or text[0] not in "=+-@\t\r\n＝＋－＠" or re.match(_NUMBER, text):
        return text
    return f"'{text}"


def read_surface(path: Path, *, unit: str = "") -> Surface:
    """Read the first band of a raster.

    Parameters
    ----------
    path
        Any raster GDAL opens; nodata becomes NaN.
    unit
        The unit of its values where the file does not say it.

    Returns
    -------
    Surface
        The raster in memory.

    Raises
    ------
    InputError
        There is no such file, or it is no raster.
    """
    if not path.exists():
        raise InputError(f"there is no file {str(path)!r}; check the spelling and the folder")
    try:
        with rasterio.open(path) as raster:
            values = raster.read(1, masked=True).astype(np.float32).filled(np.nan)
            return Surface(
                values, raster.transform, CRS(raster.crs.to_wkt()), raster.units[0] or unit
            )
    except rasterio.errors.RasterioIOError as error:
        raise InputError(
            f"{path.name!r} cannot be read as a raster: {first_line(error)}"
        ) from error


def write_surface(surface: Surface, path: Path) -> None:
    """Write a surface as a cloud-optimised GeoTIFF (COG), with overviews for the low zooms.

    Parameters
    ----------
    surface
        What to write; NaN becomes nodata.
    path
        The file, ending in ``.tif``; what stood there is replaced as a whole.
    """
    height, width = surface.values.shape
    with (
        whole_file(path) as draft,
        rasterio.MemoryFile() as memory,
    ):
        with memory.open(
            driver="GTiff", width=width, height=height, count=1, dtype="float32", nodata=float("nan"),
            crs=surface.crs.to_wkt(), transform=surface.transform,
        ) as raster:  # fmt: skip
            raster.write(surface.values.astype(np.float32), 1)
            raster.units = (surface.unit,)
        with memory.open() as raster:
            rasterio.shutil.copy(
                raster, draft, driver="COG", compress="DEFLATE", predictor="3", resampling="average"
            )


def first_line(error: Exception) -> str:
    """Give the first line of an error's text, for a sentence that goes on.

    Parameters
    ----------
    error
        Any exception.

    Returns
    -------
    str
        Its first line, or the name of its kind where it has no text.
    """
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
