"""The short way of a tile: it is written where its request was read, without a task, a queue or a message between.

uvicorn makes a task and half a dozen objects for each request and passes the answer on in messages, which costs several
times what finding a ready tile costs. A request that can be answered on the spot (`Front.at_once`) is answered right
here; every other one goes the usual way, through ASGI, as if this module were not there.

A map sends the same headers with every request of a connection. What was read of them once holds for the next request,
of which only the first line is read then.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final, NamedTuple, cast

from starlette.types import Scope

from gisgrid_server.edge.answers import Answer
from gisgrid_server.edge.protocol import BoundedProtocol

_BEGINS: Final = b"/tiles/"
_NOT_PLAIN: Final = (b"content-length", b"transfer-encoding", b"expect", b"upgrade")
"""Whoever sends one of these wants more than a tile."""

_PLAIN_LINE: Final = re.compile(
    rb"GET (/tiles/[!\"$&->@-~]{1,2000})(?:\?([!\"$&-~]{0,2000}))? HTTP/1\.1"
).fullmatch
"""The first line of a request for a tile, without signs that would have to be decoded."""

_LONG: Final = 1 << 16
"""From so many bytes on, not copying them is the quicker way."""

_STATUS_LINES: Final = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode()
    for status in (HTTPStatus.OK, HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
}


class _Known(NamedTuple):
    """A request that took the short way: its bytes past the first line, and what the parser read in them."""

    rest: bytes
    scope: Scope
    headers: dict[bytes, bytes]


class LaneProtocol(BoundedProtocol):
    """A connection that answers what can be answered on the spot."""

    _at_once: Callable[[Scope, str, dict[bytes, bytes]], Answer | None] | None
    _was_used = False
    _took_it = False
    _is_between = True
    _n_begun = 0
    _known: _Known | None = None

    def __init__(self, *args: Any, **named: Any) -> None:  # noqa: ANN401 - uvicorn's
        super().__init__(*args, **named)
        self._at_once = getattr(self.app, "at_once", None)

    def data_received(self, data: bytes) -> None:
        """Take what came; of several requests at once the first may take the short way, so that nobody keeps the others waiting."""
        self._was_used = False
        if self._known is not None and self._is_free() and self._answered_alike(data, self._known):
            self._wait_for_next()
            return
        was_between, self._n_begun = self._is_between, 0
        super().data_received(data)
        if was_between and self._n_begun == 1 and self._is_between and self._took_it:
            line, _, rest = data.partition(b"\r\n")
            if _PLAIN_LINE(line):
                self._known = _Known(rest, cast("Scope", self.scope), dict(self.headers))

    def on_message_begin(self) -> None:
        """Forget the request before this one."""
        self._known, self._is_between = None, False
        self._n_begun += 1
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Answer at once, or go the usual way."""
        self._took_it = False
        if self.url.startswith(_BEGINS) and self._is_free() and self._answered():
            self._took_it = self._was_used = True
        else:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Keep a piece of the body."""
        if not self._took_it:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Wait for the next request, or let the usual way go on."""
        self._is_between = True
        if self._took_it:
            self._wait_no_more()
            self._wait_for_next()
        else:
            super().on_message_complete()

    def _is_free(self) -> bool:
        """Tell whether nothing before this request is still to be answered or to be read by the client."""
        cycle = self.cycle
        return (
            not self._was_used
            and not self._refused
            and (cycle is None or cycle.response_complete)
            and not self.flow.write_paused
            and not self.transport.is_closing()
        )

    def _answered(self) -> bool:
        if self._at_once is None:
            return False
        url, parser, given = self.url, self.parser, self.headers
        headers = dict(given)
        if (
            parser.get_method() != b"GET"
            or b"%" in url
            or b"#" in url
            or len(headers) != len(given)
            or not parser.should_keep_alive()
            or parser.get_http_version() != "1.1"
            or any(name in headers for name in _NOT_PLAIN)
        ):
            return False
        path, _, query = url.partition(b"?")
        scope = cast("Scope", self.scope)
        scope["method"] = "GET"
        return self._sent(scope, path, query, headers)

    def _answered_alike(self, data: bytes, known: _Known) -> bool:
        """Answer one more request that differs from the last in its first line only."""
        line, _, rest = data.partition(b"\r\n")
        if rest != known.rest:
            return False
        match = _PLAIN_LINE(line)
        return match is not None and self._sent(
            known.scope, match[1], match[2] or b"", known.headers
        )

    def _sent(self, scope: Scope, path: bytes, query: bytes, headers: dict[bytes, bytes]) -> bool:
        """Send the answer; False where there is none on the spot."""
        scope["query_string"] = query
        scope["path"] = words = path.decode("ascii", "replace")
        answer = self._at_once(scope, words, headers) if self._at_once is not None else None
        if answer is None:
            return False
        status, said, body = answer
        lines = [_STATUS_LINES[status]]
        for name, value in self.server_state.default_headers:
            lines += (name, b": ", value, b"\r\n")
        is_framed = not body
        for name, value in said:
            is_framed = is_framed or name == b"content-length"
            lines += (name, b": ", value, b"\r\n")
        if not is_framed:  # the client would wait for the end of the connection
            lines.append(b"content-length: %d\r\n" % len(body))
        lines += (b"\r\n", body)
        self.transport.writelines(lines) if len(body) > _LONG else self.transport.write(
            b"".join(lines)
        )
        self.server_state.total_requests += 1
        return True
