"""The description of the addresses of cases: whole, in both languages, and true whatever is made up."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from gisgrid_server.edge.keys import new_key

SERVE = """
import socket, sys, uvicorn
from gisgrid_server.app import create_app
from gisgrid_server.edge.protocol import BoundedProtocol
from gisgrid_server.settings import Settings
listening = socket.create_server(("127.0.0.1", 0))
print(listening.getsockname()[1], flush=True)
options = dict(warm=False, reports_per_minute=100_000, key_reports_per_minute=100_000, keys_file=sys.argv[2], cases=sys.argv[3])
app = create_app(Settings(layers=sys.argv[1] + "/layers", data=sys.argv[1] + "/data", **options))
uvicorn.Server(uvicorn.Config(app, http=BoundedProtocol, log_config=None)).run(sockets=[listening])
"""
OPEN311 = {"discovery", "services", "definition", "send", "requests", "request", "token"}


@pytest.fixture(scope="module")
def key():
    return new_key("all", role="system", owners=["*"], grids=["*"], classes=["*"])


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def live(request, _small_city, tmp_path_factory, key):
    """The address of a server with cases in either database, in a process of its own."""
    root = Path(shutil.copytree(_small_city, tmp_path_factory.mktemp("live") / "city"))
    (root / "keys.toml").write_text(key[1], "utf-8")
    ledger = f"sqlite:///{root}/cases.db"
    if request.param == "postgresql":
        ledger = request.getfixturevalue("postgresql").database("made_up")
    command = [sys.executable, "-c", SERVE, str(root), str(root / "keys.toml"), ledger]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            yield f"http://127.0.0.1:{server.stdout.readline().strip()}"
        finally:
            server.terminate()
            server.wait(20)


def test_every_address_is_described(small_city, serve):
    document = serve(small_city).get("/openapi.json").json()
    found = {
        one["operationId"]: (path, one)
        for path, operations in document["paths"].items()
        for one in operations.values()
        if path.startswith(("/open311", "/media", "/api/report", "/api/desk"))
    }
    assert {f"open311-{name}" for name in OPEN311} <= set(found)
    for path, one in found.values():
        assert re.search(r"[\u4e00-\u9fff]", one["x-zh"]), path
        in_path = {p["name"] for p in one.get("parameters", ()) if p["in"] == "path"}
        assert in_path == set(re.findall(r"{(\w+)}", path)), path
    for name in OPEN311:
        assert set(found[f"open311-{name}"][1]["responses"]["200"]["content"]) == {"application/json", "text/xml"}  # fmt: skip
    assert "multipart/form-data" in found["open311-send"][1]["requestBody"]["content"]


@pytest.mark.parametrize(("below", "least"), [("/open311", 60), ("/media", 8), ("/api/report", 20), ("/api/desk", 20)])  # fmt: skip
def test_nothing_that_is_made_up_breaks_the_server(live, key, ask_at_random, below, least):
    asked = ask_at_random(live, below=below)
    asked += ask_at_random(live, below=below, headers={"X-API-Key": key[0]}, n=3)
    assert asked > least
