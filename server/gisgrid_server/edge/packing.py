"""Documents on their way out: packed where the client takes that, and not sent again to who has them.

One place for all that FastAPI answers, so that no route has to think of it. What is sent in pieces, as news are, goes by
untouched.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final, NamedTuple

from starlette.types import Message, Scope, Send

from gisgrid_server.edge.answers import Headers, matches
from gisgrid_server.edge.encodings import WORTH_PACKING, chosen_encoding, packed

_WORDS: Final = re.compile(
    rb"(?:text/|image/svg|application/(?:[a-z0-9.+-]*\+)?(?:json|xml|javascript))"
).match
"""Media types that become smaller."""

_READING: Final = frozenset({"GET", "HEAD"})
_LONG: Final = 1 << 16
"""From so many bytes on, packing is left to a thread."""


class Outgoing:
    """What is sent on, message by message.

    Parameters
    ----------
    scope
        The request; who asks for the headers alone gets no more.
    send
        Where to.

    Attributes
    ----------
    status
        The answer's; 499 as long as there is none.
    """

    def __init__(self, scope: Scope, send: Send) -> None:
        self.status = 499
        self._is_head, self._is_reading = scope["method"] == "HEAD", scope["method"] in _READING
        self._asked, self._send = scope["headers"], send
        self._held: Message | None = None

    async def __call__(self, message: Message) -> None:
        """Take what the application sends; the beginning of a document waits for the document."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            names = {name.lower() for name, _ in message["headers"]}
            if self._is_reading and self.status == HTTPStatus.OK and b"content-length" in names:
                self._held = message
            else:
                await self._begin(message)
            return
        if self._held is not None:
            start, self._held = self._held, None
            if not message.get("more_body", False):
                start, body = await finished(start, message.get("body", b""), self._asked)
                self.status, message = start["status"], {**message, "body": body}
            await self._begin(start)
        if not self._is_head:
            await self._send(message)

    async def _begin(self, start: Message) -> None:
        await self._send(start)
        if self._is_head:
            await self._send({"type": "http.response.body", "body": b""})


class Finished(NamedTuple):
    """An answer as it is sent."""

    start: Message
    body: bytes


async def finished(start: Message, body: bytes, asked: Sequence[tuple[bytes, bytes]]) -> Finished:
    """Pack a document, name its state, and leave out what the client has already.

    Parameters
    ----------
    start
        How the answer begins, in ASGI's words; status 200.
    body
        All of it.
    asked
        The headers of the request.

    Returns
    -------
    Finished
        With status 304 and nothing behind it where the client has this very answer.
    """
    said: dict[bytes, bytes] = {name.lower(): value for name, value in start["headers"]}
    if not _WORDS(said.get(b"content-type", b"")) or b"content-encoding" in said:
        return Finished(start, body)
    wanted = {
        name: value for name, value in asked if name in {b"accept-encoding", b"if-none-match"}
    }
    tag = said.get(b"etag")
    if tag is None and b"no-store" not in said.get(b"cache-control", b"no-store"):
        tag = b'"%b"' % hashlib.blake2b(body, digest_size=12).hexdigest().encode()
    encoding = (
        chosen_encoding(wanted.get(b"accept-encoding", b"")) if len(body) >= WORTH_PACKING else ""
    )
    if tag is not None and encoding:
        tag = b'%b-%b"' % (tag.removesuffix(b'"'), encoding.encode())
    headers: Headers = [
        (name, value) for name, value in start["headers"]
        if name.lower() not in {b"content-length", b"etag"}
    ]  # fmt: skip
    if b"accept-encoding" not in said.get(b"vary", b"").lower():
        headers.append((b"vary", b"Accept-Encoding"))
    if tag is not None:
        headers.append((b"etag", tag))
        known = wanted.get(b"if-none-match")
        if known is not None and matches(known, tag):
            kept = [(name, value) for name, value in headers if name.lower() != b"content-type"]
            return Finished({**start, "status": 304, "headers": kept}, b"")
    if encoding:
        headers.append((b"content-encoding", encoding.encode()))
        body = (
            packed(body, encoding)
            if len(body) < _LONG
            else await asyncio.to_thread(packed, body, encoding)
        )
    headers.append((b"content-length", b"%d" % len(body)))
    return Finished({**start, "headers": headers}, body)
