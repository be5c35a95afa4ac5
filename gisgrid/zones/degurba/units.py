"""Is this community a city, a town or a village? Units classified by where their residents live."""

from __future__ import annotations

from typing import Final, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gisgrid.errors import InputError
from gisgrid.schema import Text
from gisgrid.surface import Surface
from gisgrid.zones.degurba.cells import CELL_CLASSES
from gisgrid.zones.zonal import class_shares

UnitRules = Literal[2021, 2024]

UNIT_CLASSES: Final[dict[int, Text]] = {
    30: Text(zh="城市", en="city"),
    23: Text(zh="密集城镇", en="dense town"),
    22: Text(zh="半密集城镇", en="semi-dense town"),
    21: Text(zh="郊区或城市边缘区", en="suburban or peri-urban area"),
    13: Text(zh="村庄", en="village"),
    12: Text(zh="分散乡村", en="dispersed rural area"),
    11: Text(zh="基本无人区", en="mostly uninhabited area"),
}
"""The classes of units, level 2; level 1 puts 30 into 3, 21 to 23 into 2 and 11 to 13 into 1."""

_HALF: Final = 0.5


def classify_units(
    units: gpd.GeoDataFrame,
    cells: Surface,
    population: Surface,
    *,
    year: UnitRules = 2024,
) -> pd.DataFrame:
    """Classify units by the classes of the cells in which their residents live.

    Parameters
    ----------
    units
        Polygons, n of them: communities, municipalities.
    cells
        As from `gisgrid.zones.classify_cells`, level 2.
    population
        Residents per cell, on the same cells; within a cell they are taken to live evenly.
    year
        Which rules of level 2: those since July 2024, or those of the manual of 2021.

    Returns
    -------
    DataFrame
        Shape (n, 11), indexed like `units`: `level1` (3 city, 2 town or semi-dense, 1 rural), `level2` (of
        `UNIT_CLASSES`), `residents`, and `share_30` to `share_11`, the share of residents in each class of cells (of ground,
        where nobody lives); classes are 0 and shares NaN where a unit holds no cell.

    Raises
    ------
    InputError
        Cells that are of other classes, or on other cells than the population.
    CrsError
        Units without CRS.

    Notes
    -----
    City: at least half of the residents in urban centres. Rural: more than half in rural cells. Level 2 of 2024: dense town
    where centres and dense clusters hold half, semi-dense town unless suburban and rural cells hold half; village where
    centres, clusters and rural clusters hold half, mostly uninhabited where very low-density cells hold half. Level 2 of
    2021: by the largest share. Source: Applying the Degree of Urbanisation (2021), online version of 2024. Checked against:
    municipalities of Belgium (flexurba).
    """
    classes = cells.values[np.isfinite(cells.values)]
    unknown = set(np.unique(classes).astype(int)) - set(CELL_CLASSES)
    if unknown:
        raise InputError(
            f"cells hold {min(unknown)}, which is no class of level 2; give what classify_cells made with level=2"
        )
    if year not in {2021, 2024}:
        raise InputError(f"no rules of {year}; there are those of 2021 and 2024")
    lived = class_shares(units, cells, weights=population)
    ground = class_shares(units, cells)
    empty = lived["total"].to_numpy() == 0
    shares = np.column_stack(
        [np.where(empty, _column(ground, each), _column(lived, each)) for each in CELL_CLASSES]
    )
    by_class = dict(zip(CELL_CLASSES, shares.T, strict=True))
    # Water counts as ground where nobody lives, and as very low-density ground in the rules.
    by_class[11] = by_class[11] + by_class.pop(10)
    level1 = _level1(by_class)
    level2 = _level2_2024(by_class, level1) if year == 2024 else _level2_2021(by_class, level1)
    nowhere = np.isnan(by_class[30])
    table = pd.DataFrame(
        {"level1": np.where(nowhere, 0, level1), "level2": np.where(nowhere, 0, level2), "residents": lived["total"]},
        index=units.index,
    )  # fmt: skip
    return table.assign(**{f"share_{name}": share for name, share in by_class.items()})


def _column(shares: pd.DataFrame, name: int) -> NDArray[np.float64]:
    if name in shares:
        return shares[name].to_numpy(dtype=float)
    return np.where(shares["total"].to_numpy() > 0, 0.0, np.nan)


def _level1(by_class: dict[int, NDArray[np.float64]]) -> NDArray[np.int64]:
    rural = by_class[13] + by_class[12] + by_class[11]
    return np.where(by_class[30] >= _HALF, 3, np.where(rural > _HALF, 1, 2))


def _level2_2024(
    by_class: dict[int, NDArray[np.float64]], level1: NDArray[np.int64]
) -> NDArray[np.int64]:
    rural = by_class[13] + by_class[12] + by_class[11]
    clusters = by_class[30] + by_class[23] + by_class[22] + by_class[21]
    town = np.where(
        by_class[30] + by_class[23] >= _HALF, 23, np.where(by_class[21] + rural >= _HALF, 21, 22)
    )
    country = np.where(
        clusters + by_class[13] >= _HALF, 13, np.where(by_class[11] >= _HALF, 11, 12)
    )
    return np.where(level1 == 3, 30, np.where(level1 == 2, town, country))


def _level2_2021(
    by_class: dict[int, NDArray[np.float64]], level1: NDArray[np.int64]
) -> NDArray[np.int64]:
    dense, semi, suburb = by_class[23], by_class[22], by_class[21]
    town = np.where(suburb > dense + semi, 21, np.where(dense > semi, 23, 22))
    rural = np.column_stack([by_class[13], by_class[12], by_class[11]])
    country = np.array([13, 12, 11])[np.nan_to_num(rural).argmax(axis=1)]
    return np.where(level1 == 3, 30, np.where(level1 == 2, town, country))
