"""How cases stood: as a ledger says that nobody wrote to since."""

import datetime as dt

import numpy as np
import pandas as pd

from gisgrid.casework.ledger import Event, Ledger

START = dt.datetime(2026, 3, 2, 1, 0, tzinfo=dt.UTC)
WAYS = (
    ("reported", "filed", "dispatched", "handled", "feedback", "verified", "closed", "reopened"),
    ("reported", "filed", "dispatched", "suspended", "resumed", "handled"),
    ("reported", "void"),
)


def test_cases_stand_as_if_nothing_had_happened_since(tmp_path):
    rng = np.random.default_rng(3)
    steps = []
    for i in range(700):
        at = START + dt.timedelta(days=rng.uniform(0, 20))
        for kind in WAYS[rng.integers(len(WAYS))]:
            data = {"category_code": "0110", "owner": f"o{rng.integers(4)}"}
            steps.append(
                (at, Event(f"K{i:03d}", kind, at, "u", (114.0, 35.0 + i / 1e4), "x", data))
            )
            at += dt.timedelta(days=rng.exponential(2))
    steps.sort(key=lambda step: step[0])
    moments = [START + dt.timedelta(days=day) for day in (0, 7.5, 15, 90)]
    then = []
    now = [START]
    with Ledger.open(f"sqlite:///{tmp_path / 'cases.db'}", clock=lambda: now[0]) as ledger:
        for moment in moments:
            while steps and steps[0][0] < moment:
                now[0], event = steps.pop(0)
                ledger.append(event)
            then.append(ledger.cases(order="reported_at"))
        assert not steps
        everything = ledger.cases(order="reported_at")
        for moment, expected in zip(moments, then, strict=True):
            pd.testing.assert_frame_equal(ledger.past(everything, moment), expected)
            few = ["case_id", "state", "closed_at", "changed_at"]
            pd.testing.assert_frame_equal(ledger.past(everything[few], moment), expected[few])
    assert [len(each) for each in then][0::3] == [0, 700]
    assert (then[1]["state"] != then[3].set_index("case_id").loc[then[1]["case_id"], "state"].to_numpy()).any()  # fmt: skip
