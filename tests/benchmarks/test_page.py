"""The page of benchmarks: what was measured anew is new, and the rest stays."""

import json
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = runpy.run_path(str(ROOT / "benchmarks" / "page.py"))
KEYS = {"work", "ours", "peer", "peer_name", "unit", "ratio"}


@pytest.fixture
def page(tmp_path):
    copy = tmp_path / "benchmarks.md"
    copy.write_bytes((ROOT / "docs" / "benchmarks.md").read_bytes())
    return copy


def measured(out, name, ours):
    out.mkdir(exist_ok=True)
    rows = [{"work": "a | b", "ours": ours, "peer": 10.0, "peer_name": "shapely", "unit": "ms", "ratio": 10.0 / ours}]  # fmt: skip
    assert set(rows[0]) == KEYS
    machine = {"processor": "A", "cores": "2", "memory": "4 GB", "system": "Linux", "python": "3.11"}  # fmt: skip
    about = {"date": "2026-01-02", "machine": machine, "peers": {"shapely": "2.1"}}
    (out / f"{name}.json").write_text(json.dumps(rows), "utf-8")
    (out / f"{name}.about.json").write_text(json.dumps(about), "utf-8")


def test_nothing_measured_changes_nothing(page, tmp_path):
    before = page.read_text("utf-8")
    assert PAGE["write"](tmp_path / "none", page) == []
    assert page.read_text("utf-8") == before


def test_one_section_is_new_and_the_others_stay(page, tmp_path):
    before = page.read_text("utf-8")
    measured(tmp_path / "out", "join", 2.5)
    assert PAGE["write"](tmp_path / "out", page) == ["join"]
    after = page.read_text("utf-8")
    assert "| a \\| b | 2.5 ms | 10 ms (shapely) | 4.0× |" in after
    parts = [{one.partition("\n")[0]: one for one in text.split("\n## ")} for text in (before, after)]  # fmt: skip
    assert list(parts[0]) == list(parts[1])
    assert [title for title in parts[0] if parts[0][title] != parts[1][title]] == [
        "Points to units"
    ]


def test_a_page_that_is_not_there_is_begun(tmp_path):
    measured(tmp_path / "out", "grids", 5.0)
    PAGE["write"](tmp_path / "out", tmp_path / "new.md")
    text = (tmp_path / "new.md").read_text("utf-8")
    assert text.startswith("# Benchmarks\n")
    assert text.count("\n## ") == 1
