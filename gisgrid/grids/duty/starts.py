"""From which divisions does the search for balanced duty grids set out?"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from gisgrid.grids.duty.neighbours import Neighbours, components
from gisgrid.grids.making.borders import Floats, Ints


def compact_start(middles: Floats, graph: Neighbours, *, n_grids: int) -> Ints:
    """Join units to compact grids, whatever their loads (Ward clusters along the neighbourhood).

    Parameters
    ----------
    middles
        Shape (n, 2), metres.
    graph
        n units that hang together.
    n_grids
        How many grids, 1 to n.

    Returns
    -------
    array of int
        Shape (n,), the grid of each unit; each grid is in one piece.
    """
    n = len(middles)
    if n_grids in {1, n}:
        return np.arange(n) if n_grids == n else np.zeros(n, dtype=np.int64)
    touches = csr_array(
        (np.ones(len(graph.beside)), graph.beside.astype(np.int32), graph.first.astype(np.int32)),
        shape=(n, n),
    )
    from sklearn.cluster import (  # noqa: PLC0415 - two seconds of import time
        AgglomerativeClustering,
    )

    ward = AgglomerativeClustering(n_clusters=n_grids, connectivity=touches, linkage="ward")
    label: Ints = ward.fit_predict(middles - middles.mean(axis=0)).astype(np.int64)
    return label


def strip_start(along: Floats, load: Floats, graph: Neighbours, *, n_grids: int) -> Ints:
    """Cut units into strips of equal load, one after the other along an axis.

    Parameters
    ----------
    along
        Shape (n,), where each unit lies along the axis.
    load
        Shape (n,), not negative.
    graph
        n units that hang together.
    n_grids
        How many grids, 1 to n.

    Returns
    -------
    array of int
        Shape (n,), the grid of each unit; each grid is in one piece.
    """
    n = len(along)
    order = np.argsort(along, kind="stable")
    done = np.cumsum(load[order])
    ends = np.searchsorted(done, done[-1] * np.arange(1, n_grids) / n_grids)
    for j in range(len(ends)):  # no strip without units
        ends[j] = min(max(ends[j], (ends[j - 1] if j else 0) + 1), n - (n_grids - 1 - j))
    label = np.empty(n, dtype=np.int64)
    label[order] = np.searchsorted(ends, np.arange(n), side="right")
    return joined(label, load, graph)


def joined(label: Ints, load: Floats, graph: Neighbours) -> Ints:
    """Leave each grid its largest piece, and give the others to the neighbouring grid with the least load.

    Parameters
    ----------
    label
        Shape (n,), the grid of each unit, from 0 without gaps.
    load
        Shape (n,), not negative.
    graph
        n units that hang together.

    Returns
    -------
    array of int
        Shape (n,): each grid is in one piece.
    """
    part = components(label, graph)
    size = np.bincount(part)
    grid = np.zeros(len(size), dtype=np.int64)
    grid[part] = label
    order = np.lexsort((np.arange(len(size)), -size, grid))
    keep = order[np.append(True, np.diff(grid[order]) > 0)]
    loose = ~np.isin(part, keep)
    label = np.where(loose, -1, label)
    loads = np.bincount(label[~loose], weights=load[~loose], minlength=int(grid.max()) + 1)
    while loose.any():
        for unit in np.flatnonzero(loose).tolist():
            around = label[graph.beside[graph.first[unit] : graph.first[unit + 1]]]
            around = around[around >= 0]
            if len(around):
                label[unit] = around[np.argmin(loads[around])]
                loads[label[unit]] += load[unit]
        loose = label < 0
    return label
