"""Ledgers to try."""

import datetime as dt

import pytest

from gisgrid.casework.ledger import Event, Ledger

START = dt.datetime(2026, 3, 2, 1, 0, tzinfo=dt.UTC)


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self):
        self.time = START

    def __call__(self):
        return self.time

    def go(self, **span):
        self.time += dt.timedelta(**span)
        return self.time


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def event(clock):
    """Make an event of case A-1 now, unless told otherwise."""

    def make(kind, case_id="A-1", **said):
        said = {"at": clock(), "by": "collector-7", "why": "因为", **said}
        if kind == "dispatched":
            said.setdefault("data", {"owner": "sanitation"})
        return Event(case_id, kind, **said)

    return make


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/cases.db"


@pytest.fixture
def ledger(url, clock):
    with Ledger.open(url, clock=clock, patience_s=5) as opened:
        yield opened
