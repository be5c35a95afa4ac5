"""What must never leave: places finer than agreed, groups too small, columns that were not named.

The rules are applied to the features themselves, before tiles, items or filters see them: what is not in the table that
`Privacy.applied` gives cannot be asked for, drawn, or found out by a clever filter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import pi
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gisgrid.errors import ColumnError, InputError, did_you_mean
from gisgrid.features.places import point_places
from gisgrid.features.table import FeatureTable

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
    """

    k_threshold: int = 0
    blur_m: float = 0.0
    keep: tuple[str, ...] | None = None

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

    def shown_groups(self, counts: NDArray[np.integer[Any]]) -> NDArray[np.bool_]:
        """Say which groups are large enough to be shown.

        Parameters
        ----------
        counts
            Shape (n,), how many features each group has.

        Returns
        -------
        array
            Shape (n,).

        Examples
        --------
        >>> Privacy(k_threshold=5).shown_groups(np.array([0, 4, 5])).tolist()
        [False, False, True]
        """
        return np.asarray(counts >= max(1, self.k_threshold))

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
