"""What draws a layer: the same for a server and for an archive."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from gisgrid.catalogue import FolderStore, Layer, Tiles
from gisgrid.errors import LayerNotFoundError
from gisgrid.features import FeatureTable
from gisgrid.prepared.shown import layer_low_zoom, layer_privacy, shown_fields
from gisgrid.prepared.state import Prepared
from gisgrid.tiles import PointSource, RasterSource, TileSource, vector_source
from gisgrid.tiles.scheme import WEB_MERCATOR_QUAD, MatrixSet
from gisgrid.tiles.shapes.source import ShapeSource


def layer_source(
    prepared: Prepared, store: FolderStore, *, matrix_set: MatrixSet = WEB_MERCATOR_QUAD
) -> TileSource:
    """Make what draws a layer: the same for a server and for an archive.

    Parameters
    ----------
    prepared
        The layer as it lies ready.
    store
        Where a raster's file is.
    matrix_set
        Which tiles.

    Returns
    -------
    TileSource
        It shows what the description says, and nothing else.

    Raises
    ------
    LayerNotFoundError
        The layer is not drawn.
    """
    layer, tiles = prepared.layer, prepared.layer.tiles
    if tiles is None or layer.kind == "table":
        raise LayerNotFoundError(f"layer {layer.id!r} is not drawn: its description has no [tiles]")
    if layer.kind == "raster" or prepared.table is None:
        return RasterSource.from_file(
            store.path(layer), layer_id=layer.id, minzoom=tiles.minzoom, maxzoom=tiles.maxzoom
        )
    return table_source(layer, prepared.table, folder=prepared.folder, matrix_set=matrix_set)


def table_source(
    layer: Layer,
    table: FeatureTable,
    *,
    folder: Path | None = None,
    matrix_set: MatrixSet = WEB_MERCATOR_QUAD,
) -> PointSource | ShapeSource:
    """Make what draws the features of a layer.

    Parameters
    ----------
    layer
        A drawn layer of features.
    table
        Its rows, blurred already where the description asks for that.
    folder
        Where they lie; what is worked out for them is laid down there too.
    matrix_set
        Which tiles.

    Returns
    -------
    PointSource or ShapeSource
        Ready to draw; fresh rows can be put over it.
    """
    tiles = layer.tiles or Tiles()
    shown = tuple(field.name for field in shown_fields(layer))
    source = vector_source(
        table,
        layer_id=layer.id,
        properties=shown,
        minzoom=tiles.minzoom,
        maxzoom=tiles.maxzoom,
        privacy=replace(layer_privacy(layer), blur_m=0.0, keep=shown),
        low_zoom=layer_low_zoom(layer),
        matrix_set=matrix_set,
        folder=folder,
    )
    return source.prepare() if isinstance(source, PointSource) else source
