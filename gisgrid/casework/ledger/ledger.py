"""What happened to the cases of a city: written once, never changed, and at hand within milliseconds."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Self

import pandas as pd
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import DBAPIError

from gisgrid.casework.ledger.audit import Flaw, flaws, rebuild
from gisgrid.casework.ledger.cases import COLUMNS, Case
from gisgrid.casework.ledger.counting import By, counted
from gisgrid.casework.ledger.events import Event
from gisgrid.casework.ledger.filters import CaseFilter, Order, conditions, page
from gisgrid.casework.ledger.group_commit import GroupCommit
from gisgrid.casework.ledger.life_cycle import BUILT_IN, LifeCycle, read_life_cycle
from gisgrid.casework.ledger.news import read_changed, read_events
from gisgrid.casework.ledger.refusals import CaseNotFoundError, LedgerError
from gisgrid.casework.ledger.storage import copy_sqlite, open_engine, prepare, reading, writing
from gisgrid.casework.ledger.tables import CASES, EVENTS, case_of, frame_of
from gisgrid.casework.ledger.taking import Receipt, Upload, take
from gisgrid.errors import ColumnError, did_you_mean


def _now() -> dt.datetime:
    return dt.datetime.now(tz=dt.UTC)


class Ledger:
    """The events of all cases, and how each case stands.

    Open it with `Ledger.open`. One object serves many threads of a process; several processes, and with PostgreSQL
    several machines, may have the same ledger open. It is a context manager.
    """

    def __init__(
        self, engine: Engine, cycle: LifeCycle, clock: Callable[[], dt.datetime] = _now
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._process = os.getpid()
        self.life_cycle = cycle
        self._writer: GroupCommit[Upload, Receipt] = GroupCommit(self._commit)

    @classmethod
    def open(
        cls,
        url: str = "sqlite:///cases.db",
        *,
        life_cycle: LifeCycle | str | Path = BUILT_IN,
        patience_s: float = 10.0,
        clock: Callable[[], dt.datetime] = _now,
    ) -> Self:
        """Open a ledger; make it where it is not there.

        Parameters
        ----------
        url
            ``sqlite:///cases.db`` (one machine) or ``postgresql+psycopg://user@host/name`` (several).
        life_cycle
            What may follow what: the common Chinese form, or a city's own file.
        patience_s
            How long to wait for a lock or a connection before a sentence says so.
        clock
            Gives the present time.

        Returns
        -------
        Ledger
            Ready to read and write.

        Raises
        ------
        InputError
            The address is none, or the ledger holds what the life cycle does not have.
        LedgerError
            The database does not answer, or is no ledger of this version.
        """
        cycle = life_cycle if isinstance(life_cycle, LifeCycle) else read_life_cycle(life_cycle)
        engine = open_engine(url, patience_s=patience_s)
        try:
            prepare(engine, cycle)
        except Exception:
            engine.dispose()
            raise
        return cls(engine, cycle, clock)

    @property
    def engine(self) -> Engine:
        """The database, for who keeps something beside the ledger, for example how far somebody was told of its events."""
        return self._engine

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Write what waits, then let the database go."""
        self._writer.close()
        self._engine.dispose()

    def append(
        self,
        events: Event | Sequence[Event],
        *,
        client_id: str | None = None,
        expected: Mapping[str, int] | None = None,
        sent_at: dt.datetime | None = None,
    ) -> Receipt:
        """Write down what happened. When this returns, it is on the disk.

        Parameters
        ----------
        events
            One event or several, taken all or none.
        client_id
            The sender's id of this upload: sent again, it is taken once and the first receipt comes back. One is made up
            where none is given.
        expected
            The versions of cases as the sender saw them, 0 for a case that is not there yet: when another one was faster,
            nothing is taken.
        sent_at
            What the sender's clock says now; a clock that is wrong by more than two minutes is corrected by it.

        Returns
        -------
        Receipt
            The numbers of the events and the new versions of the cases.

        Raises
        ------
        TransitionError
            An event may not come next; the sentence names what may.
        ConflictError
            A case is not as expected, or the client id was used for other events.
        LedgerError
            The disk is full, the database locked or gone. Where the answer got lost after the commit, the same upload
            sent again gives the receipt.
        InputError
            No events, too many, or an id that is none.
        """
        return self.submit(events, client_id=client_id, expected=expected, sent_at=sent_at).result()

    def submit(
        self,
        events: Event | Sequence[Event],
        *,
        client_id: str | None = None,
        expected: Mapping[str, int] | None = None,
        sent_at: dt.datetime | None = None,
    ) -> Future[Receipt]:
        """Hand in what happened without waiting for the disk: `append` for those who wait otherwise (asyncio).

        Parameters
        ----------
        events, client_id, expected, sent_at
            As in `append`.

        Returns
        -------
        Future
            Gives the receipt when the upload is on the disk, or raises what `append` raises.

        Raises
        ------
        LedgerError
            Closed, overcrowded, or opened before this process was forked.
        InputError
            No events, too many, or an id that is none.
        """
        if os.getpid() != self._process:
            raise LedgerError(
                "the ledger was opened before this process was forked; open it in each process"
            )
        upload = Upload.of(events, client_id=client_id, expected=expected, sent_at=sent_at)
        return self._writer.submit(upload)

    def case(self, case_id: str) -> Case:
        """Tell how a case stands.

        Parameters
        ----------
        case_id
            The case.

        Returns
        -------
        Case
            With the version that `append` compares with.

        Raises
        ------
        CaseNotFoundError
            There is none.
        LedgerError
            The database does not answer.
        """
        with reading(self._engine) as connection:
            found = connection.execute(select(CASES).where(CASES.c.case_id == case_id)).mappings().first()  # fmt: skip
        if found is None:
            raise CaseNotFoundError(f"no case {case_id!r} in the ledger; check the id")
        return case_of(found)

    def cases(
        self,
        wanted: CaseFilter = CaseFilter(),  # noqa: B008 - frozen
        *,
        within: CaseFilter | None = None,
        order: Order = "due_at",
        descending: bool = False,
        limit: int | None = None,
        after: tuple[dt.datetime | None, str] | None = None,
        columns: Sequence[str] = COLUMNS,
    ) -> pd.DataFrame:
        """List cases.

        Parameters
        ----------
        wanted
            What they must be like.
        within
            What the asker may see at all; both must hold.
        order
            By which time, then by id; cases without deadline count as due last.
        descending
            Whether the latest comes first.
        limit
            How many at most: a page.
        after
            The ordering time and the id of the last case of the page before.
        columns
            The columns to give.

        Returns
        -------
        DataFrame
            Shape (n, columns); times in UTC, `lon` and `lat` WGS84 degrees.

        Raises
        ------
        ColumnError
            Cases have no such column.
        LedgerError
            The database does not answer.
        """
        for name in columns:
            if name not in COLUMNS:
                raise ColumnError(f"cases have no column {name!r}{did_you_mean(name, COLUMNS)}")
        both = wanted if within is None else wanted & within
        states = self.life_cycle.states
        with reading(self._engine) as connection:
            rows = page(
                connection, both, columns, states=states, order=order, descending=descending,
                limit=limit, after=after,
            )  # fmt: skip
        return frame_of(rows, columns)

    def count(
        self,
        wanted: CaseFilter = CaseFilter(),  # noqa: B008 - frozen
        *,
        within: CaseFilter | None = None,
    ) -> int:
        """Count cases.

        Parameters
        ----------
        wanted, within
            As in `cases`.

        Returns
        -------
        int
            How many there are.
        """
        both = wanted if within is None else wanted & within
        with reading(self._engine) as connection:
            statement = select(func.count()).select_from(CASES).where(*conditions(both))
            return connection.scalar(statement) or 0

    def counts(
        self,
        by: By,
        wanted: CaseFilter = CaseFilter(),  # noqa: B008 - frozen
        *,
        within: CaseFilter | None = None,
    ) -> dict[str | None, int]:
        """Count cases by a column.

        Parameters
        ----------
        by
            The column.
        wanted, within
            As in `cases`.

        Returns
        -------
        dict
            How many cases have each value, None for those without; the most frequent first, then by value.

        Raises
        ------
        ColumnError
            Cases are not counted by such a column.
        """
        both = wanted if within is None else wanted & within
        with reading(self._engine) as connection:
            return counted(connection, both, by)

    def events(
        self,
        *,
        since: int = 0,
        case_ids: Collection[str] | None = None,
        client_ids: Collection[str] | None = None,
        kinds: Collection[str] | None = None,
        limit: int | None = None,
    ) -> pd.DataFrame:
        """List events in the order in which the ledger took them.

        Parameters
        ----------
        since
            The number of the last event already known; who asks again and again misses none.
        case_ids, client_ids, kinds
            Only of these cases, uploads, kinds; None for all.
        limit
            How many at most.

        Returns
        -------
        DataFrame
            `seq`, `client_id`, `case_id`, `version`, `kind`, `at` and `sent_at` (the sender's clock), `recorded_at` (the
            ledger's), `by`, `lon`, `lat`, `why`, `data` (a dict).

        Raises
        ------
        LedgerError
            The database does not answer.
        """
        with reading(self._engine) as connection:
            return read_events(
                connection, since=since, case_ids=case_ids, client_ids=client_ids, kinds=kinds, limit=limit
            )  # fmt: skip

    def changed(self, *, since: int = 0, most: int = 5_000) -> tuple[list[Case], int]:
        """Give the cases that events after some number touched, as they stand now.

        Parameters
        ----------
        since
            The number of the last event already known.
        most
            How many events to look at, at most.

        Returns
        -------
        tuple
            The cases, and the number of the last event that was looked at: who asks again with it misses none.

        Raises
        ------
        LedgerError
            The database does not answer.
        """
        with reading(self._engine) as connection:
            return read_changed(connection, since=since, most=most)

    def last_seq(self) -> int:
        """Tell the number of the newest event; 0 where there is none.

        Returns
        -------
        int
            Grows with every event: what waits for news compares it.
        """
        with reading(self._engine) as connection:
            return connection.scalar(select(func.max(EVENTS.c.seq))) or 0

    def seed(self) -> bytes:
        """Give what every process that reads this ledger knows, and nobody else: the seal of its first event.

        Returns
        -------
        bytes
            Empty as long as there is no event.

        Raises
        ------
        LedgerError
            The database does not answer.
        """
        with reading(self._engine) as connection:
            found = connection.scalar(select(EVENTS.c.digest).where(EVENTS.c.seq == 1))
        return bytes(found or b"")

    def flaws(self, *, most: int = 100) -> list[Flaw]:
        """Hold the ledger against its own seals, and the cases against their events.

        Parameters
        ----------
        most
            After how many to stop.

        Returns
        -------
        list of Flaw
            Empty where every event is what was written and every case what its events say.

        Raises
        ------
        LedgerError
            The database does not answer.
        """
        with reading(self._engine) as connection:
            return [
                flaw
                for flaw, _ in zip(flaws(connection, self.life_cycle), range(most), strict=False)
            ]

    def rebuild(self) -> int:
        """Derive all cases anew from the events; nobody else writes meanwhile.

        Returns
        -------
        int
            How many cases there are.

        Raises
        ------
        TransitionError
            An event could not have come where it stands; the cases stay as they are.
        LedgerError
            The database does not answer.
        """
        with writing(self._engine) as connection:
            return rebuild(connection, self.life_cycle)

    def backup(self, path: str | Path) -> None:
        """Copy a ledger in SQLite as it is now, while it is written to.

        Parameters
        ----------
        path
            The file; what stood there is replaced as a whole.

        Raises
        ------
        InputError
            The ledger lies in PostgreSQL, which has `pg_dump` for that.
        OutputError
            The file cannot be written.
        LedgerError
            The database does not answer.
        """
        copy_sqlite(self._engine, Path(path))

    def _commit(self, uploads: Callable[[], Sequence[Upload]]) -> list[Receipt | Exception]:
        try:
            return self._take(uploads)
        except LedgerError as error:
            cause = error.__cause__
            if not (isinstance(cause, DBAPIError) and cause.connection_invalidated):
                raise
            # The connection went, perhaps after the commit: what was taken is known by its client id.
            return self._take(uploads)

    def _take(self, uploads: Callable[[], Sequence[Upload]]) -> list[Receipt | Exception]:
        with writing(self._engine) as connection:
            return take(connection, uploads(), self.life_cycle, self._clock())
