"""What a connection may do: how long its headers and its body may be, how long it may take to send or to read. No more.

The HTTP parser under uvicorn keeps headers of any length, and waits for the rest of a request, or for a slow reader, for
ever; a handful of such clients would take all memory or all connections.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_URL: Final = 32 * 1024
"""Bytes of an address."""

MAX_HEADERS: Final = 64 * 1024
"""Bytes of all headers of a request."""

MAX_BODY: Final = 1024 * 1024
"""Bytes of a request's body where it is no photo."""

MAX_UPLOAD: Final = 65 * 1024 * 1024
"""Bytes of a body that holds photos; the settings allow no larger photo, and the route refuses what is larger than they say."""

REQUEST_S: Final = 20.0
"""Within this a request has to be there whole."""

UPLOAD_S: Final = 180.0
"""The same for photos: a telephone has a slow way up."""

LINGER_S: Final = 1.0
"""So long a client that was refused may go on sending what nobody reads."""

READ_S: Final = 60.0
"""A client that reads nothing for so long is let go."""


_UPLOADS: Final = re.compile(rb"/api/report/photos/?$|/open311/v2/requests(\.json|\.xml)?$")
"""Where photos are taken, behind whatever a proxy puts before it."""


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's connection, with an end to everything. A body is passed on in pieces, as fast as it is read."""

    _n_url = 0
    _n_headers = 0
    _n_body = 0
    _most_body = MAX_BODY
    _refused = False
    _answered_at = 0.0
    _waits_for: asyncio.TimerHandle | None = None
    _reader_waits: asyncio.TimerHandle | None = None

    on_lost: Callable[[], None] | None = None
    """Whom to tell when the connection has gone."""

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401 - asyncio's, as uvicorn names it
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._begin_to_wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._wait_no_more()
        self.resume_writing()
        super().connection_lost(exc)
        if self.on_lost is not None:
            self.on_lost()

    def data_received(self, data: bytes) -> None:
        """Take what came, unless this connection was refused."""
        if not self._refused:
            super().data_received(data)

    def on_message_begin(self) -> None:
        """Begin to count."""
        self._n_url = self._n_headers = self._n_body = 0
        if self._waits_for is None:
            self._begin_to_wait()
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Keep a piece of the address."""
        self._n_url += len(url)
        if self._n_url > MAX_URL:
            self._refuse(414, f"the address is longer than {MAX_URL} bytes; ask for less at once")
        elif not self._refused:
            super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header."""
        self._n_headers += len(name) + len(value)
        if self._n_headers > MAX_HEADERS:
            self._refuse(431, f"the headers are longer than {MAX_HEADERS} bytes; send fewer")
        elif not self._refused:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Go on to the answer."""
        if self._refused:
            return
        is_upload = self.parser.get_method() == b"POST" and _UPLOADS.search(self.url.partition(b"?")[0])  # fmt: skip
        self._most_body = MAX_UPLOAD if is_upload else MAX_BODY
        if any(name == b"content-length" and _is_more(value, self._most_body) for name, value in self.headers):  # fmt: skip
            self._refuse_body()
            return
        if is_upload:
            self._wait_no_more()
            self._waits_for = self.loop.call_later(UPLOAD_S, self._too_slow, UPLOAD_S)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Keep a piece of the body."""
        self._n_body += len(body)
        if self._n_body > self._most_body:
            self._refuse_body()
        elif not self._refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Wait no more: the request is there."""
        self._wait_no_more()
        if not self._refused:
            super().on_message_complete()

    def pause_writing(self) -> None:
        """Begin to wait for a slow reader."""
        super().pause_writing()
        if self._reader_waits is None:
            self._reader_waits = self.loop.call_later(READ_S, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on writing."""
        if self._reader_waits is not None:
            self._reader_waits.cancel()
            self._reader_waits = None
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        """Let the connection go, unless something was answered since the timer was set."""
        left_s = self._answered_at + self.timeout_keep_alive - self.loop.time()
        if left_s > 0:
            self.timeout_keep_alive_task = self.loop.call_later(
                left_s, self.timeout_keep_alive_handler
            )
        else:
            super().timeout_keep_alive_handler()

    def _wait_for_next(self) -> None:
        """Let the connection go when no further request comes; uvicorn does this for what it answers itself.

        A timer that is set already is left alone: to set one for each request would cost more than to look again.
        """
        self._answered_at = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def _begin_to_wait(self) -> None:
        self._waits_for = self.loop.call_later(REQUEST_S, self._too_slow, REQUEST_S)

    def _wait_no_more(self) -> None:
        if self._waits_for is not None:
            self._waits_for.cancel()
            self._waits_for = None

    def _too_slow(self, seconds: float) -> None:
        self._waits_for = None
        if not self.transport.is_closing():
            self._refuse(408, f"the request was not there within {seconds:g} s; send it again")

    def _refuse_body(self) -> None:
        self._refuse(413, f"the body is longer than {self._most_body} bytes; send less")

    def _refuse(self, status: int, sentence: str) -> None:
        """Answer without the application, and close."""
        if self._refused:
            return
        self._refused = True
        body = (
            f'{{"type": "urn:gisgrid:problem:too-much", "title": "Refused", "status": {status}, '
            f'"detail": "{sentence}", "detail_zh": "请求过大或过慢，已被拒绝。"}}'
        ).encode()
        head = (
            f"HTTP/1.1 {status} Refused\r\ncontent-type: application/problem+json\r\ncache-control: no-store\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        ).encode()
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True  # its answer comes too late
            self.cycle.message_event.set()
        self.transport.write(head + body)
        if (
            self.transport.can_write_eof()
        ):  # who is still sending hears the answer before the connection breaks
            self.transport.write_eof()
            self.flow.resume_reading()
            self.loop.call_later(LINGER_S, self.transport.close)
        else:
            self.transport.close()


def _is_more(value: bytes, most: int) -> bool:
    return value.strip().isdigit() and int(value[:20]) > most
