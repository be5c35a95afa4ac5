"""Tiles of the whole dataset, composite tiles, and where things are in every tile matrix set."""

import mapbox_vector_tile
import numpy as np
import pytest
from gisgrid_server.ogc.tiling import definition
from pyproj import Transformer

from gisgrid.tiles import bbox_tiles, matrix_set

PATH = "/dataset/tiles"
VECTOR = {"communities", "subdistricts", "issue_hotspots", "urban_villages", "reported_issues"}
SETS = ["WebMercatorQuad", "WorldCRS84Quad", "CGCS2000Quad"]


def decoded(answer):
    assert answer.status_code == 200, answer.text
    return mapbox_vector_tile.decode(answer.content, default_options={"y_coord_down": True})


@pytest.fixture(scope="module")
def at(client):
    """The tile in the middle of the city, by tile matrix set."""
    west, south, east, north = client.get("/api/catalogue").json()["bbox"]
    lon, lat = (west + east) / 2, (south + north) / 2

    def find(name, z):
        return next(bbox_tiles((lon, lat, lon, lat), z, matrix_set=matrix_set(name)))

    return find


def test_the_landing_page_leads_to_the_tiles_of_the_dataset(client, schema_of):
    (link,) = [one for one in client.get("/", headers={"Accept": "application/json"}).json()["links"]
               if one["rel"] == "http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector"]  # fmt: skip
    listed = client.get(link["href"].removeprefix("http://city.test")).json()
    assert len(listed["tilesets"]) == 3
    for item in listed["tilesets"]:
        schema_of(item, "tileSet-item")
        whole = client.get(item["links"][0]["href"]).json()
        schema_of(whole, "tileSet")
        assert {layer["id"] for layer in whole["layers"]} == VECTOR
        assert [limit["tileMatrix"] for limit in whole["tileMatrixSetLimits"]] == [str(z) for z in range(8, 16)]  # fmt: skip
        (tile,) = [link for link in whole["links"] if link["rel"] == "item"]
        limit = whole["tileMatrixSetLimits"][4]
        path = tile["href"].format(tileMatrix=12, tileRow=limit["minTileRow"], tileCol=limit["minTileCol"])  # fmt: skip
        assert client.get(path).status_code == 200
    for page in (f"{PATH}?f=html", f"{PATH}/CGCS2000Quad?f=html"):
        assert client.get(page).headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("name", SETS)
def test_a_tile_of_the_dataset_holds_the_layers_that_are_asked_for(client, at, name):
    z, x, y = at(name, 12)
    path = f"{PATH}/{name}/{z}/{y}/{x}"
    assert set(decoded(client.get(path))) == VECTOR
    two = client.get(f"{path}?collections=subdistricts,communities,subdistricts")
    assert list(decoded(two)) == ["subdistricts", "communities"]
    assert two.content == client.get(f"/collections/subdistricts,communities/tiles/{name}/{z}/{y}/{x}").content  # fmt: skip
    if name == "WebMercatorQuad":
        assert two.content == client.get(f"/tiles/subdistricts,communities/{z}/{x}/{y}.mvt").content
    part = client.get(f"{path}?collections=communities&filter=name_zh='东风社区'")
    assert len(decoded(part)["communities"]["features"]) == 1
    known = {"If-None-Match": two.headers["etag"]}
    assert client.get(f"{path}?collections=subdistricts,communities", headers=known).status_code == 304  # fmt: skip


def test_the_links_of_chosen_layers_lead_to_their_tiles(client, at):
    z, x, y = at("WebMercatorQuad", 12)
    whole = client.get(f"{PATH}/WebMercatorQuad?collections=communities,subdistricts").json()
    (tile,) = [link["href"] for link in whole["links"] if link["rel"] == "item"]
    path = tile.format(tileMatrix=z, tileRow=y, tileCol=x)
    assert list(decoded(client.get(path))) == ["communities", "subdistricts"]
    (self,) = [link["href"] for link in whole["links"] if link["rel"] == "self"]
    assert client.get(self).json() == whole


def test_of_layers_without_times_every_moment_shows_all(client, at, problem):
    z, x, y = at("WebMercatorQuad", 12)
    path = f"{PATH}/WebMercatorQuad/{z}/{y}/{x}?collections=communities,reported_issues"
    seen = decoded(client.get(f"{path}&datetime=1999-01-01/.."))
    assert seen == decoded(client.get(path))
    assert list(decoded(client.get(f"{path}&datetime=../1999-01-01"))) == ["communities"]
    problem(client.get(f"{path}&datetime=yesterday"), 400)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"{PATH}/Nowhere", 404),
        (f"{PATH}/Nowhere/12/0/0", 404),
        (f"{PATH}/WebMercatorQuad?collections=nowhere", 404),
        (f"{PATH}/WebMercatorQuad?collections=issue_density", 404),
        (f"{PATH}/WebMercatorQuad?collections=", 404),
        (f"{PATH}/WebMercatorQuad/12/0/0?collections=issue_months", 404),
        (f"{PATH}/WebMercatorQuad/12/0/0?f=png", 400),
        (f"{PATH}/WebMercatorQuad/99/0/0", 404),
        (f"{PATH}/WebMercatorQuad/a/0/0", 400),
        (f"{PATH}?collections=communities", 400),
        (f"{PATH}/WebMercatorQuad/12/0/0?collections=" + ",".join(f"l{i}" for i in range(40)), 400),
    ],
)
def test_what_is_no_tile_of_the_dataset_is_a_problem(client, problem, path, status):
    problem(client.get(path), status)


def test_a_dataset_of_more_layers_than_go_into_a_tile_says_which_are_in_it(city, serve, at):
    client = serve(city, max_layers=2)
    z, x, y = at("WebMercatorQuad", 12)
    said = [one["id"] for one in client.get(f"{PATH}/WebMercatorQuad").json()["layers"]]
    assert len(said) == 2
    assert list(decoded(client.get(f"{PATH}/WebMercatorQuad/{z}/{y}/{x}"))) == said


def test_wrong_accept(client, at, problem):
    z, x, y = at("WebMercatorQuad", 12)
    path = f"{PATH}/WebMercatorQuad/{z}/{y}/{x}"
    problem(client.get(path, headers={"Accept": "text/html"}), 406)
    for taken in ("application/vnd.mapbox-vector-tile", "*/*", "text/html, application/*;q=0.1"):
        assert client.get(path, headers={"Accept": taken}).status_code == 200


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("z", [10, 14])
def test_every_point_is_where_pyproj_says(client, at, name, z):
    """From a tile's units by the corners of its definition to degrees, by somebody else's projections."""
    z, x, y = at(name, z)
    layer = decoded(client.get(f"/collections/reported_issues/tiles/{name}/{z}/{y}/{x}"))["reported_issues"]  # fmt: skip
    features = client.get("/collections/reported_issues/items?limit=1000").json()["features"]
    truth = {one["id"]: one["geometry"]["coordinates"] for one in features}
    written = client.get(f"/tileMatrixSets/{name}").json()
    tms = definition(name)
    matrix = written["tileMatrices"][z]
    side = matrix["cellSize"] * matrix["tileWidth"]
    origin = matrix["pointOfOrigin"]
    left, top = origin[::-1] if written["orderedAxes"][0].lower().startswith("lat") else origin
    box = tms.xy_bounds(x, y, z)
    assert (left + x * side, top - y * side) == pytest.approx((box.left, box.top), abs=1e-6 * side)
    to_degrees = Transformer.from_crs(tms.crs.to_wkt(), "OGC:CRS84", always_xy=True)
    assert layer["features"]
    for one in layer["features"]:
        u, v = one["geometry"]["coordinates"]
        found = to_degrees.transform(left + (x + u / 4096) * side, top - (y + v / 4096) * side)
        unit = 360 / 2**z / 4096
        np.testing.assert_allclose(found, truth[one["properties"]["issue_id"]], atol=2 * unit)
