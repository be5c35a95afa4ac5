"""What does a web map draw of a surface?

`levels` reads the file at the right resolution, `sampling` finds the value at each pixel, `colours` says which colour
it has, `pictures` writes PNG and WebP, `source` is what a server asks for tiles.
"""

from gisgrid.tiles.raster.colours import Colours
from gisgrid.tiles.raster.pictures import nothing_png, palette_png
from gisgrid.tiles.raster.source import PNG_MEDIA_TYPE, SIDE, WEBP_MEDIA_TYPE, RasterSource

__all__ = [
    "PNG_MEDIA_TYPE",
    "SIDE",
    "WEBP_MEDIA_TYPE",
    "Colours",
    "RasterSource",
    "nothing_png",
    "palette_png",
]
