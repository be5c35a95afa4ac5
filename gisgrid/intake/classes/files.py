"""Which classes does a scheme have? Schemes are declared data: a TOML file each, or a list of Open311 services.

Every class leads to one of the project's own categories, so that counts and legends mean the same in every city.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal

import pyarrow as pa

from gisgrid.errors import InputError, did_you_mean
from gisgrid.intake.classes.open311 import read_services
from gisgrid.intake.classes.rules import Rule, rules_that_hold
from gisgrid.schema import Text

Kind = Literal["event", "component"]
"""An event (事件: something happens) or a component (部件: an object is damaged, missing or dirty)."""

_FOLDER: Final = Path(__file__).parent / "taxonomies"
_KEYS: Final = ("id", "also", "base", "title", "extension_from", "remove", "categories", "event", "component", "rules")  # fmt: skip


@dataclass(frozen=True)
class Category:
    """One of the project's own categories.

    Attributes
    ----------
    id
        Its key.
    words
        What a legend says.
    broader
        The wider category, if there is one.
    """

    id: str
    words: Text
    broader: str | None = None


@dataclass(frozen=True)
class IssueClass:
    """A class of a scheme.

    Attributes
    ----------
    code
        Its code in the scheme; a major class has the shorter one.
    kind
        Event or component: their codes overlap.
    category
        The project's own category.
    words
        The class's name.
    names
        Other names it goes by.
    is_major
        Whether it is a major class, which is used where no minor one is said.
    is_local
        Whether its number is one that each city gives out itself, so that the scheme alone does not say what it means.
    """

    code: str
    kind: Kind
    category: str
    words: Text
    names: tuple[str, ...] = ()
    is_major: bool = False
    is_local: bool = False


@dataclass(frozen=True, eq=False)
class Taxonomy:
    """A declared scheme of classes; each is itself only, so that what is made ready for it can be kept.

    Attributes
    ----------
    id
        Its name in this project, for example ``gbt30428-new``.
    title
        Its name for people.
    also
        Other names under which it may be asked for.
    classes
        Its classes; empty where it has rules only.
    rules
        Rules for free text, the first that holds decides; empty where it has none of its own.
    categories
        The categories that its classes and rules lead to.
    extension_from
        Minors from this number on are given out by each city.
    """

    id: str
    title: Text
    also: tuple[str, ...]
    classes: tuple[IssueClass, ...]
    rules: tuple[Rule, ...]
    categories: Mapping[str, Category]
    extension_from: int | None = None

    @classmethod
    def from_file(cls, path: Path | str) -> Taxonomy:
        """Read a scheme from a file.

        Parameters
        ----------
        path
            TOML as those in ``gisgrid/intake/taxonomies`` (``base`` extends another scheme), or a list of Open311
            services (``services.xml``, ``services.json``).

        Returns
        -------
        Taxonomy
            ``city:NAME`` or ``open311:NAME`` where the file does not give an id.

        Raises
        ------
        InputError
            There is no such file, or it breaks a rule; the sentence says which.
        """
        path = Path(path)
        if path.suffix.lower() in (".xml", ".json"):
            return _from_services(path)
        try:
            said = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        except OSError as error:
            raise InputError(
                f"the taxonomy {path.name!r} cannot be read ({error.strerror}); check the spelling and the folder"
            ) from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise InputError(
                f"the taxonomy {path.name!r} is no TOML in UTF-8: {error}; mend that line"
            ) from error
        return _declared(said, path, TAXONOMIES)

    def words(self, category: str) -> Text:
        """Give the words for one of its categories.

        Parameters
        ----------
        category
            A key.

        Returns
        -------
        Text
            In both languages; the key itself where it has none.
        """
        known = self.categories.get(category)
        return known.words if known else Text(zh=category, en=category)

    @property
    def code_length(self) -> int | None:
        """How many digits a minor class's code has, where all have as many; None where codes are other texts."""
        codes = [c.code for c in self.classes if not c.is_major]
        same = codes and all(c.isdigit() and len(c) == len(codes[0]) for c in codes)
        return len(codes[0]) if same else None


def taxonomy_named(name: str, *, folder: Path | None = None) -> Taxonomy:
    """Give the scheme that an option or a mapping file names.

    Parameters
    ----------
    name
        An id of `TAXONOMIES`, another name of one (``GB/T 30428.2-2013``), or a file.
    folder
        Where a file's name begins; the working folder without it.

    Returns
    -------
    Taxonomy
        The scheme.

    Raises
    ------
    InputError
        There is no such scheme and no such file, or the file breaks a rule.

    Examples
    --------
    >>> taxonomy_named("GB/T 30428.2-2013").id
    'gbt30428-new'
    """
    for taxonomy in TAXONOMIES.values():
        if name.casefold() in (taxonomy.id, *(other.casefold() for other in taxonomy.also)):
            return taxonomy
    path = (folder or Path()) / name
    if path.suffix.lower() in (".toml", ".xml", ".json") or path.is_file():
        return Taxonomy.from_file(path)
    raise InputError(
        f"no taxonomy {name!r}{did_you_mean(name, TAXONOMIES)} a file ending in .toml, .xml or .json can be given as well"
    )


def _declared(said: Mapping[str, Any], path: Path, known: Mapping[str, Taxonomy]) -> Taxonomy:
    """Make a scheme of what a TOML file says."""
    where = f"the taxonomy {path.name!r}"
    _refuse_unknown(said, _KEYS, where)
    base = None
    if "base" in said:
        base = known.get(str(said["base"]))
        if base is None:
            raise InputError(
                f"{where} has base = {said['base']!r}, which is no taxonomy{did_you_mean(str(said['base']), known)}"
            )
    categories = {**(base.categories if base else CATEGORIES)}
    for key, row in said.get("categories", {}).items():
        categories[key] = _category(key, row, where)
    extension = said.get("extension_from", base.extension_from if base else None)
    own = [
        issue_class
        for kind in ("event", "component")
        for issue_class in _classes(said.get(kind, {}), kind, categories, where)
    ]
    if base is None and extension is not None:
        own = [_marked_local(issue_class, int(extension)) for issue_class in own]
    replaced = {(c.kind, c.code) for c in own} | {
        ("event", code) for code in said.get("remove", ())
    }
    kept = [c for c in base.classes if (c.kind, c.code) not in replaced] if base else []
    classes = sorted([*kept, *own], key=lambda c: (c.kind != "event", c.code))
    rules = tuple(_rule(row, categories, where) for row in said.get("rules", ()))
    if not classes and not rules:
        raise InputError(f"{where} has neither classes nor rules; add [event.classes] or [[rules]]")
    taxonomy_id = str(said.get("id", f"city:{path.stem}"))
    title = _text(
        said.get("title", {"zh": taxonomy_id, "en": taxonomy_id}), f"{where} has a title that"
    )
    rules += base.rules if base else ()
    return Taxonomy(
        taxonomy_id, title, tuple(said.get("also", ())), tuple(classes), rules, MappingProxyType(categories), extension
    )  # fmt: skip


def _classes(
    said: Mapping[str, Any], kind: Kind, categories: Mapping[str, Category], where: str
) -> Iterator[IssueClass]:
    _refuse_unknown(said, ("majors", "classes"), f"{where} in [{kind}]")
    for part, is_major in (("majors", True), ("classes", False)):
        for code, row in said.get(part, {}).items():
            place = f"{where} in [{kind}.{part}] {code!r}"
            if not isinstance(row, Mapping):
                raise InputError(f"{place} is {row!r} but a class is {{ key = …, zh = …, en = … }}")
            _refuse_unknown(row, ("key", "zh", "en", "names"), place)
            words = _text({k: row[k] for k in ("zh", "en") if k in row}, place)
            if "key" not in row and is_major:
                continue
            category = str(row.get("key", ""))
            if category not in categories:
                raise InputError(
                    f"{place} has key = {category!r}, which is no category{did_you_mean(category, categories)}"
                )
            yield IssueClass(
                str(code), kind, category, words, tuple(map(str, row.get("names", ()))), is_major
            )


def _marked_local(issue_class: IssueClass, extension_from: int) -> IssueClass:
    """Mark a class whose number the standard leaves to the cities (99 of the old generation is the national rest)."""
    minor = issue_class.code[-2:]
    local = (
        not issue_class.is_major
        and minor.isdigit()
        and int(minor) >= extension_from
        and not issue_class.category.startswith("other")
    )
    return IssueClass(**{**vars(issue_class), "is_local": local})


def _category(key: str, row: object, where: str) -> Category:
    place = f"{where} in the category {key!r}"
    if not isinstance(row, Mapping):
        raise InputError(f"{place} is {row!r} but a category is {{ zh = …, en = … }}; write both")
    _refuse_unknown(row, ("zh", "en", "broader"), place)
    words = _text({k: row[k] for k in ("zh", "en") if k in row}, place)
    return Category(key, words, row.get("broader"))


def _rule(row: Mapping[str, Any], categories: Mapping[str, Category], where: str) -> Rule:
    _refuse_unknown(row, ("key", "any", "none"), f"{where} in [[rules]]")
    category = str(row.get("key", ""))
    if category not in categories:
        raise InputError(
            f"{where} has a rule with key = {category!r}, which is no category{did_you_mean(category, categories)}"
        )
    return Rule(category, tuple(row.get("any", ())), tuple(row.get("none", ())))


def _text(said: object, place: str) -> Text:
    if not isinstance(said, Mapping) or {*said} != {"zh", "en"}:
        raise InputError(f"{place} needs its words in both languages; write zh = … and en = …")
    return Text(zh=str(said["zh"]), en=str(said["en"]))


def _refuse_unknown(said: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    for key in said:
        if key not in known:
            raise InputError(f"{where} has the unknown key {key!r}{did_you_mean(key, known)}")


def _from_services(path: Path) -> Taxonomy:
    """Make a scheme of a list of Open311 services: what a rule knows is led to its category, the rest is its own."""
    services = read_services(path)
    free = TAXONOMIES["free-text"]
    categories = dict(CATEGORIES)
    classes = []
    by_name = rules_that_hold(pa.array([service.name for service in services]), free.rules)
    by_all = rules_that_hold(pa.array([service.text for service in services]), free.rules)
    for service, first, second in zip(services, by_name, by_all, strict=True):
        words = Text(zh=service.name, en=service.name)
        rule = first if first >= 0 else second
        category = free.rules[rule].category if rule >= 0 else f"service_{service.code}"
        categories.setdefault(category, Category(category, words))
        classes.append(IssueClass(service.code, "event", category, words))
    title = Text(zh=f"Open311 服务列表 {path.name}", en=f"Open311 services of {path.name}")
    return Taxonomy(
        f"open311:{path.stem}", title, (), tuple(classes), free.rules, MappingProxyType(categories)
    )


def _read_categories() -> Mapping[str, Category]:
    said = tomllib.loads((_FOLDER / "categories.toml").read_text(encoding="utf-8"))
    return MappingProxyType({k: _category(k, row, "'categories.toml'") for k, row in said.items()})


def _read_schemes() -> Mapping[str, Taxonomy]:
    schemes: dict[str, Taxonomy] = {}
    for name in ("gbt30428-new", "cjt214-2007", "free-text"):
        path = _FOLDER / f"{name}.toml"
        schemes[name] = _declared(tomllib.loads(path.read_text(encoding="utf-8")), path, schemes)
    return MappingProxyType(schemes)


CATEGORIES: Final[Mapping[str, Category]] = _read_categories()
"""The project's own categories by key."""

TAXONOMIES: Final[Mapping[str, Taxonomy]] = _read_schemes()
"""The schemes that come with the project, by id; among equals the first is preferred."""
