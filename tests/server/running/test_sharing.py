"""Workers that share the connections of a port: who is ahead lets others go first, and nobody waits for the dead."""

import asyncio
import socket
import subprocess
import sys

import pytest

pytest.importorskip("uvloop", reason="workers share a port on POSIX systems")

from gisgrid_server.edge.protocol import BoundedProtocol
from gisgrid_server.running.sharing import Shares, SharingLoop


def test_who_has_more_than_another_is_ahead(tmp_path):
    mine, other = Shares(tmp_path / "connections"), Shares(tmp_path / "connections")
    assert not mine.is_ahead()
    mine.add(1)
    assert mine.is_ahead()
    assert not other.is_ahead()
    other.add(1)
    assert not mine.is_ahead()
    mine.add(-1)
    assert other.is_ahead()


def test_a_worker_alone_is_never_ahead(tmp_path):
    shares = Shares(tmp_path / "connections")
    shares.add(100)
    assert not shares.is_ahead()


def test_the_dead_are_not_waited_for_and_leave_their_place(tmp_path):
    path = tmp_path / "connections"
    mine = Shares(path)
    script = "import sys; from pathlib import Path; from gisgrid_server.running.sharing import Shares; Shares(Path(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", script, str(path)], check=True)
    mine.add(5)
    assert not mine.is_ahead(), "the other one has no connections, and is dead"
    new = Shares(path)
    assert mine.is_ahead()
    assert new._own == 1


class Echo(BoundedProtocol):
    """Only what a door needs of a connection."""

    def __init__(self):  # what uvicorn gives is not needed
        self.transport = None

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)

    def connection_lost(self, _exc):
        if self.on_lost is not None:
            self.on_lost()


@pytest.fixture
def loop(tmp_path):
    loop = SharingLoop(tmp_path / "connections")
    yield loop
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


async def echoed(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"hello")
    assert await reader.readexactly(5) == b"hello"
    return writer


def test_what_nobody_else_takes_is_taken_by_who_is_ahead(loop, tmp_path):
    async def visit():
        listening = socket.create_server(("127.0.0.1", 0))
        door = await loop.create_server(Echo, sock=listening, backlog=16)
        other = Shares(tmp_path / "connections")  # it lives, has none, and never takes one
        writers = [await echoed(listening.getsockname()[1]) for _ in range(5)]
        assert door._shares.n_open == 5
        assert other.n_open == 0
        assert door._shares.is_ahead()
        for writer in writers:
            writer.close()
            await writer.wait_closed()
        while door._shares.n_open:  # noqa: ASYNC110 - seen from outside, as the other workers see it
            await asyncio.sleep(0.001)
        assert door.is_serving()
        door.close()
        await door.wait_closed()
        assert not door.is_serving()
        listening.close()

    loop.run_until_complete(asyncio.wait_for(visit(), 60))


def test_two_doors_take_turns(loop):
    async def visit():
        listening = socket.create_server(("127.0.0.1", 0))
        twin = listening.dup()
        doors = [await loop.create_server(Echo, sock=one, backlog=16) for one in (listening, twin)]
        writers = [await echoed(listening.getsockname()[1]) for _ in range(20)]
        # Both doors are of one loop here, so that neither is ever late.
        assert sorted(door._shares.n_open for door in doors) == [10, 10]
        for one in (*writers, *doors, listening, twin):
            one.close()
        await asyncio.sleep(0)

    loop.run_until_complete(asyncio.wait_for(visit(), 60))
