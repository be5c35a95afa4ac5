"""How often may somebody hand something in? So often per minute, by key or by address, and never more memory for knowing it."""

from __future__ import annotations

import ipaddress
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from starlette.types import Scope

from gisgrid_server.edge.addresses import ORIGIN
from gisgrid_server.edge.problems import TooManyError
from gisgrid_server.edge.rights import Rights
from gisgrid_server.settings import Settings

_MOST: Final = 50_000
_SITE_BITS: Final = 64
"""A household or a company has a whole network of IPv6 addresses."""


class Buckets:
    """Buckets of tokens, one per name: each fills up steadily, and every request takes one out (a token bucket).

    Parameters
    ----------
    per_minute
        How many tokens come in a minute, and how many a bucket holds.
    most
        How many names are known; the one that asked longest ago is forgotten first.
    clock
        Seconds that only grow.

    Examples
    --------
    >>> now = 0.0
    >>> buckets = Buckets(2, clock=lambda: now)
    >>> [buckets.take("a"), buckets.take("a"), buckets.take("a")]
    [0.0, 0.0, 30.0]
    """

    def __init__(
        self, per_minute: int, *, most: int = _MOST, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._size, self._per_s = float(per_minute), per_minute / 60
        self._most, self._clock = most, clock
        self._lock = threading.Lock()
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._left)

    def take(self, name: str) -> float:
        """Take a token.

        Parameters
        ----------
        name
            Whose.

        Returns
        -------
        float
            0 where there was one; otherwise the seconds until there is.
        """
        now = self._clock()
        with self._lock:
            left, then = self._left.pop(name, (self._size, now))
            left = min(self._size, left + (now - then) * self._per_s)
            wait_s = 0.0 if left >= 1 else (1 - left) / self._per_s
            self._left[name] = (left if wait_s else left - 1, now)
            while len(self._left) > self._most:
                self._left.popitem(last=False)
        return wait_s


class Limits:
    """The share of each key and each address in what is handed in.

    Each process counts for itself: with several workers somebody may hand in as many times that much.

    Parameters
    ----------
    settings
        How much that is.
    clock
        Seconds that only grow.
    """

    def __init__(self, settings: Settings, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._keys = Buckets(settings.key_reports_per_minute, clock=clock)
        self._addresses = Buckets(settings.reports_per_minute, clock=clock)

    def check(self, scope: Scope, rights: Rights) -> None:
        """Count a request that hands something in.

        Parameters
        ----------
        scope
            The request. A proxy that is trusted says whose it is.
        rights
            Who asks: a key counts for itself, whatever its address.

        Raises
        ------
        TooManyError
            The share of this minute is used up; it says when there is more.
        """
        if rights.is_known:
            wait_s, who = self._keys.take(rights.subject), f"the key of {rights.subject!r}"
        else:
            wait_s, who = self._addresses.take(site(address_of(scope))), "this address"
        if wait_s > 0:
            seconds = max(1, math.ceil(wait_s))
            raise TooManyError(
                f"{who} has sent more than its share; send this again in {seconds} s",
                retry_after_s=seconds,
            )


def address_of(scope: Scope) -> str:
    """Give the address of who asks.

    Parameters
    ----------
    scope
        The request, with what `Doorbell` found.

    Returns
    -------
    str
        As a trusted proxy says, or of the connection; empty where neither is known.
    """
    origin = scope.get(ORIGIN)
    if origin is not None:
        return str(origin.client)
    client = scope.get("client")
    return str(client[0]) if client else ""


@lru_cache(4096)
def site(address: str) -> str:
    """Give what counts as one sender: an IPv4 address, or the network of an IPv6 address.

    Parameters
    ----------
    address
        An address.

    Returns
    -------
    str
        The address itself where it is none.

    Examples
    --------
    >>> site("192.0.2.7"), site("2001:db8::1"), site("::ffff:192.0.2.7"), site("")
    ('192.0.2.7', '2001:db8::/64', '192.0.2.7', '')
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found.packed, _SITE_BITS), strict=False))
    return str(found)
