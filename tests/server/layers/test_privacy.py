"""Somebody tries to get out what must not leave: free text, names, telephone numbers, keys, single rows, exact places."""

import json
from urllib.parse import quote

import mapbox_vector_tile
import numpy as np
import pytest
from gisgrid_server.layers.editions import Edition

from gisgrid.files import read_frame

SECRETS = ("13800000000", "caller", "A-0001", "Dongfeng")
K = 10


@pytest.fixture(scope="module")
def hidden_city(city, tmp_path_factory):
    """The small city, whose reports are shown as numbers of ten and more only."""
    import shutil

    root = shutil.copytree(city, tmp_path_factory.mktemp("hidden") / "city")
    path = root / "layers" / "reported_issues" / "layer.toml"
    text = path.read_text("utf-8").replace("maxzoom = 15", "maxzoom = 18")
    privacy = f"\n[tiles.privacy]\nk_threshold = {K}\n\n[[fields]]"
    path.write_text(text.replace("\n[[fields]]", privacy, 1), "utf-8")
    return root


@pytest.fixture(scope="module")
def hidden(hidden_city, serve):
    return serve(hidden_city)


def every_tile(client, layer, zooms, query=""):
    """All tiles of a layer at some zooms, over the whole city."""
    from gisgrid.tiles import bbox_tiles

    bbox = client.get("/api/catalogue").json()["bbox"]
    for zoom in zooms:
        for z, x, y in bbox_tiles(bbox, zoom):
            yield client.get(f"/tiles/{layer}/{z}/{x}/{y}.mvt{query}")


def numbers_in(answers):
    for answer in answers:
        if answer.status_code == 200:
            for layer in mapbox_vector_tile.decode(answer.content).values():
                for feature in layer["features"]:
                    yield feature["properties"]
        else:
            assert answer.status_code in {204, 400}, answer.text


@pytest.mark.parametrize("zoom", [8, 12, 14, 16])
def test_numbers_under_k_are_in_no_tile_at_any_zoom(hidden, zoom):
    n = 0
    for properties in numbers_in(every_tile(hidden, "reported_issues", [zoom])):
        n += 1
        counts = [
            value for name, value in properties.items() if name == "count" or name.startswith("n_")
        ]
        assert counts, properties
        assert all(value >= K for value in counts if value), properties
        assert not set(properties) & {"issue_id", "category", "reported_at"}
    assert n or zoom > 10


@pytest.mark.parametrize(
    "query",
    [
        "issue_id='A-0001'",
        "caller='13800000000'",
        "caller LIKE '138%'",
    ],
)
def test_filters_cannot_ask_for_what_is_not_shown(hidden, problem, query):
    answer = hidden.get(f"/tiles/reported_issues/12/3344/1620.mvt?filter={quote(query)}")
    problem(answer, 400)
    assert "13800000000" not in answer.text


def test_a_filter_that_leaves_few_leaves_nothing(hidden):
    query = quote("reported_at = TIMESTAMP('2026-01-05T00:00:00Z')")
    answers = list(every_tile(hidden, "reported_issues", [8, 10, 12], f"?filter={query}"))
    assert {answer.status_code for answer in answers} == {204}
    # Nor does a header say that there was something.
    assert not any("of=1;" in answer.headers.get("gisgrid-thinned", "") for answer in answers)


@pytest.mark.parametrize(
    "path",
    [
        "/api/layers/reported_issues/rows",
        "/api/layers/reported_issues/rows?limit=1&sort=category",
        "/collections/reported_issues/items",
        "/collections/reported_issues/items?limit=1&category=dry_toilet",
        "/collections/reported_issues/items/1",
        "/collections/reported_issues/items/A-0001",
    ],
)
def test_no_single_row_is_given(hidden, problem, path):
    answer = hidden.get(path)
    assert answer.status_code in {403, 404}
    problem(answer, answer.status_code)


def test_counts_under_k_are_hidden_and_cannot_be_worked_out(hidden_city, hidden):
    document = hidden.get("/api/layers/reported_issues/counts?by=category").json()
    assert document["counts"] == {"dry_toilet": 50, "exposed_garbage": 150}
    by_day = hidden.get("/api/layers/reported_issues/counts?by=reported_at").json()
    assert set(by_day["counts"].values()) == {None}


@pytest.mark.parametrize("which", ["client", "hidden"])
def test_free_text_and_numbers_are_nowhere(request, which):
    client = request.getfixturevalue(which)
    paths = [
        "/", "/api/catalogue", "/style.json", "/openapi.json", "/collections", "/collections/reported_issues",
        "/collections/reported_issues/queryables", "/collections/reported_issues/schema", "/metrics",
        "/tiles/reported_issues/tilejson.json", "/collections/reported_issues/items?limit=1000",
        "/api/layers/reported_issues/rows?limit=1000", "/api/findings",
    ]  # fmt: skip
    for path in paths:
        text = client.get(path).text
        assert "13800000000" not in text, path
        assert "caller" not in text, path
    for answer in every_tile(client, "reported_issues", [8, 11, 14]):
        assert b"13800000000" not in answer.content
        assert b"caller" not in answer.content


def test_what_is_not_shown_is_not_even_laid_down(city, client, serve):
    serve(city).get("/tiles/reported_issues/tilejson.json")
    folders = list((city / "data" / ".tiles").glob("reported_issues-*"))
    assert folders
    for path in folders[0].rglob("*"):
        if path.is_file():
            assert b"13800000000" not in path.read_bytes(), path


def test_blurred_places_are_blurred_everywhere(own_city, serve):
    path = own_city / "layers" / "reported_issues" / "layer.toml"
    text = path.read_text("utf-8")
    path.write_text(text.replace("\n[[fields]]", "\n[tiles.privacy]\nblur_m = 500\n\n[[fields]]", 1), "utf-8")  # fmt: skip
    client = serve(own_city)
    exact = read_frame(own_city / "data" / "reported_issues.parquet").to_crs(4326).geometry
    rows = client.get("/api/layers/reported_issues/rows?limit=1000").json()["rows"]
    shown = np.array([row["bbox"][:2] for row in rows])
    given = np.column_stack([exact.x, exact.y])
    moved_m = np.hypot(*((shown - given) * [91_000, 111_000]).T)
    assert moved_m.max() < 400
    assert len(np.unique(shown, axis=0)) < 60
    items = client.get("/collections/reported_issues/items?limit=1000").json()["features"]
    places = {tuple(np.round(f["geometry"]["coordinates"], 6)) for f in items}
    assert places == {tuple(place) for place in np.round(shown, 6)}
    around = f"{given[0][0] - 1e-6},{given[0][1] - 1e-6},{given[0][0] + 1e-6},{given[0][1] + 1e-6}"
    found = client.get(f"/collections/reported_issues/items?bbox={around}").json()
    assert found["features"] == []


def test_faults_and_problems_do_not_name_files(client, own_city, serve):
    (own_city / "data" / "communities.parquet").write_bytes(b"no parquet")
    answer = serve(own_city).get("/api/layers/communities/rows")
    assert answer.status_code == 503
    assert str(own_city) not in json.dumps(answer.json())


def test_an_edition_knows_shown_columns_only(city):
    from gisgrid.catalogue import Catalogue, FolderStore
    from gisgrid.prepared import prepare

    catalogue, store = Catalogue.read(city / "layers"), FolderStore(city / "data")
    edition = Edition.of(prepare(catalogue["reported_issues"], store), store)
    assert (
        set(edition.fields) == set(edition.table.columns) == {"issue_id", "category", "reported_at"}
    )
