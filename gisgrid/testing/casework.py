"""A month of cases and patrols in a city whose authority gaps, blind spots and rebounds are known."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gisgrid.errors import ColumnError, InputError, did_you_mean
from gisgrid.testing.rhythm import (
    CATEGORIES,
    DAY_S,
    HOURS,
    SOURCE_SHARE,
    SOURCES,
    UTC_OFFSET_S,
    pick,
)
from gisgrid.testing.settling import ABLE, LEVELS, ledger_frame, returned, settled

_MIX: Final = (0.14, 0.04, 0.20, 0.14, 0.08, 0.05, 0.05, 0.06, 0.10, 0.11, 0.03)
_SEEN: Final = {
    "collector": (0.3, 0.45, 0.1, 0.15),
    "hotline": (0, 0.1, 0.7, 0.2),
    "app": (0.7, 0.2, 0.1, 0),
    "video": (0, 0, 0.7, 0.3),
}
_SEEN_BY_ABLE: Final = 0.7  # elsewhere those who may settle it look for themselves
_SEEN_IN_GAP: Final = (0.9, 0.1, 0.0, 0.0)
_BLIND: Final = 0.12
_FIX_S: Final = 60
_FIXES: Final = 9

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Casework:
    """A month of cases, who may settle them, where patrols went, and what was planted.

    Attributes
    ----------
    cases
        In the columns of the ledger's frame of cases; times in UTC, what had not happened by the end is missing.
    authority
        `category_code` and `level`: who may settle what.
    fixes
        Patrol tracks as fixes, EPSG:4326: `track_id`, `at`, points.
    truth
        Indexed by unit: `zone`, `authority_gap`, `blind`, `unpatrolled`, `rebound` (bool), `patrol_km` as walked.
    until
        When the data end.
    """

    cases: pd.DataFrame
    authority: pd.DataFrame
    fixes: gpd.GeoDataFrame
    truth: pd.DataFrame
    until: pd.Timestamp

    def events(self) -> pd.DataFrame:
        """Give what happened to the cases, in order, as a ledger takes it.

        Returns
        -------
        DataFrame
            `case_id`, `kind`, `at` (UTC), `by`, `lon`, `lat` (of reports), `why`, `data` (a dict).
        """
        cases = self.cases
        said = cases[[
            "category_code", "category", "unit_code", "subdistrict_code", "community_code", "level_found", "source", "urgency",
        ]].to_dict("records")  # fmt: skip
        own = pd.Series([{"owner": owner} for owner in cases["owner"]], index=cases.index)
        empty = pd.Series([{} for _ in range(len(cases))], index=cases.index)
        minute = pd.Timedelta(minutes=1)
        passed = cases["n_hand_overs"].clip(upper=6)
        steps = [
            ("reported", cases["reported_at"], cases["source"], pd.Series(said, index=cases.index)),
            ("filed", cases["filed_at"], "desk", empty),
            ("dispatched", cases["dispatched_at"], "desk", own),
            *(
                ("handed_over", (cases["dispatched_at"] + number * minute).where(passed >= number), "desk", own)
                for number in range(1, 7)
            ),
            ("handled", cases["handled_at"], cases["owner"], empty),
            ("feedback", cases["closed_at"] - 2 * minute, cases["owner"], empty),
            ("verified", cases["closed_at"] - minute, "desk", empty),
            ("closed", cases["closed_at"], "desk", empty),
        ]  # fmt: skip
        rows = [
            pd.DataFrame({
                "case_id": cases["case_id"], "kind": kind, "at": at, "by": by, "data": data, "order": number,
                "lon": cases["lon"] if kind == "reported" else np.nan, "lat": cases["lat"] if kind == "reported" else np.nan,
                "why": "not ours to settle" if kind == "handed_over" else "",
            })[at.notna()]
            for number, (kind, at, by, data) in enumerate(steps)
        ]  # fmt: skip
        found = pd.concat(rows, ignore_index=True).sort_values(
            ["at", "case_id", "order"], kind="stable", ignore_index=True
        )
        return found[["case_id", "kind", "at", "by", "lon", "lat", "why", "data"]]


def synthetic_casework(
    units: gpd.GeoDataFrame,
    *,
    key: str = "compound_code",
    zone: str = "kind",
    n_cases: int = 12_000,
    first_day: dt.date = dt.date(2026, 10, 12),
    days: int = 30,
    points: gpd.GeoDataFrame | None = None,
    show_factor: float = 0.5,
    seed: int = 1,
) -> Casework:
    """Make a month of cases and patrols whose truth is known.

    Parameters
    ----------
    units
        The finest grid, in a projected CRS in metres: `key`, `community_code`, `population`, `zone`; for example the compounds
        of a `synthetic_city`.
    key
        The column that names a unit.
    zone
        The column of kinds of place: each has its own level of what there is to find and of patrol.
    n_cases
        About how many.
    first_day
        The first day, in Asia/Shanghai.
    days
        How many.
    points
        Assessment points, in the CRS of `units`; in the second half cases within 300 m of them become `show_factor` times as
        many. None: nothing is for show.
    show_factor
        0 to 1.
    seed
        The same seed gives the same cases.

    Returns
    -------
    Casework
        Cases, authority, patrols and the truth.

    Raises
    ------
    ColumnError
        A column is missing.
    InputError
        Fewer than 20 units with residents, or numbers out of range.

    Notes
    -----
    *Authority gaps* (a twelfth of the communities): there nine in ten cases are seen by the community; a case seen by a level
    that may not settle its class takes twice as long anywhere, and is handed over. *Blind spots* (one unit in thirty): patrols
    walk as elsewhere but collectors find an eighth. *Unpatrolled* (one in thirty): nobody goes, collectors find nothing.
    *Rebounds* (one in twenty): two of three closed cases are back at the same place within some days, half of those within two.
    Collectors' finds are in proportion to residents, the zone's level and 1 + effort / usual effort.
    """
    for column in (key, "community_code", "population", zone):
        if column not in units.columns:
            raise ColumnError(
                f"no column {column!r} in the units{did_you_mean(column, map(str, units.columns))}"
            )
    lived = np.flatnonzero(units["population"].to_numpy(dtype=float, na_value=0) > 0)
    if len(lived) < 20 or n_cases < 1 or days < 2 or not 0 <= show_factor <= 1:
        raise InputError(
            f"{len(lived)} units with residents, {n_cases} cases in {days} days and a factor of {show_factor:g} make no month; "
            "give 20 units, a case, 2 days and a factor from 0 to 1 at least"
        )
    rng = np.random.default_rng([seed, 7])
    plan = _planned(units.iloc[lived], zone, rng)
    start = int(np.datetime64(first_day, "D").astype(np.int64)) * DAY_S - UTC_OFFSET_S
    fixes, km = _walked(units.iloc[lived], plan, key, (start, days), rng)
    plan["patrol_km"] = km
    drawn = _drawn(units.iloc[lived], plan, n_cases, (start, days), rng)
    if points is not None:
        drawn = drawn[_kept(drawn, points, start + days * DAY_S // 2, show_factor, rng)]
    drawn = settled(drawn, plan, rng)
    end = start + days * DAY_S
    drawn = pd.concat([drawn, returned(drawn, plan, end, rng)], ignore_index=True)
    drawn = drawn[drawn["reported"] < end].sort_values("reported", kind="stable", ignore_index=True)
    truth = plan.set_index(pd.Index(units[key].iloc[lived], name=key))
    authority = pd.DataFrame(
        [(CATEGORIES[name], level) for name, levels in ABLE.items() for level in levels],
        columns=["category_code", "level"],
    )
    cases = ledger_frame(drawn, units.iloc[lived], key, end)
    return Casework(
        cases, authority, fixes, truth, pd.Timestamp(end, unit="s", tz="UTC").as_unit("us")
    )


def _planned(units: gpd.GeoDataFrame, zone: str, rng: np.random.Generator) -> pd.DataFrame:
    """Choose where what is planted, and the levels of the kinds of place."""
    n = len(units)
    kinds = units[zone].astype(str).to_numpy()
    names = np.unique(kinds)
    level = dict(zip(names, np.exp(rng.normal(0, 0.4, len(names))), strict=True))
    visits = dict(zip(names, rng.uniform(4, 12, len(names)), strict=True))
    communities = units["community_code"].to_numpy(dtype=object)
    all_communities = np.unique(communities)
    gaps = rng.choice(all_communities, max(1, len(all_communities) // 12), replace=False)
    people = units["population"].to_numpy(dtype=float)
    lively = np.flatnonzero(people >= np.median(people))  # where few live little is found anyway
    order = rng.permutation(lively)
    share = max(1, n // 30)
    plan = pd.DataFrame({
        "zone": kinds, "level": [level[kind] for kind in kinds], "visits": [visits[kind] for kind in kinds],
        "authority_gap": np.isin(communities, gaps),
    })  # fmt: skip
    parts = np.split(order, [share, 2 * share, 2 * share + max(1, n // 20)])
    for name, rows in zip(("blind", "unpatrolled", "rebound"), parts, strict=False):
        plan[name] = np.isin(np.arange(n), rows)
    return plan


def _walked(
    units: gpd.GeoDataFrame,
    plan: pd.DataFrame,
    key: str,
    period: tuple[int, int],
    rng: np.random.Generator,
) -> tuple[gpd.GeoDataFrame, Floats]:
    """Walk a round inside each unit for each visit, a fix a minute; give the fixes and the kilometres."""
    areas = units.geometry.to_numpy()
    middle = shapely.point_on_surface(areas)
    reach = np.minimum(0.8 * shapely.distance(middle, shapely.boundary(areas)), 120.0)
    mean = np.where(
        plan["unpatrolled"], 0.0, plan["visits"] * np.exp(rng.normal(0, 0.35, len(plan)))
    )
    n_visits = rng.poisson(mean)
    unit = np.repeat(np.arange(len(units)), n_visits)
    began = (
        period[0]
        + rng.integers(0, period[1], len(unit)) * DAY_S
        + rng.integers(8 * 3600, 17 * 3600, len(unit))
    )
    turn = rng.uniform(0, 2 * np.pi, len(unit))
    angle = turn[:, None] + np.linspace(0, 2 * np.pi, _FIXES)[None, :]
    xy = shapely.get_coordinates(middle)[unit][:, None, :] + reach[unit, None, None] * np.stack(
        [np.cos(angle), np.sin(angle)], axis=2
    )
    step = 2 * reach * np.sin(np.pi / (_FIXES - 1))
    seconds = began[:, None] + _FIX_S * np.arange(_FIXES)[None, :]
    names = np.char.add(
        units[key].to_numpy(dtype=str)[unit], np.char.add("-", np.arange(len(unit)).astype(str))
    )
    at = pd.DatetimeIndex((seconds.ravel() * 1_000_000).view("datetime64[us]")).tz_localize("UTC")
    walked = gpd.GeoDataFrame(
        {"track_id": np.repeat(names.astype(object), _FIXES), "at": at},
        geometry=shapely.points(xy.reshape(-1, 2)), crs=units.crs,
    )  # fmt: skip
    return walked.to_crs(4326), n_visits * step * (_FIXES - 1) / 1000


def _drawn(
    units: gpd.GeoDataFrame,
    plan: pd.DataFrame,
    n_cases: int,
    period: tuple[int, int],
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Draw who saw what where and when."""
    people = units["population"].to_numpy(dtype=float)
    there = people * plan["level"].to_numpy()
    usual = np.median(plan["patrol_km"][plan["patrol_km"] > 0])
    mix = np.array(_MIX)
    by_source = mix[:, None] * np.array([SOURCE_SHARE[name] for name in CATEGORIES])
    found = (
        there
        * (1 + plan["patrol_km"].to_numpy() / usual)
        * np.where(plan["blind"], _BLIND, 1.0)
        * ~plan["unpatrolled"]
    )
    parts = []
    for number, source in enumerate(SOURCES):
        weight = found if source == "collector" else there
        mean = n_cases * by_source[:, number].sum() * weight / weight.sum()
        unit = np.repeat(np.arange(len(units)), rng.poisson(mean))
        category = rng.choice(
            len(mix), len(unit), p=by_source[:, number] / by_source[:, number].sum()
        )
        parts.append(pd.DataFrame({"unit": unit, "source": number, "category": category}))
    drawn = pd.concat(parts, ignore_index=True)
    n = len(drawn)
    seer = drawn["source"].to_numpy(dtype=np.int64)
    hours = np.array([HOURS[name] for name in SOURCES], dtype=float)
    hour = pick(hours, seer, rng)
    drawn["reported"] = (
        period[0] + rng.integers(0, period[1], n) * DAY_S + hour * 3600 + rng.integers(0, 3600, n)
    )
    middle = shapely.get_coordinates(shapely.point_on_surface(units.geometry.to_numpy()))
    reach = 0.9 * shapely.distance(
        shapely.point_on_surface(units.geometry.to_numpy()),
        shapely.boundary(units.geometry.to_numpy()),
    )
    angle, away = rng.uniform(0, 2 * np.pi, n), np.sqrt(rng.random(n))
    where = middle[drawn["unit"]] + (reach[drawn["unit"]] * away)[:, None] * np.column_stack(
        [np.cos(angle), np.sin(angle)]
    )
    drawn["x"], drawn["y"] = where.T
    seen = np.array([_SEEN[name] for name in SOURCES], dtype=float)
    level = pick(seen, seer, rng)
    in_gap = plan["authority_gap"].to_numpy()[drawn["unit"]]
    able = np.array([LEVELS.index(ABLE[name][0]) for name in CATEGORIES])[drawn["category"]]
    level = np.where(rng.random(n) < _SEEN_BY_ABLE, able, level)
    drawn["level"] = np.where(
        in_gap, pick(np.array([_SEEN_IN_GAP]), np.zeros(n, dtype=np.int64), rng), level
    )
    return drawn


def _kept(
    drawn: pd.DataFrame,
    points: gpd.GeoDataFrame,
    since: int,
    factor: float,
    rng: np.random.Generator,
) -> Bools:
    """Thin out what is near the assessment points after the announcement."""
    spots = shapely.points(drawn[["x", "y"]].to_numpy())
    near = np.zeros(len(drawn), dtype=bool)
    near[
        shapely.STRtree(spots).query(
            points.geometry.to_numpy(), predicate="dwithin", distance=300.0
        )[1]
    ] = True
    return np.asarray(
        ~(near & (drawn["reported"].to_numpy() >= since) & (rng.random(len(drawn)) >= factor))
    )
