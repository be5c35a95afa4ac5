"""Where does the city fray: which ground is urban, which is fringe, and how sure is that?

`degurba` (the Degree of Urbanisation of cells and units), `breaks` (where an index of lights, buildings and shops falls
off), `official` (the classes of the statistical office), `screen` (candidates for urban villages), `agreement` (where
the ways agree), `zonal` (what a raster holds in each area), `nodata` (values that mean nothing) and `rasters` (grids read a block of rows at a time).
Functions take surfaces, files of rasters and frames; none knows a layer.
"""

from gisgrid.zones.agreement import REST, agreement, zone_shares
from gisgrid.zones.breaks.index import urbanity_index
from gisgrid.zones.breaks.rays import Breaks, two_breaks
from gisgrid.zones.breaks.signs import known_within, place_density
from gisgrid.zones.degurba.cells import CELL_CLASSES, classify_cells, classify_raster
from gisgrid.zones.degurba.fringe import fringe_cells
from gisgrid.zones.degurba.rules import R2022, R2023, Rules
from gisgrid.zones.degurba.units import UNIT_CLASSES, classify_units
from gisgrid.zones.nodata import SuspectNodataWarning, suspect_nodata
from gisgrid.zones.official import (
    FRINGE_CLASSES,
    URBAN_RURAL_CLASSES,
    official_classes,
    suburban_villages,
)
from gisgrid.zones.screen import screen_accuracy, urban_village_screen
from gisgrid.zones.zonal import class_shares, zonal_statistics

__all__ = [
    "CELL_CLASSES",
    "FRINGE_CLASSES",
    "R2022",
    "R2023",
    "REST",
    "UNIT_CLASSES",
    "URBAN_RURAL_CLASSES",
    "Breaks",
    "Rules",
    "SuspectNodataWarning",
    "agreement",
    "class_shares",
    "classify_cells",
    "classify_raster",
    "classify_units",
    "fringe_cells",
    "known_within",
    "official_classes",
    "place_density",
    "screen_accuracy",
    "suburban_villages",
    "suspect_nodata",
    "two_breaks",
    "urban_village_screen",
    "urbanity_index",
    "zonal_statistics",
    "zone_shares",
]
