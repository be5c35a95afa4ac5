"""``/api``: what is there, what do the rows say, what was found; and the styles of the map."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any

import pandas as pd
from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from gisgrid.catalogue import Layer
from gisgrid.prepared import shown_fields
from gisgrid.tiles import RasterSource
from gisgrid_server.edge.access import NO_PASS, Doorkeeper, Pass
from gisgrid_server.edge.addresses import base_url
from gisgrid_server.layers.editions import Edition
from gisgrid_server.layers.findings import Findings
from gisgrid_server.layers.published import Published
from gisgrid_server.layers.rows import counts, months, plain, rows
from gisgrid_server.settings import Settings
from gisgrid_server.tiles.tilejson import catalogue_style, layer_style, placed_style

MAX_ROWS = 1000
"""Rows of one answer at most."""

MONTHS_LAYER = "issue_months"


def api_router(
    published: Published, findings: Findings, settings: Settings, doorkeeper: Doorkeeper
) -> APIRouter:
    """Make the routes that answer questions about the layers.

    Parameters
    ----------
    published
        The layers.
    findings
        What was found in them.
    settings
        For the addresses in the answers.
    doorkeeper
        Who knows the keys.

    Returns
    -------
    APIRouter
        The routes.
    """
    router = APIRouter()

    @lru_cache(maxsize=2)
    def table_of_months(edition: Edition) -> dict[str, Any]:
        return months(edition)

    @router.get("/api/catalogue", tags=["catalogue"], summary="What layers are there?")
    def _catalogue(request: Request) -> JSONResponse:
        shown = doorkeeper.pass_of(request.scope)
        return _answer(catalogue_document(published, shown), shown)

    @router.get("/style.json", tags=["styles"], summary="The MapLibre style of the whole map")
    def _style(request: Request) -> JSONResponse:
        shown = doorkeeper.pass_of(request.scope)
        base, passed = base_url(request, settings), shown.passed(request.scope)
        return _answer(catalogue_style(published.catalogue, base=base, passed=passed), shown)

    @router.get("/styles/{layer}.json", tags=["styles"], summary="The MapLibre style of one layer")
    def _layer_style(layer: str, request: Request) -> JSONResponse:
        shown = doorkeeper.pass_of(request.scope)
        base, passed = base_url(request, settings), shown.passed(request.scope)
        return _answer(layer_style(published.catalogue[layer], base=base, passed=passed), shown)

    @router.get("/api/layers/{layer}/rows", tags=["rows"], summary="A page of a layer's rows")
    def _rows(
        layer: str,
        request: Request,
        limit: Annotated[int, Query(ge=0, le=MAX_ROWS)] = 50,
        offset: Annotated[int, Query(ge=0)] = 0,
        sort: str | None = None,
        *,
        descending: bool = False,
    ) -> JSONResponse:
        shown = doorkeeper.check(published.catalogue[layer], request.scope)
        edition = published.edition(layer).within(shown.rights)
        page = rows(edition, limit=limit, offset=offset, sort=sort, descending=descending)
        return _answer(page, shown)

    @router.get(
        "/api/layers/{layer}/counts", tags=["rows"], summary="How many rows have each value?"
    )
    def _counts(layer: str, by: str, request: Request) -> JSONResponse:
        shown = doorkeeper.check(published.catalogue[layer], request.scope)
        return _answer(counts(published.edition(layer).within(shown.rights), by=by), shown)

    @router.get(
        "/api/months", tags=["findings"], summary="How many issues had each unit, month by month?"
    )
    def _months() -> JSONResponse:
        return _answer(table_of_months(published.edition(MONTHS_LAYER)))

    @router.get(
        "/api/findings", tags=["findings"], summary="Where are the hot areas, and how sure is that?"
    )
    def _findings(request: Request) -> JSONResponse:
        passes = [doorkeeper.check(layer, request.scope) for layer in findings.layers()]
        return _answer(findings.now(), next((one for one in passes if one.named), NO_PASS))

    return router


def catalogue_document(published: Published, shown: Pass = NO_PASS) -> dict[str, Any]:
    """Describe every layer for a page.

    Parameters
    ----------
    published
        The layers.
    shown
        What the request has to show; of a layer that it does not open only the words are told.

    Returns
    -------
    dict
        JSON: the city, and the layers from the bottom of the map to its top.
    """
    about = published.catalogue.about
    layers = [
        _layer_document(published, layer, _seen(edition, shown), is_open=shown.opens(layer))
        for layer, edition in published.editions()
    ]
    times = [layer["as_of"] for layer in layers if layer["as_of"] is not None]
    return {
        "title": about.title.model_dump(),
        "timezone": about.timezone,
        "review_number": about.review_number,
        "groups": {group: title.model_dump() for group, title in about.groups.items()},
        "bbox": published.bbox,
        "as_of": max(times, default=None),
        "basemap": about.basemap.model_dump() if about.basemap is not None else None,
        "layers": layers,
    }


def _layer_document(
    published: Published, layer: Layer, edition: Edition | LookupError, *, is_open: bool
) -> dict[str, Any]:
    tiles, source, ready = layer.tiles, layer.source, isinstance(edition, Edition) and is_open
    document: dict[str, Any] = {
        "id": layer.id,
        "title": layer.title.model_dump(),
        "description": layer.description.model_dump(),
        "group": layer.group,
        "kind": layer.kind,
        "geometry": layer.geometry,
        "primary_key": layer.primary_key,
        "minzoom": tiles.minzoom if tiles is not None else None,
        "maxzoom": tiles.maxzoom if tiles is not None else None,
        "visible": tiles is not None and tiles.visible,
        "fields": [
            field.model_dump(include={"name", "type", "unit", "labels", "description"})
            for field in (shown_fields(layer) if is_open else ())
        ],
        "attribution": source.attribution if source is not None else "",
        "licence": source.licence if source is not None else "",
        "acquired": source.acquired if source is not None else "",
        "as_of": plain(_as_of(published, layer, edition)) if is_open else None,
        "access": tiles.access if tiles is not None else "public",
        "ready": ready,
        "tilejson": f"tiles/{layer.id}/tilejson.json" if tiles is not None else None,
        "style": placed_style(layer),
    }
    if not is_open:
        note = "shown to holders of a key"
        return {**document, "n_rows": None, "excluded": {}, "notes": [note], "version": None}
    return {**document, **_state(published, layer, edition)}


def _seen(edition: Edition | LookupError, shown: Pass) -> Edition | LookupError:
    return edition.within(shown.rights) if isinstance(edition, Edition) else edition


def _as_of(published: Published, layer: Layer, edition: Edition | LookupError) -> pd.Timestamp | None:  # fmt: skip
    """Say of when a layer is; of one whose rows are somebody's, of when the asker's are."""
    if isinstance(edition, Edition) and edition.scope is not None:
        return edition.as_of
    return published.as_of(layer)


def _state(published: Published, layer: Layer, edition: Edition | LookupError) -> dict[str, Any]:
    """Tell what depends on the data: how many rows, what was left out, what to know."""
    if not isinstance(edition, Edition):
        return {"n_rows": None, "excluded": {}, "notes": [str(edition)], "version": None}
    record = published.store.provenance(layer)
    if edition.scope is not None:  # numbers of all rows are not for who sees some
        record = None
    excluded = dict(record.excluded) if record is not None else {}
    notes = list(record.notes) if record is not None else []
    state: dict[str, Any] = {"n_rows": edition.n_rows, "version": edition.version}
    if layer.tiles is not None and layer.kind != "table":
        source = edition.source
        notes += [f"{n} rows are not drawn: {reason}" for reason, n in source.left_out.items()]
        if isinstance(source, RasterSource):
            state["ramp"] = {
                "unit": source.unit,
                "stops": [{"value": value, "colour": colour} for value, colour in source.stops],
            }
    return {**state, "excluded": excluded, "notes": notes}


def _answer(document: Any, shown: Pass = NO_PASS) -> JSONResponse:  # noqa: ANN401 - any JSON
    headers = {"Cache-Control": "no-cache"}
    if shown.named:
        headers = {"Cache-Control": "private, no-cache", "Vary": "Authorization, X-API-Key"}
    return JSONResponse(document, headers=headers)
