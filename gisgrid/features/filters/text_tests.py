"""Tests on texts: asked of the dictionary once, then of the rows by their codes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gisgrid.features.filters.column_tests import (
    RELATIONS,
    Bools,
    Test,
    code_test,
    column_of,
    constant_test,
)
from gisgrid.features.filters.folding import (
    compared_words,
    folded_text,
    folded_texts,
    folds_of,
)
from gisgrid.features.filters.limits import FilterError
from gisgrid.features.filters.nodes import Constant, Fold, Folded, Property, Relation, Scalar, Text
from gisgrid.features.filters.places import Span, n_rows
from gisgrid.features.table import FeatureTable
from gisgrid.features.words import Words


def n_words(text: Scalar, table: FeatureTable) -> int:
    """Say how many distinct texts a value may have.

    Parameters
    ----------
    text
        A value.
    table
        The features.

    Returns
    -------
    int
        The words of its column; 0 for what is no column of texts.
    """
    inner = folds_of(text)[0] if isinstance(text, Constant | Property | Folded) else None
    if not isinstance(inner, Property) or inner.kind != "text":
        return 0
    return len(column_of(table, inner).words)


def word_test(
    text: Constant | Property,
    table: FeatureTable,
    choose: Callable[[Words], Bools],
    *,
    holds: bool,
) -> Test:
    """Choose words of the dictionary, and rows by their words.

    Parameters
    ----------
    text
        The text without folds.
    table
        The features.
    choose
        Of words; says which.
    holds
        Whether rows must have one of those, or must not.

    Returns
    -------
    callable
        Of rows; says whether they pass.

    Raises
    ------
    FilterError
        A pattern that cannot be matched.
    """
    if isinstance(text, Constant):
        return constant_test(
            value=bool(_chosen(choose, Words.from_texts([str(text.value)]))[0]) == holds
        )
    column = column_of(table, text)
    return code_test(column, _chosen(choose, column.words) == holds)


def _chosen(choose: Callable[[Words], Bools], words: Words) -> Bools:
    try:
        return choose(words)
    except pa.ArrowInvalid as error:
        raise FilterError("the pattern after LIKE is too long to be matched; shorten it") from error


def compare_texts(relation: Relation, left: Text, right: Text, table: FeatureTable) -> Test:
    """Compare two texts in the order of code points.

    Parameters
    ----------
    relation
        The relation.
    left, right
        Columns or constants, folded or not.
    table
        The features.

    Returns
    -------
    callable
        Of rows; says whether they pass.
    """
    (one, folds), (other, other_folds) = folds_of(left), folds_of(right)
    if isinstance(one, Property) and isinstance(other, Constant):
        column, text = column_of(table, one), folded_text(str(other.value), other_folds)
        if folds:
            return code_test(column, compared_words(column.words, folds, relation, text))
        return code_test(column, _words_in_order(column.words, relation, text))
    ranks = _ranks((one, folds), (other, other_folds), table)
    first, second = _row_ranks(one, ranks[0], table), _row_ranks(other, ranks[1], table)

    def test(rows: Span) -> Bools:
        a, b = first(rows), second(rows)
        return np.asarray(RELATIONS[relation](a, b) & (a >= 0) & (b >= 0), bool)

    return test


def _words_in_order(words: Words, relation: Relation, text: str) -> Bools:
    """Choose words by their place before, at or after a text; two binary searches."""
    low, high = words.rank(text), words.rank(text, after=True)
    chosen = np.zeros(len(words), bool)
    chosen[:low] = relation in {"<", "<=", "<>"}
    chosen[low:high] = relation in {"=", "<=", ">="}
    chosen[high:] = relation in {">", ">=", "<>"}
    return chosen


def _ranks(
    one: tuple[Constant | Property, tuple[Fold, ...]],
    other: tuple[Constant | Property, tuple[Fold, ...]],
    table: FeatureTable,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rank the words of both sides among all of them."""
    texts = [folded_texts(_texts(text, table), folds) for text, folds in (one, other)]
    rank = pc.rank(pa.concat_arrays(texts), tiebreaker="dense").to_numpy().astype(np.int64)
    return rank[: len(texts[0])], rank[len(texts[0]) :]


def _texts(text: Constant | Property, table: FeatureTable) -> pa.Array:
    if isinstance(text, Constant):
        return pa.array([text.value], pa.large_string())
    return column_of(table, text).words.arrow()


def _row_ranks(
    text: Constant | Property, ranks: NDArray[np.int64], table: FeatureTable
) -> Callable[[Span], NDArray[np.int64]]:
    """Give rows the ranks of their words; -1 where there is no text."""
    if isinstance(text, Constant):
        return lambda rows: np.full(n_rows(rows), ranks[0])
    codes, known = column_of(table, text).stored, np.append(ranks, -1)
    return lambda rows: known[np.minimum(codes[rows].astype(np.int64), len(ranks))]
