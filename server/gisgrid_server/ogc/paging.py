"""Which rows are on a page? Pages follow the features' numbers, not their count from the top.

A page begins after a feature (``after``) or ends before one (``before``). Rows that come in or go away in between
therefore neither repeat a feature nor pass one over: fresh rows have greater numbers and come last.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Page:
    """A page of rows.

    Attributes
    ----------
    rows
        Shape (m,), positions in the table, by rising number.
    n_matched
        How many rows were asked for in all.
    before
        The number that the page before this one ends before; None where there is none.
    after
        The number that the next page begins after; None where there is none.
    """

    rows: NDArray[np.int64]
    n_matched: int
    before: int | None
    after: int | None


def page(
    number: NDArray[np.int64],
    selected: NDArray[np.bool_] | None,
    *,
    limit: int,
    after: int | None = None,
    before: int | None = None,
) -> Page:
    """Choose the rows of a page.

    Parameters
    ----------
    number
        Shape (n,), what rows are ordered by, each different.
    selected
        Shape (n,), which rows were asked for; None for all.
    limit
        How many rows the page holds at most.
    after, before
        Where it begins or ends, as the links of another page say; `before` goes first.

    Returns
    -------
    Page
        The page.

    Notes
    -----
    Cost: a look at every number; sorting only those of the page.

    Examples
    --------
    >>> first = page(np.array([30, 10, 20]), None, limit=2)
    >>> first.rows.tolist(), first.n_matched, first.before, first.after
    ([1, 2], 3, None, 20)
    """
    n_matched = len(number) if selected is None else int(np.count_nonzero(selected))
    candidates = _run(number, selected, limit=limit, after=after, before=before)
    numbers = number[candidates]
    chosen = _least(numbers, limit) if before is None else _least(-numbers, limit)[::-1]
    rows = candidates[chosen]
    if not len(rows):
        return Page(rows, n_matched, None, None)
    first, last = int(number[rows[0]]), int(number[rows[-1]])
    some_before = _any(number < first, selected)
    some_after = _any(number > last, selected)
    return Page(rows, n_matched, first if some_before else None, last if some_after else None)


def _run(
    number: NDArray[np.int64],
    selected: NDArray[np.bool_] | None,
    *,
    limit: int,
    after: int | None,
    before: int | None,
) -> NDArray[np.int64]:
    """Find rows among which the page is: for all rows, a run of numbers just long enough."""
    if selected is not None:
        there = np.flatnonzero(selected)
        if before is not None:
            return there[number[there] < before]
        return there if after is None else there[number[there] > after]
    if not len(number):
        return np.zeros(0, np.int64)
    least, greatest = int(number.min()), int(number.max())
    low, high = (least - 1 if after is None else max(after, least - 1)), greatest + 1
    if before is not None:
        low, high = least - 1, min(before, greatest + 1)
    span = limit
    while True:
        bottom, top = (max(low, high - span - 1), high) if before is not None else (low, min(high, low + span + 1))  # fmt: skip
        found = np.flatnonzero((number > bottom) & (number < top))
        if len(found) >= limit or (bottom <= low and top >= high):
            return found
        span *= 8


def _least(numbers: NDArray[np.int64], limit: int) -> NDArray[np.int64]:
    if len(numbers) > limit:
        chosen = np.argpartition(numbers, limit - 1)[:limit]
        return chosen[np.argsort(numbers[chosen], kind="stable")]
    return np.argsort(numbers, kind="stable")


def _any(condition: NDArray[np.bool_], selected: NDArray[np.bool_] | None) -> bool:
    return bool(condition.any() if selected is None else (condition & selected).any())
