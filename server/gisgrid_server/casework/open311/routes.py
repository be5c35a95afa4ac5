"""``/open311/v2``: the addresses of GeoReport v2, in XML and JSON."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
import hashlib
import uuid
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute

from gisgrid.casework.ledger import Case, CaseFilter
from gisgrid.casework.ledger.tables import case_of_row
from gisgrid.desk import Accepted, Desk, ReportError
from gisgrid.desk.reports import check
from gisgrid_server.casework.bodies import body_form
from gisgrid_server.casework.limits import Limits
from gisgrid_server.casework.open311.asking import Asked, read_question
from gisgrid_server.casework.open311.description import described
from gisgrid_server.casework.open311.forms import Sent, read_form, refusal_of
from gisgrid_server.casework.open311.records import Records
from gisgrid_server.casework.open311.services import (
    PATH,
    definition_content,
    discovery_content,
    services_content,
)
from gisgrid_server.casework.open311.writing import (
    FORMS,
    Form,
    NotHereError,
    Refusal,
    answer,
    form_wanted,
    language,
    refuse,
)
from gisgrid_server.casework.service import Casework
from gisgrid_server.edge.access import Doorkeeper
from gisgrid_server.edge.addresses import base_url
from gisgrid_server.edge.rights import Rights

_Handler = Callable[[Request], Coroutine[Any, Any, Response]]
_LONGEST_TOKEN: Final = 128


def open311_router(casework: Casework, doorkeeper: Doorkeeper, limits: Limits) -> APIRouter:
    """Make the routes of Open311.

    Parameters
    ----------
    casework
        The cases.
    doorkeeper
        Who may what.
    limits
        How often somebody may report.

    Returns
    -------
    APIRouter
        The routes.
    """
    router = APIRouter(prefix=PATH, route_class=_Route)
    counter = _Counter(casework, doorkeeper, limits)
    for name, method, path in (
        ("discovery", "GET", "/discovery"),
        ("services", "GET", "/services"),
        ("definition", "GET", "/services/{service_code}"),
        ("send", "POST", "/requests"),
        ("requests", "GET", "/requests"),
        ("request", "GET", "/requests/{service_request_id}"),
        ("token", "GET", "/tokens/{token}"),
    ):
        _add(router, getattr(counter, name), name=name, method=method, path=path)

    @router.get("/{rest:path}", include_in_schema=False)
    def _elsewhere(rest: str) -> Response:
        raise NotHereError(f"there is no {rest[:60]!r} here; see discovery.xml")

    return router


def _add(
    router: APIRouter, handler: Callable[[Request], Any], *, name: str, method: str, path: str
) -> None:
    """Add an address with an extension, and the same without one, where ``Accept`` decides."""
    options: dict[str, Any] = {"methods": [method], "response_class": Response}
    router.add_api_route(path + ".{format}", handler, **options, **described(name))
    router.add_api_route(path, handler, **options, include_in_schema=False)


class _Route(APIRoute):
    """A route whose every mistake is told as the standard has it."""

    def get_route_handler(self) -> _Handler:
        handler = super().get_route_handler()

        async def told(request: Request) -> Response:
            try:
                return await handler(request)
            except Exception as error:  # noqa: BLE001 - every mistake, and faults are logged
                return refuse(request, error)

        return told


class _Counter:
    """Answers what clients ask, address by address."""

    def __init__(self, casework: Casework, doorkeeper: Doorkeeper, limits: Limits) -> None:
        self._casework, self._doorkeeper, self._limits = casework, doorkeeper, limits
        self._desk: Desk = casework.desk
        self._settings = casework.settings
        everybody_reads = self._settings.open311_public == "texts"
        self._records = Records(casework.desk, everybody_reads=everybody_reads)

    def discovery(self, request: Request) -> Response:
        content = discovery_content(self._casework, base_url(request, self._settings), language(request))  # fmt: skip
        return answer("discovery", content, _form(request))

    def services(self, request: Request) -> Response:
        return answer("services", services_content(self._desk.services, language(request)), _form(request))  # fmt: skip

    def definition(self, request: Request) -> Response:
        code = _named(request, "service_code")
        content = definition_content(self._desk.services, code, language(request))
        return answer("service_definition", content, _form(request))

    def requests(self, request: Request) -> Response:
        rights, within = self._reader(request)
        asked = read_question(
            request.query_params, self._desk.life_cycle, timezone=self._desk.timezone, now=dt.datetime.now(tz=dt.UTC)
        )  # fmt: skip
        ids, has_more = self._ids(asked, within)
        found = {case.case_id: case for case in self._cases(ids, within)}
        cases = [found[case_id] for case_id in ids if case_id in found]
        content = self._told(cases, rights, request, extended=asked.extended)
        headers = {}
        if asked.is_paged:
            headers = {"X-Total-Count": str(self._desk.ledger.count(asked.wanted, within=within))}
        if links := ", ".join(_links(request, asked, self._base(request), has_more=has_more)):
            headers["Link"] = links
        return answer("service_requests", content, _form(request), headers=headers)

    def request(self, request: Request) -> Response:
        rights, within = self._reader(request)
        case_id = _named(request, "service_request_id")
        cases = self._cases((case_id,), within)
        if not cases:
            raise NotHereError(f"service_request_id {case_id[:60]!r} was not found; check it")
        extended = request.query_params.get("extensions", "").lower() in {"true", "1"}
        return answer("service_requests", self._told(cases, rights, request, extended=extended), _form(request))  # fmt: skip

    def token(self, request: Request) -> Response:
        token = _named(request, "token")
        found = self._desk.ledger.events(client_ids=(_client_id(token),), limit=1)
        if found.empty:
            raise NotHereError(f"token {token[:60]!r} was not found; it is what was sent as Idempotency-Key with the report")  # fmt: skip
        content = [{"service_request_id": str(found["case_id"].iloc[0]), "token": token}]
        return answer("service_requests", content, _form(request))

    async def send(self, request: Request) -> Response:
        form = _form(request)
        given = await body_form(request, self._settings.max_photo_bytes)
        try:
            key = given.get("api_key")
            rights = self._rights(request, key if isinstance(key, str) else None)
            self._casework.demand_reporter(rights)
            self._limits.check(request.scope, rights)
            accepted = await self._taken(request, read_form(given, self._desk.services), rights)
        finally:
            await given.close()
        content = self._records.taken(accepted, language(request))
        return answer("service_requests", [content], form, headers={"Cache-Control": "no-store"})

    async def _taken(self, request: Request, sent: Sent, rights: Rights) -> Accepted:
        report, photos = sent.report, self._casework.photos
        token = request.headers.get("idempotency-key", "").strip() or str(uuid.uuid4())
        if len(token) > _LONGEST_TOKEN:
            raise Refusal((400, f"Idempotency-Key has {len(token)} characters, at most {_LONGEST_TOKEN} are known again; send a UUID"))  # fmt: skip
        try:
            check(report, self._desk.services)  # before its photos are kept
            photos.demand(report.photos)
            kept = [(await photos.take(file.file)).id for file in sent.photos]
            report = dataclasses.replace(report, photos=(*report.photos, *kept))
            taken = self._desk.submit(report, client_id=_client_id(token), by=rights.subject)
            return await asyncio.wrap_future(taken)
        except ReportError as error:
            raise refusal_of(error) from error

    def _rights(self, request: Request, key: str | None = None) -> Rights:
        """Say who asks; the standard's own ``api_key`` counts where no header names a key."""
        named = (key or request.query_params.get("api_key") or "").strip()
        scope = request.scope
        if named:
            scope = {**scope, "headers": [*scope["headers"], (b"x-api-key", named.encode())]}
        return self._doorkeeper.rights(scope)

    def _reader(self, request: Request) -> tuple[Rights, CaseFilter | None]:
        """Say who asks, and which cases are there for them: all, unless the city shows nothing to everybody."""
        rights = self._rights(request)
        if self._settings.open311_public != "nothing":
            return rights, None
        rights.demand("see")
        return rights, rights.within()

    def _ids(self, asked: Asked, within: CaseFilter | None) -> tuple[list[str], bool]:
        """Give the ids of a page, the latest first, and whether there are more."""
        last = asked.page * asked.page_size
        found = self._desk.ledger.cases(
            asked.wanted, within=within, order="reported_at", descending=True, limit=last + 1, columns=("case_id",)
        )["case_id"].tolist()  # fmt: skip
        return found[last - asked.page_size : last], len(found) > last

    def _cases(self, case_ids: tuple[str, ...] | list[str], within: CaseFilter | None) -> list[Case]:  # fmt: skip
        if not case_ids:
            return []
        frame = self._desk.ledger.cases(CaseFilter(case_ids=case_ids), within=within, order="reported_at")  # fmt: skip
        return [case_of_row(row) for row in frame.to_dict("records")]

    def _told(
        self, cases: list[Case], rights: Rights, request: Request, *, extended: bool
    ) -> list[dict[str, Any]]:
        return self._records.requests(
            cases, rights, base=self._base(request), language=language(request), extended=extended
        )

    def _base(self, request: Request) -> str:
        return base_url(request, self._settings)


def _form(request: Request) -> Form:
    return form_wanted(request, _extension(request))


def _extension(request: Request) -> str | None:
    extension = request.path_params.get("format")
    if extension in FORMS or len(request.path_params) < 2:
        return extension
    return None  # a code with a dot in it


def _named(request: Request, name: str) -> str:
    value, extension = request.path_params[name], request.path_params.get("format")
    return value if extension is None or extension in FORMS else f"{value}.{extension}"


def _client_id(token: str) -> str:
    """Give the ledger's id of an upload for what its sender calls it; others cannot be guessed from it."""
    return f"open311-{hashlib.sha256(token.encode()).hexdigest()}"


def _links(request: Request, asked: Asked, base: str, *, has_more: bool) -> Iterator[str]:
    """Lead to the pages beside this one (RFC 8288)."""
    if asked.page > 1:
        yield _link(request, base, "first", 1)
        yield _link(request, base, "prev", asked.page - 1)
    if has_more:
        yield _link(request, base, "next", asked.page + 1)


def _link(request: Request, base: str, rel: str, page: int) -> str:
    kept = [(name, value) for name, value in request.query_params.multi_items() if name not in {"page", "api_key", "key"}]  # fmt: skip
    path = f"{PATH}/requests"
    extension = request.path_params.get("format")
    return f'<{base}{path}{f".{extension}" if extension else ""}?{urlencode([*kept, ("page", page)])}>; rel="{rel}"'
