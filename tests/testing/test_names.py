"""Made-up names: each once, no real city's."""

import numpy as np
import pytest

from gisgrid.testing.names import ordinal_zh, place_names


def test_all_names_are_different_in_both_languages():
    names = place_names(2_600, np.random.default_rng(0))
    assert len(names) == 2_600
    assert len({zh for zh, _ in names}) == len({en for _, en in names}) == 2_600
    assert all(len(zh) == 2 and en[0].isupper() and en.isascii() for zh, en in names)


@pytest.mark.parametrize("real", ["兰溪", "嘉兴", "文昌", "柏林", "桐庐"])
def test_no_real_place_is_named(real):
    assert real not in {zh for zh, _ in place_names(10_000, np.random.default_rng(0))}


@pytest.mark.parametrize(
    ("number", "words"), [(1, "一"), (11, "十一"), (20, "二十"), (99, "九十九")]
)
def test_numbers_are_written_as_spoken(number, words):
    assert ordinal_zh(number) == words
