"""Loops over flat arrays, compiled once and kept on disk.

Numba keeps what it compiled (``NUMBA_CACHE_DIR``, or beside the module), so that only the first use after an update
compiles. The loops hold no lock of the interpreter, so several of them run at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

from numba import njit

_P = ParamSpec("_P")
_R = TypeVar("_R")


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
    The kept code of a loop does not notice a change in a file that it calls into: after editing a module of loops, touch
    the modules that import from it.
    """
    return cast("Callable[_P, _R]", njit(cache=True, nogil=True)(loop))
