"""What was written ahead comes into the ledger's own file, and not while somebody waits for a commit."""

import shutil
import sqlite3
import time
from contextlib import closing

from gisgrid.casework.ledger import Ledger
from gisgrid.casework.ledger.checkpoints import Checkpoints


def n_in_file(tmp_path):
    """Count the events in the ledger's own file, whatever was written ahead of it."""
    copy = shutil.copy(tmp_path / "cases.db", tmp_path / "copy.db")
    with closing(sqlite3.connect(copy)) as connection:
        try:
            return connection.execute("SELECT count(*) FROM events").fetchone()[0]
        except sqlite3.DatabaseError:  # not even its tables, or some of its pages
            return 0


def test_what_was_taken_comes_into_the_file_while_the_ledger_is_open(ledger, event, tmp_path):
    ledger.append([event("reported"), event("filed")])
    until = time.monotonic() + 30
    while n_in_file(tmp_path) != 2 and time.monotonic() < until:
        time.sleep(0.01)
    assert n_in_file(tmp_path) == 2


def test_no_commit_carries_over_what_others_wrote(url, event, clock, tmp_path, monkeypatch):
    monkeypatch.setattr(Checkpoints, "due", lambda _: None)
    with Ledger.open(url, clock=clock) as ledger:
        for i in range(4):
            ledger.append([event("reported", f"{i}-{k}", why="因为" * 1_000) for k in range(500)])
        assert n_in_file(tmp_path) == 0
    assert n_in_file(tmp_path) == 2_000


def test_a_file_that_takes_nothing_keeps_what_was_acknowledged(ledger, event, monkeypatch):
    tried = []

    def full(self):
        tried.append(self)
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(Checkpoints, "_carry_over", full)
    ledger.append(event("reported"))
    deadline = time.monotonic() + 30
    while not tried and time.monotonic() < deadline:
        time.sleep(0.01)
    ledger.append(event("filed"))
    assert tried
    assert ledger.case("A-1").state == "filed"
