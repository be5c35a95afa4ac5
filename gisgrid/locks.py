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
def alone(path: Path, *, wait: bool = True) -> Iterator[bool]:
    """Be the only one who is in here with the same path; whoever dies in here lets go.

    Parameters
    ----------
    path
        A folder, or the lock's own file, which is made, and stays.
    wait
        Whether to wait while another is in here.

    Yields
    ------
    bool
        Whether nobody else is in here; always so where it was waited for.
    """
    if fcntl is None:  # pragma: no cover - see above
        yield True
        return
    how = os.O_RDONLY if path.is_dir() else os.O_RDWR | os.O_CREAT
    handle = os.open(path, how | os.O_CLOEXEC, 0o644)
    try:
        yield _locked(handle, wait=wait)
    finally:
        os.close(handle)


@contextmanager
def handed_on(path: Path) -> Iterator[int | None]:
    """Take a lock for a process that is started in here: it has the lock from its first moment to its last.

    Parameters
    ----------
    path
        The lock's own file, which is made, and stays.

    Yields
    ------
    int or None
        The open file to start the process with (``pass_fds``); None where another process has the lock.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o644)
    try:
        yield handle if fcntl is None or _locked(handle, wait=False) else None
    finally:
        os.close(handle)


def _locked(handle: int, *, wait: bool) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True
