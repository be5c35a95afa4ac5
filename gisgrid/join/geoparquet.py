"""Which files hold the reports, do they go together, and what do they hold: GeoParquet in parts, read bit by bit."""

from __future__ import annotations

import glob
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from numpy.typing import NDArray
from pyproj import CRS
from pyproj.exceptions import CRSError as ProjCrsError

from gisgrid.crs import LONLAT, crs_label
from gisgrid.errors import ColumnError, CrsError, InputError, did_you_mean
from gisgrid.files import first_line
from gisgrid.join.points import column_coordinates

Paths = str | Path | Sequence[str | Path]
"""A file, a folder with all ``*.parquet`` in it and below, a pattern such as ``2026-*.parquet``, or several of these."""

_BATCH: Final = 1 << 17
"""Rows in memory at a time: 6 MB of points, so that neither the file's nor the row group's size matters."""
_PAGES: Final = 1 << 20
"""Bytes of a file that are read ahead."""
_NULL_FOLDER: Final = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True)
class Part:
    """Some row groups of a file that follow each other.

    Attributes
    ----------
    path
        The file.
    row_groups
        Which of its row groups.
    first_row, n_rows
        Where in the file they begin, and how many rows they have.
    geometry
        The column of the points.
    folders
        Columns that are not in the file but in the names of its folders (``month=2026-01``), always text.
    """

    path: str
    row_groups: tuple[int, ...]
    first_row: int
    n_rows: int
    geometry: str
    folders: Mapping[str, str | None]

    @property
    def name(self) -> str:
        """The file's name, for a sentence."""
        return Path(self.path).name

    def and_next(self, part: Part) -> Part:
        """Give this part and the next one of the same file as one.

        Parameters
        ----------
        part
            What follows this one in the file.

        Returns
        -------
        Part
            Both.
        """
        return replace(
            self, row_groups=self.row_groups + part.row_groups, n_rows=self.n_rows + part.n_rows
        )

    def batches(self, schema: pa.Schema) -> Iterator[tuple[NDArray[np.float64], pa.Table]]:
        """Read the part bit by bit.

        Parameters
        ----------
        schema
            What is needed beside the points.

        Yields
        ------
        tuple
            x, y of each row, shape (n, 2), NaN where it has no point; and the columns.

        Raises
        ------
        InputError
            The file cannot be read or changed meanwhile, or a shape is no point.
        """
        here = [name for name in schema.names if name not in self.folders]
        n_rows = 0
        try:
            with pq.ParquetFile(self.path, pre_buffer=False, buffer_size=_PAGES) as file:
                for batch in file.iter_batches(
                    _BATCH, row_groups=list(self.row_groups), columns=[self.geometry, *here], use_threads=False
                ):  # fmt: skip
                    xy = self._coordinates(batch.column(self.geometry), n_rows)
                    n_rows += len(xy)
                    yield xy, self._table(batch, schema)
        except (OSError, IndexError, pa.ArrowException, shapely.errors.GEOSException) as error:
            raise InputError(f"{self.name!r} cannot be read: {first_line(error)}") from error
        if n_rows != self.n_rows:
            raise InputError(
                f"{self.name!r} had {self.n_rows} rows and now has {n_rows}, but a file that is counted must not change; "
                "count again when it is written"
            )

    def _coordinates(self, column: pa.Array, before: int) -> NDArray[np.float64]:
        xy, wrong = column_coordinates(column)
        if wrong.any():
            raise InputError(
                f"{int(wrong.sum())} of {len(wrong)} shapes of {self.name!r} from row {self.first_row + before} on are no points "
                f"(first: row {self.first_row + before + int(np.argmax(wrong))}), but a report is in the unit that its "
                "point is in; give points, for example frame.set_geometry(frame.representative_point())"
            )
        return xy

    def _table(self, batch: pa.RecordBatch, schema: pa.Schema) -> pa.Table:
        arrays = [
            pa.repeat(pa.scalar(self.folders[field.name], pa.string()), len(batch))
            if field.name in self.folders
            else batch.column(field.name).cast(field.type)
            for field in schema
        ]
        # A table without any column would not know how many rows it has.
        return pa.table([pa.nulls(len(batch)), *arrays], names=["", *schema.names])


@dataclass(frozen=True)
class Partitions:
    """Files that go together.

    Attributes
    ----------
    parts
        Their row groups, in the order of the files.
    crs
        The CRS of all points.
    schema
        The columns that were asked for: text as ``string``, whatever the file's encoding.
    """

    parts: tuple[Part, ...]
    crs: CRS
    schema: pa.Schema

    @classmethod
    def open(cls, paths: Paths, columns: Sequence[str]) -> Partitions:
        """Look at the footers of all files, and see that they go together.

        Parameters
        ----------
        paths
            Where they are.
        columns
            What every file must have, beside its points.

        Returns
        -------
        Partitions
            Nothing but footers is read yet.

        Raises
        ------
        InputError
            There is no file, one is given twice, or one is no GeoParquet.
        CrsError
            A file has no CRS, or another one than the first.
        ColumnError
            A file lacks a column, or has it in another type than the first.
        """
        files = [_File.read(path, columns) for path in _listed(paths)]
        first = files[0]
        for file in files[1:]:
            if not file.crs.equals(first.crs, ignore_axis_order=True):
                raise CrsError(
                    f"partitions need one CRS, but {first.name!r} is in {crs_label(first.crs)} and {file.name!r} is in "
                    f"{crs_label(file.crs)}; reproject one of them first, or count them apart and add the counts"
                )
        schema = pa.schema([(column, _common_type(files, column)) for column in columns])
        return cls(tuple(part for file in files for part in file.parts), first.crs, schema)

    @property
    def n_rows(self) -> int:
        """Rows of all parts together."""
        return sum(part.n_rows for part in self.parts)

    def shares(self, n_rows: int) -> list[tuple[Part, ...]]:
        """Deal the parts into shares of work that are worth the sending.

        Parameters
        ----------
        n_rows
            A share is full with so many rows; one row group is never parted.

        Returns
        -------
        list of tuple of Part
            Every row group in one of them, in their order.
        """
        shares: list[list[Part]] = []
        room = 0
        for part in self.parts:
            if room <= 0:
                shares.append([])
                room = n_rows
            share = shares[-1]
            if share and share[-1].path == part.path:
                share[-1] = share[-1].and_next(part)
            else:
                share.append(part)
            room -= part.n_rows
        return [tuple(share) for share in shares]


@dataclass(frozen=True)
class _File:
    name: str
    crs: CRS
    types: Mapping[str, pa.DataType]
    parts: tuple[Part, ...]

    @classmethod
    def read(cls, path: Path, columns: Sequence[str]) -> _File:
        """Read the footer of a file."""
        try:
            with pq.ParquetFile(path) as file:
                footer, schema = file.metadata, file.schema_arrow
        except (OSError, pa.ArrowException) as error:
            raise InputError(
                f"{path.name!r} cannot be read as Parquet: {first_line(error)}"
            ) from error
        geometry, crs = _described(path.name, footer.metadata or {})
        folders = _folders(path)
        known = {name for name in (*schema.names, *folders) if name != geometry}
        if missing := [name for name in columns if name not in known]:
            raise ColumnError(
                f"{path.name!r} has no column {missing[0]!r}{did_you_mean(missing[0], known)}"
            )
        types = {
            name: pa.string() if name in folders else _plain_type(schema.field(name).type)
            for name in columns
        }
        sizes = [footer.row_group(i).num_rows for i in range(footer.num_row_groups)]
        starts = accumulate(sizes, initial=0)
        parts = tuple(
            Part(str(path), (i,), start, size, geometry, folders)
            for i, (start, size) in enumerate(zip(starts, sizes, strict=False))
        )
        return cls(path.name, crs, types, parts)


def _common_type(files: Sequence[_File], column: str) -> pa.DataType:
    """Give the type of a column in all files; one that is missing throughout a file has none of its own there."""
    typed = [file for file in files if not pa.types.is_null(file.types[column])]
    if not typed:
        return pa.null()
    kind = typed[0].types[column]
    for file in typed:
        if file.types[column] != kind:
            raise ColumnError(
                f"column {column!r} is {kind} in {typed[0].name!r} and {file.types[column]} in {file.name!r}, but "
                "partitions need one type; write one of them anew"
            )
    return kind


def _listed(paths: Paths) -> list[Path]:
    """Name the files, those of a folder or pattern in the order of their names."""
    given = [paths] if isinstance(paths, str | Path) else list(paths)
    files = [file for each in given for file in _found(each)]
    if not files:
        raise InputError(
            "no file of reports was given; name GeoParquet files, a folder or a pattern"
        )
    seen = set()
    for file in files:
        if (whole := file.resolve()) in seen:
            raise InputError(
                f"{str(file)!r} is given twice, and its reports would be counted twice; name it once"
            )
        seen.add(whole)
    return files


def _found(path: str | Path) -> list[Path]:
    place = Path(path)
    if place.is_file():
        return [place]
    if place.is_dir():
        inside = (file.relative_to(place) for file in place.rglob("*.parquet"))
        # What begins with a dot or an underscore is a draft or a note of the program that wrote the folder.
        found = [place / file for file in inside if not any(part[0] in "._" for part in file.parts)]
    else:
        names = glob.glob(str(path), recursive=True)  # noqa: PTH207 - the pattern may be absolute
        found = [file for name in names if (file := Path(name)).is_file()]
    if not found:
        kind = "folder" if place.is_dir() else "file or pattern"
        raise InputError(
            f"the {kind} {str(path)!r} holds no reports: there is no .parquet file; check the spelling"
        )
    return sorted(found)


def _folders(path: Path) -> dict[str, str | None]:
    """Give the columns in the names of a file's folders, as Spark, Dask and pyarrow write them."""
    pairs = (name.split("=", 1) for name in path.parent.parts if "=" in name)
    return {unquote(key): None if value == _NULL_FOLDER else unquote(value) for key, value in pairs}


def _described(name: str, metadata: Mapping[bytes, bytes]) -> tuple[str, CRS]:
    """Give the column of the points and their CRS, as GeoParquet describes them."""
    try:
        geo: dict[str, Any] = json.loads(metadata[b"geo"])
        geometry: str = geo["primary_column"]
        column: dict[str, Any] = geo["columns"][geometry]
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{name!r} is Parquet without a description of its shapes, but points need GeoParquet; "
            "write it so, for example with geopandas.GeoDataFrame.to_parquet or `gisgrid ingest`"
        ) from error
    # GeoParquet: without the key the CRS is OGC:CRS84; null says that it is unknown.
    crs = column.get("crs", LONLAT)
    if crs is None:
        raise CrsError(
            f"{name!r} says that its CRS is unknown, so its coordinates mean nothing; "
            "write it anew with its CRS, for example frame.set_crs('EPSG:4547').to_parquet(...)"
        )
    try:
        return geometry, CRS.from_user_input(crs)
    except ProjCrsError as error:
        raise CrsError(
            f"the CRS of {name!r} is none that PROJ knows ({first_line(error)}); write it anew with its CRS"
        ) from error


def _plain_type(kind: pa.DataType) -> pa.DataType:
    """Give the type of the values, whatever their encoding in the file."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return pa.string() if pa.types.is_large_string(kind) or pa.types.is_string_view(kind) else kind
