"""Which areas are hot, cold, emerging or fading by design, and by how much?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gisgrid.testing.grids import CRS_CODE, Grid
from gisgrid.testing.rhythm import CATEGORIES, Floats, Ints, Period
from gisgrid.testing.tessellation import dissolve


@dataclass(frozen=True)
class Plan:
    """One kind of planted area: how many communities, how strong, from and to which share of the period."""

    kind: str
    size: int
    factor: float
    start: float = 0.0
    end: float = 1.0


PLANS = (
    Plan("hot", 5, 4.0),
    Plan("hot", 4, 4.5),
    Plan("cold", 7, 0.15),
    Plan("emerging", 4, 4.0, start=0.55),
    Plan("fading", 4, 4.0, end=0.55),
)
MARKET_CATEGORY, MARKET_FACTOR = "street_vending", 8.0
_MOST_KM2 = 9.0


@dataclass(frozen=True)
class Planted:
    """What is planted where.

    Attributes
    ----------
    truth
        One row per planted area.
    factor
        Shape (n_compounds, n_categories), the constant factor.
    trend
        Shape (n_compounds,), the row of `ramps` that multiplies it.
    ramps
        Shape (k, n_days), row 0 is all ones.
    """

    truth: gpd.GeoDataFrame
    factor: Floats
    trend: Ints
    ramps: Floats


def plant(grid: Grid, period: Period, rng: np.random.Generator, *, planted: bool) -> Planted:
    """Choose areas and say by how much they differ.

    Parameters
    ----------
    grid
        The city's units.
    period
        The days the reports cover.
    rng
        The source of chance.
    planted
        False plants nothing: the truth has no rows.

    Returns
    -------
    Planted
        Factors per compound; an area is a union of communities (of compounds where it is one category's).
    """
    n = len(grid.compounds)
    factor = np.ones((n, len(CATEGORIES)))
    trend = np.zeros(n, dtype=np.int64)
    ramps = [np.ones(len(period.days))]
    rows: list[dict[str, object]] = []
    community = grid.compounds["community_code"].to_numpy()
    codes = grid.communities["community_code"].to_numpy()
    shapes = grid.compounds.geometry.to_numpy()
    taken: set[int] = set()
    links = _links(grid)
    for plan in PLANS if planted else ():
        units = _cluster(grid, links, plan.size, taken, rng)
        taken |= {near for unit in units for near in (unit, *links[unit])}
        inside = np.isin(community, codes[units])
        if plan.kind in {"emerging", "fading"}:
            ramps.append(_ramp(plan, period))
            trend[inside] = len(ramps) - 1
        else:
            factor[inside] *= plan.factor
        rows.append(_row(plan, None, period, shapes[inside]))
    if planted:
        inside = _market(grid, codes, taken, rng)
        factor[inside, list(CATEGORIES).index(MARKET_CATEGORY)] *= MARKET_FACTOR
        rows.append(_row(Plan("hot", 1, MARKET_FACTOR), MARKET_CATEGORY, period, shapes[inside]))
    return Planted(_truth_frame(rows), factor, trend, np.array(ramps))


def _links(grid: Grid) -> list[list[int]]:
    links: list[list[int]] = [[] for _ in range(len(grid.communities))]
    for a, b in grid.neighbours:
        links[a].append(int(b))
        links[b].append(int(a))
    return [sorted(near) for near in links]


def _cluster(
    grid: Grid, links: Sequence[Sequence[int]], size: int, taken: set[int], rng: np.random.Generator
) -> list[int]:
    """Choose a compact group of free communities: the city's own if there are such, else any, else fewer."""
    area = grid.communities["area_km2"].to_numpy()
    built = _built(grid)
    groups = [_grown(first, size, links, area) for first in range(len(links))]
    free = [units for units in groups if not taken & set(units)]
    small = [units for units in free if area[units].sum() < _MOST_KM2]
    for choice in ([units for units in small if built[units].all()], small, free):
        if choice:
            ranked = sorted(choice, key=lambda units: (-_closeness(units, links), units))
            best = ranked[: max(3, len(ranked) // 12)]
            return best[int(rng.integers(len(best)))]
    return _cluster(grid, links, size - 1, taken, rng)


def _grown(first: int, size: int, links: Sequence[Sequence[int]], area: Floats) -> list[int]:
    """Grow a group from a community by the neighbours that are most embraced by it."""
    units = [first]

    def embraced(k: int) -> tuple[float, int]:
        return len(set(links[k]) & set(units)) / (1 + 0.1 * len(links[k])) - 0.2 * area[k], -k

    while len(units) < size:
        units.append(max({k for unit in units for k in links[unit]} - set(units), key=embraced))
    return sorted(units)


def _closeness(units: Sequence[int], links: Sequence[Sequence[int]]) -> float:
    """Give the least share of a member's neighbourhood that belongs to the group."""
    return min((1 + len(set(links[k]) & set(units))) / (1 + len(links[k])) for k in units)


def _built(grid: Grid) -> NDArray[np.bool_]:
    """Communities that are city throughout: no fields, little water."""
    loose = (
        np.isin(grid.setting, ["field", "nucleus", "water"]) * grid.compounds["area_km2"].to_numpy()
    )
    area = pd.Series(loose).groupby(grid.compounds["community_code"].to_numpy()).sum()
    return np.asarray(area.to_numpy() < 0.04 * grid.communities["area_km2"].to_numpy())


def _market(
    grid: Grid, codes: NDArray[np.object_], taken: set[int], rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Choose the compounds within 330 m of a place in the inner city, outside the other planted areas."""
    free = ~np.isin(grid.compounds["community_code"], codes[sorted(taken)])
    middles = shapely.centroid(grid.compounds.geometry.to_numpy())
    places = np.flatnonzero(free & np.isin(grid.setting, ["centre", "urban"]))
    middle = middles[int(rng.choice(places))]
    return np.asarray(
        free & (grid.setting != "water") & (shapely.distance(middles, middle) < 330.0)
    )


def _ramp(plan: Plan, period: Period) -> Floats:
    share = (np.arange(len(period.days)) + 0.5) / len(period.days)
    height = (share - plan.start) / (plan.end - plan.start)
    if plan.kind == "fading":
        height = 1.0 - height
    return np.asarray(1.0 + (plan.factor - 1.0) * np.clip(height, 0.0, 1.0))


def _row(
    plan: Plan, category: str | None, period: Period, shapes: NDArray[np.object_]
) -> dict[str, object]:
    return {
        "kind": plan.kind,
        "factor": plan.factor,
        "category": category,
        "starts_at": period.moment(plan.start),
        "ends_at": period.moment(plan.end),
        "geometry": dissolve(shapes),
    }


def _truth_frame(rows: list[dict[str, object]]) -> gpd.GeoDataFrame:
    table = pd.DataFrame(
        rows, columns=["kind", "factor", "category", "starts_at", "ends_at", "geometry"]
    )
    table.insert(0, "truth_id", [f"T{number + 1:02d}" for number in range(len(table))])
    for name in ("truth_id", "kind", "category"):
        table[name] = table[name].astype("str").where(table[name].notna(), None).astype("str")
    for name in ("starts_at", "ends_at"):
        table[name] = pd.to_datetime(table[name].astype("int64"), unit="s", utc=True).astype(
            "datetime64[us, UTC]"
        )
    table["factor"] = table["factor"].astype("float64")
    return gpd.GeoDataFrame(table, geometry="geometry", crs=CRS_CODE)
