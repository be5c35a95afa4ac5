"""A report from the wire to the ledger: its few fields are checked once, by the desk, and the answer waits for the disk alone.

It is taken without a framework around it, as tiles are answered: in a storm everybody reports at once.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import uuid
from http import HTTPStatus
from typing import Any, Final

from starlette.types import Receive, Scope

from gisgrid.casework.ledger.events import utc
from gisgrid.desk import Accepted, Report, ReportError
from gisgrid.desk.reports import check
from gisgrid.errors import InputError
from gisgrid.schema import Text
from gisgrid_server.casework.documents import moment, place_document, words
from gisgrid_server.casework.limits import Limits
from gisgrid_server.casework.service import Casework
from gisgrid_server.edge.access import Doorkeeper
from gisgrid_server.edge.answers import GONE, Answer
from gisgrid_server.edge.problems import BadRequestError, TooLargeError

_MOST_BYTES: Final = 64 * 1024
_FIELDS: Final = frozenset({
    "lon", "lat", "service_code", "description", "at", "source", "level_found", "photos", "accuracy_m", "attributes",
    "same_as", "contact", "client_id", "sent_at",
})  # fmt: skip
_BY_ALL: Final = "app"
"""Who reports without a key reports as this source."""

_HEADERS: Final = ((b"cache-control", b"no-store"), (b"content-type", b"application/json"))


class ReportTaker:
    """Takes reports.

    Parameters
    ----------
    casework
        The cases.
    doorkeeper
        Who may report.
    limits
        How often.
    """

    def __init__(self, casework: Casework, doorkeeper: Doorkeeper, limits: Limits) -> None:
        self._casework, self._doorkeeper, self._limits = casework, doorkeeper, limits

    async def __call__(self, scope: Scope, receive: Receive) -> Answer:
        """Take a report.

        Parameters
        ----------
        scope, receive
            The request.

        Returns
        -------
        Answer
            What became of it, when it is on the disk; `GONE` where the sender went before all of it was there.

        Raises
        ------
        GisgridError
            It is not taken; see `Desk.submit`, `Doorkeeper.rights` and `Limits.check`.
        """
        rights = self._doorkeeper.rights(scope)
        self._casework.demand_reporter(rights)
        self._limits.check(scope, rights)
        body = await _body(receive)
        if body is None:
            return GONE
        report, client_id, sent_at = read_report(body, known=rights.is_known)
        desk = self._casework.desk
        if report.photos:
            # What is no id is a fault of the report, not a photo that is missing.
            check(report, desk.services)
            self._casework.photos.demand(report.photos)
        try:
            taken = desk.submit(report, client_id=client_id, by=rights.subject, sent_at=sent_at)
        except ReportError:
            raise
        except InputError as error:
            raise BadRequestError(str(error)) from error
        accepted = await asyncio.wrap_future(taken)
        document = accepted_document(accepted, desk.owners.title(accepted.owner))
        status = HTTPStatus.OK if accepted.repeated else HTTPStatus.CREATED
        return Answer(status.value, [*_HEADERS], json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode())  # fmt: skip


def read_report(body: bytes, *, known: bool) -> tuple[Report, str, dt.datetime | None]:
    """Read a report as it was sent.

    Parameters
    ----------
    body
        JSON.
    known
        Whether it is known who sent it: who is not reports as the public.

    Returns
    -------
    tuple
        The report, the sender's id of the upload, and what the sender's clock says.

    Raises
    ------
    BadRequestError
        It is no JSON object.
    ReportError
        Fields are unknown, missing or of another kind; all are told.
    """
    try:
        said = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadRequestError(
            f"the report is no JSON ({str(error)[:120]}); send an object with client_id, lon, lat, service_code"
        ) from error
    if not isinstance(said, dict):
        raise BadRequestError(
            "the report is no JSON object; send one with client_id, lon, lat, service_code"
        )
    faults = [(str(name)[:60], "a report has no such field; leave it out") for name in said if name not in _FIELDS]  # fmt: skip
    faults += [(name, f"{name} is missing; send it") for name in ("client_id", "lon", "lat", "service_code") if said.get(name) is None]  # fmt: skip
    client_id = _client_id(said.get("client_id"), faults)
    at, sent_at = (_moment(said.get(name), name, faults) for name in ("at", "sent_at"))
    photos = said.get("photos") or []
    if not isinstance(photos, list):
        faults.append(("photos", "photos must be a list of ids"))
    if not known and (said.get("source") or _BY_ALL) != _BY_ALL:
        faults.append(("source", f"who names no key reports as {_BY_ALL!r}; leave it out"))
    if not known and said.get("level_found") is not None:
        faults.append(("level_found", "this is said by holders of a key; leave it out"))
    if faults:
        raise ReportError(tuple(faults))
    fields = {name: said[name] for name in ("lon", "lat", "service_code", "accuracy_m", "same_as", "level_found") if name in said}  # fmt: skip
    fields |= {name: said[name] for name in ("description", "source", "attributes", "contact") if said.get(name)}  # fmt: skip
    return Report(**fields, at=at, photos=tuple(photos)), client_id, sent_at


def accepted_document(accepted: Accepted, owner_title: Text) -> dict[str, Any]:
    """Say what became of a report.

    Parameters
    ----------
    accepted
        As the desk says.
    owner_title
        The owner's name.

    Returns
    -------
    dict
        JSON.
    """
    return {
        "case_id": accepted.case_id, "repeated": accepted.repeated, "place": place_document(accepted.place),
        "owner": accepted.owner, "owner_title": words(owner_title), "due_at": moment(accepted.due_at),
        "recorded_at": moment(accepted.receipt.recorded_at),
    }  # fmt: skip


async def _body(receive: Receive) -> bytes | None:
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > _MOST_BYTES:
            raise TooLargeError(
                f"a report has at most {_MOST_BYTES // 1024} KiB; send photos by themselves and name their ids"
            )
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


def _client_id(value: object, faults: list[tuple[str, str]]) -> str:
    if value is None:
        return ""
    try:
        return str(uuid.UUID(value if isinstance(value, str) else "-"))
    except ValueError:
        faults.append(("client_id", f"{value!r:.60} is no UUID; make one per report and keep it for retries"))  # fmt: skip
        return ""


def _moment(value: object, name: str, faults: list[tuple[str, str]]) -> dt.datetime | None:
    if value is None:
        return None
    try:
        return utc(value, name)
    except InputError as error:
        faults.append((name, str(error)))
        return None
