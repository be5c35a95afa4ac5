"""How does the OpenAPI document describe the addresses of the OGC APIs? As data, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from gisgrid.schema import Text
from gisgrid_server.ogc.questions import DEFAULT_LIMIT, MAX_LIMIT

_JSON, _HTML, _GEOJSON, _SCHEMA = "application/json", "text/html", "application/geo+json", "application/schema+json"  # fmt: skip


class _Operation(NamedTuple):
    tag: str
    zh: str
    en: str
    parameters: Sequence[str]
    content: Mapping[str, str]


_PAGE: Final = ("f", "lang", "key")
_ONE: Final = ("f", "lang", "key", "crs")
_MANY: Final = (
    "bbox", "bbox-crs", "datetime", "filter", "filter-lang", "filter-crs", "properties", "limit", "after", "before",
    "crs", *_PAGE,
)  # fmt: skip

OPERATIONS: Final[Mapping[str, _Operation]] = {
    "landing": _Operation("Capabilities", "开放接口的首页（浏览器得到地图）", "The landing page (a browser gets the map)", _PAGE, {_JSON: "landingPage"}),
    "conformance": _Operation("Capabilities", "遵循哪些标准？", "Which standards does the server keep?", _PAGE, {_JSON: "confClasses"}),
    "collections": _Operation("Data", "有哪些图层？", "What layers are there?", _PAGE, {_JSON: "collections"}),
    "collection": _Operation("Data", "一个图层是什么？", "What is a layer?", _PAGE, {_JSON: "collection"}),
    "queryables": _Operation("Data", "可以按哪些属性查询？", "What may a layer be asked by?", _PAGE, {_SCHEMA: "jsonSchema"}),
    "schema": _Operation("Data", "要素有哪些属性？", "What do a layer's features hold?", _PAGE, {_SCHEMA: "jsonSchema"}),
    "items": _Operation("Data", "按条件取出一页要素", "A page of features", _MANY, {_GEOJSON: "featureCollection"}),
    "item": _Operation("Data", "一个要素", "One feature", _ONE, {_GEOJSON: "feature"}),
    "tiling-schemes": _Operation("Tiles", "有哪些瓦片方案？", "What tile matrix sets are there?", _PAGE, {_JSON: "tileMatrixSets"}),
    "tiling-scheme": _Operation("Tiles", "一个瓦片方案的定义", "The definition of a tile matrix set", _PAGE, {_JSON: "tileMatrixSet"}),
    "tilesets": _Operation("Tiles", "一个图层有哪些矢量瓦片集？", "The tilesets of a layer's features", _PAGE, {_JSON: "tileSets"}),
    "tileset": _Operation("Tiles", "一个矢量瓦片集", "A tileset of a layer's features", _PAGE, {_JSON: "tileSet"}),
    "map-tilesets": _Operation("Tiles", "一个图层有哪些图片瓦片集？", "The tilesets of a layer's pictures", _PAGE, {_JSON: "tileSets"}),
    "map-tileset": _Operation("Tiles", "一个图片瓦片集", "A tileset of a layer's pictures", _PAGE, {_JSON: "tileSet"}),
    "dataset-tilesets": _Operation("Tiles", "所有图层合在一起有哪些瓦片集？", "The tilesets of all layers together", _PAGE, {_JSON: "tileSets"}),
    "dataset-tileset": _Operation("Tiles", "所有图层的一个瓦片集", "A tileset of all layers together", ("collections", *_PAGE), {_JSON: "tileSet"}),
    "styles": _Operation("Styles", "有哪些样式？", "What styles are there?", _PAGE, {_JSON: "styles"}),
    "style": _Operation("Styles", "一个 MapLibre 样式", "A MapLibre style", _PAGE, {"application/vnd.mapbox.style+json": "style"}),
}  # fmt: skip
"""What each address answers, in the words of both languages; `operation` makes FastAPI's arguments of it."""


def _parameter(
    name: str, zh: str, en: str, schema: dict[str, Any], **more: object
) -> dict[str, Any]:
    place = {"name": name, "in": "query", "required": False}
    return {**place, "description": en, "x-zh": zh, "schema": schema, **more}


_TEXT: Final[dict[str, Any]] = {"type": "string"}
_CRS_EXAMPLE: Final = "http://www.opengis.net/def/crs/EPSG/0/4490"

PARAMETERS: Final[Mapping[str, dict[str, Any]]] = {
    "f": _parameter("f", "回答的格式", "The form of the answer", {"type": "string", "enum": ["json", "html"]}),
    "lang": _parameter("lang", "页面的语言", "The language of a page", {"type": "string", "enum": ["zh", "en"]}),
    "key": _parameter("key", "访问密钥（也可放在请求头 Authorization: Bearer 或 X-API-Key）", "A key, for programs that cannot send Authorization: Bearer or X-API-Key", _TEXT),
    "crs": _parameter("crs", "坐标用哪个参照系给出，默认 CRS84（经度、纬度）", "The CRS of the answer's coordinates, in the order of its axes; CRS84 (longitude, latitude) by default", {**_TEXT, "format": "uri"}, example=_CRS_EXAMPLE),
    "bbox-crs": _parameter("bbox-crs", "bbox 的坐标参照系，默认 CRS84", "The CRS of `bbox`; CRS84 by default", {**_TEXT, "format": "uri"}, example=_CRS_EXAMPLE),
    "bbox": _parameter("bbox", "范围：西、南、东、北；西大于东表示跨越 180° 经线", "A box: west, south, east, north; it crosses the antimeridian where west is greater than east", {"type": "array", "minItems": 4, "maxItems": 6, "items": {"type": "number"}}, style="form", explode=False, example=[113.4, 34.6, 113.9, 34.9]),
    "datetime": _parameter("datetime", "时间或时间段，.. 表示不限", "A time or an interval; .. is open", _TEXT, example="2026-01-01T00:00:00Z/.."),
    "filter": _parameter("filter", "CQL2 条件", "A condition in CQL2", {**_TEXT, "maxLength": 8000}, example="category = 'sewage' AND S_INTERSECTS(geometry, BBOX(113.4, 34.6, 113.9, 34.9))"),
    "filter-lang": _parameter("filter-lang", "条件的写法", "How `filter` is written", {**_TEXT, "enum": ["cql2-text", "cql2-json"], "default": "cql2-text"}),
    "filter-crs": _parameter("filter-crs", "条件中坐标的参照系，只有 CRS84", "The CRS of places in `filter`: CRS84 only", {**_TEXT, "format": "uri"}),
    "limit": _parameter("limit", "一页最多多少个要素", "Features of a page at most; a greater number counts as the maximum", {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}),
    "after": _parameter("after", "从这个编号之后的要素开始（next 链接会给出）", "The page begins after this feature; `next` links name it", {"type": "integer", "minimum": 0}),
    "before": _parameter("before", "到这个编号之前的要素为止（prev 链接会给出）", "The page ends before this feature; `prev` links name it", {"type": "integer", "minimum": 0}),
    "properties": _parameter("properties", "任何可查询的属性：属性=值", "Any queryable: property=value", {"type": "object", "additionalProperties": _TEXT}, style="form", explode=True),
    "collections": _parameter("collections", "瓦片中的图层，用逗号分隔", "The layers in the tiles, between commas", _TEXT, example="communities,issue_hotspots"),
    "f-tile": _parameter("f", "瓦片的格式", "The form of the tile", {"type": "string", "enum": ["mvt", "png"]}),
}  # fmt: skip
"""Query parameters by their name in `OPERATIONS`."""

PLACES: Final[Mapping[str, Text]] = {
    name: Text(zh=zh, en=en)
    for name, zh, en in (
        ("collectionId", "图层", "The layer"),
        ("layer", "图层", "The layer"),
        ("layers", "图层，多个用逗号分隔", "The layer, or several between commas"),
        ("featureId", "要素的主键", "The feature's key"),
        ("tileMatrixSetId", "瓦片方案：WebMercatorQuad、WorldCRS84Quad 或 CGCS2000Quad", "The tile matrix set: WebMercatorQuad, WorldCRS84Quad or CGCS2000Quad"),
        ("tileMatrix", "缩放级别", "The zoom"),
        ("tileRow", "行，从北数起", "The row, counted from the north"),
        ("tileCol", "列，从西数起", "The column, counted from the west"),
        ("styleId", "样式：图层，或 all-layers", "The style: a layer, or all-layers"),
        ("z", "缩放级别", "The zoom"),
        ("x", "列，从西数起", "The column, counted from the west"),
        ("y", "行，从北数起", "The row, counted from the north"),
    )
}  # fmt: skip
"""What the parts of an address mean."""


def operation(name: str) -> dict[str, Any]:
    """Give a route's description as FastAPI takes it.

    Parameters
    ----------
    name
        One of `OPERATIONS`.

    Returns
    -------
    dict
        Keyword arguments of ``router.get``.
    """
    about = OPERATIONS[name]
    content = {
        form: {"schema": {"$ref": f"#/components/schemas/{schema}"}}
        for form, schema in about.content.items()
    }
    if name != "style":
        content[_HTML] = {"schema": {"type": "string"}}
    return {
        "tags": [about.tag],
        "summary": about.en,
        "operation_id": name,
        "response_model": None,
        "openapi_extra": {
            "x-zh": about.zh,
            "parameters": [PARAMETERS[one] for one in about.parameters],
            "responses": {"200": {"description": about.en, "content": content}},
        },
    }
