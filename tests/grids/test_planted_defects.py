"""Of planted defects all are found, each with its kind and its place; on a clean grid none is invented."""

import struct

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gisgrid.grids.validation.rules import RULES

COLUMNS, ROWS, BLOCK = 16, 12, 4
EAST, NORTH = 500_000.0, 3_900_000.0
SEEDS = (1, 2, 3)


def at(column, row):
    """The position of the grid in a column and row."""
    return row * COLUMNS + column


def reshaped(levels, **shapes):
    grids = levels["grids"].copy()
    geometry = grids.geometry.to_numpy().copy()
    for name, shape in shapes.items():
        geometry[int(name[1:])] = shape
    return levels | {
        "grids": grids.set_geometry(gpd.GeoSeries(geometry, grids.index, crs=grids.crs))
    }


def changed(levels, level, column, position, value):
    frame = levels[level].copy()
    frame[column] = [value if n == position else each for n, each in enumerate(frame[column])]
    return levels | {level: frame}


def edge_between(levels, first, second):
    shapes = levels["grids"].geometry
    return shapely.line_merge(shapely.intersection(shapes[first], shapes[second]))


class Planted:
    """A city with one defect: what must be found, of whom, where, and what else it brings with it."""

    def __init__(self, levels, rule, *, level="grids", units=(), place=None, brings=(), raw=None):
        self.levels, self.rule, self.level = levels, rule, level
        self.units, self.place, self.brings, self.raw = units, place, {*brings}, raw


def code_of(levels, position):
    return levels["grids"]["grid_code"].iloc[position]


def somewhere(rng):
    """A grid inside a community, that is not at its border, and its neighbour to the east inside it."""
    column, row = rng.integers(COLUMNS // BLOCK), rng.integers(ROWS // BLOCK)
    first = at(column * BLOCK + 1, row * BLOCK + rng.integers(1, 3))
    return int(first), int(first + 1)


def plant_gap(levels, rng):
    a, b = somewhere(rng)
    hole = shapely.buffer(edge_between(levels, a, b).interpolate(0.5, normalized=True), 5.0)
    shapes = levels["grids"].geometry
    new = reshaped(levels, **{f"g{n}": shapely.difference(shapes[n], hole) for n in (a, b)})
    return Planted(new, "gap", units=(code_of(levels, a), code_of(levels, b)), place=hole)


def plant_overlap(levels, rng):
    a, b = somewhere(rng)
    spot = shapely.buffer(edge_between(levels, a, b).interpolate(0.5, normalized=True), 5.0)
    shapes = levels["grids"].geometry
    new = reshaped(levels, **{f"g{b}": shapely.union(shapes[b], spot)})
    return Planted(
        new,
        "overlap",
        units=(code_of(levels, a), code_of(levels, b)),
        place=shapely.intersection(spot, shapes[a]),
    )


def plant_sliver_overlap(levels, rng):
    a, b = somewhere(rng)
    strip = shapely.buffer(edge_between(levels, a, b), 0.3, cap_style="flat")
    shapes = levels["grids"].geometry
    strip = shapely.intersection(strip, shapes[a])
    new = reshaped(levels, **{f"g{b}": shapely.union(shapes[b], strip)})
    return Planted(new, "sliver", units=(code_of(levels, a), code_of(levels, b)), place=strip)


def plant_sliver_gap(levels, rng):
    a, b = somewhere(rng)
    line = shapely.ops.substring(edge_between(levels, a, b), 0.2, 0.8, normalized=True)
    strip = shapely.buffer(line, 0.2, cap_style="flat")
    shapes = levels["grids"].geometry
    new = reshaped(levels, **{f"g{n}": shapely.difference(shapes[n], strip) for n in (a, b)})
    return Planted(new, "sliver", units=(code_of(levels, a), code_of(levels, b)), place=strip)


def plant_twin(levels, rng):
    a, _ = somewhere(rng)
    grids = levels["grids"]
    twin = grids.iloc[[a]].assign(grid_code=grids["community_code"].iloc[a] + "017")
    new = levels | {"grids": pd.concat([grids, twin], ignore_index=True)}
    units = (code_of(levels, a), twin["grid_code"].iloc[0])
    return Planted(new, "overlap", units=units, place=grids.geometry[a], brings={"numbering_order"})


def plant_t_vertex(levels, rng):
    a, b = somewhere(rng)
    line = edge_between(levels, a, b)
    middle = line.interpolate(0.37, normalized=True)
    shapes = levels["grids"].geometry
    new = reshaped(levels, **{f"g{a}": shapely.snap(shapes[a], middle, 1e-6)})
    return Planted(
        new, "unmatched_edges", units=(code_of(levels, a), code_of(levels, b)), place=line
    )


def plant_bow_tie(levels, rng):
    a, _ = somewhere(rng)
    ring = shapely.get_coordinates(levels["grids"].geometry[a])
    new = reshaped(levels, **{f"g{a}": shapely.Polygon(ring[[0, 2, 1, 3]])})
    return Planted(
        new, "self_crossing", units=(code_of(levels, a),), place=levels["grids"].geometry[a],
        brings={"gap", "overlap"},
    )  # fmt: skip


def plant_hole_outside(levels, rng):
    a, _ = somewhere(rng)
    shape = levels["grids"].geometry[a]
    hole = shapely.affinity.translate(shapely.buffer(shape.centroid, 4), 5_000)
    new = reshaped(levels, **{f"g{a}": shapely.Polygon(shape.exterior, [hole.exterior])})
    return Planted(
        new,
        "invalid_shape",
        units=(code_of(levels, a),),
        place=hole,
        brings={"hole", "outside_parent", "not_adjacent"},
    )


def plant_multipart(levels, rng):
    a, b = somewhere(rng)
    shapes = levels["grids"].geometry
    x, y = shapes[a].centroid.x, shapes[a].centroid.y
    strip = shapely.intersection(
        shapely.box(x - 200, y - 10, x + 80, y + 10), shapely.union(shapes[a], shapes[b])
    )
    new = reshaped(
        levels,
        **{f"g{a}": shapely.difference(shapes[a], strip), f"g{b}": shapely.union(shapes[b], strip)},
    )
    brings = {
        "unmatched_edges"
    }  # the strip ends on the edge of the grid to the west, which has no vertex there
    return Planted(new, "multipart", units=(code_of(levels, a),), place=shapes[a], brings=brings)


def plant_hole(levels, rng):
    a, _ = somewhere(rng)
    shape = levels["grids"].geometry[a]
    hole = shapely.buffer(shape.centroid, 8)
    new = reshaped(levels, **{f"g{a}": shapely.difference(shape, hole)})
    return Planted(new, "hole", units=(code_of(levels, a),), place=hole, brings={"gap"})


def plant_heights(levels, rng):
    a, _ = somewhere(rng)
    new = reshaped(levels, **{f"g{a}": shapely.force_3d(levels["grids"].geometry[a], 12.0)})
    return Planted(new, "z_values", units=(code_of(levels, a),), place=levels["grids"].geometry[a])


def plant_nothing(levels, rng):
    a, _ = somewhere(rng)
    return Planted(
        reshaped(levels, **{f"g{a}": None}),
        "missing_geometry",
        units=(code_of(levels, a),),
        brings={"gap"},
    )


def plant_line(levels, rng):
    a, _ = somewhere(rng)
    line = levels["grids"].geometry[a].exterior
    new = reshaped(levels, **{f"g{a}": shapely.LineString(line.coords)})
    return Planted(new, "wrong_kind", units=(code_of(levels, a),), place=line, brings={"gap"})


def plant_infinity(levels, rng):
    a, _ = somewhere(rng)
    ring = shapely.get_coordinates(levels["grids"].geometry[a])
    ring[2, 0] = np.inf
    new = reshaped(levels, **{f"g{a}": shapely.Polygon(ring)})
    return Planted(new, "not_finite", units=(code_of(levels, a),), brings={"gap"})


def plant_open_ring(levels, rng):
    a, _ = somewhere(rng)
    raw = [shapely.to_wkb(shape) for shape in levels["grids"].geometry]
    ring = shapely.get_coordinates(levels["grids"].geometry[a])[:-1]
    raw[a] = struct.pack("<BIII", 1, 3, 1, len(ring)) + ring.astype("<f8").tobytes()
    return Planted(
        levels,
        "unclosed_ring",
        units=(code_of(levels, a),),
        place=shapely.Point(ring[-1]),
        raw={"grids": raw},
    )


def given_to_neighbour(levels, a, b, width):
    """Leave grid a only a strip along its western edge; the rest is its neighbour's."""
    shapes = levels["grids"].geometry
    west, north_west = shapely.get_coordinates(shapes[a])[[0, 3]]
    strip = shapely.intersection(
        shapely.buffer(shapely.LineString([west, north_west]), width, cap_style="square"), shapes[a]
    )
    rest = shapely.difference(shapes[a], strip)
    return reshaped(levels, **{f"g{a}": strip, f"g{b}": shapely.union(shapes[b], rest)}), strip


def plant_small(levels, rng):
    a, b = somewhere(rng)
    new, strip = given_to_neighbour(levels, a, b, 3.0)
    # the strip's ends lie on the edges of the grids to the north and the south; and its middle moved
    brings = {"unmatched_edges", "numbering_order"}
    return Planted(new, "area_outlier", units=(code_of(levels, a),), place=strip, brings=brings)


def plant_thin(levels, rng):
    a, b = somewhere(rng)
    new, strip = given_to_neighbour(levels, a, b, 0.4)
    brings = {"area_outlier", "unmatched_edges", "numbering_order"}
    return Planted(new, "thin_unit", units=(code_of(levels, a),), place=strip, brings=brings)


def plant_outside(levels, rng):
    a = at(0, int(rng.integers(ROWS)))
    shape = levels["grids"].geometry[a]
    west, south, east, north = shape.bounds
    new = reshaped(
        levels,
        **{
            f"g{a}": shapely.union(shape, shapely.box(west - 20, south + 30, east - 40, north - 30))
        },
    )
    place = shapely.box(west - 20, south + 30, west - 1, north - 30)
    return Planted(new, "outside_parent", units=(code_of(levels, a),), place=place)


def plant_crossing(levels, rng):
    a = at(BLOCK - 1, int(rng.integers(ROWS // BLOCK)) * BLOCK + 1)
    shapes, spot = (
        levels["grids"].geometry,
        shapely.buffer(edge_between(levels, a, a + 1).centroid, 20),
    )
    piece = shapely.intersection(spot, shapes[a + 1])
    new = reshaped(
        levels,
        **{
            f"g{a}": shapely.union(shapes[a], piece),
            f"g{a + 1}": shapely.difference(shapes[a + 1], piece),
        },
    )
    return Planted(new, "crosses_parent", units=(code_of(levels, a),), place=piece)


def plant_orphan(levels, rng):
    a, _ = somewhere(rng)
    new = changed(levels, "grids", "community_code", a, "110101009009")
    brings = {"not_adjacent"}  # its community has a hole now
    return Planted(
        new, "orphan", units=(code_of(levels, a),), place=levels["grids"].geometry[a], brings=brings
    )


def plant_wrong_parent(levels, rng):
    a, _ = somewhere(rng)
    other = levels["grids"]["community_code"].iloc[
        (a + len(levels["grids"]) // 2) % len(levels["grids"])
    ]
    new = changed(levels, "grids", "community_code", a, other)
    brings = {"two_parents", "not_adjacent", "numbering_order"}
    return Planted(
        new,
        "wrong_parent",
        units=(code_of(levels, a),),
        place=levels["grids"].geometry[a],
        brings=brings,
    )


def plant_two_parents(levels, rng):
    a, _ = somewhere(rng)
    other = (a + len(levels["grids"]) // 2) % len(levels["grids"])
    code = code_of(levels, other)
    new = changed(levels, "grids", "grid_code", a, code)
    brings = {"duplicate_code", "numbering_order"}
    return Planted(
        new, "two_parents", units=(code,), place=levels["grids"].geometry[a], brings=brings
    )


def plant_duplicate_code(levels, rng):
    a, b = somewhere(rng)
    new = changed(levels, "grids", "grid_code", a, code_of(levels, b))
    place = levels["grids"].geometry[a]
    return Planted(
        new, "duplicate_code", units=(code_of(levels, b),), place=place, brings={"numbering_order"}
    )


def plant_short_code(levels, rng):
    a, _ = somewhere(rng)
    code = code_of(levels, a)[1:]
    new = changed(levels, "grids", "grid_code", a, code)
    return Planted(new, "ill_formed_code", units=(code,), place=levels["grids"].geometry[a])


def plant_no_code(levels, rng):
    a, _ = somewhere(rng)
    new = changed(levels, "grids", "grid_code", a, None)
    return Planted(new, "missing_code", units=(f"row {a + 1}",), place=levels["grids"].geometry[a])


def plant_numbering(levels, rng):
    a, _ = somewhere(rng)
    corner = at(a % COLUMNS // BLOCK * BLOCK, a // COLUMNS // BLOCK * BLOCK)
    opposite = corner + at(BLOCK - 1, BLOCK - 1)
    first, last = code_of(levels, corner), code_of(levels, opposite)
    new = changed(
        changed(levels, "grids", "grid_code", corner, last), "grids", "grid_code", opposite, first
    )
    return Planted(
        new, "numbering_order", units=(first[:12], first), place=levels["grids"].geometry[opposite]
    )


def plant_far_member(levels, rng):
    a, _ = somewhere(rng)
    other = levels["grids"]["management_grid"].iloc[
        (a + len(levels["grids"]) // 2) % len(levels["grids"])
    ]
    new = changed(levels, "grids", "management_grid", a, other)
    return Planted(
        new, "not_adjacent", units=(other, code_of(levels, a)), place=levels["grids"].geometry[a]
    )


def plant_bare_ground(levels, rng):
    a = at(0, int(rng.integers(ROWS)))
    gone = levels["grids"].iloc[a]
    new = levels | {"grids": levels["grids"].drop(index=a).reset_index(drop=True)}
    return Planted(
        new,
        "parent_not_filled",
        level="communities",
        units=(gone["community_code"],),
        place=gone.geometry,
    )


def plant_childless(levels, rng):
    del rng
    beside = shapely.box(EAST - 9_000, NORTH, EAST - 8_000, NORTH + 900)
    street = gpd.GeoDataFrame({"street_code": ["110101009"]}, geometry=[beside], crs=4547)
    new = levels | {"streets": pd.concat([levels["streets"], street], ignore_index=True)}
    return Planted(new, "childless", level="streets", units=("110101009",), place=beside)


PLANTS = {
    name.removeprefix("plant_"): plant
    for name, plant in list(globals().items())
    if name.startswith("plant_")
}


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_invented_on_a_clean_grid(clean_cities, examined, seed):
    report = examined(
        clean_cities[seed],
        raw={name: frame.to_wkb().geometry.tolist() for name, frame in clean_cities[seed].items()},
    )
    assert report.faults["message_en"].to_list() == []
    assert report.clean
    assert report.nesting["n_exact"].to_list() == report.nesting["n_units"].to_list()
    assert report.levels["ground_km2"].to_numpy() == pytest.approx(
        report.levels["ground_km2"][0], rel=1e-12
    )


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", PLANTS)
def test_a_planted_defect_is_found_with_kind_and_place_and_nothing_else(
    clean_cities, examined, kind, seed
):
    planted = PLANTS[kind](clean_cities[seed], np.random.default_rng(seed))
    faults = examined(planted.levels, raw=planted.raw).faults
    found = faults[(faults["rule"] == planted.rule) & (faults["level"] == planted.level)]
    assert len(found) == 1
    named = {found["unit"].iloc[0], *found["others"].iloc[0].split("; ")}
    assert set(planted.units) <= named
    if planted.place is not None:
        assert shapely.intersects(shapely.buffer(planted.place, 1e-3), found.geometry.iloc[0])
    assert set(faults["rule"]) - {planted.rule} <= planted.brings


def test_every_rule_is_planted(clean_cities):
    """No rule is there that the suite does not try."""
    levels = clean_cities[1]
    tried = {plant(levels, np.random.default_rng(1)).rule for plant in PLANTS.values()}
    assert tried == set(RULES)


@settings(derandomize=True, max_examples=6, deadline=None)
@given(seed=st.integers(min_value=0, max_value=2**31))
def test_of_many_planted_gaps_and_overlaps_all_are_found_with_their_size(
    clean_cities, examined, seed
):
    rng = np.random.default_rng(seed)
    levels = dict(clean_cities[1])
    shapes = levels["grids"].geometry
    edges = [
        (at(c, r), at(c + 1, r))
        for r in range(ROWS)
        for c in range(0, COLUMNS - 1, 2)
        if c % BLOCK != BLOCK - 1
    ]
    new, gaps, overlaps = shapes.to_numpy().copy(), {}, {}
    for first, second in rng.permutation(edges)[:24]:
        radius = rng.uniform(2.5, 12)
        spot = shapely.buffer(
            edge_between(levels, first, second).interpolate(0.5, normalized=True), radius
        )
        if rng.random() < 0.5:
            new[first], new[second] = shapely.difference(shapes[[first, second]].to_numpy(), spot)
            gaps[code_of(levels, first)] = spot.area
        else:
            new[second] = shapely.union(shapes[second], spot)
            overlaps[code_of(levels, first)] = shapely.intersection(spot, shapes[first]).area
    levels["grids"] = levels["grids"].set_geometry(gpd.GeoSeries(new, crs=4547))
    faults = examined(levels).faults
    for rule, expected in (("gap", gaps), ("overlap", overlaps)):
        found = faults[faults["rule"] == rule].set_index("unit")["size"]
        assert found.sort_index().to_dict() == pytest.approx(
            dict(sorted(expected.items())), rel=1e-6
        )
    assert set(faults["rule"]) <= {"gap", "overlap"}
