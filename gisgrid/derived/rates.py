"""What is the rate of each unit with less chance in it, and do kinds of places differ?"""

from __future__ import annotations

import geopandas as gpd
import pandas as pd

from gisgrid.analysis import compare_zones, empirical_bayes, excess, smoothed_rate
from gisgrid.catalogue import Derivation
from gisgrid.derived.areas import Areas, unit_areas
from gisgrid.derived.incidents import demand
from gisgrid.derived.notes import heard
from gisgrid.derived.scans import centres_of, populations
from gisgrid.derived.terms import neighbourhood
from gisgrid.errors import ColumnError, InputError, did_you_mean


def unit_rates(
    issues: gpd.GeoDataFrame,
    units: gpd.GeoDataFrame,
    *,
    key: str,
    population: str = "population",
    neighbours: str = "contiguity",
) -> Derivation:
    """Give the rate of each unit as it is, drawn towards the city's or its neighbours' as far as chance explains it.

    Parameters
    ----------
    issues
        Points in any CRS, with `duplicate_of`; brought into the CRS of `units` where it differs.
    units
        Areas with `key` and `population`.
    key
        The column that names a unit.
    population
        The column of residents.
    neighbours
        ``contiguity``, ``rook``, ``distance:500`` or ``nearest:8``.

    Returns
    -------
    Derivation
        One row per unit, in their order: `key`, names, `n_incidents`, `population`, `incidents_per_1000` (crude), and per
        1000 residents `eb_rate` (empirical Bayes, towards the city), `eb_local_rate` (towards the neighbours),
        `smoothed_rate` (with the neighbours); `excess` (standard deviations above what residents lead one to expect),
        `n_units`. All are missing where nobody lives.

    Raises
    ------
    CrsError
        A frame has no CRS.
    ColumnError
        A column is missing.
    InputError
        No such neighbourhood.

    Notes
    -----
    See `gisgrid.analysis.empirical_bayes`, `gisgrid.analysis.smoothed_rate`, `gisgrid.analysis.excess`.
    """
    return rated(unit_areas(issues, units, key=key, population=population), neighbours)


def rated(areas: Areas, neighbours: str = "contiguity") -> Derivation:
    """Give the rates of areas.

    Parameters
    ----------
    areas
        What was counted, per resident or per km².
    neighbours
        Who is whose neighbour.

    Returns
    -------
    Derivation
        The areas with the columns that `unit_rates` says; of cells per km².

    Raises
    ------
    InputError
        There is nothing to divide by, or no such neighbourhood.
    """
    if areas.denominator is None:
        raise InputError(
            "a rate divides by something and there are no residents; name their column, or count by equal cells"
        )
    graph, about_neighbours = neighbourhood(areas, neighbours)
    counts, people, per = areas.counts, areas.denominator, areas.per
    notes: list[str] = []
    with heard(notes):
        columns = {
            "eb_rate": empirical_bayes(counts, people, per=per),
            "eb_local_rate": empirical_bayes(counts, people, per=per, graph=graph),
            "smoothed_rate": smoothed_rate(counts, people, graph, per=per),
            "excess": excess(counts, people),
        }
    known = areas.rates.notna()
    return areas.made(columns, tested=known, notes=(*about_neighbours, *notes))


def zone_rates(
    issues: gpd.GeoDataFrame,
    units: gpd.GeoDataFrame,
    *,
    key: str,
    zone: str,
    reference: str = "",
    strata: str = "",
    population: str | None = "population",
) -> Derivation:
    """Compare the rates of kinds of units: urban villages, fringe and the rest.

    Parameters
    ----------
    issues
        Points in any CRS, with `duplicate_of`; brought into the CRS of `units` where it differs.
    units
        Areas with `key` and `zone`.
    key
        The column that names a unit.
    zone
        The column that says in which zone a unit is; missing for none.
    reference
        The zone that the others are compared with; that with the most residents where it is empty.
    strata
        A column by which like is compared with like; empty for none.
    population
        The column of residents; None to compare incidents per km².

    Returns
    -------
    Derivation
        A table, one row per zone, the reference first: `zone`, `n_units`, `n_incidents`, `residents` (or `area_km2`),
        `rate` (per 1000 residents or per km²), `ratio` (to the reference), `low`, `high` (95 %), `p`, `dispersion`.

    Raises
    ------
    CrsError
        A frame has no CRS.
    ColumnError
        A column is missing, or there is no such reference.
    InputError
        No unit has a zone.

    Notes
    -----
    See `gisgrid.analysis.compare_zones`.
    """
    areas = unit_areas(issues, units, key=key, population=population)
    return zoned(areas, units, zone=zone, reference=reference, strata=strata)


def zoned(
    areas: Areas, units: gpd.GeoDataFrame, *, zone: str, reference: str = "", strata: str = ""
) -> Derivation:
    """Compare the zones of areas.

    Parameters
    ----------
    areas
        What was counted.
    units
        The same units with the column of zones.
    zone
        That column.
    reference
        The zone compared with; that with the most residents where it is empty.
    strata
        A column by which like is compared with like; empty for none.

    Returns
    -------
    Derivation
        The table that `zone_rates` says.

    Raises
    ------
    ColumnError
        A column is missing, or there is no such reference.
    InputError
        No unit has a zone.
    """
    demand(units, "units", areas.key, zone, *([strata] if strata else []))
    notes: list[str] = []
    what, per = "residents", areas.per
    weights = areas.denominator
    if weights is None:
        centres, _ = centres_of(areas)
        weights, about = populations(areas, centres)
        notes += about
        what, per = "area_km2", 1.0
    zones = _text(units[zone], weights.index)
    if zones.isna().all():
        raise InputError(f"no unit has a zone in {zone!r}; choose another column")
    if not reference:
        reference = str(weights.groupby(zones).sum().idxmax())
    elif reference not in set(zones.dropna()):
        raise ColumnError(
            f"no zone {reference!r} among {zones.nunique()} in {zone!r}{did_you_mean(reference, set(zones.dropna()))}"
        )
    like = _text(units[strata], weights.index) if strata else None
    with heard(notes):
        found = compare_zones(
            areas.counts, weights.astype(float), zones, reference=reference, strata=like, per=per
        )
    table = found.rename_axis("zone").reset_index()
    table = table.rename(columns={"n": "n_incidents", "denominator": what})
    table["n_incidents"] = table["n_incidents"].astype("int64")
    table["n_units"] = table["n_units"].astype("int64")
    return Derivation(table, dict(areas.excluded), (*areas.notes, *notes))


def _text(column: pd.Series, index: pd.Index) -> pd.Series:
    text = column.astype("str").where(column.notna(), None).astype("object")
    return pd.Series(text.to_numpy(), index=index, dtype="object")
