"""CQL2 JSON: the same conditions as in text, as objects with an operator and its arguments."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn, cast

from gisgrid.features.column import Kind
from gisgrid.features.filters.expression import (
    among,
    both,
    compared,
    either,
    matched,
    missing,
    negated,
    predicate,
)
from gisgrid.features.filters.limits import (
    MAX_DEPTH,
    FilterError,
    check_counts,
    check_length,
    checked_text,
)
from gisgrid.features.filters.nodes import Constant, Fold, Node, Predicate, Relation, Time
from gisgrid.features.filters.relations import SPATIAL, TEMPORAL, interval, spatial, temporal
from gisgrid.features.filters.shapes import box_of, geojson_shape
from gisgrid.features.filters.times import time_span
from gisgrid.features.filters.values import calculated, folded, named, shortest

_BRACKETS: Final = 2 * MAX_DEPTH + 10
"""An operator and the list of its arguments are two brackets, and a shape has some of its own."""


def parse_json(text: str | Mapping[str, Any], fields: Mapping[str, Kind]) -> Predicate:
    """Read CQL2 JSON.

    Parameters
    ----------
    text
        The filter, as text or as Python's json reads it.
    fields
        The properties there are.

    Returns
    -------
    Predicate
        What it demands.

    Raises
    ------
    FilterError
        It is too long, too deep, no CQL2, or asks for what is not there.
    """
    if not isinstance(text, str):
        text = _written(text)
    check_length(text)
    _check_brackets(text)
    try:
        said = json.loads(text, parse_constant=_no_number)
    except FilterError:
        raise
    except (ValueError, RecursionError) as error:
        reason = str(error).partition("\n")[0][:80]
        raise FilterError(
            f"the filter is no JSON ({reason}); correct it, or say filter-lang=cql2-text"
        ) from error
    _count(said)
    return predicate(_Reader(fields).node(said, 0))


def _written(said: Mapping[str, Any]) -> str:
    try:
        return json.dumps(said, ensure_ascii=False)
    except (ValueError, TypeError, RecursionError) as error:
        raise FilterError(
            "the filter is no JSON; give objects, lists, texts and numbers"
        ) from error


def _no_number(name: str) -> NoReturn:
    raise FilterError(f"the filter has the number {name}, which JSON does not know; write a number")


def _check_brackets(text: str) -> None:
    """Find how deep brackets nest, passing over what stands in quotes."""
    depth, quoted, escaped = 0, False, False
    for letter in text:
        if quoted:
            quoted, escaped = escaped or letter != '"', not escaped and letter == "\\"
        elif letter == '"':
            quoted = True
        elif letter in "[{":
            depth += 1
            if depth > _BRACKETS:
                raise FilterError(
                    f"the filter nests more than {MAX_DEPTH} deep and no more is read; simplify it"
                )
        elif letter in "]}":
            depth -= 1


def _count(said: object) -> None:
    """Count operators and values without recursion."""
    literals, operators, places = 0, 0, 0
    left: list[object] = [said]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            operators += "op" in one
            places += str(one.get("op")).upper() in SPATIAL
            left.extend(one.values())
        elif isinstance(one, list):
            left.extend(one)
        else:
            literals += 1
    check_counts(literals=literals - operators, operators=operators, places=places)


class _Reader:
    def __init__(self, fields: Mapping[str, Kind]) -> None:
        self.fields = fields

    def node(self, said: object, depth: int) -> Node:  # noqa: C901, PLR0911 - a line per kind
        check_counts(depth=depth)
        match said:
            case bool():
                return Constant(said)
            case str():
                return Constant(checked_text(said))
            case int() | float():
                return Constant(_finite(said))
            case {"op": str(name), "args": list(args)}:
                return self.operation(name, args, depth)
            case {"property": str(name)}:
                return named(name, self.fields)
            case {"timestamp": str(text)}:
                first, _ = time_span(text)
                return Time(first, first)
            case {"date": str(text)}:
                return Time(*time_span(text))
            case {"interval": [start, end]}:
                return interval(self.node(start, depth + 1), self.node(end, depth + 1))
            case {"bbox": list(numbers)}:
                return box_of(numbers)
            case {"type": str(), "coordinates": list()} | {"type": str(), "geometries": list()}:
                return geojson_shape(cast("Mapping[str, Any]", said))
        raise FilterError(f"the filter has {json.dumps(said, ensure_ascii=False)[:60]}, which is no part of CQL2 JSON; write for example "
                          '{"op": "=", "args": [{"property": "severity"}, 3]}')  # fmt: skip

    def operation(self, name: str, args: list[Any], depth: int) -> Node:
        made = _OPERATIONS.get(name) or _OPERATIONS.get(name.lower())
        if made is None:
            raise FilterError(
                f"there is no operator {name[:40]!r}; there are: {', '.join(sorted(_OPERATIONS))}"
            )
        n, make = made
        if name.lower() == "in" and len(args) == 2 and isinstance(args[1], list):
            return among(
                self.node(args[0], depth + 1), [self.node(one, depth + 1) for one in args[1]]
            )
        if n is not None and len(args) != n:
            raise FilterError(f"{name} has {len(args)} arguments and takes {n}; correct it")
        if not args:
            raise FilterError(f"{name} has no arguments; give at least one")
        return make(name.lower(), [self.node(one, depth + 1) for one in args])


def _finite(number: float) -> int | float:
    try:
        if math.isfinite(float(number)):
            return shortest(number)
    except OverflowError:
        pass
    raise FilterError(
        "the filter has a number beyond what can be calculated with; write a smaller one"
    )


def _compared(name: str, args: list[Node]) -> Node:
    return compared(cast("Relation", name), args[0], args[1])


def _between(name: str, args: list[Node]) -> Node:
    del name
    return both([compared(">=", args[0], args[1]), compared("<=", args[0], args[2])])


def _calculated(name: str, args: list[Node]) -> Node:
    return calculated(name, args[0], args[1])


def _in(name: str, args: list[Node]) -> NoReturn:
    del args
    raise FilterError(f"{name} takes a value and a list of values; write the list in [ ]")


_OPERATIONS: Final[Mapping[str, tuple[int | None, Callable[[str, list[Node]], Node]]]] = {
    "and": (None, lambda _, args: both(args)),
    "or": (None, lambda _, args: either(args)),
    "not": (1, lambda _, args: negated(args[0])),
    **dict.fromkeys(("=", "<>", "<", "<=", ">", ">="), (2, _compared)),
    "like": (2, lambda _, args: matched(args[0], args[1])),
    "between": (3, _between),
    "in": (2, _in),
    "isnull": (1, lambda _, args: missing(args[0])),
    "casei": (1, lambda name, args: folded(cast("Fold", name.upper()), args[0])),
    "accenti": (1, lambda name, args: folded(cast("Fold", name.upper()), args[0])),
    **dict.fromkeys(("+", "-", "*", "/", "%", "^", "div"), (2, _calculated)),
    **{
        one.lower(): (2, lambda name, args: spatial(name.upper(), args[0], args[1]))
        for one in SPATIAL
    },
    **{
        one.lower(): (2, lambda name, args: temporal(name.upper(), args[0], args[1]))
        for one in TEMPORAL
    },
}
"""How many arguments each takes (None: any number), and what makes a node of them."""
