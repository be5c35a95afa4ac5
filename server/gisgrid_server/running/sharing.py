"""How do workers share the connections of one port? Whoever has more than another one lets that one go first.

A kernel wakes all that wait for a connection, and an event loop takes as many as there are: of 32 visitors who come at
once one worker would get nearly all, and answer them on one core. Here a worker takes one at a time, and writes how many it
has open where the others see it. One that is ahead waits a moment; what nobody else took by then is its own.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import mmap
import os
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from ssl import SSLContext
from typing import Any, Final

import uvicorn
import uvloop

from gisgrid.locks import alone
from gisgrid_server.edge.protocol import BoundedProtocol

_SLOT: Final = struct.Struct("=qq")
"""A worker's process, and how many connections it has open."""

_MOST_WORKERS: Final = 1024

_MOMENT_S: Final = 0.001
_NO_ROOM_S: Final = 0.5
"""So long a worker without free file descriptors takes nobody in."""

log: Final = logging.getLogger("gisgrid.server")


class WorkerConfig(uvicorn.Config):
    """uvicorn's settings for one of several workers.

    Parameters
    ----------
    counts
        The folder that the workers share.
    """

    def __init__(self, *arguments: Any, counts: Path, **options: Any) -> None:  # noqa: ANN401 - uvicorn's
        super().__init__(*arguments, **options)
        self.counts = counts

    def get_loop_factory(self) -> Callable[[], asyncio.AbstractEventLoop]:
        """Give the event loop."""
        return lambda: SharingLoop(self.counts / "connections")


class Shares:
    """How many connections each worker has open, in a file that all of them see.

    Parameters
    ----------
    path
        The file; it is made where it is not there.
    """

    def __init__(self, path: Path) -> None:
        size = _SLOT.size * _MOST_WORKERS
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.ftruncate(handle, size)
            self._slots = mmap.mmap(handle, size)
        finally:
            os.close(handle)
        self._process = os.getpid()
        with alone(path.with_suffix(".lock")):
            free = (i for i in range(_MOST_WORKERS) if not _lives(self._read(i)[0]))
            self._own = next(free, _MOST_WORKERS - 1)
            self.n_open = 0
            self.add(0)

    def add(self, n: int) -> None:
        """Count connections.

        Parameters
        ----------
        n
            1 for one more, -1 for one less.
        """
        self.n_open += n
        _SLOT.pack_into(self._slots, _SLOT.size * self._own, self._process, self.n_open)

    def is_ahead(self) -> bool:
        """Tell whether a worker that lives has fewer connections than this one."""
        for i in range(_MOST_WORKERS):
            process, n_open = self._read(i)
            if process == 0:
                return False
            if i != self._own and n_open < self.n_open and _lives(process):
                return True
        return False

    def _read(self, i: int) -> tuple[int, int]:
        process, n_open = _SLOT.unpack_from(self._slots, _SLOT.size * i)
        return process, n_open


class SharingLoop(uvloop.Loop):
    """An event loop whose servers leave connections to other workers that have fewer.

    Parameters
    ----------
    path
        Where the workers write how many they have.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    async def create_server(  # type: ignore[override]  # uvicorn asks for no more
        self,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        *,
        sock: socket.socket,
        ssl: SSLContext | None = None,
        backlog: int = 100,
    ) -> asyncio.AbstractServer:
        """Serve a port that other processes serve as well."""
        sock.setblocking(False)  # noqa: FBT003 - socket's own
        sock.listen(backlog)
        return _Door(self, protocol_factory, sock, ssl, Shares(self._path))


class _Door(asyncio.AbstractServer):
    """A port, as one of its workers serves it."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        sock: socket.socket,
        context: SSLContext | None,
        shares: Shares,
    ) -> None:
        self._loop, self._factory, self._sock = loop, protocol_factory, sock
        self._context, self._shares = context, shares
        self._coming: set[asyncio.Task[Any]] = set()
        self._again: asyncio.TimerHandle | None = None
        self._closed = asyncio.Event()
        loop.add_reader(sock, self._look)

    def close(self) -> None:
        """Take nobody in any more."""
        if not self._closed.is_set():
            self._closed.set()
            self._loop.remove_reader(self._sock)
            if self._again is not None:
                self._again.cancel()

    async def wait_closed(self) -> None:
        """Wait until nobody is taken in any more."""
        await self._closed.wait()

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """Give the event loop."""
        return self._loop

    def is_serving(self) -> bool:
        """Tell whether visitors are taken in."""
        return not self._closed.is_set()

    async def start_serving(self) -> None:
        """Begin; it has begun already."""

    async def serve_forever(self) -> None:
        """Serve until closed."""
        await self._closed.wait()

    def _look(self) -> None:
        """Somebody is at the door."""
        if self._shares.is_ahead():
            self._pause(_MOMENT_S, self._take)
        else:
            self._take()

    def _pause(self, seconds: float, then: Callable[[], None]) -> None:
        self._loop.remove_reader(self._sock)
        self._again = self._loop.call_later(seconds, self._resume, then)

    def _resume(self, then: Callable[[], None]) -> None:
        self._loop.add_reader(self._sock, self._look)
        then()

    def _take(self) -> None:
        try:
            connection, _ = self._sock.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return  # another worker was faster, or the visitor went
        except OSError as error:
            if error.errno not in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                raise
            log.warning("no connection can be taken now: %s", error.strerror)
            self._pause(_NO_ROOM_S, self._look)
            return
        connection.setblocking(False)  # noqa: FBT003 - socket's own
        self._shares.add(1)
        task = self._loop.create_task(self._taken(connection))
        self._coming.add(task)
        task.add_done_callback(self._coming.discard)

    async def _taken(self, connection: socket.socket) -> None:
        protocol = self._factory()
        assert isinstance(protocol, BoundedProtocol)  # noqa: S101 - `workers` names it
        protocol.on_lost = lambda: self._shares.add(-1)
        try:
            await self._loop.connect_accepted_socket(
                lambda: protocol, connection, ssl=self._context
            )
        except OSError:  # it has gone, or speaks no TLS
            self._shares.add(-1)
            connection.close()


def _lives(process: int) -> bool:
    if process == 0:
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
