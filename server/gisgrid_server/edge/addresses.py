"""Which address do clients know this server by? What a trusted proxy says, or what the request was sent to."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile
from typing import Final

from starlette.requests import Request
from starlette.types import Scope

from gisgrid_server.edge.problems import BadRequestError
from gisgrid_server.settings import Settings

ORIGIN: Final = "gisgrid.origin"
"""Where a request's scope keeps what `Doorbell` found."""

_NETLOC: Final = re.compile(r"^([A-Za-z0-9_.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?$")
_PREFIX: Final = re.compile(r"^(/[A-Za-z0-9._~-]+){1,20}$")
_PORT: Final = re.compile(r"^[0-9]{1,5}$")
_NAMES_PORT: Final = re.compile(r":[0-9]+$")
_USUAL_PORT: Final = {"http": "80", "https": "443"}
_PAIR: Final = re.compile(r'\s*([a-z]+)\s*=\s*(?:"([^"]*)"|([^;,\s]*))\s*', re.IGNORECASE)


@dataclass(frozen=True)
class Origin:
    """Where a request was sent to, as far as its client knows.

    Attributes
    ----------
    scheme
        ``http`` or ``https``.
    host
        With the port, where it is named.
    prefix
        The beginning of the path that a proxy took off, for example ``/city``.
    client
        The address of who asked.
    """

    scheme: str
    host: str
    prefix: str
    client: str


class Doorbell:
    """Reads whence and whereto a request comes.

    Parameters
    ----------
    settings
        Whom to trust and which names to answer to.
    """

    def __init__(self, settings: Settings) -> None:
        self._networks = tuple(ipaddress.ip_network(word, strict=False) for word in settings.trusted_proxies)  # fmt: skip
        self._hosts = settings.allowed_hosts
        self._prefix = settings.root_path
        self._trusts = lru_cache(maxsize=1024)(self._is_trusted)

    @property
    def looks_at_hosts(self) -> bool:
        """Whether some names are not answered to."""
        return bool(self._hosts)

    def origin(self, scope: Scope) -> Origin:
        """Say where a request was sent to.

        Parameters
        ----------
        scope
            The request.

        Returns
        -------
        Origin
            What a trusted proxy says goes before what the request says.

        Raises
        ------
        BadRequestError
            It names a host that is none, or one that this server does not answer to.
        """
        client = scope["client"][0] if scope.get("client") else ""
        found = {"proto": scope.get("scheme", "http"), "host": _host(scope), "for": client, "prefix": self._prefix}  # fmt: skip
        if self._networks and self._trusts(client):
            found.update(self._forwarded(scope))
        if not _NETLOC.match(found["host"]):
            raise BadRequestError(
                f"the request names the host {found['host'][:100]!r}, which is none; send one Host header"
            )
        if self._hosts and not self._answers_to(found["host"]):
            raise BadRequestError(
                f"this server does not answer to the host {found['host'][:100]!r}; ask it by one of its own names"
            )
        return Origin(found["proto"], found["host"], found["prefix"], found["for"])

    def _answers_to(self, netloc: str) -> bool:
        host = re.sub(r":[0-9]+$", "", netloc).lower()
        return any(
            host == allowed or (allowed.startswith("*.") and host.endswith(allowed[1:]))
            for allowed in (word for name in self._hosts for word in (name, f"[{name}]"))
        ) or "*" in self._hosts  # fmt: skip

    def _forwarded(self, scope: Scope) -> dict[str, str]:
        """Read what trusted proxies say, from the nearest outwards: the first that is not trusted is the client."""
        headers: dict[bytes, list[str]] = {}
        for name, value in scope["headers"]:
            if name.startswith((b"forwarded", b"x-forwarded-")):
                headers.setdefault(name, []).extend(value.decode("latin-1").split(","))
        found: dict[str, str] = {}
        hops = [dict(_pairs(hop)) for hop in headers.get(b"forwarded", ())]
        clients = [hop["for"] for hop in hops if "for" in hop] or headers.get(b"x-forwarded-for", [])  # fmt: skip
        walked = [_bare(client) for client in reversed(clients)]
        n_trusted = sum(1 for _ in takewhile(self._trusts, walked))
        if walked:
            found["for"] = walked[min(n_trusted, len(walked) - 1)]
        outer: dict[str, str] = {}  # what the outermost proxy that is trusted was asked
        for hop in reversed(hops[-1 - n_trusted :]):
            outer |= {name: value for name, value in hop.items() if value}

        def said(name: bytes) -> str:
            values = headers.get(name) or [""]
            return values[max(0, len(values) - 1 - n_trusted)].strip()

        proto = (outer.get("proto") or said(b"x-forwarded-proto")).lower()
        if proto in _USUAL_PORT:
            found["proto"] = proto
        if "host" in outer:
            found["host"] = outer["host"]
        elif host := said(b"x-forwarded-host"):
            found["host"] = _with_port(host, said(b"x-forwarded-port"), proto)
        prefix = said(b"x-forwarded-prefix").rstrip("/")
        if _PREFIX.match(prefix):
            found["prefix"] = prefix
        return found

    def _is_trusted(self, client: str) -> bool:
        try:
            address = ipaddress.ip_address(client)
        except ValueError:
            return False
        return any(address in network for network in self._networks)


def base_url(request: Request, settings: Settings) -> str:
    """Give the address that absolute addresses begin with.

    Parameters
    ----------
    request
        The request; its host is used where nothing is set up.
    settings
        `public_url` goes first: a proxy may call this server by another name than users do.

    Returns
    -------
    str
        Without a slash at its end.
    """
    return base_url_of(request.scope, settings)


def base_url_of(scope: Scope, settings: Settings) -> str:
    """Give the address that absolute addresses begin with, from a request's scope; see `base_url`.

    Parameters
    ----------
    scope
        The request.
    settings
        For `public_url`.

    Returns
    -------
    str
        Without a slash at its end.

    Raises
    ------
    BadRequestError
        The request names no host that can be one.
    """
    if settings.public_url is not None:
        return settings.public_url
    origin = scope.get(ORIGIN)
    if origin is None:
        origin = Doorbell(settings).origin(scope)
    return f"{origin.scheme}://{origin.host}{origin.prefix}"


def _host(scope: Scope) -> str:
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    if len(hosts) == 1:
        return str(hosts[0].decode("latin-1"))
    if hosts:
        return ", ".join(host.decode("latin-1") for host in hosts)
    server = scope.get("server")
    return f"{server[0]}:{server[1]}" if server else "localhost"


def _pairs(hop: str) -> list[tuple[str, str]]:
    found = (_PAIR.fullmatch(part) for part in hop.split(";"))
    return [(pair[1].lower(), pair[2] or pair[3] or "") for pair in found if pair]


def _with_port(host: str, port: str, proto: str) -> str:
    """Put the port to a host that names none, where it is not the one that goes without saying."""
    is_said = _PORT.match(port) and not _NAMES_PORT.search(host) and port != _USUAL_PORT.get(proto)
    return f"{host}:{port}" if is_said else host


def _bare(client: str) -> str:
    """Take the port and the brackets off an address."""
    word = client.strip().strip('"')
    if word.startswith("["):
        return word[1:].partition("]")[0]
    return word.rpartition(":")[0] if word.count(":") == 1 else word
