import hashlib
import json

import pytest
from gisgrid_server.edge.keys import new_key, read_keys
from gisgrid_server.running.checking import check_settings
from gisgrid_server.settings import Settings

from gisgrid.errors import InputError


@pytest.fixture
def closed(own_city, serve, place):
    """A city whose reports need a key; two keys, of which one opens them."""
    path = own_city / "layers" / "reported_issues" / "layer.toml"
    path.write_text(path.read_text("utf-8").replace("[tiles]", '[tiles]\naccess = "key"'), "utf-8")
    key, lines = new_key("the duty desk", layers=("reported_issues",))
    other, more = new_key("somebody else", layers=("communities",))
    keys_file = own_city / "keys.toml"
    keys_file.write_text(lines + more, "utf-8")
    return serve(own_city, keys_file=keys_file), key, other, keys_file


def paths(place):
    return (
        f"/tiles/reported_issues/{place}.mvt",
        f"/tiles/communities,reported_issues/{place}.mvt",
        "/tiles/reported_issues/tilejson.json",
        "/api/layers/reported_issues/rows",
        "/api/layers/reported_issues/counts?by=category",
        "/collections/reported_issues/items",
        "/collections/reported_issues/items/A-0001",
        "/collections/reported_issues/queryables",
        "/api/findings",
    )


def test_without_a_key_a_closed_layer_shows_nothing(closed, place, problem):
    client, _, other, _ = closed
    for path in paths(place):
        answer = client.get(path)
        assert answer.headers["www-authenticate"] == 'Bearer realm="gisgrid"', path
        problem(answer, 401)
        problem(client.get(path, headers={"X-API-Key": "guess"}), 401)
        problem(client.get(path, headers={"Authorization": f"Bearer {other}"}), 403)
    assert client.get(f"/tiles/communities/{place}.mvt").status_code == 200


@pytest.mark.parametrize("query", ["?phone=1", "?filter=bad", "?filter=phone='1'", "?ramp=x"])
def test_what_is_asked_of_a_closed_layer_tells_nothing_of_its_properties(closed, place, query, problem):  # fmt: skip
    client, *_ = closed
    z, x, y = place.split("/")
    for path in (f"/tiles/reported_issues/{place}.mvt", "/tiles/reported_issues/3/0/0.mvt",
                 f"/tiles/communities,reported_issues/{place}.mvt",
                 f"/collections/reported_issues/tiles/WebMercatorQuad/{z}/{y}/{x}"):  # fmt: skip
        problem(client.get(path + query), 401)


def test_a_key_opens_its_layers_however_it_travels(closed, place):
    client, key, _, _ = closed
    for path in paths(place):
        joint = "&" if "?" in path else "?"
        for url, headers in (
            (path, {"Authorization": f"Bearer {key}"}),
            (path, {"X-API-Key": key}),
            (f"{path}{joint}key={key}", {}),
        ):
            answer = client.get(url, headers=headers)
            assert answer.status_code == 200, (url, answer.text)
            assert "public" not in answer.headers["cache-control"], url
    tile = client.get(paths(place)[0], headers={"X-API-Key": key})
    assert tile.headers["cache-control"].startswith("private")
    assert "Authorization" in tile.headers["vary"]
    known = {"If-None-Match": tile.headers["etag"]}
    assert client.get(paths(place)[0], headers=known).status_code == 401  # nor by its ETag
    assert client.get(paths(place)[0], headers={**known, "X-API-Key": key}).status_code == 304


def test_the_tiles_of_a_tilejson_are_asked_with_the_key_that_stood_in_its_address(closed):
    client, key, _, _ = closed
    url = "/tiles/reported_issues/tilejson.json"
    (with_key,) = client.get(f"{url}?key={key}").json()["tiles"]
    assert f"key={key}" in with_key
    (without,) = client.get(url, headers={"X-API-Key": key}).json()["tiles"]
    assert key not in without


@pytest.mark.parametrize("path", ["/styles/reported_issues", "/styles/reported_issues.json", "/style.json"])  # fmt: skip
def test_a_style_asks_its_sources_with_the_key_that_stood_in_its_address(closed, path):
    client, key, _, _ = closed
    answer = client.get(f"{path}?key={key}")
    assert "private" in answer.headers["cache-control"]
    url = answer.json()["sources"]["reported_issues"]["url"].removeprefix("http://city.test")
    assert client.get(url).status_code == 200
    assert key not in client.get(path, headers={"X-API-Key": key}).text


def test_the_catalogue_tells_the_words_of_a_closed_layer_only(closed):
    client, key, _, _ = closed
    (layer,) = (x for x in client.get("/api/catalogue").json()["layers"] if x["id"] == "reported_issues")  # fmt: skip
    assert layer["access"] == "key"
    assert not layer["ready"]
    assert [layer[k] for k in ("n_rows", "version", "as_of", "fields")] == [None, None, None, []]
    seen = client.get("/api/catalogue", headers={"X-API-Key": key}).json()["layers"]
    (layer,) = (x for x in seen if x["id"] == "reported_issues")
    assert layer["n_rows"] == 200
    assert "reported_issues" not in client.get("/collections").text


def test_a_key_that_is_taken_back_opens_nothing_any_more(closed, place, until):
    client, key, _, keys_file = closed
    url, headers = f"/tiles/reported_issues/{place}.mvt", {"X-API-Key": key}
    assert client.get(url, headers=headers).status_code == 200
    keys_file.write_text("", "utf-8")
    until(lambda: client.get(url, headers=headers).status_code == 401)


def test_a_key_that_has_expired_is_none(own_city, serve, closed, place):
    _, key, _, keys_file = closed
    keys_file.write_text(keys_file.read_text("utf-8").replace('layers = ["rep', 'expires = 2020-01-01\nlayers = ["rep'), "utf-8")  # fmt: skip
    client = serve(own_city, keys_file=keys_file)
    answer = client.get(f"/tiles/reported_issues/{place}.mvt", headers={"X-API-Key": key})
    assert answer.status_code == 401


def test_a_key_file_holds_no_key():
    key, lines = new_key('he said "no"')
    assert key not in lines
    assert hashlib.sha256(key.encode()).hexdigest() in lines


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("keys = 3", "keys: "),
        ('[[keys]]\nname = "a"\nsha256 = "x"', "keys.0.sha256"),
        ("[[keys]", "no TOML"),
        ('[[keys]]\nname = "a"\nkey = "secret"', "keys.0.sha256"),
    ],
)
def test_a_key_file_that_cannot_be_is_told(tmp_path, text, says):
    path = tmp_path / "keys.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(InputError, match=says):
        read_keys(path)
    with pytest.raises(InputError, match="cannot be read"):
        read_keys(tmp_path / "none.toml")


def test_a_check_says_that_nobody_can_see_a_closed_layer(own_city, closed):
    settings = Settings(layers=own_city / "layers", data=own_city / "data")
    found = check_settings(settings)
    assert any("need a key but no key file" in one.sentence for one in found if not one.is_well)
    keys = own_city / "keys.toml"
    found = check_settings(settings.model_copy(update={"keys_file": keys}))
    assert all(one.is_well for one in found), json.dumps([one.sentence for one in found])


@pytest.mark.parametrize("address", ["postgresql://gis:hunter2@127.0.0.1:1/cases", "oracle://gis:hunter2@db/cases", "://gis:hunter2@x"])  # fmt: skip
def test_a_check_tries_the_ledger_and_never_says_its_password(own_city, address):
    settings = Settings(layers=own_city / "layers", data=own_city / "data", cases=address)
    found = check_settings(settings)
    assert not all(one.is_well for one in found), "a ledger that is not there was not tried"
    assert any("***" in one.sentence for one in found)
    assert "hunter2" not in "".join(one.sentence for one in found)
    settings = settings.model_copy(update={"cases": f"sqlite:///{own_city}/cases.db"})
    sentences = [one.sentence for one in check_settings(settings)]
    assert "the ledger of cases answers; its last event is number 0" in sentences
