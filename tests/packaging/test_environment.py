"""conda users get the packages that pip users get."""

import re
import tomllib

import pytest

# conda-forge's name of a package, where it is not PyPI's.
CONDA_NAMES = {
    "brotli": "brotli-python",
    "isal": "python-isal",
    "matplotlib": "matplotlib-base",
    "prometheus-client": "prometheus_client",
}
# What a conda environment needs beside the packages: the interpreter, the installers, Node.js for the front end, what pyjwt's extra brings.
CONDA_ONLY = {"python", "pip", "setuptools", "nodejs", "cryptography"}


def split(requirement: str) -> tuple[str, str]:
    bare, _, _ = requirement.partition(";")  # conda has no markers: a package is there or not
    bare = re.sub(r"\[.*?\]", "", bare)  # nor extras
    match = re.fullmatch(r"([A-Za-z0-9_-]+)\s*(.*)", bare.strip())
    assert match, requirement
    return match[1].lower(), match[2].replace(" ", "")


@pytest.fixture(scope="module")
def declared(project) -> dict[str, str]:
    core = tomllib.loads((project / "pyproject.toml").read_text("utf8"))["project"]
    server = tomllib.loads((project / "server" / "pyproject.toml").read_text("utf8"))["project"]
    wanted = [
        *core["dependencies"],
        *core["optional-dependencies"]["notebooks"],
        *server["dependencies"],
    ]
    pairs = dict(split(requirement) for requirement in wanted)
    del pairs["gisgrid"]
    return {CONDA_NAMES.get(name, name): bound for name, bound in pairs.items()}


@pytest.fixture(scope="module")
def conda(project) -> dict[str, str]:
    lines = re.findall(
        r"^  - ([a-z].*[^:])$", (project / "environment.yml").read_text("utf8"), re.MULTILINE
    )
    return dict(split(line) for line in lines if line != "conda-forge")


def test_conda_has_every_package_of_pyproject_with_the_same_bounds(declared, conda):
    assert {name: conda.get(name) for name in declared} == declared


def test_conda_has_nothing_else(declared, conda):
    assert set(conda) - set(declared) == CONDA_ONLY


def test_conda_installs_both_distributions_from_the_checkout(project):
    text = (project / "environment.yml").read_text("utf8")
    assert re.findall(r"^      - --no-deps -e (\S+)$", text, re.MULTILINE) == [".", "./server"]
