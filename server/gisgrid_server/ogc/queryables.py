"""What may a layer be asked by, and what does it answer? JSON Schemas of its properties (Part 3 and Part 5)."""

from __future__ import annotations

from typing import Any, Final

from gisgrid.schema import Field
from gisgrid_server.layers.editions import Edition
from gisgrid_server.ogc.links import SCHEMA, address, both

_DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
_FORMATS: Final = {
    "Point": "geometry-point-or-multipoint",
    "LineString": "geometry-linestring-or-multilinestring",
    "Polygon": "geometry-polygon-or-multipolygon",
}
_TYPES: Final[dict[str, dict[str, str]]] = {
    "string": {"type": "string"},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
}
GEOMETRY: Final = "geometry"
"""The name that a filter knows the geometry under."""


def queryables_document(edition: Edition, base: str) -> dict[str, Any]:
    """Say what a layer may be asked by, in `filter` and as ``property=value``.

    Parameters
    ----------
    edition
        The layer as it is now.
    base
        The server's address.

    Returns
    -------
    dict
        A JSON Schema; whatever is not in it cannot be asked by.
    """
    document = _schema(edition, base, "queryables")
    return {**document, "additionalProperties": False}


def schema_document(edition: Edition, base: str) -> dict[str, Any]:
    """Say what a layer's features hold.

    Parameters
    ----------
    edition
        The layer as it is now.
    base
        The server's address.

    Returns
    -------
    dict
        A JSON Schema.
    """
    document = _schema(edition, base, "schema")
    key = edition.layer.primary_key
    if key is not None:
        document["properties"][key]["x-ogc-role"] = "id"
    return document


def media_type() -> str:
    """Name the form of both documents.

    Returns
    -------
    str
        A media type.
    """
    return SCHEMA


def _schema(edition: Edition, base: str, name: str) -> dict[str, Any]:
    layer = edition.layer
    properties: dict[str, Any] = {}
    if layer.kind == "vector":
        properties[GEOMETRY] = {
            "title": "位置 · Place",
            "x-ogc-role": "primary-geometry",
            "format": _FORMATS[layer.geometry],
        }
    properties |= {field.name: described(field) for field in edition.shown}
    return {
        "$schema": _DRAFT,
        "$id": address(base, f"/collections/{layer.id}/{name}"),
        "type": "object",
        "title": both(layer.title),
        "properties": properties,
    }


def described(field: Field) -> dict[str, Any]:
    """Describe a property as JSON Schema.

    Parameters
    ----------
    field
        The property.

    Returns
    -------
    dict
        JSON Schema.
    """
    document: dict[str, Any] = {"title": both(field.description), **_TYPES[field.type]}
    if field.allowed_values is not None:
        document["enum"] = list(field.allowed_values)
    if field.labels is not None:
        document["x-labels"] = {value: text.model_dump() for value, text in field.labels.items()}
    if field.minimum is not None:
        document["minimum"] = field.minimum
    if field.maximum is not None:
        document["maximum"] = field.maximum
    if field.unit is not None:
        document["x-ogc-unit"] = field.unit
    return document
