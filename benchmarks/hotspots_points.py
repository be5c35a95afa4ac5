"""Clusters, surfaces and streets: what needs no grid, against the peers that people use for it, in one run."""

import geopandas as gpd
import numpy as np
import shapely
from scipy import ndimage
from sklearn.cluster import DBSCAN
from timing import row, seconds

from gisgrid.analysis.clusters.by_density import dbscan
from gisgrid.analysis.streets.density import street_kernel_density
from gisgrid.analysis.streets.segments import segment_graph
from gisgrid.analysis.surfaces.density import kernel_density
from gisgrid.streets import nearest_segment, street_segments

ORIGIN = np.array([500_000.0, 3_900_000.0])


def rows():
    return [*dbscan_rows(), *density_rows(), *street_rows()]


def points(xy):
    return gpd.GeoDataFrame(geometry=gpd.points_from_xy(*xy.T), crs=4547)


def dbscan_rows():
    rng = np.random.default_rng(0)
    middles = rng.uniform(0, 60_000, (2_000, 2))
    thick = middles[rng.integers(0, 2_000, 350_000)] + rng.normal(0, 80, (350_000, 2))
    xy = np.r_[rng.uniform(0, 60_000, (650_000, 2)), thick] + ORIGIN
    frame = points(xy)

    def ours():
        return dbscan(frame, radius_m=100, min_reports=30)

    def peer():
        return DBSCAN(eps=100, min_samples=30).fit(xy)

    labels, found = peer().labels_, ours()
    assert (found["cluster"].isna() == (labels < 0)).all()  # the same work
    assert found["cluster"].max() == labels.max() + 1
    yield row(
        "DBSCAN, 1 000 000 points, 100 m, 30 reports",
        seconds(ours),
        seconds(peer, times=1),
        "scikit-learn DBSCAN",
    )


def density_rows():
    rng = np.random.default_rng(2)
    xy = rng.uniform(0, 100_000, (1_000_000, 2)) + ORIGIN
    frame = points(xy)
    box = (*ORIGIN, *(ORIGIN + 100_000))
    edges = [ORIGIN[i] + np.arange(0, 100_001, 50) for i in (0, 1)]
    for cells in (5, 12, 30):

        def recipe(cells=cells):
            counts, _, _ = np.histogram2d(*xy.T, bins=edges)
            return ndimage.gaussian_filter(counts, cells / np.sqrt(8))  # the quartic's variance

        yield row(
            f"kernel density, 1 000 000 points, 2000 x 2000 cells, bandwidth {cells} cells",
            seconds(
                lambda cells=cells: kernel_density(
                    frame, cell_m=50, bandwidth_m=50 * cells, bbox=box
                )
            ),
            seconds(recipe, times=3),
            "numpy histogram2d + scipy gaussian_filter",
        )


def street_rows():
    at = np.arange(60) * 200.0
    lines = [((0, y), (at[-1], y)) for y in at] + [((x, 0), (x, at[-1])) for x in at]
    streets = gpd.GeoDataFrame(geometry=shapely.linestrings(np.array(lines) + ORIGIN), crs=4547)
    segments = street_segments(streets, length_m=50)
    n = len(segments)
    xy = np.random.default_rng(3).uniform(0, at[-1], (100_000, 2)) + ORIGIN
    frame = points(xy)
    on = nearest_segment(frame, segments, within_m=30)
    yield row(f"streets to {n} segments", seconds(lambda: street_segments(streets, length_m=50)))
    yield row(
        "100 000 points to their segment",
        seconds(lambda: nearest_segment(frame, segments, within_m=30), times=3),
    )
    yield row(
        f"neighbours within 400 m along {n} segments",
        seconds(lambda: segment_graph(segments, within_m=400), times=3),
    )
    yield row(
        f"street density, {on['segment_id'].notna().sum()} reports, {n} segments, 300 m",
        seconds(lambda: street_kernel_density(on, segments, bandwidth_m=300), times=3),
    )
