"""Parquet and GeoParquet, a part of a row group at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from gisgrid.crs import LONLAT
from gisgrid.errors import InputError
from gisgrid.files import first_line
from gisgrid.intake.readers.batch import (
    ROWS_AT_ONCE,
    Batch,
    Source,
    first_rows,
    joined,
    plain_types,
    shown_name,
)
from gisgrid.intake.readers.geometry import wkb_of_shapes
from gisgrid.schema import Text

_NATIVE: Final = {
    "point": shapely.GeometryType.POINT,
    "linestring": shapely.GeometryType.LINESTRING,
    "polygon": shapely.GeometryType.POLYGON,
    "multipoint": shapely.GeometryType.MULTIPOINT,
    "multilinestring": shapely.GeometryType.MULTILINESTRING,
    "multipolygon": shapely.GeometryType.MULTIPOLYGON,
}


class _Parquet:
    """A Parquet file and what its metadata say of geometry."""

    def __init__(self, path: Path, name: str) -> None:
        self.path = path
        self.name = name
        with self.open() as file:
            self.n_rows: int = file.metadata.num_rows
            schema = file.schema_arrow
            self.n_groups: int = file.num_row_groups
        self.geo = _geo(schema, name)
        self.primary = str(self.geo["primary_column"]) if self.geo else None
        hidden = {self.primary, *_coverings(self.geo)}
        self.columns = tuple(column for column in schema.names if column not in hidden)

    @contextmanager
    def open(self) -> Iterator[pq.ParquetFile]:
        """Open it; every fault of the file is an InputError."""
        try:
            with self.path.open("rb") as raw, pq.ParquetFile(raw) as file:
                yield file
        except (OSError, ValueError, pa.ArrowException) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(
                f"{self.name!r} cannot be read as Parquet ({first_line(error)}); copy it again, or export it again"
            ) from error

    def batches(self, groups: list[int] | None = None) -> Iterator[tuple[Batch, float]]:
        """Give the rows of some row groups."""
        wanted = [*self.columns, *([self.primary] if self.primary else [])]
        with self.open() as file:
            sizes = [file.metadata.row_group(at).num_rows for at in range(self.n_groups)]
            starts = np.cumsum([0, *sizes])
            for group in range(self.n_groups) if groups is None else groups:
                at = int(starts[group])
                for part in file.iter_batches(ROWS_AT_ONCE, row_groups=[group], columns=wanted):
                    batch = self._batch(pa.Table.from_batches([part]), at)
                    at += len(part)
                    yield batch, at / max(1, self.n_rows)

    def _batch(self, table: pa.Table, at: int) -> Batch:
        wkb = None
        if self.primary is not None:
            wkb = self._wkb(table.column(self.primary))
        rows = np.arange(at + 1, at + table.num_rows + 1, dtype=np.int64)
        return Batch(rows, plain_types(table.select(list(self.columns))), wkb)

    def _wkb(self, column: pa.ChunkedArray) -> pa.Array:
        encoding = str(self._column_metadata().get("encoding", "WKB"))
        array = _one_chunk(column)
        if encoding == "WKB":
            return array.cast(pa.binary())
        if encoding not in _NATIVE:
            raise InputError(
                f"{self.name!r} holds geometry encoded as {encoding!r}, which is not read; write it as WKB"
            )
        return wkb_of_shapes(_shapes(array, encoding))

    def _column_metadata(self) -> Mapping[str, object]:
        columns = self.geo.get("columns") if self.geo else None
        one = columns.get(self.primary) if isinstance(columns, dict) else None
        return one if isinstance(one, dict) else {}

    @property
    def crs(self) -> CRS | None:
        """The CRS of the geometry: WGS84 longitude, latitude where the metadata name none."""
        if self.primary is None:
            return None
        column = self._column_metadata()
        stated = column.get("crs", LONLAT)
        return None if stated is None else CRS.from_user_input(stated)

    def sample(self, n: int) -> Batch:
        """Take rows of the first, the middle and the last row group."""
        groups = sorted({0, self.n_groups // 2, self.n_groups - 1}) if self.n_rows > n else None
        if groups is None or len(groups) == 1:
            return first_rows(joined(list(_until(self.batches(groups), n))), n)
        share = -(-n // len(groups))
        return joined(
            [first_rows(joined(list(_until(self.batches([one]), share))), share) for one in groups]
        )


def open_parquet(path: Path) -> Source:
    """Open a Parquet or GeoParquet file.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    Source
        Typed columns; the geometry that its metadata call primary as WKB, without its bounding boxes.

    Raises
    ------
    InputError
        Damaged, without rows, or geometry in an unknown encoding.
    """
    name = shown_name(path)
    file = _Parquet(path, name)
    if not file.n_rows:
        raise InputError(
            f"{name!r} has columns ({len(file.columns)}) but no rows; check that the export finished"
        )
    notes = (
        (Text(zh=f"几何列 {file.primary!r}", en=f"geometry is the column {file.primary!r}"),)
        if file.primary
        else ()
    )
    return Source(
        name=name,
        format="geoparquet" if file.primary else "parquet",
        columns=file.columns,
        crs=file.crs,
        n_rows=file.n_rows,
        notes=notes,
        stream=file.batches,
        pick=file.sample,
    )


def _geo(schema: pa.Schema, name: str) -> Mapping[str, object] | None:
    """Read what GeoParquet says of its geometry; None for a plain table."""
    raw = (schema.metadata or {}).get(b"geo")
    if raw is None:
        return None
    try:
        geo = json.loads(raw)
        known = geo["primary_column"] in schema.names
    except (ValueError, KeyError, TypeError, RecursionError):
        known = False
    if not known:
        raise InputError(
            f"{name!r} says it is GeoParquet but does not name its geometry; write it again"
        )
    return dict(geo)


def _coverings(geo: Mapping[str, object] | None) -> Iterator[str]:
    """Give the columns that only repeat the bounding boxes of the geometry."""
    columns = geo.get("columns") if geo else None
    for one in columns.values() if isinstance(columns, dict) else ():
        covering = one.get("covering") if isinstance(one, dict) else None
        for paths in covering.values() if isinstance(covering, dict) else ():
            for path in paths.values() if isinstance(paths, dict) else ():
                if isinstance(path, list) and path:
                    yield str(path[0])


def _until(batches: Iterator[tuple[Batch, float]], n: int) -> Iterator[Batch]:
    for batch, _ in batches:
        yield batch
        n -= len(batch.rows)
        if n <= 0:
            return


def _one_chunk(column: pa.ChunkedArray) -> pa.Array:
    array = column.combine_chunks()
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _shapes(array: pa.Array, encoding: str) -> NDArray[np.object_]:
    """Make geometries of nested lists of coordinates."""
    shapes = np.full(len(array), None, dtype=object)
    known = array.is_valid()
    kept = array.filter(known)
    offsets: list[NDArray[np.int64]] = []
    level = kept
    while pa.types.is_list(level.type) or pa.types.is_large_list(level.type):
        begins = np.asarray(level.offsets, dtype=np.int64)
        offsets.append(begins - begins[0])
        level = level.flatten()
    coordinates = np.column_stack([pc.struct_field(level, [axis]) for axis in ("x", "y")])
    shapes[np.asarray(known)] = shapely.from_ragged_array(
        _NATIVE[encoding], coordinates, tuple(reversed(offsets)) or None
    )
    return shapes
