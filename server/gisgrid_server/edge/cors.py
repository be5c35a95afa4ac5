"""May a page of another site read the answers? As the operator says: all may, some, or none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_METHODS: Final = b"GET, HEAD, OPTIONS"
_SEEN: Final = (
    b"access-control-expose-headers",
    b"ETag, Gisgrid-Thinned, Link, Content-Crs, OGC-NumberMatched, Retry-After, X-Request-ID, X-Total-Count",
)
_PREFLIGHT: Final = (
    (b"access-control-allow-methods", _METHODS),
    (b"access-control-allow-headers", b"Authorization, X-API-Key, *"),
    (b"access-control-max-age", b"86400"),
)
Headers = tuple[tuple[bytes, bytes], ...]


class Cors:
    """Says with which headers a page of another site is let in.

    Parameters
    ----------
    origins
        ``*`` for all, or origins such as ``https://map.example.org``; none where it is empty.
    """

    def __init__(self, origins: Sequence[str]) -> None:
        self._open = "*" in origins
        self._origins = frozenset(origin.encode() for origin in origins)
        # The same for all who ask, so that a shared cache keeps one answer.
        self.for_all: Headers | None = None
        if self._open:
            self.for_all = ((b"access-control-allow-origin", b"*"), _SEEN)
        elif not origins:
            self.for_all = ()

    def headers(self, origin: bytes | None) -> Headers:
        """Say what to add to an answer.

        Parameters
        ----------
        origin
            The page's origin, as its browser says.

        Returns
        -------
        tuple
            Headers.
        """
        if self.for_all is not None:
            return self.for_all
        if origin is not None and origin in self._origins:
            return ((b"access-control-allow-origin", origin), (b"vary", b"Origin"), _SEEN)
        return ((b"vary", b"Origin"),)

    def preflight(self, origin: bytes | None) -> Headers:
        """Answer a browser's question whether a page may ask (OPTIONS).

        Parameters
        ----------
        origin
            The page's origin.

        Returns
        -------
        tuple
            Headers.
        """
        return (*self.headers(origin), *_PREFLIGHT)
