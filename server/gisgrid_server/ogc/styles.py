"""How are layers to be drawn? MapLibre styles, listed as OGC API – Styles lists them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from gisgrid.catalogue import Catalogue, Layer
from gisgrid.errors import LayerNotFoundError
from gisgrid_server.ogc.links import address, both, here, link
from gisgrid_server.tiles.tilejson import catalogue_style, layer_style

WHOLE: Final = "all-layers"
"""The style of the whole catalogue; no layer can have this id, because of its dash."""

MAPLIBRE: Final = "application/vnd.mapbox.style+json"


def styles_document(catalogue: Catalogue, base: str, *, form: str) -> dict[str, Any]:
    """List the styles.

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
        JSON: the whole catalogue's first, then one for each drawn layer.
    """
    listed = [(WHOLE, both(catalogue.about.title))]
    listed += [(layer.id, both(layer.title)) for layer in catalogue if _has_style(layer)]
    styles = [
        {
            "id": style_id,
            "title": title,
            "links": [link("stylesheet", address(base, f"/styles/{style_id}"), MAPLIBRE, title)],
        }
        for style_id, title in listed
    ]
    return {"styles": styles, "default": WHOLE, "links": here(base, "/styles", form=form)}


def style_document(
    catalogue: Catalogue, style_id: str, base: str, *, passed: Sequence[tuple[str, str]] = ()
) -> dict[str, Any]:
    """Give one style.

    Parameters
    ----------
    catalogue
        The layers.
    style_id
        A layer, or `WHOLE`.
    base
        The server's address.
    passed
        What its sources are to be asked with: a key.

    Returns
    -------
    dict
        A MapLibre style.

    Raises
    ------
    LayerNotFoundError
        There is no such layer, or it is not drawn.
    """
    if style_id == WHOLE:
        return catalogue_style(catalogue, base=base, passed=passed)
    layer = catalogue[style_id]
    if not _has_style(layer):
        raise LayerNotFoundError(
            f"layer {style_id!r} is not drawn, so it has no style; /styles lists those that are"
        )
    return layer_style(layer, base=base, passed=passed)


def _has_style(layer: Layer) -> bool:
    return layer.tiles is not None and bool(layer.style)
