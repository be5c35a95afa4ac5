"""How many reports does the server take in a second, each durable, located, routed and due? Real workers, real HTTP.

32 clients, two workers, SQLite, the load on the same cores. No peer: no open system takes reports by this interface.
"""

from __future__ import annotations

import asyncio
import json
import runpy
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

import numpy as np
from pyproj import Transformer
from timing import row

PROJECT = Path(__file__).parents[1]
CLIENTS, WORKERS = 32, 2


def rows():
    found = measure()
    return [
        row(
            f"POST /api/report, durable: a report, at {found['reports_per_s']:,.0f}/s",
            1000 / found["reports_per_s"],
            None,
            None,
            unit="ms",
        ),
        row("POST /api/report, durable: p99 at 32 clients", found["p99_ms"], None, None, unit="ms"),
    ]


async def client(
    port: int, until: float, spots: np.ndarray, number: int, taken: list[float]
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    rng = np.random.default_rng(number)
    while time.perf_counter() < until:
        lon, lat = spots[rng.integers(len(spots))]
        said = {
            "client_id": str(uuid.uuid4()),
            "lon": lon,
            "lat": lat,
            "service_code": "0110",
            "description": "垃圾",
        }
        body = json.dumps(said).encode()
        started = time.perf_counter()
        writer.write(
            b"POST /api/report HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
            % (len(body), body)
        )
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 201"), head
        length = next(
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length")
        )
        await reader.readexactly(length)
        taken.append(time.perf_counter() - started)
    writer.close()


async def load(port: int, seconds: float, spots: np.ndarray) -> list[float]:
    taken: list[float] = []
    until = time.perf_counter() + seconds
    await asyncio.gather(*(client(port, until, spots, number, taken) for number in range(CLIENTS)))
    return taken


def measure(seconds: float = 10.0) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        city = Path(folder) / "city"
        runpy.run_path(str(PROJECT / "tests/desk/small_city.py"))["make"](city, PROJECT / "layers")
        to_degrees = Transformer.from_crs(4547, 4326, always_xy=True)
        rng = np.random.default_rng(1)
        spots = np.column_stack(
            to_degrees.transform(
                500_000 + rng.uniform(0, 800, 1000), 3_895_000 + rng.uniform(0, 800, 1000)
            )
        )
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        script = (
            "import socket, sys\nfrom gisgrid_server.running.workers import run\nfrom gisgrid_server.settings import Settings\n"
            f"if __name__ == '__main__':\n    run(Settings(layers={str(city / 'layers')!r}, data={str(city / 'data')!r}, port={port}, "
            f"workers={WORKERS}, reports_per_minute=1_000_000), socket.create_server(('127.0.0.1', {port}), backlog=512))\n"
        )
        path = Path(folder) / "serve.py"
        path.write_text(script, "utf-8")
        server = subprocess.Popen([sys.executable, str(path)], cwd=PROJECT)
        try:
            _wait(port)
            asyncio.run(load(port, 2.0, spots))
            started = time.perf_counter()
            taken = asyncio.run(load(port, seconds, spots))
            elapsed = time.perf_counter() - started
        finally:
            server.terminate()
            server.wait(30)
    return {
        "reports_per_s": round(len(taken) / elapsed, 1),
        "p50_ms": round(float(np.percentile(taken, 50)) * 1000, 1),
        "p99_ms": round(float(np.percentile(taken, 99)) * 1000, 1),
        "clients": CLIENTS,
        "workers": WORKERS,
    }


def _wait(port: int) -> None:
    import httpx

    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=2).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.2)
    raise SystemExit("the server did not start")


if __name__ == "__main__":
    print(json.dumps(measure(float(sys.argv[1]) if len(sys.argv) > 1 else 10.0)))
