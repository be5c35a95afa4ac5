"""A server as an operator starts it, and a load as maps make it: by wrk where it is installed, by our own otherwise."""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path

import numpy as np

CONNECTIONS = 8
SECONDS = float(os.environ.get("GISGRID_BENCH_SECONDS", "8"))


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
        yield base, process
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
