"""Where does a city's ledger lie that has no database of its own?"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from gisgrid.catalogue import FolderStore
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


def make_ledger_folder(store: FolderStore) -> None:
    """Make the folder of the ledger in a data folder.

    Parameters
    ----------
    store
        The data folder.

    Raises
    ------
    OutputError
        It cannot be written.
    """
    folder = (store.folder / LEDGER).parent
    advice = "make the data folder writable, or name another ledger"
    make_folder(folder, purpose="the ledger of cases", advice=advice)
