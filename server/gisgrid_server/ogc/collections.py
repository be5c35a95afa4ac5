"""What layers are there, as OGC API calls them: collections of features, of rows, or of pictures."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np

from gisgrid.catalogue import Layer
from gisgrid.features import FeatureTable
from gisgrid_server.edge.problems import HiddenError, ItemNotFoundError
from gisgrid_server.layers.editions import Edition
from gisgrid_server.ogc.coordinates import CRS84, known, stored
from gisgrid_server.ogc.links import GEOJSON, HTML, JSON, OGC, SCHEMA, address, both, here, link

_DIMENSIONS: Final = {"Point": 0, "LineString": 1, "Polygon": 2}


def collections_document(editions: Iterable[Edition], base: str, *, form: str) -> dict[str, Any]:
    """List the layers that are served.

    Parameters
    ----------
    editions
        Those that are ready.
    base
        The server's address.
    form
        The form of the answer, for its links.

    Returns
    -------
    dict
        JSON.
    """
    listed = [collection_document(edition, base, form=form) for edition in editions]
    return {
        "collections": listed,
        "numberMatched": len(listed),
        "numberReturned": len(listed),
        "links": here(base, "/collections", form=form),
    }


def collection_document(edition: Edition, base: str, *, form: str) -> dict[str, Any]:
    """Describe a layer.

    Parameters
    ----------
    edition
        The layer as it is now.
    base
        The server's address.
    form
        The form of the answer, for its links.

    Returns
    -------
    dict
        JSON.
    """
    layer = edition.layer
    document: dict[str, Any] = {
        "id": layer.id,
        "title": both(layer.title),
        "description": both(layer.description),
        "links": [*here(base, f"/collections/{layer.id}", form=form), *_links(edition, base)],
    }
    if layer.source is not None and layer.source.attribution:
        document["attribution"] = layer.source.attribution
    if (extent := _extent(edition)) is not None:
        document["extent"] = extent
    if has_items(edition):
        document |= {"itemType": "feature", "crs": list(known(layer))}
        own = stored(layer)
        document["storageCrs"] = own if own is not None else CRS84
    if layer.kind == "vector":
        document |= {"dataType": "vector", "geometryDimension": _DIMENSIONS[layer.geometry]}
    elif layer.kind == "raster":
        document["dataType"] = "map"
    return document


def has_items(edition: Edition) -> bool:
    """Tell whether a layer's rows can be had one by one.

    Parameters
    ----------
    edition
        The layer as it is now.

    Returns
    -------
    bool
        False for rasters, for layers that show none of their columns, and for those that show groups only.
    """
    return edition.table is not None and bool(edition.shown) and edition.privacy.shows_single


def check_items(edition: Edition) -> FeatureTable:
    """Give a layer's rows, if they can be had one by one.

    Parameters
    ----------
    edition
        The layer as it is now.

    Returns
    -------
    FeatureTable
        Its rows.

    Raises
    ------
    ItemNotFoundError
        It has none.
    HiddenError
        It shows groups only.
    """
    layer, table = edition.layer, edition.table
    if table is None:
        raise ItemNotFoundError(
            f"layer {layer.id!r} is a picture and has no features; ask for its tiles"
        )
    if not edition.shown:
        raise ItemNotFoundError(
            f"layer {layer.id!r} shows none of its columns, so it has no features to give"
        )
    if not edition.privacy.shows_single:
        raise HiddenError(
            f"layer {layer.id!r} shows counts of at least {edition.privacy.k_threshold} and no single feature; "
            "ask for its tiles"
        )
    return table


def is_drawn(layer: Layer) -> bool:
    """Tell whether a layer has tiles.

    Parameters
    ----------
    layer
        The layer.

    Returns
    -------
    bool
        False for tables, and for layers whose description has no ``[tiles]``.
    """
    return layer.tiles is not None and layer.kind != "table"


def tiles_path(layer: Layer) -> str:
    """Give the path of a layer's tilesets: pictures are maps, features are tiles of data.

    Parameters
    ----------
    layer
        A drawn layer.

    Returns
    -------
    str
        The path.
    """
    return f"/collections/{layer.id}/{'map/tiles' if layer.kind == 'raster' else 'tiles'}"


def _extent(edition: Edition) -> dict[str, Any] | None:
    extent: dict[str, Any] = {}
    bbox = bbox_of(edition)
    if bbox is not None:
        extent["spatial"] = {"bbox": [list(bbox)], "crs": CRS84}
    times = interval_of(edition)
    if times is not None:
        trs = "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian"
        extent["temporal"] = {"interval": [list(times)], "trs": trs}
    return extent or None


def bbox_of(edition: Edition) -> tuple[float, float, float, float] | None:
    """Say where a layer is.

    Parameters
    ----------
    edition
        The layer as it is now.

    Returns
    -------
    tuple of float or None
        West, south, east, north in degrees; None where nothing has a place.
    """
    if edition.table is not None:
        box = edition.table.bbox
        return edition.privacy.shown_bbox(box) if box is not None else None
    return edition.source.bbox if is_drawn(edition.layer) else None


def interval_of(edition: Edition) -> tuple[str, str] | None:
    """Say from when to when a layer's features are.

    Parameters
    ----------
    edition
        The layer as it is now.

    Returns
    -------
    tuple of str or None
        The first and the last time, ISO 8601; None where it shows no times or no single feature, or all are missing.
    """
    if edition.time_field is None or edition.table is None or not has_items(edition):
        return None
    column = edition.table.columns[edition.time_field]
    there = np.flatnonzero(~column.missing())
    if not len(there):
        return None
    values = column.stored[there]
    first, last = column.at(there[[int(values.argmin()), int(values.argmax())]])
    return str(first), str(last)


def _links(edition: Edition, base: str) -> list[dict[str, Any]]:
    layer = edition.layer
    at, links = f"/collections/{layer.id}", []
    if has_items(edition):
        links += [
            link("items", address(base, f"{at}/items", f="json"), GEOJSON, "要素 · Features"),
            link("items", address(base, f"{at}/items", f="html"), HTML, "要素 · Features"),
            link(f"{OGC}/queryables", address(base, f"{at}/queryables", f="json"), SCHEMA, "可查询属性 · Queryables"),
            link(f"{OGC}/schema", address(base, f"{at}/schema", f="json"), SCHEMA, "属性 · Properties"),
        ]  # fmt: skip
    if is_drawn(layer):
        kind = "map" if layer.kind == "raster" else "vector"
        links += [
            link(f"{OGC}/tilesets-{kind}", address(base, tiles_path(layer)), JSON, "瓦片 · Tiles"),
            link("tilejson", address(base, f"/tiles/{layer.id}/tilejson.json"), JSON, "TileJSON"),
            link("stylesheet", address(base, f"/styles/{layer.id}"), JSON, "MapLibre"),
        ]
    return links
