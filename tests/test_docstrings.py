"""Everything public says what it answers, what it takes, gives and refuses."""

import importlib
import inspect
import pkgutil
import re

import pytest

import gisgrid


def public_functions():
    for found in pkgutil.walk_packages(gisgrid.__path__, "gisgrid."):
        module = importlib.import_module(found.name)
        for name, value in vars(module).items():
            if (
                not name.startswith("_")
                and inspect.isfunction(value)
                and value.__module__ == found.name
            ):
                yield pytest.param(value, id=f"{found.name}.{name}")


@pytest.mark.parametrize("function", list(public_functions()))
def test_a_public_function_documents_its_parameters_and_result(function):
    text = inspect.getdoc(function) or ""
    assert text, "no docstring"
    # A command's options carry their own help, which the command-line tests read.
    if function.__module__.startswith("gisgrid.cli"):
        return
    parameters = [
        name for name in inspect.signature(function).parameters if not name.startswith("_")
    ]
    described = re.split(r"\n(?:Returns|Raises|Notes|Examples|Yields)\n-+", text)[0]
    missing = [
        name
        for name in parameters
        if not re.search(rf"(?m)^\*{{0,2}}(?:[\w*]+, )*\*{{0,2}}{name}\b", described)
    ]
    assert not missing, f"parameters without a paragraph: {missing}"
    returns = inspect.signature(function).return_annotation
    if returns not in (None, "None", inspect.Signature.empty):
        assert re.search(r"\n(Returns|Yields)\n-+\n", text), "no Returns section"
