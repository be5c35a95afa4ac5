"""Are the assessment points a model for everywhere or a show window, and where does no inspector ever come?"""

from __future__ import annotations

from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd

from gisgrid.analysis import CampaignEffect, campaign_effect, matched_controls
from gisgrid.casework.questions import assessed_places, never_inspected, place_steps
from gisgrid.catalogue import Derivation
from gisgrid.derived.campaigns import said
from gisgrid.derived.casework import VOID, case_issues
from gisgrid.derived.incidents import demand, in_crs_of, names_of
from gisgrid.derived.notes import NO_PLACE, NO_RESIDENTS, NO_TIME, Note, heard, left_out
from gisgrid.derived.times import day_of
from gisgrid.schema import Text

_LEAST_STEPS: Final = 4  # before, to match on other steps than those compared


def assessment_effect(
    cases: pd.DataFrame,
    points: gpd.GeoDataFrame,
    area: gpd.GeoDataFrame,
    *,
    since: str,
    timezone: str,
    until: pd.Timestamp | None = None,
    radius_m: float = 300.0,
    step_days: int = 7,
    n_controls: int = 3,
    seed: int = 0,
) -> tuple[Derivation, CampaignEffect]:
    """Say what changed around the assessment points, over what changed at places like them elsewhere.

    A ratio well below 1 is a show window: it got better where the assessors look, and not in the rest of the city. Near 1
    the points stand for everywhere.

    Parameters
    ----------
    cases
        The ledger's frame of cases.
    points
        The assessment points, in the CRS of `area`.
    area
        The city, as areas in a projected CRS in metres.
    since
        The day on which the points were announced or the preparation began.
    timezone
        Where a day begins.
    until
        When the data end; the last report unless told otherwise.
    radius_m
        How far a point reaches, metres.
    step_days
        How long a step of time is.
    n_controls
        How many places elsewhere for each point.
    seed
        Seed of the random groups that the effect is held against.

    Returns
    -------
    tuple of Derivation and CampaignEffect
        One point per place compared: `place_id`, `assessed`, `n_matched`, `n_before`, `n_after`, `ratio` (after over before,
        per step); and the effect with its interval and its checks.

    Raises
    ------
    CrsError
        The coordinates are not metres, or the two have different CRSs.
    ColumnError
        A column is missing.
    InputError
        Too little time before or after, or no place elsewhere.

    Notes
    -----
    With 4 steps or more before, places are matched on the first half of them and compared with the second: places that are
    alike by chance drift apart again, and that would look like an effect. See `gisgrid.casework.questions.assessed_places`, `gisgrid.analysis.matched_controls`, `gisgrid.analysis.campaign_effect`.
    """
    issues = case_issues(cases)
    demand(issues, "cases", "reported_at", "duplicate_of")
    first = issues[issues["duplicate_of"].isna()]
    timed = first[first["reported_at"].notna()]
    there = timed[~timed.geometry.is_empty & timed["geometry"].x.notna()]
    here, notes = in_crs_of(there, area)
    day = day_of(since, timezone=timezone)
    end = until if until is not None else there["reported_at"].max()
    places = assessed_places(points, area, radius_m=radius_m)
    cube, first_after = place_steps(
        here, places, since=day, until=end, step_days=step_days, radius_m=radius_m
    )
    heard_notes = list(notes)
    matched = first_after // 2 if first_after >= _LEAST_STEPS else 0
    early = cube.iloc[:, : matched or first_after]
    compared = places["assessed"] | (early.sum(axis=1) > 0)
    early, cube = early[compared], cube.loc[compared].iloc[:, matched:]
    first_after -= matched
    assessed = places["assessed"].reindex(cube.index)
    with heard(heard_notes):
        matches = matched_controls(early, assessed, n_controls=n_controls)
        effect = campaign_effect(
            cube, assessed, first_after=first_after, matches=matches, seed=seed
        )
    n_matched = matches["control"].value_counts().reindex(cube.index, fill_value=0).astype("int64")
    before, after = cube.iloc[:, :first_after], cube.iloc[:, first_after:]
    per_before, per_after = before.mean(axis=1), after.mean(axis=1)
    frame = places.loc[cube.index].assign(
        n_matched=n_matched, n_before=before.sum(axis=1), n_after=after.sum(axis=1),
        ratio=(per_after / per_before).where(per_before > 0).replace(np.inf, np.nan),
    )  # fmt: skip
    shown = frame[frame["assessed"] | (frame["n_matched"] > 0)].reset_index()
    excluded = left_out({
        VOID: len(cases) - len(issues), NO_TIME: len(first) - len(timed), NO_PLACE: len(timed) - len(there),
    })  # fmt: skip
    return Derivation(shown, excluded, (*heard_notes, *said(effect))), effect


def assessment_change(
    cases: pd.DataFrame,
    points: gpd.GeoDataFrame,
    area: gpd.GeoDataFrame,
    *,
    since: str,
    timezone: str,
    radius_m: float = 300.0,
    step_days: int = 7,
    n_controls: int = 3,
    seed: int = 0,
) -> Derivation:
    """Show the places that `assessment_effect` compares; the effect itself is told in the notes.

    Parameters
    ----------
    cases, points, area, since, timezone, radius_m, step_days, n_controls, seed
        As for `assessment_effect`; the data end with the last report.

    Returns
    -------
    Derivation
        Points: `place_id`, `assessed`, `n_matched`, `n_before`, `n_after`, `ratio`.

    Raises
    ------
    CrsError
        The coordinates are not metres, or the two have different CRSs.
    ColumnError
        A column is missing.
    InputError
        Too little time before or after, or no place elsewhere.
    """
    made, _ = assessment_effect(
        cases, points, area,
        since=since, timezone=timezone, radius_m=radius_m, step_days=step_days, n_controls=n_controls, seed=seed,
    )  # fmt: skip
    frame = made.value
    assert isinstance(frame, pd.DataFrame)  # noqa: S101 - for the checker: places are no surface
    names = [f"P{number:04d}" for number in frame["place_id"]]
    return Derivation(frame.assign(place_id=names), made.excluded, made.notes)


def unit_inspection(
    units: gpd.GeoDataFrame,
    points: gpd.GeoDataFrame,
    *,
    key: str,
    population: str = "population",
    radius_m: float = 300.0,
) -> Derivation:
    """Say how many residents of each unit live where no inspection ever came.

    Parameters
    ----------
    units
        Areas in a projected CRS in metres, with `key`, `population` and, where there are, `name_zh`, `name_en`, `name`.
    points
        Every point that was ever inspected, in the same CRS.
    key
        The column that names a unit.
    population
        The column of residents.
    radius_m
        How far an inspection sees, metres.

    Returns
    -------
    Derivation
        One row per unit, in their order: `key`, names, `population`, `share_inspected`, `residents_never` (whole people),
        `n_points`, `nearest_m`, geometry.

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
    See `gisgrid.casework.questions.never_inspected`.
    """
    found = never_inspected(units, points, key=key, population=population, radius_m=radius_m)
    people = found["residents_never"].round().astype("Int64")
    kept = units[[key, *names_of(map(str, units.columns)), population]]
    value = kept.assign(
        share_inspected=found["share_inspected"], residents_never=people,
        n_points=found["n_points"].astype("int64"), nearest_m=found["nearest_m"],
    )  # fmt: skip
    never, everybody = int(people.sum()), int(units[population].sum())
    note = Text(
        zh=f"{everybody:,} 名常住人口中约 {never:,} 人住在任何测评点位 {radius_m:g} 米之外（人口按单元内均匀分布估计）",
        en=f"about {never:,} of {everybody:,} residents live farther than {radius_m:g} m from every point inspected "
        "(taken as spread evenly within a unit)",
    )
    nobody = int((~(units[population].fillna(0) > 0)).sum())
    return Derivation(
        gpd.GeoDataFrame(value, geometry=units.geometry),
        left_out({NO_RESIDENTS: nobody}),
        (Note.of(note),),
    )
