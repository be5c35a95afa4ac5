"""Who gave which case to whom, when and why?"""

from __future__ import annotations

import datetime as dt

import pandas as pd

from gisgrid.casework.ledger.cases import Case
from gisgrid.casework.ledger.events import Event
from gisgrid.errors import ColumnError, InputError

_NEEDED = ("seq", "case_id", "kind", "recorded_at", "by", "why", "data")


def hand_over(case: Case, to: str, *, by: str, at: dt.datetime, why: str) -> Event:
    """Write down that a case goes from its owner to another one.

    Parameters
    ----------
    case
        The case as it stands.
    to
        The new owner.
    by
        Who decides.
    at
        When.
    why
        The reason.

    Returns
    -------
    Event
        For `Ledger.append`, best with ``expected={case.case_id: case.version}``.

    Raises
    ------
    InputError
        The case is with that owner already, or a field breaks the rules of events.
    """
    if to == case.owner:
        raise InputError(f"case {case.case_id!r} is with {to!r} already; name another owner")
    return Event(
        case.case_id, "handed_over", at, by, why=why, data={"owner": to, "from_owner": case.owner}
    )


def hand_overs(events: pd.DataFrame) -> pd.DataFrame:
    """List how cases went from owner to owner.

    Parameters
    ----------
    events
        As `Ledger.events` gives them, whole cases, in their order.

    Returns
    -------
    DataFrame
        One row per change of owner: `seq`, `case_id`, `kind` (``handed_over``, or another event that named an owner, as a
        new dispatch after a return does), `from_owner`, `to_owner`, `at` (by the ledger's clock), `by`, `why`, `held`
        (how long the owner before had it). The first owner of a case is no change.

    Raises
    ------
    ColumnError
        The events lack a column.
    """
    for name in _NEEDED:
        if name not in events.columns:
            raise ColumnError(
                f"hand-overs need the events' column {name!r}; take what Ledger.events gives"
            )
    owner = pd.Series(
        [data.get("owner") for data in events["data"]], index=events.index, dtype="string"
    )
    said = events.assign(to_owner=owner)[owner.notna()].sort_values("seq")
    before = said.groupby("case_id", sort=False)[["to_owner", "recorded_at"]].shift()
    changed = before["to_owner"].notna() & (before["to_owner"] != said["to_owner"])
    # Since when the owner before had it: from its first naming, not from its last.
    starts = said["recorded_at"].where(changed | before["to_owner"].isna())
    since = (
        starts.groupby(said["case_id"], sort=False)
        .ffill()
        .groupby(said["case_id"], sort=False)
        .shift()
    )
    found = pd.DataFrame(
        {
            "seq": said["seq"], "case_id": said["case_id"], "kind": said["kind"],
            "from_owner": before["to_owner"], "to_owner": said["to_owner"], "at": said["recorded_at"],
            "by": said["by"], "why": said["why"], "held": said["recorded_at"] - since,
        }
    )  # fmt: skip
    return found[changed].reset_index(drop=True)
