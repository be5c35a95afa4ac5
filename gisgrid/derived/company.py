"""What company does an area keep: hot neighbours, another thing next door, others of its kind?"""

from __future__ import annotations

from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd

from gisgrid.analysis import gi, local_join_counts, local_moran_bivariate
from gisgrid.analysis.significance import Correction, corrected, significance_labels, words
from gisgrid.catalogue import Derivation
from gisgrid.derived.areas import Areas, unit_areas
from gisgrid.derived.flags import flags_of, numbers_of
from gisgrid.derived.notes import heard
from gisgrid.derived.outliers import drawn
from gisgrid.derived.terms import Terms, few, neighbourhood, out_of_reach
from gisgrid.errors import InputError

COMPANY: Final = ("in_company", "alone", "without")
"""What an area is by local join counts: it has it among others that have it, has it otherwise, has it not."""

_LEVEL: Final = 0.05


def unit_surroundings(
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
    """Find the units whose neighbours have unusually many or few incidents, whatever they have themselves.

    Parameters
    ----------
    issues
        Points in any CRS, with `duplicate_of`; brought into the CRS of `units` where it differs.
    units
        Areas with `key` and, where there are, `name_zh`, `name_en`, `name`.
    key
        The column that names a unit.
    population
        The column of residents; None to look at the counts themselves.
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
        One row per unit as from `unit_hotspots`; `observed` and `expected` are in the unit of what is tested (standard
        deviations of the excess, or incidents).

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
    Gi: see `gisgrid.analysis.gi`.
    """
    areas = unit_areas(issues, units, key=key, population=population)
    return surrounded(areas, Terms(neighbours, permutations, correction, seed))


def surrounded(areas: Areas, terms: Terms) -> Derivation:
    """Score areas by Gi: their neighbours without themselves.

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
    """
    graph, about_neighbours = neighbourhood(areas, terms.neighbours)
    permutations = terms.permutations or 0
    notes: list[str] = []
    with heard(notes):
        scores = gi(areas.tested, graph, permutations=permutations, seed=terms.seed)
        q = corrected(scores["p"], terms.correction)
    label = significance_labels(scores["z"], q)
    if permutations == 0:
        notes += few(areas.counts, graph)
    notes += out_of_reach(terms, permutations, int(scores["z"].notna().sum()))
    names = ("observed", "expected", "z", "p")
    return areas.made(
        {**{name: scores[name] for name in names}, "q": q, "label": label, "n_neighbours": scores["n_neighbours"]},
        tested=scores["z"].notna(), notes=(*about_neighbours, *notes),
    )  # fmt: skip


def unit_pairs(
    issues: gpd.GeoDataFrame,
    units: gpd.GeoDataFrame,
    *,
    key: str,
    against: str,
    population: str | None = "population",
    neighbours: str = "contiguity",
    permutations: int = 9_999,
    correction: Correction = "fdr",
    seed: int = 0,
) -> Derivation:
    """Find the units where incidents go with another thing in the units around: vendors here, markets next door.

    Parameters
    ----------
    issues
        Points in any CRS, with `duplicate_of`; brought into the CRS of `units` where it differs.
    units
        Areas with `key` and `against`.
    key
        The column that names a unit.
    against
        The column of the other thing: numbers, missing where unknown.
    population
        The column of residents; None to look at the counts themselves.
    neighbours
        ``contiguity``, ``rook``, ``distance:500`` or ``nearest:8``.
    permutations
        How many; 0 for the normal p.
    correction
        What is done about the many tests: ``fdr``, ``bonferroni`` or ``none``.
    seed
        Seed of the permutations.

    Returns
    -------
    Derivation
        One row per unit as from `unit_outliers`, with `around` (the other thing in the unit itself); `lag` is its mean
        among the neighbours, and `cluster` names the unit's own value first, then that of the other thing around it.

    Raises
    ------
    CrsError
        A frame has no CRS.
    ColumnError
        A column is missing.
    InputError
        No such neighbourhood, correction or number of permutations, or the other thing is no number.
    """
    areas = unit_areas(issues, units, key=key, population=population)
    other = numbers_of(units, against, key=key, least=None)
    return paired(areas, other, Terms(neighbours, permutations, correction, seed))


def paired(areas: Areas, around: pd.Series, terms: Terms) -> Derivation:
    """Hold what areas have against what their neighbours have of another thing (bivariate local Moran).

    Parameters
    ----------
    areas
        What was counted.
    around
        Shape (n,), indexed by key: the other thing.
    terms
        How it is tested; 9 999 permutations where they are not said.

    Returns
    -------
    Derivation
        The areas with the columns that `unit_pairs` says.
    """
    graph, about_neighbours = neighbourhood(areas, terms.neighbours)
    notes: list[str] = []
    values, around = areas.tested, around.reindex(areas.counts.index)
    with heard(notes):
        scores = local_moran_bivariate(
            values, around, graph,
            permutations=drawn(terms), correction=terms.correction, seed=terms.seed,
        )  # fmt: skip
    notes += out_of_reach(terms, drawn(terms), int(scores["p"].notna().sum()))
    names = ("lag", "i", "z", "p", "q", "cluster", "n_neighbours")
    return areas.made(
        {"value": values, "around": around, **{name: scores[name] for name in names}},
        tested=scores["p"].notna(),
        notes=(*about_neighbours, *notes),
    )


def unit_joins(
    issues: gpd.GeoDataFrame,
    units: gpd.GeoDataFrame,
    *,
    key: str,
    flag: str | int,
    neighbours: str = "contiguity",
    correction: Correction = "fdr",
) -> Derivation:
    """Find the units that have something and lie among others that have it: dry toilets, open cases, many reports.

    Parameters
    ----------
    issues
        Points in any CRS, with `duplicate_of`; brought into the CRS of `units` where it differs.
    units
        Areas with `key`.
    key
        The column that names a unit.
    flag
        What they have: a column of `units` that says yes or no, or a number: so many incidents or more.
    neighbours
        ``contiguity``, ``rook``, ``distance:500`` or ``nearest:8``.
    correction
        What is done about the many tests: ``fdr``, ``bonferroni`` or ``none``.

    Returns
    -------
    Derivation
        One row per unit, in their order: `key`, names, `n_incidents`, `has_it`, `n_joins` (neighbours that have it too),
        `p`, `q`, `company` (``in_company`` where q ≤ 0.05, ``alone``, ``without``), `n_neighbours`, `n_units`.

    Raises
    ------
    CrsError
        A frame has no CRS.
    ColumnError
        A column is missing.
    InputError
        No such neighbourhood or correction, or values that say neither yes nor no.
    """
    areas = unit_areas(issues, units, key=key, population=None)
    flags = flagged(areas, units, flag)
    return joined(areas, flags, Terms(neighbours, correction=correction))


def flagged(areas: Areas, units: gpd.GeoDataFrame | None, flag: str | int) -> pd.Series:
    """Say which areas have it.

    Parameters
    ----------
    areas
        What was counted.
    units
        The units with their columns; None where there are none.
    flag
        A column that says yes or no, or a number of incidents.

    Returns
    -------
    Series
        Shape (n,), bool, indexed by key.

    Raises
    ------
    ColumnError
        There is no such column.
    InputError
        Neither a number above 0 nor a column.
    """
    if str(flag).isdigit() and (units is None or str(flag) not in units.columns):
        if int(flag) < 1:
            raise InputError("0 incidents or more has every area; give 1 or more, or a column of the units")  # fmt: skip
        return areas.counts >= int(flag)
    if units is None:
        raise InputError(
            f"{flag!r} is no number of incidents and there are no units with such a column; give a number, for example 5"
        )
    return flags_of(units, str(flag), key=areas.key)


def joined(areas: Areas, flags: pd.Series, terms: Terms) -> Derivation:
    """Say which areas that have something lie among others that have it (local join counts).

    Parameters
    ----------
    areas
        What was counted.
    flags
        Shape (n,), bool, indexed by key.
    terms
        Neighbours and correction; p is exact, there are no permutations.

    Returns
    -------
    Derivation
        The areas with the columns that `unit_joins` says.
    """
    graph, about_neighbours = neighbourhood(areas, terms.neighbours)
    notes: list[str] = []
    flags = flags.reindex(areas.counts.index)
    with heard(notes):
        found = local_join_counts(flags, graph, correction=terms.correction)
    code = np.select([~flags.to_numpy(dtype=bool), (found["q"] <= _LEVEL).to_numpy()], [2, 0], 1)
    company = pd.Series(words(code.astype(np.int8), COMPANY), index=flags.index)
    return areas.made(
        {
            "has_it": flags, "n_joins": found["n_joins"], "p": found["p"], "q": found["q"], "company": company,
            "n_neighbours": found["n_neighbours"],
        },
        tested=found["p"].notna(), notes=(*about_neighbours, *notes),
    )  # fmt: skip
