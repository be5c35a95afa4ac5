"""Loops over flat arrays, compiled once and kept on disk (``NUMBA_CACHE_DIR``, or beside the module)."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

from numba import njit

_P = ParamSpec("_P")
_R = TypeVar("_R")


def compiled(loop: Callable[_P, _R]) -> Callable[_P, _R]:
    """Compile a loop at its first call, keep the machine code, and let other threads run meanwhile.

    Parameters
    ----------
    loop
        Plain loops over NumPy arrays and numbers.

    Returns
    -------
    callable
        The same, compiled.
    """
    return cast("Callable[_P, _R]", njit(cache=True, nogil=True)(loop))
