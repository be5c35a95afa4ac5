"""What do the answers look like? The schemas of the OpenAPI document, after those of the OGC."""

from __future__ import annotations

from typing import Any, Final

_TEXT: Final[dict[str, Any]] = {"type": "string"}
_OBJECT: Final[dict[str, Any]] = {"type": "object"}


def _to(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _list(of: dict[str, Any], **more: object) -> dict[str, Any]:
    return {"type": "array", "items": of, **more}


def _record(required: tuple[str, ...], **properties: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON Schema
    return {"type": "object", "required": list(required), "properties": properties}


_LINKS: Final = _list(_to("link"))
_COUNT: Final = {"type": "integer", "minimum": 0}
_NUMBERS: Final = _list({"type": "number"}, minItems=4, maxItems=6)

SCHEMAS: Final[dict[str, dict[str, Any]]] = {
    "problem": _record(
        ("type", "title", "status", "detail", "detail_zh"),
        type=_TEXT, title=_TEXT, status={"type": "integer"}, detail=_TEXT, detail_zh=_TEXT,
    ),
    "link": _record(
        ("href", "rel"),
        href=_TEXT, rel=_TEXT, type=_TEXT, title=_TEXT, templated={"type": "boolean"},
    ),
    "landingPage": _record(("title", "links"), title=_TEXT, description=_TEXT, links=_LINKS),
    "confClasses": _record(("conformsTo",), conformsTo=_list(_TEXT), links=_LINKS),
    "collections": _record(
        ("links", "collections"),
        links=_LINKS, collections=_list(_to("collection")), numberMatched=_COUNT, numberReturned=_COUNT,
    ),
    "collection": _record(
        ("id", "links"),
        id=_TEXT, title=_TEXT, description=_TEXT, attribution=_TEXT, links=_LINKS, extent=_to("extent"),
        itemType={"type": "string", "enum": ["feature"]}, crs=_list(_TEXT), storageCrs=_TEXT,
        dataType={"type": "string", "enum": ["vector", "map"]},
        geometryDimension={"type": "integer", "minimum": 0, "maximum": 2},
    ),
    "extent": _record(
        (),
        spatial=_record((), bbox=_list(_NUMBERS, minItems=1), crs=_TEXT),
        temporal=_record((), interval=_list(_list({**_TEXT, "nullable": True}, minItems=2, maxItems=2), minItems=1), trs=_TEXT),
    ),
    "jsonSchema": _record(("$schema", "type", "properties"), type=_TEXT, properties=_OBJECT, title=_TEXT),
    "geometry": _record(
        ("type", "coordinates"),
        type={"type": "string", "enum": ["Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon"]},
        coordinates={"type": "array", "items": {}},
    ),
    "feature": _record(
        ("type", "geometry", "properties"),
        type={"type": "string", "enum": ["Feature"]}, id={"oneOf": [_TEXT, {"type": "number"}]},
        geometry={"allOf": [_to("geometry")], "nullable": True}, properties={"type": "object", "nullable": True},
        links=_LINKS,
    ),
    "featureCollection": _record(
        ("type", "features"),
        type={"type": "string", "enum": ["FeatureCollection"]}, features=_list(_to("feature")), links=_LINKS,
        numberMatched=_COUNT, numberReturned=_COUNT,
    ),
    "tileMatrixSets": _record(
        ("tileMatrixSets",),
        tileMatrixSets=_list(_record(("id", "links"), id=_TEXT, title=_TEXT, uri=_TEXT, crs=_TEXT, links=_LINKS)),
        links=_LINKS,
    ),
    "tileMatrixSet": _record(
        ("crs", "tileMatrices"),
        id=_TEXT, title=_TEXT, uri=_TEXT, crs=_TEXT, orderedAxes=_list(_TEXT), wellKnownScaleSet=_TEXT, links=_LINKS,
        tileMatrices=_list(
            _record(
                ("id", "scaleDenominator", "cellSize", "pointOfOrigin", "tileWidth", "tileHeight", "matrixWidth", "matrixHeight"),
                id=_TEXT, scaleDenominator={"type": "number"}, cellSize={"type": "number"}, cornerOfOrigin=_TEXT,
                pointOfOrigin=_list({"type": "number"}, minItems=2, maxItems=2), tileWidth=_COUNT, tileHeight=_COUNT,
                matrixWidth=_COUNT, matrixHeight=_COUNT,
            )
        ),
    ),
    "tileSets": _record(("tilesets",), tilesets=_list(_to("tileSet")), links=_LINKS),
    "tileSet": _record(
        ("dataType", "crs", "links"),
        title=_TEXT, description=_TEXT, dataType={"type": "string", "enum": ["vector", "map"]}, crs=_TEXT,
        tileMatrixSetURI=_TEXT, links=_LINKS, attribution=_TEXT, license=_TEXT, boundingBox=_OBJECT, centerPoint=_OBJECT,
        tileMatrixSetLimits=_list(
            _record(
                ("tileMatrix", "minTileRow", "maxTileRow", "minTileCol", "maxTileCol"),
                tileMatrix=_TEXT, minTileRow=_COUNT, maxTileRow=_COUNT, minTileCol=_COUNT, maxTileCol=_COUNT,
            )
        ),
        layers=_list(_record(("id", "dataType"), id=_TEXT, dataType=_TEXT, title=_TEXT, description=_TEXT), minItems=1),
    ),
    "styles": _record(
        ("styles",),
        styles=_list(_record(("id", "links"), id=_TEXT, title=_TEXT, links=_LINKS)), default=_TEXT, links=_LINKS,
    ),
    "style": _record(
        ("version", "sources", "layers"),
        version={"type": "integer", "enum": [8]}, name=_TEXT, sources=_OBJECT, layers=_list(_OBJECT),
    ),
    "tileJson": _record(
        ("tilejson", "tiles", "vector_layers"),
        tilejson={"type": "string", "enum": ["3.0.0"]}, tiles=_list(_TEXT, minItems=1), vector_layers=_list(_OBJECT),
        name=_TEXT, description=_TEXT, attribution=_TEXT, minzoom=_COUNT, maxzoom=_COUNT, bounds=_NUMBERS,
        center=_list({"type": "number"}, minItems=3, maxItems=3),
    ),
}  # fmt: skip
"""JSON Schemas in the words of OpenAPI 3.0, by name."""
