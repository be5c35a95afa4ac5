"""Reports in many files: the same counts as of the whole, on threads, on workers, and when workers die."""

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from distributed import Client, LocalCluster
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from shapely import LineString, Point, box

from gisgrid.errors import ColumnError, CrsError, InputError
from gisgrid.join import LevelIndex, TimeStep, assign_units, count_partitions, engines
from gisgrid.join.points import column_coordinates

CRS, SIDE = "EPSG:4547", 3_000.0
EAST, NORTH = 500_000.0, 3_880_000.0
MEMORY = 600_000_000
N_COPIES, N_ROWS = 10, 1_500_000


def units_of(n, column, seed=0, crs=CRS):
    rng = np.random.default_rng(seed)
    frame = box(EAST, NORTH, EAST + SIDE, NORTH + SIDE)
    centres = shapely.multipoints((EAST, NORTH) + rng.random((n, 2)) * SIDE)
    cells = shapely.get_parts(shapely.voronoi_polygons(centres, extend_to=frame))
    codes = [f"{i % (n - 1):04d}" for i in range(n)]  # one unit is in two pieces
    frame = gpd.GeoDataFrame({column: codes}, geometry=shapely.intersection(cells, frame), crs=CRS)
    return frame.to_crs(crs)


def reports_of(n, seed=1):
    rng = np.random.default_rng(seed)
    xy = (EAST, NORTH) + (rng.random((n, 2)) * 1.1 - 0.05) * SIDE
    when = pd.Timestamp("2025-11-15", tz="UTC") + pd.to_timedelta(
        rng.integers(0, 100 * 86_400, n), unit="s"
    )
    return gpd.GeoDataFrame(
        {
            "duplicate_of": np.where(rng.random(n) < 0.1, "x", None),
            "category_code": rng.choice(["0110", "0405", None], n),
            "severity": rng.integers(0, 3, n),
            "reported_at": when,
        },
        geometry=gpd.points_from_xy(*xy.T),
        crs=CRS,
    )


def in_parts(frame, folder, n=3, **options):
    folder.mkdir(exist_ok=True)
    for i in range(n):
        frame.iloc[i::n].to_parquet(folder / f"{i}.parquet", **options)
    return folder


def counted(frame, units, by=()):
    """The counts of the whole by assign_units and pandas."""
    frame = frame.assign(n_reports=1, n_incidents=frame["duplicate_of"].isna().astype(int))
    for level, areas in units.items():
        codes = assign_units(frame, {level: areas.to_crs(frame.crs)})[level]
        keys = [codes, *(frame[name] for name in by)]
        yield level, frame.groupby(keys, dropna=False)[["n_reports", "n_incidents"]].sum()


def assert_same(found, frame, units, by=()):
    for level, expected in counted(frame, units, by):
        nowhere = expected.index.get_level_values(0).isna()
        got = found.counts[level]
        if not by:
            assert got.index.tolist() == units[level][level].drop_duplicates().tolist()
            got = got[got["n_reports"] > 0].sort_index()
        assert_frame_equal(got, expected[~nowhere], check_index_type=False)
        lost = expected[nowhere].sum()
        assert found.unassigned.loc[level].to_dict() == lost.to_dict()
        assert got["n_reports"].sum() + lost["n_reports"] == len(frame) == found.n_counted


@pytest.fixture(scope="module")
def units():
    return {
        "community_code": units_of(40, "community_code"),
        "grid_code": units_of(700, "grid_code", 3),
    }


@pytest.fixture(scope="module")
def cluster():
    """Two worker processes, each with less memory than the reports of one test need."""
    with LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        memory_limit=MEMORY,
        dashboard_address=":0",
        silence_logs=50,
    ) as started:
        yield started


@pytest.fixture(params=["local", "dask"])
def engine(request):
    if request.param == "local":
        return {"engine": "local"}
    address = request.getfixturevalue("cluster").scheduler_address
    return {"engine": "dask", "scheduler": address}


def test_the_counts_are_those_of_the_whole(tmp_path, units, engine):
    frame = reports_of(20_000)
    corners = shapely.points(shapely.get_coordinates(units["grid_code"].geometry)[:500])
    frame.loc[frame.index[:500], "geometry"] = corners  # borders: the lowest code
    frame.loc[frame.index[500:520], "geometry"] = None
    frame.loc[frame.index[520:530], "geometry"] = Point()
    in_parts(frame, tmp_path / "reports", row_group_size=1_500)
    found = count_partitions(tmp_path / "reports", units, **engine)
    assert_same(found, frame, units)
    assert found.n_read == 20_000
    assert found.crs == frame.crs
    assert repr(found).startswith("<PartitionCounts of community_code, grid_code: 20,000 of 20,000")


def test_counts_are_told_apart_by_columns_and_local_months(tmp_path, units, engine):
    frame = reports_of(20_000)
    frame.loc[frame.index[:50], "reported_at"] = pd.NaT
    folder = in_parts(frame, tmp_path / "reports", row_group_size=1_500)
    found = count_partitions(
        folder, units, by=["category_code", TimeStep("reported_at"), "severity"], **engine
    )
    local = frame["reported_at"].dt.tz_convert("Asia/Shanghai")
    month = local.dt.tz_localize(None).dt.to_period("M").dt.to_timestamp()
    frame["month"] = month.dt.tz_localize("Asia/Shanghai").dt.as_unit("us")
    assert_same(found, frame, units, ["category_code", "month", "severity"])


@pytest.mark.parametrize("step", ["day", "week", "quarter", "year"])
def test_every_step_begins_when_the_clock_of_the_city_says(tmp_path, units, step):
    frame = reports_of(3_000)
    frame.to_parquet(tmp_path / "r.parquet")
    zone = "America/Santiago"  # where midnight is skipped once a year
    found = count_partitions(
        tmp_path / "r.parquet", units, by=[TimeStep("reported_at", step, zone)]
    )
    got = found.counts["community_code"].index.get_level_values(step)
    local = frame["reported_at"].dt.tz_convert(zone).dt.tz_localize(None)
    period = local.dt.to_period({"day": "D", "week": "W-SUN", "quarter": "Q", "year": "Y"}[step])
    inside = assign_units(frame, {"c": units["community_code"].rename(columns={"community_code": "c"})})["c"].notna()  # fmt: skip
    expected = period[inside].dt.start_time.dt.tz_localize(zone, nonexistent="shift_forward")
    assert set(got) == set(expected)


def test_only_reports_that_meet_all_conditions_count(tmp_path, units):
    frame = reports_of(5_000)
    folder = in_parts(frame, tmp_path / "reports")
    since = datetime(2026, 1, 1, tzinfo=UTC)
    found = count_partitions(
        folder,
        units,
        where=[("reported_at", ">=", since), ("category_code", "!=", "0110"), ("severity", "in", [1, 2])],
    )  # fmt: skip
    met = (
        (frame["reported_at"] >= since)
        & (frame["category_code"] == "0405")
        & (frame["severity"] > 0)
    )
    assert 0 < met.sum() < 5_000
    assert_same(found, frame[met], units)
    assert found.n_read == 5_000
    none = count_partitions(folder, units, where=[("category_code", "not in", ["0110", "0405"])])
    assert none.n_counted == 0  # a missing value meets no condition
    assert (none.counts["grid_code"] == 0).all(axis=None)


def test_the_points_are_brought_into_the_crs_of_the_units(tmp_path, units):
    frame = reports_of(5_000).to_crs(4326)
    folder = in_parts(frame, tmp_path / "reports")
    found = count_partitions(folder, units)
    expected = dict(counted(frame.to_crs(CRS), units))
    for level, counts in found.counts.items():
        there = counts[counts["n_reports"] > 0].sort_index()
        assert_frame_equal(there, expected[level].dropna().loc[there.index], check_index_type=False)
    mixed = {
        "community_code": units["community_code"],
        "grid_code": units["grid_code"].to_crs(4490),
    }
    both = count_partitions(folder, mixed)
    assert_frame_equal(both.counts["community_code"], found.counts["community_code"])
    assert both.unassigned.loc["grid_code", "n_reports"] > 0


def test_more_rows_than_a_worker_can_hold(tmp_path, cluster, units):
    """Fifteen million rows, more than a worker may hold, go through two workers."""
    level, frame = "community_code", units["community_code"]
    xy = (EAST, NORTH) + np.random.default_rng(5).random((N_ROWS, 2)) * SIDE * 1.01
    write_points(tmp_path / "0.parquet", xy)
    for i in range(1, N_COPIES):
        (tmp_path / f"{i}.parquet").hardlink_to(tmp_path / "0.parquet")
    assert pq.read_table(tmp_path / "0.parquet").nbytes * N_COPIES > MEMORY
    pids = pids_of(cluster)
    found = count_partitions(
        tmp_path, {level: frame}, engine="dask", scheduler=cluster.scheduler_address
    )  # fmt: skip
    assert pids_of(cluster) == pids  # none was killed for want of memory
    assert found.n_read == N_ROWS * N_COPIES
    index = LevelIndex.of(frame, level)
    positions = index.positions(xy)
    codes, n = np.unique(index.codes[positions[positions >= 0]].astype(str), return_counts=True)
    assert (found.counts[level]["n_incidents"] == 0).all()
    counts = found.counts[level]["n_reports"].sort_index()
    assert counts.to_dict() == dict(zip(codes, n * N_COPIES, strict=True))
    assert found.unassigned.loc[level, "n_reports"] == (positions < 0).sum() * N_COPIES


@pytest.mark.parametrize("n_killed", [1, 2])
def test_a_worker_that_dies_is_replaced_and_nothing_is_lost(
    tmp_path, cluster, units, n_killed, monkeypatch
):
    frame = reports_of(60_000)
    folder = in_parts(frame, tmp_path / "reports", row_group_size=2_000)
    killed = []
    with Client(cluster.scheduler_address, set_as_default=False) as client:
        client.wait_for_workers(2)  # a worker killed before has come back

    def kill(step, share):
        del step
        if share > 0 and not killed:
            killed.extend(pids_of(cluster)[:n_killed])
            for pid in killed:
                os.kill(pid, signal.SIGKILL)

    monkeypatch.setattr("gisgrid.join.partitions._SHARE", 1)  # thirty tasks
    found = count_partitions(
        folder, units, engine="dask", scheduler=cluster.scheduler_address, progress=kill
    )
    assert len(killed) == n_killed
    assert_same(found, frame, units)


def pids_of(cluster):
    return [nanny.process.pid for nanny in cluster.workers.values()]


def write_points(path, xy):
    """GeoParquet of many points, quickly."""
    records = np.empty(len(xy), np.dtype([("head", "V5"), ("x", "<f8"), ("y", "<f8")]))
    records["head"] = np.void(b"\x01\x01\0\0\0")
    records["x"], records["y"] = xy.T
    offsets = np.arange(len(xy) + 1, dtype=np.int32) * 21
    wkb = pa.Array.from_buffers(
        pa.binary(), len(xy), [None, pa.py_buffer(offsets), pa.py_buffer(records)]
    )
    crs = json.loads(gpd.GeoSeries(crs=CRS).crs.to_json())
    geo = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": {"encoding": "WKB", "geometry_types": ["Point"], "crs": crs}}}  # fmt: skip
    repeats = pa.repeat(pa.scalar("A-2026-000123456"), len(xy))
    table = pa.table({"geometry": wkb, "duplicate_of": repeats}).replace_schema_metadata(
        {"geo": json.dumps(geo)}
    )
    pq.write_table(table, path, row_group_size=500_000, use_dictionary=False, compression="none")  # fmt: skip


def test_the_index_travels(units):
    """What goes to the workers comes out of a pickle as it went in, and the compiled loops take it."""
    index = LevelIndex.of(units["grid_code"], "grid_code")
    back = pickle.loads(pickle.dumps(index))  # noqa: S301 - what was packed in the same line
    xy = (EAST, NORTH) + np.random.default_rng(2).random((1_000, 2)) * SIDE
    assert np.array_equal(back.positions(xy), index.positions(xy))
    assert back.crs == index.crs
    assert back.codes.tolist() == index.codes.tolist()


def test_dask_works_without_a_cluster_of_one_s_own(tmp_path, units, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    frame = reports_of(2_000)
    folder = in_parts(frame, tmp_path / "reports")
    heard = []
    found = count_partitions(folder, units, engine="dask", progress=lambda _, share: heard.append(share))  # fmt: skip
    assert_same(found, frame, units)
    assert heard[0] == 0
    assert heard[-1] == 1


@pytest.mark.parametrize("n_workers", [0, 1])
def test_a_cluster_that_cannot_work_is_not_waited_for(tmp_path, units, monkeypatch, n_workers):
    monkeypatch.setattr(engines, "_TIMEOUT_S", 0.5)
    folder = in_parts(reports_of(100), tmp_path / "reports")
    options = {"n_workers": n_workers, "processes": False, "memory_limit": 2**20}
    with LocalCluster(**options, dashboard_address=":0", silence_logs=50) as small:
        for worker in small.workers.values():
            while worker.status.name != "paused":  # it is as soon as it looks at its memory
                time.sleep(0.02)
        while small.scheduler.running:
            time.sleep(0.02)
        assert engines._nobody_works(small.scheduler) == (n_workers == 1)
        with pytest.raises(InputError, match="no worker that can take on work"):
            count_partitions(folder, units, engine="dask", scheduler=small.scheduler_address)


def test_workers_that_all_pause_are_not_waited_for(tmp_path, units, cluster, monkeypatch):
    monkeypatch.setattr(engines, "_PATIENCE_S", 0.0)
    monkeypatch.setattr(engines, "_nobody_works", lambda: True)
    folder = in_parts(reports_of(100), tmp_path / "reports")
    with pytest.raises(InputError, match="all pause for want of memory"):
        count_partitions(folder, units, engine="dask", scheduler=cluster.scheduler_address)


@pytest.mark.parametrize("n_rows", [1, 100])
@given(
    dealt=st.tuples(
        st.lists(st.integers(0, 300), max_size=4), st.integers(20, 120), st.integers(0, 3)
    )
)
@settings(max_examples=6, deadline=None)
def test_it_does_not_matter_how_the_rows_are_dealt(tmp_path_factory, units, n_rows, dealt):
    cuts, row_group_size, seed = dealt
    frame = reports_of(300, seed)
    folder = tmp_path_factory.mktemp("dealt")
    for i, (a, b) in enumerate(zip([0, *sorted(cuts)], [*sorted(cuts), 300], strict=True)):
        frame.iloc[a:b].to_parquet(folder / f"{i}.parquet", row_group_size=row_group_size)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gisgrid.join.partitions._SHARE", n_rows)
        patch.setattr("gisgrid.join.geoparquet._BATCH", 50)
        patch.setattr("gisgrid.join.tallies._TOGETHER", 3)
        found = count_partitions(folder, units, by=["category_code"])
    assert_same(found, frame, units, ["category_code"])


SHAPES = [
    None,
    Point(),
    Point(1, 2),
    Point(1, 2, 3),
    Point(np.nan, np.nan),
    shapely.set_srid(Point(4, 5), 4547),
    LineString([(0, 0), (1, 1)]),
]


@given(st.lists(st.sampled_from(range(len(SHAPES))), max_size=12), st.booleans(), st.integers(0, 3))
def test_coordinates_are_those_that_shapely_reads(picks, big_endian, skip):
    shapes = np.array([SHAPES[i] for i in picks] + [None], dtype=object)[:-1]
    wkb = shapely.to_wkb(shapes, byte_order=0 if big_endian else 1, include_srid=True)
    xy, wrong = column_coordinates(pa.array(wkb, pa.binary())[skip:])
    shapes = shapes[skip:]
    is_line = np.array([shape is SHAPES[-1] for shape in shapes], bool)
    assert wrong.tolist() == is_line.tolist()
    shapes = np.where(is_line | shapely.is_empty(shapes), None, shapes)
    points = np.where(shapely.is_missing(shapes), Point(np.nan, np.nan), shapes)
    np.testing.assert_array_equal(xy, np.column_stack([shapely.get_x(points), shapely.get_y(points)]))  # fmt: skip


@pytest.mark.parametrize(
    "options",
    [{"geometry_encoding": "geoarrow"}, {"compression": "zstd"}, {"use_dictionary": True}],
)
def test_every_way_to_write_points_is_read(tmp_path, units, options):
    frame = reports_of(1_000)
    frame["category_code"] = frame["category_code"].astype("category")
    folder = in_parts(frame, tmp_path / "reports", **options)
    found = count_partitions(folder, units, by=["category_code"])
    frame["category_code"] = frame["category_code"].astype(object)
    assert_same(found, frame, units, ["category_code"])


def test_names_of_folders_are_columns(tmp_path, units):
    frame = reports_of(900)
    for i, month in enumerate(["2026-01", "2026-02", "__HIVE_DEFAULT_PARTITION__"]):
        (tmp_path / f"month={month}").mkdir()
        frame.iloc[i::3].to_parquet(tmp_path / f"month={month}" / "0.parquet")
        frame.loc[frame.index[i::3], "month"] = month if month.startswith("2") else None
    (tmp_path / "_temporary").mkdir()
    (tmp_path / "_temporary" / "0.parquet").write_text("half a file")
    assert_same(count_partitions(tmp_path, units, by=["month"]), frame, units, ["month"])
    some = count_partitions(tmp_path, units, where=[("month", "==", "2026-02")])
    assert_same(some, frame[frame["month"] == "2026-02"], units)


def test_files_folders_and_patterns_may_be_mixed(tmp_path, units):
    frame = reports_of(900)
    in_parts(frame, tmp_path / "a", n=9)
    (tmp_path / "a" / "8.parquet").rename(tmp_path / "last.parquet")
    (tmp_path / "b").mkdir()
    (tmp_path / "a" / "7.parquet").rename(tmp_path / "b" / "7.parquet")
    several = [str(tmp_path / "a" / "[0-6].parquet"), tmp_path / "b", tmp_path / "last.parquet"]
    assert_same(count_partitions(several, units), frame, units)


def test_a_file_may_have_no_value_or_no_row_at_all(tmp_path, units):
    frame = reports_of(600)
    columns = ["category_code", "duplicate_of"]
    frame[columns] = frame[columns].astype(object)
    frame.loc[frame.index[::2], columns] = None
    in_parts(frame, tmp_path, n=2)  # the first file's columns have the type null
    frame.iloc[:0].to_parquet(tmp_path / "9.parquet")
    assert pa.types.is_null(pq.read_schema(tmp_path / "0.parquet").field("category_code").type)
    assert_same(count_partitions(tmp_path, units, by=["category_code"]), frame, units, ["category_code"])  # fmt: skip
    only = count_partitions(tmp_path / "0.parquet", units, by=["category_code"], where=[("category_code", "==", "1")])  # fmt: skip
    assert only.n_counted == 0
    empty = count_partitions(tmp_path / "9.parquet", units, by=["severity"])
    assert empty.n_read == len(empty.counts["grid_code"]) == 0


def test_without_repeats_every_report_is_an_incident(tmp_path, units):
    frame = reports_of(300).drop(columns="duplicate_of")
    frame.to_parquet(tmp_path / "r.parquet")
    found = count_partitions(tmp_path, units, duplicates=None)
    assert_same(found, frame.assign(duplicate_of=None), units)
    with pytest.raises(ColumnError, match=r"'r.parquet' has no column 'duplicate_of'"):
        count_partitions(tmp_path, units)


@pytest.mark.parametrize(
    ("options", "refusal"),
    [
        ({"by": ["severety"]}, (ColumnError, r"no column 'severety'; did you mean 'severity'\?")),
        ({"by": ["severity", "severity"]}, (ColumnError, "two columns .* 'severity'")),
        ({"by": ["n_reports"]}, (ColumnError, "no column 'n_reports'")),
        ({"by": ["community_code"]}, (ColumnError, "names a level of units and a column")),
        ({"by": ["tags"]}, (ColumnError, "column 'tags' holds list")),
        ({"by": [TimeStep("severity")]}, (ColumnError, "column 'severity' holds int64, which says no time zone")),
        ({"by": [TimeStep("reported_at", "moth")]}, (InputError, "no time step 'moth'; did you mean 'month'")),
        ({"by": [TimeStep("reported_at", timezone="Asia/Jiaozuo")]}, (InputError, "no time zone 'Asia/Jiaozuo'")),
        ({"where": [("severity", "=", 1)]}, (InputError, "no comparison '='")),
        ({"where": [("severity", "==", "high")]}, (InputError, "cannot be compared with 'high'")),
        ({"where": [("severity", "in", 1)]}, (InputError, "cannot be compared with 1")),
        ({"where": [("severity", "==", None)]}, (InputError, "with a missing value")),
        ({"engine": "spark"}, (InputError, "no engine 'spark'; there are: dask, local")),
        ({"scheduler": "tcp://127.0.0.1:9"}, (InputError, "of no use to the engine 'local'")),
        ({"engine": "dask", "scheduler": "tcp://127.0.0.1:9"}, (InputError, "no Dask scheduler answers at 'tcp://127.0.0.1:9'")),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused(tmp_path, units, options, refusal, monkeypatch):
    error, words = refusal
    monkeypatch.setattr(engines, "_TIMEOUT_S", 0.3)
    frame = reports_of(50)
    frame["tags"] = [["a"]] * 50
    frame.to_parquet(tmp_path / "r.parquet")
    with pytest.raises(error, match=words):
        count_partitions(tmp_path, units, **options)


def _without_crs(frame, folder):
    frame.set_crs(None, allow_override=True).to_parquet(folder / "b.parquet")


def _not_geoparquet(frame, folder):
    pd.DataFrame(frame.drop(columns="geometry")).to_parquet(folder / "b.parquet")


def _lines(frame, folder):
    frame.loc[30, "geometry"] = LineString([(0, 0), (1, 1)])
    frame.to_parquet(folder / "b.parquet", row_group_size=20)


def _cut(frame, folder):
    frame.to_parquet(folder / "b.parquet")
    content = (folder / "b.parquet").read_bytes()
    (folder / "b.parquet").write_bytes(content[: len(content) // 2])


def _garbled(frame, folder):
    frame.to_parquet(folder / "b.parquet", compression="none", use_dictionary=False)
    content = (folder / "b.parquet").read_bytes()
    wkb = frame.geometry.to_wkb()[7]
    (folder / "b.parquet").write_bytes(content.replace(wkb, b"\xff" * len(wkb)))


@pytest.mark.parametrize(
    ("spoil", "error", "words"),
    [
        (lambda frame, folder: frame.to_crs(4326).to_parquet(folder / "b.parquet"), CrsError,
         r"'a.parquet' is in EPSG:4547 \(metre\) and 'b.parquet' is in EPSG:4326 \(degree\)"),
        (_without_crs, CrsError, "'b.parquet' says that its CRS is unknown"),
        (_not_geoparquet, InputError, "'b.parquet' is Parquet without a description of its shapes"),
        (_lines, InputError, "1 of .* shapes of 'b.parquet' .*first: row 30"),
        (_cut, InputError, "'b.parquet' cannot be read as Parquet"),
        (_garbled, InputError, "'b.parquet' cannot be read"),
        (lambda frame, folder: frame.drop(columns="severity").to_parquet(folder / "b.parquet"), ColumnError,
         "'b.parquet' has no column 'severity'"),
        (lambda frame, folder: frame.astype({"severity": str}).to_parquet(folder / "b.parquet"), ColumnError,
         "'severity' is int64 in 'a.parquet' and string in 'b.parquet'"),
    ],
)  # fmt: skip
def test_files_that_do_not_go_together_are_refused(tmp_path, units, spoil, error, words):
    frame = reports_of(50)
    frame.to_parquet(tmp_path / "a.parquet")
    spoil(frame, tmp_path)
    with pytest.raises(error, match=words):
        count_partitions(tmp_path, units, by=["severity"])


def test_a_fault_in_a_part_comes_back_from_a_worker(tmp_path, units, cluster):
    frame = reports_of(50)
    frame.to_parquet(tmp_path / "a.parquet")
    _lines(frame, tmp_path)
    with pytest.raises(InputError, match=r"shapes of 'b.parquet'"):
        count_partitions(tmp_path, units, engine="dask", scheduler=cluster.scheduler_address)


def test_a_file_that_changes_meanwhile_is_refused(tmp_path, units):
    reports_of(50).to_parquet(tmp_path / "r.parquet")

    def write_anew(step, share):
        del step, share
        reports_of(40).to_parquet(tmp_path / "r.parquet")

    with pytest.raises(InputError, match="had 50 rows and now has 40"):
        count_partitions(tmp_path, units, progress=write_anew)


def test_where_there_is_nothing_it_says_so(tmp_path, units):
    (tmp_path / "empty").mkdir()
    for paths, words in [
        (tmp_path / "empty", "the folder .* holds no reports"),
        (tmp_path / "none-*.parquet", "the file or pattern .* holds no reports"),
        ([], "no file of reports was given"),
    ]:
        with pytest.raises(InputError, match=words):
            count_partitions(paths, units)
    reports_of(5).to_parquet(tmp_path / "r.parquet")
    with pytest.raises(InputError, match="given twice"):
        count_partitions([tmp_path, tmp_path / "r.parquet"], units)
    with pytest.raises(InputError, match="no level of units"):
        count_partitions(tmp_path, {})


def test_without_dask_the_extra_is_named(tmp_path, units, monkeypatch):
    reports_of(5).to_parquet(tmp_path / "r.parquet")
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match=r"install gisgrid\[dask\]"):
        count_partitions(tmp_path, units, engine="dask")


def test_importing_the_join_imports_no_dask():
    done = subprocess.run(
        [sys.executable, "-c", "import sys, gisgrid.join; sys.exit('distributed' in sys.modules or 'dask' in sys.modules)"],
        check=False,
    )  # fmt: skip
    assert done.returncode == 0
