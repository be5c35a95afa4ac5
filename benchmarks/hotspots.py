"""Hotspot scores, contiguity and density against the peers that people use for them, in one run."""

import esda
import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from libpysal.graph import Graph
from scipy import ndimage
from sklearn.neighbors import KernelDensity
from timing import row, seconds

from gisgrid.analysis import contiguity, gi_star, kernel_density
from gisgrid.grids import tessellate

EAST, NORTH = 500_000.0, 3_900_000.0


def rows():
    return [*gi_star_rows(), *contiguity_rows(), *density_rows(), *tessellation_rows()]


def lattice(side):
    y, x = np.divmod(np.arange(side * side), side)
    x, y = EAST + x * 100, NORTH + y * 100
    names = [f"c{i:06d}" for i in range(side * side)]
    return gpd.GeoDataFrame({"cell": names}, geometry=shapely.box(x, y, x + 100, y + 100), crs=4547)


def gi_star_rows():
    for side in (100, 316):
        units = lattice(side)
        graph = contiguity(units, key="cell")
        graph.sparse  # noqa: B018  # built once and kept by the graph; neither side is charged for it
        values = pd.Series(np.random.default_rng(1).poisson(5.0, len(units)), index=units["cell"])
        array = values.to_numpy(dtype=float)

        def peer(array=array, graph=graph):
            return esda.G_Local(array, graph, transform="B", permutations=0, star=True)

        assert np.allclose(peer().Zs, gi_star(values, graph)["z"], atol=1e-10)  # the same work
        ours = seconds(lambda values=values, graph=graph: gi_star(values, graph))
        yield row(f"Gi* analytic, {len(units)} cells, queen", ours, seconds(peer), "esda G_Local")


def contiguity_rows():
    units = lattice(316)
    indexed = units.set_index("cell")
    yield row(
        f"queen contiguity, {len(units)} squares",
        seconds(lambda: contiguity(units, key="cell")),
        seconds(lambda: Graph.build_contiguity(indexed, rook=False)),
        "libpysal Graph.build_contiguity",
    )


def density_rows():
    rng = np.random.default_rng(2)
    few = rng.uniform(0, 10_000, (20_000, 2)) + np.array([EAST, NORTH])
    box = (EAST, NORTH, EAST + 10_000, NORTH + 10_000)
    frame = gpd.GeoDataFrame(geometry=gpd.points_from_xy(*few.T), crs=4547)
    x, y = np.meshgrid(EAST + np.arange(25, 10_000, 50), NORTH + np.arange(25, 10_000, 50))
    centres = np.c_[x.ravel(), y.ravel()]

    def sklearn():
        return KernelDensity(kernel="epanechnikov", bandwidth=300).fit(few).score_samples(centres)

    yield row(
        "kernel density, 20 000 points, 200 x 200 cells of 50 m, 300 m",
        seconds(lambda: kernel_density(frame, cell_m=50, bandwidth_m=300, bbox=box)),
        seconds(sklearn),
        "scikit-learn KernelDensity (Epanechnikov)",
    )
    many = rng.uniform(0, 50_000, (1_000_000, 2)) + np.array([EAST, NORTH])
    frame = gpd.GeoDataFrame(geometry=gpd.points_from_xy(*many.T), crs=4547)
    box = (EAST, NORTH, EAST + 50_000, NORTH + 50_000)
    edges = EAST + np.arange(0, 50_001, 50), NORTH + np.arange(0, 50_001, 50)

    def recipe():
        xy = shapely.get_coordinates(frame.geometry.to_numpy())
        counts, _, _ = np.histogram2d(*xy.T, bins=edges)
        return ndimage.gaussian_filter(counts, 300 / 50 / np.sqrt(8))  # the quartic's variance

    yield row(
        "kernel density, 1 000 000 points, 1000 x 1000 cells of 50 m, 300 m",
        seconds(lambda: kernel_density(frame, cell_m=50, bandwidth_m=300, bbox=box)),
        seconds(recipe),
        "numpy histogram2d + scipy gaussian_filter",
    )


def tessellation_rows():
    angle = np.linspace(0, 2 * np.pi, 5_001)[:-1]
    reach = 9_700 * (1 + 0.2 * np.sin(5 * angle))
    ring = np.c_[EAST + reach * np.cos(angle), NORTH + reach * np.sin(angle)]
    city = gpd.GeoDataFrame(geometry=[shapely.Polygon(ring)], crs=4547)
    n = len(tessellate(city, cell_m=60))
    yield row(
        f"tessellate, {n} hexagons with their share inside",
        seconds(lambda: tessellate(city, cell_m=60)),
    )
