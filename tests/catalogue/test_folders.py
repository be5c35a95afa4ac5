"""Where the catalogue and the data are, and how another city begins."""

import tomllib

import pytest

from gisgrid.catalogue import (
    Catalogue,
    FolderStore,
    check,
    init_folder,
    resolve_data,
    resolve_layers,
    standard_layers,
)
from gisgrid.errors import CatalogueError, InputError, OutputError


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GISGRID_LAYERS", raising=False)
    monkeypatch.delenv("GISGRID_DATA", raising=False)


@pytest.mark.parametrize(
    ("resolve", "variable", "default", "error"),
    [
        (resolve_layers, "GISGRID_LAYERS", "layers", CatalogueError),
        (resolve_data, "GISGRID_DATA", "data", InputError),
    ],
)
def test_the_argument_goes_before_the_variable_and_that_before_the_folder_here(
    *, tmp_path, monkeypatch, resolve, variable, default, error
):
    with pytest.raises(error, match=f"there is no folder '{default}' here and neither"):
        resolve()
    for name in ("said", "set", default):
        (tmp_path / name).mkdir()
    assert resolve().name == default
    monkeypatch.setenv(variable, "set")
    assert resolve().name == "set"
    assert resolve("said").name == "said"
    with pytest.raises(error, match=f"'nowhere', which --{default} names"):
        resolve("nowhere")
    monkeypatch.setenv(variable, "gone")
    with pytest.raises(error, match=f"'gone', which {variable} names"):
        resolve()


def test_the_standard_catalogue_is_found():
    assert len(Catalogue.read(standard_layers())) >= 17


def test_another_city_begins_with_a_catalogue_that_holds(tmp_path):
    readme, layers, data = init_folder(tmp_path / "city")
    catalogue = Catalogue.read(layers)
    assert [layer.id for layer in catalogue] == [
        layer.id for layer in Catalogue.read(standard_layers())
    ]
    assert catalogue.about.title.en == "My city"
    assert list(data.iterdir()) == []
    assert all(faults[0].rule == "file" for faults in check(catalogue, FolderStore(data)).values())
    for layer in catalogue:
        if layer.source is not None:
            assert (layer.source.licence, layer.source.attribution, layer.source.acquired) == (
                "",
                "",
                "",
            )
            assert f"`data/{layer.source.path}`" in readme.read_text("utf8")
    assert "synthetic" not in (layers / "communities" / "README.md").read_text("utf8")
    assert "synthetic" not in (layers / "communities" / "layer.toml").read_text("utf8")


def test_another_city_s_files_are_toml_and_utf8(tmp_path):
    _, layers, _ = init_folder(tmp_path / "城市")
    for path in layers.rglob("*.toml"):
        tomllib.loads(path.read_text("utf8"))


def test_an_empty_folder_will_do(tmp_path):
    (tmp_path / "empty").mkdir()
    assert init_folder(tmp_path / "empty")[0].exists()


def test_nothing_is_written_over(tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine", "utf8")
    with pytest.raises(OutputError, match=r"not empty \(it holds 'mine.txt'\)"):
        init_folder(tmp_path / "full")
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["mine.txt"]
    with pytest.raises(OutputError, match="is a file"):
        init_folder(tmp_path / "full" / "mine.txt")


def test_a_folder_whose_parent_is_not_there_is_refused(tmp_path):
    with pytest.raises(OutputError, match="cannot be written"):
        init_folder(tmp_path / "a" / "b")
