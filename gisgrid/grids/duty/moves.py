"""Which few unit grids would have to change their duty grid, so that the work is shared fairly again?"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array, csr_array, vstack

from gisgrid.crs import require_metres
from gisgrid.errors import ColumnError, InputError, did_you_mean
from gisgrid.grids.duty.duty_grids import communities_of, grids_of, imbalance, loads_of
from gisgrid.grids.duty.exchange import Wishes, exchange
from gisgrid.grids.duty.neighbours import Neighbours, components, neighbours
from gisgrid.grids.duty.starts import joined
from gisgrid.grids.making.borders import Floats, Geometries, Ints
from gisgrid.progress import Progress, silent

_ROUNDING: Final = 1e-9
_MOST_ROUNDS: Final = 200
_INFEASIBLE: Final = 2
_NEVER: Final = -1
_MOVING: Final = 0.05
"""The price of a move in the search that stands in where the solver finds nothing in time (see `exchange`)."""


@dataclass(frozen=True)
class Moves:
    """What would have to move, and what comes of it.

    Attributes
    ----------
    moves
        One row per move, in an order that can be carried out one by one: the community (under its column's name), `step`
        (from 1 in each community), the unit (under its key's name), `from_grid`, `to_grid`, `workload` (that moves),
        `from_load` and `to_load` (of the two grids after the move), `imbalance` (of the community after the move),
        `in_one_piece` (whether both grids are, after the move).
    communities
        One row per community, indexed by its code: `n_grids`, `n_moves`, `n_moves_bound` (no list of
        moves that reaches the tolerance can be shorter; -1 where it is proved that none reaches it), `fewest` (whether
        the tolerance is reached and no shorter list can), `imbalance_before`, `imbalance_after`, `within_tolerance` (after the moves),
        `in_one_piece` (whether every duty grid is, after the moves), `n_bridges` (as in `Division`).
    """

    moves: pd.DataFrame
    communities: pd.DataFrame

    def __repr__(self) -> str:
        left = int((~self.communities["within_tolerance"]).sum())
        return (
            f"<Moves of {len(self.moves)} unit grids in {self.moves.iloc[:, 0].nunique()} of {len(self.communities)} "
            f"communities; {left} communities stay outside the tolerance>"
        )


def suggest_moves(
    units: gpd.GeoDataFrame,
    load: pd.Series,
    current: pd.Series,
    *,
    key: str,
    within: str,
    tolerance: float = 0.15,
    time_limit_s: float = 10.0,
    progress: Progress = silent,
) -> Moves:
    """List the fewest unit grids that must change hands to bring the duty grids there are under a tolerance.

    People know their grid: so as few units move as will do, where `balance` would draw everything anew.

    Parameters
    ----------
    units
        Unit grids, polygons in a projected CRS in metres that share their borders.
    load
        Shape (n,), indexed like `units`, not negative: the work in each.
    current
        Shape (n,), indexed like `units`: the duty grid of each; each lies in one community.
    key
        The column that names a unit.
    within
        The column with the community that a duty grid must not leave.
    tolerance
        The share of the community's mean load by which a duty grid may differ from it.
    time_limit_s
        How long the solver may search in each community, seconds.
    progress
        Told how far the work is.

    Returns
    -------
    Moves
        The moves with the effect of each, and what was proved. Where a duty grid is in several pieces, moves that join
        them are among the moves. Where the tolerance cannot be kept (one unit alone may be too much), as near to it as
        was found.

    Raises
    ------
    CrsError
        The coordinates are not metres.
    ColumnError
        There is no such column.
    IndexMismatchError
        A Series is not indexed like `units`.
    InputError
        A load is missing or negative, a unit has no name, area, community or duty grid, a duty grid lies in two
        communities, or a number is outside its range.

    Notes
    -----
    A mixed-integer program (HiGHS through scipy.optimize.milp): each unit in one grid, loads within the tolerance, fewest
    units away from home; a solution in pieces is forbidden by a cut and the program is solved again. Where that takes
    longer than the time limit, the tabu search of `balance` stands in and `fewest` is False: only then can a slower
    machine find another answer. Otherwise deterministic. Checked against: all divisions of small communities.

    Examples
    --------
    >>> import shapely
    >>> cells = shapely.box([0, 1, 2, 3], 0, [1, 2, 3, 4], 1)
    >>> units = gpd.GeoDataFrame({"unit": list("abcd"), "code": "c"}, geometry=cells, crs=4547)
    >>> now = pd.Series(["x", "y", "y", "y"])
    >>> found = suggest_moves(units, pd.Series([10, 10, 10, 10]), now, key="unit", within="code")
    >>> found.moves[["unit", "from_grid", "to_grid", "imbalance"]].values.tolist()
    [['b', 'y', 'x', 1.0]]
    """
    require_metres(units, what="suggest_moves", name="units")
    work = loads_of(load, units)
    groups = communities_of(units, within)
    now = grids_of(current, units, within)
    names = _names(units, key)
    for name, value, most in (("tolerance", tolerance, 1.0), ("time_limit_s", time_limit_s, 1e6)):
        if not 0 <= value <= most:
            raise InputError(f"{name} is {value:g}; give a number from 0 to {most:g}")
    polygons: Geometries = units.geometry.to_numpy()
    moves: list[pd.DataFrame] = []
    rows: dict[str, tuple[object, ...]] = {}
    step = "moves"
    for i, (community, at) in enumerate(groups.items()):
        progress(step, i / len(groups))
        home, grids = pd.factorize(now.iloc[at], sort=True)
        task = _Task(work.to_numpy()[at], home, neighbours(polygons[at]), len(grids), tolerance)
        goal, bound = _goal(task, time_limit_s)
        steps = _steps(task, goal)
        rows[community] = _row(task, goal, bound)
        steps.insert(0, within, community)
        steps.insert(2, key, names[at][steps.pop("unit").to_numpy()])
        for column in ("from_grid", "to_grid"):
            steps[column] = np.asarray(grids)[steps[column].to_numpy()]
        moves.append(steps)
    progress(step, 1.0)
    communities = pd.DataFrame.from_dict(rows, orient="index", columns=list(_COLUMNS))
    return Moves(pd.concat(moves, ignore_index=True), communities.rename_axis(within))


_EFFECT: Final = (
    "from_grid", "to_grid", "workload", "from_load", "to_load", "imbalance", "in_one_piece",
)  # fmt: skip
_COLUMNS: Final = (
    "n_grids", "n_moves", "n_moves_bound", "fewest", "imbalance_before", "imbalance_after", "within_tolerance",
    "in_one_piece", "n_bridges",
)  # fmt: skip


@dataclass(frozen=True)
class _Task:
    """One community: loads, the grid of each unit as it is, who is beside whom, and how much may differ."""

    load: Floats
    home: Ints
    graph: Neighbours
    n_grids: int
    tolerance: float

    @property
    def mean(self) -> float:
        return float(self.load.sum()) / self.n_grids

    def loads(self, label: Ints) -> Floats:
        return np.bincount(label, weights=self.load, minlength=self.n_grids).astype(np.float64)

    def is_fair(self, label: Ints) -> bool:
        slack = (self.tolerance + _ROUNDING) * self.mean
        return bool((np.abs(self.loads(label) - self.mean) <= slack).all())

    def is_whole(self, label: Ints) -> bool:
        return int(components(label, self.graph).max()) + 1 == self.n_grids

    def imbalance(self, label: Ints) -> float:
        return imbalance(label, self.load) if self.mean > 0 else 1.0


def _names(units: gpd.GeoDataFrame, key: str) -> Geometries:
    if key not in units.columns:
        raise ColumnError(f"no column {key!r} in the units{did_you_mean(key, map(str, units))}")
    if (missing := units[key].isna().to_numpy()).any():
        raise InputError(
            f"{missing.sum()} of {len(units)} units have no {key!r} (first: row {units.index[np.argmax(missing)]}); "
            "a move names its unit, fill it in"
        )
    names: Geometries = units[key].to_numpy(dtype=object)
    return names


def _goal(task: _Task, time_limit_s: float) -> tuple[Ints, int]:
    """Find where each unit should go, and below how many moves there is no solution."""
    if task.is_fair(task.home) and task.is_whole(task.home):
        return task.home, 0
    label, bound = _solved(task, time_limit_s)
    if label is not None:
        return label, bound
    load = task.load if task.mean > 0 else np.ones(len(task.load))
    wishes = Wishes(task.tolerance, 0.0, task.home, _MOVING)
    start = joined(task.home, load, task.graph)
    return exchange(start, load, task.graph, wishes, n_grids=task.n_grids), bound


def _solved(task: _Task, time_limit_s: float) -> tuple[Ints | None, int]:
    """Solve the program, forbidding divisions in pieces as they come up; None where there is no proved solution."""
    n, k = len(task.load), task.n_grids
    cost = 1.0 - (task.home[:, None] == np.arange(k))
    # Among the shortest lists the one that moves least work: a share too small to buy a move.
    weight = cost * task.load[:, None] / max(float(task.load.sum()), 1e-300)
    price = (cost + 0.5 / (n + 1) * weight).ravel()
    rows = [_one_grid_each(n, k), _loads_within(task)]
    cuts: list[csr_array] = []
    until = time.monotonic() + time_limit_s
    bound = 0
    for _ in range(_MOST_ROUNDS):
        left = until - time.monotonic()
        if left <= 0:
            break
        constraints = list(rows)
        if cuts:
            constraints.append(LinearConstraint(vstack(cuts, format="csr"), -np.inf, 1.0))
        found = milp(
            price, constraints=constraints, integrality=np.ones(n * k, dtype=np.int64), bounds=Bounds(0, 1),
            options={"time_limit": left, "mip_rel_gap": 0.0},
        )  # fmt: skip
        if found.mip_dual_bound is not None and np.isfinite(found.mip_dual_bound):
            bound = max(bound, int(np.ceil(found.mip_dual_bound - 0.5)))
        if found.status == _INFEASIBLE:
            return None, _NEVER
        if found.status != 0:
            break
        label = np.argmax(found.x.reshape(n, k), axis=1).astype(np.int64)
        new = _separators(task, label)
        if not new:
            return label, int((label != task.home).sum())
        cuts += new
    return None, bound


def _one_grid_each(n: int, k: int) -> LinearConstraint:
    units = np.repeat(np.arange(n), k)
    return LinearConstraint(csr_array((np.ones(n * k), (units, np.arange(n * k)))), 1.0, 1.0)


def _loads_within(task: _Task) -> LinearConstraint:
    """Each grid within the tolerance, and with a unit at least."""
    n, k = len(task.load), task.n_grids
    grid = np.tile(np.arange(k), n)
    column = np.arange(n * k)
    share = np.repeat(task.load / task.mean if task.mean > 0 else np.ones(n), k)
    matrix = csr_array(
        (np.append(share, np.ones(n * k)), (np.append(grid, grid + k), np.append(column, column)))
    )
    low, high = (1 - task.tolerance, 1 + task.tolerance) if task.mean > 0 else (0.0, np.inf)
    slack = _ROUNDING
    return LinearConstraint(
        matrix,
        np.append(np.full(k, low - slack), np.ones(k)),
        np.append(np.full(k, high + slack), np.full(k, n)),
    )


def _separators(task: _Task, label: Ints) -> list[csr_array]:
    """Forbid what a division in pieces does: two units in one grid without any unit of what stands between them."""
    n, k = len(label), task.n_grids
    part = components(label, task.graph)
    size = np.bincount(part)
    cuts = []
    for grid in range(k):
        pieces = np.unique(part[label == grid])
        if len(pieces) < 2:
            continue
        main = pieces[np.argmax(size[pieces])]
        anchor = int(np.flatnonzero(part == main)[0])
        for piece in pieces[pieces != main].tolist():
            inside = part == piece
            edge = np.unique(task.graph.beside[np.repeat(inside, np.diff(task.graph.first))])
            between = edge[~inside[edge]]
            for unit in np.flatnonzero(inside).tolist():
                cells = np.concatenate([[unit, anchor], between]) * k + grid
                signs = np.append([1.0, 1.0], -np.ones(len(between)))
                row = np.zeros(len(cells), dtype=np.int64)
                cuts.append(coo_array((signs, (row, cells)), shape=(1, n * k)).tocsr())
    return cuts


def _steps(task: _Task, goal: Ints) -> pd.DataFrame:
    """Put the moves into an order: each time the one that leaves all in one piece and the work shared best."""
    label = task.home.copy()
    rows: list[tuple[object, ...]] = []
    open_moves = np.flatnonzero(goal != label).tolist()
    while open_moves:
        tried = []
        for unit in open_moves:
            after = label.copy()
            after[unit] = goal[unit]
            touched = np.isin(after, [label[unit], goal[unit]])
            pieces = len(np.unique(components(np.where(touched, after, -1), task.graph)[touched]))
            kept = len(np.unique(after[touched]))
            tried.append((pieces - kept, task.imbalance(after), unit))
        pieces, uneven, unit = min(tried)
        here, there = int(label[unit]), int(goal[unit])
        label[unit] = there
        loads = task.loads(label)
        rows.append(
            (
                len(rows) + 1,
                unit,
                here,
                there,
                task.load[unit],
                loads[here],
                loads[there],
                uneven,
                pieces == 0,
            )
        )
        open_moves.remove(unit)
    names = ["step", "unit", *_EFFECT]
    table = pd.DataFrame(rows, columns=names)
    return table.astype(
        {"step": int, "unit": int, "from_grid": int, "to_grid": int, "in_one_piece": bool}
    )


def _row(task: _Task, goal: Ints, bound: int) -> tuple[object, ...]:
    n_moves = int((goal != task.home).sum())
    reached = task.is_fair(goal) and task.is_whole(goal)
    return (
        task.n_grids, n_moves, bound, reached and n_moves == bound, task.imbalance(task.home), task.imbalance(goal),
        task.is_fair(goal), task.is_whole(goal), len(task.graph.bridges),
    )  # fmt: skip
