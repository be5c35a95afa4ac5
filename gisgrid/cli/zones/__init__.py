"""`gisgrid zones`: which ground is urban, which is fringe, and where do the ways of telling agree?

`group` (the commands), `raster_commands` and `unit_commands` (their options), `rasters`, `breaks`, `units` and `agreeing` (their
work), `grids` (rasters brought to one grid).
"""
