"""Is it bad there, or did more people look, or report more readily?"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import geopandas as gpd
import pandas as pd

from gisgrid.analysis import known_labels, rate_per_effort, reporting_rate
from gisgrid.analysis.significance import Correction
from gisgrid.catalogue import Derivation
from gisgrid.derived.areas import Areas, unit_areas
from gisgrid.derived.flags import numbers_of
from gisgrid.derived.hotspots import hot
from gisgrid.derived.incidents import demand, reported
from gisgrid.derived.notes import IN_NO_AREA, NO_TIME, UNPATROLLED, Note, heard, left_out
from gisgrid.derived.terms import Terms
from gisgrid.errors import InputError
from gisgrid.join import assign_units
from gisgrid.schema import Text

LEAST_SHARE: Final = 0.1
"""Units with less than this share of the usual (median) effort are unknown, where no least effort is said."""

LIFETIME_DAYS: Final = 30.0
"""How long an incident lasts when nobody reports it, where it is not said."""

_COLUMNS: Final = ("open_days", "rate_per_day", "low", "high", "share_reported", "factor")


def unit_effort(
    issues: gpd.GeoDataFrame,
    units: gpd.GeoDataFrame,
    *,
    key: str,
    effort: str,
    least: float = 0.0,
    neighbours: str = "contiguity",
    permutations: int = 0,
    correction: Correction = "fdr",
    seed: int = 0,
) -> Derivation:
    """Find the units with unusually many or few incidents for the patrol that they had; where hardly anyone went is unknown.

    Parameters
    ----------
    issues
        Points in any CRS, with `duplicate_of`, found by those whose effort is counted; brought into the CRS of `units`.
    units
        Areas with `key` and `effort`.
    key
        The column that names a unit.
    effort
        The column of patrol km, or hours; 0 or missing where nobody went.
    least
        Units with less are unknown; 0 for a tenth of the median.
    neighbours
        ``contiguity``, ``rook``, ``distance:500`` or ``nearest:8``.
    permutations
        0 for the normal p; 999 or more where incidents are few.
    correction
        What is done about the many tests: ``fdr``, ``bonferroni`` or ``none``.
    seed
        Seed of the permutations.

    Returns
    -------
    Derivation
        One row per unit as from `unit_hotspots`, per unit of effort: `n_incidents`, `effort`, `incidents_per_effort`
        (missing where the effort is under the least), `observed`, `expected`, `z`, `p`, `q`, `label` (or ``unknown``),
        `n_neighbours`, `n_units`.

    Raises
    ------
    CrsError
        A frame has no CRS.
    ColumnError
        A column is missing.
    InputError
        Efforts that are no numbers, or all nothing, no such neighbourhood, correction or number of permutations.

    Notes
    -----
    See `gisgrid.analysis.rate_per_effort` and `gisgrid.analysis.known_labels`.
    """
    areas = unit_areas(issues, units, key=key, population=None)
    return looked_at(
        areas, numbers_of(units, effort, key=key), Terms(neighbours, permutations, correction, seed), least=least
    )  # fmt: skip


def looked_at(areas: Areas, effort: pd.Series, terms: Terms, *, least: float = 0.0) -> Derivation:
    """Score areas by what was found for the effort that was made.

    Parameters
    ----------
    areas
        What was counted.
    effort
        Shape (n,), 0 and above, indexed by key.
    terms
        How it is tested.
    least
        Areas with less are unknown; 0 for a tenth of the median.

    Returns
    -------
    Derivation
        The areas with the columns that `unit_effort` says.

    Raises
    ------
    InputError
        No effort at all, or no such neighbourhood, correction or number of permutations.
    """
    effort = effort.reindex(areas.counts.index)
    if not (effort > 0).any():
        raise InputError("no unit has any effort, so nothing is known; choose another column")
    least = least or LEAST_SHARE * float(effort[effort > 0].median())
    enough = effort >= least
    rates = rate_per_effort(areas.counts, effort, least=least)
    frame = areas.frame.drop(columns=["population", "incidents_per_1000"], errors="ignore")
    frame = frame.assign(effort=effort.to_numpy(), incidents_per_effort=rates.to_numpy())
    frame = gpd.GeoDataFrame(
        pd.DataFrame(frame.drop(columns=areas.frame.geometry.name)), geometry=areas.frame.geometry
    )
    text = Text(
        zh=f"{len(effort)} 个单元中有 {int((~enough).sum())} 个投入不足 {least:g}，情况不明（不是冷点）",
        en=f"{int((~enough).sum())} of {len(effort)} units had an effort under {least:g} and are unknown (not cold)",
    )
    told = replace(areas, frame=frame, denominator=effort.where(enough), per=1.0)
    made = hot(told.without({UNPATROLLED: int((~enough).sum())}, (Note.of(text),)), terms)
    value = gpd.GeoDataFrame(made.value)
    label = pd.Series(value["label"].to_numpy(), index=effort.index)
    known = known_labels(label, effort, least=least).where(lambda each: each.notna(), None)
    return replace(made, value=value.assign(label=known.astype("object").to_numpy()))


def unit_reporting(
    issues: gpd.GeoDataFrame,
    units: gpd.GeoDataFrame,
    *,
    key: str,
    lifetime_days: float = LIFETIME_DAYS,
) -> Derivation:
    """Say how readily people report in each unit, judged by how often they report the same incident again.

    Parameters
    ----------
    issues
        Points in any CRS, with `issue_id`, `duplicate_of`, `reported_at` and, where known, `closed_at`.
    units
        Areas with `key` and, where there are, `name_zh`, `name_en`, `name`.
    key
        The column that names a unit.
    lifetime_days
        How long an incident lasts when nobody reports it, days: what `share_reported` is about.

    Returns
    -------
    Derivation
        One row per unit, in their order: `key`, names, `n_incidents`, `n_repeats`, `open_days`, `rate_per_day`, `low`,
        `high`, `share_reported` (of incidents that last so long, 0 to 1), `factor` (times so many there are), `n_units`.

    Raises
    ------
    CrsError
        A frame has no CRS.
    ColumnError
        A column is missing.
    InputError
        A lifetime that is not above 0.

    Notes
    -----
    See `gisgrid.analysis.reporting_rate`. An incident that is still open counts until the last report of all.
    """
    demand(units, "units", key)
    counted = reported(issues, units, "issue_id", "reported_at")
    reports = counted.reports
    first = reports["duplicate_of"].fillna(reports["issue_id"])
    n_reports = first.map(first.value_counts())
    incidents = counted.incidents
    codes = assign_units(incidents, {key: units})[key]
    begins = incidents["reported_at"]
    last = reports["reported_at"].max()
    ends = incidents["closed_at"] if "closed_at" in incidents else pd.Series(pd.NaT, incidents.index)  # fmt: skip
    ends = pd.to_datetime(ends, utc=True).fillna(last).where(lambda end: end >= begins, begins)
    table = pd.DataFrame(
        {
            "unit": codes, "first_reported_at": begins, "closed_at": ends,
            "n_reports": n_reports.loc[incidents.index].astype("int64"),
        }
    )  # fmt: skip
    usable = table["unit"].notna() & table["first_reported_at"].notna()
    notes: list[str] = []
    with heard(notes):
        found = reporting_rate(table[usable], unit="unit", lifetime_days=lifetime_days)
    areas = unit_areas(issues, units, key=key, population=None)
    found = found.reindex(areas.counts.index)
    text = Text(
        zh=f"按一件未上报的问题持续 {lifetime_days:g} 天计算上报比例",
        en=f"shares are of incidents that last {lifetime_days:g} days when nobody reports them",
    )
    excluded = {
        **areas.excluded,
        IN_NO_AREA: int(codes.isna().sum()),
        NO_TIME: int((codes.notna() & begins.isna()).sum()),
    }
    columns = {"n_repeats": found["n_repeats"].fillna(0).astype("int64")}
    columns |= {name: found[name] for name in _COLUMNS}
    made = areas.made(columns, tested=found["open_days"].notna(), notes=(Note.of(text), *notes))
    return replace(made, excluded=left_out(excluded))
