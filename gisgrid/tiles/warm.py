"""Compile every loop of the tile engine before a request waits for it: at set-up, or at the start of a server."""

from __future__ import annotations

from collections.abc import Callable

_WARM_UPS: list[Callable[[], object]] = []


def warms_up(act: Callable[[], object]) -> Callable[[], object]:
    """Put a small piece of work on the list of `warm_up`: it calls every loop of its module as a tile would.

    Parameters
    ----------
    act
        Takes nothing; what it returns is not looked at.

    Returns
    -------
    callable
        The same.
    """
    _WARM_UPS.append(act)
    return act


def warm_up() -> int:
    """Compile every loop of the tile engine and of the filters, or read it from the cache on disk.

    Returns
    -------
    int
        How many pieces of work were done for it.
    """
    import gisgrid.tiles  # noqa: F401, PLC0415 - what is imported puts itself on the list
    from gisgrid.features.warm import compile_loops  # noqa: PLC0415 - it imports all of the filters

    acts = [compile_loops, *_WARM_UPS]
    for act in acts:
        act()
    return len(acts)
