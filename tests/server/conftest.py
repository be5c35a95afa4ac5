"""A small city whose truth is known, and a client that needs no network."""

import asyncio
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import geopandas as gpd
import httpx
import numpy as np
import pandas as pd
import pytest
import schemathesis
import shapely
from affine import Affine
from gisgrid_server.app import create_app
from gisgrid_server.settings import Settings
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from pyproj import CRS
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from gisgrid.files import write_frame, write_surface, write_table
from gisgrid.surface import Surface
from gisgrid.tiles import bbox_tiles, warm_up

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]

WEST, SOUTH, CELL = 500_000.0, 3_895_000.0, 300.0

CATALOGUE = """
title = { zh = "小城", en = "Small city" }
timezone = "Asia/Shanghai"
crs = "EPSG:4547"

[groups]
density = { zh = "密度", en = "Density" }
counts = { zh = "数量", en = "Counts" }
hotspots = { zh = "热点", en = "Hotspots" }
zones = { zh = "区域", en = "Zones" }
grid = { zh = "网格", en = "Grid" }
reports = { zh = "上报", en = "Reports" }
"""

LAYER = """
id = "{id}"
title = {{ zh = "{id}", en = "{id}" }}
description = {{ zh = "图层 {id}", en = "The layer {id}" }}
group = "{group}"
geometry = "{geometry}"
{head}
[source]
path = "{id}{suffix}"
licence = "CC0-1.0"
attribution = "nobody"
acquired = "2026-11-22"
{tiles}
"""

FIELD = """
[[fields]]
name = "{name}"
type = "{type}"
nullable = true
description = {{ zh = "{name}", en = "{name}" }}
"""

STYLE = {
    "Polygon": '[{"id": "%s-fill", "type": "fill", "paint": {"fill-color": "#b2182b"}}]',
    "Point": '[{"id": "%s-dots", "type": "circle"}]',
    "raster": '[{"id": "%s-picture", "type": "raster"}]',
}

ALLOWED = {
    "label": ["hot_99", "hot_95", "hot_90", "not_significant", "cold_90", "cold_95", "cold_99"],
    "category": ["dry_toilet", "exposed_garbage"],
}


def labels(name: str) -> str:
    words = (f'{value} = {{ zh = "{value}", en = "{value}" }}' for value in ALLOWED[name])
    return "\n[fields.labels]\n" + "\n".join(words)


def cells() -> gpd.GeoDataFrame:
    """A hundred squares; the four in the south-west corner and one in the north-east are hot."""
    column, row = np.meshgrid(np.arange(10), np.arange(10))
    x, y = WEST + column.ravel() * CELL, SOUTH + row.ravel() * CELL
    frame = gpd.GeoDataFrame(
        {"cell_id": [f"c{i:03d}" for i in range(100)]},
        geometry=shapely.box(x, y, x + CELL, y + CELL),
        crs=4547,
    )
    frame["observed"], frame["expected"], frame["z"], frame["q"] = 1.0, 2.0, 0.1, 0.9
    frame["label"] = "not_significant"
    corner = [0, 1, 10, 11]
    frame.loc[corner, ["z", "q", "observed", "label"]] = [5.0, 0.001, 40.0, "hot_99"]
    frame.loc[0, "z"] = 6.5
    frame.loc[99, ["z", "q", "observed", "label"]] = [3.1, 0.04, 20.0, "hot_95"]
    frame.loc[50, ["z", "q", "label"]] = [np.nan, np.nan, None]
    return frame


def units() -> gpd.GeoDataFrame:
    """Two communities: the western and the eastern half."""
    half, side = 5 * CELL, 10 * CELL
    return gpd.GeoDataFrame(
        {
            "community_code": ["410105001001", "410105001002"],
            "subdistrict_code": ["410105001"] * 2,
            "name_zh": ["东风社区", "红旗社区"],
            "name_en": ["Dongfeng Community", "Hongqi Community"],
            "population": [5000, 7000],
        },
        geometry=[
            shapely.box(WEST, SOUTH, WEST + half, SOUTH + side),
            shapely.box(WEST + half, SOUTH, WEST + side, SOUTH + side),
        ],
        crs=4547,
    )


def issues(n: int = 200) -> gpd.GeoDataFrame:
    rng = np.random.default_rng(7)
    place = rng.uniform([WEST, SOUTH], [WEST + 10 * CELL, SOUTH + 10 * CELL], (n, 2))
    return gpd.GeoDataFrame(
        {
            "issue_id": [f"A-{i:04d}" for i in range(n)],
            "category": np.where(np.arange(n) % 4 == 0, "dry_toilet", "exposed_garbage"),
            "reported_at": pd.date_range("2026-01-01", periods=n, freq="D", tz="UTC").as_unit("us"),
            "caller": ["13800000000"] * n,
        },
        geometry=gpd.points_from_xy(*place.T),
        crs=4547,
    )


def months() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "community_code": ["410105001001", "410105001001", "410105001002"],
            "month": ["2026-01", "2026-02", "2026-02"],
            "n_incidents": [3, 4, 5],
            "complete": [True, False, False],
        }
    )


# Of each layer: its group, geometry and key, what is shown, and what makes its frame.
FRAMES = {
    "communities": ("grid", "Polygon", "community_code", ["name_zh", "name_en", "population"], units),
    "subdistricts": ("grid", "Polygon", "subdistrict_code", ["name_zh", "name_en"], None),
    "issue_hotspots": ("hotspots", "Polygon", "cell_id", ["z", "q", "observed", "expected", "label"], cells),
    "urban_villages": ("zones", "Polygon", "urban_village_id", [], None),
    "reported_issues": ("reports", "Point", "issue_id", ["issue_id", "category", "reported_at"], issues),
}  # fmt: skip

TYPES = {"population": "integer", "z": "number", "q": "number", "observed": "number", "expected": "number",
         "reported_at": "datetime", "n_incidents": "integer", "complete": "boolean"}  # fmt: skip


def frame_of(layer_id: str) -> gpd.GeoDataFrame:
    made = FRAMES[layer_id][4]
    if made is not None:
        return made()
    if layer_id == "subdistricts":
        whole = units().dissolve("subdistrict_code").reset_index()[["subdistrict_code", "geometry"]]
        return whole.assign(name_zh="解放街道", name_en="Jiefang Subdistrict")
    corner = shapely.box(WEST, SOUTH, WEST + CELL, SOUTH + 2 * CELL)
    return gpd.GeoDataFrame({"urban_village_id": ["u1"]}, geometry=[corner], crs=4547)


def write_layer(layers: Path, layer_id: str, text: str, geometry: str) -> None:
    folder = layers / layer_id
    folder.mkdir(parents=True)
    (folder / "layer.toml").write_text(text, "utf-8")
    if geometry in STYLE:
        (folder / "style.json").write_text(STYLE[geometry] % layer_id, "utf-8")


def write_city(root: Path) -> None:
    layers, data = root / "layers", root / "data"
    layers.mkdir()
    data.mkdir()
    (layers / "catalogue.toml").write_text(CATALOGUE, "utf-8")
    for layer_id, (group, geometry, key, shown, _) in FRAMES.items():
        frame = frame_of(layer_id)
        write_frame(frame, data / f"{layer_id}.parquet")
        maxzoom, visible = (15, "false") if layer_id == "reported_issues" else (14, "true")
        tiles = f"[tiles]\nminzoom = 8\nmaxzoom = {maxzoom}\nproperties = {shown}\nvisible = {visible}\n"
        fields = "".join(
            FIELD.format(name=name, type=TYPES.get(name, "string"))
            + (labels(name) if name in ALLOWED else "")
            for name in frame.columns
            if name != "geometry"
        )
        head = f'primary_key = "{key}"\ncrs = "EPSG:4547"'
        text = LAYER.format(
            id=layer_id, group=group, geometry=geometry, head=head, suffix=".parquet", tiles=tiles
        )
        write_layer(layers, layer_id, text + fields, geometry)
    _write_density(layers, data)
    _write_months(layers, data)


def _write_density(layers: Path, data: Path) -> None:
    row, column = np.mgrid[:120, :60]
    values = np.where((row < 60) & (column < 60), 50.0, 0.0).astype(np.float32)
    surface = Surface(values, Affine(50, 0, WEST, 0, -50, SOUTH + 6000), CRS(4547), "issues/km²")
    write_surface(surface, data / "issue_density.tif")
    text = LAYER.format(
        id="issue_density", group="density", geometry="raster", head='crs = "EPSG:4547"', suffix=".tif",
        tiles="[tiles]\nminzoom = 8\nmaxzoom = 15\nproperties = []\nvisible = false\n",
    )  # fmt: skip
    write_layer(layers, "issue_density", text, "raster")


def _write_months(layers: Path, data: Path) -> None:
    write_table(months(), data / "issue_months.parquet")
    text = LAYER.format(
        id="issue_months", group="counts", geometry="none", head="", suffix=".parquet", tiles=""
    )
    fields = "".join(
        FIELD.format(name=name, type=TYPES.get(name, "string")) for name in months().columns
    )
    write_layer(layers, "issue_months", text + fields, "none")


class Client:
    """Asks an application as a browser would, without a network; one event loop for all requests.

    The loop has a thread of its own, because a browser that other tests hold open keeps one running in this thread.
    """

    def __init__(self, app, *, raising: bool = True) -> None:
        self.app = app
        self._thread = ThreadPoolExecutor(1)
        self._runner = asyncio.Runner()
        self._transport = httpx.ASGITransport(app, raise_app_exceptions=raising)

    def get(self, path: str, **options) -> httpx.Response:
        return self.request("GET", path, **options)

    def request(self, method: str, path: str, **options) -> httpx.Response:
        return self._run([(method, path, options)])[0]

    def get_at_once(self, paths: list[str]) -> list[httpx.Response]:
        return self._run([("GET", path, {}) for path in paths])

    def _run(self, requests) -> list[httpx.Response]:
        return self._thread.submit(lambda: self._runner.run(self._ask(requests))).result()

    async def _ask(self, requests) -> list[httpx.Response]:
        async with httpx.AsyncClient(
            transport=self._transport, base_url="http://city.test"
        ) as client:
            return await asyncio.gather(*(client.request(m, p, **o) for m, p, o in requests))

    def close(self) -> None:
        self._thread.submit(self._runner.close).result()
        self._thread.shutdown()


@pytest.fixture(scope="session", autouse=True)
def _compiled():
    """Compile first, so that no request of a test waits for that."""
    warm_up()


@pytest.fixture(scope="session")
def city(tmp_path_factory) -> Path:
    """The folder of the small city: `layers` and `data`."""
    root = tmp_path_factory.mktemp("city")
    write_city(root)
    return root


@pytest.fixture
def own_city(city, tmp_path) -> Path:
    """A copy of the small city to change."""
    without = shutil.ignore_patterns(".tiles", ".live")
    return Path(shutil.copytree(city, tmp_path / "city", ignore=without))


@pytest.fixture(scope="session")
def client_of():
    """Make a client of an application."""
    clients = []

    def make(app, *, raising: bool = True) -> Client:
        clients.append(Client(app, raising=raising))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture(scope="session")
def serve(client_of):
    """Make a client of a city's server."""

    def make(root: Path, *, raising: bool = True, **options) -> Client:
        folders = {"layers": root / "layers", "data": root / "data"}
        chosen = Settings(**{**folders, "warm": False, "look_s": 0.1, **options})
        return client_of(create_app(chosen), raising=raising)

    return make


@pytest.fixture(scope="session")
def client(city, serve) -> Client:
    """A client of the small city."""
    return serve(city)


@pytest.fixture(scope="session")
def place(client):
    """A tile of zoom 14 with communities and issues in it."""
    west, south, east, north = client.get("/api/catalogue").json()["bbox"]
    lon, lat = (west + east) / 2, (south + north) / 2
    z, x, y = next(bbox_tiles((lon, lat, lon, lat), 14))
    return f"{z}/{x}/{y}"


@pytest.fixture(scope="session")
def until():
    """Wait until something is so; what is served follows its files a moment later."""

    def wait(is_so, *, seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while not is_so():
            assert time.monotonic() < deadline, "it did not become so"
            time.sleep(0.05)

    return wait


@pytest.fixture(scope="session")
def ask_at_random():
    """Ask a server by its own description, in ways that it allows and in ways that it forbids; count how often."""

    def ask(address, *, below="/", headers=None, n=5):
        schema = schemathesis.openapi.from_url(f"{address}/openapi.json")
        asked = 0
        for found in schema.get_all_operations():
            operation = found.ok()
            if not operation.path.startswith(below) or operation.path.endswith(
                "/news"
            ):  # a stream has no end
                continue
            for mode in schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE:
                asked += _ask(operation.as_strategy(generation_mode=mode), headers, n)
        return asked

    return ask


def _ask(cases, headers, most) -> int:
    n = 0

    @seed(20261122)
    @settings(max_examples=most, database=None, deadline=None, derandomize=False, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(case=cases)
    def run(case):
        nonlocal n
        n += 1
        answer = case.call(headers=headers)
        if b"Invalid HTTP request" not in answer.content:  # no request at all, as uvicorn says
            case.validate_response(answer, checks=CHECKS)

    with suppress(Unsatisfiable):  # an address in which nothing can be wrong
        run()
    return n


@pytest.fixture(scope="session")
def problem():
    """Check that an answer is a problem, and give it."""

    def check(response: httpx.Response, status: int) -> dict:
        assert response.status_code == status, response.text
        assert response.headers["content-type"] == "application/problem+json"
        assert response.headers["cache-control"] == "no-store"
        document = response.json()
        assert set(document) == {"type", "title", "status", "detail", "detail_zh"}
        assert document["status"] == status
        assert document["detail"]
        assert document["detail_zh"]
        return document

    return check
