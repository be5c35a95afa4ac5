"""Tiles of the whole dataset: several layers in one tile, as OGC API – Tiles has them (`dataset-tilesets`).

A tile holds the layers that ``collections`` names, or those that everybody may see where it names none. It is the
composite tile of ``/tiles/LAYER,LAYER``, so nothing is drawn in another way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from gisgrid.catalogue import Catalogue
from gisgrid.errors import LayerNotFoundError
from gisgrid.tiles import MATRIX_SETS, BBox, MatrixSet, matrix_set
from gisgrid.tiles.mvt import MVT_MEDIA_TYPE
from gisgrid_server.edge.access import is_public
from gisgrid_server.layers.editions import Edition
from gisgrid_server.ogc.asking import Asking
from gisgrid_server.ogc.collections import bbox_of, is_drawn
from gisgrid_server.ogc.forwarding import forwarded
from gisgrid_server.ogc.links import JSON, address, both, here, link
from gisgrid_server.ogc.negotiation import form_of
from gisgrid_server.ogc.tilesets import box_of, layer_item, limits, registered
from gisgrid_server.ogc.tiling import scheme_link
from gisgrid_server.tiles.routes import TileRoutes
from gisgrid_server.tiles.wanted import layer_names

PATH: Final = "/dataset/tiles"


def dataset_layers(ask: Asking, request: Request) -> list[Edition]:
    """Say which layers are in the tiles of the dataset.

    Parameters
    ----------
    ask
        The layers, and who may see them.
    request
        The request; `collections` names layers between commas.

    Returns
    -------
    list of Edition
        The named ones, once each; otherwise all public layers of features, or those of them that are visible at first
        where all are more than go into one tile.

    Raises
    ------
    BadRequestError
        More are named than go into one tile.
    LayerNotFoundError
        One of them is no layer of features that is drawn, or there is none at all.
    """
    most = ask.settings.max_layers
    named = request.query_params.get("collections")
    if named is not None:
        editions = [ask.edition(request, name) for name in layer_names(named, at_most=most)]
        for one in editions:
            if one.layer.kind != "vector" or not is_drawn(one.layer):
                raise LayerNotFoundError(
                    f"layer {one.layer.id!r} has no vector tiles and cannot be among those of the dataset; leave it out"
                )
        return editions
    shown = [one for one in ask.editions(request) if one.layer.kind == "vector" and is_drawn(one.layer) and is_public(one.layer)]  # fmt: skip
    if len(shown) > most:
        shown = [one for one in shown if one.layer.tiles is not None and one.layer.tiles.visible][:most]  # fmt: skip
    if not shown:
        raise LayerNotFoundError(
            "no layer of features is shown to everybody, so the dataset has no tiles; name layers with collections="
        )
    return shown


def dataset_tilesets(catalogue: Catalogue, base: str, *, form: str) -> dict[str, Any]:
    """List the tilesets of the dataset, one for each tile matrix set.

    Parameters
    ----------
    catalogue
        The layers.
    base
        The server's address.
    form
        The form of the answer, for its links.

    Returns
    -------
    dict
        JSON.
    """
    items = [
        {
            "title": f"{both(catalogue.about.title)} ({one.id})",
            "dataType": "vector",
            "crs": one.crs,
            **registered(one),
            "links": [
                link("self", address(base, f"{PATH}/{one.id}"), JSON, one.id),
                scheme_link(one, base),
                _tile_link(one, base),
            ],
        }
        for one in MATRIX_SETS.values()
    ]
    return {"tilesets": items, "links": here(base, PATH, form=form)}


def dataset_tileset(
    catalogue: Catalogue,
    editions: Sequence[Edition],
    set_id: str,
    base: str,
    *,
    form: str,
    collections: str | None = None,
) -> dict[str, Any]:
    """Describe the tiles of the dataset in one tile matrix set.

    Parameters
    ----------
    catalogue
        The layers.
    editions
        Those in the tiles.
    set_id
        The tile matrix set.
    base
        The server's address.
    form
        The form of the answer, for its links.
    collections
        The layers as the request names them, for the links; None where it names none.

    Returns
    -------
    dict
        JSON.

    Raises
    ------
    TileNotFoundError
        There is no such set.
    """
    one = matrix_set(set_id)
    document: dict[str, Any] = {
        "title": both(catalogue.about.title),
        "dataType": "vector",
        "crs": one.crs,
        **registered(one),
        "links": [
            *here(base, f"{PATH}/{one.id}", form=form, collections=collections),
            scheme_link(one, base),
            _tile_link(one, base, collections),
        ],
        "layers": [layer_item(edition) for edition in editions],
    }
    boxes = [(edition, box) for edition in editions if (box := bbox_of(edition)) is not None]
    if boxes:
        wests, souths, easts, norths = zip(*(box for _, box in boxes), strict=True)
        document["boundingBox"] = box_of((min(wests), min(souths), max(easts), max(norths)))
        document["tileMatrixSetLimits"] = _joined_limits(boxes, one)
    return document


def dataset_tile_route(ask: Asking, tiles: TileRoutes) -> Route:
    """Make the route of the dataset's tiles.

    Parameters
    ----------
    ask
        The layers, and who may see them.
    tiles
        What answers for all tiles.

    Returns
    -------
    Route
        The row goes before the column.
    """
    place = "{set_id}/{z}/{row}/{column}"
    return Route(f"{PATH}/{place}", _DatasetTile(ask, tiles), methods=["GET"], include_in_schema=False)  # fmt: skip


class _DatasetTile:
    def __init__(self, ask: Asking, tiles: TileRoutes) -> None:
        self._ask, self._tiles = ask, tiles

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        form_of(request, offered=("mvt",))
        names = ",".join(one.layer.id for one in dataset_layers(self._ask, request))
        at = request.path_params
        path = f"/collections/{names}/tiles/{at['set_id']}/{at['z']}/{at['row']}/{at['column']}"
        query = [pair for pair in request.query_params.multi_items() if pair[0] != "collections"]
        answer = await forwarded(self._tiles, scope, receive, path=path, query=query)
        if answer is not None:
            await answer(scope, receive, send)


def _tile_link(one: MatrixSet, base: str, collections: str | None = None) -> dict[str, Any]:
    place = "{tileMatrix}/{tileRow}/{tileCol}"
    chosen = "" if collections is None else f"&{urlencode({'collections': collections}, safe=',')}"
    href = f"{base}{PATH}/{one.id}/{place}?f=mvt{chosen}"
    return link("item", href, MVT_MEDIA_TYPE, "瓦片 · Tiles", templated=True)


def _joined_limits(boxes: Sequence[tuple[Edition, BBox]], one: MatrixSet) -> list[dict[str, Any]]:
    """Say which columns and rows of each zoom show something of at least one layer."""
    joined: dict[str, dict[str, Any]] = {}
    for edition, box in boxes:
        for limit in limits(edition.layer, one, box):
            known = joined.setdefault(limit["tileMatrix"], limit)
            for name, better in (("min", min), ("max", max)):
                for of in (f"{name}TileRow", f"{name}TileCol"):
                    known[of] = better(known[of], limit[of])
    return sorted(joined.values(), key=lambda limit: int(limit["tileMatrix"]))
