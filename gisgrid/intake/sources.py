"""What kind of file is this, and what rows does it hold?"""

from __future__ import annotations

import warnings
import zipfile
from pathlib import Path
from typing import Final

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio

from gisgrid.errors import InputError
from gisgrid.files import first_line, read_frame

TEXT_SUFFIXES: Final = (".csv", ".tsv", ".txt")
VECTOR_SUFFIXES: Final = (".geojson", ".json", ".gpkg", ".shp", ".fgb")
PACKED_SUFFIXES: Final = (".zip", ".gz")

_WHOLE_NUMBERS: Final = {pa.int32(): pd.Int32Dtype(), pa.int64(): pd.Int64Dtype()}
"""Whole numbers stay whole where some are missing."""

_GBK_DRIVER: Final = 0x4D  # the dBASE language driver that says GBK
_UNSAID_DRIVERS: Final = (
    0x00,
    0x03,
    0x57,
    _GBK_DRIVER,
)  # unsaid, "Windows ANSI", "current ANSI": says nothing


def require_file(path: Path) -> None:
    """Make sure that there is a file with something in it.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    InputError
        There is none, it is a folder, or it has no bytes.
    """
    if not path.exists():
        raise InputError(f"there is no file {str(path)!r}; check the spelling and the folder")
    if path.is_dir():
        raise InputError(f"{str(path)!r} is a folder but a file is needed; name the file in it")
    if path.stat().st_size == 0:
        raise InputError(
            f"{path.name!r} is empty (0 bytes), so there is nothing to read; check that the export finished"
        )


def is_text(path: Path) -> bool:
    """Tell whether a file holds delimited text, packed or not.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    bool
        True for ``.csv``, ``.tsv``, ``.txt``, alone or in a ``.zip`` or ``.gz``.
    """
    suffix = path.suffix.lower()
    if suffix == ".zip" and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return any(name.lower().endswith(TEXT_SUFFIXES) for name in archive.namelist())
    if suffix == ".gz":
        return path.with_suffix("").suffix.lower() in TEXT_SUFFIXES
    return suffix in TEXT_SUFFIXES


def is_plain_parquet(path: Path) -> bool:
    """Tell whether a file is Parquet without the geometry that GeoParquet declares.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    bool
        True for a plain table.

    Raises
    ------
    InputError
        The name ends in ``.parquet`` but the bytes are something else.
    """
    if path.suffix.lower() != ".parquet":
        return False
    try:
        return b"geo" not in (pq.read_schema(path).metadata or {})
    except (OSError, ValueError) as error:
        raise InputError(f"{path.name!r} is no Parquet file: {first_line(error)}") from error


def read_plain_parquet(path: Path) -> pd.DataFrame:
    """Read a Parquet table without geometry.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    DataFrame
        Indexed by the row (1 is the first).
    """
    table: pd.DataFrame = pq.read_table(path).to_pandas(
        ignore_metadata=True, types_mapper=_WHOLE_NUMBERS.get
    )
    table.index = pd.RangeIndex(1, len(table) + 1, name="row")
    return table


def read_vector(
    path: Path, *, layer: str | None, option: str
) -> tuple[gpd.GeoDataFrame, tuple[str, ...]]:
    """Read a file with geometry, the encoding of a Shapefile's text settled.

    Parameters
    ----------
    path
        GeoParquet, GeoPackage, GeoJSON, FlatGeobuf or Shapefile (alone or in a ``.zip``).
    layer
        The layer, where the file has several.
    option
        The command-line option that names the layer, for the error.

    Returns
    -------
    frame : GeoDataFrame
        Indexed by the row (1 is the first), in the file's CRS, which may be missing.
    notes : tuple of str
        What was decided on the way.

    Raises
    ------
    InputError
        Not a vector file, no rows, no geometry, or several layers and none chosen.
    """
    suffix = path.suffix.lower()
    readable = (*TEXT_SUFFIXES, *VECTOR_SUFFIXES, ".parquet", *PACKED_SUFFIXES)
    if suffix not in (*VECTOR_SUFFIXES, ".parquet", ".zip"):
        raise InputError(
            f"{path.name!r} ends in {path.suffix!r}, which is not read; choose one of {', '.join(readable)}"
        )
    notes: list[str] = []
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        if suffix == ".parquet":
            frame = read_frame(path)
        else:
            layer = _layer(path, layer, option)
            frame = _read_with_encoding(path, layer, notes)
    notes += [f"GDAL says of {path.name!r}: {first_line(Exception(str(w.message)))}" for w in heard]
    if not isinstance(frame, gpd.GeoDataFrame):
        raise InputError(f"{path.name!r} has rows but no geometry; give a file with geometry")
    if frame.empty:
        raise InputError(f"{path.name!r} has no features; check that the export finished")
    frame.index = pd.RangeIndex(1, len(frame) + 1, name="row")
    return frame, tuple(dict.fromkeys(notes))


def _layer(path: Path, layer: str | None, option: str) -> str | None:
    """Choose the layer: the one asked for, or the only one with geometry."""
    try:
        layers = [str(name) for name, kind in pyogrio.list_layers(path) if kind is not None]
    except Exception as error:
        raise InputError(
            f"{path.name!r} cannot be read as a vector file: {first_line(error)}"
        ) from error
    if layer is None and len(layers) > 1:
        raise InputError(
            f"{path.name!r} has {len(layers)} layers ({', '.join(layers)}); choose one with {option}"
        )
    if layer is not None and layer not in layers:
        raise InputError(
            f"no layer {layer!r} in {path.name!r}; it has: {', '.join(layers) or 'none with geometry'}"
        )
    return layer or (layers[0] if layers else None)


def _read_with_encoding(path: Path, layer: str | None, notes: list[str]) -> gpd.GeoDataFrame:
    """Read, and where a Shapefile does not say its encoding, take the first that all its text obeys."""
    if not _encoding_unsaid(path):
        return read_frame(path, layer=layer)
    for encoding in ("utf-8", "gb18030"):
        try:
            frame = gpd.read_file(path, layer=layer, encoding=encoding)
        except UnicodeDecodeError:
            continue
        if any(not str(text).isascii() for text in _texts(frame)):
            notes.append(
                f"{path.name!r} does not say its encoding (no .cpg); its text is read as {encoding}"
            )
        return frame
    return read_frame(path, layer=layer)


def _texts(frame: gpd.GeoDataFrame) -> list[object]:
    names: list[object] = list(frame.columns)
    for column in frame.columns:
        if pd.api.types.is_string_dtype(frame[column].dtype):
            names += frame[column].dropna().unique().tolist()
    return names


def _encoding_unsaid(path: Path) -> bool:
    """Tell whether this is a Shapefile without .cpg whose header names no certain code page."""
    if path.suffix.lower() == ".shp":
        if any(path.with_suffix(end).exists() for end in (".cpg", ".CPG")):
            return False
        for end in (".dbf", ".DBF"):
            if (table := path.with_suffix(end)).exists():
                with table.open("rb") as raw:
                    return raw.read(30)[29:30] in _driver_bytes()
        return False
    if path.suffix.lower() == ".zip":
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            tables = [name for name in names if name.lower().endswith(".dbf")]
            if not tables or any(name.lower().endswith(".cpg") for name in names):
                return False
            with archive.open(tables[0]) as raw:
                return raw.read(30)[29:30] in _driver_bytes()
    return False


def _driver_bytes() -> tuple[bytes, ...]:
    return tuple(bytes([driver]) for driver in _UNSAID_DRIVERS)
