"""Search a map, and many maps that chance made, for their best windows."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gisgrid.analysis.scans import kernels
from gisgrid.analysis.scans.kernels import LANES
from gisgrid.analysis.scans.windows import Places, Table, halves
from gisgrid.progress import Progress

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_THREADS: Final = min(2, os.cpu_count() or 1)
_HELD: Final = 256_000_000  # bytes of random maps that are held at once
_KEPT: Final = 64_000_000  # windows that are made once and kept: 256 MB
_STEP: Final = 0.25  # of the likelihood ratio, from one row of the ladder to the next
_LEVELS: Final = 80
_ROOT: Final = (
    0.05  # of the square root of what is expected, from one bin of the ladder to the next
)
_BINS: Final = 4_000
_SMALL: Final = np.iinfo(np.int16).max - 1  # cases that can be counted in 16 bits
_TIE: Final = (
    1e-9  # likelihood ratios that differ by less than this share of themselves differ by rounding
)


@dataclass(frozen=True)
class Problem:
    """What is scanned, in the order in which windows grow where distances are tied.

    Attributes
    ----------
    places
        Where the n units are, and which windows are tried.
    counts
        Shape (n, t), cases per unit and step of time; t = 1 where time plays no part.
    expected
        Shape (n, t), how many chance would put there; sums to the same total.
    population
        All who were looked at, for the Bernoulli model; 0 for the others.
    steps
        Shape (k,), the steps of time at whose end (0: before the first) an interval may begin or end.
    first, last
        Shape (m,), the intervals, as places in `steps`.
    draw
        Makes counts as chance would, shape (n, t).
    """

    places: Places
    counts: Ints
    expected: Floats
    population: float
    steps: Ints
    first: Ints
    last: Ints
    draw: Callable[[np.random.Generator], Ints]

    @property
    def total(self) -> int:
        """How many cases there are."""
        return int(self.counts.sum())

    def running(self, values: NDArray[np.generic]) -> NDArray[np.generic]:
        """Add up over time, shape (n, t), and keep the totals at `steps`, shape (n, k)."""
        before = np.zeros((len(values), 1), values.dtype)
        totals = np.concatenate([before, np.cumsum(values, axis=1)], axis=1)
        return np.ascontiguousarray(totals[:, self.steps])


@dataclass(frozen=True)
class Found:
    """The best window of each unit, and the best of each random map.

    Attributes
    ----------
    value
        Shape (n,), the likelihood ratio (penalised) of the best window around each unit; 0 where there is none.
    size, border, outline, interval, sign
        Shape (n,), how many units it holds, the last of them, its place in `Window.outlines`, its interval, and 1 for a
        high rate.
    maxima
        Shape (permutations,), the best value of each random map, in the order they were drawn.
    """

    value: Floats
    size: Ints
    border: Ints
    outline: Ints
    interval: Ints
    sign: Ints
    maxima: Floats


def search(
    problem: Problem, *, permutations: int, stop_after: int | None, seed: int, progress: Progress
) -> Found:
    """Find the best window around each unit, and the best windows of random maps.

    Parameters
    ----------
    problem
        At least one case.
    permutations
        How many random maps.
    stop_after
        Stop when that many of them have reached the best window; None to draw them all.
    seed
        Seed of the maps; map k is the same however many are drawn.
    progress
        Told how many maps are done.

    Returns
    -------
    Found
        Observed and random.
    """
    with ThreadPoolExecutor(_THREADS) as threads:
        work = _Work(problem, threads)
        best = work.observed()
        maxima: list[Floats] = []
        for lowest, many in _rounds(permutations, work.batch_bytes, growing=stop_after is not None):
            maxima.extend(work.random(seed, lowest, many, permutations, progress))
            reached = np.concatenate(maxima)[:permutations] >= best[0].max() * (1 - _TIE)
            if stop_after is not None and reached.sum() >= stop_after:
                enough = int(np.flatnonzero(reached)[stop_after - 1]) + 1
                maxima = [np.concatenate(maxima)[:enough]]
                break
        progress("scan", 1.0)
    drawn = np.concatenate(maxima)[:permutations] if maxima else np.empty(0)
    return Found(*best, drawn)


def chance_p(values: Floats, maxima: Floats, stop_after: int | None) -> Floats:
    """How often does the best window of a random map do as much?

    Parameters
    ----------
    values
        Shape (m,), likelihood ratios observed.
    maxima
        Shape (r,), the best of each random map.
    stop_after
        As for `search`.

    Returns
    -------
    ndarray
        Shape (m,): (maps that reach it + 1) / (r + 1); where `stop_after` maps reach it, that number over the maps drawn
        until then (Besag & Clifford 1991). NaN without maps.
    """
    if len(maxima) == 0:
        return np.full(len(values), np.nan)
    ranked = np.sort(maxima)
    reach = len(ranked) - np.searchsorted(ranked, values * (1 - _TIE), side="left")
    p: Floats = (reach + 1) / (len(ranked) + 1)
    if stop_after is not None:
        for i in np.flatnonzero(reach >= stop_after):
            at = np.flatnonzero(maxima >= values[i] * (1 - _TIE))[stop_after - 1]
            p[i] = stop_after / (at + 1)
    return p


def gumbel_p(values: Floats, maxima: Floats) -> Floats:
    """How often would chance do as much, if the best of random maps follow Gumbel's distribution?

    Parameters
    ----------
    values
        Shape (m,), likelihood ratios observed.
    maxima
        Shape (r,), the best of each random map.

    Returns
    -------
    ndarray
        Shape (m,), from the moments; finer than one over the number of maps. NaN where the maps do not differ.

    Notes
    -----
    Source: Abrams, Kulldorff & Kleinman 2010.
    """
    spread = float(maxima.std(ddof=1)) if len(maxima) > 1 else 0.0
    if not spread > 0:
        return np.full(len(values), np.nan)
    scale = spread * np.sqrt(6) / np.pi
    middle = float(maxima.mean()) - np.euler_gamma * scale
    p: Floats = -np.expm1(-np.exp(-(values - middle) / scale))
    return p


def _rounds(permutations: int, batch_bytes: int, *, growing: bool) -> Iterator[tuple[int, int]]:
    """Plan the random maps: first map and number of batches of each round."""
    most = max(_THREADS, _HELD // batch_bytes)
    batches, done = -(-permutations // LANES), 0
    many = _THREADS if growing else most
    while done < batches:
        now = min(many, most, batches - done)
        yield done * LANES, now
        done += now
        many *= 2


class _Work:
    """A problem with its tables of windows, its ladders and its threads."""

    def __init__(self, problem: Problem, threads: Executor) -> None:
        self.problem, self.threads = problem, threads
        self.window = problem.places.window
        self.total = problem.total
        self.flat = problem.counts.shape[1] == 1
        self.dtype = np.dtype(np.int16 if self.total <= _SMALL else np.int32)
        self.expected: Floats = problem.running(problem.expected).astype(float)
        self.totals = (float(self.total), problem.population)
        most = self.total * (self.window.max_share if self.flat else 1.0)
        bins = int(np.clip(np.ceil(np.sqrt(most) / _ROOT), 1, _BINS)) + 1
        roots = np.arange(bins + 1) * (np.sqrt(most) / (bins - 1))
        self.scale = (_STEP, (bins - 1) / np.sqrt(most) * (1 - 1e-12))
        self.ladders = {sign: self._ladder(sign, roots) for sign in self.window.signs}
        self.kept: list[Table] | None = None

    def _ladder(self, sign: int, roots: Floats) -> NDArray[np.integer]:
        ladder = np.empty((_LEVELS, len(roots) - 1), self.dtype)
        least = self.window.min_cases
        kernels.fill_ladder(ladder, roots, _STEP, sign, self.total, self.problem.population, least)
        return ladder

    @property
    def batch_bytes(self) -> int:
        return self.expected.size * LANES * self.dtype.itemsize

    def tables(self) -> Iterator[Table]:
        """Go through all windows; tables that are small enough together are made once."""
        if self.kept is not None:
            yield from self.kept
            return
        seen: list[Table] = []
        many = 0
        for table in self.problem.places.tables(self.threads):
            many += len(table.order)
            if many <= _KEPT:
                seen.append(table)
            else:
                seen = []
            yield table
        if many <= _KEPT:
            self.kept = seen

    def observed(self) -> tuple[Floats, Ints, Ints, Ints, Ints, Ints]:
        """Find the best window around each unit: the fields of `Found` but the last."""
        n = len(self.expected)
        value = np.zeros(n)
        size, border, outline, interval, sign = (np.zeros(n, np.int64) for _ in range(5))
        counts = self.problem.running(self.problem.counts)
        for table in self.tables():
            for side in self.window.signs:
                runs = halves(len(table.centres), 4 * _THREADS)
                parts = self.threads.map(
                    lambda run, table=table, side=side: self._best(
                        table, run, side, counts * side, value
                    ),
                    runs,
                )
                for run, (best, *of_it) in zip(runs, parts, strict=True):
                    at = table.centres[slice(*run)]
                    better = best > value[at]
                    at = at[better]
                    value[at] = best[better]
                    size[at], border[at], interval[at] = (held[better] for held in of_it)
                    outline[at], sign[at] = table.outline, side
        return value, size, border, outline, interval, sign

    def _best(
        self, table: Table, run: tuple[int, int], side: int, counts: Ints, value: Floats
    ) -> tuple[Floats, Ints, Ints, Ints]:
        best = value[table.centres[slice(*run)]]
        size, border, interval = (np.zeros(len(best), np.int64) for _ in range(3))
        kernels.best_windows(
            *table.part(*run),
            self.expected,
            counts,
            self.problem.first,
            self.problem.last,
            self.ladders[side],
            self.scale,
            side,
            self.totals,
            self.window.outlines[table.outline].penalty,
            best,
            size,
            border,
            interval,
        )
        return best, size, border, interval

    def random(
        self, seed: int, lowest: int, many: int, permutations: int, progress: Progress
    ) -> list[Floats]:
        """Scan `many` batches of random maps from number `lowest` on; give the best value of each map."""
        batches = list(
            self.threads.map(lambda i: self._drawn(seed, lowest + i * LANES), range(many))
        )
        maxima = [np.zeros(LANES) for _ in batches]
        outlines = len(self.window.outlines)
        for table in self.tables():
            done = self.threads.map(
                lambda i, table=table: self._scan(table, batches[i], maxima[i]), range(many)
            )
            for i, _ in enumerate(done):
                share = (table.outline + (i + 1) / many) / outlines
                progress("scan", min(1.0, (lowest + share * many * LANES) / permutations))
        return maxima

    def _drawn(self, seed: int, lowest: int) -> NDArray[np.integer]:
        """Draw a batch of random maps, side by side: (n, LANES), or (n, slots, LANES) of running totals over time."""
        maps = np.empty((LANES, *self.expected.shape), self.dtype)
        for lane in range(LANES):
            drawn = self.problem.draw(np.random.default_rng([seed, lowest + lane]))
            maps[lane] = self.problem.running(drawn)
        batch = np.ascontiguousarray(np.moveaxis(maps, 0, -1))
        return np.ascontiguousarray(batch[:, -1]) if self.flat else batch

    def _scan(self, table: Table, batch: NDArray[np.integer], maxima: Floats) -> None:
        penalty = self.window.outlines[table.outline].penalty
        for side in self.window.signs:
            signed = batch if side > 0 else -batch
            ladder = self.ladders[side]
            if self.flat:
                kernels.area_maxima(
                    table.order,
                    table.start,
                    np.ascontiguousarray(self.expected[:, -1]),
                    signed,
                    ladder,
                    self.scale,
                    side,
                    self.totals,
                    penalty,
                    maxima,
                )
            else:
                kernels.cylinder_maxima(
                    table.order,
                    table.start,
                    self.expected,
                    signed,
                    self.problem.first,
                    self.problem.last,
                    ladder,
                    self.scale,
                    side,
                    self.totals,
                    penalty,
                    maxima,
                )
