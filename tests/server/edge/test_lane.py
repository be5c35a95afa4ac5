"""What is answered on the spot is what the usual way answers, byte for byte."""

import re
import socket
import threading
from contextlib import contextmanager

import pytest
import uvicorn
from gisgrid_server.app import create_app
from gisgrid_server.edge.answers import Answer
from gisgrid_server.edge.lane import LaneProtocol
from gisgrid_server.edge.protocol import BoundedProtocol
from gisgrid_server.settings import Settings


@contextmanager
def listening_server(app, protocol):
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        app, http=protocol, ws="none", log_config=None, log_level="critical", proxy_headers=False
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(10)


@pytest.fixture(scope="module")
def app(city):
    return create_app(Settings(layers=city / "layers", data=city / "data", warm=False))


@pytest.fixture(scope="module")
def lane(app):
    with listening_server(app, LaneProtocol) as port:
        yield port


@pytest.fixture(scope="module")
def usual(app):
    with listening_server(app, BoundedProtocol) as port:
        yield port


def answers(port, *pieces: bytes, n: int = 1) -> list[tuple[bytes, bytes]]:
    """The heads, without their dates, and the bodies of `n` answers on one connection."""
    found = []
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        for piece in pieces:
            connection.sendall(piece)
        heard = connection.makefile("rb")
        for _ in range(n):
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                line = heard.readline()
                assert line, f"the connection ended after {head!r}"
                head += line
            length = re.search(rb"content-length: (\d+)", head)
            body = heard.read(int(length[1])) if length and b" 304 " not in head else b""
            found.append((re.sub(rb"(date|x-request-id): [^\r]+\r\n", b"", head), body))
    return found


def get(path: str, *headers: str) -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: a", *headers, "", ""]).encode()


@pytest.fixture(scope="module")
def tile(place):
    return f"/tiles/communities/{place}.mvt"


@pytest.fixture(scope="module")
def drawn_before(lane, usual, tile):
    """The first tile of a layer is drawn in a thread, until it is known how long it takes."""
    for port in (lane, usual):
        answers(port, get(tile), n=1)


@pytest.mark.usefixtures("drawn_before")
@pytest.mark.parametrize(
    "headers",
    [
        (),
        ("Accept-Encoding: gzip",),
        ("Accept-Encoding: br",),
        ("Accept-Encoding: gzip", "Accept-Encoding: zstd"),
        ("Origin: https://map.example.org",),
        ("If-None-Match: *",),
        ("Content-Length: 0",),
        ("Connection: keep-alive",),
    ],
)
def test_the_short_way_says_what_the_usual_way_says(lane, usual, tile, headers):
    for path in (
        tile,
        f"{tile}?name=nobody",
        tile.replace("communities", "communities,reported_issues"),
    ):
        asked = get(path, *headers)
        assert answers(lane, asked) == answers(usual, asked)


def test_whatever_is_answered_on_the_spot_says_how_long_it_is():
    class Long:
        def at_once(self, _scope, path, _headers):
            return Answer(200, [(b"content-type", b"application/json")], b"{}" * len(path))

        async def __call__(self, scope, receive, send):
            del scope, receive, send
            raise AssertionError

    with listening_server(Long(), LaneProtocol) as port:
        (first,), (second,) = (answers(port, get(path)) for path in ("/tiles/a", "/tiles/abc"))
    assert b"content-length: 16" in first[0]
    assert (first[1], second[1]) == (b"{}" * 8, b"{}" * 10)


@pytest.mark.parametrize(
    "path", ["/tiles/nothing/1/1/1.mvt", "/tiles/communities/99/1/1.mvt", "/tiles/communities/9/0/0.mvt?wrong=1"]
)  # fmt: skip
def test_mistakes_go_the_usual_way(lane, usual, path):
    (head, body), (other_head, other_body) = answers(lane, get(path))[0], answers(usual, get(path))[0]  # fmt: skip
    assert re.match(rb"HTTP/1.1 4\d\d ", head)
    assert head.splitlines()[0] == other_head.splitlines()[0]
    told = [re.sub(rb'"(request_id|instance)": "[^"]+"', b"", one) for one in (body, other_body)]
    assert told[0] == told[1]


@pytest.mark.usefixtures("drawn_before")
def test_requests_that_come_at_once_are_answered_in_order(lane, tile):
    one = answers(lane, get(tile))[0]
    other = answers(lane, get("/healthz"))[0]
    together = [get(tile), get("/healthz"), get(tile), get(tile), get("/healthz"), get(tile)]
    found = answers(lane, b"".join(together), n=6)
    assert [found[i] for i in (0, 2, 3, 5)] == [one] * 4
    assert [found[i][1] for i in (1, 4)] == [other[1]] * 2


@pytest.mark.usefixtures("drawn_before")
def test_a_request_may_come_in_pieces(lane, tile):
    asked = get(tile)
    assert answers(lane, asked[:9], asked[9:30], asked[30:]) == answers(lane, asked)


@pytest.mark.usefixtures("drawn_before")
def test_the_short_way_is_taken_and_counted(app, lane, tile, monkeypatch):
    taken = []
    at_once = LaneProtocol._answered
    monkeypatch.setattr(LaneProtocol, "_answered", lambda self: taken.append(at_once(self)) or taken[-1])  # fmt: skip
    before = app._metrics.page()[0]
    assert answers(lane, get(tile), get(tile), n=2)
    assert any(taken)
    counted = rb'gisgrid_requests_total\{route="tile",status="200"\} ([\d.]+)'
    assert float(re.search(counted, app._metrics.page()[0])[1]) == float(re.search(counted, before)[1]) + 2  # fmt: skip


@pytest.mark.usefixtures("drawn_before")
def test_a_body_is_not_taken_for_the_next_request(lane, tile):
    asked = get(tile, "Content-Length: 5") + b"hello" + get(tile)
    assert [head.split()[1] for head, _ in answers(lane, asked, n=2)] == [b"200", b"200"]


@pytest.mark.usefixtures("drawn_before")
def test_the_same_headers_again_are_answered_as_the_first_time(lane, tile, monkeypatch):
    again = []
    alike = LaneProtocol._answered_alike
    monkeypatch.setattr(
        LaneProtocol, "_answered_alike", lambda self, *a: again.append(alike(self, *a)) or again[-1]
    )
    packed, plain = get(tile, "Accept-Encoding: gzip"), get(tile)
    one, other = answers(lane, packed)[0], answers(lane, plain)[0]
    with socket.create_connection(("127.0.0.1", lane), timeout=20) as connection:
        heard = connection.makefile("rb")
        for asked, wanted in [(packed, one), (packed, one), (plain, other), (plain, other)]:
            connection.sendall(asked)
            head = b"".join(iter(heard.readline, b"\r\n"))
            length = re.search(rb"content-length: (\d+)", head)
            assert heard.read(int(length[1]) if length else 0) == wanted[1]
    assert again == [True, False, True]
