"""What do the cases of the ledger say when they are held against the statistics of places?"""

from __future__ import annotations

from typing import Final

import geopandas as gpd
import pandas as pd

from gisgrid.analysis import CampaignEffect
from gisgrid.catalogue import Derivation
from gisgrid.derived.areas import unit_areas
from gisgrid.derived.campaigns import campaign
from gisgrid.derived.flags import flags_of
from gisgrid.derived.incidents import demand
from gisgrid.derived.notes import Note, left_out
from gisgrid.derived.returns import PLACE_M, returned, returned_by_class, waits_of
from gisgrid.errors import ColumnError, InputError, did_you_mean
from gisgrid.schema import Text

VOID: Final = "void cases"
"""Reports that were no case: a reason to leave out."""

FALSE_DAYS: Final = 3.0
"""A problem that is back so soon after its case was closed was not settled, days, where it is not said."""


def case_issues(cases: pd.DataFrame) -> gpd.GeoDataFrame:
    """Give the cases of the ledger as reported issues: what every analysis of this toolkit takes.

    Parameters
    ----------
    cases
        The ledger's frame of cases: `case_id`, `lon`, `lat` (WGS84), `state`, `reported_at`, `closed_at`, `duplicate_of` and
        what else there is.

    Returns
    -------
    GeoDataFrame
        Points in EPSG:4326 with all columns but `lon` and `lat`; void cases are left out, one without a place has an empty
        point.

    Raises
    ------
    ColumnError
        A column is missing.

    Examples
    --------
    >>> cases = pd.DataFrame({"case_id": ["1", "2"], "lon": [114.0, 114.1], "lat": [35.0, 35.1], "state": ["closed", "void"]})
    >>> case_issues(cases)["case_id"].to_list()
    ['1']
    """
    for column in ("case_id", "lon", "lat", "state"):
        if column not in cases.columns:
            raise ColumnError(
                f"no column {column!r} in the cases{did_you_mean(column, map(str, cases.columns))}"
            )
    kept = cases[(cases["state"] != "void").to_numpy(dtype=bool, na_value=True)]
    points = gpd.points_from_xy(kept["lon"].astype(float), kept["lat"].astype(float), crs=4326)
    return gpd.GeoDataFrame(kept.drop(columns=["lon", "lat"]), geometry=points)


def case_rebound(
    cases: pd.DataFrame,
    units: gpd.GeoDataFrame,
    *,
    key: str,
    place_m: float = PLACE_M,
    false_days: float = FALSE_DAYS,
    by_class: bool = False,
) -> Derivation:
    """Say of each unit how soon problems are back after their cases were closed, and how many closings were false.

    Parameters
    ----------
    cases
        The ledger's frame of cases.
    units
        Areas with `key`.
    key
        The column that names a unit.
    place_m
        Side of the squares that are one place, metres.
    false_days
        A closing is false where the same class is reported at the same place within so many days of it; one that was undone
        (`n_reopenings`, where the frame has it) is false in any case.
    by_class
        Tell unit and class apart: a table instead of areas.

    Returns
    -------
    Derivation
        The columns of `unit_rebound` (or `class_rebound`), and `n_closed` (closings watched for `false_days`, or false),
        `n_false` and `share_false` (of them; missing without any).

    Raises
    ------
    CrsError
        A frame has no CRS.
    ColumnError
        A column is missing.
    InputError
        A side or a number of days that is not above 0.
    """
    if not false_days > 0:
        raise InputError(
            f"closings cannot be false within {false_days:g} days; give days above 0, for example 3"
        )
    issues = case_issues(cases)
    demand(issues, "cases", "closed_at")
    waits = waits_of(unit_areas(issues, units, key=key, population=None), place_m)
    made = returned_by_class(waits) if by_class else returned(waits)
    days = waits.waits["days"]
    false = waits.waits["is_back"] & (days <= false_days)
    watched = false | (days > false_days)
    undone = _undone(waits.areas.incidents)
    names = [
        waits.areas.codes,
        *([waits.category] if by_class and waits.category is not None else []),
    ]
    frame = made.value
    assert isinstance(frame, pd.DataFrame)  # noqa: S101 - for the checker: neither gives a surface
    table = pd.DataFrame({"n_closed": watched + undone, "n_false": false + undone})
    if by_class:
        each = table.groupby([names[0].to_numpy(), names[1].to_numpy()]).sum()
        city = table.groupby(names[1].to_numpy()).sum()
        rows = [
            (city.loc[kind] if pd.isna(code) else each.loc[(code, kind)])
            for code, kind in zip(frame[key], frame["category"], strict=True)
        ]
        counts = (
            pd.DataFrame(rows).set_axis(frame.index, axis=0).astype("int64")
            if rows
            else table.iloc[:0]
        )
    else:
        counts = (
            table.groupby(names[0].to_numpy())
            .sum()
            .reindex(frame[key])
            .fillna(0)
            .astype("int64")
            .set_axis(frame.index, axis=0)
        )
    share = counts["n_false"] / counts["n_closed"].where(counts["n_closed"] > 0)
    value = frame.assign(n_closed=counts["n_closed"], n_false=counts["n_false"], share_false=share)
    note = Text(
        zh=f"结案后 {false_days:g} 天内同一地点同类问题再次上报，或案件被重开，视为虚假结案",
        en=f"a closing is false where the same class is reported at the same place within {false_days:g} days of it, "
        "or the case was opened anew",
    )
    n_void = len(cases) - len(issues)
    return Derivation(
        value, left_out({VOID: n_void, **made.excluded}), (*made.notes, Note.of(note))
    )


def _undone(incidents: pd.DataFrame) -> pd.Series:
    """Tell of each case how many of its closings were undone."""
    told = incidents.get("n_reopenings")
    if told is None:
        return pd.Series(0, index=incidents.index)
    return told.fillna(0).astype("int64")


def case_campaign(
    cases: pd.DataFrame,
    units: gpd.GeoDataFrame,
    *,
    key: str,
    treated: str,
    since: str,
    timezone: str,
    step: str = "week",
    categories: tuple[str, ...] = (),
    n_controls: int = 3,
    seed: int = 0,
) -> tuple[Derivation, CampaignEffect]:
    """Say what a campaign (dry toilets, wet markets, vectors, back alleys, old compounds) changed, over matched controls.

    Parameters
    ----------
    cases
        The ledger's frame of cases.
    units
        Areas with `key` and `treated`; with `population` they are matched by it too.
    key
        The column that names a unit.
    treated
        The column that says yes where the campaign was.
    since
        The day on which it began, as ``2026-10-09``.
    timezone
        Where a day begins.
    step
        ``day``, ``week``, ``month``, ``quarter`` or ``year``.
    categories
        The classes the campaign was about (how their codes begin); empty for all.
    n_controls
        How many controls for each.
    seed
        Seed of the random groups that the effect is held against.

    Returns
    -------
    tuple of Derivation and CampaignEffect
        As from `gisgrid.derived.campaign`.

    Raises
    ------
    CrsError
        A frame has no CRS.
    ColumnError
        A column is missing.
    InputError
        As for `gisgrid.derived.unit_campaign`, or no case of these classes.
    """
    issues = case_issues(cases)
    if categories:
        demand(issues, "cases", "category_code")
        issues = issues[issues["category_code"].astype(str).str.startswith(categories)]
        if len(issues) == 0:
            raise InputError(
                f"none of {len(cases)} cases is of a class that begins with {' or '.join(categories)}; give other codes"
            )
    population = "population" if "population" in units.columns else None
    areas = unit_areas(issues, units, key=key, population=population)
    return campaign(
        areas,
        flags_of(units, treated, key=key),
        since=since,
        timezone=timezone,
        step=step,
        n_controls=n_controls,
        seed=seed,
    )
