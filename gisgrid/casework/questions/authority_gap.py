"""Who sees what they may not settle, and what does it cost? (看得见的管不了，管得了的看不见)"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from gisgrid.casework.questions.columns import demand, demand_zone
from gisgrid.errors import InputError, warn_null

_LEAST_HOURS: Final = 1 / 60  # a case handled on the spot took a minute
_Floats = NDArray[np.float64]


def seen_by_others(cases: pd.DataFrame, authority: pd.DataFrame) -> pd.Series:
    """Say of each case whether it was seen by a level that may not settle its class.

    Parameters
    ----------
    cases
        `level_found` and `category_code`; `unit_code` where the authority differs by place.
    authority
        One row per class and level that may settle it: `category_code` (how the code begins; the longest that fits holds)
        and `level`; optionally `unit_code` (how it begins).

    Returns
    -------
    Series
        Shape (n,), boolean, indexed like `cases`: missing where the level is, or where nobody is named for the class.

    Raises
    ------
    ColumnError
        A column is missing.

    Examples
    --------
    >>> cases = pd.DataFrame({"category_code": ["0101", "0112"], "level_found": ["community", "community"]})
    >>> authority = pd.DataFrame({"category_code": ["01", "0112"], "level": ["bureau", "community"]})
    >>> seen_by_others(cases, authority).to_list()
    [True, False]
    """
    demand(cases, "cases", "category_code", "level_found")
    demand(authority, "authority", "category_code", "level")
    by_place = "unit_code" in authority.columns
    names = ["category_code", *(["unit_code"] if by_place else [])]
    demand(cases, "cases", *names)
    rules = authority.assign(**{name: authority[name].fillna("").astype(str) for name in names})
    able = rules.groupby(names, sort=False)["level"].agg(frozenset).reset_index()
    able["precision"] = [tuple(len(row[name]) for name in names) for _, row in able.iterrows()]
    able = able.sort_values("precision", kind="stable")
    kinds = cases[[*names, "level_found"]].drop_duplicates().reset_index(drop=True)
    text = {name: kinds[name].fillna("").astype(str) for name in names}
    rule = np.full(len(kinds), -1)
    for number, row in enumerate(able.itertuples(index=False)):
        fits = np.ones(len(kinds), dtype=bool)
        for name in names:
            fits &= text[name].str.startswith(getattr(row, name)).to_numpy(dtype=bool)
        rule[fits] = number
    levels = able["level"].to_list()
    gap = [
        level not in levels[at] if at >= 0 and known else None
        for at, level, known in zip(
            rule, kinds["level_found"], kinds["level_found"].notna(), strict=True
        )
    ]
    kinds["gap"] = pd.array(gap, dtype="boolean")
    found = cases[[*names, "level_found"]].merge(kinds, how="left", on=[*names, "level_found"])[
        "gap"
    ]
    return pd.Series(found.array, index=cases.index, name="seen_by_others")


def authority_gap(
    cases: pd.DataFrame,
    authority: pd.DataFrame,
    *,
    by: Sequence[str] = ("unit_code", "category_code"),
    until: str = "handled_at",
    level: float = 0.95,
) -> pd.DataFrame:
    """Rank places and classes by the time that is lost because those who see may not act.

    Parameters
    ----------
    cases
        As for `seen_by_others`, with `by`, `uploaded_at`, `until`, `n_hand_overs`; repeats (`duplicate_of`) and void cases
        (`state`) are left out where these columns are there.
    authority
        As for `seen_by_others`.
    by
        Columns to tell apart: a unit and a class, or one of them.
    until
        What ends the wait: ``handled_at``, ``dispatched_at`` or ``closed_at``.
    level
        Of the intervals.

    Returns
    -------
    DataFrame
        One row per group, the most hours lost first: `rank`, the columns of `by`, `n` (cases of which seer and authority are
        known), `n_gap`, `share_gap` with `share_gap_low`, `share_gap_high` (Wilson), `hand_overs_per_case`,
        `hand_overs_per_gap_case`, `hours_gap` and `hours_direct` (medians; the latter over all cases of the same classes in
        the whole frame that were seen by those who may act), `times_as_long` with its interval (geometric means within
        class; missing for fewer than 2 on a side), `hours_lost` (what the gap cases took beyond `hours_direct` of their
        class, added up; what was faster counts against it).

    Raises
    ------
    ColumnError
        A column is missing.
    InputError
        Times without a zone, or a level out of range.

    Warns
    -----
    NullResultWarning
        There is no case of which seer and authority are known.

    Notes
    -----
    Waits are compared within a class, because what is hard to settle is also what others must settle. log wait is taken as
    roughly normal; its variance is pooled within class and side. Not settled yet: no wait. A class that is never seen by
    those who may act has no `hours_direct`, so nothing can be lost in it: the list names its share all the same.

    Examples
    --------
    >>> at = pd.to_datetime(["2026-11-02T08:00Z"] * 4)
    >>> cases = pd.DataFrame({
    ...     "unit_code": ["a", "a", "b", "b"], "category_code": "0101", "n_hand_overs": [2, 2, 0, 0], "uploaded_at": at,
    ...     "level_found": ["community", "community", "bureau", "bureau"],
    ...     "handled_at": at + pd.to_timedelta([30, 34, 4, 6], unit="h"),
    ... })
    >>> authority = pd.DataFrame({"category_code": ["01"], "level": ["bureau"]})
    >>> found = authority_gap(cases, authority, by=["unit_code"])
    >>> found[["unit_code", "share_gap", "hours_lost"]].to_numpy().tolist()
    [['a', 1.0, 54.0], ['b', 0.0, 0.0]]
    """
    if not 0 < level < 1:
        raise InputError(f"an interval of level {level:g} does not exist; give for example 0.95")
    demand(cases, "cases", *by, "category_code", "uploaded_at", until, "n_hand_overs")
    demand_zone(cases, "uploaded_at", until)
    counted = np.ones(len(cases), dtype=bool)
    if "duplicate_of" in cases:
        counted &= cases["duplicate_of"].isna().to_numpy()
    if "state" in cases:
        counted &= (cases["state"] != "void").to_numpy(dtype=bool, na_value=True)
    gap = seen_by_others(cases, authority)
    counted &= gap.notna().to_numpy()
    table = cases.loc[counted, list(dict.fromkeys([*by, "category_code", "n_hand_overs"]))].copy()
    if len(table) == 0:
        warn_null(
            "an authority gap has no answer because no case says both who saw it and who may settle its class; it is empty"
        )
    table["gap"] = gap[counted].astype(bool)
    waited = cases.loc[counted, until] - cases.loc[counted, "uploaded_at"]
    hours = waited.dt.total_seconds() / 3600
    table["hours"] = hours.where(hours >= 0).astype(float)
    direct = table[~table["gap"]].groupby("category_code")["hours"].median()
    table["direct"] = table["category_code"].map(direct).astype(float)
    table["lost"] = (table["hours"] - table["direct"]).where(table["gap"])
    table["gap_hand_overs"] = table["n_hand_overs"].where(table["gap"])
    groups = table.groupby(list(by), dropna=False, sort=True)
    found = groups.agg(
        n=("gap", "size"), n_gap=("gap", "sum"), hand_overs_per_case=("n_hand_overs", "mean"),
        hand_overs_per_gap_case=("gap_hand_overs", "mean"), hours_direct=("direct", "median"), hours_lost=("lost", "sum"),
    ).reset_index()  # fmt: skip
    gaps = table[table["gap"]].groupby(list(by), dropna=False, sort=True)["hours"].median()
    found["hours_gap"] = gaps.reindex(found.set_index(list(by)).index).to_numpy(dtype=float)
    z = float(special.ndtri((1 + level) / 2))
    found["share_gap"] = found["n_gap"] / found["n"]
    found["share_gap_low"], found["share_gap_high"] = _wilson(found["n_gap"], found["n"], z)
    longer = _times_as_long(table, np.asarray(groups.ngroup(), dtype=np.int64), len(found), level)
    found = found.assign(**longer)
    found = found.sort_values(
        ["hours_lost", "n_gap", *by],
        ascending=[False, False, *([True] * len(by))],
        kind="stable",
        ignore_index=True,
    )
    found.insert(0, "rank", np.arange(1, len(found) + 1))
    return found[[
        "rank", *by, "n", "n_gap", "share_gap", "share_gap_low", "share_gap_high", "hand_overs_per_case",
        "hand_overs_per_gap_case", "hours_gap", "hours_direct", *longer, "hours_lost",
    ]]  # fmt: skip


def _wilson(successes: pd.Series, n: pd.Series, z: float) -> tuple[pd.Series, pd.Series]:
    share = successes / n
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    reach = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return (middle - reach).clip(lower=0), (middle + reach).clip(upper=1)


def _times_as_long(
    table: pd.DataFrame, group: NDArray[np.int64], n: int, level: float
) -> dict[str, _Floats]:
    """Compare each group's gap cases with the direct ones of their classes in the whole frame, on the scale of logarithms."""
    log = np.log(table["hours"].clip(lower=_LEAST_HOURS))
    side = table["gap"].astype(int)
    means = log.groupby([table["category_code"], side]).transform("mean")
    sizes = log.groupby([table["category_code"], side]).transform("count")
    kept = log.notna() & (sizes > 1)
    free = int(kept.sum()) - int(kept.groupby([table["category_code"], side]).any().sum())
    spread = float(((log - means)[kept] ** 2).sum() / free) if free > 0 else np.nan
    base = log[~table["gap"]].groupby(table["category_code"]).agg(["mean", "count"])
    compares = (
        table["gap"] & log.notna() & (table["category_code"].map(base["count"]).astype(float) > 1)
    ).to_numpy(dtype=bool)
    excess = (log - table["category_code"].map(base["mean"]).astype(float)).to_numpy(dtype=float)[
        compares
    ]
    of, kind = group[compares], pd.factorize(table["category_code"])[0][compares]
    count = np.bincount(of, minlength=n)
    mean = np.divide(
        np.bincount(of, excess, minlength=n), count, out=np.full(n, np.nan), where=count > 1
    )
    pair, size = np.unique(np.column_stack([of, kind]), axis=0, return_counts=True)
    direct = (
        table["category_code"]
        .iloc[np.flatnonzero(compares)]
        .groupby(kind)
        .first()
        .map(base["count"])
        .to_dict()
    )
    own = np.array([float(direct[code]) for code in pair[:, 1]]) if len(pair) else np.empty(0)
    shared = np.bincount(pair[:, 0], size**2 / own, minlength=n) if len(pair) else np.zeros(n)
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.sqrt(spread * (1 / count + shared / count**2))
    reach = float(special.stdtrit(max(free, 1), (1 + level) / 2)) * error
    return {
        "times_as_long": np.exp(mean), "times_as_long_low": np.exp(mean - reach), "times_as_long_high": np.exp(mean + reach),
    }  # fmt: skip
