"""The map follows the ledger: fresh cases, changed ones, void ones, and after whatever died in between."""

import shutil
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

from gisgrid.casework.ledger import Event, Ledger
from gisgrid.catalogue import value_faults
from gisgrid.desk import Desk, Report
from gisgrid.desk.ledger_file import ledger_url
from gisgrid.desk.live import LiveCases
from gisgrid.prepared import open_live, prepare

HERE = Path(__file__).parent


@pytest.fixture
def shown(catalogue, store):
    """Give the rows of the live layer by case."""

    def rows():
        prepared = prepare(catalogue["cases"], store)
        live = open_live(prepared, store)
        if live is None:
            return {row["case_id"]: row for row in prepared.table.records(slice(None))}
        now = live.current(wait=False)
        hidden = set(now.hidden.tolist())
        base = [row for i, row in enumerate(now.base.records(slice(None))) if i not in hidden]
        return {row["case_id"]: row for row in [*base, *now.fresh.records(slice(None))]}

    return rows


@pytest.fixture
def soon():
    """Wait until something is so."""

    def wait(is_so):
        until = time.monotonic() + 30
        while not is_so():
            assert time.monotonic() < until, "it did not become so"
            time.sleep(0.02)

    return wait


def report(desk, lonlat, number=0, **said):
    lon, lat = lonlat(50, 250)
    return desk.report(
        Report(lon, lat, "0110", **said), client_id=str(uuid.UUID(int=number)), by="x"
    ).case_id


def test_a_report_is_on_the_map_without_texts_and_contact(desk, lonlat, shown, soon):
    case_id = report(desk, lonlat, description="王家的垃圾", contact={"name": "王", "phone": "139"})
    soon(lambda: case_id in shown())
    assert shown()[case_id] == {
        "case_id": case_id, "category_code": "0110", "category": "exposed_garbage", "state": "reported",
        "unit_code": "419801001001002", "community_code": "419801001001", "subdistrict_code": "419801001",
        "owner": "subdistrict:419801001", "reported_at": "2026-11-20T02:00:00Z", "due_at": "2026-11-20T08:00:00Z", "closed_at": None,
    }  # fmt: skip


def test_steps_change_it_and_a_void_case_goes(desk, lonlat, shown, soon):
    case_id, other = report(desk, lonlat), report(desk, lonlat, 1)
    desk.act(case_id, "filed", by="d")
    soon(lambda: shown().get(case_id, {}).get("state") == "filed")
    desk.act(case_id, "void", by="d", why="no problem")
    soon(lambda: set(shown()) == {other})


def test_closing_writes_what_is_still_to_be_written(open_desk, lonlat, shown):
    desk = open_desk()
    ids = {report(desk, lonlat, number) for number in range(50)}
    desk.close()
    assert set(shown()) == ids


def test_what_a_dead_process_did_not_write_the_next_one_writes(
    open_desk, catalogue, store, lonlat, shown
):
    first = open_desk()
    there = report(first, lonlat)
    first.close()
    with Desk.open(catalogue, store, follow=False) as blind:  # commits, and never gets to the map
        missing = report(blind, lonlat, 1)
        blind.act(there, "filed", by="d")
    assert set(shown()) == {there}
    open_desk()
    assert set(shown()) == {there, missing}
    assert shown()[there]["state"] == "filed"


def test_a_marker_that_is_lost_or_of_another_ledger_makes_the_layer_anew(
    open_desk, store, catalogue, lonlat, shown
):
    first = open_desk()
    old = report(first, lonlat)
    first.close()
    marker = store.folder / ".live" / "cases.seq"
    marker.write_text("{", "utf-8")
    open_desk().close()
    assert set(shown()) == {old}
    shutil.rmtree(store.folder / "casework")
    (store.folder / "casework").mkdir()
    again = open_desk()
    assert set(shown()) == set()
    new = report(again, lonlat, 5)
    again.close()
    assert set(shown()) == {new}


def test_a_ledger_far_ahead_makes_a_new_base(  # noqa: PLR0917 - fixtures
    open_desk, catalogue, store, lonlat, shown, monkeypatch
):
    open_desk().close()
    monkeypatch.setattr("gisgrid.desk.live._FAR_BEHIND", 5)
    with Desk.open(catalogue, store, follow=False) as blind:
        ids = {report(blind, lonlat, number) for number in range(9)}
    desk = open_desk()
    assert not list((store.folder / ".live").glob("cases/journal/*.log"))
    assert set(shown()) == ids
    extra = report(desk, lonlat, 99)
    desk.close()
    assert set(shown()) == {*ids, extra}


def test_the_layer_keeps_its_contract(open_desk, catalogue, store, lonlat):
    with Desk.open(catalogue, store, follow=False) as blind:
        report(blind, lonlat)
    for round_ in range(2):
        open_desk().close()
        frame = store.read(catalogue["cases"])
        assert len(frame) == 1, round_
        assert value_faults(catalogue["cases"], frame) == []


def test_cases_without_place_are_not_on_the_map(catalogue, store, open_desk, clock, shown):
    (store.folder / "casework").mkdir()
    with Ledger.open(ledger_url(store), clock=clock) as ledger:
        ledger.append(Event("A", "reported", clock(), "u"))
    desk = open_desk()
    assert shown() == {}
    desk.ledger.append(Event("B", "reported", clock(), "u"))
    desk.close()
    assert shown() == {}


def test_trouble_with_the_map_is_told_and_nothing_is_lost(  # noqa: PLR0917 - fixtures
    open_desk, catalogue, store, lonlat, shown, soon, monkeypatch, caplog
):
    desk = open_desk()
    broken = {"now": True}
    real = LiveCases._append

    def append(self, cases):
        if broken["now"]:
            raise OSError(28, "No space left on device")
        real(self, cases)

    monkeypatch.setattr(LiveCases, "_append", append)
    case_id = report(desk, lonlat)
    soon(lambda: "fresh cases are not on the map yet" in caplog.text)
    assert desk.ledger.case(case_id).version == 1
    broken["now"] = False
    soon(lambda: case_id in shown())


def test_another_server_of_the_same_postgresql_sees_it_too(  # noqa: PLR0917 - fixtures
    postgresql_url, open_desk, lonlat, shown, soon, catalogue, store, tmp_path
):
    desk = open_desk(ledger=postgresql_url)
    elsewhere = Ledger.open(postgresql_url)
    lon, lat = lonlat(10, 10)
    elsewhere.append(Event("far", "reported", desk._clock(), "u", (lon, lat)))
    soon(lambda: "far" in shown())  # nobody woke this process
    elsewhere.close()


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_hundred_killed_desks_lose_nothing(small_city):
    run_killed(small_city, 100)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_killed_desks_lose_nothing_on_postgresql(small_city, postgresql_url):
    run_killed(small_city, 12, postgresql_url)


def run_killed(small_city, rounds, *address):
    done = subprocess.run(
        [sys.executable, HERE / "killed_desks.py", small_city, str(rounds), *address],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    n, told, found = map(int, done.stdout.split())
    assert (n, found >= told >= rounds) == (rounds, True)
