"""What is taken, what is refused, and what is found again."""

import datetime as dt
import sqlite3
import threading

import pandas as pd
import pytest

from gisgrid.casework.ledger import (
    CaseFilter,
    CaseNotFoundError,
    ConflictError,
    Ledger,
    LedgerError,
    TransitionError,
)
from gisgrid.casework.ledger.life_cycle import BUILT_IN
from gisgrid.errors import ColumnError, InputError

PROMISED = (
    "case_id", "category_code", "category", "unit_code", "subdistrict_code", "community_code", "level_found", "source",
    "owner", "state", "reported_at", "uploaded_at", "filed_at", "dispatched_at", "handled_at", "closed_at", "due_at",
    "n_returns", "n_reworks", "n_hand_overs", "n_reopenings", "urgency", "lon", "lat", "duplicate_of",
)  # fmt: skip


def test_an_upload_sent_again_is_taken_once(ledger, event, clock):
    sent = [event("reported"), event("filed")]
    first = ledger.append(sent, client_id="phone-1")
    clock.go(hours=1)
    again = ledger.append(sent, client_id="phone-1")
    assert (first.repeated, again.repeated) == (False, True)
    assert (again.first_seq, again.last_seq, again.recorded_at) == (1, 2, first.recorded_at)
    assert again.versions == first.versions == {"A-1": 2}
    assert ledger.last_seq() == 2


def test_a_client_id_used_for_something_else_is_a_conflict(ledger, event):
    ledger.append(event("reported"), client_id="phone-1")
    with pytest.raises(
        ConflictError, match="client id 'phone-1' was used for other events at 2026-03-02T01:00"
    ):
        ledger.append(event("reported", "A-2"), client_id="phone-1")
    assert ledger.count() == 1


def test_two_threads_with_one_upload_give_one_case(ledger, event):
    receipts = []
    threads = [
        threading.Thread(target=lambda: receipts.append(ledger.append(event("reported"), client_id="x")))
        for _ in range(8)
    ]  # fmt: skip
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(receipt.repeated for receipt in receipts) == [False] + [True] * 7
    assert ledger.last_seq() == 1


def test_an_upload_is_taken_whole_or_not_at_all(ledger, event):
    with pytest.raises(TransitionError):
        ledger.append([event("reported"), event("filed"), event("closed")])
    assert ledger.last_seq() == 0
    with pytest.raises(CaseNotFoundError, match="no case 'A-1'"):
        ledger.case("A-1")


def test_a_refused_upload_does_not_touch_those_that_came_with_it(ledger, event):
    blocked, let_go = threading.Event(), threading.Event()
    commit = ledger._writer._commit

    def slow(uploads):
        blocked.set()
        let_go.wait(10)
        return commit(uploads)

    ledger._writer._commit = slow
    first = ledger.submit(event("reported"))
    assert blocked.wait(10)
    futures = [
        ledger.submit(event(kind, case_id))
        for kind, case_id in (("filed", "A-1"), ("closed", "A-1"), ("reported", "A-1"), ("reported", "A-2"))
    ]  # fmt: skip
    let_go.set()
    assert first.result().versions == {"A-1": 1}
    assert [type(future.exception()) for future in futures] == [
        type(None), TransitionError, TransitionError, type(None),
    ]  # fmt: skip
    assert [ledger.case(case_id).state for case_id in ("A-1", "A-2")] == ["filed", "reported"]


def test_of_two_desks_with_one_case_the_second_is_told(ledger, event):
    ledger.append([event("reported"), event("filed")])
    seen = ledger.case("A-1").version
    ledger.append(event("dispatched", by="desk-1"), expected={"A-1": seen})
    with pytest.raises(
        ConflictError,
        match="at version 3, not 2 as the sender saw it: 'dispatched' by 'desk-1' came first",
    ) as conflict:
        ledger.append(event("void", by="desk-2"), expected={"A-1": seen})
    assert (conflict.value.case_id, conflict.value.expected, conflict.value.found) == ("A-1", 2, 3)
    assert ledger.case("A-1").state == "dispatched"
    ledger.append(event("noted", by="desk-2"), expected={"A-1": conflict.value.found})


def test_of_many_desks_at_once_one_wins(ledger, event):
    ledger.append(event("reported"))
    futures = [
        ledger.submit(event("amended", by=f"desk-{i}", data={"category": f"c{i}"}), expected={"A-1": 1})
        for i in range(20)
    ]  # fmt: skip
    won = [i for i, future in enumerate(futures) if future.exception() is None]
    assert len(won) == 1
    assert ledger.case("A-1").category == f"c{won[0]}"
    assert ledger.last_seq() == 2


def test_a_case_can_be_expected_not_to_be_there(ledger, event):
    ledger.append(event("reported"), expected={"A-1": 0})
    with pytest.raises(ConflictError, match="at version 1, not 0"):
        ledger.append(event("reported"), expected={"A-1": 0})


def test_several_ledgers_on_one_file_see_each_other(ledger, url, event):
    with Ledger.open(url) as other:
        ledger.append(event("reported"))
        other.append(event("filed"))
        assert ledger.case("A-1").state == other.case("A-1").state == "filed"
        assert ledger.events()["seq"].tolist() == [1, 2]


def test_the_ledgers_time_never_goes_back(ledger, event, clock):
    ledger.append(event("reported"))
    clock.go(hours=-3)
    ledger.append(event("filed"))
    assert ledger.events()["recorded_at"].is_monotonic_increasing
    case = ledger.case("A-1")
    assert case.filed_at == case.reported_at


def test_events_come_back_as_they_were_sent(ledger, event, clock):
    data = {"description": "“垃圾”\n\\u0000", "photos": [{"id": 1, "w": 1.5}], "none": None}
    ledger.append(event("reported", data=data, place=(113.123456789, -35.0)), sent_at=clock())
    ledger.append(event("noted"))
    frame = ledger.events()
    assert frame["data"].tolist() == [data, {}]
    assert frame.loc[0, ["lon", "lat", "by", "why", "kind"]].tolist() == [113.123456789, -35.0, "collector-7", "因为", "reported"]  # fmt: skip
    assert frame["sent_at"].isna().tolist() == [False, True]
    assert str(frame["at"].dtype) == "datetime64[us, UTC]"


def test_who_asks_for_news_misses_none(ledger, event):
    ledger.append([event("reported"), event("filed")])
    seen = ledger.last_seq()
    assert ledger.events(since=seen).empty
    ledger.append([event("noted"), event("reported", "A-2")])
    assert ledger.events(since=seen)["kind"].tolist() == ["noted", "reported"]
    assert ledger.events(since=seen, case_ids=["A-2"])["seq"].tolist() == [4]
    assert ledger.events(kinds=["reported"], limit=1)["case_id"].tolist() == ["A-1"]
    assert ledger.events(case_ids=[]).empty


def test_an_empty_ledger_gives_frames_of_the_same_types(ledger, event):
    empty, no_events = ledger.cases(), ledger.events()
    assert tuple(empty.columns[: len(PROMISED)]) == PROMISED
    ledger.append(
        event("reported", data=dict.fromkeys(("category", "owner", "urgency"), "x"), place=(1, 2))
    )
    assert ledger.cases().dtypes.equals(empty.dtypes)
    assert ledger.events().dtypes.equals(no_events.dtypes)


@pytest.mark.parametrize(
    ("sent", "said", "sentence"),
    [
        ([], {}, "an upload has 0 events"),
        (None, {"client_id": ""}, "client_id is ''"),
        (None, {"sent_at": "now"}, "sent_at is 'now'"),
    ],
)
def test_an_upload_that_is_none_is_refused(ledger, event, sent, said, sentence):
    with pytest.raises(InputError, match=sentence):
        ledger.append(event("reported") if sent is None else sent, **said)


def test_a_column_that_is_not_there_is_named(ledger):
    with pytest.raises(ColumnError, match=r"no column 'ownr'; did you mean 'owner'\?"):
        ledger.cases(columns=["ownr"])


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("cases.db", "is none; write sqlite:///cases.db"),
        ("sqlite://", "a ledger in memory is lost"),
        ("sqlite:///no/such/folder/cases.db", "its folder does not exist"),
        ("mysql://x/y", "lies in SQLite or PostgreSQL, not in 'mysql'"),
    ],
)
def test_an_address_that_is_none_is_refused(address, sentence):
    with pytest.raises(InputError, match=sentence):
        Ledger.open(address)


def test_a_file_that_is_no_ledger_is_refused(tmp_path):
    (tmp_path / "cases.db").write_bytes(b"PK\3\4" * 2000)
    with pytest.raises(LedgerError, match="the file is no ledger or is damaged"):
        Ledger.open(f"sqlite:///{tmp_path}/cases.db")


def test_what_the_ledger_holds_a_new_life_cycle_must_know(url, event, tmp_path):
    text = BUILT_IN.read_text("utf8")
    path = tmp_path / "city.toml"
    path.write_text(text.replace('"checked"', '"examined"'), "utf8")
    with Ledger.open(url) as ledger:
        ledger.append(event("reported"))
    with Ledger.open(url, life_cycle=path) as ledger:
        ledger.append(event("examined"))
    with pytest.raises(
        InputError, match="events of the kind 'examined', which the life cycle 'cn' does not have"
    ):
        Ledger.open(url)


def test_tables_of_another_version_are_refused(url, tmp_path):
    Ledger.open(url).close()
    with sqlite3.connect(tmp_path / "cases.db") as connection:
        connection.execute("UPDATE gisgrid_ledger SET value = '99' WHERE name = 'tables'")
    connection.close()
    with pytest.raises(LedgerError, match="tables are of version '99'"):
        Ledger.open(url)


def test_a_closed_ledger_takes_nothing(url, event):
    ledger = Ledger.open(url)
    waiting = [ledger.submit(event("reported", f"A-{i}")) for i in range(50)]
    ledger.close()
    assert all(future.exception() is None for future in waiting)
    with pytest.raises(LedgerError, match="is closed"):
        ledger.append(event("reported"))
    ledger.close()


def test_events_can_not_be_changed_or_deleted(ledger, event, tmp_path):
    ledger.append(event("reported"))
    connection = sqlite3.connect(tmp_path / "cases.db")
    for statement in ("UPDATE events SET why = ''", "DELETE FROM events"):
        with pytest.raises(sqlite3.IntegrityError, match="events are only added"):
            connection.execute(statement)
    connection.close()


@pytest.mark.parametrize(
    ("statement", "rules"),
    [
        ("UPDATE events SET why = 'other' WHERE seq = 2", {"sealed"}),
        ("UPDATE events SET kind = 'closed' WHERE seq = 2", {"sealed", "life_cycle"}),
        ("DELETE FROM events WHERE seq = 4", {"missing", "derived"}),
        ("UPDATE cases SET owner = 'me' WHERE case_id = 'A-1'", {"derived"}),
        ("DELETE FROM cases WHERE case_id = 'A-2'", {"derived"}),
    ],
)
def test_tampering_is_found(ledger, event, tmp_path, statement, rules):
    ledger.append([event("reported"), event("filed"), event("reported", "A-2"), event("reported", "A-3"), event("noted")])  # fmt: skip
    assert ledger.flaws() == []
    connection = sqlite3.connect(tmp_path / "cases.db")
    connection.executescript(
        f"DROP TRIGGER events_no_update; DROP TRIGGER events_no_delete; {statement}"
    )
    connection.close()
    assert {flaw.rule for flaw in ledger.flaws()} == rules


def test_a_damaged_table_of_cases_is_derived_anew(ledger, event, tmp_path):
    ledger.append([event("reported"), event("filed"), event("reported", "A-2")])
    before = ledger.cases(order="reported_at")
    connection = sqlite3.connect(tmp_path / "cases.db")
    connection.executescript(
        "UPDATE cases SET state = 'closed'; DELETE FROM cases WHERE case_id = 'A-2'"
    )
    connection.close()
    assert ledger.rebuild() == 2
    pd.testing.assert_frame_equal(ledger.cases(order="reported_at"), before)


def test_a_backup_under_load_is_a_whole_ledger(ledger, event, tmp_path):
    waiting = [ledger.submit(event("reported", f"A-{i}")) for i in range(300)]
    ledger.backup(tmp_path / "copy.db")
    known = {future.result().last_seq for future in waiting}
    with Ledger.open(f"sqlite:///{tmp_path}/copy.db") as copy:
        assert copy.flaws() == []
        assert copy.last_seq() <= max(known) == 300


def test_a_deadline_is_a_moment_in_whatever_zone(ledger, event, clock):
    due = clock() + dt.timedelta(hours=3)
    ledger.append(
        [event("reported"), event("filed"), event("dispatched", data={"owner": "o", "due_at": due})]
    )
    east = due.astimezone(dt.timezone(dt.timedelta(hours=8)))
    assert ledger.count(CaseFilter(due_before=east)) == 0
    assert ledger.count(CaseFilter(due_before=east + dt.timedelta(microseconds=1))) == 1
