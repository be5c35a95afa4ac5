"""How is a layer of points drawn? From rows that stand in the order of the Z-curve, where every tile is one run.

`source` draws tiles, `base` and `parts` are what it draws from, `index` and `values` lay the rows out, `search` finds
those of a tile, `encoding` writes them; `cells` counts and `thinning` chooses where they are too many.
"""

from gisgrid.tiles.points import warm
from gisgrid.tiles.points.source import PointSource

__all__ = ["PointSource", "warm"]
