"""Somebody tries to get out, or to count, what is not theirs: rows of other grids, classes and owners."""

import json
import shutil
from pathlib import Path
from urllib.parse import quote

import geopandas as gpd
import mapbox_vector_tile
import numpy as np
import pytest
from gisgrid_server.app import open_layers
from gisgrid_server.edge.keys import new_key, read_keys
from gisgrid_server.settings import Settings

from gisgrid.files import write_frame
from gisgrid.prepared import append
from gisgrid.tiles import bbox_tiles

N = 120
UNITS = ("419801001001", "419801001002", "419801002001")
CLASSES = ("0110", "0112", "0205")
OWNERS = ("water", "police")


def secret_cases() -> gpd.GeoDataFrame:
    """Cases whose values all tell whose they are."""
    rng = np.random.default_rng(3)
    i = np.arange(N)
    unit = np.array(UNITS, dtype=object)[i % 3]
    kind = np.array(CLASSES, dtype=object)[i // 3 % 3]
    owner = np.array(OWNERS, dtype=object)[i // 9 % 2]
    place = rng.uniform([113.4, 35.15], [113.6, 35.3], (N, 2)) + (i % 3)[:, None] * [0.0, 0.5]
    frame = gpd.GeoDataFrame(
        {
            "case_id": [f"c{n:03d}" for n in rng.permutation(N)],
            "unit_code": unit,
            "category_code": kind,
            "owner": owner,
            "mark_code": [f"{u}/{k}/{o}" for u, k, o in zip(unit, kind, owner, strict=True)],
            "severity": i,
        },
        geometry=gpd.points_from_xy(*place.T),
        crs=4326,
    )
    frame.loc[N - 1, "unit_code"] = None
    return frame


SHOWN = ["case_id", "unit_code", "category_code", "owner", "mark_code", "severity"]

LAYER = """
id = "secret_cases"
title = { zh = "案件", en = "Cases" }
description = { zh = "案件", en = "Cases" }
group = "reports"
geometry = "Point"
primary_key = "case_id"
crs = "EPSG:4326"

[source]
path = "secret_cases.parquet"

[tiles]
minzoom = 6
maxzoom = 14
properties = PROPERTIES
access = "key"
scoped_by = { units = "unit_code", classes = "category_code", owners = "owner" }
"""


@pytest.fixture(scope="module")
def frame():
    return secret_cases()


@pytest.fixture(scope="module")
def keys():
    """Keys of different holders, and the lines of the key file."""
    return {
        "whole": new_key("whole", role="system", grids=["*"], classes=["*"], owners=["*"]),
        "east": new_key("east", role="subdistrict", grids=["419801001"], classes=["*"]),
        "dirt": new_key("dirt", role="district", grids=["*"], classes=["011*"]),
        "water": new_key(
            "water", role="bureau", owners=["water"], grids=["419801001"], classes=["*"]
        ),
        "twin": new_key("twin", role="community", grids=["419801001"], classes=["*"]),
        "old": new_key("old"),
        "blind": new_key("blind", powers=["report"], grids=["*"], classes=["*"]),
        "nowhere": new_key("nowhere", role="subdistrict", grids=["5"], classes=["*"]),
    }


@pytest.fixture(scope="module")
def scoped_root(city, tmp_path_factory, frame, keys):
    """A city with a layer whose rows are somebody's."""
    root = shutil.copytree(city, tmp_path_factory.mktemp("scoped") / "city")
    write_frame(frame, root / "data" / "secret_cases.parquet")
    folder = root / "layers" / "secret_cases"
    folder.mkdir()
    fields = "".join(
        f'\n[[fields]]\nname = "{name}"\ntype = "{"integer" if name == "severity" else "string"}"\n'
        f'description = {{ zh = "{name}", en = "{name}" }}\n'
        + ('allowed = ["water", "police"]\n' if name == "owner" else "")
        for name in SHOWN
    )
    text = LAYER.replace("PROPERTIES", json.dumps(SHOWN)) + fields
    (folder / "layer.toml").write_text(text, "utf-8")
    (root / "keys.toml").write_text("".join(lines for _, lines in keys.values()), "utf-8")
    return root


@pytest.fixture(scope="module")
def scoped(scoped_root, serve):
    return serve(scoped_root, keys_file=scoped_root / "keys.toml")


@pytest.fixture(scope="module")
def ask(scoped, keys):
    """Ask as somebody."""

    def get(who, path, **headers):
        return scoped.get(path, headers={"Authorization": f"Bearer {keys[who][0]}", **headers})

    return get


def own(frame, who):
    """The rows that somebody may see, by the words of the key rather than by the code."""
    east = frame.unit_code.str.startswith("419801001").fillna(value=False)
    return {
        "whole": frame,
        "east": frame[east],
        "twin": frame[east],
        "dirt": frame[frame.category_code.isin(["0110", "0112"])],
        "water": frame[east & (frame.owner == "water")],
        "old": frame[:0],
        "blind": frame[:0],
        "nowhere": frame[:0],
    }[who]


WHO = ("whole", "east", "dirt", "water", "old", "blind", "nowhere")


@pytest.mark.parametrize("who", WHO)
def test_rows_are_the_own_ones(ask, frame, who):
    page = ask(who, "/api/layers/secret_cases/rows?limit=1000").json()
    assert page["n"] == len(own(frame, who))
    assert {row["case_id"] for row in page["rows"]} == set(own(frame, who).case_id)


@pytest.mark.parametrize("by", ["unit_code", "category_code", "owner"])
@pytest.mark.parametrize("who", WHO)
def test_counts_are_of_the_own_rows(ask, frame, who, by):
    found = ask(who, f"/api/layers/secret_cases/counts?by={by}").json()
    mine = own(frame, who)[by]
    assert {k: n for k, n in found["counts"].items() if n} == mine.value_counts().to_dict()
    assert found["n"] == len(mine)
    assert found["n_missing"] == mine.isna().sum()


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize(
    "query",
    [
        "",
        "filter=1=1",
        "filter=NOT (severity < 0)",
        "filter=unit_code IS NULL OR unit_code IS NOT NULL",
        "filter=unit_code='419801002001'",
        "filter=category_code IN ('0205','0110')",
        "filter=mark_code LIKE '4198%'",
        "bbox=-180,-90,180,90",
        "owner=police",
    ],
)
def test_no_filter_brings_out_more(ask, frame, who, query):
    document = ask(who, f"/collections/secret_cases/items?limit=1000&{quote(query, safe='=&,')}").json()  # fmt: skip
    ids = {feature["properties"]["case_id"] for feature in document["features"]}
    assert ids <= set(own(frame, who).case_id)
    assert document["numberMatched"] == document["numberReturned"] == len(ids)


def test_pages_hold_the_own_rows_and_no_gaps(ask, frame):
    seen, path = [], "/collections/secret_cases/items?limit=7"
    while path:
        document = ask("east", path).json()
        assert document["numberMatched"] == len(own(frame, "east"))
        assert len(document["features"]) == 7 or "next" not in str(document["links"])
        seen += [feature["properties"]["case_id"] for feature in document["features"]]
        path = next((one["href"] for one in document["links"] if one["rel"] == "next"), None)
    assert sorted(seen) == sorted(own(frame, "east").case_id)


def test_the_numbers_of_features_do_not_tell_how_many_there_are(ask, frame):
    for who in ("east", "water"):
        rows = ask(who, "/api/layers/secret_cases/rows?limit=1000").json()["rows"]
        assert sorted(row["feature_id"] for row in rows) == list(range(1, len(own(frame, who)) + 1))


@pytest.mark.parametrize("descending", ["true", "false"])
@pytest.mark.parametrize("sort", SHOWN)
def test_sorting_brings_out_nothing(ask, frame, sort, descending):
    page = ask("east", f"/api/layers/secret_cases/rows?limit=3&sort={sort}&descending={descending}").json()  # fmt: skip
    mine = own(frame, "east").sort_values(sort, ascending=descending == "false")
    assert [row[sort] for row in page["rows"]] == mine[sort].head(3).tolist()


def test_what_is_not_ones_own_is_not_there(ask, frame):
    other = frame[~frame.case_id.isin(own(frame, "east").case_id)].case_id.iloc[0]
    answers = [ask("east", f"/collections/secret_cases/items/{one}") for one in (other, "c999")]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].text.replace(other, "c999") == answers[1].text
    assert ask("whole", f"/collections/secret_cases/items/{other}").status_code == 200


def test_extents_and_the_catalogue_are_of_the_own_rows(ask, frame):
    def told(who):
        layers = ask(who, "/api/catalogue").json()["layers"]
        return next(layer for layer in layers if layer["id"] == "secret_cases")

    for who in WHO:
        assert told(who)["n_rows"] == len(own(frame, who)), who
    box = ask("east", "/collections/secret_cases").json()["extent"]["spatial"]["bbox"][0]
    assert box == pytest.approx(own(frame, "east").total_bounds.tolist())
    assert "spatial" not in str(ask("nowhere", "/collections/secret_cases").json().get("extent"))


def test_without_a_key_there_is_nothing_at_all(scoped, problem):
    for path in ("/api/layers/secret_cases/rows", "/collections/secret_cases/items", "/collections/secret_cases/items/c001"):  # fmt: skip
        problem(scoped.get(path), 401)
    document = scoped.get("/collections").json()
    assert "secret_cases" not in [one["id"] for one in document["collections"]]
    layer = next(one for one in scoped.get("/api/catalogue").json()["layers"] if one["id"] == "secret_cases")  # fmt: skip
    assert layer["n_rows"] is layer["version"] is None


def test_answers_are_kept_by_the_own_browser_only_and_differ_by_what_is_seen(ask):
    path = "/collections/secret_cases/items?limit=1000"
    answers = {who: ask(who, path) for who in ("whole", "east", "twin", "water", "nowhere")}
    for answer in answers.values():
        assert answer.headers["cache-control"].startswith("private")
        assert "Authorization" in answer.headers["vary"]
    tags = {who: answer.headers["etag"] for who, answer in answers.items()}
    assert len({tags[who] for who in ("whole", "east", "water", "nowhere")}) == 4
    assert tags["east"] == tags["twin"]
    again = ask("east", path, **{"If-None-Match": tags["whole"]})
    assert again.status_code == 200
    assert again.content == answers["east"].content


def test_words_of_other_rows_are_in_no_error(ask):
    for query in (
        "mark_code='419801002001/0205/police'",
        "filter=nothing=1",
        "filter=mark_code LIKE '%'",
    ):
        path = f"/collections/secret_cases/items?{quote(query, safe='=')}"
        alone, there = ask("nowhere", path), ask("east", path)
        assert alone.status_code == there.status_code
        assert "419801002001/0205" not in there.text.replace(quote("419801002001/0205"), "")


@pytest.fixture
def live(scoped_root, tmp_path, keys):
    """The layer while rows come in: what somebody sees of it, and what lets rows come in."""
    root = Path(shutil.copytree(scoped_root, tmp_path / "city", ignore=shutil.ignore_patterns(".tiles", ".live")))  # fmt: skip
    published = open_layers(Settings(layers=root / "layers", data=root / "data"))
    layer = published.catalogue["secret_cases"]
    rights = {entry.name: entry.rights for entry in read_keys(root / "keys.toml").values()}

    def come_in(*features, delete=()):
        append(layer, published.store, features, delete=delete)
        published.refresh_live()

    def seen(who):
        return published.edition("secret_cases").within(rights[who])

    published.edition("secret_cases")
    yield seen, come_in, published.edition
    published.close()


def feature(case_id, unit, kind="0110", owner="water", severity=5):
    said = {"case_id": case_id, "unit_code": unit, "category_code": kind, "owner": owner, "mark_code": "new", "severity": severity}  # fmt: skip
    return {"type": "Feature", "properties": said, "geometry": {"type": "Point", "coordinates": [113.5, 35.2]}}  # fmt: skip


def ids_of(edition):
    return {record["case_id"] for record in edition.table.records(slice(None))}


def drawn(edition):
    source, found = edition.source, set()
    for z, x, y in bbox_tiles((113.0, 35.0, 114.0, 36.5), 10):
        tile = source.tile(z, x, y)
        if tile.body:
            layer = mapbox_vector_tile.decode(tile.body)["secret_cases"]
            found |= {one["properties"]["case_id"] for one in layer["features"]}
    return found


def test_what_comes_in_for_others_is_not_noticed(live, frame):
    seen, come_in, _ = live
    come_in(feature("n0", UNITS[0]))
    before = {who: seen(who).version for who in WHO}
    come_in(feature("n1", UNITS[2], kind="0205"), feature("n2", UNITS[2], kind="0205", owner="police"))  # fmt: skip
    after = {who: seen(who).version for who in WHO}
    assert {who for who in WHO if before[who] != after[who]} == {"whole"}
    come_in(feature("n3", UNITS[1], kind="0205"))
    later = {who: seen(who).version for who in WHO}
    assert {who for who in WHO if after[who] != later[who]} == {"whole", "east", "water"}
    for who, new in (("whole", {"n0", "n1", "n2", "n3"}), ("east", {"n0", "n3"}), ("dirt", {"n0"}), ("nowhere", set())):  # fmt: skip
        wanted = set(own(frame, who).case_id) | new
        assert ids_of(seen(who)) == wanted, who
        assert drawn(seen(who)) == wanted, who
        assert seen(who).n_rows == len(wanted), who


def test_a_case_that_moves_leaves_one_scope_and_enters_another(live, frame):
    seen, come_in, _ = live
    east = set(own(frame, "east").case_id)
    there = frame[frame.unit_code == UNITS[2]].case_id.iloc[0]
    leaving = frame[(frame.unit_code == UNITS[0]) & (frame.owner == "water")].case_id.iloc[0]
    version = seen("east").version
    come_in(feature(there, UNITS[0], owner="police"), feature(leaving, UNITS[2]))
    assert ids_of(seen("east")) == drawn(seen("east")) == east - {leaving} | {there}
    assert leaving not in ids_of(seen("water"))
    come_in(delete=[there])
    assert there not in drawn(seen("east"))
    row = frame[frame.case_id == leaving].iloc[0]
    assert seen("east").version != version
    assert row.unit_code == UNITS[0]


def test_the_same_rows_have_the_same_version_wherever_they_lie(live, frame):
    seen, come_in, _ = live
    come_in(feature("n0", UNITS[0]))
    version = seen("east").version
    come_in(feature("n1", UNITS[0]))
    assert seen("east").version != version
    come_in(delete=["n1"])
    assert seen("east").version == version


def test_an_edition_that_was_not_cut_shows_nothing(live, frame):
    seen, come_in, edition = live
    come_in(feature("n0", UNITS[0]))
    whole = edition("secret_cases")
    assert len(whole.table) == whole.n_rows == 0
    assert drawn(whole) == set()
    assert len(seen("whole").table) == N + 1


def features_of(answer):
    assert answer.status_code in {200, 204}, answer.text
    if answer.status_code == 204:
        return []
    layers = mapbox_vector_tile.decode(answer.content)
    return [one["properties"] for one in layers.get("secret_cases", {"features": []})["features"]]


def tiles_over(frame, zoom):
    west, south, east, north = frame.total_bounds
    return [f"{z}/{x}/{y}" for z, x, y in bbox_tiles((west, south, east, north), zoom)]


@pytest.mark.parametrize("query", ["", "?filter=1%3D1", "?filter=owner%3D'police'"])
@pytest.mark.parametrize("who", WHO)
def test_tiles_show_the_own_rows(ask, frame, who, query):
    found = [
        one["case_id"]
        for place in tiles_over(frame, 11)
        for one in features_of(ask(who, f"/tiles/secret_cases/{place}.mvt{query}"))
    ]
    mine = own(frame, who)
    wanted = set(mine[mine.owner == "police"].case_id if "police" in query else mine.case_id)
    assert set(found) == wanted


def test_the_same_tile_is_another_one_for_another_scope(ask, frame, scoped, problem):
    place = tiles_over(frame, 6)[0]
    path = f"/tiles/secret_cases/{place}.mvt"
    answers = {who: ask(who, path) for who in ("whole", "east", "twin", "water", "nowhere")}
    tags = {who: answer.headers["etag"] for who, answer in answers.items()}
    assert tags["east"] == tags["twin"]
    assert len(set(tags.values())) == 4
    for who, answer in answers.items():
        assert answer.headers["cache-control"].startswith("private"), who
        assert "Authorization" in answer.headers["vary"]
        again = ask(who, path, **{"If-None-Match": tags["whole"]})
        assert again.status_code == (304 if who == "whole" else answer.status_code)
        assert again.content == (b"" if who == "whole" else answer.content)
    problem(scoped.get(path), 401)


def test_a_tilejson_tells_of_the_own_rows(ask, frame):
    for who in ("whole", "east", "water"):
        document = ask(who, "/tiles/secret_cases/tilejson.json").json()
        assert document["bounds"] == pytest.approx(own(frame, who).total_bounds.tolist()), who
    assert "bounds" not in ask("nowhere", "/tiles/secret_cases/tilejson.json").json()


def test_a_scoped_layer_among_others_stays_scoped(ask, frame):
    for place in tiles_over(frame, 10):
        answer = ask("water", f"/tiles/communities,secret_cases/{place}.mvt")
        found = {one["case_id"] for one in features_of(answer)}
        assert found <= set(own(frame, "water").case_id)
