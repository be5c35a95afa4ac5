"""What happened to the cases of a city: written once, never changed, and at hand within milliseconds."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Self

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from gisgrid.casework.ledger.audit import rebuild
from gisgrid.casework.ledger.checkpoints import Checkpoints
from gisgrid.casework.ledger.events import Event, utc_now
from gisgrid.casework.ledger.group_commit import GroupCommit
from gisgrid.casework.ledger.life_cycle import BUILT_IN, LifeCycle, read_life_cycle
from gisgrid.casework.ledger.reader import LedgerReader
from gisgrid.casework.ledger.refusals import LedgerError
from gisgrid.casework.ledger.storage import copy_sqlite, open_engine, prepare, writing
from gisgrid.casework.ledger.taking import Receipt, Upload, take


class Ledger(LedgerReader):
    """The events of all cases, and how each case stands.

    Open it with `Ledger.open`. One object serves many threads of a process; several processes, and with PostgreSQL
    several machines, may have the same ledger open. It is a context manager.
    """

    def __init__(
        self, engine: Engine, cycle: LifeCycle, clock: Callable[[], dt.datetime] = utc_now
    ) -> None:
        super().__init__(engine, cycle)
        self._clock = clock
        self._process = os.getpid()
        self._checkpoints = Checkpoints(engine)
        self._writer: GroupCommit[Upload, Receipt] = GroupCommit(self._commit)

    @classmethod
    def open(
        cls,
        url: str = "sqlite:///cases.db",
        *,
        life_cycle: LifeCycle | str | Path = BUILT_IN,
        patience_s: float = 10.0,
        clock: Callable[[], dt.datetime] = utc_now,
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

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Write what waits, then let the database go."""
        self._writer.close()
        self._checkpoints.close()
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
            answers = take(connection, uploads(), self.life_cycle, self._clock())
        self._checkpoints.due()
        return answers
