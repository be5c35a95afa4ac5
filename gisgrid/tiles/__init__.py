"""What does a web map draw? Tiles of a layer, straight from its features or its raster.

`scheme` says which tile a place is in, `source` what all that draw have in common; `points`, `shapes` and `raster` draw
the kinds of layers, `mvt` writes and reads vector tiles, `archive` keeps tiles in one file; `vector` picks what draws a
layer of features.
"""

from gisgrid.tiles.points import PointSource
from gisgrid.tiles.raster import PNG_MEDIA_TYPE, RasterSource
from gisgrid.tiles.scheme import (
    EXTENT,
    MATRIX_SETS,
    MAX_LATITUDE,
    MAX_ZOOM,
    WEB_MERCATOR_QUAD,
    BBox,
    MatrixSet,
    bbox_tiles,
    check_tile,
    lonlat_world,
    matrix_set,
    tile_bbox,
    tile_bbox_mercator,
    world_lonlat,
)
from gisgrid.tiles.source import EMPTY_TILE, LowZoom, Thinning, Tile, TileSource
from gisgrid.tiles.vector import MVT_MEDIA_TYPE, VectorSource, counted_properties, vector_source
from gisgrid.tiles.warm import warm_up

__all__ = [
    "EMPTY_TILE",
    "EXTENT",
    "MATRIX_SETS",
    "MAX_LATITUDE",
    "MAX_ZOOM",
    "MVT_MEDIA_TYPE",
    "PNG_MEDIA_TYPE",
    "WEB_MERCATOR_QUAD",
    "BBox",
    "LowZoom",
    "MatrixSet",
    "PointSource",
    "RasterSource",
    "Thinning",
    "Tile",
    "TileSource",
    "VectorSource",
    "bbox_tiles",
    "check_tile",
    "counted_properties",
    "lonlat_world",
    "matrix_set",
    "tile_bbox",
    "tile_bbox_mercator",
    "vector_source",
    "warm_up",
    "world_lonlat",
]
