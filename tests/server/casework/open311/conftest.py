"""A city that takes reports by Open311, the keys of its people, and a reader of the standard that knows nothing of the server."""

import io
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from gisgrid_server.edge.keys import new_key
from PIL import Image
from pyproj import Transformer

RULES = """
scheme = "gbt30428-new"

[[service]]
code = "006"
name = { zh = "路灯不亮", en = "Street light out" }
group = { zh = "市政设施", en = "Public works" }
description = { zh = "路灯、景观灯不亮", en = "A street light or a lit sign is out" }
keywords = ["灯", "lamp"]

[[service.attribute]]
code = "POLE"
datatype = "string"
required = true
description = { zh = "灯杆编号", en = "The number on the pole" }
hint = { zh = "五位数字", en = "five digits" }

[[service.attribute]]
code = "COLOUR"
datatype = "multivaluelist"
description = { zh = "颜色", en = "Colour" }
values = [
    { key = "01", name = { zh = "白", en = "white" } },
    { key = "02", name = { zh = "黄", en = "yellow" } },
]

[[service.attribute]]
code = "HEIGHT"
datatype = "number"
description = { zh = "高度", en = "Height" }

[[service]]
code = "0101"
name = { zh = "私搭乱建", en = "Illegal building" }
"""
KEYS = {
    "duty": {"role": "district", "grids": ["*"], "classes": ["*"]},
    "lamps": {"role": "bureau", "owners": ["lamps"], "grids": ["*"], "classes": ["*"]},
    "viewer": {},
}


class Reader:
    """Asks by the published standard: addresses, forms and element names are written out here from its text."""

    items = {  # noqa: RUF012 - of a test
        "services": "service", "service_requests": "request", "errors": "error", "attributes": "attribute",
        "values": "value", "endpoints": "endpoint", "formats": "format",
    }  # fmt: skip

    def __init__(self, client, form):
        self.client, self.form = client, form

    def ask(self, path, *, method="GET", status=200, **options):
        """The content of an answer, as plain lists, dicts and texts in both forms."""
        self.answer = self.client.request(method, f"/open311/v2/{path}.{self.form}", **options)
        assert self.answer.status_code == status, self.answer.text
        if self.form == "json":
            assert self.answer.headers["content-type"] == "application/json; charset=utf-8"
            return as_text(self.answer.json())
        assert self.answer.headers["content-type"] == "text/xml; charset=utf-8"
        assert self.answer.content.startswith(b'<?xml version="1.0" encoding="utf-8"?>')
        return self.plain(ET.fromstring(self.answer.content))  # noqa: S314 - the server's own

    def plain(self, element):
        children = list(element)
        item = self.items.get(element.tag)
        if item is not None:
            assert {child.tag for child in children} <= {item}
            return [self.plain(child) for child in children]
        return {child.tag: self.plain(child) for child in children} if children else element.text

    def post(self, *, status=200, headers=None, files=None, **fields):
        return self.ask(
            "requests", method="POST", status=status, data=fields, headers=headers, files=files
        )


def as_text(value):
    """What JSON says, as XML can say it."""
    if isinstance(value, dict):
        return {name: as_text(part) for name, part in value.items()}
    if isinstance(value, list):
        return [as_text(part) for part in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None or value == "" else str(value)


@pytest.fixture
def keys():
    """Keys by name, and the file that knows them."""
    made = {name: new_key(name, **rights) for name, rights in KEYS.items()}
    lines = "\n".join(lines for _, lines in made.values())
    return {name: key for name, (key, _) in made.items()}, lines


@pytest.fixture
def ruled(small_city, keys):
    """The settings of the small city that takes reports by Open311."""
    rules = small_city / "rules"
    rules.mkdir(exist_ok=True)
    (rules / "services.toml").write_text(RULES, "utf-8")
    file = small_city / "keys.toml"
    file.write_text(keys[1], "utf-8")
    return {"cases_rules": rules, "keys_file": file}


@pytest.fixture
def open_city(small_city, serve, ruled):
    """Serve the small city with cases."""
    return lambda **options: serve(small_city, **{**ruled, **options})


@pytest.fixture
def client(open_city):
    return open_city()


@pytest.fixture(params=["xml", "json"])
def form(request):
    return request.param


@pytest.fixture
def reader(client, form):
    return Reader(client, form)


@pytest.fixture(scope="module")
def empty_city(_small_city, tmp_path_factory, serve):
    """A server that no case comes to: for what only reads, and for what is refused."""
    root = Path(shutil.copytree(_small_city, tmp_path_factory.mktemp("empty") / "city"))
    (root / "services.toml").write_text(RULES, "utf-8")
    return serve(root, cases_rules=root, reports_per_minute=10_000)


@pytest.fixture
def refuser(empty_city, form):
    return Reader(empty_city, form)


@pytest.fixture(scope="session")
def spot():
    """Longitude and latitude, as texts, of metres east and north of the city's corner."""
    to_degrees = Transformer.from_crs(4547, 4326, always_xy=True)

    def at(east=100, north=100):
        lon, lat = to_degrees.transform(500_000.0 + east, 3_895_000.0 + north)
        return {"long": f"{lon:.7f}", "lat": f"{lat:.7f}"}

    return at


@pytest.fixture(scope="session")
def photo():
    drawn = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").save(drawn, "JPEG")
    return drawn.getvalue()
