import json
import time
import warnings

import mapbox_vector_tile
import pytest
import rasterio
from jsonschema import validate

from gisgrid.catalogue import Catalogue, FolderStore
from gisgrid.files import read_frame, write_frame
from gisgrid.prepared import layer_source, prepare
from gisgrid.tiles import PointSource


def test_a_vector_tile_is_the_sources_own(client, city, place):
    answer = client.get(f"/tiles/communities/{place}.mvt")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/vnd.mapbox-vector-tile"
    assert answer.headers["access-control-allow-origin"] == "*"
    catalogue, store = Catalogue.read(city / "layers"), FolderStore(city / "data")
    source = layer_source(prepare(catalogue["communities"], store), store)
    assert answer.content == source.tile(*map(int, place.split("/"))).body
    assert client.get(f"/tiles/communities/{place}.pbf").content == answer.content


def test_only_the_key_and_exposed_properties_are_in_tiles(client, place):
    content = client.get(f"/tiles/reported_issues/{place}.mvt").content
    (layer,) = mapbox_vector_tile.decode(content).values()
    assert set(layer["features"][0]["properties"]) == {"issue_id", "category", "reported_at"}
    assert b"13800000000" not in content
    assert b"caller" not in content


def test_gzip_only_where_it_is_accepted(client, place):
    url = f"/tiles/communities/{place}.mvt"
    plain = client.get(url, headers={"Accept-Encoding": "identity"})
    packed = client.get(url, headers={"Accept-Encoding": "br;q=0, gzip;q=0.5"})
    refused = client.get(url, headers={"Accept-Encoding": "gzip;q=0"})
    brotli, zstd = (
        client.get(url, headers={"Accept-Encoding": f"{name}, gzip;q=0.9"})
        for name in ("br", "zstd")
    )
    assert "content-encoding" not in plain.headers
    assert "content-encoding" not in refused.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert [a.headers["content-encoding"] for a in (brotli, zstd)] == ["br", "zstd"]
    answers = (plain, packed, refused, brotli, zstd)
    assert len({answer.content for answer in answers}) == 1
    assert len({answer.headers["etag"] for answer in answers}) == 4  # two are plain
    assert {answer.headers["vary"] for answer in answers} == {"Accept-Encoding"}


@pytest.mark.parametrize("layer", ["communities", "issue_density"])
def test_who_has_the_tile_is_told_so(client, place, layer):
    url = f"/tiles/{layer}/{place}.{'png' if layer == 'issue_density' else 'mvt'}"
    first = client.get(url)
    for tag in (
        first.headers["etag"],
        f"W/{first.headers['etag']}",
        f'"x", {first.headers["etag"]}',
        "*",
    ):
        again = client.get(url, headers={"If-None-Match": tag})
        assert again.status_code == 304
        assert again.content == b""
        assert again.headers["etag"] == first.headers["etag"]
    assert client.get(url, headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_vector_tile_without_features_is_204_and_a_raster_tile_transparent(client):
    empty = client.get("/tiles/communities/14/0/0.mvt")
    assert empty.status_code == 204
    assert empty.content == b""
    picture = client.get("/tiles/issue_density/14/0/0.png")
    assert picture.status_code == 200
    assert picture.headers["content-type"] == "image/png"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        with rasterio.MemoryFile(picture.content) as memory, memory.open() as image:
            assert image.colormap(1)[0][3] == 0
            assert (image.read(1) == 0).all()


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("nowhere/14/1/1.mvt", 404),
        ("communities/7/1/1.mvt", 404),
        ("communities/15/1/1.mvt", 404),
        ("communities/99/1/1.mvt", 404),
        ("communities/14/16384/1.mvt", 404),
        ("communities/14/1/-1.mvt", 404),
        ("communities/-1/1/1.mvt", 404),
        ("communities/14/9999999999/1.mvt", 404),
        ("communities/14/99999999999999999999/1.mvt", 400),
        ("communities/14/a/1.mvt", 400),
        ("communities/14/1.5/1.mvt", 400),
        ("communities/14/１/1.mvt", 400),
        ("communities/14/%20/1.mvt", 400),
        ("communities/14/1/1.png", 404),
        ("communities/14/1/1.json", 404),
        ("communities/14/1/1", 404),
        ("issue_density/14/1/1.mvt", 404),
        ("issue_months/14/1/1.mvt", 404),
        ("issue_months/tilejson.json", 404),
        ("nowhere/tilejson.json", 404),
        ("", 404),
        ("../api/catalogue", 404),
    ],
)
def test_what_is_no_tile_is_a_problem_and_never_a_fault(client, problem, path, status):
    url = f"/tiles/{path}" if path != "../api/catalogue" else "/tiles/%2e%2e/api/catalogue"
    problem(client.get(url), status)


def test_an_unknown_layer_is_named_with_the_likeliest(client, problem):
    document = problem(client.get("/tiles/comunities/14/1/1.mvt"), 404)
    assert document["detail"] == "no layer 'comunities' among 7 layers; did you mean 'communities'?"
    assert document["type"] == "urn:gisgrid:problem:no-such-layer"


def test_methods(client, place):
    url = f"/tiles/communities/{place}.mvt"
    head, full = (
        client.request("HEAD", url),
        client.get(url, headers={"Accept-Encoding": "gzip, deflate"}),
    )
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["etag"] == full.headers["etag"]
    assert head.headers["content-length"] == full.headers["content-length"]
    posted = client.request("POST", url)
    assert posted.status_code == 405
    assert posted.headers["allow"] == "GET, HEAD, OPTIONS"
    asked = client.request("OPTIONS", url)
    assert asked.status_code == 204
    assert asked.headers["access-control-allow-methods"] == "GET, HEAD, OPTIONS"


def test_tilejson_keeps_the_standard(client, shared_data):
    schema = json.loads((shared_data / "fixtures/tilejson/3.0.0/schema.json").read_text())
    for layer in ("communities", "reported_issues", "issue_density"):
        validate(client.get(f"/tiles/{layer}/tilejson.json").json(), schema)


def test_tilejson_says_where_the_tiles_are(client, place):
    document = client.get("/tiles/communities/tilejson.json").json()
    (url,) = document["tiles"]
    assert url.startswith("http://city.test/tiles/communities/{z}/{x}/{y}.mvt?v=")
    z, x, y = place.split("/")
    tile = client.get(url.format(z=z, x=x, y=y))
    assert tile.status_code == 200
    assert tile.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert document["vector_layers"][0]["id"] == "communities"
    assert document["vector_layers"][0]["fields"] == {
        "community_code": "String", "name_zh": "String", "name_en": "String", "population": "Number",
    }  # fmt: skip
    assert (document["minzoom"], document["maxzoom"]) == (8, 14)
    west, south, east, north = document["bounds"]
    assert 113.9 < west < east < 114.1
    assert 35.1 < south < north < 35.3


def test_a_tile_without_its_version_is_kept_for_a_short_while(city, serve, place):
    client = serve(city, cache_max_age=7)
    for query in ("", "?v=old"):
        answer = client.get(f"/tiles/communities/{place}.mvt{query}")
        assert answer.headers["cache-control"] == "public, max-age=7"


def test_the_public_address_goes_first(city, serve):
    client = serve(city, public_url="https://map.example.org/city/")
    (url,) = client.get("/tiles/communities/tilejson.json").json()["tiles"]
    assert url.startswith("https://map.example.org/city/tiles/communities/{z}/{x}/{y}.mvt")
    style = client.get("/style.json").json()
    assert (
        style["sources"]["communities"]["url"]
        == "https://map.example.org/city/tiles/communities/tilejson.json"
    )


def test_new_data_are_served_without_a_restart(own_city, serve, place, until):
    client = serve(own_city)
    url = f"/tiles/communities/{place}.mvt"
    before = client.get(url)
    path = own_city / "data" / "communities.parquet"
    frame = read_frame(path)
    write_frame(frame.assign(population=frame["population"] + 1), path)
    told = {"If-None-Match": before.headers["etag"]}
    until(lambda: client.get(url, headers=told).status_code == 200)
    after = client.get(url, headers=told)
    (old,), (new,) = (mapbox_vector_tile.decode(a.content).values() for a in (before, after))
    first, second = old["features"][0]["properties"], new["features"][0]["properties"]
    assert second["population"] == first["population"] + 1


def test_data_that_are_not_there_are_a_problem_of_that_layer_only(own_city, serve, place, problem):
    (own_city / "data" / "communities.parquet").unlink()
    (own_city / "data" / "subdistricts.parquet").write_bytes(b"no parquet")
    client = serve(own_city)
    document = problem(client.get(f"/tiles/communities/{place}.mvt"), 503)
    assert "layer 'communities' has no data yet" in document["detail"]
    assert (
        "cannot be read" in problem(client.get("/tiles/subdistricts/tilejson.json"), 503)["detail"]
    )
    assert client.get(f"/tiles/reported_issues/{place}.mvt").status_code == 200
    document = client.get("/api/catalogue").json()
    ready = {layer["id"]: layer["ready"] for layer in document["layers"]}
    assert [name for name, there in ready.items() if not there] == ["communities", "subdistricts"]


def test_many_at_once_are_drawn_once(city, serve, place, monkeypatch):
    client = serve(city)
    client.get("/tiles/reported_issues/tilejson.json")
    drawn, draw = [], PointSource.tile

    def counted(self, *tile, **options):
        drawn.append(tile)
        time.sleep(0.05)
        return draw(self, *tile, **options)

    monkeypatch.setattr(PointSource, "tile", counted)
    answers = client.get_at_once([f"/tiles/reported_issues/{place}.mvt"] * 20)
    assert len({answer.content for answer in answers}) == 1
    assert len(drawn) == 1
    client.get(f"/tiles/reported_issues/{place}.mvt")
    assert len(drawn) == 1


def test_a_fault_is_told_without_its_details(client, place, problem, monkeypatch, caplog):

    def broken(self, *tile, **options):
        raise RuntimeError("secret path")

    monkeypatch.setattr(PointSource, "tile", broken)
    z, x, y = place.split("/")
    document = problem(client.get(f"/tiles/reported_issues/{z}/{int(x) + 3}/{y}.mvt"), 500)
    assert "secret" not in json.dumps(document)
    assert "secret path" in caplog.text
    assert document["detail"].rsplit(maxsplit=1)[1] in caplog.text
