"""Many senders, one commit: what came while it waited for its turn is in it, and everybody hears how it went."""

import threading

import pytest

from gisgrid.casework.ledger import LedgerError
from gisgrid.casework.ledger.group_commit import GroupCommit


class Desk:
    """Commits when it is let; remembers what was in each commit."""

    def __init__(self):
        self.turn, self.begun = threading.Event(), threading.Event()
        self.commits, self.fault = [], None

    def __call__(self, batch):
        self.begun.set()
        assert self.turn.wait(30)
        if self.fault:
            raise self.fault
        self.commits.append(list(batch()))
        return [one if one != "bad" else ValueError(one) for one in self.commits[-1]]


@pytest.fixture
def desk():
    return Desk()


@pytest.fixture
def group(desk):
    opened = GroupCommit(desk)
    yield opened
    desk.turn.set()
    opened.close()


def test_what_comes_while_it_waits_goes_into_the_same_commit(group, desk):
    first = group.submit("a")
    assert desk.begun.wait(30)
    others = [group.submit(name) for name in ("b", "bad", "c")]
    desk.turn.set()
    assert [future.result(30) for future in (first, others[0], others[2])] == ["a", "b", "c"]
    with pytest.raises(ValueError, match="bad"):
        others[1].result(30)
    assert desk.commits == [["a", "b", "bad", "c"]]


def test_who_gave_up_before_the_commit_is_left_out(group, desk):
    group.submit("a")
    assert desk.begun.wait(30)
    gone, stays = group.submit("b"), group.submit("c")
    assert gone.cancel()
    desk.turn.set()
    assert stays.result(30) == "c"
    assert desk.commits == [["a", "c"]]


def test_where_nothing_can_be_written_all_who_wait_hear_it_at_once(group, desk):
    first = group.submit("a")
    assert desk.begun.wait(30)
    second = group.submit("b")
    desk.fault = LedgerError("locked")
    desk.turn.set()
    for future in (first, second):
        with pytest.raises(LedgerError, match="locked"):
            future.result(30)
    desk.fault = None
    assert group.submit("c").result(30) == "c"


def test_closing_commits_what_waits_and_refuses_what_comes_later(desk):
    group = GroupCommit(desk)
    waiting = [group.submit(name) for name in "abc"]
    desk.turn.set()
    group.close()
    assert [future.result(0) for future in waiting] == ["a", "b", "c"]
    with pytest.raises(LedgerError, match="the ledger is closed"):
        group.submit("d")
