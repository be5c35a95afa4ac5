"""Which cases may count in some days? Those that changed in them or since, were open then, or were due in them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, CursorResult, func, or_, select, union_all

from gisgrid.casework.ledger.filters import CaseFilter, conditions
from gisgrid.casework.ledger.life_cycle import LifeCycle
from gisgrid.casework.ledger.tables import CASES, microseconds


def read_touched(
    connection: Connection,
    wanted: CaseFilter,
    columns: Sequence[str],
    *,
    start: dt.datetime,
    end: dt.datetime,
    cycle: LifeCycle,
) -> CursorResult[Any]:
    """Read the cases that may count in some days.

    Parameters
    ----------
    connection
        In a transaction.
    wanted
        The filter.
    columns
        The columns to give.
    start, end
        The days, without the end.
    cycle
        Which states are open.

    Returns
    -------
    CursorResult
        Each case once, in no order.

    Notes
    -----
    No time of a case but its deadline lies before its report, and none but its deadline after its last change. So a case that
    changed before the start counts where it is open, or was due in the days; one that was reported after the end counts where
    it was due before. Each of the three parts is found by an index; of what the ledger keeps, the rest is not looked at.
    """
    c, last = CASES.c, microseconds(end)
    settled = tuple(state for state in cycle.states if state not in cycle.open_states)
    before = wanted & CaseFilter(changed_to=start)
    parts = (
        conditions(before & CaseFilter(states=cycle.open_states)),
        conditions(before & CaseFilter(states=settled, due_from=start, due_before=end)),
        # Of the reports and deadlines up to the end there may be millions: no index is to be taken for them.
        [*conditions(wanted & CaseFilter(changed_from=start)), or_(func.coalesce(c.reported_at, 0) < last, func.coalesce(c.due_at, 0) < last)],
    )  # fmt: skip
    chosen = select(*(c[name] for name in columns))
    return connection.execute(union_all(*(chosen.where(*part) for part in parts)))
