"""The addresses of the OGC APIs: what is asked, by whom, in which form; the answers are made elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, Response

from gisgrid_server.edge.access import Doorkeeper
from gisgrid_server.layers.published import Published
from gisgrid_server.ogc import page_values
from gisgrid_server.ogc.answers import document
from gisgrid_server.ogc.asking import Asking
from gisgrid_server.ogc.collections import check_items, collection_document, collections_document
from gisgrid_server.ogc.conformance import conformance_document, landing_document
from gisgrid_server.ogc.coordinates import asked
from gisgrid_server.ogc.dataset import (
    PATH,
    dataset_layers,
    dataset_tile_route,
    dataset_tileset,
    dataset_tilesets,
)
from gisgrid_server.ogc.html import FOLDER
from gisgrid_server.ogc.items import item_json, items_json
from gisgrid_server.ogc.links import GEOJSON, OPENAPI, SCHEMA
from gisgrid_server.ogc.negotiation import check_parameters, form_of, language_of
from gisgrid_server.ogc.parameters import operation
from gisgrid_server.ogc.queryables import queryables_document, schema_document
from gisgrid_server.ogc.questions import question
from gisgrid_server.ogc.reference import reference
from gisgrid_server.ogc.styles import MAPLIBRE, style_document, styles_document
from gisgrid_server.ogc.tilesets import check_kind, tileset_document, tilesets_document
from gisgrid_server.ogc.tiling import tiling_scheme, tiling_schemes
from gisgrid_server.ogc.wmts_routes import wmts_routes
from gisgrid_server.ogc.words import WORDS
from gisgrid_server.settings import Settings
from gisgrid_server.tiles.routes import TileRoutes


def ogc_router(
    published: Published, settings: Settings, doorkeeper: Doorkeeper, *, tiles: TileRoutes
) -> APIRouter:
    """Make the routes of the OGC APIs.

    Parameters
    ----------
    published
        The layers.
    settings
        For the addresses in the answers.
    doorkeeper
        Who knows the keys.
    tiles
        What answers for all tiles.

    Returns
    -------
    APIRouter
        The routes.
    """
    ask = Asking(published, settings, doorkeeper)
    router = APIRouter()
    _add_common(router, ask)
    _add_collections(router, ask)
    _add_features(router, ask)
    _add_tiles(router, ask)
    _add_styles(router, ask)
    _add_pages(router, ask)
    router.routes.append(dataset_tile_route(ask, tiles))
    router.routes.extend(wmts_routes(ask, tiles))
    return router


def landing_page(
    published: Published, settings: Settings, doorkeeper: Doorkeeper
) -> Callable[[Request], Response | None]:
    """Make what answers ``/`` for programs.

    Parameters
    ----------
    published
        The layers.
    settings
        For the addresses in the answers.
    doorkeeper
        Who knows the keys.

    Returns
    -------
    callable
        Gives the landing page, or None for a browser that names no form: its reader wants the map.
    """
    ask = Asking(published, settings, doorkeeper)

    def landing(request: Request) -> Response | None:
        if "f" not in request.query_params and _is_browser(request):
            return None
        check_parameters(request, ())
        base = ask.base(request)
        if form_of(request) == "html":
            doors = page_values.landing_doors(base, lang=_lang(request))
            return ask.page(request, "landing", WORDS["landing_title"], doors=doors)
        return document(request, landing_document(ask.published.catalogue, base, form="json"))

    return landing


def _is_browser(request: Request) -> bool:
    accepted = request.headers.get("accept", "")
    return "text/html" in accepted and "json" not in accepted


def _lang(request: Request) -> str | None:
    return request.query_params.get("lang")


def _add_common(router: APIRouter, ask: Asking) -> None:
    @router.get("/conformance", **operation("conformance"))
    def _conformance(request: Request) -> Response:
        check_parameters(request, ())
        written = conformance_document(ask.base(request), form=form_of(request))
        if form_of(request) == "html":
            listed = [(name, None) for name in written["conformsTo"]]
            return ask.page(
                request, "document", WORDS["conformance"], listed=listed, document="", lead=""
            )
        return document(request, written)


def _add_collections(router: APIRouter, ask: Asking) -> None:
    @router.get("/collections", **operation("collections"))
    def _collections(request: Request) -> Response:
        check_parameters(request, ())
        editions = ask.editions(request)
        if form_of(request) == "html":
            return ask.page(request, "collections", WORDS["collections"], editions=editions)
        return document(
            request, collections_document(editions, ask.base(request), form="json"), of=editions
        )

    @router.get("/collections/{collectionId}", **operation("collection"))
    def _collection(request: Request, collectionId: str) -> Response:  # noqa: N803 - OGC spelling
        check_parameters(request, ())
        edition = ask.edition(request, collectionId)
        base = ask.base(request)
        if form_of(request) == "html":
            values = page_values.collection(edition, base, lang=_lang(request))
            return ask.page(request, "collection", edition.layer.title, **values)
        return document(request, collection_document(edition, base, form="json"), of=[edition])

    for name, written in (("queryables", queryables_document), ("schema", schema_document)):
        _add_schema(router, ask, name, written)


def _add_schema(router: APIRouter, ask: Asking, name: str, written: Any) -> None:  # noqa: ANN401 - one of two functions
    @router.get(f"/collections/{{collectionId}}/{name}", **operation(name))
    def _schema(request: Request, collectionId: str) -> Response:  # noqa: N803 - OGC spelling
        check_parameters(request, ())
        edition = ask.edition(request, collectionId)
        check_items(edition)
        content = written(edition, ask.base(request))
        if form_of(request) == "html":
            values = page_values.schema(edition, content, ask.base(request), lang=_lang(request))
            return ask.page(request, "document", WORDS[name], **values)
        return document(request, content, media_type=SCHEMA, of=[edition])


def _add_features(router: APIRouter, ask: Asking) -> None:
    @router.get("/collections/{collectionId}/items", **operation("items"))
    def _items(request: Request, collectionId: str) -> Response:  # noqa: N803 - OGC spelling
        edition = ask.edition(request, collectionId)
        check_items(edition)
        question_ = question(request, edition)
        if form_of(request) == "html":
            values = page_values.items(request, edition, question_, ask.base(request))
            return ask.page(request, "items", edition.layer.title, **values)
        body = items_json(edition, question_, ask.base(request))
        headers = {"Content-Crs": f"<{question_.crs.uri}>"}
        return document(request, body, media_type=GEOJSON, of=[edition], headers=headers)

    @router.get("/collections/{collectionId}/items/{featureId:path}", **operation("item"))
    def _item(request: Request, collectionId: str, featureId: str) -> Response:  # noqa: N803 - OGC spelling
        check_parameters(request, ("crs",))
        edition = ask.edition(request, collectionId)
        crs = asked(request.query_params.get("crs"), edition.layer, name="crs")
        if form_of(request) == "html":
            values = page_values.item(edition, featureId, crs, ask.base(request))
            return ask.page(request, "item", featureId, **values)
        body = item_json(edition, featureId, crs, ask.base(request))
        headers = {"Content-Crs": f"<{crs.uri}>"}
        return document(request, body, media_type=GEOJSON, of=[edition], headers=headers)


def _add_tiles(router: APIRouter, ask: Asking) -> None:
    @router.get("/tileMatrixSets", **operation("tiling-schemes"))
    def _schemes(request: Request) -> Response:
        check_parameters(request, ())
        base = ask.base(request)
        content = tiling_schemes(base, form=form_of(request))
        if form_of(request) == "html":
            listed = [(one["title"], f"{base}/tileMatrixSets/{one['id']}?f=html") for one in content["tileMatrixSets"]]  # fmt: skip
            return ask.page(
                request, "document", WORDS["schemes"], listed=listed, document="", lead=""
            )
        return document(request, content)

    @router.get("/tileMatrixSets/{tileMatrixSetId}", **operation("tiling-scheme"))
    def _scheme(request: Request, tileMatrixSetId: str) -> Response:  # noqa: N803 - OGC spelling
        check_parameters(request, ())
        content = tiling_scheme(tileMatrixSetId, ask.base(request), form=form_of(request))
        if form_of(request) == "html":
            return ask.page(request, "document", tileMatrixSetId, **page_values.plain(content))
        return document(request, content)

    for kind in ("tiles", "map/tiles"):
        _add_tilesets(router, ask, kind)
    _add_dataset(router, ask)


def _add_tilesets(router: APIRouter, ask: Asking, kind: str) -> None:
    what = "map-" if kind == "map/tiles" else ""

    @router.get(f"/collections/{{collectionId}}/{kind}", **operation(f"{what}tilesets"))
    def _tilesets(request: Request, collectionId: str) -> Response:  # noqa: N803 - OGC spelling
        check_parameters(request, ())
        edition = ask.edition(request, collectionId)
        check_kind(edition.layer, kind)
        content = tilesets_document(edition, ask.base(request), form=form_of(request))
        if form_of(request) == "html":
            return ask.page(
                request, "document", edition.layer.title, **page_values.tilesets(content)
            )
        return document(request, content, of=[edition])

    @router.get(
        f"/collections/{{collectionId}}/{kind}/{{tileMatrixSetId}}", **operation(f"{what}tileset")
    )
    def _tileset(request: Request, collectionId: str, tileMatrixSetId: str) -> Response:  # noqa: N803 - OGC spelling
        check_parameters(request, ())
        edition = ask.edition(request, collectionId)
        check_kind(edition.layer, kind)
        content = tileset_document(
            edition, tileMatrixSetId, ask.base(request), form=form_of(request)
        )
        if form_of(request) == "html":
            return ask.page(request, "document", edition.layer.title, **page_values.plain(content))
        return document(request, content, of=[edition])


def _add_dataset(router: APIRouter, ask: Asking) -> None:
    @router.get(PATH, **operation("dataset-tilesets"))
    def _tilesets(request: Request) -> Response:
        check_parameters(request, ())
        catalogue = ask.published.catalogue
        content = dataset_tilesets(catalogue, ask.base(request), form=form_of(request))
        if form_of(request) == "html":
            title = catalogue.about.title
            return ask.page(request, "document", title, **page_values.tilesets(content))
        return document(request, content)

    @router.get(f"{PATH}/{{tileMatrixSetId}}", **operation("dataset-tileset"))
    def _tileset(request: Request, tileMatrixSetId: str) -> Response:  # noqa: N803 - OGC spelling
        check_parameters(request, ("collections",))
        catalogue, editions = ask.published.catalogue, dataset_layers(ask, request)
        content = dataset_tileset(
            catalogue, editions, tileMatrixSetId, ask.base(request), form=form_of(request),
            collections=request.query_params.get("collections"),
        )  # fmt: skip
        if form_of(request) == "html":
            return ask.page(
                request, "document", catalogue.about.title, **page_values.plain(content)
            )
        return document(request, content, of=editions)


def _add_styles(router: APIRouter, ask: Asking) -> None:
    @router.get("/styles", **operation("styles"))
    def _styles(request: Request) -> Response:
        check_parameters(request, ())
        content = styles_document(ask.published.catalogue, ask.base(request), form=form_of(request))
        if form_of(request) == "html":
            listed = [(one["title"], one["links"][0]["href"]) for one in content["styles"]]
            return ask.page(
                request, "document", WORDS["styles"], listed=listed, document="", lead=""
            )
        return document(request, content)

    @router.get("/styles/{styleId}", **operation("style"))
    def _style(request: Request, styleId: str) -> Response:  # noqa: N803 - OGC spelling
        check_parameters(request, ())
        form_of(request, offered=("json",))
        passed = ask.doorkeeper.pass_of(request.scope).passed(request.scope)
        content = style_document(ask.published.catalogue, styleId, ask.base(request), passed=passed)
        private = {"Cache-Control": "private, no-cache"} if passed else None
        return document(request, content, media_type=MAPLIBRE, headers=private)


def _add_pages(router: APIRouter, ask: Asking) -> None:
    @router.get("/openapi.json", include_in_schema=False)
    def _openapi(request: Request) -> Response:
        check_parameters(request, ())
        return document(request, request.app.openapi(), media_type=OPENAPI)

    @router.get("/docs", include_in_schema=False)
    def _docs(request: Request) -> Response:
        check_parameters(request, ())
        values = reference(request.app.openapi(), language_of(request))
        return ask.page(request, "docs", WORDS["docs"], **values)

    @router.get("/docs/try.js", include_in_schema=False)
    def _try() -> Response:
        return FileResponse(
            FOLDER / "try.js", media_type="text/javascript", headers={"Cache-Control": "no-cache"}
        )
