"""When did the clocks stand still?"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from gisgrid.casework.deadlines.moments import NEVER, Ints, moments
from gisgrid.errors import ColumnError, InputError, did_you_mean


def pauses_of(
    events: pd.DataFrame, *, stops: str = "suspended", goes: str = "resumed"
) -> pd.DataFrame:
    """Read from the events of cases when their clocks stood still.

    Parameters
    ----------
    events
        The ledger's frame of events: `case_id`, `kind`, `at`.
    stops, goes
        The kinds of event that stop a clock and let it go on.

    Returns
    -------
    DataFrame
        One row per stop: `case_id`, `paused_at`, `resumed_at` (missing while it lasts), as `due_times` takes it.

    Raises
    ------
    ColumnError
        A column is missing.

    Examples
    --------
    >>> at = pd.to_datetime(["2026-11-02", "2026-11-04", "2026-11-09"], utc=True)
    >>> events = pd.DataFrame({"case_id": "1", "kind": ["suspended", "resumed", "suspended"], "at": at})
    >>> pauses_of(events)["resumed_at"].dt.day.to_list()
    [4.0, nan]
    """
    for column in ("case_id", "kind", "at"):
        if column not in events.columns:
            raise ColumnError(
                f"no column {column!r} in the events{did_you_mean(column, map(str, events.columns))}"
            )
    kept = events[events["kind"].isin([stops, goes])].sort_values(["case_id", "at"], kind="stable")
    goes_on = kept["at"].where(kept["kind"] == goes)
    next_go = goes_on.groupby(kept["case_id"]).bfill()
    paused = kept["kind"] == stops
    return pd.DataFrame(
        {
            "case_id": kept["case_id"][paused],
            "paused_at": kept["at"][paused],
            "resumed_at": next_go[paused],
        }
    ).reset_index(drop=True)


class Stops(NamedTuple):
    """Pauses of the cases, merged: whose (row), which in order, from when to when (`NEVER` while it lasts)."""

    row: Ints
    rank: Ints
    paused: Ints
    resumed: Ints

    def of_rank(self, rank: int, rows: Ints, n: int) -> tuple[Ints, Ints, Ints]:
        """Give the positions in `rows` that have a pause of a rank, and that pause."""
        mine = np.flatnonzero(self.rank == rank)
        place = np.full(n, -1)
        place[rows] = np.arange(len(rows))
        position = place[self.row[mine]]
        here = position >= 0
        return position[here], self.paused[mine[here]], self.resumed[mine[here]]


def merged(pauses: pd.DataFrame, index: pd.Index) -> Stops:
    """Merge the pauses of each case where they touch, in their order.

    Parameters
    ----------
    pauses
        `case_id`, `paused_at`, `resumed_at`.
    index
        The cases; pauses of others are left out.

    Returns
    -------
    Stops
        The pauses by row of `index`.

    Raises
    ------
    ColumnError
        A column is missing.
    InputError
        A pause ends before it begins, or cases are named twice.
    """
    for column in ("case_id", "paused_at", "resumed_at"):
        if column not in pauses.columns:
            raise ColumnError(
                f"no column {column!r} in the pauses{did_you_mean(column, map(str, pauses.columns))}"
            )
    if not index.is_unique:
        raise InputError(
            "pauses need cases that are named once, but the index of the starts repeats; index them by case_id"
        )
    row = index.get_indexer(pd.Index(pauses["case_id"])).astype(np.int64)
    paused, resumed = (
        moments(pauses["paused_at"], "paused_at"),
        moments(pauses["resumed_at"], "resumed_at"),
    )
    wrong = (paused == NEVER) | ((resumed != NEVER) & (resumed < paused))
    if wrong.any():
        raise InputError(
            f"{wrong.sum()} of {len(pauses)} pauses have no beginning or end before it "
            f"(first: case {pauses['case_id'].iloc[int(np.argmax(wrong))]!r}); correct them"
        )
    kept = np.flatnonzero(row >= 0)
    endless = np.iinfo(np.int64).max
    kept = kept[np.lexsort((paused[kept], row[kept]))]
    row, paused, resumed = (
        row[kept],
        paused[kept],
        np.where(resumed[kept] == NEVER, endless, resumed[kept]),
    )
    reach = pd.Series(resumed).groupby(row).cummax().to_numpy(dtype=np.int64)
    opens = np.ones(len(row), dtype=bool)
    opens[1:] = (row[1:] != row[:-1]) | (paused[1:] > reach[:-1])
    block = np.cumsum(opens) - 1
    first = np.flatnonzero(opens)
    last = np.append(first[1:], len(row))[: len(first)] - 1
    ends = reach[last] if len(block) else reach
    own = row[first]
    rank = np.asarray(pd.Series(own).groupby(own).cumcount(), dtype=np.int64)
    return Stops(own, rank, paused[first], np.where(ends == endless, NEVER, ends))
