"""A report is taken once, lies in its unit, has its owner and its deadline; steps bring what the rules say."""

import datetime as dt
import uuid
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest

from gisgrid.casework.deadlines import deadlines, read_calendar, read_deadlines
from gisgrid.casework.ledger import (
    CaseFilter,
    CaseNotFoundError,
    ConflictError,
    LedgerError,
    TransitionError,
)
from gisgrid.desk import Desk, Report, ReportError, cases_near
from gisgrid.errors import InputError

ID = str(uuid.UUID(int=7))


@pytest.fixture
def report(lonlat):
    def make(east=50, north=250, **said):
        lon, lat = lonlat(east, north)
        return Report(lon, lat, said.pop("service_code", "0110"), **said)

    return make


def test_a_report_becomes_a_case_with_unit_owner_and_deadline(desk, report):
    taken = desk.report(
        report(description="垃圾", source="collector"), client_id=ID, by="collector-7"
    )
    case = desk.ledger.case(taken.case_id)
    assert (case.unit_code, case.community_code, case.subdistrict_code) == (
        "419801001001002",
        "419801001001",
        "419801001",
    )
    assert (case.owner, case.category, case.state, case.source) == (
        "subdistrict:419801001",
        "exposed_garbage",
        "reported",
        "collector",
    )
    assert (
        case.due_at == taken.due_at == dt.datetime(2026, 11, 20, 8, 0, tzinfo=dt.UTC)
    )  # four working hours, over lunch
    assert (taken.owner, taken.repeated, taken.case_id[:9]) == (case.owner, False, "20261120-")
    assert desk.owners.title(taken.owner).zh == "街道419801001"
    event = desk.ledger.events().iloc[0]
    assert event["data"]["description"] == "垃圾"


def test_bureaus_own_their_classes(desk, report):
    assert (
        desk.report(report(service_code="0113"), client_id=ID, by="x").owner == "urban_management"
    )
    assert desk.owners.title("urban_management").en == "Urban management bureau"


def test_sent_again_it_is_the_same_case(desk, report, clock):
    first = desk.report(report(description="a"), client_id=ID, by="x")
    again = desk.report(report(description="a"), client_id=ID, by="x")
    clock.go(days=2)  # another day: another number would follow from the clock
    late = desk.report(report(description="a"), client_id=ID, by="x")
    for other in (again, late):
        assert (other.case_id, other.repeated, other.owner, other.due_at) == (
            first.case_id,
            True,
            first.owner,
            first.due_at,
        )
        assert other.receipt.first_seq == first.receipt.first_seq
    assert desk.ledger.count() == 1


def test_the_same_id_for_another_report_is_a_conflict(desk, report, clock):
    desk.report(report(description="a"), client_id=ID, by="x")
    others = [
        (report(description="b"), "x"),
        (report(description="a"), "y"),
        (report(51, description="a"), "x"),
        (report(), "x"),
        (report(description="a", photos=("0" * 64,)), "x"),
        (report(description="a", at=clock() - dt.timedelta(days=1)), "x"),
    ]
    for other, by in others:
        with pytest.raises(ConflictError, match="was used for other events"):
            desk.report(other, client_id=ID, by=by)
    assert desk.ledger.count() == 1


def test_many_threads_and_desks_sending_the_same_make_one_case(open_desk, report):
    desks = [open_desk(), open_desk()]
    said = [str(uuid.UUID(int=i % 20)) for i in range(200)]
    with ThreadPoolExecutor(16) as pool:
        taken = list(
            pool.map(
                lambda pair: desks[pair[0] % 2].report(report(), client_id=pair[1], by="x"),
                enumerate(said),
            )
        )
    assert len({one.case_id for one in taken}) == 20
    assert sum(not one.repeated for one in taken) == 20
    assert desks[0].ledger.count() == 20
    assert desks[0].ledger.flaws() == []


def test_outside_the_city_a_report_is_taken_and_said_to_be_outside(desk, report):
    taken = desk.report(report(-5_000), client_id=ID, by="x")
    assert taken.place.outside
    assert (taken.owner, desk.ledger.case(taken.case_id).unit_code) == (None, None)
    assert desk.ledger.events()["data"][0]["outside"]
    assert desk.owners.title(None).en == "Nobody is declared yet"


def test_a_wrong_clock_is_corrected(desk, report, clock):
    ahead = clock() + dt.timedelta(days=400)
    taken = desk.report(
        report(at=ahead - dt.timedelta(hours=1)), client_id=ID, by="x", sent_at=ahead
    )
    case = desk.ledger.case(taken.case_id)
    assert case.reported_at == clock() - dt.timedelta(hours=1)
    assert case.due_at == dt.datetime(2026, 11, 20, 8, 0, tzinfo=dt.UTC)  # by the desk's clock


def test_all_faults_of_a_report_are_told(desk):
    wrong = Report(
        200.0, float("nan"), "0119x", description="x" * 5_000, source="", accuracy_m=-1.0, photos=("../etc",),
        attributes={"a": 1}, contact={"passport": "1", "phone": 7},
    )  # fmt: skip
    with pytest.raises(ReportError) as caught:
        desk.submit(wrong, client_id=ID, by="x")
    named = [name for name, _ in caught.value.faults]
    assert named == [
        "lon",
        "lat",
        "service_code",
        "description",
        "source",
        "accuracy_m",
        "photos",
        "contact",
        "contact.phone",
    ]
    assert "did you mean" in dict(caught.value.faults)["service_code"]
    assert desk.ledger.count() == 0


def test_what_a_class_asks_is_demanded(catalogue, store, small_city, lonlat):
    rules = small_city / "rules"
    rules.mkdir()
    (rules / "services.toml").write_text(
        """
        scheme = "gbt30428-new"
        [[service]]
        code = "0110"
        name = { zh = "暴露垃圾", en = "Garbage" }
        [[service.attribute]]
        code = "size"
        datatype = "singlevaluelist"
        required = true
        description = { zh = "多少", en = "How much" }
        values = [{ key = "bag", name = { zh = "一袋", en = "A bag" } }, { key = "pile", name = { zh = "一堆", en = "A pile" } }]
        [[service.attribute]]
        code = "since"
        datatype = "datetime"
        description = { zh = "何时", en = "Since when" }
        [[service.attribute]]
        code = "metres"
        datatype = "number"
        description = { zh = "多长", en = "How long" }
        """,
        "utf-8",
    )
    lon, lat = lonlat(10, 10)
    with Desk.open(catalogue, store, rules=rules) as desk:
        assert [one.code for one in desk.services] == ["0110"]
        assert desk.services["0110"].category == "exposed_garbage"
        for answers, field in (
            ({}, "attributes.size"), ({"size": "heap"}, "attributes.size"), ({"size": ["bag", "pile"]}, "attributes.size"),
            ({"size": "bag", "since": "soon"}, "attributes.since"), ({"size": "bag", "metres": "3"}, "attributes.metres"),
            ({"size": "bag", "colour": "red"}, "attributes"),
        ):  # fmt: skip
            with pytest.raises(ReportError) as caught:
                desk.report(Report(lon, lat, "0110", attributes=answers), client_id=ID, by="x")
            assert [name for name, _ in caught.value.faults] == [field]
        said = {"size": "bag", "metres": 3, "since": "2026-11-20T08:00:00+08:00"}
        assert not desk.report(
            Report(lon, lat, "0110", attributes=said), client_id=ID, by="x"
        ).repeated
        assert desk.report(Report(lon, lat, "0110", attributes=said), client_id=ID, by="x").repeated


def test_a_preview_says_what_a_report_would_become(desk, report, lonlat):
    seen = desk.preview(*lonlat(50, 250), "0110")
    taken = desk.report(report(), client_id=ID, by="x")
    assert (seen.place, seen.owner, seen.due_at) == (taken.place, taken.owner, taken.due_at)
    assert (seen.provisional, seen.calendar_note.zh, seen.unit["name_zh"]) == (
        False,
        "4 工作小时，按《行政机关工作时间》计算。",
        "小区419801001001002",
    )
    with pytest.raises(InputError, match="no class '011'"):
        desk.preview(113.9, 35.2, "011")


def test_a_deadline_in_a_year_not_yet_published_is_provisional(desk, clock, lonlat):
    clock.time = dt.datetime(2031, 12, 30, 2, tzinfo=dt.UTC)
    seen = desk.preview(*lonlat(1, 1), "0101")
    assert seen.provisional
    assert "provisional" in seen.calendar_note.en.lower()


def test_nearby_are_open_cases_nearest_first(desk, report, lonlat):
    ids = [
        desk.report(report(50 + away, 50), client_id=str(uuid.UUID(int=away)), by="x").case_id
        for away in (200, 5, 90)
    ]
    desk.report(report(50, 50, service_code="0113"), client_id=ID, by="x")
    lon, lat = lonlat(50, 50)
    assert [
        case.case_id
        for case in cases_near(desk.ledger, lon, lat, service_code="0110", radius_m=100)
    ] == [
        ids[1],
        ids[2],
    ]
    assert len(cases_near(desk.ledger, lon, lat)) == 4
    assert cases_near(desk.ledger, lon, lat, within=CaseFilter(case_ids=())) == []
    desk.act(ids[1], "void", by="d", why="no problem")
    case = cases_near(desk.ledger, lon, lat, service_code="0110", radius_m=100)[0]
    assert case == desk.ledger.case(ids[2])
    with pytest.raises(InputError, match="radius_m is 9000"):
        cases_near(desk.ledger, lon, lat, radius_m=9000)


def test_what_lies_in_the_corners_of_the_box_is_not_near(desk, report, lonlat):
    corners = [(480, 480), (320, 480), (480, 320), (320, 320)]  # 113 m away, in a box of 100 m
    for i, (east, north) in enumerate([*corners, (470, 400)]):
        desk.report(report(east, north), client_id=str(uuid.UUID(int=i)), by="x")
    (near,) = cases_near(desk.ledger, *lonlat(400, 400), radius_m=100)
    assert lonlat(470, 400) == pytest.approx((near.lon, near.lat))
    assert len(cases_near(desk.ledger, *lonlat(400, 400), radius_m=120)) == 5
    assert cases_near(desk.ledger, *lonlat(400, 400), radius_m=60) == []


def test_a_dispatch_gets_its_owner_and_its_deadline(desk, report, clock):
    case_id = desk.report(report(), client_id=ID, by="x").case_id
    desk.act(case_id, "filed", by="d")
    clock.go(hours=1)
    receipt = desk.act(case_id, "dispatched", by="d")
    case = desk.ledger.case(case_id)
    assert (receipt.versions, case.owner) == ({case_id: 3}, "subdistrict:419801001")
    assert case.due_at == dt.datetime(2026, 11, 20, 9, 0, tzinfo=dt.UTC)


def test_pauses_and_extensions_are_reckoned_as_the_many_are(desk, report, clock):
    case_id = desk.report(report(), client_id=ID, by="x").case_id
    desk.act(case_id, "filed", by="d")
    desk.act(case_id, "dispatched", by="d")
    began = clock()
    clock.go(hours=1)
    desk.act(case_id, "suspended", by="d", why="雨")
    assert desk.ledger.case(case_id).due_at is None
    paused = clock()
    clock.go(days=4)
    desk.act(case_id, "resumed", by="d")
    first = desk.ledger.case(case_id).due_at
    resumed = clock()
    clock.go(minutes=10)
    desk.act(case_id, "extended", by="d", why="更多时间", data={"amount": 6})
    cases = pd.DataFrame(
        [
            {
                "case_id": "1",
                "category_code": "0110",
                "unit_code": "4",
                "dispatched_at": pd.Timestamp(began),
            }
        ]
    )
    pauses = pd.DataFrame(
        [{"case_id": "1", "paused_at": pd.Timestamp(paused), "resumed_at": pd.Timestamp(resumed)}]
    )
    options = {"calendar": read_calendar(), "taxonomy": "gbt30428-new", "pauses": pauses}
    assert first == deadlines(cases, read_deadlines(), **options)["due_at"][0]
    more = pd.DataFrame({"case_id": ["1"], "amount": [6.0]})
    assert (
        desk.ledger.case(case_id).due_at
        == deadlines(cases, read_deadlines(), extensions=more, **options)["due_at"][0]
    )
    with pytest.raises(InputError, match="is no amount"):
        desk.act(case_id, "extended", by="d", why="x", data={"amount": "two"})


def test_an_extension_to_a_date_outlives_what_comes_after_it(desk, report, clock):
    case_id = desk.report(report(), client_id=ID, by="x").case_id
    desk.act(case_id, "filed", by="d")
    desk.act(case_id, "dispatched", by="d")
    until = clock() + dt.timedelta(days=20)
    desk.act(case_id, "extended", by="d", why="雨", data={"due_at": until.isoformat()})
    clock.go(hours=1)
    desk.act(case_id, "suspended", by="d", why="雨")
    assert desk.ledger.case(case_id).due_at is None
    clock.go(days=4)
    desk.act(case_id, "resumed", by="d")
    resumed = desk.ledger.case(case_id).due_at
    assert until + dt.timedelta(days=1) < resumed < until + dt.timedelta(days=9)
    desk.act(case_id, "extended", by="d", why="雨", data={"amount": 8})
    assert desk.ledger.case(case_id).due_at > resumed


def test_a_case_that_is_suspended_before_its_dispatch_does_not_run_out(desk, report, clock):
    case_id = desk.report(report(), client_id=ID, by="x").case_id
    desk.act(case_id, "filed", by="d")
    due = desk.ledger.case(case_id).due_at
    desk.act(case_id, "suspended", by="d", why="雨")
    assert desk.ledger.case(case_id).due_at is None
    clock.go(days=10)
    desk.act(case_id, "resumed", by="d")
    assert desk.ledger.case(case_id).due_at > due + dt.timedelta(days=5)


def test_a_dispatch_goes_to_the_owner_of_the_class_as_it_was_mended(desk, report):
    case_id = desk.report(report(), client_id=ID, by="x").case_id
    before = desk.ledger.case(case_id)
    other = desk.report(report(service_code="0501"), client_id=ID[:-1] + "9", by="x")
    assert other.owner != before.owner
    desk.act(case_id, "amended", by="d", why="x", data={"category_code": "0501"})
    desk.act(case_id, "filed", by="d")
    desk.act(case_id, "dispatched", by="d")
    case = desk.ledger.case(case_id)
    assert (case.owner, case.category) == (other.owner, desk.services["0501"].category)


@pytest.mark.parametrize("suspended", [False, True])
def test_a_class_that_is_mended_after_the_dispatch_has_its_own_deadline(
    desk, report, clock, suspended
):
    case_id = desk.report(report(), client_id=ID, by="x").case_id
    other = desk.report(report(service_code="0501"), client_id=ID[:-1] + "9", by="x").case_id
    for each in (case_id, other):
        desk.act(each, "filed", by="d")
        desk.act(each, "dispatched", by="d")
    assert desk.ledger.case(case_id).due_at != desk.ledger.case(other).due_at
    clock.go(hours=1)
    if suspended:
        desk.act(case_id, "suspended", by="d", why="雨")
        desk.act(other, "suspended", by="d", why="雨")
        clock.go(days=3)
    desk.act(case_id, "amended", by="d", why="看错", data={"category_code": "0501"})
    if suspended:
        assert desk.ledger.case(case_id).due_at is None
        desk.act(case_id, "resumed", by="d")
        desk.act(other, "resumed", by="d")
    assert desk.ledger.case(case_id).due_at == desk.ledger.case(other).due_at
    for each in (case_id, other):
        desk.act(each, "extended", by="d", why="雨", data={"amount": 2})
    assert desk.ledger.case(case_id).due_at == desk.ledger.case(other).due_at


def test_a_deadline_set_by_hand_outlives_a_class_that_is_mended(desk, report, clock):
    case_id = desk.report(report(), client_id=ID, by="x").case_id
    desk.act(case_id, "filed", by="d")
    until = clock() + dt.timedelta(days=20)
    desk.act(case_id, "dispatched", by="d", data={"due_at": until.isoformat()})
    desk.act(case_id, "amended", by="d", why="看错", data={"category_code": "0501"})
    assert desk.ledger.case(case_id).due_at == until


def test_a_case_that_is_opened_anew_repeats_no_other(desk, report):
    case_id = desk.report(report(), client_id=ID, by="x").case_id
    other = desk.report(report(), client_id=ID[:-1] + "9", by="x").case_id
    desk.act(case_id, "merged", by="d", data={"duplicate_of": other})
    assert desk.ledger.case(case_id).duplicate_of == other
    desk.act(case_id, "reopened", by="d", why="另一处")
    assert desk.ledger.case(case_id).duplicate_of is None


@pytest.mark.parametrize(
    "steps",
    [
        ["handled", "feedback", "verified", "closed", "reopened"],
        ["handled", "feedback", "verified", "closed", "appealed", "appeal_upheld"],
        ["appealed", "appeal_upheld"],
    ],
)
def test_what_is_opened_anew_is_not_overdue_since_long_ago(desk, report, clock, steps):
    case_id = desk.report(report(), client_id=ID, by="x").case_id
    for kind in ("filed", "dispatched", *steps[:-1]):
        desk.act(case_id, kind, by="d", why="因为")
        clock.go(minutes=1)
    clock.go(days=60)
    desk.act(case_id, steps[-1], by="d", why="没有解决")
    like = desk.report(report(), client_id=ID[:-1] + "9", by="x").case_id
    again = desk.ledger.case(case_id)
    assert again.due_at == desk.ledger.case(like).due_at > clock()
    clock.go(days=1)
    desk.act(case_id, "dispatched", by="d")
    assert desk.ledger.case(case_id).due_at > again.due_at


def test_a_step_of_a_wrong_clock_is_corrected(desk, report, clock):
    case_id = desk.report(report(), client_id=ID, by="x").case_id
    desk.act(case_id, "filed", by="d")
    desk.act(case_id, "dispatched", by="d")
    clock.go(hours=2)
    ahead = dt.timedelta(days=-400)
    half_an_hour_ago = clock() - dt.timedelta(minutes=30)
    desk.act(case_id, "handled", by="d", at=half_an_hour_ago + ahead, sent_at=clock() + ahead)
    assert desk.ledger.case(case_id).handled_at == half_an_hour_ago


@pytest.mark.parametrize(
    ("kind", "data", "said"),
    [
        ("amended", {"category_code": {}}, "is no class"),
        ("amended", {"category_code": "9999", "category": "zzz"}, "is no class"),
        ("amended", {"due_at": None}, "keeps its deadline"),
        ("extended", {"due_at": "2020-01-01T00:00:00Z"}, "would end before it begins"),
        ("extended", {"due_at": "2150-01-01T00:00:00Z"}, "ten years ahead"),
        ("amended", {"due_at": "2150-01-01T00:00:00Z"}, "ten years ahead"),
        ("extended", {"amount": 1e12}, "is no amount"),
        ("extended", {"amount": 1e300}, "is no amount"),
        ("extended", {"amount": -1}, "is no amount"),
        ("extended", {"amount": True}, "is no amount"),
    ],
)
def test_data_that_make_no_sense_are_refused(desk, report, kind, data, said):
    case_id = desk.report(report(), client_id=ID, by="x").case_id
    desk.act(case_id, "filed", by="d")
    desk.act(case_id, "dispatched", by="d")
    before = desk.ledger.case(case_id)
    with pytest.raises(InputError, match=said):
        desk.act(case_id, kind, by="d", why="x", data=data)
    assert desk.ledger.case(case_id) == before


def test_what_was_said_stands_before_the_rules(desk, report, clock):
    case_id = desk.report(report(), client_id=ID, by="x").case_id
    desk.act(case_id, "filed", by="d")
    until = clock() + dt.timedelta(days=3)
    desk.act(case_id, "dispatched", by="d", data={"owner": "water", "due_at": until.isoformat()})
    case = desk.ledger.case(case_id)
    assert (case.owner, case.due_at) == ("water", until)
    desk.act(case_id, "handed_over", by="d", why="not ours", data={"owner": "utilities"})
    assert desk.ledger.events()["data"].iloc[-1] == {"owner": "utilities", "from_owner": "water"}


def test_a_case_that_is_moved_gets_its_new_unit(desk, report, lonlat):
    case_id = desk.report(report(), client_id=ID, by="x").case_id
    desk.act(
        case_id,
        "amended",
        by="d",
        why="wrong pin",
        place=lonlat(750, 750),
        data={"category_code": "0113"},
    )
    case = desk.ledger.case(case_id)
    assert (case.unit_code, case.subdistrict_code, case.category) == (
        "419801002002004",
        "419801002",
        "damaged_road",
    )


def test_two_desks_one_case_the_second_hears_of_the_first(open_desk, report):
    one, two = open_desk(), open_desk()
    case_id = one.report(report(), client_id=ID, by="x").case_id
    assert two.act(case_id, "filed", by="d1", expected=1).versions == {case_id: 2}
    with pytest.raises(ConflictError, match="'filed' by 'd1' came first"):
        one.act(case_id, "void", by="d2", why="no", expected=1)
    with pytest.raises(TransitionError, match="what may come next: dispatched"):
        one.act(case_id, "closed", by="d2")
    with pytest.raises(CaseNotFoundError):
        one.act("nothing", "filed", by="d")
    with pytest.raises(InputError, match="no event 'file'"):
        one.act(case_id, "file", by="d")


def test_a_step_sent_again_is_done_once(desk, report, clock):
    case_id = desk.report(report(), client_id=ID, by="x").case_id
    first = desk.act(case_id, "filed", by="d", client_id="s1", expected=1)
    desk.act(case_id, "dispatched", by="d", client_id="s2")
    clock.go(hours=30)
    assert (
        desk.act(case_id, "filed", by="d", client_id="s1", expected=1).first_seq == first.first_seq
    )
    again = desk.act(case_id, "dispatched", by="d", client_id="s2")
    assert (again.repeated, desk.ledger.case(case_id).version) == (True, 3)
    with pytest.raises(ConflictError, match="was used for other events"):
        desk.act(case_id, "dispatched", by="another", client_id="s2")


def test_noise_from_many_desks_is_sorted_out_by_trying_again(desk, report):
    case_id = desk.report(report(), client_id=ID, by="x").case_id
    with ThreadPoolExecutor(3) as pool:
        receipts = list(
            pool.map(lambda i: desk.act(case_id, "noted", by=f"d{i}", data={"n": i}), range(3))
        )
    assert sorted(receipt.versions[case_id] for receipt in receipts) == [2, 3, 4]


def test_a_held_ledger_is_said_and_nothing_is_lost(desk, report, small_city, monkeypatch):
    import sqlite3

    holder = sqlite3.connect(small_city / "data" / "casework" / "cases.db", isolation_level=None)
    from sqlalchemy import event

    event.listen(
        desk.ledger.engine, "checkout", lambda c, *_: c.execute("PRAGMA busy_timeout = 50")
    )
    holder.execute("BEGIN IMMEDIATE")
    waiting = desk.submit(report(), client_id=ID, by="x")
    with pytest.raises(LedgerError, match="another program holds it; nothing was taken"):
        waiting.result()
    holder.execute("ROLLBACK")
    holder.close()
    assert not desk.report(report(), client_id=ID, by="x").repeated


def test_who_stops_waiting_does_not_undo_the_report(desk, report):
    future = desk.submit(report(), client_id=ID, by="x")
    assert not future.cancel()
    assert desk.ledger.case(future.result().case_id).state == "reported"


def test_the_same_on_postgresql(postgresql_url, open_desk, report, clock):
    desk = open_desk(ledger=postgresql_url)
    first = desk.report(report(description="垃圾"), client_id=ID, by="x")
    clock.go(days=1)
    assert (
        open_desk(ledger=postgresql_url)
        .report(report(description="垃圾"), client_id=ID, by="x")
        .case_id
        == first.case_id
    )
    desk.act(first.case_id, "filed", by="d")
    desk.act(first.case_id, "dispatched", by="d")
    assert cases_near(desk.ledger, *lonlat_of(desk, first.case_id))[0] == desk.ledger.case(
        first.case_id
    )


def lonlat_of(desk, case_id):
    case = desk.ledger.case(case_id)
    return case.lon, case.lat
