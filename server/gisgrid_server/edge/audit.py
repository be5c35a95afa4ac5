"""Who took out what? A line in the log for each export, and for each look at how a reporter can be reached.

What is done to a case is in the ledger under the name of who did it; what is only read is here. With
``GISGRID_LOG_FORMAT=json`` each line is an object with ``audit``, ``by`` and what was read.
"""

from __future__ import annotations

import logging
from typing import Literal

from gisgrid_server.edge.rights import Rights
from gisgrid_server.running.logs import LOGGER, cleaned

log = logging.getLogger(LOGGER)


def note_reading(rights: Rights, what: Literal["export", "contact"], **about: object) -> None:
    """Write down that somebody read what not everybody may.

    Parameters
    ----------
    rights
        Whose.
    what
        A file of cases, or contact data.
    about
        Which: numbers and ids, never the data themselves.
    """
    said = ", ".join(f"{name}={value}" for name, value in about.items())
    by = cleaned(rights.subject)
    log.info("%s reads %s: %s", by, what, cleaned(said), extra={"audit": what, "by": by, "about": about})  # fmt: skip
