"""Which cases a page holds: against the same question asked of the whole frame."""

import datetime as dt
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gisgrid.casework.ledger import CaseFilter, Event, Ledger
from gisgrid.casework.ledger.tables import cell_of, cells_of
from gisgrid.errors import InputError

START = dt.datetime(2026, 3, 2, 1, 0, tzinfo=dt.UTC)
N = 300


def hours(n):
    return START + dt.timedelta(hours=int(n))


@pytest.fixture(scope="module")
def ledger(tmp_path_factory):
    rng = np.random.default_rng(5)
    now = [START]
    path = tmp_path_factory.mktemp("filters") / "cases.db"
    with Ledger.open(f"sqlite:///{path}", clock=lambda: now[0]) as opened:
        for i in range(N):
            now[0] = hours(rng.integers(i, i + 3))
            unit = int(rng.integers(8))
            data = {
                "category_code": f"01{rng.integers(3):02d}", "unit_code": f"u{unit}", "community_code": f"c{unit // 2}",
                "subdistrict_code": f"s{unit // 4}", "owner": f"o{rng.integers(4)}", "source": f"x{rng.integers(2)}",
                "due_at": hours(rng.integers(0, 40)) if rng.random() < 0.8 else None,
            }  # fmt: skip
            if i % 25 == 0:  # outside the city
                for name in ("unit_code", "community_code", "subdistrict_code"):
                    del data[name]
            kinds = ["reported", "filed", "dispatched", "handled", "feedback", "verified", "closed"]
            place = tuple(rng.uniform((113.0, 35.0), (113.1, 35.1))) if rng.random() < 0.9 else None
            events = [
                Event(f"K{i:03d}", kind, now[0], "u", place, "x", data)
                for kind in kinds[: rng.integers(1, 8)]
            ]
            opened.append(events)
        yield opened


def expected(frame, wanted):  # noqa: C901 - one line for each condition
    keep = pd.Series(data=True, index=frame.index)
    for name, column in (
        ("owners", "owner"), ("states", "state"), ("unit_codes", "unit_code"), ("community_codes", "community_code"),
        ("subdistrict_codes", "subdistrict_code"), ("category_codes", "category_code"), ("sources", "source"),
        ("case_ids", "case_id"),
    ):  # fmt: skip
        if (values := getattr(wanted, name)) is not None:
            keep &= frame[column].isin(values)
    if wanted.unit_prefixes is not None:
        begun = [frame[name].str.startswith(tuple(wanted.unit_prefixes)).fillna(value=False).astype(bool) for name in ("unit_code", "community_code", "subdistrict_code")]  # fmt: skip
        keep &= begun[0] | begun[1] | begun[2]
    if wanted.category_prefixes is not None:
        keep &= frame["category_code"].str.startswith(tuple(wanted.category_prefixes))
    for name, column in (
        ("reported", "reported_at"),
        ("closed", "closed_at"),
        ("changed", "changed_at"),
    ):
        if (start := getattr(wanted, f"{name}_from")) is not None:
            keep &= frame[column] >= start
        if (end := getattr(wanted, f"{name}_to", None)) is not None:
            keep &= frame[column] < end
    if wanted.due_before is not None:
        keep &= frame["due_at"] < wanted.due_before
    if wanted.bbox is not None:
        west, south, east, north = wanted.bbox
        keep &= frame["lon"].between(west, east) & frame["lat"].between(south, north)
    if wanted.outside is not None:
        keep &= frame["unit_code"].isna() == wanted.outside
    return set(frame.loc[keep, "case_id"])


def some(*values):
    return st.none() | st.lists(st.sampled_from(values), max_size=3)


def box(draw):
    west, east = sorted(draw[:2])
    south, north = sorted(draw[2:])
    return (113 + west / 100, 35 + south / 100, 113 + east / 100, 35 + north / 100)


times = st.none() | st.integers(-5, N).map(hours)
filters = st.builds(
    CaseFilter,
    owners=some("o0", "o1", "o2", "none"),
    states=some("reported", "filed", "dispatched", "closed"),
    unit_codes=some("u0", "u3", "u7"),
    community_codes=some("c0", "c1", "c3"),
    subdistrict_codes=some("s0", "s1"),
    category_codes=some("0100", "0101"),
    sources=some("x0"),
    case_ids=some("K001", "K002", "K299"),
    due_before=st.none() | st.integers(0, 41).map(hours),
    unit_prefixes=some("u", "u3", "s0", "s", "c1"), category_prefixes=some("01", "0100", "02"),
    reported_from=times, reported_to=times, closed_from=times, closed_to=times, changed_from=times, changed_to=times,
    bbox=st.none() | st.tuples(*[st.integers(-1, 11)] * 4).map(box), outside=st.sampled_from([None, None, True, False]),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    filters, filters, st.sampled_from(["due_at", "reported_at", "changed_at"]), st.integers(1, 60)
)
def test_a_page_holds_what_is_asked_for_within_what_may_be_seen(
    ledger, wanted, within, order, limit
):
    everything = ledger.cases()
    assert len(everything) == N
    ids = expected(everything, wanted) & expected(everything, within)
    assert ledger.count(wanted, within=within) == len(ids)
    assert set(ledger.cases(wanted, within=within)["case_id"]) == ids
    page = ledger.cases(wanted, within=within, order=order, limit=limit)
    sorted_ids = everything[everything["case_id"].isin(ids)].sort_values([order, "case_id"])[
        "case_id"
    ]
    assert page["case_id"].tolist() == sorted_ids.tolist()[:limit]


@pytest.fixture(scope="module")
def one_by_one(ledger):
    return [ledger.case(case_id) for case_id in ledger.cases()["case_id"]]


@settings(max_examples=30, deadline=None)
@given(filters, filters)
def test_one_case_passes_when_the_database_finds_it(ledger, one_by_one, wanted, within):
    both = wanted & within
    found = set(ledger.cases(wanted, within=within)["case_id"])
    assert {case.case_id for case in one_by_one if both.includes(case)} == found


@pytest.mark.parametrize("order", ["due_at", "reported_at", "changed_at"])
@pytest.mark.parametrize("wanted", [CaseFilter(), CaseFilter(owners=("o0", "o1")), CaseFilter(unit_codes=("u1",), owners=("o1",))])  # fmt: skip
def test_pages_follow_each_other_without_gap_or_repeat(ledger, order, wanted):
    found, after = [], None
    while True:
        page = ledger.cases(wanted, order=order, limit=7, after=after, columns=["case_id", order])
        if page.empty:
            break
        last = page.iloc[-1]
        after = (None if pd.isna(last[order]) else last[order].to_pydatetime(), last["case_id"])
        found += page["case_id"].tolist()
    assert found == ledger.cases(wanted, order=order)["case_id"].tolist()


@pytest.mark.parametrize("order", ["due_at", "reported_at", "changed_at"])
def test_the_latest_may_come_first(ledger, order):
    wanted, found, after = CaseFilter(owners=("o0", "o1")), [], None
    while True:
        page = ledger.cases(wanted, order=order, descending=True, limit=7, after=after)
        if page.empty:
            break
        last = page.iloc[-1]
        after = (None if pd.isna(last[order]) else last[order].to_pydatetime(), last["case_id"])
        found += page["case_id"].tolist()
    assert found == ledger.cases(wanted, order=order)["case_id"].tolist()[::-1]


def test_who_may_see_nothing_sees_nothing(ledger):
    for nothing in (CaseFilter(owners=()), CaseFilter(case_ids=()), CaseFilter(unit_codes=())):
        assert ledger.count(within=nothing) == 0
        assert ledger.cases(CaseFilter(states=("closed",)), within=nothing, limit=5).empty


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"owners": "o1"}, r"owners is the text 'o1' but must be several; write \('o1',\)"),
        ({"bbox": (1, 0, 0, 1)}, "west to east"),
        ({"bbox": (0, 0, 200, 1)}, "in degrees"),
        ({"bbox": (float("nan"), 0, 1, 1)}, "in degrees"),
        ({"reported_from": dt.datetime(2026, 1, 1)}, "without a zone"),  # noqa: DTZ001 - refused
    ],
)
def test_a_filter_that_is_none_is_refused(said, sentence):
    with pytest.raises(InputError, match=sentence):
        CaseFilter(**said)


@given(st.floats(-180, 180), st.floats(-90, 90), st.floats(0, 0.2), st.floats(0, 0.2))
def test_the_cells_of_a_box_hold_every_place_in_it(west, south, width, height):
    east, north = min(180.0, west + width), min(90.0, south + height)
    runs = cells_of((west, south, east, north))
    for lon in (west, (west + east) / 2, east):
        for lat in (south, (south + north) / 2, north):
            assert any(first <= cell_of(lon, lat) <= last for first, last in runs)
    assert all(first[1] < second[0] for first, second in pairwise(runs))


def test_a_desk_query_reads_an_index_in_order(ledger):
    from sqlalchemy import event as hooks

    asked = []
    hooks.listen(ledger._engine, "before_cursor_execute", lambda *a: asked.append(a[2:4]))
    for unit in (
        {},
        {"unit_codes": ("u1",)},
        {"community_codes": ("c1",)},
        {"subdistrict_codes": ("s1",)},
    ):
        wanted = CaseFilter(
            owners=("o1",), states=("filed", "dispatched"), due_before=hours(30), **unit
        )
        ledger.cases(wanted, limit=50)
    plans = []
    with ledger._engine.connect() as connection:
        for statement, values in [each for each in asked if each[0].startswith("SELECT")]:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()
            plans.append([row[-1] for row in plan])
    for name in ("owner", "unit", "community", "subdistrict"):
        index = f"cases_by_{name} ("
        runs = [plan for plan in plans if any(index in step for step in plan)]
        assert len(runs) == 2
        assert all("state=? AND due_at<?" in plan[0] and len(plan) == 1 for plan in runs)
