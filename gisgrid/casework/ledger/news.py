"""What has happened since? Events in the order in which the ledger took them."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Final

import pandas as pd
from sqlalchemy import Connection, select

from gisgrid.casework.ledger.tables import EVENTS, frame_of

_COLUMNS: Final = (
    "seq", "client_id", "case_id", "version", "kind", "at", "sent_at", "recorded_at", "by", "lon", "lat", "why", "data",
)  # fmt: skip


def read_events(
    connection: Connection,
    *,
    since: int = 0,
    case_ids: Collection[str] | None = None,
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
    case_ids, kinds
        Only of these; None for all.
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
    if kinds is not None:
        statement = statement.where(EVENTS.c.kind.in_(list(kinds)))
    rows = connection.execute(statement).all()
    data = pd.Series([json.loads(row.data) for row in rows], dtype=object)
    return frame_of(rows, _COLUMNS).assign(data=data)
