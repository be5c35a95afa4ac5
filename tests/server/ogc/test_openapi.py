"""The description of the server: OpenAPI 3.0, complete, in both languages, and true."""

import re
import threading

import pytest


@pytest.fixture(scope="module")
def document(client):
    return client.get("/openapi.json").json()


def test_it_is_openapi_3_0_and_says_so(client, document):
    assert (
        client.get("/openapi.json").headers["content-type"]
        == "application/vnd.oai.openapi+json;version=3.0"
    )
    assert document["openapi"] == "3.0.3"
    text = client.get("/openapi.json").text
    for newer in ('"type": "null"', '"const"', '"examples"', '"$defs"', '"prefixItems"'):
        assert newer not in text
    names = set(document["components"]["schemas"])
    assert set(re.findall(r'"#/components/schemas/(\w+)"', text)) <= names


def test_those_who_ask_first_and_at_once_are_told_the_same(city):
    from gisgrid_server.app import create_app
    from gisgrid_server.settings import Settings

    app = create_app(Settings(layers=city / "layers", data=city / "data", warm=False))._app
    gate, found = threading.Barrier(6), []

    def ask():
        gate.wait()
        found.append(app.openapi())

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert [one is found[0] for one in found] == [True] * 6


def test_every_address_is_described(client, document):
    from gisgrid_server.ogc.parameters import OPERATIONS

    ids = [
        one["operationId"]
        for operations in document["paths"].values()
        for one in operations.values()
    ]
    assert len(ids) == len(set(ids))
    assert set(OPERATIONS) <= set(ids)
    for path, operations in document["paths"].items():
        for one in operations.values():
            assert re.search(r"[\u4e00-\u9fff]|WMTS|TileJSON", one["x-zh"]), path
            assert one["tags"]
            in_path = {p["name"] for p in one.get("parameters", ()) if p["in"] == "path"}
            assert in_path == set(re.findall(r"{(\w+)}", path))
            names = [(p["name"], p["in"]) for p in one.get("parameters", ())]
            assert len(names) == len(set(names)), path


def test_nothing_that_is_made_up_breaks_the_server(live, ask_at_random):
    """Schemathesis asks every address in ways that the description allows and in ways that it forbids."""
    assert ask_at_random(live) > 200
