"""Loops over flat arrays, compiled once and kept on disk.

What is compiled is kept in ``NUMBA_CACHE_DIR`` (or beside the package, or in the user's cache where that cannot be
written to), so that only the first use after an update compiles. The folder's name says what a module's loops were made
of: its own text, the loops of other modules that it calls, the tuples and constants that it takes from them. A change in
any of these is a new folder, so that no old code is ever run, and none that mattered not is compiled again. The loops
hold no lock of the interpreter, so several of them run at once.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from shutil import rmtree
from time import time
from typing import Any, Final, ParamSpec, TypeVar, cast

import numpy as np
from numba import config, njit

_settings: Any = config

_P = ParamSpec("_P")
_R = TypeVar("_R")

_PLAIN: Final = (bool, int, float, complex, str, bytes, np.generic)

_KEPT_S: Final = 7 * 86_400
"""For so long the code of other sources is kept: of two branches that are worked on, say."""

_marks: dict[str, str] = {}
"""By module: a word for all that its loops are made of."""

_folders: dict[tuple[str, str], str] = {}
"""By where compiled code is kept, and module: the module's own folder."""


def compiled(loop: Callable[_P, _R]) -> Callable[_P, _R]:
    """Compile a loop to machine code, keeping its type for the checker.

    Parameters
    ----------
    loop
        Plain loops over NumPy arrays and numbers.

    Returns
    -------
    callable
        The same, compiled at its first call or read from the disk; its floating-point operations are never reordered.

    Notes
    -----
    What a module takes from others stands above its first loop, as imports do: what comes later does not tell old code
    from new.
    """
    with _kept_in(_folder(loop)):
        return cast("Callable[_P, _R]", njit(cache=True, nogil=True)(loop))


@contextmanager
def _kept_in(folder: str) -> Iterator[None]:
    before, _settings.CACHE_DIR = _settings.CACHE_DIR, folder
    try:
        yield
    finally:
        _settings.CACHE_DIR = before


def _folder(loop: Callable[..., object]) -> str:
    name, asked = loop.__module__, _settings.CACHE_DIR
    if (asked, name) not in _folders:
        _marks[name] = _mark(Path(loop.__code__.co_filename), name, loop.__globals__)
        folder = _root(asked) / f"{name}-{_marks[name]}"
        if not folder.exists():
            _forget_old(folder)
        _folders[asked, name] = str(folder)
    return _folders[asked, name]


def _root(asked: str) -> Path:
    if asked:
        return Path(asked)
    beside = Path(__file__).parent / "__pycache__"
    if os.access(beside if beside.exists() else beside.parent, os.W_OK):
        return beside / "loops"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gisgrid" / "loops"


def _mark(file: Path, module: str, names: Mapping[str, object]) -> str:
    """Name what the loops of a module are made of."""
    found = sha256(file.read_bytes() if file.exists() else b"")
    for name in sorted(names):
        if not name.startswith("__"):
            found.update(f"{name}={_said(names[name], module)};".encode())
    return found.hexdigest()[:12]


def _said(value: object, module: str) -> str:
    """Say what compiled code takes over of a value that stands at the top of a module; nothing for all else."""
    if isinstance(value, type):
        fields = getattr(value, "_fields", None)
        return f"{value.__module__}.{value.__qualname__}{fields}" if fields is not None else ""
    if isinstance(value, _PLAIN):
        return repr(value)
    if isinstance(value, np.ndarray):
        return f"{value.dtype}{value.shape}{sha256(value.tobytes()).hexdigest()}"
    if isinstance(value, tuple):
        return f"({','.join(_said(part, module) for part in value)})"
    of = getattr(getattr(value, "py_func", None), "__module__", module)
    return _marks.get(of, "") if of != module else ""


def _forget_old(new: Path) -> None:
    """Remove what was compiled of a module's other sources long ago, when code of new ones is about to come."""
    mark = "?" * 12
    for old in new.parent.glob(f"{new.name[: -len(mark)]}{mark}"):
        try:
            if time() - old.stat().st_mtime > _KEPT_S:
                rmtree(old, ignore_errors=True)
        except OSError:  # another process was first
            continue
