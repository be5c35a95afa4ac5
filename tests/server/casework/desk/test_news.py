"""What did others do meanwhile? Told once, in order, to those who may know, whichever worker took it."""

import asyncio
import json

import pytest
from gisgrid_server.casework.desk import news as module
from gisgrid_server.casework.desk.marks import Marks
from gisgrid_server.casework.desk.news import News
from gisgrid_server.edge.problems import BusyError
from gisgrid_server.edge.rights import Rights

PARKS, WATER = "0117", "0125"
"""Classes by their owners."""

ALL = Rights("centre", frozenset({"see", "supervise"}), owners=("*",), grids=("*",), classes=("*",))
BUREAU = Rights("parks", frozenset({"see", "handle"}), owners=("urban_management",), grids=("*",), classes=("*",))  # fmt: skip
NOBODY = Rights("nobody", frozenset(), grids=("*",), classes=("*",))


def read(block):
    lines = dict(line.split(": ", 1) for line in block.decode().strip().split("\n"))
    return lines["event"], lines["id"], json.loads(lines["data"])


class Ear:
    """Listens to a stream for as long as a test needs."""

    def __init__(self, news, rights, since=None):
        self.stream = news.stream(rights if callable(rights) else lambda: rights, since=since)

    async def next(self):
        async with asyncio.timeout(30):
            while (block := await anext(self.stream)).startswith(b":"):
                pass
        return read(block)


@pytest.fixture
def news(office):
    """The news of another worker: it shares nothing but the database with the desk that acts."""
    from gisgrid.casework.ledger import Ledger

    with Ledger.open(f"sqlite:///{office.root / 'data' / 'casework' / 'cases.db'}") as ledger:
        yield News(lambda: ledger, look_s=0.02, heartbeat_s=0.1)


def test_what_another_worker_takes_is_heard_in_order_by_those_who_may(office, news):
    async def listen():
        centre, parks = Ear(news, ALL), Ear(news, BUREAU)
        assert (await centre.next())[0] == (await parks.next())[0] == "hello"
        hidden = await asyncio.to_thread(office.report, WATER)
        case_id = await asyncio.to_thread(office.brought_to, "filed", PARKS)
        heard = [await centre.next() for _ in range(3)]
        assert [(said["kind"], said["case"]["case_id"]) for _, _, said in heard] == [
            ("reported", hidden), ("reported", case_id), ("filed", case_id)
        ]  # fmt: skip
        marks = Marks(office.desk.ledger.seed())
        numbers = [marks.read(mark) for _, mark, _ in heard]
        assert numbers == sorted(numbers)
        assert len({mark for _, mark, _ in heard}) == 3
        told = [await parks.next() for _ in range(2)]
        assert {said["case"]["case_id"] for _, _, said in told} == {case_id}
        assert "contact" not in json.dumps(told)

    asyncio.run(listen())


@pytest.mark.parametrize("kept", [True, False], ids=["still at hand", "from the ledger"])
def test_who_was_away_hears_what_was_missed_once(office, news, monkeypatch, kept):
    if not kept:
        monkeypatch.setattr(module, "_AT_ONCE", 2)

    async def listen():
        first = Ear(news, ALL)
        await first.next()
        for _ in range(5):
            await asyncio.to_thread(office.report)
        heard = [await first.next() for _ in range(5)]
        if not kept:  # the last desk closes, and nothing is kept
            await first.stream.aclose()
        again = Ear(news, ALL, since=heard[1][1])
        assert (await again.next())[0] == "hello"
        found = [await again.next() for _ in range(3)]
        assert [(event, said) for event, _, said in found] == [(event, said) for event, _, said in heard[2:]]  # fmt: skip
        case_id = await asyncio.to_thread(office.report)
        assert (await again.next())[2]["case"]["case_id"] == case_id

    asyncio.run(listen())


def test_who_was_away_too_long_is_told_to_read_anew(office, news, monkeypatch):
    monkeypatch.setattr(module, "_MOST_MISSED", 3)
    for _ in range(5):
        office.report()

    async def listen():
        marks = Marks(office.desk.ledger.seed())
        for since in (marks.of(0), "7", "no mark", marks.of(2)[:-2]):
            ear = Ear(news, ALL, since=since)
            assert (await ear.next())[0] == "hello"
            event, mark, _ = await ear.next()
            assert (event, marks.read(mark)) == ("reload", 5)

    asyncio.run(listen())


def test_a_case_that_leaves_a_desk_is_said_to_be_gone_and_no_more(office, news):
    case_id = office.brought_to("dispatched", PARKS)

    async def listen():
        parks, centre = Ear(news, BUREAU), Ear(news, ALL)
        await parks.next(), await centre.next()
        await asyncio.to_thread(
            lambda: office.desk.act(case_id, "handed_over", by="centre", why="属水务", data={"owner": "water"})
        )  # fmt: skip
        event, _, said = await parks.next()
        assert (event, said) == ("gone", {"case_id": case_id})
        assert (await centre.next())[2]["case"]["owner"] == "water"

    asyncio.run(listen())


def test_a_key_that_is_withdrawn_hears_no_more(news):
    async def listen():
        rights = [ALL]
        ear = Ear(news, lambda: rights[0])
        await ear.next()
        rights[0] = NOBODY
        with pytest.raises(StopAsyncIteration):
            await ear.next()

    asyncio.run(listen())


def test_a_silent_line_says_that_it_lives(news):
    async def listen():
        stream = news.stream(lambda: ALL, since=None)
        await anext(stream)
        assert await anext(stream) == b": still here\n\n"

    asyncio.run(listen())


def test_open_desks_are_counted_and_a_slow_one_is_let_go(office, news, monkeypatch):
    monkeypatch.setattr(module, "MAX_PER_HOLDER", 2)
    monkeypatch.setattr(module, "_WAITING", 1)

    async def listen():
        slow, other = Ear(news, ALL), Ear(news, ALL)
        await slow.next(), await other.next()
        with pytest.raises(BusyError, match="2 desks open"):
            await Ear(news, ALL).next()
        for _ in range(3):
            await asyncio.to_thread(office.report)
        await asyncio.sleep(1)
        assert len([block async for block in slow.stream]) <= 3
        await other.stream.aclose()
        await Ear(news, ALL).next()

    asyncio.run(listen())


def test_a_worker_asks_once_for_all_its_desks(news, monkeypatch):
    ledger = news._ledger()
    asked = []
    monkeypatch.setattr(ledger, "last_seq", lambda: asked.append(1) or 0)

    async def listen():
        ears = [Ear(news, ALL) for _ in range(10)]
        for ear in ears:
            await ear.next()
        asked.clear()
        began = asyncio.get_running_loop().time()
        await asyncio.sleep(0.5)
        elapsed = asyncio.get_running_loop().time() - began
        assert 1 <= len(asked) <= elapsed / 0.02 + 1

    asyncio.run(listen())
