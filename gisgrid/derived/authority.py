"""Where do those who see the problems lack the power to settle them? (看得见的管不了，管得了的看不见)"""

from __future__ import annotations

from typing import Final

import geopandas as gpd
import pandas as pd

from gisgrid.casework.questions import authority_gap
from gisgrid.catalogue import Derivation
from gisgrid.derived.casework import VOID, case_issues
from gisgrid.derived.incidents import demand, in_crs_of, names_of
from gisgrid.derived.notes import IN_NO_AREA, REPEATED, Note, heard, left_out
from gisgrid.join import assign_units
from gisgrid.schema import Text

NO_SEER: Final = "cases of which it is not known who saw them, or who may settle their class"

_NUMBERS: Final = (
    "rank", "n", "n_gap", "share_gap", "share_gap_low", "share_gap_high", "hand_overs_per_case", "hand_overs_per_gap_case",
    "hours_gap", "hours_direct", "times_as_long", "times_as_long_low", "times_as_long_high", "hours_lost",
)  # fmt: skip
_NOTE: Final = Text(
    zh="“看得见、管不了”：发现案件的层级无权处置该类问题；损失小时为其处置用时超出同类可直接处置案件中位数的部分之和",
    en="a gap case was seen by a level that may not settle its class; hours lost are what gap cases took beyond the median of "
    "the same class where those who saw it may settle it, added up",
)


def case_authority_gap(
    cases: pd.DataFrame,
    authority: pd.DataFrame,
    units: gpd.GeoDataFrame,
    *,
    key: str,
    by_class: bool = False,
) -> Derivation:
    """Say of each unit how many cases are seen by a level that may not settle them, and what that costs in time.

    Parameters
    ----------
    cases
        The ledger's frame of cases.
    authority
        `category_code` (how a code begins) and `level`: who may settle what.
    units
        Areas with `key` and, where there are, `name_zh`, `name_en`, `name`.
    key
        The column that names a unit.
    by_class
        A ranked list of unit and class instead of a map.

    Returns
    -------
    Derivation
        One row per unit, in their order: `key`, names, `rank` (1: most hours lost), `n`, `n_gap`, `share_gap` with its
        interval, `hand_overs_per_case`, `hand_overs_per_gap_case`, `hours_gap`, `hours_direct`, `times_as_long` with its
        interval, `hours_lost`, and `worst_category` (the class that loses most; missing where none does), geometry. By class:
        a table of these with `category_code` and `category`, ranked, without pairs that have no gap case.

    Raises
    ------
    CrsError
        A frame has no CRS.
    ColumnError
        A column is missing.

    Notes
    -----
    Places say in which unit a case lies. See `gisgrid.casework.questions.authority_gap`.
    """
    issues = case_issues(cases)
    demand(issues, "cases", "category_code", "category", "duplicate_of")
    first = issues[issues["duplicate_of"].isna()]
    placed, notes = in_crs_of(first, units)
    codes = assign_units(placed, {key: units})[key]
    there = pd.DataFrame(placed.drop(columns="geometry")).assign(**{key: codes})[codes.notna()]
    said = list(notes)
    with heard(said):
        each = authority_gap(there, authority, by=[key, "category_code"])
        whole = authority_gap(there, authority, by=[key])
    names = names_of(map(str, units.columns))
    words = there.drop_duplicates("category_code").set_index("category_code")["category"]
    each = each.assign(category=each["category_code"].map(words).astype("str"))
    counted = int(whole["n"].sum())
    excluded = left_out({
        VOID: len(cases) - len(issues), REPEATED: len(issues) - len(first), IN_NO_AREA: len(first) - len(there),
        NO_SEER: len(there) - counted,
    })  # fmt: skip
    said.append(Note.of(_NOTE))
    if by_class:
        ranked = each[each["n_gap"] > 0].reset_index(drop=True)
        table = ranked.join(units.set_index(key)[names], on=key)
        kept = ["rank", key, *names, "category_code", "category", *_NUMBERS[1:]]
        return Derivation(table[kept], excluded, tuple(said))
    worst = each[each["hours_lost"] > 0].drop_duplicates(key).set_index(key)["category"]
    found = whole.set_index(key).reindex(units[key])
    columns = {name: found[name].array for name in _NUMBERS}
    for name in ("n", "n_gap"):
        columns[name] = found[name].fillna(0).astype("int64").array
    columns["rank"] = found["rank"].astype("Int64").array
    value = units[[key, *names]].assign(
        **columns, worst_category=worst.reindex(units[key]).astype("str").array
    )
    return Derivation(gpd.GeoDataFrame(value, geometry=units.geometry), excluded, tuple(said))
