"""A public client library of Open311 (three, by Code for America) reads and posts, over a real connection."""

import importlib
import io
import itertools
import socket
import threading
import time
import uuid
import warnings

import pytest
import uvicorn
from gisgrid_server.app import create_app
from gisgrid_server.settings import Settings
from PIL import Image


@pytest.fixture
def three(monkeypatch):
    """The library, which was written for an older Python."""
    monkeypatch.setattr(itertools, "ifilter", filter, raising=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module("three")


@pytest.fixture
def address(small_city, ruled):
    settings = Settings(layers=small_city / "layers", data=small_city / "data", warm=False, **ruled)
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_app(settings), log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while not server.started:
        assert time.monotonic() < deadline, "the server did not start within a minute"
        time.sleep(0.05)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}/open311/v2"
    server.should_exit = True
    thread.join(20)


def test_it_reads_services_and_posts_a_request_with_a_photo(three, address, keys):
    city = three.Three(address, api_key=keys[0]["duty"])
    assert {endpoint["type"] for endpoint in city.discovery()["endpoints"]} >= {"production"}
    services = {one["service_code"]: one for one in city.services()}
    assert services["006"]["metadata"] in (True, "true")
    (pole,) = [one for one in city.services("006")["attributes"] if one["code"] == "POLE"]
    assert pole["required"] in (True, "true")

    photo = io.BytesIO()
    Image.new("RGB", (40, 30), "navy").save(photo, "JPEG")
    photo.seek(0)
    said = {
        "lat": "35.1805",
        "long": "114.0005",
        "description": "路灯不亮",
        "attribute[POLE]": "00417",
        "name": "Li Lei",
    }
    city.session.headers["Idempotency-Key"] = token = str(uuid.uuid4())
    (made,) = city.post("006", media=("lamp.jpg", photo, "image/jpeg"), **said)
    number = made["service_request_id"]

    (found,) = city.request(number)
    assert (found["service_code"], found["status"]) == ("006", "open")
    assert found.get("description") is None, "what people wrote is not for everybody"
    city.session.headers["X-API-Key"] = keys[0]["duty"]
    (found,) = city.request(number)
    assert found["description"] == "路灯不亮"
    assert city.session.get(found["media_url"]).content[:3] == b"\xff\xd8\xff"
    assert number in {one["service_request_id"] for one in city.requests("006", count=10)}
    today = time.strftime("%m-%d-%Y", time.gmtime())
    assert city.requests("006", between=["01-01-2020", "01-02-2020"]) == []
    assert city.requests("006", start=today, end="12-31-2099")
    assert city.token(token)[0]["service_request_id"] == number


def test_what_it_posts_in_vain_is_told_as_the_standard_says(three, address):
    city = three.Three(address)
    (error,) = city.post("no such class", lat="35.18", long="114.0")
    assert (int(error["code"]), city.post_response.status_code) == (404, 404)
    assert "no such class" in error["description"]
