"""Tiles by the addresses of OGC API – Tiles and of WMTS: the same bytes as below ``/tiles``."""

from xml.etree import ElementTree as ET

import mapbox_vector_tile
import pytest

from gisgrid.tiles import bbox_tiles, matrix_set

WMTS = {"SERVICE": "WMTS", "REQUEST": "GetTile", "VERSION": "1.0.0", "LAYER": "issue_density", "STYLE": "default",
        "FORMAT": "image/png", "TILEMATRIXSET": "WebMercatorQuad"}  # fmt: skip


@pytest.fixture(scope="module")
def at(client):
    """A tile in the middle of the city, by tile matrix set."""

    def find(name, z=12):
        west, south, east, north = client.get("/collections/communities").json()["extent"][
            "spatial"
        ]["bbox"][0]
        lon, lat = (west + east) / 2, (south + north) / 2
        _, x, y = next(bbox_tiles((lon, lat, lon, lat), z, matrix_set=matrix_set(name)))
        return z, x, y

    return find


def test_the_same_bytes_as_everywhere(client, at):
    z, x, y = at("WebMercatorQuad")
    plain = client.get(f"/tiles/communities/{z}/{x}/{y}.mvt")
    for query in ("", "?f=mvt"):
        ogc = client.get(f"/collections/communities/tiles/WebMercatorQuad/{z}/{y}/{x}{query}")
        assert ogc.status_code == 200
        assert ogc.content == plain.content
        assert ogc.headers["content-type"] == "application/vnd.mapbox-vector-tile"
    picture = client.get(f"/collections/issue_density/map/tiles/WebMercatorQuad/{z}/{y}/{x}?f=png")
    assert picture.content == client.get(f"/tiles/issue_density/{z}/{x}/{y}.png").content


@pytest.mark.parametrize("name", ["WorldCRS84Quad", "CGCS2000Quad"])
def test_a_tile_of_degrees_shows_the_city_where_its_corners_say(client, at, name):
    z, x, y = at(name)
    answer = client.get(f"/collections/communities/tiles/{name}/{z}/{y}/{x}")
    assert answer.status_code == 200
    (layer,) = mapbox_vector_tile.decode(
        answer.content, default_options={"y_coord_down": True}
    ).values()
    features = {one["properties"]["community_code"]: one for one in layer["features"]}
    assert set(features) <= {"410105001001", "410105001002"}
    # The tile spans 180 / 2**z degrees; the western edge of the western community is where its longitude says.
    west = client.get("/collections/communities").json()["extent"]["spatial"]["bbox"][0][0]
    side = 180 / (1 << z)
    expected = (west - (x * side - 180)) / side * 4096
    if 0 <= expected <= 4096 and "410105001001" in features:
        ring = features["410105001001"]["geometry"]["coordinates"][0]
        assert min(u for u, _ in ring) == pytest.approx(expected, abs=1.5)
    else:
        pytest.fail("the tile does not show the edge that is tested")


def test_filters_hold_here_too(client, at):
    z, x, y = at("WebMercatorQuad")
    path = f"/collections/communities/tiles/WebMercatorQuad/{z}/{y}/{x}"
    answer = client.get(f"{path}?filter=name_zh = '东风社区'")
    (layer,) = mapbox_vector_tile.decode(answer.content).values()
    assert [one["properties"]["name_zh"] for one in layer["features"]] == ["东风社区"]


def test_where_nothing_is_and_where_nothing_can_be(client, problem):
    path = "/collections/communities/tiles/WebMercatorQuad"
    assert client.get(f"{path}/12/0/0").status_code == 204
    for place in ("99/0/0", "7/0/0", "12/4096/0", "12/0/99999999999"):
        assert client.get(f"{path}/{place}").status_code in {400, 404}
    for place in ("a/0/0", "12/%2e%2e/0", "12/0/1.5", "9" * 500 + "/0/0", "12/0/0.mvt"):
        document = client.get(f"{path}/{place}")
        assert document.status_code in {400, 404}, place
        assert document.headers["content-type"] == "application/problem+json"
    problem(client.get(f"{path}/12/0/0?f=png"), 404)
    problem(client.get("/collections/nowhere/tiles/WebMercatorQuad/12/0/0"), 404)
    problem(client.get("/collections/communities/tiles/Nowhere/12/0/0"), 404)
    problem(client.get("/collections/issue_density/map/tiles/WebMercatorQuad/12/0/0?f=mvt"), 404)
    many = ",".join(f"layer{i}" for i in range(3000))
    assert client.get(f"/collections/{many}/tiles/WebMercatorQuad/12/0/0").status_code in {400, 404}


def test_wmts_capabilities(client):
    bodies = {client.get(path).content for path in (
        "/wmts", "/wmts?SERVICE=WMTS&REQUEST=GetCapabilities", "/wmts?service=wmts&request=getcapabilities",
        "/wmts/1.0.0/WMTSCapabilities.xml",
    )}  # fmt: skip
    (body,) = bodies
    space = {"w": "http://www.opengis.net/wmts/1.0", "o": "http://www.opengis.net/ows/1.1"}
    root = ET.fromstring(body)  # noqa: S314 - our own
    assert root.get("version") == "1.0.0"
    assert [e.text for e in root.findall("w:Contents/w:Layer/o:Identifier", space)] == [
        "issue_density"
    ]
    matrices = root.findall("w:Contents/w:TileMatrixSet/w:TileMatrix", space)
    assert len(matrices) == 16
    path = "w:Contents/w:TileMatrixSet/o:SupportedCRS"
    assert root.findtext(path, None, space) == "urn:ogc:def:crs:EPSG::3857"
    assert (
        matrices[0].findtext("w:TopLeftCorner", None, space)
        == "-20037508.342789244 20037508.342789244"
    )


def test_a_wmts_tile(client, at):
    z, x, y = at("WebMercatorQuad")
    answer = client.get("/wmts", params=WMTS | {"TILEMATRIX": z, "TILEROW": y, "TILECOL": x})
    assert answer.headers["content-type"] == "image/png"
    assert answer.content == client.get(f"/tiles/issue_density/{z}/{x}/{y}.png").content


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"REQUEST": "GetFeatureInfo"}, 400),
        ({"SERVICE": "WFS"}, 400),
        ({"VERSION": "2.0"}, 400),
        ({"LAYER": "nowhere"}, 404),
        ({"LAYER": "communities"}, 404),
        ({"FORMAT": "image/gif"}, 400),
        ({"STYLE": "pretty"}, 400),
        ({"TILEMATRIXSET": "CGCS2000Quad"}, 404),
        ({"TILEMATRIX": "99"}, 404),
        ({"TILEMATRIX": "x" * 3000}, 400),
        ({"TILEROW": "-1"}, 400),
        ({"TILECOL": "9" * 300}, 400),
    ],
)
def test_a_wmts_client_is_told_its_mistake_in_its_own_language(client, said, status):
    asked = WMTS | {"TILEMATRIX": "12", "TILEROW": "0", "TILECOL": "0"} | said
    answer = client.get("/wmts", params=asked)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("application/xml")
    report = ET.fromstring(answer.content)  # noqa: S314 - our own
    assert report.tag.endswith("ExceptionReport")
    assert client.get("/wmts", params={"REQUEST": "GetTile"}).status_code == 400
