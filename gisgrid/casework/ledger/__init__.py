"""What happened to each case, who did it, and how does it stand now?"""

from gisgrid.casework.ledger.cases import Case, replay
from gisgrid.casework.ledger.events import Event, EventKind, StoredEvent
from gisgrid.casework.ledger.filters import CaseFilter
from gisgrid.casework.ledger.ledger import Ledger
from gisgrid.casework.ledger.life_cycle import LifeCycle, read_life_cycle
from gisgrid.casework.ledger.refusals import (
    CaseNotFoundError,
    ConflictError,
    IncompleteError,
    LedgerError,
    TransitionError,
)
from gisgrid.casework.ledger.taking import Receipt

__all__ = [
    "Case",
    "CaseFilter",
    "CaseNotFoundError",
    "ConflictError",
    "Event",
    "EventKind",
    "IncompleteError",
    "Ledger",
    "LedgerError",
    "LifeCycle",
    "Receipt",
    "StoredEvent",
    "TransitionError",
    "read_life_cycle",
    "replay",
]
