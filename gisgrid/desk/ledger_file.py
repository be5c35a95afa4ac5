"""Where does a city's ledger lie, and how is it opened?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Final

from gisgrid.casework.ledger import Ledger
from gisgrid.casework.ledger.events import utc_now
from gisgrid.catalogue import FolderStore
from gisgrid.desk.rules import Rules
from gisgrid.files import make_folder

LEDGER: Final = Path("casework") / "cases.db"
"""Under the data folder."""


def ledger_url(store: FolderStore) -> str:
    """Give the address of the ledger in a data folder.

    Parameters
    ----------
    store
        The data folder.

    Returns
    -------
    str
        ``sqlite:///…/casework/cases.db``.
    """
    return f"sqlite:///{(store.folder / LEDGER).resolve()}"


def open_ledger(
    store: FolderStore,
    rules: Rules,
    url: str | None = None,
    *,
    clock: Callable[[], dt.datetime] = utc_now,
) -> Ledger:
    """Open a city's ledger; make it where it is not there, and bring it up where it is of an earlier version.

    Parameters
    ----------
    store
        The data folder.
    rules
        Whose life cycle the cases follow.
    url
        The ledger's address; in the data folder where it is not given.
    clock
        Gives the present time.

    Returns
    -------
    Ledger
        Ready to read and write.

    Raises
    ------
    InputError
        The address is none, or the ledger holds what the life cycle does not have.
    OutputError
        The data folder cannot be written.
    LedgerError
        The database does not answer.
    """
    if url is None:
        advice = "make the data folder writable, or name another ledger"
        make_folder((store.folder / LEDGER).parent, purpose="the ledger of cases", advice=advice)
    return Ledger.open(url or ledger_url(store), life_cycle=rules.life_cycle, clock=clock)
