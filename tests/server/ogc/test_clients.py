"""Programs that other people wrote read the server: GDAL's OAPIF driver and OWSLib."""

import pyogrio
import pytest
from owslib.ogcapi.features import Features
from owslib.wmts import WebMapTileService

ISSUES = "reported_issues"


def test_gdal_lists_and_reads_the_layers(live):
    source = f"OAPIF:{live}"
    names = {name for name, _ in pyogrio.list_layers(source)}
    assert {"communities", ISSUES} <= names
    frame = pyogrio.read_dataframe(source, layer=ISSUES)
    assert len(frame) == 200
    assert set(frame["category"]) == {"dry_toilet", "exposed_garbage"}
    assert frame["reported_at"].min().isoformat().startswith("2026-01-01T00:00:00")


def test_gdal_gets_the_layer_in_its_own_plane_with_the_axes_right(live):
    frame = pyogrio.read_dataframe(f"OAPIF:{live}", layer="subdistricts", CRS="http://www.opengis.net/def/crs/EPSG/0/4547")  # fmt: skip
    assert frame.crs.to_epsg() == 4547
    assert frame.total_bounds == pytest.approx((500_000, 3_895_000, 503_000, 3_898_000), abs=0.01)
    degrees = pyogrio.read_dataframe(f"OAPIF:{live}", layer="subdistricts", CRS="http://www.opengis.net/def/crs/EPSG/0/4490")  # fmt: skip
    assert degrees.crs.to_epsg() == 4490
    west, south, east, north = degrees.total_bounds
    assert 113.9 < west < east < 114.1
    assert 35.1 < south < north < 35.3


def test_gdal_pages_and_filters_on_the_server(live):
    source = f"OAPIF:{live}"
    paged = pyogrio.read_dataframe(source, layer=ISSUES, PAGE_SIZE=17)
    assert len(paged) == paged["issue_id"].nunique() == 200
    west, south, east, north = paged.to_crs(4326).total_bounds
    middle = (west + east) / 2
    half = pyogrio.read_dataframe(source, layer=ISSUES, bbox=(west - 0.01, south - 0.01, middle, north + 0.01), CRS="http://www.opengis.net/def/crs/OGC/1.3/CRS84")  # fmt: skip
    assert set(half["issue_id"]) == set(paged[paged.to_crs(4326).geometry.x <= middle]["issue_id"])
    toilets = pyogrio.read_dataframe(source, layer=ISSUES, where="category = 'dry_toilet'")
    assert len(toilets) == 50


def test_owslib_reads_features(live):
    features = Features(f"{live}/")
    assert ISSUES in features.feature_collections()
    assert features.conformance()["conformsTo"]
    assert features.api()["openapi"] == "3.0.3"
    assert features.collection(ISSUES)["id"] == ISSUES
    assert "category" in features.collection_queryables(ISSUES)["properties"]
    found = features.collection_items(
        ISSUES, bbox=[113, 35, 115, 36], limit=3, datetime_="2026-01-01/2026-02-01"
    )
    assert (found["numberReturned"], found["numberMatched"]) == (3, 32)
    assert features.collection_item(ISSUES, "A-0003")["id"] == "A-0003"
    filtered = features.collection_items(ISSUES, filter="category = 'dry_toilet'")
    assert filtered["numberMatched"] == 50


@pytest.mark.parametrize("path", ["/wmts", "/wmts/1.0.0/WMTSCapabilities.xml"])
def test_owslib_reads_wmts(live, path):
    service = WebMapTileService(f"{live}{path}")
    assert service.identification.type == "OGC WMTS"
    assert list(service.contents) == ["issue_density"]
    layer = service["issue_density"]
    assert list(layer.tilematrixsetlinks) == ["WebMercatorQuad"]
    limits = layer.tilematrixsetlinks["WebMercatorQuad"].tilematrixlimits["12"]
    tile = service.gettile(
        layer="issue_density", tilematrixset="WebMercatorQuad", tilematrix="12", row=limits.mintilerow,
        column=limits.mintilecol, format="image/png",
    )  # fmt: skip
    assert tile.read()[:8] == b"\x89PNG\r\n\x1a\n"


def test_gdal_reads_the_vector_tiles_and_their_description(live, client):
    limits = client.get("/collections/communities/tiles/WebMercatorQuad").json()[
        "tileMatrixSetLimits"
    ][4]
    z, x, y = limits["tileMatrix"], limits["minTileCol"], limits["minTileRow"]
    body = client.get(f"/collections/communities/tiles/WebMercatorQuad/{z}/{y}/{x}").content
    frame = pyogrio.read_dataframe(body, layer="communities")
    assert {"community_code", "name_zh"} <= set(frame.columns)
