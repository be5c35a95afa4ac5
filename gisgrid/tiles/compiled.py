"""The loops over flat arrays, compiled once and kept on disk.

Numba keeps what it compiled (``NUMBA_CACHE_DIR``, or beside the module), so only the first start after an update
compiles. The kernels hold no lock of the interpreter, so several tiles are made at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

from numba import njit

_P = ParamSpec("_P")
_R = TypeVar("_R")


def compiled(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Compile a loop over flat arrays to machine code, keeping its type for the checker.

    Parameters
    ----------
    function
        Plain loops over NumPy arrays and numbers.

    Returns
    -------
    callable
        The same, compiled at its first call or read from the cache on disk.
    """
    return cast("Callable[_P, _R]", njit(cache=True, nogil=True)(function))
