"""How far was each receiver told, what never reached it, and who tells it? Kept beside the ledger, in its database.

What is still to be told is the ledger itself, from the event after the last one that a receiver took. Nothing is copied, so
nothing can be lost between the two.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Double,
    Engine,
    Integer,
    MetaData,
    Table,
    Text,
    delete,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.exc import SQLAlchemyError

from gisgrid.casework.ledger.storage import reading, writing
from gisgrid.locks import try_lock

_METADATA: Final = MetaData()
_STANDING: Final = Table(
    "gisgrid_hooks",
    _METADATA,
    Column("name", Text, primary_key=True),
    Column("told", BigInteger, nullable=False),
    Column("n_failed", Integer, nullable=False),
    Column("failing_since", Double),
    Column("next_at", Double, nullable=False),
    Column("said", Text, nullable=False),
)
_DEAD: Final = Table(
    "gisgrid_hooks_dead",
    _METADATA,
    Column("name", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("message_id", Text, nullable=False),
    Column("died_at", Double, nullable=False),
    Column("said", Text, nullable=False),
)
_ONE_SENDER: Final = 7_301_442
"""The key of PostgreSQL's advisory lock: one process sends, of all on all machines."""


@dataclass(frozen=True)
class Standing:
    """How a receiver stands.

    Attributes
    ----------
    name
        The hook.
    told
        The number of the last event that was taken, passed over or given up.
    n_failed
        How often the message after it was tried in vain.
    failing_since
        When that began, seconds since 1970; None where nothing fails.
    next_at
        Not to be tried again before.
    said
        What was wrong last.
    """

    name: str
    told: int
    n_failed: int = 0
    failing_since: float | None = None
    next_at: float = 0.0
    said: str = ""


@dataclass(frozen=True)
class Dead:
    """A message that was given up.

    Attributes
    ----------
    name
        The hook.
    seq
        The number of the event.
    message_id
        The id of the message.
    died_at
        When, seconds since 1970.
    said
        What was wrong.
    """

    name: str
    seq: int
    message_id: str
    died_at: float
    said: str


class Outbox:
    """How far each receiver was told.

    Parameters
    ----------
    engine
        The ledger's database.

    Raises
    ------
    LedgerError
        It does not answer.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        with writing(engine) as connection:
            _METADATA.create_all(connection, checkfirst=True)

    def standing(self, name: str, *, newest: int) -> Standing:
        """Tell how a receiver stands; a new one is told what happens from now on.

        Parameters
        ----------
        name
            The hook.
        newest
            The number of the ledger's newest event.

        Returns
        -------
        Standing
            How it stands.

        Raises
        ------
        LedgerError
            The database does not answer.
        """
        with reading(self._engine) as connection:
            if (found := _standing(connection, name)) is not None:
                return found
        with writing(self._engine) as connection:
            if (found := _standing(connection, name)) is not None:
                return found
            new = Standing(name, newest)
            connection.execute(insert(_STANDING).values(**vars(new)))
            return new

    def keep(self, standing: Standing, dead: Iterable[Dead] = ()) -> None:
        """Write down how a receiver stands, and what was given up on the way.

        Parameters
        ----------
        standing
            How it stands.
        dead
            Messages that are not tried again.

        Raises
        ------
        LedgerError
            The database does not answer.
        """
        with writing(self._engine) as connection:
            known = _STANDING.c.name == standing.name
            connection.execute(update(_STANDING).where(known).values(**vars(standing)))
            for one in dead:
                same = (_DEAD.c.name == one.name) & (_DEAD.c.seq == one.seq)
                connection.execute(delete(_DEAD).where(same))
                connection.execute(insert(_DEAD).values(**vars(one)))

    def dead(self, name: str | None = None, *, most: int = 1000) -> list[Dead]:
        """List what was given up.

        Parameters
        ----------
        name
            Of which hook; None for all.
        most
            How many at most, the newest.

        Returns
        -------
        list of Dead
            The newest first.

        Raises
        ------
        LedgerError
            The database does not answer.
        """
        statement = select(_DEAD).order_by(_DEAD.c.died_at.desc(), _DEAD.c.seq.desc()).limit(most)
        if name is not None:
            statement = statement.where(_DEAD.c.name == name)
        with reading(self._engine) as connection:
            return [Dead(**row) for row in connection.execute(statement).mappings()]


def _standing(connection: Connection, name: str) -> Standing | None:
    row = connection.execute(select(_STANDING).where(_STANDING.c.name == name)).mappings().first()
    return None if row is None else Standing(**row)


class OneSender:
    """Makes sure that one process sends, of all that have the ledger open; whoever dies lets go.

    Parameters
    ----------
    engine
        The ledger's database. With SQLite the lock is a file beside it, with PostgreSQL one of the database.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._file: IO[bytes] | None = None
        self._connection: Connection | None = None

    def is_mine(self) -> bool:
        """Become the one who sends, if nobody is.

        Returns
        -------
        bool
            Whether this process sends.
        """
        if self._engine.dialect.name == "postgresql":
            return self._is_mine_by_database()
        if self._file is None:
            file = Path(f"{self._engine.url.database}.hooks.lock").open("ab")  # noqa: SIM115 - held as long as this sends
            if not try_lock(file):
                file.close()
                return False
            self._file = file
        return True

    def let_go(self) -> None:
        """Let another one send."""
        if self._file is not None:
            self._file.close()
            self._file = None
        if self._connection is not None:
            self._connection.invalidate()  # the lock goes with the session
            self._connection.close()
            self._connection = None

    def _is_mine_by_database(self) -> bool:
        try:
            if self._connection is not None:
                self._connection.execute(
                    text("SELECT 1")
                )  # the lock is held as long as this session lives
                return True
            connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            taken = connection.scalar(text(f"SELECT pg_try_advisory_lock({_ONE_SENDER})"))
        except SQLAlchemyError:
            self.let_go()
            return False
        if not taken:
            connection.close()
            return False
        self._connection = connection
        return True
