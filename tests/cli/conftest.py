"""The command line, as a user has it: in this process where that will do, in a process of its own where it matters."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gisgrid.cli.app import run as run_here

DEMO = ("--issues", "2000", "--years", "1", "--seed", "3", "--no-serve")


@pytest.fixture
def gisgrid(capfd, monkeypatch):
    """Run a command in this process: its exit code, output and errors."""
    for name in ("GISGRID_LAYERS", "GISGRID_DATA", "GISGRID_DEBUG"):
        monkeypatch.delenv(name, raising=False)

    def run(*words):
        capfd.readouterr()
        code = run_here([str(word) for word in words])
        said = capfd.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture(scope="session")
def n_layers(layers_dir):
    """How many layers the catalogue describes."""
    return len(list(layers_dir.glob("*/layer.toml")))


@pytest.fixture(scope="session")
def n_derived(layers_dir):
    """How many of them are made from others."""
    return sum("[derived]" in path.read_text("utf8") for path in layers_dir.glob("*/layer.toml"))


@pytest.fixture
def process():
    """Run a command in a process of its own."""

    def run(*words, **environment):
        return subprocess.run(
            [sys.executable, "-m", "gisgrid.cli", *map(str, words)],
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            env={**os.environ, "PYTHONIOENCODING": "utf-8", **environment},
        )

    return run


@pytest.fixture(scope="session")
def demo_data(tmp_path_factory):
    """The synthetic city, small, made by the command itself."""
    folder = tmp_path_factory.mktemp("demo") / "demo-data"
    assert run_here(["demo", "--data", str(folder), *DEMO]) == 0
    return Path(folder)
