"""Who reaches what the standards demand, and whom do they leave out?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from shapely.ops import linemerge, substring

from gisgrid.access.network import WalkingNetwork, check_places
from gisgrid.access.reach import nearest_facilities
from gisgrid.access.standards import Density, Standard
from gisgrid.crs import require_metres
from gisgrid.errors import ColumnError, InputError, did_you_mean

_Floats = NDArray[np.float64]


def coverage(
    places: gpd.GeoDataFrame,
    facilities: gpd.GeoDataFrame,
    standards: Iterable[Standard],
    network: WalkingNetwork,
    *,
    kind: str = "kind",
    residents: str | None = None,
    off_street_m: float = 200.0,
) -> pd.DataFrame:
    """Ask of every place whether it reaches what the standards demand.

    Parameters
    ----------
    places
        Compounds (polygons: then a point inside) or points where people live, n of them, in the CRS of the network.
    facilities
        Points with their kind, those that are open.
    standards
        As from `gisgrid.access.read_standards`, s of them.
    network
        As from `gisgrid.access.walking_network`.
    kind
        The column of `facilities` with their kind.
    residents
        The column of `places` with how many live there.
    off_street_m
        A place farther than this from every street reaches nothing on foot.

    Returns
    -------
    DataFrame
        n × s rows: `place` (its label), `standard`, `reached` (missing where the facilities hold none of the kind: then
        nothing is known, and nobody is called left out), `distance_m` to the nearest (straight for a radius, else along the
        streets; NaN where none is reached at all), `minutes` (NaN for a radius), `facility` (the nearest), `residents`, and
        `left_out`, the residents who do not reach it.

    Raises
    ------
    CrsError
        Different CRS.
    ColumnError
        No such column.
    InputError
        No standard, or residents that are negative.

    Notes
    -----
    Levels of the life circle are not nested: each is asked for itself. A distance is the nearest facility's at any distance,
    so that near misses show.

    Examples
    --------
    >>> import shapely
    >>> from gisgrid.access import read_standards, walking_network
    >>> street = gpd.GeoDataFrame(geometry=[shapely.LineString([(0, 0), (900, 0)])], crs=4547)
    >>> homes = gpd.GeoDataFrame({"people": [80, 20]}, geometry=gpd.points_from_xy([100, 800], [0, 0]), crs=4547)
    >>> toilets = gpd.GeoDataFrame({"kind": ["public_toilet"]}, geometry=gpd.points_from_xy([0], [0]), crs=4547)
    >>> found = coverage(homes, toilets, [read_standards()["toilet_300"]], walking_network(street), residents="people")
    >>> found[["reached", "distance_m", "left_out"]].values.tolist()
    [[True, 100.0, 0.0], [False, 800.0, 20.0]]
    """
    asked = list(standards)
    if not asked:
        raise InputError("no standard is given; read_standards() has those of Chinese cities")
    if kind not in facilities.columns:
        raise ColumnError(
            f"no column {kind!r} in the facilities{did_you_mean(kind, map(str, facilities.columns))}"
        )
    people = _residents(places, residents)
    points = check_places(places, network, name="places")
    goals = check_places(facilities, network, name="facilities")
    walked: dict[str, pd.DataFrame] = {}
    tables = []
    for standard in asked:
        of_kind = goals[goals[kind] == standard.facility]
        if standard.measure == "radius":
            found = _straight(points, of_kind)
        else:
            if standard.facility not in walked:
                walked[standard.facility] = _walked(points, of_kind, network, off_street_m)
            found = walked[standard.facility]
        far = found["minutes" if standard.measure == "minutes" else "distance_m"].to_numpy()
        reached = pd.array(far <= standard.limit, dtype="boolean")
        if of_kind.empty:
            reached[:] = pd.NA
        left = np.where(np.asarray(reached.fillna(value=True), dtype=bool), 0.0, people)
        tables.append(
            found.assign(place=places.index, standard=standard.id, reached=reached, residents=people, left_out=left)
        )  # fmt: skip
    columns = [
        "place",
        "standard",
        "reached",
        "distance_m",
        "minutes",
        "facility",
        "residents",
        "left_out",
    ]
    return pd.concat(tables, ignore_index=True)[columns]


def left_out(covered: pd.DataFrame, unit_of: pd.Series) -> pd.DataFrame:
    """Add up who is left out, unit by unit.

    Parameters
    ----------
    covered
        As from `coverage`.
    unit_of
        The unit of each place, indexed by the labels of the places; missing for a place in none.

    Returns
    -------
    DataFrame
        Indexed by unit and standard: `n_places`, `n_reached`, `residents`, `left_out`, `share_left_out` (NaN where nobody lives
        or nothing is known), and `median_m`, the median distance weighted by residents.

    Raises
    ------
    InputError
        A place that `unit_of` does not know.
    """
    strangers = ~covered["place"].isin(unit_of.index)
    if strangers.any():
        raise InputError(
            f"{int(covered.loc[strangers, 'place'].nunique())} places have no entry in unit_of (first: {covered.loc[strangers, 'place'].iloc[0]!r}); "
            "give the unit of every place, missing where it is in none"
        )
    table = covered.assign(unit=covered["place"].map(unit_of)).dropna(subset="unit")
    grouped = table.groupby(["unit", "standard"], sort=True)
    found = grouped.agg(
        n_places=("place", "size"), residents=("residents", "sum"), left_out=("left_out", "sum")
    )
    known = table["reached"].notna()
    found["n_reached"] = table[known].groupby(["unit", "standard"])["reached"].sum().astype("Int64")
    share = found["left_out"] / found["residents"].where(found["residents"] > 0)
    found["share_left_out"] = share.where(found["n_reached"].notna())
    found["median_m"] = grouped[["distance_m", "residents"]].apply(_weighted_median)
    return found[["n_places", "n_reached", "residents", "left_out", "share_left_out", "median_m"]]


def facility_density(
    land: gpd.GeoDataFrame,
    facilities: gpd.GeoDataFrame,
    densities: Iterable[Density],
    *,
    land_use: str = "land_use",
    kind: str = "kind",
) -> pd.DataFrame:
    """Count facilities per km² of each land use against the density that is demanded.

    Parameters
    ----------
    land
        Polygons with their use, in a projected CRS in metres.
    facilities
        Points with their kind, in the same CRS.
    densities
        As from `gisgrid.access.read_standards`.
    land_use, kind
        The columns of use and kind.

    Returns
    -------
    DataFrame
        A row per density: `facility`, `land_use`, `area_km2`, `n`, `per_km2` (NaN without such land), `least_per_km2`,
        `most_per_km2`, `meets` (at least the least), and `n_missing`, how many more it takes.

    Raises
    ------
    CrsError
        Coordinates that are no metres.
    ColumnError
        No such column.
    """
    crs = require_metres(land, what="facilities per km²", name="land")
    for name, frame in ((land_use, land), (kind, facilities)):
        if name not in frame.columns:
            raise ColumnError(f"no column {name!r}{did_you_mean(name, map(str, frame.columns))}")
    points = facilities.to_crs(crs)
    rows = []
    for each in densities:
        ground = shapely.union_all(land.geometry[land[land_use] == each.land_use].to_numpy())
        inside = shapely.intersects(
            ground, points.geometry[points[kind] == each.facility].to_numpy()
        )
        area, n = ground.area / 1e6, int(inside.sum())
        per = n / area if area else np.nan
        missing = max(0, int(np.ceil(each.least_per_km2 * area - 1e-9)) - n)
        rows.append(
            (each.facility, each.land_use, area, n, per, each.least_per_km2, each.most_per_km2, per >= each.least_per_km2, missing)
        )  # fmt: skip
    columns = [
        "facility",
        "land_use",
        "area_km2",
        "n",
        "per_km2",
        "least_per_km2",
        "most_per_km2",
        "meets",
        "n_missing",
    ]
    return pd.DataFrame(rows, columns=columns)


def unserved_runs(
    streets: gpd.GeoDataFrame,
    facilities: gpd.GeoDataFrame,
    *,
    longest_m: float = 500.0,
    beside_m: float = 50.0,
    name: str | None = None,
) -> gpd.GeoDataFrame:
    """Find stretches of street along which one walks too far without passing a facility (or a sign to one).

    Parameters
    ----------
    streets
        Lines in a projected CRS in metres.
    facilities
        Points: toilets, and signs that show the way to one, in the same CRS.
    longest_m
        How far one may walk without; longer runs are listed.
    beside_m
        How near to the street a facility must be to be seen from it.
    name
        The column with the street's name: lines of one name are one street. Without it each line is one.

    Returns
    -------
    GeoDataFrame
        A row per run that is too long, the longest first: `street`, `length_m`, `n_passed` (facilities along the street), and
        the line. Whole streets without any are runs, too.

    Raises
    ------
    CrsError
        Coordinates that are no metres.
    ColumnError
        No such column.

    Notes
    -----
    The field test of inspectors: 500 m along a street without a toilet or a sign to one is a fault.
    """
    crs = require_metres(streets, what="runs along streets", name="streets")
    if name is not None and name not in streets.columns:
        raise ColumnError(
            f"no column {name!r} in the streets{did_you_mean(name, map(str, streets.columns))}"
        )
    spots = facilities.geometry.to_crs(crs).to_numpy()
    tree = shapely.STRtree(spots)
    groups = streets.groupby(name if name is not None else streets.index, sort=False).geometry
    rows = []
    for street, lines in groups:
        merged = linemerge(list(shapely.get_parts(lines.to_numpy())))
        for line in shapely.get_parts(merged):
            passed = spots[tree.query(line, predicate="dwithin", distance=beside_m)]
            along = np.sort(shapely.line_locate_point(line, passed))
            stops = np.concatenate([[0.0], along, [line.length]])
            rows += [
                (street, b - a, len(passed), substring(line, a, b))
                for a, b in pairwise(stops)
                if b - a > longest_m
            ]
    table = pd.DataFrame(rows, columns=["street", "length_m", "n_passed", "geometry"])
    table = table.sort_values("length_m", ascending=False, kind="stable", ignore_index=True)
    return gpd.GeoDataFrame(table, geometry="geometry", crs=crs)


def _residents(places: gpd.GeoDataFrame, residents: str | None) -> _Floats:
    if residents is None:
        return np.ones(len(places))
    if residents not in places.columns:
        raise ColumnError(
            f"no column {residents!r} in the places{did_you_mean(residents, map(str, places.columns))}"
        )
    people: _Floats = np.nan_to_num(places[residents].to_numpy(dtype=np.float64), nan=0.0)
    if (people < 0).any():
        raise InputError(
            f"{int((people < 0).sum())} places have fewer than 0 residents (first: {places.index[people < 0][0]!r}); mend the column {residents!r}"
        )
    return people


def _straight(points: gpd.GeoDataFrame, goals: gpd.GeoDataFrame) -> pd.DataFrame:
    n = len(points)
    distance, who = np.full(n, np.nan), np.full(n, -1)
    if len(goals):
        tree = shapely.STRtree(goals.geometry.to_numpy())
        (row, goal), metres = tree.query_nearest(
            points.geometry.to_numpy(), all_matches=False, return_distance=True
        )
        distance[row], who[row] = metres, goal
    facility = pd.Series(goals.index).convert_dtypes().array.take(who, allow_fill=True)
    return pd.DataFrame({"distance_m": distance, "minutes": np.nan, "facility": facility})


def _walked(
    points: gpd.GeoDataFrame, goals: gpd.GeoDataFrame, network: WalkingNetwork, off_street_m: float
) -> pd.DataFrame:
    found = nearest_facilities(
        points.reset_index(drop=True), goals, network, off_street_m=off_street_m
    ).set_index("origin")
    return (
        found[["distance_m", "minutes", "facility"]]
        .reindex(range(len(points)))
        .reset_index(drop=True)
    )


def _weighted_median(group: pd.DataFrame) -> float:
    known = group[group["distance_m"].notna()].sort_values("distance_m")
    weight = known["residents"].cumsum()
    if not len(known) or weight.iloc[-1] <= 0:
        return np.nan
    at = int(np.searchsorted(weight.to_numpy(), weight.iloc[-1] / 2))
    return float(known["distance_m"].iloc[at])


def most_helped(covered: pd.DataFrame, standards: Sequence[Standard]) -> pd.DataFrame:
    """Say which standard leaves out most people, and by how little they miss it.

    Parameters
    ----------
    covered
        As from `coverage`.
    standards
        The standards asked.

    Returns
    -------
    DataFrame
        Indexed by standard, most people left out first: `left_out`, `share`, and `near_miss`, those of them whose nearest
        facility is within one and a half of the limit.
    """
    limit = {each.id: each.limit for each in standards}
    minutes = {each.id for each in standards if each.measure == "minutes"}
    far = covered["distance_m"].where(~covered["standard"].isin(minutes), covered["minutes"])
    near = far <= 1.5 * covered["standard"].map(limit)
    known = covered[covered["reached"].notna()]
    table = known.groupby("standard").agg(
        left_out=("left_out", "sum"), residents=("residents", "sum")
    )
    table["share"] = table["left_out"] / table["residents"].where(table["residents"] > 0)
    table["near_miss"] = known[near[known.index]].groupby("standard")["left_out"].sum()
    table["near_miss"] = table["near_miss"].fillna(0.0)
    return table.sort_values("left_out", ascending=False, kind="stable")[
        ["left_out", "share", "near_miss"]
    ]
