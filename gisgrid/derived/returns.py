"""How soon is a problem back at the same place, by unit and by class?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd

from gisgrid.analysis import rebound, time_to_next
from gisgrid.catalogue import Derivation
from gisgrid.derived.areas import Areas, unit_areas
from gisgrid.derived.incidents import demand, in_metres, names_of
from gisgrid.derived.notes import FAR_IN_TIME, NO_TIME, Note, heard
from gisgrid.derived.times import bulk
from gisgrid.errors import InputError
from gisgrid.schema import Text

PLACE_M: Final = 50.0
"""Side of the squares within which two incidents are at the same place, metres, where none is said."""

WITHIN_DAYS: Final = (7, 30, 90)
"""After how many days the share that is back is told."""

_CATEGORIES: Final = ("category", "category_code")
_NUMBERS: Final = (
    "n", "n_back", "median_days", "median_low", "median_high",
    *(f"share_back_{days}d{bound}" for days in WITHIN_DAYS for bound in ("", "_low", "_high")),
)  # fmt: skip


@dataclass(frozen=True)
class Waits:
    """How long every incident waited for the next at its place.

    Attributes
    ----------
    areas
        What was counted, with what was left out.
    waits
        As from `gisgrid.analysis.time_to_next`, indexed like the areas' incidents.
    category
        The class of each incident; None where reports have none.
    notes
        What was decided.
    """

    areas: Areas
    waits: pd.DataFrame
    category: pd.Series | None
    notes: tuple[str, ...]


def unit_rebound(
    issues: gpd.GeoDataFrame,
    units: gpd.GeoDataFrame,
    *,
    key: str,
    place_m: float = PLACE_M,
    population: str | None = "population",
) -> Derivation:
    """Say of each unit what share of its problems is back at the same place within a week, a month, a season.

    Parameters
    ----------
    issues
        Points in any CRS, with `duplicate_of` and `reported_at`; with `closed_at` and `category` where there are: then the
        clock starts when a case was closed, and only the same class is the problem come back.
    units
        Areas with `key` and, where there are, `name_zh`, `name_en`, `name`.
    key
        The column that names a unit.
    place_m
        Incidents in the same square of this side, and the same unit, are at the same place; metres.
    population
        The column of residents; None to do without.

    Returns
    -------
    Derivation
        One row per unit, in their order: `key`, names, `n_incidents`, `population` and `incidents_per_1000` (where
        residents are known), `n` (incidents whose clock started), `n_back`, `median_days` with `median_low` and
        `median_high`, and for 7, 30 and 90 days `share_back_7d`, `share_back_7d_low`, `share_back_7d_high`; `n_units`.

    Raises
    ------
    CrsError
        A frame has no CRS.
    ColumnError
        A column is missing.
    InputError
        A side that is not above 0.

    Notes
    -----
    Kaplan-Meier: see `gisgrid.analysis.rebound`.
    """
    return returned(waits_of(unit_areas(issues, units, key=key, population=population), place_m))


def class_rebound(
    issues: gpd.GeoDataFrame,
    units: gpd.GeoDataFrame,
    *,
    key: str,
    place_m: float = PLACE_M,
) -> Derivation:
    """Say of each class of problem in each unit what share is back at the same place within a week, a month, a season.

    Parameters
    ----------
    issues
        As for `unit_rebound`, with `category` or `category_code`.
    units
        As there.
    key
        The column that names a unit.
    place_m
        As there.

    Returns
    -------
    Derivation
        A table, one row per unit and class that occur: `key`, names, `category`, then `n`, `n_back` and the rest as from
        `unit_rebound`. First come the rows of each class in all units together, where `key` is missing.

    Raises
    ------
    CrsError
        A frame has no CRS.
    ColumnError
        A column is missing.
    InputError
        A side that is not above 0, or reports without a class.
    """
    return returned_by_class(waits_of(unit_areas(issues, units, key=key, population=None), place_m))


def waits_of(areas: Areas, place_m: float = PLACE_M) -> Waits:
    """Say of every incident how long it took until the next one at the same place.

    Parameters
    ----------
    areas
        What was counted, with `reported_at` among the incidents' columns.
    place_m
        Side of the squares that are a place, metres.

    Returns
    -------
    Waits
        For `returned` and `returned_by_class`.

    Raises
    ------
    ColumnError
        There are no times.
    InputError
        A side that is not above 0.
    """
    if not place_m > 0:
        raise InputError(f"a place {place_m:g} m wide holds nothing; give a side above 0, for example 50")  # fmt: skip
    incidents = areas.incidents
    demand(incidents, "issues", "reported_at")
    points, notes = in_metres(incidents, what="the place of a report")
    times = incidents["reported_at"].where(bulk(incidents["reported_at"]))
    column, row = (np.floor(at / place_m) for at in (points.geometry.x, points.geometry.y))
    place = areas.codes.astype("object").where(areas.codes.notna(), None)
    named = place.notna() & column.notna()
    place = (place.astype("str") + "|" + column.astype("str") + "|" + row.astype("str")).where(
        named
    )
    settled = incidents.get("closed_at")
    if settled is not None:
        settled = None if settled.isna().all() else pd.to_datetime(settled, utc=True)
    category = next(
        (incidents[c] for c in _CATEGORIES if c in incidents and incidents[c].notna().any()), None
    )
    said: list[str] = []
    until = pd.Timestamp(0, tz="UTC") if times.isna().all() else pd.Timestamp(times.max())
    with heard(said):
        waits = time_to_next(
            times, place, until=until.to_pydatetime(), settled_at=settled, category=category
        )
    text = Text(
        zh=(
            f"同一单元内同一 {place_m:g} 米方格为同一地点；"
            f"{'结案' if settled is not None else '上报'}后开始计时，"
            f"{'同类' if category is not None else '任何一类'}再次上报为反弹；数据止于 {until:%Y-%m-%d}"
        ),
        en=(
            f"a place is a square of {place_m:g} m within a unit; the clock starts when a case is "
            f"{'closed' if settled is not None else 'reported'}, and the next report of "
            f"{'the same class' if category is not None else 'any class'} stops it; the data end on {until:%Y-%m-%d}"
        ),
    )
    there = areas.codes.notna()
    strays = incidents["reported_at"].notna() & times.isna()
    timed = areas.codes[times.notna()].value_counts()
    counts = timed.reindex(areas.counts.index, fill_value=0).astype("int64")
    counted = areas.recounted(counts).without(
        {
            NO_TIME: int((there & incidents["reported_at"].isna()).sum()),
            FAR_IN_TIME: int((there & strays).sum()),
        }
    )
    return Waits(counted, waits, category, (Note.of(text), *notes, *said))


def returned(waits: Waits) -> Derivation:
    """Tell the shares that are back by area.

    Parameters
    ----------
    waits
        As from `waits_of`.

    Returns
    -------
    Derivation
        The areas with the columns that `unit_rebound` says.
    """
    areas, notes = waits.areas, list(waits.notes)
    with heard(notes):
        found = rebound(waits.waits, areas.codes, within_days=WITHIN_DAYS)
    found = found.reindex(areas.counts.index)
    columns = {name: found[name] for name in _NUMBERS}
    for name in ("n", "n_back"):
        columns[name] = columns[name].fillna(0).astype("int64")
    return areas.made(columns, tested=columns["n"] > 0, notes=tuple(notes))


def returned_by_class(waits: Waits) -> Derivation:
    """Tell the shares that are back by class, in all areas together and in each.

    Parameters
    ----------
    waits
        As from `waits_of`.

    Returns
    -------
    Derivation
        The table that `class_rebound` says.

    Raises
    ------
    InputError
        The reports have no class.
    """
    areas, category, notes = waits.areas, waits.category, list(waits.notes)
    if category is None:
        raise InputError(
            "a rebound by class needs the class of each report, and there is none; name its column with "
            "--column category_code=NAME, or take the rebound by unit"
        )
    key = areas.key
    both = areas.codes.notna() & category.notna()
    pair = pd.Series(
        list(zip(areas.codes[both], category[both], strict=True)), index=category.index[both], dtype="object",
    )  # fmt: skip
    with heard(notes):
        city = rebound(waits.waits[both], category[both], within_days=WITHIN_DAYS)
        number, names = pd.factorize(pair, sort=True)
        each = rebound(
            waits.waits[both], pd.Series(number, index=pair.index), within_days=WITHIN_DAYS
        )
    named = areas.frame.set_index(key)[names_of(map(str, areas.frame.columns))]
    codes = [names[int(place)][0] for place in each.index]
    rows = pd.concat(
        [
            city.rename_axis("category").reset_index().assign(**{key: None}),
            each.assign(**{key: codes}, category=[names[int(place)][1] for place in each.index]),
        ],
        ignore_index=True,
    )
    table = rows.join(named, on=key)[[key, *named.columns, "category", *_NUMBERS]]
    return Derivation(
        table.astype({"n": "int64", "n_back": "int64"}), areas.excluded, (*areas.notes, *notes)
    )
