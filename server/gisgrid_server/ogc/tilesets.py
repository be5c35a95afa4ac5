"""Which tiles does a layer have? Tilesets as OGC API – Tiles describes them."""

from __future__ import annotations

from typing import Any, Final

from gisgrid.catalogue import Layer
from gisgrid.errors import LayerNotFoundError, TileNotFoundError, did_you_mean
from gisgrid.tiles import BBox, MatrixSet, check_tile, counted_properties, matrix_set
from gisgrid_server.layers.editions import Edition
from gisgrid_server.ogc.collections import bbox_of, is_drawn, tiles_path
from gisgrid_server.ogc.coordinates import CRS84
from gisgrid_server.ogc.links import JSON, OGC, address, both, here, link
from gisgrid_server.ogc.queryables import described
from gisgrid_server.ogc.tiling import scheme_link

_MVT: Final = "application/vnd.mapbox-vector-tile"
_PNG: Final = "image/png"
_DIMENSIONS: Final = {"Point": 0, "LineString": 1, "Polygon": 2}


def tilesets_document(edition: Edition, base: str, *, form: str) -> dict[str, Any]:
    """List the tilesets of a layer, one for each tile matrix set.

    Parameters
    ----------
    edition
        A drawn layer as it is now.
    base
        The server's address.
    form
        The form of the answer, for its links.

    Returns
    -------
    dict
        JSON.

    Raises
    ------
    LayerNotFoundError
        The layer is not drawn.
    """
    check_drawn(edition.layer)
    at = tiles_path(edition.layer)
    items = [
        {
            "title": f"{both(edition.layer.title)} ({one.id})",
            "dataType": data_type(edition.layer),
            "crs": one.crs,
            **registered(one),
            "links": [
                link("self", address(base, f"{at}/{one.id}"), JSON, one.id),
                scheme_link(one, base),
                _tile_link(edition, one, base),
            ],
        }
        for one in matrix_sets(edition.layer)
    ]
    return {"tilesets": items, "links": here(base, at, form=form)}


def tileset_document(edition: Edition, set_id: str, base: str, *, form: str) -> dict[str, Any]:
    """Describe the tiles of a layer in one tile matrix set.

    Parameters
    ----------
    edition
        A drawn layer as it is now.
    set_id
        The tile matrix set.
    base
        The server's address.
    form
        The form of the answer, for its links.

    Returns
    -------
    dict
        JSON.

    Raises
    ------
    LayerNotFoundError
        The layer is not drawn.
    TileNotFoundError
        It is not drawn in that set.
    """
    layer = edition.layer
    one = drawn_in(layer, set_id)
    links = [
        *here(base, f"{tiles_path(layer)}/{one.id}", form=form),
        scheme_link(one, base),
        _tile_link(edition, one, base),
        link(f"{OGC}/geodata", address(base, f"/collections/{layer.id}"), JSON, both(layer.title)),
    ]
    if one.id == "WebMercatorQuad":
        links.append(link("tilejson", address(base, f"/tiles/{layer.id}/tilejson.json"), JSON, "TileJSON"))  # fmt: skip
    document: dict[str, Any] = {
        "title": both(layer.title),
        "description": both(layer.description),
        "dataType": data_type(layer),
        "crs": one.crs,
        **registered(one),
        "links": links,
        "layers": [layer_item(edition)],
    }
    if layer.source is not None and layer.source.attribution:
        document["attribution"] = layer.source.attribution
    if layer.source is not None and layer.source.licence:
        document["license"] = layer.source.licence
    bbox = bbox_of(edition)
    if bbox is not None:
        document["boundingBox"] = box_of(bbox)
        document["centerPoint"] = {
            "coordinates": [(bbox[0] + bbox[2]) / 2, (bbox[1] + bbox[3]) / 2],
            "tileMatrix": str(_zooms(layer)[0]),
            "crs": CRS84,
        }
        document["tileMatrixSetLimits"] = limits(layer, one, bbox)
    return document


def matrix_sets(layer: Layer) -> tuple[MatrixSet, ...]:
    """List the tile matrix sets that a layer is drawn in.

    Parameters
    ----------
    layer
        The layer.

    Returns
    -------
    tuple of MatrixSet
        All that there are for features, WebMercatorQuad for pictures.
    """
    names = ("WebMercatorQuad",) if layer.kind == "raster" else ("WebMercatorQuad", "WorldCRS84Quad", "CGCS2000Quad")  # fmt: skip
    return tuple(matrix_set(name) for name in names)


def drawn_in(layer: Layer, set_id: str) -> MatrixSet:
    """Find the tile matrix set that a layer is asked for in.

    Parameters
    ----------
    layer
        The layer.
    set_id
        The set's id.

    Returns
    -------
    MatrixSet
        The set.

    Raises
    ------
    LayerNotFoundError
        The layer is not drawn.
    TileNotFoundError
        It is not drawn in that set, or there is no such set.
    """
    check_drawn(layer)
    there = {one.id: one for one in matrix_sets(layer)}
    if set_id not in there:
        raise TileNotFoundError(
            f"layer {layer.id!r} has no tiles in {set_id[:60]!r}{did_you_mean(set_id[:60], there)}"
        )
    return there[set_id]


def check_drawn(layer: Layer) -> None:
    """Make sure that a layer has tiles.

    Parameters
    ----------
    layer
        The layer.

    Raises
    ------
    LayerNotFoundError
        It has none.
    """
    if not is_drawn(layer):
        raise LayerNotFoundError(
            f"layer {layer.id!r} is not drawn; its rows are at /collections/{layer.id}/items"
        )


def check_kind(layer: Layer, kind: str) -> None:
    """Make sure that a layer's tiles are asked for where they are.

    Parameters
    ----------
    layer
        The layer.
    kind
        ``tiles`` or ``map/tiles``.

    Raises
    ------
    LayerNotFoundError
        It has none, or they are at the other address.
    """
    check_drawn(layer)
    if not tiles_path(layer).endswith(f"{layer.id}/{kind}"):
        raise LayerNotFoundError(
            f"layer {layer.id!r} has no tiles at /{kind}; they are at {tiles_path(layer)}"
        )


def limits(layer: Layer, one: MatrixSet, bbox: BBox) -> list[dict[str, Any]]:
    """Say which columns and rows of each zoom show something.

    Parameters
    ----------
    layer
        A drawn layer.
    one
        The tile matrix set.
    bbox
        Where the layer is, in degrees.

    Returns
    -------
    list of dict
        One for each zoom the layer is drawn at.
    """
    west, south, east, north = bbox
    (left, right), (top, bottom) = one.to_unit([west, east], [north, south])
    found = []
    for z in _zooms(layer):
        check_tile(z, 0, 0, matrix_set=one)
        side, (n_columns, n_rows) = 1 << one.depth(z), one.tiles_at(z)
        found.append(
            {
                "tileMatrix": str(z),
                "minTileRow": _place(top, side, n_rows),
                "maxTileRow": _place(bottom, side, n_rows),
                "minTileCol": _place(left, side, n_columns),
                "maxTileCol": _place(right, side, n_columns),
            }
        )
    return found


def data_type(layer: Layer) -> str:
    """Say what a layer's tiles hold, as OGC 17-083r4 calls it.

    Parameters
    ----------
    layer
        The layer.

    Returns
    -------
    str
        ``vector`` or ``map``.
    """
    return "map" if layer.kind == "raster" else "vector"


def _zooms(layer: Layer) -> range:
    assert layer.tiles is not None  # noqa: S101 - `check_drawn` goes before
    return range(layer.tiles.minzoom, layer.tiles.maxzoom + 1)


def _place(unit: float, side: int, n: int) -> int:
    return min(n - 1, max(0, int(unit * side)))


def registered(one: MatrixSet) -> dict[str, str]:
    """Name a tile matrix set by the address that OGC gave it.

    Parameters
    ----------
    one
        The set.

    Returns
    -------
    dict
        A member of a document; nothing where nobody registered the set.
    """
    return {"tileMatrixSetURI": one.uri} if one.uri is not None else {}


def _tile_link(edition: Edition, one: MatrixSet, base: str) -> dict[str, Any]:
    form, media_type = ("png", _PNG) if edition.layer.kind == "raster" else ("mvt", _MVT)
    place = "{tileMatrix}/{tileRow}/{tileCol}"
    href = f"{base}{tiles_path(edition.layer)}/{one.id}/{place}?f={form}"
    return link("item", href, media_type, "瓦片 · Tiles", templated=True)


def box_of(bbox: BBox) -> dict[str, Any]:
    """Write a box as OGC 17-083r4 does.

    Parameters
    ----------
    bbox
        West, south, east, north in degrees.

    Returns
    -------
    dict
        JSON.
    """
    west, south, east, north = bbox
    return {"lowerLeft": [west, south], "upperRight": [east, north], "crs": CRS84}


def layer_item(edition: Edition) -> dict[str, Any]:
    """Describe a layer within a tileset.

    Parameters
    ----------
    edition
        A drawn layer as it is now.

    Returns
    -------
    dict
        JSON.
    """
    layer, zooms = edition.layer, _zooms(edition.layer)
    document: dict[str, Any] = {
        "id": layer.id,
        "title": both(layer.title),
        "description": both(layer.description),
        "dataType": data_type(layer),
        "minTileMatrix": str(zooms[0]),
        "maxTileMatrix": str(zooms[-1]),
    }
    if layer.kind == "vector":
        document["geometryDimension"] = _DIMENSIONS[layer.geometry]
        single = edition.shown if edition.privacy.shows_single else ()
        document["propertiesSchema"] = {
            "type": "object",
            "properties": {field.name: described(field) for field in single}
            | {name: {"type": "number"} for name in counted_properties(edition.source)},
        }
    return document
