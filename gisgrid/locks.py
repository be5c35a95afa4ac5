"""Who works on a file? Locks of the operating system: whoever dies lets go."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

if sys.platform == "win32":  # pragma: no cover - one worker only there
    fcntl: Any = None
else:
    import fcntl


def try_lock(file: IO[Any]) -> bool:
    """Take a file for oneself, if nobody has it.

    Parameters
    ----------
    file
        An open file; the lock goes when it is closed, or its process ends in whatever way.

    Returns
    -------
    bool
        False where another process or another opening of the file has it.
    """
    if fcntl is None:  # pragma: no cover - see above
        return True
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


class Hold:
    """A file that is in use as long as this lives: `try_lock` of it fails elsewhere.

    Parameters
    ----------
    path
        The file; it is made where it is not there.
    """

    def __init__(self, path: Path) -> None:
        self._number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        if fcntl is not None:
            fcntl.flock(self._number, fcntl.LOCK_SH)

    def __del__(self) -> None:
        os.close(self._number)


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Wait until nobody else is in here with the same file.

    Parameters
    ----------
    path
        The lock's file; it is made, and stays.

    Yields
    ------
    None
        While the lock is held.
    """
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o644), "rb+") as file:
        if fcntl is not None:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX)
        yield
