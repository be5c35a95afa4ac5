import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from libpysal.graph import Graph

from gisgrid.errors import CrsError, InputError
from gisgrid.grids import tessellate

EAST, NORTH = 500_000.0, 3_900_000.0


def area(*polygons, crs=4547):
    return gpd.GeoDataFrame(geometry=list(polygons), crs=crs)


def star(n, radius=2000.0, seed=0):
    rng = np.random.default_rng(seed)
    angle = np.sort(rng.uniform(0, 2 * np.pi, n))
    reach = radius * rng.uniform(0.3, 1, n)
    return shapely.Polygon(
        np.c_[EAST + reach * np.cos(angle), NORTH + reach * np.sin(angle)]
    ).buffer(0)


SHAPES = {
    "star": [star(60)],
    "hole": [shapely.box(EAST, NORTH, EAST + 3000, NORTH + 2000).difference(shapely.Point(EAST + 1000, NORTH + 900).buffer(700))],
    "two islands": [shapely.MultiPolygon([star(9), shapely.box(EAST + 5000, NORTH, EAST + 5100, NORTH + 10)])],
    "overlapping parts": [shapely.box(EAST, NORTH, EAST + 1000, NORTH + 1000), shapely.box(EAST + 500, NORTH + 500, EAST + 2500, NORTH + 1200)],
    "bow tie": [shapely.Polygon([(EAST, NORTH), (EAST + 1000, NORTH + 1000), (EAST + 1000, NORTH), (EAST, NORTH + 1000)])],
    "smaller than a cell": [shapely.box(EAST + 1, NORTH + 1, EAST + 2, NORTH + 2)],
    "exactly nine squares": [shapely.box(EAST, NORTH, EAST + 900, NORTH + 900)],
    "with null and a line": [None, shapely.LineString([(0, 0), (9, 9)]), star(20)],
    "across the origin": [shapely.box(-777, -555, 888, 999)],
    "many vertices": [star(3000)],
}  # fmt: skip


def union(frame):
    geometry = shapely.make_valid(frame.geometry.dropna().to_numpy())
    return shapely.union_all(geometry)


@pytest.mark.parametrize("shape", ["hexagon", "square"])
@pytest.mark.parametrize("name", SHAPES)
def test_cells_cover_the_area_once(name, shape):
    frame = area(*SHAPES[name])
    cells = tessellate(frame, cell_m=300, shape=shape)
    ground = union(frame)
    assert list(cells.columns) == ["cell_id", "area_km2", "share_inside", "geometry"]
    assert cells["cell_id"].is_unique
    assert ((cells["share_inside"] > 0) & (cells["share_inside"] <= 1)).all()
    inside_km2 = (cells["share_inside"] * cells["area_km2"]).sum()
    np.testing.assert_allclose(inside_km2, ground.area / 1e6, rtol=1e-9)
    np.testing.assert_allclose(cells.area / 1e6, cells["area_km2"], rtol=1e-9)
    covered = shapely.union_all(cells.geometry.to_numpy())
    np.testing.assert_allclose(covered.area / 1e6, cells["area_km2"].sum(), rtol=1e-9)
    assert ground.difference(covered.buffer(1e-6)).area == 0
    assert cells.is_valid.all()
    assert cells.crs == frame.crs


@pytest.mark.parametrize("shape", ["hexagon", "square"])
def test_shares_are_what_an_intersection_says(shape):
    frame = area(star(400, seed=3))
    cells = tessellate(frame, cell_m=120, shape=shape)
    direct = shapely.area(shapely.intersection(cells.geometry.to_numpy(), union(frame)))
    np.testing.assert_allclose(cells["share_inside"], direct / cells.area, rtol=1e-6, atol=1e-12)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    st.sampled_from(["hexagon", "square"]),
    st.floats(37, 900),
    st.floats(-5e5, 5e5),
    st.floats(0, 4e6),
    st.integers(0, 1000),
)
def test_laws_hold_for_any_place_and_width(shape, cell_m, east, north, seed):
    polygon = shapely.affinity.translate(star(12, seed=seed), east - EAST, north - NORTH)
    cells = tessellate(area(polygon), cell_m=cell_m, shape=shape)
    inside_km2 = (cells["share_inside"] * cells["area_km2"]).sum()
    np.testing.assert_allclose(inside_km2, polygon.area / 1e6, rtol=1e-9)
    # Neighbours have vertices in common to the last bit: as many different ones as a lattice has.
    corners = shapely.get_coordinates(cells.geometry.to_numpy())
    exact = len(np.unique(corners, axis=0))
    assert exact == len(np.unique(np.round(corners, 4), axis=0))


@pytest.mark.parametrize(("shape", "queen", "rook"), [("hexagon", 6, 6), ("square", 8, 4)])
def test_inner_cells_have_all_their_neighbours_by_exact_vertices(shape, queen, rook):
    cells = tessellate(area(star(200)), cell_m=47.3, shape=shape).set_index("cell_id")
    inner = cells.index[cells.within(union(area(star(200))).buffer(-200))]
    assert len(inner) > 50
    for expected, is_rook in ((queen, False), (rook, True)):
        graph = Graph.build_contiguity(cells, rook=is_rook)
        assert (graph.cardinalities[inner] == expected).all()


def test_a_hexagon_is_as_wide_as_asked_and_regular():
    cells = tessellate(area(shapely.box(EAST, NORTH, EAST + 5000, NORTH + 5000)), cell_m=300)
    bounds = cells.bounds
    np.testing.assert_allclose(bounds["maxx"] - bounds["minx"], 300, atol=1e-6)
    np.testing.assert_allclose(bounds["maxy"] - bounds["miny"], 600 / np.sqrt(3), atol=1e-6)
    sides = np.linalg.norm(np.diff(shapely.get_coordinates(cells.geometry.iloc[7]), axis=0), axis=1)
    np.testing.assert_allclose(sides, 300 / np.sqrt(3), atol=1e-6)
    assert cells["area_km2"].iloc[0] == pytest.approx(np.sqrt(3) / 2 * 0.09, rel=1e-12)


def test_an_aligned_city_has_no_slivers():
    cells = tessellate(area(*SHAPES["exactly nine squares"]), cell_m=300, shape="square")
    # 500 000 is no multiple of 300, so east has four columns; 3 900 000 is, so north has three rows.
    assert len(cells) == 12
    aligned = area(shapely.box(300_000, 3_900_000, 300_900, 3_900_900))
    cells = tessellate(aligned, cell_m=300, shape="square")
    assert len(cells) == 9
    assert (cells["share_inside"] == 1).all()


@pytest.mark.parametrize("shape", ["hexagon", "square"])
def test_the_same_place_has_the_same_cell_whatever_the_area(shape):
    left = tessellate(
        area(shapely.box(EAST, NORTH, EAST + 2000, NORTH + 2000)), cell_m=300, shape=shape
    )
    right = tessellate(area(shapely.box(EAST + 900, NORTH - 500, EAST + 4000, NORTH + 900)), cell_m=300, shape=shape)  # fmt: skip
    both = left.merge(right, on="cell_id", suffixes=("", "_right"))
    assert len(both) > 10
    assert all(
        a.equals_exact(b, 0) for a, b in zip(both["geometry"], both["geometry_right"], strict=True)
    )


def test_ids_name_shape_width_column_and_row_from_the_origin():
    cells = tessellate(area(shapely.box(-1, -1, 1, 1)), cell_m=2.5, shape="square")
    assert cells["cell_id"].to_list() == ["s2.5_-1_-1", "s2.5_0_-1", "s2.5_-1_0", "s2.5_0_0"]
    around_origin = tessellate(area(shapely.box(-1, -1, 1, 1)), cell_m=300)
    assert around_origin["cell_id"].to_list() == ["h300_0_0"]


def test_the_same_area_gives_the_same_cells_in_the_same_order():
    parts = [star(30, seed=seed) for seed in range(3)]
    one, other = (tessellate(area(*order), cell_m=200) for order in (parts, parts[::-1]))
    pd.testing.assert_frame_equal(
        one.drop(columns=["geometry", "share_inside"]),
        other.drop(columns=["geometry", "share_inside"]),
    )
    np.testing.assert_allclose(one["share_inside"], other["share_inside"], rtol=1e-9)
    assert one.geometry.geom_equals_exact(other.geometry, 0).all()


SQUARE = area(shapely.box(EAST, NORTH, EAST + 1000, NORTH + 1000))


@pytest.mark.parametrize(
    ("frame", "options", "error", "says"),
    [
        (area(shapely.box(114, 35, 115, 36), crs=4490), {}, CrsError, "tessellate needs metres but 'area' is in EPSG:4490 (degree)"),
        (area(shapely.box(0, 0, 9, 9), crs=None), {}, CrsError, "no coordinate reference system"),
        (SQUARE, {"cell_m": 0}, InputError, "a cell of 0 m covers nothing"),
        (SQUARE, {"cell_m": -3}, InputError, "a cell of -3 m covers nothing"),
        (SQUARE, {"cell_m": float("nan")}, InputError, "a cell of nan m covers nothing"),
        (SQUARE, {"cell_m": 0.1}, InputError, "over 5000000; give cells"),
        (SQUARE, {"shape": "triangle"}, InputError, "no cell shape 'triangle'; choose 'hexagon' or 'square'"),
        (area(), {}, InputError, "the 0 geometries to tessellate have no area"),
        (area(shapely.Point(1, 1), None), {}, InputError, "the 2 geometries to tessellate have no area"),
    ],
)  # fmt: skip
def test_refuses_in_one_sentence(frame, options, error, says):
    with pytest.raises(error) as caught:
        tessellate(frame, **{"cell_m": 300, **options})
    assert says in str(caught.value)
