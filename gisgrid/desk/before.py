"""Was this taken before? An upload that is sent again gets the answer of the first time, and no second case.

By then the day, the rules or the grid may be others, so that what was sent is compared, and not what the rules added to it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from gisgrid.casework.ledger import ConflictError, Event, Ledger, Receipt
from gisgrid.casework.ledger.events import utc
from gisgrid.desk.places import Place
from gisgrid.desk.reports import Accepted, Report


class Before:
    """What a ledger took before.

    Parameters
    ----------
    ledger
        The ledger.
    locate
        Says where a place lies in the grid.
    """

    def __init__(self, ledger: Ledger, locate: Callable[[float, float], Place]) -> None:
        self._ledger, self._locate = ledger, locate

    def report(self, report: Report, client_id: str, by: str, error: ConflictError) -> Accepted:
        """Give the case of a report that was taken before.

        Parameters
        ----------
        report, client_id, by
            As they are sent again.
        error
            What the ledger said.

        Returns
        -------
        Accepted
            As the first time.

        Raises
        ------
        ConflictError
            `error`: the id was used for another report.
        """
        place = (float(report.lon), float(report.lat))
        before = self._events_of(client_id)
        if len(before) != 1 or not _is_same(before[0], self._ledger.life_cycle.opens, by=by, why="", place=place, at=report.at, said=report.said(), whole=True):  # fmt: skip
            raise error
        first = before[0]
        due = first["data"].get("due_at")
        return Accepted(
            first["case_id"], self._locate(*place), first["data"].get("owner"),
            None if due is None else dt.datetime.fromisoformat(due), _receipt_of(first), repeated=True,
        )  # fmt: skip

    def step(
        self,
        event: Event,
        said: Mapping[str, Any],
        client_id: str | None,
        *,
        at: dt.datetime | None,
        error: ConflictError,
    ) -> Receipt:
        """Give the receipt of a step that was done before.

        Parameters
        ----------
        event
            The step as it would be done now.
        said
            What the sender said of it.
        client_id
            The sender's id of the upload.
        at
            When, where the sender said it.
        error
            What the ledger said.

        Returns
        -------
        Receipt
            Of the first time.

        Raises
        ------
        ConflictError
            `error`: the id was used for something else.
        """
        found = self.find(event, said, client_id, at=at)
        if found is None:
            raise error
        return found

    def find(
        self,
        event: Event,
        said: Mapping[str, Any],
        client_id: str | None,
        *,
        at: dt.datetime | None,
    ) -> Receipt | None:
        """Look for a step that was done before.

        Parameters
        ----------
        event, said, client_id, at
            As in `step`.

        Returns
        -------
        Receipt or None
            Of the first time, if there was one and it was this step by this sender.
        """
        before = self._events_of(client_id or "")
        if len(before) != 1 or before[0]["case_id"] != event.case_id or not _is_same(before[0], event.kind, by=event.by, why=event.why, place=event.place, at=at, said=said):  # fmt: skip
            return None
        return _receipt_of(before[0])

    def _events_of(self, client_id: str) -> list[dict[str, Any]]:
        found: list[dict[Any, Any]] = self._ledger.events(client_ids=(client_id,)).to_dict(
            "records"
        )
        return found


def _is_same(
    before: Mapping[str, Any],
    kind: str,
    *,
    by: str,
    why: str,
    place: tuple[float, float] | None,
    at: dt.datetime | None,
    said: Mapping[str, Any],
    whole: bool = False,
) -> bool:
    """Tell whether an event that was taken is the one that is sent again; what the rules added does not count."""
    there = None if pd.isna(before["lon"]) else (before["lon"], before["lat"])
    same = (before["kind"], before["by"], before["why"], there) == (kind, by, why, place)
    data = before["data"]
    equal = same and all(name in data and data[name] == value for name, value in said.items())
    if whole:
        own = {"description", "photos", "accuracy_m", "attributes", "same_as", "contact", "level_found"}  # fmt: skip
        equal = equal and not (own & set(data)) - set(said)
    return equal and (at is None or before["at"].to_pydatetime() == utc(at, "at"))


def _receipt_of(event: Mapping[str, Any]) -> Receipt:
    seq = int(event["seq"])
    versions = {event["case_id"]: int(event["version"])}
    return Receipt(event["client_id"], seq, seq, event["recorded_at"].to_pydatetime(), versions, repeated=True)  # fmt: skip
