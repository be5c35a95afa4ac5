"""The server as a whole, over HTTP on this machine: tiles that nobody has asked for before, and tiles that are ready.

200 000 points with 5 attributes in 120 clusters over 60 by 60 km, and 5 000 polygons; some 2 000 tiles of zooms 10 to 16,
most of them deep, as maps ask for them. Eight connections, gzip, two workers; the load generator is on the same cores.
wrk makes the load where it is installed, a small one of our own otherwise. The peer is tipg over PostGIS with the same
rows: it is measured where `GISGRID_BENCH_TIPG` names a Python that has tipg, made for example by
`python -m venv /tmp/tipg && /tmp/tipg/bin/pip install tipg uvicorn`, and where Debian's postgresql and PostGIS are installed.
"""

import asyncio
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely
from timing import row

from gisgrid.files import write_frame
from gisgrid.tiles import bbox_tiles

CENTRE = (113.9, 35.3)
SPAN = 0.3
CONNECTIONS = 8
SECONDS = float(os.environ.get("GISGRID_BENCH_SECONDS", "8"))
PORT_OF_TIPG = 8099
TILES_AT = {10: 8, 11: 22, 12: 60, 13: 181, 14: 518, 15: 600, 16: 600}


def rows():
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        tiles = write_city(root)
        found = {}
        for name, cache in (("uncached", 0), ("cached", 512 * 1024 * 1024)):
            with served(root, cache) as base:
                for layer in ("issues", "areas"):
                    load(base, [f"/tiles/{layer}/{tile}.mvt" for tile in tiles], seconds=2)
                    found[name, layer] = load(
                        base, [f"/tiles/{layer}/{tile}.mvt" for tile in tiles]
                    )
        peer = tipg(root, tiles)
    table = []
    for (name, layer), ours in found.items():
        theirs = peer.get(layer) if peer and name == "uncached" else None
        table += [
            rate_row(f"{name} tiles, {layer}", ours, theirs),
            p99_row(f"{name} tiles, {layer}", ours, theirs),
        ]
    return table


def rate_row(work, ours, theirs):
    """Per tile, so that less is better, as in every row: 0.125 ms are 8 000 tiles a second."""
    work = f"{work}: a tile, at {ours['rate']:,.0f}/s"
    return row(
        work,
        1000 / ours["rate"],
        1000 / theirs["rate"] if theirs else None,
        "tipg + PostGIS" if theirs else None,
        unit="ms",
    )


def p99_row(work, ours, theirs):
    return row(
        f"{work}: p99",
        ours["p99_ms"],
        theirs["p99_ms"] if theirs else None,
        "tipg + PostGIS" if theirs else None,
        unit="ms",
    )


def points(n=200_000, seed=5):
    rng = np.random.default_rng(seed)
    middles = rng.uniform(-SPAN, SPAN, (120, 2))
    cluster = rng.integers(0, 120, n)
    place = middles[cluster] + rng.normal(0, 0.02, (n, 2)) + CENTRE
    return gpd.GeoDataFrame(
        {
            "issue_id": np.arange(n),
            "category_code": rng.choice([f"c{i:02d}" for i in range(12)], n),
            "status_code": rng.choice(["open", "closed", "queued", "refused"], n),
            "severity": rng.integers(1, 6, n),
            "day": rng.integers(0, 730, n),
        },
        geometry=gpd.points_from_xy(*place.T),
        crs=4326,
    )


def polygons(n=5_000, seed=6):
    rng = np.random.default_rng(seed)
    middle = rng.uniform(-SPAN, SPAN, (n, 1, 2)) + CENTRE
    angle = np.linspace(0, 2 * np.pi, 31, endpoint=False)
    radius = rng.uniform(0.001, 0.004, (n, 1)) * rng.uniform(0.8, 1, (n, 31))
    ring = middle + np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=2)
    return gpd.GeoDataFrame(
        {
            "area_id": np.arange(n),
            "kind_code": rng.choice(["a", "b", "c"], n),
            "floors": rng.integers(1, 30, n),
            "score": rng.normal(size=n),
        },
        geometry=shapely.polygons(ring),
        crs=4326,
    )


def write_city(root):
    """A catalogue of two layers; gives the tiles to ask for, in an order of no meaning."""
    (root / "layers").mkdir()
    (root / "data").mkdir()
    (root / "layers" / "catalogue.toml").write_text(
        'title = { zh = "测", en = "Bench" }\ntimezone = "Asia/Shanghai"\ncrs = "OGC:CRS84"\n'
        '[groups]\nall = { zh = "全", en = "All" }\n',
        "utf-8",
    )
    reports = points()
    for name, frame, geometry in (("issues", reports, "Point"), ("areas", polygons(), "Polygon")):
        write_frame(frame, root / "data" / f"{name}.parquet")
        columns = [column for column in frame.columns if column != "geometry"]
        folder = root / "layers" / name
        folder.mkdir()
        fields = "".join(
            f'[[fields]]\nname = "{column}"\ntype = "{kind(frame[column])}"\ndescription = {{ zh = "x", en = "x" }}\n'
            for column in columns
        )
        (folder / "layer.toml").write_text(
            f'id = "{name}"\ntitle = {{ zh = "x", en = "x" }}\ndescription = {{ zh = "x", en = "x" }}\ngroup = "all"\n'
            f'geometry = "{geometry}"\nprimary_key = "{columns[0]}"\ncrs = "EPSG:4326"\n[source]\npath = "{name}.parquet"\n'
            f"[tiles]\nminzoom = 8\nmaxzoom = 16\nproperties = {json.dumps(columns)}\n"
            '[tiles.low_zoom]\nstrategy = "none"\n' + fields,
            "utf-8",
        )
    return some_tiles(reports)


def kind(values):
    return {"i": "integer", "u": "integer", "f": "number"}.get(values.dtype.kind, "string")


def some_tiles(frame):
    rng = np.random.default_rng(7)
    places = frame.geometry.iloc[rng.integers(0, len(frame), 20_000)]
    chosen = []
    for zoom, n in TILES_AT.items():
        tiles = dict.fromkeys(next(bbox_tiles((p.x, p.y, p.x, p.y), zoom)) for p in places)
        chosen += [f"{z}/{x}/{y}" for z, x, y in list(tiles)[:n]]
    rng.shuffle(chosen)
    return chosen


@contextmanager
def served(root, cache_bytes, workers=2):
    """`gisgrid serve`, as an operator starts it."""
    environment = {**os.environ, "GISGRID_CACHE_BYTES": str(cache_bytes), "PYTHONUNBUFFERED": "1"}
    words = [
        "--layers",
        root / "layers",
        "--data",
        root / "data",
        "--port",
        "0",
        "--workers",
        str(workers),
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", "gisgrid.cli", "serve", *words],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    try:
        line = ""
        while "http://" not in line:
            line = process.stdout.readline()
            assert line, "the server ended"
        base = re.search(r"http://[^/ ]+", line)[0]
        ready = 0
        while ready < 8 * workers:  # whichever worker answers
            try:
                ready += json.loads(asked(f"{base}/readyz"))["status"] == "ready"
            except OSError:
                time.sleep(0.2)
        yield base
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()


def load(base, paths, seconds=SECONDS):
    found = (
        with_wrk(base, paths, seconds)
        if shutil.which("wrk")
        else asyncio.run(with_sockets(base, paths, seconds))
    )
    assert not found["errors"], found
    return found


LUA = """
local paths = {}
for line in io.lines("%s") do paths[#paths + 1] = line end
local i = math.random(#paths)
request = function()
  i = i %% #paths + 1
  return wrk.format("GET", paths[i], {["Accept-Encoding"] = "gzip"})
end
done = function(summary, latency)
  local e = summary.errors
  print(string.format("RESULT %%d %%d %%f %%f %%d", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), e.connect + e.read + e.write + e.status + e.timeout))
end
"""


def with_wrk(base, paths, seconds):
    with tempfile.TemporaryDirectory() as folder:
        listed, script = Path(folder) / "paths.txt", Path(folder) / "load.lua"
        listed.write_text("\n".join(paths))
        script.write_text(LUA % listed)
        words = [
            "wrk",
            "-t1",
            f"-c{CONNECTIONS}",
            f"-d{int(seconds)}s",
            "--latency",
            "-s",
            script,
            base,
        ]
        said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    n, took_us, p50_us, p99_us, errors = re.search(
        r"RESULT (\d+) (\d+) ([\d.]+) ([\d.]+) (\d+)", said
    ).groups()
    return {
        "rate": int(n) / int(took_us) * 1e6,
        "p50_ms": float(p50_us) / 1000,
        "p99_ms": float(p99_us) / 1000,
        "errors": int(errors),
    }


async def with_sockets(base, paths, seconds):
    """The same load without wrk; it takes more of the cores itself."""
    host, port = base.removeprefix("http://").split(":")
    taken, errors, turn, end = [], 0, cycle(paths), time.perf_counter() + seconds

    async def connection():
        nonlocal errors
        reader, writer = await asyncio.open_connection(host, int(port))
        while time.perf_counter() < end:
            start = time.perf_counter()
            writer.write(
                f"GET {next(turn)} HTTP/1.1\r\nHost: {host}\r\nAccept-Encoding: gzip\r\n\r\n".encode()
            )
            head = await reader.readuntil(b"\r\n\r\n")
            size = re.search(rb"content-length: (\d+)", head)
            if size:
                await reader.readexactly(int(size[1]))
            errors += not head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 204"))
            taken.append(time.perf_counter() - start)
        writer.close()

    start = time.perf_counter()
    await asyncio.gather(*(connection() for _ in range(CONNECTIONS)))
    p50, p99 = np.percentile(np.array(taken) * 1000, [50, 99])
    return {
        "rate": len(taken) / (time.perf_counter() - start),
        "p50_ms": p50,
        "p99_ms": p99,
        "errors": errors,
    }


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


def asked(url):
    return urllib.request.urlopen(url, timeout=120).read()  # noqa: S310 - our own address


def wait_for(url):
    deadline = time.monotonic() + 60
    while True:
        try:
            return asked(url)
        except OSError:
            assert time.monotonic() < deadline, url
            time.sleep(0.2)


if __name__ == "__main__":
    for one in rows():
        print(one)
