"""How far is each unit from zero, and did zero last? (旱厕清零)"""

from __future__ import annotations

import numpy as np
import pandas as pd

from gisgrid.casework.questions.columns import demand, demand_zone
from gisgrid.errors import InputError


def progress_to_zero(
    cases: pd.DataFrame,
    *,
    until: pd.Timestamp,
    key: str = "unit_code",
    since: str = "filed_at",
    settled: str = "closed_at",
    recent_days: float = 28.0,
    units: pd.Index | None = None,
) -> pd.DataFrame:
    """Say of each unit how many are left, since when there are none, and when there will be none at the present pace.

    Parameters
    ----------
    cases
        One row per thing to be got rid of: `key`, `since` (known from then), `settled` (gone from then; missing while it is
        there). Void cases (`state`) and repeats (`duplicate_of`) are left out where these columns are there.
    until
        When the data end, with a time zone.
    key
        The column that names a unit.
    since, settled
        The columns of times.
    recent_days
        The pace is that of so many days before `until`.
    units
        All units, so that one without any case is listed at zero; those that occur otherwise.

    Returns
    -------
    DataFrame
        Indexed by unit, sorted: `n_ever`, `n_settled`, `n_open`, `most_open`, `share_settled` (missing where there never was
        one), `at_zero_since` (missing while some are open, and where there never was one), `n_back` (how often a unit was at
        zero and one came again), `settled_per_week`, `found_per_week` (in the recent days), `weeks_to_zero` (open over what
        is settled more than found; missing at zero, and where the stock does not fall).

    Raises
    ------
    ColumnError
        A column is missing.
    InputError
        Times without a zone, or no recent days.

    Notes
    -----
    Times after `until` are not known yet. One settled before it was known counts as never there. Cost: O(n log n).

    Examples
    --------
    >>> day = lambda text: pd.to_datetime(text, utc=True)
    >>> cases = pd.DataFrame({"unit_code": ["a", "a", "b"], "filed_at": day(["2026-10-01"] * 3),
    ...                       "closed_at": day(["2026-10-20", "2026-10-27", None])})
    >>> found = progress_to_zero(cases, until=pd.Timestamp("2026-11-01", tz="UTC"))
    >>> found[["n_open", "share_settled"]].to_numpy().tolist(), str(found["at_zero_since"]["a"].date())
    ([[0.0, 1.0], [1.0, 0.0]], '2026-10-27')
    """
    demand(cases, "cases", key, since, settled)
    demand_zone(cases, since, settled)
    if until.tzinfo is None or not recent_days > 0:
        raise InputError(
            f"until {until} needs a time zone, and recent days ({recent_days:g}) must be above 0; give both"
        )
    end = until.tz_convert("UTC")
    rows = cases[cases[key].notna() & (cases[since] <= end)]
    rows = rows[~(rows[settled] < rows[since])]
    for column, wrong in (("state", "void"),):
        if column in rows:
            rows = rows[(rows[column] != wrong).to_numpy(dtype=bool, na_value=True)]
    if "duplicate_of" in rows:
        rows = rows[rows["duplicate_of"].isna()]
    gone = rows[rows[settled] <= end]
    moves = pd.concat([
        pd.DataFrame({"unit": rows[key], "at": rows[since], "step": 1}),
        pd.DataFrame({"unit": gone[key], "at": gone[settled], "step": -1}),
    ], ignore_index=True)  # fmt: skip
    # What comes and goes at one moment first comes: the stock is never below 0.
    moves = moves.sort_values(
        ["unit", "at", "step"], ascending=[True, True, False], kind="stable", ignore_index=True
    )
    moves["open"] = moves.groupby("unit")["step"].cumsum()
    first = ~moves["unit"].duplicated()
    moves["back"] = (moves["step"] == 1) & (moves["open"] == 1) & ~first
    grouped = moves.groupby("unit")
    found = pd.DataFrame({
        "n_ever": rows.groupby(key).size(), "n_settled": gone.groupby(key).size(),
        "n_open": grouped["open"].last(), "most_open": grouped["open"].max(), "n_back": grouped["back"].sum(),
    })  # fmt: skip
    found = (
        found.reindex(found.index if units is None else pd.Index(units).unique())
        .fillna(0)
        .astype("int64")
        .sort_index()
    )
    found.index.name = key
    weeks = recent_days / 7
    begin = end - pd.Timedelta(days=recent_days)
    pace = {}
    for name, times in (("settled_per_week", gone[settled]), ("found_per_week", rows[since])):
        recent = rows.loc[times.index[times > begin], key].value_counts()
        pace[name] = recent.reindex(found.index).fillna(0) / weeks
    ever = found["n_ever"] > 0
    last = grouped["at"].last().reindex(found.index)
    falls = pace["settled_per_week"] - pace["found_per_week"]
    to_zero = (found["n_open"] / falls.where(falls > 0)).where(found["n_open"] > 0)
    return found.assign(
        share_settled=(found["n_settled"] / found["n_ever"].where(ever)).astype(float),
        at_zero_since=last.where(ever & (found["n_open"] == 0)), **pace, weeks_to_zero=to_zero.replace(np.inf, np.nan),
    )[[
        "n_ever", "n_settled", "n_open", "most_open", "share_settled", "at_zero_since", "n_back", "settled_per_week",
        "found_per_week", "weeks_to_zero",
    ]]  # fmt: skip
