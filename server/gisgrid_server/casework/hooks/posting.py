"""How is a message sent so that nobody can make the server speak to its own network?

The host's name is looked up once, each of its addresses must be one of the public internet unless the operator allowed
the host, and the connection goes to an address that was checked: the first that can be reached. Redirects are not
followed, answers are not read.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final, Self
from urllib.parse import urlsplit, urlunsplit

import httpx

from gisgrid import __version__

_PATIENCE_S: Final = 10.0
_MOST_WAIT_S: Final = 3600.0
_MOST_ADDRESSES: Final = 4
"""Of one host that are tried: each may take `_PATIENCE_S`."""

Resolve = Callable[[str, int], Sequence[str]]


@dataclass(frozen=True)
class Outcome:
    """What became of a message.

    Attributes
    ----------
    is_taken
        Whether the receiver took it: any status from 200 to 299.
    said
        What was wrong, in a few words; empty where nothing was.
    wait_s
        How long the receiver asked to be left alone; 0 where it did not.
    """

    is_taken: bool
    said: str = ""
    wait_s: float = 0.0


def addresses_of(host: str, port: int) -> Sequence[str]:
    """Look a host up.

    Parameters
    ----------
    host
        Its name or address.
    port
        Where to speak to it.

    Returns
    -------
    list of str
        Its addresses.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(address: str) -> bool:
    """Tell whether an address is one of the public internet.

    Parameters
    ----------
    address
        Of IPv4 or IPv6.

    Returns
    -------
    bool
        False for inner networks, this machine, and whatever leads to them in another guise.

    Examples
    --------
    >>> [is_public(one) for one in ("8.8.8.8", "10.0.0.1", "127.0.0.1", "169.254.169.254", "::ffff:10.0.0.1", "64:ff9b::a00:1")]
    [True, False, False, False, False, False]
    """
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None)
        if inner is not None:
            return is_public(str(inner))
        if found in ipaddress.ip_network("64:ff9b::/96"):
            return is_public(str(ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)))
    return found.is_global and not found.is_multicast


class Post:
    """Sends messages. It is a context manager.

    Parameters
    ----------
    allowed_hosts
        Hosts that may have addresses of an inner network.
    resolve
        Looks hosts up.
    transport
        What sends, instead of the network.
    """

    def __init__(
        self,
        allowed_hosts: Collection[str] = (),
        *,
        resolve: Resolve = addresses_of,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._allowed, self._resolve = frozenset(allowed_hosts), resolve
        self._client = httpx.Client(
            timeout=_PATIENCE_S, follow_redirects=False, trust_env=False, transport=transport
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the connections go."""
        self._client.close()

    def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> Outcome:
        """Send a message.

        Parameters
        ----------
        url
            Where to.
        body, headers
            The message.

        Returns
        -------
        Outcome
            Never an exception for what the receiver or the network does.
        """
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        headers = {**headers, "host": parts.netloc, "user-agent": f"gisgrid/{__version__}"}
        rest = (parts.path or "/", parts.query, "")
        try:
            bases = [(parts.scheme, _shown(one, port)) for one in self._checked(host, port)]
            requests = [
                self._client.build_request(
                    "POST", urlunsplit((*base, *rest)), content=body, headers=headers, extensions={"sni_hostname": host}
                )
                for base in bases
            ]  # fmt: skip
            answer = self._first_reached(requests)
        except (OSError, UnicodeError, ValueError, httpx.HTTPError, httpx.InvalidURL) as error:
            return Outcome(is_taken=False, said=str(error) or type(error).__name__)
        if answer.is_success:
            return Outcome(is_taken=True)
        return Outcome(is_taken=False, said=f"status {answer.status_code}", wait_s=_asked_wait(answer))  # fmt: skip

    def _first_reached(self, requests: Sequence[httpx.Request]) -> httpx.Response:
        """Send to the first address that lets itself be reached; what was sent once is not sent to another one."""
        for request in requests[:-1]:
            try:
                return self._sent(request)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
        return self._sent(requests[-1])

    def _sent(self, request: httpx.Request) -> httpx.Response:
        answer = self._client.send(request, stream=True)
        answer.close()
        return answer

    def _checked(self, host: str, port: int) -> Sequence[str]:
        addresses = self._resolve(host, port)
        if not addresses:
            raise OSError(f"{host} has no address")
        if host not in self._allowed:
            for address in addresses:
                if not is_public(address):
                    raise OSError(f"{host} is at {address}, which is in no public network; name it in allowed_hosts")  # fmt: skip
        return addresses[:_MOST_ADDRESSES]


def _shown(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _asked_wait(answer: httpx.Response) -> float:
    """Read Retry-After, in seconds or as a date (RFC 9110, 10.2.3); a date counts by the receiver's own clock."""
    said = answer.headers.get("retry-after", "")
    if said.isascii() and said.isdigit():
        return min(float(said), _MOST_WAIT_S)
    until, now = _moment(said), _moment(answer.headers.get("date", ""))
    if until is None:
        return 0.0
    wait = until - (now or dt.datetime.now(tz=dt.UTC))
    return min(max(wait.total_seconds(), 0.0), _MOST_WAIT_S)


def _moment(said: str) -> dt.datetime | None:
    try:
        found = parsedate_to_datetime(said)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)
