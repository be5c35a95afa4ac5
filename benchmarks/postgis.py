"""tipg over PostGIS with the same rows, the peer of the server as a whole."""

import os
import shutil
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import geopandas as gpd
from loading import load, wait_for

PORT_OF_TIPG = 8099


def tipg(root, tiles):
    """tipg over PostGIS with the same rows; None, and the reason printed, where they are not installed."""
    python, binaries = (
        os.environ.get("GISGRID_BENCH_TIPG"),
        sorted(Path("/usr/lib/postgresql").glob("*/bin")),
    )
    if python is None or not binaries:
        print(
            "tipg + PostGIS are not measured: set GISGRID_BENCH_TIPG to a Python that has tipg, and install PostGIS"
        )
        return None
    with postgres(binaries[-1]) as address:
        fill(address, root)
        environment = {
            **os.environ,
            "DATABASE_URL": address,
            "TIPG_MAX_FEATURES_PER_TILE": "500000",
        }
        words = [
            python,
            "-m",
            "uvicorn",
            "tipg.main:app",
            "--port",
            str(PORT_OF_TIPG),
            "--workers",
            "2",
            "--log-level",
            "warning",
        ]
        process = subprocess.Popen(words, env=environment)
        try:
            base = f"http://127.0.0.1:{PORT_OF_TIPG}"
            wait_for(f"{base}/healthz")
            found = {}
            for layer in ("issues", "areas"):
                path = f"/collections/public.{layer}/tiles/WebMercatorQuad"
                paths = [f"{path}/{tile}" for tile in tiles]
                load(base, paths, seconds=4)
                found[layer] = load(base, paths)
            return found
        finally:
            process.terminate()
            process.wait(30)


@contextmanager
def postgres(binaries):
    """A database of our own in a folder of our own; PostgreSQL refuses to run as root."""
    folder = Path(tempfile.mkdtemp(prefix="gisgrid-pg-"))
    user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if user:
        shutil.chown(folder, "postgres")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    run = {"capture_output": True, "cwd": folder}
    subprocess.run(
        [*user, binaries / "initdb", "-D", folder / "db", "-U", "bench", "-A", "trust"],
        check=True,
        **run,
    )
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c shared_buffers=512MB"
    subprocess.run(
        [
            *user,
            binaries / "pg_ctl",
            "-D",
            folder / "db",
            "-l",
            folder / "log",
            "-w",
            "-o",
            options,
            "start",
        ],
        check=True,
        **run,
    )
    try:
        yield f"postgresql://bench@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run(
            [*user, binaries / "pg_ctl", "-D", folder / "db", "-m", "immediate", "stop"],
            check=True,
            **run,
        )
        shutil.rmtree(folder, ignore_errors=True)


def fill(address, root):
    import psycopg

    with psycopg.connect(address, autocommit=True) as database:
        database.execute("create extension postgis")
        for name in ("issues", "areas"):
            frame = gpd.read_parquet(root / "data" / f"{name}.parquet").to_crs(3857)
            types = {"integer": "integer", "number": "double precision", "string": "text"}
            columns = [column for column in frame.columns if column != "geometry"]
            said = ", ".join(f"{column} {types[kind(frame[column])]}" for column in columns)
            database.execute(f"create table {name} ({said}, geom geometry(geometry, 3857))")
            with database.cursor().copy(f"copy {name} from stdin") as copy:
                for record, shape in zip(
                    frame[columns].itertuples(index=False), frame.geometry, strict=True
                ):
                    copy.write_row(
                        [*(v.item() if hasattr(v, "item") else v for v in record), shape.wkb_hex]
                    )
            database.execute(f"create index on {name} using gist (geom)")
            database.execute(f"alter table {name} add primary key ({columns[0]})")
            database.execute(f"vacuum analyze {name}")


def kind(values):
    return {"i": "integer", "u": "integer", "f": "number"}.get(values.dtype.kind, "string")
