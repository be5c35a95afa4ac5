"""What would satellites see of the synthetic city: residents, buildings, lights, and where the shops are?"""

from __future__ import annotations

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from affine import Affine
from numpy.typing import NDArray
from pyproj import CRS
from scipy import ndimage

from gisgrid.errors import InputError
from gisgrid.surface import Surface
from gisgrid.testing.city import City
from gisgrid.testing.grids import CRS_CODE

_BUILT: Mapping[str, float] = {
    "gated_compound": 0.34, "old_compound": 0.46, "institution": 0.38, "village_group": 0.07,
}  # fmt: skip
"""Which share of a compound's ground is under roofs."""

_LIT_M = 700.0
_FINE = 5


def city_surfaces(city: City, *, cell_m: float = 500.0) -> dict[str, Surface]:
    """Make the rasters of a synthetic city from its layers.

    Parameters
    ----------
    city
        As from `synthetic_city`.
    cell_m
        Side of the square cells, metres, 50 to 2000.

    Returns
    -------
    dict of Surface
        On the same cells, with an empty rim: ``residents`` per cell, ``built`` (share of the ground, 0 to 1), ``lights``
        (what a satellite sees at night: buildings, blurred) and ``shops`` (shops, markets and bus stops per km²).

    Raises
    ------
    InputError
        Cells of another size.

    Notes
    -----
    Residents live evenly in their compound; they and the buildings are counted on cells a fifth as wide, by the compound
    that holds the middle, and residents are added up exactly. Nothing is drawn by chance.

    Examples
    --------
    >>> from gisgrid.testing import synthetic_city
    >>> city = synthetic_city(seed=1, n_issues=2_000, years=1)
    >>> people = city_surfaces(city, cell_m=1000)["residents"].values
    >>> bool(abs(people.sum() - city.layers["compounds"]["population"].sum()) < 5)
    True
    """
    if not 50 <= cell_m <= 2000:
        raise InputError(
            f"cell_m is {cell_m:g} and cells are 50 to 2000 m wide; give for example 500"
        )
    compounds = city.layers["compounds"]
    fine_m = cell_m / _FINE
    west, south, east, north = compounds.total_bounds
    west, north = (np.floor(west / cell_m) - 2) * cell_m, (np.ceil(north / cell_m) + 2) * cell_m
    width, height = (
        int(np.ceil((east - west) / cell_m)) + 2,
        int(np.ceil((north - south) / cell_m)) + 2,
    )
    owner = _owner(compounds, (west, north), fine_m, (height * _FINE, width * _FINE))
    people = compounds["population"].to_numpy(dtype=float)
    n_cells = np.bincount(owner[owner >= 0], minlength=len(compounds))
    each = np.divide(people, n_cells, out=np.zeros(len(people)), where=n_cells > 0)
    built = compounds["kind"].map(_BUILT).to_numpy(dtype=float) * (people > 0)
    residents = _summed(np.where(owner >= 0, each[owner], 0.0))
    residents += _on_cells(
        shapely.get_coordinates(shapely.centroid(compounds.geometry.to_numpy()[n_cells == 0])),
        people[n_cells == 0], (west, north), cell_m, (height, width),
    )  # fmt: skip
    covered = _summed(np.where(owner >= 0, built[owner], 0.0)) / _FINE**2
    there = Affine(cell_m, 0, west, 0, -cell_m, north)
    shops = _shops(city.layers["facilities"])
    density = _on_cells(shops, np.ones(len(shops)), (west, north), cell_m, (height, width))
    lights = 60 * ndimage.gaussian_filter(covered, _LIT_M / cell_m, mode="constant")
    found = {
        "residents": (residents, "residents"), "built": (covered, "share"), "lights": (lights, "nW/cm²/sr"),
        "shops": (density / (cell_m / 1000) ** 2, "per km²"),
    }  # fmt: skip
    return {
        name: Surface(values.astype(np.float32), there, CRS(CRS_CODE), unit)
        for name, (values, unit) in found.items()
    }


def raster_layers(city: City) -> dict[str, Surface]:
    """Make the rasters that the standard catalogue has as source layers.

    Parameters
    ----------
    city
        As from `synthetic_city`.

    Returns
    -------
    dict of Surface
        By the layer's id: ``night_lights`` and ``built_up`` on 500 m, ``residents_grid`` on 1 km.
    """
    fine = city_surfaces(city, cell_m=500)
    coarse = city_surfaces(city, cell_m=1000)
    return {
        "night_lights": fine["lights"],
        "built_up": fine["built"],
        "residents_grid": coarse["residents"],
    }


def _owner(
    compounds: gpd.GeoDataFrame,
    corner: tuple[float, float],
    cell_m: float,
    shape: tuple[int, int],
) -> NDArray[np.int64]:
    """Find the compound that holds the middle of each cell; -1 where none does."""
    west, north = corner
    x = west + (np.arange(shape[1]) + 0.5) * cell_m
    y = north - (np.arange(shape[0]) + 0.5) * cell_m
    middles = shapely.points(*(each.ravel() for each in np.meshgrid(x, y)))
    cell, compound = compounds.sindex.query(middles, predicate="within")
    owner = np.full(len(middles), -1)
    owner[cell[::-1]] = compound[::-1]
    return owner.reshape(shape)


def _summed(fine: NDArray[np.float64]) -> NDArray[np.float64]:
    height, width = fine.shape
    return np.asarray(fine.reshape(height // _FINE, _FINE, width // _FINE, _FINE).sum(axis=(1, 3)))


def _on_cells(
    xy: NDArray[np.float64], weight: NDArray[np.float64], corner: tuple[float, float], cell_m: float, shape: tuple[int, int]
) -> NDArray[np.float64]:  # fmt: skip
    column = np.floor((xy[:, 0] - corner[0]) / cell_m).astype(np.int64)
    row = np.floor((corner[1] - xy[:, 1]) / cell_m).astype(np.int64)
    counted = np.bincount(row * shape[1] + column, weight, shape[0] * shape[1])
    return np.asarray(counted.reshape(shape), dtype=np.float64)


def _shops(facilities: pd.DataFrame) -> NDArray[np.float64]:
    kinds = ("convenience_store", "supermarket", "wet_market", "bus_stop")
    there = facilities["kind"].isin(kinds) & (facilities["status"] == "open")
    return np.asarray(shapely.get_coordinates(facilities.loc[there, "geometry"].to_numpy()))
