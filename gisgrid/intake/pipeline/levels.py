"""Which unit of every level is each point in, batch after batch: the levels are laid out once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray
from pyproj import CRS, Transformer

from gisgrid.crs import LONLAT
from gisgrid.join import LevelIndex


@dataclass(frozen=True)
class Levels:
    """The levels of units, ready to be asked.

    Attributes
    ----------
    indexes
        Per level, under the name of its code column.
    """

    indexes: Mapping[str, LevelIndex]

    @classmethod
    def of(cls, units: Mapping[str, gpd.GeoDataFrame]) -> Levels:
        """Lay out the levels.

        Parameters
        ----------
        units
            Per level, under the name of its code column, polygons in any CRS.

        Returns
        -------
        Levels
            For `positions`.
        """
        return cls({level: LevelIndex.of(frame, level) for level, frame in units.items()})

    def positions(
        self, lon: NDArray[np.float64], lat: NDArray[np.float64]
    ) -> list[NDArray[np.int32]]:
        """Find the unit of each point on every level.

        Parameters
        ----------
        lon, lat
            Shape (n,), WGS84 degrees.

        Returns
        -------
        list of ndarray
            Per level, shape (n,): the position in the level's codes, or -1.
        """
        known: list[tuple[CRS, NDArray[np.float64]]] = []
        found = []
        for index in self.indexes.values():
            xy = next(
                (xy for crs, xy in known if crs.equals(index.crs, ignore_axis_order=True)), None
            )
            if xy is None:
                xy = in_crs(lon, lat, index.crs)
                known.append((index.crs, xy))
            found.append(index.positions(xy))
        return found


def in_crs(lon: NDArray[np.float64], lat: NDArray[np.float64], crs: CRS) -> NDArray[np.float64]:
    """Bring longitude and latitude to a CRS.

    Parameters
    ----------
    lon, lat
        Shape (n,), WGS84 degrees.
    crs
        Any CRS.

    Returns
    -------
    ndarray
        Shape (n, 2), x before y; NaN where the CRS does not reach.
    """
    if crs.equals(LONLAT, ignore_axis_order=True):
        return np.column_stack([lon, lat])
    x, y = _from_lonlat(crs.to_wkt()).transform(lon, lat, errcheck=False)
    xy = np.column_stack([x, y])
    xy[~np.isfinite(xy).all(axis=1)] = np.nan
    return xy


@lru_cache(maxsize=16)
def _from_lonlat(wkt: str) -> Transformer:
    """Make a transformer once: PROJ takes up to a second to choose among its ways."""
    return Transformer.from_crs(LONLAT, CRS.from_wkt(wkt), always_xy=True)
