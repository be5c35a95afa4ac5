"""How did cases stand at some moment? As their events until then say, whatever became of them since."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from itertools import groupby, takewhile
from typing import Final

import pandas as pd
from sqlalchemy import Connection, select

from gisgrid.casework.ledger.cases import Case, replay
from gisgrid.casework.ledger.life_cycle import LifeCycle
from gisgrid.casework.ledger.tables import EVENTS, stored_event

_AT_ONCE: Final = 500


def read_past(
    connection: Connection, cases: pd.DataFrame, moment: dt.datetime, cycle: LifeCycle
) -> pd.DataFrame:
    """Put back what happened to cases from some moment on.

    Parameters
    ----------
    connection
        In a transaction.
    cases
        As `LedgerReader.cases` gives them, with `case_id` and `changed_at`.
    moment
        Of when they shall be; aware.
    cycle
        The life cycle.

    Returns
    -------
    DataFrame
        The same columns, in the same order; without the cases that were not there yet.
    """
    later = cases["changed_at"] >= moment
    if not later.any():
        return cases
    positions = dict(zip(cases.loc[later, "case_id"], cases.index[later], strict=True))
    past = list(_derived(connection, list(positions), moment, cycle))
    rows = pd.DataFrame(
        {name: pd.Series([getattr(case, name) for case in past], dtype=object) for name in cases.columns}
    )  # fmt: skip
    rows.index = pd.Index([positions[case.case_id] for case in past], dtype=cases.index.dtype)
    found = pd.concat([cases[~later], rows.astype(cases.dtypes.to_dict())])
    return found.sort_index().reset_index(drop=True)


def _derived(
    connection: Connection, case_ids: Sequence[str], moment: dt.datetime, cycle: LifeCycle
) -> Iterator[Case]:
    for start in range(0, len(case_ids), _AT_ONCE):
        part = case_ids[start : start + _AT_ONCE]
        wanted = select(EVENTS).where(EVENTS.c.case_id.in_(part))
        rows = connection.execute(wanted.order_by(EVENTS.c.case_id, EVENTS.c.version)).mappings()
        for _, group in groupby(rows, key=lambda row: str(row["case_id"])):
            events = (stored_event(row) for row in group)
            # What was written down after an event of later may say an earlier time; it came later all the same.
            yield from replay(takewhile(lambda one: one.true_at < moment, events), cycle).values()
