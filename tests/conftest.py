"""What every test may ask for."""

import os
import runpy
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]

if (
    signal.getsignal(signal.SIGINT) is signal.SIG_IGN
):  # started in the background: its children would ignore Ctrl-C too
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def project() -> Path:
    """The folder of the project."""
    return PROJECT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The real data beside the project, or a skip that says what is missing."""
    folder = PROJECT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real data are not beside the project (../shared/data)")
    return folder


@pytest.fixture(scope="session")
def layers_dir() -> Path:
    """The catalogue that comes with the project."""
    return PROJECT / "layers"


@pytest.fixture(scope="session")
def _small_city(project, layers_dir, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("small") / "city"
    runpy.run_path(str(project / "tests/desk/small_city.py"))["make"](folder, layers_dir)
    return folder


@pytest.fixture
def small_city(_small_city, tmp_path) -> Path:
    """A folder with `layers` and `data`: a grid of 16 units and the layer of cases, no case yet."""
    return Path(shutil.copytree(_small_city, tmp_path / "city"))


class PostgresqlServer:
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

    def database(self, name):
        """Make an empty database in place of what had that name, and give its address."""
        import psycopg

        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {name}")
        return self.url.replace("/postgres?", f"/{name}?")


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
    server = PostgresqlServer(folder, programs[-1], as_user)
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
    return postgresql.database("cases")
