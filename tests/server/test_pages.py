import pytest
from gisgrid_server import app as application
from gisgrid_server.pages import content_policy, static_folder

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
def with_page(city, serve, tmp_path, monkeypatch):
    """The server with a page of our own, so that the test needs no front end."""
    folder = tmp_path / "static"
    (folder / "assets").mkdir(parents=True)
    monkeypatch.setattr(application, "static_folder", lambda: folder)
    return serve(city), folder


def test_a_page_that_is_not_built_says_how_to_build_it(with_page):
    client, _ = with_page
    answer = client.get("/", headers=BROWSER)
    assert answer.status_code == 503
    assert "make assets" in answer.text
    assert "构建" in answer.text
    assert client.get("/static/nothing.js").status_code == 404


def test_the_page_and_its_files_are_served(with_page):
    client, folder = with_page
    (folder / "index.html").write_text("<!doctype html><title>城市</title>", "utf-8")
    (folder / "assets" / "map.js").write_text("export {}", "utf-8")
    page = client.get("/", headers=BROWSER)
    assert page.status_code == 200
    assert "城市" in page.text
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'self'" in page.headers["content-security-policy"]
    script = client.get("/static/assets/map.js")
    assert script.status_code == 200
    assert "javascript" in script.headers["content-type"]


def test_files_travel_packed_and_those_named_by_their_content_are_kept_for_good(with_page):
    client, folder = with_page
    script = "const words = 'gisgrid';\n" * 20_000
    for name in ("map-BHTyMuYr.js", "map.js"):
        (folder / "assets" / name).write_text(script, "utf-8")
    (folder / "font.woff2").write_bytes(bytes(1_000))
    named = client.get("/static/assets/map-BHTyMuYr.js", headers={"accept-encoding": "gzip"})
    assert named.text == script
    assert named.headers["content-encoding"] == "gzip"
    assert int(named.headers["content-length"]) < len(script) / 20
    assert named.headers["vary"] == "Accept-Encoding"
    assert "javascript" in named.headers["content-type"]
    assert "immutable" in named.headers["cache-control"]
    other = client.get("/static/assets/map.js", headers={"accept-encoding": "identity"})
    assert other.text == script
    assert "content-encoding" not in other.headers
    assert "immutable" not in other.headers["cache-control"]
    assert other.headers["etag"] != named.headers["etag"]
    for answer, encoding in ((named, "gzip"), (other, "identity")):
        known = {"accept-encoding": encoding, "if-none-match": answer.headers["etag"]}
        again = client.get(answer.request.url.path, headers=known)
        assert (again.status_code, again.content) == (304, b"")
    (folder / "assets" / "map.js").write_text("export {};" * 100, "utf-8")
    changed = client.get("/static/assets/map.js", headers={"accept-encoding": "gzip"})
    assert changed.text == "export {};" * 100
    part = client.get("/static/assets/map.js", headers={"range": "bytes=0-9"})
    assert (part.status_code, part.text) == (206, "export {};")
    assert "content-encoding" not in client.get("/static/font.woff2").headers


def test_the_phone_page_brings_its_worker_and_its_manifest(with_page):
    client, folder = with_page
    for name in ("report.html", "sw.js", "report.webmanifest"):
        (folder / name).write_text(name, "utf-8")
    kinds = {
        "/report": ("report.html", "text/html"),
        "/sw.js": ("sw.js", "text/javascript"),
        "/report.webmanifest": ("report.webmanifest", "application/manifest+json"),
    }
    for path, (text, kind) in kinds.items():
        answer = client.get(path)
        assert answer.text == text
        assert answer.headers["content-type"].startswith(kind)
        assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path", ["/static/../app.py", "/static/%2e%2e/app.py", "/static/assets/%2e%2e/%2e%2e/app.py"]
)
def test_files_beside_the_page_are_not_served(with_page, path):
    client, folder = with_page
    (folder.parent / "app.py").write_text("secret", "utf-8")
    assert client.get(path).status_code == 404


def test_the_policy_lets_in_the_background_map_only():
    assert "http" not in content_policy(None)


def test_the_server_says_that_it_lives(client):
    assert client.get("/healthz").json() == {"status": "ok"}


def test_the_folder_of_the_page_is_in_the_package():
    assert static_folder().parts[-2:] == ("gisgrid_server", "static")
