"""How long work takes, and how that is written down: the same for every benchmark."""

from collections.abc import Callable
from statistics import median
from time import perf_counter


def seconds(act: Callable[[], object], *, times: int = 5) -> float:
    """The median of several runs, after one that does not count."""
    act()
    taken = []
    for _ in range(times):
        start = perf_counter()
        act()
        taken.append(perf_counter() - start)
    return median(taken)


def row(
    work: str,
    ours: float,
    peer: float | None = None,
    peer_name: str | None = None,
    *,
    unit: str = "s",
) -> dict:
    """A row of the table: ratio says how many times faster ours is; None where there is no peer."""
    ratio = None if peer is None else peer / ours
    return {
        "work": work,
        "ours": ours,
        "peer": peer,
        "peer_name": peer_name,
        "unit": unit,
        "ratio": ratio,
    }
