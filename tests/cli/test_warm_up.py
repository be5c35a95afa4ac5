"""`gisgrid warm-up`: what is compiled once after an installation, nobody waits for at first use."""

import json
import shutil
import subprocess
import sys

import pytest

from gisgrid.cli import warm

COUNTED = """
import json, sys
from numba.core import event

class Heard(event.Listener):
    loops = []

    def on_start(self, event):
        self.loops.append(str(event.data["dispatcher"]))

    def on_end(self, event):
        pass

from gisgrid.cli import warm
from gisgrid.cli.app import run
parts, commands = map(json.loads, sys.argv[1:])
for part in parts:
    warm.PARTS[part]()
event.register("numba:compile", Heard())
codes = [run(words) for words in commands]
print(json.dumps({"codes": codes, "compiled": Heard.loops}))
"""
"""Warms up, runs commands, and tells which loops had still to be compiled for them."""

AT_FIRST = {
    "gi-star": ("--permutations", "99"),
    "emerging": (),
    "local-moran": ("--permutations", "99"),
    "scan": ("--permutations", "99"),
    "optimised": (),
    "dbscan": ("--radius-m", "60", "--min-reports", "5"),
    "density": ("--bandwidth-m", "300", "--cell-m", "100"),
    "near-repeats": ("--permutations", "19"),
}
BUILT_AT_FIRST = (
    "degurba_cells",
    "fringe_breaks",
    "left_out",
    "toilet_service_areas",
    "toilet_supply",
    "facility_gaps",
)
SUFFIXES = {"density": "tif", "near-repeats": "csv"}


@pytest.fixture
def city(tmp_path):
    units, reports = warm.village(), warm.village_reports()
    units.to_file(tmp_path / "units.gpkg")
    warm.exported(reports).to_csv(tmp_path / "reports.csv", index=False, encoding="utf-8-sig")
    return tmp_path


def test_every_part_is_told_when_it_is_done(monkeypatch, gisgrid):
    monkeypatch.setattr(warm, "PARTS", {"one": int, "two": list})
    code, _, said = gisgrid("warm-up")
    assert code == 0
    assert sorted(said.split("\n")) == ["", "compiling: one", "compiling: two"]


def test_what_is_asked_first_finds_all_loops_compiled(city):
    reports, units = str(city / "reports.csv"), str(city / "units.gpkg")
    commands = [["ingest", reports, "--units", units, "-o", str(city / "reports.parquet")]]
    for method, options in AT_FIRST.items():
        out = city / f"{method}.{SUFFIXES.get(method, 'html')}"
        commands.append(["hotspots", reports, units, "--method", method, "-o", str(out), *options])
    assert compiled_after(["analysis", "intake", "hotspots"], commands) == []


def test_what_is_built_first_finds_all_loops_compiled(layers_dir, demo_data, tmp_path):
    data = shutil.copytree(demo_data, tmp_path / "data", copy_function=shutil.copy2)
    build = ["build", "--layers", str(layers_dir), "--data", str(data), "--force"]
    assert (
        compiled_after(["analysis", "hotspots", "walks", "zones"], [[*build, *BUILT_AT_FIRST]])
        == []
    )


def compiled_after(parts, commands):
    """Which loops commands have to compile after some parts were warmed up, in a process of their own."""
    asked = subprocess.run(
        [sys.executable, "-c", COUNTED, json.dumps(parts), json.dumps(commands)],
        capture_output=True, text=True, check=False, encoding="utf-8",
    )  # fmt: skip
    assert asked.returncode == 0, asked.stderr
    said = json.loads(asked.stdout.splitlines()[-1])
    assert said["codes"] == [0] * len(commands), asked.stderr
    return said["compiled"]
