"""Have the loops over points and streets been compiled before somebody waits for them?"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gisgrid.analysis.clusters.by_density import dbscan
from gisgrid.analysis.clusters.nearest_neighbour import nearest_neighbour_clusters
from gisgrid.analysis.streets.density import street_kernel_density
from gisgrid.analysis.streets.network import street_segments
from gisgrid.analysis.streets.segments import nearest_segment, segment_graph
from gisgrid.analysis.surfaces.bandwidths import adaptive_bandwidth
from gisgrid.analysis.surfaces.density import kernel_density


def compile_point_loops() -> None:
    """Run every measure of points and streets once, on so few that only the compiling takes time.

    Notes
    -----
    CRS: its own. A quarter of a minute the first time, less than a second later.
    """
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
