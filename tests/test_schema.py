"""Each rule of a column's contract finds what breaks it, with its count and its first offender, and nothing else."""

import datetime as dt

import pandas as pd
import pytest

from gisgrid.schema import Field, Text, column_faults

WORDS = Text(zh="字段", en="A field")


def field(**rules):
    return Field(**{"name": "v", "type": "integer", "description": WORDS} | rules)


def faults(values, **rules):
    frame = pd.DataFrame({"key": [f"k{i}" for i in range(len(values))], "v": values})
    key = Field(name="key", type="string", description=WORDS)
    return [
        (each.rule, each.n, each.first)
        for each in column_faults(frame, [key, field(**rules)], key="key")
    ]


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("string", ["007", "x"]),
        ("integer", [1, 2]),
        ("number", [1, 2.5]),
        ("boolean", [True, False]),
        ("datetime", pd.to_datetime(["2024-01-01", "2024-01-02"], utc=True)),
        ("date", [dt.date(2024, 1, 1), dt.date(2024, 1, 2)]),
    ],
)
def test_a_column_of_its_type_keeps_the_contract(kind, values):
    assert faults(values, type=kind) == []


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("string", [7, 8]),
        ("integer", [1.5, 2.0]),
        ("number", [True, False]),
        ("boolean", [0, 1]),
        ("datetime", pd.to_datetime(["2024-01-01", "2024-01-02"])),
        ("date", ["2024-01-01", "2024-01-02"]),
    ],
)
def test_a_column_of_another_type_breaks_it(kind, values):
    assert [rule for rule, *_ in faults(values, type=kind)] == ["type"]


def test_missing_values_break_it_unless_they_may_be_missing():
    values = pd.array([1, None, None], dtype="Int64")
    assert faults(values) == [("nullable", 2, "k1, <NA>")]
    assert faults(values, nullable=True) == []


def test_values_beyond_the_bounds_break_it_and_gaps_do_not():
    values = pd.array([-3, 5, 12, None], dtype="Int64")
    assert faults(values, minimum=0, maximum=10, nullable=True) == [
        ("minimum", 1, "k0, -3"),
        ("maximum", 1, "k2, 12"),
    ]


def test_values_that_are_not_allowed_break_it_whether_listed_or_given_words():
    values = ["open", "shut", None]
    rules = {"type": "string", "nullable": True}
    assert faults(values, allowed=("open",), **rules) == [("allowed", 1, "k1, shut")]
    assert faults(values, labels={"open": WORDS}, **rules) == [("allowed", 1, "k1, shut")]
    assert faults(values, labels={"open": WORDS, "shut": WORDS}, **rules) == []


def test_a_missing_and_an_undescribed_column_are_faults():
    found = column_faults(pd.DataFrame({"extra": [1]}), [field()])
    assert [(each.rule, each.first) for each in found] == [
        ("missing", "v"),
        ("undescribed", "extra"),
    ]
