"""What may come next."""

import pytest

from gisgrid.casework.ledger import TransitionError, read_life_cycle
from gisgrid.casework.ledger.life_cycle import BUILT_IN
from gisgrid.errors import InputError

CN = read_life_cycle()


def test_the_way_of_the_books_is_open():
    state = None
    for kind in ("reported", "filed", "dispatched", "handled", "feedback", "verified", "closed"):
        assert kind in CN.next_kinds(state)
        state = CN.step(kind).to
    assert state == "closed"
    assert state not in CN.open_states


@pytest.mark.parametrize(
    ("kind", "state", "sentence"),
    [
        ("closed", "filed", "'closed' is no next step for case 'A-1', which is 'filed'; what may come next: dispatched, void"),
        ("filed", None, "of which nothing is known; a case begins with 'reported'"),
        ("reported", "closed", "what may come next: appealed, reopened, noted"),
        ("returned", "filed", "what may come next"),
    ],
)  # fmt: skip
def test_what_may_not_come_is_refused_with_what_may(event, kind, state, sentence):
    with pytest.raises(TransitionError, match=sentence):
        CN.allowed(event(kind), state)


@pytest.mark.parametrize(
    ("kind", "state", "said", "sentence"),
    [
        ("dispatched", "filed", {"data": {}}, "needs 'owner'"),
        ("dispatched", "filed", {"data": {"owner": None}}, "needs 'owner'"),
        ("extended", "dispatched", {}, "needs 'due_at'"),
        ("returned", "dispatched", {"why": " "}, "needs a reason"),
    ],
)
def test_what_an_event_needs_it_must_have(event, kind, state, said, sentence):
    with pytest.raises(TransitionError, match=sentence):
        CN.allowed(event(kind, **said), state)


def test_an_unknown_event_is_named(event):
    with pytest.raises(
        InputError, match=r"no event 'fild' in the life cycle 'cn'; did you mean 'filed'\?"
    ):
        CN.allowed(event("fild"), "reported")


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('to = "closed"', 'to = "done"', "event 'closed' names the state 'done'"),
        ('id = "void"\ntitle = { zh = "作废"', 'id = "merged"\ntitle = { zh = "作废"', "'merged' is declared twice"),
        ('opens = "reported"', 'opens = "filed"', "event 'reported' and opens = 'filed' differ"),
        ('needs = ["owner"]', 'needs = ["boss"]', "needs 'boss'"),
        ('from = ["suspended"]', 'from = ["appealed"]', None),
        ('to = "suspended"', 'to = "same"', "no event leads to the state 'suspended'"),
        ("why = true", "whom = true", "Extra inputs"),
        ("[[state]]", "[[state]", "is no TOML"),
    ],
)  # fmt: skip
def test_a_broken_declaration_is_refused(tmp_path, old, new, sentence):
    text = BUILT_IN.read_text("utf8")
    assert old in text
    path = tmp_path / "city.toml"
    path.write_text(text.replace(old, new), "utf8")
    if sentence is None:
        assert read_life_cycle(path).digest != CN.digest
        return
    with pytest.raises(InputError, match=sentence):
        read_life_cycle(path)


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_life_cycle(tmp_path / "none.toml")
