"""GeoReport v2 as its text has it, read by somebody who knows only that text, in both of its forms."""

import datetime as dt
import json
import re
import xml.etree.ElementTree as ET

import pytest

W3C = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)")
RECORD = {
    "service_request_id", "status", "status_notes", "service_name", "service_code", "description", "agency_responsible",
    "service_notice", "requested_datetime", "updated_datetime", "expected_datetime", "address", "address_id", "zipcode", "lat",
    "long", "media_url",
}  # fmt: skip
ENGLISH = {"Accept-Language": "en"}


def test_discovery_leads_to_the_endpoint_in_both_forms(refuser):
    found = refuser.ask("discovery", headers=ENGLISH)
    assert set(found) == {"changeset", "contact", "key_service", "endpoints"}
    assert all(found.values())
    (endpoint,) = found["endpoints"]
    assert endpoint["specification"] == "http://wiki.open311.org/GeoReport_v2"
    assert endpoint["formats"] == ["text/xml", "application/json"]
    assert endpoint["url"] == "http://city.test/open311/v2"
    assert endpoint["type"] == "production"


def test_services_have_codes_that_stay_texts(refuser):
    light, building = refuser.ask("services", headers=ENGLISH)
    assert light == {
        "service_code": "006", "service_name": "Street light out", "description": "A street light or a lit sign is out",
        "metadata": "true", "type": "realtime", "keywords": "灯,lamp", "group": "Public works",
    }  # fmt: skip
    assert building["metadata"] == "false"
    if refuser.form == "json":
        assert '"service_code": "006"' in refuser.answer.text
        assert refuser.answer.json()[0]["metadata"] is True


def test_a_definition_has_its_attributes_in_order(refuser):
    found = refuser.ask("services/006", headers=ENGLISH)
    assert found["service_code"] == "006"
    pole, colour, height = found["attributes"]
    assert pole == {
        "variable": "true", "code": "POLE", "datatype": "string", "required": "true",
        "datatype_description": "five digits", "order": "1", "description": "The number on the pole",
    }  # fmt: skip
    assert colour["values"] == [{"key": "01", "name": "white"}, {"key": "02", "name": "yellow"}]
    assert [colour["order"], height["order"], height["datatype"]] == ["2", "3", "number"]
    (error,) = refuser.ask("services/007", status=404)
    assert error["code"] == "404"
    assert "'007'" in error["description"]


def test_what_is_posted_is_read_again(reader, spot):
    place = spot()
    (taken,) = reader.post(
        service_code="006", **place, description="灯不亮\n<b>&amp;</b> ]]> \u0001", email="a@example.org", first_name="三",
        last_name="张", phone="13800000000", device_id="x", account_id="y", jurisdiction_id="city",
        **{"attribute[POLE]": "00017", "attribute[COLOUR][]": ["01", "02"], "attribute[HEIGHT]": "4.5"}, headers=ENGLISH,
    )  # fmt: skip
    assert set(taken) == {"service_request_id", "service_notice", "account_id"}
    assert "settled by" in taken["service_notice"]
    case_id = taken["service_request_id"]
    (one,) = reader.ask(f"requests/{case_id}", headers=ENGLISH)
    (same,) = reader.ask("requests", headers=ENGLISH)
    assert one == same
    assert set(one) == RECORD
    assert one["service_request_id"] == case_id
    assert (one["status"], one["status_notes"], one["service_code"]) == ("open", "Reported", "006")
    assert (float(one["lat"]), float(one["long"])) == (float(place["lat"]), float(place["long"]))
    assert one["address_id"] == "419801001001001"
    assert one["address"].startswith("Unit 419801001001001, Unit 419801001001")
    for name in ("requested_datetime", "updated_datetime"):
        assert W3C.fullmatch(one[name])
    # Nothing that could name somebody is for everybody.
    assert one["description"] is None
    for told in ("灯不亮", "13800000000", "张三", "example.org", "00017"):
        assert told not in reader.answer.text


def test_who_may_see_the_case_reads_its_words(reader, client, spot, keys, photo):
    given, _ = keys
    (taken,) = reader.post(
        service_code="0101",
        **spot(),
        description="墙\u0001",
        address_string="解放路 5 号",
        files={"media": photo},
    )
    path = f"requests/{taken['service_request_id']}"
    assert reader.ask(path)[0]["media_url"] is None
    (seen,) = reader.ask(path, headers={"X-API-Key": given["duty"]})
    words = "墙\ufffd\n解放路 5 号" if reader.form == "xml" else "墙\u0001\n解放路 5 号"
    assert seen["description"] == words
    url = re.fullmatch(r"http://city\.test(/media/[0-9a-f]{64}\.jpg)", seen["media_url"])[1]
    assert client.get(url).status_code == 401
    shown = client.get(url, headers={"X-API-Key": given["duty"]})
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/jpeg")
    # A bureau whose case it is not, and a key without rights, read what everybody reads.
    for name in ("lamps", "viewer"):
        (hidden,) = reader.ask(path, headers={"X-API-Key": given[name]})
        assert (hidden["description"], hidden["media_url"]) == (None, None)
        assert client.get(url, headers={"X-API-Key": given[name]}).status_code in {403, 404}


def test_a_city_may_let_everybody_read_but_never_who_reported(open_city, spot):
    client = open_city(open311_public="texts")
    fields = {"service_code": "0101", **spot(), "description": "墙", "phone": "13800000000"}
    client.request("POST", "/open311/v2/requests.json", data=fields)
    answer = client.get("/open311/v2/requests.json")
    assert answer.json()[0]["description"] == "墙"
    assert "13800000000" not in answer.text


@pytest.mark.parametrize(
    ("fields", "status", "told"),
    [
        ({"service_code": "0101"}, 400, "no place was provided"),
        ({"service_code": "0101", "address_string": "解放路 5 号"}, 400, "send lat and long"),
        ({"service_code": "0101", "address_id": "419801001001001"}, 400, "send lat and long"),
        ({"service_code": "0101", "lat": "35.1"}, 400, "lat and long go together"),
        ({"service_code": "0101", "lat": "x", "long": "1"}, 400, "are no degrees"),
        ({"service_code": "0101", "lat": "NaN", "long": "1"}, 400, "lat is nan"),
        ({"service_code": "0101", "lat": "91", "long": "1"}, 400, "lat is 91.0"),
        ({"service_code": "0101", "lat": "1", "long": "181"}, 400, "long: lon is 181.0"),
        ({"lat": "1", "long": "1"}, 400, "service_code was not provided"),
        ({"service_code": "", "lat": "1", "long": "1"}, 400, "service_code was not provided"),
        ({"service_code": "99", "lat": "1", "long": "1"}, 404, "'99' was not found"),
        ({"service_code": "006", "lat": "1", "long": "1"}, 400, "attribute[POLE]"),
        ({"service_code": "006", "lat": "1", "long": "1", "attribute[POLE]": "1", "attribute[HEIGHT]": "tall"}, 400, "attribute[HEIGHT]: 'tall' is no number"),
        ({"service_code": "006", "lat": "1", "long": "1", "attribute[POLE]": "1", "attribute[COLOUR][]": "03"}, 400, "'03' is none of 01, 02"),
        ({"service_code": "0101", "lat": "1", "long": "1", "attribute[X]": "1"}, 400, "'X'"),
        ({"service_code": "0101", "lat": "1", "long": "1", "description": "长" * 4001}, 400, "4001"),
        ({"service_code": "0101", "lat": "1", "long": "1", "api_key": "nobody's"}, 403, "not known"),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_is_told_as_the_standard_has_it(refuser, fields, status, told):
    errors = refuser.post(status=status, **fields)
    assert errors[0]["code"] == str(status)
    assert told in errors[0]["description"]
    assert refuser.ask("requests") == []
    if refuser.form == "json":
        assert refuser.answer.headers["vary"]


def test_everything_that_is_wrong_is_told_at_once(refuser):
    errors = refuser.post(status=400, lat="x", long="y")
    assert [error["code"] for error in errors] == ["400", "400"]


def test_a_key_may_stand_in_the_form(open_city, keys, spot):
    client = open_city(public_reports=False)
    fields = {"service_code": "0101", **spot()}
    refused = client.request("POST", "/open311/v2/requests.json", data=fields)
    assert (refused.status_code, refused.json()[0]["code"]) == (403, 403)
    viewer = {**fields, "api_key": keys[0]["viewer"]}
    assert client.request("POST", "/open311/v2/requests.xml", data=viewer).status_code == 403
    taken = client.request("POST", "/open311/v2/requests.json", data={**fields, "api_key": keys[0]["duty"]})  # fmt: skip
    assert taken.status_code == 200


def test_a_report_that_is_sent_again_is_taken_once(reader, spot):
    token = {"Idempotency-Key": "8a6e0804-2bd0-4672-b79d-d97027f9071a"}
    (first,) = reader.post(service_code="0101", **spot(), headers=token)
    (again,) = reader.post(service_code="0101", **spot(), headers=token)
    assert first == again
    assert len(reader.ask("requests")) == 1
    (error,) = reader.post(service_code="0101", **spot(300, 300), headers=token, status=409)
    assert error["code"] == "409"
    (found,) = reader.ask(f"tokens/{token['Idempotency-Key']}")
    assert found == {"service_request_id": first["service_request_id"], "token": token["Idempotency-Key"]}  # fmt: skip
    assert reader.ask("tokens/another", status=404)[0]["code"] == "404"


def test_photos_that_are_none_are_refused_and_nothing_is_taken(reader, spot, photo):
    reader.post(service_code="0101", **spot(), files={"media": b"GIF89a"}, status=415)
    reader.post(service_code="0101", **spot(), files={"media": photo[:-20]}, status=400)
    many = [("media", photo)] * 5
    reader.post(service_code="0101", **spot(), files=many, status=400)
    unknown = "http://city.test/media/" + "0" * 64 + ".jpg"
    reader.post(service_code="0101", **spot(), media_url=unknown, status=400)
    assert reader.ask("requests") == []
    elsewhere = "http://elsewhere.test/picture.jpg"
    reader.post(service_code="0101", **spot(), media_url=elsewhere)
    assert len(reader.ask("requests")) == 1


def test_closed_is_what_nobody_has_to_do_anything_about(client, small_city, spot, keys):
    from gisgrid.catalogue import Catalogue, FolderStore
    from gisgrid.desk import Desk

    taken = client.request("POST", "/open311/v2/requests.json", data={"service_code": "0101", **spot()})  # fmt: skip
    case_id = taken.json()[0]["service_request_id"]
    city = Catalogue.read(small_city / "layers"), FolderStore(small_city / "data")
    with Desk.open(*city, rules=small_city / "rules", follow=False) as desk:
        desk.act(case_id, "void", by="somebody", why="电话 13800000000 说已经拆除")
    asked = {"params": {"extensions": "true"}, "headers": ENGLISH}
    (one,) = client.request("GET", f"/open311/v2/requests/{case_id}.json", **asked).json()
    assert (one["status"], one["status_notes"], one["source"]) == ("closed", "Void", "open311")
    assert one["closed_date"] is not None
    assert set(one) - RECORD == {"closed_date", "status_description", "source", "service_subtype"}
    said = {"X-API-Key": keys[0]["duty"]}
    (seen,) = client.get(f"/open311/v2/requests/{case_id}.json", headers=said).json()
    assert seen["status_notes"] == "已作废; 电话 13800000000 说已经拆除"
    for status, n in (("open", 0), ("closed", 1), ("open,closed", 1), ("", 1)):
        assert len(client.get(f"/open311/v2/requests.json?status={status}").json()) == n


def test_both_forms_say_the_same(client, spot):
    for i in range(3):
        client.request("POST", "/open311/v2/requests.json", data={"service_code": "0101", **spot(100 + i)})  # fmt: skip
    root = ET.fromstring(client.get("/open311/v2/requests.xml").content)  # noqa: S314 - the server's own
    spoken = json.loads(client.get("/open311/v2/requests.json").content)
    assert [[(part.tag, part.text) for part in request] for request in root] == [
        [(name, None if value is None else str(value)) for name, value in request.items()] for request in spoken
    ]  # fmt: skip
    assert root.tag == "service_requests"
    assert len(spoken) == 3


@pytest.mark.parametrize(
    ("accept", "media_type", "status"),
    [
        ("application/json", "application/json", 200),
        ("text/xml", "text/xml", 200),
        ("application/xml", "text/xml", 200),
        ("*/*", "text/xml", 200),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/xml", 200),
        ("image/png", "text/xml", 406),
    ],
)
def test_without_an_extension_accept_decides(empty_city, accept, media_type, status):
    answer = empty_city.get("/open311/v2/services", headers={"Accept": accept})
    assert answer.status_code == status
    assert answer.headers["content-type"] == f"{media_type}; charset=utf-8"


def test_what_is_not_there_is_told_in_the_form_that_was_asked_for(empty_city):
    for path, form in (("nothing.json", "json"), ("nothing", "xml"), ("services.html", "xml"), ("requests/x.json", "json")):  # fmt: skip
        answer = empty_city.get(f"/open311/v2/{path}")
        assert answer.status_code == 404
        assert (
            '"code": 404' if form == "json" else "<errors><error><code>404</code>"
        ) in answer.text


def test_no_entity_is_read_from_outside(empty_city):
    body = b'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY e SYSTEM "file:///etc/passwd">]><r>&e;</r>'
    answer = empty_city.request("POST", "/open311/v2/requests.xml", content=body, headers={"Content-Type": "text/xml"})  # fmt: skip
    assert answer.status_code == 400
    assert b"root:" not in answer.content


def test_a_city_may_show_nothing_to_everybody(open_city, spot, keys):
    client = open_city(open311_public="nothing")
    taken = client.request("POST", "/open311/v2/requests.json", data={"service_code": "0101", **spot()})  # fmt: skip
    case_id = taken.json()[0]["service_request_id"]
    for asked in (f"requests/{case_id}.json", "requests.json"):
        assert client.get(f"/open311/v2/{asked}").status_code == 403
        assert client.get(f"/open311/v2/{asked}?api_key={keys[0]['viewer']}").status_code == 403
        assert len(client.get(f"/open311/v2/{asked}?api_key={keys[0]['duty']}").json()) == 1
    paged = client.get(f"/open311/v2/requests.json?page=1&api_key={keys[0]['lamps']}")
    assert (paged.json(), paged.headers["x-total-count"]) == ([], "0")
    assert client.get(f"/open311/v2/requests/{case_id}.json?api_key={keys[0]['lamps']}").status_code == 404  # fmt: skip


def test_time_is_the_citys(client, spot):
    client.request("POST", "/open311/v2/requests.json", data={"service_code": "0101", **spot()})
    (one,) = client.get("/open311/v2/requests.json").json()
    requested = dt.datetime.fromisoformat(one["requested_datetime"])
    assert requested.utcoffset() == dt.timedelta(hours=8)
    assert abs(dt.datetime.now(tz=dt.UTC) - requested) < dt.timedelta(minutes=5)
