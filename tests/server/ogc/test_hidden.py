"""What must not leave does not leave here either: groups only, blurred places, layers for holders of a key."""

from pathlib import Path

import pytest
from gisgrid_server.edge.keys import new_key

from gisgrid.catalogue import Catalogue
from gisgrid.prepared import shown_fields

PROJECT = Path(__file__).parents[3]

ITEMS = "/collections/reported_issues/items"


def describe(root, extra):
    path = root / "layers" / "reported_issues" / "layer.toml"
    text = path.read_text("utf-8")
    path.write_text(text.replace("visible = false\n", f"visible = false\n{extra}\n", 1), "utf-8")


def test_a_layer_of_groups_gives_no_single_feature(own_city, serve, problem):
    describe(own_city, "privacy = { k_threshold = 5 }")
    client = serve(own_city)
    for path in (ITEMS, f"{ITEMS}/A-0003", f"{ITEMS}/1", f"{ITEMS}?filter=category='dry_toilet'"):
        assert client.get(path).status_code in {403, 404}
    problem(client.get(ITEMS), 403)
    document = client.get("/collections/reported_issues").json()
    assert "itemType" not in document
    assert "temporal" not in document["extent"]
    assert not any(link["rel"] == "items" for link in document["links"])
    assert "A-0003" not in client.get("/collections/reported_issues?f=html").text


def test_tiles_of_groups_are_said_to_have_numbers_of_groups_alone(city, own_city, serve):
    describe(own_city, "privacy = { k_threshold = 5 }")
    for root, shown in ((city, True), (own_city, False)):
        client = serve(root)
        (said,) = client.get("/tiles/reported_issues/tilejson.json").json()["vector_layers"]
        listed = client.get("/collections/reported_issues/tiles/WebMercatorQuad").json()["layers"]
        for fields in (said["fields"], listed[0]["propertiesSchema"]["properties"]):
            assert "count" in fields
            assert ("category" in fields) == shown


def test_evidence_that_is_not_drawn_shows_not_even_its_keys(client, problem):
    layers = Catalogue.read(PROJECT / "layers")
    assert layers["case_history"].primary_key == "case_id"
    for name in ("case_history", "patrol_fixes", "authority"):
        assert shown_fields(layers[name]) == ()
    problem(client.get("/api/layers/issue_months/rows"), 404)
    problem(client.get("/collections/issue_months/items"), 404)


def test_a_layer_of_groups_tells_the_time_of_no_single_report(city, own_city, serve):
    def as_of(client):
        (said,) = [one["as_of"] for one in client.get("/api/catalogue").json()["layers"] if one["id"] == "reported_issues"]  # fmt: skip
        return said

    exact = as_of(serve(city))
    describe(own_city, "privacy = { k_threshold = 5 }")
    hidden = as_of(serve(own_city))
    assert hidden.endswith("T00:00:00Z")
    assert hidden < exact


def test_blurred_places_are_blurred_in_features_and_boxes(city, own_city, serve):
    describe(own_city, "privacy = { blur_m = 500 }")
    sharp, blurred = (
        serve(root).get(f"{ITEMS}?limit=1000").json()["features"] for root in (city, own_city)
    )
    exact = {one["id"]: tuple(one["geometry"]["coordinates"]) for one in sharp}
    shown = {one["id"]: tuple(one["geometry"]["coordinates"]) for one in blurred}
    assert set(exact) == set(shown)
    assert len(set(shown.values())) < 60
    lon, lat = exact["A-0003"]
    box = f"bbox={lon - 1e-6},{lat - 1e-6},{lon + 1e-6},{lat + 1e-6}"
    assert serve(own_city).get(f"{ITEMS}?{box}").json()["numberMatched"] == 0


@pytest.mark.parametrize("path", [ITEMS, f"{ITEMS}/A-0003", "/collections/reported_issues", f"{ITEMS}?f=html",
                                  "/collections/reported_issues/queryables", "/collections/reported_issues/tiles"])  # fmt: skip
def test_a_layer_for_holders_of_a_key(own_city, serve, problem, path):
    describe(own_city, 'access = "key"')
    key, lines = new_key("the duty desk")
    (own_city / "keys.toml").write_text(lines, "utf-8")
    client = serve(own_city, keys_file=own_city / "keys.toml")
    problem(client.get(path), 401)
    problem(client.get(path, headers={"X-API-Key": "wrong"}), 401)
    assert "reported_issues" not in client.get("/collections").text
    answer = client.get(path, headers={"X-API-Key": key})
    assert answer.status_code == 200
    assert "private" in answer.headers["cache-control"]
    assert "reported_issues" in client.get("/collections", headers={"X-API-Key": key}).text
