"""What has happened since? Events in the order in which the ledger took them."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Final

import pandas as pd
from sqlalchemy import Connection, select

from gisgrid.casework.ledger.cases import Case
from gisgrid.casework.ledger.tables import CASES, EVENTS, case_of, frame_of

_AT_ONCE: Final = 500
_COLUMNS: Final = (
    "seq", "client_id", "case_id", "version", "kind", "at", "sent_at", "recorded_at", "by", "lon", "lat", "why", "data",
)  # fmt: skip


def read_events(
    connection: Connection,
    *,
    since: int = 0,
    case_ids: Collection[str] | None = None,
    client_ids: Collection[str] | None = None,
    kinds: Collection[str] | None = None,
    limit: int | None = None,
) -> pd.DataFrame:
    """List events.

    Parameters
    ----------
    connection
        In a transaction.
    since
        The number of the last event already known.
    case_ids, client_ids, kinds
        Only of these cases, uploads, kinds; None for all.
    limit
        How many at most.

    Returns
    -------
    DataFrame
        As `Ledger.events` says.
    """
    statement = select(*(EVENTS.c[name] for name in _COLUMNS))
    statement = statement.where(EVENTS.c.seq > since).order_by(EVENTS.c.seq).limit(limit)
    if case_ids is not None:
        statement = statement.where(EVENTS.c.case_id.in_(list(case_ids)))
    if client_ids is not None:
        statement = statement.where(EVENTS.c.client_id.in_(list(client_ids)))
    if kinds is not None:
        statement = statement.where(EVENTS.c.kind.in_(list(kinds)))
    frame = frame_of(connection.execute(statement), _COLUMNS)
    return frame.assign(data=pd.Series([json.loads(said) for said in frame["data"]], dtype=object))


def read_changed(connection: Connection, *, since: int, most: int) -> tuple[list[Case], int]:
    """Give the cases that events after some number touched, as they stand now.

    Parameters
    ----------
    connection
        In a transaction.
    since
        The number of the last event already known.
    most
        How many events to look at, at most.

    Returns
    -------
    tuple
        As `Ledger.changed` says.
    """
    c = EVENTS.c
    rows = connection.execute(
        select(c.seq, c.case_id).where(c.seq > since).order_by(c.seq).limit(most)
    ).all()
    ids = list(dict.fromkeys(row.case_id for row in rows))
    cases: list[Case] = []
    for start in range(0, len(ids), _AT_ONCE):
        chosen = select(CASES).where(CASES.c.case_id.in_(ids[start : start + _AT_ONCE]))
        cases += [case_of(row) for row in connection.execute(chosen).mappings()]
    return cases, rows[-1].seq if rows else since
