"""Where are the hotspots, when the reports themselves choose the size of the cells and the reach of a neighbourhood?

What ArcGIS calls optimised hot spot and outlier analysis: far-off reports are dropped, cells are made as large as the
reports can fill, neighbours reach as far as the reports gather; every choice stands among the notes with its reason.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import geopandas as gpd
import shapely

from gisgrid.analysis import locational_outliers, suggested_cell_m, suggested_distance_m
from gisgrid.analysis.significance import Correction
from gisgrid.catalogue import Derivation
from gisgrid.crs import require_metres
from gisgrid.derived.areas import Areas, cell_areas
from gisgrid.derived.hotspots import hot
from gisgrid.derived.incidents import reported
from gisgrid.derived.notes import FAR_OUT, IN_NO_AREA, Note, left_out
from gisgrid.derived.outliers import alike
from gisgrid.derived.terms import FEW_AROUND, Terms, incidents_around, neighbourhood
from gisgrid.join import assign_units
from gisgrid.schema import Text

_PERMUTATIONS: Final = 9_999  # so that one unusual area among hundreds can pass the correction
_FEW_CELLS: Final = 30


def optimised_hotspots(
    issues: gpd.GeoDataFrame,
    area: gpd.GeoDataFrame,
    *,
    shape: str = "hexagon",
    cell_m: float | None = None,
    correction: Correction = "fdr",
    seed: int = 0,
) -> Derivation:
    """Find where incidents lie unusually thick, at the scale at which they themselves gather.

    Parameters
    ----------
    issues
        Points in any CRS, with `duplicate_of`; brought into the CRS of `area` where it differs.
    area
        The city, as areas in a projected CRS in metres.
    shape
        ``hexagon`` or ``square``.
    cell_m
        Width of a cell, metres; chosen where it is not given.
    correction
        What is done about the many tests: ``fdr``, ``bonferroni`` or ``none``.
    seed
        Seed of the permutations, where they are needed.

    Returns
    -------
    Derivation
        One row per cell, as from `cell_hotspots`. The notes say each choice and its reason: locational outliers, width
        of the cells, reach of a neighbourhood, normal p or permutations.

    Raises
    ------
    CrsError
        A frame has no CRS, or `area` is not in metres.
    ColumnError
        A column is missing.
    InputError
        Fewer than 30 incidents inside the city, or all at one place.

    Notes
    -----
    See `gisgrid.analysis.scale` for the rules. Choices are made on the same reports that are then tested: a distance
    picked where clustering peaks makes hotspots look somewhat surer than one that was fixed before.
    """
    return hot(
        *fitted(
            issues, area, shape=shape, cell_m=cell_m, terms=Terms(correction=correction, seed=seed)
        )
    )


def optimised_outliers(
    issues: gpd.GeoDataFrame,
    area: gpd.GeoDataFrame,
    *,
    shape: str = "hexagon",
    cell_m: float | None = None,
    correction: Correction = "fdr",
    seed: int = 0,
) -> Derivation:
    """Find the places that stand out against their surroundings, at the scale at which incidents themselves gather.

    Parameters
    ----------
    issues
        Points in any CRS, with `duplicate_of`; brought into the CRS of `area` where it differs.
    area
        The city, as areas in a projected CRS in metres.
    shape
        ``hexagon`` or ``square``.
    cell_m
        Width of a cell, metres; chosen where it is not given.
    correction
        What is done about the many tests: ``fdr``, ``bonferroni`` or ``none``.
    seed
        Seed of the permutations.

    Returns
    -------
    Derivation
        One row per cell: `cell_id`, `n_incidents`, `area_km2`, `incidents_per_km2`, then as from `unit_outliers`. The
        notes say each choice and its reason.

    Raises
    ------
    CrsError
        A frame has no CRS, or `area` is not in metres.
    ColumnError
        A column is missing.
    InputError
        Fewer than 30 incidents inside the city, or all at one place.

    Notes
    -----
    As for `optimised_hotspots`, with local Moran and 9 999 permutations.
    """
    terms = Terms(correction=correction, seed=seed, permutations=_PERMUTATIONS)
    return alike(*fitted(issues, area, shape=shape, cell_m=cell_m, terms=terms))


def fitted(
    issues: gpd.GeoDataFrame,
    area: gpd.GeoDataFrame,
    *,
    shape: str,
    cell_m: float | None,
    terms: Terms,
) -> tuple[Areas, Terms]:
    """Choose cells and neighbourhoods by the reports, and count.

    Parameters
    ----------
    issues
        Points in any CRS, with `duplicate_of`.
    area
        The city, as areas in a projected CRS in metres.
    shape
        ``hexagon`` or ``square``.
    cell_m
        Width of a cell, metres; chosen where it is not given.
    terms
        How it is tested; the neighbourhood is replaced, and permutations chosen where they are not said.

    Returns
    -------
    tuple of Areas and Terms
        The cells with their incidents, the choices among the notes; and the terms for them.

    Raises
    ------
    CrsError
        A frame has no CRS, or `area` is not in metres.
    ColumnError
        A column is missing.
    InputError
        Fewer than 30 incidents inside the city, or all at one place.
    """
    require_metres(area, what="an optimised analysis", name="area")
    counted = reported(issues, area)
    incidents = counted.incidents
    inside = assign_units(incidents, {}, zones={"inside": area})["inside"]
    within = incidents[inside]
    far, about_outliers = locational_outliers(within)
    kept = within[~far.to_numpy()]
    choices = [Note.of(about_outliers.why)] if about_outliers.value else []
    if cell_m is None:
        ground = shapely.area(shapely.union_all(area.geometry.to_numpy()))
        cell = suggested_cell_m(kept, area_km2=float(ground) / 1e6)
        cell_m = cell.value
        choices.append(Note.of(cell.why))
    areas = cell_areas(kept, area, cell_m=cell_m, shape=shape)
    reach, about_reach = _reach(areas, cell_m)
    permutations, about_chance = _chance(areas, replace(terms, neighbours=reach))
    areas = areas.without(
        left_out(
            {
                **counted.excluded,
                IN_NO_AREA: int((~inside).sum()),
                FAR_OUT: int(far.sum()),
            }
        ),
        notes=(*counted.notes, *choices, about_reach, *about_chance),
    )
    return areas, replace(terms, neighbours=reach, permutations=permutations)


def _reach(areas: Areas, cell_m: float) -> tuple[str, Note]:
    """Choose how far neighbours reach; next door where too few cells say anything about it."""
    values = areas.rates
    if values.notna().sum() < _FEW_CELLS:
        few = Text(
            zh=f"只有 {len(values)} 个网格，不足以看出聚集尺度：邻居取相邻网格",
            en=f"{len(values)} cells do not show at what distance incidents gather: neighbours are the cells next door",
        )
        return "contiguity", Note.of(few)
    centres = areas.frame.geometry.set_axis(values.index)
    chosen = suggested_distance_m(values, centres)
    distance = max(chosen.value, 1.001 * cell_m)  # the mean of equal distances may round below them
    return f"distance:{distance:.3f}", Note.of(chosen.why)


def _chance(areas: Areas, terms: Terms) -> tuple[int, tuple[Note, ...]]:
    """Choose between the normal p and permutations by how many incidents a neighbourhood holds."""
    if terms.permutations is not None:
        return terms.permutations, ()
    around = incidents_around(areas.counts, neighbourhood(areas, terms.neighbours)[0])
    if around >= FEW_AROUND:
        text = Text(
            zh=f"每个邻域平均 {around:.0f} 件，p 取自正态分布",
            en=f"{around:.0f} incidents per neighbourhood on average: p is from the normal distribution",
        )
        return 0, (Note.of(text),)
    text = Text(
        zh=f"每个邻域平均只有 {around:.0f} 件（不足 {FEW_AROUND} 件），p 取自 {_PERMUTATIONS:,} 次置换",
        en=f"only {around:.0f} incidents per neighbourhood on average (under {FEW_AROUND}): p is from {_PERMUTATIONS:,} permutations",
    )
    return _PERMUTATIONS, (Note.of(text),)
