"""How are lines and polygons drawn? Prepared once per layer, cut and written per tile.

`flattening` lays geometry out flat, `simplification` says at which zoom a vertex begins to matter, `rounding` (with
`noding` and `faces`) brings shapes to the grid of a zoom and keeps them whole, `prepared` keeps all of it, `index` finds
what a tile shows, `clipping` and `drawing` draw it, `source` is what is asked for tiles.
"""

from gisgrid.tiles.shapes import warm
from gisgrid.tiles.shapes.prepared import PreparedShapes
from gisgrid.tiles.shapes.source import ShapeSource

__all__ = ["PreparedShapes", "ShapeSource", "warm"]
