import subprocess
import sys

import pytest

SHAPES = "from typing import NamedTuple\n\n\nclass Pair(NamedTuple):\n    {fields}: int\n"
CALLED = (
    "from gisgrid.compiled import compiled\n\n\n@compiled\ndef one(x):\n    return x + {step}\n"
)
CALLER = """
from gisgrid.compiled import compiled
from called import one
from shapes import Pair
{constant}

@compiled
def two(pair):
    return one(pair[0]) + LEAST


@compiled
def pair_of(x):
    return Pair({arguments})
"""
ASK = """
import caller
from caller import pair_of, two
print(two(pair_of(1)), sum(two.stats.cache_misses.values()) if two.stats.cache_misses else 0)
"""


@pytest.fixture
def ask(tmp_path):
    """What a process of its own computes with the modules as written, and how many loops it had to compile."""

    def run(*, step=1, least=10, fields="a", arguments="x"):
        source = tmp_path / "source"
        source.mkdir(exist_ok=True)
        (source / "shapes.py").write_text(SHAPES.format(fields=fields))
        (source / "called.py").write_text(CALLED.format(step=step))
        (source / "constants.py").write_text(f"LEAST = {least}\n")
        constant = "from constants import LEAST"
        (source / "caller.py").write_text(CALLER.format(constant=constant, arguments=arguments))
        environment = {"NUMBA_CACHE_DIR": str(tmp_path / "kept"), "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            [sys.executable, "-c", ASK],
            cwd=source, env=environment, check=True, capture_output=True, text=True,
        )  # fmt: skip
        result, misses = map(int, done.stdout.split())
        return result, misses

    return run


def test_a_change_in_what_a_loop_takes_from_other_modules_compiles_it_again(ask):
    assert ask() == (12, 1)
    assert ask() == (12, 0)
    assert ask(step=2, least=20) == (23, 1)
    assert ask(step=2, least=20, fields="b: int\n    a", arguments="x, x") == (23, 1)
