"""How much of a facility is there for each resident, and where would the next ones help most?"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd

from gisgrid.access import best_sites, nearest_facilities, two_step_catchment, within_reach
from gisgrid.access.catchments import Decay
from gisgrid.access.siting import Aim
from gisgrid.catalogue import Derivation
from gisgrid.derived.access_ground import off_streets, open_facilities, street_network
from gisgrid.derived.flags import numbers_of
from gisgrid.derived.incidents import demand, names_of
from gisgrid.derived.notes import Note
from gisgrid.errors import InputError


def place_supply(
    places: gpd.GeoDataFrame,
    facilities: gpd.GeoDataFrame,
    streets: gpd.GeoDataFrame,
    *,
    key: str,
    kind: str,
    limit_m: float = 1000.0,
    decay: Decay = "gaussian",
    supply: str = "",
    population: str = "population",
) -> Derivation:
    """Share out what the open facilities of a kind offer among all who can walk to them.

    Parameters
    ----------
    places
        Compounds (a point inside each stands for it) with `key` and residents.
    facilities
        Points with `kind` and, where there is one, `status`.
    streets
        Lines in a projected CRS in metres.
    key
        The column that names a place.
    kind
        The kind of facility.
    limit_m
        How far people walk.
    decay
        ``none``, ``steps`` or ``gaussian``: how much less a facility counts the farther it is.
    supply
        The column of what a facility offers: seats, stalls, beds; each offers 1 without.
    population
        The column of residents.

    Returns
    -------
    Derivation
        One row per place, in their order: `key`, names, `population`, `per_1000` (what is there for 1000 residents, 0 where
        nothing is within a walk), `n_facilities` (within a walk), `ratio_to_mean` (1 is as everywhere).

    Raises
    ------
    CrsError
        Coordinates that are no metres, or none.
    ColumnError
        A column is missing.
    InputError
        No open facility of the kind, no such decay, or negative numbers.

    Notes
    -----
    See `gisgrid.access.two_step_catchment`. Residents beyond the city count nowhere, so its edge looks better supplied than it
    is.
    """
    people = numbers_of(places, population, key=key)
    there, excluded = open_facilities(facilities, kind)
    if there.empty:
        raise InputError(
            f"none of the {len(facilities)} facilities is an open {kind!r}, so there is nothing to share out; name another kind"
        )
    offers = pd.Series(1.0, there.index)
    if supply:
        demand(facilities, "facilities", supply)
        offers = pd.to_numeric(there[supply], errors="coerce").fillna(0.0)
    network, notes = street_network(streets)
    crs = network.segments.crs
    homes = places.to_crs(crs)
    pairs = within_reach(homes, there.to_crs(crs), network, limit_m=limit_m)
    residents = pd.Series(people.fillna(0.0).to_numpy(), homes.index)
    found = two_step_catchment(
        pairs, residents=residents, supply=offers, limit_m=limit_m, decay=decay
    )
    none = float(residents[found["n_facilities"] == 0].sum())
    share = none / residents.sum() if residents.sum() else np.nan
    notes.append(
        Note(
            f"{none:,.0f} of {residents.sum():,.0f} residents ({share:.1%}) have none within a walk of {limit_m:g} m",
            f"{residents.sum():,.0f} 人中有 {none:,.0f} 人（{share:.1%}）步行 {limit_m:g} 米内一个也没有",
        )
    )
    table = pd.DataFrame(places[[key, *names_of(map(str, places.columns))]]).assign(
        population=residents.round().astype(np.int64),
        per_1000=found["accessibility"] * 1000,
        n_facilities=found["n_facilities"],
        ratio_to_mean=found["ratio_to_mean"],
    )
    frame = gpd.GeoDataFrame(table, geometry=places.geometry)
    return Derivation(frame, {**excluded, **off_streets(homes, network)}, tuple(notes))


def next_sites(
    places: gpd.GeoDataFrame,
    facilities: gpd.GeoDataFrame,
    streets: gpd.GeoDataFrame,
    *,
    key: str,
    kind: str,
    n_sites: int = 10,
    limit_m: float = 300.0,
    aim: Aim = "coverage",
    time_limit_s: float = 20.0,
    population: str = "population",
) -> Derivation:
    """Say where the next facilities of a kind would help most, if each were built in a compound that has none in reach.

    Parameters
    ----------
    places
        Compounds with `key` and residents: who is to be served, and where could be built (at a point inside).
    facilities
        Points with `kind` and, where there is one, `status`: what is there already.
    streets
        Lines in a projected CRS in metres.
    key
        The column that names a place.
    kind
        The kind of facility.
    n_sites
        How many are built.
    limit_m
        Who has one within this walk is served.
    aim
        ``coverage``: as many residents served as possible. ``p_median``: as few metres walked by all together as possible.
    time_limit_s
        How long the exact solver may take.
    population
        The column of residents.

    Returns
    -------
    Derivation
        One row per site, the one that helps most first: `order`, `key`, names, `gains` (residents newly served, or metres
        saved by all together), `gains_in_all`, and the point.

    Raises
    ------
    CrsError
        Coordinates that are no metres, or none.
    ColumnError
        A column is missing.
    InputError
        Everybody is served, negative residents, or fewer compounds than sites.

    Notes
    -----
    See `gisgrid.access.best_sites`; the notes say whether nothing can be better. Whether there is room in a compound is not
    known here.
    """
    people = numbers_of(places, population, key=key).fillna(0.0)
    there, excluded = open_facilities(facilities, kind)
    network, notes = street_network(streets)
    crs = network.segments.crs
    homes = places.to_crs(crs)
    homes = homes.set_geometry(homes.geometry.representative_point())
    homes = homes.set_axis(pd.RangeIndex(len(homes)))
    residents = pd.Series(people.to_numpy(), homes.index)
    near = nearest_facilities(homes, there.to_crs(crs).reset_index(drop=True), network)
    walk = near.set_index("origin")["distance_m"].reindex(homes.index)
    lots = homes[(~(walk <= limit_m) & (residents > 0)).to_numpy()]
    if lots.empty:
        raise InputError(
            f"everybody in the {len(homes)} places has a {kind!r} within {limit_m:g} m, so no site is wanted; give a shorter walk"
        )
    found = best_sites(
        within_reach(homes, lots, network, limit_m=limit_m), residents=residents, candidates=lots.index,
        n_sites=min(n_sites, len(lots)), limit_m=limit_m, aim=aim, existing=walk, time_limit_s=time_limit_s,
    )  # fmt: skip
    notes.append(_certainty(found.method, found.gap, len(lots)))
    gain = "covers" if aim == "coverage" else "saves_m"
    rows = found.chosen.index
    table = pd.DataFrame(places.iloc[rows][[key, *names_of(map(str, places.columns))]]).reset_index(
        drop=True
    )
    table.insert(0, "order", np.arange(1, len(table) + 1))
    table["gains"] = found.chosen[gain].to_numpy()
    table["gains_in_all"] = found.chosen[f"{gain}_in_all"].to_numpy()
    points = homes.geometry.loc[rows].reset_index(drop=True).to_crs(places.crs)
    lost = {**excluded, **off_streets(homes, network)}
    return Derivation(gpd.GeoDataFrame(table, geometry=points), lost, tuple(notes))


def _certainty(method: str, gap: float, n_lots: int) -> Note:
    if method == "exact" and gap <= 1e-6:
        return Note(
            f"of {n_lots} compounds that could be built in, no other choice is better",
            f"在 {n_lots} 个可选楼院中，没有比这更好的选址",
        )
    if method == "exact":
        return Note(
            f"the best choice among {n_lots} compounds is better by {gap:.1%} at most",
            f"{n_lots} 个可选楼院中的最优解最多再好 {gap:.1%}",
        )
    return Note(
        f"chosen among {n_lots} compounds by a greedy exchange; how far from the best it is, is not known",
        f"由贪婪交换法从 {n_lots} 个楼院中选出，与最优的差距未知",
    )
