"""What does a web map draw? Tiles of a layer, straight from a frame or a raster.

`scheme` says which tile a place is in, `vector` and `raster` draw the two kinds of layers, `source` is what both have
in common.
"""

from gisgrid.tiles.raster import PNG_MEDIA_TYPE, RasterSource
from gisgrid.tiles.scheme import (
    EXTENT,
    MAX_LATITUDE,
    MAX_ZOOM,
    BBox,
    bbox_tiles,
    check_tile,
    lonlat_world,
    tile_bbox,
    tile_bbox_mercator,
    world_lonlat,
)
from gisgrid.tiles.source import TileSource
from gisgrid.tiles.vector import MVT_MEDIA_TYPE, VectorSource

__all__ = [
    "EXTENT",
    "MAX_LATITUDE",
    "MAX_ZOOM",
    "MVT_MEDIA_TYPE",
    "PNG_MEDIA_TYPE",
    "BBox",
    "RasterSource",
    "TileSource",
    "VectorSource",
    "bbox_tiles",
    "check_tile",
    "lonlat_world",
    "tile_bbox",
    "tile_bbox_mercator",
    "world_lonlat",
]
