"""The demonstration makes its city once, knows it again, and writes over nothing that is not its own."""

import json
import re
import shutil

import pytest

from gisgrid.cli import demo_city

DEMO = ("--issues", "2000", "--years", "1", "--seed", "3", "--no-serve")


@pytest.fixture
def few(layers_dir, tmp_path):
    """A catalogue of the city's own layers and one derived from them: what a demonstration does, in a few seconds."""

    def not_wanted(folder, names):
        return [name for name in names if name != "issue_density" and is_derived(layers_dir / name)]

    def is_derived(folder):
        path = folder / "layer.toml"
        return path.exists() and "[derived]" in path.read_text("utf8")

    return shutil.copytree(layers_dir, tmp_path / "few", ignore=not_wanted)


def stamps(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*.parquet")}


def test_the_city_is_there_with_its_truth_and_its_record(demo_data, n_derived):
    record = json.loads((demo_data / "city.json").read_text("utf8"))
    assert record["made_with"] | {"gisgrid": ""} == {
        "seed": 3,
        "n_issues": 2000,
        "years": 1,
        "gisgrid": "",
    }
    assert len(record["sha256"]) == 16
    assert (demo_data / "truth.parquet").exists()
    assert len(list((demo_data / "derived").glob("*.provenance.json"))) == n_derived


def test_the_second_start_makes_nothing(gisgrid, demo_data):
    before = stamps(demo_data)
    code, _, err = gisgrid("demo", "--data", demo_data, *DEMO)
    assert code == 0
    assert err == f"the city is there: {demo_data} (seed 3, 2000 reported issues over 1 years)\n"
    assert stamps(demo_data) == before


def test_another_seed_makes_another_city_in_the_same_folder(gisgrid, few, tmp_path):
    start = ("demo", "--layers", few, "--data", tmp_path / "d", *DEMO)
    first = gisgrid(*start)
    bytes_before = (tmp_path / "d" / "communities.parquet").read_bytes()
    code, _, err = gisgrid(*start, "--seed", "4")
    assert (first[0], code) == (0, 0)
    assert "because communities has changed" in err or "because reported_issues has changed" in err
    assert (tmp_path / "d" / "communities.parquet").read_bytes() != bytes_before


def test_the_same_seed_makes_the_same_bytes(gisgrid, demo_data, tmp_path):
    assert gisgrid("demo", "--data", tmp_path / "d", *DEMO)[0] == 0
    for path in demo_data.rglob("*"):
        if path.suffix in {".parquet", ".tif"}:
            assert (
                path.read_bytes() == (tmp_path / "d" / path.relative_to(demo_data)).read_bytes()
            ), path


def test_a_city_that_was_cut_short_is_made_again(gisgrid, few, tmp_path, monkeypatch):
    start = ("demo", "--layers", few, "--data", tmp_path / "d", *DEMO)

    def cut(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(demo_city, "write_frame", cut)
    assert gisgrid(*start)[0] == 130
    monkeypatch.undo()
    code, _, err = gisgrid(*start)
    assert code == 0
    assert re.search(r"(?m)^built ", err)


def test_somebody_s_own_files_are_not_written_over(gisgrid, tmp_path):
    (tmp_path / "mine.parquet").write_text("mine", "utf8")
    code, _, err = gisgrid("demo", "--data", tmp_path, *DEMO)
    assert code == 2
    assert "holds files that the demonstration did not make (first: 'mine.parquet')" in err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.parquet"]


@pytest.mark.parametrize("text", ["{", "\x00"])
def test_a_record_that_cannot_be_read_is_said(gisgrid, tmp_path, text):
    (tmp_path / "city.json").write_text(text, "utf8")
    code, _, err = gisgrid("demo", "--data", tmp_path, *DEMO)
    assert (code, "city.json cannot be read" in err) == (2, True)


def test_a_folder_that_cannot_be_made_is_said(gisgrid, tmp_path):
    code, _, err = gisgrid("demo", "--data", tmp_path / "a" / "b", *DEMO)
    assert (code, "cannot be made" in err) == (2, True)
    (tmp_path / "file").write_text("", "utf8")
    code, _, err = gisgrid("demo", "--data", tmp_path / "file", *DEMO)
    assert (code, "is a file, and the city needs a folder" in err) == (2, True)


def test_a_derived_layer_that_cannot_be_built_is_said(
    gisgrid, demo_data, layers_dir, tmp_path, n_derived
):
    layers = shutil.copytree(layers_dir, tmp_path / "layers")
    path = layers / "issue_hotspots" / "layer.toml"
    path.write_text(path.read_text("utf8").replace("cell_m = 300", "cell_m = -1"), "utf8")
    data = shutil.copytree(demo_data, tmp_path / "data", copy_function=shutil.copy2)
    code, _, err = gisgrid("demo", "--layers", layers, "--data", data, *DEMO)
    assert code == 2
    assert (
        f"1 of {n_derived} derived layers could not be built (first: issue_hotspots, a cell of -1 m covers nothing"
        in err
    )
