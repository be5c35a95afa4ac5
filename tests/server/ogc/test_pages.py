"""Pages for people: both languages, whole without another host, and nothing that a row says becomes part of the page."""

import re
from html.parser import HTMLParser

import pytest
from gisgrid_server.ogc.words import WORDS

from gisgrid.files import read_frame, write_frame

PATHS = [
    "/?f=html",
    "/conformance",
    "/collections",
    "/collections/communities",
    "/collections/issue_density",
    "/collections/issue_months",
    "/collections/reported_issues/items",
    "/collections/reported_issues/items?limit=5&filter=category='dry_toilet'&datetime=2026-01-01/..",
    "/collections/reported_issues/items/A-0003",
    "/collections/communities/items/410105001001",
    "/collections/reported_issues/queryables",
    "/collections/reported_issues/schema",
    "/collections/communities/tiles",
    "/collections/communities/tiles/CGCS2000Quad",
    "/collections/issue_density/map/tiles",
    "/tileMatrixSets",
    "/tileMatrixSets/CGCS2000Quad",
    "/styles",
    "/docs",
]
HTML = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
ENDLESS = {"meta", "link", "input", "br"}


class Nesting(HTMLParser):
    """Notes what is wrong with a page's brackets, and whither its links lead."""

    def __init__(self):
        super().__init__()
        self.open, self.wrong, self.links, self.assets = [], [], [], []

    def handle_starttag(self, tag, attrs):
        said = dict(attrs)
        if tag not in ENDLESS:
            self.open.append(tag)
        if tag == "a" and "href" in said:
            self.links.append(said["href"])
        if tag in {"script", "img"} or (tag == "link" and said.get("rel") == "stylesheet"):
            self.assets.append(said.get("src") or said.get("href"))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def read(text):
    page = Nesting()
    page.feed(text)
    assert page.wrong == []
    assert page.open == []
    return page


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(("language", "tag"), [("zh", "zh-CN"), ("en", "en")])
def test_a_page(client, path, language, tag):
    answer = client.get(path, headers={**HTML, "Accept-Language": language})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-language"] == tag
    assert f'<html lang="{tag}">' in answer.text
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    page = read(answer.text)
    own = all(asset.startswith(("http://city.test/", "/")) for asset in page.assets)
    assert own
    assert "None<" not in re.sub(r"<pre>.*?</pre>", "", answer.text, flags=re.DOTALL)
    other = client.get(
        path,
        headers=HTML,
        params=None if "?" in path else {"lang": "en" if language == "zh" else "zh"},
    )
    assert other.status_code == 200


def test_every_link_of_every_page_leads_somewhere(client):
    seen = set()
    for path in PATHS:
        for href in read(client.get(path, headers=HTML).text).links:
            if (
                href.startswith("http://city.test")
                and href not in seen
                and not href.endswith(("/inspect", "test/"))
            ):
                seen.add(href)
                assert (
                    client.get(href.removeprefix("http://city.test"), headers=HTML).status_code
                    == 200
                ), href
    assert len(seen) > 60


def test_the_reader_s_language_and_the_address_s(client):
    for headers, query, tag in (
        ({}, "", "zh-CN"),
        ({"Accept-Language": "en-GB,en;q=0.9"}, "", "en"),
        ({"Accept-Language": "zh-TW,en;q=0.9"}, "", "zh-CN"),
        ({"Accept-Language": "en"}, "?lang=zh", "zh-CN"),
        ({"Accept-Language": "fr"}, "", "zh-CN"),
    ):
        answer = client.get(f"/collections{query}", headers={**HTML, **headers})
        assert answer.headers["content-language"] == tag
    chosen = client.get("/collections/communities?lang=en", headers=HTML).text
    assert "lang=en" in next(
        href for href in read(chosen).links if href.endswith("/items?f=html&lang=en")
    )


def test_a_browser_gets_the_map_and_a_program_the_landing_page(client):
    browser = client.get("/", headers=HTML)
    assert "text/html" in browser.headers["content-type"]
    assert "开放接口" not in browser.text
    assert client.get("/").headers["content-type"] == "application/json"
    assert "开放接口" in client.get("/?f=html", headers=HTML).text


def test_what_rows_and_requests_say_stays_text(own_city, serve):
    path = own_city / "data" / "communities.parquet"
    evil = "<script>alert(1)</script>\"'&"
    frame = read_frame(path)
    write_frame(frame.assign(name_zh=evil, community_code=[f"a/{evil}", "b"]), path)
    client = serve(own_city)
    text = client.get("/collections/communities/items", headers=HTML).text
    assert "<script>alert" not in text
    assert "&lt;script&gt;" in text
    one = next(href for href in read(text).links if "/items/a" in href)
    answer = client.get(one.removeprefix("http://city.test"), headers=HTML)
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text
    asked = client.get("/collections/communities/items", params={"filter": f"name_zh = '{evil.replace(chr(39), '')}'"}, headers=HTML)  # fmt: skip
    assert asked.status_code == 200
    assert "<script>alert" not in asked.text


def test_pages_of_features_lead_on(client):
    first = client.get("/collections/reported_issues/items?limit=50&lang=en", headers=HTML)
    page = read(first.text)
    (following,) = [href for href in page.links if "after=" in href]
    second = client.get(following.removeprefix("http://city.test"), headers=HTML)
    assert second.headers["content-language"] == "en"
    assert "A-0050" in second.text
    assert "A-0049" not in second.text


def test_every_word_is_said_in_both_languages():
    for name, text in WORDS.items():
        assert text.zh, name
        assert text.en, name
        assert not re.search(r"[\u4e00-\u9fff]", text.en), name


def test_the_reference_tells_of_every_address(client):
    document = client.get("/openapi.json").json()
    for language in ("zh", "en"):
        text = client.get(f"/docs?lang={language}", headers=HTML).text
        for path, operations in document["paths"].items():
            assert f"<code>{path}</code>" in text
            summary = operations["get"]["x-zh" if language == "zh" else "summary"]
            assert summary.replace("'", "&#39;") in text
    script = client.get("/docs/try.js")
    assert script.headers["content-type"].startswith("text/javascript")
    assert "http" not in script.text.replace("HTTP ", "")
