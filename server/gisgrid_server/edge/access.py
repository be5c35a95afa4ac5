"""Who may see a layer or act on a case? Everybody, or whoever names a key that the operator gave out, or shows a token.

A key is a random word of 256 bits; the key file holds its SHA-256 only, so that who reads the file cannot use it. A
key travels in ``Authorization: Bearer``, in ``X-API-Key`` or, for programs that can do neither, as ``?key=``; it is
never logged. A token is a JWT of the issuer that the settings name (`gisgrid_server.edge.oidc`).
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Self
from urllib.parse import parse_qs

from starlette.types import Scope

from gisgrid.catalogue import Layer
from gisgrid.errors import GisgridError, InputError
from gisgrid_server.edge.holders import ALL_LAYERS, Holder
from gisgrid_server.edge.keys import KeyEntry, digest, read_keys
from gisgrid_server.edge.oidc import TokenError, Tokens, looks_like_token
from gisgrid_server.edge.problems import BusyError, KeyNeededError, KeyNotEnoughError
from gisgrid_server.edge.rights import PUBLIC, Rights
from gisgrid_server.settings import Settings

_LOOK_AGAIN_S: Final = 1.0
_BEARER: Final = re.compile(rb"^bearer +([A-Za-z0-9_~+/=.-]{1,8192})$", re.IGNORECASE)


@dataclass(frozen=True)
class Pass:
    """What a request has to show.

    Attributes
    ----------
    entry
        The holder of the key or token it named, if that is known and still good.
    named
        Whether it named one at all.
    in_address
        Whether the key stood in the address, where caches would keep it.
    refused
        Why the token it named is not good, where that can be told.
    """

    entry: Holder | None = None
    named: bool = False
    in_address: bool = False
    refused: GisgridError | None = None

    @property
    def rights(self) -> Rights:
        """What may be done with it; what everybody may where nothing good was named."""
        return PUBLIC if self.entry is None else self.entry.rights

    def opens(self, layer: Layer) -> bool:
        """Tell whether a layer may be shown.

        Parameters
        ----------
        layer
            The layer.

        Returns
        -------
        bool
            True for a public layer, and for one that the key opens.
        """
        if is_public(layer):
            return True
        entry = self.entry
        return entry is not None and (ALL_LAYERS in entry.layers or layer.id in entry.layers)

    def passed(self, scope: Scope) -> list[tuple[str, str]]:
        """Give what the addresses within an answer are to be asked with, so that who can send no header gets on.

        Parameters
        ----------
        scope
            The request.

        Returns
        -------
        list of (str, str)
            The key, where it stood in the request's address.
        """
        if not self.in_address:
            return []
        return [
            ("key", parse_qs(scope["query_string"].decode("latin-1"), max_num_fields=100)["key"][0])
        ]


NO_PASS: Final = Pass()


def is_public(layer: Layer) -> bool:
    """Tell whether a layer is shown to everybody.

    Parameters
    ----------
    layer
        Any layer.

    Returns
    -------
    bool
        False where its description says ``access = "key"``.
    """
    return layer.tiles is None or layer.tiles.access == "public"


class Doorkeeper:
    """Knows the keys, and reads them again when their file changes.

    Parameters
    ----------
    path
        The key file; without one nobody sees a layer that needs a key.
    tokens
        Who knows the tokens of an issuer; None where none are taken.

    Raises
    ------
    InputError
        The file is not there or breaks a rule.
    """

    def __init__(self, path: Path | None, *, tokens: Tokens | None = None) -> None:
        self._path, self._tokens = path, tokens
        self._lock = threading.Lock()
        self._looked = -float("inf")
        self._stamp: tuple[int, int] | None = None
        self._keys: Mapping[str, KeyEntry] = {}
        if path is not None:
            self._keys, self._stamp = read_keys(path), _stamp(path)

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Give the doorkeeper that the settings ask for.

        Parameters
        ----------
        settings
            Where the keys are, and whose tokens are taken.

        Returns
        -------
        Doorkeeper
            With the issuer's keys on their way, where there is an issuer.

        Raises
        ------
        InputError
            The key file is not there or breaks a rule.
        """
        return cls(settings.keys_file, tokens=Tokens.of(settings))

    def rights(self, scope: Scope) -> Rights:
        """Say what a request may do with cases.

        Parameters
        ----------
        scope
            The request.

        Returns
        -------
        Rights
            Those of the key or token; what everybody may where none was named.

        Raises
        ------
        KeyNeededError
            A key or token was named, and it is not good.
        BusyError
            A token was named, and the issuer's keys are not there yet.
        """
        shown = self.pass_of(scope)
        if shown.named and shown.entry is None:
            raise shown.refused or KeyNeededError(
                "the key that was named is not known; send another one, or none"
            )
        return shown.rights

    def pass_of(self, scope: Scope) -> Pass:
        """Say what a request has to show.

        Parameters
        ----------
        scope
            The request.

        Returns
        -------
        Pass
            An unknown or outdated key is no key.
        """
        key, in_address = _named_key(scope)
        if key is None:
            return NO_PASS
        if self._tokens is not None and looks_like_token(key):
            try:
                return Pass(self._tokens.holder(key), named=True, in_address=in_address)
            except (TokenError, BusyError) as error:
                return Pass(named=True, in_address=in_address, refused=error)
        self._look()
        entry = self._keys.get(digest(key))
        if entry is not None and entry.expires and datetime.now(UTC).date() >= entry.expires:
            entry = None
        return Pass(entry, named=True, in_address=in_address)

    def check(self, layer: Layer, scope: Scope) -> Pass:
        """Make sure that a layer may be shown to who asks.

        Parameters
        ----------
        layer
            The layer.
        scope
            The request.

        Returns
        -------
        Pass
            What the request had to show; `NO_PASS` for a public layer.

        Raises
        ------
        KeyNeededError
            It needs a key, and none that is known was named.
        KeyNotEnoughError
            The key is not for this layer.
        BusyError
            A token was named, and the issuer's keys are not there yet.
        """
        if is_public(layer):
            return NO_PASS
        shown = self.pass_of(scope)
        if shown.entry is None:
            if shown.refused is not None:
                raise shown.refused
            found = "the key that was named is not known" if shown.named else "none was named"
            raise KeyNeededError(
                f"layer {layer.id!r} is shown to holders of a key and {found}; send Authorization: Bearer KEY"
            )
        if not shown.opens(layer):
            raise KeyNotEnoughError(
                f"the key of {shown.entry.name!r} does not open layer {layer.id!r}; ask the operator for one that does"
            )
        return shown

    def _look(self) -> None:
        if self._path is None or time.monotonic() - self._looked < _LOOK_AGAIN_S:
            return
        with self._lock:
            self._looked = time.monotonic()
            stamp = _stamp(self._path)
            if stamp == self._stamp:
                return
            self._stamp = stamp
            try:
                self._keys = read_keys(self._path)
            except InputError:
                # A file that is not there or broken takes every key back rather than keeping one that was withdrawn.
                self._keys = {}


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        state = os.stat(path)  # noqa: PTH116 - on every look
    except OSError:
        return None
    return state.st_mtime_ns, state.st_size


def _named_key(scope: Scope) -> tuple[bytes | None, bool]:
    for name, value in scope["headers"]:
        if name == b"authorization":
            if found := _BEARER.match(value.strip()):
                return found[1], False
        elif name == b"x-api-key":
            return value.strip(), False
    query = scope["query_string"]
    if b"key=" in query:
        keys = parse_qs(query.decode("latin-1"), max_num_fields=100).get("key")
        if keys:
            return keys[0].encode(), True
    return None, False
