"""What does a map need to know to draw the layers? TileJSON 3.0.0 and MapLibre styles."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any, Final

from gisgrid.catalogue import Catalogue, Layer, StyleLayer
from gisgrid.palette import GROUND
from gisgrid.tiles.raster import SIDE
from gisgrid_server.published import Edition

_TYPES: Final = {
    "string": "String", "date": "String", "datetime": "String",
    "integer": "Number", "number": "Number", "boolean": "Boolean",
}  # fmt: skip


def tilejson(edition: Edition, *, base: str) -> dict[str, Any]:
    """Describe the tiles of a layer (TileJSON 3.0.0).

    Parameters
    ----------
    edition
        A drawn layer as it is now.
    base
        The server's address.

    Returns
    -------
    dict
        JSON. The tiles' address names the version of the data, so that they can be kept for good.

    Raises
    ------
    LayerNotFoundError
        The layer is not drawn.
    """
    layer, source = edition.layer, edition.source
    suffix = "png" if layer.kind == "raster" else "mvt"
    document: dict[str, Any] = {
        "tilejson": "3.0.0",
        "name": f"{layer.title.zh} · {layer.title.en}",
        "description": f"{layer.description.zh} · {layer.description.en}",
        "attribution": layer.source.attribution if layer.source is not None else "",
        "scheme": "xyz",
        "tiles": [f"{base}/tiles/{layer.id}/{{z}}/{{x}}/{{y}}.{suffix}?v={edition.version}"],
        "minzoom": source.minzoom,
        "maxzoom": source.maxzoom,
        "vector_layers": [],
    }
    if layer.kind == "vector":
        fields = {field.name: _TYPES[field.type] for field in edition.shown}
        document["vector_layers"] = [
            {
                "id": layer.id, "fields": fields, "description": layer.description.en,
                "minzoom": source.minzoom, "maxzoom": source.maxzoom,
            }
        ]  # fmt: skip
    if source.bbox is not None:
        west, south, east, north = source.bbox
        document["bounds"] = [west, south, east, north]
        document["center"] = [(west + east) / 2, (south + north) / 2, source.minzoom]
    return document


def layer_style(layer: Layer, *, base: str) -> dict[str, Any]:
    """Give the style of one layer alone.

    Parameters
    ----------
    layer
        A drawn layer.
    base
        The server's address.

    Returns
    -------
    dict
        A MapLibre style; the layer is visible in it.
    """
    parts = [(layer, part) for part in layer.style]
    return _style(layer.title.en, parts, base=base, hide=False)


def catalogue_style(catalogue: Catalogue, *, base: str) -> dict[str, Any]:
    """Give the style of the whole map, layers in the order they are drawn in.

    Parameters
    ----------
    catalogue
        The layers.
    base
        The server's address.

    Returns
    -------
    dict
        A MapLibre style; layers that are off at first view are there, invisible.
    """
    return _style(catalogue.about.title.en, catalogue.drawing_order(), base=base, hide=True)


def placed_style(layer: Layer) -> list[dict[str, Any]]:
    """Give a layer's style with its source filled in.

    Parameters
    ----------
    layer
        Any layer.

    Returns
    -------
    list of dict
        MapLibre layers whose `source`, and `source-layer` for features, are the layer's id.
    """
    return [_placed(layer, part) for part in layer.style]


def _placed(layer: Layer, part: StyleLayer) -> dict[str, Any]:
    placed = copy.deepcopy(dict(part))
    if placed["type"] != "background":
        placed["source"] = layer.id
        if layer.kind == "vector":
            placed["source-layer"] = layer.id
    return placed


def _style(
    name: str, parts: Iterable[tuple[Layer, StyleLayer]], *, base: str, hide: bool
) -> dict[str, Any]:
    sources: dict[str, Any] = {}
    layers: list[dict[str, Any]] = [
        {"id": "ground", "type": "background", "paint": {"background-color": GROUND}}
    ]
    for layer, part in parts:
        if layer.tiles is None:
            continue
        sources[layer.id] = _source(layer, base=base)
        placed = _placed(layer, part)
        if hide and not layer.tiles.visible:
            placed["layout"] = {**placed.get("layout", {}), "visibility": "none"}
        layers.append(placed)
    return {"version": 8, "name": name, "sources": sources, "layers": layers}


def _source(layer: Layer, *, base: str) -> dict[str, Any]:
    url = f"{base}/tiles/{layer.id}/tilejson.json"
    if layer.kind == "raster":
        return {"type": "raster", "url": url, "tileSize": SIDE}
    return {"type": "vector", "url": url}
