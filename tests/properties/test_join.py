"""Laws of the join: one unit at most, nothing lost, order without effect, and shapely's answer everywhere."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gisgrid.join import assign_units, unassigned, unit_counts

CRS = "EPSG:4547"
laws = settings(derandomize=True, max_examples=40, deadline=None)

seeds = st.integers(0, 2**32 - 1)
small = st.integers(0, 12)
boxes = st.tuples(small, small, st.integers(1, 6), st.integers(1, 6)).map(
    lambda b: shapely.box(b[0], b[1], b[0] + b[2], b[1] + b[3])
)


@st.composite
def polygons(draw):
    """Draw polygons with holes and parts whose borders meet often: boxes joined and cut on whole numbers."""
    shape = draw(boxes)
    for cut, other in draw(st.lists(st.tuples(st.booleans(), boxes), max_size=4)):
        shape = shape.difference(other) if cut else shape.union(other)
    return shape if shape.geom_type.endswith("Polygon") else shapely.Polygon()


halves = st.tuples(st.integers(-1, 40), st.integers(-1, 40)).map(lambda p: (p[0] / 2, p[1] / 2))
places = st.lists(st.one_of(st.none(), halves.map(shapely.Point)), max_size=30)


def frame(shapes, **columns):
    return gpd.GeoDataFrame(columns, geometry=list(shapes), crs=CRS)


def units_of(shapes):
    return frame(shapes, code=np.array([f"{i:03d}" for i in range(len(shapes))], dtype=object))


def oracle(shapes, points):
    """The first shape that shapely says covers each point, or -1."""
    tree = shapely.STRtree(shapes)
    at, inside = tree.query(points, predicate="intersects")
    found = np.full(len(points), len(shapes))
    np.minimum.at(found, at, inside)
    return np.where(found == len(shapes), -1, found)


def numbers(codes):
    return codes.fillna("-1").astype(int).to_numpy()


@given(st.lists(polygons(), max_size=6), places)
@laws
def test_every_issue_is_in_one_unit_at_most_and_none_is_lost(shapes, geometry):
    issues, units = frame(geometry), units_of(shapes)
    found = assign_units(issues, {"code": units}, zones={"in_zone": units})
    counts = unit_counts(found["code"], units["code"])
    assert counts.index.tolist() == units["code"].tolist()
    assert counts.sum() + len(unassigned(found, "code")) == len(issues)
    for place, code in zip(geometry, found["code"], strict=True):
        covering = [] if place is None else [i for i, s in enumerate(shapes) if s.covers(place)]
        assert (f"{covering[0]:03d}" == code) if covering else pd.isna(code)
    assert (found["in_zone"] == found["code"].notna()).all()


@given(st.lists(polygons(), min_size=1, max_size=6), places, st.randoms(use_true_random=False))
@laws
def test_the_order_of_issues_and_units_has_no_effect(shapes, geometry, random):
    issues, units = frame(geometry), units_of(shapes)
    rows, order = list(range(len(issues))), list(range(len(units)))
    random.shuffle(rows)
    random.shuffle(order)
    straight = assign_units(issues, {"code": units})
    shuffled = assign_units(issues.iloc[rows], {"code": units.iloc[order]})
    assert straight.iloc[rows].equals(shuffled)


@given(seeds, st.integers(2, 60), st.sampled_from([1.0, 1e-4, 3e4]), st.sampled_from([0.0, 4e6]))
@laws
def test_a_random_voronoi_tessellation_agrees_with_shapely(seed, n, size, shift):
    rng = np.random.default_rng(seed)
    centres = shapely.multipoints(shift + size * rng.random((n, 2)))
    shapes = shapely.get_parts(shapely.voronoi_polygons(centres))
    vertices = shapely.get_coordinates(shapes)
    anywhere = vertices.min(axis=0) + rng.random((300, 2)) * np.ptp(vertices, axis=0)
    points = shapely.points(np.vstack([vertices, anywhere]))
    found = assign_units(frame(points), {"code": units_of(shapes)})["code"]
    assert (numbers(found) == oracle(shapes, points)).all()
    assert found.notna().all()


@given(st.integers(1, 12), st.integers(1, 12), st.sampled_from([1.0, 0.1, 1 / 3, 250.0]), seeds)
@laws
def test_a_square_lattice_agrees_with_shapely_on_its_edges_and_vertices(columns, rows, cell, seed):
    rng = np.random.default_rng(seed)
    shift = rng.choice([0.0, 4.2e5, 3.9e6], 2)
    x, y = shift[0] + cell * np.arange(columns + 1), shift[1] + cell * np.arange(rows + 1)
    shapes = np.array(
        [
            shapely.box(x[i], y[j], x[i + 1], y[j + 1])
            for j in rng.permutation(rows)
            for i in rng.permutation(columns)
        ]
    )
    mesh = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    on_vertical = np.column_stack([rng.choice(x, 60), rng.uniform(y[0], y[-1], 60)])
    on_level = np.column_stack([rng.uniform(x[0], x[-1], 60), rng.choice(y, 60)])
    points = shapely.points(np.vstack([mesh, on_vertical, on_level]))
    found = assign_units(frame(points), {"code": units_of(shapes)})["code"]
    assert (numbers(found) == oracle(shapes, points)).all()
    assert found.notna().all()


@given(st.lists(polygons(), min_size=1, max_size=4), places, st.integers(-3, 3), st.integers(0, 40))
@laws
def test_moving_and_scaling_all_alike_has_no_effect(shapes, geometry, exponent, steps):
    def moved(parts):
        return [
            part
            if part is None
            else shapely.transform(part, lambda xy: (xy + steps * 1024) * 2.0**exponent)
            for part in parts
        ]

    here = assign_units(frame(geometry), {"code": units_of(shapes)})
    there = assign_units(frame(moved(geometry)), {"code": units_of(moved(shapes))})
    assert here.equals(there)
