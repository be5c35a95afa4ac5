"""Which reports are near each other in place, time and words? The loops and measures behind `duplicates`."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from rapidfuzz import fuzz, process, utils

from gisgrid.compiled import compiled

MOST_CANDIDATES: Final = 4
"""Earlier reports that are kept in mind for one report: the likeliest."""
N_BINS: Final = 20
_MOST_LOOKED_AT: Final = 512
"""Rows of one cell that are looked at for one report: the latest. A cell that has more in a few days is a pile."""

_MIX_A, _MIX_B = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD6E8FEB86659FD93)
_NULL = np.uint64(0xA0761D6478BD642F)
_SHIFT, _EIGHT = np.uint64(32), np.uint64(8)


class Near(NamedTuple):
    """What was found near each report, in place and time, of its own class.

    Attributes
    ----------
    candidate
        Shape (n, `MOST_CANDIDATES`), earlier reports, likeliest first; -1 where there are fewer.
    distance_m, lag_us
        The same shape: how far and how much earlier.
    n_pairs
        Shape (n,), all earlier reports within radius and window.
    n_elsewhen
        Shape (n,), reports within the radius, outside the window before and after.
    n_around
        Shape (n,), reports at any time in the nine cells around, outside the radius.
    by_distance, by_lag, by_chance
        Shape (`N_BINS`,): the pairs of `n_pairs` by their squared distance and by their lag, and those of `n_elsewhen`
        by their squared distance, each as shares of radius and window.
    """

    candidate: NDArray[np.int64]
    distance_m: NDArray[np.float32]
    lag_us: NDArray[np.int64]
    n_pairs: NDArray[np.int64]
    n_elsewhen: NDArray[np.int64]
    n_around: NDArray[np.int64]
    by_distance: NDArray[np.int64]
    by_lag: NDArray[np.int64]
    by_chance: NDArray[np.int64]


class Reports(NamedTuple):
    """Reports as the compiled loops want them.

    Attributes
    ----------
    x, y
        Shape (n,), metres.
    time_us
        Shape (n,).
    group
        Shape (n,), the class.
    radius_m, window_us
        By class.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    time_us: NDArray[np.int64]
    group: NDArray[np.int64]
    radius_m: NDArray[np.float64]
    window_us: NDArray[np.int64]


@compiled
def find_near(
    sorted_reports: Reports, rank: NDArray[np.int64], key: NDArray[np.int64], step: int
) -> Near:
    """Find, for every report, the earlier ones of its class within radius and window.

    Parameters
    ----------
    sorted_reports
        Sorted by cell, in the order of time within each.
    rank
        Shape (n,), the place of each in the order of time of all.
    key
        Shape (n,), the cell of each, rising: class, column, row; cells are as wide as the class's radius.
    step
        What `key` grows by from one column to the next.

    Returns
    -------
    Near
        In the order of time.
    """
    n = len(rank)
    near = Near(
        np.full((n, MOST_CANDIDATES), -1, np.int64),
        np.zeros((n, MOST_CANDIDATES), np.float32),
        np.zeros((n, MOST_CANDIDATES), np.int64),
        np.zeros(n, np.int64),
        np.zeros(n, np.int64),
        np.zeros(n, np.int64),
        np.zeros(N_BINS, np.int64),
        np.zeros(N_BINS, np.int64),
        np.zeros(N_BINS, np.int64),
    )
    pointer = np.zeros(3, np.int64)
    cells = np.zeros((9, 5), np.int64)
    first = 0
    while first < n:
        last = first
        while last < n and key[last] == key[first]:
            last += 1
        n_cells = _cells_around(key, key[first], step, pointer, cells)
        _look_around(sorted_reports, rank, first, last, cells[:n_cells], near)
        first = last
    return near


@compiled
def _cells_around(
    key: NDArray[np.int64],
    here: int,
    step: int,
    pointer: NDArray[np.int64],
    cells: NDArray[np.int64],
) -> int:
    """Find the up to nine filled cells around a cell; `pointer` only moves on, as cells come in rising order.

    `cells` gets, for each: where it begins and ends, how many of its rows are skipped for one that is counted, and from
    where to where the earlier reports in the window lie, which only moves on (nowhere at first).
    """
    n_cells = 0
    for column in range(3):
        lowest = here + (column - 1) * step - 1
        p = pointer[column]
        while p < len(key) and key[p] < lowest:
            p += 1
        pointer[column] = p
        while p < len(key) and key[p] <= lowest + 2:
            begin = p
            while p < len(key) and key[p] == key[begin]:
                p += 1
            stride = (p - begin + _MOST_LOOKED_AT - 1) // _MOST_LOOKED_AT
            for at, value in enumerate((begin, p, stride, begin, begin)):
                cells[n_cells, at] = value
            n_cells += 1
    return n_cells


@compiled
def _look_around(  # noqa: PLR0917 - a loop's arrays
    reports: Reports,
    rank: NDArray[np.int64],
    first: int,
    last: int,
    cells: NDArray[np.int64],
    near: Near,
) -> None:
    """Look for all reports of one cell in the cells around it."""
    radius, window = reports.radius_m[reports.group[first]], reports.window_us[reports.group[first]]
    most, scale = radius * radius, 1.0 / (radius * radius)
    for here in range(first, last):
        x, y, time_us, j = reports.x[here], reports.y[here], reports.time_us[here], rank[here]
        n_around, n_elsewhen = 0, 0
        for cell in range(len(cells)):
            stop, stride, low, high = cells[cell, 1], cells[cell, 2], cells[cell, 3], cells[cell, 4]
            for i in range(cells[cell, 0], stop, stride):
                square = (reports.x[i] - x) ** 2 + (reports.y[i] - y) ** 2
                if square > most:
                    n_around += stride
                elif abs(reports.time_us[i] - time_us) > window:
                    n_elsewhen += stride
                    near.by_chance[_bin(square * scale)] += stride
            while low < stop and reports.time_us[low] < time_us - window:
                low += 1
            while high < stop and rank[high] < j:
                high += 1
            cells[cell, 3], cells[cell, 4] = low, high
            for p in range(max(low, high - _MOST_LOOKED_AT), high):
                square = (reports.x[p] - x) ** 2 + (reports.y[p] - y) ** 2
                if square <= most:
                    lag_us = time_us - reports.time_us[p]
                    near.n_pairs[j] += 1
                    near.by_distance[_bin(square * scale)] += 1
                    near.by_lag[_bin(lag_us / window)] += 1
                    _keep(near, j, rank[p], np.sqrt(square), lag_us, radius, window)
        near.n_around[j], near.n_elsewhen[j] = n_around, n_elsewhen


@compiled
def _bin(share: float) -> int:
    return min(int(share * N_BINS), N_BINS - 1)


@compiled
def _keep(  # noqa: PLR0917 - one candidate and what it is measured by
    near: Near, j: int, i: int, distance_m: float, lag_us: int, radius: float, window: int
) -> None:
    """Keep a candidate in its place among the likeliest; equally likely ones by their time."""
    unlikely = log_unlikeness(distance_m / radius, lag_us / window)
    place = MOST_CANDIDATES
    while place > 0:
        other = near.candidate[j, place - 1]
        if other >= 0:
            d, lag = near.distance_m[j, place - 1] / radius, near.lag_us[j, place - 1] / window
            theirs = log_unlikeness(d, lag)
            if theirs < unlikely or (theirs == unlikely and other < i):
                break
        place -= 1
    if place == MOST_CANDIDATES:
        return
    for k in range(MOST_CANDIDATES - 1, place, -1):
        near.candidate[j, k] = near.candidate[j, k - 1]
        near.distance_m[j, k] = near.distance_m[j, k - 1]
        near.lag_us[j, k] = near.lag_us[j, k - 1]
    near.candidate[j, place] = i
    near.distance_m[j, place] = np.float32(distance_m)
    near.lag_us[j, place] = lag_us


@compiled
def log_unlikeness(share_of_radius: float, share_of_window: float) -> float:
    """Say how fast the likeliness of one incident falls with distance and time.

    Parameters
    ----------
    share_of_radius, share_of_window
        0 to 1.

    Returns
    -------
    float
        The negative logarithm of the fall: Gaussian in distance (a third of the radius is one standard deviation of
        phone positions), exponential in time (a third of the window on average).
    """
    return 4.5 * share_of_radius**2 + 3.0 * share_of_window


@compiled
def link(
    reports: Reports, near: Near, score: NDArray[np.float64], least_score: float
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Give each report to the incident of its likeliest earlier report, or make it an incident of its own.

    Parameters
    ----------
    reports
        In the order of time.
    near
        Their candidates.
    score
        Shape (n, `MOST_CANDIDATES`), 0 to 1.
    least_score
        What a candidate must reach.

    Returns
    -------
    first : ndarray of int64
        Shape (n,), the first report of the incident: the report itself where it begins one.
    score : ndarray of float32
        Shape (n,), of the link; 0 where there is none.

    Notes
    -----
    A report joins only an incident whose first report is itself within radius and window: incidents do not creep.
    """
    n = len(score)
    first, reached = np.arange(n), np.zeros(n, np.float32)
    for j in range(n):
        group = reports.group[j]
        radius, window = reports.radius_m[group], reports.window_us[group]
        for k in range(MOST_CANDIDATES):
            i = near.candidate[j, k]
            if i < 0:
                break
            if score[j, k] < least_score or score[j, k] <= reached[j]:
                continue
            root = first[i]
            square = (reports.x[root] - reports.x[j]) ** 2 + (reports.y[root] - reports.y[j]) ** 2
            if square <= radius * radius and reports.time_us[j] - reports.time_us[root] <= window:
                first[j], reached[j] = root, score[j, k]
    return first, reached


def text_likeness(a: pa.Array, b: pa.Array) -> NDArray[np.float64]:
    """Say how alike pairs of descriptions are.

    Parameters
    ----------
    a, b
        Shape (n,), texts in any language.

    Returns
    -------
    ndarray
        Shape (n,), 0 to 1: the share of characters in common order, without case and punctuation. NaN where one of the
        two is missing or shorter than four characters.
    """
    texts = [
        [" ".join(utils.default_process(text or "").split()) for text in side.to_pylist()]
        for side in (a, b)
    ]
    if not texts[0]:
        return np.zeros(0)
    alike = process.cpdist(*texts, scorer=fuzz.ratio, dtype=np.float64) / 100.0
    short = [np.array([len(text) for text in side]) < 4 for side in texts]
    return np.where(short[0] | short[1], np.nan, alike)
