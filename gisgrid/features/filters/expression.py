"""What a filter says, as a tree that never changes: values, tests on them, and how the tests are joined.

The functions make nodes out of parts and refuse what has no meaning, so that text and JSON mean the same. Everything is
brought into few forms on the way: a constant stands on the right, BETWEEN is two comparisons, the relations of times are
comparisons of their ends.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, TypeGuard

from gisgrid.features.filters.limits import FilterError
from gisgrid.features.filters.nodes import (
    PREDICATES,
    SCALARS,
    Among,
    And,
    Compare,
    Constant,
    Fold,
    Folded,
    Geometry,
    Like,
    Missing,
    Node,
    Not,
    Or,
    Predicate,
    Property,
    Relation,
    Same,
    Scalar,
    Time,
    Truth,
    said,
)
from gisgrid.features.filters.times import time_span
from gisgrid.features.filters.values import scalar
from gisgrid.features.filters.writing import written

MIRRORED: Final[Mapping[Relation, Relation]] = {"=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}  # fmt: skip
"""The relation when both sides change places."""


def predicate(node: Node) -> Predicate:
    """Take a node as a test: a boolean column or constant is one.

    Parameters
    ----------
    node
        Any node.

    Returns
    -------
    Predicate
        The test.

    Raises
    ------
    FilterError
        It is a value that is neither true nor false.
    """
    if isinstance(node, PREDICATES):
        return node
    if isinstance(node, Constant) and isinstance(node.value, bool):
        return Truth(node.value)
    if isinstance(node, Property) and node.kind == "boolean":
        return Compare("=", node, Constant(True))  # noqa: FBT003 - a value, not a switch
    raise FilterError(
        f"{said(node)} stands where a condition must; compare it with something, for example = 1"
    )


def both(parts: Iterable[Node]) -> Predicate:
    """Demand all of some tests.

    Parameters
    ----------
    parts
        The tests.

    Returns
    -------
    Predicate
        What must hold; always so for no tests.
    """
    found = [one for part in parts for one in _inner(predicate(part), And)]
    kept = _ordered(part for part in found if part != Truth(value=True))
    if Truth(value=False) in kept:
        return Truth(value=False)
    return kept[0] if len(kept) == 1 else And(kept) if kept else Truth(value=True)


def either(parts: Iterable[Node]) -> Predicate:
    """Demand one of some tests.

    Parameters
    ----------
    parts
        The tests.

    Returns
    -------
    Predicate
        What must hold; never so for no tests.
    """
    found = [one for part in parts for one in _inner(predicate(part), Or)]
    kept = _ordered(part for part in found if part != Truth(value=False))
    if Truth(value=True) in kept:
        return Truth(value=True)
    return kept[0] if len(kept) == 1 else Or(kept) if kept else Truth(value=False)


def _ordered(parts: Iterable[Predicate]) -> tuple[Predicate, ...]:
    """Bring parts into one order, so that what says the same in another order is the same."""
    return tuple(sorted(dict.fromkeys(parts), key=written))


def _inner(part: Predicate, kind: type[And | Or]) -> tuple[Predicate, ...]:
    return part.parts if isinstance(part, kind) else (part,)


def negated(node: Node) -> Predicate:
    """Demand that a test does not hold.

    Parameters
    ----------
    node
        The test.

    Returns
    -------
    Predicate
        Its opposite; unknown where the test is.
    """
    part = predicate(node)
    if isinstance(part, Not):
        return part.part
    if isinstance(part, Truth):
        return Truth(None if part.value is None else not part.value)
    return Not(part)


def compared(relation: Relation, left: Node, right: Node) -> Predicate:
    """Compare two values of one kind.

    Parameters
    ----------
    relation
        How.
    left, right
        The values. A text in the place of a time is read as one.

    Returns
    -------
    Predicate
        The test.

    Raises
    ------
    FilterError
        They are of different kinds, or of one that cannot be compared.
    """
    if isinstance(left, PREDICATES) or isinstance(right, PREDICATES):
        return _compared_tests(relation, left, right)
    one, other = _alike(scalar(left), scalar(right), what=relation)
    if isinstance(one, Constant | Time) and not isinstance(other, Constant | Time):
        relation, one, other = MIRRORED[relation], other, one
    if one.kind == "boolean" and relation not in {"=", "<>"}:
        raise FilterError(f"{said(one)} is true or false and knows no {relation}; use = or <>")
    if isinstance(one, Time) and isinstance(other, Time):
        return _compared_times(relation, one, other)
    if isinstance(other, Time) and other.first < other.last:
        return _compared_day(relation, one, other)
    return Compare(relation, one, other)


def _compared_tests(relation: Relation, left: Node, right: Node) -> Predicate:
    if relation not in {"=", "<>"}:
        raise FilterError(
            f"two conditions are compared with {relation}, but they are only the same or not; use = or <>"
        )
    same = Same(predicate(left), predicate(right))
    return same if relation == "=" else Not(same)


def _compared_day(relation: Relation, one: Scalar, day: Time) -> Predicate:
    """Compare with a whole day: within it, before its first or after its last microsecond."""
    start, end = Time(day.first, day.first), Time(day.last, day.last)
    match relation:
        case "=" | "<>":
            within = both([Compare(">=", one, start), Compare("<=", one, end)])
            return within if relation == "=" else negated(within)
        case "<" | ">=":
            return Compare(relation, one, start)
    return Compare(relation, one, end)


_RELATIONS: Final[Mapping[Relation, Callable[[int, int], bool]]] = {
    "=": operator.eq, "<>": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


def _compared_times(relation: Relation, one: Time, other: Time) -> Truth:
    """Compare two constants: what comes after a day comes after its end."""
    match relation:
        case "<" | ">=":
            return Truth(
                _RELATIONS[relation](one.last if relation == "<" else one.first, other.first)
            )
        case ">" | "<=":
            return Truth(
                _RELATIONS[relation](one.first if relation == ">" else one.last, other.last)
            )
    return Truth(_RELATIONS[relation]((one.first, one.last), (other.first, other.last)))  # type: ignore[arg-type]


def among(of: Node, choices: Sequence[Node]) -> Predicate:
    """Look a value up in a list.

    Parameters
    ----------
    of
        The value.
    choices
        The list, constants or not.

    Returns
    -------
    Predicate
        The test.

    Raises
    ------
    FilterError
        The list is empty or holds another kind.
    """
    if not choices:
        raise FilterError("IN has an empty list; name at least one value")
    if isinstance(of, PREDICATES):
        return either(compared("=", of, choice) for choice in choices)
    value = scalar(of)
    pairs = [_alike(value, scalar(choice), what="IN")[1] for choice in choices]
    constants = tuple(sorted(dict.fromkeys(one for one in pairs if _is_single(one)), key=written))
    rest = [one for one in pairs if not _is_single(one)]
    if isinstance(value, Constant | Time) or len(constants) < 2:
        return either(compared("=", value, one) for one in pairs)
    return either([Among(value, constants), *(compared("=", value, one) for one in rest)])


def _is_single(one: Scalar) -> TypeGuard[Constant | Time]:
    """Say whether a value can stand in a list: a constant that is there, and no whole day."""
    if isinstance(one, Time):
        return one.first == one.last
    return isinstance(one, Constant) and one.value == one.value


def matched(of: Node, pattern: Node) -> Predicate:
    """Hold a text against a pattern.

    Parameters
    ----------
    of
        A text.
    pattern
        A constant text, folded or not.

    Returns
    -------
    Predicate
        The test.

    Raises
    ------
    FilterError
        Either is no text, or the pattern is no constant.
    """
    folds: list[Fold] = []
    while isinstance(pattern, Folded):
        folds.append(pattern.fold)
        pattern = pattern.of
    if not (isinstance(pattern, Constant) and isinstance(pattern.value, str)):
        raise FilterError(
            "LIKE is followed by something that is no text in quotes; write for example LIKE 'A%'"
        )
    text = scalar(of)
    if not isinstance(text, Constant | Property | Folded) or text.kind != "text":
        raise FilterError(f"LIKE is asked of {said(of)}, which is no text; compare it with = or <")
    inner, own = text, []
    while isinstance(inner, Folded):
        own.append(inner.fold)
        inner = inner.of
    for fold in dict.fromkeys(folds):
        text = text if fold in own else Folded(fold, text)
    return Like(text, pattern.value)


def missing(of: Node) -> Predicate:
    """Ask whether there is no value.

    Parameters
    ----------
    of
        A value, the geometry, or a test.

    Returns
    -------
    Predicate
        The test.

    Raises
    ------
    FilterError
        It is something that cannot be missing.
    """
    if isinstance(of, (Geometry, *PREDICATES, *SCALARS)):
        return Missing(of)
    raise FilterError(
        f"IS NULL is asked of {said(of)}, which is never missing; ask it of a property"
    )


def _alike(one: Scalar, other: Scalar, *, what: str) -> tuple[Scalar, Scalar]:
    if one.kind == "time" and isinstance(other, Constant) and isinstance(other.value, str):
        other = Time(*time_span(other.value))
    if other.kind == "time" and isinstance(one, Constant) and isinstance(one.value, str):
        one = Time(*time_span(one.value))
    if one.kind != other.kind:
        raise FilterError(
            f"{said(one)} and {said(other)} stand beside {what} but only values of one kind can be compared; "
            f"{'put numbers without quotes' if 'text' in {one.kind, other.kind} else 'correct one of them'}"
        )
    return one, other
