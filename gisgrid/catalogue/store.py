"""Where do the layers' data lie, and how are they read and written? One protocol; a folder of files keeps it."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, TypeVar

import geopandas as gpd
import pandas as pd
from pydantic import ValidationError
from pyproj import CRS

from gisgrid.catalogue.checksums import Checksums
from gisgrid.catalogue.layer import Layer
from gisgrid.catalogue.provenance import Provenance, Value
from gisgrid.errors import InputError, OutputError
from gisgrid.files import (
    first_line,
    make_folder,
    read_frame,
    read_surface,
    whole_file,
    write_frame,
    write_surface,
    write_table,
)
from gisgrid.schema import Field
from gisgrid.surface import Surface

Frame = TypeVar("Frame", bound=pd.DataFrame)


class Store(Protocol):
    """Keeps the data of layers: a folder, later a database."""

    def location(self, layer: Layer) -> str:
        """Say where the layer's data are, for a sentence."""

    def exists(self, layer: Layer) -> bool:
        """Tell whether the layer's data are there."""

    def read(self, layer: Layer) -> Value:
        """Read the layer's data."""

    def write(self, layer: Layer, value: Value) -> None:
        """Replace a derived layer's data as a whole."""

    def checksum(self, layer: Layer) -> str:
        """Give the checksum of the layer's data as they are now."""

    def provenance(self, layer: Layer) -> Provenance | None:
        """Give the record of how a derived layer was made, or None."""

    def write_provenance(self, record: Provenance) -> None:
        """Replace the record of how a derived layer was made."""


class FolderStore:
    """Layers as files in a folder.

    A source's file lies at `source.path` under the folder, in any format that GDAL opens or GeoParquet; a derived
    layer lies at ``derived/<id>.parquet`` (rasters: ``.tif``) with ``derived/<id>.provenance.json`` beside it.

    Parameters
    ----------
    folder
        The data folder.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._checksums = Checksums(self.folder / "derived" / ".checksums.json")

    def __repr__(self) -> str:
        return f"FolderStore({str(self.folder)!r})"

    def path(self, layer: Layer) -> Path:
        """Give the file of a layer, whether it is there or not.

        Parameters
        ----------
        layer
            Any layer.

        Returns
        -------
        Path
            Under the data folder.
        """
        if layer.source is not None:
            return self.folder / layer.source.path
        suffix = ".tif" if layer.kind == "raster" else ".parquet"
        return self.folder / "derived" / f"{layer.id}{suffix}"

    def location(self, layer: Layer) -> str:
        """Say where the layer's data are, for a sentence: the file's path."""
        return str(self.path(layer))

    def exists(self, layer: Layer) -> bool:
        """Tell whether the layer's file is there."""
        return self.path(layer).is_file()

    def read(self, layer: Layer) -> Value:
        """Read the layer's data.

        Parameters
        ----------
        layer
            Any layer.

        Returns
        -------
        GeoDataFrame, DataFrame or Surface
            In the file's own CRS; a file that states none has the one the description states. Numbers that a
            format could not keep as declared (a whole number read as 3.0) are given their declared type; nothing
            else is changed.

        Raises
        ------
        InputError
            The file is not there or cannot be read.
        """
        path = self.path(layer)
        if not path.is_file():
            step = (
                "run gisgrid build" if layer.is_derived else "put it there, or change source.path"
            )
            raise InputError(f"layer {layer.id!r} has no file {str(path)!r}; {step}")
        if layer.kind == "raster":
            return read_surface(path)
        if layer.kind == "table":
            return _read_table(path, layer)
        encoding = layer.source.encoding if layer.source is not None else None
        options = {"encoding": encoding} if encoding else {}
        frame: pd.DataFrame = read_frame(path, **options)
        if frame.crs is None and layer.crs is not None:
            frame = frame.set_crs(layer.crs)
        return frame if path.suffix == ".parquet" else _as_declared(frame, layer.fields)

    def write(self, layer: Layer, value: Value) -> None:
        """Replace a derived layer's data as a whole: GeoParquet, Parquet or COG.

        Parameters
        ----------
        layer
            A derived layer; a source is never written.
        value
            What it shall hold.

        Raises
        ------
        OutputError
            The layer is a source, or the folder cannot be written.
        """
        if not layer.is_derived:
            raise OutputError(
                f"layer {layer.id!r} is a source and is never written; change its file yourself"
            )
        path = self._derived_path(self.path(layer).name)
        if isinstance(value, Surface):
            write_surface(value, path)
        elif isinstance(value, gpd.GeoDataFrame):
            write_frame(value, path)
        else:
            write_table(value, path)

    def checksum(self, layer: Layer) -> str:
        """Give the SHA-256 of the layer's file as it is now.

        Parameters
        ----------
        layer
            Any layer whose file is there.

        Returns
        -------
        str
            64 hexadecimal digits.
        """
        return self._checksums.of(self.path(layer))

    def provenance(self, layer: Layer) -> Provenance | None:
        """Give the record of how a derived layer was made.

        Parameters
        ----------
        layer
            Any layer.

        Returns
        -------
        Provenance or None
            None for a source, a layer that was not built yet, and a record that cannot be read (it is built anew).
        """
        if not layer.is_derived:
            return None
        try:
            text = (self.folder / "derived" / f"{layer.id}.provenance.json").read_text("utf-8")
            return Provenance.model_validate_json(text)
        except (OSError, ValidationError, UnicodeDecodeError):
            return None

    def write_provenance(self, record: Provenance) -> None:
        """Replace the record of how a derived layer was made.

        Parameters
        ----------
        record
            The record; its `layer` names the file.
        """
        with whole_file(self._derived_path(f"{record.layer}.provenance.json")) as draft:
            draft.write_text(record.model_dump_json(indent=2) + "\n", encoding="utf-8")

    def _derived_path(self, name: str) -> Path:
        folder = self.folder / "derived"
        advice = "make the data folder first, or name another with --data"
        make_folder(folder, purpose="derived layers", advice=advice, parents=False)
        return folder / name


def same_crs(found: CRS | None, declared: str) -> bool:
    """Tell whether a file's CRS is the one its description states, however each of them is written.

    Parameters
    ----------
    found
        The file's CRS.
    declared
        As in ``layer.toml``.

    Returns
    -------
    bool
        Axis order is not compared: files hold easting and northing in that order whatever the CRS says.

    Examples
    --------
    >>> same_crs(CRS(4547), "EPSG:4547"), same_crs(CRS(4326), "OGC:CRS84"), same_crs(CRS(4546), "EPSG:4547")
    (True, True, False)
    """
    if found is None:
        return False
    return bool(CRS(found).equals(CRS(declared), ignore_axis_order=True))


def _read_table(path: Path, layer: Layer) -> pd.DataFrame:
    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path)
        words: dict[str, str] = {f.name: "str" for f in layer.fields if f.type == "string"}
        encoding = (layer.source.encoding if layer.source else None) or "utf-8-sig"
        table = pd.read_csv(path, dtype=words, encoding=encoding)
    except (OSError, ValueError) as error:
        raise InputError(f"{str(path)!r} cannot be read as a table: {first_line(error)}") from error
    for field in layer.fields:
        if field.type == "datetime" and field.name in table:
            table[field.name] = pd.to_datetime(table[field.name], utc=True, errors="coerce")
    return _as_declared(table, layer.fields)


def _as_declared(frame: Frame, fields: tuple[Field, ...]) -> Frame:
    """Give numbers their declared type where the format could not keep it and nothing is lost by it."""
    declared: dict[str, pd.Series] = {}
    for field in fields:
        values = frame.get(field.name)
        if values is None or not pd.api.types.is_numeric_dtype(values.dtype):
            continue
        if field.type == "integer" and pd.api.types.is_float_dtype(values.dtype):
            if (values.dropna() % 1 == 0).all():
                declared[field.name] = values.astype("Int64")
        elif field.type == "boolean" and values.dropna().isin([0, 1]).all():
            declared[field.name] = values.astype("boolean" if values.isna().any() else bool)
    return frame.assign(**declared)
