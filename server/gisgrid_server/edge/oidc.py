"""Is a bearer token one of the issuer that the operator trusts, and what does it say of its holder?

A token is a JWT signed with RS256 or ES256. The issuer's public keys are fetched as OpenID Connect Discovery says,
kept, and fetched again when a token names a key that is not among them, at most once a minute. While the issuer cannot
be reached, the keys that are known go on.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self
from urllib.parse import urlsplit

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.exceptions import PyJWTError
from pydantic import ValidationError

from gisgrid.errors import InputError
from gisgrid_server.edge.holders import ALL_LAYERS, Holder
from gisgrid_server.edge.problems import BusyError, KeyNeededError
from gisgrid_server.running.logs import LOGGER
from gisgrid_server.settings import Settings

log = logging.getLogger(LOGGER)

_ALGORITHMS: Final = ("RS256", "ES256")
_ASK_AGAIN_S: Final = 60.0
_OLD_S: Final = 600.0
_LEEWAY_S: Final = 30
_PATIENCE_S: Final = 5.0
_LEAST_RSA_BITS: Final = 2048
_MOST_KEYS: Final = 64
_MOST_BYTES: Final = 256 * 1024
_MOST_TOKENS: Final = 4096
_SAYS: Final = ("layers", "role", "powers", "owners", "grids", "classes")


class TokenError(KeyNeededError):
    """A token is none of the issuer's, is not meant for this server, or is no longer good."""


@dataclass(frozen=True)
class _SigningKey:
    key: RSAPublicKey | EllipticCurvePublicKey
    algorithm: str


def looks_like_token(word: bytes) -> bool:
    """Tell whether what a client named is a JWT rather than a key of the key file.

    Parameters
    ----------
    word
        What stood after ``Bearer``.

    Returns
    -------
    bool
        A key has no dots in it, a JWT has two and begins like JSON in base64.

    Examples
    --------
    >>> looks_like_token(b"eyJhbGciOiJSUzI1NiJ9.e30.c2ln"), looks_like_token(b"2Zk-_x")
    (True, False)
    """
    return word.startswith(b"ey") and word.count(b".") == 2


class Tokens:
    """Knows the tokens of one issuer. One object serves many threads.

    Parameters
    ----------
    issuer
        The issuer's address, as its tokens spell it.
    audience
        What its tokens must be meant for.
    claim
        The claim that holds ``role``, ``powers``, ``owners``, ``grids``, ``classes`` and ``layers``, named as in the key file.
    client
        How the issuer is asked.
    clock
        Gives seconds since 1970.
    """

    def __init__(
        self,
        issuer: str,
        *,
        audience: str,
        claim: str,
        client: httpx.Client | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._issuer, self._audience, self._claim = issuer, audience, claim
        self._client = client or httpx.Client(timeout=_PATIENCE_S, follow_redirects=False)
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: Mapping[str, _SigningKey] = {}
        self._asked_at = self._fetched_at = -float("inf")
        self._asking: threading.Thread | None = None
        self._known: OrderedDict[bytes, tuple[Holder, float]] = OrderedDict()

    @classmethod
    def of(cls, settings: Settings) -> Self | None:
        """Give what the settings ask for, with the issuer's keys on their way.

        Parameters
        ----------
        settings
            Whose tokens are taken.

        Returns
        -------
        Tokens or None
            None where no issuer is named.
        """
        if settings.oidc_issuer is None or settings.oidc_audience is None:
            return None
        tokens = cls(
            settings.oidc_issuer, audience=settings.oidc_audience, claim=settings.oidc_claim
        )
        tokens._ask(wait=False)
        return tokens

    def try_issuer(self) -> int:
        """Ask the issuer for its keys, now.

        Returns
        -------
        int
            How many of them sign tokens.

        Raises
        ------
        InputError
            It does not answer, or not as an issuer does.
        """
        try:
            return len(self._fetched())
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise InputError(
                f"the keys of {self._issuer} cannot be fetched ({error}); check GISGRID_OIDC_ISSUER"
            ) from error

    def holder(self, token: bytes) -> Holder:
        """Say who holds a token.

        Parameters
        ----------
        token
            The JWT.

        Returns
        -------
        Holder
            With nothing but a name where the token lacks the claim.

        Raises
        ------
        TokenError
            It is not good; the sentence says why.
        BusyError
            The issuer's keys are not there yet.
        """
        digest = hashlib.sha256(token).digest()
        now = self._clock()
        with self._lock:
            found = self._known.get(digest)
        if found is not None and now < found[1]:
            self._ask_when_old(now)
            return found[0]
        claims, keys = self._claims(token.decode("latin-1"))
        holder = self._holder(claims)
        with self._lock:
            if keys is not self._keys:  # they were changed meanwhile
                return holder
            self._known[digest] = holder, min(float(claims["exp"]), now + _OLD_S)
            while len(self._known) > _MOST_TOKENS:
                self._known.popitem(last=False)
        return holder

    def _claims(self, token: str) -> tuple[dict[str, Any], Mapping[str, _SigningKey]]:
        """Read what a token says, and with which set of keys it was checked."""
        try:
            header = jwt.get_unverified_header(token)
        except PyJWTError as error:
            raise TokenError("the token that was sent is no JWT; send the access token of the issuer") from error  # fmt: skip
        algorithm, kid = header.get("alg"), header.get("kid", "")
        if algorithm not in _ALGORITHMS or "crit" in header:
            raise TokenError(
                f"the token is signed with {str(algorithm)[:20]!r} and {' or '.join(_ALGORITHMS)} are taken; "
                "set up the client at the issuer"
            )
        key, keys = self._key(kid if isinstance(kid, str) else "")
        if key is None or key.algorithm != algorithm:
            raise TokenError(f"the token is signed with a key that {self._issuer} does not have; sign in again")  # fmt: skip
        try:
            claims: dict[str, Any] = jwt.decode(
                token, key.key, algorithms=[key.algorithm], audience=self._audience, issuer=self._issuer,
                leeway=_LEEWAY_S, options={"require": ["exp", "iss", "aud", "sub"], "verify_exp": False, "verify_nbf": False, "verify_iat": False},
            )  # fmt: skip
        except PyJWTError as error:
            raise TokenError(f"the token is not good: {str(error).rstrip('.').lower()}; sign in again") from error  # fmt: skip
        self._check_times(claims)
        return claims, keys

    def _check_times(self, claims: Mapping[str, Any]) -> None:
        now = self._clock()
        times = {name: claims[name] for name in ("exp", "nbf", "iat") if name in claims}
        for name, value in times.items():
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise TokenError(f"the token's {name} is no time; sign in again")
        if now >= times["exp"] + _LEEWAY_S:
            raise TokenError("the token has expired; sign in again")
        if any(now < times[name] - _LEEWAY_S for name in ("nbf", "iat") if name in times):
            raise TokenError("the token is not good yet; compare the clocks of issuer and server")

    def _holder(self, claims: Mapping[str, Any]) -> Holder:
        host = urlsplit(self._issuer).hostname or self._issuer
        said = claims.get(self._claim)
        given: dict[str, Any] = {"layers": ()}
        if isinstance(said, Mapping):
            given = {"layers": (ALL_LAYERS,), **{name: said[name] for name in _SAYS if name in said}}  # fmt: skip
        elif said is not None:
            raise TokenError(f"the token's claim {self._claim!r} is no object; have the issuer write role, grids and classes into it")  # fmt: skip
        try:
            return Holder.model_validate({"name": f"{claims['sub']}@{host}", **given})
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise TokenError(f"the token's claim {self._claim!r} has {where}: {first['msg']}") from error  # fmt: skip

    def _key(self, kid: str) -> tuple[_SigningKey | None, Mapping[str, _SigningKey]]:
        self._ask_when_old(self._clock())
        found = _chosen(self._keys, kid)
        if found is None:
            self._ask(wait=True)
            found = _chosen(self._keys, kid)
        keys = self._keys
        if found is None and not keys:
            raise BusyError(f"the keys of {self._issuer} could not be fetched, so no token can be checked; ask again in a minute")  # fmt: skip
        return found, keys

    def _ask_when_old(self, now: float) -> None:
        if now - self._fetched_at > _OLD_S:
            self._ask(wait=False)

    def _ask(self, *, wait: bool) -> None:
        """Fetch the issuer's keys, at most once a minute; whoever can, waits for them."""
        with self._lock:
            asking, now = self._asking, self._clock()
            if asking is None or not asking.is_alive():
                if now - self._asked_at < _ASK_AGAIN_S:
                    return
                self._asked_at = now
                asking = threading.Thread(target=self._fetch, name="issuer keys", daemon=True)
                self._asking = asking
                asking.start()
        if not wait:
            return
        if _in_event_loop():
            raise BusyError(f"the keys of {self._issuer} are being fetched; ask again in a moment")
        asking.join(2 * _PATIENCE_S)

    def _fetch(self) -> None:
        try:
            keys = self._fetched()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            log.warning("the keys of %s could not be fetched: %s", self._issuer, error)
            return
        with self._lock:
            self._keys, self._fetched_at = keys, self._clock()
            self._known.clear()  # what a withdrawn key signed is no longer good

    def _fetched(self) -> dict[str, _SigningKey]:
        about = self._read(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
        if about.get("issuer") != self._issuer:
            raise ValueError(f"it calls itself {str(about.get('issuer'))[:200]!r}")
        address = str(about.get("jwks_uri"))
        if urlsplit(address).scheme not in {"https", urlsplit(self._issuer).scheme}:
            raise ValueError(f"its keys are at {address[:200]!r}, which is not https")
        keys = _signing_keys(self._read(address))
        if not keys:
            raise ValueError(f"it has no key for {' or '.join(_ALGORITHMS)}")
        return keys

    def _read(self, address: str) -> dict[str, Any]:
        with self._client.stream("GET", address, headers={"Accept": "application/json"}) as answer:
            answer.raise_for_status()
            body = bytearray()
            for part in answer.iter_bytes():
                body += part
                if len(body) > _MOST_BYTES:
                    raise ValueError(f"{address} answers with more than {_MOST_BYTES} bytes")
        document = httpx.Response(200, content=bytes(body)).json()
        if not isinstance(document, dict):
            raise ValueError(f"{address} answers with no JSON object")  # noqa: TRY004 - a fault of the answer
        return document


def _chosen(keys: Mapping[str, _SigningKey], kid: str) -> _SigningKey | None:
    """Find a key by its id; a token without one means the only key there is."""
    return keys.get(kid) or (next(iter(keys.values())) if not kid and len(keys) == 1 else None)


def _in_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _signing_keys(document: Mapping[str, Any]) -> dict[str, _SigningKey]:
    """Take the keys that sign tokens out of a JWK set; others and broken ones are passed over."""
    entries = document.get("keys")
    if not isinstance(entries, list):
        raise ValueError("its keys are no JWK set")  # noqa: TRY004 - a fault of the answer
    found: dict[str, _SigningKey] = {}
    for entry in entries[:_MOST_KEYS]:
        if not isinstance(entry, Mapping) or entry.get("use", "sig") != "sig":
            continue
        try:
            key = jwt.PyJWK(dict(entry), algorithm=_algorithm(entry)).key
        except (PyJWTError, ValueError, TypeError):
            continue
        algorithm = _fits(key)
        if algorithm is not None and entry.get("alg", algorithm) == algorithm:
            found[str(entry.get("kid", ""))] = _SigningKey(key, algorithm)
    return found


def _algorithm(entry: Mapping[str, Any]) -> str:
    return "RS256" if entry.get("kty") == "RSA" else "ES256"


def _fits(key: object) -> str | None:
    """Say with which algorithm a key signs; None for private, short and other keys."""
    if isinstance(key, RSAPublicKey) and key.key_size >= _LEAST_RSA_BITS:
        return "RS256"
    if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
        return "ES256"
    return None
