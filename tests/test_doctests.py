"""The examples in the docstrings run and give what they say."""

import doctest
import importlib
import pkgutil

import pytest

import gisgrid

MODULES = [
    "gisgrid",
    *sorted(found.name for found in pkgutil.walk_packages(gisgrid.__path__, "gisgrid.")),
]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    failed, _ = doctest.testmod(
        importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE
    )
    assert failed == 0


def test_there_are_examples():
    finder = doctest.DocTestFinder(exclude_empty=True)
    found = [
        test
        for name in MODULES
        for test in finder.find(importlib.import_module(name))
        if test.examples
    ]
    assert len(found) > 20
