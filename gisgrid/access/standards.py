"""What shall people be able to reach? Standards are declared data, a file per country or city."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from gisgrid.errors import InputError
from gisgrid.schema import Text

BUILT_IN: Final = Path(__file__).parent / "declared" / "cn.toml"
"""The standards of Chinese cities."""

Measure = Literal["radius", "walk", "minutes"]
_Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
_Above0 = Annotated[float, Field(gt=0)]


class _Declared(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Standard(_Declared):
    """A kind of facility that must be within reach.

    Attributes
    ----------
    id
        Its short name.
    facility
        The kind of facility.
    measure, limit
        ``radius``: straight metres; ``walk``: metres along the streets; ``minutes``: on foot.
    title, basis
        What it demands, and which document does.
    """

    id: _Id
    facility: _Id
    measure: Measure
    limit: _Above0
    title: Text
    basis: Text


class Density(_Declared):
    """How many facilities of a kind per km² of a land use.

    Attributes
    ----------
    facility, land_use
        The kind of facility, and of land.
    least_per_km2, most_per_km2
        The range.
    basis
        Which document demands it.
    """

    facility: _Id
    land_use: _Id
    least_per_km2: _Above0
    most_per_km2: _Above0
    basis: Text


class Renewal(_Declared):
    """An item of the lists by which old compounds are renewed.

    Attributes
    ----------
    list
        ``basic``, ``improved`` or ``upgraded``.
    id, title
        Its short name and its words.
    within, limit_m
        A kind of facility that must be within a walk; or
    has
        a column of the compounds that says whether it is there.
    """

    list: Literal["basic", "improved", "upgraded"]
    id: _Id
    title: Text
    within: _Id | None = None
    limit_m: _Above0 | None = None
    has: _Id | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Renewal:
        if (self.within is None) == (self.has is None) or (self.within is None) != (
            self.limit_m is None
        ):
            raise ValueError(
                f"item {self.id!r} says neither or both of 'within' (with 'limit_m') and 'has'; declare one"
            )
        return self


class Standards(_Declared):
    """What a file of standards declares."""

    standard: tuple[Standard, ...] = ()
    density: tuple[Density, ...] = ()
    renewal: tuple[Renewal, ...] = ()

    @model_validator(mode="after")
    def _named_once(self) -> Standards:
        for entries in (self.standard, self.renewal):
            names = [entry.id for entry in entries]
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"{twice[0]!r} is declared twice; give each its own id")
        return self

    def __getitem__(self, name: str) -> Standard:
        """Give a standard by its id."""
        found = next((each for each in self.standard if each.id == name), None)
        if found is None:
            raise InputError(
                f"no standard {name!r}; there are {', '.join(each.id for each in self.standard)}"
            )
        return found


def read_standards(path: str | Path = BUILT_IN) -> Standards:
    """Read declared standards.

    Parameters
    ----------
    path
        TOML with tables ``[[standard]]``, ``[[density]]`` and ``[[renewal]]``; those of Chinese cities unless told otherwise.

    Returns
    -------
    Standards
        What it declares.

    Raises
    ------
    InputError
        No such file, no TOML, or an entry that breaks a rule: all of them, a sentence per line.

    Examples
    --------
    >>> read_standards()["toilet_300"].limit
    300.0
    """
    path = Path(path)
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"standards {str(path)!r} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"standards {path.name!r} are no TOML: {error}") from error
    try:
        return Standards.model_validate(raw)
    except ValidationError as error:
        lines = [
            f"{path.name}: {'.'.join(map(str, each['loc']))}: {each['msg'].removeprefix('Value error, ')}"
            for each in error.errors()
        ]
        raise InputError("\n".join(lines)) from error
