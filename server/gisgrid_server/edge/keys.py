"""Keys, and the file that knows them.

A key is a random word of 256 bits; the key file holds its SHA-256 only, so that who reads the file cannot use it.
"""

from __future__ import annotations

import hashlib
import secrets
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gisgrid.errors import InputError
from gisgrid_server.edge.holders import ALL_LAYERS, Holder
from gisgrid_server.edge.rights import Power, Role


class KeyEntry(Holder):
    """One key of the key file.

    Attributes
    ----------
    sha256
        The SHA-256 of the key.
    expires
        The first day on which it no longer opens anything.
    """

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    expires: date | None = None


class _KeyFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    keys: tuple[KeyEntry, ...] = ()


def new_key(
    name: str,
    *,
    layers: Sequence[str] = (ALL_LAYERS,),
    role: Role | None = None,
    powers: Sequence[Power] = (),
    owners: Sequence[str] = (),
    grids: Sequence[str] = (),
    classes: Sequence[str] = (),
) -> tuple[str, str]:
    """Make a key, and the lines of the key file that know it.

    Parameters
    ----------
    name
        Whose it shall be.
    layers
        The layers it shall open.
    role, powers, owners, grids, classes
        What its holder may do with cases, see `gisgrid_server.edge.rights.Rights`; nothing by default.

    Returns
    -------
    tuple of str
        The key, which is written down nowhere else, and the lines.

    Raises
    ------
    InputError
        The name or a code can be none.

    Examples
    --------
    >>> key, lines = new_key("the duty desk")
    >>> len(key), lines.splitlines()[:2]
    (43, ['[[keys]]', 'name = "the duty desk"'])
    >>> print(new_key("water", role="bureau", owners=["water"], grids=["*"], classes=["01"])[1].partition("layers")[2])
     = ["*"]
    role = "bureau"
    owners = ["water"]
    grids = ["*"]
    classes = ["01"]
    <BLANKLINE>
    """
    key = secrets.token_urlsafe(32)
    lists = {"powers": powers, "owners": owners, "grids": grids, "classes": classes}
    said = {name: tuple(values) for name, values in lists.items() if values}
    try:
        KeyEntry.model_validate({"name": name, "sha256": digest(key.encode()), "layers": tuple(layers), "role": role, **said})  # fmt: skip
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(
            f"the key of {name!r} cannot have {'.'.join(map(str, first['loc']))} {first['input']!r}: "
            f"{first['msg'].removeprefix('Value error, ')}"
        ) from error
    lines = ["[[keys]]", f"name = {_quoted(name)}", f'sha256 = "{digest(key.encode())}"', f"layers = {_listed(layers)}"]  # fmt: skip
    if role is not None:
        lines.append(f'role = "{role}"')
    lines += [f"{name} = {_listed(values)}" for name, values in said.items()]
    return key, "\n".join([*lines, ""])


def _quoted(text: str) -> str:
    told = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{told}"'


def _listed(texts: Sequence[str]) -> str:
    return f"[{', '.join(map(_quoted, texts))}]"


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


def digest(key: bytes) -> str:
    """Give what the key file holds of a key.

    Parameters
    ----------
    key
        The key.

    Returns
    -------
    str
        Its SHA-256, 64 hexadecimal digits.
    """
    return hashlib.sha256(key).hexdigest()
