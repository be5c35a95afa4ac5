"""What the commands print, for people and for programs."""

import json
import re
import shutil

import pytest

from gisgrid.cli import bars


def test_help_names_every_command_in_both_languages(gisgrid):
    code, out, _ = gisgrid("--help")
    assert code == 0
    for name in ("init", "check", "build", "describe", "hotspots", "demo", "serve"):
        assert re.search(rf"(?m)^  {name} +[A-Z].*[\u4e00-\u9fff]", out), name


def test_help_loads_nothing_heavy(process):
    done = process("--help", PYTHONPROFILEIMPORTTIME="1")
    assert done.returncode == 0
    for name in (
        "pandas",
        "geopandas",
        "numpy",
        "shapely",
        "rasterio",
        "numba",
        "pydantic",
        "fastapi",
    ):
        assert not re.search(rf"(?m)\| +{name}$", done.stderr), name


def test_describe_lists_the_layers(gisgrid, layers_dir, n_layers):
    code, out, _ = gisgrid("describe", "--layers", layers_dir)
    assert code == 0
    assert len(out.splitlines()) == n_layers + 1
    assert re.search(
        r"(?m)^communities +Polygon +source +社区（村） · Communities and villages$", out
    )
    _, out, _ = gisgrid("describe", "--layers", layers_dir, "--language", "en")
    assert not re.search("[\u4e00-\u9fff]", out)
    _, out, _ = gisgrid("describe", "--layers", layers_dir, "--json")
    assert {layer["id"] for layer in json.loads(out)} >= {"communities", "issue_hotspots"}


def test_describe_says_one_layer(gisgrid, layers_dir, demo_data):
    code, out, _ = gisgrid(
        "describe", "issue_hotspots", "--layers", layers_dir, "--data", demo_data
    )
    assert code == 0
    assert "made by      gisgrid.derived:cell_hotspots" in out
    assert "left out" in out
    _, out, _ = gisgrid("describe", "issue_hotspots", "--layers", layers_dir, "--data", demo_data, "--json")  # fmt: skip
    said = json.loads(out)
    assert said["provenance"]["parameters"] == {"cell_m": 300}
    assert said["derived"]["inputs"] == {"issues": "reported_issues", "area": "communities"}


def test_describe_needs_no_data(gisgrid, layers_dir, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, _ = gisgrid("describe", "communities", "--layers", layers_dir)
    assert (code, "no gaps and no overlaps" in out) == (0, True)
    code, _, err = gisgrid("describe", "communities", "--layers", layers_dir, "--data", "nowhere")
    assert (code, "there is no data folder" in err) == (2, True)


def test_check_says_that_all_is_well(gisgrid, layers_dir, demo_data, n_layers):
    code, out, _ = gisgrid("check", "--layers", layers_dir, "--data", demo_data)
    assert code == 0, out
    assert out.splitlines()[-1] == f"all {n_layers} layers keep their contracts"
    code, out, _ = gisgrid(
        "check", "streets", "communities", "--layers", layers_dir, "--data", demo_data
    )
    assert (code, out.splitlines()[-1]) == (0, "all 2 layers keep their contracts")


def test_check_for_programs(gisgrid, layers_dir, tmp_path):
    code, out, err = gisgrid(
        "check", "streets", "--layers", layers_dir, "--data", tmp_path, "--json"
    )
    said = json.loads(out)
    assert (code, said["n_faults"]) == (1, 1)
    assert said["layers"]["streets"][0]["rule"] == "file"
    assert "checking: streets" in err


def test_build_builds_once(gisgrid, layers_dir, demo_data, tmp_path, n_derived):
    data = tmp_path / "data"
    shutil.copytree(demo_data, data, ignore=shutil.ignore_patterns("derived"))
    code, out, err = gisgrid("build", "--layers", layers_dir, "--data", data)
    assert code == 0, out
    assert len(re.findall(r"(?m)^built ", out)) == n_derived
    assert "because it was not built yet" in out
    assert len(re.findall(r"(?m)^building: ", err)) >= n_derived
    code, out, err = gisgrid("build", "--layers", layers_dir, "--data", data)
    assert (code, len(re.findall(r"(?m)^current ", out)), err) == (0, n_derived, "")
    code, out, _ = gisgrid("build", "issue_months", "--force", "--layers", layers_dir, "--data", data, "--json")  # fmt: skip
    (step,) = json.loads(out)["steps"]
    assert (code, step["layer"], step["status"], step["why"]) == (
        0,
        "issue_months",
        "built",
        "asked for",
    )


def test_the_variables_name_the_folders(process, layers_dir, demo_data):
    done = process("check", "streets", GISGRID_LAYERS=str(layers_dir), GISGRID_DATA=str(demo_data))
    assert done.returncode == 0, done.stderr


def test_init_begins_a_city_that_can_be_checked(gisgrid, tmp_path):
    code, out, _ = gisgrid("init", tmp_path / "城市")
    assert code == 0
    assert "read first" in out
    assert {path.name for path in (tmp_path / "城市").iterdir()} == {"README.md", "data", "layers"}
    code, _, err = gisgrid("init", tmp_path / "城市")
    assert (code, "is not empty" in err) == (2, True)


def test_a_terminal_without_chinese_gets_question_marks(process, layers_dir):
    done = process("describe", "--layers", layers_dir, PYTHONIOENCODING="cp437")
    assert done.returncode == 0
    assert "?" in done.stdout
    assert "Communities and villages" in done.stdout


@pytest.mark.parametrize("bar", [lambda: bars.steps("building", 2), lambda: bars.shares("making")])
def test_no_terminal_gets_a_line_for_each_finished_step(bar, capfd):
    with bar() as progress:
        for share in (0.0, 0.5, 1.0, 1.0):
            progress("one", share)
        progress("never begun", 1.0)
    err = capfd.readouterr().err
    assert err.count("\n") == 1
    assert err.endswith(": one\n")
    assert "\x1b" not in err


@pytest.mark.parametrize("bar", [lambda: bars.steps("building", 2), lambda: bars.shares("making")])
def test_a_terminal_gets_a_bar(bar, capfd, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    with bar() as progress:
        progress("one", 0.5)
        progress("one", 1.0)
    assert "\x1b[" in capfd.readouterr().err
