"""Which of the uploads that came together are taken, and what do the cases look like then?

All run in one transaction; each is taken whole or refused whole, and one that is refused does not touch the others.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain, groupby
from typing import Any, Final

from sqlalchemy import (
    Column,
    Connection,
    Dialect,
    Insert,
    Row,
    RowMapping,
    Select,
    Update,
    bindparam,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.sql.compiler import SQLCompiler

from gisgrid.casework.ledger.cases import Case, after
from gisgrid.casework.ledger.events import Event, StoredEvent, checked_id, utc
from gisgrid.casework.ledger.life_cycle import LifeCycle
from gisgrid.casework.ledger.refusals import ConflictError
from gisgrid.casework.ledger.tables import (
    CASES,
    EVENTS,
    case_of,
    case_row,
    event_row,
    stored_event,
    time_of,
)
from gisgrid.errors import GisgridError, InputError

_AT_ONCE: Final = 500
_MOST_EVENTS: Final = 1_000
_MOST_VALUES: Final = 16_384
"""In one statement; SQLite takes twice as many."""
_START: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_ADD_EVENT: Final = insert(EVENTS)
_ADD_CASE: Final = insert(CASES)
_LAST: Final = select(EVENTS.c.seq, EVENTS.c.recorded_at, EVENTS.c.digest).where(
    EVENTS.c.seq == select(func.max(EVENTS.c.seq)).scalar_subquery()
)
_CHANGE_CASE: Final = (
    update(CASES)
    .where(CASES.c.case_id == bindparam("old_case_id"))
    .values({column.name: bindparam(column.name) for column in CASES.columns if column.name != "case_id"})
)  # fmt: skip


@dataclass(frozen=True)
class Upload:
    """Events that a sender hands in together.

    Attributes
    ----------
    client_id
        The sender's own id of it: a second upload with the same one is the first one again.
    events
        At least one.
    expected
        The versions of cases that the sender saw; 0 for a case that is not there yet.
    sent_at
        The sender's clock when it sent.
    """

    client_id: str
    events: tuple[Event, ...]
    expected: Mapping[str, int]
    sent_at: dt.datetime | None

    @classmethod
    def of(
        cls,
        events: Event | Sequence[Event],
        *,
        client_id: str | None,
        expected: Mapping[str, int] | None,
        sent_at: dt.datetime | None,
    ) -> Upload:
        """Make an upload of what a sender gives; refuse what is none."""
        listed = (events,) if isinstance(events, Event) else tuple(events)
        if not 0 < len(listed) <= _MOST_EVENTS:
            raise InputError(
                f"an upload has {len(listed)} events; 1 to {_MOST_EVENTS} are taken at once"
            )
        chosen = str(uuid.uuid4()) if client_id is None else checked_id(client_id, "client_id")
        sent = None if sent_at is None else utc(sent_at, "sent_at")
        return cls(chosen, listed, dict(expected or {}), sent)


@dataclass(frozen=True)
class Receipt:
    """The ledger's word that an upload is on the disk.

    Attributes
    ----------
    client_id
        The upload.
    first_seq, last_seq
        The numbers of its first and last event.
    recorded_at
        When the ledger took it.
    versions
        The version of each of its cases after it.
    repeated
        Whether it had been taken before; then this is the first one's receipt.
    """

    client_id: str
    first_seq: int
    last_seq: int
    recorded_at: dt.datetime
    versions: Mapping[str, int]
    repeated: bool = False


@dataclass
class _Taking:
    """What a transaction has taken so far."""

    cycle: LifeCycle
    now: dt.datetime
    seq: int
    digest: bytes
    cases: dict[str, Case]
    known: dict[str, list[StoredEvent]]
    old: set[str] = field(default_factory=set)
    rows: list[dict[str, Any]] = field(default_factory=list)
    changed: dict[str, Case] = field(default_factory=dict)

    def take(self, upload: Upload) -> Receipt:
        if upload.client_id in self.known:
            return _again(upload, self.known[upload.client_id])
        for case_id, version in upload.expected.items():
            if (found := self._version(case_id)) != version:
                raise ConflictError("", case_id=case_id, expected=version, found=found)
        after_all: dict[str, Case] = {}
        taken = []
        for seq, event in enumerate(upload.events, start=self.seq + 1):
            case = after_all.get(event.case_id) or self.cases.get(event.case_id)
            stored = StoredEvent(
                seq, event, case.version + 1 if case else 1, self.now, upload.sent_at, upload.client_id
            )  # fmt: skip
            after_all[event.case_id] = after(case, stored, self.cycle)
            taken.append(stored)
        for position, stored in enumerate(taken):
            row = event_row(stored, position, self.digest)
            self.digest = row["digest"]
            self.rows.append(row)
        self.seq = taken[-1].seq
        self.cases |= after_all
        self.changed |= after_all
        self.known[upload.client_id] = taken
        return _receipt(taken)

    def _version(self, case_id: str) -> int:
        case = self.cases.get(case_id)
        return case.version if case else 0


def take(
    connection: Connection, uploads: Sequence[Upload], cycle: LifeCycle, now: dt.datetime
) -> list[Receipt | Exception]:
    """Write uploads into the ledger.

    Parameters
    ----------
    connection
        In a transaction that no other writer shares.
    uploads
        What came, in order.
    cycle
        The life cycle.
    now
        What the ledger's clock says. Its time never goes back: it is the last event's where the clock was set back.

    Returns
    -------
    list
        A receipt or a refusal for each upload. A receipt holds once the transaction is committed.
    """
    taking = _begun(connection, uploads, cycle, now)
    answers: list[Receipt | Exception] = []
    for upload in uploads:
        try:
            answers.append(taking.take(upload))
        except ConflictError as conflict:
            answers.append(
                _told(connection, conflict, taking.rows) if conflict.case_id else conflict
            )
        except GisgridError as refusal:
            answers.append(refusal)
    if taking.rows:
        _write_many(connection, _ADD_EVENT, taking.rows)
        write_cases(connection, taking.changed.values(), old=taking.old)
    return answers


def write_cases(connection: Connection, cases: Iterable[Case], *, old: Collection[str]) -> None:
    """Write how cases stand.

    Parameters
    ----------
    connection
        In a transaction.
    cases
        The cases.
    old
        The ids of those that the table has already.
    """
    rows = [case_row(case) for case in cases]
    new = [row for row in rows if row["case_id"] not in old]
    changed = [row | {"old_case_id": row["case_id"]} for row in rows if row["case_id"] in old]
    for row in changed:
        del row["case_id"]
    if new:
        _write_many(connection, _ADD_CASE, new)
    if changed:
        _write_many(connection, _CHANGE_CASE, changed)


def _write_many(
    connection: Connection, statement: Insert | Update, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Write rows without looking at each value's type: they are as the drivers want them (twice as fast)."""
    compiled = _compiled(statement, connection.dialect)
    names = compiled.positiontup
    if names is None:
        connection.exec_driver_sql(str(compiled), rows)
        return
    values = [tuple([row[name] for name in names]) for row in rows]
    if isinstance(statement, Update):
        connection.exec_driver_sql(str(compiled), values)
        return
    # SQLite's driver lets other threads in at every row; many in one statement wait for their turn once.
    most = _MOST_VALUES // len(names)
    while values:
        n = min(most, 1 << (len(values).bit_length() - 1))
        connection.exec_driver_sql(_inserting(compiled, n), tuple(chain.from_iterable(values[:n])))
        values = values[n:]


@lru_cache
def _inserting(compiled: SQLCompiler, n: int) -> str:
    """Write an insertion of one row as one of several."""
    head, _, row = str(compiled).rpartition(" VALUES ")
    return f"{head} VALUES {', '.join([row] * n)}"


@lru_cache
def _compiled(statement: Insert | Update | Select[Any], dialect: Dialect) -> SQLCompiler:
    compiled = statement.compile(dialect=dialect)
    assert isinstance(compiled, SQLCompiler)  # noqa: S101 - a statement's, not a table's
    return compiled


def _begun(
    connection: Connection, uploads: Sequence[Upload], cycle: LifeCycle, now: dt.datetime
) -> _Taking:
    seq, recorded, digest = 0, _START, b""
    for last in connection.exec_driver_sql(str(_compiled(_LAST, connection.dialect))):
        seq, recorded, digest = last.seq, time_of(last.recorded_at) or _START, bytes(last.digest)
    known: dict[str, list[StoredEvent]] = {}
    ids = {upload.client_id for upload in uploads}
    for row in _where_in(connection, EVENTS.c.client_id, ids):
        known.setdefault(row["client_id"], []).append(stored_event(row))
    for stored in known.values():
        stored.sort(key=lambda one: one.seq)
    wanted = {
        event.case_id
        for upload in uploads
        if upload.client_id not in known
        for event in upload.events
    }
    wanted |= {case_id for upload in uploads for case_id in upload.expected}
    found = _where_in(connection, CASES.c.case_id, wanted)
    cases = {row["case_id"]: case_of(row) for row in found}
    return _Taking(cycle, max(now, recorded), seq, digest, cases, known, old=set(cases))


def _where_in(
    connection: Connection, column: Column[Any], values: Collection[str]
) -> Iterator[RowMapping]:
    """Find the rows of a table that have one of some texts.

    Nearly always there are none, since what is reported is new: their texts alone are asked for first.
    """
    there = {row[0] for row in _asked(connection, column, values, whole=False)}
    return (row._mapping for row in _asked(connection, column, there, whole=True))  # noqa: SLF001 - its public name


def _asked(
    connection: Connection, column: Column[Any], values: Collection[str], *, whole: bool
) -> Iterator[Row[Any]]:
    listed = sorted(values)
    for start in range(0, len(listed), _AT_ONCE):
        chosen = listed[start : start + _AT_ONCE]
        # There are few statements where their lengths are few: the last text is asked for again.
        chosen += chosen[-1:] * ((1 << (len(chosen) - 1).bit_length()) - len(chosen))
        compiled = _compiled(_among(column, len(chosen), whole=whole), connection.dialect)
        asked = tuple(chosen) if compiled.positiontup else dict(zip(_names(len(chosen)), chosen, strict=True))  # fmt: skip
        yield from connection.exec_driver_sql(str(compiled), asked)


@lru_cache
def _among(column: Column[Any], n: int, *, whole: bool) -> Select[Any]:
    chosen = select(column.table) if whole else select(column)
    return chosen.where(column.in_([bindparam(name) for name in _names(n)]))


@lru_cache
def _names(n: int) -> tuple[str, ...]:
    return tuple(f"text_{i}" for i in range(n))


def _receipt(taken: Sequence[StoredEvent], *, repeated: bool = False) -> Receipt:
    versions = {stored.event.case_id: stored.version for stored in taken}
    first, last = taken[0], taken[-1]
    return Receipt(first.client_id, first.seq, last.seq, first.recorded_at, versions, repeated)


def _again(upload: Upload, taken: Sequence[StoredEvent]) -> Receipt:
    if upload.events != tuple(stored.event for stored in taken):
        raise ConflictError(
            f"client id {upload.client_id!r} was used for other events at {taken[0].recorded_at.isoformat()}; "
            "give every upload an id of its own"
        )
    return _receipt(taken, repeated=True)


def _told(
    connection: Connection, conflict: ConflictError, rows: Sequence[Mapping[str, Any]]
) -> ConflictError:
    """Say who was first."""
    case_id, expected, found = conflict.case_id, conflict.expected, conflict.found
    what = f"case {case_id!r} is at version {found}, not {expected} as the sender saw it"
    c = EVENTS.c
    stored = connection.execute(
        select(EVENTS).where(c.case_id == case_id, c.version > expected).order_by(c.version)
    ).mappings()
    between = [
        *stored,
        *(row for row in rows if row["case_id"] == case_id and row["version"] > expected),
    ]
    if between:
        kinds = ", ".join(f"{kind!r}" for kind, _ in groupby(row["kind"] for row in between))
        what += f": {kinds} by {between[-1]['by']!r} came first"
    return ConflictError(
        f"{what}; nothing of this upload was taken, read the case again and decide anew",
        case_id=case_id, expected=expected, found=found,
    )  # fmt: skip
