"""Which areas have, together with their neighbours, unusually many or few incidents?"""

from __future__ import annotations

from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
from libpysal.graph import Graph

from gisgrid.analysis import hotspots, rate
from gisgrid.analysis.significance import Correction
from gisgrid.catalogue import Derivation
from gisgrid.derived.areas import Areas, cell_areas, unit_areas
from gisgrid.derived.notes import heard
from gisgrid.derived.terms import Terms, few, neighbourhood, out_of_reach

_SCORES: Final = ("observed", "expected", "z", "p", "q", "label", "n_neighbours")


def unit_hotspots(
    issues: gpd.GeoDataFrame,
    units: gpd.GeoDataFrame,
    *,
    key: str,
    population: str | None = "population",
    neighbours: str = "contiguity",
    permutations: int = 0,
    correction: Correction = "fdr",
    seed: int = 0,
) -> Derivation:
    """Find the units that have, together with their neighbours, unusually many or few incidents per resident.

    Parameters
    ----------
    issues
        Points in any CRS, with `duplicate_of`; brought into the CRS of `units` where it differs.
    units
        Areas with `key` and, where there are, `name_zh`, `name_en`, `name`.
    key
        The column that names a unit.
    population
        The column of residents; None to score the counts themselves, which grow with the size of a unit.
    neighbours
        ``contiguity``, ``rook``, ``distance:500`` or ``nearest:8``.
    permutations
        0 for the normal p; 999 or more where incidents are few.
    correction
        What is done about the many tests: ``fdr``, ``bonferroni`` or ``none``.
    seed
        Seed of the permutations.

    Returns
    -------
    Derivation
        One row per unit, in their order: `key`, names, `n_incidents`, `population` and `incidents_per_1000` (where
        residents are known), `observed`, `expected` (incidents per 1000 residents of the unit with its neighbours, and
        of the city; or mean incidents), `z`, `p`, `q`, `label`, `n_neighbours`, `n_units` (how many were tested). A unit
        without residents or neighbours is not tested: its scores are missing.

    Raises
    ------
    CrsError
        A frame has no CRS.
    ColumnError
        A column is missing.
    InputError
        No such neighbourhood, correction or number of permutations.

    Notes
    -----
    Gi*: see `gisgrid.analysis.hotspots`. Where residents are known, what is scored is `gisgrid.analysis.excess`: plain
    rates of unequal units call a fifth of all cities without any hotspot hot at 95 % (docs/decisions/0004-significance.md).
    """
    areas = unit_areas(issues, units, key=key, population=population)
    return hot(areas, Terms(neighbours, permutations, correction, seed))


def cell_hotspots(
    issues: gpd.GeoDataFrame,
    area: gpd.GeoDataFrame,
    *,
    cell_m: float,
    shape: str = "hexagon",
    min_share_inside: float = 0.5,
    neighbours: str = "contiguity",
    permutations: int = 0,
    correction: Correction = "fdr",
    seed: int = 0,
) -> Derivation:
    """Find the places where incidents lie unusually thick or thin, whatever the administrative borders.

    Parameters
    ----------
    issues
        Points in any CRS, with `duplicate_of`; brought into the CRS of `area` where it differs.
    area
        The city, as areas in a projected CRS in metres.
    cell_m
        Width of a cell, metres.
    shape
        ``hexagon`` or ``square``.
    min_share_inside
        Cells of which less lies inside the city (0 to 1) are left out: a sliver's density jumps with one incident.
    neighbours
        ``contiguity``, ``rook``, ``distance:500`` or ``nearest:8``.
    permutations
        0 for the normal p; 999 or more where incidents are few.
    correction
        What is done about the many tests: ``fdr``, ``bonferroni`` or ``none``.
    seed
        Seed of the permutations.

    Returns
    -------
    Derivation
        One row per cell: `cell_id`, `n_incidents`, `area_km2` (of what lies inside the city), `incidents_per_km2`,
        `observed`, `expected` (incidents/km²), `z`, `p`, `q`, `label`, `n_neighbours`, `n_units` (cells tested).

    Raises
    ------
    CrsError
        A frame has no CRS, or `area` is not in metres.
    ColumnError
        A column is missing.
    InputError
        No such shape, neighbourhood, correction or number of permutations.

    Notes
    -----
    Gi* on densities: see `gisgrid.analysis.hotspots`.
    """
    areas = cell_areas(issues, area, cell_m=cell_m, shape=shape, min_share_inside=min_share_inside)
    return hot(areas, Terms(neighbours, permutations, correction, seed))


def hot(areas: Areas, terms: Terms) -> Derivation:
    """Score areas by Gi* (density of cells, excess of units per resident, or counts).

    Parameters
    ----------
    areas
        What was counted.
    terms
        How it is tested; the normal distribution where permutations are not said.

    Returns
    -------
    Derivation
        The areas with `observed`, `expected`, `z`, `p`, `q`, `label`, `n_neighbours`, `n_units`.

    Raises
    ------
    InputError
        No such neighbourhood, correction or number of permutations.
    """
    graph, about_neighbours = neighbourhood(areas, terms.neighbours)
    permutations = terms.permutations or 0
    notes: list[str] = []
    with heard(notes):
        scores = hotspots(
            areas.tested, graph,
            permutations=permutations, correction=terms.correction, seed=terms.seed,
        )  # fmt: skip
    if areas.denominator is not None and not areas.are_cells:
        scores = scores.assign(**_per_resident(areas, graph))
    if permutations == 0:
        notes += few(areas.counts, graph)
    notes += out_of_reach(terms, permutations, int(scores["z"].notna().sum()))
    return areas.made(
        {name: scores[name] for name in _SCORES},
        tested=scores["z"].notna(),
        notes=(*about_neighbours, *notes),
    )


def _per_resident(areas: Areas, graph: Graph) -> dict[str, pd.Series]:
    """Say observed and expected per 1000 residents: of the unit with its neighbours, and of the city."""
    residents = areas.denominator
    if residents is None:
        return {}
    counts = areas.counts
    known = areas.rates.notna()
    n = counts.where(known, 0).reindex(graph.unique_ids).to_numpy(dtype=float)
    people = residents.where(known, 0).reindex(graph.unique_ids).to_numpy(dtype=float)
    around = graph.sparse > 0
    pooled = pd.DataFrame(
        {"n": n + around @ n, "people": people + around @ people}, index=graph.unique_ids
    )
    observed = rate(pooled["n"], pooled["people"], per=areas.per).reindex(counts.index)
    expected = areas.per * n.sum() / people.sum() if people.sum() else np.nan
    return {
        "observed": observed.where(known),
        "expected": pd.Series(expected, index=counts.index),
    }
