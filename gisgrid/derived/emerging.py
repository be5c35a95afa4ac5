"""Which hotspots are new, which grow, which fade, which were there all along?"""

from __future__ import annotations

from typing import Final

import geopandas as gpd
import pandas as pd

from gisgrid.analysis import SpaceTimeCube, emerging_hotspots, excess, step_scores
from gisgrid.analysis.significance import Correction, significance_labels
from gisgrid.catalogue import Derivation
from gisgrid.derived.areas import Areas, unit_areas
from gisgrid.derived.notes import heard
from gisgrid.derived.terms import Terms, neighbourhood
from gisgrid.derived.times import checked_step, stepped

_NAMED: Final = {"month": "%Y-%m", "year": "%Y"}


def unit_patterns(
    issues: gpd.GeoDataFrame,
    units: gpd.GeoDataFrame,
    *,
    key: str,
    timezone: str,
    step: str = "month",
    population: str | None = "population",
    neighbours: str = "contiguity",
    correction: Correction = "fdr",
) -> Derivation:
    """Say of each unit what kind of hotspot it has been over the months: new, intensifying, fading, there all along.

    Parameters
    ----------
    issues
        Points in any CRS, with `duplicate_of` and `reported_at` (UTC); brought into the CRS of `units` where it differs.
    units
        Areas with `key` and, where there are, `name_zh`, `name_en`, `name`.
    key
        The column that names a unit.
    timezone
        Where a day begins, for example ``Asia/Shanghai``.
    step
        ``day``, ``week``, ``month``, ``quarter`` or ``year``.
    population
        The column of residents; None to look at the counts themselves.
    neighbours
        ``contiguity``, ``rook``, ``distance:500`` or ``nearest:8``.
    correction
        What is done about the many units of a step: ``fdr``, ``bonferroni`` or ``none``.

    Returns
    -------
    Derivation
        One row per unit, in their order: `key`, names, `n_incidents`, `population` and `incidents_per_1000` (where
        residents are known), `pattern` (one of `gisgrid.analysis.space_time.emerging.PATTERNS`), `n_steps`, `n_hot`, `n_cold`,
        `last`, `z_last`, `trend_z`, `trend_p`, `n_units`. Steps that the data cover in part are left out.

    Raises
    ------
    CrsError
        A frame has no CRS.
    ColumnError
        A column is missing.
    InputError
        No such step, zone, neighbourhood or correction, or times without a zone.

    Notes
    -----
    See `gisgrid.analysis.space_time.emerging.emerging_hotspots`. What is scored at each step is the excess over what the residents
    lead one to expect (the area of cells; counts where there are no residents).
    """
    areas = unit_areas(issues, units, key=key, population=population)
    return patterned(areas, Terms(neighbours, correction=correction), timezone=timezone, step=step)


def patterned(areas: Areas, terms: Terms, *, timezone: str, step: str = "month") -> Derivation:
    """Name the pattern of each area over time.

    Parameters
    ----------
    areas
        What was counted, with `reported_at` among the incidents' columns.
    terms
        Neighbours and correction; there are no permutations.
    timezone
        Where a day begins.
    step
        ``day``, ``week``, ``month``, ``quarter`` or ``year``.

    Returns
    -------
    Derivation
        The areas with the columns that `unit_patterns` says.

    Raises
    ------
    ColumnError
        There are no times.
    InputError
        No such step, zone, neighbourhood or correction, or times without a zone.
    """
    checked_step(step)
    graph, about_neighbours = neighbourhood(areas, terms.neighbours)
    notes: list[str] = []
    counted, cube = stepped(areas, timezone=timezone, step=step, notes=notes)
    with heard(notes):
        found = emerging_hotspots(_per_step(areas, cube), graph, correction=terms.correction)
    return counted.made(
        {str(name): found[name] for name in found},
        tested=found["pattern"].notna(),
        notes=(*about_neighbours, *notes),
    )


def step_labels(areas: Areas, terms: Terms, *, timezone: str, step: str = "month") -> pd.DataFrame:
    """Say of each area whether it was hot or cold at each step, as `patterned` scores it.

    Parameters
    ----------
    areas
        What was counted, with `reported_at` among the incidents' columns.
    terms
        Neighbours and correction; there are no permutations.
    timezone
        Where a day begins.
    step
        ``day``, ``week``, ``month``, ``quarter`` or ``year``.

    Returns
    -------
    DataFrame
        Shape (n, T), areas by whole steps named by their first day (``2025-03`` for a month), each value one of
        `gisgrid.palette.LABELS`; missing where there was no test.

    Raises
    ------
    ColumnError
        There are no times.
    InputError
        No such step, zone, neighbourhood or correction, or times without a zone.
    """
    graph, _ = neighbourhood(areas, terms.neighbours)
    notes: list[str] = []
    _, cube = stepped(areas, timezone=timezone, step=step, notes=notes)
    with heard(notes):
        scores = step_scores(_per_step(areas, cube), graph, correction=terms.correction)
    names = pd.DatetimeIndex(scores.z.columns).strftime(_NAMED.get(step, "%Y-%m-%d"))
    labels = [significance_labels(scores.z[day], scores.q[day]) for day in scores.z]
    return pd.DataFrame(dict(zip(names, labels, strict=True)), index=scores.z.index)


def _per_step(areas: Areas, cube: SpaceTimeCube) -> pd.DataFrame:
    """Give what is scored at each whole step."""
    counts = cube.complete
    if areas.denominator is None:
        return counts.astype(float)
    denominator = areas.denominator
    return counts.apply(lambda column: excess(column, denominator))
