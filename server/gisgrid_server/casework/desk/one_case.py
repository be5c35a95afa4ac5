"""What happened to one case, and what may the one who looks at it do next?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd

from gisgrid.casework.ledger import Case, CaseNotFoundError, LifeCycle
from gisgrid.desk import Desk, cases_near
from gisgrid_server.casework.desk.rows import SHOWN, clocks_of, plain, row_of, words
from gisgrid_server.edge.audit import note_reading
from gisgrid_server.edge.rights import Rights

CONTACT: Final = "contact"
"""The key of an event's data under which a reporter's name and number stand."""

_NEAR_M: Final = 150.0
_MOST_NEAR: Final = 8


def seen_case(desk: Desk, case_id: str, rights: Rights) -> Case:
    """Give a case to somebody who sees it.

    Parameters
    ----------
    desk
        The cases.
    case_id
        The case.
    rights
        What the asker sees.

    Returns
    -------
    Case
        The case.

    Raises
    ------
    CaseNotFoundError
        There is none, or the asker does not see it: that is told in the same words.
    """
    case = desk.ledger.case(case_id)
    if not rights.sees(case):
        raise CaseNotFoundError(f"no case {case_id!r} in the ledger; check the id")
    return case


def case_document(desk: Desk, case: Case, rights: Rights, *, now: dt.datetime) -> dict[str, Any]:
    """Tell all of a case that its reader may know.

    Parameters
    ----------
    desk
        The cases.
    case
        The case; the reader sees it.
    rights
        The reader's.
    now
        The present time.

    Returns
    -------
    dict
        The row of the case with its clock, ``description``, ``photos``, ``contact`` (with the power), ``events``,
        ``next`` (steps that the reader may take) and ``nearby`` (cases of the class close by).
    """
    events: list[dict[Any, Any]] = desk.ledger.events(case_ids=[case.case_id]).to_dict("records")
    frame = pd.DataFrame([{name: getattr(case, name) for name in SHOWN}])
    for name in ("due_at", "closed_at"):
        frame[name] = pd.to_datetime(frame[name], utc=True)
    [clock] = clocks_of(frame, cycle=desk.life_cycle, calendar=desk.calendar, now=now)
    first: Mapping[str, Any] = events[0]["data"] if events else {}
    found = row_of(case) | {
        "clock": clock,
        "description": first.get("description") or "",
        "photos": photos_of(events),
        "events": [_event(event) for event in events],
        "next": next_steps(desk.life_cycle, case, rights),
        "nearby": _nearby(desk, case, rights),
        "as_of": now.isoformat(),
    }
    if "contact" in rights.powers:
        found["contact"] = first.get(CONTACT) or {}
        if found["contact"]:
            note_reading(rights, "contact", case_id=case.case_id)
    return found


def next_steps(cycle: LifeCycle, case: Case, rights: Rights) -> list[dict[str, Any]]:
    """List what somebody may do next with a case: what the life cycle and their rights both allow.

    Parameters
    ----------
    cycle
        The life cycle.
    case
        The case.
    rights
        Theirs.

    Returns
    -------
    list of dict
        ``kind``, ``title``, ``to`` (the state after it), ``needs`` (keys of its data) and ``why`` (a reason is demanded).
    """
    steps = (cycle.step(kind) for kind in cycle.next_kinds(case.state))
    return [
        {"kind": step.id, "title": words(step.title), "to": step.to, "needs": list(step.needs), "why": step.why}
        for step in steps
        if rights.may_step(step.id, case)
    ]  # fmt: skip


def photos_of(events: Sequence[Mapping[Any, Any]]) -> list[dict[str, str]]:
    """List the photos of a case: what was found, and what was done about it.

    Parameters
    ----------
    events
        Its events, in order.

    Returns
    -------
    list of dict
        ``id`` and the ``kind`` of the event that brought it.
    """
    return [
        {"id": photo, "kind": event["kind"]}
        for event in events
        for photo in event["data"].get("photos") or ()
        if isinstance(photo, str)
    ]


def _event(event: Mapping[Any, Any]) -> dict[str, Any]:
    """Write an event; what identifies its reporter stays in the ledger."""
    data = {name: value for name, value in event["data"].items() if name != CONTACT}
    kept = ("version", "kind", "at", "recorded_at", "by", "why")
    return {name: plain(event[name]) for name in kept} | {"data": data}


def _nearby(desk: Desk, case: Case, rights: Rights) -> list[dict[str, Any]]:
    if case.lon is None or case.lat is None:
        return []
    near = cases_near(
        desk.ledger,
        case.lon,
        case.lat,
        service_code=case.category_code,
        radius_m=_NEAR_M,
        within=rights.within(),
    )
    others = [each for each in near if each.case_id != case.case_id and rights.sees(each)]
    return [row_of(each) for each in others[:_MOST_NEAR]]
