"""A real server on a real port, for the clients that other people wrote; and the schemas of the standards."""

import json
import subprocess
import sys

import jsonschema
import pytest

SERVE = """
import socket, sys, uvicorn
from gisgrid_server.app import create_app
from gisgrid_server.settings import Settings
listening = socket.create_server(("127.0.0.1", 0))
print(listening.getsockname()[1], flush=True)
app = create_app(Settings(layers=sys.argv[1], data=sys.argv[2], warm=False))
uvicorn.Server(uvicorn.Config(app, log_level="error")).run(sockets=[listening])
"""


@pytest.fixture(scope="session")
def live(city):
    """The address of a server of the small city, in a process of its own: GDAL waits without letting others run."""
    command = [sys.executable, "-c", SERVE, str(city / "layers"), str(city / "data")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            port = server.stdout.readline().strip()
            assert port, "the server did not start"
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(20)


@pytest.fixture(scope="session")
def schema_of(shared_data):
    """Check a document against a schema of OGC API – Tiles' bundle."""
    path = shared_data / "fixtures/ogcapi-tiles/openapi/ogcapi-tiles-1.bundled.json"
    bundle = json.loads(path.read_text("utf-8"))
    # A slip of the bundle: what it says of additional dimensions it says of `spatial` and `temporal` as well.
    bundle["components"]["schemas"]["extent-uad"]["allOf"][1]["properties"] = {
        "spatial": {},
        "temporal": {},
    }

    def check(document, name):
        schema = {"$ref": f"#/components/schemas/{name}", "components": bundle["components"]}
        jsonschema.Draft202012Validator(schema).validate(document)

    return check


@pytest.fixture(scope="session")
def follow():
    """Go from page to page by a link, and give all features."""

    def walk(client, path, rel="next"):
        seen = []
        while path is not None:
            page = client.get(path).json()
            seen.append([feature["id"] for feature in page["features"]])
            hrefs = [link["href"] for link in page["links"] if link["rel"] == rel]
            path = hrefs[0].removeprefix("http://city.test") if hrefs else None
        return seen

    return walk
