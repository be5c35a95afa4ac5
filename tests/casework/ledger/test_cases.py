"""How a case stands after its events."""

import datetime as dt

from hypothesis import given, settings
from hypothesis import strategies as st

from gisgrid.casework.ledger import Event, Ledger, StoredEvent, read_life_cycle, replay
from gisgrid.casework.ledger.cases import after

CN = read_life_cycle()
START = dt.datetime(2026, 3, 2, 1, 0, tzinfo=dt.UTC)


def walk(*kinds, minutes=10):
    """A case through events that come ten minutes after each other."""
    case = None
    for i, said in enumerate(kinds, start=1):
        kind, data, at = (said, {}, 0) if isinstance(said, str) else said
        now = START + dt.timedelta(minutes=minutes * i)
        event = Event("A-1", kind, now + dt.timedelta(minutes=at), "u", why="因为", data=data)
        case = after(case, StoredEvent(i, event, i, now, None, f"c{i}"), CN)
    return case


DISPATCHED = ("dispatched", {"owner": "sanitation", "due_at": "2026-03-02T09:00:00+08:00"}, 0)


def test_times_counters_and_owner_follow_the_events():
    case = walk(
        "reported", "filed", DISPATCHED, "returned", ("handed_over", {"owner": "water"}, 0),
        DISPATCHED, "handled", "feedback", "reworked", "handled", "feedback", "verified", "closed",
    )  # fmt: skip
    assert (case.state, case.previous_state, case.version) == ("closed", "verified", 13)
    assert (case.n_returns, case.n_reworks, case.n_hand_overs) == (1, 1, 1)
    minutes = [
        (time - START).total_seconds() / 60
        for time in (
            case.reported_at,
            case.filed_at,
            case.dispatched_at,
            case.handled_at,
            case.closed_at,
        )
    ]
    assert minutes == [10, 20, 60, 100, 130]
    assert (case.owner, case.due_at) == ("sanitation", START)


def test_a_suspended_case_goes_on_where_it_was():
    assert walk("reported", "filed", "suspended", "resumed").state == "filed"
    assert (
        walk("reported", "filed", DISPATCHED, "suspended", "noted", "resumed").state == "dispatched"
    )


def test_a_closing_that_is_undone_is_counted_however_it_ends():
    closed = ("reported", "filed", DISPATCHED, "handled", "feedback", "verified", "closed")
    assert walk(*closed).n_reopenings == 0
    again = walk(*closed, "reopened", *closed[2:], "reopened")
    assert (again.n_reopenings, again.closed_at, again.state) == (2, None, "filed")
    assert walk(*closed, "appealed").n_reopenings == 0
    assert walk(*closed, "appealed", "appeal_rejected").n_reopenings == 0
    assert walk(*closed, "appealed", "appeal_upheld").n_reopenings == 1
    assert walk("reported", "void", "reopened").n_reopenings == 0, "nothing was closed"


def test_an_appeal_leads_back_or_on():
    base = ("reported", "void", "appealed")
    assert walk(*base, "appeal_rejected").state == "void"
    assert walk(*base, "appeal_upheld").state == "filed"


def test_reopening_takes_the_closing_back():
    whole = (
        "reported",
        "filed",
        DISPATCHED,
        "handled",
        "feedback",
        "verified",
        "closed",
        "reopened",
    )
    case = walk(*whole)
    assert (case.state, case.closed_at, case.handled_at) == ("filed", None, None)


def test_an_event_told_late_lies_when_it_was_but_not_before_the_state_it_ends():
    late = ("handled", {}, -5)
    assert walk("reported", "filed", DISPATCHED, late).handled_at == START + dt.timedelta(
        minutes=35
    )
    too_early = ("handled", {}, -60)
    assert walk("reported", "filed", DISPATCHED, too_early).handled_at == START + dt.timedelta(
        minutes=30
    )


def test_data_may_take_a_value_away():
    assert walk("reported", "filed", DISPATCHED, ("amended", {"due_at": None}, 0)).due_at is None


def test_the_place_is_that_of_the_report_until_it_is_amended():
    def place(kind, at, version):
        event = Event("A-1", kind, START, "u", place=at, why="x")
        return StoredEvent(version, event, version, START, None, "c")

    case = after(None, place("reported", (113.0, 35.0), 1), CN)
    case = after(case, place("filed", (0.0, 0.0), 2), CN)
    assert (case.lon, case.lat) == (113.0, 35.0)
    case = after(case, place("amended", (113.1, 35.1), 3), CN)
    assert (case.lon, case.lat) == (113.1, 35.1)


steps = st.tuples(
    st.integers(0, 3),  # the case
    st.integers(0, 10**6),  # which of the events that may come
    st.integers(-3_000, 3_000),  # the sender's clock, minutes off
    st.booleans(),  # whether it tells its clock
    st.integers(0, 500),  # minutes until the next
    st.booleans(),  # whether it travels with the one before
)


@settings(max_examples=25, deadline=None)
@given(st.lists(steps, max_size=30))
def test_replaying_the_events_gives_the_same_cases(tmp_path_factory, drawn):
    folder = tmp_path_factory.mktemp("replay")
    now = [START]
    states = {}
    uploads = []
    for case, which, off, tells, wait, with_last in drawn:
        case_id = f"案-{case}"
        kinds = CN.next_kinds(states.get(case_id, (None,))[-1])
        kind = kinds[which % len(kinds)]
        at = now[0] + dt.timedelta(minutes=off)
        data = {
            "owner": f"o{which % 3}",
            "due_at": at.isoformat(),
            "duplicate_of": "X",
            "urgency": None,
        }
        event = Event(case_id, kind, at, "u", place=(113.2, 35.2), why="因为", data=data)
        to = CN.step(kind).to
        past = states.setdefault(case_id, [])
        if to != "same":
            past.append(past[-2] if to == "previous" else to)
        now[0] += dt.timedelta(minutes=wait)
        if with_last and uploads:
            uploads[-1][0].append(event)
        else:
            uploads.append(([event], now[0], at if tells else None))
    with Ledger.open(f"sqlite:///{folder}/cases.db", clock=lambda: now[0]) as ledger:
        for events, time, sent in uploads:
            now[0] = time
            ledger.append(events, sent_at=sent)
        before = ledger.cases()
        assert ledger.flaws() == []
        assert ledger.rebuild() == len(before)
        assert before.equals(ledger.cases())
        assert {case.case_id: case.state for case in replay(stored(ledger), CN).values()} == {
            case_id: past[-1] for case_id, past in states.items()
        }
        for case in replay(stored(ledger), CN).values():
            assert case == ledger.case(case.case_id)


def stored(ledger):
    for row in ledger.events().to_dict("records"):
        place = None if row["lon"] != row["lon"] else (row["lon"], row["lat"])
        event = Event(row["case_id"], row["kind"], row["at"].to_pydatetime(), row["by"], place, row["why"], row["data"])  # fmt: skip
        sent = (
            None
            if row["sent_at"] is None or row["sent_at"] != row["sent_at"]
            else row["sent_at"].to_pydatetime()
        )
        yield StoredEvent(row["seq"], event, row["version"], row["recorded_at"].to_pydatetime(), sent, row["client_id"])  # fmt: skip
