"""What do the pages name? Each function gathers the values of one page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from gisgrid.schema import Text
from gisgrid_server.layers.editions import Edition
from gisgrid_server.ogc.collections import bbox_of, has_items, interval_of, is_drawn, tiles_path
from gisgrid_server.ogc.coordinates import Coordinates, known
from gisgrid_server.ogc.features import feature_ids, geometries_json
from gisgrid_server.ogc.html import pretty
from gisgrid_server.ogc.items import chosen, item_address, item_links, item_row, page_links
from gisgrid_server.ogc.links import address
from gisgrid_server.ogc.questions import Question
from gisgrid_server.ogc.words import WORDS

_Door = tuple[Text | str, str]


def frame(request: Request, base: str) -> dict[str, Any]:
    """Say where a page is, and where its JSON.

    Parameters
    ----------
    request
        The request.
    base
        The server's address.

    Returns
    -------
    dict
        Values of every page.
    """
    kept = {
        name: value for name, value in request.query_params.items() if name not in {"f", "lang"}
    }
    path = request.url.path.removeprefix(str(request.scope.get("root_path", "")))
    above = _path(path, base, lang=request.query_params.get("lang"))
    return {"as_json": address(base, path, **kept, f="json"), "path": above}


def landing_doors(base: str, *, lang: str | None) -> list[tuple[Text, str, Text]]:
    """List what there is behind the landing page.

    Parameters
    ----------
    base
        The server's address.
    lang
        The language that the reader chose; None where it was not said.

    Returns
    -------
    list of tuple
        Names, addresses and sentences.
    """
    doors = {
        "collections": address(base, "/collections", f="html", lang=lang),
        "map": address(base, "/"),
        "inspect": address(base, "/inspect"),
        "docs": address(base, "/docs", lang=lang),
        "schemes": address(base, "/tileMatrixSets", f="html", lang=lang),
        "styles": address(base, "/styles", f="html", lang=lang),
        "conformance": address(base, "/conformance", f="html", lang=lang),
    }
    listed = [(WORDS[name], href, WORDS[f"landing_{name}"]) for name, href in doors.items()]
    wmts = Text(zh="WMTS", en="WMTS")
    return [*listed, (wmts, f"{base}/wmts/1.0.0/WMTSCapabilities.xml", WORDS["landing_wmts"])]


def collection(edition: Edition, base: str, *, lang: str | None) -> dict[str, Any]:
    """Gather the page of a layer.

    Parameters
    ----------
    edition
        The layer as it is now.
    base
        The server's address.
    lang
        The language that the reader chose; None where it was not said.

    Returns
    -------
    dict
        Values of the page.
    """
    layer = edition.layer
    at, doors = f"/collections/{layer.id}", list[_Door]()
    if has_items(edition):
        doors += [
            (WORDS[name], address(base, f"{at}/{name}", f="html", lang=lang))
            for name in ("items", "queryables", "schema")
        ]
    if is_drawn(layer):
        doors += [
            (WORDS["tiles"], address(base, tiles_path(layer), f="html", lang=lang)),
            ("TileJSON", address(base, f"/tiles/{layer.id}/tilejson.json")),
            ("MapLibre", address(base, f"/styles/{layer.id}")),
        ]
    bbox = bbox_of(edition)
    return {
        "layer": layer,
        "n_rows": edition.n_rows,
        "bbox": [f"{value:.5f}" for value in bbox] if bbox is not None else None,
        "times": interval_of(edition),
        "crs": known(layer) if has_items(edition) and layer.kind == "vector" else (),
        "fields": edition.shown,
        "doors": doors,
    }


def items(request: Request, edition: Edition, question: Question, base: str) -> dict[str, Any]:
    """Gather the page of a page of features.

    Parameters
    ----------
    request
        The request.
    edition
        The layer as it is now.
    question
        What is asked.
    base
        The server's address.

    Returns
    -------
    dict
        Values of the page.
    """
    found, table = chosen(edition, question), edition.table
    assert table is not None  # noqa: S101 - `chosen` refuses layers without rows
    records = table.records(found.rows, properties=[field.name for field in edition.shown])
    names = [
        address(
            base, item_address(edition, str(name)), f="html", lang=request.query_params.get("lang")
        )
        for name in feature_ids(table, found.rows)
    ]
    return {
        "action": address(base, f"/collections/{edition.layer.id}/items"),
        "asked": dict(request.query_params),
        "n_matched": found.n_matched,
        "rows": list(zip(names, records, strict=True)),
        "fields": edition.shown,
        "links": page_links(edition, question, found, base, form="html"),
    }


def item(edition: Edition, name: str, crs: Coordinates, base: str) -> dict[str, Any]:
    """Gather the page of a feature.

    Parameters
    ----------
    edition
        The layer as it is now.
    name
        Its key as an address spells it.
    crs
        What its place is written in.
    base
        The server's address.

    Returns
    -------
    dict
        Values of the page.
    """
    row, table = item_row(edition, name), edition.table
    assert table is not None  # noqa: S101 - `item_row` refuses layers without rows
    (record,) = table.records(row, properties=[field.name for field in edition.shown])
    (geometry,) = geometries_json(table, row, crs=crs)
    return {
        "record": record,
        "fields": edition.shown,
        "geometry": None if geometry == b"null" else geometry.decode(),
        "links": item_links(edition, name, crs, base, form="html"),
    }


def schema(
    edition: Edition, content: Mapping[str, Any], base: str, *, lang: str | None
) -> dict[str, Any]:
    """Gather the page of a JSON Schema.

    Parameters
    ----------
    edition
        The layer as it is now.
    content
        The schema.
    base
        The server's address.
    lang
        The language that the reader chose; None where it was not said.

    Returns
    -------
    dict
        Values of the page.
    """
    at = address(base, f"/collections/{edition.layer.id}", f="html", lang=lang)
    return {
        "lead": edition.layer.title,
        "listed": [(edition.layer.id, at)],
        "document": pretty(content),
    }


def tilesets(content: Mapping[str, Any]) -> dict[str, Any]:
    """Gather the page of a layer's tilesets.

    Parameters
    ----------
    content
        Their document.

    Returns
    -------
    dict
        Values of the page.
    """
    listed = [(one["title"], f"{one['links'][0]['href']}?f=html") for one in content["tilesets"]]
    return {"lead": "", "listed": listed, "document": ""}


def plain(content: Mapping[str, Any]) -> dict[str, Any]:
    """Gather the page of a document that is shown as it is.

    Parameters
    ----------
    content
        The document.

    Returns
    -------
    dict
        Values of the page.
    """
    return {"lead": "", "listed": (), "document": pretty(content)}


def _path(path: str, base: str, *, lang: str | None) -> list[tuple[str, str]]:
    """Give the addresses above a page."""
    parts = [part for part in path.split("/") if part][:-1]
    return [
        (part, address(base, "/" + "/".join(parts[: i + 1]), f="html", lang=lang))
        for i, part in enumerate(parts)
        if part not in {"map", "styles"}
    ]
