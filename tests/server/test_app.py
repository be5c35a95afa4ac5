import subprocess
import sys

import pytest
from gisgrid_server.app import create_app, warm
from gisgrid_server.layers.editions import Edition
from gisgrid_server.layers.findings import Findings
from gisgrid_server.layers.published import Published
from gisgrid_server.running.health import Readiness
from gisgrid_server.settings import Settings
from gisgrid_server.tiles.cache import ReadyTile, TileCache

from gisgrid.errors import CatalogueError, InputError


def test_nothing_is_read_when_modules_are_imported(tmp_path):
    code = "import gisgrid_server.app, gisgrid_server.command; print('imported')"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "imported\n"


def test_folders_that_are_not_there_are_told(city, tmp_path):
    with pytest.raises(CatalogueError, match="no folder of layers"):
        create_app(Settings(layers=tmp_path / "layers", data=city / "data"))
    with pytest.raises(InputError, match="no data folder"):
        create_app(Settings(layers=city / "layers", data=tmp_path / "data"))


def test_the_projects_own_catalogue_is_served_before_anything_is_built(
    serve, layers_dir, tmp_path, problem
):
    (tmp_path / "data").mkdir()
    (tmp_path / "layers").symlink_to(layers_dir)
    client = serve(tmp_path)
    document = client.get("/api/catalogue").json()
    assert not any(layer["ready"] for layer in document["layers"])
    assert document["bbox"] is None
    assert all(
        "gisgrid build" in n or "data folder" in n or "holders of a key" in n
        for layer in document["layers"]
        for n in layer["notes"]
    )
    assert client.get("/style.json").status_code == 200
    problem(client.get("/tiles/communities/12/3345/1619.mvt"), 503)


def test_warming_reads_every_layer(city, monkeypatch):
    from gisgrid.catalogue import Catalogue, FolderStore

    published = Published(Catalogue.read(city / "layers"), FolderStore(city / "data"))
    readiness = Readiness()
    warm(published, Findings(published), readiness)
    assert readiness.is_warm
    assert not readiness.failed

    def read_again(self, layer):
        raise AssertionError(layer.id)

    monkeypatch.setattr(FolderStore, "read", read_again)
    assert {layer.id for layer, _ in published.editions()} == {
        layer.id for layer in published.catalogue
    }
    assert all(isinstance(edition, Edition) for _, edition in published.editions())


def test_the_cache_keeps_to_its_budget_and_lets_the_oldest_go():
    cache = TileCache(budget=3 * 1600)
    for i in range(5):
        cache.keep(i, ReadyTile(b"x" * 1000, ""))
        cache.find(0)
    assert cache.size <= 4800
    assert len(cache) == 3
    assert cache.find(0) is not None
    assert cache.find(1) is None
    cache.keep("great", ReadyTile(b"x" * 10_000, ""))
    assert cache.find("great") is None
    assert len(cache) == 3
