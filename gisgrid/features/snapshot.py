"""A layer that changes, as it is at one moment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gisgrid.features.table import FeatureTable


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A layer as it is at one moment; it never changes.

    Attributes
    ----------
    base
        The features as they were merged last.
    hidden
        Shape (m,), int64, ascending: the rows of `base` that were changed or deleted since, and must not be shown.
    fresh
        The features that were added or changed since, with the same columns; in the Z-order too where they are points. Of
        a layer that changes they are a `FreshTable`, which is put together when it is first looked into.
    version
        A word that is another whenever the features are.
    """

    base: FeatureTable
    hidden: NDArray[np.int64]
    fresh: FeatureTable
    version: str

    def __len__(self) -> int:
        return len(self.base) - len(self.hidden) + len(self.fresh)

    @classmethod
    def of(cls, table: FeatureTable) -> Snapshot:
        """Show a table that does not change as one that might.

        Parameters
        ----------
        table
            The features.

        Returns
        -------
        Snapshot
            Nothing hidden, nothing fresh.
        """
        nothing = np.zeros(0, np.int64)
        return cls(table, nothing, table.take(nothing), table.edition)

    @property
    def parts(self) -> tuple[tuple[FeatureTable, NDArray[np.int64]], ...]:
        """Both tables, each with the rows of it that must not be shown."""
        return (self.base, self.hidden), (self.fresh, np.zeros(0, np.int64))

    def shown(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Say which rows of the base may be shown.

        Parameters
        ----------
        rows
            Shape (k,), positions in `base`.

        Returns
        -------
        array
            Shape (k,).
        """
        if not len(self.hidden):
            return np.ones(len(rows), bool)
        place = np.minimum(np.searchsorted(self.hidden, rows), len(self.hidden) - 1)
        return np.asarray(self.hidden[place] != rows)

    def find(self, name: str | float) -> tuple[FeatureTable, int] | None:
        """Find a feature by its key, or by its id where there is no key.

        Parameters
        ----------
        name
            The key's value, as itself or as an address spells it.

        Returns
        -------
        tuple or None
            The table it is in, and its row there; None where there is none.
        """
        row = self.fresh.row(name)
        if row is not None:
            return self.fresh, row
        row = self.base.row(name)
        if row is None or not self.shown(np.array([row]))[0]:
            return None
        return self.base, row
