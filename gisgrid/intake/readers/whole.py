"""All rows of a source of areas at once, as a frame: grids are small enough to hold."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import shapely

from gisgrid.errors import InputError
from gisgrid.intake.readers.batch import joined
from gisgrid.intake.readers.source import Source


@dataclass(frozen=True)
class Whole:
    """A source of geometries, read to its end.

    Attributes
    ----------
    frame
        Shape (n, columns + 1), in the source's CRS, indexed by the source's row (``row``); open rings are closed, because
        no geometry in memory can be open.
    raw
        Shape (n,): the geometry in the file's own bytes (well-known binary), open rings and all.
    notes
        What was found on the way, a sentence each.
    """

    frame: gpd.GeoDataFrame
    raw: tuple[bytes | None, ...]
    notes: tuple[str, ...]


def read_whole(source: Source) -> Whole:
    """Read all rows of a source with geometry.

    Parameters
    ----------
    source
        What was opened.

    Returns
    -------
    Whole
        Its rows; records that cannot be read are left out and said in the notes.

    Raises
    ------
    InputError
        The source has no geometry, or none of its records can be read.
    """
    batch = joined([batch for batch, _ in source.batches()])
    if batch.wkb is None:
        what = (
            "text without polygons"
            if source.format in {"csv", "xlsx", "xls"}
            else "a table without geometry"
        )
        raise InputError(
            f"{source.name!r} is {what}; give the units as GeoPackage, GeoParquet, GeoJSON or Shapefile"
        )
    notes = [note.en for note in source.notes]
    if batch.refused:
        first = batch.refused[0]
        if not len(batch.rows):
            raise InputError(
                f"none of {len(batch.refused)} features of {source.name!r} can be read (first: row {first.row}, "
                f"{first.reason}); export the file again"
            )
        notes.append(
            f"{len(batch.refused)} of {batch.n_records} features cannot be read and are left out (first: row {first.row}, "
            f"{first.reason})"
        )
    raw = batch.wkb.to_numpy(zero_copy_only=False)
    shapes = shapely.from_wkb(raw, on_invalid="fix")
    table = pd.DataFrame(
        {
            name: _values(column).array
            for name, column in zip(source.columns, batch.table.columns, strict=True)
        },
        index=pd.Index(batch.rows, name="row"),
    )
    name = next(
        one for one in ("geometry", "geometry_1", "geometry_2") if one not in source.columns
    )
    table[name] = gpd.GeoSeries(np.asarray(shapes), table.index, crs=source.crs)
    frame = gpd.GeoDataFrame(table, geometry=name)
    return Whole(frame, tuple(raw.tolist()), tuple(notes))


def _values(column: pa.ChunkedArray) -> pd.Series:
    """Give a column as pandas holds it; whole numbers stay whole where some are missing."""
    whole = pa.types.is_integer(column.type) and column.null_count > 0
    mapper = {column.type: pd.Int64Dtype()}.get if whole else None
    values: pd.Series = column.to_pandas(types_mapper=mapper)
    return values
