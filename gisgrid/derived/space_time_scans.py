"""Where and when were there more incidents than usual, and is something rising now?"""

from __future__ import annotations

from typing import Final

import geopandas as gpd
import pandas as pd

from gisgrid.analysis import Scan, SpaceTimeCube, Window, rate, space_time_scan, temporal_scan
from gisgrid.catalogue import Derivation
from gisgrid.derived.areas import Areas, unit_areas
from gisgrid.derived.incidents import demand, reported
from gisgrid.derived.notes import IN_NO_AREA, heard, left_out
from gisgrid.derived.scans import centres_of, of_units, populations, window_of
from gisgrid.derived.terms import Terms
from gisgrid.derived.times import first_and_last_day, stepped
from gisgrid.errors import InputError
from gisgrid.join import assign_units, unit_counts
from gisgrid.progress import Progress, silent

MODELS: Final = ("poisson", "permutation")
"""Against the residents (an area may be unusual as well as a time), or against themselves (only the time may)."""

_PERMUTATIONS: Final = 999
_CIRCLES: Final = Window()


def space_time_clusters(
    issues: gpd.GeoDataFrame,
    units: gpd.GeoDataFrame,
    *,
    key: str,
    timezone: str,
    step: str = "month",
    model: str = "permutation",
    prospective: bool = False,
    population: str | None = "population",
    shape: str = "circle",
    max_share: float = 0.5,
    permutations: int = _PERMUTATIONS,
    seed: int = 0,
) -> Derivation:
    """Find groups of units and spans of time in which there were more incidents than usual.

    Parameters
    ----------
    issues
        Points in any CRS, with `duplicate_of` and `reported_at`; brought into the CRS of `units` where it differs.
    units
        Areas with `key` and, where there are, `name_zh`, `name_en`, `name`.
    key
        The column that names a unit.
    timezone
        Where a day begins.
    step
        ``day``, ``week``, ``month``, ``quarter`` or ``year``.
    model
        ``permutation``: against the places' own usual level and the city's own course (a place that is always bad is
        none). ``poisson``: against residents.
    prospective
        Only what lasts until the last whole step: an alarm.
    population
        The column of residents; None to do without. The permutation model needs none.
    shape
        ``circle`` or ``ellipse``.
    max_share
        The share of the population (or of the incidents) that a cluster may hold, up to 0.5.
    permutations
        How many random maps.
    seed
        Seed of the random maps.

    Returns
    -------
    Derivation
        One row per unit as from `unit_clusters`, with `from_day`, `to_day` and `n_steps` of its cluster.

    Raises
    ------
    CrsError
        A frame has no CRS.
    ColumnError
        A column is missing.
    InputError
        No such step, zone, model, shape or number of permutations.

    Notes
    -----
    See `gisgrid.analysis.space_time_scan`: p holds for all places and spans together.
    """
    areas = unit_areas(issues, units, key=key, population=population)
    terms = Terms(permutations=permutations, seed=seed)
    return clustered_in_time(
        areas, terms, timezone=timezone, step=step, model=model, prospective=prospective,
        window=window_of(shape, max_share),
    )  # fmt: skip


def clustered_in_time(
    areas: Areas,
    terms: Terms,
    *,
    timezone: str,
    step: str = "month",
    model: str = "permutation",
    prospective: bool = False,
    window: Window = _CIRCLES,
    progress: Progress = silent,
) -> Derivation:
    """Scan areas and spans of time together.

    Parameters
    ----------
    areas
        What was counted, with `reported_at` among the incidents' columns.
    terms
        Permutations (999 where they are not said) and seed.
    timezone
        Where a day begins.
    step
        ``day``, ``week``, ``month``, ``quarter`` or ``year``.
    model
        ``permutation`` or ``poisson``.
    prospective
        Only spans that end with the last whole step.
    window
        Which areas are tried.
    progress
        Told how far the random maps are.

    Returns
    -------
    Derivation
        The areas with the columns that `space_time_clusters` says.

    Raises
    ------
    ColumnError
        There are no times.
    InputError
        No such step, zone, model or number of permutations.
    """
    if model not in MODELS:
        raise InputError(
            f"there is no model {model!r} of a space-time scan; choose one of {', '.join(MODELS)}"
        )
    notes: list[str] = []
    centres, about_metres = centres_of(areas)
    counted, cube = stepped(areas, timezone=timezone, step=step, notes=notes)
    cases, population = cube.complete, None
    known = pd.Series(True, index=cases.index)  # noqa: FBT003 - the value
    if model == "poisson":
        population, about = populations(areas, centres)
        notes += about
        known = rate(counted.counts, population).notna()
    with heard(notes):
        found = space_time_scan(
            cases.astype(float).where(known, axis=0), centres, population=population, window=window,
            prospective=prospective, seed=terms.seed, progress=progress,
            permutations=_PERMUTATIONS if terms.permutations is None else terms.permutations,
        )  # fmt: skip
    columns = {**of_units(found, known), **_spans(found, cube, known.index)}
    order = ["cluster_rank", "n_members", "from_day", "to_day", "n_steps"]
    columns = {name: columns[name] for name in dict.fromkeys([*order, *columns])}
    return counted.made(columns, tested=known, notes=(*about_metres, *notes))


def _spans(found: Scan, cube: SpaceTimeCube, units: pd.Index) -> dict[str, pd.Series]:
    rank = found.membership(max_p=0.1).reindex(units)
    clusters = found.clusters
    if clusters.empty:
        return {
            "from_day": pd.Series(None, index=units, dtype="object"),
            "to_day": pd.Series(None, index=units, dtype="object"),
            "n_steps": pd.Series(pd.NA, index=units, dtype="Int64"),
        }
    days = {
        "from_day": first_and_last_day(cube, clusters["first_step"]),
        "to_day": first_and_last_day(cube, clusters["last_step"], last=True),
    }
    columns = {
        name: rank.map(each).astype("object").where(rank.notna(), None)
        for name, each in days.items()
    }
    return {**columns, "n_steps": rank.map(clusters["n_steps"]).astype("Int64")}


def time_clusters(
    issues: gpd.GeoDataFrame,
    area: gpd.GeoDataFrame,
    *,
    timezone: str,
    step: str = "week",
    prospective: bool = False,
    permutations: int = _PERMUTATIONS,
    seed: int = 0,
) -> Derivation:
    """Find the span of time in which the whole city had more incidents than chance would put there.

    Parameters
    ----------
    issues
        Points in any CRS, with `duplicate_of` and `reported_at`; brought into the CRS of `area` where it differs.
    area
        The city, as areas.
    timezone
        Where a day begins.
    step
        ``day``, ``week``, ``month``, ``quarter`` or ``year``.
    prospective
        Only a span that lasts until the last whole step.
    permutations
        How many random series.
    seed
        Seed of the random series.

    Returns
    -------
    Derivation
        A table of one row, or none: `from_day`, `to_day`, `n_steps`, `cases`, `expected`, `relative_risk`, `llr`, `p`,
        `label`.

    Raises
    ------
    CrsError
        A frame has no CRS.
    ColumnError
        A column is missing.
    InputError
        No such step or zone, or number of permutations.

    Notes
    -----
    See `gisgrid.analysis.temporal_scan`. Seasons are spans, too.
    """
    counted = reported(issues, area)
    demand(counted.reports, "issues", "reported_at")
    incidents = counted.incidents
    inside = assign_units(incidents, {}, zones={"inside": area})["inside"]
    codes = pd.Series("city", index=incidents.index).where(inside)
    counts = unit_counts(codes, pd.Series(["city"], name="area"))
    shape = gpd.GeoDataFrame({"area": ["city"]}, geometry=[None], crs=area.crs)
    areas = Areas(
        frame=shape, key="area", counts=counts, denominator=None, per=1.0, incidents=incidents, codes=codes,
        excluded=left_out({**counted.excluded, IN_NO_AREA: int((~inside).sum())}), notes=counted.notes,
    )  # fmt: skip
    notes: list[str] = []
    areas, cube = stepped(areas, timezone=timezone, step=step, notes=notes)
    with heard(notes):
        found = temporal_scan(
            cube.complete.iloc[0], prospective=prospective, permutations=permutations, seed=seed
        )
    days = {
        "from_day": first_and_last_day(cube, found["first_step"]),
        "to_day": first_and_last_day(cube, found["last_step"], last=True),
    }
    names = ["n_steps", "cases", "expected", "relative_risk", "llr", "p", "label"]
    value = pd.DataFrame(days).join(found[names]).reset_index(drop=True)
    return Derivation(value, areas.excluded, (*areas.notes, *notes))
