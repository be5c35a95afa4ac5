"""What a connection may do: how long its headers may be, how long it may take to send or to read. No more than that.

The HTTP parser under uvicorn keeps headers of any length, and waits for the rest of a request, or for a slow reader, for
ever; a handful of such clients would take all memory or all connections.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_URL: Final = 32 * 1024
"""Bytes of an address."""

MAX_HEADERS: Final = 64 * 1024
"""Bytes of all headers of a request."""

MAX_BODY: Final = 1024 * 1024
"""Bytes of a request's body; nothing here reads one."""

REQUEST_S: Final = 20.0
"""Within this a request has to be there whole."""

READ_S: Final = 60.0
"""A client that reads nothing for so long is let go."""


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's connection, with an end to everything."""

    _n_url = 0
    _n_headers = 0
    _n_body = 0
    _refused = False
    _waits_for: asyncio.TimerHandle | None = None
    _reader_waits: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401 - asyncio's, as uvicorn names it
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._begin_to_wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._wait_no_more()
        self.resume_writing()
        super().connection_lost(exc)

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
        if not self._refused:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Keep a piece of the body."""
        self._n_body += len(body)
        if self._n_body > MAX_BODY:
            self._refuse(413, f"the body is longer than {MAX_BODY} bytes; send none")
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

    def _begin_to_wait(self) -> None:
        self._waits_for = self.loop.call_later(REQUEST_S, self._too_slow)

    def _wait_no_more(self) -> None:
        if self._waits_for is not None:
            self._waits_for.cancel()
            self._waits_for = None

    def _too_slow(self) -> None:
        self._waits_for = None
        if not self.transport.is_closing():
            self._refuse(408, f"the request was not there within {REQUEST_S:g} s; send it again")

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
        self.transport.write(head + body)
        self.transport.close()
