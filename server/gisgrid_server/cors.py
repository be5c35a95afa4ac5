"""May a page of another site read the answers? Yes: everything here is public, and nothing asks who is reading."""

from __future__ import annotations

from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_OPEN: Final = (b"access-control-allow-origin", b"*")
_PREFLIGHT: Final = (
    _OPEN,
    (b"access-control-allow-methods", b"GET, HEAD, OPTIONS"),
    (b"access-control-allow-headers", b"*"),
    (b"access-control-max-age", b"86400"),
)


class OpenToAll:
    """Lets any page read the answers (CORS), the same for all, so that a shared cache keeps one answer.

    Parameters
    ----------
    app
        The application that answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a browser's question whether it may ask (OPTIONS); mark every other answer as open."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["method"] == "OPTIONS":
            await send({"type": "http.response.start", "status": 204, "headers": list(_PREFLIGHT)})
            await send({"type": "http.response.body", "body": b""})
            return

        async def send_open(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), _OPEN]
            await send(message)

        await self._app(scope, receive, send_open)
