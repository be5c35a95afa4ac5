"""Which of the candidates do the points speak for, and would they fit better somewhere else altogether?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS

from gisgrid.datum import Datum
from gisgrid.intake.datums.candidates import frames, log_prior, shifted
from gisgrid.intake.datums.fit import M_PER_DEG, Fit, Ground, evidence
from gisgrid.intake.datums.marks import Marks

Floats: TypeAlias = NDArray[np.float64]
Rows: TypeAlias = NDArray[np.int64]

SAMPLE, _STREET_SAMPLE = 20_000, 800
"""Rows looked at, and rows measured to the streets, at most."""
_MOST_FRAMES: Final = 6
_NEARBY_M: Final = 5_000.0
"""Candidates that put the points this near to each other are told apart by borders, not by being elsewhere."""
_FULL_INSIDE: Final = 0.9
"""Below this, reports from outside the units are common, and how many lie inside says nothing about a small shift."""
_STREET_PROOF: Final = float(np.log(20))
_MISFIT_PROOF, _MISFIT_GAIN = 7.0, 0.004
"""Logarithm of the odds, and gain in the share that fits, from which a move tells against every candidate: of 40
moves tried, one reaches these odds by chance in 30 files."""
_RINGS_M: Final = (100.0, 200.0, 400.0, 800.0, 1600.0)
_REFINING_M: Final = (400.0, 200.0, 100.0, 50.0, 25.0)
_CONTROL_RING_M: Final = 300.0


@dataclass(frozen=True)
class Case:
    """All that is known before the candidates are weighed.

    Attributes
    ----------
    x, y
        Shape (n,), the sampled columns, finite.
    ground
        The city's layers, or None.
    stated
        What the file's metadata say.
    marks
        What its words say.
    reference
        The CRSs of the city's layers.
    """

    x: Floats
    y: Floats
    ground: Ground | None
    stated: Datum | None
    marks: Marks
    reference: tuple[CRS, ...]

    @property
    def street_rows(self) -> Rows:
        """The points that are measured to the streets."""
        return spread(len(self.x), _STREET_SAMPLE)

    def fit(self, datum: Datum) -> Fit:
        """Look up the points as if they were in `datum`."""
        lon, lat = datum.to_lonlat(self.x, self.y)
        if self.ground is None:
            return Fit(lon, lat, np.zeros(0, np.int8), np.zeros(0, np.int8), np.empty(0))
        return self.ground.fit(lon, lat, np.arange(len(lon)), self.street_rows)

    def prior(self, datum: Datum) -> float:
        """Say how credible `datum` is before the points are looked at."""
        return log_prior(datum, stated=self.stated, marks=self.marks, reference=self.reference)


@dataclass(frozen=True)
class Verdict:
    """The candidates in order, and by how much the first is ahead of each.

    Attributes
    ----------
    datums, fits
        The best first.
    margins
        Logarithm of the odds of the best against each; 0 for itself.
    by_streets
        Whether the streets were heard: they are where the points are drawn to them.
    """

    datums: tuple[Datum, ...]
    fits: tuple[Fit, ...]
    margins: tuple[float, ...]
    by_streets: bool

    @property
    def confidence(self) -> float:
        """How sure the best is among these, 0 to 0.9999."""
        odds = np.exp(-np.clip(self.margins[1:], -700, 700)).sum() if len(self.margins) > 1 else 0.0
        return float(min(1 / (1 + odds), 0.9999))

    @property
    def scores(self) -> Floats:
        """How credible each is, 0 to 1, together 1."""
        weights = np.exp(-np.clip(self.margins, -700, 700))
        return np.asarray(weights / weights.sum())


def spread(n: int, most: int) -> Rows:
    """Choose up to `most` of n rows, evenly from the first to the last.

    Parameters
    ----------
    n
        How many rows there are.
    most
        How many are wanted at most.

    Returns
    -------
    ndarray
        Their positions, ascending.
    """
    return np.linspace(0, n - 1, min(n, most)).astype(np.int64)


def weigh(case: Case) -> Verdict | None:
    """Hold every candidate against the city's layers and put them in order.

    Parameters
    ----------
    case
        The points and what is known of them.

    Returns
    -------
    Verdict or None
        None where the numbers are those of no known system.
    """
    bounds = None if case.ground is None else case.ground.bounds
    plain = frames(case.x, case.y, stated=case.stated, bounds=bounds, reference=case.reference)
    datums: dict[str, Datum] = {}
    for datum in plain[:_MOST_FRAMES]:
        lon, lat = datum.to_lonlat(case.x[:500], case.y[:500])
        datums |= {variant.id: variant for variant in shifted(datum, lon, lat)}
    if not datums:
        return None
    return _rank(case, tuple(datums.values()), tuple(map(case.fit, datums.values())))


def _rank(case: Case, datums: tuple[Datum, ...], fits: tuple[Fit, ...]) -> Verdict:
    """Order the candidates, by streets too where the points are drawn to them under the best."""
    ground = case.ground
    if ground is None or ground.streets is None:
        return _tournament(case, datums, fits, streets=False)
    verdict = _tournament(case, datums, fits, streets=True)
    if _drawn_to_streets(ground, verdict.fits[0], case.street_rows):
        return verdict
    return _tournament(case, datums, fits, streets=False)


def _tournament(
    case: Case, datums: tuple[Datum, ...], fits: tuple[Fit, ...], *, streets: bool
) -> Verdict:
    priors = [case.prior(datum) for datum in datums]

    def margin(one: int, other: int) -> float:
        gain = priors[one] - priors[other]
        if case.ground is None or one == other:
            return gain
        inside = _inside_counts(fits[one], fits[other])
        return gain + evidence(
            fits[one], fits[other], inside=inside, streets=streets, rows=case.street_rows
        )

    best = int(np.argmax(priors))
    for other in range(len(datums)):
        if margin(best, other) < 0:
            best = other
    margins = [margin(best, other) for other in range(len(datums))]
    order = sorted(range(len(datums)), key=lambda i: (i != best, margins[i]))
    return Verdict(
        tuple(datums[i] for i in order),
        tuple(fits[i] for i in order),
        tuple(margins[i] for i in order),
        streets,
    )


def _inside_counts(one: Fit, other: Fit) -> bool:
    """Tell whether lying inside at all is a fair witness between two candidates."""
    if not len(one.levels_in):
        return False
    return (
        _apart_m(one, other) > _NEARBY_M
        or max(one.share_inside, other.share_inside) >= _FULL_INSIDE
    )


def _apart_m(one: Fit, other: Fit) -> float:
    east = (one.lon - other.lon) * np.cos(np.radians(one.lat))
    metres = np.hypot(east, one.lat - other.lat) * M_PER_DEG
    known = np.isfinite(metres)
    return float(np.median(metres[known])) if known.any() else float("inf")


def _moved(
    ground: Ground, fit: Fit, *, east_m: float, north_m: float, rows: Rows, by_streets: bool = False
) -> Fit:
    """Move some points of a fit and look them up there."""
    lon, lat = fit.lon[rows], fit.lat[rows]
    east = east_m / (M_PER_DEG * np.cos(np.radians(lat)))
    asked = np.arange(len(rows)) if by_streets else np.zeros(0, np.int64)
    return ground.fit(lon + east, lat + north_m / M_PER_DEG, rows, asked)


def _directions(radius_m: float) -> list[tuple[float, float]]:
    turn = np.arange(8) * np.pi / 4
    return [(float(radius_m * np.cos(a)), float(radius_m * np.sin(a))) for a in turn]


def _drawn_to_streets(ground: Ground, fit: Fit, rows: Rows) -> bool:
    """Tell whether the points lie nearer to streets here than when moved away in any direction."""
    silent = np.full(len(rows), -1, np.int8)
    here = Fit(fit.lon[rows], fit.lat[rows], fit.levels_in[rows], silent, fit.street_m)
    every = np.arange(len(rows))
    for east_m, north_m in _directions(_CONTROL_RING_M):
        moved = _moved(ground, fit, east_m=east_m, north_m=north_m, rows=rows, by_streets=True)
        there = Fit(moved.lon, moved.lat, moved.levels_in, silent, moved.street_m)
        if evidence(here, there, inside=False, streets=True, rows=every) < _STREET_PROOF:
            return False
    return True


@dataclass(frozen=True)
class Move:
    """A move of all points that fits better than any datum.

    Attributes
    ----------
    east_m, north_m
        The move.
    before, after
        Share of the points that fit: in the unit they name, or else inside.
    """

    east_m: float
    north_m: float
    before: float
    after: float


def better_move(ground: Ground, fit: Fit) -> Move | None:
    """Look around the best candidate for a place where the points fit clearly better.

    Parameters
    ----------
    ground
        The city's layers, with units.
    fit
        Where the best candidate puts the points.

    Returns
    -------
    Move or None
        None where no move of 100 m to 1.6 km fits clearly better.
    """
    inside = fit.share_inside >= _FULL_INSIDE
    if not inside and fit.share_named is None:
        return None
    rows = np.arange(len(fit.lon))

    def try_move(east_m: float, north_m: float, best: Fit) -> tuple[float, Fit]:
        there = _moved(ground, fit, east_m=east_m, north_m=north_m, rows=rows)
        return evidence(there, best, inside=inside, streets=False, rows=rows[:0]), there

    proof, at, best = _MISFIT_PROOF, (0.0, 0.0), fit
    for step in (move for radius in _RINGS_M for move in _directions(radius)):
        weight, there = try_move(*step, fit)
        if weight > proof and _agreement(there) - _agreement(fit) > _MISFIT_GAIN:
            proof, at, best = weight, step, there
    if best is fit:
        return None
    for radius in _REFINING_M:
        for east_m, north_m in _directions(radius):
            step = (at[0] + east_m, at[1] + north_m)
            weight, there = try_move(*step, best)
            if weight > 0:
                at, best = step, there
    return Move(*at, _agreement(fit), _agreement(best))


def _agreement(fit: Fit) -> float:
    named = fit.share_named
    return fit.share_inside if named is None else named
