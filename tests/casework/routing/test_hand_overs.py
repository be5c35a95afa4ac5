"""Who gave which case to whom."""

import datetime as dt

import pandas as pd
import pytest

from gisgrid.casework.ledger import Event, Ledger
from gisgrid.casework.routing import hand_over, hand_overs
from gisgrid.errors import ColumnError, InputError

START = dt.datetime(2026, 3, 2, 1, 0, tzinfo=dt.UTC)


@pytest.fixture
def told(tmp_path):
    """A ledger of two cases, an event per hour."""
    now = [START]
    with Ledger.open(f"sqlite:///{tmp_path}/cases.db", clock=lambda: now[0]) as ledger:

        def tell(kind, case_id, owner=None):
            now[0] += dt.timedelta(hours=1)
            data = {"owner": owner} if owner else {}
            ledger.append(Event(case_id, kind, now[0], "desk", why="职责", data=data))

        tell("reported", "A")
        tell("filed", "A")
        tell("reported", "B", "street")
        tell("dispatched", "A", "roads")
        now[0] += dt.timedelta(hours=1)
        ledger.append(hand_over(ledger.case("A"), "water", by="desk", at=now[0], why="雨水箅子"))
        tell("noted", "A", "water")
        tell("returned", "A")
        tell("dispatched", "A", "utilities")
        yield ledger


def test_each_change_of_owner_says_from_whom_and_how_long_it_was_held(told):
    found = hand_overs(told.events())
    assert found[["case_id", "kind", "from_owner", "to_owner"]].to_numpy().tolist() == [
        ["A", "handed_over", "roads", "water"],
        ["A", "dispatched", "water", "utilities"],
    ]
    assert found["held"].tolist() == [pd.Timedelta(hours=1), pd.Timedelta(hours=3)]
    assert found["why"].tolist() == ["雨水箅子", "职责"]
    assert told.case("A").n_hand_overs == 1


def test_the_order_of_the_rows_does_not_matter(told):
    events = told.events()
    pd.testing.assert_frame_equal(hand_overs(events.iloc[::-1]), hand_overs(events))


def test_no_events_are_no_hand_overs(told):
    found = hand_overs(told.events(case_ids=[]))
    assert found.empty
    assert "held" in found.columns


def test_a_case_is_not_handed_to_who_has_it(told):
    with pytest.raises(InputError, match="case 'A' is with 'utilities' already"):
        hand_over(told.case("A"), "utilities", by="x", at=START, why="y")


def test_a_frame_that_is_no_events_is_refused(told):
    with pytest.raises(ColumnError, match="'data'"):
        hand_overs(told.events().drop(columns="data"))
