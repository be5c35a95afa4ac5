"""Where does a ledger lie, and is what was acknowledged safe there?

SQLite writes ahead (WAL) and waits for the disk at every commit (synchronous=FULL); PostgreSQL does so by itself.
"""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, Final

from sqlalchemy import Connection, Engine, create_engine, event, insert, select, text, update
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnectionError

from gisgrid.casework.ledger.life_cycle import LifeCycle
from gisgrid.casework.ledger.refusals import LedgerError
from gisgrid.casework.ledger.tables import (
    APPEND_ONLY,
    CASES,
    EVENTS,
    FACTS,
    METADATA,
    POINTS,
    SCHEMA_VERSION,
)
from gisgrid.casework.ledger.upgrades import FROM, upgrade
from gisgrid.errors import InputError
from gisgrid.files import first_line, whole_file
from gisgrid.locks import try_lock

_WRITES: Final = {"gisgrid_writes": True}
_ONE_WRITER: Final = 7_301_441
"""The key of PostgreSQL's advisory lock: events become visible in the order of their numbers."""
_CACHE_KB: Final = 64_000
_MOST_AHEAD: Final = 16_384
"""Pages that may be written ahead (64 MB) until a commit itself carries them over: `Checkpoints` does so before."""
_TURN, _NEXT = "-turn", "-next"
"""After the name of a ledger in SQLite: whoever holds a lock on that file may write, or is the next one to."""
_OPENED: Final = "opened"
_LOOK_S: Final = 0.0005


def open_engine(url: str, *, patience_s: float) -> Engine:
    """Make ready to speak with a database.

    Parameters
    ----------
    url
        ``sqlite:///cases.db`` or ``postgresql+psycopg://user@host/name``.
    patience_s
        How long to wait for a lock or a connection.

    Returns
    -------
    Engine
        Nothing is opened yet.

    Raises
    ------
    InputError
        No such address, or the driver is not installed.
    """
    where = _checked(url)
    try:
        if where.get_backend_name() == "sqlite":
            engine = create_engine(
                where, pool_size=8, max_overflow=56, pool_timeout=patience_s, connect_args={"timeout": patience_s},
                execution_options={"gisgrid_patience_s": patience_s},
            )  # fmt: skip
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
            return engine
        wait = max(1, round(patience_s))
        return create_engine(
            where, pool_size=8, max_overflow=24, pool_timeout=patience_s, pool_pre_ping=True,
            connect_args={"connect_timeout": wait, "options": f"-c lock_timeout={round(1000 * patience_s)}"},
        )  # fmt: skip
    except ModuleNotFoundError as error:
        raise InputError(
            "a ledger in PostgreSQL needs psycopg; install gisgrid[postgis]"
        ) from error


def shown_address(url: str) -> str:
    """Write a ledger's address so that everybody may read it.

    Parameters
    ----------
    url
        The address.

    Returns
    -------
    str
        Without its password, whether it is an address or not.

    Examples
    --------
    >>> shown_address("postgresql://gis:secret@db.example/cases?password=secret&sslmode=require")
    'postgresql://gis:***@db.example/cases?password=***&sslmode=require'
    >>> shown_address("sqlite:///cases.db")
    'sqlite:///cases.db'
    """
    return re.sub(r"([?&]password=)[^&]*", r"\1***", re.sub(r"(//[^:/@]*):.*@", r"\1:***@", url))


def _checked(url: str) -> URL:
    try:
        where = make_url(url)
    except ArgumentError as error:
        raise InputError(
            f"the ledger's address {shown_address(url)!r} is none; write sqlite:///cases.db or postgresql+psycopg://user@host/name"
        ) from error
    backend = where.get_backend_name()
    if backend == "sqlite":
        if not where.database or where.database == ":memory:":
            raise InputError(
                "a ledger in memory is lost with its process; name a file, for example sqlite:///cases.db"
            )
        if not Path(where.database).parent.is_dir():
            raise InputError(
                f"the ledger {where.database!r} cannot be made because its folder does not exist; make it first"
            )
        return where
    if backend == "postgresql":
        return where.set(drivername="postgresql+psycopg")
    raise InputError(
        f"a ledger lies in SQLite or PostgreSQL, not in {backend!r}; write sqlite:///cases.db"
    )


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # the driver shall not begin by itself
    cursor = connection.cursor()
    (mode,) = cursor.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode.lower() != "wal":
        raise LedgerError(
            f"the ledger's disk does not let SQLite write ahead (journal_mode stays {mode!r}); put the file on a local disk"
        )
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute(f"PRAGMA cache_size = -{_CACHE_KB}")
    cursor.execute(f"PRAGMA wal_autocheckpoint = {_MOST_AHEAD}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("gisgrid_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Read one state of the ledger, whatever is written meanwhile.

    Parameters
    ----------
    engine
        The database.

    Yields
    ------
    Connection
        In a transaction of its own.

    Raises
    ------
    LedgerError
        The database does not answer.
    """
    with _told("read"), engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection.execution_options(isolation_level="REPEATABLE READ")
        with connection.begin():
            yield connection


@contextmanager
def writing(engine: Engine, *, act: str = "written") -> Iterator[Connection]:
    """Write to the ledger alone; on the disk when this ends, or not at all.

    Parameters
    ----------
    engine
        The database.
    act
        What cannot be done to the ledger where this fails, for the sentence.

    Yields
    ------
    Connection
        In a transaction that no other writer shares, in whatever process.

    Raises
    ------
    LedgerError
        The database is locked, full or gone.
    """
    with _told(act), _turn(engine), engine.connect() as connection:
        alone = connection.execution_options(**_WRITES)
        with alone.begin():
            if engine.dialect.name == "postgresql":
                alone.execute(text(f"SELECT pg_advisory_xact_lock({_ONE_WRITER})"))
            yield alone


@contextmanager
def _turn(engine: Engine) -> Iterator[None]:
    """Wait for one's turn to write to SQLite.

    SQLite's own waiting sleeps longer and longer, and of two busy writers one would wait for most of a second.
    """
    if engine.dialect.name != "sqlite":
        yield
        return
    until = time.monotonic() + engine.get_execution_options()["gisgrid_patience_s"]
    ledger = engine.url.database
    with Path(f"{ledger}{_TURN}").open("ab") as turn:
        # Whoever has just written must be the next one before he writes again, and so lets another one in between.
        with Path(f"{ledger}{_NEXT}").open("ab") as following:
            _wait_for(following, until)
            _wait_for(turn, until)
        yield


def _wait_for(file: IO[bytes], until: float) -> None:
    while not try_lock(file):
        if time.monotonic() > until:
            raise LedgerError(_sentence("written", OSError("database is locked")))
        time.sleep(_LOOK_S)


@contextmanager
def _told(act: str) -> Iterator[None]:
    try:
        yield
    except (SQLAlchemyError, OSError) as error:
        if isinstance(error, LedgerError):
            raise
        raise LedgerError(_sentence(act, error)) from error


def _sentence(act: str, error: Exception) -> str:
    cause = first_line(getattr(error, "orig", None) or error)
    words = cause.lower()
    if "locked" in words or "lock timeout" in words:
        advice = "another program holds it; nothing was taken, try again"
    elif "full" in words or "disk i/o" in words or "no space" in words:
        advice = "its disk takes no more; nothing was taken, make room and try again"
    elif "not a database" in words or "malformed" in words:
        advice = "the file is no ledger or is damaged; restore it from a backup"
    elif isinstance(error, NoConnectionError):
        advice = "all its connections are in use; try again"
    elif "readonly" in words or "permission denied" in words:
        advice = "give this user the right to write"
    elif act == _OPENED:
        advice = "see that the database runs and that the address is right"
    else:
        advice = "send it again with the same client id when the database answers: it is taken once"
    return f"the ledger cannot be {act} now ({cause}); {advice}"


def prepare(engine: Engine, cycle: LifeCycle) -> None:
    """Make the tables where they are not there, and see that the ledger and its life cycle fit.

    Parameters
    ----------
    engine
        The database.
    cycle
        The life cycle that the ledger shall follow from now on.

    Raises
    ------
    LedgerError
        The database does not answer, or its tables are of a version that this program does not know.
    InputError
        The ledger holds states or events that the life cycle does not have.
    """
    with writing(engine, act=_OPENED) as connection:
        METADATA.create_all(connection, checkfirst=True)
        for index in CASES.indexes:  # a ledger of before may lack one
            index.create(connection, checkfirst=True)
        facts = {row.name: row.value for row in connection.execute(select(FACTS))}
        if not facts:
            for statement in APPEND_ONLY[engine.dialect.name]:
                connection.exec_driver_sql(statement)
            if engine.dialect.name == "postgresql":
                _add_points(connection)
            known = {"tables": SCHEMA_VERSION, "life_cycle": cycle.digest}
            connection.execute(insert(FACTS), [{"name": n, "value": v} for n, v in known.items()])
            return
        if (found := facts.get("tables")) == FROM:
            upgrade(connection, cycle)
        elif found != SCHEMA_VERSION:
            raise LedgerError(
                f"the ledger's tables are of version {found!r}, this program's of {SCHEMA_VERSION!r}; use the program that fits"
            )
        if facts.get("life_cycle") != cycle.digest:
            _refuse_lost(connection, cycle)
            connection.execute(
                update(FACTS).where(FACTS.c.name == "life_cycle").values(value=cycle.digest)
            )


def _add_points(connection: Connection) -> None:
    try:
        with connection.begin_nested():
            for statement in POINTS:
                connection.exec_driver_sql(statement)
    except DBAPIError:  # no PostGIS, or no right to install it: lon and lat remain
        return


def _refuse_lost(connection: Connection, cycle: LifeCycle) -> None:
    """See that a changed life cycle still knows all that the ledger holds."""
    for column, known, what in (
        (CASES.c.state, set(cycle.states), "cases in the state"),
        (EVENTS.c.kind, {step.id for step in cycle.event}, "events of the kind"),
    ):
        lost = sorted(set(connection.scalars(select(column).distinct())) - known)
        if lost:
            raise InputError(
                f"the ledger holds {what} {lost[0]!r}, which the life cycle {cycle.id!r} does not have; add it there"
            )


def copy_sqlite(engine: Engine, path: Path) -> None:
    """Copy a ledger in SQLite while it is written to.

    Parameters
    ----------
    engine
        The database.
    path
        The file; what stood there is replaced as a whole.

    Raises
    ------
    InputError
        The ledger lies in PostgreSQL.
    OutputError
        The file cannot be written.
    LedgerError
        The database does not answer.
    """
    if engine.dialect.name != "sqlite":
        raise InputError("a ledger in PostgreSQL is not copied by gisgrid; use pg_dump")
    with whole_file(path) as draft, _told("read"), closing(engine.raw_connection()) as connection:
        connection.cursor().execute("VACUUM INTO ?", (str(draft),))
