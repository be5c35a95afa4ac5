"""What are the units that a city is looked at by?"""

from gisgrid.grids.tessellation import tessellate

__all__ = ["tessellate"]
