import gc
import json
import os
import signal
import subprocess
import sys
import threading
import time
import weakref

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from gisgrid.errors import InputError, OutputError
from gisgrid.features import FeatureTable, Journal, LiveTable, Snapshot, live, merge
from gisgrid.features.filters import Filter
from gisgrid.features.zorder import in_order


def feature(key, *, lon=114.5, lat=35.5, **values):
    point = {"type": "Point", "coordinates": [lon, lat]}
    return {"type": "Feature", "properties": {"id": key, **values}, "geometry": point}


def content(snapshot: Snapshot):
    """Everything a snapshot shows, by key."""
    shown = {}
    for table, hidden in snapshot.parts:
        rows = np.setdiff1d(np.arange(len(table)), hidden)
        places = table.geometries(rows)
        for record, place, number in zip(
            table.records(rows), places, table.number[rows].tolist(), strict=True
        ):
            assert record["id"] not in shown
            shown[record["id"]] = (record, None if place is None else place.wkt, number)
    assert len(shown) == len(snapshot)
    return shown


def now(folder):
    return content(LiveTable(folder).current(wait=False))


@pytest.fixture
def base(frame) -> FeatureTable:
    part = frame.iloc[:200].reset_index(drop=True)
    return FeatureTable.from_frame(part, key="id", properties=["category", "severity", "score", "open", "reported_at", "day"], lonlat=("lon", "lat"))  # fmt: skip


@pytest.fixture
def folder(tmp_path, base):
    LiveTable.create(tmp_path / "reports", base)
    return tmp_path / "reports"


def test_added_changed_and_deleted_features_are_seen(folder, base):
    live, journal = LiveTable(folder), Journal(folder)
    first = content(live.current(wait=False))
    assert len(first) == 200
    old, gone = base.records([5])[0], base.records([9])[0]["id"]
    n = journal.append(
        [feature("new", severity=70_000, category="新", score=1, open=True, reported_at="2026-10-01T08:00:00+08:00", day="2026-10-01"), feature(old["id"], severity=1)],
        delete=[gone, "never was"],
    )  # fmt: skip
    assert n == 4
    snapshot = live.current(wait=False)
    shown = content(snapshot)
    assert len(shown) == 200
    assert gone not in shown
    assert shown["new"][0] == {
        "id": "new",
        "category": "新",
        "severity": 70_000,
        "score": 1.0,
        "open": True,
        "reported_at": "2026-10-01T00:00:00Z",
        "day": "2026-10-01",
    }
    assert shown["new"][1:] == ("POINT (114.5 35.5)", 200)
    assert shown[old["id"]][0] == {**dict.fromkeys(old), "id": old["id"], "severity": 1}
    assert shown[old["id"]][2] == first[old["id"]][2]
    assert {key: value for key, value in shown.items() if key not in {"new", old["id"]}} == {
        key: value for key, value in first.items() if key not in {gone, old["id"]}
    }
    assert snapshot.find(gone) is None
    assert snapshot.find("new")[0] is snapshot.fresh
    assert snapshot.find(base.records([7])[0]["id"]) == (snapshot.base, 7)
    assert snapshot.shown(np.array([5, 7, 9])).tolist() == [False, True, False]
    assert in_order(snapshot.fresh.u, snapshot.fresh.v)
    chosen = Filter.parse("severity >= 70000", fields=base.fields)
    assert chosen.mask(snapshot.fresh).sum() == 1


def test_a_merge_changes_the_form_and_not_the_content(folder):
    journal, live = Journal(folder), LiveTable(folder)
    rng = np.random.default_rng(0)
    keys = list(now(folder))
    for step in range(6):
        new = [
            feature(
                f"n{step}-{i}",
                lon=114 + rng.random(),
                severity=int(rng.integers(1, 9)),
                category=f"c{i}",
            )
            for i in range(30)
        ]
        changed = [
            feature(str(key), lat=36.0, score=float(step))
            for key in rng.choice(keys, 20, replace=False)
        ]
        journal.append(
            new + changed, delete=[*map(str, rng.choice(keys, 10, replace=False)), f"n{step - 1}-3"]
        )
        before = content(live.current(wait=False))
        old = live.current()
        assert merge(folder)
        after = live.current(wait=False)
        assert content(after) == before == now(folder) == content(old)
        assert (len(after.hidden), len(after.fresh)) == (0, 0)
        assert after.base.is_whole()
        assert after.version != old.version
        used = {record["category"] for record in after.base.records(slice(None))} - {None}
        assert list(after.base.columns["category"].words) == sorted(used)
    assert not merge(folder)
    assert len(list((folder / "journal").iterdir())) <= 2
    numbers = [number for *_, number in now(folder).values()]
    assert len(set(numbers)) == len(numbers)


def test_a_feature_keeps_its_number_and_no_number_is_given_twice(folder):
    journal = Journal(folder)
    journal.append([feature("a"), feature("b")])
    journal.append(delete=["b"])
    merge(folder)
    journal.append([feature("c"), feature("a", severity=2)])
    assert {key: now(folder)[key][2] for key in ("a", "c")} == {"a": 200, "c": 202}
    merge(folder)
    assert {key: now(folder)[key][2] for key in ("a", "c")} == {"a": 200, "c": 202}


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"type": "Feature"}, "no GeoJSON feature"),
        ([], "no GeoJSON feature"),
        (feature(None), "has no 'id'"),
        (feature(""), "has no 'id'"),
        (feature(7), "which is no text"),
        (feature("a", colour="red"), "'colour' that the layer has not"),
        (feature("a", severity="3"), "'severity' = '3', which is no integer"),
        (feature("a", severity=True), "which is no integer"),
        (feature("a", severity=2.5), "which is no integer"),
        (feature("a", severity=2**70), "which is no integer"),
        (feature("a", score=float("nan")), "which is no number"),
        (feature("a", open=1), "which is no boolean"),
        (feature("a", reported_at="yesterday"), "is no time"),
        (feature("a", reported_at=5), "which is no time"),
        (feature("a", category="\ud800"), "which is no text"),
        (feature("a", lon=200), "no longitude and latitude"),
        (feature("a", lon=float("nan")), "cannot be read"),
        (feature("a", lon="x"), "cannot be read"),
        ({**feature("a"), "geometry": {"type": "LineString", "coordinates": [[0, 0], [1, 1]]}}, "of type 'LineString' but the layer has point"),
        ({**feature("a"), "geometry": "here"}, "of type 'None'"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_as_a_whole(wrong, sentence, folder):
    before = now(folder)
    with pytest.raises(InputError, match=sentence):
        Journal(folder).append([feature("good"), wrong])
    assert now(folder) == before


def test_features_without_a_place_are_kept(folder):
    Journal(folder).append(
        [
            {**feature("a"), "geometry": None},
            {"type": "Feature", "id": "b", "properties": {}, "geometry": None},
        ]
    )
    assert [now(folder)[key][1] for key in ("a", "b")] == [None, None]
    merge(folder)
    assert [now(folder)[key][1] for key in ("a", "b")] == [None, None]


def test_areas_are_live_too(tmp_path):
    frame = gpd.GeoDataFrame(
        {"id": [3, 1], "n": [1.5, 2]}, geometry=[shapely.box(0, 0, 1, 1), None], crs=4326
    )
    LiveTable.create(tmp_path / "areas", FeatureTable.from_frame(frame, key="id", properties=["n"]))
    area = json.loads(shapely.to_geojson(shapely.box(5, 5, 6, 6)))
    Journal(tmp_path / "areas").append(
        [
            {"type": "Feature", "properties": {"id": 2, "n": 7}, "geometry": area},
            {"type": "Feature", "properties": {"id": 3}, "geometry": None},
        ]
    )
    before = now(tmp_path / "areas")
    assert {key: place for key, (_, place, _) in before.items()} == {
        1: None,
        2: shapely.box(5, 5, 6, 6).wkt,
        3: None,
    }
    assert merge(tmp_path / "areas")
    assert now(tmp_path / "areas") == before
    table = LiveTable(tmp_path / "areas").current().base
    assert table.is_whole()
    assert table.bbox == (5, 5, 6, 6)


def test_tables_without_places_are_live_too(tmp_path):
    LiveTable.create(
        tmp_path / "t",
        FeatureTable.from_frame(pd.DataFrame({"id": ["a"], "n": [1]}), key="id", properties=["n"]),
    )
    Journal(tmp_path / "t").append(
        [{"type": "Feature", "properties": {"id": "b", "n": 2}, "geometry": None}], delete=["a"]
    )
    before = now(tmp_path / "t")
    assert merge(tmp_path / "t")
    assert now(tmp_path / "t") == before == {"b": ({"id": "b", "n": 2}, None, 1)}


def test_a_layer_without_a_key_cannot_be_live(tmp_path, frame):
    with pytest.raises(InputError, match="without a key"):
        LiveTable.create(tmp_path / "x", FeatureTable.from_frame(frame, properties=["category"]))
    with pytest.raises(InputError, match="no features in"):
        LiveTable(tmp_path / "nothing")


def test_a_rebuilt_layer_keeps_what_is_in_the_journal(folder, base):
    watching = LiveTable(folder)
    Journal(folder).append([feature("new", severity=2)], delete=[base.records([3])[0]["id"]])
    LiveTable.create(folder, base.take(np.arange(50)))
    shown = content(watching.current(wait=False))
    assert len(shown) == 50 + 1 - 1
    assert shown["new"][0]["severity"] == 2
    # A property that holds another kind now shows nothing of the old kind, and stops nobody.
    frame = pd.DataFrame({"id": ["z"], "severity": ["high"], "lon": [1.0], "lat": [1.0]})
    LiveTable.create(
        folder,
        FeatureTable.from_frame(frame, key="id", properties=["severity"], lonlat=("lon", "lat")),
    )
    shown = content(watching.current(wait=False))
    assert shown["new"][0] == {"id": "new", "severity": None}
    Journal(folder).append([feature("new", severity="low")])
    assert content(watching.current(wait=False))["new"][0]["severity"] == "low"


# --- torn writes, full disks, killed processes --------------------------------------------------


def test_no_byte_at_which_a_write_may_stop_loses_what_was_acknowledged(folder):
    journal = Journal(folder)
    journal.append([feature("one", severity=1)], delete=["nobody"])
    path = next((folder / "journal").glob("*.log"))
    safe = path.read_bytes()
    journal.append([feature("two", severity=2)])
    whole = path.read_bytes()
    after = now(folder)
    for cut in range(len(safe), len(whole)):
        path.write_bytes(whole[:cut])
        shown = now(folder)
        assert "one" in shown
        assert "two" not in shown
        if cut % 29 == 0:
            Journal(folder).append([feature("two", severity=2)])
            assert path.read_bytes() == whole
            assert now(folder) == after
    for noise in (b"\x00" * 500, b"\xff" * 7, os.urandom(100), whole[len(safe) : -1] + b"!"):
        path.write_bytes(safe + noise)
        shown = now(folder)
        assert "one" in shown
        assert "two" not in shown
        Journal(folder).append([feature("two", severity=2)])
        assert now(folder) == after


def test_a_writer_goes_on_behind_what_others_wrote_meanwhile(folder):
    one, other = Journal(folder), Journal(folder)
    one.append([feature("a")])
    path = next((folder / "journal").glob("*.log"))
    first = path.stat().st_size
    for turn, (writer, key) in enumerate([(other, "b"), (one, "c"), (other, "d")]):
        with path.open("ab") as file:
            file.write(os.urandom(7 * turn))  # somebody was stopped in the middle
        writer.append([feature(key)])
    assert {"a", "b", "c", "d"} <= now(folder).keys()
    assert path.stat().st_size == 4 * first


def test_a_reader_that_looks_while_a_batch_is_written_waits_for_all_of_it(folder):
    watching = LiveTable(folder)
    Journal(folder).append([feature("one")])
    path = next((folder / "journal").glob("*.log"))
    whole = path.read_bytes()
    for cut in range(0, len(whole), 17):
        path.write_bytes(whole[:cut])
        assert "one" not in content(watching.current(wait=False))
    path.write_bytes(whole)
    assert "one" in content(watching.current(wait=False))


def test_a_disk_that_refuses_leaves_nothing_behind(folder, monkeypatch):
    journal = Journal(folder)
    journal.append([feature("one")])
    before = now(folder)
    for name in ("fsync", "pwrite"):
        with monkeypatch.context() as patch:

            def refuse(*_):
                raise OSError(28, "No space left on device")

            patch.setattr(f"os.{name}", refuse)
            with pytest.raises(OutputError, match="No space left on device; make room"):
                journal.append([feature("two")])
        assert now(folder) == before
    journal.append([feature("two")])
    assert "two" in now(folder)


WRITER = """
import sys, os
from pathlib import Path
from gisgrid.features import Journal, merge
folder, merges = Path(sys.argv[1]), sys.argv[2] == "merge"
journal = Journal(folder)
point = {"type": "Point", "coordinates": [114.5, 35.5]}
for i in range(100_000):
    if merges:
        merge(folder)
    journal.append([{"type": "Feature", "properties": {"id": f"k{i}", "severity": i % 7}, "geometry": point}])
    os.write(1, f"{i}\\n".encode())
"""


@pytest.mark.parametrize("mode", ["append", "merge"])
def test_a_killed_writer_loses_nothing_it_acknowledged(mode, folder):
    for delay in (0.05, 0.11):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(folder), mode], stdout=subprocess.PIPE
        )
        first = writer.stdout.readline()
        time.sleep(delay)
        writer.send_signal(signal.SIGKILL)
        acknowledged = [int(line) for line in (first + writer.stdout.read()).split()]
        writer.wait()
        writer.stdout.close()
        shown = now(folder)
        assert acknowledged
        assert all(f"k{i}" in shown for i in acknowledged)
        assert len(shown) - 200 in range(len(acknowledged), 10_000)
        Journal(folder).append([feature("after")])
        merge(folder)
        assert now(folder).keys() == shown.keys() | {"after"}
        assert LiveTable(folder).current().base.is_whole()
        Journal(folder).append(delete=["after", *(f"k{i}" for i in range(10_000))])
        merge(folder)


def test_other_processes_see_a_change_within_a_second(folder):
    code = (
        "import sys, time; from pathlib import Path; from gisgrid.features import LiveTable\n"
        "live = LiveTable(Path(sys.argv[1])); print('ready', flush=True)\n"
        "while live.current().find('new') is None: time.sleep(0.01)\n"
        "print(time.time(), flush=True)"
    )
    watcher = subprocess.Popen(
        [sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE, text=True
    )
    watcher.stdout.readline()
    Journal(folder).append([feature("new")])
    watcher.wait(timeout=60)
    assert float(watcher.stdout.read()) > 0
    watcher.stdout.close()
    assert watcher.returncode == 0
    assert live.POLL_S < 1


def test_readers_see_whole_batches_while_others_write_and_merge(folder):
    """Each batch moves all of ten features at once: a snapshot that shows two values is a mixture."""
    ended, seen, errors = threading.Event(), set(), []
    journal = Journal(folder)
    journal.append([feature(f"m{i}", severity=0) for i in range(10)])

    def read():
        reader = LiveTable(folder)
        while not ended.is_set():
            try:
                shown = content(reader.current(wait=False))
                values = {shown[f"m{i}"][0]["severity"] for i in range(10)}
                assert len(values) == 1
                assert len(shown) == 210
                seen.update(values)
            except Exception as error:  # noqa: BLE001 - reported by the main thread
                errors.append(error)
                return

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for step in range(1, 25):
        journal.append([feature(f"m{i}", severity=step) for i in range(10)])
        if step % 4 == 0:
            merge(folder)
    ended.set()
    for reader in readers:
        reader.join()
    assert not errors
    assert seen <= set(range(25))
    assert content(LiveTable(folder).current(wait=False))["m0"][0]["severity"] == 24


def test_a_merge_starts_by_itself_in_another_process(folder):
    layer, journal = LiveTable(folder), Journal(folder)
    journal.append([feature(f"n{i}") for i in range(20)])
    layer.current(wait=False)
    assert not layer.merge_if_due(at=100)
    assert layer.merge_if_due(at=20)
    assert not layer.merge_if_due(at=20)
    assert not LiveTable(folder).merge_if_due(at=20)  # from the first moment of the other process
    before = content(layer.current())
    assert layer.merged(timeout_s=120)
    after = layer.current(wait=False)
    assert content(after) == before
    assert len(after.fresh) == 0


def test_a_folder_that_cannot_be_read_any_more_shows_what_it_showed(folder, caplog):
    layer = LiveTable(folder)
    before = content(layer.current(wait=False))
    (folder / "base" / "meta.json").write_text("{")
    assert content(layer.current(wait=False)) == before
    assert "is shown as it was" in caplog.text


def test_a_table_that_does_not_change_can_be_shown_alike(table):
    snapshot = Snapshot.of(table)
    assert len(snapshot) == len(table)
    assert snapshot.find("R-00001") == (table, table.row("R-00001"))
    assert len(snapshot.fresh) == 0


def test_a_layer_whose_base_is_lost_is_built_anew_with_its_journal_on_top(folder, base):
    journal = Journal(folder)
    journal.append([feature("merged")])
    merge(folder)
    merge(folder)
    journal.append([feature("fresh")])
    merge(folder)
    journal.append([feature("last")])
    (folder / "base" / "meta.json").unlink()
    LiveTable.create(folder, base)
    assert {"fresh", "last"} <= now(folder).keys()
    assert merge(folder)
    assert {"fresh", "last"} <= now(folder).keys()


def test_a_state_that_nobody_looks_at_any_more_is_let_go(folder):
    """Every state holds the changes since the last merge: were each to keep the one before, memory would grow by the square."""
    live, journal = LiveTable(folder), Journal(folder)
    before = []
    for i in range(5):
        journal.append([feature(f"new-{i}")])
        before.append(weakref.ref(live.current(wait=False)))
    gc.collect()
    assert [one() is None for one in before] == [True] * 4 + [False]
    assert len(live.current(wait=False).fresh) == 5
