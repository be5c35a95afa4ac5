"""How did a case stand before an event that took it from one desk to another?"""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

from gisgrid.casework.ledger import Case, Event, Ledger, StoredEvent, replay

_MOVES: Final = ("owner", "unit_code", "community_code", "subdistrict_code", "category_code")
"""Keys of an event's data by which a case may leave somebody's sight."""


def cases_before(ledger: Ledger, events: pd.DataFrame) -> dict[int, Case]:
    """Derive the cases as they stood before the events that may have moved them out of somebody's sight.

    Parameters
    ----------
    ledger
        The ledger.
    events
        Some of its events.

    Returns
    -------
    dict
        The cases by the number of the event; only for events that say who owns a case, where it lies or what it is.
    """
    moves = events["data"].map(lambda data: any(key in data for key in _MOVES)).astype(bool)
    moved = events[moves & (events["version"] > 1)]
    if moved.empty:
        return {}
    history = ledger.events(case_ids=list(moved["case_id"].unique())).to_dict("records")
    stored = [_stored(row) for row in history]
    found: dict[int, Case] = {}
    for seq, case_id in zip(moved["seq"], moved["case_id"], strict=True):
        earlier = [each for each in stored if each.event.case_id == case_id and each.seq < seq]
        found[int(seq)] = replay(earlier, ledger.life_cycle)[case_id]
    return found


def _stored(row: dict[Any, Any]) -> StoredEvent:
    place = None if pd.isna(row["lon"]) else (row["lon"], row["lat"])
    event = Event(
        row["case_id"], row["kind"], row["at"].to_pydatetime(), row["by"], place, row["why"], row["data"]
    )  # fmt: skip
    sent = None if pd.isna(row["sent_at"]) else row["sent_at"].to_pydatetime()
    recorded = row["recorded_at"].to_pydatetime()
    return StoredEvent(row["seq"], event, row["version"], recorded, sent, row["client_id"])
