"""The description of the tile routes for ``/openapi.json``, by hand: they stand outside the framework's routing."""

from __future__ import annotations

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

_NUMBER: Final = {"type": "integer", "minimum": 0}
_LAYER: Final = {"name": "layer", "in": "path", "required": True, "schema": {"type": "string"}}
_PLACE: Final = [
    {"name": name, "in": "path", "required": True, "schema": _NUMBER, "description": text}
    for name, text in (("z", "zoom"), ("x", "column from the west"), ("y", "row from the north"))
]
_VERSION: Final = {
    "name": "v", "in": "query", "required": False, "schema": {"type": "string"},
    "description": "the version of the data, as TileJSON gives it; such a tile may be kept for a year",
}  # fmt: skip
_PROBLEM: Final = {"application/problem+json": {"schema": {"type": "object"}}}


def with_tiles(app: FastAPI) -> None:
    """Add the tile routes to the description that an application gives of itself.

    Parameters
    ----------
    app
        The application.
    """

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(
                title=app.title, version=app.version, summary=app.summary, routes=app.routes
            )
            document["paths"].update(_tile_paths())
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]  # FastAPI's own way to extend the description


def _tile_paths() -> dict[str, Any]:
    vector = {
        "application/vnd.mapbox-vector-tile": {"schema": {"type": "string", "format": "binary"}}
    }
    image = {"image/png": {"schema": {"type": "string", "format": "binary"}}}
    return {
        "/tiles/{layer}/tilejson.json": {
            "get": _operation("TileJSON 3.0.0 of a layer", [_LAYER], {"application/json": {"schema": {"type": "object"}}})
        },
        "/tiles/{layer}/{z}/{x}/{y}.mvt": {"get": _operation("A vector tile (also .pbf)", [_LAYER, *_PLACE, _VERSION], vector)},
        "/tiles/{layer}/{z}/{x}/{y}.png": {"get": _operation("A tile of a raster", [_LAYER, *_PLACE, _VERSION], image)},
    }  # fmt: skip


def _operation(
    summary: str, parameters: list[dict[str, Any]], content: dict[str, Any]
) -> dict[str, Any]:
    return {
        "tags": ["tiles"],
        "summary": summary,
        "parameters": parameters,
        "responses": {
            "200": {"description": "the tile or its description", "content": content},
            "204": {"description": "a vector tile without features"},
            "304": {"description": "the client has it already (If-None-Match)"},
            "400": {"description": "a place that is no number", "content": _PROBLEM},
            "404": {
                "description": "no such layer or tile, or outside its zooms",
                "content": _PROBLEM,
            },
            "503": {"description": "the layer's data are not there yet", "content": _PROBLEM},
        },
    }
