"""Where does the city fray: which ground is urban, which is fringe, and how sure is that?

`degurba` (the Degree of Urbanisation of cells and units), `breaks` (where an index of lights, buildings and shops falls off), `zonal` (what
a raster holds in each area) and `rasters` (grids read a block of rows at a time).
Functions take surfaces, files of rasters and frames; none knows a layer.
"""

from gisgrid.zones.breaks.index import urbanity_index
from gisgrid.zones.breaks.rays import Breaks, two_breaks
from gisgrid.zones.degurba.cells import CELL_CLASSES, classify_cells, classify_raster
from gisgrid.zones.degurba.fringe import fringe_cells
from gisgrid.zones.degurba.rules import R2022, R2023, Rules
from gisgrid.zones.degurba.units import UNIT_CLASSES, classify_units
from gisgrid.zones.zonal import SuspectNodataWarning, class_shares, zonal_statistics

__all__ = [
    "CELL_CLASSES",
    "R2022",
    "R2023",
    "UNIT_CLASSES",
    "Breaks",
    "Rules",
    "SuspectNodataWarning",
    "class_shares",
    "classify_cells",
    "classify_raster",
    "classify_units",
    "fringe_cells",
    "two_breaks",
    "urbanity_index",
    "zonal_statistics",
]
