"""How do millions of rows become a file that GIS programs open, without holding them all?"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pyogrio
from numpy.typing import NDArray
from pyproj import CRS

from gisgrid.crs import LONLAT
from gisgrid.errors import OutputError
from gisgrid.files import FRAME_SUFFIXES, first_line

_POINT: Final = np.dtype([("order", "u1"), ("type", "<u4"), ("x", "<f8"), ("y", "<f8")])
_DRIVERS: Final[Mapping[str, str]] = {".gpkg": "GPKG", ".geojson": "GeoJSON", ".fgb": "FlatGeobuf"}
_RECORD, _MADE_BY = "gisgrid", "gisgrid ingest"
_GEOPARQUET: Final = "1.1.0"
_LOOKED_AT, _OFTEN = 10_000, 0.2


def require_output(path: Path) -> None:
    """See that rows can be written by that name.

    Parameters
    ----------
    path
        Where they shall go.

    Raises
    ------
    OutputError
        A suffix that is not written.
    """
    if path.suffix not in FRAME_SUFFIXES:
        raise OutputError(
            f"{path.name!r} ends in {path.suffix!r}, which is not written; choose one of {', '.join(FRAME_SUFFIXES)}"
        )


def is_result(path: Path) -> bool:
    """Tell whether a file is one that `write_points` wrote, so that its points are what it says they are.

    Parameters
    ----------
    path
        Any file.

    Returns
    -------
    bool
        True for GeoParquet with our own record.
    """
    if path.suffix != ".parquet" or not path.is_file():
        return False
    try:
        metadata = pq.read_schema(path).metadata or {}
    except (OSError, pa.ArrowInvalid):
        return False
    return _MADE_BY.encode() in metadata.get(_RECORD.encode(), b"")


def point_wkb(x: NDArray[np.float64], y: NDArray[np.float64]) -> pa.Array:
    """Write points as WKB, all at once.

    Parameters
    ----------
    x, y
        Shape (n,), no NaN.

    Returns
    -------
    pyarrow.Array
        Shape (n,), binary: little-endian points of 21 bytes.

    Examples
    --------
    >>> import shapely
    >>> shapely.from_wkb(point_wkb(np.array([113.5]), np.array([35.25]))[0].as_py()).wkt
    'POINT (113.5 35.25)'
    """
    points = np.empty(len(x), _POINT)
    points["order"], points["type"], points["x"], points["y"] = 1, 1, x, y
    offsets = np.arange(len(x) + 1, dtype=np.int32) * _POINT.itemsize
    return pa.Array.from_buffers(
        pa.binary(), len(x), [None, pa.py_buffer(offsets), pa.py_buffer(points)]
    )


def write_points(
    tables: Iterator[pa.Table],
    schema: pa.Schema,
    path: Path,
    *,
    crs: CRS,
    bbox: tuple[float, float, float, float] | None,
    layer: str,
) -> None:
    """Write rows with points by the suffix of the file, part by part.

    Parameters
    ----------
    tables
        The rows, each part a table of `schema`; one row group of GeoParquet each.
    schema
        Their columns; the points are WKB in ``geometry``.
    path
        The file to write.
    crs
        The CRS of the points.
    bbox
        West, south, east, north of all points; None where there are none.
    layer
        The layer's name, where the format has one.

    Raises
    ------
    OutputError
        GDAL cannot write it.
    """
    if path.suffix == ".parquet":
        metadata = {
            "geo": json.dumps(_geo(crs, bbox), ensure_ascii=False, sort_keys=True),
            _RECORD: json.dumps({"made_by": _MADE_BY}),
        }
        first, tables = _peeked(tables)
        with pq.ParquetWriter(
            path, schema, compression="zstd", compression_level=1, store_schema=False,
            use_dictionary=_repeating(first), write_statistics=_worth_statistics(schema),
        ) as writer:  # fmt: skip
            writer.add_key_value_metadata(metadata)
            for table in tables:
                writer.write_table(table, row_group_size=max(len(table), 1))
        return
    options: dict[str, Any] = {"RFC7946": "YES"} if path.suffix == ".geojson" else {}
    reader = pa.RecordBatchReader.from_batches(
        schema, (batch for table in tables for batch in table.to_batches())
    )
    try:
        pyogrio.write_arrow(
            reader, path, driver=_DRIVERS[path.suffix], layer=layer, geometry_name="geometry",
            geometry_type="Point", crs=_exchanged(crs), **options,
        )  # fmt: skip
    except pyogrio.errors.DataSourceError as error:
        raise OutputError(f"{path.name!r} cannot be written: {first_line(error)}") from error


def _exchanged(crs: CRS) -> str:
    """Name a CRS as other programs know it: what is longitude, latitude is EPSG:4326 to them, in whatever order."""
    return "EPSG:4326" if crs.equals(LONLAT) else str(crs.to_wkt())


def _peeked(tables: Iterator[pa.Table]) -> tuple[pa.Table | None, Iterator[pa.Table]]:
    first = next(tables, None)
    return first, tables if first is None else chain([first], tables)


def _repeating(table: pa.Table | None) -> list[str]:
    """Name the columns of text whose values come again and again: a dictionary of others costs twice the time."""
    if table is None or not len(table):
        return []
    some = table.slice(len(table) // 2, _LOOKED_AT)
    return [
        name for name, column in zip(some.column_names, some.columns, strict=True)
        if pa.types.is_string(column.type) and pc.count_distinct(column, mode="all").as_py() <= _OFTEN * len(some)
    ]  # fmt: skip


def _worth_statistics(schema: pa.Schema) -> list[str]:
    """Name the columns whose smallest and largest value help a reader to skip rows: not the shapes, not long texts."""
    return [
        field.name for field in schema
        if pa.types.is_integer(field.type) or pa.types.is_floating(field.type) or pa.types.is_timestamp(field.type)
    ]  # fmt: skip


def _geo(crs: CRS, bbox: tuple[float, float, float, float] | None) -> dict[str, Any]:
    """Describe the geometry column as GeoParquet demands."""
    column: dict[str, Any] = {"encoding": "WKB", "geometry_types": ["Point"] if bbox else []}
    # Where GeoParquet is told no CRS it is OGC:CRS84.
    if not crs.equals(LONLAT):
        column["crs"] = json.loads(crs.to_json())
    if bbox is not None:
        column["bbox"] = list(bbox)
    return {"version": _GEOPARQUET, "primary_column": "geometry", "columns": {"geometry": column}}
