"""Unit grids cover their community exactly, keep to the aim, cut nothing that must stay whole, and are numbered by the rule."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gisgrid.errors import ColumnError, CrsError, InputError
from gisgrid.grids import SCHEMES, out_of_order, unit_grids
from gisgrid.grids.making.blocks import blocks
from gisgrid.grids.making.borders import borders, compactness, merge_small, share_vertices, union_by
from gisgrid.grids.making.cutting import subdivide
from gisgrid.grids.making.whole import disjoint, restore
from gisgrid.testing import synthetic_city

EAST, NORTH = 500_000.0, 3_900_000.0
NOTHING = np.array([], dtype=object)


def frame(*shapes, crs=4547, **columns):
    return gpd.GeoDataFrame(columns, geometry=list(shapes), crs=crs)


def community(*shapes, code="110101001"):
    return frame(*shapes, code=[f"{code}{i:03}" for i in range(1, len(shapes) + 1)])


def box(west, south, east, north):
    return shapely.box(EAST + west, NORTH + south, EAST + east, NORTH + north)


def line(*points):
    return shapely.LineString(np.add(points, (EAST, NORTH)))


def star(n, seed, radius=400.0, middle=(0, 0)):
    rng = np.random.default_rng(seed)
    angle = np.sort(rng.uniform(0, 2 * np.pi, n))
    reach = radius * rng.uniform(0.4, 1, n)
    ring = np.c_[
        EAST + middle[0] + reach * np.cos(angle), NORTH + middle[1] + reach * np.sin(angle)
    ]
    return max(
        shapely.get_parts(shapely.make_valid(shapely.Polygon(ring))), key=lambda part: part.area
    )


def is_tiling(grids, communities, key="code"):
    """Covered exactly, nothing twice, nothing across a border, the same vertices."""
    shapes = grids.geometry.to_numpy()
    assert (grids.geom_type == "Polygon").all()
    assert shapely.is_valid(shapes).all()
    for code, ground in zip(communities[key], communities.geometry, strict=True):
        mine = shapes[(grids[key] == code).to_numpy()]
        assert abs(shapely.area(mine).sum() - ground.area) <= 1e-6 * ground.area
        assert (
            shapely.symmetric_difference(shapely.union_all(mine), ground).area <= 1e-6 * ground.area
        )
        assert shapely.coverage_is_valid(mine)
    return True


@pytest.fixture(scope="module")
def city():
    return synthetic_city(seed=1, n_issues=2_000, years=1).layers


@pytest.fixture(scope="module")
def quarter(city):
    """A dozen communities in the middle and as many at the edge."""
    communities = city["communities"]
    away = communities.distance(communities.union_all().centroid)
    return communities.loc[np.r_[away.nsmallest(12).index, away.nlargest(4).index]]


@pytest.fixture(scope="module")
def grids(city, quarter):
    return unit_grids(quarter, city["streets"], key="community_code")


def test_a_city_is_divided_exactly(grids, quarter):
    assert is_tiling(grids, quarter, "community_code")
    assert shapely.coverage_is_valid(grids.geometry.to_numpy())


def test_areas_keep_to_the_aim(grids):
    area = grids["area_m2"]
    assert np.allclose(area, grids.area)
    assert 8_000 <= area.median() <= 12_000
    assert area.quantile(0.05) >= 8_000
    assert area.quantile(0.95) <= 12_000
    assert area.min() >= 5_000
    assert area.max() <= 20_000


def test_grids_are_compact(grids):
    ratio = grids["compactness"]
    assert np.allclose(ratio, 4 * np.pi * grids.area / grids.length**2)
    assert ratio.median() > 0.7
    assert ratio.quantile(0.05) > 0.55
    assert ratio.min() > 0.15


def test_grids_run_along_the_streets(city, grids, quarter):
    ground = shapely.union_all(quarter.geometry.to_numpy())
    streets = shapely.segmentize(city["streets"].geometry.to_numpy(), 25.0)
    points = shapely.points(shapely.get_coordinates(streets))
    points = points[shapely.intersects(ground, points)]
    edges = shapely.STRtree(grids.boundary.to_numpy())
    on_border = np.unique(edges.query(points, predicate="dwithin", distance=0.05)[0])
    assert len(on_border) > 0.85 * len(points)


def test_numbers_keep_to_the_rule_and_codes_to_the_scheme(grids):
    scheme = SCHEMES["beijing-15"]
    assert grids["unit_grid_code"].is_unique
    assert scheme.validate(grids["unit_grid_code"]) == []
    assert (grids["unit_grid_code"].str[:12] == grids["community_code"]).all()
    assert (grids["unit_grid_code"].str[12:].astype(int) == grids["serial"]).all()
    assert not out_of_order(grids, key="unit_grid_code", scheme=scheme).any()
    for _, serial in grids.groupby("community_code")["serial"]:
        assert serial.to_list() == list(range(1, len(serial) + 1))


def test_the_order_of_rows_does_not_matter(city, quarter, grids):
    some = quarter.iloc[:4]
    mixed = unit_grids(some.iloc[::-1], city["streets"].iloc[::-1], key="community_code")
    mine = grids[grids["community_code"].isin(some["community_code"])].reset_index(drop=True)
    assert mixed["unit_grid_code"].to_list() == mine["unit_grid_code"].to_list()
    assert np.allclose(mixed["area_m2"], mine["area_m2"])
    both = shapely.symmetric_difference(mixed.geometry.to_numpy(), mine.geometry.to_numpy())
    assert shapely.area(both).max() < 1e-3


def test_twice_the_same(city, quarter):
    some = quarter.iloc[:3]
    first, second = (unit_grids(some, city["streets"], key="community_code") for _ in range(2))
    assert first.to_wkb().equals(second.to_wkb())


def test_the_callers_frames_stay_as_they_are(city, quarter):
    before = quarter.to_wkb()
    unit_grids(
        quarter.iloc[:1], city["streets"], key="community_code", keep_whole=city["compounds"]
    )
    assert quarter.to_wkb().equals(before)


def test_compounds_stay_whole(city, quarter):
    some = quarter.iloc[:6]
    grids = unit_grids(some, city["streets"], key="community_code", keep_whole=city["compounds"])
    assert is_tiling(grids, some, "community_code")
    compounds = city["compounds"]
    mine = compounds[compounds["community_code"].isin(some["community_code"])].geometry.to_numpy()
    assert cut_share(mine, grids.geometry.to_numpy()) < 1e-6


def cut_share(things, pieces):
    """The largest share of a thing that is outside the piece that has most of it."""
    thing, piece = shapely.STRtree(pieces).query(things, predicate="intersects")
    common = shapely.area(shapely.intersection(things[thing], pieces[piece]))
    most = np.zeros(len(things))
    np.maximum.at(most, thing, common)
    total = np.bincount(thing, weights=common, minlength=len(things))
    return float(((total - most) / np.maximum(total, 1e-9)).max())


def houses(n, reach, seed):
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(n):
        x, y = rng.uniform(-reach, reach, 2)
        house = shapely.affinity.rotate(
            box(x, y, x + rng.uniform(8, 60), y + rng.uniform(8, 20)), rng.uniform(0, 90)
        )
        made.append(house)
    return made


@given(seed=st.integers(0, 10_000), n_streets=st.integers(0, 9), n_houses=st.integers(0, 30))
@settings(max_examples=25, deadline=None)
def test_whatever_the_ground_it_is_covered_and_houses_stay_whole(seed, n_streets, n_houses):
    rng = np.random.default_rng(seed)
    grounds = community(star(int(rng.integers(5, 40)), seed))
    streets = [
        line(*rng.uniform(-500, 500, (int(rng.integers(2, 5)), 2))) for _ in range(n_streets)
    ]
    buildings = houses(n_houses, 400, seed)
    grids = unit_grids(
        grounds, frame(*streets) if streets else None, key="code", area_m2=float(rng.uniform(3_000, 30_000)),
        keep_whole=frame(*buildings) if buildings else None, scheme=None,
    )  # fmt: skip
    assert is_tiling(grids, grounds)
    if buildings:
        inside = shapely.intersection(disjoint(np.array(buildings)), grounds.geometry.iloc[0])
        assert cut_share(shapely.get_parts(inside), grids.geometry.to_numpy()) < 1e-6


def test_a_hole_islands_and_a_neighbour_inside():
    inner = box(300, 300, 600, 600)
    outer = box(0, 0, 1000, 1000).difference(inner)
    islands = shapely.MultiPolygon([box(1100, 0, 1300, 200), box(1400, 0, 1420, 20)])
    grounds = community(outer, inner, islands)
    grids = unit_grids(grounds, key="code")
    assert is_tiling(grids, grounds)
    assert shapely.coverage_is_valid(grids.geometry.to_numpy())
    assert grids.groupby("code").size().to_list() == [91, 9, 5]


def test_a_neighbour_whose_corner_is_on_a_straight_border():
    grounds = community(box(0, 0, 500, 500), box(500, 0, 900, 237), box(500, 237, 900, 500))
    grids = unit_grids(grounds, key="code")
    assert is_tiling(grids, grounds)
    assert shapely.coverage_is_valid(grids.geometry.to_numpy())


def test_a_dead_end_is_lengthened_where_it_then_meets_a_street():
    ground = box(0, 0, 400, 200)
    for end, n in ((150, 2), (199.7, 2), (-0.0, 2)):
        street = (
            np.array([line((200, -50), (200, end))])
            if end
            else np.array([line((200, 0), (200, 150))])
        )
        assert len(blocks(ground, street, outlines=NOTHING, reach_m=100, near_m=15)) == n
    short = np.array([line((200, -50), (200, 60))])
    assert len(blocks(ground, short, outlines=NOTHING, reach_m=100, near_m=15)) == 1


def test_a_stub_does_not_cut():
    street = np.array([line((200, -50), (200, 250)), line((200, 100), (210, 100))])
    assert len(blocks(box(0, 0, 400, 200), street, outlines=NOTHING, reach_m=300, near_m=15)) == 2


def test_a_street_along_the_border_is_the_border():
    ground = box(0, 0, 400, 200)
    beside = np.array([line((-50, 5), (450, 9))])
    assert len(blocks(ground, beside, outlines=NOTHING, reach_m=100, near_m=15)) == 1
    crossing = np.array([line((190, -50), (210, 250))])
    assert len(blocks(ground, crossing, outlines=NOTHING, reach_m=100, near_m=15)) == 2


def test_a_narrow_strip_goes_to_the_neighbour_with_most_border():
    ground = community(shapely.union(box(0, 0, 158, 100), box(158, 0, 300, 90)))
    streets = frame(line((140, -10), (140, 110)), line((158, -10), (158, 110)))
    grids = unit_grids(ground, streets, key="code", area_m2=15_000, scheme=None)
    assert sorted(grids["area_m2"].round()) == [12_780, 15_800]


def test_hills_make_large_grids():
    ground = community(box(0, 0, 1000, 1000))
    hill = frame(box(400, 0, 1100, 1000))
    grids = unit_grids(ground, key="code", open_land=hill, open_area_m2=300_000)
    assert is_tiling(grids, ground)
    inside = grids.representative_point().x > EAST + 400
    assert grids[inside]["area_m2"].round().to_list() == [300_000, 300_000]
    assert (~inside).sum() == 40


def test_a_community_smaller_than_a_grid_is_one_grid():
    grids = unit_grids(community(box(0, 0, 30, 30)), key="code")
    assert grids["unit_grid_code"].to_list() == ["110101001001001"]


def test_too_many_grids_for_the_serial_number_is_said():
    with pytest.raises(
        InputError,
        match=r"1 of 2 communities have more unit grids than the 999 .* '110101001001', 1024\)",
    ):
        unit_grids(community(box(0, 0, 3200, 3200), box(4000, 0, 4100, 100)), key="code")


def test_without_a_scheme_the_number_follows_the_code():
    grids = unit_grids(frame(box(0, 0, 100, 200), code=["northgate"]), key="code", scheme=None)
    assert grids["unit_grid_id"].to_list() == ["northgate-001", "northgate-002"]


SQUARE = box(0, 0, 200, 200)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"communities": community(SQUARE).to_crs(4326)}, CrsError, "needs metres"),
        ({"key": "kode"}, ColumnError, "no column 'kode'.*did you mean 'code'"),
        ({"communities": community(SQUARE).iloc[:0]}, InputError, "0 communities"),
        ({"communities": frame(SQUARE, code=[None])}, InputError, "1 of 1 communities have no 'code'"),
        ({"communities": frame(SQUARE, box(500, 0, 600, 100), code=["a", "a"])}, InputError, "occur again"),
        ({"communities": community(box(0, 0, 0, 0))}, InputError, "no valid area"),
        ({"communities": community(shapely.Polygon([(0, 0), (9, 9), (9, 0), (0, 9)]))}, InputError, "Self-intersection"),
        ({"communities": community(SQUARE, box(150, 0, 300, 200))}, InputError, "overlap by more than 1 m².*10000 m²"),
        ({"communities": community(SQUARE, box(50, 50, 90, 90))}, InputError, "overlap"),
        ({"communities": community(SQUARE, SQUARE)}, InputError, "overlap"),
        ({"streets": frame(SQUARE)}, InputError, "1 of 1 streets are no lines"),
        ({"streets": frame(line((0, 0), (9, 9))).to_crs(4548)}, CrsError, "reproject first"),
        ({"keep_whole": frame(line((0, 0), (9, 9)))}, InputError, "rows of 'keep_whole' have no area"),
        ({"area_m2": 0.0}, InputError, "area_m2 is 0"),
        ({"area_m2": float("nan")}, InputError, "area_m2 is nan"),
        ({"communities": frame(SQUARE, code=["12"])}, InputError, "12 characters"),
        ({"communities": frame(SQUARE, code=["11010100100x"])}, InputError, "do not fit"),
        ({"scheme": "beijing-16"}, InputError, "did you mean 'beijing-15'"),
    ],
)  # fmt: skip
def test_what_cannot_be_divided_is_refused(change, error, words):
    given_ = {"communities": community(SQUARE), "streets": None, "key": "code"} | change
    with pytest.raises(error, match=words):
        unit_grids(given_.pop("communities"), given_.pop("streets"), **given_)


def test_pieces_have_the_same_area_and_tile_the_block():
    block = star(30, 5, radius=600)
    pieces, which = subdivide(np.array([block]), target_m2=np.array([9_000.0]), obstacles=NOTHING)
    n = round(block.area / 9_000)
    assert len(pieces) == pytest.approx(n, rel=0.1)
    assert set(which) == {0}
    assert np.median(shapely.area(pieces)) == pytest.approx(block.area / n, rel=0.05)
    assert shapely.coverage_is_valid(share_vertices(pieces))
    assert shapely.area(pieces).sum() == pytest.approx(block.area, rel=1e-12)


def test_a_square_is_cut_into_squares():
    pieces, _ = subdivide(
        np.array([box(0, 0, 400, 400)]), target_m2=np.array([1e4]), obstacles=NOTHING
    )
    assert len(pieces) == 16
    assert compactness(pieces) == pytest.approx(np.pi / 4, abs=1e-3)


def test_a_cut_goes_beside_a_building_where_it_can():
    block, house = box(0, 0, 200, 100), box(95, 20, 112, 80)
    pieces, _ = subdivide(np.array([block]), target_m2=np.array([1e4]), obstacles=np.array([house]))
    assert len(pieces) == 2
    assert cut_share(np.array([house]), pieces) == 0


def test_a_building_on_the_border_goes_to_who_has_most_of_it():
    pieces = np.array([box(0, 0, 100, 100), box(100, 0, 200, 100)])
    made = restore(pieces, np.array([box(90, 40, 130, 60)]))
    assert sorted(shapely.area(made).round(6)) == [9_800, 10_200]


def test_shared_borders_are_measured():
    wide, *narrow = shapely.box([0, 0, 1], [1, 0, 0], [2, 1, 2], [2, 1, 1])
    found = borders(share_vertices(np.array([wide, *narrow, shapely.box(2, 2, 3, 3)])))
    assert list(zip(found.first.tolist(), found.second.tolist(), found.length_m.tolist(), strict=True)) == [
        (0, 1, 1.0), (0, 2, 1.0), (1, 2, 1.0),
    ]  # fmt: skip
    assert found.perimeter_m.tolist() == [6.0, 4.0, 4.0, 4.0]


def test_small_pieces_merge_and_lone_ones_stay():
    pieces = share_vertices(
        np.array([box(0, 0, 10, 10), box(10, 0, 12, 10), box(12, 0, 20, 9), box(50, 0, 51, 1)])
    )
    label = merge_small(pieces, least_m2=np.full(4, 50.0), least_width_m=1.0)
    assert label.tolist() == [0, 0, 1, 2]
    assert shapely.area(union_by(pieces, label)).tolist() == [120.0, 72.0, 1.0]
