import os
import re
import subprocess
import sys

import httpx
import pytest
from gisgrid_server.command import AddressError, _with_key, address, listen, read_settings, serve
from gisgrid_server.edge.access import Doorkeeper
from gisgrid_server.settings import Settings

from gisgrid.errors import CatalogueError, InputError


def test_settings_come_from_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("GISGRID_PORT", "9001")
    monkeypatch.setenv("GISGRID_LAYERS", str(tmp_path))
    assert Settings().port == 9001
    assert read_settings(port=9002, host=None).port == 9002
    assert read_settings().layers == tmp_path


@pytest.mark.parametrize(
    ("setting", "value"),
    [("port", 70_000), ("cache_max_age", -1), ("public_url", "map.example.org")],
)
def test_settings_that_cannot_be_are_told(setting, value):
    with pytest.raises(InputError, match=f"GISGRID_{setting.upper()}"):
        read_settings(**{setting: value})


def test_a_taken_port_is_told_with_the_next_one():
    with listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(
            AddressError, match=f"port {port} at 127.0.0.1 is taken.*--port {port + 1}"
        ):
            listen("127.0.0.1", port)


def test_an_address_of_another_machine_is_told():
    with pytest.raises(AddressError, match=r"cannot listen at 192\.0\.2\.1"):
        listen("192.0.2.1", 0)


def test_missing_layers_are_told_before_anything_is_served(tmp_path):
    with pytest.raises(CatalogueError, match="no folder of layers"):
        serve(layers=tmp_path / "nowhere", data=tmp_path, port=0)


def test_addresses_can_be_opened():
    assert address("127.0.0.1", 8000) == "http://127.0.0.1:8000/"
    assert address("::", 8000) == "http://[::1]:8000/"


def test_the_command_prints_its_address_and_serves_there(city):
    script = (
        "import typer; from gisgrid_server.command import serve; "
        "app = typer.Typer(); app.command()(serve); app()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, "--layers", city / "layers", "--data", city / "data", "--port", "0"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    try:
        base = None
        while base is None:  # it says first what it makes ready
            line = process.stdout.readline()
            assert line, process.stderr.read()
            base = re.search(r"http://127\.0\.0\.1:\d+", line)
        # It listens before it says so: the first request waits, it is not refused.
        answer = httpx.get(f"{base[0]}/api/catalogue", timeout=120)
        assert answer.json()["title"]["en"] == "Small city"
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()
        process.stderr.close()


def test_a_key_for_this_run_opens_the_desk(tmp_path):
    key, settings = _with_key(Settings(), tmp_path)
    doorkeeper = Doorkeeper.of(settings)
    rights = doorkeeper.rights(
        {"headers": [(b"authorization", f"Bearer {key}".encode())], "query_string": b""}
    )
    assert {"see", "dispatch", "verify", "export"} <= rights.powers
    assert rights.grids == rights.owners == ("*",)
