"""In which group of neighbouring areas are there more incidents than their population explains (Kulldorff's scan)?"""

from __future__ import annotations

from typing import Final, Literal, cast

import geopandas as gpd
import pandas as pd

from gisgrid.analysis import Scan, Window, rate, scan
from gisgrid.analysis.scans.windows import Rates
from gisgrid.catalogue import Derivation
from gisgrid.derived.areas import Areas, unit_areas
from gisgrid.derived.incidents import in_metres
from gisgrid.derived.notes import Note, heard
from gisgrid.derived.terms import Terms
from gisgrid.errors import InputError
from gisgrid.progress import Progress, silent
from gisgrid.schema import Text

_PERMUTATIONS: Final = 999
_CIRCLES: Final = Window()
_LEVEL: Final = 0.1
"""The weakest class of a hotspot map; the clusters' labels say the rest."""


def unit_clusters(
    issues: gpd.GeoDataFrame,
    units: gpd.GeoDataFrame,
    *,
    key: str,
    population: str | None = "population",
    controls: gpd.GeoDataFrame | None = None,
    shape: str = "circle",
    max_share: float = 0.5,
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
    controls
        Reports that are not of the kind asked about, like `issues`: then the share of `issues` among both is scanned
        (Bernoulli), and residents have no part in it.
    shape
        ``circle``, or ``ellipse`` for hotspots along a river or a road.
    max_share
        The share of the population that a cluster may hold, above 0 and up to 0.5.
    permutations
        How many random maps.
    seed
        Seed of the random maps.

    Returns
    -------
    Derivation
        One row per unit, in their order: `key`, names, `n_incidents`, `population` and `incidents_per_1000` (where
        residents are known; with controls `n_controls` and `share` instead), and of the most likely cluster that it is in
        (p ≤ 0.1): `cluster_rank`, `n_members`, `cases`, `expected`, `relative_risk`, `llr`, `p`; `label`
        (``not_significant`` outside of clusters), `n_units`.

    Raises
    ------
    CrsError
        A frame has no CRS.
    ColumnError
        A column is missing.
    InputError
        No such shape, share or number of permutations.

    Notes
    -----
    See `gisgrid.analysis.scan`: p holds for the whole map.
    """
    window = window_of(shape, max_share)
    terms = Terms(permutations=permutations, seed=seed)
    if controls is None:
        areas = unit_areas(issues, units, key=key, population=population)
        return clustered(areas, terms, window=window)
    areas = unit_areas(issues, units, key=key, population=None)
    others = unit_areas(controls, units, key=key, population=None)
    return clustered(areas, terms, window=window, controls=others.counts)


def window_of(shape: str = "circle", max_share: float = 0.5, *, rates: Rates = "high") -> Window:
    """Say which windows a scan tries.

    Parameters
    ----------
    shape
        ``circle`` or ``ellipse``.
    max_share
        The share of the population that a window may hold.
    rates
        ``high``, ``low`` or ``both``.

    Returns
    -------
    Window
        The windows.

    Raises
    ------
    InputError
        No such shape, or a share out of its range.
    """
    if shape not in {"circle", "ellipse"}:
        raise InputError(f"a scan has no windows of the shape {shape!r}; choose circle or ellipse")
    return Window(shape=cast("Literal['circle', 'ellipse']", shape), max_share=max_share, rates=rates)  # fmt: skip


def clustered(
    areas: Areas,
    terms: Terms,
    *,
    window: Window = _CIRCLES,
    controls: pd.Series | None = None,
    progress: Progress = silent,
) -> Derivation:
    """Scan areas for clusters.

    Parameters
    ----------
    areas
        What was counted.
    terms
        Permutations (999 where they are not said) and seed; neighbours and correction have no part in it.
    window
        Which windows are tried.
    controls
        Shape (n,), reports that are no cases, indexed by key: the share of cases is scanned (Bernoulli).
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
    centres, about_metres = centres_of(areas)
    notes: list[str] = []
    if controls is None:
        population, about = populations(areas, centres)
        notes += about
    else:
        population = areas.counts + controls.reindex(areas.counts.index).fillna(0)
        text = Text(
            zh=f"与 {int(controls.sum())} 件对照相比（伯努利模型），人口不起作用",
            en=f"held against {int(controls.sum())} controls (Bernoulli); residents have no part in it",
        )
        notes.append(Note.of(text))
    known = rate(areas.counts, population).notna()
    with heard(notes):
        found = scan(
            areas.counts.where(known), population, centres, window=window,
            model="poisson" if controls is None else "bernoulli",
            permutations=_PERMUTATIONS if terms.permutations is None else terms.permutations,
            seed=terms.seed, progress=progress,
        )  # fmt: skip
    columns = of_units(found, known)
    if controls is not None:
        columns = {
            "n_controls": controls.reindex(known.index).fillna(0).astype("int64"),
            "share": rate(areas.counts, population), **columns,
        }  # fmt: skip
    return areas.made(columns, tested=known, notes=(*about_metres, *notes))


def centres_of(areas: Areas) -> tuple[gpd.GeoDataFrame, tuple[str, ...]]:
    """Give the areas in metres, named by key, for what measures between centres.

    Parameters
    ----------
    areas
        What was counted.

    Returns
    -------
    tuple of GeoDataFrame and notes
        Indexed by key.
    """
    frame, notes = in_metres(areas.frame, what="the distance between areas")
    shapes = frame.geometry.to_numpy()
    return gpd.GeoDataFrame(geometry=shapes, index=areas.counts.index, crs=frame.crs), notes


def populations(areas: Areas, centres: gpd.GeoDataFrame) -> tuple[pd.Series, tuple[str, ...]]:
    """Give what incidents are held against: the residents, or the area where they are not known.

    Parameters
    ----------
    areas
        What was counted.
    centres
        The areas in metres.

    Returns
    -------
    tuple of Series and notes
        Indexed by key.
    """
    if areas.denominator is not None:
        return areas.denominator, ()
    text = Text(
        zh="没有人口数据：按单元面积计算期望件数",
        en="no residents are given: incidents are held against the area of the units",
    )
    return pd.Series(centres.area.to_numpy() / 1e6, index=centres.index), (Note.of(text),)


def of_units(found: Scan, known: pd.Series) -> dict[str, pd.Series]:
    """Give every unit the figures of the most likely cluster that it is in.

    Parameters
    ----------
    found
        The clusters.
    known
        Shape (n,), bool: which units were scanned.

    Returns
    -------
    dict of Series
        `cluster_rank` to `label`, indexed by unit.
    """
    rank = found.membership(max_p=_LEVEL).reindex(known.index)
    clusters = found.clusters
    columns = {"cluster_rank": rank, "n_members": rank.map(clusters["n_units"]).astype("Int64")}
    for name in ("cases", "expected", "relative_risk", "llr", "p"):
        columns[name] = rank.map(clusters[name]).astype(float)
    columns["cases"] = columns["cases"].astype("Int64")
    label = rank.map(clusters["label"]).astype("object").where(rank.notna(), "not_significant")
    columns["label"] = label.where(known, None).astype("object")
    return columns
