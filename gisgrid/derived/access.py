"""Who reaches what on foot, whom does it leave out, and what do old compounds lack?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd

from gisgrid.access import (
    Standard,
    coverage,
    left_out,
    most_helped,
    read_standards,
    renewal_gaps,
    service_areas,
)
from gisgrid.catalogue import Derivation
from gisgrid.derived.access_ground import off_streets, open_facilities, street_network
from gisgrid.derived.incidents import demand, names_of
from gisgrid.derived.notes import Note, heard
from gisgrid.derived.notes import left_out as counted
from gisgrid.errors import InputError
from gisgrid.join import assign_units

NOT_OLD: Final = "compounds that are not old"
IN_NO_UNIT: Final = "places that lie in no unit"


def facility_areas(
    facilities: gpd.GeoDataFrame,
    streets: gpd.GeoDataFrame,
    *,
    kind: str,
    limits_m: str = "300,500",
    beside_m: float = 40.0,
) -> Derivation:
    """Draw the ground from which a facility is within a walk.

    Parameters
    ----------
    facilities
        Points with `kind` and, where there is one, `status`: only open ones count.
    streets
        Lines in a projected CRS in metres.
    kind
        The kind of facility.
    limits_m
        How far one walks, metres, comma between.
    beside_m
        How far off the streets the area goes.

    Returns
    -------
    Derivation
        One row per limit, the longest first, so that the shorter ones are drawn over it: `area_id`, `kind`, `limit_m`,
        `street_m`, `area_km2` and the polygon.

    Raises
    ------
    CrsError
        Coordinates that are no metres.
    ColumnError
        A column is missing.
    InputError
        Limits that are no numbers, or none above 0.

    Notes
    -----
    See `gisgrid.access.service_areas`.
    """
    there, excluded = open_facilities(facilities, kind)
    network, notes = street_network(streets)
    with heard(notes):
        drawn = service_areas(
            there.to_crs(network.segments.crs), network, _numbers(limits_m), beside_m=beside_m
        )
    drawn = drawn.sort_values("limit_m", ascending=False, ignore_index=True)
    table = pd.DataFrame(
        {
            "area_id": [f"{kind}-{limit:g}" for limit in drawn["limit_m"]],
            "kind": kind,
            "limit_m": drawn["limit_m"].astype(float),
            "street_m": drawn["street_m"],
            "area_km2": drawn["area_km2"],
        }
    )
    return Derivation(gpd.GeoDataFrame(table, geometry=drawn.geometry), excluded, tuple(notes))


def place_coverage(
    places: gpd.GeoDataFrame,
    facilities: gpd.GeoDataFrame,
    streets: gpd.GeoDataFrame,
    *,
    key: str,
    standard: str,
    population: str = "population",
) -> Derivation:
    """Say of each place whether it reaches what a standard demands, how far it is, and how many people it leaves out.

    Parameters
    ----------
    places
        Compounds (a point inside each stands for it) with `key` and residents, in a projected CRS in metres.
    facilities
        Points with `kind`, `facility_id` and, where there is one, `status`.
    streets
        Lines in the same CRS.
    key
        The column that names a place.
    standard
        The standard's id, of those declared for Chinese cities.
    population
        The column of residents.

    Returns
    -------
    Derivation
        One row per place, in their order: `key`, names, `population`, `access` (``reached`` or ``left_out``; missing where
        nobody lives, or where there is no such facility at all), `distance_m`, `minutes`, `facility_id` (the nearest), and
        `left_out` (residents).

    Raises
    ------
    CrsError
        Coordinates that are no metres, or different CRS.
    ColumnError
        A column is missing.
    InputError
        No such standard.

    Notes
    -----
    See `gisgrid.access.coverage`.
    """
    demand(places, "places", key, population)
    demand(facilities, "facilities", "kind", "facility_id")
    asked = read_standards()[standard]
    there, excluded = open_facilities(facilities, asked.facility)
    network, notes = street_network(streets)
    notes.append(
        Note(
            f"the standard: {asked.title.en} ({asked.basis.en})",
            f"标准：{asked.title.zh}（{asked.basis.zh}）",
        )
    )
    homes = places.to_crs(network.segments.crs)
    found = coverage(
        homes,
        there.to_crs(homes.crs).set_index("facility_id"),
        [asked],
        network,
        residents=population,
    )
    unknown = found["reached"].isna().to_numpy()
    reached = found["reached"].fillna(value=False).to_numpy(dtype=bool)
    people = places[population].to_numpy()
    words = pd.Series(np.where(reached, "reached", "left_out"), places.index, dtype="str")
    nearest = pd.Series(found["facility"].to_numpy(), places.index).astype("str")
    table = pd.DataFrame(places[[key, *names_of(map(str, places.columns)), population]])
    table = table.rename(columns={population: "population"}).assign(
        access=words.mask(unknown | (people == 0)),
        distance_m=found["distance_m"].to_numpy(),
        minutes=found["minutes"].to_numpy(),
        facility_id=nearest.mask(found["facility"].isna().to_numpy()),
        left_out=found["left_out"].round().to_numpy(dtype=np.int64),
    )
    frame = gpd.GeoDataFrame(table, geometry=places.geometry)
    return Derivation(frame, {**excluded, **off_streets(homes, network)}, tuple(notes))


def unit_left_out(
    units: gpd.GeoDataFrame,
    places: gpd.GeoDataFrame,
    facilities: gpd.GeoDataFrame,
    streets: gpd.GeoDataFrame,
    *,
    key: str,
    standards: str,
    population: str = "population",
) -> Derivation:
    """Add up, unit by unit, who is left out by each standard, and say which leaves out most.

    Parameters
    ----------
    units
        Areas with `key`.
    places
        Compounds with residents; their unit is in their column `key`, or found by a point inside.
    facilities, streets
        As for `place_coverage`.
    key
        The column that names a unit.
    standards
        The standards' ids, comma between; the first is the one that `median_m` speaks of.
    population
        The column of residents of the places.

    Returns
    -------
    Derivation
        One row per unit, in their order: `key`, names, `n_places`, `residents`, then `left_out_ID` and `share_ID` for each
        standard (shares missing where nobody lives or nothing is known), `median_m`, and `worst`, the standard that leaves
        out most (missing where none leaves out anybody).

    Raises
    ------
    CrsError
        Coordinates that are no metres, or different CRS.
    ColumnError
        A column is missing.
    InputError
        No such standard, or no place in any unit.
    """
    demand(units, "units", key)
    demand(places, "places", population)
    known = read_standards()
    asked = [known[name.strip()] for name in standards.split(",") if name.strip()]
    there, excluded = open_facilities(facilities, *{each.facility for each in asked})
    network, notes = street_network(streets)
    homes = places.to_crs(network.segments.crs)
    found = coverage(homes, there.to_crs(homes.crs), asked, network, residents=population)
    unit_of = _unit_of(homes, units, key)
    if unit_of.isna().all():
        raise InputError(
            f"none of the {len(homes)} places lies in one of the {len(units)} units; check their codes in {key!r}, or the CRS"
        )
    summed = left_out(found, unit_of)
    notes += _told(found, asked)
    table = _wide(units, summed, asked, key)
    frame = gpd.GeoDataFrame(table, geometry=units.geometry)
    lost = counted({IN_NO_UNIT: int(unit_of.isna().sum())})
    return Derivation(frame, {**excluded, **off_streets(homes, network), **lost}, tuple(notes))


def old_compound_gaps(
    compounds: gpd.GeoDataFrame,
    facilities: gpd.GeoDataFrame,
    streets: gpd.GeoDataFrame,
    *,
    key: str,
    before: int = 2000,
    population: str = "population",
) -> Derivation:
    """List what old compounds lack of the basic, improved and upgraded lists, the greatest need first.

    Parameters
    ----------
    compounds
        With `key`, `kind`, `built_year`, residents, and columns that say what they have themselves.
    facilities, streets
        As for `place_coverage`.
    key
        The column that names a compound.
    before
        Old is what was built before this year, or of an unknown year and of the kind ``old_compound``.
    population
        The column of residents.

    Returns
    -------
    Derivation
        One row per old compound, by rank: `key`, names, `built_year`, `population`, a column per item (missing where nothing
        is known), `n_basic`, `n_improved`, `n_upgraded`, `n_unknown`, `need`, `rank`.

    Raises
    ------
    CrsError
        Coordinates that are no metres, or different CRS.
    ColumnError
        A column is missing.
    InputError
        No compound is old.

    Notes
    -----
    See `gisgrid.access.renewal_gaps`.
    """
    demand(compounds, "compounds", key, "kind", "built_year", population)
    year = compounds["built_year"].astype("Float64").to_numpy(dtype=float, na_value=np.nan)
    old = (year < before) | (np.isnan(year) & (compounds["kind"] == "old_compound").to_numpy())
    if not old.any():
        raise InputError(
            f"none of the {len(compounds)} compounds was built before {before}; give a later year"
        )
    chosen = compounds[old]
    items = read_standards().renewal
    there, excluded = open_facilities(
        facilities, *{item.within for item in items if item.within is not None}
    )
    network, notes = street_network(streets)
    homes = chosen.to_crs(network.segments.crs)
    found = renewal_gaps(homes, there.to_crs(homes.crs), items, network, residents=population)
    table = pd.DataFrame(
        chosen[[key, *names_of(map(str, chosen.columns)), "built_year", population]]
    )
    table = table.rename(columns={population: "population"}).join(found)
    table["need"] = table["need"].astype(float)
    frame = gpd.GeoDataFrame(table, geometry=chosen.geometry)
    frame = frame.sort_values("rank", ignore_index=True)
    lost = counted({NOT_OLD: int((~old).sum())})
    return Derivation(frame, {**excluded, **off_streets(homes, network), **lost}, tuple(notes))


def _numbers(text: str) -> list[float]:
    try:
        return [float(each) for each in text.split(",")]
    except ValueError as error:
        raise InputError(
            f"limits_m is {text!r}; give metres with a comma between, for example 300,500"
        ) from error


def _unit_of(homes: gpd.GeoDataFrame, units: gpd.GeoDataFrame, key: str) -> pd.Series:
    if key in homes.columns:
        return pd.Series(homes[key].mask(~homes[key].isin(units[key])))
    points = homes.set_geometry(homes.geometry.representative_point())
    return assign_units(points, {key: units.to_crs(homes.crs)})[key]


def _told(found: pd.DataFrame, asked: Sequence[Standard]) -> list[str]:
    titles = {each.id: each.title for each in asked}
    table = most_helped(found, asked)
    return [
        Note(
            f"{titles[name].en}: {row.left_out:,.0f} residents are left out ({row.share:.1%}), {row.near_miss:,.0f} of them narrowly",
            f"{titles[name].zh}：{row.left_out:,.0f} 人未覆盖（{row.share:.1%}），其中 {row.near_miss:,.0f} 人差得不多",
        )
        for name, row in zip(map(str, table.index), table.itertuples(), strict=True)
    ]


def _wide(
    units: gpd.GeoDataFrame, summed: pd.DataFrame, asked: Sequence[Standard], key: str
) -> pd.DataFrame:
    table = pd.DataFrame(units[[key, *names_of(map(str, units.columns))]])
    codes = units[key]
    first = summed.xs(asked[0].id, level="standard").reindex(codes)
    table["n_places"] = first["n_places"].fillna(0).to_numpy(dtype=np.int64)
    table["residents"] = first["residents"].fillna(0).round().to_numpy(dtype=np.int64)
    for each in asked:
        own = summed.xs(each.id, level="standard").reindex(codes)
        table[f"left_out_{each.id}"] = own["left_out"].fillna(0).round().to_numpy(dtype=np.int64)
        table[f"share_{each.id}"] = own["share_left_out"].to_numpy(dtype=float)
    table["median_m"] = first["median_m"].to_numpy(dtype=float)
    lost = table[[f"left_out_{each.id}" for each in asked]].to_numpy()
    names = np.array([each.id for each in asked])
    worst = pd.Series(names[lost.argmax(axis=1)], table.index, dtype="str")
    table["worst"] = worst.mask(lost.max(axis=1) == 0)
    return table
