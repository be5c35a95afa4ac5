"""In which group of neighbouring areas are there more incidents than their population explains (Kulldorff's scan)?"""

from __future__ import annotations

from typing import Final

import geopandas as gpd
import pandas as pd

from gisgrid.analysis import rate
from gisgrid.analysis.scans.result import Scan
from gisgrid.analysis.scans.spatial import scan
from gisgrid.catalogue import Derivation
from gisgrid.derived.areas import Areas, unit_areas
from gisgrid.derived.incidents import in_metres
from gisgrid.derived.notes import Note, heard
from gisgrid.derived.terms import Terms
from gisgrid.progress import Progress, silent
from gisgrid.schema import Text

_PERMUTATIONS: Final = 999
_LEVEL: Final = 0.1
"""The weakest class of a hotspot map; the clusters' labels say the rest."""


def unit_clusters(
    issues: gpd.GeoDataFrame,
    units: gpd.GeoDataFrame,
    *,
    key: str,
    population: str | None = "population",
    permutations: int = _PERMUTATIONS,
    seed: int = 0,
) -> Derivation:
    """Find the groups of units, of any size, in which there are more incidents than their residents explain.

    Parameters
    ----------
    issues
        Points in any CRS, with `duplicate_of`; brought into the CRS of `units` where it differs.
    units
        Areas with `key` and, where there are, `name_zh`, `name_en`, `name`.
    key
        The column that names a unit.
    population
        The column of residents; None to hold the incidents against the area of the units instead.
    permutations
        How many random maps.
    seed
        Seed of the random maps.

    Returns
    -------
    Derivation
        One row per unit, in their order: `key`, names, `n_incidents`, `population` and `incidents_per_1000` (where
        residents are known), and of the most likely cluster that it is in (p ≤ 0.1): `cluster_rank`, `n_members`,
        `cases`, `expected`, `relative_risk`, `llr`, `p`; `label` (``not_significant`` outside of clusters), `n_units`.

    Raises
    ------
    CrsError
        A frame has no CRS.
    ColumnError
        A column is missing.
    InputError
        No such number of permutations.

    Notes
    -----
    See `gisgrid.analysis.scan`: circles with up to half of the population; p holds for the whole map.
    """
    areas = unit_areas(issues, units, key=key, population=population)
    return clustered(areas, Terms(permutations=permutations, seed=seed))


def clustered(areas: Areas, terms: Terms, *, progress: Progress = silent) -> Derivation:
    """Scan areas for clusters.

    Parameters
    ----------
    areas
        What was counted.
    terms
        Permutations (999 where they are not said) and seed; neighbours and correction have no part in it.
    progress
        Told how far the random maps are.

    Returns
    -------
    Derivation
        The areas with the columns that `unit_clusters` says.

    Raises
    ------
    InputError
        No such number of permutations.
    """
    frame, about_metres = in_metres(areas.frame, what="the distance between areas")
    centres = gpd.GeoDataFrame(
        geometry=frame.geometry.to_numpy(), index=areas.counts.index, crs=frame.crs
    )
    population = areas.denominator
    notes: list[str] = []
    if population is None:
        population = pd.Series(centres.area.to_numpy() / 1e6, index=areas.counts.index)
        text = Text(
            zh="没有人口数据：按单元面积计算期望件数",
            en="no residents are given: incidents are held against the area of the units",
        )
        notes.append(Note.of(text))
    known = rate(areas.counts, population).notna()
    with heard(notes):
        found = scan(
            areas.counts.where(known), population, centres,
            permutations=_PERMUTATIONS if terms.permutations is None else terms.permutations,
            seed=terms.seed, progress=progress,
        )  # fmt: skip
    return areas.made(_of_units(found, known), tested=known, notes=(*about_metres, *notes))


def _of_units(found: Scan, known: pd.Series) -> dict[str, pd.Series]:
    """Give every unit the figures of the most likely cluster that it is in."""
    rank = found.membership(max_p=_LEVEL).reindex(known.index)
    clusters = found.clusters
    columns = {"cluster_rank": rank, "n_members": rank.map(clusters["n_units"]).astype("Int64")}
    for name in ("cases", "expected", "relative_risk", "llr", "p"):
        columns[name] = rank.map(clusters[name]).astype(float)
    columns["cases"] = columns["cases"].astype("Int64")
    label = rank.map(clusters["label"]).astype("object").where(rank.notna(), "not_significant")
    columns["label"] = label.where(known, None).astype("object")
    return columns
