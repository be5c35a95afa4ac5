"""Compile (or load) every loop of the package before somebody waits for it.

Numba keeps what it compiled on disk (``NUMBA_CACHE_DIR``, or beside the module): after an installation the first call
compiles, later processes load. An installer, an image or a server calls `warm_up` once, and no user waits.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gisgrid.analysis.clusters.by_density import dbscan
from gisgrid.analysis.clusters.nearest_neighbour import nearest_neighbour_clusters
from gisgrid.analysis.scans.kernels import log_likelihood_ratio
from gisgrid.analysis.scans.search import Problem, search
from gisgrid.analysis.scans.windows import Places, Window
from gisgrid.analysis.space_time.trend import mann_kendall
from gisgrid.analysis.streets.density import street_kernel_density
from gisgrid.analysis.streets.segments import segment_graph
from gisgrid.analysis.surfaces.bandwidths import adaptive_bandwidth
from gisgrid.analysis.surfaces.density import kernel_density
from gisgrid.progress import Progress, silent
from gisgrid.streets import nearest_segment, street_segments


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


def _points() -> None:
    """Run every measure of points and streets once."""
    xy = np.array([(0.0, 0.0), (1.0, 0.0), (2.0, 1.0), (90.0, 90.0), (91.0, 90.0), (90.0, 91.0)])
    points = gpd.GeoDataFrame(geometry=gpd.points_from_xy(*xy.T), crs=4547)
    city = gpd.GeoDataFrame(geometry=[shapely.box(-100, -100, 200, 200)], crs=4547)
    dbscan(points, radius_m=5, min_reports=2)
    nearest_neighbour_clusters(points, min_reports=2, area_km2=1)
    width: float | pd.Series
    for width in (40.0, 200.0, adaptive_bandwidth(points, least_m=20, most_m=40, pilot_m=30)):
        for kernel in ("quartic", "gaussian"):
            kernel_density(points, cell_m=10, bandwidth_m=width, kernel=kernel)
            kernel_density(points, cell_m=10, bandwidth_m=width, kernel=kernel, within=city)
    lines = [shapely.LineString([(-50, 0), (100, 0)]), shapely.LineString([(1, -50), (1, 100)])]
    segments = street_segments(gpd.GeoDataFrame(geometry=lines, crs=4547), length_m=50)
    segment_graph(segments, within_m=60)
    on = nearest_segment(points, segments, within_m=50)
    street_kernel_density(on, segments, bandwidth_m=60)


WARM_UPS: Final[tuple[Callable[[], None], ...]] = (_scans, _trends, _points)
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
