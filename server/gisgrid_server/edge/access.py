"""Who may see a layer? Everybody, or whoever names a key that the operator gave out.

A key is a random word of 256 bits; the key file holds its SHA-256 only, so that who reads the file cannot use it. A
key travels in ``Authorization: Bearer``, in ``X-API-Key`` or, for programs that can do neither, as ``?key=``; it is
never logged.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import threading
import time
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.types import Scope

from gisgrid.catalogue import Layer
from gisgrid.errors import InputError
from gisgrid_server.edge.problems import KeyNeededError, KeyNotEnoughError

ALL_LAYERS: Final = "*"
_LOOK_AGAIN_S: Final = 1.0
_BEARER: Final = re.compile(rb"^bearer +([A-Za-z0-9_~+/=.-]{1,200})$", re.IGNORECASE)


class KeyEntry(BaseModel):
    """One key of the key file.

    Attributes
    ----------
    name
        Whose it is; this is what the log says.
    sha256
        The SHA-256 of the key.
    layers
        The layers it opens; ``*`` for all.
    expires
        The first day on which it no longer does.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, max_length=100)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    layers: tuple[str, ...] = (ALL_LAYERS,)
    expires: date | None = None


class _KeyFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    keys: tuple[KeyEntry, ...] = ()


def new_key(name: str, *, layers: tuple[str, ...] = (ALL_LAYERS,)) -> tuple[str, str]:
    """Make a key, and the lines of the key file that know it.

    Parameters
    ----------
    name
        Whose it shall be.
    layers
        The layers it shall open.

    Returns
    -------
    tuple of str
        The key, which is written down nowhere else, and the lines.

    Examples
    --------
    >>> key, lines = new_key("the duty desk")
    >>> len(key), lines.splitlines()[:2]
    (43, ['[[keys]]', 'name = "the duty desk"'])
    """
    key = secrets.token_urlsafe(32)
    named = ", ".join(f'"{layer}"' for layer in layers)
    told = name.replace("\\", "\\\\").replace('"', '\\"')
    lines = f'[[keys]]\nname = "{told}"\nsha256 = "{_digest(key.encode())}"\nlayers = [{named}]\n'
    return key, lines


def read_keys(path: Path) -> Mapping[str, KeyEntry]:
    """Read a key file.

    Parameters
    ----------
    path
        A TOML file of ``[[keys]]``.

    Returns
    -------
    mapping
        The SHA-256 of each key and its entry.

    Raises
    ------
    InputError
        The file is not there or breaks a rule.
    """
    try:
        document = tomllib.loads(path.read_text("utf-8"))
        entries = _KeyFile.model_validate(document).keys
    except OSError as error:
        raise InputError(
            f"the key file {str(path)!r} cannot be read ({error.strerror}); check GISGRID_KEYS_FILE"
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(f"the key file {str(path)!r} has {where}: {first['msg']}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"the key file {str(path)!r} is no TOML: {error}") from error
    return {entry.sha256: entry for entry in entries}


@dataclass(frozen=True)
class Pass:
    """What a request has to show.

    Attributes
    ----------
    entry
        The key it named, if that is known and still good.
    named
        Whether it named one at all.
    in_address
        Whether the key stood in the address, where caches would keep it.
    """

    entry: KeyEntry | None = None
    named: bool = False
    in_address: bool = False

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

    Raises
    ------
    InputError
        The file is not there or breaks a rule.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._looked = -float("inf")
        self._stamp: tuple[int, int] | None = None
        self._keys: Mapping[str, KeyEntry] = {}
        if path is not None:
            self._keys, self._stamp = read_keys(path), _stamp(path)

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
        self._look()
        entry = self._keys.get(_digest(key))
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
        """
        if is_public(layer):
            return NO_PASS
        shown = self.pass_of(scope)
        if shown.entry is None:
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


def _digest(key: bytes) -> str:
    return hashlib.sha256(key).hexdigest()


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
