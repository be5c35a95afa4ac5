"""What must never leave: places finer than agreed, groups too small, columns that were not named.

The rules are applied to the features themselves, before tiles, items or filters see them: what is not in the table that
`Privacy.applied` gives cannot be asked for, drawn, or found out by a clever filter.

Where groups under k are hidden, two numbers that are shown must not give the number of a hidden group by subtraction.
Therefore every number is rounded down to a multiple of k, so that a difference of two is never a number of features; and
filters choose whole declared classes only, so that nobody can move a border, a date or a box past one feature after the
other and watch the number change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, pi
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gisgrid.errors import ColumnError, InputError, did_you_mean
from gisgrid.features.filters import Filter, FilterError
from gisgrid.features.filters.nodes import (
    Among,
    And,
    Compare,
    Constant,
    Missing,
    Not,
    Or,
    Predicate,
    Property,
    Truth,
)
from gisgrid.features.places import point_places
from gisgrid.features.table import FeatureTable

BBox = tuple[float, float, float, float]

_PER_DEGREE: Final = 20

_DEGREE_M: Final = 6371008.8 * pi / 180
"""Metres in a degree of latitude, on the sphere of the Earth's mean radius."""


@dataclass(frozen=True)
class Privacy:
    """How a layer is made coarse enough to be shown.

    Attributes
    ----------
    k_threshold
        Groups of fewer features are not shown, and with 2 or more no single feature ever is, at any zoom; 0 for no such
        rule.
    blur_m
        Points are shown at the middle of the cell of about that size which they lie in, in metres; 0 for where they are.
        The cells are the same for every request, so there is no noise that many requests could average out.
    keep
        The only columns that may be seen or filtered by; None for all of the table.
    classes
        The columns whose values are declared classes: where groups are hidden, filters may name these alone.
    """

    k_threshold: int = 0
    blur_m: float = 0.0
    keep: tuple[str, ...] | None = None
    classes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.k_threshold < 0 or not 0 <= self.blur_m <= 100_000:
            raise InputError(
                f"privacy asks for k_threshold = {self.k_threshold} and blur_m = {self.blur_m:g} but the first must not "
                "be negative and the second lies within 0 to 100 000 m; change them"
            )

    @property
    def shows_single(self) -> bool:
        """Whether a feature may be shown by itself, in a tile or as an item."""
        return self.k_threshold <= 1

    def shown_counts(self, counts: NDArray[np.int64]) -> NDArray[np.int64]:
        """Give numbers of features as they may be shown.

        Parameters
        ----------
        counts
            Any shape, how many features each group has.

        Returns
        -------
        array
            The same shape: multiples of `k_threshold`, rounded down, so that a group under it is 0 like one that is empty.

        Examples
        --------
        >>> Privacy(k_threshold=5).shown_counts(np.array([0, 4, 5, 14])).tolist()
        [0, 0, 5, 10]
        """
        k = max(1, self.k_threshold)
        return np.asarray(counts // k * k)

    def shown_bbox(self, bbox: BBox) -> BBox:
        """Give a box around features as it may be said: the outermost ones are single ones.

        Parameters
        ----------
        bbox
            West, south, east, north in degrees.

        Returns
        -------
        tuple of float
            Where no single feature is shown, widened to twentieths of a degree.

        Examples
        --------
        >>> Privacy(k_threshold=5).shown_bbox((113.97, 35.11, 114.02, 35.14))
        (113.95, 35.1, 114.05, 35.15)
        """
        if self.shows_single:
            return bbox
        west, south, east, north = bbox
        return (
            floor(west * _PER_DEGREE) / _PER_DEGREE, floor(south * _PER_DEGREE) / _PER_DEGREE,
            ceil(east * _PER_DEGREE) / _PER_DEGREE, ceil(north * _PER_DEGREE) / _PER_DEGREE,
        )  # fmt: skip

    def check_filter(self, where: Filter) -> None:
        """Make sure that a filter may be asked.

        Parameters
        ----------
        where
            The filter.

        Raises
        ------
        FilterError
            Groups under k are hidden, and it asks for anything but whole classes.

        Examples
        --------
        >>> by_class = Filter.parse("kind <> 'noise' OR kind IS NULL", fields={"kind": "text"})
        >>> Privacy(k_threshold=5, classes=("kind",)).check_filter(by_class)
        """
        if self.shows_single or self._is_of_classes(where.condition):
            return
        named = " and ".join(map(repr, self.classes)) or "none"
        raise FilterError(
            f"numbers under {self.k_threshold} are hidden here, so filters choose whole classes by =, <>, IN or IS NULL and no "
            f"places, times, texts or numbers; the properties with declared classes are {named}"
        )

    def _is_of_classes(self, condition: Predicate) -> bool:
        match condition:
            case And(parts=parts) | Or(parts=parts):
                return all(map(self._is_of_classes, parts))
            case Not(part=part):
                return self._is_of_classes(part)
            case (
                Compare(relation="=" | "<>", left=Property(name=name), right=Constant())
                | Compare(relation="=" | "<>", left=Constant(), right=Property(name=name))
                | Among(of=Property(name=name))
                | Missing(of=Property(name=name))
            ):
                return name in self.classes
        return isinstance(condition, Truth)

    def blurred(
        self, lon: NDArray[np.float64], lat: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Move points to the middle of their cells.

        Parameters
        ----------
        lon, lat
            Shape (n,), degrees (OGC:CRS84); NaN stays.

        Returns
        -------
        tuple of array
            Shape (n,) each, degrees; as given where there is no blur.

        Notes
        -----
        The Earth is cut into bands of `blur_m` along the meridians, each band into a whole number of cells at least
        `blur_m` wide. No point moves farther than about 0.71 of a cell, and moving twice moves once.

        Examples
        --------
        >>> lon, lat = Privacy(blur_m=1000).blurred(np.array([114.0, 114.0001]), np.array([35.0, 35.0001]))
        >>> bool(lon[0] == lon[1] and lat[0] == lat[1]), round(float(abs(lat[0] - 35) * 111_195)) <= 500
        (True, True)
        """
        if self.blur_m <= 0:
            return lon, lat
        n_bands = max(1, int(180 * _DEGREE_M / self.blur_m))
        height = 180 / n_bands
        band = np.clip(np.floor((lat + 90) / height), 0, n_bands - 1)
        middle = (band + 0.5) * height - 90
        around = np.maximum(1, np.floor(360 * _DEGREE_M * np.cos(np.radians(middle)) / self.blur_m))
        cell = np.clip(np.floor((lon + 180) / 360 * around), 0, around - 1)
        return (cell + 0.5) * (360 / around) - 180, middle

    def applied(self, table: FeatureTable) -> FeatureTable:
        """Give the features as they may be seen: nothing else should reach tiles, items or filters.

        Parameters
        ----------
        table
            A layer's features.

        Returns
        -------
        FeatureTable
            The same object where there is nothing to hide. Blurred points stand in a new order, that of their new
            places.

        Raises
        ------
        ColumnError
            `keep` names a column that is not there.
        InputError
            `blur_m` for anything but points, which would need to be made coarser in another way.
        """
        kept = self._kept(table)
        if self.blur_m <= 0 or table.kind == "none":
            if kept == list(table.columns):
                return table
            columns = {name: table.columns[name] for name in kept}
            key = table.key if table.key in columns else None
            by_key = (
                table.by_key if key == table.key else np.argsort(table.number).astype(np.uint32)
            )
            return FeatureTable(columns, table.number, table.places, key, by_key)
        if table.lon is None or table.lat is None:
            raise InputError(
                f"blur_m = {self.blur_m:g} is asked for {table.kind} geometry but only points can be moved to the middle "
                "of a cell; set blur_m = 0, or publish a derived layer"
            )
        places, order = point_places(*self.blurred(table.lon, table.lat))
        columns = {name: table.columns[name].take(order) for name in kept}
        key = table.key if table.key in columns else None
        return FeatureTable.from_columns(
            columns, number=table.number[order], places=places, key=key
        )

    def _kept(self, table: FeatureTable) -> Sequence[str]:
        if self.keep is None:
            return list(table.columns)
        for name in self.keep:
            if name not in table.columns:
                raise ColumnError(
                    f"privacy keeps {name!r}, which is no column{did_you_mean(name, table.columns)}"
                )
        return list(self.keep)
