"""Addresses on the web: Open311 page by page, files, and what is not followed or waited for."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from gisgrid.errors import InputError
from gisgrid.intake.readers import web
from gisgrid.intake.readers.source import open_source


@contextmanager
def served(answer):
    """Serve on this machine what `answer(page, n_asked)` gives: status, headers, body."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            parts = urlsplit(self.path)
            asked.append(self.path)
            page = int(parse_qs(parts.query).get("page", ["1"])[0])
            status, headers, body = answer(page, len(asked))
            self.send_response(status)
            for key, value in headers.items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(web.time, "sleep", lambda _: None)


def requests(first, n, **more):
    return [
        {"service_request_id": str(first + at), "service_code": "7", "lat": "35.2", **more}
        for at in range(n)
    ]


def as_json(rows):
    return 200, {"Content-Type": "application/json; charset=utf-8"}, json.dumps(rows).encode()


def test_all_pages_of_a_service_are_one_source(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    pages = {1: requests(1, 3), 2: requests(4, 3, note="x"), 3: requests(7, 1)}

    def answer(page, _):
        return as_json(pages.get(page, []))

    with served(answer) as (url, asked):
        source = open_source(f"{url}/open311/v2/requests.json?status=open&api_key=secret")
    assert asked[1] == "/open311/v2/requests.json?status=open&api_key=secret&page=2"
    assert (source.format, source.n_rows) == ("open311", 7)
    assert source.name == "127.0.0.1/open311/v2/requests.json"
    assert source.columns == ("service_request_id", "service_code", "lat", "note")
    for _ in range(2):
        batches = list(source.batches())
        assert [row for batch, _ in batches for row in batch.rows.tolist()] == list(range(1, 8))
        assert batches[0][0].table["note"].to_pylist() == [None] * 3
        assert batches[-1][1] == 1.0
    assert len(list(tmp_path.glob("gisgrid-*"))) == 1
    del source, batches
    assert not list(tmp_path.glob("gisgrid-*"))


@pytest.mark.parametrize(
    "end", [lambda: as_json(requests(1, 3)), lambda: (404, {}, b""), lambda: as_json([])]
)
def test_a_service_without_pages_is_asked_once_more_only(end):
    with served(lambda _, n: as_json(requests(1, 3)) if n == 1 else end()) as (
        url,
        asked,
    ):
        assert open_source(f"{url}/requests.json").n_rows == 3
    assert len(asked) == 2


def test_requests_in_xml_are_read(tmp_path):
    body = b"<service_requests><request><service_request_id>1</service_request_id></request></service_requests>"
    with served(lambda *_: (200, {"Content-Type": "text/xml"}, body)) as (url, asked):
        source = open_source(f"{url}/requests.xml?page=4")
    assert (source.n_rows, len(asked)) == (1, 1)


def test_a_file_on_the_web_is_read_as_what_it_is():
    body = "编号,经度\n1,113.2\n".encode("gbk")
    with served(lambda *_: (200, {}, body)) as (url, _):
        source = open_source(f"{url}/data/export.csv")
    assert (source.format, source.columns) == ("csv", ("编号", "经度"))


def test_a_busy_service_is_asked_again_and_then_given_up():
    with served(
        lambda _, n: (503, {"Retry-After": "9"}, b"") if n == 1 else as_json(requests(1, 1))
    ) as (url, _):
        assert open_source(f"{url}/requests.json?page=1").n_rows == 1
    with served(lambda *_: (429, {}, b"")) as (url, asked):
        with pytest.raises(InputError, match="answered 429"):
            open_source(f"{url}/requests.json")
        assert len(asked) == 3


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ((404, {}, b""), "answered 404 Not Found; check the address"),
        ((302, {"Location": "file:///etc/passwd"}, b""), "answered 302 .*is not allowed"),
        ((302, {"Location": "ftp://x/y"}, b""), "leads to an address of kind 'ftp'"),
        ((200, {"Content-Type": "text/html"}, b"<!DOCTYPE html><html></html>"), "is a web page"),
        ((200, {"Content-Length": "999"}, b"id,x\n1,2\n"), "sent 9 of 999 bytes"),
        ((200, {}, b"a,b\n" + b"1,2\n" * 1000), "sends more than 0 MB, which is the most that is fetched"),
    ],
)  # fmt: skip
def test_what_a_service_must_not_do_is_refused(monkeypatch, answer, sentence):
    monkeypatch.setattr(web, "MAX_BYTES", 2000)
    with (
        served(lambda *_: answer) as (url, _),
        pytest.raises(InputError, match=sentence),
    ):
        open_source(f"{url}/requests.json")


def test_an_endless_service_is_given_up(monkeypatch):
    monkeypatch.setattr(web, "MAX_PAGES", 3)
    with (
        served(lambda _, n: as_json(requests(10 * n, 2))) as (url, _),
        pytest.raises(InputError, match="has more than 3 pages; ask for a shorter time"),
    ):
        open_source(f"{url}/requests.json")


def test_a_silent_service_is_not_waited_for():
    release = threading.Event()

    def answer(*_):
        release.wait(10)
        return 200, {}, b""

    with served(answer) as (url, _):
        with pytest.raises(InputError, match="did not answer in time"):
            web.open_url(f"{url}/requests.json", open_source, timeout_s=0.05)
        release.set()


def test_nobody_at_the_address_is_said():
    with served(lambda *_: (200, {}, b"")) as (url, _):
        pass
    with pytest.raises(InputError, match=r"cannot be reached .*save the answer to a file"):
        open_source(f"{url}/requests.json")
