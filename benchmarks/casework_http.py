"""How many reports does the server take in a second, each durable, located, routed and due? Real workers, real HTTP.

32 clients, two workers, SQLite, the load on the same cores. No peer: no open system takes reports by this interface.

Two loads. Without a pause: each client sends as soon as it is answered, which says how many can be taken, and makes whoever
waits wait for all the others. At a steady rate: the k-th report is due at k/rate, and its wait counts from there even where
no client was free to send it, so that a halt of the server is not left out (coordinated omission).
"""

from __future__ import annotations

import asyncio
import itertools
import json
import runpy
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import Self

import numpy as np
import uvloop
from pyproj import Transformer
from timing import row

PROJECT = Path(__file__).parents[1]
CLIENTS, WORKERS = 32, 2
RATE = 500
"""Reports a second of the steady load."""


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
        row(
            "POST /api/report, durable: p99 of 32 clients without a pause",
            found["p99_ms"],
            None,
            None,
            unit="ms",
        ),
        row(
            f"POST /api/report, durable: p99 of 32 clients at {RATE}/s",
            found["p99_at_rate_ms"],
            None,
            None,
            unit="ms",
        ),
    ]


class Client:
    """A connection that reports."""

    def __init__(self, port: int, number: int, spots: np.ndarray) -> None:
        self._port, self._spots = port, spots
        self._rng = np.random.default_rng(number)

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()

    async def report(self) -> None:
        lon, lat = self._spots[self._rng.integers(len(self._spots))]
        said = {"client_id": str(uuid.uuid4()), "lon": lon, "lat": lat, "service_code": "0110", "description": "垃圾"}  # fmt: skip
        body = json.dumps(said).encode()
        self._writer.write(
            b"POST /api/report HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
            % (len(body), body)
        )
        head = await self._reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 201"), head
        length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))  # fmt: skip
        await self._reader.readexactly(length)


async def load(
    port: int, seconds: float, spots: np.ndarray, rate: float | None = None
) -> list[float]:
    """Report from all clients; gives how long each report took, from when it was due."""
    taken: list[float] = []
    begin = time.perf_counter()
    turns = itertools.count()

    async def visit(number: int) -> None:
        async with Client(port, number, spots) as client:
            while True:
                due = time.perf_counter() if rate is None else begin + next(turns) / rate
                if due >= begin + seconds:
                    return
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                await client.report()
                taken.append(time.perf_counter() - due)

    await asyncio.gather(*(visit(number) for number in range(CLIENTS)))
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
            uvloop.run(load(port, 2.0, spots))
            started = time.perf_counter()
            taken = uvloop.run(load(port, seconds, spots))
            elapsed = time.perf_counter() - started
            steady = uvloop.run(load(port, seconds, spots, RATE))
        finally:
            server.terminate()
            server.wait(30)
    return {
        "reports_per_s": round(len(taken) / elapsed, 1),
        "p50_ms": round(float(np.percentile(taken, 50)) * 1000, 1),
        "p99_ms": round(float(np.percentile(taken, 99)) * 1000, 1),
        "p50_at_rate_ms": round(float(np.percentile(steady, 50)) * 1000, 1),
        "p99_at_rate_ms": round(float(np.percentile(steady, 99)) * 1000, 1),
        "clients": CLIENTS,
        "workers": WORKERS,
    }


def _wait(port: int) -> None:
    import httpx

    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=2).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.2)
    raise SystemExit("the server did not start")


if __name__ == "__main__":
    print(json.dumps(measure(float(sys.argv[1]) if len(sys.argv) > 1 else 10.0)))
