"""A ledger of an earlier version is brought up to this one."""

import pytest
from sqlalchemy import create_engine, text

from gisgrid.casework.ledger import Ledger, LedgerError, upgrades

CLOSED = ("reported", "filed", "dispatched", "handled", "feedback", "verified", "closed")


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request, url):
    return url if request.param == "sqlite" else request.getfixturevalue("postgresql_url")


@pytest.fixture
def of_before(address, event, clock):
    """A ledger of version 1 with cases that were closed, opened anew, and left alone."""
    stories = {
        "closed": CLOSED,
        "twice": (*CLOSED, "reopened", *CLOSED[2:], "reopened"),
        "appealed": (*CLOSED, "appealed", "appeal_upheld"),
        "was-void": ("reported", "void", "reopened"),
    }
    with Ledger.open(address, clock=clock) as ledger:
        for case_id, kinds in stories.items():
            ledger.append([event(kind, case_id) for kind in kinds])
    engine = create_engine(address.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE cases DROP COLUMN n_reopenings"))
        connection.execute(text("UPDATE gisgrid_ledger SET value = '1' WHERE name = 'tables'"))
    engine.dispose()
    return address


def test_closings_that_were_undone_are_counted_for_cases_of_before(of_before, event, clock):
    for _ in range(2):  # the second time there is nothing left to do
        with Ledger.open(of_before, clock=clock) as ledger:
            found = ledger.cases().set_index("case_id")["n_reopenings"].to_dict()
            assert found == {"closed": 0, "twice": 2, "appealed": 1, "was-void": 0}
            assert ledger.flaws() == []
    with Ledger.open(of_before, clock=clock) as ledger:
        ledger.append(event("reopened", "closed"))
        ledger.append(event("reported", "new"))
        assert ledger.case("closed").n_reopenings == 1
        assert ledger.flaws() == []


def test_an_upgrade_that_is_stopped_leaves_the_ledger_of_before(of_before, clock, monkeypatch):
    def stopped(*_):
        raise OSError("no space left on device")

    monkeypatch.setattr(upgrades, "replay", stopped)
    with pytest.raises(LedgerError, match="no space left"):
        Ledger.open(of_before, clock=clock)
    monkeypatch.undo()
    with Ledger.open(of_before, clock=clock) as ledger:
        assert ledger.case("twice").n_reopenings == 2
