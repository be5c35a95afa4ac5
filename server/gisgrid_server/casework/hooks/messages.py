"""What is told, and how is it signed? CloudEvents 1.0 in JSON, signed as Standard Webhooks say.

A message says what kind of step a case took and how it stood after it: codes, owner, deadline, place. It holds no words of
reporters or officers, no names and nothing to reach anybody by.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from gisgrid.casework.ledger import Case, Event, Ledger, StoredEvent
from gisgrid.casework.ledger.cases import after

MEDIA_TYPE: Final = "application/cloudevents+json; charset=utf-8"
TYPE: Final = "org.gisgrid.case"

_TOLD: Final = (
    "case_id", "version", "state", "previous_state", "category_code", "unit_code", "community_code", "subdistrict_code",
    "owner", "urgency", "source", "reported_at", "due_at", "closed_at", "n_returns", "n_reworks", "n_hand_overs", "n_reopenings",
    "duplicate_of", "lon", "lat",
)  # fmt: skip


@dataclass(frozen=True)
class Change:
    """An event, and how its case stood before and after it.

    Attributes
    ----------
    stored
        The event.
    before
        The case before; None for a new one.
    after
        The case after.
    """

    stored: StoredEvent
    before: Case | None
    after: Case

    @property
    def seq(self) -> int:
        """The number of the event."""
        return self.stored.seq

    @property
    def message_id(self) -> str:
        """The same for the same event, however often it is sent."""
        said = f"{self.stored.client_id}/{self.after.case_id}/{self.stored.version}"
        return f"msg_{self.seq}_{hashlib.sha256(said.encode()).hexdigest()[:16]}"

    def body(self, source: str) -> bytes:
        """Write the message.

        Parameters
        ----------
        source
            Who tells it: the server's address.

        Returns
        -------
        bytes
            A CloudEvent in structured JSON, the same bytes each time.
        """
        event = self.stored.event
        content = {
            "specversion": "1.0", "id": self.message_id, "source": source, "type": f"{TYPE}.{event.kind}",
            "subject": self.after.case_id, "time": _said(self.stored.recorded_at), "datacontenttype": "application/json",
            "sequence": f"{self.seq:020d}",
            "data": {
                "kind": event.kind, "at": _said(self.stored.true_at),
                "previous_owner": self.before.owner if self.before is not None else None,
                **{name: _said(getattr(self.after, name)) for name in _TOLD},
            },
        }  # fmt: skip
        return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def signed(body: bytes, message_id: str, at: int, secrets: Iterable[bytes]) -> dict[str, str]:
    """Sign a message.

    Parameters
    ----------
    body
        What is sent.
    message_id
        Its id.
    at
        When it is sent, seconds since 1970.
    secrets
        Each signs.

    Returns
    -------
    dict
        The headers that a receiver checks.

    Examples
    --------
    >>> signed(b"{}", "msg_1", 1_700_000_000, [b"0" * 24])["webhook-signature"]
    'v1,GyD6JYhOMw54HxxeJFT2MBccaZQKsuPluglVfnm25Bo='
    """
    content = f"{message_id}.{at}.".encode() + body
    made = (base64.b64encode(hmac.digest(secret, content, "sha256")).decode() for secret in secrets)
    return {
        "content-type": MEDIA_TYPE,
        "webhook-id": message_id,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in made),
    }


def changes_since(ledger: Ledger, seq: int, *, limit: int) -> list[Change]:
    """Read what happened after an event.

    Parameters
    ----------
    ledger
        The ledger.
    seq
        The number of the last event already known.
    limit
        How many at most.

    Returns
    -------
    list of Change
        In the order in which the ledger took them.

    Raises
    ------
    LedgerError
        The database does not answer.
    """
    new = ledger.events(since=seq, limit=limit)
    if not len(new):
        return []
    last = int(new["seq"].max())
    whole = ledger.events(case_ids=sorted(set(new["case_id"])))
    cases: dict[str, Case] = {}
    found = []
    for stored in _stored(whole[whole["seq"] <= last]):
        case_id = stored.event.case_id
        before = cases.get(case_id)
        cases[case_id] = after(before, stored, ledger.life_cycle)
        if stored.seq > seq:
            found.append(Change(stored, before, cases[case_id]))
    return found


def _stored(events: pd.DataFrame) -> Sequence[StoredEvent]:
    found = []
    for row in events.to_dict("records"):
        place = None if pd.isna(row["lon"]) else (row["lon"], row["lat"])
        event = Event(row["case_id"], row["kind"], _time(row["at"]), row["by"], place, row["why"], row["data"])  # fmt: skip
        sent_at = None if pd.isna(row["sent_at"]) else _time(row["sent_at"])
        recorded_at = _time(row["recorded_at"])
        found.append(StoredEvent(row["seq"], event, row["version"], recorded_at, sent_at, row["client_id"]))  # fmt: skip
    return found


def _time(value: Any) -> dt.datetime:  # noqa: ANN401 - a cell of a frame
    moment: dt.datetime = pd.Timestamp(value).to_pydatetime()
    return moment


def _said(value: Any) -> Any:  # noqa: ANN401 - a field of a case
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return value
