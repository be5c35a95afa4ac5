"""Counters, rates and durations as data."""

import pytest

from gisgrid.casework.indicators import read_indicators
from gisgrid.casework.indicators.declaration import condition_of
from gisgrid.errors import InputError

COUNTER = '[[counter]]\nid = "a"\ntitle = { zh = "甲", en = "a" }\nat = "filed_at"\n'
RATE = (
    '[[rate]]\nid = "r"\ntitle = { zh = "率", en = "r" }\nnumerator = ["a"]\ndenominator = ["a"]\n'
)


def test_every_rate_of_the_built_in_file_says_where_it_is_used():
    found = read_indicators()
    assert {
        "closing_rate",
        "closing_on_time_rate",
        "closing_on_time_rate_of_closed",
        "rework_rate",
        "duplicate_rate",
    } <= {rate.id for rate in found.rate}
    assert all(rate.basis is not None for rate in found.rate)
    assert all(
        each.title.zh and each.title.en for each in (*found.counter, *found.rate, *found.duration)
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (COUNTER + RATE.replace('["a"]\nden', '["b"]\nden'), "'b', which is no counter"),
        (COUNTER + COUNTER, "declared twice"),
        (COUNTER.replace("filed_at", "filed"), "at"),
        (COUNTER + 'when = ["closed_at <= tomorrow"]', "another time, start or end"),
        (COUNTER + 'when = ["n_reworks > many"]', "whole number"),
        (COUNTER + 'when = ["state > void"]', "orders words"),
        (COUNTER + 'when = ["colour == red"]', "cases do not have"),
        (COUNTER + 'when = ["__import__(os)"]', "is not written as"),
        (COUNTER + RATE.replace('denominator = ["a"]', "denominator = []"), "denominator"),
    ],
)  # fmt: skip
def test_a_declaration_that_breaks_a_rule_is_refused(tmp_path, text, said):
    path = tmp_path / "i.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=said):
        read_indicators(path)


def test_a_city_may_declare_its_own(tmp_path):
    path = tmp_path / "i.toml"
    path.write_text(
        COUNTER + 'when = ["not closed_at < end", "source == hotline"]\n' + RATE, encoding="utf-8"
    )
    assert read_indicators(path).rate[0].numerator == ("a",)
    assert condition_of("duplicate_of missing").how == "missing"
