"""What happens when the disk is full, the database held, the server gone, the process killed."""

import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from gisgrid.casework.ledger import (
    CaseFilter,
    ConflictError,
    Ledger,
    LedgerError,
    TransitionError,
)

HERE = Path(__file__).parent
FULL = """
import datetime as dt, resource, sys
from gisgrid.casework.ledger import Event, Ledger, LedgerError

def sent(i):
    at = dt.datetime(2026, 3, 2, 1, 0, tzinfo=dt.UTC)
    return Event(f"A-{i}", "reported", at, "u", data={"text": "x" * 20_000})

with Ledger.open(sys.argv[1], patience_s=1) as ledger:
    resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, resource.RLIM_INFINITY))
    taken = 0
    try:
        for i in range(200):
            ledger.append(sent(i), client_id=f"u{i}")
            taken += 1
    except LedgerError as error:
        print(error)
    assert 0 < taken < 200
    assert ledger.count() == taken
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert not ledger.append(sent(taken), client_id=f"u{taken}").repeated
    assert ledger.append(sent(0), client_id="u0").repeated
    assert ledger.flaws() == []
    assert ledger.count() == taken + 1
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_hundred_killed_writers_lose_nothing_acknowledged(url):
    done = subprocess.run(
        [sys.executable, HERE / "killed_writers.py", url, "100"],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    rounds, told, found = map(int, done.stdout.split())
    assert (rounds, found >= told >= rounds) == (100, True)


def test_a_full_disk_is_said_and_nothing_is_half_there(ledger, event):
    pages = 0
    with closing(ledger._engine.raw_connection()) as connection:
        (pages,) = connection.cursor().execute("PRAGMA page_count").fetchone()
    # A limit holds for the connection that sets it: every one of this ledger's.
    from sqlalchemy import event as hooks

    limit = [pages + 4]

    def bound(connection, *_):
        connection.execute(f"PRAGMA max_page_count = {limit[0]}")

    hooks.listen(ledger._engine, "checkout", bound)
    with pytest.raises(LedgerError, match="its disk takes no more; nothing was taken, make room"):
        ledger.append(event("reported", data={"text": "x" * 60_000}), client_id="big")
    assert (ledger.count(), ledger.last_seq()) == (0, 0)
    limit[0] = 10**6
    assert not ledger.append(event("reported"), client_id="big").repeated
    assert ledger.flaws() == []


@pytest.mark.skipif(sys.platform == "win32", reason="there are no limits to files")
def test_a_disk_that_fills_up_keeps_what_was_acknowledged(url):
    done = subprocess.run(
        [sys.executable, "-c", FULL, url], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "its disk takes no more" in done.stdout


def test_a_locked_database_is_said_and_works_again_when_free(url, tmp_path, event):
    with Ledger.open(url, patience_s=0.2) as ledger:
        ledger.append(event("reported"))
        holder = sqlite3.connect(tmp_path / "cases.db", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(
            LedgerError, match="another program holds it; nothing was taken, try again"
        ):
            ledger.append(event("filed"), client_id="later")
        assert ledger.case("A-1").state == "reported"  # who reads does not wait
        holder.execute("ROLLBACK")
        holder.close()
        assert not ledger.append(event("filed"), client_id="later").repeated


def test_a_ledger_that_cannot_be_written_is_said(url, tmp_path, event):
    from sqlalchemy import event as hooks

    with Ledger.open(url) as ledger:
        hooks.listen(ledger._engine, "checkout", lambda c, *_: c.execute("PRAGMA query_only = 1"))
        with pytest.raises(LedgerError, match="give this user the right to write"):
            ledger.append(event("reported"))


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="processes do not fork here")
def test_a_forked_process_is_told_to_open_its_own(url):
    script = (
        "import os, sys\nfrom gisgrid.casework.ledger import Event, Ledger, LedgerError\nimport datetime as dt\n"
        "ledger = Ledger.open(sys.argv[1])\nchild = os.fork()\nif child == 0:\n"
        "    try:\n        ledger.append(Event('A', 'reported', dt.datetime.now(dt.UTC), 'u'))\n"
        "    except LedgerError as error:\n        os._exit(7 if 'forked' in str(error) else 8)\n    os._exit(9)\n"
        "assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7\nledger.close()\n"
    )
    subprocess.run([sys.executable, "-c", script, url], check=True, timeout=60)


def test_postgresql_holds_the_same_ledger(postgresql_url, clock, event):
    with Ledger.open(postgresql_url, clock=clock) as ledger, Ledger.open(postgresql_url) as other:
        data = {"owner": "o1", "unit_code": "u1", "category_code": "0110", "why": "“垃圾”\u0000"}
        first = ledger.append(
            [event("reported", data=data, place=(113.2, 35.2)), event("filed")], client_id="c"
        )
        assert other.append(
            [event("reported", data=data, place=(113.2, 35.2)), event("filed")], client_id="c"
        ).repeated
        assert first.versions == {"A-1": 2}
        with pytest.raises(ConflictError, match="at version 2, not 1"):
            other.append(event("dispatched"), expected={"A-1": 1})
        with pytest.raises(TransitionError, match="what may come next: dispatched"):
            other.append(event("closed"))
        other.append(
            [event("reported", f"B-{i}", data=data, place=(113.2, 35.2)) for i in range(60)]
        )
        wanted = CaseFilter(owners=("o1",), unit_codes=("u1",), bbox=(113.1, 35.1, 113.3, 35.3))
        assert ledger.count(wanted) == 61
        page = ledger.cases(wanted, limit=50)
        assert len(ledger.cases(wanted, limit=50, after=(None, page["case_id"].iloc[-1]))) == 11
        assert ledger.events()["data"][0] == data
        assert ledger.cases().dtypes.equals(ledger.cases(CaseFilter(case_ids=())).dtypes)
        assert ledger.flaws() == []
        before = ledger.cases()
        assert ledger.rebuild() == 61
        assert before.equals(ledger.cases())


def test_postgresql_only_adds_events_and_shows_points(postgresql_url, event):
    import psycopg

    with Ledger.open(postgresql_url) as ledger:
        ledger.append(event("reported", place=(113.2, 35.2)))
        for statement in ("UPDATE events SET why = ''", "DELETE FROM events", "TRUNCATE events"):
            with (
                psycopg.connect(postgresql_url) as connection,
                pytest.raises(psycopg.errors.RaiseException, match="events are only added"),
            ):
                connection.execute(statement)
        with psycopg.connect(postgresql_url) as connection:
            if connection.execute(
                "SELECT 1 FROM pg_available_extensions WHERE name = 'postgis'"
            ).fetchone():
                found = connection.execute(
                    "SELECT ST_AsText(geom), ST_SRID(geom) FROM cases"
                ).fetchall()
                assert found == [("POINT(113.2 35.2)", 4326)]


def test_writers_of_several_ledgers_in_postgresql_leave_no_gap(postgresql_url, event):
    ledgers = [Ledger.open(postgresql_url) for _ in range(3)]
    seen = []
    stop = threading.Event()

    def watch():
        while True:
            ended = stop.is_set()
            news = ledgers[0].events(since=seen[-1] if seen else 0)
            seen.extend(news["seq"].tolist())
            if ended:
                return

    watcher = threading.Thread(target=watch)
    watcher.start()
    futures = [
        ledgers[i % 3].submit(event("reported", f"A-{i % 100}"), client_id=f"c{i % 100}")
        for i in range(300)
    ]
    assert sum(not future.result().repeated for future in futures) == 100
    stop.set()
    watcher.join()
    assert seen == list(range(1, 101))
    assert ledgers[0].flaws() == []
    for ledger in ledgers:
        ledger.close()


def test_postgresql_gone_and_back(postgresql, postgresql_url, event):
    with Ledger.open(postgresql_url, patience_s=2) as ledger:
        ledger.append(event("reported"), client_id="before")
        postgresql.stop()
        try:
            with pytest.raises(LedgerError, match="send it again with the same client id"):
                ledger.append(event("filed"), client_id="during")
            with pytest.raises(LedgerError, match="cannot be read now"):
                ledger.case("A-1")
        finally:
            postgresql.start()
        assert not ledger.append(event("filed"), client_id="during").repeated
        assert ledger.append(event("reported"), client_id="before").repeated
        assert ledger.case("A-1").version == 2


def test_a_connection_cut_after_the_commit_gives_the_receipt(postgresql_url, event, monkeypatch):
    """The worst moment: it is on the disk, and the answer is lost."""
    import psycopg

    from gisgrid.casework.ledger import ledger as module

    with Ledger.open(postgresql_url) as ledger:
        ledger.append(event("reported"))
        real = module.take
        cut = []

        def take(connection, *rest):
            answers = real(connection, *rest)
            if not cut:
                cut.append(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar())
                connection.exec_driver_sql("COMMIT")
                with psycopg.connect(postgresql_url, autocommit=True) as other:
                    other.execute("SELECT pg_terminate_backend(%s)", cut)
                connection.exec_driver_sql("SELECT 1")
            return answers

        monkeypatch.setattr(module, "take", take)
        receipt = ledger.append(event("filed"), client_id="lost")
        assert (receipt.repeated, receipt.versions) == (True, {"A-1": 2})


def test_a_password_is_never_said(tmp_path):
    with pytest.raises(LedgerError) as caught:
        Ledger.open(f"postgresql://gis:secret@/x?host={tmp_path}", patience_s=1)
    assert "secret" not in str(caught.value)


def test_a_missing_psycopg_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(Exception, match=r"install gisgrid\[postgis\]"):
        Ledger.open("postgresql://gis@/x")
