"""What can be reported? The classes of a city, with their words and what must be said of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from gisgrid.casework.declared import Declared, read_declared
from gisgrid.errors import InputError, did_you_mean
from gisgrid.intake.classes.taxonomy import Taxonomy, taxonomy_named
from gisgrid.schema import Text

Datatype = Literal["string", "number", "datetime", "text", "singlevaluelist", "multivaluelist"]
"""As Open311 names them."""

_Code = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\s/]+$")]


class Choice(Declared):
    """One of the values that an attribute may have.

    Attributes
    ----------
    key, name
        Its short name and its words.
    """

    key: _Code
    name: Text


class Attribute(Declared):
    """What else is asked about a report of a class, as in Open311.

    Attributes
    ----------
    code
        Its short name.
    datatype
        What an answer looks like.
    required
        Whether a report is refused without it.
    variable
        Whether something is answered; where not, `description` only tells the reporter something.
    description
        The question.
    hint
        How to answer.
    values
        Of lists: what may be chosen.
    """

    code: _Code
    datatype: Datatype = "string"
    required: bool = False
    variable: bool = True
    description: Text
    hint: Text | None = None
    values: tuple[Choice, ...] = ()

    @model_validator(mode="after")
    def _whole(self) -> Attribute:
        if self.datatype.endswith("list") != bool(self.values):
            raise ValueError(
                f"attribute {self.code!r} is a {self.datatype} with {len(self.values)} values; lists, and only they, have values"
            )
        return self


class Service(Declared):
    """A class of problems that can be reported.

    Attributes
    ----------
    code
        Its code in the scheme.
    name, group, description
        Its words, those of the classes it belongs to, and what it is about.
    category
        The project's own category, which counts and legends use.
    keywords
        Other words that people look for.
    attribute
        What else is asked.
    """

    code: _Code
    name: Text
    group: Text = Text(zh="其他", en="Other")
    description: Text | None = None
    category: str = ""
    keywords: tuple[str, ...] = ()
    attribute: tuple[Attribute, ...] = ()

    @property
    def attributes(self) -> tuple[Attribute, ...]:
        """What else is asked."""
        return self.attribute


class _File(Declared):
    scheme: str
    service: Annotated[tuple[Service, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _one_each(self) -> _File:
        codes = [one.code for one in self.service]
        if twice := sorted({code for code in codes if codes.count(code) > 1}):
            raise ValueError(f"service {twice[0]!r} is declared twice; keep one")
        return self


@dataclass(frozen=True)
class Services:
    """All classes that can be reported; goes through them in the order of the file.

    Attributes
    ----------
    scheme
        The scheme of their codes.
    all
        The classes.
    """

    scheme: str
    all: tuple[Service, ...]

    @cached_property
    def _by_code(self) -> Mapping[str, Service]:
        return {one.code: one for one in self.all}

    def __iter__(self) -> Iterator[Service]:
        return iter(self.all)

    def __len__(self) -> int:
        return len(self.all)

    def __contains__(self, code: object) -> bool:
        return code in self._by_code

    def __getitem__(self, code: str) -> Service:
        found = self._by_code.get(code)
        if found is None:
            raise InputError(
                f"no class {str(code)[:60]!r} can be reported here{did_you_mean(str(code)[:60], self._by_code)}"
            )
        return found

    @classmethod
    def of(cls, taxonomy: Taxonomy) -> Services:
        """Make every class of events of a scheme one that can be reported.

        Parameters
        ----------
        taxonomy
            The scheme.

        Returns
        -------
        Services
            Its minor classes, in its order.
        """
        events = [one for one in taxonomy.classes if one.kind == "event"]
        majors = {one.code: one.words for one in events if one.is_major}
        made = tuple(
            Service(
                code=one.code, name=one.words, category=one.category, keywords=one.names,
                group=majors.get(one.code[:2], Text(zh="其他", en="Other")), description=one.words,
            )
            for one in events
            if not one.is_major
        )  # fmt: skip
        return cls(taxonomy.id, made)


def read_services(path: str | Path) -> Services:
    """Read the classes that a city lets people report.

    Parameters
    ----------
    path
        TOML: `scheme`, and ``[[service]]`` with `code`, `name`, `group`, `description`, `category`, `keywords` and
        ``[[service.attribute]]``.

    Returns
    -------
    Services
        What it declares.

    Raises
    ------
    InputError
        No such file, no TOML, or entries that break a rule: a sentence per line.
    """
    found = read_declared(_File, path, what="the services")
    known = {one.code: one for one in Services.of(taxonomy_named(found.scheme))} if _is_known(found.scheme) else {}  # fmt: skip
    return Services(
        found.scheme,
        tuple(
            one.model_copy(update={
                "category": one.category or (known[one.code].category if one.code in known else one.code),
                "description": one.description or one.name,
            })
            for one in found.service
        ),
    )  # fmt: skip


def _is_known(scheme: str) -> bool:
    try:
        taxonomy_named(scheme)
    except InputError:
        return False
    return True
