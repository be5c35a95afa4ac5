"""`gisgrid serve city.pmtiles`: the tiles of the archive, byte for byte those of the server that draws them."""

import gzip
import json
import os
import shutil

import pytest
from gisgrid_server.app import create_app
from gisgrid_server.settings import Settings
from jsonschema import validate

from gisgrid.catalogue import Catalogue, FolderStore
from gisgrid.prepared import layer_source, prepare
from gisgrid.tiles import bbox_tiles
from gisgrid.tiles.archive import About, write_archive

LAYERS = ("communities", "reported_issues")


def source_of(root, layer):
    catalogue, store = Catalogue.read(root / "layers"), FolderStore(root / "data")
    return layer_source(prepare(catalogue[layer], store), store)


@pytest.fixture(scope="module")
def archive(city, tmp_path_factory):
    path = tmp_path_factory.mktemp("archive") / "city.pmtiles"
    write_archive([source_of(city, layer) for layer in LAYERS], path, about=About(name="小城"))
    return path


@pytest.fixture(scope="module")
def archived(archive, client_of):
    return client_of(create_app(Settings(archive=archive, look_s=0.05)))


@pytest.fixture(scope="module")
def tiles(client):
    """Every tile of the city at some zooms."""
    bbox = client.get("/api/catalogue").json()["bbox"]
    return [f"{z}/{x}/{y}" for zoom in (8, 11, 13, 14) for z, x, y in bbox_tiles(bbox, zoom)]


def test_the_tiles_are_those_of_the_catalogue_s_server_byte_for_byte(client, archived, tiles):
    n = 0
    for place in tiles:
        drawn = client.get(f"/tiles/{','.join(LAYERS)}/{place}.mvt")
        for encoding in ("gzip", "identity", "br"):
            stored = archived.get(f"/tiles/city/{place}.mvt", headers={"Accept-Encoding": encoding})
            assert (stored.status_code, stored.content) == (drawn.status_code, drawn.content)
            n += drawn.status_code == 200
        if drawn.status_code == 200:
            assert stored.headers["content-type"] == drawn.headers["content-type"]
    assert n > 20


def test_packed_tiles_are_sent_as_they_are_stored(archive, archived, tiles):
    from gisgrid.tiles.archive import PmtilesSource

    place = tiles[0]
    stored = PmtilesSource(archive).tile(*map(int, place.split("/")))
    answer = archived.get(f"/tiles/city/{place}.pbf", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == stored.encoding == "gzip"
    assert int(answer.headers["content-length"]) == len(stored.body)
    assert answer.content == gzip.decompress(stored.body)
    plain = archived.get(f"/tiles/city/{place}.pbf", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.headers["etag"] != answer.headers["etag"]
    assert plain.headers["vary"] == "Accept-Encoding"


def test_who_has_the_tile_is_told_so(archived, tiles):
    url = f"/tiles/city/{tiles[0]}.mvt"
    first = archived.get(url)
    for tag in (first.headers["etag"], f"W/{first.headers['etag']}", "*"):
        again = archived.get(url, headers={"If-None-Match": tag})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
    head = archived.request("HEAD", url)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("etag", "content-length", "content-type", "cache-control"):
        assert head.headers[name] == first.headers[name]
    posted = archived.request("POST", url)
    assert posted.status_code == 405


def test_a_filter_is_refused(archived, tiles, problem):
    for query in ("filter=category='dry_toilet'", "datetime=2026", "category=dry_toilet"):
        for path in (f"/tiles/city/{tiles[0]}.mvt", "/tiles/city/tilejson.json"):
            assert "archive" in problem(archived.get(f"{path}?{query}"), 400)["detail"]
    assert archived.get(f"/tiles/city/{tiles[0]}.mvt?v=old&key=x").status_code == 200


def test_tilejson(archived, shared_data, tiles):
    document = archived.get("/tiles/city/tilejson.json").json()
    schema = json.loads((shared_data / "fixtures/tilejson/3.0.0/schema.json").read_text())
    validate(document, schema)
    assert document["name"] == "小城"
    assert [one["id"] for one in document["vector_layers"]] == list(LAYERS)
    assert (document["minzoom"], document["maxzoom"]) == (8, 15)
    z, x, y = tiles[0].split("/")
    answer = archived.get(document["tiles"][0].format(z=z, x=x, y=y))
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    style = archived.get("/style.json").json()
    assert style["sources"]["city"]["url"] == "http://city.test/tiles/city/tilejson.json"
    assert archived.get("/").json()["layers"] == list(LAYERS)
    assert archived.get("/healthz").json() == {"status": "ok"}


def test_a_tile_without_features_is_204(archived):
    answer = archived.get("/tiles/city/14/0/0.mvt")
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["etag"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/tiles/city/7/1/1.mvt", 404),
        ("/tiles/city/16/1/1.mvt", 404),
        ("/tiles/city/99/1/1.mvt", 404),
        ("/tiles/city/14/16384/1.mvt", 404),
        ("/tiles/city/14/9999999999/1.mvt", 404),
        ("/tiles/city/14/-1/1.mvt", 404),
        ("/tiles/city/14/a/1.mvt", 400),
        ("/tiles/city/14/1/1.png", 404),
        ("/tiles/communities/14/1/1.mvt", 404),
        ("/tiles/communities/tilejson.json", 404),
        ("/tiles/", 404),
        ("/tiles/%2e%2e/etc/passwd", 404),
        ("/collections", 404),
        ("/collections/communities/tiles/WebMercatorQuad/14/1/1", 404),
    ],
)
def test_what_is_not_in_the_archive_is_a_problem(archived, problem, path, status):
    problem(archived.get(path), status)


def test_an_archive_that_takes_the_place_of_another_is_served(  # noqa: PLR0917 - fixtures
    city, archive, client_of, tmp_path, until, caplog
):
    path, other = tmp_path / "city.pmtiles", tmp_path / "other.pmtiles"
    shutil.copy(archive, path)
    client = client_of(create_app(Settings(archive=path, look_s=0.05)))
    address = "/tiles/city/tilejson.json"
    before = client.get(address).json()
    write_archive([source_of(city, "communities")], other)
    os.replace(other, path)  # noqa: PTH105 - as one step, over the other
    until(lambda: client.get(address).json() != before)
    after = client.get(address).json()
    assert [one["id"] for one in after["vector_layers"]] == ["communities"]
    assert after["tiles"] != before["tiles"]
    other.write_bytes(b"no archive")
    os.replace(other, path)  # noqa: PTH105 - the same
    until(lambda: client.get(address).json() == after and "cannot be read" in caplog.text)
    assert client.get(address).json() == after
