"""What is mended is mended wholly, the ground is kept, and every change is listed."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, MultiPolygon, Polygon, box

from gisgrid.grids.validation.grid_report import Relations, validate
from gisgrid.grids.validation.mending import repair

KEYS = {"units": "code"}


def units(shapes, **columns):
    codes = [f"{n:03d}" for n in range(1, len(shapes) + 1)]
    return gpd.GeoDataFrame({"code": codes, **columns}, geometry=list(shapes), crs=4547)


def mended(shapes, **options):
    levels = {"units": shapes if isinstance(shapes, gpd.GeoDataFrame) else units(shapes)}
    return repair(levels, validate(levels, keys=KEYS), keys=KEYS, **options)


def changes(done):
    return list(
        done.moved[["unit", "from_units", "action", "area_m2"]].itertuples(index=False, name=None)
    )


def jittered(seed, side=8, jitter=9.0):
    """Quadrilaterals whose corners are each drawn a little wrong, by each unit in its own way."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: side + 1, : side + 1] * 100.0
    corner = np.stack([x, y], 2) + rng.uniform(-20, 20, (side + 1, side + 1, 2))
    row, column = (each.ravel() for each in np.mgrid[:side, :side])
    ring = np.stack(
        [
            corner[row, column],
            corner[row, column + 1],
            corner[row + 1, column + 1],
            corner[row + 1, column],
        ],
        1,
    )
    ring += rng.uniform(-jitter, jitter, ring.shape) * (rng.random(ring.shape[:2]) < 0.5)[..., None]
    return shapely.polygons(ring)


def test_an_overlap_goes_along_the_longest_border():
    done = mended(
        [
            box(0, 0, 100, 100),
            Polygon([(90, 0), (200, 0), (200, 100), (100, 100), (100, 40), (90, 40)]),
        ]
    )
    assert changes(done) == [
        ("001", "002", "overlap_given", 400.0)
    ]  # 50 m border with 001, 40 m with 002
    assert done.report.clean
    assert done.moved["area_before_m2"].to_list() == [10_000.0]
    assert done.moved["area_after_m2"].to_list() == [10_000.0]
    assert done.moved.geometry.area.to_list() == [400.0]
    assert done.frames["units"].area.to_list() == [10_000, 10_000]


def test_a_gap_goes_along_the_longest_border():
    ring = box(0, 0, 100, 100).difference(box(40, 40, 60, 61))
    done = mended([ring, box(40, 40, 60, 60)])
    assert changes(done) == [
        ("001", "", "gap_filled", 20.0)
    ]  # 22 m of border with 001, 20 m with 002
    assert done.ground.loc[0, "gaps_filled_m2"] == 20.0
    assert done.report.n("error") == 0


def test_a_large_hole_is_a_missing_unit_and_is_left():
    ring = box(0, 0, 100, 100).difference(box(20, 20, 80, 80))
    beside = [box(100 + 40 * n, 0, 140 + 40 * n, 100) for n in range(5)]
    done = mended([ring, *beside])
    assert changes(done) == []
    assert done.suggestions["rule"].to_list() == ["gap"]
    assert mended([ring, *beside], fill_m2=4_000).suggestions.empty


def test_a_unit_drawn_on_top_of_another_is_cut_out_of_it():
    done = mended([box(0, 0, 100, 100), box(40, 40, 50, 50)])
    assert changes(done) == [("002", "001", "overlap_given", 100.0)]
    assert done.frames["units"].area.to_list() == [9_900, 100]
    assert done.report.clean


def test_units_drawn_twice_are_left_to_people():
    done = mended([box(0, 0, 100, 100), box(0, 0, 100, 100), box(99, 0, 200, 100)])
    assert changes(done) == [("001", "003", "overlap_given", 100.0)]
    assert set(done.suggestions["rule"]) == {"overlap"}
    assert done.frames["units"].geometry[1].equals(box(0, 0, 100, 100))


def test_codes_and_other_columns_are_never_changed():
    frame = units([box(0, 0, 10, 10), box(9, 0, 20, 10)], name=["甲", "乙"]).assign(code=["1", "1"])
    frame.index = [7, 3]
    before = frame.copy(deep=True)
    done = mended(frame)
    pd.testing.assert_frame_equal(frame, before)
    after = done.frames["units"]
    pd.testing.assert_frame_equal(after.drop(columns="geometry"), before.drop(columns="geometry"))
    assert done.suggestions["rule"].to_list() == ["duplicate_code"]


def test_shapes_are_mended_and_each_is_listed():
    shapes = [
        shapely.force_3d(box(0, 0, 100, 100), 7.0),
        shapely.GeometryCollection([box(100, 0, 200, 100), LineString([(100, 0), (300, 300)])]),
        MultiPolygon(
            [box(200, 0, 250, 100), box(250, 0, 300, 100)]
        ),  # parts with a common border are invalid
        Polygon([(300, 0), (400, 0), (400, 100), (350, 100), (350, 100), (300, 100), (300, 0)]),
        Polygon(
            [
                (400, 0),
                (500, 0),
                (500, 100),
                (450, 100),
                (470, 130),
                (430, 130),
                (450, 100),
                (400, 100),
            ]
        ),
        None,
    ]
    done = mended(shapes)
    actions = done.moved.set_index("unit")["action"].to_dict()
    assert actions == {
        "001": "z_dropped",
        "002": "lines_dropped",
        "003": "shape_mended",
        "005": "shape_mended",
    }
    after = done.frames["units"].geometry
    assert not after.has_z.any()
    assert set(after.dropna().geom_type) == {"Polygon", "MultiPolygon"}
    assert after[2].equals(box(200, 0, 300, 100))
    assert after[5] is None
    assert set(done.suggestions["rule"]) == {"missing_geometry", "multipart"}


def test_a_bow_tie_between_neighbours_becomes_the_square_it_was():
    shapes = [
        box(100 * c, 100 * r, 100 * c + 100, 100 * r + 100) for r in range(3) for c in range(3)
    ]
    whole = shapes[4]
    ring = shapely.get_coordinates(whole)
    shapes[4] = Polygon(ring[[0, 2, 1, 3]])
    done = mended(shapes)
    assert done.frames["units"].geometry[4].equals(whole)
    assert done.report.clean


def test_an_open_ring_that_was_closed_is_listed():
    frame = units([box(0, 0, 10, 10)])
    raw = [shapely.to_wkb(frame.geometry[0], byte_order=1)]
    raw[0] = raw[0][:9] + (4).to_bytes(4, "little") + raw[0][13:77]
    report = validate({"units": frame}, keys=KEYS, raw={"units": raw})
    assert report.faults["rule"].to_list() == ["unclosed_ring"]
    done = repair({"units": frame}, report, keys=KEYS)
    assert changes(done) == [("001", "", "ring_closed", 0.0)]
    assert done.report.clean


def test_what_is_cut_off_goes_to_the_neighbour():
    # 002 reaches as a tongue across 001, whose overlap cuts off the tongue's tip
    tongue = Polygon(
        [(100, 0), (200, 0), (200, 100), (100, 100), (100, 55), (-5, 55), (-5, 45), (100, 45)]
    )
    done = mended([box(0, 0, 100, 100), tongue, box(-100, 0, 0, 100)])
    assert done.report.clean
    assert set(done.frames["units"].geom_type) == {"Polygon"}


def test_edges_get_their_neighbours_vertices():
    done = mended([box(0, 0, 10, 10), box(10, 0, 20, 5), box(10, 5, 20, 10)])
    assert changes(done) == [("001", "", "vertices_added", 0.0)]
    assert shapely.coverage_is_valid(done.frames["units"].geometry.to_numpy())


def test_ground_goes_to_a_child_of_the_parent_it_lies_in():
    parents = units([box(0, 0, 100, 100), box(100, 0, 200, 100)])
    # the border on the piece is longer with 001, which belongs to the western parent
    piece = Polygon([(100, 20), (112, 20), (112, 80), (100, 80)])
    children = units(
        [box(0, 0, 100, 100).union(piece), box(100, 0, 200, 100)], parent=["001", "002"]
    )
    levels = {"parents": parents, "children": children}
    options = {
        "keys": {"parents": "code", "children": "code"}, "relations": {"children": Relations(parent="parent")},
    }  # fmt: skip
    done = repair(levels, validate(levels, **options), **options)
    assert changes(done) == [("002", "001", "overlap_given", pytest.approx(720.0))]
    assert done.report.clean


def test_units_without_fault_keep_their_geometry_to_the_last_bit():
    shapes = [box(100 * n, 0, 100 * n + 100, 100) for n in range(8)]
    shapes[1] = box(100, 0, 205, 100)
    frame = units(shapes)
    done = mended(frame)
    after = done.frames["units"].to_wkb().geometry
    same = after == frame.to_wkb().geometry
    assert same.to_list() == [True, False, False, True, True, True, True, True]


REPAIRED_RULES = {
    "z_values", "unclosed_ring", "self_crossing", "invalid_shape", "gap", "overlap", "sliver", "unmatched_edges",
}  # fmt: skip


@settings(derandomize=True, max_examples=12, deadline=None)
@given(seed=st.integers(min_value=0, max_value=2**31))
def test_a_badly_drawn_grid_becomes_a_coverage_and_keeps_its_ground(seed):
    shapes = jittered(seed)
    done = mended(shapes)
    assert shapely.coverage_is_valid(done.frames["units"].geometry.to_numpy())
    assert not REPAIRED_RULES & set(done.report.faults["rule"])
    row = done.ground.iloc[0]
    assert abs(row["change"]) <= 1e-6
    clean = shapely.make_valid(shapes, method="structure", keep_collapsed=False)
    before, after = (
        shapely.union_all(clean).area,
        shapely.union_all(done.frames["units"].geometry).area,
    )
    filled = done.moved.loc[done.moved["action"] == "gap_filled", "area_m2"].sum()
    assert after == pytest.approx(before + filled, rel=1e-6)
    # what each unit has more or less is what the list says that it got or gave
    after_m2 = done.frames["units"].area.to_numpy()
    listed = done.moved.set_index("unit")
    assert listed["area_after_m2"].groupby("unit").first().to_numpy() == pytest.approx(
        after_m2[listed["area_after_m2"].groupby("unit").first().index.astype(int) - 1]
    )


def test_the_same_grid_in_another_order_is_mended_alike():
    frame = units(jittered(5))
    shuffled = frame.sample(frac=1, random_state=2).reset_index(drop=True)
    first, second = mended(frame), mended(shuffled)
    by_code = second.frames["units"].set_index("code").geometry.loc[frame["code"]]
    assert shapely.equals(first.frames["units"].geometry.to_numpy(), by_code.to_numpy()).all()


@pytest.mark.data
def test_the_second_level_of_taipei_becomes_a_coverage(shared_data):
    frame = gpd.read_parquet(shared_data / "taipei" / "taipei_code2.parquet").to_crs(3826)
    assert not shapely.coverage_is_valid(frame.geometry.to_numpy())
    levels, keys = {"code2": frame}, {"code2": "CODE2"}
    done = repair(levels, validate(levels, keys=keys), keys=keys)
    assert shapely.coverage_is_valid(done.frames["code2"].geometry.to_numpy())
    assert done.moved["area_m2"].sum() < 13  # m² of 269 km²
    assert abs(done.ground.loc[0, "change"]) < 1e-12


@pytest.mark.data
def test_the_clusters_of_mumbai_are_mended(shared_data):
    frame = gpd.read_parquet(shared_data / "mumbai" / "mumbai_slum_clusters.parquet").to_crs(32643)
    frame = frame.assign(cluster_id=[f"{n:04d}" for n in range(len(frame))])
    levels, keys = {"clusters": frame}, {"clusters": "cluster_id"}
    report = validate(levels, keys=keys)
    invalid = frame.loc[~frame.is_valid, "cluster_id"]
    assert len(invalid) >= 20  # 26 in degrees
    found = report.faults[report.faults["rule"].isin(["self_crossing", "invalid_shape"])]
    assert sorted(found["unit"]) == sorted(invalid)
    done = repair(levels, report, keys=keys)
    left = done.suggestions[done.suggestions["rule"].isin(["self_crossing", "invalid_shape"])]
    no_area = set(
        frame.loc[shapely.area(shapely.make_valid(frame.geometry.to_numpy())) == 0, "cluster_id"]
    )
    assert set(left["unit"]) == no_area
    assert not {"gap", "overlap", "sliver"} & set(done.suggestions["rule"])
    assert abs(done.ground.loc[0, "change"]) <= 1e-6
