"""What is on my desk? Pages, filters and numbers, and nothing that somebody else's rights end at."""

import datetime as dt

import pytest

LOCAL, PARKS, WATER = "0102", "0117", "0125"
"""Classes by their owners."""

on_both = pytest.mark.parametrize("ledger_address", ["sqlite", "postgresql"], indirect=True)
"""What the database itself compares, orders and counts."""


@on_both
def test_a_queue_is_ordered_by_deadline_and_read_in_pages(office):
    made = {office.brought_to("dispatched", code) for code in (PARKS, WATER, LOCAL, PARKS)}
    made |= {office.report(east=-5_000)}
    seen, after = [], None
    while True:
        page = office.get("cases", limit=2, **({"after": after} if after else {}))
        seen += page["cases"]
        after = page["next"]
        if after is None:
            break
    assert {case["case_id"] for case in seen} == made
    beyond = office.listed(outside="true")
    assert len(beyond) == 1
    assert set(office.listed(outside="false")) == made - set(beyond)
    assert len(seen) == 5
    dues = [case["due_at"] or "9" for case in seen]
    assert dues == sorted(dues)


@on_both
def test_filters_take_what_they_say_and_numbers_agree_with_lists(office):
    parks = office.brought_to("dispatched", PARKS)
    water = office.brought_to("handled", WATER, east=500)
    closed = office.brought_to("closed", LOCAL)
    assert set(office.listed(state="open")) == {parks, water}
    assert office.listed(owner="water") == [water]
    assert office.listed(unit="419801002") == [water]
    assert office.listed(service_code=f"{PARKS},{LOCAL}", state="closed") == [closed]
    assert office.listed(case=parks) == [parks]
    west, south = office.place(0, 0)
    east, north = office.place(399, 399)
    assert set(office.listed(bbox=f"{west},{south},{east},{north}")) == {parks, closed}
    counts = office.get("counts", state="open")
    assert counts["n"] == 2
    assert counts["state"] == {"dispatched": 1, "handled": 1, "closed": 1}
    assert counts["owner"] == {"urban_management": 1, "water": 1}
    assert counts["service_code"] == {PARKS: 1, WATER: 1}
    for due, n in counts["due"].items():
        assert len(office.listed(state="open", due=due)) == n


def test_deadlines_are_overdue_today_ahead_or_provisional(office, now):
    case_id = office.brought_to("dispatched")
    year = now.year + 1
    while office.desk.calendar.is_published(year):
        year += 1
    moments = {
        "overdue": now - dt.timedelta(days=12),
        "ahead": now + dt.timedelta(days=12),
        "provisional": dt.datetime(year, 2, 1, tzinfo=dt.UTC),
    }
    for due, at in moments.items():
        office.desk.act(case_id, "amended", by="centre", why="...", data={"due_at": at.isoformat()})
        assert office.listed(due=due) == [case_id]
        [case] = office.get("cases", due=due)["cases"]
        assert case["clock"]["stands"] == ("overdue" if due == "overdue" else "running")
        assert (case["clock"]["working_hours_left"] < 0) == (due == "overdue")
        assert case["clock"]["provisional"] == (due == "provisional")


def test_a_clock_stands_still_and_tells_how_it_ended(office):
    case_id = office.brought_to("dispatched")
    office.desk.act(case_id, "suspended", by="centre", why="rain")
    assert office.get(f"cases/{case_id}")["clock"] == {
        "stands": "paused", "working_hours_left": None, "provisional": False
    }  # fmt: skip
    closed = office.brought_to("closed")
    assert office.get(f"cases/{closed}")["clock"]["stands"] == "met"


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"state": "opened"}, "no state 'opened'"),
        ({"bbox": "1,2,3"}, "bbox"),
        ({"bbox": "9,2,3,4"}, "bbox"),
        ({"after": "nonsense"}, "after"),
        ({"limit": 1000}, "limit"),
        ({"due": "soon"}, "due"),
        ({"ownr": "water"}, "ownr"),
        ({"due_before": "2026-11-22T00:00:00"}, "due_before"),
    ],
)
def test_what_means_nothing_is_refused_with_a_sentence(office, problem, params, said):
    assert said in problem(office.ask("cases", params=params), 400)["detail"]


@on_both
def test_nobody_sees_or_counts_beyond_their_rights(office, problem):
    parks, water, local = (office.brought_to("dispatched", code) for code in (PARKS, WATER, LOCAL))
    east = office.brought_to("dispatched", LOCAL, east=500)
    outside = office.report(east=-5_000)
    sees = {
        "district": {parks, water, local, east, outside}, "parks": {parks}, "water": {water},
        "west": {parks, water, local}, "walker": set(),
    }  # fmt: skip
    for holder, cases in sees.items():
        assert set(office.listed(holder)) == cases, holder
        counts = office.get("counts", holder)
        assert counts["n"] == len(cases)
        assert sum(counts["state"].values()) == len(cases)
        assert sum(counts["owner"].values()) == len(cases)
        for case_id in (parks, water, local, east, outside):
            answer = office.ask(f"cases/{case_id}", holder)
            assert answer.status_code == (200 if case_id in cases else 404), holder
    absent = problem(office.ask("cases/A-1", "water"), 404)["detail"]
    hidden = problem(office.ask(f"cases/{parks}", "water"), 404)["detail"]
    assert hidden == absent.replace("A-1", parks)
    for path in (
        "me",
        "cases",
        "counts",
        f"cases/{parks}",
        "news",
        "export.csv",
        "indicators?period=2026",
    ):
        problem(office.ask(path, None), 401)
        problem(office.ask(path, "reader"), 403)


@pytest.mark.parametrize(
    "path",
    [
        "indicators?period=9999", "indicators?period=0001&compare=true", "indicators?period=1970&compare=true",
        "indicators?period=2026&unit=%00", "cases?owner=%00", "cases?unit=%00", "cases?case=%00", "counts?unit=%00",
    ],
)  # fmt: skip
def test_what_no_ledger_keeps_is_refused_and_never_a_fault(office, problem, path):
    problem(office.ask(path), 400)
    problem(office.ask("cases/%00"), 404)


def test_a_desk_is_told_its_words_and_its_own_grids(office):
    me = office.get("me", "west")
    assert me["subject"] == "west"
    assert set(me["powers"]) == {"report", "see", "patrol", "handle", "export"}
    assert {code[:9] for code in me["units"]} == {"419801001"}
    assert me["units"]["419801001001"]["en"] == "Unit 419801001001"
    steps = {step["kind"]: step for step in me["life_cycle"]["steps"]}
    assert steps["returned"]["why"]
    assert steps["dispatched"]["needs"] == ["owner"]
    assert steps["handled"]["from"] == ["dispatched"]
    owners = {owner["id"]: owner["title"] for owner in me["all_owners"]}
    assert owners["subdistrict:419801001"]["zh"] == "街道419801001"
