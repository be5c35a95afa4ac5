"""Several processes on one port: nobody is refused while one of them is killed, and all of them show fresh rows."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import mapbox_vector_tile
import pytest

from gisgrid.catalogue import Catalogue, FolderStore
from gisgrid.prepared import append

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="workers need a POSIX system")


@pytest.fixture
def served(own_city):
    """`gisgrid serve --workers 2` of a small city, its address, its process and its workers."""
    words = [
        "--layers",
        own_city / "layers",
        "--data",
        own_city / "data",
        "--port",
        "0",
        "--workers",
        "2",
    ]
    environment = {
        **os.environ,
        "PYTHONUNBUFFERED": "1",
        "GISGRID_LOOK_S": "0.2",
        "GISGRID_WARM": "false",
    }
    with (own_city / "said.log").open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "gisgrid.cli", "serve", *words],
            stdout=subprocess.PIPE, stderr=said, text=True, env=environment,
        )  # fmt: skip
        try:
            line = "-"
            while line and "http://" not in line:
                line = process.stdout.readline()
            base = re.search(r"http://[^/\s]+", line)[0]
            wait_for(lambda: len(workers_of(process)) == 2 and seen_ready(base, process))
            yield base, process
        finally:
            process.terminate()
            process.wait(30)
            process.stdout.close()
    # pytest shows it where a test fails
    sys.stderr.write((own_city / "said.log").read_text("utf-8"))


def wait_for(is_so, seconds=120):
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it did not become so"
        time.sleep(0.1)


def workers_of(process) -> list[int]:
    """The processes that serve, without Python's own helper that tracks shared resources."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    named = {int(pid): Path(f"/proc/{pid}/cmdline").read_text() for pid in children}
    return [pid for pid, words in named.items() if "spawn_main" in words]


def seen_ready(base, process) -> bool:
    """Whether each worker has answered that it is ready, as far as twenty questions can tell."""
    try:
        answers = [ask(base, "/readyz")[0] for _ in range(20)]
    except OSError:
        return False
    return set(answers) == {200}


def ask(base, path, headers=None):
    """One request on a connection of its own, which any worker may take."""
    connection = http.client.HTTPConnection(urlsplit(base).netloc, timeout=20)
    try:
        connection.request("GET", path, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read(), dict(answer.getheaders())
    finally:
        connection.close()


def test_killing_a_worker_under_load_loses_only_what_was_in_flight(served, place):
    base, process = served
    lost, answered, stop = [], [], threading.Event()
    path = f"/tiles/reported_issues/{place}.mvt"

    def visitor():
        while not stop.is_set():
            try:
                answered.append(ask(base, path)[0])
            except (OSError, http.client.HTTPException) as error:
                lost.append(error)

    visitors = [threading.Thread(target=visitor, daemon=True) for _ in range(4)]
    for one in visitors:
        one.start()
    try:
        wait_for(lambda: len(answered) > 20)
        victim = min(workers_of(process))
        os.kill(victim, signal.SIGKILL)
        wait_for(lambda: len(set(workers_of(process)) - {victim}) == 2)
        after_kill = len(answered)
        wait_for(lambda: len(answered) > after_kill + 50)
    finally:
        stop.set()
    for one in visitors:
        one.join(30)
    assert set(answered) == {200}
    assert not any(isinstance(error, ConnectionRefusedError) for error in lost)
    assert len(lost) <= len(visitors), lost  # each had one request in flight at most
    counts = ask(base, "/metrics")[1].decode()
    total = float(
        re.search(r'gisgrid_requests_total\{route="tile",status="200"\} ([\d.e+]+)', counts)[1]
    )
    # What the killed worker had counted is still there.
    assert total >= len(answered)


def test_a_killed_server_lets_go_of_its_port_and_starts_again(served, own_city):
    base, process = served
    workers = workers_of(process)
    process.kill()
    process.wait(30)
    wait_for(lambda: not any(Path(f"/proc/{pid}/cmdline").exists() and "spawn_main" in Path(f"/proc/{pid}/cmdline").read_text() for pid in workers))  # fmt: skip
    port = str(urlsplit(base).port)
    again = subprocess.Popen(
        [sys.executable, "-m", "gisgrid.cli", "serve", "--layers", own_city / "layers", "--data", own_city / "data", "--port", port],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    try:
        line = "-"
        while line and "http://" not in line:
            line = again.stdout.readline()
        assert base in line
        wait_for(lambda: answers(base))
    finally:
        again.terminate()
        again.wait(30)
        again.stdout.close()


def answers(base) -> bool:
    try:
        return ask(base, "/healthz")[0] == 200
    except OSError:
        return False


def test_fresh_rows_are_in_the_tiles_of_every_worker(served, own_city, place):
    base, _ = served
    catalogue, store = Catalogue.read(own_city / "layers"), FolderStore(own_city / "data")
    rows = json.loads(ask(base, "/api/layers/reported_issues/rows?limit=1000")[1])["rows"]
    west, south, _, _ = rows[0]["bbox"]
    path = tile_of(west, south)
    before = ids(base, path)
    new = {
        "type": "Feature",
        "properties": {"issue_id": "FRESH", "category": "dry_toilet", "reported_at": "2026-07-01T00:00:00Z", "caller": "13800000000"},
        "geometry": {"type": "Point", "coordinates": [west, south]},
    }  # fmt: skip
    for name in ("FRESH", "FRESH-2", "FRESH-3"):
        fresh = {**new, "properties": {**new["properties"], "issue_id": name}}
        append(catalogue["reported_issues"], store, [fresh])
        wait_for(lambda name=name: all(name in ids(base, path) for _ in range(12)))
    assert b"13800000000" not in ask(base, path)[1]
    append(catalogue["reported_issues"], store, delete=["FRESH", "FRESH-2", "FRESH-3"])
    wait_for(lambda: all(ids(base, path) == before for _ in range(12)))
    document = json.loads(ask(base, "/api/layers/reported_issues/rows?limit=1000")[1])
    assert document["n"] == len(rows)


def tile_of(lon, lat):
    from gisgrid.tiles import bbox_tiles

    z, x, y = next(bbox_tiles((lon, lat, lon, lat), 15))
    return f"/tiles/reported_issues/{z}/{x}/{y}.mvt"


def ids(base, path) -> set[str]:
    status, body, _ = ask(base, path)
    if status == 204:
        return set()
    (layer,) = mapbox_vector_tile.decode(body).values()
    return {feature["properties"]["issue_id"] for feature in layer["features"]}
