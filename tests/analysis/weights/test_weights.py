import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from libpysal.graph import Graph

from gisgrid.analysis import contiguity
from gisgrid.errors import ColumnError, InputError


def frame(polygons, codes=None, crs=4547):
    codes = codes if codes is not None else [f"u{i}" for i in range(len(polygons))]
    return gpd.GeoDataFrame({"code": codes}, geometry=list(polygons), crs=crs)


def lattice(width, height, side=1.0, west=0.0, south=0.0):
    y, x = np.divmod(np.arange(width * height), width)
    x, y = west + x * side, south + y * side
    return shapely.box(x, y, x + side, y + side)


def pairs(graph):
    links = graph.adjacency[graph.adjacency > 0]
    return set(links.index)


@pytest.mark.parametrize(("kind", "interior"), [("queen", 8), ("rook", 4)])
def test_the_middle_of_a_lattice_has_all_its_neighbours(kind, interior):
    graph = contiguity(frame(lattice(5, 5)), key="code", kind=kind)
    assert graph.cardinalities["u12"] == interior
    assert graph.n == 25


@pytest.mark.parametrize("kind", ["queen", "rook"])
def test_agrees_with_libpysal_where_vertices_are_shared(kind):
    units = frame(lattice(7, 6, 250.0, 4e5, 3.9e6)).sample(frac=1, random_state=1)
    ours = contiguity(units, key="code", kind=kind)
    theirs = Graph.build_contiguity(units.set_index("code"), rook=kind == "rook")
    assert pairs(ours) == pairs(theirs)
    assert list(ours.unique_ids) == list(units["code"])
    assert (ours.sparse != theirs.sparse).nnz == 0


def test_a_border_that_ends_on_anothers_side_is_a_border():
    # u0 spans the north sides of u1 and u2 without a vertex where they meet.
    units = frame(shapely.box([0, 0, 0.1], [1, 0, 0], [0.3, 0.1, 0.3], [2, 1, 1]))
    assert len(contiguity(units, key="code")["u0"]) == 2
    assert len(contiguity(units, key="code", kind="rook")["u0"]) == 2
    by_vertex = Graph.build_contiguity(units.set_index("code"), rook=True)
    assert "u0" in by_vertex.isolates  # why it is done by geometry


@pytest.mark.parametrize("kind", ["queen", "rook"])
def test_a_gap_of_rounding_is_no_gap_and_a_metre_is(kind):
    near, far = 1e-4, 1.0
    base = shapely.box(5e5, 3.9e6, 5e5 + 100, 3.9e6 + 100)
    for gap, expected in ((near, 1), (far, 0)):
        other = shapely.box(5e5 + 100 + gap, 3.9e6, 5e5 + 200, 3.9e6 + 100)
        graph = contiguity(frame([base, other]), key="code", kind=kind)
        assert graph.cardinalities["u0"] == expected


def test_overlapping_and_nested_units_are_neighbours():
    units = frame(shapely.box([0, 0.5, 0.2], [0, 0, 0.2], [1, 2, 0.3], [1, 1, 0.3]))
    for kind in ("queen", "rook"):
        assert set(contiguity(units, key="code", kind=kind)["u0"].index) == {"u1", "u2"}


def test_rook_looks_past_the_boxes():
    # Two triangles whose boxes overlap widely but which meet in one point.
    left = shapely.Polygon([(0, 0), (1, 1), (0, 2)])
    right = shapely.Polygon([(2, 0), (1, 1), (2, 2)])
    ring = shapely.Polygon([(0, 2), (1, 1), (2, 2), (1, 9)])
    units = frame([left, right, ring])
    assert pairs(contiguity(units, key="code")) >= {("u0", "u1"), ("u1", "u0")}
    assert ("u0", "u1") not in pairs(contiguity(units, key="code", kind="rook"))
    assert ("u0", "u2") in pairs(contiguity(units, key="code", kind="rook"))


def test_parts_and_holes_count():
    ring = shapely.box(0, 0, 3, 3).difference(shapely.box(1, 1, 2, 2))
    units = frame(
        [
            ring,
            shapely.box(1, 1, 2, 2),
            shapely.MultiPolygon([shapely.box(3, 0, 4, 1), shapely.box(8, 8, 9, 9)]),
        ]
    )
    assert pairs(contiguity(units, key="code", kind="rook")) == {
        ("u0", "u1"), ("u1", "u0"), ("u0", "u2"), ("u2", "u0"),
    }  # fmt: skip


def test_islands_stay_and_are_listed():
    units = frame([*lattice(2, 1), shapely.box(50, 50, 51, 51)])
    graph = contiguity(units, key="code")
    assert list(graph.isolates) == ["u2"]
    assert graph.n == 3
    alone = contiguity(frame([shapely.box(0, 0, 1, 1)]), key="code")
    assert list(alone.isolates) == ["u0"]


def test_degrees_and_feet_do_as_well():
    for crs, scale in ((4490, 0.003), (3435, 900.0)):
        units = frame(lattice(3, 3, scale, 114.0, 35.0), crs=crs)
        assert contiguity(units, key="code").cardinalities["u4"] == 8


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    st.integers(1, 6),
    st.integers(1, 6),
    st.randoms(use_true_random=False),
    st.sampled_from(["queen", "rook"]),
)
def test_symmetric_and_blind_to_the_order_of_rows(width, height, random, kind):
    units = frame(lattice(width, height, 0.1, 0.3, 0.7))
    order = list(range(len(units)))
    random.shuffle(order)
    straight, shuffled = (
        contiguity(rows, key="code", kind=kind) for rows in (units, units.iloc[order])
    )
    assert pairs(straight) == pairs(shuffled) == {(b, a) for a, b in pairs(straight)}
    assert all(a != b for a, b in pairs(straight))
    right, up = (width - 1) * height, width * (height - 1)
    diagonal = 2 * (width - 1) * (height - 1) if kind == "queen" else 0
    assert len(pairs(straight)) == 2 * (right + up + diagonal)


def test_the_frame_is_not_changed():
    units = frame(lattice(3, 3))
    before = units.copy()
    contiguity(units, key="code", kind="rook")
    pd.testing.assert_frame_equal(units, before)


SQUARES = lattice(2, 1)


@pytest.mark.parametrize(
    ("units", "options", "error", "says"),
    [
        (frame(SQUARES), {"key": "cod"}, ColumnError, "no column 'cod' in the units; did you mean 'code'"),
        (frame(SQUARES, ["a", "a"]), {"key": "code"}, InputError, "1 of 2 values of 'code' occur again (first: 'a')"),
        (frame(SQUARES, ["a", None]), {"key": "code"}, InputError, "1 of 2 units have no 'code' (first: row 1)"),
        (frame([SQUARES[0], None]), {"key": "code"}, InputError, "1 of 2 units have no area (first: 'u1', null geometry)"),
        (frame([shapely.Point(0, 0), SQUARES[0]]), {"key": "code"}, InputError, "(first: 'u0', Point)"),
        (frame([shapely.Polygon(), SQUARES[0]]), {"key": "code"}, InputError, "1 of 2 units have no area"),
        (frame([]), {"key": "code"}, InputError, "0 units"),
        (frame(SQUARES), {"key": "code", "kind": "bishop"}, InputError, "no contiguity 'bishop'; choose 'queen' or 'rook'"),
    ],
)  # fmt: skip
def test_refuses_in_one_sentence(units, options, error, says):
    with pytest.raises(error) as caught:
        contiguity(units, **options)
    assert says in str(caught.value)
