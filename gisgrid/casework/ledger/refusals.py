"""Why was an upload not taken, in one sentence, and what can be done?"""

from __future__ import annotations

from gisgrid.errors import GisgridError


class CaseNotFoundError(GisgridError, LookupError):
    """There is no case of that id."""


class TransitionError(GisgridError, ValueError):
    """An event is no next step for the case as it stands."""


class IncompleteError(TransitionError):
    """An event lacks its reason, or data that it needs."""


class ConflictError(GisgridError, ValueError):
    """Somebody else was first: the case is no longer as the sender saw it. Nothing of the upload was taken.

    Attributes
    ----------
    case_id
        The case; empty where the conflict is about the id of an upload.
    expected, found
        The version that the sender saw, and that of the ledger.
    """

    def __init__(
        self, sentence: str, *, case_id: str = "", expected: int = 0, found: int = 0
    ) -> None:
        super().__init__(sentence)
        self.case_id, self.expected, self.found = case_id, expected, found


class LedgerError(GisgridError, OSError):
    """The ledger's storage does not take or give anything now. What it acknowledged before is there."""
