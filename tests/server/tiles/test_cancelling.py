"""Who goes away is not drawn for, and nobody waits for ever. What takes long is held by hand: no clock decides."""

import asyncio
import threading

import pytest
from gisgrid_server.app import create_app
from gisgrid_server.settings import Settings

from gisgrid.tiles import PointSource

LAYER = "reported_issues"


class Held:
    """A layer whose tiles are drawn only when they are let go."""

    def __init__(self, monkeypatch):
        self.begun, self.released, self.drawn = threading.Semaphore(0), threading.Event(), []
        draw = PointSource.tile

        def slowly(source, *tile, **options):
            self.begun.release()
            self.released.wait()
            self.drawn.append(tile)
            return draw(source, *tile, **options)

        monkeypatch.setattr(PointSource, "tile", slowly)


@pytest.fixture
def held(monkeypatch):
    one = Held(monkeypatch)
    yield one
    one.released.set()


@pytest.fixture
def app(city):
    made = []

    def make(**options):
        folders = {"layers": city / "layers", "data": city / "data"}
        made.append(create_app(Settings(**{**folders, "warm": False, **options})))
        return made[-1]

    return make


class Visitor:
    """One request, whose client goes away when it is told to."""

    def __init__(self, app, path):
        self.leaves, self.heard = asyncio.Event(), []
        scope = {
            "type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b"",
            "headers": [(b"host", b"city.test")], "scheme": "http", "server": ("city.test", 80), "client": ("::1", 1),
            "http_version": "1.1", "root_path": "", "asgi": {"version": "3.0"},
        }  # fmt: skip
        self.answer = asyncio.ensure_future(app(scope, self._receive, self._send))
        self._asked = False

    async def _receive(self):
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.leaves.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message):
        self.heard.append(message)

    @property
    def status(self):
        return self.heard[0]["status"] if self.heard else None


def counted(app, name):
    page = app._metrics.page("")[0].decode()
    return float(page.partition(f"\ngisgrid_{name}_total ")[2].split("\n")[0])


async def until(is_so):
    """Let others run until something is so."""
    while not is_so():  # noqa: ASYNC110 - what is waited for is no event
        await asyncio.sleep(0)


def on_the_way(app):
    return app._tiles._flights._under_way


def address(place, step=0):
    z, x, y = map(int, place.split("/"))
    return f"/tiles/{LAYER}/{z}/{x + step}/{y}.mvt"


def test_who_goes_away_before_the_drawing_begins_is_not_drawn_for(app, held, place, monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 1)  # one thread draws
    server = app()

    async def story():
        first = Visitor(server, address(place))
        await asyncio.to_thread(held.begun.acquire)  # it holds the only thread
        second = Visitor(server, address(place, 1))
        await until(lambda: len(on_the_way(server)) == 2)
        second.leaves.set()
        await second.answer
        assert second.heard == []
        await until(lambda: len(on_the_way(server)) == 1)
        held.released.set()
        await first.answer
        assert first.status in {200, 204}

    asyncio.run(story())
    assert len(held.drawn) == 1
    assert counted(server, "tile_cancelled") == 1


def test_who_stays_gets_the_tile_that_another_has_left(app, held, place):
    server = app()

    async def story():
        leaving, staying = Visitor(server, address(place)), Visitor(server, address(place))
        await until(lambda: any(one.waiting == 2 for one in on_the_way(server).values()))
        leaving.leaves.set()
        await leaving.answer
        assert leaving.heard == []
        held.released.set()
        await staying.answer
        assert staying.status == 200

    asyncio.run(story())
    assert len(held.drawn) == 1
    assert counted(server, "tile_cancelled") == 0


def test_what_takes_too_long_is_a_problem_and_the_next_one_finds_the_tile(
    app, held, place, problem_in
):
    server = app()

    async def story():
        await Visitor(
            server, f"/tiles/{LAYER}/tilejson.json"
        ).answer  # it is read; that may take its time
        server._tiles._settings = server._tiles._settings.model_copy(update={"timeout_s": 0.05})
        asked = Visitor(server, address(place))
        await asked.answer
        document = problem_in(asked.heard, 503)
        assert "was not drawn within 0.05 s" in document["detail"]
        held.released.set()
        await until(lambda: not on_the_way(server))
        server._tiles._settings = server._tiles._settings.model_copy(update={"timeout_s": 60})
        again = Visitor(server, address(place))
        await again.answer
        assert again.status == 200

    asyncio.run(story())
    assert len(held.drawn) == 1


def test_no_more_wait_than_there_is_room_for(app, held, place, problem_in):
    server = app(max_waiting=2)

    async def story():
        waiting = [Visitor(server, address(place, step)) for step in (0, 1)]
        await until(lambda: len(on_the_way(server)) == 2)
        refused = Visitor(server, address(place, 2))
        await refused.answer
        assert "no more can wait" in problem_in(refused.heard, 503)["detail"]
        held.released.set()
        await asyncio.gather(*(one.answer for one in waiting))
        assert {one.status for one in waiting} <= {200, 204}

    asyncio.run(story())


@pytest.fixture
def problem_in():
    """Check that what was heard is a problem, and give it."""
    import json

    def check(heard, status):
        start, body = heard
        assert start["status"] == status
        headers = dict(start["headers"])
        assert headers[b"content-type"] == b"application/problem+json"
        assert headers[b"cache-control"] == b"no-store"
        return json.loads(body["body"])

    return check
