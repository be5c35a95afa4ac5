"""What are duty grids (责任网格) like: how much is there to do in each, and is each in one piece?"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gisgrid.crs import require_metres
from gisgrid.errors import ColumnError, IndexMismatchError, InputError, did_you_mean
from gisgrid.grids.duty.neighbours import noded
from gisgrid.grids.making.borders import Floats, Geometries, Ints, compactness


def duty_grids(
    units: gpd.GeoDataFrame, duty_grid: pd.Series, load: pd.Series, *, within: str
) -> gpd.GeoDataFrame:
    """Put unit grids together to the duty grids they belong to, and describe these.

    Parameters
    ----------
    units
        Unit grids, polygons in a projected CRS in metres.
    duty_grid
        Shape (n,), indexed like `units`: the duty grid of each unit; each lies in one community.
    load
        Shape (n,), indexed like `units`, not negative: the work in each unit.
    within
        The column of `units` with the community.

    Returns
    -------
    GeoDataFrame
        One row per duty grid, indexed by `duty_grid_id`, in the CRS of `units`: the community, `n_units`, `workload`,
        `share_of_mean` (its load over the mean of its community's duty grids; null where there is none at all),
        `n_pieces` (1: in one piece), `area_m2`, `compactness` (4π·area/perimeter²), geometry.

    Raises
    ------
    CrsError
        The coordinates are not metres.
    ColumnError
        There is no such column.
    IndexMismatchError
        A Series is not indexed like `units`.
    InputError
        A load is missing or negative, a unit has no area, no community or no duty grid, or a duty grid lies in two
        communities.

    Examples
    --------
    >>> units = gpd.GeoDataFrame({"code": ["c"] * 3}, geometry=shapely.box([0, 1, 9], 0, [1, 2, 10], 1), crs=4547)
    >>> grids = duty_grids(units, pd.Series(["a", "a", "b"]), pd.Series([1, 2, 1]), within="code")
    >>> grids[["n_units", "workload", "share_of_mean", "n_pieces"]].values.tolist()
    [[2.0, 3.0, 1.5, 1.0], [1.0, 1.0, 0.5, 1.0]]
    """
    crs = require_metres(units, what="duty_grids", name="units")
    work = loads_of(load, units)
    communities_of(units, within)
    names = grids_of(duty_grid, units, within)
    grid, name = pd.factorize(names, sort=True)
    parts, owner = noded(units.geometry.to_numpy())
    shapes = gpd.GeoSeries(parts).groupby(grid[owner]).agg(shapely.union_all).to_numpy()
    first = np.unique(grid, return_index=True)[1]
    made = gpd.GeoDataFrame(
        {
            within: units[within].to_numpy()[first],
            "n_units": np.bincount(grid),
            "workload": np.bincount(grid, weights=work.to_numpy()),
        },
        geometry=shapes,
        crs=crs,
        index=pd.Index(name, name="duty_grid_id"),
    )
    mean = made.groupby(within)["workload"].transform("mean")
    made["share_of_mean"] = (made["workload"] / mean).where(mean > 0)
    made["n_pieces"] = shapely.get_num_geometries(shapes)
    made["area_m2"] = shapely.area(shapes)
    made["compactness"] = compactness(shapes)
    columns = ("n_units", "workload", "share_of_mean", "n_pieces", "area_m2", "compactness")
    return made[[within, *columns, "geometry"]]


def imbalance(label: Ints, load: Floats) -> float:
    """Say how much more than the mean the fullest grid has to do.

    Parameters
    ----------
    label
        Shape (n,), the grid of each unit, from 0 without gaps.
    load
        Shape (n,), not all 0.

    Returns
    -------
    float
        The largest load over the mean, 1 or more.
    """
    loads = np.bincount(label, weights=load)
    return float(loads.max() / loads.mean())


def loads_of(load: pd.Series, units: pd.DataFrame) -> pd.Series:
    """Give the loads as numbers, or say which one is none.

    Parameters
    ----------
    load
        Shape (n,).
    units
        Shape (n, …).

    Returns
    -------
    Series
        Floats, indexed like `units`.

    Raises
    ------
    IndexMismatchError
        `load` is not indexed like `units`.
    InputError
        A load is missing, negative or infinite.
    """
    _demand_index(load, units, "load")
    work = load.astype(float)
    if (wrong := ~((work >= 0) & np.isfinite(work)).to_numpy()).any():
        first = int(np.argmax(wrong))
        raise InputError(
            f"{wrong.sum()} of {len(work)} loads are missing, negative or infinite (first: row {work.index[first]}, "
            f"{work.iloc[first]:g}); give 0 where there is nothing to do"
        )
    return work


def communities_of(units: gpd.GeoDataFrame, within: str) -> dict[str, Ints]:
    """Say which units each community has, communities by code.

    Parameters
    ----------
    units
        Polygons.
    within
        The column with the community.

    Returns
    -------
    dict
        The rows of each community from north to south, so that nothing depends on their order in the table.

    Raises
    ------
    ColumnError
        There is no such column.
    InputError
        There are no units, or one has no area or no community.
    """
    if within not in units.columns:
        raise ColumnError(
            f"no column {within!r} in the units{did_you_mean(within, map(str, units))}"
        )
    if len(units) == 0:
        raise InputError("there are 0 units to join to duty grids; give at least one polygon")
    polygons: Geometries = units.geometry.to_numpy()
    for wrong, what in (
        (units[within].isna().to_numpy(), f"no {within!r}"),
        (~(shapely.area(polygons) > 0), "no area"),
    ):
        if wrong.any():
            raise InputError(
                f"{wrong.sum()} of {len(units)} units have {what} (first: row {units.index[np.argmax(wrong)]}); "
                "a duty grid is made of areas inside one community, mend them or leave them out"
            )
    middle = shapely.get_coordinates(shapely.centroid(polygons))
    names = units[within].astype("str").to_numpy()
    order = np.lexsort((middle[:, 0], -middle[:, 1], names))
    starts = np.flatnonzero(np.append(True, names[order][1:] != names[order][:-1]))
    parts = np.split(order.astype(np.int64), starts[1:])
    return {str(names[part[0]]): part for part in parts}


def grids_of(duty_grid: pd.Series, units: gpd.GeoDataFrame, within: str) -> pd.Series:
    """Give the duty grids that there are as text, or say which unit has none.

    Parameters
    ----------
    duty_grid
        Shape (n,).
    units
        Shape (n, …).
    within
        The column of `units` with the community.

    Returns
    -------
    Series
        Indexed like `units`.

    Raises
    ------
    IndexMismatchError
        `duty_grid` is not indexed like `units`.
    InputError
        A unit has no duty grid, or a duty grid lies in two communities.
    """
    _demand_index(duty_grid, units, "duty_grid")
    if (missing := duty_grid.isna().to_numpy()).any():
        raise InputError(
            f"{missing.sum()} of {len(units)} units have no duty grid (first: row {units.index[np.argmax(missing)]}); "
            "every unit belongs to one, fill it in"
        )
    names = duty_grid.astype("str")
    n = units[within].astype("str").groupby(names.to_numpy()).nunique()
    if (over := n > 1).any():
        raise InputError(
            f"{over.sum()} of {len(n)} duty grids lie in more than one {within!r} (first: {n.index[over][0]!r}, in "
            f"{n[over].iloc[0]}); a duty grid stays inside one, name its parts differently"
        )
    return names


def _demand_index(values: pd.Series, units: pd.DataFrame, name: str) -> None:
    if not values.index.equals(units.index):
        raise IndexMismatchError(
            f"{name!r} has {len(values)} rows that are not indexed like the {len(units)} units; "
            f"bring them together, for example {name}.reindex(units.index)"
        )
