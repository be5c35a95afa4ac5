"""Which requests are asked for: dates, 90 days, pages, boxes."""

import datetime as dt

import pytest
from gisgrid_server.casework.open311.asking import DEEPEST, MOST, SPAN, read_question
from gisgrid_server.casework.open311.writing import Refusal
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from gisgrid.casework.ledger import CaseFilter
from gisgrid.casework.ledger.life_cycle import BUILT_IN, read_life_cycle

NOW = dt.datetime(2026, 11, 22, 4, 0, tzinfo=dt.UTC)
CYCLE = read_life_cycle(BUILT_IN)
INSTANT = dt.timedelta(microseconds=1)


def ask(text):
    return read_question(QueryParams(text), CYCLE, timezone="Asia/Shanghai", now=NOW)


def wanted(text):
    return ask(text).wanted


def utc(*parts):
    return dt.datetime(*parts, tzinfo=dt.UTC)


def test_without_dates_it_is_the_last_ninety_days():
    for text in ("", "start_date=&end_date=&status=&service_code=&bbox=&page=", "unknown=1"):
        assert wanted(text) == CaseFilter(reported_from=NOW - SPAN)
    assert (ask("").page, ask("").page_size, ask("").is_paged) == (1, MOST, False)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("start_date=2026-10-01T00:00:00Z", utc(2026, 10, 1), utc(2026, 12, 30)),
        ("end_date=2026-10-01T00:00:00Z", utc(2026, 7, 3), utc(2026, 10, 1)),
        ("start_date=2026-10-01T00:00:00Z&end_date=2026-10-31T00:00:00Z", utc(2026, 10, 1), utc(2026, 10, 31)),
        ("start_date=2026-10-01T08:00:00%2B08:00&end_date=2026-10-31T08:00:00+08:00", utc(2026, 10, 1), utc(2026, 10, 31)),
    ],
)  # fmt: skip
def test_dates_have_zones_and_their_ends_are_meant_too(text, start, end):
    found = wanted(text)
    assert abs(found.reported_from - start) <= INSTANT
    assert abs(found.reported_to - end) <= INSTANT


def test_the_moment_of_the_end_is_meant_too():
    found = wanted("start_date=2026-10-01T00:00:00Z&end_date=2026-10-02T00:00:00Z")
    assert found.reported_to == utc(2026, 10, 2) + INSTANT


def test_ninety_days_may_be_written_as_days():
    found = wanted("start_date=2026-01-01&end_date=2026-04-01")
    assert found.reported_to - found.reported_from == SPAN + dt.timedelta(days=1)
    for text in ("start_date=2026-01-01&end_date=2026-04-02",
                 "start_date=2026-01-01T00:00:00Z&end_date=2026-04-01T00:00:01Z"):  # fmt: skip
        with pytest.raises(Refusal):
            ask(text)


def test_a_day_is_the_citys_day():
    found = wanted("start_date=2026-10-01&end_date=2026-10-01")
    assert (found.reported_from, found.reported_to) == (utc(2026, 9, 30, 16), utc(2026, 10, 1, 16))


def test_what_changed_is_asked_for_whenever_it_was_reported():
    found = wanted("updated_after=2025-01-01T00:00:00Z&updated_before=2026-01-01T00:00:00Z")
    assert (found.changed_from, found.changed_to) == (utc(2025, 1, 1), utc(2026, 1, 1))
    assert (found.reported_from, found.reported_to) == (None, None)


def test_ids_go_before_everything_else():
    assert wanted("service_request_id=A,B&service_request_id=C&status=nonsense&bbox=x") == CaseFilter(case_ids=("A", "B", "C"))  # fmt: skip


def test_states_follow_the_life_cycle():
    ends = {state.id for state in CYCLE.state if not state.open}
    assert set(wanted("status=closed").states) == ends
    assert set(wanted("status=OPEN").states) == {state.id for state in CYCLE.state} - ends
    assert wanted("status=open,closed").states is wanted("status=open&status=closed").states is None


def test_classes_and_boxes():
    found = wanted("service_code=006,007&service_code=008&bbox=113.1,34.1,113.9,34.9")
    assert found.category_codes == ("006", "007", "008")
    assert found.bbox == (113.1, 34.1, 113.9, 34.9)
    assert ask("extensions=true").extended
    assert not ask("extensions=no").extended


@pytest.mark.parametrize(
    "text",
    [
        "start_date=2026-01-01T00:00:00Z&end_date=2026-04-02T00:00:00Z", "start_date=2026-02-01T00:00:00Z&end_date=2026-01-01T00:00:00Z",
        "start_date=2026-01-01T00:00:00", "start_date=yesterday", "start_date=9999-12-31T23:59:59-23:59", "end_date=0001-01-01",
        "updated_after=x", "status=lost", "page=0", "page=-1", "page=1.5", "page=%C2%B2", "page_size=1001", "page_size=9999999999999",
        f"page={DEEPEST}&page_size=2", "bbox=1,2,3", "bbox=1,2,0,3", "bbox=nan,1,2,3", "bbox=0,0,0,91", "bbox=a,b,c,d",
        "service_request_id=" + ",".join(map(str, range(MOST + 1))),
    ],
)  # fmt: skip
def test_what_means_nothing_is_refused(text):
    with pytest.raises(Refusal) as refused:
        ask(text)
    assert {status for status, _ in refused.value.errors} == {400}
    assert all(sentence for _, sentence in refused.value.errors)


names = st.sampled_from(["start_date", "end_date", "status", "page", "page_size", "bbox", "updated_after", "service_code"])  # fmt: skip
values = st.text(max_size=30) | st.datetimes().map(lambda time: time.isoformat() + "Z") | st.integers().map(str)  # fmt: skip


@given(st.lists(st.tuples(names, values), max_size=6))
def test_whatever_is_asked_is_read_or_refused(pairs):
    try:
        found = read_question(QueryParams(pairs), CYCLE, timezone="Asia/Shanghai", now=NOW)
    except Refusal:
        return
    assert found.page * found.page_size <= DEEPEST
    if found.wanted.reported_from and found.wanted.reported_to:
        assert found.wanted.reported_to - found.wanted.reported_from <= SPAN + 2 * INSTANT + dt.timedelta(days=1)  # fmt: skip


def test_pages_lead_through_all_requests_the_latest_first(client, spot):
    for i in range(5):
        said = {"service_code": "0101", **spot(100 + 10 * i)}
        client.request("POST", "/open311/v2/requests.json", data=said)
    whole = client.get("/open311/v2/requests.json").json()
    times = [one["requested_datetime"] for one in whole]
    assert times == sorted(times, reverse=True)
    found, path = [], "/open311/v2/requests.json?page_size=2&status=open&api_key="
    answers = []
    while path:
        answers.append(client.get(path))
        found += answers[-1].json()
        assert answers[-1].headers["x-total-count"] == "5"
        links = dict(part.split("; ")[::-1] for part in answers[-1].headers.get("link", "").split(", ") if part)  # fmt: skip
        path = links.get('rel="next"', "").strip("<>").removeprefix("http://city.test")
        assert "api_key" not in str(links)
    assert found == whole
    assert len(answers) == 3
    assert set(links) == {'rel="first"', 'rel="prev"'}
    assert client.get("/open311/v2/requests.json?page=9&page_size=2").json() == []


def test_a_box_and_the_time_of_change_choose(client, spot):
    for east in (100, 700):
        client.request("POST", "/open311/v2/requests.json", data={"service_code": "0101", **spot(east)})  # fmt: skip
    one = spot(700)
    lon, lat = float(one["long"]), float(one["lat"])
    box = f"{lon - 0.001},{lat - 0.001},{lon + 0.001},{lat + 0.001}"
    (found,) = client.get(f"/open311/v2/requests.json?bbox={box}").json()
    assert found["long"] == lon
    before = "2020-01-01T00:00:00Z"
    assert client.get(f"/open311/v2/requests.json?updated_before={before}").json() == []
    assert len(client.get(f"/open311/v2/requests.json?updated_after={before}").json()) == 2
