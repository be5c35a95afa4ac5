"""Compile (or load) every loop of the package before somebody waits for it.

Numba keeps what it compiled on disk (``NUMBA_CACHE_DIR``, or beside the module): after an installation the first call
compiles, later processes load. An installer, an image or a server calls `warm_up` once, and no user waits.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gisgrid.analysis.point_loops import compile_point_loops
from gisgrid.analysis.scans.kernels import log_likelihood_ratio
from gisgrid.analysis.scans.search import Problem, search
from gisgrid.analysis.scans.windows import Places, Window
from gisgrid.analysis.space_time.trend import mann_kendall
from gisgrid.progress import Progress, silent


def _same(counts: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    del rng
    return counts


def _scans() -> None:
    """Scan two units, with and without time, with few cases (16 bits) and many (32 bits)."""
    for cases, t in product((4, 40_000), (1, 2)):
        counts = np.full((2, t), cases, np.int64)
        problem = Problem(
            places=Places(np.array([[0.0, 0.0], [1.0, 0.0]]), np.ones(2), Window(min_cases=1)),
            counts=counts,
            expected=counts.astype(float),
            population=0.0,
            steps=np.arange(t + 1),
            first=np.array([0]),
            last=np.array([1]),
            draw=partial(_same, counts),
        )
        search(problem, permutations=1, stop_after=None, seed=0, progress=silent)
    log_likelihood_ratio(1.0, 0.5, 2.0, 0.0)


def _trends() -> None:
    """Follow one unit over a dozen steps."""
    mann_kendall(pd.DataFrame([np.arange(12.0)]))


WARM_UPS: Final[tuple[Callable[[], None], ...]] = (_scans, _trends, compile_point_loops)
"""One call per family of loops, on data so small that only the compiling takes time."""


def warm_up(*, progress: Progress = silent) -> None:
    """Compile every loop of the package, or load it where that was done before.

    Parameters
    ----------
    progress
        Told how much is done.

    Notes
    -----
    Half a minute after an installation, less than a second later. Calling it again does nothing.
    """
    for done, compile_some in enumerate(WARM_UPS):
        progress("compile", done / len(WARM_UPS))
        compile_some()
    progress("compile", 1.0)
