"""A quantity spread over the ground: an array, where it lies, and what its numbers are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from pyproj import CRS


@dataclass(frozen=True)
class Surface:
    """A raster in memory, north up.

    Attributes
    ----------
    values
        Shape (height, width), row 0 in the north. NaN where there is no value.
    transform
        Pixel corner (column, row) to easting, northing.
    crs
        The CRS of the ground coordinates.
    unit
        The unit of the values, for example ``issues/km²``.
    """

    values: NDArray[np.float32]
    transform: Affine
    crs: CRS
    unit: str

    @property
    def bbox(self) -> tuple[float, float, float, float]:
        """West, south, east, north of the surface in its CRS."""
        height, width = self.values.shape
        west, north = self.transform.c, self.transform.f
        return west, north + height * self.transform.e, west + width * self.transform.a, north

    @property
    def cell_area(self) -> float:
        """Ground area of one cell, in square units of the CRS."""
        return abs(self.transform.a * self.transform.e)
