"""What a filter says, as a tree that never changes: values, tests on them, and how the tests are joined."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from gisgrid.features.filters.shapes import Shape

ScalarKind = Literal["text", "number", "boolean", "time"]

Relation = Literal["=", "<>", "<", "<=", ">", ">="]

Fold = Literal["CASEI", "ACCENTI"]


@dataclass(frozen=True, slots=True)
class Property:
    """A column by its name."""

    name: str
    kind: ScalarKind


@dataclass(frozen=True, slots=True)
class Geometry:
    """Where a feature is."""


@dataclass(frozen=True, slots=True)
class Constant:
    """A text, a number or a boolean; a number that has no value is NaN."""

    value: str | int | float | bool

    @property
    def kind(self) -> ScalarKind:
        """What it is."""
        if isinstance(self.value, str):
            return "text"
        return "boolean" if isinstance(self.value, bool) else "number"


@dataclass(frozen=True, slots=True)
class Time:
    """An instant, or a day from its first to its last microsecond."""

    first: int
    last: int
    kind: Literal["time"] = "time"


@dataclass(frozen=True, slots=True)
class Interval:
    """From one time to another; each end is a time or a column of times."""

    start: Time | Property
    end: Time | Property


@dataclass(frozen=True, slots=True)
class Folded:
    """A text whose case or accents do not count."""

    fold: Fold
    of: Constant | Property | Folded
    kind: Literal["text"] = "text"


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Two numbers and what is done with them; `depth` is how many operations lie within each other."""

    sign: str
    left: Number
    right: Number
    depth: int
    kind: Literal["number"] = "number"


Number = Constant | Property | Arithmetic
Text = Constant | Property | Folded

Scalar = Constant | Time | Property | Folded | Arithmetic


@dataclass(frozen=True, slots=True)
class Truth:
    """Always so, never so, or (None) never known."""

    value: bool | None


@dataclass(frozen=True, slots=True)
class Compare:
    """Two values and their relation."""

    relation: Relation
    left: Scalar
    right: Scalar


@dataclass(frozen=True, slots=True)
class Like:
    """A text and a pattern, both folded alike: ``%`` is anything, ``_`` one character, a backslash takes the next as it is."""

    of: Constant | Property | Folded
    pattern: str


@dataclass(frozen=True, slots=True)
class Among:
    """A value and a list of constants of its kind."""

    of: Scalar
    choices: tuple[Constant | Time, ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """A value, the geometry, or a test that has no answer."""

    of: Scalar | Geometry | Predicate


@dataclass(frozen=True, slots=True)
class Same:
    """Two tests that both hold or both do not."""

    left: Predicate
    right: Predicate


@dataclass(frozen=True, slots=True)
class Spatial:
    """A feature's geometry in a relation to a shape; `relation` as shapely calls it, the feature first."""

    relation: str
    shape: Shape


@dataclass(frozen=True, slots=True)
class Not:
    """A test that does not hold."""

    part: Predicate


@dataclass(frozen=True, slots=True)
class And:
    """Tests that all hold."""

    parts: tuple[Predicate, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Tests of which one holds."""

    parts: tuple[Predicate, ...]


Predicate = Truth | Compare | Like | Among | Missing | Same | Spatial | Not | And | Or

Value = Scalar | Geometry | Shape | Interval

Node = Value | Predicate

PREDICATES: Final = (Truth, Compare, Like, Among, Missing, Same, Spatial, Not, And, Or)

SCALARS: Final = (Constant, Time, Property, Folded, Arithmetic)


def said(node: Node) -> str:
    """Name a node in an error's sentence.

    Parameters
    ----------
    node
        Any node.

    Returns
    -------
    str
        For example ``the text 'abc'`` or ``'severity' (a number)``.
    """
    match node:
        case Property(name=name, kind=kind):
            return f"{name!r} (a {kind})"
        case Constant(value=bool(value)):
            return str(value).upper()
        case Constant(value=str(value)):
            return f"the text {value[:40]!r}"
        case Constant(value=value):
            return f"the number {value}"
    return _SAID.get(type(node), "a condition")


_SAID: Final[Mapping[type, str]] = {
    Time: "a time", Interval: "an interval", Geometry: "the geometry", Shape: "a shape", Folded: "a text",
    Arithmetic: "a calculation",
}  # fmt: skip
