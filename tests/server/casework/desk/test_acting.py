"""A case goes its way: who may take which step, what it needs, and what the slower of two desks hears."""

import datetime as dt

import pytest

LOCAL, PARKS, WATER = "0102", "0117", "0125"
"""Classes by their owners."""


def test_a_report_is_dispatched_handled_verified_and_closed(office):
    case_id = office.report(description="井盖破损")
    way = [("filed", "district"), ("dispatched", "district"), ("handled", "parks"), ("feedback", "parks"),
           ("verified", "district"), ("closed", "district")]  # fmt: skip
    for kind, holder in way:
        next_kinds = [step["kind"] for step in office.get(f"cases/{case_id}", holder)["next"]]
        assert kind in next_kinds
        data = {"owner": "urban_management"} if kind == "dispatched" else {}
        answer = office.act(case_id, kind, holder, data=data)
        assert answer.status_code == 201, answer.text
    case = answer.json()["case"]
    assert case["state"] == "closed"
    assert case["description"] == "井盖破损"
    assert [event["kind"] for event in case["events"]] == ["reported", *(kind for kind, _ in way)]
    assert [event["by"] for event in case["events"]][1:] == [holder for _, holder in way]


def test_the_second_of_two_desks_is_told_what_the_first_did_and_loses_nothing(office):
    case_id = office.brought_to("filed")
    version = office.get(f"cases/{case_id}")["version"]
    first = office.act(case_id, "dispatched", expected=version, data={"owner": "urban_management"})
    assert first.status_code == 201
    second = office.act(
        case_id, "void", "district", expected=version, why="重复上报", client_id="12345678"
    )
    assert second.status_code == 409
    assert second.headers["content-type"] == "application/problem+json"
    said = second.json()
    assert said["type"].endswith(":conflict")
    assert [event["kind"] for event in said["since"]] == ["dispatched"]
    assert said["since"][0]["by"] == "centre"
    assert said["case"]["state"] == "dispatched"
    assert said["yours"] == {
        "kind": "void", "why": "重复上报", "expected": version, "client_id": "12345678", "data": {}
    }  # fmt: skip
    assert office.desk.ledger.case(case_id).version == version + 1


def test_an_act_that_is_sent_again_is_done_once(office):
    case_id = office.brought_to("dispatched")
    version = office.desk.ledger.case(case_id).version
    again = [
        office.act(case_id, "handled", "parks", expected=version, client_id="act-00000001")
        for _ in range(3)
    ]
    assert [answer.status_code for answer in again] == [201, 200, 200]
    assert {answer.json()["version"] for answer in again} == {version + 1}
    assert office.desk.ledger.case(case_id).version == version + 1


@pytest.mark.parametrize("kind", ["returned", "suspended", "extended", "handed_over"])
def test_the_life_cycle_demands_reasons(office, problem, kind):
    case_id = office.brought_to("dispatched")
    data = {
        "extended": {"due_at": (dt.datetime.now(dt.UTC) + dt.timedelta(days=30)).isoformat()},
        "handed_over": {"owner": "water"},
    }.get(kind, {})
    assert "needs a reason" in problem(office.act(case_id, kind, data=data), 400)["detail"]
    assert office.act(case_id, kind, data=data, why="另有安排").status_code == 201


def test_steps_are_for_those_who_may_and_in_their_order(office, problem):
    case_id = office.brought_to("dispatched", WATER)
    problem(office.act(case_id, "handled", "parks"), 404)
    problem(office.act(case_id, "handled", "west"), 403)
    problem(office.act(case_id, "verified", "water"), 403)
    assert "what may come next" in problem(office.act(case_id, "closed"), 409)["detail"]
    assert "'auctioned'" in problem(office.act(case_id, "auctioned"), 400)["detail"]
    assert office.act(case_id, "handled", "water").status_code == 201


def test_what_is_handed_over_is_gone_for_who_handed_it_over(office, problem):
    case_id = office.brought_to("dispatched", PARKS)
    version = office.desk.ledger.case(case_id).version
    said = {"why": "属水务", "data": {"owner": "water"}, "client_id": "act-00000001"}
    answer = office.act(case_id, "handed_over", "parks", expected=version, **said)
    assert answer.status_code == 201
    assert answer.json()["case"] is None
    again = office.act(case_id, "handed_over", "parks", expected=version, **said)
    assert (again.status_code, again.json()["repeated"]) == (200, True)
    for other in ({"why": "不属我"}, {"data": {"owner": "urban_management"}}):
        problem(office.act(case_id, "handed_over", "parks", expected=version, **said | other), 404)
    assert office.listed("parks") == []
    assert office.listed("water") == [case_id]


@pytest.mark.parametrize(
    "data",
    [
        {"owner": "water"}, {"unit_code": "1"}, {"state": "closed"}, {"contact": {}}, {"photos": ["x"]}, {"photos": "x"},
        {"due_at": "2030-01-01T00:00:00Z"}, {"note": "\0"}, {"photos": ["0" * 64]},
    ],
)  # fmt: skip
def test_an_event_carries_nothing_that_it_should_not(office, problem, data):
    case_id = office.brought_to("dispatched")
    problem(office.act(case_id, "handled", "parks", data=data), 400)
    assert office.desk.ledger.case(case_id).state == "dispatched"


def test_an_owner_and_an_original_must_be_there_and_be_seen(office, problem):
    case_id, other = office.brought_to("filed"), office.brought_to("filed")
    assert (
        "'watr'"
        in problem(office.act(case_id, "dispatched", data={"owner": "watr"}), 400)["detail"]
    )
    problem(office.act(case_id, "merged", data={"duplicate_of": "A-1"}), 404)
    assert "itself" in problem(office.act(case_id, "merged", data={"duplicate_of": case_id}), 400)["detail"]  # fmt: skip
    assert office.act(case_id, "merged", data={"duplicate_of": other}).status_code == 201
    third = office.brought_to("filed")
    assert (
        other in problem(office.act(third, "merged", data={"duplicate_of": case_id}), 400)["detail"]
    )


def test_a_reporters_name_is_for_those_who_may_call_back(office):
    contact = {"name": "王女士", "phone": "13800000000"}
    case_id = office.report(LOCAL, contact=contact)
    assert office.get(f"cases/{case_id}", "district")["contact"] == contact
    seen = office.ask(f"cases/{case_id}", "west")
    assert seen.status_code == 200
    assert "13800000000" not in seen.text
    assert "contact" not in seen.text


def test_cases_of_the_class_close_by_are_shown_as_far_as_they_are_seen(office):
    case_id, near = office.report(WATER), office.report(WATER, east=140)
    assert [row["case_id"] for row in office.get(f"cases/{case_id}")["nearby"]] == [near]
    office.report(PARKS, east=120)
    office.report(WATER, east=600)
    assert [row["case_id"] for row in office.get(f"cases/{case_id}", "water")["nearby"]] == [near]


def test_an_act_that_is_none_is_refused(office, problem):
    case_id = office.brought_to("dispatched")
    path = f"cases/{case_id}/events"
    for body in ({}, {"kind": "handled"}, {"kind": "handled", "expected": 0}, {"kind": 1, "expected": 3}, [], None,
                 {"kind": "handled", "expected": 3, "by": "somebody else"}):  # fmt: skip
        problem(office.ask(path, method="POST", json=body), 400)
