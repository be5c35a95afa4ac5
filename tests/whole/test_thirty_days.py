"""Thirty days of a whole city, through the desk: nothing is lost, numbers add up, and what was planted comes back."""

import datetime as dt
import runpy
import time
from pathlib import Path

import pandas as pd
import pytest

from gisgrid.casework.indicators import coverage, indicators, period_of
from gisgrid.catalogue import FolderStore
from gisgrid.cli.brief.run import brief_of
from gisgrid.derived import case_authority_gap, case_rebound, unit_discovery
from gisgrid.desk import Desk
from gisgrid.report import render_brief, write_brief
from gisgrid.testing import synthetic_casework

_days = runpy.run_path(str(Path(__file__).parent / "simulated_days.py"))
Days, Clock, outside = _days["Days"], _days["Clock"], _days["outside"]
MOST_SECONDS = 120
ZONE = "Asia/Shanghai"


class Month:
    """A month that has passed at a desk, and what it left."""

    def __init__(self, city, catalogue, folder, url):
        started = (
            time.process_time()
        )  # of all threads: what others do on the machine is not counted
        self.city, self.catalogue, self.store = city, catalogue, FolderStore(folder)
        self.made = synthetic_casework(
            city.layers["compounds"],
            n_cases=1_600,
            first_day=dt.date(2026, 10, 19),
            days=30,
            seed=5,
        )
        self.days, self.clock = Days(self.made), Clock()
        self.desk = Desk.open(catalogue, self.store, ledger=url, follow=False, clock=self.clock)
        self.days.run(self.desk, self.clock)
        self.beyond = outside(self.desk, self.clock)
        self.cases = self.desk.ledger.cases()
        self.inside = self.cases[self.cases["unit_code"].notna()].reset_index(drop=True)
        self.seconds = time.process_time() - started
        case_of = {case_id: number for number, case_id in self.days.ids.items()}
        self.sent = self.made.cases.loc[self.inside["case_id"].map(case_of)].reset_index(drop=True)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def month(request, city, catalogue, tmp_path_factory):
    from gisgrid.files import write_frame

    folder = tmp_path_factory.mktemp(request.param)
    for name in ("subdistricts", "communities", "compounds"):
        write_frame(city.layers[name], folder / catalogue[name].source.path)
    url = f"sqlite:///{folder}/cases.db"
    if request.param == "postgresql":
        url = _empty_database(request.getfixturevalue("postgresql"))
    passed = Month(city, catalogue, folder, url)
    yield passed
    passed.desk.close()


def _empty_database(server):
    import psycopg

    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS whole WITH (FORCE)")
        connection.execute("CREATE DATABASE whole")
    return server.url.replace("/postgres?", "/whole?")


def test_a_month_passes_in_two_minutes(month):
    assert month.seconds < MOST_SECONDS


def test_every_report_is_there_once_and_a_phone_that_retries_makes_no_second_case(month):
    n, done = len(month.days.ids), month.days.done
    assert done["reported"] == n == len(month.inside)
    assert month.days.repeated == {False: n, True: done["again"]}
    assert done["again"] > n / 11
    assert len(month.cases) == n + len(month.beyond) == month.desk.ledger.count()
    assert month.cases["case_id"].is_unique


def test_every_step_is_kept_and_the_ledger_has_no_flaw(month):
    kinds = month.desk.ledger.events()["kind"].value_counts()
    done = month.days.done
    for kind in (
        "filed",
        "dispatched",
        "handled",
        "closed",
        "void",
        "merged",
        "returned",
        "reworked",
        "handed_over",
        "suspended",
        "resumed",
    ):
        assert kinds[kind] == done[kind] > 0, kind
    assert kinds.sum() == sum(done.values()) - done["again"] + len(month.beyond)
    assert month.desk.ledger.flaws() == []


def test_places_are_those_of_the_grid_and_outside_is_listed(month):
    assert (month.inside["unit_code"] == month.sent["unit_code"]).mean() > 0.999
    assert (
        month.inside["unit_code"]
        .str.startswith(tuple(month.inside["community_code"].unique()))
        .all()
    )
    assert (month.inside["subdistrict_code"] == month.inside["community_code"].str[:9]).all()
    assert all(each.place.outside and each.place.unit_code is None for each in month.beyond)
    assert month.cases["unit_code"].isna().sum() == len(month.beyond)


def test_every_case_has_the_owner_that_the_rules_name_or_the_one_it_was_handed_to(month):
    handed = month.inside["n_hand_overs"] > 0
    by_rule = [
        month.desk.routing.owner(code, unit)
        for code, unit in zip(month.inside["category_code"], month.inside["unit_code"], strict=True)
    ]
    assert (month.inside["owner"] == by_rule)[~handed].all()
    assert month.inside.loc[handed, "owner"].str.startswith("other:").all()
    assert handed.sum() > 100


def test_every_deadline_is_that_of_the_class_from_the_dispatch_and_a_rest_moves_it(month):
    events = month.desk.ledger.events(kinds=["dispatched", "suspended"])
    started = events[events["kind"] == "dispatched"].groupby("case_id")["recorded_at"].max()
    rested = set(events.loc[events["kind"] == "suspended", "case_id"])
    cases = month.inside[month.inside["case_id"].isin(started.index)]
    cases = cases[cases["state"] != "suspended"]
    timetable = month.desk.timetable
    due = pd.Series(
        [
            timetable.due(timetable.rule(code, unit), started[case_id].to_pydatetime()).at
            for case_id, code, unit in zip(cases["case_id"], cases["category_code"], cases["unit_code"], strict=True)
        ], index=cases.index,
    )  # fmt: skip
    paused = cases["case_id"].isin(rested)
    assert (cases["due_at"] == due)[~paused].all()
    assert (cases["due_at"] >= due)[paused].all()
    assert (cases["due_at"] > due)[paused].any()


def test_states_add_up_to_what_was_done(month):
    states, done = month.inside["state"].value_counts(), month.days.done
    assert states["closed"] == done["closed"]
    assert states["void"] == done["void"] + done["merged"]
    assert month.inside["duplicate_of"].notna().sum() == done["merged"]
    assert states.sum() == done["reported"]
    reached = {
        name: int(month.inside[f"{name}_at"].notna().sum())
        for name in ("filed", "handled", "closed")
    }
    assert reached == {
        "filed": done["filed"],
        "handled": done["handled"] - done["reworked"],
        "closed": done["closed"],
    }


@pytest.mark.parametrize(
    "by", ["subdistrict_code", "community_code", "owner", "source", "category_code"]
)
def test_indicators_of_parts_add_up_to_the_city(month, by):
    for written in ("2026-W44", "2026-W46", "2026-11"):
        days = period_of(written, timezone=ZONE)
        whole, parts = (
            indicators(month.inside, days).iloc[0],
            indicators(month.inside, days, by=[by]),
        )
        counts = [
            name
            for name in parts.columns
            if name.startswith("n_") or name.endswith(("_numerator", "_denominator"))
        ]
        assert (parts[counts].sum() == whole[counts]).all()
        assert whole["n_reported"] > 0


def test_weeks_add_up_to_the_month_and_rates_are_their_numbers(month):
    weeks = [
        indicators(month.inside, period_of(f"2026-W{n}", timezone=ZONE)).iloc[0]
        for n in range(43, 47)
    ]
    seen = month.inside["reported_at"]
    edges = period_of("2026-W43", timezone=ZONE).start, period_of("2026-W46", timezone=ZONE).end
    assert (
        sum(week["n_reported"] for week in weeks) == ((seen >= edges[0]) & (seen < edges[1])).sum()
    )
    last = weeks[-1]
    assert (
        last["closing_on_time_rate"]
        == last["closing_on_time_rate_numerator"] / last["closing_on_time_rate_denominator"]
    )
    assert last["n_overdue"] <= last["n_pending"]
    units = month.desk.ground.units
    covered = coverage(
        month.inside, units.reset_index(drop=True), period_of("2026-11", timezone=ZONE)
    )
    assert 0 < covered["coverage"].iloc[0] < 1


def test_the_planted_authority_gaps_come_back_from_the_ledger(month):
    communities = month.city.layers["communities"]
    found = case_authority_gap(
        month.inside, month.made.authority, communities, key="community_code"
    ).value
    found = found.set_index("community_code")
    of = month.city.layers["compounds"].set_index("compound_code")["community_code"]
    planted = (month.made.truth["authority_gap"].groupby(of).max()).reindex(
        found.index, fill_value=False
    )
    sums = found.groupby(planted)[["n_gap", "n"]].sum()
    share = sums["n_gap"] / sums["n"]
    assert share[True] > 2 * share[False]
    assert found["n"].sum() + month.days.done["void"] + month.days.done["merged"] == len(
        month.inside
    )


def test_the_planted_rebounds_come_back_from_the_ledger(month):
    compounds = month.city.layers["compounds"]
    found = case_rebound(month.inside, compounds, key="compound_code").value.set_index(
        "compound_code"
    )
    planted = month.made.truth["rebound"].reindex(found.index, fill_value=False)
    sums = found.groupby(planted)[["n", "n_back"]].sum()
    share = sums["n_back"] / sums["n"]
    assert share[True] > 3 * share[False]


def test_the_planted_unpatrolled_units_come_back_from_tracks_and_ledger(month):
    compounds = month.city.layers["compounds"]
    found = unit_discovery(month.inside, month.made.fixes, compounds, key="compound_code").value
    truth = month.made.truth["unpatrolled"]
    label = found.set_index("compound_code")["label"].reindex(truth.index)
    assert (label[truth] == "unpatrolled").all()
    assert (label[~truth] == "unpatrolled").mean() < 0.05
    assert found["found"].sum() <= (month.inside["source"] == "collector").sum()


def test_the_brief_says_what_the_ledger_says_and_nothing_of_persons(month, tmp_path):
    days = period_of("2026-W46", timezone=ZONE)
    code = month.inside["subdistrict_code"].value_counts().index[0]
    brief = brief_of(
        month.desk,
        month.catalogue,
        month.store,
        unit=code,
        period="2026-W46",
        now=pd.Timestamp("2026-11-20", tz=ZONE),
    )
    own = month.inside[month.inside["subdistrict_code"] == code]
    told = indicators(own, days).iloc[0]
    figures = dict(
        zip(("reported", "closed", "on_time", "pending", "overdue"), brief.figures, strict=True)
    )
    for name in ("reported", "closed", "pending", "overdue"):
        assert figures[name].value == told[f"n_{name}"], name
    assert figures["on_time"].numerator == told["closing_on_time_rate_numerator"]
    assert figures["on_time"].denominator == told["closing_on_time_rate_denominator"]
    first = own[(own["state"] != "void")]
    in_week = (first["reported_at"] >= days.start) & (first["reported_at"] < days.end)
    assert (
        sum(each.n for each in brief.classes)
        == in_week.sum()
        == sum(each.n_reported for each in brief.owners)
    )
    assert brief.n_overdue == told["n_overdue"] == sum(each.n_overdue for each in brief.owners)
    assert brief.ground.parts["n"].sum() == in_week.sum()
    html = render_brief(brief, ("zh", "en"))
    for personal in (_days["PERSON"], _days["PHONE"], _days["TEXT"]):
        assert personal not in html
    write_brief(brief, tmp_path / "brief.html", languages=("zh",))
    assert brief.unit.zh in (tmp_path / "brief.html").read_text("utf-8")
