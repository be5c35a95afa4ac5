"""Somebody tries to get out what must not leave: free text, names, telephone numbers, keys, single rows, exact places."""

import json
import shutil
from urllib.parse import quote

import mapbox_vector_tile
import numpy as np
import pandas as pd
import pytest
from gisgrid_server.layers.editions import Edition

from gisgrid.files import read_frame, write_frame

SECRETS = ("13800000000", "caller", "A-0001", "Dongfeng")
K = 10


@pytest.fixture(scope="module")
def hidden_city(city, tmp_path_factory):
    """The small city, whose reports are shown as numbers of ten and more only."""
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


@pytest.mark.parametrize(
    "query",
    [
        "filter=reported_at = TIMESTAMP('2026-01-05T00:00:00Z')",
        "datetime=2026-01-05",
        "datetime=../2026-01-05",
        "filter=S_INTERSECTS(geometry, BBOX(113.9, 35, 114.1, 35.2))",
        "filter=category LIKE 'dry%'",
    ],
)
def test_filters_are_no_finer_than_classes(hidden, problem, query):
    name, _, text = query.partition("=")
    for answer in every_tile(hidden, "reported_issues", [10, 12], f"?{name}={quote(text)}"):
        assert "whole classes" in problem(answer, 400)["detail"]


def sums_of(client, zoom, query=""):
    """What each cell of a zoom is said to have."""
    found = {}
    for answer in every_tile(client, "reported_issues", [zoom], query):
        if answer.status_code == 200:
            (layer,) = mapbox_vector_tile.decode(answer.content).values()
            found |= {one["id"]: one["properties"]["count"] for one in layer["features"]}
        assert answer.status_code in {200, 204}
    return found


def add_one(root):
    """One more dry toilet, in the very place of another, reported at a known moment."""
    path = root / "data" / "reported_issues.parquet"
    frame = read_frame(path)
    new = frame.iloc[:1].assign(issue_id="A-9999", category="dry_toilet")
    write_frame(pd.concat([frame, new], ignore_index=True), path)


def test_one_report_more_or_less_cannot_be_worked_out_by_subtracting(hidden_city, serve, tmp_path):
    """The attack: ask twice, for sets that differ by one report, and subtract."""
    with_one = shutil.copytree(hidden_city, tmp_path / "city", ignore=shutil.ignore_patterns(".tiles"))  # fmt: skip
    add_one(with_one)
    before, after = serve(hidden_city), serve(with_one)
    queries = ["", "?filter=category='dry_toilet'", "?filter=NOT (category='dry_toilet')", "?category=dry_toilet"]  # fmt: skip
    for zoom in (8, 11, 13):
        for query in (quote(text, safe="?=") for text in queries):
            old, new = sums_of(before, zoom, query), sums_of(after, zoom, query)
            for cell in set(old) | set(new):
                assert (new.get(cell, 0) - old.get(cell, 0)) % K == 0
        whole, part, rest = (sums_of(after, zoom, quote(text, safe="?=")) for text in queries[:3])
        # What is left when the two parts are taken from the whole is no number of reports either.
        assert all((n - part.get(cell, 0) - rest.get(cell, 0)) % K == 0 for cell, n in whole.items())  # fmt: skip
    said = [one.get("/api/layers/reported_issues/counts?by=category").json() for one in (before, after)]  # fmt: skip
    assert said[0] == said[1]
    rows = [one.get("/api/catalogue").json()["layers"] for one in (before, after)]
    assert len({next(one["n_rows"] for one in layers if one["id"] == "reported_issues") for layers in rows}) == 1  # fmt: skip


def test_no_box_says_where_a_single_report_is(hidden):
    boxes = [
        hidden.get("/tiles/reported_issues/tilejson.json").json()["bounds"],
        hidden.get("/collections/reported_issues").json()["extent"]["spatial"]["bbox"][0],
    ]
    for box in boxes:
        assert np.allclose(np.array(box) * 20, np.round(np.array(box) * 20), atol=1e-6)


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


def test_counts_are_of_declared_classes_and_multiples_of_k(hidden, problem):
    document = hidden.get("/api/layers/reported_issues/counts?by=category").json()
    assert document["counts"] == {"dry_toilet": 50, "exposed_garbage": 150}
    assert (document["n"], document["n_missing"], document["hidden_below"]) == (200, None, K)
    problem(hidden.get("/api/layers/reported_issues/counts?by=reported_at"), 403)


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
