"""Ledgers to try: in a file, and in a PostgreSQL that lives as long as the tests."""

import datetime as dt
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from gisgrid.casework.ledger import Event, Ledger

START = dt.datetime(2026, 3, 2, 1, 0, tzinfo=dt.UTC)


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self):
        self.time = START

    def __call__(self):
        return self.time

    def go(self, **span):
        self.time += dt.timedelta(**span)
        return self.time


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def event(clock):
    """Make an event of case A-1 now, unless told otherwise."""

    def make(kind, case_id="A-1", **said):
        said = {"at": clock(), "by": "collector-7", "why": "因为", **said}
        if kind == "dispatched":
            said.setdefault("data", {"owner": "sanitation"})
        return Event(case_id, kind, **said)

    return make


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/cases.db"


@pytest.fixture
def ledger(url, clock):
    with Ledger.open(url, clock=clock, patience_s=5) as opened:
        yield opened


class Server:
    """PostgreSQL with PostGIS in a folder of its own, to be stopped and started."""

    def __init__(self, folder, programs, as_user):
        self.folder, self.programs, self.as_user = folder, programs, as_user
        self.url = f"postgresql://gis@/postgres?host={folder}"

    def run(self, program, *arguments):
        words = [
            *self.as_user,
            str(self.programs / program),
            "-D",
            f"{self.folder}/data",
            *arguments,
        ]
        subprocess.run(words, check=True, capture_output=True, timeout=120)

    def start(self):
        options = f"-c listen_addresses='' -c unix_socket_directories='{self.folder}' -c fsync=off"
        self.run("pg_ctl", "-w", "-t", "60", "-l", f"{self.folder}/log", "-o", options, "start")

    def stop(self):
        self.run("pg_ctl", "-w", "-t", "60", "-m", "immediate", "stop")


@pytest.fixture(scope="session")
def postgresql():
    """A server, or a skip that says what is missing."""
    pytest.importorskip("psycopg", reason="psycopg is not installed (gisgrid[postgis])")
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin")) if sys.platform == "linux" else []
    if not programs:
        pytest.skip("no PostgreSQL is installed (/usr/lib/postgresql/*/bin)")
    as_user = []
    folder = Path(tempfile.mkdtemp(prefix="pg-"))  # short, for its socket
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        if not shutil.which("runuser"):
            pytest.skip("PostgreSQL does not run as root and there is no runuser")
        as_user = ["runuser", "-u", "postgres", "--"]
        shutil.chown(folder, "postgres")
    server = Server(folder, programs[-1], as_user)
    try:
        server.run("initdb", "-U", "gis", "-A", "trust", "--no-sync")
        server.start()
        yield server
    finally:
        if (folder / "data" / "postmaster.pid").exists():
            server.stop()
        shutil.rmtree(folder)


@pytest.fixture
def postgresql_url(postgresql):
    """The address of an empty database."""
    import psycopg

    with psycopg.connect(postgresql.url, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS cases WITH (FORCE)")
        connection.execute("CREATE DATABASE cases")
    return postgresql.url.replace("/postgres?", "/cases?")
