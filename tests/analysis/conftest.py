import numpy as np
import pytest
from libpysal.graph import Graph


@pytest.fixture(scope="session")
def graph_of():
    """A graph from dense weights; rows without any stay as isolates."""

    def make(w, ids=None):
        ids = np.arange(len(w)) if ids is None else np.asarray(ids)
        focal, neighbour = np.nonzero(w)
        alone = np.flatnonzero(w.sum(axis=1) == 0)
        return Graph.from_arrays(
            ids[np.concatenate([focal, alone])],
            ids[np.concatenate([neighbour, alone])],
            np.concatenate([w[focal, neighbour], np.zeros(len(alone))]),
        )

    return make


@pytest.fixture(scope="session")
def lattice():
    """Dense queen weights of a square of cells, `side` to a side."""

    def make(side):
        y, x = np.divmod(np.arange(side * side), side)
        near = np.maximum(abs(x[:, None] - x), abs(y[:, None] - y)) == 1
        return near.astype(float)

    return make
