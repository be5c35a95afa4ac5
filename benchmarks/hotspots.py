"""Hotspot scores, contiguity and density against the peers that people use for them, in one run."""

import subprocess
import sys
from importlib.util import find_spec

import esda
import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from libpysal.graph import Graph
from scipy import ndimage
from sklearn.neighbors import KernelDensity
from timing import row, seconds

from gisgrid.analysis import contiguity, gi_star, kernel_density, local_moran
from gisgrid.grids import tessellate

EAST, NORTH = 500_000.0, 3_900_000.0


def rows():
    return [
        *gi_star_rows(),
        *permutation_rows(),
        *fresh_process_row(),
        *contiguity_rows(),
        *density_rows(),
        *tessellation_rows(),
    ]


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


def permutation_rows():
    """999 conditional permutations; esda compiles before its first answer, which is timed apart."""
    for side in (100, 316, 1_000):
        graph = lattice_graph(side)
        values = pd.Series(np.random.default_rng(1).poisson(5.0, side * side), dtype=float)
        array = values.to_numpy()
        n = side * side
        ours = seconds(lambda values=values, graph=graph: gi_star(values, graph, permutations=999))
        if side == 1_000:
            yield row(f"Gi* with 999 permutations, {n} cells", ours)
            continue

        def peer(array=array, graph=graph):
            return esda.G_Local(
                array, graph, transform="B", permutations=999, star=True, n_jobs=1, seed=1
            )

        theirs = seconds(peer, times=3)
        yield row(f"Gi* with 999 permutations, {n} cells", ours, theirs, "esda G_Local")
        if side == 100 and find_spec("pygeoda"):
            by_geoda = geoda_gi_star(side, array)
            yield row(f"Gi* with 999 permutations, {n} cells", ours, by_geoda, "pygeoda")
        if side == 316:
            moran = seconds(
                lambda values=values, graph=graph: local_moran(values, graph, correction="none")
            )

            def peer_moran(array=array, graph=graph):
                return esda.Moran_Local(array, graph, permutations=999, n_jobs=1, seed=1)

            name = f"local Moran with 999 permutations, {n} cells"
            yield row(name, moran, seconds(peer_moran, times=3), "esda Moran_Local")


def geoda_gi_star(side, array):
    """The same, on two threads as ours."""
    import pygeoda

    cells = pygeoda.open(lattice(side))
    weights = pygeoda.queen_weights(cells)
    return seconds(
        lambda: pygeoda.local_gstar(weights, array.tolist(), permutations=999, cpu_threads=2),
        times=1,
    )


def fresh_process_row():
    """What an analyst waits for after installing: Python, the imports, the first permutation p."""
    code = (
        "import numpy as np, pandas as pd; from libpysal.graph import Graph; from gisgrid.analysis import gi_star;"
        "i = np.arange(400); f = np.r_[i[:-1], i[1:]]; t = np.r_[i[1:], i[:-1]];"
        "import time; s = time.perf_counter();"
        "gi_star(pd.Series(i % 7.0), Graph.from_arrays(f, t, np.ones(len(f))), permutations=999);"
        "print(time.perf_counter() - s)"
    )
    taken = [
        float(
            subprocess.run(
                [sys.executable, "-c", code], capture_output=True, text=True, check=True
            ).stdout
        )
        for _ in range(3)
    ]
    yield row("first permutation result in a fresh process, after its imports", sorted(taken)[1])


def lattice_graph(side):
    """Queen neighbours of a square of cells, without geometry."""
    number = np.arange(side * side).reshape(side, side)
    focal, neighbour = [], []
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        a = number[: side - down, max(0, -right) : side - max(0, right)].ravel()
        b = number[down:, max(0, right) : side - max(0, -right)].ravel()
        focal += [a, b]
        neighbour += [b, a]
    focal, neighbour = np.concatenate(focal), np.concatenate(neighbour)
    order, ids = np.lexsort((neighbour, focal)), pd.RangeIndex(side * side)
    index = pd.MultiIndex(
        levels=[ids, ids], codes=[focal[order], neighbour[order]], names=["focal", "neighbor"]
    )
    graph = Graph(pd.Series(1, index=index, name="weight"), is_sorted=True)
    graph.sparse  # noqa: B018  # built once and kept by the graph; neither side is charged for it
    return graph


def contiguity_rows():
    units = lattice(316)
    indexed = units.set_index("cell")
    work, ours = (
        f"queen contiguity, {len(units)} squares",
        seconds(lambda: contiguity(units, key="cell")),
    )
    theirs = seconds(lambda: Graph.build_contiguity(indexed, rook=False), times=3)
    yield row(work, ours, theirs, "libpysal Graph.build_contiguity")
    if find_spec("pygeoda"):
        import pygeoda

        cells = pygeoda.open(units)
        weights = pygeoda.queen_weights(cells)
        assert weights.mean_neighbors() == contiguity(units, key="cell").cardinalities.mean()
        by_geoda = seconds(lambda: pygeoda.queen_weights(cells), times=3)
        yield row(work, ours, by_geoda, "pygeoda, shapes already converted")


def density_rows():
    rng = np.random.default_rng(2)
    few = rng.uniform(0, 10_000, (20_000, 2)) + np.array([EAST, NORTH])
    box = (EAST, NORTH, EAST + 10_000, NORTH + 10_000)
    frame = gpd.GeoDataFrame(geometry=gpd.points_from_xy(*few.T), crs=4547)
    x, y = np.meshgrid(EAST + np.arange(25, 10_000, 50), NORTH + np.arange(25, 10_000, 50))
    centres = np.c_[x.ravel(), y.ravel()]

    def sklearn():
        return KernelDensity(kernel="epanechnikov", bandwidth=300).fit(few).score_samples(centres)

    work = "kernel density, 20 000 points, 200 x 200 cells of 50 m, 300 m"
    ours = seconds(lambda: kernel_density(frame, cell_m=50, bandwidth_m=300, bbox=box))
    yield row(work, ours, seconds(sklearn, times=3), "scikit-learn KernelDensity (Epanechnikov)")
    if find_spec("KDEpy"):
        surface = kernel_density(frame, cell_m=50, bandwidth_m=300, bbox=box)
        peer = kdepy_density(few - (EAST, NORTH))
        inner = surface.values[::-1][20:-20, 20:-20]  # from south to north, away from the border
        theirs = peer()[20:-20, 20:-20].T * len(few) * 1e6
        assert np.abs(theirs - inner).max() < 0.05 * inner.max()  # the same work, up to its binning
        yield row(work, ours, seconds(peer), "KDEpy FFTKDE")
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


def kdepy_density(xy):
    """Its grid must hold every point, so it has a rim of one cell."""
    from KDEpy import FFTKDE

    at = np.arange(-25, 10_026, 50.0)
    grid = np.c_[np.repeat(at, len(at)), np.tile(at, len(at))]
    model = FFTKDE(kernel="biweight", bw=300 / np.sqrt(7))  # its bandwidth is a standard deviation

    def act():
        return model.fit(xy).evaluate(grid).reshape(len(at), len(at))[1:-1, 1:-1]

    return act


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
