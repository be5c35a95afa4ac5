"""How does a case stand? Derived from its events and from nothing else."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any, Final

from gisgrid.casework.ledger.events import ATTRIBUTES, StoredEvent, utc
from gisgrid.casework.ledger.life_cycle import LifeCycle, Step


@dataclass(frozen=True)
class Case:
    """A case as it stands after its last event.

    Attributes
    ----------
    case_id
        The case.
    category_code, category, unit_code, subdistrict_code, community_code, level_found, source, owner, urgency, due_at
        What its events said last (see `gisgrid.casework.ledger.events.ATTRIBUTES`); the unit is of the finest level.
    state
        The state that the life cycle gives it.
    reported_at
        When it was seen, by the ledger's clock.
    uploaded_at
        When the ledger took the report.
    filed_at, dispatched_at, handled_at, closed_at
        When it last was; None where it was not, or no longer is.
    n_returns, n_reworks, n_hand_overs
        How often it was sent back, done again, given to another owner.
    n_reopenings
        How often its closing was undone: it was opened anew, or an appeal was upheld.
    lon, lat
        Where, WGS84 degrees.
    duplicate_of
        The case that it repeats.
    previous_state
        The state before the present one.
    version
        How many events it has; what `Ledger.append` compares with.
    state_at
        Since when it is in its state.
    changed_at
        When the ledger took its last event.
    last_seq
        The number of that event.
    """

    case_id: str
    category_code: str | None
    category: str | None
    unit_code: str | None
    subdistrict_code: str | None
    community_code: str | None
    level_found: str | None
    source: str | None
    owner: str | None
    state: str
    reported_at: dt.datetime
    uploaded_at: dt.datetime
    filed_at: dt.datetime | None
    dispatched_at: dt.datetime | None
    handled_at: dt.datetime | None
    closed_at: dt.datetime | None
    due_at: dt.datetime | None
    n_returns: int
    n_reworks: int
    n_hand_overs: int
    n_reopenings: int
    urgency: str | None
    lon: float | None
    lat: float | None
    duplicate_of: str | None
    previous_state: str | None
    version: int
    state_at: dt.datetime
    changed_at: dt.datetime
    last_seq: int


COLUMNS: Final = tuple(field.name for field in fields(Case))
"""The columns of a frame of cases, in order."""


def after(case: Case | None, stored: StoredEvent, cycle: LifeCycle) -> Case:
    """Tell how a case stands after one more event.

    Parameters
    ----------
    case
        The case before; None for a new one.
    stored
        The event.
    cycle
        The life cycle.

    Returns
    -------
    Case
        The case after. Times of states are those of the ledger's clock, and none lies before the state it ends.

    Raises
    ------
    TransitionError
        The event may not come next.
    InputError
        The life cycle has no such event.

    Notes
    -----
    CRS: places are WGS84 degrees. The same events give the same case, always: no clock is read here.
    """
    event = stored.event
    step = cycle.allowed(event, case.state if case else None)
    if case is None:
        case = _new(stored, step)
    at = max(stored.true_at, case.state_at)
    changes: dict[str, Any] = {
        "version": stored.version, "changed_at": stored.recorded_at, "last_seq": stored.seq, **_said(stored)
    }  # fmt: skip
    if step.before == () or step.moves:
        changes |= _place(stored)
    state = _state(case, step)
    if state != case.state:
        changes |= {"state": state, "previous_state": case.state, "state_at": at}
    changes |= dict.fromkeys(step.clears)
    if case.closed_at is not None and "closed_at" in step.clears:
        changes["n_reopenings"] = case.n_reopenings + 1
    if step.stamps:
        changes[step.stamps] = at
    if step.counts:
        changes[step.counts] = getattr(case, step.counts) + 1
    return Case(**(vars(case) | changes))


def replay(events: Iterable[StoredEvent], cycle: LifeCycle) -> dict[str, Case]:
    """Derive all cases from their events.

    Parameters
    ----------
    events
        In the order of their numbers; those of different cases may lie between each other.
    cycle
        The life cycle.

    Returns
    -------
    dict
        The cases by id.

    Raises
    ------
    TransitionError
        An event may not come where it stands.
    """
    cases: dict[str, Case] = {}
    for stored in events:
        case_id = stored.event.case_id
        cases[case_id] = after(cases.get(case_id), stored, cycle)
    return cases


def _new(stored: StoredEvent, step: Step) -> Case:
    nothing: dict[str, Any] = dict.fromkeys(COLUMNS)
    return Case(**nothing | {
        "case_id": stored.event.case_id,
        "state": step.to,
        "reported_at": stored.true_at,
        "uploaded_at": stored.recorded_at,
        "state_at": stored.true_at,
        "n_returns": 0, "n_reworks": 0, "n_hand_overs": 0, "n_reopenings": 0,
    })  # fmt: skip


def _said(stored: StoredEvent) -> dict[str, Any]:
    data = stored.event.data
    found = {key: data[key] for key in ATTRIBUTES if key in data}
    if found.get("due_at") is not None:
        found["due_at"] = utc(found["due_at"], "due_at")
    return found


def _place(stored: StoredEvent) -> dict[str, float | None]:
    if stored.event.place is None:
        return {}
    lon, lat = stored.event.place
    return {"lon": lon, "lat": lat}


def _state(case: Case, step: Step) -> str:
    if step.to == "same":
        return case.state
    if step.to == "previous":
        return case.previous_state or case.state
    return step.to
