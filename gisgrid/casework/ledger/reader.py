"""What does a ledger hold, and how do its cases stand? Everything that can be asked, and nothing that writes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence

import pandas as pd
from sqlalchemy import Engine, func, select

from gisgrid.casework.ledger.audit import Flaw, flaws
from gisgrid.casework.ledger.cases import COLUMNS, Case
from gisgrid.casework.ledger.counting import By, counted
from gisgrid.casework.ledger.filters import CaseFilter, Order, conditions, page
from gisgrid.casework.ledger.life_cycle import LifeCycle
from gisgrid.casework.ledger.news import read_changed, read_events
from gisgrid.casework.ledger.past import read_past
from gisgrid.casework.ledger.refusals import CaseNotFoundError
from gisgrid.casework.ledger.storage import reading
from gisgrid.casework.ledger.tables import CASES, EVENTS, case_of, frame_of
from gisgrid.casework.ledger.touched import read_touched
from gisgrid.errors import ColumnError, did_you_mean


class LedgerReader:
    """The questions to a ledger; each sees one state of it, whatever is written meanwhile.

    Attributes
    ----------
    life_cycle
        What may follow what.
    """

    def __init__(self, engine: Engine, cycle: LifeCycle) -> None:
        self._engine = engine
        self.life_cycle = cycle

    @property
    def engine(self) -> Engine:
        """The database, for who keeps something beside the ledger, for example how far somebody was told of its events."""
        return self._engine

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
        if "\0" in case_id:  # no database keeps it, and PostgreSQL refuses even to look
            raise CaseNotFoundError(f"no case {case_id!r} in the ledger; check the id")
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
        _demand(columns)
        both = wanted if within is None else wanted & within
        states = self.life_cycle.states
        with reading(self._engine) as connection:
            found = page(
                connection, both, columns, states=states, order=order, descending=descending,
                limit=limit, after=after,
            )  # fmt: skip
            return frame_of(found, columns)

    def touched(
        self,
        start: dt.datetime,
        end: dt.datetime,
        wanted: CaseFilter = CaseFilter(),  # noqa: B008 - frozen
        *,
        within: CaseFilter | None = None,
        columns: Sequence[str] = COLUMNS,
    ) -> pd.DataFrame:
        """List the cases that may count in some days: changed in them or since, open then, or due in them.

        Parameters
        ----------
        start, end
            The days, without the end; aware.
        wanted, within, columns
            As in `cases`.

        Returns
        -------
        DataFrame
            As `cases` gives it; each case once, in no order.

        Raises
        ------
        ColumnError
            Cases have no such column.
        LedgerError
            The database does not answer.
        """
        _demand(columns)
        both = wanted if within is None else wanted & within
        with reading(self._engine) as connection:
            found = read_touched(connection, both, columns, start=start, end=end, cycle=self.life_cycle)  # fmt: skip
            return frame_of(found, columns)

    def past(self, cases: pd.DataFrame, moment: dt.datetime) -> pd.DataFrame:
        """Tell how cases stood at some moment, whatever was done to them since.

        Parameters
        ----------
        cases
            As `cases` gives them, with `case_id` and `changed_at`.
        moment
            Of when they shall be; aware. It is held against the times at which things happened.

        Returns
        -------
        DataFrame
            The same columns, in the same order; without the cases that were not there yet.

        Raises
        ------
        LedgerError
            The database does not answer.
        """
        with reading(self._engine) as connection:
            return read_past(connection, cases, moment, self.life_cycle)

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


def _demand(columns: Sequence[str]) -> None:
    for name in columns:
        if name not in COLUMNS:
            raise ColumnError(f"cases have no column {name!r}{did_you_mean(name, COLUMNS)}")
