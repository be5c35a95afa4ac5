"""Where is less found than there should be, for the patrol that goes there?"""

from __future__ import annotations

from typing import Final

import geopandas as gpd
import pandas as pd

from gisgrid.casework.questions import blind_spots, patrol_steps, unit_patrols
from gisgrid.catalogue import Derivation
from gisgrid.crs import require_metres
from gisgrid.derived.casework import VOID, case_issues
from gisgrid.derived.incidents import demand, in_crs_of, names_of
from gisgrid.derived.notes import IN_NO_AREA, REPEATED, Note, left_out
from gisgrid.errors import InputError
from gisgrid.join import assign_units, unit_counts
from gisgrid.schema import Text

FOUND_BY_OTHERS: Final = "cases that others than the patrol found"
LEAPS: Final = "steps of patrols that are none: a gap in time, too fast or too far"

_PATROLLED: Final = ("patrol_km", "patrol_hours", "n_visits")
_TOLD: Final = ("found", "expected", "ratio", "p", "q", "label", "expected_usual", "missed", "rank")


def unit_discovery(
    cases: pd.DataFrame,
    fixes: pd.DataFrame,
    units: gpd.GeoDataFrame,
    *,
    key: str,
    zone: str | None = "kind",
    population: str = "population",
    source: str = "collector",
    q: float = 0.05,
) -> Derivation:
    """Find the units where patrols find less than residents, kind of place and patrol lead one to expect, or never go.

    Parameters
    ----------
    cases
        The ledger's frame of cases.
    fixes
        Where the patrols were: `track_id`, `at`, and points or `lon` and `lat` (WGS84).
    units
        Areas in a projected CRS in metres, with `key`, `population` and `zone`.
    key
        The column that names a unit.
    zone
        The column of kinds of place, each with its own level; None for one level.
    population
        The column of residents.
    source
        The source of the cases that patrols find.
    q
        The share of false alarms among the blind.

    Returns
    -------
    Derivation
        One row per unit, in their order: `key`, names, `population`, `patrol_km`, `patrol_hours`, `n_visits`, `found`,
        `expected`, `ratio`, `p`, `q`, `label` (``blind``, ``unpatrolled``, ``ordinary``, ``unknown``), `expected_usual`,
        `missed`, `rank`, geometry.

    Raises
    ------
    CrsError
        A frame has no CRS, or the units are not in metres.
    ColumnError
        A column is missing.
    InputError
        No such source, or no patrol at all.

    Notes
    -----
    See `gisgrid.casework.questions.patrol_steps`, `unit_patrols` and `blind_spots` there.
    """
    require_metres(units, what="unit_discovery", name="units")
    issues = case_issues(cases)
    demand(issues, "cases", "source", "duplicate_of")
    own = issues[issues["source"] == source]
    if len(own) == 0:
        known = ", ".join(sorted(map(str, issues["source"].dropna().unique())))
        raise InputError(
            f"none of {len(cases)} cases is from the source {source!r}; name one of: {known}"
        )
    first = own[own["duplicate_of"].isna()]
    placed, notes = in_crs_of(first, units)
    codes = assign_units(placed, {key: units})[key]
    steps = patrol_steps(_placed(fixes), crs=units.crs)
    walked = unit_patrols(steps, units, key=key)
    traits = [population, *([] if zone is None else [zone])]
    table = pd.DataFrame(units[[key, *traits]]).assign(
        n_found=unit_counts(codes, units[key]).to_numpy(), patrol_km=walked["patrol_km"].to_numpy()
    )
    found = blind_spots(table, key=key, residents=population, zone=zone, q=q)
    columns = {name: walked[name].array for name in _PATROLLED}
    columns |= {name: found[name].array for name in _TOLD}
    columns["label"] = found["label"].astype("str").array
    kept = [key, *names_of(map(str, units.columns)), population]
    value = gpd.GeoDataFrame(units[kept].assign(**columns), geometry=units.geometry)
    excluded = left_out({
        VOID: len(cases) - len(issues), FOUND_BY_OTHERS: len(issues) - len(own), REPEATED: len(own) - len(first),
        IN_NO_AREA: int(codes.isna().sum()), LEAPS: sum(steps.attrs["left_out"].values()),
    })  # fmt: skip
    return Derivation(value, excluded, (*notes, _said(found, steps)))


def _placed(fixes: pd.DataFrame) -> gpd.GeoDataFrame:
    if isinstance(fixes, gpd.GeoDataFrame):
        return fixes
    demand(fixes, "fixes", "lon", "lat")
    points = gpd.points_from_xy(fixes["lon"].astype(float), fixes["lat"].astype(float), crs=4326)
    return gpd.GeoDataFrame(fixes.drop(columns=["lon", "lat"]), geometry=points)


def _said(found: pd.DataFrame, steps: gpd.GeoDataFrame) -> Note:
    fit, km = found.attrs["fit"], float(steps["length_m"].sum()) / 1000
    effect, error = (float(each["log_effort"]) for each in (fit.coefficients, fit.errors))
    return Note.of(
        Text(
            zh=f"巡查轨迹共 {km:,.0f} 公里；应发现数按常住人口、地类和巡查里程估计（里程指数 {effect:.2f} ± {1.96 * error:.2f}）",
            en=f"{km:,.0f} km were walked; what is expected follows from residents, kind of place and patrol "
            f"(power of the patrol {effect:.2f} ± {1.96 * error:.2f})",
        )
    )
