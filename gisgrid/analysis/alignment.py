"""Which value belongs to which unit of the neighbourhood, and which units have none?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from libpysal.graph import Graph
from numpy.typing import NDArray
from scipy import sparse

from gisgrid.errors import IndexMismatchError, InputError

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Aligned:
    """Values and weights in one order, without the units that have no value.

    Attributes
    ----------
    x
        Shape (m,), the values that are there.
    weights
        Shape (m, m), their weights as the graph gives them.
    there
        Shape (n,), which of the units have a value.
    index
        Shape (n,), the units as they were given.
    """

    x: Floats
    weights: sparse.csr_array
    there: NDArray[np.bool_]
    index: pd.Index

    def frame(self, columns: Mapping[str, NDArray[np.generic]]) -> pd.DataFrame:
        """Give columns of the m units as a frame of all n: NaN, and 0 neighbours, where there was no value."""
        if self.there.all():
            return pd.DataFrame(columns, index=self.index)
        whole = {}
        for name, values in columns.items():
            none: object = 0 if values.dtype.kind in "iu" else np.nan
            if values.dtype.kind == "b":
                none = False
            column = np.full(len(self.there), none, dtype=values.dtype)
            column[self.there] = values
            whole[name] = column
        return pd.DataFrame(whole, index=self.index)


def aligned(values: pd.Series, graph: Graph) -> Aligned:
    """Bring values and a graph into one order and leave out what has no value.

    Parameters
    ----------
    values
        Shape (n,), a number per unit; missing where there is none.
    graph
        n nodes, the same names as ``values.index`` in any order; weights of 0 and above.

    Returns
    -------
    Aligned
        The values, the weights, and which units they are.

    Raises
    ------
    IndexMismatchError
        `values` and `graph` do not name the same units.
    InputError
        Values that are no numbers or infinite, or weights that are negative.

    Notes
    -----
    CRS: none needed here.
    """
    place = _places(values.index, graph.unique_ids)
    x = _numbers(values)
    weights = _rows(graph)
    if place is not None:
        weights = weights[place][:, place]
    there = ~np.isnan(x)
    if not there.all():
        weights = weights[there][:, there]
    return Aligned(x[there], weights, there, values.index)


def without_self(weights: sparse.csr_array) -> sparse.csr_array:
    """Give the weights of the neighbours alone, without those of the units themselves.

    Parameters
    ----------
    weights
        Shape (n, n).

    Returns
    -------
    csr_array
        Shape (n, n), nothing on the diagonal; the same object where there was nothing.
    """
    if not weights.diagonal().any():
        return weights
    rows = np.repeat(np.arange(weights.shape[0]), np.diff(weights.indptr))
    kept = weights.indices != rows
    indptr = np.concatenate(
        [[0], np.cumsum(np.bincount(rows[kept], minlength=weights.shape[0]))]
    ).astype(weights.indptr.dtype)
    return sparse.csr_array((weights.data[kept], weights.indices[kept], indptr), weights.shape)


def _places(index: pd.Index, nodes: pd.Index) -> NDArray[np.intp] | None:
    """Find where each value's unit stands among the nodes; None where both have the same order."""
    if index.equals(nodes):
        return None
    if not index.is_unique:
        twice = index[index.duplicated()]
        raise IndexMismatchError(
            f"{len(twice)} of {len(index)} values are for a unit that already has one (first: {twice[0]!r}); "
            "a hotspot score needs one value per unit, add them up first"
        )
    without_node, without_value = index.difference(nodes), nodes.difference(index)
    if len(without_node) or len(without_value):
        first = without_node[0] if len(without_node) else without_value[0]
        raise IndexMismatchError(
            f"{len(without_node)} of {len(index)} values are for units that the graph does not know and "
            f"{len(without_value)} of its {len(nodes)} units have no value (first: {first!r}); "
            "index both by the same key, with a missing value for a unit that has none"
        )
    return nodes.get_indexer(index)


def _numbers(values: pd.Series) -> Floats:
    try:
        x = values.to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"a hotspot score needs numbers but {values.name or 'values'!r} holds {values.dtype}: {error}; "
            "give counts or rates"
        ) from error
    if (infinite := np.isinf(x)).any():
        raise InputError(
            f"{infinite.sum()} of {len(x)} values are infinite (first: {values.index[infinite][0]!r}); "
            "a rate without a denominator is missing, gisgrid.analysis.rate makes it so"
        )
    return x


def _rows(graph: Graph) -> sparse.csr_array:
    """Take the graph's weights, without the zeros by which it keeps isolates."""
    weights: sparse.csr_array = graph.sparse
    least = weights.data.min(initial=1.0)
    if not least >= 0:
        raise InputError(
            f"a hotspot score needs weights of 0 and above but the least is {least:g}; "
            "use a contiguity or distance-band graph, or mend the weights"
        )
    if least == 0:
        weights = weights.copy()
        weights.eliminate_zeros()
    return weights
