"""What changes while it is served: files, descriptions, layers that are added and taken away; never a mixture."""

import json
import shutil
import threading

import mapbox_vector_tile
import pytest
from gisgrid_server.layers.published import Published

from gisgrid.catalogue import Catalogue, FolderStore
from gisgrid.errors import InputError
from gisgrid.files import read_frame, write_frame
from gisgrid.prepared import append, layer_version, prepare, prepare_all


def properties(answer, layer):
    return [f["properties"] for f in mapbox_vector_tile.decode(answer.content)[layer]["features"]]


def test_a_tile_of_two_layers_is_both_of_them(client, place):
    both = client.get(f"/tiles/communities,reported_issues/{place}.mvt")
    alone = [
        client.get(f"/tiles/{name}/{place}.mvt") for name in ("communities", "reported_issues")
    ]
    assert both.content == alone[0].content + alone[1].content
    assert list(mapbox_vector_tile.decode(both.content)) == ["communities", "reported_issues"]
    twice = client.get(f"/tiles/communities,reported_issues,communities/{place}.mvt")
    assert twice.content == both.content
    document = client.get("/tiles/communities,reported_issues/tilejson.json").json()
    assert [layer["id"] for layer in document["vector_layers"]] == [
        "communities",
        "reported_issues",
    ]
    assert document["maxzoom"] == 15
    z, x, y = (int(part) for part in place.split("/"))
    deeper = client.get(f"/tiles/communities,reported_issues/15/{2 * x}/{2 * y}.mvt")
    assert deeper.status_code in {200, 204}  # one of both is drawn there
    (url,) = document["tiles"]
    assert "immutable" in client.get(url.format(z=z, x=x, y=y)).headers["cache-control"]


@pytest.mark.parametrize(
    ("names", "status"),
    [
        (",".join(f"l{i}" for i in range(17)), 400), (",".join(f"l{i}" for i in range(400)), 400), (",", 404),
        ("communities,", 404), ("communities,nowhere", 404), ("communities,issue_density", 404),
        ("communities%2Creported_issues", 200), ("issue_density,issue_density", 404), ("x" * 5000, 404), ("l," * 2500 + "l", 400),
    ],
)  # fmt: skip
def test_names_that_do_not_go_together_are_problems(client, problem, place, names, status):
    answer = client.get(f"/tiles/{names}/{place}.mvt")
    assert answer.status_code == status
    if status != 200:
        problem(answer, status)


def test_filters_are_kept_in_tiles(client, place):
    url = f"/tiles/reported_issues/{place}.mvt"
    every = properties(client.get(url), "reported_issues")
    for query, keeps in (
        ("category=dry_toilet", lambda p: p["category"] == "dry_toilet"),
        ("filter=category='dry_toilet'", lambda p: p["category"] == "dry_toilet"),
        ("filter=issue_id LIKE 'A-00%25'", lambda p: p["issue_id"].startswith("A-00")),
        ('filter-lang=cql2-json&filter={"op":"=","args":[{"property":"category"},"dry_toilet"]}',
         lambda p: p["category"] == "dry_toilet"),
        ("datetime=2026-03-01/2026-04-01", lambda p: "2026-03-01" <= p["reported_at"] < "2026-04-02"),
        ("datetime=2026-03-01/..&category=dry_toilet",
         lambda p: p["reported_at"] >= "2026-03-01" and p["category"] == "dry_toilet"),
        ("reported_issues.category=dry_toilet", lambda p: p["category"] == "dry_toilet"),
    ):  # fmt: skip
        answer = client.get(f"{url}?{query}")
        assert answer.status_code == 200, (query, answer.text)
        found = properties(answer, "reported_issues")
        wanted = [one for one in every if keeps(one)]
        assert sorted(map(str, found)) == sorted(map(str, wanted)), query
        assert 0 < len(found) < len(every)
        assert answer.headers["etag"] != client.get(url).headers["etag"]
    document = client.get("/tiles/reported_issues/tilejson.json?category=dry_toilet").json()
    assert "category=dry_toilet" in document["tiles"][0]


def test_a_filter_for_one_layer_of_two(client, place):
    url = f"/tiles/communities,reported_issues/{place}.mvt?reported_issues.category=dry_toilet"
    answer = client.get(url)
    assert {p["category"] for p in properties(answer, "reported_issues")} == {"dry_toilet"}
    assert len(properties(answer, "communities")) == len(properties(client.get(f"/tiles/communities/{place}.mvt"), "communities"))  # fmt: skip


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("caller=1", "'caller' is no property that layer 'reported_issues' shows"),
        ("categry=x", "did you mean 'category'?"),
        ("filter=caller IS NULL", "caller"),
        ("filter=(((", ""),
        ("filter=" + "(" * 3000 + "1=1" + ")" * 3000, ""),
        ("filter=category IN (" + ",".join(["'x'"] * 1500) + ")", ""),
        ("filter=" + "x" * 9000, ""),
        ("filter=" + "NOT " * 1900 + "category='x'", ""),
        ("filter-lang=cql2-json&filter=" + '{"op":"not","args":[' * 300 + "true" + "]}" * 300, ""),
        ("filter=category='x'&filter-lang=sql", "filter-lang is 'sql'"),
        ("filter=category='x'&filter-crs=http://x", "filter-crs"),
        ("category=a&category=b", "given twice"),
        ("datetime=yesterday", ""),
        ("&".join(f"p{i}=1" for i in range(100)), "at most 64"),
        ("filter=%ff%fe", "UTF-8"),
        ("a.b=1", "'a.b' is no property"),
    ],
)  # fmt: skip
def test_what_cannot_be_filtered_is_a_problem(client, problem, place, query, says):
    answer = client.get(f"/tiles/reported_issues/{place}.mvt?{query}")
    assert says in problem(answer, 400)["detail"]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("?rescale=0,10", 200), ("?rescale=10,0", 400), ("?rescale=a", 400), ("?rescale=1e99999,2", 400),
        ("?ramp=nowhere", 400), ("?category=x", 400), ("?filter=a=1", 400),
    ],
)  # fmt: skip
def test_pictures_are_coloured_as_asked(client, problem, place, query, status):
    answer = client.get(f"/tiles/issue_density/{place}.png{query}")
    assert answer.status_code == status, answer.text
    if status != 200:
        problem(answer, status)
    assert client.get(f"/tiles/issue_density/{place}.webp").headers["content-type"] == "image/webp"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("communities/tiles/WebMercatorQuad/14/{y}/{x}", 200),
        ("communities/tiles/WebMercatorQuad/14/{y}/{x}?f=mvt", 200),
        ("issue_density/map/tiles/WebMercatorQuad/14/{y}/{x}?f=png", 200),
        ("communities/tiles/NoSuchQuad/14/{y}/{x}", 404),
        ("communities/tiles/WebMercatorQuad/14/{y}/99999999", 404),
        ("communities/tiles/WebMercatorQuad/99/{y}/{x}", 404),
        ("communities/tiles/WebMercatorQuad/14/a/{x}", 400),
        ("communities/tiles/WebMercatorQuad/14/{y}/{x}?f=png", 404),
        ("nowhere/tiles/WebMercatorQuad/14/{y}/{x}", 404),
    ],
)
def test_tiles_by_the_addresses_of_ogc(client, problem, place, path, status):
    _, x, y = place.split("/")
    answer = client.get("/collections/" + path.format(x=x, y=y))
    assert answer.status_code == status, answer.text
    if status == 200 and path.startswith("communities"):
        assert answer.content == client.get(f"/tiles/communities/{place}.mvt").content
    elif status != 200:
        problem(answer, status)


@pytest.mark.parametrize("set_id", ["WorldCRS84Quad", "CGCS2000Quad"])
def test_tiles_in_degrees(client, set_id):
    west, south, east, north = client.get("/api/catalogue").json()["bbox"]
    n = 2**13  # rows at zoom 13
    column, row = (
        int(((west + east) / 2 + 180) / 180 * n),
        int((90 - (south + north) / 2) / 180 * n),
    )
    answer = client.get(f"/collections/communities/tiles/{set_id}/13/{row}/{column}")
    assert answer.status_code == 200
    assert properties(answer, "communities")


def test_a_new_description_a_new_layer_and_one_taken_away(own_city, serve, place, until):
    client = serve(own_city)
    layers = own_city / "layers"
    assert client.get("/api/catalogue").status_code == 200
    path = layers / "communities" / "layer.toml"
    path.write_text(path.read_text("utf-8").replace("'name_en', ", ""), "utf-8")
    first = lambda: properties(client.get(f"/tiles/communities/{place}.mvt"), "communities")[0]  # noqa: E731
    until(lambda: "name_en" not in first())
    shutil.copytree(layers / "urban_villages", layers / "old_villages")
    text = (layers / "old_villages" / "layer.toml").read_text("utf-8").replace('id = "urban_villages"', 'id = "old_villages"')  # fmt: skip
    (layers / "old_villages" / "style.json").unlink()
    (layers / "old_villages" / "layer.toml").write_text(text, "utf-8")
    until(lambda: client.get("/tiles/old_villages/tilejson.json").status_code == 200)
    shutil.rmtree(layers / "old_villages")
    until(lambda: client.get("/tiles/old_villages/tilejson.json").status_code == 404)


def test_what_breaks_a_rule_leaves_everything_as_it_was(own_city, serve, place, caplog, until):
    client = serve(own_city)
    url = f"/tiles/communities/{place}.mvt"
    before = client.get(url)
    (own_city / "layers" / "communities" / "layer.toml").write_text("id = 3", "utf-8")
    until(lambda: "cannot be read, so the old one stays" in caplog.text)
    (own_city / "data" / "communities.parquet").write_bytes(b"half a fi")
    until(lambda: "layer 'communities' has changed but cannot be read" in caplog.text)
    after = client.get(url)
    assert (after.status_code, after.headers["etag"]) == (200, before.headers["etag"])
    found = client.get("/metrics").text
    assert "gisgrid_reload_failures_total 2.0" in found


def test_nobody_sees_a_mixture_or_an_error_while_layers_are_rebuilt(own_city, serve, place, until):
    """Each rebuild writes the same number into every row of two layers; no tile may show two numbers of one layer."""
    client = serve(own_city, cache_bytes=0, look_s=0.05)
    path = own_city / "data" / "communities.parquet"
    frame = read_frame(path)
    write_frame(frame.assign(population=0), path)
    url = f"/tiles/communities/{place}.mvt"
    until(lambda: {p["population"] for p in properties(client.get(url), "communities")} == {0})
    wrong, seen, stop = [], set(), threading.Event()

    def visitor():
        while not stop.is_set():
            answer = client.get(url)
            numbers = {p["population"] for p in properties(answer, "communities")} if answer.status_code == 200 else set()  # fmt: skip
            seen.update(numbers)
            if answer.status_code != 200 or len(numbers) != 1:
                wrong.append((answer.status_code, numbers))

    visitors = [threading.Thread(target=visitor, daemon=True) for _ in range(3)]
    for one in visitors:
        one.start()
    try:
        for number in range(1, 6):
            write_frame(frame.assign(population=number), path)
            until(lambda number=number: number in seen)
    finally:
        stop.set()
    for one in visitors:
        one.join(30)
    assert wrong == []
    assert seen == {0, 1, 2, 3, 4, 5}


@pytest.fixture
def store(own_city):
    return Catalogue.read(own_city / "layers"), FolderStore(own_city / "data")


def test_a_layer_is_laid_down_once_and_old_states_go(own_city, store):
    catalogue, data = store
    layer, told = catalogue["communities"], []
    first = prepare(layer, data, progress=lambda name, share: told.append((name, share)))
    again = prepare(layer, data, progress=lambda name, share: told.append((name, share)))
    assert told == [("communities", 0.0), ("communities", 1.0)]
    assert first.version == again.version == layer_version(layer, data)
    path = own_city / "data" / "communities.parquet"
    write_frame(read_frame(path).assign(population=1), path)
    second = prepare(layer, data)
    assert second.version != first.version
    assert first.folder.is_dir()  # somebody has it still
    assert first.table.records([0])[0]["population"] != 1
    del first, again
    prepare(layer, data)
    kept = [
        path.name for path in (own_city / "data" / ".tiles").glob("communities-*") if path.is_dir()
    ]
    assert kept == [second.folder.name]


def test_half_a_folder_is_laid_down_anew(store):
    catalogue, data = store
    place = prepare(catalogue["communities"], data).folder
    (place / "meta.json").write_text("{", "utf-8")
    assert len(prepare(catalogue["communities"], data).table) == 2


def test_words_and_colours_do_not_make_new_tiles(own_city, store):
    catalogue, data = store
    before = layer_version(catalogue["communities"], data)
    path = own_city / "layers" / "communities" / "layer.toml"
    path.write_text(path.read_text("utf-8").replace('en = "communities"', 'en = "Communities"'), "utf-8")  # fmt: skip
    assert layer_version(Catalogue.read(own_city / "layers")["communities"], data) == before
    path.write_text(path.read_text("utf-8").replace("maxzoom = 14", "maxzoom = 13"), "utf-8")
    assert layer_version(Catalogue.read(own_city / "layers")["communities"], data) != before


def test_all_layers_are_laid_down_at_once(own_city, store):
    catalogue, data = store
    (own_city / "data" / "subdistricts.parquet").write_bytes(b"no parquet")
    (own_city / "data" / "urban_villages.parquet").unlink()
    faults = prepare_all(catalogue, data)
    assert set(faults) == {"subdistricts"}
    there = {path.name.rpartition("-")[0] for path in (own_city / "data" / ".tiles").glob("*-*") if path.is_dir()}  # fmt: skip
    assert there == {"communities", "issue_hotspots", "reported_issues"}


def feature(name, lon, lat, **more):
    return {
        "type": "Feature",
        "properties": {"issue_id": name, "category": "dry_toilet", **more},
        "geometry": {"type": "Point", "coordinates": [lon, lat]},
    }


def test_rows_that_come_in_are_served_and_survive_a_rebuild(own_city, store, serve, until):
    catalogue, data = store
    client = serve(own_city)
    url = "/api/layers/reported_issues/rows?limit=1000"
    n = client.get(url).json()["n"]
    west, south, _, _ = client.get(url).json()["rows"][0]["bbox"]
    told = feature("B-1", west, south, caller="13800000000", reported_at="2026-07-01T00:00:00Z")
    assert append(catalogue["reported_issues"], data, [told], delete=["A-0000"]) == 2
    until(lambda: "B-1" in client.get(url).text)
    assert client.get(url).json()["n"] == n
    assert "A-0000" not in client.get(url).text
    for path in (own_city / "data" / ".live").rglob("*"):
        assert not path.is_file() or b"13800000000" not in path.read_bytes()
    document = client.get("/tiles/reported_issues/tilejson.json").json()
    assert "v=" not in document["tiles"][0]
    path = own_city / "data" / "reported_issues.parquet"
    frame = read_frame(path)
    write_frame(frame.assign(category="exposed_garbage"), path)
    counts = "/api/layers/reported_issues/counts?by=category"
    until(
        lambda: client.get(counts).json()["counts"] == {"dry_toilet": 1, "exposed_garbage": n - 1}
    )


@pytest.mark.parametrize(
    ("layer", "new", "says"),
    [
        ("reported_issues", {"type": "Feature", "properties": {}, "geometry": None}, "issue_id"),
        ("issue_density", feature("x", 1, 1), "primary key"),
    ],
)
def test_rows_that_do_not_fit_are_told(store, layer, new, says):
    catalogue, data = store
    with pytest.raises(InputError, match=says):
        append(catalogue[layer], data, [new])


def test_a_published_lets_go_when_nobody_has_it(city):
    import gc
    import weakref

    published = Published(Catalogue.read(city / "layers"), FolderStore(city / "data"), look_s=0.05)
    published.edition("communities")
    watcher, seen = published._watcher, weakref.ref(published)
    del published
    gc.collect()
    watcher.join(10)
    assert not watcher.is_alive()
    assert seen() is None


def test_the_append_command(own_city, tmp_path, capsys):
    from gisgrid_server.command import append as command

    path = tmp_path / "new.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature("C-1", 114.0, 35.2)]}), "utf-8")  # fmt: skip
    command("reported_issues", path, layers=own_city / "layers", data=own_city / "data")
    assert capsys.readouterr().out == "1 changes to reported_issues are written\n"
    path.write_text("[1, 2]", "utf-8")
    with pytest.raises(InputError, match="no GeoJSON of features"):
        command("reported_issues", path, layers=own_city / "layers", data=own_city / "data")
