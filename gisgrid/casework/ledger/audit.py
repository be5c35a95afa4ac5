"""Is the ledger still what was written, and are the cases what its events say?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Any, Final

from sqlalchemy import Connection, delete, func, select

from gisgrid.casework.ledger.cases import COLUMNS, Case, replay
from gisgrid.casework.ledger.life_cycle import LifeCycle
from gisgrid.casework.ledger.tables import CASES, EVENTS, case_of, digest, stored_event
from gisgrid.casework.ledger.taking import write_cases
from gisgrid.errors import GisgridError

_AT_ONCE: Final = 500
_STREAM: Final = {"yield_per": _AT_ONCE}


@dataclass(frozen=True)
class Flaw:
    """Something in the ledger that cannot be as it is.

    Attributes
    ----------
    rule
        ``missing`` (a number without event), ``sealed`` (an event is not what was written), ``life_cycle`` (it could not
        have come there), ``derived`` (a case is not what its events say).
    where
        The number of the event, or the case.
    message
        The sentence.
    """

    rule: str
    where: str
    message: str


def flaws(connection: Connection, cycle: LifeCycle) -> Iterator[Flaw]:
    """Hold the whole ledger against its own seals and the cases against the events.

    Parameters
    ----------
    connection
        In a transaction.
    cycle
        The life cycle.

    Yields
    ------
    Flaw
        One after the other; memory stays bounded however long the ledger is.
    """
    yield from _broken_seals(connection)
    n_cases = 0
    for part in _parts(connection):
        replayed: dict[str, Case] = {}
        for case_id, events in part:
            try:
                replayed |= replay(events, cycle)
            except GisgridError as error:
                yield Flaw("life_cycle", case_id, f"case {case_id!r} cannot be replayed: {error}")
        n_cases += len(part)
        yield from _differences(connection, replayed)
    found = connection.scalar(select(func.count()).select_from(CASES)) or 0
    if found > n_cases:
        yield Flaw("derived", "cases", f"{found - n_cases} of {found} cases have no events")


def rebuild(connection: Connection, cycle: LifeCycle) -> int:
    """Derive all cases anew from the events.

    Parameters
    ----------
    connection
        In a transaction that no other writer shares.
    cycle
        The life cycle.

    Returns
    -------
    int
        How many cases there are.

    Raises
    ------
    TransitionError
        An event could not have come where it stands; nothing is changed then.
    """
    connection.execute(delete(CASES))
    n_cases = 0
    for part in _parts(connection):
        cases = [case for _, events in part for case in replay(events, cycle).values()]
        write_cases(connection, cases, old=())
        n_cases += len(cases)
    return n_cases


def _broken_seals(connection: Connection) -> Iterator[Flaw]:
    before, seq = b"", 0
    rows = connection.execute(select(EVENTS).order_by(EVENTS.c.seq), execution_options=_STREAM)
    for row in rows.mappings():
        if row["seq"] != seq + 1:
            yield Flaw(
                "missing", str(seq + 1), f"event {seq + 1} is missing; the next is {row['seq']}"
            )
        elif digest(row, before) != bytes(row["digest"]):
            yield Flaw(
                "sealed",
                str(row["seq"]),
                f"event {row['seq']} on case {row['case_id']!r} is not what was written",
            )
        before, seq = bytes(row["digest"]), row["seq"]


def _parts(connection: Connection) -> Iterator[list[tuple[str, list[Any]]]]:
    """Give the events of some cases at a time."""
    ordered = select(EVENTS).order_by(EVENTS.c.case_id, EVENTS.c.version)
    rows = connection.execute(ordered, execution_options=_STREAM).mappings()
    grouped = groupby(rows, key=lambda row: str(row["case_id"]))
    groups = ((case_id, [stored_event(row) for row in group]) for case_id, group in grouped)
    while part := list(islice(groups, _AT_ONCE)):
        yield part


def _differences(connection: Connection, replayed: dict[str, Case]) -> Iterator[Flaw]:
    rows = connection.execute(select(CASES).where(CASES.c.case_id.in_(list(replayed)))).mappings()
    stored = {row["case_id"]: case_of(row) for row in rows}
    for case_id, case in replayed.items():
        if (found := stored.get(case_id)) is None:
            yield Flaw(
                "derived", case_id, f"case {case_id!r} has events but is not among the cases"
            )
        elif found != case:
            yield Flaw(
                "derived",
                case_id,
                f"case {case_id!r} is not what its events say: {_differing(found, case)}",
            )


def _differing(found: Case, derived: Case) -> str:
    names: Sequence[str] = [n for n in COLUMNS if getattr(found, n) != getattr(derived, n)]
    return ", ".join(f"{n} is {getattr(found, n)!r}, not {getattr(derived, n)!r}" for n in names)
