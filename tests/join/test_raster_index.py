"""The raster index against shapely, on awkward shapes and on points where it is hardest: on borders and vertices."""

from fractions import Fraction

import numpy as np
import pytest
import shapely

from gisgrid.join import kernels, raster_index
from gisgrid.join.raster_index import RasterIndex

SQUARE = shapely.box(0, 0, 10, 10)
GALLERY = {
    "square": SQUARE,
    "hole": SQUARE.difference(shapely.box(3, 3, 7, 7)),
    "island in a hole": SQUARE.difference(shapely.box(2, 2, 8, 8)).union(shapely.box(4, 4, 6, 6)),
    "two parts": shapely.union(shapely.box(0, 0, 1, 1), shapely.box(5, 5, 10, 6)),
    "parts that touch in a point": shapely.MultiPolygon(
        [shapely.box(0, 0, 1, 1), shapely.box(1, 1, 2, 2)]
    ),
    "hole that touches the ring": shapely.Polygon(
        [(0, 0), (10, 0), (10, 10), (0, 10)], [[(0, 5), (4, 3), (4, 7)]]
    ),
    "sliver": shapely.Polygon([(0, 0), (10, 10), (10, 10.0000001)]),
    "needle along an axis": shapely.box(0, 0, 1000, 1e-6),
    "spiral": shapely.LineString(
        [(0, 0), (9, 0), (9, 9), (1, 9), (1, 2), (7, 2), (7, 7), (3, 7)]
    ).buffer(0.3),
    "ring": shapely.Point(5, 5).buffer(5).difference(shapely.Point(5, 5).buffer(3)),
    "star": shapely.Polygon(
        [
            (5 + (2 + 3 * (i % 2)) * np.cos(i / 5), 5 + (2 + 3 * (i % 2)) * np.sin(i / 5))
            for i in range(31)
        ]
    ),
    "repeated vertex": shapely.Polygon([(0, 0), (0, 0), (4, 0), (4, 3), (4, 3), (0, 3)]),
    "vertex within an edge": shapely.Polygon([(0, 0), (2, 0), (5, 0), (5, 5), (2.5, 5), (0, 5)]),
    "with heights": shapely.Polygon([(0, 0, 1), (4, 0, 2), (4, 3, 3)]),
    "empty": shapely.Polygon(),
}


def first_covering(polygons, xy):
    """Answer by shapely, polygon by polygon."""
    points = shapely.points(xy)
    found = np.full(len(xy), -1)
    for i, polygon in reversed(list(enumerate(polygons))):
        found[shapely.covers(polygon, points)] = i
    return found


def hard_points(polygons, *, n=200, seed=1):
    """Vertices, points on edges, points level with vertices, points a float step off, and anywhere."""
    rng = np.random.default_rng(seed)
    rings = shapely.get_rings(shapely.get_parts(np.asarray(polygons, dtype=object)))
    edges = [np.hstack([c[:-1], c[1:]]) for c in map(shapely.get_coordinates, rings)]
    a, b = np.split(np.vstack([np.empty((0, 4)), *edges]), 2, axis=1)
    if not len(a):
        return rng.random((n, 2))
    low, high = a.min(axis=0), a.max(axis=0)
    return np.vstack(
        [
            a,
            (a + b) / 2,
            a / 4 + 3 * b / 4,
            np.nextafter(a, np.inf),
            np.nextafter(a, -1e9),
            np.column_stack([rng.choice(a[:, 0], n), rng.choice(a[:, 1], n)]),
            np.column_stack([rng.choice(a[:, 0], n), rng.uniform(low[1], high[1], n)]),
            low + (rng.random((n, 2)) * 1.2 - 0.1) * (high - low),
        ]
    )


@pytest.mark.parametrize("name", GALLERY)
def test_one_awkward_shape(name):
    polygons = np.array([GALLERY[name]], dtype=object)
    xy = hard_points(polygons)
    assert (RasterIndex.of(polygons).first_covering(xy) == first_covering(polygons, xy)).all()


@pytest.mark.parametrize("seed", range(4))
def test_all_awkward_shapes_upon_each_other(seed):
    polygons = np.array(list(GALLERY.values()), dtype=object)
    np.random.default_rng(seed).shuffle(polygons)
    xy = hard_points(polygons, seed=seed)
    assert (RasterIndex.of(polygons).first_covering(xy) == first_covering(polygons, xy)).all()


@pytest.mark.parametrize("cells", [1, 7, 100, 10_000, 200_000])
def test_the_number_of_cells_changes_nothing(monkeypatch, cells):
    polygons = np.array(list(GALLERY.values()), dtype=object)
    xy = hard_points(polygons)
    monkeypatch.setattr(raster_index, "_MIN_CELLS", cells)
    monkeypatch.setattr(raster_index, "_CELLS_PER_EDGE", 0)
    index = RasterIndex.of(polygons)
    assert index.grid.n_columns * index.grid.n_rows <= cells
    assert (index.first_covering(xy) == first_covering(polygons, xy)).all()


@pytest.mark.parametrize("shift", [(0, 0), (4.5e5, 3.9e6), (-1e9, 1e9), (2**40, -(2**40))])
def test_a_lattice_and_points_on_its_edges_and_corners(shift):
    polygons = np.array(
        [shapely.box(i, j, i + 1, j + 1) for i in range(12) for j in range(9)], dtype=object
    )
    polygons = shapely.transform(polygons, lambda xy: xy + shift)
    xy = np.array([(i / 4, j / 4) for i in range(-1, 50) for j in range(-1, 38)]) + shift
    found = RasterIndex.of(polygons).first_covering(xy)
    assert (found == first_covering(polygons, xy)).all()
    # By hand: the lowest of the up to four squares around a corner is the south-western one.
    column, row = np.split(xy - shift, 2, axis=1)
    lowest = np.maximum(np.ceil(column) - 1, 0) * 9 + np.maximum(np.ceil(row) - 1, 0)
    outside = (column < 0) | (column > 12) | (row < 0) | (row > 9)
    assert (found == np.where(outside, -1, lowest).ravel()).all()


@pytest.mark.parametrize("unit", [1e-12, 1e-5, 1.0, 1e9])
def test_a_turned_lattice_in_any_unit(unit):
    squares = np.array(
        [shapely.box(i, j, i + 1, j + 1) for i in range(8) for j in range(8)], dtype=object
    )
    turn = np.array([[np.cos(0.3), -np.sin(0.3)], [np.sin(0.3), np.cos(0.3)]])
    polygons = shapely.transform(squares, lambda xy: unit * (xy @ turn + 1000))
    xy = hard_points(polygons)
    assert (RasterIndex.of(polygons).first_covering(xy) == first_covering(polygons, xy)).all()


@pytest.mark.parametrize("unit", [2.0**-900, 2.0**900, 1e-300, 1e300])
def test_coordinates_at_the_ends_of_float(unit):
    polygons = np.array([shapely.Polygon([(0, 0), (4, 1), (3, 5)]), shapely.box(0, 0, 4, 5)])
    xy = np.array([(0, 0), (2, 0.5), (2, 1), (3, 5), (1, 4), (4, 5), (5, 5), (-1, 0)])
    huge = shapely.transform(polygons, lambda xy: xy * unit)
    found = RasterIndex.of(huge).first_covering(xy * unit)
    assert found.tolist() == [0, 0, 0, 0, 1, 1, -1, -1]


@pytest.mark.parametrize("extent", [3, 40, 700])
def test_cells_no_wider_than_float_steps(extent):
    rng = np.random.default_rng(extent)
    corners = shapely.multipoints(rng.integers(0, extent + 1, (30, 2)))
    triangles = shapely.get_parts(shapely.delaunay_triangles(corners))
    xy = np.vstack([shapely.get_coordinates(triangles), rng.integers(-1, extent + 2, (2000, 2))])
    here = first_covering(triangles, xy)
    # A float step is 1 from 2**52 on: no number lies between these points.
    far = shapely.transform(triangles, lambda xy: 2.0**52 + xy)
    index = RasterIndex.of(far)
    assert (index.first_covering(2.0**52 + xy) == here).all()
    for column in range(index.grid.n_columns):
        centre = kernels._centre_x(index.grid, column)
        assert kernels._column(index.grid, centre - index.grid.west) == column


def test_a_point_without_numbers_is_nowhere():
    xy = np.array([(np.nan, 1), (1, np.nan), (np.inf, 1), (1, -np.inf), (1e308, -1e308), (1, 1)])
    found = RasterIndex.of(np.array([SQUARE])).first_covering(xy)
    assert found.tolist() == [-1, -1, -1, -1, -1, 0]


@pytest.mark.parametrize("polygons", [[], [None], [shapely.Polygon(), None]])
def test_a_layer_without_polygons_covers_nothing(polygons):
    index = RasterIndex.of(np.array(polygons, dtype=object))
    assert index.first_covering(np.array([(0.0, 0.0)])).tolist() == [-1]


def test_missing_and_empty_polygons_keep_their_number():
    polygons = np.array([None, shapely.Polygon(), SQUARE], dtype=object)
    assert RasterIndex.of(polygons).first_covering(np.array([(10.0, 10.0)])).tolist() == [2]


def test_many_large_overlapping_polygons_stay_within_the_budget():
    rng = np.random.default_rng(3)
    polygons = shapely.buffer(shapely.points(rng.random((600, 2)) * 10), rng.uniform(3, 9, 600))
    xy = np.vstack([rng.random((500, 2)) * 24 - 7, shapely.get_coordinates(polygons)[::70]])
    index = RasterIndex.of(polygons)
    boxes = shapely.area(shapely.envelope(polygons)).sum() / shapely.area(
        shapely.box(*shapely.total_bounds(polygons))
    )
    assert boxes * len(index.cells.state) < 1.1 * raster_index._SWEEP_BUDGET
    assert (index.first_covering(xy) == first_covering(polygons, xy)).all()


def test_a_comb_of_long_edges_stays_within_the_budget(monkeypatch):
    monkeypatch.setattr(raster_index, "_ENTRY_BUDGET", 1 << 18)
    monkeypatch.setattr(raster_index, "_CELLS_PER_EDGE", 1000)
    teeth = [(x, 1000.0 * (x % 2)) for x in range(2001)]
    polygons = np.array([shapely.Polygon([*teeth, (2000, -1), (0, -1)])], dtype=object)
    index = RasterIndex.of(polygons)
    assert len(index.cells.records) < 1 << 20
    xy = hard_points(polygons, n=500)
    assert (index.first_covering(xy) == first_covering(polygons, xy)).all()


def test_where_shapely_rounds_the_index_does_not():
    # Found by search: GEOS calls this point on the border of both, though it is not on it.
    x, y = 4.749999999999999, 8.999999999999998
    a, b = (2.1666666666666665, 3.8333333333333335), (4.75, 9.0)
    east = shapely.Polygon([a, (6, 4), (6, 9.833333333333334), b])
    west = shapely.Polygon([a, b, (3, 9), (1, 5)])
    side = (Fraction(a[0]) - Fraction(x)) * (Fraction(b[1]) - Fraction(y)) - (
        Fraction(a[1]) - Fraction(y)
    ) * (Fraction(b[0]) - Fraction(x))
    assert side < 0  # right of the edge that goes up: in the east, and only there
    found = RasterIndex.of(np.array([west, east])).first_covering(np.array([(x, y)]))
    assert found.tolist() == [1]


def test_the_same_layer_gives_the_same_bytes():
    polygons = np.array(list(GALLERY.values()), dtype=object)
    one, two = RasterIndex.of(polygons), RasterIndex.of(polygons)
    assert one.cells.state.tobytes() == two.cells.state.tobytes()
    assert one.cells.records.tobytes() == two.cells.records.tobytes()
