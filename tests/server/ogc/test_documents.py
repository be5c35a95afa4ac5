"""The documents that lead a client around: landing page, conformance, collections, tilesets, styles."""

import pytest

pytestmark = pytest.mark.data


def test_the_landing_page_leads_everywhere(client, schema_of):
    page = client.get("/", headers={"Accept": "application/json"})
    assert page.headers["content-type"] == "application/json"
    document = page.json()
    schema_of(document, "landingPage")
    there = {link["rel"]: link for link in document["links"]}
    assert {"self", "alternate", "service-desc", "service-doc", "conformance", "data"} <= set(there)
    assert there["service-desc"]["type"] == "application/vnd.oai.openapi+json;version=3.0"
    for link in document["links"]:
        if link["rel"] not in {"map", "inspect"}:  # pages that are built by `make assets`
            answer = client.get(link["href"], headers={"Accept": link["type"]})
            assert answer.status_code == 200, link
            assert answer.headers["content-type"].split(";")[0] == link["type"].split(";")[0], link


def test_every_link_of_every_document_answers_as_it_says(client):
    seen, waiting = set(), ["/?f=json"]
    while waiting:
        path = waiting.pop().removeprefix("http://city.test")
        if path in seen or path in {"/", "/inspect"}:
            continue
        seen.add(path)
        answer = client.get(path)
        assert answer.status_code == 200, path
        if "json" not in answer.headers["content-type"] or path == "/openapi.json":
            continue
        document = answer.json()
        parts = [
            document,
            *(one for part in document.values() if isinstance(part, list) for one in part),
        ]
        for part in parts:
            links = part.get("links", ()) if isinstance(part, dict) and "items" not in path else ()
            waiting.extend(link["href"] for link in links if not link.get("templated"))
    assert len(seen) > 80


def test_what_is_promised_is_there(client, schema_of):
    document = client.get("/conformance").json()
    schema_of(document, "confClasses")
    assert "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs" in document["conformsTo"]
    assert len(document["conformsTo"]) == len(set(document["conformsTo"]))


def test_collections(client, schema_of):
    document = client.get("/collections").json()
    schema_of(document, "collections")
    layers = {one["id"]: one for one in document["collections"]}
    assert len(layers) == document["numberMatched"] == 7
    issues = layers["reported_issues"]
    assert issues["itemType"] == "feature"
    assert issues["storageCrs"] == "http://www.opengis.net/def/crs/EPSG/0/4547"
    assert issues["crs"][0] == "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
    assert issues["storageCrs"] in issues["crs"]
    assert issues["extent"]["temporal"]["interval"] == [
        ["2026-01-01T00:00:00Z", "2026-07-19T00:00:00Z"]
    ]
    west, south, east, north = issues["extent"]["spatial"]["bbox"][0]
    assert 113.9 < west < east < 114.1
    assert 35.1 < south < north < 35.3
    assert "itemType" not in layers["issue_density"]
    assert layers["issue_density"]["dataType"] == "map"
    assert "extent" not in layers["issue_months"]
    one = client.get("/collections/communities").json()
    schema_of(one, "collectionInfo")
    assert one == layers["communities"] | {"links": one["links"]}


def test_tilesets(client, schema_of):
    for path, n in (("communities/tiles", 3), ("issue_density/map/tiles", 1)):
        listed = client.get(f"/collections/{path}").json()
        assert len(listed["tilesets"]) == n
        for item in listed["tilesets"]:
            schema_of(item, "tileSet-item")
            whole = client.get(item["links"][0]["href"]).json()
            schema_of(whole, "tileSet")
            rels = {link["rel"] for link in whole["links"]}
            assert {"self", "item", "http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme"} <= rels
            assert whole["tileMatrixSetLimits"][0]["tileMatrix"] == "8"


def test_tile_matrix_sets(client, schema_of):
    listed = client.get("/tileMatrixSets").json()
    assert [one["id"] for one in listed["tileMatrixSets"]] == [
        "WebMercatorQuad",
        "WorldCRS84Quad",
        "CGCS2000Quad",
    ]
    for item in listed["tileMatrixSets"]:
        schema_of(item, "tileMatrixSet-item")
        whole = client.get(item["links"][0]["href"]).json()
        schema_of(whole, "tileMatrixSet")
    cgcs = client.get("/tileMatrixSets/CGCS2000Quad").json()
    assert cgcs["crs"] == "http://www.opengis.net/def/crs/EPSG/0/4490"
    assert cgcs["orderedAxes"] == ["Lat", "Lon"]
    assert cgcs["tileMatrices"][0]["pointOfOrigin"] == [90, -180]
    assert (cgcs["tileMatrices"][1]["matrixWidth"], cgcs["tileMatrices"][1]["matrixHeight"]) == (
        4,
        2,
    )
    assert len(cgcs["tileMatrices"]) >= 23


def test_the_limits_hold_the_tiles_that_show_something(client):
    from gisgrid.tiles import bbox_tiles, matrix_set

    bbox = tuple(client.get("/collections/communities").json()["extent"]["spatial"]["bbox"][0])
    for name in ("WebMercatorQuad", "CGCS2000Quad"):
        limits = client.get(f"/collections/communities/tiles/{name}").json()["tileMatrixSetLimits"]
        for limit in limits:
            tiles = list(bbox_tiles(bbox, int(limit["tileMatrix"]), matrix_set=matrix_set(name)))
            assert {x for _, x, _ in tiles} == set(
                range(limit["minTileCol"], limit["maxTileCol"] + 1)
            )
            assert {y for _, _, y in tiles} == set(
                range(limit["minTileRow"], limit["maxTileRow"] + 1)
            )


def test_styles_name_layers_that_are_there(client):
    listed = client.get("/styles").json()
    names = [one["id"] for one in listed["styles"]]
    assert names[0] == listed["default"] == "all-layers"
    assert "issue_months" not in names
    for name in names:
        answer = client.get(f"/styles/{name}")
        assert answer.headers["content-type"] == "application/vnd.mapbox.style+json"
        style = answer.json()
        assert style["version"] == 8
        assert {layer["source"] for layer in style["layers"] if "source" in layer} == set(
            style["sources"]
        )


def test_queryables_and_schema(client):
    answer = client.get("/collections/reported_issues/queryables")
    assert answer.headers["content-type"] == "application/schema+json"
    document = answer.json()
    assert document["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert document["additionalProperties"] is False
    assert list(document["properties"]) == ["geometry", "issue_id", "category", "reported_at"]
    assert document["properties"]["category"]["enum"] == ["dry_toilet", "exposed_garbage"]
    assert document["properties"]["reported_at"]["format"] == "date-time"
    assert document["$id"] == "http://city.test/collections/reported_issues/queryables"
    schema = client.get("/collections/reported_issues/schema").json()
    assert schema["properties"]["issue_id"]["x-ogc-role"] == "id"
    assert "caller" not in answer.text


def test_a_document_that_the_client_has_is_not_sent_again(client):
    for path in ("/collections", "/collections/communities/items", "/conformance", "/openapi.json"):
        first = client.get(path)
        again = client.get(path, headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/collections/nowhere", 404),
        ("/collections/comunities/items", 404),
        ("/collections/..%2f..%2fetc%2fpasswd", 404),
        ("/collections/%00", 404),
        ("/collections/communities/tiles/Nowhere", 404),
        ("/collections/issue_density/map/tiles/CGCS2000Quad", 404),
        ("/collections/issue_density/tiles", 404),
        ("/collections/communities/map/tiles", 404),
        ("/collections/issue_months/tiles", 404),
        ("/collections/issue_density/items", 404),
        ("/tileMatrixSets/Nowhere", 404),
        ("/styles/nowhere", 404),
        ("/styles/issue_months", 404),
        ("/collections?x=1", 400),
        ("/collections?f=xml", 400),
        ("/collections?f=json&f=json", 400),
        ("/collections?lang=fr&f=html", 400),
        ("/conformance?limit=1", 400),
        ("/tileMatrixSets/WebMercatorQuad?f=", 400),
    ],
)
def test_what_is_not_there_or_means_nothing_is_a_problem(client, problem, path, status):
    problem(client.get(path), status)


def test_a_form_that_there_is_not(client, problem):
    for path in (
        "/",
        "/collections",
        "/collections/communities/items",
        "/tileMatrixSets/WebMercatorQuad",
    ):
        problem(client.get(path, headers={"Accept": "image/png"}), 406)
        assert (
            client.get(path, headers={"Accept": "application/*;q=0.2, image/png"}).status_code
            == 200
        )
    assert client.get("/collections", headers={"Accept": "x" * 30_000}).status_code == 406
    assert client.get("/collections", headers={"Accept": ""}).status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_is_written(client, problem, method):
    problem(client.request(method, "/collections/communities/items"), 405)
