"""How does a ledger of an earlier version become one of this?"""

from __future__ import annotations

import logging
from typing import Final

from sqlalchemy import Connection, bindparam, select, text, update

from gisgrid.casework.ledger.cases import replay
from gisgrid.casework.ledger.life_cycle import LifeCycle
from gisgrid.casework.ledger.tables import CASES, EVENTS, FACTS, SCHEMA_VERSION, stored_event

FROM: Final = "1"
"""The version that can be brought up; version 2 counts how often a closing was undone."""

_AT_ONCE: Final = 500
_log: Final = logging.getLogger("gisgrid.casework")


def upgrade(connection: Connection, cycle: LifeCycle) -> None:
    """Bring a ledger of version `FROM` to this one; its events stay as they are.

    Parameters
    ----------
    connection
        In a transaction that no other writer shares: the ledger is of this version after it, or of the one before.
    cycle
        The life cycle.

    Raises
    ------
    TransitionError
        An event could not have come where it stands.
    """
    _log.warning("the ledger of cases is brought from version %s to %s, once; a long one takes a minute", FROM, SCHEMA_VERSION)  # fmt: skip
    connection.execute(text("ALTER TABLE cases ADD COLUMN n_reopenings BIGINT DEFAULT 0 NOT NULL"))
    undoing = [step.id for step in cycle.event if "closed_at" in step.clears]
    named = select(EVENTS.c.case_id).where(EVENTS.c.kind.in_(undoing)).distinct()
    touched = connection.scalars(named).all()
    for start in range(0, len(touched), _AT_ONCE):
        part = touched[start : start + _AT_ONCE]
        ordered = select(EVENTS).where(EVENTS.c.case_id.in_(part)).order_by(EVENTS.c.seq)
        cases = replay(map(stored_event, connection.execute(ordered).mappings()), cycle)
        connection.execute(
            update(CASES).where(CASES.c.case_id == bindparam("of")).values(n_reopenings=bindparam("n")),
            [{"of": case.case_id, "n": case.n_reopenings} for case in cases.values()],
        )  # fmt: skip
    connection.execute(update(FACTS).where(FACTS.c.name == "tables").values(value=SCHEMA_VERSION))
