"""Which areas lie among their like, which stand out against their neighbours?"""

from __future__ import annotations

from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd

from gisgrid.analysis import local_geary, local_moran
from gisgrid.analysis.significance import Correction, words
from gisgrid.catalogue import Derivation
from gisgrid.derived.areas import Areas, unit_areas
from gisgrid.derived.notes import heard
from gisgrid.derived.terms import Terms, neighbourhood, out_of_reach

CONTRASTS: Final = ("similar", "different", "not_significant")
"""What a unit is to its neighbours, by local Geary."""

_PERMUTATIONS: Final = 9_999  # so that one unusual area among hundreds can pass the correction
_LEVEL: Final = 0.05


def unit_outliers(
    issues: gpd.GeoDataFrame,
    units: gpd.GeoDataFrame,
    *,
    key: str,
    population: str | None = "population",
    neighbours: str = "contiguity",
    permutations: int = _PERMUTATIONS,
    correction: Correction = "fdr",
    seed: int = 0,
) -> Derivation:
    """Find the units that lie among their like, and those that stand out: the one bad market in a good quarter.

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
        How many; 0 for the normal p.
    correction
        What is done about the many tests: ``fdr``, ``bonferroni`` or ``none``.
    seed
        Seed of the permutations.

    Returns
    -------
    Derivation
        One row per unit, in their order: `key`, names, `n_incidents`, `population` and `incidents_per_1000` (where
        residents are known), `value` (what is tested: the excess in standard deviations, or the count), `lag` (its mean
        among the neighbours), `i` (local Moran), `z`, `p`, `q`, `cluster` (``high_high``, ``low_low``, ``high_low``,
        ``low_high``, ``not_significant``; missing where there was no test), `n_neighbours`, `n_units`.

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
    See `gisgrid.analysis.local_moran`; clusters at q ≤ 0.05.
    """
    areas = unit_areas(issues, units, key=key, population=population)
    return alike(areas, Terms(neighbours, permutations, correction, seed))


def alike(areas: Areas, terms: Terms) -> Derivation:
    """Score areas by local Moran.

    Parameters
    ----------
    areas
        What was counted.
    terms
        How it is tested; 9 999 permutations where they are not said.

    Returns
    -------
    Derivation
        The areas with `value`, `lag`, `i`, `z`, `p`, `q`, `cluster`, `n_neighbours`, `n_units`.

    Raises
    ------
    InputError
        No such neighbourhood, correction or number of permutations.
    """
    graph, about_neighbours = neighbourhood(areas, terms.neighbours)
    notes: list[str] = []
    values = areas.tested
    with heard(notes):
        scores = local_moran(
            values, graph,
            permutations=drawn(terms), correction=terms.correction, seed=terms.seed,
        )  # fmt: skip
    notes += out_of_reach(terms, drawn(terms), int(scores["p"].notna().sum()))
    names = ("lag", "i", "z", "p", "q", "cluster", "n_neighbours")
    return areas.made(
        {"value": values, **{name: scores[name] for name in names}},
        tested=scores["p"].notna(),
        notes=(*about_neighbours, *notes),
    )


def apart(areas: Areas, terms: Terms) -> Derivation:
    """Score areas by local Geary: how far each differs from its neighbours, whatever the level is.

    Parameters
    ----------
    areas
        What was counted.
    terms
        How it is tested; 9 999 permutations where they are not said.

    Returns
    -------
    Derivation
        The areas with `value`, `c` (0 where all neighbours are the same, about 2 by chance), `p`, `q`, `contrast`
        (``similar`` or ``different`` where q ≤ 0.05, else ``not_significant``; missing where there was no test),
        `n_neighbours`, `n_units`.

    Raises
    ------
    InputError
        No such neighbourhood, correction or number of permutations.
    """
    graph, about_neighbours = neighbourhood(areas, terms.neighbours)
    notes: list[str] = []
    values = areas.tested
    with heard(notes):
        scores = local_geary(
            values, graph,
            permutations=drawn(terms), correction=terms.correction, seed=terms.seed,
        )  # fmt: skip
    tested = scores["p"].notna()
    notes += out_of_reach(terms, drawn(terms), int(tested.sum()))
    m = values.notna().sum()
    own = (values - values.mean()) ** 2 / values.var(ddof=0)
    by_chance = m / (m - 1) * (1 + own)  # of the unit with its own value held
    sure = scores["q"] <= _LEVEL
    code = np.select(
        [~tested, sure & (scores["c"] < by_chance), sure],
        [-1, 0, 1],
        CONTRASTS.index("not_significant"),
    )
    contrast = pd.Series(words(code.astype(np.int8), CONTRASTS), index=scores.index)
    names = ("c", "p", "q")
    return areas.made(
        {
            "value": values, **{name: scores[name] for name in names},
            "contrast": contrast, "n_neighbours": scores["n_neighbours"],
        },
        tested=tested,
        notes=(*about_neighbours, *notes),
    )  # fmt: skip


def drawn(terms: Terms) -> int:
    """Say how many permutations are drawn.

    Parameters
    ----------
    terms
        How it is tested.

    Returns
    -------
    int
        9 999 where they are not said.
    """
    return _PERMUTATIONS if terms.permutations is None else terms.permutations
