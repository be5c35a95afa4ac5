"""What does a map need to know to draw the layers? TileJSON 3.0.0 and MapLibre styles."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from gisgrid.catalogue import Catalogue, Layer, StyleLayer
from gisgrid.palette import GROUND
from gisgrid.tiles import counted_properties
from gisgrid_server.layers.editions import Edition

_SIDE: Final = 256
"""Pixels along the side of a raster tile."""

_TYPES: Final = {
    "string": "String", "date": "String", "datetime": "String",
    "integer": "Number", "number": "Number", "boolean": "Boolean",
}  # fmt: skip


def tilejson(
    editions: Sequence[Edition],
    *,
    base: str,
    version: str | None,
    passed: Sequence[tuple[str, str]] = (),
) -> dict[str, Any]:
    """Describe the tiles of some layers together (TileJSON 3.0.0).

    Parameters
    ----------
    editions
        Drawn layers as they are now.
    base
        The server's address.
    version
        The version of the data, for the tiles' address, so that they can be kept for good; None where rows may come at
        any moment, and tiles are asked for again.
    passed
        What the tiles are to be asked with: filters, a key.

    Returns
    -------
    dict
        JSON. Below `thinned` it says what each layer does where its features are too many.

    Raises
    ------
    LayerNotFoundError
        A layer is not drawn.
    """
    layers, sources = [one.layer for one in editions], [one.source for one in editions]
    suffix = "png" if layers[0].kind == "raster" else "mvt"
    query = urlencode([*passed, *([("v", version)] if version is not None else [])])
    ids = ",".join(layer.id for layer in layers)
    document: dict[str, Any] = {
        "tilejson": "3.0.0",
        "name": " + ".join(f"{layer.title.zh} · {layer.title.en}" for layer in layers),
        "description": "\n".join(f"{layer.description.zh} · {layer.description.en}" for layer in layers),
        "attribution": "; ".join(dict.fromkeys(layer.source.attribution for layer in layers if layer.source)),
        "scheme": "xyz",
        "tiles": [f"{base}/tiles/{ids}/{{z}}/{{x}}/{{y}}.{suffix}{'?' if query else ''}{query}"],
        "minzoom": min(source.minzoom for source in sources),
        "maxzoom": max(source.maxzoom for source in sources),
        "vector_layers": [_vector_layer(one) for one in editions if one.layer.kind == "vector"],
    }  # fmt: skip
    thinned = {layer.id: said for layer in layers if (said := _thinning(layer)) is not None}
    if thinned:
        document["thinned"] = thinned
    boxes = [source.bbox for source in sources if source.bbox is not None]
    if boxes:
        west, south = min(box[0] for box in boxes), min(box[1] for box in boxes)
        east, north = max(box[2] for box in boxes), max(box[3] for box in boxes)
        document["bounds"] = [west, south, east, north]
        document["center"] = [(west + east) / 2, (south + north) / 2, document["minzoom"]]
    return document


def _vector_layer(edition: Edition) -> dict[str, Any]:
    layer, source = edition.layer, edition.source
    single = edition.shown if edition.privacy.shows_single else ()
    fields = {field.name: _TYPES[field.type] for field in single}
    return {
        "id": layer.id,
        "fields": fields | dict.fromkeys(counted_properties(source), "Number"),
        "description": layer.description.en,
        "minzoom": source.minzoom,
        "maxzoom": source.maxzoom,
    }


def _thinning(layer: Layer) -> dict[str, Any] | None:
    """Say what a layer does where its features are too many, and what it hides."""
    if layer.tiles is None or layer.kind != "vector":
        return None
    low, privacy = layer.tiles.low_zoom, layer.tiles.privacy
    said: dict[str, Any] = {"strategy": low.strategy, "budget_bytes": low.budget_bytes}
    if low.below > layer.tiles.minzoom:
        said["below_zoom"] = low.below
    if privacy.k_threshold:
        said["hidden_below"] = privacy.k_threshold
    if privacy.blur_m:
        said["blur_m"] = privacy.blur_m
    return said


def layer_style(
    layer: Layer, *, base: str, passed: Sequence[tuple[str, str]] = ()
) -> dict[str, Any]:
    """Give the style of one layer alone.

    Parameters
    ----------
    layer
        A drawn layer.
    base
        The server's address.
    passed
        What its sources are to be asked with: a key.

    Returns
    -------
    dict
        A MapLibre style; the layer is visible in it.
    """
    parts = [(layer, part) for part in layer.style]
    return _style(layer.title.en, parts, base=base, hide=False, passed=passed)


def catalogue_style(
    catalogue: Catalogue, *, base: str, passed: Sequence[tuple[str, str]] = ()
) -> dict[str, Any]:
    """Give the style of the whole map, layers in the order they are drawn in.

    Parameters
    ----------
    catalogue
        The layers.
    base
        The server's address.
    passed
        What its sources are to be asked with: a key.

    Returns
    -------
    dict
        A MapLibre style; layers that are off at first view are there, invisible.
    """
    return _style(
        catalogue.about.title.en, catalogue.drawing_order(), base=base, hide=True, passed=passed
    )


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
    name: str,
    parts: Iterable[tuple[Layer, StyleLayer]],
    *,
    base: str,
    hide: bool,
    passed: Sequence[tuple[str, str]],
) -> dict[str, Any]:
    sources: dict[str, Any] = {}
    layers: list[dict[str, Any]] = [
        {"id": "ground", "type": "background", "paint": {"background-color": GROUND}}
    ]
    for layer, part in parts:
        if layer.tiles is None:
            continue
        sources[layer.id] = _source(layer, base=base, passed=passed)
        placed = _placed(layer, part)
        if hide and not layer.tiles.visible:
            placed["layout"] = {**placed.get("layout", {}), "visibility": "none"}
        layers.append(placed)
    return {"version": 8, "name": name, "sources": sources, "layers": layers}


def _source(layer: Layer, *, base: str, passed: Sequence[tuple[str, str]]) -> dict[str, Any]:
    url = f"{base}/tiles/{layer.id}/tilejson.json{'?' if passed else ''}{urlencode(passed)}"
    if layer.kind == "raster":
        return {"type": "raster", "url": url, "tileSize": _SIDE}
    return {"type": "vector", "url": url}
