"""Which circle (or ellipse) on the map holds more cases than chance would put there?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal, get_args

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gisgrid.analysis.permutations import require_permutations
from gisgrid.analysis.scans.result import Naming, Overlap, Scan, no_clusters, result
from gisgrid.analysis.scans.search import Problem, search
from gisgrid.analysis.scans.units import Units, nothing_to_scan, units
from gisgrid.analysis.scans.windows import Places, Window
from gisgrid.errors import InputError
from gisgrid.progress import Progress, silent

ScanModel = Literal["poisson", "bernoulli"]

CIRCLES: Final = Window()
"""Circles with up to half of the population, two cases or more, high rates."""

_MOST_LOOKED_AT: Final = 1_000_000_000  # what numpy's hypergeometric draws from


def scan(
    cases: pd.Series,
    population: pd.Series,
    centres: gpd.GeoDataFrame,
    *,
    model: ScanModel = "poisson",
    window: Window = CIRCLES,
    overlap: Overlap = "none",
    permutations: int = 999,
    stop_after: int | None = None,
    seed: int = 0,
    progress: Progress = silent,
) -> Scan:
    """Find the areas, of any size, with more cases than their population explains (Kulldorff's scan statistic).

    The one method here that chooses the size of a hotspot itself and whose p is honest for the whole map: it holds for
    the best of all windows together, so nothing remains to be corrected. Its areas are circles or ellipses: a hotspot
    along a winding street is cut short or padded; use `gi_star` to see every unit.

    Parameters
    ----------
    cases
        Shape (n,), whole numbers; a missing value leaves its unit out.
    population
        Shape (n,), the same names: residents, km², households (``poisson``), or how many were looked at, cases among
        them (``bernoulli``: late cases among all cases).
    centres
        Shape (n,), the same names in any order; points, or polygons whose centroid is taken.
    model
        ``poisson``: cases are rare among the population. ``bernoulli``: each one of the population is a case or not.
    window
        Which windows are tried.
    overlap
        Which less likely clusters are told: ``none`` shares a unit with a more likely one, ``centre_outside`` (the centre
        does not), ``all`` (the best window around every unit).
    permutations
        0 (no p), or 19 to 999 999 random maps.
    stop_after
        Stop when so many random maps (50, say) have reached the most likely cluster: a p that will not be small is not
        worth the time. None to draw them all.
    seed
        Seed of the maps.
    progress
        Told how far the random maps are.

    Returns
    -------
    Scan
        The clusters, their units and outlines.

    Raises
    ------
    IndexMismatchError
        The three do not name the same units, or name one twice.
    InputError
        Cases that are not whole numbers, negative or infinite values, cases where there is no population, more cases than
        were looked at, or an option out of its range.
    CrsError
        The centres are not in metres.

    Warns
    -----
    NullResultWarning
        No cases, no population, or no window with more than expected: no cluster.
    SmallSampleWarning
        Fewer than 30 units.

    Notes
    -----
    With c cases in a window, e expected and C in all: Poisson c ln(c / e) + (C - c) ln((C - c) / (C - e)); Bernoulli
    likewise with those who are no cases. Windows grow by one unit at a time; units at the same distance join west to
    east, then south to north. Random maps keep C and, for Bernoulli, everyone's number: p = (M + 1) / (R + 1), one-sided
    by nature, for the best of all windows; with `stop_after` h, h over the maps drawn until the h-th reached it.
    `p_gumbel` is finer. Threads and the order of the rows change nothing.
    CRS: projected, metres. Cost: O(windows × permutations / 64), 5 000 units, half of the population, 999 maps in 3 s on
    two cores. Memory: up to 256 MB of windows and as much of random maps, however many units.
    Source: Kulldorff 1997; Besag & Clifford 1991; Abrams, Kulldorff & Kleinman 2010. Checked against: SaTScan 9.6 and
    9.3.1 (circles and ellipses on the leukaemia of upstate New York, to 6 decimals).

    Examples
    --------
    >>> x, y = np.divmod(np.arange(100), 10)
    >>> centres = gpd.GeoDataFrame(geometry=gpd.points_from_xy(500_000 + 100 * x, 3_900_000 + 100 * y), crs=4547)
    >>> cases = pd.Series(2, index=centres.index)
    >>> cases[[34, 43, 44, 45, 54]] = 9
    >>> found = scan(cases, pd.Series(1_000, index=centres.index), centres, permutations=99)
    >>> found.clusters[["n_units", "cases", "ratio", "p", "label"]].head(1).round(2).values.tolist()
    [[5, 45, 3.83, 0.01, 'hot_99']]
    >>> found.membership().dropna().index.to_list()
    [34, 43, 44, 45, 54]
    """
    require_options(permutations, stop_after)
    if model not in get_args(ScanModel):
        raise InputError(
            f"a scan has no model {model!r}; choose one of {', '.join(get_args(ScanModel))}"
        )
    given = units(cases.to_frame(), population.to_frame(), centres)
    if model == "bernoulli":
        _require_looked_at(given)
    if nothing_to_scan(given.cases):
        return no_clusters(given, Naming())
    total, people = int(given.cases.sum()), given.population
    problem = Problem(
        places=Places(given.xy, people[:, 0], window),
        counts=given.cases,
        expected=people * (total / people.sum()),
        population=float(people.sum()) if model == "bernoulli" else 0.0,
        steps=np.array([0, 1]),
        first=np.array([0]),
        last=np.array([1]),
        draw=_bernoulli(people, total) if model == "bernoulli" else poisson(people, total),
    )
    found = search(
        problem, permutations=permutations, stop_after=stop_after, seed=seed, progress=progress
    )
    return result(problem, given, found, overlap=overlap, stop_after=stop_after, naming=Naming())


Draw = Callable[[np.random.Generator], NDArray[np.int64]]


def require_options(permutations: int, stop_after: int | None) -> None:
    """See that the random maps of a scan can be drawn.

    Parameters
    ----------
    permutations
        How many.
    stop_after
        How many need to reach the best window.

    Raises
    ------
    InputError
        A number out of its range.
    """
    require_permutations(permutations, "greater")
    if stop_after is not None and stop_after < 5:
        raise InputError(
            f"a scan that stops after {stop_after} maps cannot tell 5 % from 50 %; give stop_after of 5 or more, for example 50"
        )


def poisson(population: NDArray[np.float64], total: int) -> Draw:
    """Make cases fall on the population by chance, the number of all cases kept.

    Parameters
    ----------
    population
        Shape (n, t).
    total
        How many cases.

    Returns
    -------
    callable
        From a generator to counts, shape (n, t).
    """
    cells = np.flatnonzero(population > 0)
    share = population.ravel()[cells] / population.sum()
    share /= share.sum()
    bounds = np.cumsum(share)

    def draw(rng: np.random.Generator) -> NDArray[np.int64]:
        counts = np.zeros(population.size, np.int64)
        if total < len(cells):  # the same distribution, case by case
            fell = np.searchsorted(bounds, rng.random(total), side="right")
            found = np.bincount(np.minimum(fell, len(cells) - 1), minlength=len(cells))
        else:
            found = rng.multinomial(total, share)
        counts[cells] = found
        return counts.reshape(population.shape)

    return draw


def _bernoulli(people: NDArray[np.float64], total: int) -> Draw:
    """Make any `total` of those who were looked at the cases."""
    colours = people[:, 0].astype(np.int64)

    def draw(rng: np.random.Generator) -> NDArray[np.int64]:
        return rng.multivariate_hypergeometric(colours, total, method="marginals")[:, None]

    return draw


def _require_looked_at(given: Units) -> None:
    """See that the population is a number of those who were looked at, cases among them."""
    cases, people = given.cases[:, 0], given.population[:, 0]
    bad = (cases > people) | (people != np.floor(people))
    if bad.any():
        i = int(np.argmax(bad))
        raise InputError(
            f"{bad.sum()} of {len(bad)} units have more cases than were looked at, or a part of one (first: "
            f"{given.names[i]!r}, {cases[i]} of {people[i]:g}); for 'bernoulli' give population = cases + non-cases, "
            "or use model='poisson'"
        )
    if people.sum() >= _MOST_LOOKED_AT:
        raise InputError(
            f"{people.sum():.0f} looked at are more than 'bernoulli' can draw from ({_MOST_LOOKED_AT}); "
            "use model='poisson', which is the same for so many"
        )
