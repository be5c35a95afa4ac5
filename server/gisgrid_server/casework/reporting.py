"""``/api/report``: what can be reported, whose is it here, and the report itself.

A report goes from the wire to the ledger by hand: its few fields are checked once, by the desk, and the answer waits for the
disk and for nothing else.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import uuid
from collections.abc import Mapping
from typing import Annotated, Any, Final

import numpy as np
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from gisgrid.casework.ledger import Case
from gisgrid.casework.ledger.events import utc
from gisgrid.desk import Accepted, Place, Report, ReportError, Service
from gisgrid.desk.places import metres_between
from gisgrid.desk.reports import check
from gisgrid.errors import InputError
from gisgrid.schema import Text
from gisgrid_server.casework.limits import Limits
from gisgrid_server.casework.service import Casework
from gisgrid_server.edge.access import Doorkeeper
from gisgrid_server.edge.problems import BadRequestError, TooLargeError
from gisgrid_server.edge.rights import Rights

_MOST_BYTES: Final = 64 * 1024
_MOST_NEARBY: Final = 20
_TAG: Final = "reports"
_FIELDS: Final = frozenset({
    "lon", "lat", "service_code", "description", "at", "source", "level_found", "photos", "accuracy_m", "attributes",
    "same_as", "contact", "client_id", "sent_at",
})  # fmt: skip
_BY_ALL: Final = "app"
"""Who reports without a key reports as this source."""

_TEXT: Final = {"type": "string"}
_MOMENT: Final = {"type": "string", "format": "date-time"}
_SENT: Final[Mapping[str, Any]] = {
    "type": "object",
    "required": ["client_id", "lon", "lat", "service_code"],
    "additionalProperties": False,
    "properties": {
        "client_id": {"type": "string", "format": "uuid"},
        "lon": {"type": "number", "minimum": -180, "maximum": 180},
        "lat": {"type": "number", "minimum": -90, "maximum": 90},
        "service_code": _TEXT,
        "description": {"type": "string", "maxLength": 4000},
        "at": _MOMENT,
        "sent_at": _MOMENT,
        "source": _TEXT,
        "level_found": _TEXT,
        "photos": {"type": "array", "maxItems": 10, "items": {"type": "string", "pattern": "^[0-9a-f]{64}$"}},
        "accuracy_m": {"type": "number", "minimum": 0},
        "attributes": {"type": "object"},
        "same_as": _TEXT,
        "contact": {
            "type": "object", "additionalProperties": False,
            "properties": {"name": _TEXT, "phone": _TEXT, "email": _TEXT},
        },
    },
}  # fmt: skip
_TAKEN: Final = {
    "201": {"description": "the report is on the disk", "content": {"application/json": {"schema": {"type": "object"}}}},
    "409": {"description": "the client id was used for another report", "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/problem"}}}},
    "413": {"description": "the report is too long", "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/problem"}}}},
    "429": {"description": "more reports than the sender's share", "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/problem"}}}},
}  # fmt: skip


def reporting_router(casework: Casework, doorkeeper: Doorkeeper, limits: Limits) -> APIRouter:
    """Make the routes by which problems are reported.

    Parameters
    ----------
    casework
        The cases.
    doorkeeper
        Who may what.
    limits
        How often.

    Returns
    -------
    APIRouter
        The routes.
    """
    router = APIRouter(prefix="/api/report", tags=[_TAG])
    desk = casework.desk

    def reporter(request: Request) -> Rights:
        rights = doorkeeper.rights(request.scope)
        casework.demand_reporter(rights)
        return rights

    @router.post(
        "", status_code=201, summary="Report a problem", operation_id="report",
        openapi_extra={
            "x-zh": "上报一个问题", "responses": _TAKEN,
            "requestBody": {"required": True, "content": {"application/json": {"schema": _SENT}}},
        },
    )  # fmt: skip
    async def _report(request: Request) -> Response:
        rights = reporter(request)
        limits.check(request.scope, rights)
        report, client_id, sent_at = read_report(await _body(request), known=rights.is_known)
        if report.photos:
            check(
                report, desk.services
            )  # what is no id is a fault of the report, not a photo that is missing
            casework.photos.demand(report.photos)
        try:
            taken = desk.submit(report, client_id=client_id, by=rights.subject, sent_at=sent_at)
        except ReportError:
            raise
        except InputError as error:
            raise BadRequestError(str(error)) from error
        accepted = await asyncio.wrap_future(taken)
        status = 200 if accepted.repeated else 201
        return _json(accepted_document(accepted, desk.owner_title(accepted.owner)), status=status)

    @router.get(
        "/here", summary="Whose is a problem here, by when, and what is reported nearby?", operation_id="reportHere",
        openapi_extra={"x-zh": "这里的问题归谁管、何时到期、附近有哪些上报"},
    )  # fmt: skip
    def _here(
        request: Request,
        lon: Annotated[float, Query(ge=-180, le=180, allow_inf_nan=False)],
        lat: Annotated[float, Query(ge=-90, le=90, allow_inf_nan=False)],
        service_code: Annotated[str, Query(max_length=64)] = "",
        radius_m: Annotated[float, Query(ge=0, le=1000, allow_inf_nan=False)] = 100.0,
    ) -> Response:
        reporter(request)
        if service_code and service_code not in desk.services:
            raise BadRequestError(_unknown_service(casework, service_code))
        place = desk.locate(lon, lat)
        seen = desk.preview(lon, lat, service_code) if service_code else None
        near = desk.nearby(lon, lat, service_code=service_code or None, radius_m=radius_m)[
            :_MOST_NEARBY
        ]
        return _json({
            "place": place_document(place),
            "about": desk.ground.about(place),
            "owner": seen.owner if seen else None,
            "owner_title": words(seen.owner_title) if seen else None,
            "due_at": moment(seen.due_at) if seen else None,
            "provisional": seen.provisional if seen else False,
            "calendar_note": words(seen.calendar_note) if seen else None,
            "nearby": [public_case(case) | {"distance_m": away(lon, lat, case)} for case in near],
        })  # fmt: skip

    @router.get(
        "/services", summary="What can be reported?", operation_id="reportServices", openapi_extra={"x-zh": "可以上报哪些问题？"},
    )  # fmt: skip
    def _services(request: Request) -> Response:
        reporter(request)
        services = [service_document(one) for one in desk.services]
        return _json({"scheme": desk.services.scheme, "services": services}, max_age=300)

    return router


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


def place_document(place: Place) -> dict[str, Any]:
    """Say where something lies in the grid.

    Parameters
    ----------
    place
        As the desk says.

    Returns
    -------
    dict
        Codes, names by level, and whether it is outside.
    """
    return {
        "unit_code": place.unit_code, "community_code": place.community_code, "subdistrict_code": place.subdistrict_code,
        "names": dict(place.names), "names_en": dict(place.names_en), "outside": place.outside,
    }  # fmt: skip


def public_case(case: Case) -> dict[str, Any]:
    """Give what everybody may know of a case.

    Parameters
    ----------
    case
        The case.

    Returns
    -------
    dict
        JSON: no texts, photos, names or contacts.
    """
    return {
        "case_id": case.case_id, "service_code": case.category_code, "category": case.category, "state": case.state,
        "reported_at": moment(case.reported_at), "lon": case.lon, "lat": case.lat,
    }  # fmt: skip


def away(lon: float, lat: float, case: Case) -> float:
    """Say how far a case is from a place.

    Parameters
    ----------
    lon, lat
        The place, WGS84 degrees.
    case
        The case.

    Returns
    -------
    float
        Whole metres.
    """
    assert case.lon is not None  # noqa: S101 - it was found by its place
    assert case.lat is not None  # noqa: S101
    return float(np.rint(metres_between(lon, lat, np.array([case.lon]), np.array([case.lat]))[0]))


def service_document(service: Service) -> dict[str, Any]:
    """Say what a class is that can be reported.

    Parameters
    ----------
    service
        The class.

    Returns
    -------
    dict
        JSON.
    """
    return {
        "code": service.code, "category": service.category, "name": words(service.name), "group": words(service.group),
        "description": words(service.description or service.name), "keywords": list(service.keywords),
        "attributes": [one.model_dump(mode="json") for one in service.attributes],
    }  # fmt: skip


def words(text: Text) -> dict[str, str]:
    """Give a text in both languages.

    Parameters
    ----------
    text
        The text.

    Returns
    -------
    dict
        ``zh`` and ``en``.
    """
    return {"zh": text.zh, "en": text.en}


def moment(time: dt.datetime | None) -> str | None:
    """Give a time as clients read it.

    Parameters
    ----------
    time
        Aware, or None.

    Returns
    -------
    str or None
        ISO 8601 in UTC.

    Examples
    --------
    >>> moment(dt.datetime(2026, 11, 22, 8, tzinfo=dt.UTC))
    '2026-11-22T08:00:00Z'
    """
    return None if time is None else time.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")


async def _body(request: Request) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > _MOST_BYTES:
            raise TooLargeError(
                f"a report has at most {_MOST_BYTES // 1024} KiB; send photos by themselves and name their ids"
            )
        parts.append(part)
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


def _unknown_service(casework: Casework, code: str) -> str:
    try:
        _ = casework.desk.services[code]
    except InputError as error:
        return str(error)
    return ""  # pragma: no cover - asked for unknown codes only


def _json(document: Mapping[str, Any], *, status: int = 200, max_age: int = 0) -> Response:
    headers = {"Cache-Control": f"private, max-age={max_age}" if max_age else "no-store"}
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(body, status_code=status, media_type="application/json", headers=headers)
