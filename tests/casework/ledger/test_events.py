"""What an event may say."""

import datetime as dt

import pytest

from gisgrid.casework.ledger import Event, StoredEvent
from gisgrid.casework.ledger.events import utc
from gisgrid.errors import InputError

AT = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.timezone(dt.timedelta(hours=8)))
MINUTE = dt.timedelta(minutes=1)


def made(**said):
    return Event(**{"case_id": "A-1", "kind": "reported", "at": AT, "by": "u", **said})


def test_times_are_kept_in_utc():
    assert made().at == dt.datetime(2026, 3, 2, 1, 0, tzinfo=dt.UTC)
    assert made().at.tzinfo is dt.UTC
    assert made(data={"due_at": AT}).data["due_at"] == "2026-03-02T01:00:00+00:00"


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"case_id": " "}, "case_id of an event is ' '"),
        ({"by": None}, "by of an event is None"),
        ({"case_id": "a\nb"}, "control characters"),
        ({"case_id": "长" * 129}, "129 characters, at most 128"),
        ({"at": dt.datetime(2026, 3, 2)}, "without a zone"),  # noqa: DTZ001 - that is what is refused
        ({"at": "yesterday"}, "no ISO 8601 time"),
        ({"at": 5}, "must be a datetime"),
        ({"at": dt.datetime.max.replace(tzinfo=dt.timezone(-dt.timedelta(hours=9)))}, "years from 1970"),
        ({"at": dt.datetime.min.replace(tzinfo=dt.timezone(dt.timedelta(hours=9)))}, "years from 1970"),
        ({"why": "\0"}, "no text"),
        ({"why": "\ud800"}, "no text"),
        ({"place": (float("nan"), 35)}, "no longitude and latitude"),
        ({"place": (35.2, 113.2)}, "no longitude and latitude"),
        ({"place": "here"}, r"must be \(lon, lat\)"),
        ({"data": [1]}, "must be a mapping"),
        ({"data": {"x": float("nan")}}, "no JSON"),
        ({"data": {"x": AT}}, "no JSON"),
        ({"data": {"x": "长" * 70_000}}, "at most 65536"),
        ({"data": {"owner": 5}}, "owner of the event"),
        ({"data": {"due_at": "soon"}}, "due_at of the event"),
    ],
)  # fmt: skip
def test_what_cannot_be_kept_is_refused(said, sentence):
    with pytest.raises(InputError, match=sentence):
        made(**said)


def test_nothing_of_the_senders_data_is_shared():
    data = {"photos": ["a"]}
    event = made(data=data)
    data["photos"].append("b")
    assert event.data == {"photos": ["a"]}


@pytest.mark.parametrize(
    ("at", "sent", "true"),
    [
        (-30, None, -30),  # offline for half an hour
        (90, None, 0),  # ahead, and no clock told: not after the ledger heard of it
        (-30, 1, -30),  # a minute off is no fault
        (60 * 24 - 30, 60 * 24, -30),  # a day ahead
        (-600, -570, -30),  # nine and a half hours behind
    ],
)
def test_a_wrong_clock_is_corrected_by_what_it_said_when_it_sent(at, sent, true):
    now = made().at
    stored = StoredEvent(
        1, made(at=now + at * MINUTE), 1, now, None if sent is None else now + sent * MINUTE, "c"
    )
    assert stored.true_at == now + true * MINUTE


def test_text_and_times_of_other_zones_are_one_time():
    assert utc("2026-03-02T09:00:00+08:00", "x") == utc(AT, "x")
