"""Are the assessment points a model for everywhere, or a show window? (测评点位是示范、全面提升是目标)"""

from __future__ import annotations

import hashlib
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.spatial import KDTree

from gisgrid.casework.questions.columns import demand, demand_zone
from gisgrid.crs import crs_label, require_metres
from gisgrid.errors import CrsError, InputError, warn_null
from gisgrid.places import point_places

RADIUS_M: Final = 300.0
"""How far an assessment point reaches, metres, where it is not said."""


def draw_points(points: pd.DataFrame, *, n: int, key: str, strata: str, seed: int) -> pd.DataFrame:
    """Draw points for an inspection, by kind and by chance, so that anybody can repeat the draw.

    Parameters
    ----------
    points
        All points that can be drawn, with `key` and `strata`; a GeoDataFrame keeps its geometry.
    n
        How many; 1 to as many as there are.
    key
        The column that names a point, each once.
    strata
        The column of kinds: each gets its share of `n` (largest remainders), and one at least where `n` allows it.
    seed
        Announced before the draw: the same seed draws the same points, in whatever order they are listed.

    Returns
    -------
    DataFrame
        The points drawn, in the order of the draw within each kind: their columns, `n_in_stratum`, `n_drawn` and `weight`
        (how many points each stands for).

    Raises
    ------
    ColumnError
        A column is missing.
    InputError
        Keys that are missing or repeat, a kind that is missing, or as many points as there are not.

    Notes
    -----
    Of each kind those with the lowest SHA-256 of seed, kind and key are drawn, so the draw depends on no library's generator.

    Examples
    --------
    >>> points = pd.DataFrame({"point_id": ["a", "b", "c", "d", "e"], "kind": ["market", "street", "street", "street", "street"]})
    >>> draw_points(points, n=3, key="point_id", strata="kind", seed=7)[["kind", "weight"]].to_numpy().tolist()
    [['market', 1.0], ['street', 2.0], ['street', 2.0]]
    """
    demand(points, "points", key, strata)
    if not points[key].is_unique or points[[key, strata]].isna().any(axis=None):
        raise InputError(
            f"a draw needs each {key!r} once and with its {strata!r}; name the points and complete their kinds"
        )
    if not 1 <= n <= len(points):
        raise InputError(f"{n} points cannot be drawn of {len(points)}; give 1 to {len(points)}")
    sizes = points[strata].astype(str).value_counts().sort_index()
    drawn = _shares(sizes, n)
    lots = [
        hashlib.sha256(f"{seed}|{kind}|{name}".encode()).hexdigest()
        for kind, name in zip(points[strata].astype(str), points[key].astype(str), strict=True)
    ]
    table = points.assign(_kind=points[strata].astype(str), _lot=lots)
    table = table.sort_values(["_kind", "_lot"], kind="stable")
    kept = table[table.groupby("_kind").cumcount() < table["_kind"].map(drawn)]
    of, taken = kept["_kind"].map(sizes), kept["_kind"].map(drawn)
    return kept.drop(columns=["_kind", "_lot"]).assign(
        n_in_stratum=of, n_drawn=taken, weight=of / taken
    )


def _shares(sizes: pd.Series, n: int) -> pd.Series:
    """Share n among the strata in proportion, by largest remainders; one each where that is possible."""
    least = pd.Series(1 if n >= len(sizes) else 0, index=sizes.index)
    exact: pd.Series = (n * sizes / sizes.sum()).astype(float)
    given: pd.Series = (exact // 1).astype(int).clip(lower=least)
    while given.sum() > n:  # a floor of one took too much: take from where most is above its share
        over = (given - exact).where(given > least, -np.inf)
        given.iloc[int(np.argmax(over))] -= 1
    while given.sum() < n:
        short = (exact - given).where(given < sizes, -np.inf)
        given.iloc[int(np.argmax(short))] += 1
    return given


def never_inspected(
    units: gpd.GeoDataFrame,
    inspected: gpd.GeoDataFrame,
    *,
    key: str,
    population: str = "population",
    radius_m: float = RADIUS_M,
) -> gpd.GeoDataFrame:
    """Say how many residents of each unit live where no inspection ever came.

    Parameters
    ----------
    units
        Areas with `key` and `population`, in a projected CRS in metres.
    inspected
        Points that were ever inspected, in the same CRS.
    key
        The column that names a unit.
    population
        The column of residents, taken as spread evenly over the unit.
    radius_m
        How far an inspection sees, metres.

    Returns
    -------
    GeoDataFrame
        The units in their order: `key`, `population`, `share_inspected` (of its ground, 0 to 1), `residents_never`,
        `n_points` (inside it), `nearest_m` (from its nearest edge to the nearest point; missing without any), geometry.

    Raises
    ------
    CrsError
        The coordinates are not metres, or the two have different CRSs.
    ColumnError
        A column is missing.
    InputError
        A radius that is not above 0.

    Notes
    -----
    Small units make the even spread harmless: use compounds rather than sub-districts. CRS: projected, metres.
    """
    demand(units, "units", key, population)
    _same_metres(units, inspected, "never_inspected")
    if not radius_m > 0:
        raise InputError(
            f"an inspection that sees {radius_m:g} m sees nothing; give metres above 0, for example 300"
        )
    areas = units.geometry.to_numpy()
    spots = shapely.points(point_places(inspected, what="never_inspected").xy)
    seen = shapely.union_all(shapely.buffer(spots, radius_m, quad_segs=32))
    shapely.prepare(seen)
    ground = shapely.area(areas)
    common = np.where(shapely.contains(seen, areas), ground, 0.0)
    partly = shapely.intersects(seen, areas) & (common == 0)
    common[partly] = shapely.area(shapely.intersection(areas[partly], seen))
    share = np.divide(common, ground, out=np.zeros(len(areas)), where=ground > 0).clip(0, 1)
    tree = shapely.STRtree(spots)
    inside = np.bincount(tree.query(areas, predicate="intersects")[0], minlength=len(areas))
    nearest = np.full(len(areas), np.nan)
    if len(spots):
        (row, _), distance = tree.query_nearest(areas, return_distance=True, all_matches=False)
        nearest[row] = distance
    people = units[population].to_numpy(dtype=float, na_value=np.nan)
    columns = {
        key: units[key], population: units[population], "share_inspected": share, "residents_never": people * (1 - share),
        "n_points": inside, "nearest_m": nearest,
    }  # fmt: skip
    return gpd.GeoDataFrame(pd.DataFrame(columns, index=units.index), geometry=areas, crs=units.crs)


def assessed_places(
    points: gpd.GeoDataFrame, area: gpd.GeoDataFrame, *, radius_m: float = RADIUS_M
) -> gpd.GeoDataFrame:
    """Lay out the places to compare: the assessment points, and centres everywhere else, at least two radii from any of them.

    Parameters
    ----------
    points
        The assessment points, in a projected CRS in metres.
    area
        The city, as areas in the same CRS.
    radius_m
        How far a place reaches, metres.

    Returns
    -------
    GeoDataFrame
        Points indexed by `place_id`: `assessed` (true: an assessment point, in their order; false: elsewhere, from south-west,
        row by row), geometry.

    Raises
    ------
    CrsError
        The coordinates are not metres, or the two have different CRSs.
    InputError
        A radius that is not above 0, or no room elsewhere.

    Notes
    -----
    The others stand on a triangular lattice of two radii, so that no two overlap. CRS: projected, metres.
    """
    _same_metres(points, area, "assessed_places")
    if not radius_m > 0:
        raise InputError(
            f"places of {radius_m:g} m hold nothing; give metres above 0, for example 300"
        )
    known = point_places(points, what="assessed_places").xy
    west, south, east, north = area.total_bounds
    rows = np.arange(south + radius_m, north, radius_m * np.sqrt(3))
    columns = np.arange(west + radius_m, east, 2 * radius_m)
    x = np.concatenate(
        [columns + (radius_m if number % 2 else 0.0) for number in range(len(rows))]
        or [np.empty(0)]
    )
    lattice = np.column_stack([x, np.repeat(rows, len(columns))])
    if len(known) and len(lattice):
        lattice = lattice[KDTree(known).query(lattice)[0] >= 2 * radius_m]
    city = shapely.union_all(area.geometry.to_numpy())
    shapely.prepare(city)
    lattice = lattice[shapely.contains_xy(city, lattice)]
    if len(lattice) == 0 or len(known) == 0:
        raise InputError(
            f"{len(known)} assessment points with {radius_m:g} m leave {len(lattice)} places elsewhere, but a comparison needs both; "
            "give a smaller radius or a larger area"
        )
    everywhere = np.concatenate([known, lattice])
    index = pd.RangeIndex(len(everywhere), name="place_id")
    assessed = np.arange(len(everywhere)) < len(known)
    return gpd.GeoDataFrame(
        {"assessed": assessed}, index=index, geometry=shapely.points(everywhere), crs=points.crs
    )


def place_steps(
    cases: gpd.GeoDataFrame,
    places: gpd.GeoDataFrame,
    *,
    since: pd.Timestamp,
    until: pd.Timestamp,
    step_days: int = 7,
    radius_m: float = RADIUS_M,
    at: str = "reported_at",
) -> tuple[pd.DataFrame, int]:
    """Count the cases at each place step by step, before and after a day.

    Parameters
    ----------
    cases
        Points in the CRS of `places`, with `at`.
    places
        As from `assessed_places`.
    since
        When the assessment (or its announcement) began, with a time zone: steps are laid end to end from it, both ways.
    until
        When the data end, with a time zone.
    step_days
        How long a step is.
    radius_m
        A case farther from every place is at none; of several the nearest has it.
    at
        The column of times.

    Returns
    -------
    tuple of DataFrame and int
        Shape (n_places, T), cases per place and whole step, columns named by the step's beginning (UTC); and which column is
        the first after.

    Raises
    ------
    CrsError
        The two have different CRSs, or these are not metres.
    ColumnError
        A column is missing.
    InputError
        Times without a zone, no case, or no whole step before or after.

    Warns
    -----
    NullResultWarning
        No case is at any place.
    """
    demand(cases, "cases", at)
    demand_zone(cases, at)
    _same_metres(places, cases, "place_steps")
    if since.tzinfo is None or until.tzinfo is None or step_days < 1:
        raise InputError(
            f"steps of {step_days} days from {since} until {until} need time zones and a day or more; give them"
        )
    spots = point_places(cases, what="place_steps")
    times = pd.DatetimeIndex(cases[at])[spots.there]
    step = np.floor(
        np.asarray((times - since.tz_convert("UTC")) / pd.Timedelta(days=step_days), dtype=float)
    )
    last = int((until - since) / pd.Timedelta(days=step_days))  # whole steps after
    first = int(np.floor((since - times.min()) / pd.Timedelta(days=step_days))) if len(times) else 0
    if first < 1 or last < 1:
        raise InputError(
            f"the data leave {max(first, 0)} whole steps of {step_days} days before {since:%Y-%m-%d} and {max(last, 0)} after; "
            "choose another day or a shorter step"
        )
    distance, place = KDTree(shapely.get_coordinates(places.geometry.to_numpy())).query(spots.xy)
    counts = (distance <= radius_m) & (step >= -first) & (step < last)
    if not counts.any():
        warn_null(
            f"none of {len(cases)} cases is within {radius_m:g} m of a place in these steps; all counts are 0"
        )
    key = np.asarray(place)[counts] * (first + last) + (step[counts].astype(np.int64) + first)
    cube = np.bincount(key, minlength=len(places) * (first + last)).reshape(
        len(places), first + last
    )
    begins = since.tz_convert("UTC") + pd.to_timedelta(
        step_days * np.arange(-first, last), unit="D"
    )
    return pd.DataFrame(cube, index=places.index, columns=begins), first


def _same_metres(first: gpd.GeoDataFrame, second: gpd.GeoDataFrame, what: str) -> None:
    crs = require_metres(first, what=what, name="the first frame")
    other = require_metres(second, what=what, name="the second frame")
    if crs != other:
        raise CrsError(
            f"{what} needs one CRS but has {crs_label(crs)} and {crs_label(other)}; reproject one"
        )
