"""Connections that ask for too much, too slowly, or not at all; memory that stays flat."""

import os
import socket
import threading
import time
from pathlib import Path

import pytest
import uvicorn
from gisgrid_server.app import create_app
from gisgrid_server.edge import protocol
from gisgrid_server.edge.protocol import BoundedProtocol
from gisgrid_server.settings import Settings


@pytest.fixture(scope="module")
def port(city):
    listening = socket.create_server(("127.0.0.1", 0))
    app = create_app(Settings(layers=city / "layers", data=city / "data", warm=False))
    config = uvicorn.Config(
        app, http=BoundedProtocol, ws="none", log_config=None, log_level="critical"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    yield listening.getsockname()[1]
    server.should_exit = True
    thread.join(10)


def say(port, *pieces: bytes) -> bytes:
    """What a server answers to bytes, to the end of the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        heard = b""
        try:
            for piece in pieces:
                connection.sendall(piece)
            while data := connection.recv(65536):
                heard += data
        except (BrokenPipeError, ConnectionResetError):
            pass
        return heard


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 70_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"".join(b"X%d: aaaaaaaa\r\n" % i for i in range(8_000)) + b"\r\n", 431),
        (b"nonsense\r\n\r\n", 400),
        (b"GET /tiles/communities/1/1/1.mvt HTTP/1.1\r\nConnection: close\r\n\r\n", 404),
        (b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 200),
        (b"GET /api/catalogue HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n", 400),
    ],
)  # fmt: skip
def test_what_is_too_much_is_refused(port, request_, status):
    heard = say(port, request_)
    assert heard.startswith(b"HTTP/1.1 %d" % status), heard[:200]


def test_who_does_not_finish_a_request_is_let_go(port, monkeypatch):
    monkeypatch.setattr(protocol, "REQUEST_S", 0.3)
    assert say(port, b"GET / HTTP/1.1\r\nHost: a\r\n").startswith(b"HTTP/1.1 408")
    assert say(port).startswith(b"HTTP/1.1 408")


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
def test_memory_stays_flat(city, serve, place):
    """A soak: some thousand requests here; `GISGRID_SOAK_S` seconds of them where that is set."""
    client = serve(city, cache_bytes=1_000_000)
    z, x, y = map(int, place.split("/"))
    seconds = float(os.environ.get("GISGRID_SOAK_S", "0"))

    def ask(start: int, n: int) -> None:
        paths = []
        for i in range(start, start + n):
            at = f"{z}/{x + i % 50}/{y + i % 70}"
            paths += [f"/tiles/communities/{at}.mvt?v={i}", f"/tiles/reported_issues/{at}.mvt?datetime=2026-01-01/2026-{1 + i % 9:02d}-{1 + i % 28:02d}"]  # fmt: skip
            paths += [f"/tiles/nowhere{i}/{at}.mvt", f"/tiles/communities/{at}.mvt?nothing{i}=1"]
        for first in range(0, len(paths), 40):
            answers = client.get_at_once(paths[first : first + 40])
            assert not [one.status_code for one in answers if one.status_code >= 500]

    ask(0, 300)
    before, done, end = resident_bytes(), 300, time.monotonic() + seconds
    while done < 800 or time.monotonic() < end:
        ask(done, 250)
        done += 250
    assert resident_bytes() - before < 40_000_000


def test_only_where_photos_are_taken_a_body_may_be_large(port, monkeypatch):
    body = b"a" * (protocol.MAX_BODY + 1)
    head = b"%s HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
    for line in (b"POST /api/report", b"PUT /api/report/photos", b"POST /x?/api/report/photos", b"GET /open311/v2/requests.json"):  # fmt: skip
        assert say(port, head % (line, len(body))).startswith(b"HTTP/1.1 413"), line
    for line in (b"POST /api/report/photos", b"POST /city/api/report/photos?key=k", b"POST /open311/v2/requests.xml"):  # fmt: skip
        # This city has no cases. The answer comes before the body, which would only meet a connection that closes.
        heard = say(port, head % (line, len(body)))
        assert heard.startswith((b"HTTP/1.1 404", b"HTTP/1.1 405")), (line, heard[:60])
    monkeypatch.setattr(protocol, "MAX_UPLOAD", protocol.MAX_BODY)
    assert say(port, head % (b"POST /api/report/photos", len(body))).startswith(b"HTTP/1.1 413")  # fmt: skip


def test_a_photo_may_take_longer_but_not_for_ever(port, monkeypatch):
    monkeypatch.setattr(protocol, "REQUEST_S", 0.2)
    monkeypatch.setattr(protocol, "UPLOAD_S", 0.8)
    head = b"POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\nContent-Type: image/jpeg\r\n\r\na"
    started = time.monotonic()
    assert b"HTTP/1.1 408" in say(port, head % b"/api/report/photos")
    assert time.monotonic() - started >= 0.75
    monkeypatch.setattr(
        protocol, "UPLOAD_S", 3_600.0
    )  # whatever is no photo does not wait for that
    assert b"HTTP/1.1 408" in say(port, head % b"/healthz/")


def test_uploads_take_no_memory_with_them(small_city, tmp_path):
    """A hundred megabytes pass, and none of them stays."""
    listening = socket.create_server(("127.0.0.1", 0))
    settings = Settings(layers=small_city / "layers", data=small_city / "data", warm=False, reports_per_minute=10_000)  # fmt: skip
    config = uvicorn.Config(create_app(settings), http=BoundedProtocol, ws="none", log_config=None, log_level="critical")  # fmt: skip
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    port = listening.getsockname()[1]
    body = b"\xff\xd8\xff" + os.urandom(8_000_000)
    head = b"POST /api/report/photos HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body)  # fmt: skip
    try:
        for _ in range(3):
            assert say(port, head, body).startswith(b"HTTP/1.1 400")
        before = resident_bytes()
        for _ in range(13):
            assert say(port, head, body).startswith(b"HTTP/1.1 400")
        assert resident_bytes() - before < 30_000_000
    finally:
        server.should_exit = True
        thread.join(10)
