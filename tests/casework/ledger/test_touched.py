"""Which cases may count in some days: what is told of them is what is told of all cases."""

import datetime as dt
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from gisgrid.casework.indicators import indicators, period_of, read_indicators
from gisgrid.casework.ledger import CaseFilter, Event, Ledger
from gisgrid.errors import ColumnError

START = dt.datetime(2026, 3, 2, 1, 0, tzinfo=dt.UTC)
DAYS = 30
KINDS = ("reported", "filed", "dispatched", "handled", "feedback", "verified", "closed")


@pytest.fixture(scope="module")
def ledger(tmp_path_factory):
    """400 cases of a month, each step some hours or days after the one before; deadlines anywhere, before the report too."""
    rng = np.random.default_rng(8)
    steps = []
    for i in range(400):
        data = {"category_code": "0110", "owner": f"o{rng.integers(4)}", "unit_code": f"u{rng.integers(5)}"}  # fmt: skip
        if rng.random() < 0.8:
            data["due_at"] = START + dt.timedelta(days=rng.uniform(-5, DAYS + 5))
        at = START + dt.timedelta(days=rng.uniform(0, DAYS))
        for kind in (*KINDS[: rng.integers(1, 8)],) if rng.random() < 0.9 else ("reported", "void"):  # fmt: skip
            steps.append((at, Event(f"K{i:03d}", kind, at, "u", None, "x", data)))
            at += dt.timedelta(days=rng.exponential(2))
    now = [START]
    path = tmp_path_factory.mktemp("touched") / "cases.db"
    with Ledger.open(f"sqlite:///{path}", clock=lambda: now[0]) as opened:
        for now[0], event in sorted(steps, key=lambda step: step[0]):
            opened.append(event)
        yield opened


@pytest.mark.parametrize(
    "wanted", [CaseFilter(), CaseFilter(owners=("o1", "o2"), states=("closed", "dispatched", "void"))]
)  # fmt: skip
def test_the_indicators_of_what_is_touched_are_those_of_all_cases(ledger, wanted):
    columns = ("unit_code", *read_indicators().columns)
    everything = ledger.cases(wanted)
    periods = [period_of(f"2026-03-{day:02d}", timezone="Asia/Shanghai") for day in range(2, 32)]
    periods += [period_of(f"2026-{each}", timezone="Asia/Shanghai") for each in ("W11", "03", "04")]
    n_read = []
    for period in periods:
        found = ledger.touched(
            period.start.to_pydatetime(), period.end.to_pydatetime(), wanted, columns=columns
        )
        n_read.append(len(found))
        pd.testing.assert_frame_equal(
            indicators(found, period, by=["unit_code"]),
            indicators(everything, period, by=["unit_code"]),
        )
    assert min(n_read) < len(everything) / 2


def test_each_case_is_given_once_and_only_if_it_may_be_seen(ledger):
    edges = [START + dt.timedelta(days=day) for day in range(0, DAYS + 20, 5)]
    for start, end in pairwise(edges):
        found = ledger.touched(start, end, within=CaseFilter(owners=("o3",)))
        assert found["case_id"].is_unique
        assert set(found["owner"]) <= {"o3"}
    with pytest.raises(ColumnError, match="no column 'owners'"):
        ledger.touched(START, end, columns=("owners",))
