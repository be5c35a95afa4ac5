import pytest

from gisgrid.files import read_frame, write_frame, write_table


def test_the_catalogue_lists_every_layer(client):
    document = client.get("/api/catalogue").json()
    assert document["title"] == {"zh": "小城", "en": "Small city"}
    assert document["timezone"] == "Asia/Shanghai"
    assert document["as_of"] == "2026-07-19T00:00:00Z"
    assert document["basemap"] is None
    west, south, east, north = document["bbox"]
    assert 113.9 < west < east < 114.1
    assert 35.1 < south < north < 35.3
    layers = {layer["id"]: layer for layer in document["layers"]}
    assert list(layers) == [
        "issue_density", "issue_months", "issue_hotspots", "urban_villages", "communities", "subdistricts",
        "reported_issues",
    ]  # fmt: skip
    communities = layers["communities"]
    assert communities["kind"] == "vector"
    assert communities["n_rows"] == 2
    assert communities["primary_key"] == "community_code"
    assert communities["tilejson"] == "tiles/communities/tilejson.json"
    assert [field["name"] for field in communities["fields"]] == [
        "community_code", "name_zh", "name_en", "population",
    ]  # fmt: skip
    assert (
        communities["style"][0]["source"]
        == communities["style"][0]["source-layer"]
        == "communities"
    )
    assert layers["issue_density"]["kind"] == "raster"
    assert layers["issue_density"]["ramp"]["stops"][-1] == {"value": 50.0, "colour": "#4d1a02"}
    assert layers["issue_months"]["kind"] == "table"
    assert layers["issue_months"]["tilejson"] is None
    assert layers["issue_hotspots"]["fields"][-1]["labels"]["hot_99"] == {
        "zh": "hot_99",
        "en": "hot_99",
    }


def test_nothing_private_is_anywhere(client):
    for path in (
        "/api/catalogue",
        "/api/layers/reported_issues/rows?limit=1000",
        "/style.json",
        "/api/findings",
    ):
        text = client.get(path).text
        assert "caller" not in text
        assert "13800000000" not in text


def test_rows_come_by_pages(client):
    first = client.get("/api/layers/reported_issues/rows?limit=3").json()
    assert first["n"] == 200
    assert [row["issue_id"] for row in first["rows"]] == ["A-0000", "A-0001", "A-0002"]
    assert set(first["rows"][0]) == {"issue_id", "category", "reported_at", "feature_id", "bbox"}
    assert first["rows"][0]["reported_at"] == "2026-01-01T00:00:00Z"
    west, south, east, north = first["rows"][0]["bbox"]
    assert west == east
    assert south == north
    last = client.get("/api/layers/reported_issues/rows?limit=50&offset=198").json()
    assert [row["feature_id"] for row in last["rows"]] == [199, 200]
    assert client.get("/api/layers/reported_issues/rows?offset=500").json()["rows"] == []


def test_rows_are_sorted_and_missing_values_come_last(client):
    url = "/api/layers/issue_hotspots/rows?limit=100&sort=z"
    up, down = (client.get(f"{url}{more}").json()["rows"] for more in ("", "&descending=true"))
    assert up[-1]["z"] is None
    assert down[-1]["z"] is None
    assert [row["cell_id"] for row in down[:1]] == ["c000"]
    rising = [row["z"] for row in up[:-1]]
    assert rising == sorted(rising)


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("limit=1001", "limit '1001' cannot be used: Input should be less than or equal to 1000"),
        ("limit=-1", "limit '-1' cannot be used"),
        ("limit=x", "limit 'x' cannot be used"),
        ("offset=-1", "offset '-1' cannot be used"),
        ("sort=caller", "'caller' is no property that layer 'reported_issues' shows"),
        ("sort=geometry", "'geometry' is no property"),
        ("sort=categry", "did you mean 'category'?"),
    ],
)
def test_what_cannot_be_asked_is_a_problem(client, problem, query, says):
    assert says in problem(client.get(f"/api/layers/reported_issues/rows?{query}"), 400)["detail"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/layers/nowhere/rows", 404),
        ("/api/layers/nowhere/counts?by=x", 404),
        ("/api/layers/issue_density/rows", 400),
        ("/api/layers/issue_months/rows", 404),
        ("/api/layers/reported_issues/counts", 400),
        ("/api/layers/reported_issues/counts?by=caller", 400),
        ("/styles/nowhere.json", 404),
        ("/api/nothing", 404),
    ],
)
def test_what_is_not_there_is_a_problem(client, problem, path, status):
    problem(client.get(path), status)


def test_only_reading_is_answered(client, problem):
    problem(client.request("POST", "/api/catalogue"), 405)


def test_counts_give_every_declared_value_and_the_missing(client):
    document = client.get("/api/layers/issue_hotspots/counts?by=label").json()
    assert document == {
        "counts": {
            "hot_99": 4, "hot_95": 1, "hot_90": 0, "not_significant": 94, "cold_90": 0, "cold_95": 0, "cold_99": 0,
        },
        "n": 100,
        "n_missing": 1,
    }  # fmt: skip
    assert sum(document["counts"].values()) + document["n_missing"] == document["n"]
    by_category = client.get("/api/layers/reported_issues/counts?by=category").json()
    assert by_category["counts"] == {"dry_toilet": 50, "exposed_garbage": 150}


def test_months_are_lined_up(client):
    assert client.get("/api/months").json() == {
        "months": ["2026-01", "2026-02"],
        "complete": [True, False],
        "key": "community_code",
        "counts": {"410105001001": [3, 4], "410105001002": [0, 5]},
    }


def test_months_without_rows(own_city, serve):
    path = own_city / "data" / "issue_months.parquet"
    import pandas as pd

    write_table(pd.read_parquet(path).iloc[:0], path)
    assert serve(own_city).get("/api/months").json() == {
        "months": [], "complete": [], "key": "community_code", "counts": {},
    }  # fmt: skip


def test_any_page_may_ask(client):
    answer = client.get("/api/catalogue", headers={"Origin": "https://other.example"})
    assert answer.headers["access-control-allow-origin"] == "*"


def test_the_style_draws_each_layer_from_its_source(client):
    style = client.get("/style.json").json()
    assert style["version"] == 8
    drawn = [layer for layer in style["layers"] if layer["type"] != "background"]
    assert {layer["source"] for layer in drawn} == set(style["sources"])
    hidden = {
        layer["source"] for layer in drawn if layer.get("layout", {}).get("visibility") == "none"
    }
    assert hidden == {"issue_density", "reported_issues"}
    assert style["sources"]["issue_density"] == {
        "type": "raster", "url": "http://city.test/tiles/issue_density/tilejson.json", "tileSize": 256,
    }  # fmt: skip
    alone = client.get("/styles/reported_issues.json").json()
    assert list(alone["sources"]) == ["reported_issues"]
    assert all("visibility" not in layer.get("layout", {}) for layer in alone["layers"])


def test_the_description_names_every_route(client):
    paths = client.get("/openapi.json").json()["paths"]
    assert set(paths) >= {
        "/api/catalogue", "/api/findings", "/api/months", "/api/layers/{layer}/rows", "/api/layers/{layer}/counts",
        "/style.json", "/healthz", "/readyz", "/metrics",
    }  # fmt: skip


def test_a_misplaced_report_does_not_stretch_the_first_view(own_city, client, serve):
    path = own_city / "data" / "reported_issues.parquet"
    reports = read_frame(path)
    far = reports.geometry.translate(xoff=-500_000)
    write_frame(reports.set_geometry(reports.geometry.where(reports.index > 0, far)), path)
    assert (
        serve(own_city).get("/api/catalogue").json()["bbox"]
        == client.get("/api/catalogue").json()["bbox"]
    )
