"""What does a layer answer when it is asked for features? A page of them, or one."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from gisgrid_server.edge.problems import ItemNotFoundError
from gisgrid_server.layers.editions import Edition
from gisgrid_server.ogc.collections import check_items
from gisgrid_server.ogc.coordinates import CRS84, Coordinates
from gisgrid_server.ogc.features import feature_collection, features_json
from gisgrid_server.ogc.links import GEOJSON, HTML, JSON, address, both, link
from gisgrid_server.ogc.paging import Page, page
from gisgrid_server.ogc.questions import Question


def chosen(edition: Edition, question: Question) -> Page:
    """Choose the features of a page.

    Parameters
    ----------
    edition
        The layer as it is now.
    question
        What is asked.

    Returns
    -------
    Page
        Rows of the edition's table.
    """
    table = check_items(edition)
    selected = None if question.where is None else question.where.mask(table)
    return page(
        table.number, selected, limit=question.limit, after=question.after, before=question.before
    )


def items_json(edition: Edition, question: Question, base: str) -> bytes:
    """Write a page of features as GeoJSON.

    Parameters
    ----------
    edition
        The layer as it is now.
    question
        What is asked.
    base
        The server's address.

    Returns
    -------
    bytes
        A feature collection with links to the pages beside it.
    """
    found = chosen(edition, question)
    names = [field.name for field in edition.shown]
    features = features_json(check_items(edition), found.rows, names=names, crs=question.crs)
    links = page_links(edition, question, found, base, form="json")
    return feature_collection(features, n_matched=found.n_matched, links=links)


def page_links(
    edition: Edition, question: Question, found: Page, base: str, *, form: str
) -> list[dict[str, Any]]:
    """Link a page to itself, to its other form, to its layer and to the pages beside it.

    Parameters
    ----------
    edition
        The layer as it is now.
    question
        What is asked.
    found
        The page.
    base
        The server's address.
    form
        The form of the answer.

    Returns
    -------
    list of dict
        Links.
    """
    path = f"/collections/{edition.layer.id}/items"
    place = {name: value for name, value in (("after", question.after), ("before", question.before)) if value is not None}  # fmt: skip
    types = {"json": GEOJSON, "html": HTML}

    def to(rel: str, as_form: str, title: str, **more: object) -> dict[str, Any]:
        href = address(base, path, **question.kept, **more, f=as_form)
        return link(rel, href, types[as_form], title)

    other = "html" if form == "json" else "json"
    links = [
        to("self", form, "本页 · This page", **place),
        to("alternate", other, "本页的另一种格式 · This page in another form", **place),
        link("collection", address(base, f"/collections/{edition.layer.id}"), JSON, both(edition.layer.title)),
    ]  # fmt: skip
    if found.after is not None:
        links.append(to("next", form, "下一页 · Next page", after=found.after))
    if found.before is not None:
        links.append(to("prev", form, "上一页 · Previous page", before=found.before))
    return links


def item_json(edition: Edition, name: str, crs: Coordinates, base: str) -> bytes:
    """Write one feature as GeoJSON.

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
    bytes
        A feature with its links.

    Raises
    ------
    ItemNotFoundError
        There is no such feature.
    """
    names = [field.name for field in edition.shown]
    (written,) = features_json(check_items(edition), item_row(edition, name), names=names, crs=crs)
    links = json.dumps(item_links(edition, name, crs, base, form="json"), ensure_ascii=False)
    return written[:-1] + b', "links": ' + links.encode() + b"}"


def item_row(edition: Edition, name: str) -> NDArray[np.int64]:
    """Find one feature.

    Parameters
    ----------
    edition
        The layer as it is now.
    name
        Its key as an address spells it.

    Returns
    -------
    array
        Shape (1,), its row in the edition's table.

    Raises
    ------
    ItemNotFoundError
        There is no such feature.
    """
    row = check_items(edition).row(name)
    if row is None:
        key = edition.layer.primary_key or "the number of the feature"
        raise ItemNotFoundError(
            f"layer {edition.layer.id!r} has no feature {name[:80]!r}; a feature is named by its {key}"
        )
    return np.array([row])


def item_address(edition: Edition, name: str) -> str:
    """Give the path of a feature.

    Parameters
    ----------
    edition
        The layer as it is now.
    name
        Its key.

    Returns
    -------
    str
        The path.
    """
    return f"/collections/{edition.layer.id}/items/{quote(name, safe='')}"


def item_links(
    edition: Edition, name: str, crs: Coordinates, base: str, *, form: str
) -> list[dict[str, Any]]:
    """Link a feature to itself, to its other form and to its layer.

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
    form
        The form of the answer.

    Returns
    -------
    list of dict
        Links.
    """
    path = item_address(edition, name)
    types = {"json": GEOJSON, "html": HTML}
    other = "html" if form == "json" else "json"
    written = {} if crs.uri == CRS84 else {"crs": crs.uri}
    return [
        link("self", address(base, path, **written, f=form), types[form]),
        link("alternate", address(base, path, **written, f=other), types[other]),
        link("collection", address(base, f"/collections/{edition.layer.id}"), JSON, both(edition.layer.title)),
    ]  # fmt: skip
