"""The examples in the server's docstrings run and give what they say; everything public has a docstring."""

import doctest
import importlib
import inspect
import pkgutil

import gisgrid_server
import pytest

MODULES = sorted(
    found.name for found in pkgutil.walk_packages(gisgrid_server.__path__, "gisgrid_server.")
)


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    failed, _ = doctest.testmod(
        importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE
    )
    assert failed == 0


@pytest.mark.parametrize("name", MODULES)
def test_everything_public_is_documented(name):
    module = importlib.import_module(name)
    assert module.__doc__
    for word, value in vars(module).items():
        if word.startswith("_") or getattr(value, "__module__", None) != name:
            continue
        if inspect.isfunction(value) or inspect.isclass(value):
            assert inspect.getdoc(value), word
