"""Where do the ways of drawing zones agree, and which zone does a unit have by all of them?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import combinations
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gisgrid.crs import require_metres
from gisgrid.errors import ColumnError, CrsError, InputError, did_you_mean

_MANY: Final = 500
_CORNERS: Final = 20  # of the ground's outline to a square, about

REST: Final = "rest"
"""The zone of ground that no zone of a way covers."""


def zone_shares(
    units: gpd.GeoDataFrame, zones: gpd.GeoDataFrame, *, zone_type: str = "zone_type"
) -> pd.DataFrame:
    """Say which share of each unit lies in which type of zone.

    Parameters
    ----------
    units
        Polygons, n of them, in a projected CRS in metres; a point among them counts whole where it lies inside.
    zones
        Polygons with their type, in the same CRS. Where zones of one type overlap, the ground counts once; where those of
        different types do, it counts for both, and shares add up to more than 1.
    zone_type
        The column of the type.

    Returns
    -------
    DataFrame
        Indexed like `units`: `share_TYPE` for each type, `share_rest`, `zone_type` (the type with most of the unit, `rest`
        where no type has more), and `confidence` (the lead of that type over the next, 0 to 1). All missing where a unit has
        no ground.

    Raises
    ------
    CrsError
        Coordinates that are no metres, or different CRS.
    ColumnError
        No such column.
    InputError
        A zone without a type.

    Notes
    -----
    By area, exactly, and never by centroids: a unit whose centroid lies in a village may lie mostly outside.

    Examples
    --------
    >>> from shapely import box
    >>> units = gpd.GeoDataFrame(geometry=[box(0, 0, 10, 10)], crs="EPSG:4547")
    >>> zones = gpd.GeoDataFrame({"zone_type": ["fringe"]}, geometry=[box(0, 0, 7, 10)], crs="EPSG:4547")
    >>> zone_shares(units, zones).round(2).to_dict("records")
    [{'share_fringe': 0.7, 'share_rest': 0.3, 'zone_type': 'fringe', 'confidence': 0.4}]
    """
    crs = require_metres(units, what="shares of ground", name="units")
    if zones.crs is None or not zones.crs.equals(crs, ignore_axis_order=True):
        raise CrsError(
            "units and zones are in different CRS; bring them to one: zones.to_crs(units.crs)"
        )
    if zone_type not in zones.columns:
        raise ColumnError(
            f"no column {zone_type!r} in zones{did_you_mean(zone_type, map(str, zones.columns))}"
        )
    if zones[zone_type].isna().any():
        raise InputError(
            f"{int(zones[zone_type].isna().sum())} zones have no {zone_type}; give each one"
        )
    shapes = shapely.make_valid(units.geometry.to_numpy())
    area = shapely.area(shapes)
    types = sorted(map(str, zones[zone_type].unique()))
    shares = np.zeros((len(units), len(types)))
    covered = np.zeros(len(units))
    everything = []
    for column, name in enumerate(types):
        drawn = shapely.make_valid(
            zones.geometry[zones[zone_type].astype("str") == name].to_numpy()
        )
        ground = shapely.union_all(drawn)
        everything.append(ground)
        shares[:, column] = _share(shapes, ground, area)
    if everything:
        covered = _share(shapes, shapely.union_all(everything), area)
    table = pd.DataFrame(shares, index=units.index, columns=[f"share_{name}" for name in types])
    table["share_rest"] = 1 - covered
    table["zone_type"], table["confidence"] = _leading(
        np.column_stack([1 - covered, shares]), [REST, *types]
    )
    nowhere = ~(area > 0) & (shapely.is_empty(shapes) | (shapely.get_dimensions(shapes) != 0))
    table.loc[nowhere] = np.nan
    return table


def _share(
    shapes: NDArray[np.object_], ground: shapely.Geometry, area: NDArray[np.float64]
) -> NDArray[np.float64]:
    shapely.prepare(ground)
    share = np.zeros(len(shapes))
    inside = shapely.contains_properly(ground, shapes)
    share[inside] = 1.0
    cut = np.flatnonzero(~inside & (area > 0))
    cut = cut[shapely.intersects(ground, shapes[cut])]
    parts = _parts(ground, n_asked=len(cut))
    unit, part = shapely.STRtree(parts).query(shapes[cut], predicate="intersects")
    unit = cut[unit]
    common = shapely.area(shapely.intersection(shapes[unit], parts[part]))
    share[cut] = np.bincount(unit, common, len(shapes))[cut] / area[cut]
    return np.clip(share, 0.0, 1.0)


def _parts(ground: shapely.Geometry, *, n_asked: int) -> NDArray[np.object_]:
    """Part a ground so that little of it is looked at for each unit: to intersect with all at once takes many times as long."""
    parts = shapely.get_parts(ground)
    if n_asked < _MANY or shapely.get_num_coordinates(ground) < _MANY:
        return np.asarray(parts)
    west, south, east, north = shapely.bounds(ground)
    n = math.ceil(math.sqrt(shapely.get_num_coordinates(ground) / _CORNERS))
    x, y = np.linspace(west, east, n + 1), np.linspace(south, north, n + 1)
    left, below = (each.ravel() for each in np.meshgrid(x[:-1], y[:-1]))
    squares = shapely.box(left, below, left + (x[1] - x[0]), below + (y[1] - y[0]))
    part, square = shapely.STRtree(squares).query(parts, predicate="intersects")
    return np.asarray(shapely.get_parts(shapely.intersection(parts[part], squares[square])))


def _leading(
    shares: NDArray[np.float64], names: list[str]
) -> tuple[list[str], NDArray[np.float64]]:
    order = np.argsort(-shares, axis=1, kind="stable")
    rows = np.arange(len(shares))
    first = shares[rows, order[:, 0]]
    second = shares[rows, order[:, 1]] if shares.shape[1] > 1 else 0.0
    return [names[at] for at in order[:, 0]], np.clip(first - second, 0, 1)


def agreement(
    types: Mapping[str, pd.Series], *, weights: pd.Series | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Compare ways of drawing zones on the same units or cells.

    Parameters
    ----------
    types
        By the name of the way: the zone type of each unit, all indexed alike; missing where a way says nothing.
    weights
        What each unit counts, for example its area or its residents; all the same without it.

    Returns
    -------
    pairs : DataFrame
        A row per pair of ways: `n`, `agree` (share of the weight with the same type), `kappa` (Cohen: agreement beyond
        chance; NaN where chance agrees always), and `overlap_TYPE` (Jaccard: both over either) for every type.
    units : DataFrame
        Indexed as the types: `zone_type` (what most ways say; of equals, the type of the way given first), `confidence`
        (the share of the ways that say so) and `n_ways`.

    Raises
    ------
    InputError
        Fewer than two ways, or different indexes.

    Examples
    --------
    >>> a, b = pd.Series(["fringe", "rest", "rest"]), pd.Series(["fringe", "fringe", "rest"])
    >>> pairs, units = agreement({"cells": a, "codes": b})
    >>> pairs[["agree", "kappa"]].round(3).values.tolist(), units["confidence"].tolist()
    ([[0.667, 0.4]], [1.0, 0.5, 1.0])
    """
    table = pd.DataFrame(dict(types))
    if table.shape[1] < 2:
        raise InputError(
            f"{table.shape[1]} way of drawing zones is given and agreement needs two or more"
        )
    first = next(iter(types.values())).index
    if any(not each.index.equals(first) for each in types.values()):
        raise InputError("the ways are about different units; give them all for the same index")
    weight = (
        np.ones(len(table))
        if weights is None
        else weights.reindex(table.index).to_numpy(dtype=float)
    )
    names = sorted({str(each) for each in pd.unique(table.to_numpy().ravel()) if not pd.isna(each)})
    rows = [_pair(table[a], table[b], weight, names) for a, b in combinations(table.columns, 2)]
    pairs = pd.DataFrame(
        rows, index=pd.MultiIndex.from_tuples(combinations(table.columns, 2), names=["a", "b"])
    )
    votes = np.stack([(table == name).sum(axis=1).to_numpy() for name in names], axis=1)
    n_ways = table.notna().sum(axis=1).to_numpy()
    leads = votes == votes.max(axis=1, keepdims=True)
    chosen = np.full(len(table), None, object)
    for way in reversed(table.columns):
        at = table[way].map({name: i for i, name in enumerate(names)})
        known = at.notna().to_numpy()
        rows_ = np.flatnonzero(known)
        own = at[known].to_numpy(dtype=int)
        ok = leads[rows_, own]
        chosen[rows_[ok]] = np.array(names, object)[own[ok]]
    confidence = np.divide(
        votes.max(axis=1), n_ways, out=np.full(len(table), np.nan), where=n_ways > 0
    )
    units = pd.DataFrame(
        {"zone_type": chosen, "confidence": confidence, "n_ways": n_ways}, index=table.index
    )
    return pairs, units


def _pair(
    a: pd.Series, b: pd.Series, weight: NDArray[np.float64], names: list[str]
) -> dict[str, float]:
    both = (a.notna() & b.notna()).to_numpy()
    of_a = np.stack([(a == name).to_numpy() for name in names]) & both
    of_b = np.stack([(b == name).to_numpy() for name in names]) & both
    total = weight[both].sum()
    if total <= 0:
        return {"n": float(both.sum()), "agree": np.nan, "kappa": np.nan}
    agree = float((weight * (of_a & of_b)).sum() / total)
    chance = float(((weight * of_a).sum(axis=1) * (weight * of_b).sum(axis=1)).sum() / total**2)
    either = (weight * (of_a | of_b)).sum(axis=1)
    overlap = np.divide(
        (weight * (of_a & of_b)).sum(axis=1),
        either,
        out=np.full(len(names), np.nan),
        where=either > 0,
    )
    kappa = (agree - chance) / (1 - chance) if chance < 1 else np.nan
    found = {"n": float(both.sum()), "agree": agree, "kappa": kappa}
    return found | {
        f"overlap_{name}": float(each) for name, each in zip(names, overlap, strict=True)
    }
