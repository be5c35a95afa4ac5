"""Many people do what comes to their minds: nothing breaks, nothing is lost, and all that is told agrees."""

import datetime as dt
import random
from collections import Counter

import pytest

N_CASES, N_STEPS = 60, 400
RARE = {"void": 0.1, "merged": 0.2, "suspended": 0.5, "appealed": 0.4, "reopened": 3.0}
"""How often a step is taken beside others, so that cases get far and come back."""


@pytest.mark.parametrize("ledger_address", ["sqlite", "postgresql"], indirect=True)
def test_steps_at_random(office):
    chance = random.Random(20261124)  # noqa: S311 - nobody has to guess
    cycle = office.desk.life_cycle
    codes = [one.code for one in office.desk.services]
    ids = [office.report(chance.choice(codes), **spot(chance)) for _ in range(N_CASES)]
    told = Counter()
    for _ in range(N_STEPS):
        case = office.desk.ledger.case(chance.choice(ids))
        able = cycle.next_kinds(case.state)
        (kind,) = chance.choices(able, [RARE.get(one, 1.0) for one in able])
        who = chance.choice(["centre"] * 4 + ["west", "water", "walker"])
        answer = office.act(case.case_id, kind, who, why="因为", **said(chance, office, kind, ids, codes))  # fmt: skip
        assert answer.status_code in {201, 400, 403, 404}, (kind, answer.text)
        assert answer.status_code != 403 or who != "centre"
        told[answer.status_code] += 1
    assert told[201] > N_STEPS / 3
    assert office.desk.ledger.flaws() == []
    stood = {case_id: office.desk.ledger.case(case_id) for case_id in ids}
    assert set(office.listed(state="", limit=200)) == set(ids)
    states = Counter(case.state for case in stood.values())
    assert office.get("counts", state="")["state"] == states
    for case_id, case in stood.items():
        shown = office.get(f"cases/{case_id}")
        assert (shown["state"], shown["version"]) == (case.state, case.version)
        assert len(shown["events"]) == case.version
        assert all(near["state"] in cycle.open_states for near in shown["nearby"])


def spot(chance):
    """Somewhere in the city or a little outside, in metres."""
    return {"east": chance.uniform(-50, 850), "north": chance.uniform(-50, 850)}


def said(chance, office, kind, ids, codes):
    """What goes with a step, or part of it."""
    data, place = {}, {}
    if kind in {"dispatched", "handed_over"} and chance.random() < 0.6:
        data["owner"] = chance.choice(office.desk.routing.owner_ids)
    if kind == "merged":
        data["duplicate_of"] = chance.choice(ids)
    if kind == "extended":
        later = dt.datetime.now(tz=dt.UTC) + dt.timedelta(days=chance.randint(1, 9))
        data |= chance.choice([{"amount": chance.choice([0.5, 1, 2])}, {"due_at": later.isoformat()}])  # fmt: skip
    if kind == "amended":
        if chance.random() < 0.5:
            data["category_code"] = chance.choice(codes)
        if chance.random() < 0.5:
            place = dict(zip(("lon", "lat"), office.place(*spot(chance).values()), strict=True))
    return {"data": data, **place}
