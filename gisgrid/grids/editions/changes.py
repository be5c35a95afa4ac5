"""What kind of change is it: split, merged, renamed, recoded, reshaped?"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gisgrid.errors import ColumnError, InputError, did_you_mean
from gisgrid.grids.codes.place_names import match_names


def change_table(
    pairs: pd.DataFrame,
    *,
    old_covered: pd.Series,
    new_covered: pd.Series,
    old_names: pd.Series,
    new_names: pd.Series,
) -> pd.DataFrame:
    """Say of each unit of both editions what became of it, or what it was made of.

    Parameters
    ----------
    pairs
        `old_code` and `new_code` of units that belong together.
    old_covered, new_covered
        By code, whether all of a unit lies in units of the other edition.
    old_names, new_names
        By code, the names.

    Returns
    -------
    DataFrame
        `edition`, `code`, `kind`, `others`, `name_changed`; old units first, each edition sorted by code.
    """
    old, new = pairs["old_code"], pairs["new_code"]
    alone_new = new.map(new.value_counts()).to_numpy() == 1
    alone_old = old.map(old.value_counts()).to_numpy() == 1
    whole = (old.map(old_covered) & new.map(new_covered)).to_numpy(dtype=bool)
    names_differ = (old.map(old_names).to_numpy() != new.map(new_names).to_numpy()) & whole
    kept = np.where(names_differ, "renamed", "unchanged")
    same = np.where(old.to_numpy() == new.to_numpy(), kept, "recoded")
    kind = np.full(len(pairs), "reshaped", dtype=object)
    kind[alone_old & alone_new & whole] = same[alone_old & alone_new & whole]
    kind[_all_of(old, alone_new & whole) & ~alone_old] = "split"
    kind[_all_of(new, alone_old & whole) & ~alone_new] = "merged"
    table = pd.DataFrame({"old": old, "new": new, "kind": kind, "name_changed": names_differ})
    editions = [
        _edition(table, mine, other, codes=covered.index, none=none)
        for mine, other, covered, none in (
            ("old", "new", old_covered, "gone"), ("new", "old", new_covered, "new"),
        )
    ]  # fmt: skip
    return pd.concat(editions, ignore_index=True)


def _all_of(groups: pd.Series, condition: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell for each pair whether the condition holds for all pairs of its group."""
    held = pd.Series(condition, index=groups.index).groupby(groups).transform("all")
    return held.to_numpy(dtype=bool)


def _edition(
    table: pd.DataFrame, mine: str, other: str, *, codes: pd.Index, none: str
) -> pd.DataFrame:
    by_unit = table.sort_values([mine, other]).groupby(mine)
    rows = pd.DataFrame(
        {
            # A split's pairs are all splits; a unit of which only some pairs are is reshaped.
            "kind": by_unit["kind"].first().where(by_unit["kind"].nunique() == 1, "reshaped"),
            "others": by_unit[other].agg("; ".join),
            "name_changed": by_unit["name_changed"].any() & (by_unit.size() == 1),
        }
    ).reindex(pd.Index(codes).sort_values())
    return pd.DataFrame(
        {
            "edition": pd.Series(mine, index=rows.index, dtype="str").to_numpy(),
            "code": rows.index.to_numpy(),
            "kind": rows["kind"].astype("str").fillna(none).to_numpy(),
            "others": rows["others"].astype("str").fillna("").to_numpy(),
            "name_changed": rows["name_changed"]
            .astype("boolean")
            .fillna(value=False)
            .to_numpy(bool),
        }
    ).astype({"edition": "str", "code": "str", "kind": "str", "others": "str"})


def pairs_by_code(
    old_names: pd.Series, new_names: pd.Series, *, table: pd.DataFrame | None, named: bool
) -> pd.DataFrame:
    """Pair the units of two editions: by the table of changes, then by code, then by name.

    Parameters
    ----------
    old_names, new_names
        The names of the units, by code.
    table
        `old_code`, `new_code` and, if known, `share`.
    named
        Whether the names are to be compared.

    Returns
    -------
    DataFrame
        The columns of `Crosswalk.pairs`; areas are null, weights null where a split has no shares.

    Raises
    ------
    ColumnError
        The table lacks a column.
    InputError
        The table has a code that no unit has, a pair twice, or shares of a unit that exceed 1.
    """
    told = _told(table, old_names.index, new_names.index)
    old = old_names.index.difference(pd.Index(told["old_code"]))
    new = new_names.index.difference(pd.Index(told["new_code"]))
    both = old.intersection(new)
    by_name = _named_alike(
        old_names[old.difference(new)], new_names[new.difference(old)] if named else None
    )
    pairs = pd.concat(
        [told, pd.DataFrame({"old_code": both, "new_code": both}), by_name], ignore_index=True
    ).astype({"old_code": "str", "new_code": "str", "share": float})
    n_new = pairs["old_code"].map(pairs["old_code"].value_counts())
    n_old = pairs["new_code"].map(pairs["new_code"].value_counts())
    weight = pairs["share"].where((n_new > 1) | pairs["share"].notna(), 1.0)
    return pd.DataFrame(
        {
            "old_code": pairs["old_code"],
            "new_code": pairs["new_code"],
            "area_m2": np.nan,
            "share_of_old": weight,
            "share_of_new": np.where(n_old == 1, 1.0, np.nan),
            "sliver": False,
            "weight": weight,
            "count_weight": np.nan,
        }
    ).sort_values(["old_code", "new_code"], ignore_index=True)


def _told(table: pd.DataFrame | None, old: pd.Index, new: pd.Index) -> pd.DataFrame:
    if table is None:
        return pd.DataFrame({"old_code": [], "new_code": [], "share": []})
    for column, known in (("old_code", old), ("new_code", new)):
        if column not in table:
            raise ColumnError(
                f"the table of changes has no column {column!r}{did_you_mean(column, map(str, table.columns))}"
            )
        strange = ~table[column].isin(known)
        if strange.any():
            raise InputError(
                f"{int(strange.sum())} of {len(table)} rows of the table of changes have an unknown {column} (first: "
                f"{table[column][strange].iloc[0]!r}); give the codes of the {column.split('_')[0]} units, as text"
            )
    told = table[["old_code", "new_code"]].assign(
        share=table["share"].astype(float) if "share" in table else np.nan
    )
    if told.duplicated(["old_code", "new_code"]).any():
        one = told[told.duplicated(["old_code", "new_code"])].iloc[0]
        raise InputError(
            f"the table of changes has {one['old_code']!r} to {one['new_code']!r} twice; give each change once"
        )
    total = told.groupby("old_code")["share"].sum()
    if (total > 1 + 1e-9).any() or (told["share"] < 0).any():
        first = (
            total.index[total > 1 + 1e-9][0]
            if (total > 1 + 1e-9).any()
            else told["old_code"][told["share"] < 0].iloc[0]
        )
        raise InputError(
            f"shares of {first!r} in the table of changes add up to {total[first]:g} or are negative; "
            "give shares of the old unit, 1 in all"
        )
    return told


def _named_alike(old: pd.Series, new: pd.Series | None) -> pd.DataFrame:
    """Pair codes that are gone with new ones that alone have the same name."""
    none = pd.DataFrame({"old_code": [], "new_code": []})
    if new is None or not len(old) or not len(new):
        return none
    old, new = old[old.str.strip() != ""], new[new.str.strip() != ""]
    there, back = match_names(old, new), match_names(new, old)
    there = there[there["how"] == "exact"]
    mutual = back["match"].reindex(there["match"]).to_numpy() == there.index.to_numpy()
    return pd.DataFrame(
        {"old_code": there.index[mutual], "new_code": there["match"][mutual].to_numpy()}
    )
