"""Where would one more facility help most?"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from gisgrid.errors import IndexMismatchError, InputError

Aim = Literal["coverage", "p_median"]

_MOST_VARIABLES: Final = 2_000_000
_SURE: Final = 1e-9
_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Sites:
    """The sites chosen.

    Attributes
    ----------
    chosen
        Indexed by site, in the order in which they help most: `covers` (residents newly within reach, or `saves_m`, the
        metres saved by all residents together) and the same added up.
    aim
        What was sought.
    value
        Residents covered, or the mean distance in metres, with the chosen sites.
    before
        The same without them.
    gap
        How far the best there can be may lie above (0: this is the best; NaN: not known).
    method
        ``exact`` (HiGHS) or ``exchange`` (greedy, then swaps).
    """

    chosen: pd.DataFrame
    aim: Aim
    value: float
    before: float
    gap: float
    method: Literal["exact", "exchange"]


def best_sites(
    pairs: pd.DataFrame,
    *,
    residents: pd.Series,
    candidates: pd.Index,
    n_sites: int,
    limit_m: float,
    aim: Aim = "coverage",
    existing: pd.Series | None = None,
    time_limit_s: float = 20.0,
) -> Sites:
    """Choose sites for new facilities among candidates.

    Parameters
    ----------
    pairs
        `origin`, `facility` (a candidate), `distance_m`, as from `gisgrid.access.within_reach`.
    residents
        How many live at each origin.
    candidates
        The sites there are.
    n_sites
        How many are built, at least 1.
    limit_m
        ``coverage``: who has a site within this is served. ``p_median``: who has none within this walks this far.
    aim
        ``coverage``: as many residents served as possible (maximal coverage). ``p_median``: as few metres walked by all
        together as possible.
    existing
        The distance of each origin to what is there already, indexed like `residents`, NaN or missing where nothing is.
    time_limit_s
        How long the exact solver may take; then the exchange is taken, unless what the solver has is better.

    Returns
    -------
    Sites
        The sites, what they bring, and how sure it is that nothing is better.

    Raises
    ------
    IndexMismatchError
        Pairs name places that `residents` or `candidates` do not.
    InputError
        Fewer than one site, more sites than candidates, or negative residents.

    Notes
    -----
    Exact: mixed-integer programme by HiGHS (scipy), with its time limit; the gap that remains is reported, never hidden.
    Exchange: sites are added greedily and then swapped one by one as long as that helps (Teitz and Bart 1968).

    Examples
    --------
    >>> pairs = pd.DataFrame({"origin": [0, 1, 1, 2], "facility": ["a", "a", "b", "b"], "distance_m": [50.0, 90, 20, 80]})
    >>> best_sites(pairs, residents=pd.Series([10, 20, 5]), candidates=pd.Index(["a", "b"]), n_sites=1, limit_m=100).chosen.reset_index()
      site  covers  covers_in_all
    0    a    30.0           30.0
    """
    if aim not in get_args(Aim):
        raise InputError(f"no aim {aim!r}; there are {', '.join(get_args(Aim))}")
    if not 1 <= n_sites <= len(candidates):
        raise InputError(
            f"{n_sites} sites are wanted of {len(candidates)} candidates; give a number from 1 to {len(candidates)}"
        )
    if (residents < 0).any():
        raise InputError(f"residents holds {residents.min():g} and there cannot be fewer than 0")
    problem = _problem(pairs, residents, candidates, limit_m, aim, existing)
    exact, gap = _exact(problem, n_sites, time_limit_s)
    if exact is not None and gap <= _SURE:
        return _said(problem, exact, candidates, aim, max(0.0, gap), "exact")
    quick = _exchange(problem, n_sites)
    if exact is not None and _value(problem, exact) >= _value(problem, quick) - 1e-9:
        return _said(problem, exact, candidates, aim, max(0.0, gap), "exact")
    return _said(problem, quick, candidates, aim, np.nan, "exchange")


@dataclass(frozen=True)
class _Problem:
    """What every origin gains by every candidate: sparse, origins × candidates, above what is there."""

    gain: sparse.csc_array
    people: _Floats
    before: float
    worst: float


def _problem(  # noqa: PLR0917
    pairs: pd.DataFrame, residents: pd.Series, candidates: pd.Index, limit_m: float, aim: Aim, existing: pd.Series | None
) -> _Problem:  # fmt: skip
    near = pairs[pairs["distance_m"] <= limit_m]
    origin, site = (
        residents.index.get_indexer(pd.Index(near["origin"])),
        candidates.get_indexer(pd.Index(near["facility"])),
    )
    if (origin < 0).any() or (site < 0).any():
        raise IndexMismatchError(
            f"{int((origin < 0).sum())} pairs name an origin, and {int((site < 0).sum())} a site, that residents and candidates do not; give all"
        )
    people = residents.to_numpy(dtype=float)
    there = np.full(len(people), np.inf)
    if existing is not None:
        there = existing.reindex(residents.index).fillna(np.inf).to_numpy(dtype=float)
    metres = near["distance_m"].to_numpy(dtype=float)
    if aim == "coverage":
        served = there <= limit_m
        gain = np.where(served[origin], 0.0, 1.0)
        before = float(people[served].sum())
    else:
        now = np.minimum(there, limit_m)
        gain = np.clip(now[origin] - metres, 0, None)
        before = float((people * now).sum())
    matrix = sparse.coo_array((gain, (origin, site)), shape=(len(people), len(candidates)))
    matrix.sum_duplicates()
    packed = matrix.tocsc()
    packed.eliminate_zeros()
    return _Problem(packed, people, before, limit_m)


def _value(problem: _Problem, sites: _Ints) -> float:
    """Add up what residents gain by the best of the sites."""
    best = problem.gain[:, sites].max(axis=1).toarray().ravel()
    return float((best * problem.people).sum())


def _columns(problem: _Problem) -> list[tuple[_Ints, _Floats]]:
    g = problem.gain
    return [
        (
            g.indices[g.indptr[j] : g.indptr[j + 1]].astype(np.int64),
            g.data[g.indptr[j] : g.indptr[j + 1]].astype(np.float64),
        )
        for j in range(g.shape[1])
    ]


def _exchange(problem: _Problem, n_sites: int) -> _Ints:
    columns = _columns(problem)
    best = np.zeros(len(problem.people))
    sites: list[int] = []

    def added(j: int, base: _Floats) -> float:
        rows, gain = columns[j]
        return float((np.clip(gain - base[rows], 0, None) * problem.people[rows]).sum())

    def raised(chosen: list[int]) -> _Floats:
        level = np.zeros(len(problem.people))
        for j in chosen:
            rows, gain = columns[j]
            level[rows] = np.maximum(level[rows], gain)
        return level

    for _ in range(n_sites):
        left = [j for j in range(len(columns)) if j not in sites]
        sites.append(max(left, key=partial(added, base=best)))
        best = raised(sites)
    improved = True
    while improved:
        improved = False
        for place in range(n_sites):
            others = sites[:place] + sites[place + 1 :]
            base = raised(others)
            own = added(sites[place], base)
            left = [j for j in range(len(columns)) if j not in sites]
            if not left:
                continue
            other = max(left, key=partial(added, base=base))
            if added(other, base) > own + 1e-9:
                sites[place], improved = other, True
    return np.array(sites, np.int64)


def _exact(problem: _Problem, n_sites: int, time_limit_s: float) -> tuple[_Ints | None, float]:
    """Solve as a facility location: every origin takes the gain of at most one open site."""
    gain = problem.gain.tocoo()
    n_sites_all, n_pairs = problem.gain.shape[1], len(gain.data)
    if n_pairs == 0 or n_pairs + n_sites_all > _MOST_VARIABLES or time_limit_s <= 0:
        return None, np.nan
    profit = np.concatenate([np.zeros(n_sites_all), -(gain.data * problem.people[gain.row])])
    pair = np.arange(n_pairs)
    takes = sparse.coo_array(
        (np.ones(n_pairs), (gain.row, n_sites_all + pair)), shape=(len(problem.people), len(profit))
    )
    opens = sparse.coo_array(
        (np.concatenate([np.ones(n_pairs), -np.ones(n_pairs)]), (np.tile(pair, 2), np.concatenate([n_sites_all + pair, gain.col]))),
        shape=(n_pairs, len(profit)),
    )  # fmt: skip
    number = sparse.coo_array(
        (np.ones(n_sites_all), (np.zeros(n_sites_all, int), np.arange(n_sites_all))),
        shape=(1, len(profit)),
    )
    found = milp(
        profit,
        constraints=[
            LinearConstraint(takes, ub=1),
            LinearConstraint(opens, ub=0),
            LinearConstraint(number, ub=n_sites),
        ],
        integrality=np.concatenate([np.ones(n_sites_all), np.zeros(n_pairs)]),
        bounds=Bounds(0, 1),
        options={"time_limit": time_limit_s, "mip_rel_gap": _SURE},
    )
    if found.x is None:
        return None, np.nan
    sites = np.flatnonzero(found.x[:n_sites_all] > 0.5).astype(np.int64)
    spare = np.setdiff1d(np.arange(n_sites_all), sites)[: n_sites - len(sites)]
    return np.concatenate([sites, spare]), float(found.mip_gap or 0.0)


def _said(  # noqa: PLR0917
    problem: _Problem, sites: _Ints, candidates: pd.Index, aim: Aim, gap: float, method: Literal["exact", "exchange"]
) -> Sites:  # fmt: skip
    left, total = [int(site) for site in sites], 0.0
    order: list[int] = []
    gains: list[float] = []
    while left:
        tries = [_value(problem, np.array([*order, j])) for j in left]
        at = int(np.argmax(tries))
        order.append(left.pop(at))
        gains.append(tries[at] - total)
        total = tries[at]
    name = "covers" if aim == "coverage" else "saves_m"
    table = pd.DataFrame(
        {name: gains, f"{name}_in_all": np.cumsum(gains)},
        index=pd.Index(candidates[order], name="site"),
    )
    people = problem.people.sum()
    if aim == "coverage":
        return Sites(table, aim, problem.before + total, problem.before, gap, method)
    mean = people or np.nan
    return Sites(table, aim, (problem.before - total) / mean, problem.before / mean, gap, method)
