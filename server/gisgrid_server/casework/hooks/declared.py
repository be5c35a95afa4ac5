"""Whom to tell, of what, where, and how do they know that it is us? A TOML file of addresses."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from gisgrid.casework.declared import Declared, read_declared
from gisgrid.casework.ledger import CaseFilter, LifeCycle
from gisgrid.errors import InputError, did_you_mean
from gisgrid_server.edge.rights import EVERYTHING, beginnings

_PREFIX: Final = "whsec_"
_LEAST_SECRET: Final = 24
_MOST_SECRET: Final = 64
_Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]
_Code = Annotated[str, Field(pattern=r"^(\*|[A-Za-z0-9_.:-]{1,64}\*?)$")]
_Words = tuple[Annotated[str, Field(min_length=1, max_length=256)], ...]


class Hook(Declared):
    """Somebody who is told what happens to cases.

    Attributes
    ----------
    name
        What it is called; how far it was told is kept under this name.
    url
        Where messages are posted to.
    owner
        Of whose cases; also of one that the owner is just losing. ``*`` for all.
    secret_env, secret_file
        Where the secrets are that sign the messages: environment variables and files, each holding ``whsec_`` and 24 to 64
        bytes in base64. With several, each message is signed by all, so that a secret can be exchanged.
    kinds
        Of which kinds of events; all by default.
    grids, classes
        Beginnings of the codes of grids and classes; all by default.
    """

    name: _Name
    url: str
    owner: str = Field(min_length=1, max_length=128)
    secret_env: _Words = ()
    secret_file: _Words = ()
    kinds: tuple[str, ...] | None = None
    grids: tuple[_Code, ...] = EVERYTHING
    classes: tuple[_Code, ...] = EVERYTHING

    @field_validator("secret_env", "secret_file", mode="before")
    @classmethod
    def _several(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @field_validator("url")
    @classmethod
    def _address(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"https", "http"} or not parts.hostname or parts.username or parts.fragment:  # fmt: skip
            raise ValueError(
                f"the address {value!r} is none to post to; write https://host/path, without a name or password in it"
            )
        return value

    @model_validator(mode="after")
    def _signed(self) -> Hook:
        if not self.secret_env and not self.secret_file:
            raise ValueError("no secret is named; set secret_env or secret_file")
        return self

    @property
    def host(self) -> str:
        """The host that messages go to."""
        return urlsplit(self.url).hostname or ""

    @property
    def within(self) -> CaseFilter:
        """Of which cases it is told."""
        return CaseFilter(
            owners=None if self.owner == EVERYTHING[0] else (self.owner,),
            unit_prefixes=beginnings(self.grids),
            category_prefixes=beginnings(self.classes),
        )

    def secrets(self, environment: Mapping[str, str] = os.environ) -> tuple[bytes, ...]:
        """Read the secrets that sign the messages.

        Parameters
        ----------
        environment
            The environment variables.

        Returns
        -------
        tuple of bytes
            At least one.

        Raises
        ------
        InputError
            One is not there, or is none.
        """
        said = [(f"the environment variable {name}", environment.get(name, "")) for name in self.secret_env]  # fmt: skip
        for path in self.secret_file:
            try:
                said.append((f"the file {path!r}", Path(path).read_text("utf-8")))
            except (OSError, UnicodeDecodeError) as error:
                raise InputError(
                    f"the secret of hook {self.name!r} cannot be read from {path!r} ({error}); put it there"
                ) from error
        return tuple(self._secret(text.strip(), where) for where, text in said)

    def _secret(self, text: str, where: str) -> bytes:
        try:
            found = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
        except (binascii.Error, ValueError):
            found = b""
        if not text.startswith(_PREFIX) or not _LEAST_SECRET <= len(found) <= _MOST_SECRET:
            raise InputError(
                f"the secret of hook {self.name!r} is looked for in {where}, which holds none; put {_PREFIX} and the output of "
                "openssl rand -base64 32 there"
            )
        return found


class HookFile(Declared):
    """Who is told what happens to cases.

    Attributes
    ----------
    hooks
        Each by its own name.
    allowed_hosts
        Hosts that may have addresses of an inner network, and may be spoken to without https.
    give_up_after_days
        For how long a message is tried again.
    """

    hooks: tuple[Hook, ...] = ()
    allowed_hosts: tuple[str, ...] = ()
    give_up_after_days: float = Field(default=3, gt=0, le=60)

    @model_validator(mode="after")
    def _whole(self) -> HookFile:
        names = [hook.name for hook in self.hooks]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two hooks are called {twice[0]!r}; give each its own name")
        for hook in self.hooks:
            if hook.url.startswith("http:") and hook.host not in self.allowed_hosts:
                raise ValueError(
                    f"hook {hook.name!r} posts to {hook.url!r} without https; use https, or name {hook.host!r} in allowed_hosts"
                )
        return self

    def check(self, life_cycle: LifeCycle) -> None:
        """Make sure that the hooks fit a city's life cycle, and that all secrets are there.

        Parameters
        ----------
        life_cycle
            What can happen to a case.

        Raises
        ------
        InputError
            A kind of events is none, or a secret is not there.
        """
        known = [step.id for step in life_cycle.event]
        for hook in self.hooks:
            for kind in hook.kinds or ():
                if kind not in known:
                    raise InputError(
                        f"hook {hook.name!r} asks for events of the kind {kind!r}{did_you_mean(kind, known)}"
                    )
            hook.secrets()


def read_hooks(path: Path) -> HookFile:
    """Read who is told what happens to cases.

    Parameters
    ----------
    path
        A TOML file of ``[[hooks]]``.

    Returns
    -------
    HookFile
        The hooks.

    Raises
    ------
    InputError
        No such file, or it breaks a rule.
    """
    return read_declared(HookFile, path, what="the file of hooks")
