"""POST /api/report: taken once, on the disk, in its unit, on the map; whatever is wrong with it is said by field."""

import sqlite3
import uuid

import mapbox_vector_tile
import pytest
from gisgrid_server.edge.keys import new_key
from pyproj import Transformer

from gisgrid.desk.reports import rule_zh
from gisgrid.tiles import bbox_tiles

LON, LAT = Transformer.from_crs(4547, 4326, always_xy=True).transform(500_050.0, 3_895_250.0)


def body(**said):
    return {"client_id": str(uuid.uuid4()), "lon": LON, "lat": LAT, "service_code": "0110", **said}


@pytest.fixture
def keys(small_city):
    """Keys by name, and the file that knows them."""
    said = {
        "collector": {"role": "collector", "grids": ("*",), "classes": ("*",)},
        "district": {"role": "district", "grids": ("*",), "classes": ("*",)},
    }
    made = {name: new_key(name, **rights) for name, rights in said.items()}
    (small_city / "keys.toml").write_text("\n".join(lines for _, lines in made.values()), "utf-8")
    return {name: {"Authorization": f"Bearer {key}"} for name, (key, _) in made.items()}


@pytest.fixture
def client(serve, small_city, keys):
    return serve(small_city, keys_file=small_city / "keys.toml", reports_per_minute=10_000)


def test_a_report_is_taken_and_answered_with_what_becomes_of_it(client):
    sent = body(description="垃圾", accuracy_m=12.5)
    answer = client.request("POST", "/api/report", json=sent)
    assert answer.status_code == 201, answer.text
    said = answer.json()
    assert said["place"]["unit_code"] == "419801001001002"
    assert said["place"]["names_en"]["subdistrict"] == "Unit 419801001"
    assert (said["owner"], said["owner_title"]["zh"], said["repeated"]) == (
        "subdistrict:419801001",
        "街道419801001",
        False,
    )
    assert said["due_at"].endswith("Z")
    again = client.request("POST", "/api/report", json=sent)
    assert (again.status_code, again.json()) == (200, said | {"repeated": True})


def test_a_fresh_report_is_in_the_tiles_and_items_of_the_layer(client, keys, until):
    case_id = client.request("POST", "/api/report", json=body()).json()["case_id"]
    z, x, y = next(bbox_tiles((LON, LAT, LON, LAT), 15))

    def features():
        tile = client.get(f"/tiles/cases/{z}/{x}/{y}.mvt", headers=keys["district"])
        assert tile.status_code in (200, 204), tile.text
        layers = mapbox_vector_tile.decode(tile.content) if tile.content else {}
        return [one["properties"] for one in layers.get("cases", {}).get("features", [])]

    until(lambda: any(one.get("case_id") == case_id for one in features()))
    shown = next(one for one in features() if one["case_id"] == case_id)
    assert (shown["state"], shown["category"], shown["unit_code"]) == (
        "reported",
        "exposed_garbage",
        "419801001001002",
    )
    item = client.get(f"/collections/cases/items/{case_id}", headers=keys["district"])
    assert item.json()["properties"]["state"] == "reported"
    assert client.get(f"/tiles/cases/{z}/{x}/{y}.mvt").status_code == 401


def test_the_same_id_for_something_else_is_a_conflict(client):
    sent = body(description="a")
    client.request("POST", "/api/report", json=sent)
    answer = client.request("POST", "/api/report", json=sent | {"description": "b"})
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:gisgrid:problem:conflict")


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"lon": 181}, "lon"), ({"lat": "35"}, "lat"), ({"lat": None}, "lat"), ({"lon": True}, "lon"), ({"lat": 10**400}, "lat"),
        ({"service_code": "011"}, "service_code"), ({"service_code": 110}, "service_code"), ({"client_id": "1"}, "client_id"),
        ({"client_id": 7}, "client_id"), ({"at": "yesterday"}, "at"), ({"at": "2026-11-20T08:00:00"}, "at"), ({"sent_at": 5}, "sent_at"),
        ({"photos": "x"}, "photos"), ({"photos": ["x"]}, "photos"), ({"photos": [7]}, "photos"), ({"attributes": [1]}, "attributes"),
        ({"contact": {"id": "1"}}, "contact"), ({"contact": {"phone": 1}}, "contact.phone"), ({"description": "x" * 4001}, "description"),
        ({"description": "\ud800"}, "description"), ({"description": 5}, "description"), ({"accuracy_m": -1}, "accuracy_m"),
        ({"same_as": 5}, "same_as"), ({"colour": "red"}, "colour"), ({"source": "hotline"}, "source"), ({"level_found": "district"}, "level_found"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_by_field(client, said, field):
    import json

    answer = client.request("POST", "/api/report", content=json.dumps(body(**said)))
    assert answer.status_code == 400, answer.text
    problem = answer.json()
    assert problem["type"] == "urn:gisgrid:problem:bad-report"
    assert problem["field"] == field
    assert [one["field"] for one in problem["errors"]] == [field]
    assert problem["errors"][0]["detail_zh"] == rule_zh(field)
    assert ("没有这个字段" in rule_zh(field)) == (field == "colour")
    assert client.get("/api/report/here", params={"lon": LON, "lat": LAT}).json()["nearby"] == []


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"7", b"\xff", b"[" * 60_000, b'{"lon": NaN}']
)
def test_what_is_no_report_is_refused(client, content):
    assert client.request("POST", "/api/report", content=content).status_code == 400


def test_a_long_report_is_refused_before_it_is_read(client):
    answer = client.request("POST", "/api/report", content=b" " * 70_000)
    assert (answer.status_code, answer.json()["type"]) == (413, "urn:gisgrid:problem:too-large")


def test_outside_the_city_it_is_taken(client):
    answer = client.request("POST", "/api/report", json=body(lon=0.0, lat=0.0))
    assert answer.status_code == 201
    assert (answer.json()["place"]["outside"], answer.json()["owner"]) == (True, None)


def test_who_holds_a_key_says_more(client, keys):
    said = body(source="hotline", level_found="subdistrict", contact={"name": "王", "phone": "139"})
    assert (
        client.request("POST", "/api/report", json=said, headers=keys["collector"]).status_code
        == 201
    )
    assert (
        client.request(
            "POST", "/api/report", json=body(), headers={"Authorization": "Bearer nobody"}
        ).status_code
        == 401
    )


def test_a_city_may_take_reports_from_holders_of_keys_only(serve, small_city, keys):
    client = serve(small_city, keys_file=small_city / "keys.toml", public_reports=False)
    assert client.request("POST", "/api/report", json=body()).status_code == 401
    assert client.get("/api/report/services").status_code == 401
    assert (
        client.request("POST", "/api/report", json=body(), headers=keys["collector"]).status_code
        == 201
    )


def test_where_a_city_shows_no_cases_nobody_is_told_of_those_nearby(serve, small_city, keys):
    client = serve(small_city, keys_file=small_city / "keys.toml", open311_public="nothing")
    first = client.request("POST", "/api/report", json=body()).json()
    there = {"lon": LON, "lat": LAT, "radius_m": 1000}
    said = client.get("/api/report/here", params=there)
    assert (said.status_code, said.json()["nearby"]) == (200, [])
    (near,) = client.get("/api/report/here", params=there, headers=keys["district"]).json()[
        "nearby"
    ]
    assert near["case_id"] == first["case_id"]


def test_an_address_has_its_share(serve, small_city):
    client = serve(small_city, reports_per_minute=2)
    answers = [client.request("POST", "/api/report", json=body()) for _ in range(3)]
    assert [one.status_code for one in answers] == [201, 201, 429]
    assert int(answers[2].headers["retry-after"]) > 0


def test_here_says_whose_it_is_and_what_is_near(client):
    first = client.request("POST", "/api/report", json=body()).json()
    there = {"lon": LON + 0.0003, "lat": LAT}
    said = client.get("/api/report/here", params=there | {"service_code": "0110"}).json()
    assert (said["place"]["unit_code"], said["owner"], said["provisional"]) == (
        "419801001001002",
        first["owner"],
        False,
    )
    assert said["calendar_note"]["zh"]
    (near,) = said["nearby"]
    assert (near["case_id"], near["distance_m"], near["service_code"]) == (
        first["case_id"],
        pytest.approx(27, abs=1),
        "0110",
    )
    assert set(near) == {
        "case_id",
        "service_code",
        "category",
        "state",
        "reported_at",
        "lon",
        "lat",
        "distance_m",
    }
    assert client.get("/api/report/here", params=there).json()["owner"] is None
    assert client.get("/api/report/here", params=there | {"service_code": "x"}).status_code == 400
    assert client.get("/api/report/here", params={"lon": 500, "lat": 0}).status_code == 400


def test_services_are_the_classes_in_both_languages(client):
    said = client.get("/api/report/services").json()
    garbage = next(one for one in said["services"] if one["code"] == "0110")
    assert garbage["name"] == {"zh": "暴露生活垃圾", "en": "Exposed household garbage"}
    assert (said["scheme"], garbage["category"], garbage["attributes"]) == (
        "gbt30428-new",
        "exposed_garbage",
        [],
    )


def test_a_held_ledger_is_a_503_and_the_retry_is_taken_once(client, small_city, monkeypatch):
    from gisgrid.casework.ledger import Ledger, LedgerError

    sent = body()
    real = Ledger._take

    def held(self, uploads):
        raise LedgerError(
            "the ledger cannot be written now (database is locked); another program holds it; nothing was taken, try again"
        )

    monkeypatch.setattr(Ledger, "_take", held)
    answer = client.request("POST", "/api/report", json=sent)
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:gisgrid:problem:ledger-away")
    assert answer.headers["retry-after"]
    monkeypatch.setattr(Ledger, "_take", real)
    assert client.request("POST", "/api/report", json=sent).status_code == 201
    assert client.request("POST", "/api/report", json=sent).status_code == 200
    with sqlite3.connect(small_city / "data" / "casework" / "cases.db") as connection:
        assert connection.execute("SELECT count(*) FROM events").fetchone() == (1,)
    connection.close()


def test_without_casework_there_is_no_such_address(serve, small_city):
    assert serve(small_city, cases="off").request(
        "POST", "/api/report", json=body()
    ).status_code in (404, 405)
