"""The command line: `gisgrid --help` lists its commands.

Exit codes: 0 all is well; 1 the data or the layers have faults; 2 the command or its input is wrong; 70 gisgrid itself
is wrong; 130 interrupted. Results go to standard output, sentences about what went wrong to standard error.
"""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the command that the command line asks for, and leave with its exit code."""
    from gisgrid.cli.app import run  # noqa: PLC0415 - so that importing gisgrid.cli loads no typer

    code = run(sys.argv[1:])
    if (
        code == 130
    ):  # libraries' threads may be in the middle of their work and do not survive Python's tidy end
        for stream in filter(None, (sys.stdout, sys.stderr)):
            stream.flush()
        os._exit(code)
    sys.exit(code)
