"""``/api/report``: what can be reported, whose is it here, and the report itself, which `ReportTaker` takes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Final

import numpy as np
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from gisgrid.casework.ledger import Case
from gisgrid.desk import Service, cases_near
from gisgrid.desk.places import metres_between
from gisgrid.errors import InputError
from gisgrid_server.casework.documents import moment, place_document, words
from gisgrid_server.casework.service import Casework
from gisgrid_server.casework.taking import ReportTaker
from gisgrid_server.edge.access import Doorkeeper
from gisgrid_server.edge.answers import as_response
from gisgrid_server.edge.problems import BadRequestError
from gisgrid_server.edge.rights import Rights

_MOST_NEARBY: Final = 20
_TAG: Final = "reports"
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


def reporting_router(
    casework: Casework, doorkeeper: Doorkeeper, take: ReportTaker, *, shows_cases: bool = True
) -> APIRouter:
    """Make the routes by which problems are reported.

    Parameters
    ----------
    casework
        The cases.
    doorkeeper
        Who may what.
    take
        Takes reports.
    shows_cases
        Whether everybody may see where cases are open; else who reports is told of those alone that the key shows.

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
        # `Front` answers before FastAPI is asked; the route says what a report is, and serves where there is no `Front`.
        return as_response(await take(request.scope, request.receive))

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
        rights = reporter(request)
        if service_code and service_code not in desk.services:
            raise BadRequestError(_unknown_service(casework, service_code))
        place = desk.locate(lon, lat)
        seen = desk.preview(lon, lat, service_code) if service_code else None
        near = cases_near(
            desk.ledger, lon, lat, service_code=service_code or None, radius_m=radius_m,
            within=None if shows_cases else rights.within(),
        )[:_MOST_NEARBY]  # fmt: skip
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
