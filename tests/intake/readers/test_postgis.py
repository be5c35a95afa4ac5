"""A table of PostGIS, in a database that lives as long as this module."""

import datetime as dt
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pyarrow as pa
import pytest
import shapely

from gisgrid.errors import InputError
from gisgrid.intake.readers import postgis
from gisgrid.intake.readers.batch import joined
from gisgrid.intake.readers.source import open_source

psycopg = pytest.importorskip("psycopg", reason="psycopg is not installed (gisgrid[postgis])")

TABLE = """
CREATE EXTENSION postgis;
CREATE SCHEMA "城管";
CREATE TABLE "城管".reports (
  id bigint PRIMARY KEY, code text, n int, share float8, exact numeric, open boolean, day date,
  at timestamptz, local timestamp, extra jsonb, geom geometry(PointZ, 4490), "日,期" text);
INSERT INTO "城管".reports VALUES
  (2, '007', 1, 0.5, 12345678901234567890.10, true, '2026-03-04', '2026-03-04 09:30+08', '2026-03-04 09:30:00.5',
   '{"a": 1}', ST_GeomFromText('POINT Z (113.2 35.2 5)', 4490), E'two\\nlines "x", y'),
  (1, '', NULL, 'NaN', NULL, false, 'infinity', 'infinity', NULL, NULL, NULL, NULL);
CREATE TABLE empty (a int);
CREATE TABLE plain (a int);
INSERT INTO plain SELECT generate_series(1, 5000);
"""


def run(program, *arguments):
    subprocess.run([program, *arguments], check=True, capture_output=True, timeout=120)


@pytest.fixture(scope="module")
def database():
    """The address of a new database, or a skip that says what is missing."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin")) if sys.platform == "linux" else []
    if not programs:
        pytest.skip("no PostgreSQL is installed (/usr/lib/postgresql/*/bin)")
    if not list(Path("/usr/share/postgresql").glob("*/extension/postgis.control")):
        pytest.skip("PostgreSQL has no PostGIS extension here")
    as_user = []
    folder = Path(
        tempfile.mkdtemp(prefix="pg-")
    )  # short, for its socket, and where another user may go
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        if not shutil.which("runuser"):
            pytest.skip("PostgreSQL does not run as root and there is no runuser")
        as_user = ["runuser", "-u", "postgres", "--"]
        shutil.chown(folder, "postgres")
    control = [*as_user, str(programs[-1] / "pg_ctl"), "-D", f"{folder}/data", "-w", "-t", "60"]
    run(
        *as_user,
        str(programs[-1] / "initdb"),
        "-D",
        f"{folder}/data",
        "-U",
        "gis",
        "-A",
        "trust",
        "--no-sync",
    )
    options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off"
    run(*control, "-l", f"{folder}/log", "-o", options, "start")
    url = f"postgresql://gis@/postgres?host={folder}"
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(TABLE)
        yield url
    finally:
        run(*control, "-m", "immediate", "stop")
        shutil.rmtree(folder)


def read(url):
    source = open_source(url)
    return source, joined([batch for batch, _ in source.batches()])


@pytest.mark.parametrize("form", ["{url}#城管.reports", "{url}&table=城管.reports"])
def test_types_geometry_nulls_and_order_are_kept(database, form):
    source, batch = read(form.format(url=database))
    assert (source.name, source.format, source.n_rows, source.crs.to_epsg()) == (
        "城管.reports",
        "postgis",
        2,
        4490,
    )
    table = batch.table
    assert batch.rows.tolist() == [1, 2]
    assert table["id"].to_pylist() == [1, 2]
    assert table["code"].to_pylist() == ["", "007"]
    assert table["n"].to_pylist() == [None, 1]
    assert str(table["share"].to_pylist()) == "[nan, 0.5]"
    assert table["exact"].to_pylist() == [None, "12345678901234567890.10"]
    assert table["open"].to_pylist() == [False, True]
    assert table["day"].to_pylist() == [None, dt.date(2026, 3, 4)]
    assert table.schema.field("at").type == pa.timestamp("us", "UTC")
    assert table["at"].to_pylist() == [None, dt.datetime(2026, 3, 4, 1, 30, tzinfo=dt.UTC)]
    assert table["local"].to_pylist() == [None, dt.datetime(2026, 3, 4, 9, 30, 0, 500_000)]  # noqa: DTZ001 - a time without zone
    assert table["extra"].to_pylist() == [None, '{"a": 1}']
    assert table["日,期"].to_pylist() == [None, 'two\nlines "x", y']
    shapes = shapely.from_wkb(batch.wkb.to_numpy(zero_copy_only=False))
    assert (shapes[0], shapes[1].wkt) == (None, "POINT (113.2 35.2)")


def test_a_table_comes_in_steps(database, monkeypatch):
    monkeypatch.setattr(postgis, "_BLOCK", 4000)
    source = open_source(f"{database}#plain")
    assert source.crs is None
    found = list(source.batches())
    assert len(found) > 3
    assert found[-1][1] == 1.0
    assert joined([batch for batch, _ in found]).table["a"].to_pylist() == list(range(1, 5001))


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ("#report", r"no table 'report' in the database"),
        ("#城管.report", r"no table '城管.report' in the database; did you mean '城管.reports'\?"),
        ('#plain"; DROP TABLE plain; --', "no table"),
        ("#empty", "table 'public.empty' has no rows"),
        ("", "names no table; add it"),
    ],
)
def test_a_table_that_is_not_there_is_refused(database, table, sentence):
    with pytest.raises(InputError, match=sentence):
        open_source(database + table)


def test_a_database_that_does_not_answer_is_said_without_the_password(tmp_path):
    with pytest.raises(InputError, match=r"the database on .* cannot be read") as caught:
        open_source(f"postgresql://gis:secret@/x?host={tmp_path}#a")
    assert "secret" not in str(caught.value)


def test_a_missing_psycopg_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(InputError, match=r"install gisgrid\[postgis\]"):
        open_source("postgresql://gis@/x#a")
