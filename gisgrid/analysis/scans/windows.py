"""Which windows are tried: circles and ellipses around every unit, growing unit by unit."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from gisgrid.errors import InputError

Shape = Literal["circle", "ellipse"]
Rates = Literal["high", "low", "both"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_TABLE: Final = 16_000_000  # windows of one table: 64 MB
_CHUNK: Final = 100_000  # distances that are sorted at once: few enough for the processor's cache
_AHEAD: Final = 8  # chunks that are sorted before the next are begun, so that memory stays bounded
_EXACT: Final = 1e-9  # a share or a radius is kept to within this share of itself


@dataclass(frozen=True)
class Window:
    """Which windows a scan tries around each unit: their shape, and how large they may grow.

    Attributes
    ----------
    shape
        ``circle``, or ``ellipse``: circles and ellipses of five shapes and up to 15 directions.
    rates
        Windows with ``high`` rates (hotspots), ``low`` ones, or ``both``.
    max_share
        The share of the population (space-time permutation: of the cases) that a window may hold, above 0 and up to
        0.5. Half is the usual choice, and makes no claim about size beforehand; a tenth finds areas that a team can
        visit.
    max_radius_m
        No unit of a window is farther from its centre, in metres (of an ellipse: the long half axis); None for no bound.
    min_cases
        The fewest cases of a window with a high rate.
    axis_ratios
        Long axis / short axis of the ellipses, each above 1.
    directions
        How many directions of each of them are tried, evenly over 180°.
    compactness
        A long ellipse's likelihood ratio counts less, by (4 s / (s + 1)²) to this power, s its axis ratio: 0 not at all,
        0.5 medium, 1 strongly.

    Notes
    -----
    The defaults are those of SaTScan. Source: Kulldorff 1997; Kulldorff, Huang, Pickle & Duczmal 2006 (ellipses).
    """

    shape: Shape = "circle"
    rates: Rates = "high"
    max_share: float = 0.5
    max_radius_m: float | None = None
    min_cases: int = 2
    axis_ratios: tuple[float, ...] = (1.5, 2.0, 3.0, 4.0, 5.0)
    directions: tuple[int, ...] = (4, 6, 9, 12, 15)
    compactness: float = 0.5

    def __post_init__(self) -> None:
        """See that the window can be.

        Raises
        ------
        InputError
            A word that is not known or a number out of its range.
        """
        for name, asked, known in (
            ("shape", self.shape, get_args(Shape)),
            ("rates", self.rates, get_args(Rates)),
        ):
            if asked not in known:
                raise InputError(
                    f"a window has no {name} {asked!r}; choose one of {', '.join(known)}"
                )
        if not 0 < self.max_share <= 0.5:
            raise InputError(
                f"a window with a share of {self.max_share:g} is no local cluster; give max_share above 0 and up to 0.5"
            )
        if self.max_radius_m is not None and not 0 < self.max_radius_m < np.inf:
            raise InputError(
                f"a window with a radius of {self.max_radius_m:g} m holds nothing; give max_radius_m above 0 or None"
            )
        if self.min_cases < 1:
            raise InputError(
                f"a cluster of {self.min_cases} cases is none; give min_cases of 1 or more"
            )
        if len(self.axis_ratios) != len(self.directions) or not all(
            1 < ratio < np.inf and many >= 1
            for ratio, many in zip(self.axis_ratios, self.directions, strict=False)
        ):
            raise InputError(
                f"ellipses with axis_ratios {self.axis_ratios} and directions {self.directions} do not go together; "
                "give as many ratios above 1 as numbers of directions of 1 and more"
            )
        if not 0 <= self.compactness < np.inf:
            raise InputError(
                f"a compactness of {self.compactness:g} would favour long ellipses; give 0 or more"
            )

    @cached_property
    def outlines(self) -> tuple[Outline, ...]:
        """The circle and the ellipses, in the order they are tried."""
        circle = Outline(1.0, 0.0, 1.0)
        if self.shape == "circle":
            return (circle,)
        ellipses = [
            Outline(
                float(ratio),
                180.0 * i / many,
                float((4 * ratio / (ratio + 1) ** 2) ** self.compactness),
            )
            for ratio, many in zip(self.axis_ratios, self.directions, strict=True)
            for i in range(many)
        ]
        return (circle, *ellipses)

    @property
    def signs(self) -> tuple[int, ...]:
        """1 for high rates, -1 for low ones."""
        return {"high": (1,), "low": (-1,), "both": (1, -1)}[self.rates]


@dataclass(frozen=True)
class Outline:
    """A circle or an ellipse: long axis / short axis, degrees of the long axis counter-clockwise from east, penalty."""

    axis_ratio: float
    degrees: float
    penalty: float


@dataclass(frozen=True)
class Table:
    """The windows of one outline around some of the centres: units in the order in which they join.

    Attributes
    ----------
    outline
        Which one, by its place in `Window.outlines`.
    centres
        The units in the middle.
    order
        The units of all centres' largest windows, one after the other.
    start
        Where each centre's begin; one more than there are centres.
    """

    outline: int
    centres: Ints
    order: NDArray[np.int32]
    start: Ints

    def part(self, low: int, high: int) -> tuple[NDArray[np.int32], Ints]:
        """Take some of the centres.

        Parameters
        ----------
        low, high
            From, to before.

        Returns
        -------
        tuple of ndarray
            Their `order` and `start`.
        """
        bounds = self.start[low : high + 1]
        return self.order[bounds[0] : bounds[-1]], bounds - bounds[0]


@dataclass(frozen=True)
class Places:
    """Where the units are, and how much of each a window may hold.

    Attributes
    ----------
    xy
        Shape (n, 2), metres.
    weight
        Shape (n,), the population (or cases) that limits a window.
    window
        What is tried.
    """

    xy: Floats
    weight: Floats
    window: Window

    def tables(self, threads: Executor) -> Iterator[Table]:
        """List all windows, as many at a time as memory is meant to hold.

        Parameters
        ----------
        threads
            Who sorts the distances.

        Yields
        ------
        Table
            All centres, for each outline. Centres far apart follow each other, so that the best window of a random map
            is met early. Of units at one place the first is the centre of all.
        """
        places = np.sort(np.unique(self.xy, axis=0, return_index=True)[1])  # once per place
        centres = places[_scattered(len(places))]
        rows = max(1, _CHUNK // len(self.xy))
        chunks = [centres[low : low + rows] for low in range(0, len(centres), rows)]
        for outline in range(len(self.window.outlines)):
            held: list[tuple[Ints, NDArray[np.int32], Ints]] = []
            many = 0
            for low in range(0, len(chunks), _AHEAD):
                group = chunks[low : low + _AHEAD]
                for centre, (order, length) in zip(
                    group, threads.map(self._sorted, group, [outline] * len(group)), strict=True
                ):
                    held.append((centre, order, length))
                    many += len(order)
                if many >= _TABLE:
                    yield _table(outline, held)
                    held, many = [], 0
            if held:
                yield _table(outline, held)

    def units(self, centre: int, outline: int, size: int) -> Ints:
        """Give the units of one window, nearest first.

        Parameters
        ----------
        centre
            The unit in the middle.
        outline
            Place in `Window.outlines`.
        size
            How many units.

        Returns
        -------
        ndarray
            Shape (size,).
        """
        order, _ = self._sorted(np.array([centre]), outline)
        return order[:size].astype(np.int64)

    def short_axes_m(self, centres: Ints, outlines: Ints, borders: Ints) -> Floats:
        """Measure windows by their centre and the last unit that they hold.

        Parameters
        ----------
        centres
            Shape (m,), the units in the middle.
        outlines
            Shape (m,), places in `Window.outlines`.
        borders
            Shape (m,), the units on the border.

        Returns
        -------
        ndarray
            Shape (m,), the short half axis of the ellipse, the radius of the circle, in metres.
        """
        ratio = np.array([outline.axis_ratio for outline in self.window.outlines])[outlines]
        angle = np.deg2rad([outline.degrees for outline in self.window.outlines])[outlines]
        x, y = (self.xy[borders] - self.xy[centres]).T
        axes: Floats = np.hypot(
            (x * np.cos(angle) + y * np.sin(angle)) / ratio, y * np.cos(angle) - x * np.sin(angle)
        )
        return axes

    def nearer(self, centre: int, outline: int, border: int) -> NDArray[np.bool_]:
        """Tell which units a window holds for certain: all but those tied with the last.

        Parameters
        ----------
        centre
            The unit in the middle.
        outline
            Place in `Window.outlines`.
        border
            The unit on the border.

        Returns
        -------
        ndarray
            Shape (n,).
        """
        squared = self._squared(np.array([centre]), outline)[0]
        inside: NDArray[np.bool_] = squared < squared[border] * (1 - _EXACT)
        return inside

    @cached_property
    def _most(self) -> int:
        """No window holds more units than this: as many of the smallest as fit."""
        fits = np.cumsum(np.sort(self.weight)) <= self._limit
        return max(1, int(fits.sum()))

    @cached_property
    def _limit(self) -> float:
        return self.window.max_share * float(self.weight.sum()) * (1 + _EXACT)

    def _squared(self, centres: Ints, outline: int) -> Floats:
        """Square the distances of all units from some, measured along the short axis; shape (len(centres), n)."""
        shape = self.window.outlines[outline]
        place = self.xy
        if shape.axis_ratio > 1:
            cos, sin = np.cos(np.deg2rad(shape.degrees)), np.sin(np.deg2rad(shape.degrees))
            middle = self.xy - self.xy.mean(axis=0)
            place = middle @ np.array(
                [[cos / shape.axis_ratio, -sin], [sin / shape.axis_ratio, cos]]
            )
        x: Floats = place[:, 0] - place[centres, 0][:, None]
        y: Floats = place[:, 1] - place[centres, 1][:, None]
        x *= x
        y *= y
        x += y
        return x

    def _sorted(self, centres: Ints, outline: int) -> tuple[NDArray[np.int32], Ints]:
        """List the units by their distance from each centre, as far as its largest window goes; and how many they are.

        Sorted are whole numbers: a distance's leading bits, then the unit's number. Distances that agree to ten digits are
        tied, and the unit of the lower number joins first.
        """
        n = len(self.xy)
        number = (1 << (n - 1).bit_length()) - 1
        keys = self._squared(centres, outline).view(np.int64)
        keys &= ~number
        keys |= np.arange(n)
        if (most := self._most) < n // 2:
            keys.partition(most - 1, axis=1)
            keys = keys[:, :most].copy()
        keys.sort(axis=1)
        inside = np.ones(keys.shape, bool)
        if self.window.max_radius_m is not None:
            short = self.window.max_radius_m / self.window.outlines[outline].axis_ratio
            farthest = np.array((short * (1 + _EXACT)) ** 2).view(np.int64)
            inside &= keys <= (farthest | number)
        keys &= number
        held = self.weight[keys]
        np.cumsum(held, axis=1, out=held)
        inside &= held <= self._limit
        return keys[inside].astype(np.int32), inside.sum(axis=1)


def _scattered(n: int) -> Ints:
    """Go through 0 to n - 1 in an order that jumps about."""
    step = max(1, round(0.618 * n))
    while np.gcd(step, n) != 1:
        step += 1
    return np.arange(n) * step % n


def _table(outline: int, held: list[tuple[Ints, NDArray[np.int32], Ints]]) -> Table:
    centres = np.concatenate([centre for centre, _, _ in held])
    length = np.concatenate([long for _, _, long in held])
    order = np.concatenate([units for _, units, _ in held])
    start = np.concatenate([[0], np.cumsum(length)]).astype(np.int64)
    return Table(outline, centres, order, start)


def halves(n: int, parts: int) -> list[tuple[int, int]]:
    """Cut 0 to n into runs of about the same length.

    Parameters
    ----------
    n
        How many there are.
    parts
        How many runs.

    Returns
    -------
    list of tuple
        From, to before; empty runs are left out.

    Examples
    --------
    >>> halves(5, 2)
    [(0, 2), (2, 5)]
    """
    edges = [n * i // parts for i in range(parts + 1)]
    return [(low, high) for low, high in pairwise(edges) if high > low]
