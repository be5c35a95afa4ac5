"""Which rows does a filter choose? Tests on small arrays, a batch of rows at a time.

A condition may be true, false or unknown (a value is missing), and only true rows are chosen. Denials are carried down
to the single tests first: then "true" of the whole follows from "true" of the parts, and unknown needs no arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from gisgrid.features.filters.column_tests import (
    RELATIONS,
    Bools,
    Test,
    column_of,
    constant_test,
    is_in,
    listed_test,
    range_test,
)
from gisgrid.features.filters.folding import (
    folds_of,
    listed_words,
    matching_words,
)
from gisgrid.features.filters.nodes import (
    PREDICATES,
    Among,
    And,
    Arithmetic,
    Compare,
    Constant,
    Folded,
    Geometry,
    Like,
    Missing,
    Not,
    Or,
    Predicate,
    Property,
    Relation,
    Same,
    Scalar,
    Spatial,
    Text,
    Time,
    Truth,
)
from gisgrid.features.filters.places import Span, n_rows, spatial_test
from gisgrid.features.filters.text_tests import compare_texts, n_words, word_test
from gisgrid.features.filters.values import calculation
from gisgrid.features.table import FeatureTable

BATCH: Final = 1 << 17
"""Rows tested at once, so that what is made in between stays in the processor's cache."""

_NEGATED: Final[dict[Relation, Relation]] = {
    "=": "<>",
    "<>": "=",
    "<": ">=",
    "<=": ">",
    ">": "<=",
    ">=": "<",
}


def prepared(node: Predicate, table: FeatureTable, *, holds: bool = True) -> Test:  # noqa: PLR0911 - a line per kind
    """Prepare a condition for a table.

    Parameters
    ----------
    node
        The condition.
    table
        The features.
    holds
        Whether it must be true, or must be false.

    Returns
    -------
    callable
        Of rows; says where it is so.

    Raises
    ------
    FilterError
        The table lacks a property.
    """
    match node:
        case Not(part=part):
            return prepared(part, table, holds=not holds)
        case And(parts=parts) | Or(parts=parts):
            tests = [prepared(part, table, holds=holds) for part in sorted(parts, key=_cost)]
            return _all_of(tests) if isinstance(node, And) == holds else _any_of(tests)
        case Truth(value=value):
            return constant_test(value=value is holds)
        case Same(left=left, right=right):
            one = (prepared(left, table), prepared(left, table, holds=False))
            other = (prepared(right, table), prepared(right, table, holds=False))
            return _same(one, other if holds else other[::-1])
        case Missing(of=of):
            return _missing_test(of, table, holds=holds)
        case Spatial():
            return spatial_test(table.places, node.relation, node.shape.geometry, holds=holds)
        case Compare(relation=relation, left=left, right=right):
            return _compare_test(relation if holds else _NEGATED[relation], left, right, table)
        case Like():
            text, folds = folds_of(node.of)
            return word_test(
                text, table, lambda words: matching_words(words, folds, node.pattern), holds=holds
            )
    return _among_test(node, table, holds=holds)


def run(test: Test, rows: Span) -> Bools:
    """Test rows batch by batch.

    Parameters
    ----------
    test
        The prepared condition.
    rows
        The rows.

    Returns
    -------
    array
        Shape (n rows,).
    """
    if isinstance(rows, slice):
        start, stop = int(rows.start), int(rows.stop)
        if stop - start <= BATCH:
            return test(rows)
        found = np.empty(stop - start, bool)
        for low in range(start, stop, BATCH):
            high = min(low + BATCH, stop)
            found[low - start : high - start] = test(slice(low, high))
        return found
    if len(rows) <= BATCH:
        return test(rows)
    return np.concatenate([test(rows[low : low + BATCH]) for low in range(0, len(rows), BATCH)])


def searched_words(node: Predicate, table: FeatureTable) -> int:  # noqa: PLR0911 - a line per kind
    """Say how many distinct texts must be looked at to prepare a condition.

    Parameters
    ----------
    node
        The condition.
    table
        The features.

    Returns
    -------
    int
        Their number; those found by a search in order count as none.
    """
    match node:
        case Not(part=part):
            return searched_words(part, table)
        case And(parts=parts) | Or(parts=parts):
            return sum(searched_words(part, table) for part in parts)
        case Same(left=left, right=right):
            return 2 * (searched_words(left, table) + searched_words(right, table))
        case Missing(of=of) if isinstance(of, PREDICATES):
            return 2 * searched_words(of, table)
        case Like(of=of) | Among(of=of):
            return n_words(of, table)
        case Compare(left=left, right=right):
            plain = isinstance(left, Property) and isinstance(right, Constant)
            # Two columns are put in one order, which costs more than a look.
            return 0 if plain else 2 * (n_words(left, table) + n_words(right, table))
    return 0


def _cost(node: Predicate) -> int:
    """Say which tests go first: those of columns, then joined ones, then those of places."""
    match node:
        case Spatial():
            return 2
        case And() | Or() | Not() | Same():
            return 1
    return 0


def _all_of(tests: Sequence[Test]) -> Test:
    def test(rows: Span) -> Bools:
        found = tests[0](rows)
        for one in tests[1:]:
            n = int(np.count_nonzero(found))
            if n == 0:
                return found
            if n * 16 < len(found):  # few are left: ask only them
                places = np.flatnonzero(found)
                left = places + rows.start if isinstance(rows, slice) else rows[places]
                found[places] = one(left)
            else:
                found &= one(rows)
        return found

    return test


def _any_of(tests: Sequence[Test]) -> Test:
    def test(rows: Span) -> Bools:
        found = tests[0](rows)
        for one in tests[1:]:
            found |= one(rows)
        return found

    return test


def _same(one: tuple[Test, Test], other: tuple[Test, Test]) -> Test:
    return lambda rows: (one[0](rows) & other[0](rows)) | (one[1](rows) & other[1](rows))


def _missing_test(of: Scalar | Geometry | Predicate, table: FeatureTable, *, holds: bool) -> Test:
    if isinstance(of, Geometry):
        nowhere = np.isnan(table.lon) if table.lon is not None else np.isnan(table.boxes[:, 0])
        return lambda rows: nowhere[rows] == holds
    if isinstance(of, Property | Folded | Constant):
        inner, _ = folds_of(of)
        if isinstance(inner, Property):
            column = column_of(table, inner)
            return lambda rows: column.missing(rows) == holds
        return constant_test(value=(inner.value != inner.value) == holds)
    if isinstance(of, Time):
        return constant_test(value=not holds)
    if isinstance(of, Arithmetic):
        numbers = _numbers(of, table)
        return lambda rows: np.isnan(numbers(rows)) == holds
    true, false = prepared(of, table), prepared(of, table, holds=False)
    return lambda rows: (true(rows) | false(rows)) != holds


def _compare_test(relation: Relation, left: Scalar, right: Scalar, table: FeatureTable) -> Test:
    if left.kind == "text":
        return compare_texts(relation, left, cast("Text", right), table)
    if isinstance(left, Property) and isinstance(right, Constant | Time):
        column = column_of(table, left)
        value = right.first if isinstance(right, Time) else cast("float", right.value)
        return range_test(column, relation, value)
    if left.kind in {"time", "boolean"}:
        one, other = _whole_numbers(left, table), _whole_numbers(right, table)

        def whole(rows: Span) -> Bools:
            (a, has_a), (b, has_b) = one(rows), other(rows)
            return np.asarray(RELATIONS[relation](a, b) & has_a & has_b, bool)

        return whole
    first, second = _numbers(left, table), _numbers(right, table)

    def test(rows: Span) -> Bools:
        a, b = first(rows), second(rows)
        return np.asarray(RELATIONS[relation](a, b) & ~np.isnan(a) & ~np.isnan(b), bool)

    return test


def _whole_numbers(of: Scalar, table: FeatureTable) -> Callable[[Span], tuple[NDArray[Any], Bools]]:
    if isinstance(of, Property):
        column = column_of(table, of)
        return lambda rows: (column.stored[rows].astype(np.int64), ~column.missing(rows))
    value = of.first if isinstance(of, Time) else int(of.value)  # type: ignore[union-attr]
    return lambda rows: (np.full(n_rows(rows), value, np.int64), np.ones(n_rows(rows), bool))


def _numbers(of: Scalar, table: FeatureTable) -> Callable[[Span], NDArray[np.float64]]:
    """Give numbers as float64, NaN where there is none: not known, divided by zero, or beyond all numbers."""
    if isinstance(of, Arithmetic):
        one, other, calculate = (
            _numbers(of.left, table),
            _numbers(of.right, table),
            calculation(of.sign),
        )

        def calculated(rows: Span) -> NDArray[np.float64]:
            with np.errstate(all="ignore"):
                found = calculate(one(rows), other(rows))
            found[~np.isfinite(found)] = np.nan
            return found

        return calculated
    if isinstance(of, Constant):
        value = float(of.value)
        return lambda rows: np.full(n_rows(rows), value)
    assert isinstance(of, Property)  # noqa: S101 - a promise to the type checker
    column = column_of(table, of)

    def numbers(rows: Span) -> NDArray[np.float64]:
        found = column.stored[rows].astype(np.float64)
        found[column.missing(rows)] = np.nan
        return found

    return numbers


def _among_test(node: Among, table: FeatureTable, *, holds: bool) -> Test:
    if node.of.kind == "text" and isinstance(node.of, Property | Folded | Constant):
        inner, folds = folds_of(node.of)
        texts = tuple(_folded_constant(choice) for choice in node.choices)
        return word_test(inner, table, lambda words: listed_words(words, folds, texts), holds=holds)
    values = [
        choice.first if isinstance(choice, Time) else cast("float", choice.value)
        for choice in node.choices
    ]
    if isinstance(node.of, Property) and node.of.kind in {"time", "boolean"}:
        sought = np.unique(np.array([int(value) for value in values], np.int64))
        return listed_test(column_of(table, node.of), sought, holds=holds)
    if isinstance(node.of, Property) and (column := column_of(table, node.of)).kind == "integer":
        whole = {int(value) for value in values if abs(value) < 2**63 and value == int(value)}
        return listed_test(column, np.array(sorted(whole), np.int64), holds=holds)
    numbers = _numbers(node.of, table)
    wanted = np.unique(np.array(values, np.float64))

    def test(rows: Span) -> Bools:
        found = numbers(rows)
        return np.asarray((is_in(found, wanted) == holds) & ~np.isnan(found))

    return test


def _folded_constant(choice: Constant | Time) -> str:
    assert isinstance(choice, Constant)  # noqa: S101 - a promise to the type checker
    return str(choice.value)
