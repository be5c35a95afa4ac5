import warnings

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from scipy import sparse
from scipy.sparse import csgraph
from shapely import LineString, MultiLineString

from gisgrid.analysis.autocorrelation.getis_ord import gi_star
from gisgrid.analysis.streets.density import street_kernel_density
from gisgrid.analysis.streets.segments import segment_counts, segment_graph
from gisgrid.errors import ColumnError, CrsError, InputError, NullResultWarning
from gisgrid.streets import nearest_segment, street_segments

EAST, NORTH = 500_000.0, 3_900_000.0
ORIGIN = np.array([EAST, NORTH])


def streets(*lines, crs=4547, **columns):
    moved = [None if line is None else LineString(np.array(line) + ORIGIN) for line in lines]
    return gpd.GeoDataFrame(columns, geometry=moved, crs=crs)


def points(xy, crs=4547):
    xy = np.asarray(xy, dtype=float).reshape(-1, 2) + ORIGIN
    return gpd.GeoDataFrame(geometry=gpd.points_from_xy(*xy.T), crs=crs)


def town(side=5, block=200.0):
    reach = (side - 1) * block
    lines = [[(0, i * block), (reach, i * block)] for i in range(side)]
    lines += [[(i * block, 0), (i * block, reach)] for i in range(side)]
    return streets(*lines)


def degrees(segments):
    ends = np.r_[segments["from_node"], segments["to_node"]]
    return sorted(np.bincount(ends))


CROSS = streets([(-100, 0), (100, 0)], [(0, -100), (0, 100)])
TEE = streets([(-100, 0), (100, 0)], [(0, 0.4), (0, 100)])


def test_a_cross_has_four_arms_and_one_junction():
    segments = street_segments(CROSS)
    assert segments["length_m"].to_list() == [100, 100, 100, 100]
    assert segments["street"].to_list() == [0, 0, 1, 1]
    assert degrees(segments) == [1, 1, 1, 1, 4]
    assert segments.index.name == "segment_id"
    assert segments.crs.to_epsg() == 4547


def test_a_tee_that_is_not_quite_joined_is():
    segments = street_segments(TEE, snap_m=0.5)
    assert degrees(segments) == [1, 1, 1, 3]
    assert len(street_segments(TEE, snap_m=0.1)) == 2


def test_a_tee_that_overshoots_has_no_stump():
    over = streets([(-100, 0), (100, 0)], [(0, -0.6), (0, 100)])
    assert degrees(street_segments(over, snap_m=1)) == [1, 1, 1, 3]


def test_a_town_has_its_blocks():
    segments = street_segments(town())
    assert len(segments) == 2 * 5 * 4
    assert degrees(segments) == [2] * 4 + [3] * 12 + [4] * 9
    assert segments["length_m"].sum() == pytest.approx(10 * 800)
    cut = street_segments(town(), length_m=30)  # 200 m: seven parts
    assert len(cut) == 7 * len(segments)
    np.testing.assert_allclose(cut["length_m"], 200 / 7)
    np.testing.assert_allclose(shapely.length(cut.geometry), cut["length_m"])


def test_a_bridge_does_not_meet_what_is_under_it():
    bridge = CROSS.assign(layer=[0, 1])
    assert len(street_segments(bridge, level="layer")) == 2
    ramp = streets([(-100, 0), (0, 0)], [(0, 0), (100, 0)], layer=[0, 1])  # meets at an end
    assert degrees(street_segments(ramp, level="layer")) == [1, 1, 2]


def test_bends_rings_parts_and_copies():
    bend = street_segments(streets([(0, 0), (30, 40), (30, 140)]), length_m=75)
    np.testing.assert_allclose(bend["length_m"], [75, 75])
    assert shapely.get_num_coordinates(bend.geometry).tolist() == [3, 2]
    ring = street_segments(streets([(0, 0), (100, 0), (100, 100), (0, 100), (0, 0)]))
    assert (ring["from_node"] == ring["to_node"]).all()
    assert ring["length_m"].to_list() == [400]
    parts = gpd.GeoDataFrame(
        geometry=[MultiLineString([[(0, 0), (50, 0)], [(50, 0), (90, 0)]])], crs=4547
    )
    assert street_segments(parts)["length_m"].to_list() == [50, 40]
    twice = street_segments(streets([(0, 0), (100, 0)], [(100, 0.2), (40, 0.2)]))
    assert twice["length_m"].round().to_list() == [40, 60]
    two_ways = street_segments(streets([(0, 0), (100, 0)], [(0, 0), (50, 40), (100, 0)]))
    assert len(two_ways) == 2


def test_what_is_no_street_is_left_out():
    odd = streets([(0, 0), (100, 0)], None, [(5, 5), (5, 5.1)])
    odd.loc[1, "geometry"] = LineString()
    assert street_segments(odd)["street"].to_list() == [0]
    with pytest.warns(NullResultWarning, match="there is no segment"):
        assert len(street_segments(odd.iloc[1:], length_m=50)) == 0


def test_length_is_kept_and_segments_touch_only_at_ends():
    rng = np.random.default_rng(0)
    lines = [rng.uniform(0, 2000, (3, 2)) for _ in range(25)]
    frame = streets(*lines)
    segments = street_segments(frame, snap_m=0.01)
    assert segments["length_m"].sum() == pytest.approx(
        shapely.length(frame.geometry).sum(), rel=1e-4
    )
    first, second = shapely.STRtree(segments.geometry).query(segments.geometry, predicate="crosses")
    crossing = shapely.intersection(*(segments.geometry.to_numpy()[i] for i in (first, second)))
    ends = shapely.union_all(shapely.boundary(segments.geometry.to_numpy()))
    assert (shapely.distance(crossing, ends) < 0.02).all()


def test_reports_are_on_their_nearest_street():
    segments = street_segments(town(), length_m=50)
    segments.index = segments.index.astype(str) + "x"
    xy = np.random.default_rng(1).uniform(-50, 850, (400, 2))
    found = nearest_segment(points(xy), segments, within_m=40)
    apart = np.array([segments.distance(point) for point in points(xy).geometry])
    near = apart.min(axis=1) <= 40
    assert (found["segment_id"].notna() == near).all()
    assert 0 < near.sum() < 400
    np.testing.assert_allclose(found["distance_m"][near], apart.min(axis=1)[near], atol=1e-9)
    theirs = segments.index.get_indexer(found["segment_id"][near])
    np.testing.assert_allclose(apart[near, theirs], apart.min(axis=1)[near], atol=1e-9)
    counts = segment_counts(found, segments, years=2)
    assert counts["n_reports"].sum() == near.sum()
    assert counts.index.equals(segments.index)
    np.testing.assert_allclose(counts["reports_per_km"] * counts["length_km"], counts["n_reports"])
    np.testing.assert_allclose(2 * counts["reports_per_km_year"], counts["reports_per_km"])


def test_a_report_at_a_junction_is_on_the_first_segment():
    found = nearest_segment(points([(0, 0), (0, 500)]), street_segments(CROSS), within_m=0)
    assert found["segment_id"].to_list() == [0, pd.NA]
    assert found["along_m"].iloc[0] == 100


def test_neighbours_share_a_junction():
    graph = segment_graph(street_segments(CROSS))
    assert (graph.cardinalities == 3).all()
    line = segment_graph(street_segments(streets([(0, 0), (400, 0)], [(0, 900), (90, 900)]), length_m=100))  # fmt: skip
    assert line.cardinalities.to_list() == [1, 2, 2, 1, 0]
    assert list(line.isolates) == [4]


def test_neighbours_along_the_network_are_those_of_dijkstra():
    segments = street_segments(town(4, 150), length_m=40)
    within = 170.0
    graph = segment_graph(segments, within_m=within)
    # The network of middles: each hangs by half its length on both of its nodes.
    n, nodes = len(segments), int(segments[["from_node", "to_node"]].to_numpy().max()) + 1
    half = segments["length_m"].to_numpy() / 2
    rows = np.r_[np.arange(n), np.arange(n)]
    columns = n + np.r_[segments["from_node"], segments["to_node"]]
    net = sparse.coo_array(
        (np.r_[half, half], (rows, columns)), shape=(n + nodes, n + nodes)
    ).tocsr()
    far = csgraph.dijkstra(net, directed=False)[:n, :n]
    assert not np.isclose(far, within).any()
    truth = (far <= within) & ~np.eye(n, dtype=bool)
    assert (graph.sparse.toarray() == truth).all()
    scores = gi_star(pd.Series(np.arange(n, dtype=float), segments.index), graph)
    assert scores["z"].notna().all()


def upto(u):
    u = np.clip(u, -1, 1)
    return 15 / 16 * (u - 2 * u**3 / 3 + u**5 / 5)


def test_on_a_line_the_kernel_is_the_kernel():
    segments = street_segments(streets([(0, 0), (1000, 0)]), length_m=20)
    on = nearest_segment(points([(503, 5)]), segments, within_m=10)
    for split in ("discontinuous", "continuous"):
        found = street_kernel_density(on, segments, bandwidth_m=150, split=split)
        west = np.arange(0, 1000, 20.0)
        truth = (upto((west + 20 - 503) / 150) - upto((west - 503) / 150)) / 0.02
        np.testing.assert_allclose(found, truth, atol=1e-9)
        assert found.name == "reports_per_km"


def test_at_a_cross_the_kernel_is_split():
    segments = street_segments(CROSS, length_m=10)
    on = nearest_segment(points([(-20, 0)]), segments, within_m=1)
    middle = shapely.get_coordinates(shapely.centroid(segments.geometry.to_numpy())) - ORIGIN
    arm = {"west": middle[:, 0] < -1, "east": middle[:, 0] > 1, "north": middle[:, 1] > 1}
    step = np.arange(0, 100, 10.0)
    onward = (upto((30 + step) / 80) - upto((20 + step) / 80)) / 0.01

    equal = street_kernel_density(on, segments, bandwidth_m=80)
    for name in ("east", "north"):
        order = np.argsort(np.abs(middle[arm[name]]).sum(axis=1))
        np.testing.assert_allclose(equal[arm[name]].to_numpy()[order], onward / 3, atol=1e-9)

    smooth = street_kernel_density(on, segments, bandwidth_m=80, split="continuous")
    order = np.argsort(middle[arm["east"], 0])
    np.testing.assert_allclose(smooth[arm["east"]].to_numpy()[order], onward / 2, atol=1e-9)
    order = np.argsort(-middle[arm["west"], 0])
    straight = (upto((20 - step) / 80) - upto((10 - step) / 80)) / 0.01
    np.testing.assert_allclose(
        smooth[arm["west"]].to_numpy()[order], straight - onward / 2, atol=1e-9
    )


@pytest.mark.parametrize("split", ["discontinuous", "continuous"])
def test_no_report_is_lost_on_the_way(split):
    rng = np.random.default_rng(4)
    network = pd.concat([town(), TEE, streets([(900, 900), (980, 900), (980, 960), (900, 900)])])
    network.index = range(len(network))
    segments = street_segments(network, length_m=45)
    on = nearest_segment(points(rng.uniform(-100, 990, (60, 2))), segments, within_m=30)
    found = street_kernel_density(on, segments, bandwidth_m=400, split=split)
    n = segment_counts(on, segments)["n_reports"].sum()
    assert (found * segments["length_m"] / 1000).sum() == pytest.approx(n, rel=1e-12)
    assert found.min() > -1e-9
    fine = street_segments(network, length_m=45 / 5)
    on = nearest_segment(points(rng.uniform(-100, 990, (60, 2))), fine, within_m=30)
    again = street_kernel_density(on.iloc[::-1], fine, bandwidth_m=100, split=split)
    np.testing.assert_allclose(again, street_kernel_density(on, fine, bandwidth_m=100, split=split))


def test_the_continuous_split_does_not_jump_at_a_junction():
    segments = street_segments(CROSS, length_m=0.5)
    on = nearest_segment(points([(-20, 0)]), segments, within_m=1)
    apart = shapely.distance(segments.geometry.to_numpy(), shapely.Point(ORIGIN))
    beside = apart < 1e-6
    assert beside.sum() == 4
    smooth = street_kernel_density(on, segments, bandwidth_m=80, split="continuous")[beside]
    jumps = street_kernel_density(on, segments, bandwidth_m=80)[beside]
    assert smooth.max() / smooth.min() < 1.02
    assert jumps.max() / jumps.min() > 2.5


def test_no_report_on_a_street_is_said():
    segments = street_segments(CROSS)
    on = nearest_segment(points([(900, 900)]), segments, within_m=5)
    with pytest.warns(NullResultWarning, match="none on a street"):
        assert (street_kernel_density(on, segments, bandwidth_m=50) == 0).all()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (segment_counts(on, segments)["reports_per_km"] == 0).all()


CUT = street_segments(CROSS)
ON = nearest_segment(points([(5, 0)]), CUT, within_m=5)


@pytest.mark.parametrize(
    ("ask", "error", "says"),
    [
        (lambda: street_segments(CROSS.to_crs(4490)), CrsError, "street_segments needs metres"),
        (lambda: street_segments(CROSS, snap_m=0), InputError, "within 0 m"),
        (lambda: street_segments(CROSS, length_m=-1), InputError, "segments of -1 m"),
        (lambda: street_segments(CROSS, length_m=1e-6), InputError, "give a greater length"),
        (lambda: street_segments(CROSS, level="layer"), ColumnError, "no column 'layer'"),
        (lambda: street_segments(points([(0, 0)])), InputError, "1 of 1 geometries are none"),
        (lambda: nearest_segment(points([(0, 0)]).to_crs(4490), CUT, within_m=1), CrsError, "needs metres"),
        (lambda: nearest_segment(points([(0, 0)]).to_crs(4548), CUT, within_m=1), CrsError, "'segments' are in EPSG:4547"),
        (lambda: nearest_segment(points([(0, 0)]), CUT, within_m=-1), InputError, "within -1 m"),
        (lambda: nearest_segment(points([(0, 0)]), CROSS, within_m=1), ColumnError, "make them with street_segments"),
        (lambda: segment_counts(ON, CUT.iloc[2:]), InputError, "on segments that are not there"),
        (lambda: segment_counts(ON, CUT, years=0), InputError, "0 years"),
        (lambda: segment_graph(CUT, within_m=0), InputError, "within 0 m"),
        (lambda: segment_graph(CUT.iloc[:0]), InputError, "0 segments"),
        (lambda: segment_graph(pd.concat([CUT, CUT])), InputError, "4 of 8 segments have a name"),
        (lambda: segment_graph(CUT.assign(length_m=0.0)), InputError, "have no length"),
        (lambda: street_kernel_density(ON, CUT, bandwidth_m=0), InputError, "a kernel of 0 m"),
        (lambda: street_kernel_density(ON, CUT, bandwidth_m=9, split="none"), InputError, "no split 'none'"),
        (lambda: street_kernel_density(ON[["segment_id"]], CUT, bandwidth_m=9), ColumnError, "no column 'along_m'"),
        (lambda: street_kernel_density(ON.assign(along_m=101.0), CUT, bandwidth_m=9), InputError, "beyond their segment's end"),
    ],
)  # fmt: skip
def test_refuses_in_one_sentence(ask, error, says):
    with pytest.raises(error, match=says):
        ask()


def test_a_line_with_a_corner_beside_its_end_is_cut_like_any_other():
    long = shapely.LineString([(0, 0), (100, 0), (200, 0), (200 + 1e-10, 0)])
    rounded = shapely.LineString(
        [(1e6 + x / 3, 7 * x / 9) for x in (0, 100, 300)] + [(1e6 + 100 + 1e-11, 2100 / 9)]
    )
    other = shapely.LineString([(100, -50), (100, 50)])
    made = street_segments(gpd.GeoDataFrame(geometry=[long, rounded, other], crs=4547))
    assert made["length_m"].sum() == pytest.approx(300 + rounded.length)
    assert sorted(made["length_m"].round(3))[:4] == [50, 50, 100, 100]
