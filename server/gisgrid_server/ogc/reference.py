"""How does the API reference read? ``/docs``: every address of ``/openapi.json`` on one page, without another host."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from gisgrid_server.ogc.html import pretty
from gisgrid_server.ogc.negotiation import Language

_METHODS: Final = ("get", "post", "put", "patch", "delete")
_TAGS_ZH: Final = {
    "Capabilities": "能力", "Data": "数据", "Tiles": "瓦片", "Styles": "样式", "WMTS": "WMTS", "catalogue": "目录",
    "styles": "样式文件", "rows": "行", "findings": "发现", "server": "服务器", "tiles": "瓦片", "live": "实时上报",
}  # fmt: skip
_PLACES_ZH: Final = {"path": "地址", "query": "查询", "header": "请求头"}


def reference(document: Mapping[str, Any], language: Language) -> dict[str, Any]:
    """Gather the page of the API reference.

    Parameters
    ----------
    document
        OpenAPI 3.0.
    language
        The reader's.

    Returns
    -------
    dict
        Values of the page.
    """
    by_tag: dict[str, list[dict[str, Any]]] = {tag["name"]: [] for tag in document["tags"]}
    for path, operations in document["paths"].items():
        for method in _METHODS:
            if method in operations:
                one = operations[method]
                by_tag[one["tags"][0]].append(_operation(path, method, one, language))
    tags = [
        {
            "id": f"tag-{name}",
            "title": _TAGS_ZH.get(name, name) if language == "zh" else name,
            "operations": found,
        }
        for name, found in by_tag.items()
        if found
    ]
    schemas = [(name, pretty(schema)) for name, schema in document["components"]["schemas"].items()]
    return {"tags": tags, "schemas": schemas, "version": document["openapi"]}


def _operation(
    path: str, method: str, one: Mapping[str, Any], language: Language
) -> dict[str, Any]:
    return {
        "id": one.get("operationId", f"{method}-{path}"),
        "path": path,
        "method": method.upper(),
        "summary": one["x-zh"] if language == "zh" else one.get("summary", ""),
        "description": one.get("description", ""),
        "parameters": [_parameter(parameter, language) for parameter in one.get("parameters", ())],
        "responses": [
            _response(status, told, language) for status, told in sorted(one["responses"].items())
        ],
    }


def _parameter(parameter: Mapping[str, Any], language: Language) -> dict[str, Any]:
    schema = parameter.get("schema", {})
    example = parameter.get("example", schema.get("default", ""))
    if isinstance(example, list):
        example = ",".join(map(str, example))
    zh = parameter.get("x-zh", parameter.get("description", ""))
    return {
        "name": parameter["name"],
        "in": parameter["in"],
        "place": _PLACES_ZH[parameter["in"]] if language == "zh" else parameter["in"],
        "required": parameter.get("required", False),
        "type": _type(schema),
        "allowed": schema.get("enum", ()),
        "description": zh if language == "zh" else parameter.get("description", ""),
        "example": example,
    }


def _response(status: str, told: Mapping[str, Any], language: Language) -> dict[str, Any]:
    content = []
    for media, about in told.get("content", {}).items():
        name = about.get("schema", {}).get("$ref", "").rpartition("/")[2]
        content.append((media, name, f"#schema-{name}"))
    text = told.get("x-zh", told["description"]) if language == "zh" else told["description"]
    return {"status": status, "description": text, "content": content}


def _type(schema: Mapping[str, Any]) -> str:
    name = str(schema.get("type", ""))
    if name == "array":
        return f"[{_type(schema.get('items', {}))}]"
    ends = [str(schema[end]) for end in ("minimum", "maximum") if end in schema]
    return f"{name} {'–'.join(ends)}" if len(ends) == 2 else f"{name} ≥ {ends[0]}" if ends else name
