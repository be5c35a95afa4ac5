"""Keeping the latest of what was made, within one budget for all kinds."""

import gc
import threading

import pytest

from gisgrid.kept import Latest, Shelf


def test_what_is_there_is_not_made_again():
    latest = Latest(len, Shelf(100))
    made = []
    assert latest.get("a", lambda: made.append(1) or b"12") == b"12"
    assert latest.get("a", lambda: made.append(2) or b"other") == b"12"
    assert made == [1]


def test_nothing_is_a_value_too():
    latest = Latest(lambda _: 1, Shelf(100))
    assert latest.get("a", lambda: None) is None
    assert latest.get("a", lambda: 3) is None


def test_kinds_share_the_budget_and_the_one_used_longest_ago_goes_first():
    shelf = Shelf(100)
    masks, sums = Latest(len, shelf), Latest(len, shelf)
    masks.get("a", lambda: bytes(40))
    sums.get("a", lambda: bytes(40))
    masks.get("a", lambda: bytes(1))  # used again
    sums.get("b", lambda: bytes(40))
    assert shelf.weight == 80
    assert len(masks.get("a", lambda: b"new")) == 40
    assert sums.get("a", lambda: b"new") == b"new"


def test_what_weighs_more_than_the_budget_is_the_only_one_kept():
    shelf = Shelf(100)
    latest = Latest(len, shelf)
    for name in "ab":
        latest.get(name, lambda: bytes(500))
        assert shelf.weight == 500
    assert latest.get("a", lambda: b"new") == b"new"


def test_what_is_kept_goes_with_its_owner():
    shelf = Shelf(100)
    latest, other = Latest(len, shelf), Latest(len, shelf)
    latest.get("a", lambda: bytes(40))
    other.get("a", lambda: bytes(7))
    del latest
    gc.collect()
    assert shelf.weight == 7


def test_it_is_made_once_however_many_ask():
    latest, go, made = Latest(len, Shelf(100)), threading.Event(), []
    found = []

    def make():
        go.wait(20)
        made.append(1)
        return b"x"

    threads = [threading.Thread(target=lambda: found.append(latest.get("a", make))) for _ in range(8)]  # fmt: skip
    for one in threads:
        one.start()
    assert latest.get("b", lambda: b"y") == b"y", "another one waits for nobody"
    go.set()
    for one in threads:
        one.join(20)
    assert (len(made), found) == (1, [b"x"] * 8)


def test_who_fails_leaves_nothing_behind():
    latest = Latest(len, Shelf(100))

    def fail():
        raise ValueError("not now")

    for _ in range(2):
        with pytest.raises(ValueError, match="not now"):
            latest.get("a", fail)
    assert latest.get("a", lambda: b"x") == b"x"
