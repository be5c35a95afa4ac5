"""What a city declares about its cases, as data: tables in TOML whose entries are checked when they are read."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from gisgrid.errors import InputError


class Declared(BaseModel):
    """An entry of a declared table: nothing unknown in it, and never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


_D = TypeVar("_D", bound=Declared)


def read_declared(kind: type[_D], path: str | Path, *, what: str) -> _D:
    """Read a declared table.

    Parameters
    ----------
    kind
        What the file declares.
    path
        A TOML file.
    what
        What to call it in an error, for example ``"calendar"``.

    Returns
    -------
    Declared
        The table.

    Raises
    ------
    InputError
        No such file, no TOML, or entries that break a rule: all of them, a sentence per line.
    """
    path = Path(path)
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{what} {str(path)!r} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{what} {path.name!r} is no TOML: {error}") from error
    try:
        return kind.model_validate(raw)
    except ValidationError as error:
        lines = [
            f"{path.name}: {'.'.join(map(str, each['loc']))}: {each['msg'].removeprefix('Value error, ')}"
            for each in error.errors()
        ]
        raise InputError("\n".join(lines)) from error
