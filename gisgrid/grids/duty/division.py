"""Which unit grids make a duty grid (责任网格), so that every grid worker has the same to do?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gisgrid.crs import require_metres
from gisgrid.errors import ColumnError, InputError, did_you_mean
from gisgrid.grids.codes.numbering import numbering
from gisgrid.grids.duty.duty_grids import communities_of, duty_grids, grids_of, imbalance, loads_of
from gisgrid.grids.duty.exchange import Wishes, cost, exchange
from gisgrid.grids.duty.neighbours import neighbours
from gisgrid.grids.duty.starts import compact_start, joined, strip_start
from gisgrid.grids.making.borders import Floats, Geometries, Ints
from gisgrid.progress import Progress, silent

_BORDER: Final = 1.0
"""The price of having every inner border between duty grids; the price of load is in `gisgrid.grids.duty.exchange`."""


@dataclass(frozen=True)
class Division:
    """Unit grids divided into duty grids, and how well.

    Attributes
    ----------
    duty_grid
        Shape (n,), indexed like the units: the `duty_grid_id`, the community's code, a hyphen and a number from west
        to east, then north to south.
    grids
        One row per duty grid, indexed by `duty_grid_id`: the community (under its column's name), `n_units`, `workload`,
        `share_of_mean` (its load over its community's mean), `n_pieces` (1: all units touch; bridges over gaps do not
        count), `area_m2`, `compactness` (4π·area/perimeter²), geometry.
    communities
        One row per community, indexed by its code: `n_units`, `n_grids`, `workload`, `imbalance_before` (largest load
        over the mean, of the division that was given, or of compact grids without regard to load), `imbalance_after`,
        `imbalance_bound` (no division can have less), `n_bridges` (gaps that a duty grid may reach over, because the
        community itself is in pieces).
    """

    duty_grid: pd.Series
    grids: gpd.GeoDataFrame
    communities: pd.DataFrame

    def __repr__(self) -> str:
        worst = self.communities["imbalance_after"].max()
        return (
            f"<Division of {len(self.duty_grid)} unit grids in {len(self.communities)} communities into {len(self.grids)} "
            f"duty grids: the largest load is at most {worst:.2f} times the mean of its community>"
        )


def workload(units: pd.DataFrame, weights: Mapping[str, float]) -> pd.Series:
    """Say how much there is to do in each unit: a weighted sum of its columns.

    Parameters
    ----------
    units
        Shape (n, …), a column for each weight, for example yearly reports and households.
    weights
        What one of each counts, for example ``{"n_reports": 1, "households": 0.2}``.

    Returns
    -------
    Series
        Shape (n,), indexed like `units`. Missing values count as 0.

    Raises
    ------
    ColumnError
        There is no such column, or it holds no numbers.
    InputError
        No weights, or a weight or value is negative or infinite.

    Examples
    --------
    >>> units = pd.DataFrame({"n_reports": [4, 0], "households": [100, 50]})
    >>> workload(units, {"n_reports": 1, "households": 0.2}).to_list()
    [24.0, 10.0]
    """
    if not weights:
        raise InputError("a workload needs 1 column or more; give weights such as {'n_reports': 1}")
    total = pd.Series(0.0, index=units.index, name="workload")
    for column, weight in weights.items():
        if column not in units.columns:
            raise ColumnError(
                f"no column {column!r} in the units{did_you_mean(column, map(str, units))}"
            )
        if not pd.api.types.is_numeric_dtype(units[column]):
            raise ColumnError(
                f"column {column!r} is {units[column].dtype} but a workload is made of numbers; convert it first"
            )
        if not 0 <= weight < math.inf:
            raise InputError(
                f"the weight of {column!r} is {weight:g} but work cannot be negative; give 0 or more"
            )
        total += weight * units[column].fillna(0).astype(float)
    return loads_of(total, units)


def balance(
    units: gpd.GeoDataFrame,
    load: pd.Series,
    *,
    within: str,
    n_grids: int | pd.Series | None = None,
    load_per_grid: float | None = None,
    current: pd.Series | None = None,
    tolerance: float = 0.1,
    progress: Progress = silent,
) -> Division:
    """Join unit grids to duty grids of the same workload that are compact, in one piece and inside one community.

    Parameters
    ----------
    units
        Unit grids, polygons in a projected CRS in metres that share their borders.
    load
        Shape (n,), indexed like `units`, not negative: the work in each (`workload`). Where a community has none at
        all, its units count alike.
    within
        The column of `units` with the community that a duty grid must not leave.
    n_grids
        How many duty grids each community gets: a number for all, or a Series by community.
    load_per_grid
        Instead: the load that a duty grid should have; each community gets the number of grids that comes nearest,
        at least one.
    current
        Shape (n,), indexed like `units`: the duty grids as they are. They are one of the starts, and the imbalance
        before; `n_grids` may then be left out and stays what it is. To change as little as possible, ask
        `suggest_moves` instead.
    tolerance
        A load within this share of its community's mean is as good as the mean; among such divisions the one with
        the shortest borders is looked for. 0: balance counts before compactness however small the gain.
    progress
        Told how far the work is.

    Returns
    -------
    Division
        The duty grids, and what they are like.

    Raises
    ------
    CrsError
        The coordinates are not metres.
    ColumnError
        There is no such column.
    IndexMismatchError
        A Series is not indexed like `units`.
    InputError
        A load is missing or negative, a unit has no area or no community, or a number of grids is not between 1 and
        the number of units.

    Notes
    -----
    Starts: Ward clusters of the units' middles along their neighbourhood (scikit-learn's AgglomerativeClustering),
    strips of equal load along both axes, and `current`. Each is improved by handing units over between neighbouring
    grids (a tabu search that keeps every grid in one piece), and the best is kept. A heuristic: `imbalance_bound` says how
    far it can be from the best there is. Communities in pieces: grids may reach over the shortest gaps, `n_bridges`
    and `n_pieces` say where. Deterministic. Cost: 20 000 units in 150 communities in half a minute.
    Checked against: all divisions of small communities, by brute force.

    Examples
    --------
    >>> cells = shapely.box([0, 1, 2, 3], 0, [1, 2, 3, 4], 1)
    >>> units = gpd.GeoDataFrame({"community_code": ["c"] * 4}, geometry=cells, crs=4547)
    >>> balance(units, pd.Series([30, 10, 10, 10]), within="community_code", n_grids=2).duty_grid.to_list()
    ['c-01', 'c-02', 'c-02', 'c-02']
    """
    require_metres(units, what="balance", name="units")
    work = loads_of(load, units)
    groups = communities_of(units, within)
    now = None if current is None else grids_of(current, units, within)
    if not 0 <= tolerance < 1:
        raise InputError(
            f"tolerance is {tolerance:g} but it is a share of the mean load; give 0 to 1, for example 0.1"
        )
    wanted = _numbers(groups, work, n_grids=n_grids, load_per_grid=load_per_grid, current=now)
    polygons: Geometries = units.geometry.to_numpy()
    label = np.zeros(len(units), dtype=np.int64)
    rows: dict[str, tuple[float, ...]] = {}
    step = "duty grids"
    for i, (community, at) in enumerate(groups.items()):
        progress(step, i / len(groups))
        given = None if now is None else pd.factorize(now.iloc[at], sort=True)[0]
        label[at], rows[community] = _divided(
            polygons[at], work.to_numpy()[at], wanted[community], given, tolerance
        )
    progress(step, 1.0)
    names = _names(units, groups, label, within=within)
    communities = pd.DataFrame.from_dict(rows, orient="index", columns=list(_COLUMNS))
    communities = communities.rename_axis(within).astype(dict.fromkeys(_WHOLE, "int64"))
    return Division(names, duty_grids(units, names, work, within=within), communities)


_COLUMNS: Final = (
    "n_units", "n_grids", "workload", "imbalance_before", "imbalance_after", "imbalance_bound", "n_bridges",
)  # fmt: skip
_WHOLE: Final = ("n_units", "n_grids", "n_bridges")


def _divided(
    polygons: Geometries, load: Floats, n_grids: int, current: Ints | None, tolerance: float
) -> tuple[Ints, tuple[float, ...]]:
    """Divide one community: the grid of each unit, and its row of the table."""
    n = len(load)
    work = load if load.sum() > 0 else np.ones(n)
    graph = neighbours(polygons)
    middles = shapely.get_coordinates(shapely.centroid(polygons))
    compact = compact_start(middles, graph, n_grids=n_grids)
    starts = [compact]
    starts += [strip_start(axis, work, graph, n_grids=n_grids) for axis in middles.T]
    if current is not None and current.max() + 1 == n_grids:
        starts.append(joined(current, work, graph))
    wishes = Wishes(tolerance, _BORDER, np.zeros(n, dtype=np.int64), 0.0)
    found = [exchange(start, work, graph, wishes, n_grids=n_grids) for start in starts]
    prices = [cost(each, work, graph, wishes, n_grids=n_grids) for each in found]
    best = found[int(np.argmin(prices))]
    before = imbalance(compact if current is None else current, work)
    bound = max(1.0, float(work.max()) * n_grids / float(work.sum()))
    after = imbalance(best, work)
    row = (n, n_grids, float(load.sum()), before, after, bound, len(graph.bridges))
    return best, row


def _numbers(
    groups: Mapping[str, Ints],
    load: pd.Series,
    *,
    n_grids: int | pd.Series | None,
    load_per_grid: float | None,
    current: pd.Series | None,
) -> dict[str, int]:
    """Say how many duty grids each community gets."""
    if (n_grids is not None) + (load_per_grid is not None) > 1:
        raise InputError(
            "n_grids and load_per_grid were both given but one follows from the other; give one"
        )
    if load_per_grid is not None:
        return _by_load(groups, load, load_per_grid)
    if n_grids is None and current is None:
        raise InputError(
            "balance needs the number of duty grids; give n_grids, load_per_grid or current"
        )
    if n_grids is None:
        assert current is not None  # noqa: S101 - for the type checker
        return {name: int(current.iloc[at].nunique()) for name, at in groups.items()}
    wanted: dict[str, int] = {}
    for name, at in groups.items():
        n = n_grids.get(name) if isinstance(n_grids, pd.Series) else n_grids
        if n is None or not 1 <= n <= len(at) or n != int(n):
            raise InputError(
                f"n_grids is {n} for {name!r} but its {len(at)} units make 1 to {len(at)} duty grids; "
                "give a whole number in that range for every community"
            )
        wanted[name] = int(n)
    return wanted


def _by_load(groups: Mapping[str, Ints], load: pd.Series, load_per_grid: float) -> dict[str, int]:
    if not 0 < load_per_grid < math.inf:
        raise InputError(
            f"load_per_grid is {load_per_grid:g} but a duty grid has some work; give more than 0, for example 400 households"
        )
    work = load.to_numpy()
    return {
        name: min(len(at), max(1, round(float(work[at].sum()) / load_per_grid)))
        for name, at in groups.items()
    }


def _names(
    units: gpd.GeoDataFrame, groups: Mapping[str, Ints], label: Ints, *, within: str
) -> pd.Series:
    """Name the duty grids by their community and a number from west to east, then from north to south."""
    community = np.empty(len(units), dtype=object)
    key = np.zeros(len(units), dtype=np.int64)
    for i, (name, at) in enumerate(groups.items()):
        community[at] = name
        key[at] = i * len(units) + label[at]
    _, first, grid = np.unique(key, return_index=True, return_inverse=True)
    shapes = gpd.GeoSeries(units.geometry.to_numpy()).groupby(grid).agg(shapely.union_all)
    whole = gpd.GeoDataFrame({within: community[first]}, geometry=shapes.to_numpy(), crs=units.crs)
    serial = numbering(whole, within=within).astype("str").str.zfill(2)
    names = (whole[within].astype("str") + "-" + serial).to_numpy()
    return pd.Series(names[grid], index=units.index, name="duty_grid_id", dtype="str")
