"""``/api/desk``: the queue, a case, what is done with it, the news, files and indicators, for who may."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

import pandas as pd
from fastapi import APIRouter, Header, Path, Query, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import Field

from gisgrid.casework.ledger import ConflictError
from gisgrid.casework.ledger.events import utc_now
from gisgrid.desk import Desk
from gisgrid_server.casework.desk.acting import Act, act, conflict_answer
from gisgrid_server.casework.desk.counts import Counts
from gisgrid_server.casework.desk.export import (
    CONTENT,
    MEDIA_TYPES,
    MOST,
    Form,
    Provenance,
    written,
)
from gisgrid_server.casework.desk.figures import By, indicators_document
from gisgrid_server.casework.desk.holder import holder_document
from gisgrid_server.casework.desk.news import News
from gisgrid_server.casework.desk.one_case import case_document, seen_case
from gisgrid_server.casework.desk.questions import Asked, Page, cursor
from gisgrid_server.casework.desk.rows import SHOWN, rows_of
from gisgrid_server.casework.desk.table import Language, tables
from gisgrid_server.casework.limits import Limits
from gisgrid_server.casework.service import Casework
from gisgrid_server.edge.access import Doorkeeper
from gisgrid_server.edge.audit import note_reading
from gisgrid_server.edge.problems import BadRequestError
from gisgrid_server.edge.rights import Power, Rights

_TAG: Final = "desk"
_NO_STORE: Final = {"Cache-Control": "no-store", "Vary": "Authorization, X-API-Key"}
_STREAM: Final = {**_NO_STORE, "X-Accel-Buffering": "no"}

_CaseId = Annotated[str, Path(min_length=1, max_length=128)]


class _Exported(Asked):
    """What a file holds.

    Attributes
    ----------
    texts
        Whether what reporters wrote, and how to reach them, belongs to it.
    lang
        Of the words in it.
    """

    texts: bool = False
    lang: Language = "zh"


class _Measured(Asked):
    """What is measured.

    Attributes
    ----------
    period
        As ``2026-11``, ``2026-W46`` or ``2026-11-22``.
    by
        What to tell apart.
    compare
        Whether with the period before and the same a year ago.
    """

    period: Annotated[str, Field(max_length=20)]
    by: By | None = None
    compare: bool = False


def desk_router(casework: Casework, doorkeeper: Doorkeeper, limits: Limits) -> APIRouter:
    """Make the routes of the desk.

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
    router = APIRouter(prefix="/api/desk", tags=[_TAG])
    _add_queue(router, casework, doorkeeper)
    _add_case(router, casework, doorkeeper, limits)
    _add_news(router, casework, doorkeeper)
    _add_files(router, casework, doorkeeper)
    return router


class _Visit:
    """Who asks, and for what they may."""

    def __init__(self, casework: Casework, doorkeeper: Doorkeeper) -> None:
        self._casework, self._doorkeeper = casework, doorkeeper

    def __call__(self, request: Request, *powers: Power) -> tuple[Desk, Rights]:
        rights = self.rights(request, *powers)
        return self._casework.desk, rights

    def rights(self, request: Request, *powers: Power) -> Rights:
        rights = self._doorkeeper.rights(request.scope)
        for power in ("see", *powers):
            rights.demand(power)
        return rights


def _add_queue(router: APIRouter, casework: Casework, doorkeeper: Doorkeeper) -> None:
    visit, counts = _Visit(casework, doorkeeper), Counts()

    @router.get("/me", summary="Who am I, what may I do, and what words does this city use?")
    def _me(request: Request) -> Response:
        desk, rights = visit(request)
        return _json(holder_document(desk, rights, now=utc_now()))

    @router.get("/cases", summary="A page of the cases that I see")
    def _cases(request: Request, asked: Annotated[Page, Query()]) -> Response:
        desk, rights = visit(request)
        now = utc_now()
        wanted = asked.filter(cycle=desk.life_cycle, calendar=desk.calendar, now=now)
        frame = desk.ledger.cases(
            wanted, within=rights.within(), order=asked.order, limit=asked.limit, after=asked.place(), columns=SHOWN
        )  # fmt: skip
        more = None
        if len(frame) == asked.limit:
            last = frame.iloc[-1]
            time = last[asked.order]
            more = cursor(None if pd.isna(time) else time.to_pydatetime(), last["case_id"])
        cases = rows_of(frame, cycle=desk.life_cycle, calendar=desk.calendar, now=now)
        return _json({"cases": cases, "next": more, "as_of": now.isoformat()})

    @router.get("/counts", summary="How many cases would each choice of a filter give?")
    def _counts(request: Request, asked: Annotated[Asked, Query()]) -> Response:
        desk, rights = visit(request)
        return _json(counts.of(desk, asked, rights, now=utc_now()))


def _add_case(
    router: APIRouter, casework: Casework, doorkeeper: Doorkeeper, limits: Limits
) -> None:
    visit = _Visit(casework, doorkeeper)

    @router.get(
        "/cases/{case_id}", summary="A case: its events, its photos, and what I may do next"
    )
    def _case(request: Request, case_id: _CaseId) -> Response:
        desk, rights = visit(request)
        case = seen_case(desk, case_id, rights)
        return _json(case_document(desk, case, rights, now=utc_now()))

    @router.post("/cases/{case_id}/events", status_code=201, summary="Do something with a case",
                 responses={409: {"description": "somebody else was faster: the answer says what they did"}})  # fmt: skip
    def _event(request: Request, case_id: _CaseId, wanted: Act) -> Response:
        desk, rights = visit(request)
        limits.check(request.scope, rights)
        try:
            receipt = act(desk, case_id, wanted, rights, photos=casework.photos)
        except ConflictError as error:
            return conflict_answer(desk, error, rights, wanted, now=utc_now())
        case = desk.ledger.case(case_id)
        said: dict[str, Any] = {"version": case.version, "repeated": receipt.repeated}  # fmt: skip
        # What was handed on may no longer be seen by who handed it on.
        said["case"] = (
            case_document(desk, case, rights, now=utc_now()) if rights.sees(case) else None
        )
        return _json(said, status=200 if receipt.repeated else 201)


def _add_news(router: APIRouter, casework: Casework, doorkeeper: Doorkeeper) -> None:
    visit, news = _Visit(casework, doorkeeper), News(lambda: casework.desk.ledger)

    @router.get("/news", summary="What happens, as it happens (server-sent events)",
                responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}})  # fmt: skip
    async def _news(
        request: Request,
        last_event_id: Annotated[str | None, Header(max_length=64)] = None,
    ) -> Response:
        visit.rights(request)
        stream = news.stream(lambda: doorkeeper.rights(request.scope), since=last_event_id)
        first = await anext(stream)  # too many desks are told before the answer begins
        return StreamingResponse(
            _from(first, stream), media_type="text/event-stream", headers=_STREAM
        )


def _add_files(router: APIRouter, casework: Casework, doorkeeper: Doorkeeper) -> None:
    visit = _Visit(casework, doorkeeper)

    @router.get("/export.{form}", summary="The cases of a filter as CSV, Excel, GeoPackage or GeoJSON",
                responses={200: {"content": CONTENT}})  # fmt: skip
    def _export(request: Request, form: Form, asked: Annotated[_Exported, Query()]) -> Response:
        also: tuple[Power, ...] = ("contact",) if asked.texts else ()
        desk, rights = visit(request, "export", *also)
        now = utc_now()
        wanted = asked.filter(cycle=desk.life_cycle, calendar=desk.calendar, now=now)
        n = desk.ledger.count(wanted, within=rights.within())
        if n > MOST[form]:
            raise BadRequestError(
                f"{n} cases are asked for but a file of the form {form!r} holds at most {MOST[form]}; narrow the filter, for example by reported_from and reported_to"
            )
        about = Provenance(now, rights.subject, asked.said(), n, desk.calendar.timezone)
        note_reading(rights, "export", form=form, n=n, texts=asked.texts, asked=asked.said())
        parts = tables(desk, wanted, within=rights.within(), texts=asked.texts, language=asked.lang)
        name = f"cases-{now.astimezone(ZoneInfo(desk.timezone)):%Y%m%d-%H%M%S}.{form}"
        headers = {
            **_NO_STORE,
            "Content-Disposition": f'attachment; filename="{name}"',
            "X-Provenance": json.dumps(about.document()),
        }
        pieces = written(form, parts, about, asked.lang)
        return StreamingResponse(pieces, media_type=MEDIA_TYPES[form], headers=headers)

    @router.get("/indicators", summary="The indicators of a period, of the cases that I see")
    def _indicators(request: Request, asked: Annotated[_Measured, Query()]) -> Response:
        desk, rights = visit(request)
        now = utc_now()
        wanted = asked.filter(cycle=desk.life_cycle, calendar=desk.calendar, now=now)
        found = indicators_document(
            desk, asked.period, rights, by=asked.by, wanted=wanted, compare=asked.compare, now=now
        )
        return _json(found)


async def _from(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece


def _json(document: Any, *, status: int = 200) -> Response:  # noqa: ANN401 - any JSON
    return JSONResponse(document, status_code=status, headers=_NO_STORE)
