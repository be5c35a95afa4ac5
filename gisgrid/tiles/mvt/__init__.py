"""How is a vector tile written and read? Mapbox Vector Tile 2.1, both ways.

`tags` numbers the values of a tile, `writer` writes a layer of drawn features, `reader` reads a tile and refuses what
the specification refuses; `wire` and `times` are how numbers and times are written, `messages` how fields are read.
"""

from gisgrid.tiles.mvt.reader import UNKNOWN, Feature, Layer, read_tile
from gisgrid.tiles.mvt.tags import TagRows, Tags
from gisgrid.tiles.mvt.writer import (
    LINE,
    MVT_MEDIA_TYPE,
    NO_ID,
    POINT,
    POLYGON,
    Drawn,
    point_commands,
    write_layer,
)

__all__ = [
    "LINE",
    "MVT_MEDIA_TYPE",
    "NO_ID",
    "POINT",
    "POLYGON",
    "UNKNOWN",
    "Drawn",
    "Feature",
    "Layer",
    "TagRows",
    "Tags",
    "point_commands",
    "read_tile",
    "write_layer",
]
