"""When does what SQLite wrote ahead go into the ledger's own file? Beside the commits, so that no sender waits for it.

By itself SQLite lets a commit carry over what a thousand pages of commits before it wrote ahead, and whoever sent that
one waits for all of them. What was acknowledged lies safe on the disk either way.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from gisgrid.files import first_line

_PAUSE_S: Final = 0.25
"""Between two of them, however much is written."""

_log: Final = logging.getLogger("gisgrid.casework")


class Checkpoints:
    """A thread that carries over what a ledger wrote ahead; none where the database sees to that itself.

    Parameters
    ----------
    engine
        The database.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._written, self._closed = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        if engine.dialect.name == "sqlite":
            self._thread = threading.Thread(target=self._work, name="gisgrid-checkpoints", daemon=True)  # fmt: skip
            self._thread.start()

    def due(self) -> None:
        """Say that something was written."""
        self._written.set()

    def close(self) -> None:
        """End; whoever closes a ledger last leaves nothing behind that was written ahead."""
        self._closed.set()
        self._written.set()
        if self._thread is not None:
            self._thread.join()

    def _work(self) -> None:
        while self._written.wait() and not self._closed.is_set():
            self._written.clear()
            try:
                self._carry_over()
            except (SQLAlchemyError, sqlite3.Error) as error:
                # Nothing is lost: it is tried again, in the end by a commit, which says what is wrong.
                _log.info("the ledger's file cannot be brought up to date now: %s", first_line(error))  # fmt: skip
            self._closed.wait(_PAUSE_S)

    def _carry_over(self) -> None:
        connection = self._engine.raw_connection()
        try:
            connection.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        finally:
            connection.close()
