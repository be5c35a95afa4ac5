"""Which rules say who owns what? Declared data, a file per city."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from gisgrid.casework.declared import Declared, read_declared
from gisgrid.errors import did_you_mean
from gisgrid.schema import Text

BUILT_IN: Final = Path(__file__).parent / "declared" / "cn.toml"
"""An example of the form, with offices that most cities have."""

Level = Literal["community", "subdistrict", "district", "bureau", "city"]
"""What an owner is: who may act there."""

_Id = Annotated[str, Field(min_length=1, max_length=128)]
_Pattern = Annotated[str, Field(pattern=r"^[^*\s]*\*?$", min_length=1)]


class Owner(Declared):
    """Somebody who settles problems.

    Attributes
    ----------
    id, title
        Its short name and its words.
    level
        What it is.
    """

    id: _Id
    title: Text
    level: Level


class Rule(Declared):
    """Who owns these classes in these units.

    Attributes
    ----------
    owner
        The owner's id.
    classes
        Codes of classes; one that ends in ``*`` stands for all that begin so. Any class where none is named.
    where
        Codes by the column of the units that holds them, for example ``{ community_code = ["140802001003"] }``; all
        columns must agree. Any unit where none is named.
    why
        The document that says so.
    """

    owner: _Id
    classes: tuple[_Pattern, ...] = ()
    where: Mapping[str, tuple[_Pattern, ...]] = Field(default_factory=dict)
    why: str = ""


class Fallback(Declared):
    """Who owns what no rule covers: the locality.

    Attributes
    ----------
    level
        What the locality is.
    column
        The column of the units that holds its code.
    owners
        Owners by that code, where they have names of their own; ``LEVEL:CODE`` otherwise.
    """

    level: Level
    column: str
    owners: Mapping[str, _Id] = Field(default_factory=dict)


class RoutingRules(Declared):
    """What a file of rules declares.

    Attributes
    ----------
    id, title
        Its short name and its words.
    scheme
        The scheme of its codes of classes.
    fallback
        Who owns the rest; None where nobody does.
    owner, rule
        The owners and the rules.
    """

    id: _Id
    title: Text
    scheme: str
    fallback: Fallback | None = None
    owner: tuple[Owner, ...] = ()
    rule: tuple[Rule, ...] = ()

    @model_validator(mode="after")
    def _whole(self) -> RoutingRules:
        names = [owner.id for owner in self.owner]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"owner {twice[0]!r} is declared twice; give each its own id")
        named = [rule.owner for rule in self.rule]
        named += list(self.fallback.owners.values()) if self.fallback else []
        for name in named:
            if name not in names:
                raise ValueError(f"a rule names the owner {name!r}{did_you_mean(name, names)}")
        return self

    def level_of(self, owner: str) -> Level | None:
        """Tell what an owner is.

        Parameters
        ----------
        owner
            Its id, or ``LEVEL:CODE`` of a locality.

        Returns
        -------
        str or None
            Its level; None for an owner that the rules do not know.

        Examples
        --------
        >>> read_rules().level_of("water"), read_rules().level_of("subdistrict:140802001")
        ('bureau', 'subdistrict')
        """
        found = next((one.level for one in self.owner if one.id == owner), None)
        if found is None and self.fallback and owner.startswith(f"{self.fallback.level}:"):
            return self.fallback.level
        return found


def read_rules(path: str | Path = BUILT_IN) -> RoutingRules:
    """Read declared rules of dispatch.

    Parameters
    ----------
    path
        TOML with ``id``, ``title``, ``scheme``, ``[fallback]`` and the tables ``[[owner]]`` and ``[[rule]]``.

    Returns
    -------
    RoutingRules
        What it declares.

    Raises
    ------
    InputError
        No such file, no TOML, or entries that break a rule: a sentence per line.

    Examples
    --------
    >>> read_rules().fallback.level
    'subdistrict'
    """
    return read_declared(RoutingRules, path, what="the rules of dispatch")
