"""How many cases would each choice of a filter give?"""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections import OrderedDict
from typing import Any, Final, get_args

from gisgrid.casework.ledger import CaseFilter
from gisgrid.casework.ledger.counting import By
from gisgrid.desk import Desk
from gisgrid_server.casework.desk.questions import Asked, Due
from gisgrid_server.edge.rights import Rights

KEPT_S: Final = 2.0
"""Numbers are at most so old: many desks of one office ask for the same."""

_MOST_KEPT: Final = 256
_BY: Final[tuple[tuple[str, By], ...]] = (
    ("state", "state"),
    ("owner", "owner"),
    ("service_code", "category_code"),
)


class Counts:
    """Counts cases for the choices of a filter, once for all who see the same.

    Parameters
    ----------
    kept_s
        How long numbers are kept.
    """

    def __init__(self, *, kept_s: float = KEPT_S) -> None:
        self._kept_s = kept_s
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, Asked], tuple[float, dict[str, Any]]] = OrderedDict()

    def of(self, desk: Desk, asked: Asked, rights: Rights, *, now: dt.datetime) -> dict[str, Any]:
        """Count.

        Parameters
        ----------
        desk
            The cases.
        asked
            What is asked for. The choices of a parameter are counted as if it were not there.
        rights
            The asker's: nothing else is counted.
        now
            The present time.

        Returns
        -------
        dict
            ``n`` and, per parameter (``state``, ``owner``, ``service_code``, ``due``), numbers by choice.
        """
        key, moment = (rights.mark, asked), time.monotonic()
        with self._lock:
            found = self._kept.get(key)
        if found is not None and moment - found[0] < self._kept_s:
            return found[1]
        counted = _counted(desk, asked, rights.within(), now)
        with self._lock:
            self._kept[key] = moment, counted
            self._kept.move_to_end(key)
            while len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        return counted


def _counted(desk: Desk, asked: Asked, within: CaseFilter, now: dt.datetime) -> dict[str, Any]:
    cycle, calendar = desk.life_cycle, desk.calendar
    found: dict[str, Any] = {}
    for name, column in _BY:
        wanted = asked.filter(cycle=cycle, calendar=calendar, now=now, without=name)
        numbers = desk.ledger.counts(column, wanted, within=within)
        found[name] = {value or "": n for value, n in numbers.items()}
    found["due"] = {}
    for due in get_args(Due):
        one = asked.model_copy(update={"due": due})
        wanted = one.filter(cycle=cycle, calendar=calendar, now=now)
        found["due"][due] = desk.ledger.count(wanted, within=within)
    chosen = asked.filter(cycle=cycle, calendar=calendar, now=now)
    found["n"] = desk.ledger.count(chosen, within=within)
    return found
