"""The command line: `gisgrid init`, `check`, `build`, `describe`, `hotspots`, `demo`, `serve`.

Exit codes: 0 all is well; 1 the data or the layers have faults; 2 the command or its input is wrong; 70 gisgrid itself
is wrong; 130 interrupted. Results go to standard output, sentences about what went wrong to standard error.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command that the command line asks for, and leave with its exit code."""
    from gisgrid.cli.app import run  # noqa: PLC0415 - so that importing gisgrid.cli loads no typer

    sys.exit(run(sys.argv[1:]))
