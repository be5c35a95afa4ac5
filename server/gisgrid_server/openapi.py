"""What does the server say of itself? ``/openapi.json``: OpenAPI 3.0.3, complete, in English with Chinese beside it.

FastAPI describes its own routes in OpenAPI 3.1; the standards that the server keeps ask for 3.0, so the few words that
differ are put into the older form. Tiles and WMTS stand outside the framework and are described here by hand.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from gisgrid_server.ogc.parameters import OPERATIONS, PARAMETERS, PLACES, operation
from gisgrid_server.ogc.schemas import SCHEMAS

VERSION: Final = "3.0.3"

_PROBLEM: Final = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/problem"}}}
_REPORT: Final = {"application/xml": {"schema": {"type": "string"}}}
"""A mistake as clients of WMTS read it."""

_MISTAKES: Final = {
    "400": ("a parameter is unknown or cannot be read", "参数未知或无效"),
    "401": ("the layer needs a key", "图层需要访问密钥"),
    "403": ("the key is not for this layer, or the layer shows no single features", "密钥无权访问，或图层不公开单个要素"),
    "404": ("there is no such thing", "没有这样的内容"),
    "406": ("none of the forms is accepted", "没有可接受的格式"),
    "503": ("the data are not there yet, or the server is busy", "数据尚未就绪，或服务器繁忙"),
}  # fmt: skip
"""What any address may answer when something is wrong."""

_ZH: Final = {
    "What layers are there?": "有哪些图层？",
    "The MapLibre style of the whole map": "整个地图的 MapLibre 样式",
    "The MapLibre style of one layer": "一个图层的 MapLibre 样式",
    "A page of a layer's rows": "一个图层的一页行",
    "How many rows have each value?": "每个取值有多少行？",
    "How many issues had each unit, month by month?": "每个单元每月有多少事件？",
    "Where are the hot areas, and how sure is that?": "热点在哪里，有多大把握？",
    "Does the server answer?": "服务器是否在运行？",
    "Who am I, what may I do, and what words does this city use?": "我是谁，可以做什么，本市用哪些词？",
    "A page of the cases that I see": "我能看到的一页案件",
    "How many cases would each choice of a filter give?": "筛选条件的每个选项各有多少案件？",
    "A case: its events, its photos, and what I may do next": "一个案件：经过、照片和下一步",
    "Do something with a case": "办理案件的下一步",
    "What happens, as it happens (server-sent events)": "案件动态（服务器推送）",
    "The cases of a filter as CSV, Excel, GeoPackage or GeoJSON": "导出筛选出的案件（CSV、Excel、GeoPackage、GeoJSON）",
    "The indicators of a period, of the cases that I see": "我能看到的案件在一段时期的指标",
    "Are the layers read?": "图层是否已经读入？",
    "Numbers for Prometheus": "给 Prometheus 的运行数字",
}
"""Summaries of routes that are described elsewhere, in Chinese."""


def describe(app: FastAPI) -> None:
    """Make an application describe itself whole.

    Parameters
    ----------
    app
        The application; all its routes are there already.
    """
    alone = (
        threading.Lock()
    )  # of two threads that begin at once, one would meet the half of the other

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            with alone:
                app.openapi_schema = app.openapi_schema or document(app)
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]  # FastAPI's own way to extend the description


def document(app: FastAPI) -> dict[str, Any]:
    """Write the description.

    Parameters
    ----------
    app
        The application.

    Returns
    -------
    dict
        OpenAPI 3.0.3.
    """
    made = get_openapi(
        title=app.title,
        version=app.version,
        summary=None,
        description=app.summary,
        routes=app.routes,
    )
    paths = {**_landing(), **made["paths"], **_tile_paths()}
    for path, operations in paths.items():
        for one in operations.values():
            _complete(one, path)
    schemas = {**made.get("components", {}).get("schemas", {}), **SCHEMAS}
    for unused in ("HTTPValidationError", "ValidationError"):  # mistakes are problems here
        schemas.pop(unused, None)
    return {
        "openapi": VERSION,
        "info": made["info"],
        "servers": [{"url": ".", "description": "this server"}],
        "tags": [{"name": name} for name in _tags(paths.values())],
        "paths": {path: _older(operations) for path, operations in paths.items()},
        "components": {
            "schemas": _older(schemas),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
                "query": {"type": "apiKey", "in": "query", "name": "key"},
            },
        },
        "security": [{}, {"bearer": []}, {"header": []}, {"query": []}],
    }


def _landing() -> dict[str, Any]:
    about = operation("landing")
    return {"/": {"get": {"tags": about["tags"], "summary": about["summary"], "operationId": "landing", **about["openapi_extra"]}}}  # fmt: skip


def _complete(one: dict[str, Any], path: str) -> None:
    """Say in both languages what an operation, its parameters and its mistakes are."""
    one.setdefault("x-zh", _ZH.get(one.get("summary", ""), one.get("summary", "")))
    for parameter in one.get("parameters", ()):
        words = PLACES.get(parameter["name"]) if parameter["in"] == "path" else None
        if words is not None:
            parameter |= {"description": words.en, "x-zh": words.zh}
        elif parameter["name"] in PARAMETERS:
            parameter.setdefault("x-zh", PARAMETERS[parameter["name"]]["x-zh"])
        parameter["schema"].pop("title", None)
    responses = one.setdefault("responses", {})
    responses.pop("422", None)
    if path in {"/healthz", "/readyz", "/metrics"}:
        return
    content = {**_PROBLEM, **_REPORT} if path.startswith("/wmts") else _PROBLEM
    for status, (en, zh) in _MISTAKES.items():
        responses.setdefault(status, {"description": en, "x-zh": zh, "content": content})


def _tags(paths: Iterable[dict[str, Any]]) -> list[str]:
    order = dict.fromkeys(about.tag for about in OPERATIONS.values())
    found = (tag for operations in paths for one in operations.values() for tag in one["tags"])
    return list({**order, **dict.fromkeys(found)})


def _older(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Put a JSON Schema of OpenAPI 3.1 into the words of 3.0."""
    if isinstance(value, list):
        return [_older(part) for part in value]
    if not isinstance(value, dict):
        return value
    older = {name: _older(part) for name, part in value.items()}
    choices = older.get("anyOf")
    if isinstance(choices, list) and {"type": "null"} in choices:
        rest = [choice for choice in choices if choice != {"type": "null"}]
        del older["anyOf"]
        older |= {**(rest[0] if len(rest) == 1 else {"anyOf": rest}), "nullable": True}
    if "const" in older:
        older["enum"] = [older.pop("const")]
    for name, limit in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(older.get(name), int | float) and not isinstance(older.get(name), bool):
            older[limit], older[name] = older[name], True
    return older


def _tile_paths() -> dict[str, Any]:
    mvt = {"application/vnd.mapbox-vector-tile": {"schema": {"type": "string", "format": "binary"}}}
    png = {"image/png": {"schema": {"type": "string", "format": "binary"}}}
    place, ogc_place = ["z", "x", "y"], ["tileMatrixSetId", "tileMatrix", "tileRow", "tileCol"]
    filters = ["filter", "filter-lang", "datetime", "properties", "key"]
    colours = [_query("ramp", "配色", "A colour ramp by name"), _query("rescale", "取值范围，例如 0,50", "The values of the ramp's ends, for example 0,50")]  # fmt: skip
    version = _query("v", "数据版本（TileJSON 会给出），这样的瓦片可保存一年", "The version of the data, as TileJSON gives it; such a tile may be kept for a year")  # fmt: skip
    told = {"application/json": {"schema": {"$ref": "#/components/schemas/tileJson"}}}
    xml = {"application/xml": {"schema": {"type": "string"}}}
    of_features = ("tile", "矢量瓦片（MVT 2.1）", "A vector tile (MVT 2.1)")
    of_pictures = ("picture", "图片瓦片", "A tile of a raster")
    tile = "/tiles/{layers}/{z}/{x}/{y}"
    ogc = "{tileMatrixSetId}/{tileMatrix}/{tileRow}/{tileCol}"
    return {
        "/tiles/{layers}/tilejson.json": _tile_path(("tilejson", "瓦片的 TileJSON 3.0.0 说明", "TileJSON 3.0.0"), ["layers"], [*filters], [], told, empty=False),
        f"{tile}.mvt": _tile_path(of_features, ["layers", *place], filters, [version], mvt),
        f"{tile}.png": _tile_path(of_pictures, ["layers", *place], ["key"], [*colours, version], png, empty=False),
        f"/collections/{{collectionId}}/tiles/{ogc}": _tile_path(("ogcTile", *of_features[1:]), ["collectionId", *ogc_place], [*filters, "f-tile"], [], mvt),
        f"/collections/{{collectionId}}/map/tiles/{ogc}": _tile_path(("ogcPicture", *of_pictures[1:]), ["collectionId", *ogc_place], ["key", "f-tile"], colours, png, empty=False),
        f"/dataset/tiles/{ogc}": _tile_path(("datasetTile", "所有图层的矢量瓦片（MVT 2.1）", "A vector tile of all layers (MVT 2.1)"), ogc_place, ["collections", *filters, "f-tile"], [], mvt),
        "/wmts/1.0.0/WMTSCapabilities.xml": _tile_path(("wmtsCapabilities", "WMTS 1.0.0 能力文档", "WMTS 1.0.0 capabilities"), [], ["key"], [], xml, empty=False),
        "/wmts": _tile_path(("wmts", "WMTS 1.0.0（KVP）", "WMTS 1.0.0 by key-value pairs"), [], ["key"], [
            _query("SERVICE", "WMTS", "WMTS", enum=["WMTS"]), _query("REQUEST", "请求", "The request", enum=["GetCapabilities", "GetTile"]),
            _query("VERSION", "版本", "The version", enum=["1.0.0"]), *(
                _query(name, zh, en) for name, zh, en in (
                    ("LAYER", "图层", "The layer"), ("STYLE", "样式：default", "The style: default"), ("FORMAT", "格式：image/png", "The form: image/png"),
                    ("TILEMATRIXSET", "瓦片方案", "The tile matrix set"), ("TILEMATRIX", "缩放级别", "The zoom"), ("TILEROW", "行", "The row"), ("TILECOL", "列", "The column"),
                ))], {**xml, **png}, empty=False),
    }  # fmt: skip


def _query(name: str, zh: str, en: str, **schema: object) -> dict[str, Any]:
    return {
        "name": name, "in": "query", "required": False, "description": en, "x-zh": zh,
        "schema": {"type": "string", **schema},
    }  # fmt: skip


def _tile_path(
    about: tuple[str, str, str],
    places: list[str],
    named: list[str],
    more: list[dict[str, Any]],
    content: dict[str, Any],
    *,
    empty: bool = True,
) -> dict[str, Any]:
    name, zh, en = about
    number = {"type": "integer", "minimum": 0}
    text = {"type": "string"}
    schemas = {"layers": text, "collectionId": text, "tileMatrixSetId": text}
    at = [
        {"name": one, "in": "path", "required": True, "schema": dict(schemas.get(one, number))}
        for one in places
    ]
    responses: dict[str, Any] = {"200": {"description": en, "content": content}}
    if empty:
        responses["204"] = {"description": "a tile without features"}
    if places:
        responses["304"] = {"description": "the client has it already (If-None-Match)"}
    parameters = [*at, *(dict(PARAMETERS[one]) for one in named), *more]
    tag = "WMTS" if name.startswith("wmts") else "Tiles"
    one = {"tags": [tag], "operationId": name, "summary": en, "x-zh": zh, "parameters": parameters, "responses": responses}  # fmt: skip
    return {"get": one}
