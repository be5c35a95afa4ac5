"""The three levels tile exactly, nest exactly, and are coded by the rules."""

from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gisgrid.testing.grids import COUNTY_CODE, grid_frames
from gisgrid.testing.ground import HALF_HEIGHT_M, HALF_WIDTH_M, lay_ground
from gisgrid.testing.streets import main_streets
from gisgrid.testing.tessellation import divide, snap_coverage

LEVELS = ("subdistricts", "communities", "compounds")


def made(seed):
    rng = np.random.default_rng(seed)
    ground = lay_ground(rng)
    return grid_frames(divide(ground, main_streets(ground, rng), rng), rng)


def assert_tiles_and_nests(subdistricts, communities, compounds):
    total = subdistricts.area.sum()
    for frame in (subdistricts, communities, compounds):
        shapes = frame.geometry.to_numpy()
        assert set(frame.geom_type) == {"Polygon"}
        assert shapely.coverage_is_valid(shapes)
        assert frame.area.sum() == pytest.approx(total, rel=1e-9)
    for children, parents, code in (
        (compounds, communities, "community_code"),
        (communities, subdistricts, "subdistrict_code"),
    ):
        parent = parents.set_index(code).geometry.loc[children[code]].to_numpy()
        assert shapely.covers(parent, children.geometry.to_numpy()).all()
        for unit, shape in parents.set_index(code).geometry.items():
            parts = children.geometry[children[code] == unit].to_numpy()
            assert shapely.equals(shapely.coverage_union_all(parts), shape)


def test_the_levels_tile_and_nest_exactly(city):
    assert_tiles_and_nests(*(city.layers[level] for level in LEVELS))


@settings(derandomize=True, max_examples=2, deadline=None)
@given(seed=st.integers(min_value=0, max_value=2**31))
def test_any_city_tiles_nests_and_has_a_city_s_numbers(seed):
    grid = made(seed)
    assert_tiles_and_nests(grid.subdistricts, grid.communities, grid.compounds)
    assert 10 <= len(grid.subdistricts) <= 14
    assert 110 <= len(grid.communities) <= 150
    assert 1_500 <= len(grid.compounds) <= 2_500
    assert 600_000 <= grid.compounds["population"].sum() <= 900_000
    assert grid.compounds["area_km2"].min() > 0.001


def test_every_vertex_lies_on_the_centimetre_grid(city):
    xy = shapely.get_coordinates(city.layers["compounds"].geometry.to_numpy())
    assert np.array_equal(np.round(xy, 2), xy)


def test_the_city_has_its_size(city):
    west, south, east, north = city.layers["subdistricts"].total_bounds
    assert east - west == pytest.approx(2 * HALF_WIDTH_M, rel=0.02)
    assert north - south == pytest.approx(2 * HALF_HEIGHT_M, rel=0.02)


def test_pieces_that_overlap_by_rounding_become_a_coverage():
    third = 100 / 3
    pieces = [
        shapely.box(0, 0, third, 50),
        shapely.box(third + 1e-7, 0, 100, 50),
        shapely.box(0, 50, 71.234567, 100),
        shapely.box(71.234566, 50, 100, 100),
    ]
    coverage = snap_coverage(pieces)
    assert shapely.coverage_is_valid(coverage)
    assert shapely.area(coverage).sum() == pytest.approx(10_000, abs=1e-6)
    assert shapely.area(coverage) == pytest.approx(shapely.area(pieces), abs=1.0)


def test_codes_say_what_a_unit_is_and_where_it_belongs(city):
    subdistricts, communities, compounds = (city.layers[level] for level in LEVELS)
    assert (subdistricts["subdistrict_code"].str[:6] == COUNTY_CODE).all()
    number = subdistricts["subdistrict_code"].str[6:].astype(int)
    kind = np.select([number < 100, number < 200], ["street", "town"], "township")
    assert (kind == subdistricts["kind"]).all()
    assert (communities["community_code"].str[:9] == communities["subdistrict_code"]).all()
    number = communities["community_code"].str[9:].astype(int)
    assert ((number < 200) == (communities["kind"] == "community")).all()
    assert number.between(1, 399).all()
    assert (compounds["compound_code"].str[:12] == compounds["community_code"]).all()
    assert (compounds["compound_code"].str.len() == 15).all()


def test_serial_numbers_run_from_west_to_east_then_from_north_to_south(city):
    compounds = city.layers["compounds"]
    middle = compounds.geometry.centroid
    for _, rows in compounds.assign(x=middle.x, y=middle.y).groupby("community_code"):
        ordered = rows.sort_values("compound_code")
        assert list(ordered["compound_code"].str[-3:].astype(int)) == list(range(1, len(rows) + 1))
        x, y = ordered["x"].to_numpy(), ordered["y"].to_numpy()
        starts = np.flatnonzero(np.diff(x) < 0) + 1  # a step back to the west begins the next row
        bands = np.split(y, starts)
        assert all(max(low) < max(high) + 1e-6 for high, low in pairwise(bands))


def test_populations_and_areas_add_up(city):
    subdistricts, communities, compounds = (city.layers[level] for level in LEVELS)
    for children, parents, code in (
        (compounds, communities, "community_code"),
        (communities, subdistricts, "subdistrict_code"),
    ):
        whole = parents.set_index(code)[["population", "area_km2"]]
        sums = children.groupby(code)[["population", "area_km2"]].sum().loc[whole.index]
        assert (sums["population"] == whole["population"]).all()
        assert sums["area_km2"].to_numpy() == pytest.approx(whole["area_km2"].to_numpy(), abs=1e-4)


def test_names_are_unique_in_their_level(city):
    for level in LEVELS:
        for name in ("name_zh", "name_en"):
            assert city.layers[level][name].is_unique


def test_river_reaches_have_no_residents_and_nothing_else_is_empty(city):
    compounds = city.layers["compounds"]
    river = compounds["name_en"].str.contains("River Reach")
    assert river.sum() >= 5
    assert ((compounds["population"] == 0) == river).all()


def test_classes_go_from_the_middle_outwards(city):
    communities = city.layers["communities"]
    middle = communities.geometry.centroid
    west, south, east, north = communities.total_bounds
    away = np.hypot(middle.x - (west + east) / 2, middle.y - (south + north) / 2)
    mean = away.groupby(communities["urban_rural_class"]).mean()
    assert mean["111"] < mean["112"] < mean["220"]
    assert set(mean.index) <= {"111", "112", "121", "122", "210", "220"}
    density = communities["population"] / communities["area_km2"]
    by_class = density.groupby(communities["urban_rural_class"]).median()
    assert by_class["111"] > 2 * by_class["220"]


def test_zones_lie_where_their_names_say(city):
    compounds = city.layers["compounds"]
    rural = compounds["kind"] == "village_group"
    countryside = shapely.union_all(compounds.geometry[rural].to_numpy())
    built_up = shapely.union_all(compounds.geometry[~rural].to_numpy())
    assert built_up.buffer(0.1).covers(city.layers["urban_villages"].geometry).all()
    assert countryside.buffer(0.1).covers(city.layers["suburban_villages"].geometry).all()
    ring = city.layers["fringe_zones"]
    assert ring.intersects(built_up.boundary).all()
    assert shapely.area(ring.union_all()) == pytest.approx(ring.area.sum(), rel=1e-9)
    assert not ring.intersects(shapely.centroid(built_up)).any()


def test_streets_and_points_stand_in_the_city(city):
    area = shapely.buffer(city.layers["subdistricts"].union_all(), 0.05)
    for layer in ("streets", "facilities", "assessment_points"):
        assert city.layers[layer].geometry.within(area).all(), layer
    streets = city.layers["streets"]
    length_km = streets.length.groupby(streets["kind"]).sum() / 1e3
    assert length_km["main"] > 100
    assert length_km["secondary"] > length_km["main"]
    assert (streets["kind"] == "alley").sum() > 500
