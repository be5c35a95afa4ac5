"""How far is each unit from zero in a campaign, and did zero last? (旱厕清零)"""

from __future__ import annotations

from typing import Final

import geopandas as gpd
import pandas as pd

from gisgrid.casework.questions import progress_to_zero
from gisgrid.catalogue import Derivation
from gisgrid.derived.casework import VOID, case_issues
from gisgrid.derived.incidents import demand, in_crs_of, names_of
from gisgrid.derived.notes import IN_NO_AREA, REPEATED, Note, left_out
from gisgrid.errors import InputError
from gisgrid.join import assign_units
from gisgrid.schema import Text

STAGES: Final = ("at_zero", "falling", "not_falling", "never")
"""None is left; fewer are left from week to week; not fewer; there never was one."""

OTHER_CLASSES: Final = "cases of classes that the campaign is not about"
NOT_FILED: Final = "cases that were not filed"

_TIMES: Final = ("reported_at", "filed_at", "handled_at", "closed_at")
_TOLD: Final = (
    "n_ever", "n_settled", "n_open", "most_open", "share_settled", "at_zero_since", "n_back", "settled_per_week",
    "found_per_week", "weeks_to_zero",
)  # fmt: skip


def case_progress(
    cases: pd.DataFrame,
    units: gpd.GeoDataFrame,
    *,
    key: str,
    categories: str,
    recent_days: float = 28.0,
) -> Derivation:
    """Say of each unit how many problems of a campaign are left, since when there are none, and when there will be none.

    Parameters
    ----------
    cases
        The ledger's frame of cases.
    units
        Areas with `key` and, where there are, `name_zh`, `name_en`, `name`.
    key
        The column that names a unit.
    categories
        The classes of the campaign: how their codes begin, comma between.
    recent_days
        The pace is that of so many days before the data end.

    Returns
    -------
    Derivation
        One row per unit, in their order: `key`, names, the columns of `gisgrid.casework.questions.progress_to_zero`, and
        `stage` (of `STAGES`), geometry.

    Raises
    ------
    CrsError
        A frame has no CRS.
    ColumnError
        A column is missing.
    InputError
        No case is of these classes, or no recent days.
    """
    wanted = tuple(code.strip() for code in categories.split(",") if code.strip())
    issues = case_issues(cases)
    demand(issues, "cases", "category_code", "duplicate_of", *_TIMES)
    own = (
        issues[issues["category_code"].astype(str).str.startswith(wanted)] if wanted else issues[:0]
    )
    if len(own) == 0:
        raise InputError(
            f"none of {len(cases)} cases is of a class that begins with {categories!r}; give other codes, for example 0199"
        )
    first = own[own["duplicate_of"].isna()]
    filed = first[first["filed_at"].notna()]
    placed, notes = in_crs_of(filed, units)
    codes = assign_units(placed, {key: units})[key]
    until = pd.Timestamp(max(issues[name].max() for name in _TIMES if issues[name].notna().any()))
    there = pd.DataFrame(placed.drop(columns="geometry")).assign(**{key: codes})
    found = progress_to_zero(
        there, until=until, key=key, recent_days=recent_days, units=pd.Index(units[key])
    ).reindex(units[key])
    stage = pd.Series("not_falling", index=found.index)
    stage = stage.mask(found["weeks_to_zero"].notna(), "falling")
    stage = stage.mask(found["n_open"] == 0, "at_zero").mask(found["n_ever"] == 0, "never")
    columns = {name: found[name].array for name in _TOLD}
    value = units[[key, *names_of(map(str, units.columns))]].assign(
        **columns, stage=stage.astype("str").array
    )
    note = Text(
        zh=f"截至 {until:%Y-%m-%d %H:%M} UTC；进度按此前 {recent_days:g} 天的立案与结案速度推算",
        en=f"as of {until:%Y-%m-%d %H:%M} UTC; the pace is that of the {recent_days:g} days before",
    )
    excluded = left_out({
        VOID: len(cases) - len(issues), OTHER_CLASSES: len(issues) - len(own), REPEATED: len(own) - len(first),
        NOT_FILED: len(first) - len(filed), IN_NO_AREA: int(codes.isna().sum()),
    })  # fmt: skip
    return Derivation(
        gpd.GeoDataFrame(value, geometry=units.geometry), excluded, (*notes, Note.of(note))
    )
