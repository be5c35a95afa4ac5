"""What `gisgrid hotspots` writes for a web map: its areas, or its surface, as tiles in one file."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

import geopandas as gpd
import pandas as pd

from gisgrid.cli.hotspots.result import Result
from gisgrid.files import write_surface
from gisgrid.surface import Surface
from gisgrid.tiles import RasterSource, TileSource, VectorSource
from gisgrid.tiles.archive import About, FieldKind, write_archive

LAYER: Final = "hotspots"
"""The name of the layer of areas in the archive; the units under cells are in the layer `units`."""

_ZOOMS: Final = (6, 14)


def write_tiles(result: Result, path: Path, *, title: str) -> None:
    """Write what was found as tiles.

    Parameters
    ----------
    result
        What was found.
    path
        The archive, ending in ``.pmtiles``.
    title
        What it is, for viewers.
    """
    if isinstance(result.frame, Surface):
        with tempfile.TemporaryDirectory() as folder:
            raster = Path(folder) / "surface.tif"
            write_surface(result.frame, raster)
            source = RasterSource.from_file(
                raster, layer_id=LAYER, minzoom=_ZOOMS[0], maxzoom=_ZOOMS[1]
            )
            write_archive([source], path, about=About(name=title))
        return
    areas = gpd.GeoDataFrame(result.frame)
    frames = {LAYER: areas}
    if result.outline is not None:
        frames["units"] = result.outline
    sources: list[TileSource] = [_source(frame, name) for name, frame in frames.items()]
    fields = {
        name: {column: _kind(frame[column]) for column in _columns(frame)}
        for name, frame in frames.items()
    }
    write_archive(sources, path, about=About(name=title, fields=fields))


def _source(frame: gpd.GeoDataFrame, name: str) -> TileSource:
    return VectorSource.from_frame(
        frame, layer_id=name, properties=_columns(frame), minzoom=_ZOOMS[0], maxzoom=_ZOOMS[1]
    )


def _columns(frame: gpd.GeoDataFrame) -> list[str]:
    return [str(column) for column in frame.columns if column != frame.geometry.name]


def _kind(values: pd.Series) -> FieldKind:
    if pd.api.types.is_bool_dtype(values):
        return "Boolean"
    return "Number" if pd.api.types.is_numeric_dtype(values) else "String"
